"""A form counts only if a page of ours made it, for this browser, for this sign-in."""

from collections.abc import Iterator

import pytest

from sealwright.identity import CALLBACK_PATH
from tests.pages_place import ORIGIN, PASSWORD, Place, pages_place


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        made.person()
        yield made


def sign_in_fields(browser):
    page = browser.open(ORIGIN + "/ui/sign-in")
    return dict(page.form_with("sign-in").fields) | {"username": "alice", "password": PASSWORD}


def test_form_from_our_page_counts(place):
    browser = place.browser()
    assert browser.post("/ui/sign-in", sign_in_fields(browser)).url == ORIGIN + "/ui/account"


@pytest.mark.parametrize("token", [None, "", "x", "ä"])
def test_form_without_the_right_csrf_token_is_refused(place, token):
    browser = place.browser()
    fields = sign_in_fields(browser)
    del fields["csrf_token"]
    page = browser.post("/ui/sign-in", fields if token is None else fields | {"csrf_token": token})
    assert (page.status, page.title) == (400, "The form is out of date · Example")
    assert "__Host-sealwright_session" not in browser.jar
    assert place.events("session.sign_in") == []


def test_csrf_token_of_another_browser_is_refused(place):
    mine, other = place.browser(), place.browser()
    fields = sign_in_fields(other)
    sign_in_fields(mine)
    assert mine.post("/ui/sign-in", fields).status == 400


def test_form_without_the_cookie_is_refused_and_told_why(place):
    browser = place.browser()
    fields = sign_in_fields(browser)
    browser.jar.clear()
    page = browser.post("/ui/sign-in", fields)
    assert page.status == 400
    assert "does not send cookies" in page.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://id.example.org"},
        {"origin": "https://id.example.org:8443"},
        {"origin": "https://id.example.org.evil.example"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
    ],
)
def test_form_that_another_site_sends_is_refused_even_with_the_right_csrf_token(place, headers):
    browser = place.browser()
    fields = sign_in_fields(browser)
    browser.extra = headers
    page = browser.post("/ui/sign-in", fields)
    assert (page.status, page.title) == (403, "Sent from another site · Example")
    assert place.events("session.sign_in") == []


@pytest.mark.parametrize("headers", [{}, {"origin": ORIGIN}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}])
def test_form_from_here_or_from_a_program_that_tells_nothing_counts(place, headers):
    browser = place.browser()
    fields = sign_in_fields(browser)
    browser.extra = headers
    assert browser.post("/ui/sign-in", fields).url == ORIGIN + "/ui/account"


def test_csrf_token_of_one_session_is_not_that_of_the_next(place):
    browser = place.signed_in()
    account = browser.open(ORIGIN + "/ui/account")
    browser.submit(account, "sign-out")
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert page.form_with("sign-out").fields != account.form_with("sign-out").fields
    assert browser.submit(account, "sign-out").status == 400
    assert browser.submit(page, "sign-out").url == ORIGIN + "/ui/signed-out"


def test_csrf_token_of_an_open_form_is_refused_for_what_needs_a_session(place):
    browser = place.browser()
    token = sign_in_fields(browser)["csrf_token"]
    page = browser.open(ORIGIN + "/ui/sign-in")
    browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert browser.post("/ui/sign-out", {"csrf_token": token}).status == 400


def test_every_form_address_checks_where_it_comes_from_before_anything_else(place):
    browser = place.signed_in()
    browser.extra = {"origin": "https://evil.example"}
    posts = [route.path for route in place.page_routes if route.method == "POST"]
    assert len(posts) >= 12
    for path in posts:
        assert browser.post(path.replace("{token}", "x"), {}).status == 403


def test_every_form_address_needs_a_csrf_token(place):
    browser = place.signed_in()
    for path in (route.path for route in place.page_routes if route.method == "POST"):
        page = browser.post(path.replace("{token}", "x"), {})
        assert (page.status, page.title) == (400, "The form is out of date · Example")


def test_form_of_another_content_type_is_refused(place):
    browser = place.signed_in()
    browser.extra = {"content-type": "text/plain"}
    assert browser.post("/ui/sign-out", {}).status == 400


def test_repeated_field_is_refused(place):
    browser = place.browser()
    fields = sign_in_fields(browser)
    page = browser._request("POST", ORIGIN + "/ui/sign-in", "&".join(f"{k}={v}&{k}={v}" for k, v in fields.items()))
    assert page.status == 400


def test_pages_change_nothing_when_they_are_only_looked_at(place):
    browser = place.signed_in()
    before = changes_of(place)
    for route in place.page_routes:
        if route.method == "GET" and route.path != CALLBACK_PATH:  # there, an answer that no one asked for is recorded
            browser.open(ORIGIN + route.path.replace("{token}", "x").replace("{file}", "x"))
    assert changes_of(place) == before


def changes_of(place):
    """How many changes the record tells of; that someone was refused a page is none."""
    return sum(row.event != "access.refused" for row in place.run(place.audit.newest(place.db, at_most=500)))
