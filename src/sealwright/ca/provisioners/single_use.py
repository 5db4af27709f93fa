"""The key under which a used token is remembered."""

from __future__ import annotations

import hashlib

from sealwright.ca.provisioners.models import LEEWAY
from sealwright.tokens import UnverifiedToken

_LAST_SECOND = 0xFFFF_FFFF
_LEEWAY_SECONDS = LEEWAY.total_seconds()


def token_key(issuer: str, token_id: str, expires_at_seconds: float) -> bytes:
    """Four octets for when the token is refused anyway, then 16 of a digest: time-ordered, so that old ones go in one stroke.

    `issuer`: the provisioner, or what else vouches for the uniqueness of `token_id`.
    """
    last = min(max(int(expires_at_seconds + _LEEWAY_SECONDS) + 1, 0), _LAST_SECOND)
    return last.to_bytes(4, "big") + hashlib.sha256(f"{issuer}\0{token_id}".encode()).digest()[:16]


def whole(token: UnverifiedToken) -> str:
    """What stands for a token that has no id: its signed part.

    The signature is left out, because some signatures can be rewritten by anybody without becoming invalid.
    """
    return token.signed.decode()
