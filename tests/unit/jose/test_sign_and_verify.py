import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.jose import (
    ACCESS_TOKEN,
    ALGORITHMS,
    JWT,
    LONGEST_TOKEN,
    KeyUnknown,
    TokenMalformed,
    TokenRefused,
    TokenTooLong,
    UnverifiedToken,
    VerificationKey,
    jwk_of,
    require_room,
    sign,
    verify,
)
from sealwright.jose.signatures import make_signature
from tests.signing import signing_key, verification_key

CLAIMS = {"iss": "https://localhost:8443/oauth2/openid/web", "sub": "ä", "aud": ["web"], "exp": 1_800_000_000, "n": None}
KEY = signing_key()
KEYS = (verification_key(KEY),)
ES256 = frozenset({"ES256"})


def segment(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header, payload, key=KEY):
    text = f"{segment(header)}.{segment(payload)}"
    return f"{text}.{segment(make_signature(key.algorithm, key.private_key, text.encode()))}"


def header(**members):
    return {"alg": "ES256", "kid": KEY.id, "typ": "JWT", **members}


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_what_is_signed_verifies_and_agrees_with_another_library(algorithm):
    key = signing_key(algorithm)
    token = sign(key, CLAIMS, type="at+jwt")
    found = verify(token, (verification_key(key),), typ="at+jwt", algorithms=frozenset({algorithm}))
    assert found.claims == CLAIMS == UnverifiedToken(token).claims()
    assert found.header == {"alg": algorithm, "kid": key.id, "typ": "at+jwt"} == UnverifiedToken(token).header
    if algorithm != "Ed25519":  # a name of RFC 9864 that the other library does not have
        assert jwt.decode(token, key.public_key, [algorithm], audience="web") == CLAIMS
        foreign = jwt.encode(CLAIMS, key.private_key, algorithm, {"kid": key.id})
        assert verify(foreign, (verification_key(key),), typ=JWT, algorithms=frozenset({algorithm})).claims == CLAIMS


def test_fully_specified_name_of_eddsa_is_the_same_algorithm():
    key = signing_key("EdDSA")
    token = sign(key, CLAIMS)
    named_otherwise = VerificationKey(key.id, "Ed25519", key.public_key)
    assert verify(token, (named_otherwise,), typ=JWT, algorithms=frozenset({"EdDSA"})).claims == CLAIMS


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES384", "RS256", "", None, 5, ["ES256"], {"a": 1}])
def test_algorithm_that_is_not_allowed_is_refused(algorithm):
    token = signed(header(alg=algorithm), CLAIMS)
    with pytest.raises(TokenRefused, match="which is not allowed here"):
        verify(token, KEYS, typ=JWT, algorithms=ES256)


def test_algorithm_is_refused_even_when_a_caller_allows_what_we_do_not_have():
    for algorithm in ("none", "HS256"):
        token = f"{segment(header(alg=algorithm))}.{segment(CLAIMS)}."
        with pytest.raises(TokenRefused, match="which is not allowed here"):
            verify(token, KEYS, typ=JWT, algorithms=frozenset({algorithm}))


def test_public_key_is_never_taken_as_a_shared_secret():
    pem = KEY.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{segment(header(alg='HS256'))}.{segment(CLAIMS)}"
    token = f"{text}.{segment(hmac.digest(pem, text.encode(), 'sha256'))}"
    with pytest.raises(TokenRefused, match="'HS256', which is not allowed here"):
        verify(token, KEYS, typ=JWT, algorithms=ALGORITHMS | {"HS256"})


def test_key_of_another_algorithm_is_refused():
    signer = signing_key("RS256")
    token = sign(signer, CLAIMS)
    with pytest.raises(TokenRefused, match="does not sign with RS256"):
        verify(token, (VerificationKey(signer.id, "PS256", signer.public_key),), typ=JWT, algorithms=ALGORITHMS)
    with pytest.raises(TokenRefused, match="does not sign with RS256"):
        verify(token, (VerificationKey(signer.id, "", KEY.public_key),), typ=JWT, algorithms=ALGORITHMS)
    assert verify(token, (VerificationKey(signer.id, "", signer.public_key),), typ=JWT, algorithms=ALGORITHMS).claims == CLAIMS


def test_unknown_key_is_told_apart_from_a_wrong_signature():
    with pytest.raises(KeyUnknown, match="which its issuer does not have"):
        verify(signed(header(kid="elsewhere"), CLAIMS), KEYS, typ=JWT, algorithms=ES256)
    stranger = signing_key()
    with pytest.raises(TokenRefused, match="signature is wrong") as caught:
        verify(signed(header(), CLAIMS, stranger), KEYS, typ=JWT, algorithms=ES256)
    assert not isinstance(caught.value, KeyUnknown)


def test_token_without_kid_needs_exactly_one_key_that_fits():
    token = signed({"alg": "ES256"}, CLAIMS)
    other = verification_key(signing_key("RS256"))
    assert verify(token, (other, *KEYS), typ=JWT, algorithms=ES256).claims == CLAIMS
    with pytest.raises(KeyUnknown, match="names no key"):
        verify(token, (verification_key(signing_key()), *KEYS), typ=JWT, algorithms=ES256)
    with pytest.raises(KeyUnknown, match="names no key"):
        verify(token, (), typ=JWT, algorithms=ES256)
    with pytest.raises(TokenMalformed, match="kid is not a text"):
        verify(signed(header(kid=7), CLAIMS), KEYS, typ=JWT, algorithms=ES256)


def test_of_two_keys_with_the_same_kid_the_fitting_one_is_used():
    other = VerificationKey(KEY.id, "RS256", signing_key("RS256").public_key)
    assert verify(sign(KEY, CLAIMS), (other, *KEYS), typ=JWT, algorithms=ES256).claims == CLAIMS


def test_each_changed_byte_of_the_signature_or_text_is_noticed():
    token = sign(KEY, {"a": 1})
    for position in range(len(token)):
        if token[position] == ".":
            continue
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        with pytest.raises(TokenRefused):
            verify(changed, KEYS, typ=JWT, algorithms=ES256)


@pytest.mark.parametrize("length", [0, 1, 63, 65, 70, 72, 128])
def test_signature_of_another_length_is_refused(length):
    text = f"{segment(header())}.{segment(CLAIMS)}"
    with pytest.raises(TokenRefused, match="signature is wrong"):
        verify(f"{text}.{segment(b'x' * length)}", KEYS, typ=JWT, algorithms=ES256)


@pytest.mark.parametrize("r_and_s", [bytes(64), b"\xff" * 64, bytes(32) + b"\x01" * 32, b"\x01" * 32 + bytes(32)])
def test_signature_numbers_out_of_range_are_refused(r_and_s):
    text = f"{segment(header())}.{segment(CLAIMS)}"
    with pytest.raises(TokenRefused, match="signature is wrong"):
        verify(f"{text}.{segment(r_and_s)}", KEYS, typ=JWT, algorithms=ES256)


def test_der_signature_in_place_of_r_and_s_is_refused():
    text = f"{segment(header())}.{segment(CLAIMS)}"
    assert isinstance(KEY.private_key, ec.EllipticCurvePrivateKey)
    der = KEY.private_key.sign(text.encode(), ec.ECDSA(SHA256()))
    with pytest.raises(TokenRefused, match="signature is wrong"):
        verify(f"{text}.{segment(der)}", KEYS, typ=JWT, algorithms=ES256)


@pytest.mark.parametrize("value", [[], ["b64"], ["exp"], "b64", None])
def test_critical_extensions_are_refused(value):
    token = signed(header(crit=value, b64=False), CLAIMS)
    with pytest.raises(TokenMalformed, match="asks for extensions"):
        verify(token, KEYS, typ=JWT, algorithms=ES256)
    with pytest.raises(TokenMalformed, match="asks for extensions"):
        UnverifiedToken(token)


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_keys_that_the_token_brings_along_are_not_used(member):
    stranger = signing_key()
    token = signed(header(**{member: jwk_of(stranger.public_key, KEY.id, "ES256")}), CLAIMS, stranger)
    with pytest.raises(TokenRefused, match="signature is wrong"):
        verify(token, KEYS, typ=JWT, algorithms=ES256)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "." * LONGEST_TOKEN,
        "e30.e30.é",
        " e30.e30.AA",
        "e30=.e30.AA",
        "e30.e30.AA==",
        "e31.e30.AA",  # the last character has bits that no one reads
        "e3+.e30.AA",
        "e3/.e30.AA",
        "e30\n.e30.AA",
        "e.e30.AA",
        "W10.e30.AA",  # []
        "bnVsbA.e30.AA",  # null
        "e30.e30.AA\x00",
    ],
)
def test_what_is_no_token_is_refused(token):
    with pytest.raises(TokenRefused):
        verify(token, KEYS, typ=JWT, algorithms=ES256)


def test_size_is_checked_before_anything_is_cut():
    huge = "a" * LONGEST_TOKEN + "." + "." * 1_000_000
    for read in (
        UnverifiedToken,
        lambda token: UnverifiedToken(token).claims(),
        lambda token: verify(token, KEYS, typ=JWT, algorithms=ES256),
    ):
        with pytest.raises(TokenMalformed, match=f"longer than {LONGEST_TOKEN} characters"):
            read(huge)


def test_token_that_would_not_be_read_is_not_made():
    with pytest.raises(TokenTooLong, match=f"; {LONGEST_TOKEN} are read here"):
        sign(KEY, {"a": "b" * LONGEST_TOKEN})


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_room_is_asked_for_exactly_what_signing_takes(algorithm):
    key = signing_key(algorithm)

    def is_refused(attempt, filling):
        try:
            attempt(key, {"a": "b" * filling}, type="at+jwt")
        except TokenTooLong:
            return True
        return False

    near = (LONGEST_TOKEN - len(sign(key, {"a": ""}))) * 3 // 4
    seen = [(is_refused(sign, filling), is_refused(require_room, filling)) for filling in range(near - 5, near + 6)]
    assert set(seen) == {(False, False), (True, True)}


def test_longest_token_is_still_read():
    fill = LONGEST_TOKEN - len(sign(KEY, {"a": ""}))
    token = sign(KEY, {"a": "b" * (fill * 3 // 4 - 4)})
    assert LONGEST_TOKEN - 10 < len(token) <= LONGEST_TOKEN
    assert verify(token, KEYS, typ=JWT, algorithms=ES256).claims["a"].startswith("bbb")


@pytest.mark.parametrize(
    "payload",
    [
        b'{"sub":"alice","sub":"bob"}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":[{"b":1,"\\u0062":2}]}',
        b"[" * 5_000,
        b'{"a":' * 2_000,
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b'{"a":1}{}',
        b"\xef\xbb\xbf{}",
        b"",
        b"7",
    ],
)
def test_payload_that_is_ambiguous_or_no_object_is_refused_even_when_signed(payload):
    token = signed(header(), payload)
    with pytest.raises(TokenMalformed, match="payload of the token"):
        verify(token, KEYS, typ=JWT, algorithms=ES256)
    with pytest.raises(TokenMalformed, match="payload of the token"):
        UnverifiedToken(token).claims()


def test_header_that_names_a_member_twice_is_refused():
    token = signed(b'{"alg":"ES256","alg":"none"}', CLAIMS)
    with pytest.raises(TokenMalformed, match="header of the token"):
        verify(token, KEYS, typ=JWT, algorithms=ES256)


def test_text_written_in_another_style_is_read():
    payload = b'{ "exp" : 1.8e9, "sub": "\\u00e4", "big": 123456789012345678901234567890 }'
    found = verify(signed(b'{ "alg":"ES256" }', payload), KEYS, typ=JWT, algorithms=ES256).claims
    assert found["sub"] == "ä"
    assert found["exp"] == 1_800_000_000


def test_refusals_do_not_repeat_the_token():
    token = sign(KEY, CLAIMS)
    for spoiled in (token[:-3] + "AAA", token + ".", token.replace(".", "", 1)):
        with pytest.raises(TokenRefused) as caught:
            verify(spoiled, KEYS, typ=JWT, algorithms=ES256)
        assert token[40:60] not in caught.value.detail
    long_kid = signed(header(kid="k" * 5_000), CLAIMS)
    with pytest.raises(KeyUnknown) as caught:
        verify(long_kid, KEYS, typ=JWT, algorithms=ES256)
    assert len(caught.value.detail) < 200


def test_header_cannot_be_changed_for_the_next_reader():
    found: Any = verify(sign(KEY, CLAIMS), KEYS, typ=JWT, algorithms=ES256).header
    with pytest.raises(TypeError):
        found["alg"] = "none"


def test_key_that_does_not_fit_its_algorithm_is_a_bug_of_the_caller():
    for algorithm in ("ES384", "RS256", "EdDSA", "HS256"):
        with pytest.raises(ValueError, match=f"cannot sign with {algorithm}"):
            make_signature(algorithm, KEY.private_key, b"text")


def test_small_rsa_key_is_refused():
    weak = signing_key("RS256", rsa.generate_private_key(public_exponent=65_537, key_size=1024))
    with pytest.raises(TokenRefused, match="signature is wrong"):
        verify(sign(weak, CLAIMS), (verification_key(weak),), typ=JWT, algorithms=ALGORITHMS)


@pytest.mark.parametrize(
    ("typ", "wanted", "good"),
    [
        ("JWT", JWT, True),
        ("jwt", JWT, True),
        ("application/jwt", JWT, True),
        (None, JWT, True),
        ("at+jwt", JWT, False),
        ("application/at+jwt", JWT, False),
        ("logout+jwt", JWT, False),
        ("", JWT, False),
        (["JWT"], JWT, False),
        ("at+jwt", ACCESS_TOKEN, True),
        ("application/AT+JWT", ACCESS_TOKEN, True),
        (None, ACCESS_TOKEN, False),
        ("JWT", ACCESS_TOKEN, False),
    ],
)
def test_token_of_one_type_is_no_token_of_another(typ, wanted, good):
    token = signed({name: value for name, value in header(typ=typ).items() if value is not None}, CLAIMS)
    if good:
        assert verify(token, KEYS, typ=wanted, algorithms=ES256).claims == CLAIMS
    else:
        with pytest.raises(TokenRefused, match="typ is"):
            verify(token, KEYS, typ=wanted, algorithms=ES256)
