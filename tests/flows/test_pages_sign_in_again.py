"""Somebody signs in again in a browser in which they are signed in: their session goes on, and what applications have with it."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import Failure
from sealwright.http import Peer, Request
from sealwright.identity import Session
from sealwright.identity.totp import code_at, step_at
from sealwright.oauth import answer_failure
from tests.pages_place import LOOPBACK, ORIGIN, PASSWORD, InProcessBrowser, Place, authorization_address, pages_place

COOKIE = "__Host-sealwright_session"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        made.person("alice", "users")
        made.application()
        yield made


def sessions_of(place: Place, name: str = "alice") -> tuple[Session, ...]:
    async def work() -> tuple[Session, ...]:
        account = await place.identity.directory.find(name)
        assert account is not None
        return await place.identity.sessions.list_of(account.id, actor=SYSTEM)

    return place.run(work())


def token(place: Place, **form: str) -> tuple[int, dict[str, Any]]:
    """The status and the answer of the token endpoint."""
    route = next(each for each in place.oauth.routes if (each.method, each.path) == ("POST", "/oauth2/token"))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode({"client_id": "step-ca", **form}).encode()
    request = Request("POST", route.path, "", headers, body, {}, Peer("192.0.2.7"), ORIGIN, "r1")

    async def work() -> Any:
        try:
            return await route.handler(request)
        except Failure as failure:
            return answer_failure(request, failure)

    answer = place.run(work())
    return answer.status, json.loads(answer.body)


def tokens_for_an_application(place: Place, browser: InProcessBrowser, **changes: str) -> dict[str, Any]:
    """What an application gets for the person who is signed in."""
    page = browser.open(authorization_address(**changes))
    if not page.url.startswith(LOOPBACK):
        page = browser.submit(page, "allow")
    return redeemed(place, page.url)


def redeemed(place: Place, came_back_to: str) -> dict[str, Any]:
    (code,) = parse_qs(urlsplit(came_back_to).query)["code"]
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": LOOPBACK, "code_verifier": VERIFIER}
    status, answer = token(place, **grant)
    assert status == 200, answer
    return answer


def refresh(place: Place, tokens: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return token(place, grant_type="refresh_token", refresh_token=tokens["refresh_token"])


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    body = tokens["id_token"].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_application_that_asks_to_sign_in_again_does_not_end_what_another_has(place: Place) -> None:
    browser = place.signed_in()
    first = tokens_for_an_application(place, browser)
    (before,), old_cookie = sessions_of(place), browser.jar[COOKIE]
    place.clock.advance(timedelta(minutes=30))
    page = browser.open(authorization_address(prompt="login"))
    assert page.form_with("sign-in").fields["username"] == "alice"
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    page = browser.submit(page, "allow")
    assert page.url.startswith(LOOPBACK)
    second = redeemed(place, page.url)
    assert claims_of(second)["auth_time"] == claims_of(first)["auth_time"] + 1800
    status, refreshed = refresh(place, first)
    assert status == 200, refreshed
    assert claims_of(refreshed)["auth_time"] == claims_of(first)["auth_time"]  # of the sign-in that it rests on
    assert refresh(place, second)[0] == 200
    (after,) = sessions_of(place)
    assert (after.id, after.created_at) == (before.id, before.created_at)
    assert after.authenticated_at == after.last_seen_at == place.clock.now()
    assert after.expires_at - before.expires_at == 1_800_000
    assert browser.jar[COOKIE] != old_cookie


def test_old_token_of_a_session_that_goes_on_opens_nothing(place: Place) -> None:
    """Somebody may have planted it, or have read it."""
    browser = place.browser()
    stale = browser.open(ORIGIN + "/ui/sign-in")
    thief = place.browser("198.51.100.9")
    browser.submit(stale, "sign-in", username="alice", password=PASSWORD)
    thief.jar.update(browser.jar)
    assert thief.open(ORIGIN + "/ui/account").url == ORIGIN + "/ui/account"
    assert browser.submit(stale, "sign-in", username="alice", password=PASSWORD).url == ORIGIN + "/ui/account"
    assert thief.open(ORIGIN + "/ui/account").url != ORIGIN + "/ui/account"
    assert browser.open(ORIGIN + "/ui/account").url == ORIGIN + "/ui/account"
    assert len(sessions_of(place)) == 1


def test_second_factor_goes_on_with_the_session_too(place: Place) -> None:
    browser = place.signed_in()
    tokens = tokens_for_an_application(place, browser)
    (before,) = sessions_of(place)
    page = browser.open(ORIGIN + "/ui/account/authenticator")
    page = browser.submit(page, "begin", password=PASSWORD, label="phone")
    found = page.text.split('id="key"', 1)[1].split(">", 1)[1].split("<", 1)[0].replace(" ", "")
    secret = base64.b32decode(found)
    browser.submit(page, "confirm", code=code_at(secret, step_at(place.clock.now())))
    place.clock.advance(timedelta(minutes=2))
    page = browser.open(authorization_address(prompt="login"))
    assert page.form_with("sign-in").fields["username"] == "alice"
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert sessions_of(place)[0].methods == ("pwd",)  # nothing is proven before the code is
    page = browser.submit(page, "sign-in", code=code_at(secret, step_at(place.clock.now())))
    page = browser.submit(page, "allow")
    assert page.url.startswith(LOOPBACK)
    (after,) = sessions_of(place)
    assert (after.id, after.methods) == (before.id, ("pwd", "otp"))
    assert refresh(place, tokens)[0] == 200


def test_someone_else_ends_the_session_and_what_applications_have_with_it(place: Place) -> None:
    place.person("bob", "users")
    browser = place.browser()
    stale = browser.open(ORIGIN + "/ui/sign-in")
    browser.submit(stale, "sign-in", username="alice", password=PASSWORD)
    tokens = tokens_for_an_application(place, browser)
    page = browser.submit(stale, "sign-in", username="bob", password=PASSWORD)
    assert "bob@example.org" in page.text
    status, answer = refresh(place, tokens)
    assert (status, answer["error"]) == (400, "invalid_grant")
    assert (len(sessions_of(place)), len(sessions_of(place, "bob"))) == (0, 1)


def test_wrong_password_leaves_the_session_as_it_is(place: Place) -> None:
    browser = place.signed_in()
    tokens, cookie = tokens_for_an_application(place, browser), browser.jar[COOKIE]
    place.clock.advance(timedelta(minutes=1))
    page = browser.open(authorization_address(prompt="login"))
    assert page.form_with("sign-in").fields["username"] == "alice"
    assert browser.submit(page, "sign-in", username="alice", password="wrong").status == 403
    assert browser.jar[COOKIE] == cookie
    assert browser.open(ORIGIN + "/ui/account").url == ORIGIN + "/ui/account"
    assert refresh(place, tokens)[0] == 200


def test_session_that_was_signed_out_is_not_woken(place: Place) -> None:
    browser = place.signed_in()
    tokens, cookie = tokens_for_an_application(place, browser), browser.jar[COOKIE]
    (before,) = sessions_of(place)
    browser.submit(browser.open(ORIGIN + "/ui/account"), "sign-out")
    page = browser.open(ORIGIN + "/ui/sign-in")
    browser.jar[COOKIE] = cookie
    browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    (after,) = sessions_of(place)
    assert after.id != before.id
    assert refresh(place, tokens)[0] == 400
