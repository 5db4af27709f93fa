"""So many in so long, for each party by itself."""

from datetime import timedelta

import pytest

from sealwright.budgets import MOST_PARTIES, Budget
from sealwright.clock import FixedClock, Instant
from sealwright.errors import RateLimited
from sealwright.settings import Rate
from sealwright.settings.forms import read_rate

MINUTE = timedelta(minutes=1)


SIXTY = Rate(60, MINUTE)


def budget(rate=SIXTY):
    clock = FixedClock(Instant(1_790_000_000_000))
    return Budget(clock, rate, "requests from this address"), clock


def taken(budget, *party, tries=1_000):
    """How many of so many tries at one moment are let through."""
    count = 0
    for _ in range(tries):
        try:
            budget.take(*party)
            count += 1
        except RateLimited:
            pass
    return count


def test_all_of_it_may_be_spent_at_once_and_comes_back_steadily():
    one, clock = budget()
    assert taken(one, "a") == 60
    clock.advance(timedelta(seconds=1))
    assert taken(one, "a") == 1
    clock.advance(timedelta(seconds=10))
    assert taken(one, "a") == 10
    clock.advance(timedelta(hours=1))
    assert taken(one, "a") == 60


def test_whoever_has_spent_everything_is_told_when_to_come_back():
    one, clock = budget(Rate(2, MINUTE))
    taken(one, "a")
    with pytest.raises(RateLimited, match="Too many requests from this address") as refused:
        one.require("a")
    assert refused.value.retry_after == 30
    clock.advance(timedelta(seconds=29))
    with pytest.raises(RateLimited, match="in 1 second"):
        one.require("a")
    with pytest.raises(RateLimited):
        one.require("a")
    clock.advance(timedelta(seconds=1))
    one.require("a")


def test_parties_spend_each_their_own():
    one, _ = budget()
    assert taken(one, "wiki", "192.0.2.1") == 60
    assert taken(one, "wiki", "192.0.2.2") == 60
    assert taken(one, "forge", "192.0.2.1") == 60


def test_failures_that_end_at_the_same_time_cost_no_more_than_everything():
    one, clock = budget()
    for _ in range(500):
        one.spend("a")
    with pytest.raises(RateLimited):
        one.require("a")
    clock.advance(timedelta(seconds=1))
    one.require("a")


def test_no_limit_lets_everything_through():
    one, _ = budget(None)
    assert taken(one, "a") == 1_000


def test_clock_that_is_put_back_blocks_no_one():
    one, clock = budget()
    clock.advance(timedelta(days=400))
    taken(one, "a")
    clock.advance(timedelta(days=-400))
    one.require("a")
    assert taken(one, "a") == 60


def test_memory_is_bounded_and_the_latest_parties_are_remembered():
    one, _ = budget(Rate(1, MINUTE))
    for number in range(3 * MOST_PARTIES):
        one.spend(str(number))
    assert len(one._restored_at) <= MOST_PARTIES
    with pytest.raises(RateLimited):
        one.require(str(3 * MOST_PARTIES - 1))


@pytest.mark.parametrize(("text", "rate"), [("60/1m", Rate(60, MINUTE)), ("1/24h", Rate(1, timedelta(days=1))), ("off", None)])
def test_rate_is_a_number_and_a_time(text, rate):
    assert read_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "60", "60/", "/1m", "0/1m", "-1/1m", "1.5/1m", "60/0s", "60/25h", "60/minute", "9" * 20 + "/1m", 60]
)
def test_rate_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="must be"):
        read_rate(text)
