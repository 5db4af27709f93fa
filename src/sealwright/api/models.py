"""What the API takes and gives. Bodies are closed: a member that is not listed is refused by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, in UTC."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=366 * 86_400)]
Secret = Annotated[str, msgspec.Meta(extra_json_schema={"format": "password"})]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller sends."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller gets."""


# --- sign in ---------------------------------------------------------------------------------------------------------


class SignInBody(_Body, frozen=True, kw_only=True):
    """A name (user name, SPN or e-mail address) and its password; with `code`, the second factor at once."""

    name: str
    password: Secret
    code: str = ""


class CodeBody(_Body, frozen=True, kw_only=True):
    """The code that a sign-in waits for."""

    pending: Secret
    code: str


class AccountSummary(_Answer, frozen=True, kw_only=True):
    """Who somebody is."""

    id: str
    name: str
    spn: str
    display_name: str


class SignedInAnswer(_Answer, frozen=True, kw_only=True):
    """A session of a terminal. The token is told only here."""

    token: Secret
    expires_at: Moment
    account: AccountSummary


class CodeNeeded(_Answer, frozen=True, kw_only=True):
    """The password was right; a code of the second factor is needed."""

    pending: Secret
    expires_at: Moment
    methods: tuple[str, ...]


class SessionAnswer(_Answer, frozen=True, kw_only=True):
    """One sign-in."""

    id: str
    kind: str
    methods: tuple[str, ...]
    address: str
    user_agent: str
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment
    current: bool
    """Whether it is the one that asks."""


class WhoamiAnswer(_Answer, frozen=True, kw_only=True):
    """Who is signed in, and what they may do."""

    account: AccountSummary
    session: SessionAnswer
    groups: tuple[str, ...]
    permissions: tuple[str, ...]


class SessionPage(_Answer, frozen=True, kw_only=True):
    """Sessions, newest first."""

    items: list[SessionAnswer]
    next: str | None = None


# --- people and groups -----------------------------------------------------------------------------------------------


class PersonBody(_Body, frozen=True, kw_only=True):
    """A new person."""

    name: str
    display_name: str
    mails: tuple[str, ...] = ()


class PersonChange(_Body, frozen=True, kw_only=True):
    """What is to be different. `mails` replaces all addresses; the first is the main one."""

    display_name: str | None = None
    mails: tuple[str, ...] | None = None


class PasswordBody(_Body, frozen=True, kw_only=True):
    """A new password, and whether it ends the certificates that the person got with the old one."""

    password: Secret
    end_certificates: bool = True


class InvitationBody(_Body, frozen=True, kw_only=True):
    """Who is invited; where they are not there, they are made."""

    name: str
    display_name: str = ""
    mails: tuple[str, ...] = ()
    lifetime_seconds: int | None = None
    send_mail: bool = True
    """Whether the link is sent, where the server can send mail and the person has a verified address."""


class ResetLinkBody(_Body, frozen=True, kw_only=True):
    """A link to set a new password, and whether the person's certificates end when it is used."""

    end_certificates: bool = True
    lifetime_seconds: int | None = None
    send_mail: bool = True
    """Whether the link is sent, where the server can send mail and the person has a verified address."""


class MailOutcome(_Answer, frozen=True, kw_only=True):
    """What came of sending a link by mail."""

    to: str | None = None
    state: str
    """sent, queued (it is tried again until the link ends), failed, or not_sent."""
    detail: str
    """Why it was not sent; else empty."""


class LinkAnswer(_Answer, frozen=True, kw_only=True):
    """A link that works once. It is told only here."""

    name: str
    link: Secret
    expires_at: Moment
    mail: MailOutcome | None
    """None where no mail was wanted, or the server has no SMTP server to send it with."""


class InvitationAnswer(LinkAnswer, frozen=True, kw_only=True):
    """An invitation."""

    created: bool
    """Whether the person was made for it."""


class ResetLinkAnswer(LinkAnswer, frozen=True, kw_only=True):
    """A link to set a new password."""

    certificates: int
    """How many certificates the person has now."""
    end_certificates: bool


class CredentialResetAnswer(_Answer, frozen=True, kw_only=True):
    """What a reset of somebody's credentials ended."""

    sessions_ended: int
    certificates_ended: int
    certificates_kept: int


class MailAnswer(_Answer, frozen=True, kw_only=True):
    """An e-mail address."""

    address: str
    verified: bool


class PersonAnswer(_Answer, frozen=True, kw_only=True):
    """A person, or a built-in account."""

    id: str
    kind: str
    name: str
    spn: str
    display_name: str
    mails: list[MailAnswer]
    state: Literal["active", "disabled", "not valid"]
    state_reason: str
    valid_from: Moment | None
    valid_until: Moment | None
    created_at: Moment
    updated_at: Moment


class PersonDetails(PersonAnswer, frozen=True, kw_only=True):
    """A person and the groups that they are in, directly or through other groups."""

    groups: list[str]


class PersonPage(_Answer, frozen=True, kw_only=True):
    """People by name."""

    items: list[PersonAnswer]
    next: str | None = None


class GroupBody(_Body, frozen=True, kw_only=True):
    """A new group."""

    name: str
    description: str = ""


class MembersChange(_Body, frozen=True, kw_only=True):
    """Members to add or to remove, by name, SPN or id: one of the two."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class GroupAnswer(_Answer, frozen=True, kw_only=True):
    """A group."""

    id: str
    name: str
    description: str
    builtin: bool
    created_at: Moment


class GroupDetails(GroupAnswer, frozen=True, kw_only=True):
    """A group and its direct members: SPNs of accounts, then names of groups."""

    members: list[str]


class GroupPage(_Answer, frozen=True, kw_only=True):
    """Groups by name."""

    items: list[GroupAnswer]
    next: str | None = None


# --- OAuth clients ---------------------------------------------------------------------------------------------------


class ClientBody(_Body, frozen=True, kw_only=True):
    """A new client."""

    kind: Literal["public", "confidential"]
    name: str
    display_name: str
    landing_url: str


class ClientChange(_Body, frozen=True, kw_only=True):
    """One member to change; each call changes exactly one."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    landing_url: str | msgspec.UnsetType = msgspec.UNSET
    localhost_redirects: bool | msgspec.UnsetType = msgspec.UNSET
    http_redirects: bool | msgspec.UnsetType = msgspec.UNSET
    """Whether redirect URLs over plain http are allowed; others on the way can read a code there."""
    require_pkce: bool | msgspec.UnsetType = msgspec.UNSET
    signing_algorithm: Literal["ES256", "RS256"] | msgspec.UnsetType = msgspec.UNSET
    consent_prompt: bool | msgspec.UnsetType = msgspec.UNSET
    partial_scopes: bool | msgspec.UnsetType = msgspec.UNSET
    """Whether a person who may not grant all scopes that are asked for grants the rest."""
    short_username: bool | msgspec.UnsetType = msgspec.UNSET
    refresh_seconds: Seconds | msgspec.UnsetType | None = msgspec.UNSET
    """How long a refresh token waits for its use; null for what the settings say."""
    refresh_grace_seconds: Seconds | msgspec.UnsetType | None = msgspec.UNSET
    """How long a used refresh token is answered with the same successor again, 0 to 60; null for the usual: 10 for a
    confidential client, 0 for a public one.
    """


class RedirectBody(_Body, frozen=True, kw_only=True):
    """An address that people may come back to."""

    url: str


class ScopesBody(_Body, frozen=True, kw_only=True):
    """The scopes of a group's members."""

    scopes: tuple[str, ...]


class ScopeMapAnswer(_Answer, frozen=True, kw_only=True):
    """Which scopes the members of a group may grant."""

    group: str
    scopes: tuple[str, ...]


class ClientAnswer(_Answer, frozen=True, kw_only=True):
    """Everything that is set on a client, without its secret and keys."""

    name: str
    display_name: str
    kind: str
    landing_url: str
    redirect_urls: tuple[str, ...]
    localhost_redirects: bool
    http_redirects: bool
    scope_maps: list[ScopeMapAnswer]
    require_pkce: bool
    signing_algorithm: str
    consent_prompt: bool
    partial_scopes: bool
    short_username: bool
    refresh_seconds: int
    refresh_grace_seconds: int
    issuer_url: str
    discovery_url: str
    created_at: Moment
    updated_at: Moment


class ClientPage(_Answer, frozen=True, kw_only=True):
    """Clients by name."""

    items: list[ClientAnswer]
    next: str | None = None


class ClientSecret(_Answer, frozen=True, kw_only=True):
    """A confidential client's secret."""

    name: str
    secret: Secret


# --- certificate authority -------------------------------------------------------------------------------------------


class ProvisionerPage(_Answer, frozen=True, kw_only=True):
    """Definitions of provisioners in the form that `step` reads, without secrets."""

    items: list[dict[str, Any]]
    next: str | None = None


class NameAnswer(_Answer, frozen=True, kw_only=True):
    """A name in a certificate."""

    type: str
    value: str


class CertificateAnswer(_Answer, frozen=True, kw_only=True):
    """A certificate as the inventory knows it."""

    serial: str
    """Hexadecimal."""
    serial_decimal: str
    state: str
    """``intended``, ``issued``, ``failed``, ``maybe_signed``; ``revoked`` or ``expired`` where an issued one is."""
    subject_name: str
    names: list[NameAnswer]
    person: str | None
    """SPN of the person it speaks for; the account's id when that is gone."""
    provisioner: str | None
    """Name of the provisioner; its id when it is gone."""
    profile: str
    not_before: Moment
    not_after: Moment
    issued_at: Moment | None
    renewed_from: str | None
    revoked_at: Moment | None
    revocation_reason: str | None


class CertificateDetails(CertificateAnswer, frozen=True, kw_only=True):
    """A certificate, itself, and the line of renewals that it stands in."""

    issuer: str
    """Name of the authority that signed it."""
    session_id: str | None
    certificate: str | None
    """PEM; null until it is signed."""
    came_from: list[str]
    """Serials of those before it, the oldest first."""
    followed_by: list[str]


class CertificatePage(_Answer, frozen=True, kw_only=True):
    """Certificates, newest first."""

    items: list[CertificateAnswer]
    next: str | None = None


RevocationReason = Literal[
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
]
"""RFC 5280, section 5.3.1."""


class RevocationBody(_Body, frozen=True, kw_only=True):
    """Why."""

    reason: RevocationReason = "unspecified"
    note: str = ""
    """In words, for the audit record."""


# --- audit, server ---------------------------------------------------------------------------------------------------


class ActorAnswer(_Answer, frozen=True, kw_only=True):
    """Who did it."""

    kind: str
    id: str
    name: str


class EventAnswer(_Answer, frozen=True, kw_only=True):
    """One audit event."""

    at: Moment
    event: str
    outcome: str
    actor: ActorAnswer
    target: str
    target_name: str | None
    """How it is called, or was, where that is known."""
    details: dict[str, Any]
    writer_id: str
    sequence: int


class EventPage(_Answer, frozen=True, kw_only=True):
    """The newest events."""

    items: list[EventAnswer]
    next: str | None = None


class AddressesAnswer(_Answer, frozen=True, kw_only=True):
    """Origins of the listeners."""

    people: str
    machines: str
    status: str


class ServerAnswer(_Answer, frozen=True, kw_only=True):
    """What a client needs to know of a server before it signs in."""

    name: str
    version: str
    urls: AddressesAnswer
    roots: tuple[str, ...]
    """Root certificates of the certificate authority, PEM."""
