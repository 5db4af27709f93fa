"""This server as its own identity provider: one call makes client and provider, and groups of people here give roles here."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from sealwright.access import SYSTEM, Actor, BeyondOwnAuthority, Permission, Permissions
from sealwright.app.routes import api_dependencies
from sealwright.errors import NotPermitted
from sealwright.identity import ProviderInput
from sealwright.oauth import ClientExists
from sealwright.settings import BudgetSettings, Rate
from sealwright.web.console.people import PEOPLE_PAGE
from tests.pages_place import ORIGIN, PASSWORD, pages_place
from tests.unit.api.world import server_world

CALLBACK = f"{ORIGIN}/auth/oidc/callback"


@pytest.fixture
def place():
    with pages_place() as place:
        place.person("alice", "engineers")
        place.person("bob")
        yield place


def own_provider(place):
    return api_dependencies(place.app.parts).own_provider


def registered(place):
    return place.run(own_provider(place).register(actor=SYSTEM))


def sign_on(place, browser, provider, name):
    page = browser.open(f"{ORIGIN}/auth/oidc/login?provider={provider.id}")
    return browser.submit(page, "sign-in", username=name, password=PASSWORD)


def state_of(place, browser, provider):
    """What a sign-in is known by that a browser begins."""
    before = len(place.answers)
    browser.open(f"{ORIGIN}/auth/oidc/login?provider={provider.id}")
    locations = [dict(each.headers).get("location", "") for each in place.answers[before:]]
    return next(parse_qs(urlsplit(each).query)["state"][0] for each in locations if "state=" in each)


def test_person_signs_in_with_this_server_itself_and_their_group_gives_a_role(place):
    entry = registered(place)
    providers = place.app.parts.upstream_providers
    place.run(providers.map_group(entry.provider.id, "engineers", "r-viewer", actor=SYSTEM))
    browser = place.browser()
    called = list(place.outbound.calls)
    page = sign_on(place, browser, entry.provider, "alice")
    assert page.url == f"{ORIGIN}/ui/account", page.text
    assert place.outbound.calls == called
    records = place.run(place.app.parts.sign_in_records.newest(at_most=100, actor=SYSTEM))
    (record,) = [each for each in records if each.accepted]
    assert place.run(place.identity.directory.account(record.account_id)).name == "alice"
    (session,) = place.run(place.identity.sessions.list_of(record.account_id, actor=SYSTEM))
    assert session.methods == ("pwd",)
    assert browser.open(ORIGIN + PEOPLE_PAGE).status == 200


def test_person_without_a_mapped_group_is_refused_here_too(place):
    page = sign_on(place, place.browser(), registered(place).provider, "bob")
    assert "No role is assigned" in page.text


def test_second_call_makes_nothing_and_puts_right_what_no_longer_fits(place):
    first = registered(place)
    clients, providers = place.oauth.clients, place.app.parts.upstream_providers
    assert registered(place).made == ()
    place.run(clients.secrets.reset_basic_secret(first.client_name, actor=SYSTEM))
    place.run(clients.delete_scope_map(first.client_name, "idm_all_persons", actor=SYSTEM))
    assert registered(place).made == ("scopes", "secret")
    place.run(providers.delete(first.provider.id, end_sessions=True, actor=SYSTEM))
    again = registered(place)
    assert again.made == ("provider", "sign-in address")
    assert again.provider.id != first.provider.id


def test_application_of_the_same_name_is_left_alone(place):
    own = own_provider(place)
    place.run(place.oauth.clients.create_confidential("portal", "Portal", "https://portal.example.org", actor=SYSTEM))
    with pytest.raises(ClientExists, match="another application"):
        place.run(own.register(client_name="portal", actor=SYSTEM))
    assert place.run(place.oauth.clients.get("portal", actor=SYSTEM)).redirect_uris == ()


def test_it_takes_the_permissions_for_providers_and_for_clients(place):
    own = own_provider(place)
    for held in (Permission.OIDC_PROVIDER_WRITE, Permission.CLIENT_WRITE):
        actor = Actor("person", "x", "x", Permissions(frozenset({held})))
        with pytest.raises(NotPermitted):
            place.run(own.register(client_name="other", actor=actor))


def test_sign_in_page_of_an_application_does_not_lead_back_to_itself(place):
    provider = registered(place).provider
    button = re.compile(re.escape(f"provider={provider.id}"))
    assert button.search(place.browser().open(f"{ORIGIN}/ui/sign-in").text)
    waiting = place.browser().open(f"{ORIGIN}/auth/oidc/login?provider={provider.id}")
    assert "/ui/sign-in" in waiting.url
    assert not button.search(waiting.text)


def test_stranger_whose_codes_are_refused_keeps_no_one_else_out():
    with pages_place(budgets=BudgetSettings(token_failures_per_client=Rate(1, timedelta(minutes=1)))) as place:
        place.person("alice", "engineers")
        provider = registered(place).provider
        place.run(place.app.parts.upstream_providers.map_group(provider.id, "engineers", "r-viewer", actor=SYSTEM))
        stranger = place.browser("198.51.100.9")
        for told in ("status 400", "status 429"):
            state = state_of(place, stranger, provider)
            answer = urlencode({"state": state, "iss": provider.issuer_url, "code": "made-up"})
            assert told in stranger.open(f"{CALLBACK}?{answer}").text
        assert sign_on(place, place.browser(), provider, "alice").url == f"{ORIGIN}/ui/account"


def test_provider_of_this_server_is_tested_as_any_other(place):
    providers = place.app.parts.upstream_providers
    checks = place.run(
        providers.test(ProviderInput(name="x", issuer_url=f"{ORIGIN}/oauth2/openid/none", client_id="none"), actor=SYSTEM)
    )
    assert [each.name for each in checks if not each.passed] == ["discovery"]


async def test_api_registers_it_and_no_answer_and_no_audit_row_holds_the_secret():
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        status, made = await world.call("POST", "/auth/oidc/own-provider", {}, token=chief)
        assert (status, made["client"]) == (200, "control-plane")
        assert made["made"] == ["client", "scopes", "provider", "sign-in address"]
        assert made["provider"]["issuer_url"].endswith("/oauth2/openid/control-plane")
        secret = await world.app.parts.upstream_providers.secret_of(made["provider"]["id"], actor=SYSTEM)
        assert secret
        rows = await world.audit.newest(world.db)
        assert secret not in str(made) + str([row.details for row in rows])


def is_refused_by_mapping(place, work):
    with pytest.raises(BeyondOwnAuthority, match=r"the identity provider .* trusts the"):
        place.run(work)
    return True


def test_group_that_gives_a_role_here_is_changed_only_by_those_who_hold_what_it_gives(place):
    entry = registered(place)
    parts = place.app.parts
    place.person("carol", "rulers")
    place.run(parts.upstream_providers.map_group(entry.provider.id, "rulers", "r-admin", actor=SYSTEM))
    writes = {Permission.GROUP_WRITE, Permission.PERSON_WRITE, Permission.CLIENT_WRITE}
    held = Permissions(frozenset({Permission.PERSON_READ, *writes}))
    actor = Actor("person", "x", "x", held)
    directory, clients = place.identity.directory, parts.oauth.clients
    assert is_refused_by_mapping(place, directory.add_members("rulers", ["bob"], actor=actor))
    assert is_refused_by_mapping(place, place.identity.reset_links.create("carol", actor=actor))
    assert is_refused_by_mapping(place, clients.update_scope_map(entry.client_name, "rulers", ("openid",), actor=actor))
    place.run(parts.upstream_providers.map_group(entry.provider.id, "later", "r-admin", actor=SYSTEM))
    assert is_refused_by_mapping(place, directory.create_group("later", actor=actor))
    chief = Actor("person", "x", "x", Permissions(frozenset(Permission)))
    place.run(directory.add_members("rulers", ["bob"], actor=chief))


def test_group_that_gives_a_mapped_claim_is_changed_only_by_those_who_hold_what_the_claim_gives(place):
    entry = registered(place)
    parts = place.app.parts
    place.run(place.identity.directory.create_group("claimants", actor=SYSTEM))
    place.run(parts.oauth.client_maps.update_claim_map(entry.client_name, "ranks", "claimants", ["chief"], actor=SYSTEM))
    given = ProviderInput(groups_claim_path="ranks")
    place.run(parts.upstream_providers.update(entry.provider.id, given, actor=SYSTEM))
    place.run(parts.upstream_providers.map_group(entry.provider.id, "chief", "r-admin", actor=SYSTEM))
    actor = Actor("person", "x", "x", Permissions(frozenset({Permission.GROUP_WRITE})))
    assert is_refused_by_mapping(place, place.identity.directory.add_members("claimants", ["bob"], actor=actor))
