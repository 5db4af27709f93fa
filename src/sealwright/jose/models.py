"""Verified tokens, and the keys that tokens are signed and verified with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from sealwright.jose.key_types import PrivateKey, PublicKey


class PublishedKey(Protocol):
    """A public key with the names that a key set gives it."""

    @property
    def id(self) -> str: ...

    @property
    def algorithm(self) -> str: ...

    @property
    def public_key(self) -> PublicKey: ...


class TokenSigner(Protocol):
    """A private key with the names that the tokens signed with it give it."""

    @property
    def id(self) -> str: ...

    @property
    def algorithm(self) -> str: ...

    @property
    def private_key(self) -> PrivateKey: ...


class PrivateJwk(msgspec.Struct, frozen=True):
    """A private key and the names that its JWK gives it."""

    id: str
    """The `kid`; empty where tokens name their key otherwise, as by a certificate."""
    algorithm: str
    private_key: PrivateKey

    def __repr__(self) -> str:
        return f"PrivateJwk(id={self.id!r}, algorithm={self.algorithm!r})"


class VerificationKey(msgspec.Struct, frozen=True):
    """A public key that may have signed a token."""

    id: str
    """The `kid`; empty where a key set gives none."""
    algorithm: str
    """JOSE name; empty where a key set gives none: then every algorithm of its kind of key."""
    public_key: PublicKey


VerificationKeys = tuple[VerificationKey, ...]


class SignedClaims(msgspec.Struct, frozen=True):
    """The header and claims of a token whose signature was verified. Nothing else is checked yet: see `claims`."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def verification_keys(*records: PublishedKey) -> VerificationKeys:
    """Stored public keys as keys to verify with."""
    return tuple(VerificationKey(record.id, record.algorithm, record.public_key) for record in records)
