"""Keys in this process's memory, behind the private-key interface of pyca/cryptography."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.jose import KeyRefused, PrivateKey, PublicKey, algorithm_of
from sealwright.rsa_strength import SHORTEST_RSA

GENERATED = ("ES256", "RS256")


def generate(algorithm: str) -> PrivateKey:
    """A new private key for one of `GENERATED`."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65_537, key_size=SHORTEST_RSA)
    raise KeyRefused(f"Keys for {algorithm!r} are not made here; there are {' and '.join(GENERATED)}.")


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
