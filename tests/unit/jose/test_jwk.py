import hashlib
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.clock import Instant
from sealwright.jose import (
    ALGORITHMS,
    JwkRefused,
    base64url,
    jwk_of,
    jwks_document,
    keys_of_jwks,
    public_key_from_jwk,
    thumbprint,
    thumbprint_sha256,
    verification_keys,
)
from sealwright.jose.jwk import MOST_KEYS
from sealwright.keys import PublicKeyRecord, Purpose
from tests.signing import private_key_for, signing_key

P256 = signing_key()
JWK = jwk_of(P256.public_key, P256.id, "ES256")
RSA = jwk_of(signing_key("RS256").public_key, "r", "RS256")


def record(key):
    return PublicKeyRecord(key.id, Purpose.OAUTH_CLIENT, "c", key.algorithm, key.public_key, Instant(0), None)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS - {"Ed25519"}))
def test_keys_come_back_from_their_jwk_and_agree_with_another_library(algorithm):
    public_key = private_key_for(algorithm).public_key()
    jwk = jwk_of(public_key, "k", algorithm)
    assert (jwk["use"], jwk["kid"], jwk["alg"]) == ("sig", "k", algorithm)
    assert public_key_from_jwk(jwk) == public_key
    assert jwt.PyJWK(jwk).key == public_key


def test_coordinates_keep_their_leading_zeros():
    for number in range(1, 2_000):
        key = ec.derive_private_key(number, ec.SECP256R1()).public_key()
        if key.public_numbers().x < 2**248:
            break
    assert len(jwk_of(key, "", "ES256")["x"]) == 43
    assert public_key_from_jwk(jwk_of(key, "", "ES256")) == key


@pytest.mark.parametrize(
    ("jwk", "reason"),
    [
        ({}, "kind 'None' is not used"),
        ({"kty": "oct", "k": "AAAA"}, "kind 'oct' is not used"),
        ({**JWK, "crv": "secp256k1"}, "curve 'secp256k1' is not used"),
        ({**JWK, "crv": ["P-256"]}, "is not used"),
        ({**JWK, "x": JWK["y"]}, "malformed"),
        ({**JWK, "x": JWK["x"][:-1]}, "malformed"),
        ({**JWK, "x": "AA" + JWK["x"]}, "malformed"),
        ({**JWK, "y": None}, "malformed"),
        ({**JWK, "y": JWK["y"] + "="}, "malformed"),
        ({**JWK, "crv": "P-384"}, "malformed"),
        ({"kty": "OKP", "crv": "X25519", "x": base64url(bytes(32))}, "kind 'OKP' is not used"),
        ({"kty": "OKP", "crv": "Ed25519", "x": base64url(bytes(31))}, "malformed"),
        ({**RSA, "e": "AA"}, "malformed"),
        ({**RSA, "n": "A" * 100_000}, "malformed"),
        ({**RSA, "n": base64url(b"\x80" + bytes(126) + b"\x01")}, "has 1024 bits; 2048 to 8192 are accepted"),
        ({**RSA, "n": base64url(b"\x80" + bytes(1098) + b"\x01")}, "has 8800 bits"),
    ],
)
def test_malformed_weak_and_foreign_keys_are_refused(jwk, reason):
    with pytest.raises(JwkRefused, match=reason):
        public_key_from_jwk(jwk)


def test_key_set_holds_public_keys_only_and_is_read_back():
    keys = [signing_key(name) for name in ("ES256", "RS256", "EdDSA")]
    document = jwks_document([record(key) for key in keys])
    members = {name for jwk in json.loads(document)["keys"] for name in jwk}
    assert members == {"use", "kid", "alg", "kty", "crv", "x", "y", "n", "e"}
    assert keys_of_jwks(document) == verification_keys(*(record(key) for key in keys))


def test_keys_for_other_uses_or_of_other_kinds_are_passed_over():
    entries = [
        {**JWK, "use": "enc"},
        {**JWK, "key_ops": ["sign"]},
        {**JWK, "alg": "ES384"},
        {**JWK, "alg": "HS256"},
        {**JWK, "kid": 5},
        {**JWK, "x": "broken"},
        {"kty": "oct", "k": "AAAA", "kid": "s"},
        {"kty": "OKP", "crv": "Ed448", "x": "AAAA", "kid": "e"},
        "no object",
        {name: JWK[name] for name in ("kty", "crv", "x", "y")},
        {**JWK, "key_ops": ["verify"], "unknown": 1},
    ]
    found = keys_of_jwks(json.dumps({"keys": entries}).encode())
    assert [(key.id, key.algorithm) for key in found] == [("", ""), (P256.id, "ES256")]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b"\xff",
        b"[" * 5_000,
        json.dumps({"keys": [JWK] * (MOST_KEYS + 1)}).encode(),
    ],
)
def test_documents_that_are_no_key_set_are_refused(document):
    with pytest.raises(JwkRefused, match="key set"):
        keys_of_jwks(document)


def test_key_with_a_huge_exponent_is_refused_or_cheap_to_use():
    jwk = {**RSA, "e": base64url(b"\x01" * 600)}
    with pytest.raises(JwkRefused):
        public_key_from_jwk(jwk)


def test_thumbprints():
    assert thumbprint_sha256(b"der") == base64url(hashlib.sha256(b"der").digest())
    assert thumbprint(P256.public_key) == P256.id
    assert len({thumbprint(private_key_for(name).public_key()) for name in ("ES256", "ES256", "EdDSA", "RS256")}) == 4


def test_kinds_of_keys_are_what_they_say():
    assert isinstance(public_key_from_jwk(RSA), rsa.RSAPublicKey)
    edwards = jwk_of(ed25519.Ed25519PrivateKey.generate().public_key(), "e", "EdDSA")
    assert isinstance(public_key_from_jwk(edwards), ed25519.Ed25519PublicKey)
