"""Identity providers are stored only where they are found good, and only those who hold what their groups give change them."""

import pytest

from sealwright.access import SYSTEM, Permission, Permissions, Role, permissions_of
from sealwright.errors import NotPermitted
from sealwright.identity import RoleInUse
from sealwright.identity.upstream.errors import (
    MappingTaken,
    ProviderInUse,
    ProviderNameTaken,
    ProviderNotFound,
    ProviderRefused,
)
from sealwright.identity.upstream.models import DowngradeRule, groups_at, nearest
from sealwright.identity.upstream.providers import ProviderInput
from sealwright.identity.upstream.store import sealed_secret
from tests.foreign_provider import ISSUER, ForeignProvider, described
from tests.scripted_outbound import json_answer
from tests.unit.identity.upstream.world import upstream_world


async def test_provider_that_is_found_good_is_stored_with_its_defaults():
    async with upstream_world() as world:
        made = await world.providers.create(described(), actor=SYSTEM)
        assert made.groups_claim_path == "groups"
        assert made.scopes == ("openid", "profile", "email")
        assert (made.iat_window_seconds, made.enabled, made.downgrade_rule) == (300, True, DowngradeRule.STRICT)
        assert await world.providers.list_providers(actor=SYSTEM) == [made]


def other_issuer(provider: ForeignProvider) -> None:
    provider.discovery["issuer"] = ISSUER + "/"


def symmetric(provider: ForeignProvider) -> None:
    provider.discovery["id_token_signing_alg_values_supported"] = ["RS256", "HS256"]


def nothing_acceptable(provider: ForeignProvider) -> None:
    provider.discovery["id_token_signing_alg_values_supported"] = ["none"]


def no_token_endpoint(provider: ForeignProvider) -> None:
    del provider.discovery["token_endpoint"]


def endpoint_that_is_no_address(provider: ForeignProvider) -> None:
    provider.discovery["token_endpoint"] = "https://["


def plain_endpoint(provider: ForeignProvider) -> None:
    provider.discovery["authorization_endpoint"] = "http://sso.example.com/auth"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (other_issuer, "every character counts"),
        (symmetric, "HS256"),
        (nothing_acceptable, "no algorithm that is accepted"),
        (no_token_endpoint, "token_endpoint"),
        (endpoint_that_is_no_address, "token_endpoint"),
        (plain_endpoint, "authorization_endpoint"),
    ],
)
async def test_provider_that_is_not_good_is_refused_by_the_check_that_failed_and_not_stored(broken, told):
    async with upstream_world() as world:
        broken(world.provider)
        world.provider.publish()
        with pytest.raises(ProviderRefused, match=told):
            await world.providers.create(described(), actor=SYSTEM)
        assert await world.providers.list_providers(actor=SYSTEM) == []
        assert not all(each.passed for each in await world.providers.test(described(), actor=SYSTEM))


@pytest.mark.parametrize("issuer_url", ["https://[", "https://", "http://sso.example.com", "https:sso.example.com", "\0"])
async def test_issuer_that_is_no_https_address_is_refused(issuer_url):
    async with upstream_world() as world:
        with pytest.raises(ProviderRefused, match="not an https URL"):
            await world.providers.create(described(issuer_url=issuer_url), actor=SYSTEM)


async def test_provider_that_cannot_be_reached_is_refused():
    async with upstream_world() as world:
        world.provider.outbound.answers.clear()
        with pytest.raises(ProviderRefused, match="cannot be fetched"):
            await world.providers.create(described(), actor=SYSTEM)


async def test_provider_without_a_key_that_verifies_is_refused():
    async with upstream_world() as world:
        world.provider.outbound.answers[f"{ISSUER}/keys"] = json_answer({"keys": []})
        with pytest.raises(ProviderRefused, match="no key"):
            await world.providers.create(described(), actor=SYSTEM)


async def test_rule_intersection_passes_over_algorithms_that_are_never_verified():
    async with upstream_world() as world:
        symmetric(world.provider)
        world.provider.publish()
        made = await world.providers.create(described(downgrade_rule=DowngradeRule.INTERSECTION), actor=SYSTEM)
        assert await world.providers.offered() == [made]


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer_url": "http://sso.example.com"},
        {"redirect_uri": "https://elsewhere.example.com/auth/oidc/callback"},
        {"scopes": ("profile",)},
        {"iat_window_seconds": 601},
        {"iat_window_seconds": 0},
    ],
)
async def test_description_that_makes_no_sense_is_refused(wrong):
    async with upstream_world() as world:
        with pytest.raises(ProviderRefused):
            await world.providers.create(described(**wrong), actor=SYSTEM)


async def test_blank_secret_keeps_the_stored_one_and_another_takes_its_place():
    async with upstream_world() as world:
        made = await world.providers.create(described(), actor=SYSTEM)
        before = await sealed_secret(world.db, made.id)
        assert before is not None
        assert b"s3cret" not in before
        await world.providers.update(made.id, described(client_secret="", name="SSO"), actor=SYSTEM)
        assert await sealed_secret(world.db, made.id) == before
        await world.providers.update(made.id, described(client_secret="n3w"), actor=SYSTEM)
        assert await sealed_secret(world.db, made.id) != before


async def test_change_keeps_what_is_not_given():
    async with upstream_world() as world:
        made = await world.providers.create(described(scopes=("openid", "groups"), iat_window_seconds=60), actor=SYSTEM)
        changed = await world.providers.update(made.id, ProviderInput(name="SSO", userinfo_groups=False), actor=SYSTEM)
        assert (changed.name, changed.scopes, changed.iat_window_seconds) == ("SSO", ("openid", "groups"), 60)
        world.provider.discovery["userinfo_endpoint"] = f"{ISSUER}/userinfo"
        world.provider.publish()
        await world.providers.update(made.id, ProviderInput(userinfo_groups=True, enabled=False), actor=SYSTEM)
        changed = await world.providers.update(made.id, ProviderInput(name="Keycloak"), actor=SYSTEM)
        assert (changed.userinfo_groups, changed.enabled, changed.scopes) == (True, False, ("openid", "groups"))


async def test_names_are_unique_and_unknown_providers_are_named():
    async with upstream_world() as world:
        await world.providers.create(described(), actor=SYSTEM)
        with pytest.raises(ProviderNameTaken):
            await world.providers.create(described(), actor=SYSTEM)
        with pytest.raises(ProviderNotFound):
            await world.providers.find("nothing", actor=SYSTEM)


async def test_group_gives_a_role_once():
    async with upstream_world() as world:
        made = await world.providers.create(described(), actor=SYSTEM)
        await world.providers.map_group(made.id, "engineers", "r-operator", actor=SYSTEM)
        with pytest.raises(MappingTaken):
            await world.providers.map_group(made.id, "engineers", "r-operator", actor=SYSTEM)


async def test_no_one_maps_or_touches_more_than_they_hold():
    async with upstream_world() as world:
        made = await world.providers.create(described(), actor=SYSTEM)
        await world.person("mallory")
        rights = frozenset({Permission.OIDC_PROVIDER_READ, Permission.OIDC_PROVIDER_WRITE})
        mallory = (await world.directory.find("mallory")).as_actor(permissions=Permissions(rights))
        with pytest.raises(NotPermitted):
            await world.providers.map_group(made.id, "engineers", "r-admin", actor=mallory)
        mapping = await world.providers.map_group(made.id, "admins", "r-admin", actor=SYSTEM)
        for attempt in (
            world.providers.update(made.id, described(issuer_url=ISSUER), actor=mallory),
            world.providers.delete(made.id, actor=mallory),
            world.providers.unmap(mapping.id, actor=mallory),
        ):
            with pytest.raises(NotPermitted):
                await attempt


async def test_provider_with_live_sessions_is_deleted_only_with_them():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made)
        with pytest.raises(ProviderInUse):
            await world.providers.delete(made.id, actor=SYSTEM)
        assert await world.refreshed(done.completed) is not None
        await world.providers.delete(made.id, end_sessions=True, actor=SYSTEM)
        assert await world.refreshed(done.completed) is None
        assert await world.directory.find("alice") is not None


async def test_person_of_a_deleted_provider_gets_the_same_account_by_the_next_one_of_its_issuer():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        before = (await world.signed_on(made)).completed.signed_in.account
        await world.providers.delete(made.id, end_sessions=True, actor=SYSTEM)
        (row, *_) = [each for each in await world.audit.newest(world.db) if each.event == "oidc_login.succeeded"]
        assert (row.actor_id, row.actor_name) == (before.id, before.name)
        again = await world.with_mapping("engineers", "r-viewer")
        done = await world.signed_on(again)
        assert (again.id != made.id, done.completed.signed_in.account.id) == (True, before.id)
        assert (await world.refreshed(done.completed)).permissions == permissions_of([Role.VIEWER])


async def test_discovery_and_keys_are_fetched_when_a_provider_is_stored_and_at_each_refresh():
    async with upstream_world() as world:
        made = await world.providers.create(described(), actor=SYSTEM)
        calls = world.provider.outbound.calls
        fetched = [calls.count(f"{ISSUER}/.well-known/openid-configuration"), calls.count(f"{ISSUER}/keys")]
        assert min(fetched) >= 1
        await world.providers.refresh(made.id, actor=SYSTEM)
        again = [calls.count(f"{ISSUER}/.well-known/openid-configuration"), calls.count(f"{ISSUER}/keys")]
        assert all(now > before for before, now in zip(fetched, again, strict=True))


@pytest.mark.parametrize(
    ("claims", "path", "groups"),
    [
        ({"groups": ["a", "b"]}, "groups", ("a", "b")),
        ({"groups": "a"}, "groups", ("a",)),
        ({"groups": []}, "groups", ()),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ("a",)),
        ({"https://example.com/groups": ["a"]}, "https://example.com/groups", ("a",)),
        ({"groups": ["0f9c0d9e-3c1b-4c3a-9d0e-1a2b3c4d5e6f"]}, "groups", ("0f9c0d9e-3c1b-4c3a-9d0e-1a2b3c4d5e6f",)),
        ({}, "groups", None),
        ({"groups": None}, "groups", None),
        ({"groups": {"a": True}}, "groups", None),
        ({"groups": ["a", 1]}, "groups", None),
        ({"groups": 7}, "groups", None),
        ({"_claim_names": {"groups": "src1"}}, "groups", None),
    ],
)
def test_groups_are_read_where_the_path_leads(claims, path, groups):
    assert groups_at(claims, path) == groups


def test_nearest_mapping_differs_in_case_or_slashes():
    assert nearest("Engineers", ["engineers"]) == "engineers"
    assert nearest("/engineers", ["ops", "engineers"]) == "engineers"
    assert nearest("engineers", ["engineers", "ops"]) is None
    assert nearest("engineers", ["engineering"]) is None


def test_claim_whose_name_begins_like_an_address_and_is_none_is_looked_up_by_it():
    assert groups_at({"https://[": ["engineers"]}, "https://[") == ("engineers",)
    assert groups_at({}, "http://[x") is None


ELSEWHERE = "https://sso.elsewhere.example"


async def test_stored_secret_is_not_kept_for_another_issuer():
    async with upstream_world() as world:
        made = await world.providers.create(described(), actor=SYSTEM)
        ForeignProvider(world.provider.outbound, world.clock, ELSEWHERE)
        for secret in (None, ""):
            with pytest.raises(ProviderRefused, match="client_secret"):
                await world.providers.update(made.id, ProviderInput(issuer_url=ELSEWHERE, client_secret=secret), actor=SYSTEM)
        assert (await world.providers.find(made.id, actor=SYSTEM)).issuer_url == ISSUER
        changed = ProviderInput(issuer_url=ELSEWHERE, client_secret="n3w")
        assert (await world.providers.update(made.id, changed, actor=SYSTEM)).issuer_url == ELSEWHERE


async def test_another_issuer_ends_what_the_one_before_gave():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made)
        ForeignProvider(world.provider.outbound, world.clock, ELSEWHERE)
        await world.providers.update(made.id, ProviderInput(name="SSO"), actor=SYSTEM)
        assert await world.refreshed(done.completed) is not None
        await world.providers.update(made.id, ProviderInput(issuer_url=ELSEWHERE, client_secret="n3w"), actor=SYSTEM)
        assert await world.refreshed(done.completed) is None
        grants = await world.roles.list_grants(at_most=100, actor=SYSTEM)
        assert not [each for each in grants if each.grant.source == f"idp:{made.id}"]


async def test_role_that_a_group_of_a_provider_gives_is_not_deleted():
    async with upstream_world() as world:
        await world.roles.create("r-helpdesk", description="", permissions=["person:read"], actor=SYSTEM)
        made = await world.with_mapping("engineers", "r-helpdesk")
        with pytest.raises(RoleInUse, match="engineers"):
            await world.roles.delete("r-helpdesk", actor=SYSTEM)
        (mapping,) = await world.providers.mappings(made.id, actor=SYSTEM)
        await world.providers.unmap(mapping.id, actor=SYSTEM)
        await world.roles.delete("r-helpdesk", actor=SYSTEM)
