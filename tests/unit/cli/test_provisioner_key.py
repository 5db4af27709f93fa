import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.cli import provisioner_key as keys
from sealwright.cli.errors import CommandFailed, RefusedByServer
from sealwright.jose import JWT, VerificationKey, base64url, decode_base64url, sign, verify
from sealwright.password_strength import FEWEST_ITERATIONS
from tests.signing import provisioner_key

PUBLIC, SEALED = provisioner_key("correct horse")


def header_of(compact):
    return json.loads(decode_base64url(compact.split(".")[0].encode(), "header"))


def test_sealed_key_opens_with_its_password_only():
    opened = keys.open_sealed(SEALED, "correct horse")
    assert (opened.id, opened.algorithm) == (PUBLIC["kid"], "ES256")
    with pytest.raises(RefusedByServer, match="does not open"):
        keys.open_sealed(SEALED, "wrong")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"p2c": 100_000_000}, "uses 100000000 iterations; 100000 to 1000000 are accepted"),
        ({"p2c": FEWEST_ITERATIONS - 1}, "uses 99999 iterations"),
        ({"p2c": "600000"}, "does not say how its password is stretched"),
        ({"alg": "dir"}, "must use PBES2-HS256"),
        ({"enc": "A128CBC-HS256"}, "must use PBES2-HS256"),
        ({"p2s": None}, "does not say how its password is stretched"),
    ],
)
def test_sealed_key_of_another_form_is_refused_before_work_is_done(change, told):
    header = base64url(json.dumps({**header_of(SEALED), **change}).encode())
    with pytest.raises(CommandFailed, match=told):
        keys.open_sealed(f"{header}.{SEALED.split('.', 1)[1]}", "correct horse")


@pytest.mark.parametrize("text", ["", "a.b.c", "....", "x.x.x.x.x", "é.x.x.x.x"])
def test_malformed_key_is_refused(text):
    with pytest.raises(CommandFailed, match="the provisioner's key cannot be read"):
        keys.open_sealed(text, "correct horse")


def test_token_of_an_opened_key_verifies_with_the_public_key():
    opened = keys.open_sealed(SEALED, "correct horse")
    token = sign(opened, {"sub": "web.example.org"})
    known = (VerificationKey(id=PUBLIC["kid"], algorithm="ES256", public_key=opened.private_key.public_key()),)
    assert verify(token, known, typ=JWT, algorithms=frozenset({"ES256"})).claims["sub"] == "web.example.org"


@pytest.mark.parametrize(
    ("private", "algorithm", "length"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "ES384", 96),
        (ec.generate_private_key(ec.SECP521R1()), "ES512", 132),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA", 64),
        (rsa.generate_private_key(65537, 2048), "RS256", 256),
    ],
)
def test_keys_of_every_kind_sign_with_further_headers_and_without_a_name(private, algorithm, length):
    chain = [base64.b64encode(b"x").decode()]
    token = sign(keys.key_for(private), {"sub": "x"}, header={"x5cInsecure": chain})
    assert header_of(token) == {"alg": algorithm, "typ": "JWT", "x5cInsecure": chain}
    assert len(decode_base64url(token.split(".")[2].encode(), "signature")) == length


def test_key_that_cannot_sign_a_token_is_refused_by_its_kind():
    with pytest.raises(CommandFailed, match=r"cannot sign a token: .*secp224r1"):
        keys.key_for(ec.generate_private_key(ec.SECP224R1()))
