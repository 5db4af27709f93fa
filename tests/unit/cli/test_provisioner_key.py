import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.cli import provisioner_key as keys
from sealwright.cli.errors import CommandFailed, RefusedByServer
from sealwright.entropy import SeededEntropy
from sealwright.jose import JWT, VerificationKey, decrypt_private_jwk, jwk_of, public_key_from_jwk, verify

RANDOM = SeededEntropy(3).bytes


def numbers(key):
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_numbers()


def sealed(password="correct horse"):
    key = keys.new_key()
    return key, keys.seal(key, password, RANDOM, 100_000)


def test_sealed_key_opens_with_its_password_only():
    key, jwe = sealed()
    opened = keys.open_sealed(jwe, "correct horse")
    assert (opened.id, opened.algorithm) == (key.id, "ES256")
    assert numbers(opened.private_key) == numbers(key.private_key)
    with pytest.raises(RefusedByServer, match="does not open"):
        keys.open_sealed(jwe, "wrong")


def test_sealed_key_has_the_form_that_step_makes():
    _, jwe = sealed()
    header = json.loads(keys.decoded(jwe.split(".")[0]))
    assert {name: header[name] for name in ("alg", "enc", "cty")} == {
        "alg": "PBES2-HS256+A128KW",
        "enc": "A256GCM",
        "cty": "jwk+json",
    }
    assert len(keys.decoded(header["p2s"])) == 16
    assert header["p2c"] == 100_000


@pytest.mark.parametrize(
    "change",
    [
        lambda header: {**header, "p2c": 100_000_000},
        lambda header: {**header, "p2c": 99_999},
        lambda header: {**header, "p2c": "600000"},
        lambda header: {**header, "alg": "dir"},
        lambda header: {**header, "enc": "A128CBC-HS256"},
        lambda header: {name: value for name, value in header.items() if name != "p2s"},
    ],
)
def test_sealed_key_of_another_form_is_refused_before_work_is_done(change):
    _, jwe = sealed()
    head, rest = jwe.split(".", 1)
    changed = change(json.loads(keys.decoded(head)))
    with pytest.raises(CommandFailed):
        keys.open_sealed(f"{keys.encoded(json.dumps(changed).encode())}.{rest}", "correct horse")


@pytest.mark.parametrize("text", ["", "a.b.c", "....", "x.x.x.x.x", "é.x.x.x.x"])
def test_rubbish_is_refused(text):
    with pytest.raises(CommandFailed):
        keys.open_sealed(text, "correct horse")


def test_sealed_content_cannot_be_changed():
    _, jwe = sealed()
    parts = jwe.split(".")
    data = bytearray(keys.decoded(parts[3]))
    data[5] ^= 1
    parts[3] = keys.encoded(bytes(data))
    with pytest.raises(RefusedByServer):
        keys.open_sealed(".".join(parts), "correct horse")


def test_server_library_opens_what_the_command_sealed():
    key = keys.new_key()
    private = decrypt_private_jwk(keys.seal(key, "correct horse", RANDOM), b"correct horse")
    assert numbers(private) == numbers(key.private_key)


def test_token_verifies_with_the_public_key():
    key = keys.new_key()
    public = public_key_from_jwk(keys.public_jwk(key))
    token = key.sign({"sub": "web.example.org"})
    known = (VerificationKey(id=key.id, algorithm="ES256", public_key=public),)
    assert verify(token, known, typ=JWT, algorithms=frozenset({"ES256"})).claims["sub"] == "web.example.org"
    assert jwk_of(public, key.id, "ES256") == keys.public_jwk(key)


@pytest.mark.parametrize(
    ("private", "algorithm", "length"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "ES384", 96),
        (ec.generate_private_key(ec.SECP521R1()), "ES512", 132),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA", 64),
        (rsa.generate_private_key(65537, 2048), "RS256", 256),
    ],
)
def test_keys_of_every_kind_sign(private, algorithm, length):
    key = keys.key_for(private)
    token = key.sign({"sub": "x"}, {"x5cInsecure": [base64.b64encode(b"x").decode()]})
    header = json.loads(keys.decoded(token.split(".")[0]))
    assert (header["alg"], header.get("kid")) == (algorithm, None)
    assert len(keys.decoded(token.split(".")[2])) == length
