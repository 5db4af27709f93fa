"""Keys, as the rest of the program sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec import Struct

from sealwright.clock import Instant

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class Purpose(StrEnum):
    """What a key is for. A key of one purpose is never used for another."""

    ROOT = "root"
    ISSUER = "issuer"
    OAUTH_CLIENT = "oauth_client"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that can sign."""

    id: str
    """RFC 7638 thumbprint, also the `kid`."""
    purpose: Purpose
    owner: str
    """What it belongs to: the id of an issuer or a client, or nothing."""
    algorithm: str
    """JOSE name: ES256, RS256, …"""
    public_key: PublicKey
    private_key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made or brought, sealed, and not yet stored."""

    id: str
    purpose: Purpose
    owner: str
    algorithm: str
    public_key: PublicKey
    private_key: PrivateKey = field(repr=False)
    sealed_private: bytes = field(repr=False)

    def signing_key(self) -> SigningKey:
        """The same key, ready to sign."""
        return SigningKey(self.id, self.purpose, self.owner, self.algorithm, self.public_key, self.private_key)


class PublicKeyRecord(Struct, frozen=True):
    """The public side of a stored key."""

    id: str
    purpose: Purpose
    owner: str
    algorithm: str
    public_key: PublicKey
    created_at: Instant
    retired_at: Instant | None
    """Since then it signs no more; what it signed still verifies."""
