"""For how long a token may be good, and the note that is kept of its use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sealwright.ca.models import TokenUse
from sealwright.ca.provisioners.models import LEEWAY
from sealwright.clock import Instant, after, between
from sealwright.jose import TokenRefused, UnverifiedToken, instant_claim

LONGEST_TOKEN_LIFE = timedelta(hours=1)
"""From `iat` (else `nbf`, else now) to `exp` of a token that the holder of a key makes. `step` makes them for five minutes."""


def check_life(claims: Mapping[str, Any], now: Instant) -> None:
    """Raise TokenRefused where a token, whose times were checked, is valid for longer than a token may be."""
    expires_at = instant_claim(claims, "exp")
    begins_at = instant_claim(claims, "iat") or instant_claim(claims, "nbf") or now
    if expires_at is None or between(begins_at, expires_at) > LONGEST_TOKEN_LIFE:
        raise TokenRefused(
            "The token is valid for longer than an hour, which is the longest that is accepted.",
            hint="Make one that is used at once: an expiry (exp) five minutes after iat is usual.",
        )


def one_use(issuer: str, token_id: str, *, expires_at: Instant, now: Instant) -> TokenUse:
    """The note about one use of a token. Two tokens of one id are one token, whatever else they say.

    It is kept for the life of the longest token, so that another spelling of the same id cannot outlive it. `issuer`: the
    provisioner, or what else vouches for the uniqueness of `token_id`.
    """
    digest = hashlib.sha256(f"{issuer}\0{token_id}".encode()).digest()[:16]
    return TokenUse(digest, after(max(expires_at, after(now, LONGEST_TOKEN_LIFE)), LEEWAY))


def replay_id(token: UnverifiedToken) -> str:
    """The replay key of a token without a `jti`: its signed part.

    The signature is left out, because some signatures can be rewritten by anyone without becoming invalid.
    """
    return token.signed.decode()
