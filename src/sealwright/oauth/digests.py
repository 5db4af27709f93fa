"""How codes, refresh tokens, handles and client secrets are stored: only as a digest."""

from __future__ import annotations

import hashlib


def digest_of(secret: str) -> bytes:
    """SHA-256 of a secret of at least 128 random bits, which needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
