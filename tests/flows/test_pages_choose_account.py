"""The page that asks which account it shall be, in a browser without JavaScript."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.pages_place import LOOPBACK, ORIGIN, PASSWORD, InProcessBrowser, Place, authorization_address, pages_place

PAGE = f"{ORIGIN}/ui/oauth2/choose-account"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        made.person("alice", "users")
        made.person("bob", "users")
        made.application()
        yield made


def asked(place: Place) -> InProcessBrowser:
    """Alice's browser, some time after she signed in."""
    browser = place.signed_in()
    place.clock.advance(timedelta(minutes=5))
    return browser


def test_person_goes_on_with_the_account_that_is_signed_in(place: Place) -> None:
    browser = asked(place)
    page = browser.open(authorization_address(prompt="select_account"))
    assert page.url.startswith(PAGE)
    assert page.title == "Choose an account · Example"
    assert "Continue as Alice" in page.text
    assert "alice@example.org" in page.text
    page = browser.submit(page, "continue")
    assert page.url.startswith(f"{ORIGIN}/ui/oauth2/consent")
    page = browser.submit(page, "allow")
    assert page.url.startswith(LOOPBACK)
    assert "code=" in page.url


def test_person_signs_in_as_someone_else_for_the_same_request(place: Place) -> None:
    browser = asked(place)
    page = browser.open(authorization_address(prompt="select_account"))
    page = browser.open(page.url.replace(PAGE, f"{ORIGIN}/ui/sign-in") + "&other")
    page = browser.submit(page, "sign-in", username="bob", password=PASSWORD)
    assert page.url.startswith(f"{ORIGIN}/ui/oauth2/consent"), "who signs in for a request has chosen"
    assert "Signed in as <strong>bob</strong>" in page.text


def test_person_gives_up_and_the_application_is_told(place: Place) -> None:
    browser = asked(place)
    page = browser.submit(browser.open(authorization_address(prompt="select_account")), "cancel")
    assert page.url.startswith(LOOPBACK)
    assert "error=access_denied" in page.url


def test_choice_that_is_none_of_the_two_is_refused_and_the_request_waits_on(place: Place) -> None:
    browser = asked(place)
    page = browser.open(authorization_address(prompt="select_account"))
    token = page.form_with("continue").fields["csrf_token"]
    path = page.url.removeprefix(ORIGIN)
    assert browser.post(path, {"csrf_token": token, "decision": "maybe"}).status == 400
    assert browser.open(page.url).url == page.url


def test_page_leads_on_where_nothing_is_to_be_chosen(place: Place) -> None:
    browser = asked(place)
    page = browser.open(authorization_address())
    chooser = page.url.replace("/ui/oauth2/consent", "/ui/oauth2/choose-account")
    assert browser.open(chooser).url == page.url


def test_no_one_chooses_without_the_token_of_the_form(place: Place) -> None:
    browser = asked(place)
    page = browser.open(authorization_address(prompt="select_account"))
    path = page.url.removeprefix(ORIGIN)
    assert browser.post(path, {"csrf_token": "forged", "decision": "continue"}).status == 400
    assert browser.open(page.url).url == page.url, "nothing was chosen"
