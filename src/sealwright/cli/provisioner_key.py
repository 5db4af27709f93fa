"""Keys of JWK provisioners, on the side of the one who knows the password: made, sealed under it, opened, used for a token.

The server keeps only the sealed form (a compact JWE, RFC 7516, with PBES2-HS256+A128KW and A256GCM); it never sees the password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from sealwright.cli.errors import CommandFailed, RefusedByServer
from sealwright.cli.key_pair import LeafKey
from sealwright.password_strength import FEWEST_ITERATIONS, ITERATIONS, MOST_ITERATIONS

_ALGORITHM = "PBES2-HS256+A128KW"
_ENCRYPTION = "A256GCM"
_CURVES: Mapping[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


class ProvisionerKey(NamedTuple):
    """A private key and the names that tokens give it."""

    id: str
    """The `kid`; empty for a key that a certificate in the token's header names."""
    algorithm: str
    private_key: LeafKey

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """`claims` as a compact JWS (RFC 7515)."""
        named = {"kid": self.id} if self.id else {}
        head = {"alg": self.algorithm, **named, "typ": "JWT", **(header or {})}
        signed = f"{_encoded_json(head)}.{_encoded_json(claims)}"
        return f"{signed}.{encoded(_signature(self.private_key, self.algorithm, signed.encode()))}"


def new_key() -> ProvisionerKey:
    """A new P-256 key, named by its thumbprint."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    return ProvisionerKey(_thumbprint(_public_members(private_key.public_key())), "ES256", private_key)


def public_jwk(key: ProvisionerKey) -> dict[str, str]:
    """The public key as a provisioner's definition holds it. Elliptic curve keys only, which is what `new_key` makes."""
    assert isinstance(key.private_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - see above
    return {"use": "sig", **_public_members(key.private_key.public_key()), "kid": key.id, "alg": key.algorithm}


def seal(key: ProvisionerKey, password: str, random: Callable[[int], bytes], iterations: int = ITERATIONS) -> str:
    """The private key under a password."""
    assert isinstance(key.private_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - see `public_jwk`
    secret = key.private_key.private_numbers().private_value
    content = json.dumps({**public_jwk(key), "d": encoded(secret.to_bytes(32, "big"))}, separators=(",", ":")).encode()
    salt, content_key, nonce = random(16), random(32), random(12)
    header = _encoded_json(
        {"alg": _ALGORITHM, "cty": "jwk+json", "enc": _ENCRYPTION, "p2c": iterations, "p2s": encoded(salt)},
    )
    wrapped = keywrap.aes_key_wrap(_wrapping_key(password, salt, iterations), content_key)
    sealed = AESGCM(content_key).encrypt(nonce, content, header.encode())
    return ".".join((header, encoded(wrapped), encoded(nonce), encoded(sealed[:-16]), encoded(sealed[-16:])))


def open_sealed(sealed: str, password: str) -> ProvisionerKey:
    """The private key in a JWE; a wrong password raises RefusedByServer, a JWE of another kind CommandFailed."""
    try:
        head, wrapped, nonce, text, tag = sealed.split(".")
        header = json.loads(decoded(head))
        iterations, salt = header["p2c"], decoded(header["p2s"])
        if (header["alg"], header["enc"]) != (_ALGORITHM, _ENCRYPTION):
            raise CommandFailed(
                f"the provisioner's key is sealed with {header['alg']} and {header['enc']}, which is not supported."
            )
        if not isinstance(iterations, int) or not FEWEST_ITERATIONS <= iterations <= MOST_ITERATIONS:
            raise CommandFailed(
                f"the provisioner's key is sealed with {iterations} iterations, not {FEWEST_ITERATIONS} to {MOST_ITERATIONS}."
            )
        content_key = keywrap.aes_key_unwrap(_wrapping_key(password, salt, iterations), decoded(wrapped))
        content = AESGCM(content_key).decrypt(decoded(nonce), decoded(text) + decoded(tag), head.encode())
        return _key_from_jwk(json.loads(content))
    except (keywrap.InvalidUnwrap, InvalidTag) as cause:
        raise RefusedByServer("the password does not open the provisioner's key.") from cause
    except (ValueError, KeyError, TypeError, binascii.Error) as cause:
        raise CommandFailed("the provisioner's sealed key has a form that cannot be read.") from cause


def key_for(private_key: LeafKey) -> ProvisionerKey:
    """A key from a PEM file, for tokens that it signs for itself (renewal of an expired certificate)."""
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        algorithm = {256: "ES256", 384: "ES384", 521: "ES512"}.get(private_key.key_size, "")
    elif isinstance(private_key, rsa.RSAPrivateKey):
        algorithm = "RS256"
    else:
        algorithm = "EdDSA"
    if not algorithm:
        raise CommandFailed("the private key is of a kind that cannot sign a token.")
    return ProvisionerKey("", algorithm, private_key)


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url text without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded_json(value: Mapping[str, Any]) -> str:
    return encoded(json.dumps(value, separators=(",", ":")).encode())


def _wrapping_key(password: str, salt: bytes, iterations: int) -> bytes:
    full_salt = _ALGORITHM.encode() + b"\0" + salt  # RFC 7518, section 4.8.1.1
    return PBKDF2HMAC(hashes.SHA256(), 16, full_salt, iterations).derive(password.encode())


def _public_members(public_key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public_key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encoded(numbers.x.to_bytes(32, "big")), "y": encoded(numbers.y.to_bytes(32, "big"))}


def _thumbprint(members: Mapping[str, str]) -> str:
    return encoded(hashlib.sha256(json.dumps(dict(sorted(members.items())), separators=(",", ":")).encode()).digest())


def _key_from_jwk(jwk: Mapping[str, Any]) -> ProvisionerKey:
    def number(member: str) -> int:
        return int.from_bytes(decoded(jwk[member]), "big")

    private_key: LeafKey
    kind = jwk["kty"]
    if kind == "EC":
        curve = _CURVES[jwk["crv"]]()
        public = ec.EllipticCurvePublicNumbers(number("x"), number("y"), curve)
        private_key = ec.EllipticCurvePrivateNumbers(number("d"), public).private_key()
    elif kind == "OKP":
        private_key = ed25519.Ed25519PrivateKey.from_private_bytes(decoded(jwk["d"]))
    elif kind == "RSA":
        p, q, d, dmp1, dmq1, iqmp = (number(member) for member in ("p", "q", "d", "dp", "dq", "qi"))
        rsa_public = rsa.RSAPublicNumbers(number("e"), number("n"))
        private_key = rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, rsa_public).private_key()
    else:
        raise ValueError(kind)
    return ProvisionerKey(jwk["kid"], jwk.get("alg") or key_for(private_key).algorithm, private_key)


def _signature(key: LeafKey, algorithm: str, signed: bytes) -> bytes:
    digest = _HASHES.get(algorithm[2:], hashes.SHA256)()
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.startswith("ES"):
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(digest)))
        size = (key.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.startswith("RS"):
        return key.sign(signed, padding.PKCS1v15(), digest)
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.startswith("PS"):
        return key.sign(signed, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(signed)
    raise CommandFailed(f"the provisioner's key says {algorithm}, which does not fit its kind.")
