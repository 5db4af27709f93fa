"""What the pages show, in the form in which templates read it."""

from __future__ import annotations

from dataclasses import dataclass

from sealwright.clock import Instant


@dataclass(frozen=True, slots=True)
class Application:
    """An OAuth client, as a person is told of it."""

    name: str
    host: str
    """Of its landing page, which an administrator registered."""
    returns_to: str
    """Where the browser goes back to, without path."""
    on_this_computer: bool
    """It goes back to a program on the person's own computer."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that an application asks to know."""

    label: str
    values: tuple[str, ...]
    """What it gets to know."""
    without: str = ""
    """What is said where there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class ShownSession:
    """One row of "where you are signed in"."""

    id: str
    device: str
    proofs: str
    address: str
    here: bool
    authenticated_at: Instant
    last_seen_at: Instant
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class ShownConsent:
    """One application that was allowed."""

    client: str
    name: str
    wishes: tuple[str, ...]
    granted_at: Instant


@dataclass(frozen=True, slots=True)
class ShownSecondFactor:
    """One authenticator app."""

    id: str
    label: str
    created_at: Instant


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """One row of the certificates."""

    serial: str
    names: tuple[str, ...]
    profile: str
    kind: str
    """Of the badge: ``good``, ``bad`` or none."""
    word: str
    not_before: Instant
    not_after: Instant


@dataclass(frozen=True, slots=True)
class TypedWelcome:
    """What was typed on the welcome page, to be shown again; never a password."""

    username: str = ""
    display_name: str = ""
    mail: str = ""
