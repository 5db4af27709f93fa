"""Tokens and keys that others published."""

import json
from pathlib import Path

import jwt
import pytest

from sealwright.jose import (
    JWT,
    TokenMalformed,
    TokenRefused,
    VerificationKey,
    decrypt_private_jwk,
    public_key_from_jwk,
    thumbprint,
    verify,
)
from sealwright.jose.encoding import decode_base64url, split
from sealwright.jose.signatures import verify_signature

VECTORS = Path(__file__).parent / "jose"
RFC = json.loads((VECTORS / "rfc.json").read_text())


@pytest.mark.parametrize("name", ["rfc7515_a2", "rfc7515_a3"])
def test_tokens_of_rfc_7515_verify(name):
    vector = RFC[name]
    key = VerificationKey("", "", public_key_from_jwk(vector["jwk"]))
    signed = verify(vector["token"], (key,), typ=JWT, algorithms=frozenset({vector["comment"]}))
    assert signed.claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    assert jwt.decode(vector["token"], key.public_key, [vector["comment"]], {"verify_exp": False}) == signed.claims
    with pytest.raises(TokenRefused):
        verify(vector["token"], (key,), typ=JWT, algorithms=frozenset({"PS256"}))


def test_signature_of_rfc_8037_verifies_although_its_payload_holds_no_claims():
    vector = RFC["rfc8037_a"]
    key = public_key_from_jwk(vector["jwk"])
    header, payload, signature = split(vector["token"])
    verify_signature("EdDSA", key, decode_base64url(signature, "signature"), header + b"." + payload)
    with pytest.raises(TokenMalformed, match="payload of the token is not JSON"):
        verify(vector["token"], (VerificationKey("", "", key),), typ=JWT, algorithms=frozenset({"EdDSA"}))


@pytest.mark.parametrize("name", ["rfc7638_3_1", "rfc8037_a"])
def test_thumbprints_are_those_of_the_rfcs(name):
    assert thumbprint(public_key_from_jwk(RFC[name]["jwk"])) == RFC[name]["thumbprint"]


def test_provisioner_key_that_step_made_opens_with_its_password():
    vector = json.loads((VECTORS / "step_provisioner_key.json").read_text())
    private_key = decrypt_private_jwk(vector["jwe"], vector["password"].encode()).private_key
    assert private_key.public_key() == public_key_from_jwk(vector["public"])
    assert thumbprint(private_key.public_key()) == vector["kid"]
