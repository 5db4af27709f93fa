"""What is known of a token that is presented in an exchange, once it is verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from sealwright.clock import Instant
from sealwright.oauth.confirmation import Confirmation
from sealwright.oauth.models import Client, TokenFamily, TokenSource
from sealwright.oauth.token_families import FamilyHolder


class PresentedParty(Struct, frozen=True):
    """The one whom a verified token speaks of, and how far the token reaches."""

    subject: str
    """Its `sub`."""
    name: str
    """For the record: of an account or client."""
    source: TokenSource
    holder: FamilyHolder | None
    """None where the token speaks of a client itself."""
    ends_at: Instant
    client: Client | None = None
    """For whom an access token was made; None for an API token."""
    family: TokenFamily | None = None
    scopes: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    confirmation: Confirmation | None = None
    """The key that it is bound to."""
    details: tuple[Mapping[str, Any], ...] = ()
    act: Mapping[str, Any] | None = None
    may_act: Mapping[str, Any] | None = None
    read_only: bool = False
    """Whether it is an API token with which nothing of this server may be changed."""

    @property
    def exchanges(self) -> int:
        """How many lie between it and what was not exchanged."""
        return 0 if self.family is None or self.family.origin is None else self.family.origin.exchanges
