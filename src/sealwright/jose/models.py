"""Tokens that were verified, and what they are verified with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sealwright.keys import PublicKey, PublicKeyRecord


class VerificationKey(msgspec.Struct, frozen=True):
    """A public key that may have signed a token."""

    id: str
    """The `kid`; empty where a key set gives none."""
    algorithm: str
    """JOSE name; empty where a key set gives none: then every algorithm of its kind of key."""
    public_key: PublicKey


VerificationKeys = tuple[VerificationKey, ...]


class SignedClaims(msgspec.Struct, frozen=True):
    """What a token says, after its signature was verified. Nothing else is checked yet: see `claims`."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def verification_keys(*records: PublicKeyRecord) -> VerificationKeys:
    """Stored public keys as keys to verify with."""
    return tuple(VerificationKey(record.id, record.algorithm, record.public_key) for record in records)
