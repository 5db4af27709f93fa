"""What the browser is told to keep."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sealwright.web.cookies import PENDING_COOKIE, clear, set_pending
from tests.pages_place import ORIGIN, PASSWORD, Place, pages_place


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        made.person()
        yield made


def set_cookies(place):
    return {
        value.partition("=")[0]: value.split("; ")[1:]
        for answer in place.answers
        for name, value in answer.headers
        if name == "set-cookie" and "Max-Age=0" not in value
    }


def test_cookies_are_bound_to_this_host_and_only_the_csrf_value_is_read_by_scripts(place):
    place.signed_in()
    assert set_cookies(place) == {
        "__Host-sealwright_device": ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=15552000"],
        "__Host-sealwright_csrf": ["Path=/", "Secure", "SameSite=Lax"],
        "__Host-sealwright_session": ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"],
    }


def test_pending_cookie_lasts_as_long_as_the_sign_in_waits():
    assert set_pending("t", timedelta(minutes=5)) == (
        "set-cookie",
        "__Host-sealwright_pending=t; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=300",
    )


def test_cleared_cookie_keeps_the_attributes_that_its_name_demands():
    assert clear(PENDING_COOKIE)[1] == "__Host-sealwright_pending=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"


def test_form_secret_is_set_once_and_kept(place):
    browser = place.browser()
    browser.open(ORIGIN + "/ui/sign-in")
    secret = browser.jar["__Host-sealwright_csrf"]
    browser.open(ORIGIN + "/ui/sign-in")
    assert browser.jar["__Host-sealwright_csrf"] == secret
    assert len([answer for answer in place.answers if "set-cookie" in dict(answer.headers)]) == 1


def test_form_secret_of_a_wrong_form_is_replaced(place):
    browser = place.browser()
    browser.jar["__Host-sealwright_csrf"] = "short"
    page = browser.open(ORIGIN + "/ui/sign-in")
    assert len(browser.jar["__Host-sealwright_csrf"]) == 43
    assert browser.submit(page, "sign-in", username="alice", password=PASSWORD).url == ORIGIN + "/ui/account"


def test_session_cookie_comes_only_after_everything_was_proven(place):
    browser = place.browser()
    page = browser.open(ORIGIN + "/ui/sign-in")
    browser.submit(page, "sign-in", username="alice", password="wrong")
    assert "__Host-sealwright_session" not in set_cookies(place)
