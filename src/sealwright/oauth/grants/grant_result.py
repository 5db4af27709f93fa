"""What every grant type returns: for whom tokens may be made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sealwright.clock import Instant
from sealwright.entropy import Entropy, token, uuid4
from sealwright.identity import Group
from sealwright.oauth.confirmation import Confirmation
from sealwright.oauth.grants.registered import REFRESH_TOKEN, is_registered_for
from sealwright.oauth.models import Client, TokenFamily
from sealwright.oauth.token_families import FamilyHolder


@dataclass(frozen=True, slots=True)
class GrantResult:
    """For whom tokens may be made, once the code or token of the request is used up and this is on record."""

    family: TokenFamily
    holder: FamilyHolder | None
    """The person; None where the tokens speak of the client itself."""
    scopes: tuple[str, ...]
    refresh_token: str | None = field(repr=False)
    access_token_id: str
    id_token_id: str
    nonce: str | None = None
    groups: tuple[Group, ...] | None = None
    """The person's groups, where they were asked for on the way."""
    confirmation: Confirmation | None = None
    """The key that the access token is bound to; None where it is not."""
    id_token_claims: Mapping[str, Any] | None = None
    """What the ID token says, but for the digest of the access token; None where there is none, or it is not known yet."""
    resources: tuple[str, ...] = ()
    """Whom the access token is for, where that is not the client."""
    details: tuple[Mapping[str, Any], ...] = ()
    """Granted beyond scopes (RFC 9396)."""
    ends_at: Instant | None = None
    """When the access token ends at the latest; None where the usual lifetime is all that bounds it."""
    lasts: timedelta | None = None
    """How long the access token is valid; None for as long as is usual."""
    issued_token_type: str = ""
    """What an exchange made (RFC 8693, section 2.2.1)."""


CompleteGrant = Callable[[GrantResult], Awaitable[GrantResult]]
"""Adds what the tokens need; raises TokenRequestRefused where they cannot be made, before anything is used up."""


def new_refresh_token(entropy: Entropy, client: Client) -> str | None:
    """A refresh token; None for a client that is not registered to use one."""
    return token(entropy) if is_registered_for(client, REFRESH_TOKEN) else None


def new_grant(
    entropy: Entropy,
    family: TokenFamily,
    holder: FamilyHolder | None,
    scopes: tuple[str, ...],
    refresh_token: str | None = None,
    *,
    nonce: str | None = None,
    groups: tuple[Group, ...] | None = None,
    confirmation: Confirmation | None = None,
) -> GrantResult:
    """A result with fresh identifiers."""
    return GrantResult(family, holder, scopes, refresh_token, uuid4(entropy), uuid4(entropy), nonce, groups, confirmation)
