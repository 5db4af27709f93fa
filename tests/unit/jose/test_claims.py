from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.clock import Instant, from_seconds
from sealwright.jose import (
    LEEWAY,
    TokenExpired,
    TokenMalformed,
    TokenRefused,
    audiences,
    check_authorized_party,
    check_times,
    instant_claim,
    optional_text,
    require_audience,
    require_issuer,
    require_text,
    text_list,
)

NOW = from_seconds(1_800_000_000)
SECONDS = int(LEEWAY.total_seconds())


def at(offset):
    return 1_800_000_000 + offset


def test_leeway_is_one_minute():
    assert timedelta(minutes=1) == LEEWAY


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": at(1)},
        {"exp": at(1 - SECONDS)},
        {"exp": at(1), "nbf": at(SECONDS), "iat": at(SECONDS)},
        {"exp": float(at(300)) + 0.5, "nbf": at(-300), "iat": 0},
    ],
)
def test_times_within_leeway_are_good(claims):
    check_times(claims, NOW)
    assert instant_claim(claims, "exp") is not None


@pytest.mark.parametrize(
    ("claims", "failure", "words"),
    [
        ({"exp": at(-SECONDS)}, TokenExpired, "expired at 2027-01-15T07:59:00Z; it is 2027-01-15T08:00:00Z"),
        ({"exp": 0}, TokenExpired, "expired at 1970"),
        ({}, TokenRefused, "does not say when it expires"),
        ({"exp": None}, TokenRefused, "does not say when it expires"),
        ({"exp": at(9), "nbf": at(SECONDS + 1)}, TokenRefused, "not valid before"),
        ({"exp": at(9), "iat": at(SECONDS + 1)}, TokenRefused, "issued in the future"),
        ({"exp": "soon"}, TokenMalformed, "exp is not a time"),
        ({"exp": True}, TokenMalformed, "exp is not a time"),
        ({"exp": float("inf")}, TokenMalformed, "exp is not a time"),
        ({"exp": float("nan")}, TokenMalformed, "exp is not a time"),
        ({"exp": 10**30}, TokenMalformed, "exp is not a time"),
        ({"exp": -1}, TokenMalformed, "exp is not a time"),
        ({"exp": at(9), "nbf": [1]}, TokenMalformed, "nbf is not a time"),
        ({"exp": at(9), "iat": "x"}, TokenMalformed, "iat is not a time"),
    ],
)
def test_times_beyond_leeway_are_refused_in_words(claims, failure, words):
    with pytest.raises(failure, match=words):
        check_times(claims, NOW)


@given(offset=st.integers(min_value=-10_000, max_value=10_000), leeway=st.integers(min_value=0, max_value=600))
def test_expiry_agrees_with_its_definition(offset, leeway):
    try:
        check_times({"exp": at(offset)}, NOW, timedelta(seconds=leeway))
        good = True
    except TokenExpired:
        good = False
    assert good == (offset + leeway > 0)


@pytest.mark.parametrize("found", ["https://id.example.org/", "https://ID.example.org", "http://id.example.org", None, 5, ["x"]])
def test_issuer_is_compared_byte_by_byte(found):
    with pytest.raises(TokenRefused, match=r"not by https://id\.example\.org"):
        require_issuer({"iss": found}, "https://id.example.org")


def test_right_issuer_audience_and_party_pass():
    claims = {"iss": "i", "aud": ["a", "b"], "azp": "a"}
    require_issuer(claims, "i")
    require_audience(claims, "b")
    require_audience(claims, {"x", "a"})
    check_authorized_party(claims, "a")
    check_authorized_party({}, "a")
    assert audiences({"aud": "one"}) == ("one",)
    assert audiences({}) == ()


@pytest.mark.parametrize("found", ["ab", ["A"], [], None, "", ["a "]])
def test_other_audiences_are_refused(found):
    claims = {} if found is None else {"aud": found}
    with pytest.raises(TokenRefused, match="not for a"):
        require_audience(claims, "a")


@pytest.mark.parametrize("found", [5, [5], {"a": 1}, [["a"]]])
def test_audience_of_another_type_is_malformed(found):
    with pytest.raises(TokenMalformed, match="aud is neither"):
        require_audience({"aud": found}, "a")


@pytest.mark.parametrize("found", ["", "other", 5, ["a"]])
def test_other_authorized_party_is_refused(found):
    with pytest.raises(TokenRefused, match="made for the client"):
        check_authorized_party({"azp": found}, "a")


def test_texts_are_read_with_their_types():
    claims = {"sub": "s", "groups": ["g", "h"], "one": "g", "empty": "", "number": 7, "mixed": ["g", 7]}
    assert require_text(claims, "sub") == "s"
    assert optional_text(claims, "email") == ""
    assert text_list(claims, "groups") == ("g", "h")
    assert text_list(claims, "one") == ("g",)
    assert text_list(claims, "none") == ()
    for name, read in [("empty", require_text), ("none", require_text), ("number", optional_text), ("mixed", text_list)]:
        with pytest.raises(TokenRefused, match=name):
            read(claims, name)
    with pytest.raises(TokenMalformed, match="number is not a list"):
        text_list(claims, "number")


def test_long_values_are_cut_in_messages():
    with pytest.raises(TokenRefused) as caught:
        require_issuer({"iss": "x" * 10_000}, "i")
    assert len(caught.value.detail) < 200


def test_numeric_dates_become_instants():
    assert instant_claim({"auth_time": 1_800_000_000.25}, "auth_time") == Instant(1_800_000_000_250)
    assert instant_claim({}, "auth_time") is None
