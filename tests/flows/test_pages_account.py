"""My account, the welcome link and the reset link, in a browser without JavaScript."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.identity.totp import code_at, step_at
from sealwright.oauth.purge import purge
from tests.pages_place import (
    LOOPBACK,
    ORIGIN,
    OTHER_PASSWORD,
    PASSWORD,
    InProcessBrowser,
    Place,
    authorization_address,
    pages_place,
)
from tests.unit.oauth.clients.test_image_formats import png

ACCOUNT = ORIGIN + "/ui/account"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def still_signed_in(browser: InProcessBrowser) -> bool:
    return browser.open(ACCOUNT).url == ACCOUNT


# --- who am I ---


def test_account_page_tells_who_i_am(place: Place) -> None:
    place.person("alice", "web-team", mails=("alice@example.org", "a@example.com"))
    page = place.signed_in().open(ACCOUNT)
    assert page.title == "My account · Example"
    for text in (
        "alice@example.org",
        "a@example.com",
        "confirmed",
        "web-team",
        "Firefox on Linux",
        "192.0.2.7",
        "this browser",
    ):
        assert text in page.text
    assert '<time datetime="2026-11-22T10:20:00Z">22 Nov 2026, 10:20 UTC</time>' in page.text


def test_every_account_page_asks_to_sign_in_and_leads_back(place: Place) -> None:
    place.person()
    for path in ("password", "authenticator", "applications", "certificates"):
        page = place.browser().open(f"{ACCOUNT}/{path}")
        assert page.url == f"{ORIGIN}/ui/sign-in?next=%2Fui%2Faccount%2F{path}"


# --- sessions ---


def test_another_session_is_ended_from_here(place: Place) -> None:
    place.person()
    here, elsewhere = place.signed_in(), place.signed_in()
    page = here.open(ACCOUNT)
    form = next(form for form in page.parsed().forms if form.action.endswith("/sessions/end"))
    page = here.post("/ui/account/sessions/end", form.fields)
    assert page.url == ACCOUNT
    assert "The session was ended." in page.text
    assert still_signed_in(here)
    assert not still_signed_in(elsewhere)


def test_what_was_done_is_said_once_and_by_no_address(place: Place) -> None:
    place.person()
    here = place.signed_in()
    place.signed_in()
    page = here.submit(here.open(ACCOUNT), "end-others")
    assert "Your other sessions were ended." in page.text
    assert "Your other sessions were ended." not in here.open(ACCOUNT).text
    assert "The password was changed" not in here.open(ACCOUNT + "?done=password").text


def test_all_other_sessions_end_at_once_and_this_one_stays(place: Place) -> None:
    place.person()
    here, *others = (place.signed_in() for _ in range(3))
    page = here.open(ACCOUNT)
    assert "End the 2 others" in page.text
    page = here.submit(page, "end-others")
    assert "Your other sessions were ended." in page.text
    assert still_signed_in(here)
    assert not any(still_signed_in(browser) for browser in others)
    assert "end-others" not in here.open(ACCOUNT).text


def test_session_of_someone_else_cannot_be_ended(place: Place) -> None:
    place.person()
    bob = place.person("bob")
    browser, bobs = place.signed_in(), place.signed_in("bob")
    [session] = place.run(place.identity.sessions.list_of(bob.id, actor=SYSTEM))
    token = browser.open(ACCOUNT).form_with("sign-out").fields["csrf_token"]
    page = browser.post("/ui/account/sessions/end", {"csrf_token": token, "session": session.id})
    assert page.status == 403
    assert still_signed_in(bobs)


def test_session_that_ended_meanwhile_is_told_on_the_page(place: Place) -> None:
    place.person()
    browser, other = place.signed_in(), place.signed_in()
    form = next(form for form in browser.open(ACCOUNT).parsed().forms if form.action.endswith("/sessions/end"))
    other.submit(other.open(ACCOUNT), "sign-out")
    page = browser.post("/ui/account/sessions/end", form.fields)
    assert page.status == 404
    assert re.fullmatch(r"There is no session '.*' that could be ended · My account · Example", page.title)
    assert 'role="alert"' in page.text


# --- password ---


def test_password_is_changed_with_the_old_one_and_other_sessions_end(place: Place) -> None:
    place.person()
    here, elsewhere = place.signed_in(), place.signed_in()
    page = here.open(ACCOUNT + "/password")
    values = {"password": PASSWORD, "new-password": OTHER_PASSWORD, "new-password-again": OTHER_PASSWORD}
    page = here.submit(page, "change", **values)
    assert page.url == ACCOUNT
    assert still_signed_in(here)
    assert not still_signed_in(elsewhere)
    browser = place.browser()
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=OTHER_PASSWORD)
    assert page.url == ACCOUNT


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        (("wrong", OTHER_PASSWORD, OTHER_PASSWORD), "password", "Your password is not right."),
        ((PASSWORD, "alice12345", "alice12345"), "new-password", "It contains"),
        ((PASSWORD, PASSWORD, PASSWORD), "new-password", "That is the password that you have already."),
        ((PASSWORD, "short", "short"), "new-password", "It has 5 characters"),
        ((PASSWORD, OTHER_PASSWORD, PASSWORD), "new-password-again", "The two passwords are not the same."),
        ((PASSWORD, "", ""), "new-password", "Choose a new password."),
        (("", OTHER_PASSWORD, OTHER_PASSWORD), "password", "Type the password that you use until now."),
    ],
)
def test_refused_password_says_why_at_its_field(place: Place, values: tuple[str, str, str], field: str, text: str) -> None:
    place.person()
    browser = place.signed_in()
    names = ("password", "new-password", "new-password-again")
    page = browser.submit(browser.open(ACCOUNT + "/password"), "change", **dict(zip(names, values, strict=True)))
    assert page.status == 422
    problem = re.search(rf'id="{field}-problem"[^>]*>([^<]*)<', page.text)
    assert problem is not None
    assert text in problem[1]
    assert page.title == f"{problem[1].split('. ')[0].removesuffix('.')} · Change password · Example"
    for value in set(values) - {""}:
        assert f'value="{value}"' not in page.text


def test_guessing_the_old_password_is_throttled(place: Place) -> None:
    place.person()
    browser = place.signed_in()
    page = browser.open(ACCOUNT + "/password")
    values = {"password": "wrong", "new-password": OTHER_PASSWORD, "new-password-again": OTHER_PASSWORD}
    while page.status != 429:
        page = browser.submit(page, "change", **values)
    assert "retry-after" in page.headers


# --- authenticator ---


def set_up(place: Place, browser: InProcessBrowser, label: str = "") -> bytes:
    page = browser.submit(browser.open(ACCOUNT + "/authenticator"), "begin", password=PASSWORD, label=label)
    found = re.search(r'id="key">([A-Z2-7 ]+)<', page.text)
    assert found is not None
    assert '<svg viewBox="0 0 ' in page.text
    secret = base64.b32decode(found[1].replace(" ", ""))
    page = browser.submit(page, "confirm", code=code_at(secret, step_at(place.clock.now())))
    assert page.url == ACCOUNT
    place.clock.advance(timedelta(minutes=2))
    return secret


def test_authenticator_is_set_up_used_and_removed(place: Place) -> None:
    place.person()
    browser = place.signed_in()
    secret = set_up(place, browser, "my phone")
    page = browser.open(ACCOUNT)
    assert "Code from “my phone”" in page.text
    other = place.browser()
    page = other.submit(other.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    page = other.submit(page, "sign-in", code=code_at(secret, step_at(place.clock.now())))
    assert page.url == ACCOUNT
    removal = re.search(r'href="(/ui/account/authenticator/remove\?[^"]+)"', page.text)
    assert removal is not None
    page = other.open(ORIGIN + removal[1])
    assert "After this your password alone is enough" in page.text
    refused = other.submit(page, "remove", password="wrong")
    assert refused.status == 422
    assert "Your password is not right." in refused.text
    page = other.submit(refused, "remove", password=PASSWORD)
    assert page.url == ACCOUNT
    assert "The second factor was removed." in page.text
    assert "Code from “my phone”" not in page.text


def test_wrong_code_while_setting_up_can_be_corrected_and_nothing_counts_before(place: Place) -> None:
    place.person()
    browser = place.signed_in()
    page = browser.submit(browser.open(ACCOUNT + "/authenticator"), "begin", password=PASSWORD)
    found = re.search(r'id="key">([A-Z2-7 ]+)<', page.text)
    assert found is not None
    half = browser.submit(page, "confirm", code="123")
    assert half.status == 422
    assert "Type all six digits that your app shows." in half.text
    refused = browser.submit(half, "confirm", code="000000")
    assert refused.status == 422
    assert found[1] in refused.text
    assert '<svg viewBox="0 0 ' in refused.text
    other = place.browser()
    signed_in = other.submit(other.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert signed_in.url == ACCOUNT
    code = code_at(base64.b32decode(found[1].replace(" ", "")), step_at(place.clock.now()))
    assert browser.submit(refused, "confirm", code=code).url == ACCOUNT


def test_key_of_a_waiting_authenticator_is_shown_to_no_page_that_does_not_hold_it(place: Place) -> None:
    place.person()
    browser, thief = place.signed_in(), place.signed_in()
    page = browser.submit(browser.open(ACCOUNT + "/authenticator"), "begin", password=PASSWORD)
    found = re.search(r'id="key">([A-Z2-7 ]+)<', page.text)
    assert found is not None
    token = thief.open(ACCOUNT).form_with("sign-out").fields["csrf_token"]
    for key in ("", "A" * 32):
        refused = thief.post("/ui/account/authenticator/confirm", {"csrf_token": token, "key": key, "code": "000000"})
        assert refused.status == 422
        assert found[1] not in refused.text
        assert "otpauth" not in refused.text


def test_setting_up_needs_the_password(place: Place) -> None:
    place.person()
    browser = place.signed_in()
    page = browser.submit(browser.open(ACCOUNT + "/authenticator"), "begin", password="wrong", label="my phone")
    assert page.status == 422
    assert page.form_with("begin").fields["label"] == "my phone"
    assert "otpauth" not in page.text


def test_removal_of_what_is_not_there_is_told(place: Place) -> None:
    place.person()
    page = place.signed_in().open(ACCOUNT + "/authenticator/remove?authenticator=made-up")
    assert page.status == 404


# --- applications and certificates ---


def test_application_that_begins_the_sign_in_itself_is_opened_there_with_the_issuer(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    start = "https://ca.example.org/login?from=list"
    place.run(place.oauth.clients.change("step-ca", {"initiate_login_uri": start}, actor=SYSTEM))
    page = place.signed_in().open(ACCOUNT + "/applications")
    issuer = "https%3A%2F%2Fid.example.org%2Foauth2%2Fopenid%2Fstep-ca"
    assert f'<a href="{start}&amp;iss={issuer}" rel="noreferrer">Step-CA</a>' in page.text


def test_applications_that_a_scope_map_reaches_are_listed_with_a_link_to_their_landing_url(place: Place) -> None:
    place.person("alice", "inner")
    place.person("bob")
    place.application()

    async def more() -> None:
        await place.identity.directory.add_members("users", ["inner"], actor=SYSTEM)
        clients = place.oauth.clients
        await clients.update_scope_map("step-ca", "inner", ["openid"], actor=SYSTEM)
        await clients.create_public("tool", "Tool", "http://localhost:9000/start", actor=SYSTEM)
        await clients.update_scope_map("tool", "users", ["openid"], actor=SYSTEM)
        await clients.change("step-ca", {"landing_url": "https://ca.example.org/start?from=list"}, actor=SYSTEM)

    place.run(more())
    page = place.signed_in().open(ACCOUNT + "/applications")
    assert page.text.count("Step-CA") == 1
    assert '<a href="https://ca.example.org/start?from=list" rel="noreferrer">Step-CA</a>' in page.text
    assert "<strong>Tool</strong>" in page.text
    assert "None was allowed yet" in page.text
    page = place.signed_in("bob").open(ACCOUNT + "/applications")
    assert "No application is open to you" in page.text
    assert "Step-CA" not in page.text


def test_application_shows_its_image_to_whoever_is_signed_in(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    image = png()
    place.run(place.oauth.clients.images.set_image("step-ca", image, actor=SYSTEM))
    browser = place.signed_in()
    page = browser.open(ACCOUNT + "/applications")
    found = re.search(r'<img src="([^"]+)"', page.text)
    assert found is not None
    shown = browser.open(ORIGIN + found[1])
    assert (shown.status, shown.text) == (200, image.decode(errors="replace"))
    headers = dict(shown.headers)
    assert headers["content-type"] == "image/png"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    for nothing in ("00" * 32, "no-digest"):
        assert browser.open(f"{ORIGIN}/ui/application-images/{nothing}").status == 404
    place.run(place.oauth.clients.images.remove_image("step-ca", actor=SYSTEM))
    assert "<img" not in browser.open(ACCOUNT + "/applications").text


def test_image_of_an_application_is_shown_before_anyone_is_signed_in(place: Place) -> None:
    place.person("alice", "users")
    place.person("bob")
    place.application()
    image = png()
    place.run(place.oauth.clients.images.set_image("step-ca", image, actor=SYSTEM))
    browser = place.browser()
    page = browser.open(authorization_address())
    (address,) = set(re.findall(r'<img class="app" src="([^"]+)"', page.text))
    assert browser.open(ORIGIN + address).text == image.decode(errors="replace")
    page = browser.submit(page, "sign-in", username="alice", password=PASSWORD)
    assert page.form_with("allow")
    assert address in page.text
    refused = place.browser()
    page = refused.submit(refused.open(authorization_address()), "sign-in", username="bob", password=PASSWORD)
    assert (page.status, address in page.text) == (403, True)


def test_consents_that_were_given_and_taken_back_are_in_the_history(place: Place) -> None:
    place.person("alice", "users")
    place.person("bob", "users")
    place.application()
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    assert 'id="history"' not in browser.open(ACCOUNT + "/applications").text
    browser.submit(page, "allow")
    place.clock.advance(timedelta(minutes=30))
    page = browser.open(ACCOUNT + "/applications")
    (form,) = (form for form in page.parsed().forms if form.action.endswith("/withdraw"))
    browser.post("/ui/account/applications/withdraw", form.fields)
    place.run(place.oauth.clients.delete("step-ca", actor=SYSTEM))
    text = browser.open(ACCOUNT + "/applications").text
    history = text[text.index('id="history"') :]
    assert history.index("was allowed nothing any more") < history.index("was allowed to know")
    assert history.count("<strong>Step-CA</strong>") == 2, "though the application is gone"
    assert 'id="history"' not in place.signed_in("bob").open(ACCOUNT + "/applications").text
    place.clock.advance(timedelta(days=367))
    place.run(purge(place.app.parts.oauth_dependencies))
    assert 'id="history"' not in place.signed_in().open(ACCOUNT + "/applications").text


# --- clients, for administrators ---


def test_page_of_a_client_says_what_the_application_has_to_do(place: Place) -> None:
    place.person("carol", "idm_oauth2_admins")
    place.application()

    async def more() -> None:
        clients = place.oauth.clients
        await clients.create_confidential("wiki", "The wiki", "https://wiki.example.org", actor=SYSTEM)
        await clients.update_scope_map("wiki", "users", ["openid", "email"], actor=SYSTEM)

    place.run(more())
    browser = place.signed_in("carol")
    page = browser.open(ORIGIN + "/ui/account/applications")
    assert 'href="/ui/clients"' in page.text
    page = browser.open(ORIGIN + "/ui/clients")
    assert page.text.index('href="/ui/clients/step-ca"') < page.text.index('href="/ui/clients/wiki"')
    page = browser.open(ORIGIN + "/ui/clients/wiki")
    assert "It uses PKCE with S256." in page.text
    assert "--code-challenge-method=S256" in page.text
    assert f"{ORIGIN}/oauth2/openid/wiki" in page.text
    assert "openid, email" in page.text or "email, openid" in page.text
    place.run(place.oauth.clients.change("wiki", {"profile": "classic"}, actor=SYSTEM))
    page = browser.open(ORIGIN + "/ui/clients/wiki")
    assert "It may use PKCE with S256 and need not." in page.text
    assert "--code-challenge-method=S256" not in page.text
    secret = place.run(place.oauth.clients.secrets.show_basic_secret("wiki", actor=SYSTEM))
    assert secret
    assert secret not in page.text


def test_clients_are_listed_a_page_at_a_time(place: Place) -> None:
    place.person("carol", "idm_oauth2_admins")

    async def many() -> None:
        for number in range(53):
            await place.oauth.clients.create_public(f"c{number:02}", f"Client {number}", "https://c.example.org", actor=SYSTEM)

    place.run(many())
    browser = place.signed_in("carol")
    page = browser.open(ORIGIN + "/ui/clients")
    assert ("/ui/clients/c49" in page.text, "/ui/clients/c50" in page.text) == (True, False)
    found = re.search(r'href="(/ui/clients[?]after=[^"]+)" id="more"', page.text)
    assert found is not None
    page = browser.open(ORIGIN + found[1])
    assert ("/ui/clients/c50" in page.text, "/ui/clients/c52" in page.text, 'id="more"' in page.text) == (True, True, False)


def test_clients_are_shown_to_no_one_without_the_permission(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    browser = place.signed_in()
    assert "/ui/clients" not in browser.open(ACCOUNT + "/applications").text
    for path in ("/ui/clients", "/ui/clients/step-ca", "/ui/clients/none"):
        page = browser.open(ORIGIN + path)
        assert (page.status, "Step-CA" in page.text) == (403, False)
        assert "client:read" in page.text
    assert place.browser().open(ORIGIN + "/ui/clients/step-ca").title.startswith("Sign in")


def test_application_that_is_not_open_any_more_stays_where_it_was_allowed(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    browser.submit(page, "allow")
    place.run(place.identity.directory.remove_members("users", ["alice"], actor=SYSTEM))
    page = browser.open(ACCOUNT + "/applications")
    assert "No application is open to you" in page.text
    assert any(form.action.endswith("/withdraw") for form in page.parsed().forms)


def test_consent_is_listed_and_can_be_taken_back(place: Place) -> None:
    place.person("alice", "users")
    place.application()
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    browser.submit(page, "allow")
    page = browser.open(ACCOUNT + "/applications")
    assert "Step-CA" in page.text
    assert "e-mail address" in page.text
    form = next(form for form in page.parsed().forms if form.action.endswith("/withdraw"))
    page = browser.post("/ui/account/applications/withdraw", form.fields)
    assert "taken back" in page.text
    assert "None was allowed yet" in page.text
    assert browser.open(authorization_address()).title == "Allow Step-CA? · Example"
    assert not page.url.startswith(LOOPBACK)


def test_certificates_page_says_how_to_get_the_first(place: Place) -> None:
    place.person()
    page = place.signed_in().open(ACCOUNT + "/certificates")
    assert "No certificate yet" in page.text
    assert "sealwright certificate issue" in page.text
    assert place.signed_in().open(ACCOUNT + "/certificates?older-than=rubbish").status == 400


# --- links ---


def test_welcome_link_makes_the_first_administrator_once(place: Place) -> None:
    link = place.run(place.identity.bootstrap.begin())
    assert link is not None
    address = f"{ORIGIN}/welcome/{link.token}"
    browser, late = place.browser(), place.browser()
    page, stale = browser.open(address), late.open(address)
    assert "You become a member of the group <strong>system_admins</strong>." in page.text
    values = {
        "username": "alice",
        "display-name": "Alice Example",
        "mail": "alice@example.org",
        "password": PASSWORD,
        "password-again": PASSWORD,
    }
    page = browser.submit(page, "create", **values)
    assert page.url == ACCOUNT
    assert "Alice Example" in page.text
    assert "system_admins" in page.text
    for closed in (browser.open(address), late.submit(stale, "create", **(values | {"username": "mallory"}))):
        assert (closed.status, closed.title) == (410, "This link does not work any more · Example")
        assert "sealwright recover-account admin" in closed.text
    assert place.run(place.identity.directory.find("mallory")) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "Alice Example"}, "username"),
        ({"username": ""}, "username"),
        ({"username": "admin"}, "username"),
        ({"display-name": "x" * 200}, "display-name"),
        ({"mail": "alice"}, "mail"),
        ({"password": "alice12345", "password-again": "alice12345"}, "password"),
        ({"password-again": "other"}, "password-again"),
    ],
)
def test_refused_welcome_points_at_the_field_and_keeps_what_was_typed(place: Place, changes: dict[str, str], field: str) -> None:
    link = place.run(place.identity.bootstrap.begin())
    assert link is not None
    browser = place.browser()
    values = {
        "username": "alice",
        "display-name": "Alice <Example>",
        "mail": "alice@example.org",
        "password": PASSWORD,
        "password-again": PASSWORD,
    }
    page = browser.submit(browser.open(f"{ORIGIN}/welcome/{link.token}"), "create", **(values | changes))
    assert page.status == 422
    assert f'id="{field}-problem"' in page.text
    form = page.form_with("create")
    typed = values | changes
    for name in ("username", "display-name", "mail"):
        assert form.fields[name] == typed[name]
    assert form.fields["password"] == form.fields["password-again"] == ""
    assert browser.submit(page, "create", **values).url == ACCOUNT


def test_everything_that_is_wrong_with_a_welcome_is_said_at_once_and_the_first_has_the_focus(place: Place) -> None:
    link = place.run(place.identity.bootstrap.begin())
    assert link is not None
    browser = place.browser()
    page = browser.open(f"{ORIGIN}/welcome/{link.token}")
    assert re.findall(r'<input id="([\w-]+)"[^>]* autofocus>', page.text) == ["username"]
    values = {
        "username": "alice",
        "display-name": "",
        "mail": "alice",
        "password": "short",
        "password-again": "other",
    }
    page = browser.submit(page, "create", **values)
    assert page.status == 422
    assert "4 things need to be put right" in page.text
    summary = re.findall(r'<li><a href="#([\w-]+)">', page.text)
    assert summary == ["display-name", "mail", "password", "password-again"]
    assert all(f'id="{field}-problem"' in page.text for field in summary)
    assert re.findall(r'<input id="([\w-]+)"[^>]* autofocus>', page.text) == ["display-name"]
    page = browser.submit(
        page, "create", **(values | {"display-name": "Alice", "mail": "a@example.org", "password-again": "short"})
    )
    assert re.findall(r'<input id="([\w-]+)"[^>]* autofocus>', page.text) == ["password"]


def test_welcome_link_expires(place: Place) -> None:
    link = place.run(place.identity.bootstrap.begin())
    assert link is not None
    place.clock.advance(timedelta(minutes=61))
    assert place.browser().open(f"{ORIGIN}/welcome/{link.token}").status == 410
    assert place.browser().open(f"{ORIGIN}/welcome/made-up").status == 410


def test_reset_link_sets_a_password_once(place: Place) -> None:
    place.person()
    link = place.run(place.identity.reset_links.create("alice", actor=SYSTEM))
    address = f"{ORIGIN}/reset/{link.token}"
    browser = place.browser()
    page = browser.open(address)
    assert "for <strong>alice</strong>" in page.text
    refused = browser.submit(page, "set", password="short", **{"password-again": "short"})
    assert refused.status == 422
    page = browser.submit(refused, "set", password=OTHER_PASSWORD, **{"password-again": OTHER_PASSWORD})
    assert page.title == "The password is set · Example"
    assert browser.open(address).status == 410
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=OTHER_PASSWORD)
    assert page.url == ACCOUNT


def test_reset_link_says_how_many_certificates_end_and_asks_where_they_may_stay(place: Place) -> None:
    place.certificate(place.person())
    link = place.run(place.identity.reset_links.create("alice", actor=SYSTEM))
    page = place.browser().open(f"{ORIGIN}/reset/{link.token}")
    assert "With it, 1 certificate of this account ends" in page.text
    link = place.run(place.identity.reset_links.create("alice", end_certificates=False, actor=SYSTEM))
    browser = place.browser()
    page = browser.open(f"{ORIGIN}/reset/{link.token}")
    assert "End 1 certificate of this account, too" in page.text
    values = {"password": OTHER_PASSWORD, "password-again": OTHER_PASSWORD, "end-certificates": "yes"}
    assert "So has its certificate." in browser.submit(page, "set", **values).text


def test_link_that_does_not_work_says_why_and_what_to_do(place: Place) -> None:
    place.person()
    link = place.run(place.identity.reset_links.create("alice", actor=SYSTEM))
    place.clock.advance(timedelta(minutes=61))
    for address, words in (
        (f"{ORIGIN}/reset/{link.token}", "This link was valid until"),
        (f"{ORIGIN}/reset/made-up", "This link is not known"),
        (f"{ORIGIN}/invitation/made-up", "This invitation is not known"),
    ):
        page = place.browser().open(address)
        assert (page.status, words in page.text, "ask an administrator" in page.text.lower()) == (410, True, True)


def test_invitation_leads_from_a_first_password_to_the_account(place: Place) -> None:
    made = place.run(place.identity.invitations.create("alice", display_name="Alice Example", actor=SYSTEM))
    address = f"{ORIGIN}/invitation/{made.link.token}"
    browser = place.browser()
    page = browser.open(address)
    assert "You were invited as <strong>alice</strong>" in page.text
    refused = browser.submit(page, "accept", password="short", **{"password-again": "short"})
    assert refused.status == 422
    page = browser.submit(refused, "accept", password=PASSWORD, **{"password-again": PASSWORD})
    assert page.url.startswith(ACCOUNT)
    assert still_signed_in(browser)
    again = place.browser().open(address)
    assert (again.status, "This invitation was used at" in again.text) == (410, True)


def test_disabled_person_is_signed_out_at_the_next_page(place: Place) -> None:
    place.person()
    browser = place.signed_in()
    place.run(place.identity.directory.disable("alice", actor=SYSTEM))
    assert not still_signed_in(browser)
    page = browser.submit(browser.open(ORIGIN + "/ui/sign-in"), "sign-in", username="alice", password=PASSWORD)
    assert page.status == 403
    assert "The user name or password is not right." in page.text


def test_known_devices_are_shown_and_forgotten(place: Place) -> None:
    place.person()
    browser = place.signed_in()
    page = browser.open(ACCOUNT)
    assert "1 known device" in page.text
    page = browser.submit(page, "forget-devices")
    assert "No device is known any more" in page.text
    assert "forget-devices" not in browser.open(ACCOUNT).text
