"""A person signs in with an identity provider of someone else, in a browser without JavaScript."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from sealwright.access import SYSTEM
from sealwright.identity import ProviderInput
from sealwright.settings import BudgetSettings, Rate
from tests.foreign_provider import ForeignProvider, described
from tests.pages_place import ORIGIN, InProcessBrowser, Place, pages_place

CALLBACK = ORIGIN + "/auth/oidc/callback"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def provided(place: Place, group: str = "engineers") -> tuple[ForeignProvider, str]:
    provider = ForeignProvider(place.outbound, place.clock)

    async def work() -> str:
        made = await place.app.parts.upstream_providers.create(described(), actor=SYSTEM)
        await place.app.parts.upstream_providers.map_group(made.id, group, "r-operator", actor=SYSTEM)
        return made.id

    return provider, place.run(work())


def to_provider(browser: InProcessBrowser, address: str) -> str:
    """Where the browser is led; the provider itself is only arrived at."""
    return browser.open(address).url


def test_button_leads_to_the_provider_and_back_to_the_account(place: Place) -> None:
    provider, provider_id = provided(place)
    browser = place.browser()
    page = browser.open(ORIGIN + "/ui/sign-in")
    assert "Sign in with Keycloak" in page.text
    location = to_provider(browser, f"{ORIGIN}/auth/oidc/login?provider={provider_id}")
    assert location.startswith("https://sso.example.com/realms/staff/auth?")
    page = browser.open(f"{CALLBACK}?{urlencode(provider.answer(location))}")
    assert page.url == f"{ORIGIN}/ui/account"
    assert "Alice A." in page.text
    assert place.events("oidc_login.succeeded") == [("done", place.run(account(place)))]


def test_someone_who_is_signed_in_is_asked_for_credentials_anew(place: Place) -> None:
    _, provider_id = provided(place)
    place.person()
    address = f"{ORIGIN}/auth/oidc/login?provider={provider_id}"
    assert "prompt=login" not in to_provider(place.browser(), address)
    assert "prompt=login&max_age=0" in to_provider(place.signed_in(), address)


async def account(place: Place) -> str:
    found = await place.identity.directory.find("alice")
    assert found is not None
    return found.reference


def test_person_without_a_mapped_group_sees_which_groups_were_seen(place: Place) -> None:
    provider, provider_id = provided(place, "Engineers")
    browser = place.browser()
    location = to_provider(browser, f"{ORIGIN}/auth/oidc/login?provider={provider_id}")
    page = browser.open(f"{CALLBACK}?{urlencode(provider.answer(location))}")
    assert page.status == 403
    assert "<code>engineers</code>" in page.text
    assert "is mapped as Engineers" in page.text
    assert browser.open(f"{ORIGIN}/ui/account").url.startswith(f"{ORIGIN}/ui/sign-in")


def test_answer_without_the_cookie_of_this_browser_is_refused(place: Place) -> None:
    provider, provider_id = provided(place)
    location = to_provider(place.browser(), f"{ORIGIN}/auth/oidc/login?provider={provider_id}")
    page = place.browser().open(f"{CALLBACK}?{urlencode(provider.answer(location))}")
    assert page.status == 400
    assert "not begun in this browser" in page.text


def test_provider_that_does_not_exist_is_not_found(place: Place) -> None:
    assert place.browser().open(f"{ORIGIN}/auth/oidc/login?provider=nothing").status == 404
    assert place.browser().open(f"{ORIGIN}/auth/oidc/login").status == 400


def test_provider_that_is_down_is_told_and_the_sign_in_page_stays(place: Place) -> None:
    _, provider_id = provided(place)
    place.outbound.answers.clear()
    place.app.parts.upstream_providers._providers.forget()
    assert place.browser().open(f"{ORIGIN}/auth/oidc/login?provider={provider_id}").status == 503
    assert place.browser().open(f"{ORIGIN}/ui/sign-in").status == 200
    assert place.events("oidc_login.failed") == [("refused", f"oidc_provider:{provider_id}")]


def test_provider_that_is_switched_off_is_told_with_the_reason(place: Place) -> None:
    _, provider_id = provided(place)
    place.run(place.app.parts.upstream_providers.update(provider_id, ProviderInput(enabled=False), actor=SYSTEM))
    page = place.browser().open(f"{ORIGIN}/auth/oidc/login?provider={provider_id}")
    assert page.status == 403
    assert "is switched off" in page.text
    assert "provider_disabled" in page.text


def test_buttons_of_providers_stand_above_the_password(place: Place) -> None:
    provided(place)
    page = place.browser().open(f"{ORIGIN}/login")
    assert 0 < page.text.index('id="provider-1"') < page.text.index('id="password"')


def test_login_leads_to_the_sign_in_page(place: Place) -> None:
    assert place.browser().open(f"{ORIGIN}/login").url == f"{ORIGIN}/ui/sign-in"


def test_hostile_name_of_a_group_is_shown_as_text(place: Place) -> None:
    provider, provider_id = provided(place)
    browser = place.browser()
    location = to_provider(browser, f"{ORIGIN}/auth/oidc/login?provider={provider_id}")
    page = browser.open(f"{CALLBACK}?{urlencode(provider.answer(location, groups=['<script>alert(1)</script>']))}")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize("path", ["/auth/oidc/login?provider={}", "/auth/oidc/callback?state=x&code=y"])
def test_one_network_begins_and_ends_only_so_many_sign_ins(path: str) -> None:
    with pages_place(budgets=BudgetSettings(authorizations_per_address=Rate(3, timedelta(minutes=1)))) as place:
        _, provider_id = provided(place)
        address = ORIGIN + path.format(provider_id)
        for _ in range(5):
            place.browser().open(address)
        assert [answer.status for answer in place.answers][-2:] == [429, 429]
        assert 429 not in [answer.status for answer in place.answers][:3]
        place.browser("198.51.100.7").open(address)
        assert place.answers[-1].status != 429
