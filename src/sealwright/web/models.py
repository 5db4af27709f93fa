"""What the pages show, in the form in which templates read it."""

from __future__ import annotations

from msgspec import Struct

from sealwright.clock import Instant


class ClientPreview(Struct, frozen=True):
    """An OAuth client as the pages show it."""

    name: str
    host: str
    """Of its landing page, which an administrator registered."""
    returns_to: str
    """Where the browser goes back to, without path."""
    on_this_computer: bool
    """It goes back to a program on the person's own computer."""
    user_code: str = ""
    """What a device shows that asks; empty where none does."""
    image: str = ""
    """The address of its image; empty where it has none."""


class DetailsPreview(Struct, frozen=True):
    """What an application asks to do on one occasion (RFC 9396)."""

    label: str
    rows: tuple[tuple[str, str], ...]
    """Each with what it is called."""


class MissingScope(Struct, frozen=True):
    """Scopes that an application asks for and the person may not grant."""

    label: str
    groups: tuple[str, ...]
    """Whose members may."""


class ClaimPreview(Struct, frozen=True):
    """One claim that an application asks for."""

    label: str
    values: tuple[str | Instant, ...]
    if_absent: str = ""
    """Shown instead where there is no value."""
    technical: bool = False
    """Goes with every sign-in and tells a person little: shown on demand."""


class ListedSession(Struct, frozen=True):
    """One row of "where you are signed in"."""

    id: str
    device: str
    proofs: str
    address: str
    here: bool
    authenticated_at: Instant
    last_seen_at: Instant
    expires_at: Instant


class ListedApplication(Struct, frozen=True):
    """One application that the person may use."""

    name: str
    link: str
    """Empty where it is not an address that a page may lead to."""
    host: str
    image: str
    """The address of its image; empty where it has none."""


class ListedClient(Struct, frozen=True):
    """One client of the authorization server."""

    name: str
    display_name: str
    kind: str
    profile: str
    landing_url: str
    updated_at: Instant


class ListedSetting(Struct, frozen=True):
    """One thing that is set on a client."""

    label: str
    values: tuple[str, ...]
    about: str


class ListedConsent(Struct, frozen=True):
    """One application that was allowed."""

    client: str
    name: str
    may_know: tuple[str, ...]
    granted_at: Instant


class ListedConsentEvent(Struct, frozen=True):
    """One line of the history of consents."""

    name: str
    given: bool
    may_know: tuple[str, ...]
    at: Instant


class ListedCertificate(Struct, frozen=True):
    """One row of the certificates."""

    serial: str
    """In hexadecimal."""
    path: str
    """Of its page."""
    names: tuple[str, ...]
    holder: str
    """What to call it: the name that stands for its holder."""
    kind: str
    """Of the badge: ``good``, ``bad`` or none."""
    word: str
    not_before: Instant
    not_after: Instant
    left: str
    """How long it is valid yet, in words; empty where it is not."""


class CertificateTimeline(Struct, frozen=True):
    """How a certificate came about, and what became of it."""

    issuer: str
    vouched_by: str
    """The provisioner; empty where the certificate does not say."""
    by_sign_in: bool
    intended_at: Instant
    issued_at: Instant | None
    revoked_at: Instant | None
    revoked_because: str
    came_from: tuple[ListedCertificate, ...]
    """The certificates that it renewed, the oldest first."""
    followed_by: tuple[ListedCertificate, ...]


class TypedWelcome(Struct, frozen=True):
    """What was typed on the welcome page, to be shown again; never a password."""

    username: str = ""
    display_name: str = ""
    mail: str = ""


class ListedApproval(Struct, frozen=True):
    """A request for approval as a row."""

    id: str
    path: str
    title: str
    what: str
    """Its kind in a word."""
    requester: str
    kind: str
    """Of its badge."""
    word: str
    created_at: Instant
    expires_at: Instant
    result: str


class ListedVote(Struct, frozen=True):
    """One person's decision."""

    person: str
    decision: str
    comment: str
    at: Instant


class ApprovalContents(Struct, frozen=True):
    """Exactly what is asked for, in words."""

    names: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    """Label and value."""
    changes: tuple[tuple[str, ...], ...]
    """What is different: name, before, after."""
    previous: str
    """Serial number of the last certificate of the same names."""
    reasons: tuple[str, ...]


class ListedApiKey(Struct, frozen=True, kw_only=True):
    """One API key."""

    id: str
    name: str
    owner: str
    beginning: str
    scopes: tuple[str, ...]
    state: str
    is_good: bool
    """Whether it opens anything now."""
    is_newest: bool
    """Whether it is valid and was not rotated."""
    expires_at: Instant
    last_used_at: Instant | None
    last_address: str
