"""Every event there is. `docs/reference/audit-events.md` is made from this list."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Event(StrEnum):
    """`<noun>.<what happened>`. The comment is the description in the reference."""

    SERVER_STARTED = "server.started"  # a node began to serve
    SETTINGS_RELOADED = "settings.reloaded"  # settings and provisioners were read again
    SIGN_IN = "session.sign_in"  # a person proved who they are, or failed to
    SESSION_ENDED = "session.ended"  # signed out, revoked, or ended with the account
    ACCOUNT_RECOVERED = "account.recovered"  # a password was set from the server's shell
    ADMINISTRATOR_WELCOMED = "account.administrator_welcomed"  # the first administrator used the bootstrap link
    PERSON_CREATED = "person.created"
    PERSON_UPDATED = "person.updated"
    PERSON_DISABLED = "person.disabled"
    PERSON_ENABLED = "person.enabled"
    PERSON_DELETED = "person.deleted"
    CREDENTIAL_SET = "credential.set"  # a password or second factor was set
    CREDENTIAL_REMOVED = "credential.removed"
    RESET_LINK_CREATED = "credential.reset_link_created"  # a link with which a person sets a new password
    GROUP_CREATED = "group.created"
    GROUP_DELETED = "group.deleted"
    GROUP_MEMBERS_CHANGED = "group.members_changed"
    CLIENT_CREATED = "client.created"
    CLIENT_UPDATED = "client.updated"
    CLIENT_DELETED = "client.deleted"
    CLIENT_SECRET_SHOWN = "client.secret_shown"  # noqa: S105 - an event's name
    CLIENT_SECRET_RESET = "client.secret_reset"  # noqa: S105 - an event's name
    AUTHORIZATION_REQUESTED = "authorization.requested"  # a client asked for a person to be signed in; recorded when refused
    CONSENT_GIVEN = "consent.given"
    CONSENT_DENIED = "consent.denied"
    CONSENT_WITHDRAWN = "consent.withdrawn"  # a person took it back; the tokens that came of it are revoked
    CODE_ISSUED = "code.issued"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - an event's name
    TOKEN_REFUSED = "token.refused"  # noqa: S105 - an event's name
    TOKEN_FAMILY_REVOKED = "token.family_revoked"  # noqa: S105 - an event's name
    PROVISIONER_ADDED = "provisioner.added"
    PROVISIONER_UPDATED = "provisioner.updated"
    PROVISIONER_REMOVED = "provisioner.removed"
    ISSUER_CREATED = "issuer.created"
    ROOT_KEY_EXPORTED = "issuer.root_key_exported"
    CERTIFICATE_INTENDED = "certificate.intended"  # decided and recorded; the key is used next
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_REFUSED = "certificate.refused"
    CERTIFICATE_FAILED = "certificate.failed"  # intended, then not signed
    CERTIFICATE_UNRESOLVED = "certificate.unresolved"  # intended by a process that died: perhaps signed, perhaps not
    CERTIFICATE_REVOKED = "certificate.revoked"
    CHAIN_CHECKPOINT = "audit.checkpoint"  # heads of all chains at one moment
