"""Pure decisions: names, addresses, passwords, throttling, session lifetimes. No database, clock or request in here."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from sealwright.clock import CLOCKS_DIFFER, Instant, after, between, in_words
from sealwright.errors import Action, InvalidInput, Remedy
from sealwright.hosts import HostRefused, canonical_mail
from sealwright.identity.errors import AccountNotUsable, MailRefused, NameRefused, TextRefused, WeakPassword
from sealwright.identity.models import Account, AccountKind, Session, SessionEnd, SessionKind, SessionLifetimes
from sealwright.ip import network_of
from sealwright.password_strength import MIN_PASSWORD, weaknesses

MAX_DISPLAY_NAME = 128
MAX_DESCRIPTION = 256
MAX_LABEL = 64
MAX_MAILS = 16
MAX_CONTINUE_TO = 2_048
MAX_SEARCHED = 512
MAX_USER_AGENT = 256

_UNFIT_KINDS = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTIONS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
NAME_PATTERN = r"[a-z][a-z0-9\-_.]{0,63}"
_NAME = re.compile(NAME_PATTERN)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# --- names -----------------------------------------------------------------------------------------------------------


def check_name(name: str) -> str:
    """The name of an account or a group, or NameRefused."""
    if not _NAME.fullmatch(name):
        raise NameRefused(
            f"{name[:80]!r} cannot be a name.",
            reasons=(
                "a name has 1 to 64 characters: it begins with a letter a to z, then letters a to z, digits, '-', '_' and '.'",
            ),
            pointer="/name",
        )
    if _UUID.fullmatch(name):
        raise NameRefused(f"{name!r} cannot be a name.", reasons=("a name must not look like an identifier",), pointer="/name")
    return name


def check_display_name(text: str) -> str:
    """A name for people to read, trimmed, or TextRefused."""
    return check_line(text, "a display name", 1, MAX_DISPLAY_NAME, pointer="/display_name")


def check_description(text: str) -> str:
    """What a group is for, trimmed; may be empty."""
    return check_line(text, "a description", 0, MAX_DESCRIPTION, pointer="/description")


def check_label(text: str, *, pointer: str = "/label") -> str:
    """The label of a credential, trimmed; "authenticator" where nothing is given."""
    return check_line(text, "a label", 0, MAX_LABEL, pointer=pointer) or "authenticator"


def spn(name: str, domain: str) -> str:
    """``name@domain``, by which an account is known beyond this server."""
    return f"{name}@{domain}"


def local_name(text: str, domain: str) -> str:
    """The name in a name or SPN of this domain; anything else comes back as it is."""
    given = searchable(text)
    name, at, rest = given.partition("@")
    return name.lower() if at and rest.lower() == domain.lower() else given


def searchable(text: str) -> str:
    """What was typed, in a form that every database can be asked for: no name has the characters that are replaced."""
    given = text.strip()[:MAX_SEARCHED]
    return given if given.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in given)


def check_mail(address: str) -> str:
    """An e-mail address that can stand in a certificate and a token, or MailRefused."""
    text = address.strip()
    try:
        canonical = canonical_mail(text)
    except HostRefused as cause:
        raise MailRefused(f"{address[:80]!r} is not an e-mail address.", reasons=(f"it {cause}",)) from cause
    return text if text.isascii() else canonical


def fold_mail(address: str) -> str:
    """The form in which two spellings of one address are equal."""
    return address.strip().lower()


class SignInName(Struct, frozen=True):
    """What was typed as a user name, as what it can mean: a name first, else an e-mail address."""

    name: str
    mail: str


def parse_sign_in_name(typed: str, domain: str) -> SignInName:
    """User name, SPN or e-mail address, in any case and with blanks around it."""
    text = searchable(typed).lower()
    if "@" not in text:
        return SignInName(name=text, mail="")
    name, _, rest = text.partition("@")
    return SignInName(name=name if rest == domain.lower() else "", mail=text)


def check_line(text: str, what: str, shortest: int, longest: int, *, pointer: str = "") -> str:
    """A text for people to read, trimmed and on one line, or TextRefused. `what`: what it is to be."""
    trimmed = text.strip()
    if not shortest <= len(trimmed) <= longest or any(_misleads(c) for c in trimmed):
        raise TextRefused(
            f"{text[:80]!r} cannot be {what}.",
            reasons=(f"{what} has {shortest} to {longest} characters on one line",),
            pointer=pointer,
        )
    return trimmed


def _misleads(character: str) -> bool:
    """Whether a character breaks the line, cannot be stored, or makes what stands around it read in another order."""
    return unicodedata.category(character) in _UNFIT_KINDS or unicodedata.bidirectional(character) in _DIRECTIONS


# --- links -----------------------------------------------------------------------------------------------------------


def check_link_lifetime(lifetime: timedelta, what: str, *, shortest: timedelta, longest: timedelta) -> None:
    """Raise InvalidInput where a link could not last so long. `what`: what the link is called, with its article."""
    if not shortest <= lifetime <= longest:
        raise InvalidInput(
            f"{what} cannot last {in_words(lifetime)}.",
            reasons=(f"{in_words(shortest)} to {in_words(longest, days=longest > timedelta(days=1))} are allowed",),
        )


# --- passwords -------------------------------------------------------------------------------------------------------


def require_has_password(account: Account) -> None:
    """Raise AccountNotUsable for a service account, which has API tokens in place of a password."""
    if account.kind is AccountKind.SERVICE:
        raise AccountNotUsable(
            f"{account.name} is a service account: it has API tokens and no password.",
            remedy=Remedy(Action.CREATE_API_TOKEN, account.name),
        )


def prepare_password(password: str) -> bytes:
    """The bytes that are hashed: NFC, so that the same password typed on another keyboard is the same (RFC 8265)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def check_password(
    password: str, *, name: str, display_name: str, mails: Sequence[str], shortest: int = MIN_PASSWORD, asked_by: str = ""
) -> None:
    """Raise WeakPassword with every reason why `password` is not good enough for this account.

    `asked_by`: the group that asks its members for passwords of at least `shortest` characters, if one does.
    """
    reasons = weaknesses(password, name=name, display_name=display_name, mails=mails, shortest=max(shortest, MIN_PASSWORD))
    if asked_by and len(password) < shortest:
        reasons = (*reasons, f"the group {asked_by} asks its members for {shortest} characters or more")
    if reasons:
        raise WeakPassword(
            "The password is not strong enough.", reasons=reasons, hint="Take four or more words that do not belong together."
        )


# --- recovery codes --------------------------------------------------------------------------------------------------

CODE_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 letters and digits that are not mistaken for one another."""
RECOVERY_CODE_LENGTH = 16
"""80 random bits, so that the digest that is stored cannot be searched."""


def format_recovery_code(raw: bytes) -> str:
    """A code from random bytes, in groups of four."""
    letters = "".join(CODE_LETTERS[byte % len(CODE_LETTERS)] for byte in raw)
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def normalize_recovery_code(typed: str) -> str:
    """A recovery code without its hyphens and blanks; empty if it does not have the form of one."""
    letters = "".join(typed.lower().replace("-", "").split())
    return letters if len(letters) == RECOVERY_CODE_LENGTH and set(letters) <= set(CODE_LETTERS) else ""


# --- throttling ------------------------------------------------------------------------------------------------------


class BackoffSchedule(Struct, frozen=True):
    """How failed attempts slow down the next one."""

    free: int
    """This many failures cost nothing; each one after them doubles the wait, from `shortest` on."""
    longest: timedelta
    one_forgotten_every: timedelta
    shortest: timedelta = timedelta(seconds=1)


PER_ACCOUNT = BackoffSchedule(free=4, longest=timedelta(minutes=15), one_forgotten_every=timedelta(hours=1))
PER_ADDRESS = BackoffSchedule(free=30, longest=timedelta(minutes=15), one_forgotten_every=timedelta(minutes=2))


class AttemptCounter(Struct, frozen=True):
    """One thing whose failures are counted."""

    key: bytes
    schedule: BackoffSchedule
    shared: bool
    """Several people may stand behind it: one's success takes back one's own attempt and not the failures of others."""


class AttemptCount(Struct, frozen=True):
    """What is known about a counter."""

    failures: int
    counted_since: Instant
    """Of the oldest failure that still counts, or when the last one before it was forgotten: from here time forgets. A later
    attempt does not move it, so that one can be taken back without knowing of the others."""
    blocked_until: Instant


def account_counter(account_id: str) -> AttemptCounter:
    """Counts what strangers try as the password of one account, by whichever of its names and addresses."""
    return AttemptCounter(secret_digest(f"account:{account_id}"), PER_ACCOUNT, shared=False)


def unknown_name_counter(bucket: bytes) -> AttemptCounter:
    """Counts attempts on names that no account has. It looks like an account's; several names share one."""
    return AttemptCounter(secret_digest(f"unknown:{bucket.hex()}"), PER_ACCOUNT, shared=False)


def device_counter(account_id: str, device_token: str) -> AttemptCounter:
    """Counts what is tried as the password of one account from a device that it knows."""
    return AttemptCounter(secret_digest(f"device:{account_id}:{device_token}"), PER_ACCOUNT, shared=False)


def signed_in_counter(account_id: str) -> AttemptCounter:
    """Counts attempts by a signed-in person on their own password or code."""
    return AttemptCounter(secret_digest(f"own:{account_id}"), PER_ACCOUNT, shared=False)


def code_counter(account_id: str, device_token: str = "") -> AttemptCounter:
    """Counts attempts on the second factor of one account: those from a known device, or all others."""
    return AttemptCounter(secret_digest(f"code:{account_id}:{device_token}"), PER_ACCOUNT, shared=False)


def address_counter(address: str) -> AttemptCounter:
    """Counts attempts from one IPv4 address or one IPv6 network of a subscriber (/64)."""
    return AttemptCounter(secret_digest(f"address:{network_of(address)}"), PER_ADDRESS, shared=True)


def wait_before(attempts: AttemptCount | None, schedule: BackoffSchedule, now: Instant) -> timedelta:
    """How long until the next attempt is looked at; zero when it is now.

    A wait longer than the schedule allows means that the clock was set back since; it is ignored.
    """
    if attempts is None or not now < attempts.blocked_until <= after(now, schedule.longest):
        return timedelta()
    return between(now, attempts.blocked_until)


def count_attempt(attempts: AttemptCount | None, schedule: BackoffSchedule, now: Instant) -> AttemptCount:
    """The counter after one more attempt, which counts as failed until it turns out well."""
    failures, since = 1, now
    if attempts is not None:
        began = min(attempts.counted_since, now)  # one in the future would keep failures from being forgotten
        forgotten = between(began, now) // schedule.one_forgotten_every
        if forgotten < attempts.failures:
            failures = attempts.failures - forgotten + 1
            since = after(began, forgotten * schedule.one_forgotten_every)
    over = min(failures - schedule.free, 20)
    wait = timedelta() if over <= 0 else min(schedule.shortest * 2 ** (over - 1), schedule.longest)
    return AttemptCount(failures, since, after(now, wait))


# --- sessions --------------------------------------------------------------------------------------------------------


def session_expires_at(kind: SessionKind, rules: SessionLifetimes, now: Instant) -> Instant:
    """When a session that begins now ends at the latest."""
    return after(now, rules.absolute if kind is SessionKind.BROWSER else rules.terminal)


def privileged_until(session: Session, rules: SessionLifetimes) -> Instant:
    """Until when credentials and administration can be changed in the session without signing in again."""
    return after(session.authenticated_at, rules.privileged)


def session_end_reason(session: Session, rules: SessionLifetimes, now: Instant) -> SessionEnd | None:
    """Why the session does not hold at `now`, or None where it does."""
    if session.ended_at is not None:
        return SessionEnd.SIGNED_OUT if session.revoked_at is None else SessionEnd.REVOKED
    if now >= session.expires_at:
        return SessionEnd.ABSOLUTE_TIMEOUT
    if between(now, session.last_seen_at) > CLOCKS_DIFFER:
        return SessionEnd.CLOCK_PUT_BACK
    if session.kind is SessionKind.BROWSER and between(session.last_seen_at, now) >= rules.idle:
        return SessionEnd.IDLE_TIMEOUT
    return None


def printable(text: str, longest: int = MAX_USER_AGENT) -> str:
    """A text that a peer sent about itself, cut and without control characters."""
    return "".join(c for c in text[:longest] if c.isprintable())


# --- secrets ---------------------------------------------------------------------------------------------------------


def secret_digest(secret: str) -> bytes:
    """The form in which a token is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
