"""Keys for tests, without a database."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.jose import PrivateKey, VerificationKey, algorithm_of, encrypt_private_jwk, jwk_of, thumbprint
from sealwright.keys import Purpose, SigningKey
from sealwright.password_strength import FEWEST_ITERATIONS


def signing_key(algorithm: str = "ES256", private_key: PrivateKey | None = None) -> SigningKey:
    """A key that signs with `algorithm`."""
    key = private_key or private_key_for(algorithm)
    public_key = key.public_key()
    assert private_key is not None or algorithm_of(public_key)[:2] in (algorithm[:2], "RS", "Ed")
    return SigningKey(thumbprint(public_key), Purpose.OAUTH_CLIENT, "a-client", algorithm, public_key, key)


def provisioner_key(password: str, private_key: ec.EllipticCurvePrivateKey | None = None) -> tuple[dict[str, str], str]:
    """The public JWK of a JWK provisioner and its encrypted key, with as little stretching of the password as is accepted."""
    key = private_key or ec.generate_private_key(ec.SECP256R1())
    public_key = key.public_key()
    sealed = encrypt_private_jwk(key, password.encode(), iterations=FEWEST_ITERATIONS)
    return jwk_of(public_key, thumbprint(public_key), "ES256"), sealed


def private_key_for(algorithm: str) -> PrivateKey:
    """A new private key of the kind that `algorithm` needs."""
    curves: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    if algorithm in curves:
        return ec.generate_private_key(curves[algorithm])
    if algorithm in ("EdDSA", "Ed25519"):
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def verification_key(key: SigningKey) -> VerificationKey:
    """The public side of a key, to verify with."""
    return VerificationKey(key.id, key.algorithm, key.public_key)
