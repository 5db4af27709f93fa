"""The refresh token that follows a used one, kept for those who present the used one again soon after."""

from __future__ import annotations

import hashlib

from sealwright.entropy import Entropy
from sealwright.keys import Sealer

_CONTEXT = "oauth_refresh_tokens:sealed_successor"


def seal_successor(used: str, successor: str, entropy: Entropy) -> bytes:
    """Seal `successor` so that only `used` opens it: neither the database nor the server's own key tells it."""
    return Sealer(_key_of(used), entropy).seal(successor.encode(), _CONTEXT)


def open_successor(used: str, sealed: bytes, entropy: Entropy) -> str:
    """What `seal_successor` sealed for `used`; raises SealBroken."""
    return Sealer(_key_of(used), entropy).open(sealed, _CONTEXT).decode()


def _key_of(used: str) -> bytes:
    """Another digest than the one that is stored, which everyone with the database knows."""
    return hashlib.sha256(f"{_CONTEXT}:{used}".encode()).digest()
