"""Keys in this process's memory, behind the private-key interface of pyca/cryptography."""

from __future__ import annotations

import base64
import hashlib
from typing import TypeVar

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.keys.errors import KeyRefused
from sealwright.keys.models import PrivateKey, PublicKey

T = TypeVar("T")

RSA_BITS = 2048
RSA_BITS_AT_MOST = 8192
GENERATED = ("ES256", "RS256")
_CURVES = {"secp256r1": ("ES256", "P-256", 32), "secp384r1": ("ES384", "P-384", 48), "secp521r1": ("ES512", "P-521", 66)}


def generate(algorithm: str) -> PrivateKey:
    """A new private key for one of `GENERATED`."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
    raise KeyRefused(f"Keys for {algorithm!r} are not made here; there are {' and '.join(GENERATED)}.")


def algorithm_of(public_key: PublicKey) -> str:
    """The JOSE algorithm that a key of this kind signs with by default. A weak or strange key raises KeyRefused."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        if public_key.curve.name not in _CURVES:
            raise KeyRefused(f"Keys on the curve {public_key.curve.name} are not used here; P-256, P-384 and P-521 are.")
        return _CURVES[public_key.curve.name][0]
    if isinstance(public_key, rsa.RSAPublicKey):
        if not RSA_BITS <= public_key.key_size <= RSA_BITS_AT_MOST:
            raise KeyRefused(f"An RSA key has {RSA_BITS} to {RSA_BITS_AT_MOST} bits here, not {public_key.key_size}.")
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


def base64url(raw: bytes) -> str:
    """`raw` as base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def to_pkcs8_der(private_key: PrivateKey) -> bytes:
    """PKCS #8, not encrypted: for the sealer only."""
    return private_key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def to_pkcs8_pem(private_key: PrivateKey, password: bytes | None = None) -> bytes:
    """PKCS #8 as PEM, encrypted where a password is given."""
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def from_pkcs8_der(der: bytes) -> PrivateKey:
    """Read back what `to_pkcs8_der` wrote."""
    return _private(serialization.load_der_private_key(der, None))


def from_pem(pem: bytes, password: bytes | None = None) -> PrivateKey:
    """Read a private key in any PEM form; what is not one, is of another kind or too weak raises KeyRefused."""
    try:
        loaded = serialization.load_pem_private_key(pem, password or None)
    except TypeError as cause:
        raise KeyRefused("The private key is encrypted and no password was given, or the other way round.") from cause
    except (ValueError, UnsupportedAlgorithm) as cause:
        raise KeyRefused("The file holds no private key that can be read with this password.") from cause
    private_key = _private(loaded)
    algorithm_of(private_key.public_key())
    return private_key


def to_spki_der(public_key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo."""
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def from_spki_der(der: bytes) -> PublicKey:
    """Read back what `to_spki_der` wrote."""
    loaded = serialization.load_der_public_key(der)
    if not isinstance(loaded, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed25519.Ed25519PublicKey)):
        raise KeyRefused(f"Keys of the kind {type(loaded).__name__} are not used here.")
    return loaded


def _private(loaded: object) -> PrivateKey:
    if not isinstance(loaded, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)):
        raise KeyRefused(f"Keys of the kind {type(loaded).__name__} are not used here.")
    return loaded


def _unsigned(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8))
