"""Accounts, groups, sessions, credentials, and results of a sign-in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self

from msgspec import Struct

from sealwright.access import NO_PERMISSIONS, Actor, Permissions
from sealwright.clock import Instant
from sealwright.identity.credential_reset import CredentialReset


class AccountKind(StrEnum):
    """Type of an account."""

    PERSON = "person"
    SERVICE = "service"
    SYSTEM = "system"
    """Built in: `admin` and `idm_admin`. Cannot be disabled or deleted; unusable until it was recovered from the shell."""


class SessionKind(StrEnum):
    """Where a sign-in happened."""

    BROWSER = "browser"
    TERMINAL = "terminal"
    API_TOKEN = "api token"  # noqa: S105 - a kind's name
    """No sign-in at all: a service account showed one of its tokens. Never stored."""
    API_KEY = "api key"
    """No sign-in either: a program showed a key of a person. Never stored."""


class SessionEnd(StrEnum):
    """Why a credential opens nothing any more; what the API says to anyone who shows it."""

    words: str

    def __new__(cls, value: str, words: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = words
        return member

    IDLE_TIMEOUT = "idle_timeout", "the session was not used for too long"
    ABSOLUTE_TIMEOUT = "absolute_timeout", "the session reached its longest duration"
    SIGNED_OUT = "signed_out", "the session was signed out"
    REVOKED = "revoked", "it was revoked"
    EXPIRED = "expired", "it has expired"
    CLOCK_PUT_BACK = "clock_put_back", "it was used at a time that is yet to come: the server's clock was put back"
    ACCOUNT_NOT_ACTIVE = "account_not_active", "the account cannot be used at present"
    RESTRICTED = "restricted", "the session only serves to add the credential that a group asks for"
    INVALID = (
        "invalid",
        "no such credential is known here: it was never given out for this, or was deleted with its owner",
    )


class CredentialKind(StrEnum):
    """Type of a credential."""

    PASSWORD = "password"  # noqa: S105 - a kind's name
    TOTP = "totp"
    TOTP_UNCONFIRMED = "totp_unconfirmed"
    """Made, but no code of it was shown yet; does not count as a second factor."""
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"
    """One of a set; each replaces one code of the second factor."""


class LinkPurpose(StrEnum):
    """What a one-time link is used for."""

    WELCOME = "welcome"
    """Makes the first administrator."""
    INVITE = "invite"
    """Sets the first password of one person, and signs them in."""
    RESET = "reset"
    """Sets the password of one account."""
    MAIL = "mail"
    """Confirms a mail address of one account."""


class MailAddress(Struct, frozen=True):
    """One e-mail address of an account."""

    address: str
    verified: bool


class AccountStatus(Struct, frozen=True):
    """Whether an account may act now, and why not."""

    active: bool
    reason: str
    """Text for audit rows and administrators; "active" if it is."""
    credential_generation: int = 0
    """Incremented when a reset of the credentials ends the account's certificates."""


class Account(Struct, frozen=True):
    """A person, a service or a built-in account."""

    id: str
    """UUID; the OIDC `sub`."""
    kind: AccountKind
    name: str
    display_name: str
    mails: tuple[MailAddress, ...]
    valid_from: Instant | None
    valid_until: Instant | None
    disabled_at: Instant | None
    created_at: Instant
    updated_at: Instant
    managed_by: str | None = None
    """Of a service account: id of the account or group that may make its API tokens."""

    @property
    def primary_mail(self) -> MailAddress | None:
        """The first address, or None."""
        return self.mails[0] if self.mails else None

    @property
    def actor_kind(self) -> str:
        """``person`` or ``service``: the kind of actor that this account is."""
        return "service" if self.kind is AccountKind.SERVICE else "person"

    @property
    def reference(self) -> str:
        """What audit rows call the account: ``person:<id>``."""
        return f"{self.actor_kind}:{self.id}"

    def as_actor(
        self,
        *,
        permissions: Permissions = NO_PERMISSIONS,
        session_id: str = "",
        address: str = "",
        api_key: str = "",
        application: str = "",
    ) -> Actor:
        """The account as the actor of a request."""
        return Actor(self.actor_kind, self.id, self.name, permissions, session_id, address, api_key, application)

    def status(self, now: Instant) -> AccountStatus:
        """Whether the account may act at `now`."""
        return account_status(self.disabled_at, self.valid_from, self.valid_until, now)


def account_status(
    disabled_at: Instant | None, valid_from: Instant | None, valid_until: Instant | None, now: Instant
) -> AccountStatus:
    """Whether an account with these dates may act at `now`."""
    if disabled_at is not None:
        return AccountStatus(active=False, reason="the account is disabled")
    if valid_from is not None and now < valid_from:
        return AccountStatus(active=False, reason="the account is not valid yet")
    if valid_until is not None and now >= valid_until:
        return AccountStatus(active=False, reason="the account is no longer valid")
    return AccountStatus(active=True, reason="active")


class Group(Struct, frozen=True):
    """A named set of accounts and other groups."""

    id: str
    name: str
    description: str
    builtin: bool
    created_at: Instant
    managed_by: str | None = None
    """Id of the account or group that may change its members without a permission."""


class Members(Struct, frozen=True):
    """Direct members of a group."""

    accounts: tuple[Account, ...]
    groups: tuple[Group, ...]


class SessionLifetimes(Struct, frozen=True):
    """Maximum durations of sessions, from the settings."""

    idle: timedelta = timedelta(hours=1)
    """A browser session that was not used for so long has ended."""
    absolute: timedelta = timedelta(hours=8)
    """A browser session never lasts longer from its last sign-in on."""
    terminal: timedelta = timedelta(hours=8)
    """A terminal session never lasts longer; it has no idle limit."""
    privileged: timedelta = timedelta(minutes=10)
    """For so long after a sign-in, credentials and administration can be changed in its session."""


class Session(Struct, frozen=True):
    """One sign-in: a row of its own, known to the browser or terminal by an opaque token."""

    id: str
    account_id: str
    kind: SessionKind
    methods: tuple[str, ...]
    """RFC 8176 names in the order of use: ``pwd``, ``otp``."""
    address: str
    user_agent: str
    created_at: Instant
    authenticated_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    ended_at: Instant | None
    revoked_at: Instant | None = None
    """When it was ended by other means than signing out of it. What may outlive a sign-out (`offline_access`) ends with this."""
    restricted: bool = False
    """Whether it only serves to add the credential that an account policy asks for: no application and no change else."""


class OwnedSession(Struct, frozen=True):
    """A session, and the name of its account."""

    session: Session
    owner: str


class SignedIn(Struct, frozen=True):
    """The account and actor of a request with a live session."""

    account: Account
    session: Session
    actor: Actor
    read_only: bool = False
    """Whether the credential that was shown may change nothing."""
    by_application: bool = False
    """Whether an application shows an access token that the person let it have, and acts for them."""


@dataclass(frozen=True, slots=True)
class CompletedSignIn:
    """A successful sign-in."""

    token: str = field(repr=False)
    """For the cookie or the token file; never stored here."""
    signed_in: SignedIn
    continue_to: str = ""
    device_token: str = field(default="", repr=False)
    """For the device to hold: the account knows it from now on."""


@dataclass(frozen=True, slots=True)
class SecondFactorRequired:
    """The password was right; a second factor is needed to complete the sign-in."""

    pending_token: str = field(repr=False)
    expires_at: Instant


class Credential(Struct, frozen=True):
    """A credential without its secret."""

    id: str
    kind: CredentialKind
    label: str
    created_at: Instant


def second_factors(held: Iterable[Credential]) -> tuple[Credential, ...]:
    """The authenticators that count."""
    return tuple(one for one in held if one.kind is CredentialKind.TOTP)


def recovery_codes_left(held: Iterable[Credential]) -> int:
    """How many recovery codes were not used yet."""
    return sum(one.kind is CredentialKind.RECOVERY_CODE for one in held)


class Passkey(Struct, frozen=True):
    """A registered passkey, without its key."""

    id: str
    label: str
    created_at: Instant
    last_used_at: Instant | None
    synchronized: bool
    """Whether it can be copied to other devices by its provider."""


class ApiToken(Struct, frozen=True):
    """A token of a service account, without its secret."""

    id: str
    account_id: str
    label: str
    read_only: bool
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None
    created_by: str | None = None
    """Id of the account that made it; None where that is not known."""


@dataclass(frozen=True, slots=True)
class NewApiToken:
    """A token with its secret, to be shown once."""

    token: str = field(repr=False)
    described: ApiToken


@dataclass(frozen=True, slots=True)
class TotpEnrolment:
    """A new TOTP secret, shown once, that counts from the first right code on."""

    id: str
    label: str
    secret: str = field(repr=False)
    """Base32, for typing it in."""
    uri: str = field(repr=False)
    """``otpauth://``, for a QR code."""


class KnownDevice(Struct, frozen=True):
    """A browser or terminal from which an account was signed in to before."""

    id: str
    account_id: str
    user_agent: str
    created_at: Instant
    last_used_at: Instant


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link's secret part, to be shown once."""

    token: str = field(repr=False)
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class RecoveredAccount:
    """Result of recovering an account."""

    account: Account
    password: str | None = field(repr=False)
    """The password that was made up, to be shown once; None where one was given."""
    reset: CredentialReset


class SystemAccount(Struct, frozen=True):
    """A built-in account as it is made at the first start."""

    id: str
    display_name: str
    group: str
    """The built-in group that gives it its role."""


SYSTEM_ACCOUNTS: Mapping[str, SystemAccount] = {
    "admin": SystemAccount("00000000-0000-4000-8000-000000000001", "Administrator of this server", "system_admins"),
    "idm_admin": SystemAccount("00000000-0000-4000-8000-000000000002", "Administrator of people and clients", "idm_admins"),
}
"""By name. They have no password until they are recovered from the server's shell."""
