"""The types of logout: the request of an application, what comes after it, and a logout token that is to be delivered."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from sealwright.clock import Instant
from sealwright.oauth.models import Client


class LogoutRequest(Struct, frozen=True, omit_defaults=True):
    """What an application asked for, as its handle holds it."""

    expires_at: Instant
    client_id: str = ""
    """Identifier of the client's row; empty where the request names no application."""
    redirect_uri: str = ""
    """Registered for that client."""
    state: str | None = None
    session_id: str = ""
    """`sid` of the ID token that was sent as a hint."""


class PendingLogout(Struct, frozen=True):
    """A logout request with the client that sent it."""

    request: LogoutRequest
    client: Client | None


class AfterLogout(Struct, frozen=True, omit_defaults=True):
    """What the page after a logout shows, as its handle holds it."""

    expires_at: Instant
    session_id: str = ""
    """The session that ended; empty where there was none."""
    client_id: str = ""
    location: str = ""
    """Where the browser goes on to."""


class SignedOut(Struct, frozen=True):
    """What the page after a logout shows."""

    frames: tuple[str, ...] = ()
    """Addresses that the browser loads, so that applications in it end their sessions."""
    location: str = ""
    client_name: str = ""


@dataclass(frozen=True, slots=True)
class LogoutDelivery:
    """A logout token that one process is sending now."""

    client: Client
    account_id: str
    session_id: str
    tries: int
    """Including the current one."""
    last_failure: str | None
    expires_at: Instant
