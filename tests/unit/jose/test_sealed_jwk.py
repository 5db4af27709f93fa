import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import OctKey

from sealwright.jose import JwkRefused, decrypt_private_jwk, encrypt_private_jwk, thumbprint
from sealwright.password_strength import FEWEST_ITERATIONS, ITERATIONS, MOST_ITERATIONS

NAMES = ["PBES2-HS256+A128KW", "A256GCM"]
PASSWORD = b"a long pass phrase"
KEY = ec.generate_private_key(ec.SECP256R1())
SEALED = encrypt_private_jwk(KEY, PASSWORD, iterations=FEWEST_ITERATIONS)


def header_of(sealed):
    return json.loads(base64.urlsafe_b64decode(sealed.partition(".")[0] + "=="))


def with_header(**members):
    changed = {**header_of(SEALED), **members}
    return base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode() + SEALED[SEALED.index(".") :]


def open_elsewhere():
    """What another library finds in the sealed key."""
    return jwe.decrypt_compact(SEALED, OctKey.import_key(PASSWORD), algorithms=NAMES).plaintext or b""


def same(one, other):
    return one.private_key.private_numbers() == other.private_numbers()


def test_key_comes_back_with_its_password_only():
    assert same(decrypt_private_jwk(SEALED, PASSWORD), KEY)
    with pytest.raises(JwkRefused, match="the password is wrong"):
        decrypt_private_jwk(SEALED, PASSWORD.upper())


def test_form_is_the_one_that_step_writes():
    sealed = encrypt_private_jwk(KEY, PASSWORD)
    header = header_of(sealed)
    assert (header["alg"], header["enc"], header["cty"], header["p2c"]) == (*NAMES, "jwk+json", ITERATIONS)
    assert ITERATIONS == 600_000
    assert len(base64.urlsafe_b64decode(header["p2s"] + "==")) == 16


def test_another_library_opens_what_we_seal():
    jwk = json.loads(open_elsewhere())
    assert (jwk["kid"], jwk["alg"], jwk["use"], jwk["kty"], jwk["crv"]) == (
        thumbprint(KEY.public_key()),
        "ES256",
        "sig",
        "EC",
        "P-256",
    )
    assert int.from_bytes(base64.urlsafe_b64decode(jwk["d"] + "=")) == KEY.private_numbers().private_value


def test_we_open_what_another_library_seals():
    plaintext = open_elsewhere()
    header = {"alg": NAMES[0], "enc": NAMES[1], "p2c": 200_000, "cty": "jwk+json"}
    sealed = jwe.encrypt_compact(header, plaintext, OctKey.import_key(PASSWORD[::-1]), algorithms=NAMES)
    assert same(decrypt_private_jwk(sealed, PASSWORD[::-1]), KEY)


@pytest.mark.parametrize("iterations", [1, FEWEST_ITERATIONS - 1, MOST_ITERATIONS + 1, 10**12])
def test_number_of_iterations_is_bounded_before_any_work(iterations):
    with pytest.raises(JwkRefused, match="iterations; 100000 to 1000000 are accepted"):
        decrypt_private_jwk(with_header(p2c=iterations), PASSWORD)


@pytest.mark.parametrize(
    "members",
    [
        {"alg": "dir"},
        {"alg": "A128KW"},
        {"enc": "A128CBC-HS256"},
        {"zip": "DEF"},
        {"crit": ["x"]},
        {"p2c": "100000"},
        {"p2c": True},
        {"p2s": 5},
        {"p2s": "!"},
    ],
)
def test_other_headers_are_refused(members):
    with pytest.raises(JwkRefused):
        decrypt_private_jwk(with_header(**members), PASSWORD)


@pytest.mark.parametrize(
    "sealed", ["", "a.b.c", "....", "." * 10_000, "é.b.c.d.e", "e30.a.b.c.d", "W10....", "x" * 9_000 + "...."]
)
def test_what_is_no_jwe_is_refused(sealed):
    with pytest.raises(JwkRefused):
        decrypt_private_jwk(sealed, PASSWORD)


@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_changed_parts_are_noticed(part):
    parts = SEALED.split(".")
    parts[part] = ("B" if parts[part][0] == "A" else "A") + parts[part][1:]
    with pytest.raises(JwkRefused, match="or the key was changed"):
        decrypt_private_jwk(".".join(parts), PASSWORD)


@pytest.mark.parametrize("change", [{"d": None}, {"d": "AQ"}, {"kty": "oct"}, {"x": "AAAA"}, {"d": "A" * 43}])
def test_content_that_is_no_private_key_is_refused(change):
    jwk = json.dumps({**json.loads(open_elsewhere()), **change})
    header = {"alg": NAMES[0], "enc": NAMES[1], "p2c": FEWEST_ITERATIONS}
    sealed = jwe.encrypt_compact(header, jwk, OctKey.import_key(PASSWORD), algorithms=NAMES)
    with pytest.raises(JwkRefused):
        decrypt_private_jwk(sealed, PASSWORD)


def test_only_keys_on_p256_are_sealed():
    with pytest.raises(JwkRefused, match="P-256"):
        encrypt_private_jwk(ec.generate_private_key(ec.SECP384R1()), PASSWORD)


def test_empty_password_protects_nothing():
    with pytest.raises(JwkRefused, match="needs a password"):
        encrypt_private_jwk(KEY, b"")
