"""Private keys of JWK provisioners, encrypted with a password as `step` does: compact JWE, PBES2-HS256+A128KW and A256GCM."""

from __future__ import annotations

from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from sealwright.entropy import Entropy
from sealwright.jose.encoding import decode_base64url, decode_object
from sealwright.jose.errors import JwkRefused, TokenMalformed
from sealwright.jose.jwk import jwk_of, public_key_from_jwk
from sealwright.keys import base64url, thumbprint
from sealwright.password_strength import FEWEST_ITERATIONS, ITERATIONS, MOST_ITERATIONS

_LONGEST = 8_192
_ALG = "PBES2-HS256+A128KW"
_ENC = "A256GCM"
_SIZE = 32


def encrypt_private_jwk(
    private_key: ec.EllipticCurvePrivateKey, password: bytes, entropy: Entropy, *, iterations: int = ITERATIONS
) -> str:
    """The private JWK of a P-256 key as a JWE that `password` opens. Takes a tenth of a second of computing, on purpose."""
    if private_key.curve.name != "secp256r1":
        raise JwkRefused("The key of a JWK provisioner is on the curve P-256.")
    if not password:
        raise JwkRefused("The key of a JWK provisioner needs a password.")
    public_key = private_key.public_key()
    secret = base64url(private_key.private_numbers().private_value.to_bytes(_SIZE))
    jwk = {**jwk_of(public_key, thumbprint(public_key), "ES256"), "d": secret}
    salt, content_key, nonce = entropy.bytes(16), entropy.bytes(32), entropy.bytes(12)
    header = {"alg": _ALG, "cty": "jwk+json", "enc": _ENC, "p2c": iterations, "p2s": base64url(salt)}
    protected = base64url(msgspec.json.encode(header))
    wrapped = aes_key_wrap(_wrapping_key(password, salt, iterations), content_key)
    sealed = AESGCM(content_key).encrypt(nonce, msgspec.json.encode(jwk), protected.encode())
    return ".".join([protected, *map(base64url, (wrapped, nonce, sealed[:-16], sealed[-16:]))])


def new_sealed_jwk(password: bytes, entropy: Entropy) -> tuple[dict[str, str], str]:
    """A new P-256 key as `step ca init` makes one for a JWK provisioner: its public JWK, and the private one as a JWE."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    public_key = private_key.public_key()
    return jwk_of(public_key, thumbprint(public_key), "ES256"), encrypt_private_jwk(private_key, password, entropy)


def decrypt_private_jwk(jwe: str, password: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key in a JWE; a wrong password, a foreign form, or too few or many iterations raise JwkRefused."""
    if len(jwe) > _LONGEST or jwe.count(".") != 4 or not jwe.isascii():  # noqa: PLR2004 - five segments
        raise JwkRefused("The encrypted key is not a JWE of five parts.")
    try:
        protected, *rest = jwe.encode().split(b".")
        header = decode_object(decode_base64url(protected, "header"), "header")
        wrapped, nonce, sealed, tag = (decode_base64url(each, "JWE") for each in rest)
        salt, iterations = _parameters(header)
        content_key = aes_key_unwrap(_wrapping_key(password, salt, iterations), wrapped)
        jwk = decode_object(AESGCM(content_key).decrypt(nonce, sealed + tag, protected), "key")
        return _private_key(jwk)
    except (InvalidUnwrap, InvalidTag) as cause:
        raise JwkRefused("The encrypted key does not open: the password is wrong, or the key was changed.") from cause
    except (TokenMalformed, ValueError) as cause:
        raise JwkRefused("The encrypted key is malformed.") from cause


def _parameters(header: dict[str, Any]) -> tuple[bytes, int]:
    if header.get("alg") != _ALG or header.get("enc") != _ENC or "crit" in header or "zip" in header:
        raise JwkRefused(f"The encrypted key must use {_ALG} and {_ENC}.")
    iterations, salt = header.get("p2c"), header.get("p2s")
    if isinstance(iterations, bool) or not isinstance(iterations, int) or not isinstance(salt, str):
        raise JwkRefused("The encrypted key does not say how its password is stretched.")
    if not FEWEST_ITERATIONS <= iterations <= MOST_ITERATIONS:
        raise JwkRefused(
            f"The encrypted key uses {iterations} iterations; {FEWEST_ITERATIONS} to {MOST_ITERATIONS} are accepted."
        )
    return decode_base64url(salt.encode(), "salt"), iterations


def _wrapping_key(password: bytes, salt: bytes, iterations: int) -> bytes:
    return PBKDF2HMAC(SHA256(), 16, _ALG.encode() + b"\x00" + salt, iterations).derive(password)


def _private_key(jwk: dict[str, Any]) -> ec.EllipticCurvePrivateKey:
    public_key = public_key_from_jwk(jwk)
    secret = jwk.get("d")
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(secret, str):
        raise JwkRefused("The encrypted key is not a private EC key.")
    number = int.from_bytes(decode_base64url(secret.encode(), "key"))
    private_key = ec.derive_private_key(number, public_key.curve)
    if private_key.public_key() != public_key:
        raise JwkRefused("The private part of the encrypted key belongs to another public key.")
    return private_key
