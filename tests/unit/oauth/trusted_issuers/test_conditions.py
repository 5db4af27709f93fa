"""Conditions on the claims of tokens of trusted issuers."""

import time

import pytest

from sealwright.errors import InvalidInput
from sealwright.oauth.trusted_issuers.conditions import fits, require_conditions, unmet

SUBJECT = "repo:example/shop:ref:refs/heads/main"


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (SUBJECT, SUBJECT),
        ("repo:example/*:ref:refs/heads/main", SUBJECT),
        ("repo:example/**", SUBJECT),
        ("**", ""),
        ("a*", "a"),
        ("system:serviceaccount:shop:*", "system:serviceaccount:shop:deployer"),
        ("v?.?", "v1.2"),
        ("*a*b*", "xaxbx"),
    ],
)
def test_pattern_fits_what_it_says(pattern, value):
    assert fits(pattern, value)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (SUBJECT, SUBJECT + "x"),
        (SUBJECT, SUBJECT.upper()),
        ("repo:example/*", SUBJECT),  # a star does not reach into the next part
        ("repo:*/shop:ref:refs/heads/main", "repo:evil/shop:environment:x/shop:ref:refs/heads/main"),
        ("system:serviceaccount:*:deployer", "system:serviceaccount:a:b:deployer"),
        ("a?b", "a/b"),
        ("a.b", "axb"),
        ("[a-z]", "b"),
        ("**", "x" * 1_001),
    ],
)
def test_pattern_fits_nothing_else(pattern, value):
    assert not fits(pattern, value)


def test_pattern_of_many_stars_is_decided_at_once():
    began = time.perf_counter()
    assert not fits("**a" * 80 + "b", "a" * 1_000)
    assert time.perf_counter() - began < 2


def test_values_of_every_kind_are_compared_and_what_is_wrong_is_named():
    claims = {
        "ref_protected": True,
        "run": 7,
        "aud": ["a", "b"],
        "kubernetes.io": {"namespace": "shop", "pod": {"name": "x"}},
    }
    conditions = {"ref_protected": "true", "run": "7", "aud": "b", "/kubernetes.io/namespace": "sh*"}
    assert unmet(conditions, claims) == ()
    assert unmet({"run": "8", "ref": "main", "/kubernetes.io/pod": "x", "/run/x": "7"}, claims) == (
        ("run is 7", "8"),
        ("ref is missing", "main"),
        ("/kubernetes.io/pod is missing", "x"),
        ("/run/x is missing", "7"),
    )


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"sub": "*"},
        {"sub": "**", "ref": "?"},
        {"repository": "*/*"},
        {"sub": "*:*"},
        {"iss": "https://issuer.example.org", "aud": "https://id.example.org"},
        {"sub": ""},
        {"": "x"},
        {"sub": "x" * 257},
        {f"c{n}": "x" for n in range(17)},
    ],
)
def test_conditions_that_fit_everyone_or_cannot_be_read_are_refused(conditions):
    with pytest.raises(InvalidInput) as caught:
        require_conditions(conditions)
    assert caught.value.hint
