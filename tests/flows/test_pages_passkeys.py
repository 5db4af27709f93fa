"""Passkeys on the pages: added after a recent sign-in, used to sign in, renamed and removed."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from html import unescape

import pytest

from sealwright.access import SYSTEM
from sealwright.identity.totp import code_at, step_at
from tests.pages_place import ORIGIN, PASSWORD, pages_place
from tests.software_authenticator import SoftwareAuthenticator

ACCOUNT = f"{ORIGIN}/ui/account"
SIGN_IN = f"{ORIGIN}/ui/sign-in"
ADD = f"{ACCOUNT}/passkey"
OPTIONS = re.compile(r'data-passkey="([^"]+)"')


@pytest.fixture
def place():
    with pages_place() as made:
        yield made


def authenticator():
    return SoftwareAuthenticator(ORIGIN, "id.example.org")


def options_in(page):
    found = OPTIONS.search(page.text)
    assert found is not None, page.text
    return json.loads(unescape(found[1]))


def change_address(page):
    found = re.search(r'href="(/ui/account/passkey/change[^"]+)"', page.text)
    assert found is not None, page.text
    return ORIGIN + unescape(found[1])


def sessions_of(place, account):
    return place.run(place.identity.sessions.list_of(account.id, actor=SYSTEM))


def add(browser, device, label="Laptop", **wrong):
    page = browser.open(ADD)
    return browser.submit(page, "add-passkey", credential=device.create(options_in(page), **wrong), label=label)


def test_passkey_that_was_added_signs_in_from_another_browser(place):
    place.person("alice")
    device = authenticator()
    page = add(place.signed_in("alice"), device)
    assert "The passkey was added." in page.text
    assert "Passkey “Laptop”" in page.text
    other = place.browser("198.51.100.9")
    page = other.open(SIGN_IN)
    page = other.submit(page, "use-passkey", credential=device.get(options_in(page)))
    assert page.url == ACCOUNT
    assert "passkey, since" in page.text


def test_device_of_a_person_with_a_passkey_is_asked_for_it_first(place):
    place.person("alice")
    browser, device = place.signed_in("alice"), authenticator()
    add(browser, device)
    browser.submit(browser.open(ACCOUNT), "sign-out")
    text = browser.open(SIGN_IN).text
    assert text.index('id="use-passkey"') < text.index('id="password"')
    text = place.browser("198.51.100.9").open(SIGN_IN).text
    assert text.index('id="use-passkey"') > text.index('id="password"')


@pytest.mark.parametrize("wrong", [{"origin": "https://evil.example"}, {"flags": 1}, {"sign_count": 0}], ids=str)
def test_passkey_that_is_refused_shows_why_and_signs_no_one_in(place, wrong):
    place.person("alice")
    device = authenticator()
    add(place.signed_in("alice"), device)
    other = place.browser("198.51.100.9")
    page = other.open(SIGN_IN)
    page = other.submit(page, "use-passkey", credential=device.get(options_in(page), **wrong))
    assert page.status == 403
    assert "The passkey was not accepted." in page.text
    assert other.open(ACCOUNT).url.startswith(SIGN_IN)


def test_passkey_of_one_browser_s_page_is_refused_from_another_browser(place):
    place.person("alice")
    device = authenticator()
    add(place.signed_in("alice"), device)
    first, second = place.browser("198.51.100.9"), place.browser("198.51.100.10")
    response = device.get(options_in(first.open(SIGN_IN)))
    page = second.submit(second.open(SIGN_IN), "use-passkey", credential=response)
    assert page.status == 403
    assert "not one of this browser" in page.text.lower()


def test_passkey_is_added_only_after_a_recent_sign_in_that_leads_back_and_continues_the_session(place):
    account = place.person("alice")
    browser, device = place.signed_in("alice"), authenticator()
    (before,) = sessions_of(place, account)
    page = browser.open(ADD)
    place.clock.advance(timedelta(minutes=10))
    page = browser.submit(page, "add-passkey", credential=device.create(options_in(page)), label="late")
    assert "Confirm that it is you" in page.text
    page = browser.submit(page, "sign-in", password=PASSWORD)
    assert page.url == ADD
    (after,) = sessions_of(place, account)
    assert after.id == before.id
    assert "Passkey “Laptop”" in add(browser, device).text


def test_passkey_is_renamed_and_removed(place):
    place.person("alice")
    browser, device = place.signed_in("alice"), authenticator()
    page = add(browser, device)
    page = browser.open(change_address(page))
    page = browser.submit(page, "rename", label="Desk")
    assert "Passkey “Desk”" in page.text
    page = browser.submit(browser.open(change_address(page)), "remove")
    assert "The passkey was removed." in page.text
    assert "Passkey “Desk”" not in page.text


def test_form_without_a_response_says_that_it_needs_javascript(place):
    place.person("alice")
    browser = place.signed_in("alice")
    page = browser.submit(browser.open(ADD), "add-passkey", label="x")
    assert page.status == 422
    assert "Allow JavaScript" in page.text


def test_recovery_codes_are_shown_once_and_sign_in(place):
    place.person("alice")
    browser = place.signed_in("alice")
    actor = place.run(place.identity.directory.find("alice")).as_actor()
    made = place.run(place.identity.credentials.begin_totp(PASSWORD, actor=actor))
    secret = base64.b32decode(made.secret)
    place.run(place.identity.credentials.confirm_totp(code_at(secret, step_at(place.clock.now())), actor=actor))
    page = browser.submit(browser.open(f"{ACCOUNT}/recovery-codes"), "create-codes")
    codes = re.findall(r"<code class=\"key\">([a-z0-9-]{19})</code>", page.text)
    assert len(codes) == 8
    assert codes[0] not in browser.open(f"{ACCOUNT}/recovery-codes").text
    other = place.browser("198.51.100.9")
    for expected in (f"{ACCOUNT}", f"{SIGN_IN}/code"):
        page = other.submit(other.open(SIGN_IN), "sign-in", username="alice", password=PASSWORD)
        page = other.submit(page, "sign-in", code=codes[0].upper())
        assert page.url == expected
        other.jar.clear()
