"""Passkeys in a real Chromium with a virtual authenticator (WebAuthn Level 2, section 11)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.interop.test_browser_pages import chromium, made_person, titled, type_in
from tests.live import PATIENCE, LiveServer

__all__ = ["chromium"]
pytestmark = pytest.mark.browser


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(ignore_https_errors=True)
    made.set_default_timeout(1000 * PATIENCE)
    yield made
    made.close()


def authenticator(page: Page, *, verifies_user: bool = True) -> tuple[CDPSession, str]:
    """A platform authenticator in Chromium, which stays for as long as the page."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies_user,
        "automaticPresenceSimulation": True,
    }
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, made["authenticatorId"]


def sign_in(page: Page, name: str) -> bool:
    type_in(page, name)
    return titled(page, "My account")


def add_passkey(page: Page, server: LiveServer, label: str) -> None:
    page.goto(f"{server.people}/ui/account")
    page.click("#add-passkey")
    titled(page, "Add a passkey")
    page.fill("#label", label)
    page.click("#add-passkey")


def test_person_adds_a_passkey_and_signs_in_with_it_alone(server: LiveServer, context: BrowserContext) -> None:
    name, page = made_person(server), context.new_page()
    devtools, authenticator_id = authenticator(page)
    page.goto(f"{server.people}/ui/sign-in")
    assert sign_in(page, name)
    add_passkey(page, server, "Laptop")
    expect(page.get_by_text("Passkey “Laptop”")).to_be_visible()
    (held,) = devtools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator_id})["credentials"]
    assert held["isResidentCredential"]
    page.click("#sign-out")
    titled(page, "Signed out")
    page.goto(f"{server.people}/ui/sign-in")
    assert page.locator("#use-passkey").bounding_box()["y"] < page.locator("#username").bounding_box()["y"]  # type: ignore[index]
    page.click("#use-passkey")
    titled(page, "My account")
    expect(page.locator("#my-name")).to_have_text(name)
    expect(page.get_by_text(re.compile("^passkey, since"))).to_be_visible()
    expect(page.get_by_text(re.compile("last used"))).to_be_visible()


def test_removed_passkey_is_refused_and_the_password_still_signs_in(server: LiveServer, context: BrowserContext) -> None:
    name, page = made_person(server), context.new_page()
    authenticator(page)
    page.goto(f"{server.people}/ui/sign-in")
    assert sign_in(page, name)
    add_passkey(page, server, "Phone")
    page.click("a[aria-label='Change the passkey Phone…']")
    page.click("#remove")
    expect(page.get_by_text("The passkey was removed.")).to_be_visible()
    page.click("#sign-out")
    titled(page, "Signed out")
    page.goto(f"{server.people}/ui/sign-in")
    page.click("#use-passkey")
    expect(page.locator("#problems")).to_contain_text("The passkey was not accepted")
    assert sign_in(page, name)


def test_browser_without_a_passkey_says_so_and_leaves_the_password(server: LiveServer, context: BrowserContext) -> None:
    name, page = made_person(server), context.new_page()
    authenticator(page)
    page.goto(f"{server.people}/ui/sign-in")
    page.click("#use-passkey")
    expect(page.locator("#passkey-failed")).to_contain_text("No passkey was used")
    assert sign_in(page, name)


def test_authenticator_that_does_not_verify_its_user_makes_no_passkey(server: LiveServer, context: BrowserContext) -> None:
    name, page = made_person(server), context.new_page()
    authenticator(page, verifies_user=False)
    page.goto(f"{server.people}/ui/sign-in")
    assert sign_in(page, name)
    add_passkey(page, server, "Key")
    expect(page.locator("#passkey-failed")).to_contain_text("No passkey was made")
