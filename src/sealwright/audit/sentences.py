"""One sentence for each event: who did what to what, how it ended and why. The only home of these words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sealwright.audit.events import Event, Outcome

_LONGEST = 200
_MISSING = "(not recorded)"
_NOUNS = {
    "person": "the person",
    "service": "the service account",
    "group": "the group",
    "client": "the client",
    "oauth_issuer": "the issuer",
    "registration_token": "the registration token",
    "trusted_issuer": "the trusted issuer",
    "provisioner": "the provisioner",
    "profile": "the profile",
    "certificate": "the certificate",
    "session": "the session",
    "api_key": "the API key",
    "issuer": "the authority",
    "role": "the role",
    "grant": "the grant",
    "oidc_provider": "the identity provider",
    "import": "the import",
    "audit_sink": "the audit sink",
    "approval": "the request",
    "approval_rule": "the",
}
_ONE_OF_A_KIND = {"server": "this server", "audit": "the audit record"}
_NOBODY = {"nobody": "Someone not signed in", "node": "This server"}


class Phrase(NamedTuple):
    """What follows the actor: what was done, and the same as an attempt (`tried to …`).

    `{target}` stands for the target in words, any other name for a member of the details.
    """

    done: str
    attempt: str


def _p(done: str, attempt: str) -> Phrase:
    return Phrase(done, attempt)


PHRASES: Mapping[Event, Phrase] = {
    Event.SERVER_STARTED: _p("began to serve", "begin to serve"),
    Event.BACKUP_CREATED: _p("wrote a backup to {file}", "write a backup"),
    Event.BACKUP_RESTORED: _p("was made of a backup from {made}", "be made of a backup"),
    Event.SETTINGS_RELOADED: _p("read its settings and provisioners again", "read its settings again"),
    Event.SIGN_IN: _p("signed in", "sign in as {target}"),
    Event.ACCESS_REFUSED: _p("was refused {target}", "use {target}"),
    Event.SESSION_ENDED: _p("ended {target}", "end {target}"),
    Event.ACCOUNT_RECOVERED: _p("set a new password for {target} from the shell", "set a new password for {target}"),
    Event.ADMINISTRATOR_WELCOMED: _p("became the first administrator by the welcome link", "use the welcome link"),
    Event.BOOTSTRAP_TOKEN_USED: _p("became the first administrator by the bootstrap token", "use the bootstrap token"),
    Event.BOOTSTRAP_OIDC_FIRST_ADMIN: _p(
        "became the first administrator by a group of an identity provider", "become the first administrator by a group"
    ),
    Event.BREAK_GLASS_USED: _p(
        "opened the server with the break-glass password", "open the server with the break-glass password"
    ),
    Event.BREAK_GLASS_SET: _p("set or removed the break-glass password", "set the break-glass password"),
    Event.PERSON_CREATED: _p("created {target}", "create {target}"),
    Event.PEOPLE_IMPORTED: _p("imported {people} people from another server", "import people from another server"),
    Event.PERSON_UPDATED: _p("changed {target}", "change {target}"),
    Event.PERSON_DISABLED: _p("disabled {target}", "disable {target}"),
    Event.PERSON_ENABLED: _p("enabled {target} again", "enable {target} again"),
    Event.PERSON_DELETED: _p("deleted {target}", "delete {target}"),
    Event.SERVICE_ACCOUNT_CREATED: _p("created {target}", "create {target}"),
    Event.API_TOKEN_CREATED: _p("made an API token for {target}", "make an API token for {target}"),
    Event.API_TOKEN_REVOKED: _p("revoked an API token of {target}", "revoke an API token of {target}"),
    Event.API_KEY_CREATED: _p("made the API key {name}, which may {scopes}", "make an API key"),
    Event.API_KEY_ROTATED: _p("made the successor of the API key {name}", "rotate {target}"),
    Event.API_KEY_NARROWED: _p("left the API key {name} only {scopes}", "narrow {target}"),
    Event.API_KEY_REVOKED: _p("revoked the API key {name}", "revoke {target}"),
    Event.PERSON_REVIVED: _p("brought {target} back, without credentials", "bring {target} back"),
    Event.GROUP_REVIVED: _p("brought {target} back", "bring {target} back"),
    Event.CREDENTIAL_SET: _p("set a credential of {target} ({kind})", "set a credential of {target}"),
    Event.CREDENTIAL_RENAMED: _p("gave a credential of {target} the name {label}", "rename a credential of {target}"),
    Event.CREDENTIAL_REMOVED: _p("removed a credential of {target} ({kind})", "remove a credential of {target}"),
    Event.INVITATION_CREATED: _p("made an invitation link for {target}", "make an invitation link for {target}"),
    Event.INVITATION_ACCEPTED: _p("chose a first password by the invitation link", "choose a first password for {target}"),
    Event.RESET_LINK_USED: _p("set a new password by a link", "set a new password for {target} by a link"),
    Event.RESET_LINK_CREATED: _p("made a link to set a new password for {target}", "make a password link for {target}"),
    Event.MAIL_LINK_CREATED: _p("asked {target} to confirm the address {address}", "ask {target} to confirm an address"),
    Event.MAIL_VERIFICATION_SET: _p(
        "set whether the address {address} of {target} is verified: {verified}", "set whether an address of {target} is verified"
    ),
    Event.MAIL_SENT: _p("sent a message ({kind}) to {target}", "send a message to {target}"),
    Event.MAIL_FAILED: _p("gave up a message ({kind}) to {target}", "send a message ({kind}) to {target}"),
    Event.GROUP_CREATED: _p("created {target}", "create {target}"),
    Event.GROUP_UPDATED: _p("changed {target}", "change {target}"),
    Event.ACCOUNT_POLICY_CHANGED: _p("changed the account policy of {target}", "change the account policy of {target}"),
    Event.GROUP_DELETED: _p("deleted {target}", "delete {target}"),
    Event.GROUP_MEMBERS_CHANGED: _p("changed the members of {target}", "change the members of {target}"),
    Event.ROLE_CREATED: _p("created {target}", "create {target}"),
    Event.ROLE_CHANGED: _p("changed what {target} allows", "change {target}"),
    Event.ROLE_DELETED: _p("deleted {target}", "delete {target}"),
    Event.ROLE_GRANTED: _p("granted {target} to {holder}", "grant {target}"),
    Event.ROLE_WITHDRAWN: _p("took {target} back from {holder}", "take a role back"),
    Event.OIDC_PROVIDER_CREATED: _p("stored {target}", "store an identity provider"),
    Event.OIDC_PROVIDER_UPDATED: _p("changed {target}", "change {target}"),
    Event.OIDC_PROVIDER_DELETED: _p("deleted {target}", "delete {target}"),
    Event.OIDC_PROVIDER_REFRESHED: _p("fetched the keys of {target} anew", "fetch the keys of {target} anew"),
    Event.GROUP_MAPPING_ADDED: _p(
        "let the group {group} of {target} give the role {role}", "let a group of {target} give a role"
    ),
    Event.GROUP_MAPPING_REMOVED: _p(
        "let the group {group} of {target} give the role {role} no more", "let a group of {target} give a role no more"
    ),
    Event.OIDC_LOGIN_SUCCEEDED: _p(
        "signed in with the identity provider {provider_id}", "sign in with the identity provider {provider_id}"
    ),
    Event.OIDC_LOGIN_FAILED: _p("could not sign in with an identity provider", "sign in with an identity provider"),
    Event.OIDC_BACK_CHANNEL_LOGOUT: _p("ended the sessions of someone who signed out there", "end sessions by a logout token"),
    Event.CLIENT_CREATED: _p("registered {target}", "register {target}"),
    Event.CLIENT_UPDATED: _p("changed {target}", "change {target}"),
    Event.CLIENT_DELETED: _p("deleted {target}", "delete {target}"),
    Event.CLIENT_REVIVED: _p("brought {target} back", "bring {target} back"),
    Event.CLIENT_SECRET_SHOWN: _p("had the secret of {target} shown", "see the secret of {target}"),
    Event.CLIENT_SECRET_RESET: _p("gave {target} a new secret", "give {target} a new secret"),
    Event.CLIENT_KEYS_ROTATED: _p("gave {target} new signing keys", "give {target} new signing keys"),
    Event.CLIENT_KEY_REVOKED: _p("revoked a signing key of {target}", "revoke a signing key of {target}"),
    Event.CLIENT_SECRETS_RESET: _p("replaced the secret and the keys of {target}", "replace the secret and the keys of {target}"),
    Event.CLIENT_RENAMED: _p("renamed {target} to {new_name}", "rename {target}"),
    Event.CLIENT_ISSUER_SET: _p("put {target} on another issuer", "put {target} on another issuer"),
    Event.OAUTH_ISSUER_CREATED: _p("created {target}", "create {target}"),
    Event.OAUTH_ISSUER_DELETED: _p("deleted {target}", "delete {target}"),
    Event.OAUTH_ISSUER_KEYS_ROTATED: _p("gave {target} new signing keys", "give {target} new signing keys"),
    Event.OAUTH_ISSUER_KEY_REVOKED: _p("revoked a signing key of {target}", "revoke a signing key of {target}"),
    Event.CLIENT_REGISTERED: _p("registered itself as {target}", "register itself as a client"),
    Event.REGISTRATION_TOKEN_CREATED: _p("made {target}", "make a registration token"),
    Event.REGISTRATION_TOKEN_DELETED: _p("deleted {target}", "delete {target}"),
    Event.TRUSTED_ISSUER_CREATED: _p("listed {target}", "list a trusted issuer"),
    Event.TRUSTED_ISSUER_UPDATED: _p("changed {target}", "change {target}"),
    Event.TRUSTED_ISSUER_DELETED: _p("took {target} off the list", "take {target} off the list"),
    Event.TRUSTED_ISSUER_RULE_ADDED: _p("added a rule to {target}", "add a rule to {target}"),
    Event.TRUSTED_ISSUER_RULE_UPDATED: _p("changed a rule of {target}", "change a rule of {target}"),
    Event.TRUSTED_ISSUER_RULE_DELETED: _p("deleted a rule of {target}", "delete a rule of {target}"),
    Event.AUTHORIZATION_REQUESTED: _p("was asked for by {target}", "sign in to {target}"),
    Event.CONSENT_GIVEN: _p("allowed {target} what it asked for", "allow {target} what it asked for"),
    Event.CONSENT_DENIED: _p("did not allow {target} what it asked for", "let {target} have what it asked for"),
    Event.CONSENT_WITHDRAWN: _p("took the consent for {target} back", "take the consent for {target} back"),
    Event.CODE_ISSUED: _p("signed in to {target}", "sign in to {target}"),
    Event.TOKEN_ISSUED: _p("was given tokens as {target}", "get tokens as {target}"),
    Event.TOKEN_REFUSED: _p("was refused tokens as {target}", "get tokens as {target}"),
    Event.LOGOUT_DELIVERED: _p("told {target} of the end of a session", "tell {target} of the end of a session"),
    Event.LOGOUT_UNDELIVERED: _p("gave up telling {target} of the end of a session", "tell {target} of the end of a session"),
    Event.TOKEN_FAMILY_REVOKED: _p("revoked tokens of {target}", "revoke tokens of {target}"),
    Event.PROFILE_CREATED: _p("created {target}", "create {target}"),
    Event.PROFILE_UPDATED: _p("changed {target}", "change {target}"),
    Event.PROFILE_DELETED: _p("deleted {target}", "delete {target}"),
    Event.PROVISIONER_ADDED: _p("added {target}", "add {target}"),
    Event.PROVISIONER_REMOVED: _p("removed {target}", "remove {target}"),
    Event.ISSUER_CREATED: _p("made {target}", "make {target}"),
    Event.ISSUER_RETIRED: _p("retired {target}", "retire {target}"),
    Event.ROOT_KEY_EXPORTED: _p("exported the private key of {target}", "export the private key of {target}"),
    Event.CERTIFICATE_INTENDED: _p("was granted {target}, to be signed next", "have {target} signed"),
    Event.CERTIFICATE_ISSUED: _p("was given {target}", "get {target}"),
    Event.CERTIFICATE_REFUSED: _p("was refused a certificate by {target}", "get a certificate by {target}"),
    Event.CERTIFICATE_FAILED: _p("did not get {target}", "get {target}"),
    Event.CERTIFICATE_UNRESOLVED: _p("found {target} decided and perhaps signed", "sign {target}, and a process died"),
    Event.CERTIFICATE_REVOKED: _p("revoked {target}", "revoke {target}"),
    Event.APPROVAL_REQUESTED: _p("asked for approval: {title}", "ask for approval"),
    Event.APPROVAL_APPROVED: _p("approved: {title}", "approve {target}"),
    Event.APPROVAL_REJECTED: _p("rejected: {title}", "reject {target}"),
    Event.APPROVAL_WITHDRAWN: _p("withdrew {target}: {title}", "withdraw {target}"),
    Event.APPROVAL_EXPIRED: _p("closed {target}, which was {was}: {title}", "close {target}"),
    Event.APPROVAL_RELEASED: _p("did what was approved: {title}", "do what was approved"),
    Event.APPROVAL_RULE_SET: _p("let {target} ask for approval", "let {target} ask for approval"),
    Event.APPROVAL_RULE_REMOVED: _p("let {target} ask for no approval any more", "let {target} ask for no approval"),
    Event.RECORD_PURGED: _p("deleted {rows} events that are older than they are kept", "delete old events"),
    Event.SINK_CREATED: _p("forwards events to {target} ({url})", "forward events to {target}"),
    Event.SINK_TESTED: _p("sent a test event to {target}", "send a test event to {target}"),
    Event.SINK_DELETED: _p("forwards no events to {target} any more", "delete {target}"),
    Event.CHAIN_CHECKPOINT: _p("signed the state of {chains} audit chains", "sign the state of the audit chains"),
}


class _Members(dict[str, Any]):
    """The details as words; what is not there is told as such."""

    def __missing__(self, name: str) -> str:
        return _MISSING


def sentence_of(
    event: str, outcome: str, actor: tuple[str, str, str], target: str, target_name: str | None, details: Mapping[str, Any]
) -> str:
    """The event in one sentence. `actor`: kind, id and name, as recorded."""
    members = _Members({name: _words(value) for name, value in details.items()})
    members["target"] = target_in_words(target, target_name)
    known = Event.called(event)
    phrase = Phrase(f"{event} {{target}}", f"{event} {{target}}") if known is None else PHRASES[known]
    who = _actor_in_words(*actor)
    if outcome == Outcome.DONE:
        return f"{who} {_filled(phrase.done, members)}."
    verb = "and was refused" if outcome == Outcome.REFUSED else "and it failed"
    why = _reason(details)
    again = f", and {details['repeated']} more times within a minute" if details.get("repeated") else ""
    return f"{who} tried to {_filled(phrase.attempt, members)} {verb}{again}{f': {why}' if why else ''}."


def target_in_words(target: str, name: str | None) -> str:
    """A target in words, such as `the person alice`."""
    kind, _, number = target.partition(":")
    if kind in _ONE_OF_A_KIND:
        return _ONE_OF_A_KIND[kind]
    return f"{_NOUNS.get(kind, kind)} {_words(name or number or _MISSING)}"


def _actor_in_words(kind: str, number: str, name: str) -> str:
    if kind in _NOBODY and not number:
        return _NOBODY[kind]
    named = _words(name or number or _MISSING)
    return f"The client {named}" if kind == "client" else named


def _filled(template: str, members: _Members) -> str:
    return template.format_map(members)


def _reason(details: Mapping[str, Any]) -> str:
    reasons = details.get("reasons")
    told = details.get("detail") or details.get("reason") or (reasons[0] if isinstance(reasons, list) and reasons else "")
    return _words(told).rstrip(".") if isinstance(told, str) else ""


def _words(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
