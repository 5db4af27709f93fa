"""No regular expression takes more than linear time: what comes from outside would stop the server."""

import re
import time

import pytest

from tests.architecture.patterns import Used, attacks, patterns

LENGTHS = (20, 250, 8_192)
"""Growing, so that an exponential or cubic pattern fails and does not hang; at the last one a quadratic pattern takes tens of
milliseconds, and a linear one a tenth of one."""
ALLOWED = 0.005
_FOUND = patterns()
_TRIES = 20


def slowest(used: Used, length: int) -> tuple[float, str]:
    """Processor time of the slowest attack, the best of several tries, and the attack."""
    worst, by = 0.0, ""
    for text in attacks(used.pattern, length):
        for method in used.methods:
            took = min_time(used.pattern, method, text)
            if took > worst:
                worst, by = took, f"{method}({text[:60]!r}…)"
            if worst > ALLOWED:
                return worst, by
    return worst, by


def min_time(pattern, method, text):
    best = float("inf")
    for _ in range(_TRIES):
        begun = time.process_time()
        run(pattern, method, text)
        best = min(best, time.process_time() - begun)
        if best < ALLOWED:
            break
    return best


def run(pattern, method, text):
    if method in {"sub", "subn"}:
        getattr(pattern, method)(text[:0], text)
    else:
        found = getattr(pattern, method)(text)
        if method == "finditer":
            list(found)


def test_the_patterns_of_the_source_are_found():
    assert len(_FOUND) > 40
    assert {"fullmatch", "search", "match"} <= {method for used in _FOUND for method in used.methods}


@pytest.mark.parametrize("used", _FOUND, ids=lambda used: used.where)
def test_pattern_takes_linear_time(used):
    for length in LENGTHS:
        took, by = slowest(used, length)
        assert took <= ALLOWED, f"{used.pattern.pattern!r} took {took * 1000:.1f} ms for {length} characters: {by}"


@pytest.mark.parametrize(
    "slow", [r"(a+)+b", r"x\s+([a-z\s]*+)y", r"\s*([^x]+?)\s*y", r"(\d+(?:\.\d+)?)s"], ids=["nested", "armour", "lazy", "scan"]
)
def test_a_slow_pattern_is_seen(slow):
    used = Used("", re.compile(slow), frozenset({"search"}))
    assert any(slowest(used, length)[0] > ALLOWED for length in LENGTHS)
