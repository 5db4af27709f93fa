"""Somebody whose group asks for a second factor that they do not have: they add it, and use nothing before."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.identity import CredentialMinimum
from sealwright.identity.totp import code_at, step_at
from tests.pages_place import LOOPBACK, ORIGIN, PASSWORD, Place, authorization_address, pages_place

ACCOUNT = ORIGIN + "/ui/account"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        made.person("alice", "users")
        made.application()

        async def work() -> None:
            await made.identity.account_policies.change("users", credential_minimum=CredentialMinimum.MFA, actor=SYSTEM)

        made.run(work())
        yield made


def test_person_is_led_to_the_account_and_to_nothing_else_until_the_credential_is_there(place: Place) -> None:
    browser = place.browser()
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    assert page.url == ACCOUNT
    assert "asks for more than a password" in page.text
    for path in ("/certificates", "/applications"):
        assert browser.open(ACCOUNT + path).url == ACCOUNT
    again = browser.open(authorization_address())
    assert not again.url.startswith(LOOPBACK)  # the application gets nothing
    assert browser.submit(again, "sign-in", username="alice", password=PASSWORD).url == ACCOUNT


def test_second_factor_opens_the_way_to_the_application(place: Place) -> None:
    browser = place.browser()
    browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    page = browser.submit(browser.open(ACCOUNT + "/authenticator"), "begin", password=PASSWORD)
    key = re.search(r'id="key">([A-Z2-7 ]+)<', page.text)
    assert key is not None
    secret = base64.b32decode(key[1].replace(" ", ""))
    browser.submit(page, "confirm", code=code_at(secret, step_at(place.clock.now())))
    place.clock.advance(timedelta(minutes=2))
    page = browser.submit(browser.open(authorization_address()), "sign-in", username="alice", password=PASSWORD)
    page = browser.submit(page, "sign-in", code=code_at(secret, step_at(place.clock.now())))
    assert page.url.startswith(ORIGIN + "/ui/oauth2/consent")
