"""What is kept of issuers that are trusted, and of what their tokens are accepted for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct

from sealwright.clock import Instant


class TrustedIssuer(Struct, frozen=True, kw_only=True):
    """An issuer of tokens that an administrator listed."""

    id: str
    name: str
    issuer_url: str
    """`iss` of its tokens, compared byte by byte."""
    audience: str
    """What `aud` of its tokens has to hold."""
    jwks_uri: str | None = None
    """Where its keys are, where they are not found by discovery."""
    jwks: Mapping[str, Any] | None = None
    """Its keys, where they are not fetched at all."""
    reusable: bool = False
    """Whether a token is taken more than once, until it ends."""
    created_at: Instant
    created_by: str | None = None
    """Id of the account that listed it."""


class IssuerRule(Struct, frozen=True, kw_only=True):
    """Which tokens of a trusted issuer are accepted for which access tokens."""

    id: str
    issuer_id: str
    client_id: str
    """Of its row."""
    client_name: str
    account_id: str | None = None
    """The service account that the access tokens speak of; None where they speak of the client itself."""
    account_name: str | None = None
    conditions: Mapping[str, str]
    """Claims, and what each has to be: a text or a pattern."""
    scopes: tuple[str, ...] = ()
    """The most that they may have; none is all that the scope maps give."""
    lifetime: timedelta
    revision: int = 0
    """Grows with each change that ends the tokens which it gave before."""
    created_at: Instant
    created_by: str | None = None
    """Id of the account that added it."""
