"""Tokens under arbitrary input: nothing but a refusal comes of it, and nothing passes that another library refuses."""

import base64
import binascii
from typing import Any

import jwt
import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sealwright.jose import (
    JWT,
    LONGEST_TOKEN,
    JwkRefused,
    TokenMalformed,
    TokenRefused,
    UnverifiedToken,
    VerificationKey,
    decrypt_private_jwk,
    keys_of_jwks,
    sign,
    verify,
)
from sealwright.jose.encoding import decode_base64url
from sealwright.jose.signatures import make_signature
from tests.signing import signing_key, verification_key

KEY = signing_key()
KEYS = (verification_key(KEY),)
ES256 = frozenset({"ES256"})
TOKEN = sign(KEY, {"sub": "alice", "exp": 1_800_000_000, "groups": ["a", "b"], "email_verified": True})

SIGNATURE_ONLY: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.integers(min_value=-(2**63), max_value=2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
reserved = {"exp", "nbf", "iat", "aud", "iss", "sub", "jti"}
claims = st.dictionaries(texts.filter(lambda name: name not in reserved), values, max_size=8)


def accepts(token):
    try:
        return verify(token, KEYS, typ=JWT, algorithms=ES256).claims
    except TokenRefused:
        return None


def other_library_accepts(token):
    try:
        return jwt.decode(token, KEY.public_key, ["ES256"], SIGNATURE_ONLY)
    except jwt.PyJWTError:
        return None


@given(claims)
def test_every_claim_survives_and_reads_the_same_elsewhere(content):
    token = sign(KEY, content)
    assert verify(token, KEYS, typ=JWT, algorithms=ES256).claims == content == UnverifiedToken(token).claims()
    assert other_library_accepts(token) == content


@given(claims)
def test_what_another_library_writes_is_read_here(content):
    token = jwt.encode(content, KEY.private_key, "ES256", {"kid": KEY.id})
    assume(len(token) <= LONGEST_TOKEN)
    assert accepts(token) == content


@given(position=st.integers(min_value=0, max_value=len(TOKEN) - 1), put=st.text(max_size=3), cut=st.integers(0, 3))
def test_a_token_that_was_changed_anywhere_is_refused(position, put, cut):
    changed = TOKEN[:position] + put + TOKEN[position + cut :]
    assume(changed != TOKEN)
    assert accepts(changed) is None


@given(header=st.binary(max_size=80), payload=st.binary(max_size=80), signature=st.binary(max_size=80))
def test_arbitrary_segments_are_refused_and_nothing_worse(header, payload, signature):
    token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, payload, signature))
    assert accepts(token) is None


@given(st.text(max_size=200))
@example("." * 16_384)
@example("\ud800.\ud800.\ud800")
def test_arbitrary_text_is_refused_and_nothing_worse(text):
    assert accepts(text) is None


@given(payload=st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0123abn -.eE', max_size=40).map(str.encode))
@example(b'{"a":1,"a":2}')
@example(b'{"\\ud800":1}')
@example(b'{"a":1e999}')
@example(b'{"a":' + b"9" * 5_000 + b"}")
def test_signed_payloads_that_pass_here_pass_elsewhere_too(payload):
    head = sign(KEY, {}).split(".")[0]
    text = f"{head}.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}"
    signature = make_signature("ES256", KEY.private_key, text.encode())
    token = f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    found = accepts(token)
    if found is not None:
        assert found == other_library_accepts(token)


@given(st.binary(max_size=60))
def test_base64url_has_one_spelling(raw):
    spelling = base64.urlsafe_b64encode(raw).rstrip(b"=")
    assert decode_base64url(spelling, "text") == raw


@given(st.text(alphabet="ABgw-_+/=\n x", max_size=9).map(str.encode))
def test_every_spelling_that_is_read_is_the_canonical_one(text):
    try:
        raw = decode_base64url(text, "text")
    except TokenMalformed:
        return
    assert base64.urlsafe_b64encode(raw).rstrip(b"=") == text
    assert binascii.a2b_base64(text.translate(bytes.maketrans(b"-_", b"+/")) + b"==") == raw


key_sets = st.lists(values).map(lambda keys: msgspec.json.encode({"keys": keys}))
five_parts = st.lists(st.binary(max_size=20), min_size=5, max_size=5).map(
    lambda parts: ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)
)


@given(st.binary(max_size=200) | values.map(msgspec.json.encode) | key_sets)
def test_arbitrary_key_sets_give_keys_or_a_refusal(document):
    try:
        keys = keys_of_jwks(document)
    except JwkRefused:
        return
    assert all(isinstance(key, VerificationKey) for key in keys)


@given(st.text(max_size=100) | five_parts)
def test_arbitrary_encrypted_keys_are_refused(text):
    with pytest.raises(JwkRefused):
        decrypt_private_jwk(text, b"password")
