"""JSON Web Keys (RFC 7517) of public keys, and thumbprints of certificates."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.jose.encoding import base64url, decode_base64url
from sealwright.jose.errors import JwkRefused, KeyRefused, TokenMalformed
from sealwright.jose.key_types import PrivateKey, PublicKey, algorithm_of, public_members
from sealwright.jose.models import PublishedKey, VerificationKey, VerificationKeys
from sealwright.jose.signatures import ALGORITHMS, algorithms_of

MOST_KEYS = 200
_CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}
_LONGEST_NUMBER = 1024 + 2


def jwk_of(public_key: PublicKey, kid: str, alg: str) -> dict[str, str]:
    """The public JWK, for signatures."""
    return {"use": "sig", "kid": kid, "alg": alg, **public_members(public_key)}


def jwks_document(records: Iterable[PublishedKey]) -> bytes:
    """A JSON Web Key Set with these keys."""
    return msgspec.json.encode({"keys": [jwk_of(record.public_key, record.id, record.algorithm) for record in records]})


def public_key_from_jwk(jwk: Mapping[str, Any]) -> PublicKey:
    """The public key of a JWK; raises JwkRefused for what is malformed, off its curve, too weak, or of another kind."""
    kind = jwk.get("kty")
    try:
        key: PublicKey
        if kind == "EC":
            curve, size = _CURVES[str(jwk.get("crv"))]
            key = ec.EllipticCurvePublicNumbers(_number(jwk, "x", size), _number(jwk, "y", size), curve).public_key()
        elif kind == "RSA":
            key = rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n")).public_key()
        elif kind == "OKP" and jwk.get("crv") == "Ed25519":
            key = ed25519.Ed25519PublicKey.from_public_bytes(_bytes(jwk, "x"))
        else:
            raise JwkRefused(f"A key of the kind {str(kind)[:32]!r} is not used here.")
        algorithm_of(key)
    except KeyError as cause:
        raise JwkRefused(f"A key on the curve {str(jwk.get('crv'))[:32]!r} is not used here.") from cause
    except (ValueError, TokenMalformed, UnsupportedAlgorithm, binascii.Error) as cause:
        raise JwkRefused("The JSON Web Key is malformed.") from cause
    except KeyRefused as cause:
        raise JwkRefused(cause.detail) from cause
    return key


def private_key_from_jwk(jwk: Mapping[str, Any]) -> PrivateKey:
    """The private key of a JWK; raises JwkRefused as `public_key_from_jwk` does, and where its two halves do not match."""
    public_key = public_key_from_jwk(jwk)
    try:
        private_key: PrivateKey
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            private_key = ec.derive_private_key(_number(jwk, "d"), public_key.curve)
        elif isinstance(public_key, rsa.RSAPublicKey):
            p, q, d, dmp1, dmq1, iqmp = (_number(jwk, member) for member in ("p", "q", "d", "dp", "dq", "qi"))
            private_key = rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, public_key.public_numbers()).private_key()
        else:
            private_key = ed25519.Ed25519PrivateKey.from_private_bytes(_bytes(jwk, "d"))
    except (ValueError, TokenMalformed) as cause:
        raise JwkRefused("The private JSON Web Key is malformed.") from cause
    if private_key.public_key() != public_key:
        raise JwkRefused("The private part of the JSON Web Key belongs to another public key.")
    return private_key


def keys_of_jwks(document: bytes) -> VerificationKeys:
    """The keys of a key set that can verify signatures; others are passed over (RFC 7517, section 5). Raises JwkRefused."""
    try:
        value = msgspec.json.decode(document, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError) as cause:
        raise JwkRefused("The key set is not a JSON object.") from cause
    entries = value.get("keys")
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise JwkRefused(f"The key set has no list of at most {MOST_KEYS} keys.")
    found = (_verification_key(entry) for entry in entries if isinstance(entry, dict))
    return tuple(key for key in found if key is not None)


def _verification_key(jwk: dict[str, Any]) -> VerificationKey | None:
    kid, alg, use, operations = jwk.get("kid", ""), jwk.get("alg", ""), jwk.get("use", "sig"), jwk.get("key_ops", ["verify"])
    if not isinstance(kid, str) or use != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        public_key = public_key_from_jwk(jwk)
    except JwkRefused:
        return None
    if alg and (alg not in ALGORITHMS or alg not in algorithms_of(public_key)):
        return None
    return VerificationKey(kid, alg, public_key)


def thumbprint_sha256(der: bytes) -> str:
    """The `x5t#S256` of a certificate (RFC 7515, section 4.1.8)."""
    return base64url(hashlib.sha256(der).digest())


def _bytes(jwk: Mapping[str, Any], member: str) -> bytes:
    text = jwk.get(member)
    if not isinstance(text, str) or not text.isascii() or len(text) > 2 * _LONGEST_NUMBER:
        raise ValueError("a member is missing or too long")
    return decode_base64url(text.encode(), member)


def _number(jwk: Mapping[str, Any], member: str, size: int = 0) -> int:
    raw = _bytes(jwk, member)
    if size and len(raw) != size:
        raise ValueError("a coordinate does not have the length of its curve")
    return int.from_bytes(raw)
