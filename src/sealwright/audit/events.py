"""Every event there is. `docs/reference/audit-events.md` is made from this list."""

from __future__ import annotations

from sealwright.audit.described import Described


class Outcome(Described):
    """How it ended."""

    DONE = "done", "It happened."
    REFUSED = "refused", "A rule did not allow it; the details name the rule."
    FAILED = "failed", "It was allowed and did not come to its end."


class Event(Described):
    """`<noun>.<what happened>`, and the description of the reference."""

    SERVER_STARTED = "server.started", "A node began to serve."
    BACKUP_CREATED = "backup.created", "A backup was written; the details say whether the key-encryption key is in it."
    BACKUP_RESTORED = "backup.restored", "The server was made of a backup; the details say from when."
    ACCESS_REFUSED = "access.refused", "Someone asked for a route whose permission they lack; the details name both."
    SETTINGS_RELOADED = "settings.reloaded", "A worker took over settings and provisioners that were read again."
    SIGN_IN = "session.sign_in", "A person proved who they are, or failed to."
    SESSION_ENDED = "session.ended", "A session was signed out, revoked, or ended with the account."
    ACCOUNT_RECOVERED = "account.recovered", "A password was set from the server's shell."
    ADMINISTRATOR_WELCOMED = "account.administrator_welcomed", "The first administrator used the welcome link."
    BOOTSTRAP_TOKEN_USED = (
        "bootstrap.token_used",
        "The first administrator was made by the bootstrap token, or a token was refused.",
    )
    BOOTSTRAP_OIDC_FIRST_ADMIN = (
        "bootstrap.oidc_first_admin",
        "Someone became the first administrator by a group of an identity provider.",
    )
    BREAK_GLASS_USED = "break_glass.used", "Someone opened the server with the break-glass password, or tried to."
    BREAK_GLASS_SET = "break_glass.set", "The break-glass password was set or removed from the server's shell."
    PERSON_CREATED = "person.created", "A person was created."
    PEOPLE_IMPORTED = "person.imported", "People of another server were created; the details say how many."
    PERSON_UPDATED = "person.updated", "A person's names, addresses or validity were changed."
    PERSON_DISABLED = "person.disabled", "A person was disabled; sessions end and certificates are not renewed."
    PERSON_ENABLED = "person.enabled", "A disabled person may sign in again."
    PERSON_DELETED = "person.deleted", "A person was deleted."
    SERVICE_ACCOUNT_CREATED = "service_account.created", "A service account was created."
    API_TOKEN_CREATED = "api_token.created", "A service account got an API token."
    API_TOKEN_REVOKED = "api_token.revoked", "An API token was revoked."
    API_KEY_CREATED = "api_key.created", "A person made an API key; the details say what it may do and until when."
    API_KEY_ROTATED = "api_key.rotated", "A person made the successor of an API key; both are valid for the overlap."
    API_KEY_NARROWED = "api_key.narrowed", "An API key may do less than before."
    API_KEY_REVOKED = "api_key.revoked", "An API key was ended."
    PERSON_REVIVED = "person.revived", "A deleted person or service account was brought back, without credentials."
    GROUP_REVIVED = "group.revived", "A deleted group was brought back."
    CREDENTIAL_SET = "credential.set", "A password, second factor or passkey was set."
    CREDENTIAL_RENAMED = "credential.renamed", "A person gave a credential another name."
    CREDENTIAL_REMOVED = "credential.removed", "A second factor or passkey was removed."
    INVITATION_CREATED = "credential.invitation_created", "A link was made with which a person chooses their first password."
    INVITATION_ACCEPTED = "credential.invitation_accepted", "A person chose their first password with an invitation."
    RESET_LINK_USED = "credential.reset_link_used", "A person set a new password with a link."
    RESET_LINK_CREATED = "credential.reset_link_created", "A link was made with which a person sets a new password."
    MAIL_LINK_CREATED = "person.mail_link_created", "A link was made with which a person confirms a mail address."
    MAIL_VERIFICATION_SET = (
        "person.mail_verification_set",
        "A mail address counts as its person's, or not any more.",
    )
    MAIL_SENT = "mail.sent", "The SMTP server took a message with a link."
    MAIL_FAILED = "mail.failed", "A message was given up: it was refused for good, or its link ended before it was sent."
    GROUP_CREATED = "group.created", "A group was created."
    GROUP_UPDATED = "group.updated", "A group got another name, description or manager."
    ACCOUNT_POLICY_CHANGED = "group.account_policy_changed", "What a group asks of the sign-ins of its members was changed."
    GROUP_DELETED = "group.deleted", "A group was deleted."
    GROUP_MEMBERS_CHANGED = "group.members_changed", "Members were added to a group or removed from it."
    ROLE_CREATED = "role.created", "An administrator made a role."
    ROLE_CHANGED = "role.changed", "A role allows something else than before."
    ROLE_DELETED = "role.deleted", "A role that no one held was deleted."
    ROLE_GRANTED = "role.granted", "An account or a group was granted a role; the details say within which scope and until when."
    ROLE_WITHDRAWN = "role.withdrawn", "A grant of a role was taken back."
    OIDC_PROVIDER_CREATED = "oidc_provider.created", "An identity provider that people may sign in with was stored."
    OIDC_PROVIDER_UPDATED = "oidc_provider.updated", "An identity provider was changed."
    OIDC_PROVIDER_DELETED = (
        "oidc_provider.deleted",
        "An identity provider was deleted, with its mappings and the roles they gave.",
    )
    OIDC_PROVIDER_REFRESHED = "oidc_provider.refreshed", "Discovery document and keys of an identity provider were fetched anew."
    GROUP_MAPPING_ADDED = "group_mapping.added", "A group of an identity provider gives a role from now on."
    GROUP_MAPPING_REMOVED = "group_mapping.removed", "A group of an identity provider gives a role no more."
    OIDC_LOGIN_SUCCEEDED = "oidc_login.succeeded", "A person signed in with an identity provider; the details name it."
    OIDC_LOGIN_FAILED = (
        "oidc_login.failed",
        "A sign-in with an identity provider was refused; the details name the check that failed.",
    )
    OIDC_BACK_CHANNEL_LOGOUT = (
        "oidc_logout.received",
        "An identity provider said that someone signed out there, and their sessions ended; or its token was refused.",
    )
    CLIENT_CREATED = "client.created", "An OAuth client was registered."
    CLIENT_UPDATED = "client.updated", "The registration of an OAuth client was changed."
    CLIENT_DELETED = "client.deleted", "An OAuth client was deleted."
    CLIENT_REVIVED = "client.revived", "A deleted OAuth client was brought back, without what it had been given."
    CLIENT_SECRET_SHOWN = "client.secret_shown", "The secret of a confidential client was shown."
    CLIENT_SECRET_RESET = "client.secret_reset", "A confidential client got a new secret."
    CLIENT_KEYS_ROTATED = "client.keys_rotated", "A client got new signing keys."
    CLIENT_KEY_REVOKED = "client.key_revoked", "A signing key of a client was revoked with all that it signed."
    CLIENT_SECRETS_RESET = "client.secrets_reset", "A client got another secret and other keys, and all of its tokens ended."
    CLIENT_RENAMED = "client.renamed", "A client got another name and issuer, and all of its tokens ended."
    CLIENT_ISSUER_SET = "client.issuer_set", "A client was put on another issuer, and all of its tokens ended."
    OAUTH_ISSUER_CREATED = "oauth_issuer.created", "An issuer that clients share was created."
    OAUTH_ISSUER_DELETED = "oauth_issuer.deleted", "An issuer that clients shared was deleted."
    OAUTH_ISSUER_KEYS_ROTATED = "oauth_issuer.keys_rotated", "An issuer that clients share got new signing keys."
    OAUTH_ISSUER_KEY_REVOKED = "oauth_issuer.key_revoked", "A signing key that clients share was revoked with all that it signed."
    CLIENT_REGISTERED = "client.registered", "A client registered itself, or asked to and was refused."
    REGISTRATION_TOKEN_CREATED = "registration_token.created", "A token was made with which clients may register themselves."
    REGISTRATION_TOKEN_DELETED = "registration_token.deleted", "A registration token was deleted."
    TRUSTED_ISSUER_CREATED = "trusted_issuer.created", "An issuer was listed whose tokens clients may present for access tokens."
    TRUSTED_ISSUER_UPDATED = "trusted_issuer.updated", "How tokens of a trusted issuer are verified was changed."
    TRUSTED_ISSUER_DELETED = "trusted_issuer.deleted", "An issuer is trusted no more; what its tokens were given for ended."
    TRUSTED_ISSUER_RULE_ADDED = "trusted_issuer.rule_added", "A rule says which tokens of a trusted issuer are accepted for what."
    TRUSTED_ISSUER_RULE_UPDATED = "trusted_issuer.rule_updated", "A rule of a trusted issuer was changed."
    TRUSTED_ISSUER_RULE_DELETED = "trusted_issuer.rule_deleted", "A rule of a trusted issuer was removed; what it gave ended."
    AUTHORIZATION_REQUESTED = "authorization.requested", "A client asked for a person to be signed in; recorded when refused."
    CONSENT_GIVEN = "consent.given", "A person allowed a client what it asked for."
    CONSENT_DENIED = "consent.denied", "A person did not allow it."
    CONSENT_WITHDRAWN = "consent.withdrawn", "A person took a consent back; the tokens that came of it are revoked."
    CODE_ISSUED = "code.issued", "An authorization code was given to a client."
    TOKEN_ISSUED = "token.issued", "A client was given tokens."
    TOKEN_REFUSED = "token.refused", "A client asked for tokens and was refused."
    LOGOUT_DELIVERED = "client.logout_delivered", "A client took a logout token: it knows that a session ended."
    LOGOUT_UNDELIVERED = "client.logout_undelivered", "A client was given up that did not take a logout token for a day."
    TOKEN_FAMILY_REVOKED = "token.family_revoked", "All tokens that came of one authorization were revoked."
    PROFILE_CREATED = "profile.created", "A profile of certificates was stored."
    PROFILE_UPDATED = "profile.updated", "A stored profile was changed; the details say how."
    PROFILE_DELETED = "profile.deleted", "A stored profile was deleted."
    PROVISIONER_ADDED = "provisioner.added", "A provisioner was stored."
    PROVISIONER_REMOVED = "provisioner.removed", "A stored provisioner was removed."
    ISSUER_CREATED = "issuer.created", "A root or an issuing authority was made."
    ISSUER_RETIRED = "issuer.retired", "An issuing authority signs no more, because another one does; what it signed stays valid."
    ROOT_KEY_EXPORTED = "issuer.root_key_exported", "The root's private key was written out of the server."
    CERTIFICATE_INTENDED = "certificate.intended", "A certificate was decided and recorded; the key is used next."
    CERTIFICATE_ISSUED = "certificate.issued", "A certificate was signed and stored."
    CERTIFICATE_REFUSED = "certificate.refused", "An authenticated caller was refused a certificate."
    CERTIFICATE_FAILED = "certificate.failed", "A certificate was intended, and then not signed or not given out."
    CERTIFICATE_UNRESOLVED = "certificate.unresolved", "A process died with the intent open: perhaps signed, perhaps not."
    CERTIFICATE_REVOKED = "certificate.revoked", "A certificate was revoked."
    APPROVAL_REQUESTED = (
        "approval.requested",
        "What was asked for is held until others approve it; the details name the rule.",
    )
    APPROVAL_APPROVED = "approval.approved", "A person approved what was asked for."
    APPROVAL_REJECTED = "approval.rejected", "A person rejected what was asked for."
    APPROVAL_WITHDRAWN = "approval.withdrawn", "The requester, or an administrator, took a request back."
    APPROVAL_EXPIRED = "approval.expired", "A request was not decided, or not used, in its time."
    APPROVAL_RELEASED = "approval.released", "What was approved was done: the certificate is issued next, or the change was made."
    APPROVAL_RULE_SET = (
        "approval.rule_set",
        "A profile, an issuer or a role asks for approval, or asks otherwise.",
    )
    APPROVAL_RULE_REMOVED = "approval.rule_removed", "A profile, an issuer or a role does not ask for approval any more."
    RECORD_PURGED = "audit.purged", "Events that are older than they are kept were deleted; the details say how many, signed."
    SINK_CREATED = "audit.sink_created", "Events are forwarded to one more place."
    SINK_TESTED = "audit.sink_tested", "A test event was sent to a place that events are forwarded to."
    SINK_DELETED = "audit.sink_deleted", "Events are forwarded to a place no more."
    CHAIN_CHECKPOINT = "audit.checkpoint", "The heads of all chains at one moment, signed with the audit key."
