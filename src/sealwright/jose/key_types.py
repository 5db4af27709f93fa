"""The types of keys that are used here: their default algorithms, their public members in a JWK, their thumbprints."""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.jose.encoding import base64url
from sealwright.jose.errors import KeyRefused
from sealwright.rsa_strength import weakness

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

_CURVES = {"secp256r1": ("ES256", "P-256", 32), "secp384r1": ("ES384", "P-384", 48), "secp521r1": ("ES512", "P-521", 66)}


def algorithm_of(public_key: PublicKey) -> str:
    """The JOSE algorithm that a key of this kind signs with by default. A weak or strange key raises KeyRefused."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        if public_key.curve.name not in _CURVES:
            raise KeyRefused(f"Keys on the curve {public_key.curve.name} are not used here; P-256, P-384 and P-521 are.")
        return _CURVES[public_key.curve.name][0]
    if isinstance(public_key, rsa.RSAPublicKey):
        reason = weakness(public_key.public_numbers())
        if reason:
            raise KeyRefused(reason)
        return "RS256"
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return "EdDSA"
    raise KeyRefused(f"Keys of the kind {type(public_key).__name__} are not used here.")


def public_members(public_key: PublicKey) -> dict[str, str]:
    """The members of the public JWK that RFC 7638 and RFC 8037 put into a thumbprint, in their order."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        _, curve, size = _CURVES[public_key.curve.name]
        numbers = public_key.public_numbers()
        return {"crv": curve, "kty": "EC", "x": base64url(numbers.x.to_bytes(size)), "y": base64url(numbers.y.to_bytes(size))}
    if isinstance(public_key, rsa.RSAPublicKey):
        rsa_numbers = public_key.public_numbers()
        return {"e": _unsigned(rsa_numbers.e), "kty": "RSA", "n": _unsigned(rsa_numbers.n)}
    raw = public_key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": base64url(raw)}


def thumbprint(public_key: PublicKey) -> str:
    """RFC 7638 thumbprint with SHA-256, as base64url without padding."""
    return base64url(hashlib.sha256(msgspec.json.encode(public_members(public_key))).digest())


def _unsigned(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8))
