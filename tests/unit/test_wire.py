"""What a request gives a handler to read."""

import pytest

from sealwright.wire import Request


def cookie_of(header: str) -> str | None:
    return Request("GET", "/", headers={"cookie": header}).cookie("__Host-sealwright_session")


def test_cookie_is_found_among_others() -> None:
    assert cookie_of("theme=dark; __Host-sealwright_session=abc; x=y") == "abc"


def test_odd_cookie_of_another_program_on_the_same_host_does_not_hide_ours() -> None:
    assert cookie_of('state={"a": 1, "b": "c"}; bare; __Host-sealwright_session=abc') == "abc"


def test_comma_in_a_foreign_value_does_not_make_a_cookie_of_ours() -> None:
    assert cookie_of("x=1, __Host-sealwright_session=forged") is None
    assert cookie_of("x=1,__Host-sealwright_session=forged; __Host-sealwright_session=abc") == "abc"


def test_cookie_that_comes_twice_counts_as_absent() -> None:
    assert cookie_of("__Host-sealwright_session=abc; __Host-sealwright_session=forged") is None


@pytest.mark.parametrize("header", ["", ";", "=", "__Host-sealwright_sessions=abc", "a=__Host-sealwright_session=abc"])
def test_absent_cookie_is_none(header: str) -> None:
    assert cookie_of(header) is None


def test_value_may_hold_an_equals_sign() -> None:
    assert cookie_of("__Host-sealwright_session=abc==") == "abc=="
