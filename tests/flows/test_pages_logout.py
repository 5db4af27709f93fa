"""Signing out of applications in a browser without JavaScript: asked by one, told to the others."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from sealwright.access import SYSTEM
from sealwright.http import Peer
from sealwright.oauth.token_request import TokenRequest
from sealwright.outbound import OutboundResponse
from tests.oauth_world import CHALLENGE, VERIFIER
from tests.pages_place import ORIGIN, PASSWORD, InProcessBrowser, Place, authorization_address, pages_place

BACK = "https://ca.example.org/back"
GOODBYE = "https://ca.example.org/goodbye"
BACKCHANNEL = "https://ca.example.org/backchannel"
FRONTCHANNEL = "https://ca.example.org/frontchannel"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        made.person("alice", "users")
        made.application()
        made.run(made.oauth.clients.add("step-ca", "post_logout_redirect_uris", GOODBYE, actor=SYSTEM))
        yield made


def signed_in_to_application(place: Place) -> tuple[InProcessBrowser, str]:
    """A browser that allowed the application, and the ID token that it got."""
    browser = place.signed_in()
    page = browser.open(authorization_address(redirect_uri=BACK, code_challenge=CHALLENGE))
    page = browser.submit(page, "allow")
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": "step-ca",
        "code_verifier": VERIFIER,
    }

    async def redeem() -> str:
        response = await place.oauth.tokens.respond(TokenRequest(form, {}, Peer("192.0.2.7")))
        return str(response.members()["id_token"])

    return browser, place.run(redeem())


def logout_address(**parameters: str) -> str:
    return f"{ORIGIN}/oauth2/logout?{urlencode(parameters)}"


def is_signed_in(browser: InProcessBrowser) -> bool:
    return browser.open(f"{ORIGIN}/ui/account").url == f"{ORIGIN}/ui/account"


def test_application_that_shows_the_id_token_of_the_session_signs_out_at_once_and_gets_the_browser_back(place: Place) -> None:
    browser, hint = signed_in_to_application(place)
    page = browser.open(logout_address(id_token_hint=hint, post_logout_redirect_uri=GOODBYE, state="5f"))
    assert page.url == f"{GOODBYE}?state=5f"
    assert not is_signed_in(browser)
    silent = browser.open(authorization_address(redirect_uri=BACK, prompt="none"))
    assert parse_qs(urlsplit(silent.url).query)["error"] == ["login_required"]


def test_form_of_another_site_without_cookies_works_as_well(place: Place) -> None:
    browser, hint = signed_in_to_application(place)
    jar = dict(browser.jar)
    browser.jar.clear()
    browser.extra = {"origin": "https://ca.example.org", "sec-fetch-site": "cross-site"}
    response = browser._exchange(
        "POST", f"{ORIGIN}/oauth2/logout", urlencode({"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE}), ""
    )
    browser.extra = {}
    browser.jar.update(jar)
    page = browser.open(ORIGIN + response.headers["location"])
    assert page.url == GOODBYE
    assert not is_signed_in(browser)


@pytest.mark.parametrize("parameters", [{}, {"client_id": "step-ca"}, {"state": "x"}])
def test_without_an_id_token_the_person_is_asked(place: Place, parameters: dict[str, str]) -> None:
    browser, _ = signed_in_to_application(place)
    page = browser.open(logout_address(**parameters))
    assert page.title == "Sign out · Example"
    assert ("Step-CA asks to sign you out" in page.text) == ("client_id" in parameters)
    assert is_signed_in(browser)
    done = browser.submit(page, "sign-out")
    assert done.title == "Signed out · Example"
    assert not is_signed_in(browser)


def test_id_token_of_an_earlier_session_is_asked_about_and_leads_back_afterwards(place: Place) -> None:
    browser, hint = signed_in_to_application(place)
    browser.submit(browser.open(f"{ORIGIN}/ui/account"), "sign-out")
    page = browser.open(f"{ORIGIN}/ui/sign-in")
    browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    page = browser.open(logout_address(id_token_hint=hint, post_logout_redirect_uri=GOODBYE))
    assert page.title == "Sign out · Example"
    assert browser.submit(page, "sign-out").url == GOODBYE


def test_browser_without_a_session_goes_straight_on(place: Place) -> None:
    _, hint = signed_in_to_application(place)
    stranger = place.browser()
    assert stranger.open(logout_address(id_token_hint=hint, post_logout_redirect_uri=GOODBYE)).url == GOODBYE
    assert stranger.open(logout_address()).title == "Signed out · Example"


def test_wrong_request_is_shown_with_the_way_to_sign_out_here(place: Place) -> None:
    browser, hint = signed_in_to_application(place)
    page = browser.open(logout_address(id_token_hint=hint, post_logout_redirect_uri="https://evil.example/"))
    assert (page.status, page.title) == (400, "You were not signed out · Example")
    assert 'href="/ui/sign-out"' in page.text
    assert is_signed_in(browser)


def test_form_of_the_question_from_another_site_is_refused(place: Place) -> None:
    browser, _ = signed_in_to_application(place)
    page = browser.open(logout_address())
    browser.extra = {"origin": "https://evil.example"}
    assert browser.submit(page, "sign-out").status == 403
    browser.extra = {}
    assert is_signed_in(browser)


def test_signing_out_here_tells_the_applications_before_the_browser_goes_on(place: Place) -> None:
    place.run(place.oauth.clients.change("step-ca", {"backchannel_logout_uri": BACKCHANNEL}, actor=SYSTEM))
    place.outbound.answers[BACKCHANNEL] = OutboundResponse(200)
    browser, _ = signed_in_to_application(place)
    browser.submit(browser.open(f"{ORIGIN}/ui/account"), "sign-out")
    ((url, form),) = place.outbound.forms
    assert (url, set(form)) == (BACKCHANNEL, {"logout_token"})
    assert [outcome for outcome, _ in place.events("client.logout_delivered")] == ["done"]


def test_application_that_cannot_be_reached_does_not_keep_anyone_signed_in(place: Place) -> None:
    place.run(place.oauth.clients.change("step-ca", {"backchannel_logout_uri": BACKCHANNEL}, actor=SYSTEM))
    browser, hint = signed_in_to_application(place)
    page = browser.open(logout_address(id_token_hint=hint, post_logout_redirect_uri=GOODBYE))
    assert page.url == GOODBYE
    assert not is_signed_in(browser)


def test_front_channel_is_loaded_in_a_frame_before_the_browser_goes_back(place: Place) -> None:
    changes = {"frontchannel_logout_uri": FRONTCHANNEL, "frontchannel_logout_session_required": True}
    place.run(place.oauth.clients.change("step-ca", changes, actor=SYSTEM))
    browser, hint = signed_in_to_application(place)
    page = browser.open(logout_address(id_token_hint=hint, post_logout_redirect_uri=GOODBYE, state="5f"))
    assert page.title == "Signed out · Example"
    assert f'<iframe src="{FRONTCHANNEL}?iss=' in page.text
    assert 'sandbox="allow-scripts allow-same-origin"' in page.text, "it cannot lead the whole window elsewhere"
    assert "; frame-src https://ca.example.org" in page.headers["content-security-policy"]
    assert f'<meta http-equiv="refresh" content="5; url={GOODBYE}?state=5f">' in page.text, "for browsers without JavaScript"
    assert f'href="{GOODBYE}?state=5f"' in page.text
    assert not is_signed_in(browser)


def test_page_of_an_earlier_sign_out_does_not_say_that_one_is_signed_out(place: Place) -> None:
    browser, _ = signed_in_to_application(place)
    page = browser.submit(browser.open(f"{ORIGIN}/ui/account"), "sign-out")
    again = browser.submit(browser.open(f"{ORIGIN}/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert again.url == f"{ORIGIN}/ui/account"
    assert "You are signed in again" in browser.open(page.url).text


def test_form_post_reaches_the_application_after_consent(place: Place) -> None:
    browser = place.signed_in()
    page = browser.open(authorization_address(redirect_uri=BACK, response_mode="form_post"))
    page = browser.submit(page, "allow")
    form = page.form_with("continue")
    assert (form.action, set(form.fields)) == (BACK, {"code", "state", "iss"})
