"""Signatures of JWS (RFC 7518, section 3, and RFC 8037), and which key may make which."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from sealwright.jose.errors import TokenRefused
from sealwright.jose.key_types import PrivateKey, PublicKey
from sealwright.rsa_strength import SHORTEST_RSA

_ECDSA: dict[str, tuple[str, int, ec.ECDSA]] = {
    "ES256": ("secp256r1", 32, ec.ECDSA(SHA256())),
    "ES384": ("secp384r1", 48, ec.ECDSA(SHA384())),
    "ES512": ("secp521r1", 66, ec.ECDSA(SHA512())),
}
_RSA_HASHES: dict[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}
_RSA: dict[str, tuple[padding.PKCS1v15 | padding.PSS, HashAlgorithm]] = {
    **{f"RS{size}": (padding.PKCS1v15(), used) for size, used in _RSA_HASHES.items()},
    **{f"PS{size}": (padding.PSS(padding.MGF1(used), used.digest_size), used) for size, used in _RSA_HASHES.items()},
}
_EDDSA = frozenset({"EdDSA", "Ed25519"})
_ED25519_LENGTH = 64

ALGORITHMS = frozenset(_ECDSA) | frozenset(_RSA) | _EDDSA
"""Every signature algorithm that is verified here; there is no symmetric one and no `none`."""


def algorithms_of(public_key: PublicKey) -> frozenset[str]:
    """The algorithms that a key of this kind can be used with."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return frozenset(name for name, (curve, _, _) in _ECDSA.items() if curve == public_key.curve.name)
    if isinstance(public_key, rsa.RSAPublicKey):
        return frozenset(_RSA)
    return _EDDSA


def size_of_signature(algorithm: str, private_key: PrivateKey) -> int:
    """How many bytes a signature has."""
    if algorithm in _ECDSA:
        return 2 * _ECDSA[algorithm][1]
    return (private_key.key_size + 7) // 8 if isinstance(private_key, rsa.RSAPrivateKey) else _ED25519_LENGTH


def verify_signature(algorithm: str, public_key: PublicKey, signature: bytes, signed: bytes) -> None:
    """Raise TokenRefused unless `public_key` made `signature` over `signed`. The caller has checked the algorithm's name."""
    try:
        genuine = _verifier(type(public_key))(algorithm, public_key, signature, signed)
    except InvalidSignature:
        genuine = False
    if not genuine:
        raise TokenRefused("The token's signature is wrong.")


Verifier = Callable[[str, Any, bytes, bytes], bool]
"""Algorithm, key, signature and what was signed → False where they do not fit together; a wrong signature raises."""


@lru_cache(maxsize=64)
def _verifier(key_type: type) -> Verifier:
    """How a key of this type verifies. Remembered, because asking what kind a key is costs as much as all the rest here."""
    if issubclass(key_type, ec.EllipticCurvePublicKey):
        return _verify_ecdsa
    if issubclass(key_type, rsa.RSAPublicKey):
        return _verify_rsa
    return _verify_eddsa if issubclass(key_type, ed25519.Ed25519PublicKey) else _verify_nothing


def _verify_ecdsa(algorithm: str, public_key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    if algorithm not in _ECDSA:
        return False
    curve, size, scheme = _ECDSA[algorithm]
    if len(signature) != 2 * size or public_key.curve.name != curve:
        return False
    numbers = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    public_key.verify(encode_dss_signature(*numbers), signed, scheme)
    return True


def _verify_rsa(algorithm: str, public_key: rsa.RSAPublicKey, signature: bytes, signed: bytes) -> bool:
    if algorithm not in _RSA or public_key.key_size < SHORTEST_RSA:
        return False
    scheme, used = _RSA[algorithm]
    public_key.verify(signature, signed, scheme, used)
    return True


def _verify_eddsa(algorithm: str, public_key: ed25519.Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    if algorithm not in _EDDSA or len(signature) != _ED25519_LENGTH:
        return False
    public_key.verify(signature, signed)
    return True


def _verify_nothing(_algorithm: str, _public_key: Any, _signature: bytes, _signed: bytes) -> bool:
    return False


def make_signature(algorithm: str, private_key: PrivateKey, signed: bytes) -> bytes:
    """The signature over `signed`. A key that does not fit the algorithm raises ValueError: that is a bug of the caller."""
    if algorithm in _ECDSA and isinstance(private_key, ec.EllipticCurvePrivateKey):
        curve, size, scheme = _ECDSA[algorithm]
        if private_key.curve.name == curve:
            r, s = decode_dss_signature(private_key.sign(signed, scheme))
            return r.to_bytes(size) + s.to_bytes(size)
    if algorithm in _RSA and isinstance(private_key, rsa.RSAPrivateKey):
        scheme_of_rsa, used = _RSA[algorithm]
        return private_key.sign(signed, scheme_of_rsa, used)
    if algorithm in _EDDSA and isinstance(private_key, ed25519.Ed25519PrivateKey):
        return private_key.sign(signed)
    raise ValueError(f"this key cannot sign with {algorithm}")
