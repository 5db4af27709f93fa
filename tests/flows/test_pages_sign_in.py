"""Signing in and out in a browser without JavaScript."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from sealwright.access import SYSTEM
from sealwright.identity.totp import code_at, step_at
from tests.pages_place import LOOPBACK, ORIGIN, OTHER_PASSWORD, PASSWORD, Place, authorization_address, pages_place


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def with_second_factor(place: Place, name: str = "alice") -> bytes:
    """Give someone a second factor; returns its secret."""

    async def work() -> bytes:
        from sealwright.identity import CompletedSignIn, SessionKind

        done = await place.identity.sign_in.with_password(
            name, PASSWORD, kind=SessionKind.TERMINAL, address="192.0.2.9", user_agent=""
        )
        assert isinstance(done, CompletedSignIn)
        made = await place.identity.credentials.begin_totp(PASSWORD, actor=done.signed_in.actor)
        secret = base64.b32decode(made.secret)
        await place.identity.credentials.confirm_totp(code(place, secret), actor=done.signed_in.actor)
        return secret

    secret = place.run(work())
    place.clock.advance(timedelta(minutes=2))
    return secret


def code(place: Place, secret: bytes) -> str:
    return code_at(secret, step_at(place.clock.now()))


def open_sessions(place: Place, name: str = "alice") -> int:
    async def work() -> int:
        account = await place.identity.directory.find(name)
        assert account is not None
        return len(await place.identity.sessions.list_of(account.id, actor=SYSTEM))

    return place.run(work())


def test_sign_in_leads_to_my_account_and_sign_out_ends_the_session(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.open(ORIGIN + "/")
    assert page.url == ORIGIN + "/ui/sign-in"
    assert page.title == "Sign in · Example"
    assert "You are at <strong>id.example.org</strong>" in page.text
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert page.url == ORIGIN + "/ui/account"
    assert "alice@example.org" in page.text
    token = browser.jar["__Host-sealwright_session"]
    page = browser.submit(page, "sign-out")
    assert (page.url, page.title) == (ORIGIN + "/ui/signed-out", "Signed out · Example")
    assert "__Host-sealwright_session" not in browser.jar
    assert open_sessions(place) == 0
    browser.jar["__Host-sealwright_session"] = token
    assert browser.open(ORIGIN + "/ui/account").url == ORIGIN + "/ui/sign-in"


def test_wrong_password_is_told_at_the_field_and_the_user_name_stays(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password="wrong")
    assert page.status == 403
    assert page.title == "The user name or password is not right · Sign in · Example"
    form = page.form_with("sign-in")
    assert form.fields["username"] == "alice"
    assert form.fields["password"] == ""
    assert 'aria-describedby="password-problem"' in page.text
    assert "The user name or password is not right." in page.text
    assert "wrong" not in page.text.replace("aria-", "")


def without_options(text: str) -> str:
    """A page without the challenge for a passkey, which is another one each time."""
    return re.sub(r'data-passkey="[^"]+"', "", text)


def test_unknown_name_and_wrong_password_look_the_same(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.open(ORIGIN + "/ui/sign-in")
    known = browser.submit(page, "sign-in", username="alice", password="wrong")
    unknown = browser.submit(page, "sign-in", username="nobody", password="wrong")
    assert without_options(known.text).replace("alice", "nobody") == without_options(unknown.text)
    assert known.status == unknown.status


def test_empty_fields_are_named_and_not_counted_as_an_attempt(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username=" ", password="")
    assert page.status == 422
    assert "Type your user name or e-mail address." in page.text
    assert "Type your password." in page.text
    assert place.events("session.sign_in") == []


def test_throttled_sign_in_says_how_long_to_wait(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.open(ORIGIN + "/ui/sign-in")
    while page.status != 429:
        page = browser.submit(page, "sign-in", username="alice", password="wrong")
    assert page.headers["retry-after"] == "1"
    assert "Too many attempts. Wait 1 second, then try again." in page.text
    assert page.form_with("sign-in").fields["username"] == "alice"
    place.clock.advance(timedelta(seconds=1))
    assert browser.submit(page, "sign-in", username="alice", password=PASSWORD).url == ORIGIN + "/ui/account"


def test_too_busy_to_hash_is_told_as_a_page_with_the_time_to_wait(place: Place) -> None:
    place.person()
    place.hashing.full = True
    browser = place.browser()
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert (page.status, page.headers["retry-after"]) == (503, "1")
    assert "Not possible at the moment" in page.title


def test_second_factor_is_asked_for_and_its_code_works_once(place: Place) -> None:
    place.person()
    secret = with_second_factor(place)
    browser = place.browser()
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert page.url == ORIGIN + "/ui/sign-in/code"
    assert "__Host-sealwright_session" not in browser.jar
    refused = browser.submit(page, "sign-in", code="000000")
    assert refused.status == 403
    assert 'aria-describedby="code-problem code-hint"' in refused.text
    now = code(place, secret)
    page = browser.submit(refused, "sign-in", code=now)
    assert page.url == ORIGIN + "/ui/account"
    assert "password and code" in page.text
    assert "__Host-sealwright_pending" not in browser.jar
    again = place.browser()
    page = again.submit(again.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert again.submit(page, "sign-in", code=now).status == 403


def test_pending_second_factor_that_took_too_long_starts_over(place: Place) -> None:
    place.person()
    secret = with_second_factor(place)
    browser = place.browser()
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    place.clock.advance(timedelta(minutes=6))
    page = browser.submit(page, "sign-in", code=code(place, secret))
    assert page.status == 403
    assert "took too long" in page.text
    assert {"username", "password"} <= page.form_with("sign-in").ids
    assert "__Host-sealwright_pending" not in browser.jar


def test_code_page_without_a_password_before_it_leads_to_sign_in(place: Place) -> None:
    assert place.browser().open(ORIGIN + "/ui/sign-in/code").url == ORIGIN + "/ui/sign-in"


def test_sign_in_of_someone_else_ends_the_session_before(place: Place) -> None:
    place.person()
    place.person("bob")
    browser = place.browser()
    stale = browser.open(ORIGIN + "/ui/sign-in")  # another tab, opened before
    browser.submit(stale, "sign-in", username="alice", password=PASSWORD)
    first = browser.jar["__Host-sealwright_session"]
    page = browser.submit(stale, "sign-in", username="bob", password=PASSWORD)
    assert page.url == ORIGIN + "/ui/account"
    assert "bob@example.org" in page.text
    assert browser.jar["__Host-sealwright_session"] != first
    assert (open_sessions(place, "alice"), open_sessions(place, "bob")) == (0, 1)


def test_session_token_that_someone_planted_is_not_taken_over(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.open(ORIGIN + "/ui/sign-in")
    browser.jar["__Host-sealwright_session"] = "planted"
    browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert browser.jar["__Host-sealwright_session"] != "planted"


def test_page_asked_for_is_where_sign_in_leads_and_no_other_place_is(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.open(ORIGIN + "/ui/account/certificates")
    assert page.url == ORIGIN + "/ui/sign-in?next=%2Fui%2Faccount%2Fcertificates"
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert page.url == ORIGIN + "/ui/account/certificates"
    for elsewhere in (
        "https://evil.example",
        "//evil.example",
        "/ui/account/../../x",
        "/ui/account/%2e%2e/x",
        "/ui/account//evil.example",
        "/ui/account@evil.example",
        "/ui/account%0d%0aset-cookie:x",
        "/oauth2/authorise",
    ):
        other = place.browser()
        page = other.open(f"{ORIGIN}/ui/sign-in?next={elsewhere}")
        page = other.submit(page, "sign-in", username="alice", password=PASSWORD)
        assert page.url == ORIGIN + "/ui/account"


def test_address_with_a_query_is_led_back_to_whole(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.open(ORIGIN + "/ui/account/certificates?older-than=00ff")
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert page.url == ORIGIN + "/ui/account/certificates?older-than=00ff"


def test_page_that_there_is_not_is_said_so_after_sign_in_too(place: Place) -> None:
    place.person()
    browser = place.browser()
    page = browser.open(ORIGIN + "/ui/sign-in?next=/ui/account/nowhere")
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert page.url == ORIGIN + "/ui/account/nowhere"
    assert page.status == 404


# --- for an application ---


def test_sign_in_for_an_application_names_it_and_goes_back_with_a_code(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    browser = place.browser()
    page = browser.open(authorization_address())
    assert "to continue to <strong>Step-CA</strong> at ca.example.org" in page.text
    assert "A program on this computer asked for this." in page.text
    assert "form-action" not in page.headers["content-security-policy"]
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert page.title == "Allow Step-CA? · Example"
    assert "alice@example.org" in page.text
    assert f"<code>{LOOPBACK}</code>" in page.text
    page = browser.submit(page, "allow")
    sent = parse_qs(urlsplit(page.url).query)
    assert page.url.startswith(LOOPBACK + "?code=")
    assert set(sent) == {"code", "state", "iss"}
    page = browser.open(authorization_address())  # any program could be listening there now
    assert "You are asked each time" in page.text
    assert "Remembered until" not in page.text
    page = browser.open(authorization_address(redirect_uri="https://ca.example.org"))
    assert page.url.startswith("https://ca.example.org?code=")  # remembered


def test_person_who_may_not_use_an_application_reads_why_and_goes_back(place: Place) -> None:
    place.person("mallory")
    place.application()
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="mallory", password=PASSWORD)
    assert (page.status, page.title) == (403, "You may not use Step-CA · Example")
    assert "for members of <strong>users</strong>" in page.text
    assert "Ask an administrator of this server to add you to the group." in page.text
    assert "sealwright" not in page.text.split("<main>")[1]
    again = browser.open(page.url)
    assert again.title == page.title
    assert [event[0] for event in place.events("authorization.requested")] == ["refused"]
    page = browser.submit(again, "go-back")
    assert page.url.startswith(LOOPBACK + "?error=access_denied")


def test_person_who_was_let_in_meanwhile_goes_on_from_the_refusal(place: Place) -> None:
    place.person("mallory")
    place.application()
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="mallory", password=PASSWORD)
    place.run(place.identity.directory.add_members("users", ["mallory"], actor=SYSTEM))
    assert browser.open(page.url).title == "Allow Step-CA? · Example"


def test_second_factor_keeps_the_application_in_sight(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    secret = with_second_factor(place)
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    assert "to continue to <strong>Step-CA</strong>" in page.text
    page = browser.submit(page, "sign-in", code=code(place, secret))
    assert page.title == "Allow Step-CA? · Example"


def test_denied_consent_is_told_to_the_application(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    page = browser.submit(page, "deny")
    assert page.url.startswith(LOOPBACK + "?error=access_denied")
    assert place.events("consent.denied")[0][0] == "refused"


def test_giving_up_before_sign_in_is_told_to_the_application(place: Place) -> None:
    place.application()
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "cancel")
    assert page.url.startswith(LOOPBACK + "?error=access_denied")


def test_not_you_lets_someone_else_sign_in_for_the_same_request(place: Place) -> None:
    place.person("alice", "users")
    place.person("bob", "users")
    place.application()
    browser = place.browser()
    consent = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    assert "Signed in as <strong>alice</strong>" in consent.text
    page = browser.open(consent.url.replace("/ui/oauth2/consent", "/ui/sign-in") + "&other")
    assert "This browser is signed in as <strong>alice</strong>." in page.text
    page = browser.submit(page, "sign-in", username="bob", password=PASSWORD)
    assert "Signed in as <strong>bob</strong>" in page.text
    assert open_sessions(place, "alice") == 0
    refused = browser.submit(consent, "allow")  # the tab that alice left open
    assert (refused.status, refused.title) == (400, "The form is out of date · Example")


def test_consent_tells_what_is_missing_and_what_is_not_verified(place: Place) -> None:
    place.person("alice", "users", mails=())
    place.application(scopes=("openid", "profile", "email", "groups", "read:wiki"))
    browser = place.browser()
    page = browser.open(authorization_address(scope="openid profile email groups read:wiki"))
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert "you have none" in page.text
    assert "“read:wiki”" in page.text
    assert '<span class="soft small">idm_all_accounts, idm_all_persons, users</span>' in page.text
    assert '<time datetime="2026-11-22T10:20:00Z">22 Nov 2026, 10:20 UTC</time>' in page.text


def test_consent_decision_that_is_neither_is_refused_and_changes_nothing(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    token = page.form_with("allow").fields["csrf_token"]
    path = page.url.removeprefix(ORIGIN)
    assert browser.post(path, {"csrf_token": token, "decision": "maybe"}).status == 400
    assert browser.submit(page, "allow").url.startswith(LOOPBACK)


def test_request_that_was_answered_or_never_was_is_explained(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    browser = place.browser()
    consent = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    browser.submit(consent, "allow")
    page = browser.submit(consent, "allow")
    assert (page.status, page.title) == (410, "This request is no longer open · Example")
    assert "sign in again from there" in page.text
    assert browser.open(ORIGIN + "/ui/sign-in?request=made-up").status == 410
    assert browser.open(ORIGIN + "/ui/oauth2/consent").status == 410


def test_unproven_redirect_uri_is_shown_and_not_followed(place: Place) -> None:
    place.application()
    page = place.browser().open(authorization_address(redirect_uri="https://evil.example/"))
    assert page.url.startswith(ORIGIN)
    assert (page.status, page.title) == (400, "This application's request is not right · Example")
    assert "evil.example" in page.text
    assert '<code id="request-id">r-17</code>' in page.text


def test_session_that_ended_before_consent_asks_to_sign_in_for_the_same_request(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    browser = place.browser()
    consent = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    place.clock.advance(timedelta(minutes=1))
    place.run(place.identity.credentials.set_password("alice", OTHER_PASSWORD, actor=SYSTEM))
    page = browser.submit(consent, "allow")
    assert page.url == consent.url.replace("/ui/oauth2/consent", "/ui/sign-in")
    page = browser.submit(page, "sign-in", username="alice", password=OTHER_PASSWORD)
    assert page.title == "Allow Step-CA? · Example"


def test_browser_that_signed_in_before_gets_in_while_strangers_guess(place: Place) -> None:
    place.person()
    known, stranger = place.browser(), place.browser()
    page = known.submit(known.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    known.submit(page, "sign-out")
    for _ in range(6):
        answer = stranger.submit(stranger.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password="wrong")
    assert answer.status == 429
    answer = stranger.submit(stranger.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert answer.status == 429
    page = known.submit(known.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert page.status == 200
    assert "My account" in page.text


def test_sign_in_page_says_whom_to_ask(place: Place) -> None:
    page = place.browser().open(ORIGIN + "/ui/sign-in")
    assert "Ask an administrator to check your account" in page.text
