"""An administrator keeps identity providers on pages, in a browser without JavaScript."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from sealwright.access import SYSTEM
from tests.flows.test_pages_sign_on import CALLBACK, provided, to_provider
from tests.foreign_provider import CLIENT, ISSUER, ForeignProvider
from tests.pages_place import ORIGIN, InProcessBrowser, Place, pages_place
from tests.signing import signing_key

PROVIDERS = f"{ORIGIN}/ui/identity-providers"
FIELDS = {
    "name": "Keycloak",
    "issuer-url": ISSUER,
    "client-id": CLIENT,
    "client-secret": "s3cret",
    "groups-claim": "groups",
    "scopes": "openid profile email",
    "downgrade-rule-strict": "strict",
    "iat-window": "300",
    "keys-kept": "3600",
    "enabled": "yes",
}

LENIENT = {**FIELDS, "downgrade-rule-intersection": "intersection"}


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def chief(place: Place) -> InProcessBrowser:
    place.person("chief", "system_admins")
    return place.signed_in("chief")


def created(place: Place, browser: InProcessBrowser) -> str:
    """Configure a provider; the address of its page."""
    page = browser.open(f"{PROVIDERS}/new")
    page = browser.submit(page, "save", **FIELDS)
    assert "passed every check" in page.text
    return page.url


def sign_on(place: Place, provider: ForeignProvider, provider_id: str, **claims: Any) -> InProcessBrowser:
    browser = place.browser("198.51.100.9")
    location = to_provider(browser, f"{ORIGIN}/auth/oidc/login?provider={provider_id}")
    browser.open(f"{CALLBACK}?{urlencode(provider.answer(location, **claims))}")
    return browser


def test_provider_is_configured_mapped_and_signs_people_in(place: Place) -> None:
    provider, browser = ForeignProvider(place.outbound, place.clock), chief(place)
    assert "People sign in here with their own accounts only" in browser.open(PROVIDERS).text
    address = created(place, browser)
    page = browser.open(address)
    assert "no one can sign in with Keycloak" in page.text
    assert "s3cret" not in page.text
    page = browser.submit(page, "add-mapping", group="engineers", role="r-operator")
    assert "<code>engineers</code>" in page.text
    signed = sign_on(place, provider, address.rpartition("/")[2])
    assert "Alice A." in signed.open(f"{ORIGIN}/ui/account").text
    page = browser.open(address)
    assert "signed in" in page.text
    remove = page.text.partition('id="remove-')[2].partition('"')[0]
    page = browser.submit(page, f"remove-{remove}")
    assert "no one can sign in with Keycloak" in page.text


def test_check_that_failed_is_named_in_the_form_and_nothing_is_saved(place: Place) -> None:
    provider, browser = ForeignProvider(place.outbound, place.clock), chief(place)
    provider.discovery["id_token_signing_alg_values_supported"] = ["RS256", "HS256"]
    provider.publish()
    page = browser.submit(browser.open(f"{PROVIDERS}/new"), "save", **FIELDS)
    assert page.status == 422
    assert "algorithms: failed" in page.text
    assert "HS256" in page.text
    assert 'value="Keycloak"' in page.text
    assert "s3cret" not in page.text
    page = browser.submit(page, "save", **{**LENIENT, "issuer-url": ISSUER + "x"})
    assert "discovery: failed" in page.text
    assert 'id="issuer-url-problem"' in page.text
    assert "own accounts only" in browser.open(PROVIDERS).text
    page = browser.submit(page, "save", **LENIENT)
    assert "passed every check" in page.text


def test_blank_secret_of_the_form_keeps_the_stored_one(place: Place) -> None:
    provider, browser = ForeignProvider(place.outbound, place.clock), chief(place)
    address = created(place, browser)
    page = browser.open(f"{address}/edit")
    assert "Leave it empty to keep the stored one" in page.text
    page = browser.submit(page, "save", **{"name": "Staff", "client-secret": "", "enabled": "yes"})
    assert "was changed" in page.text
    assert "stored, and never shown" in page.text
    browser.submit(browser.open(address), "add-mapping", group="engineers", role="r-viewer")
    sign_on(place, provider, address.rpartition("/")[2])
    assert provider.outbound.forms[-1][1]["client_secret"] == "s3cret"


def test_form_that_another_administrator_overtook_changes_nothing(place: Place) -> None:
    _, browser = ForeignProvider(place.outbound, place.clock), chief(place)
    address = created(place, browser)
    page = browser.open(f"{address}/edit")
    place.clock.advance(timedelta(seconds=1))
    browser.submit(browser.open(f"{address}/edit"), "save", name="First")
    page = browser.submit(page, "save", name="Second")
    assert page.status == 409
    assert "<del>First</del>" in page.text
    assert "<ins>Second</ins>" in page.text
    assert "s3cret" not in page.text
    assert "First" in browser.open(PROVIDERS).text


def test_refresh_shows_what_was_checked_and_the_new_keys(place: Place) -> None:
    provider, browser = ForeignProvider(place.outbound, place.clock), chief(place)
    address = created(place, browser)
    assert provider.key.id in browser.open(address).text
    provider.key = signing_key()
    provider.publish()
    page = browser.submit(browser.open(address), "refresh")
    assert "What was checked just now" in page.text
    assert provider.key.id in page.text


def test_provider_with_live_sessions_is_deleted_by_name_and_only_with_them(place: Place) -> None:
    provider, provider_id = provided(place)
    browser, address = chief(place), f"{PROVIDERS}/{provider_id}"
    signed = sign_on(place, provider, provider_id)
    page = browser.open(f"{address}/delete")
    page = browser.submit(page, "delete", **{"confirm-name": "keycloak"})
    assert page.status == 422
    page = browser.submit(page, "delete", **{"confirm-name": "Keycloak"})
    assert page.status == 409
    assert "1 session is valid" in page.text
    page = browser.submit(page, "delete", **{"confirm-name": "Keycloak", "end-sessions": "yes"})
    assert page.url == PROVIDERS
    assert signed.open(f"{ORIGIN}/ui/account").url.startswith(f"{ORIGIN}/ui/sign-in")
    assert "Sign in with Keycloak" not in place.browser().open(f"{ORIGIN}/ui/sign-in").text


def test_sign_in_is_explained_on_a_page_by_the_id_that_the_person_was_shown(place: Place) -> None:
    provider, provider_id = provided(place, "Engineers")
    person = place.browser("198.51.100.9")
    location = to_provider(person, f"{ORIGIN}/auth/oidc/login?provider={provider_id}")
    refused = person.open(f"{CALLBACK}?{urlencode(provider.answer(location))}")
    browser = chief(place)
    page = browser.open(f"{PROVIDERS}/{provider_id}")
    sign_in = page.text.partition(f"{provider_id}/sign-ins/")[2].partition('"')[0]
    assert f'<code id="sign-in">{sign_in}</code>' in refused.text
    page = browser.open(f"{PROVIDERS}/{provider_id}/sign-ins/{sign_in}")
    assert "The check that failed is <code>unmapped_groups</code>" in page.text
    assert "<code>engineers</code> is mapped as <code>Engineers</code>" in page.text
    browser.submit(browser.open(f"{PROVIDERS}/{provider_id}"), "add-mapping", group="engineers", role="r-auditor")
    page = browser.open(f"{PROVIDERS}/{provider_id}/sign-ins/{sign_in}")
    assert "By the mappings of now" in page.text
    assert "gives r-auditor" in page.text


def test_reader_of_providers_sees_what_a_change_needs_and_someone_else_sees_no_provider(place: Place) -> None:
    _, provider_id = provided(place)

    async def grant() -> None:
        await place.identity.roles.grant("r-viewer", person="vera", actor=SYSTEM)

    place.person("vera")
    place.run(grant())
    browser = place.signed_in("vera")
    page = browser.open(f"{PROVIDERS}/{provider_id}")
    assert page.status == 200
    assert "oidc-provider:write" in page.text
    assert 'id="add-mapping"' not in page.text
    assert browser.open(f"{PROVIDERS}/new").status == 403
    place.person("nobody")
    assert place.signed_in("nobody").open(PROVIDERS).status == 403
