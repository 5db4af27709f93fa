"""What groups bring at one client: implicit and supplementary scopes, and mapped claims."""

from contextlib import asynccontextmanager

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions, seed_builtin_groups
from sealwright.errors import NotFound, NotPermitted
from sealwright.oauth import ClaimJoin, ClientRefused, GroupUnknown
from tests.oauth_world import CALLBACK, VERIFIER, basic, confidential_request, members, oauth_world

READER = Actor("person", "2", "reader", Permissions(frozenset({Permission.CLIENT_READ})))
CONFIGURATION = "/oauth2/openid/{}/.well-known/openid-configuration"


@asynccontextmanager
async def world_with_client():
    async with oauth_world() as world:
        await world.db.write(lambda tx: seed_builtin_groups(tx, world.clock.now()))
        name, secret = await world.confidential_client(scopes=("openid", "groups"))
        yield world, world.server.client_maps, (name, secret)


async def tokens_of(world, client, cookie, **changes):
    name, secret = client
    code = await world.code(cookie, **confidential_request(**{"client_id": name, "scope": "openid", **changes}))
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return members(await world.token(basic(name, secret), **form))


async def claims_of(world, client, cookie, **changes):
    """The claims of the ID token, and those at userinfo."""
    tokens = await tokens_of(world, client, cookie, **changes)
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    told = members(await world.call("GET", f"/oauth2/openid/{client[0]}/userinfo", headers=bearer))
    return (await world.verified(tokens["id_token"], client[0])).claims, told


async def test_implicit_scopes_are_granted_to_every_account_and_replaced_as_a_list():
    async with world_with_client() as (world, maps, client):
        stranger = await world.sign_in(await world.person("stranger"))
        await maps.set_implicit_scopes("wiki", ["openid", "email"], actor=SYSTEM)
        assert (await tokens_of(world, client, stranger, scope="openid email"))["scope"] == "openid email"
        found = await maps.set_implicit_scopes("wiki", ["openid"], actor=SYSTEM)
        assert [(one.group_name, one.scopes) for one in found.scope_maps] == [
            ("idm_all_accounts", ("openid",)),
            ("users", ("openid", "groups")),
        ]
        assert (await tokens_of(world, client, stranger))["scope"] == "openid"
        found = await maps.set_implicit_scopes("wiki", [], actor=SYSTEM)
        assert [one.group_name for one in found.scope_maps] == ["users"]
        assert "not-allowed" in dict((await world.authorize(stranger, **confidential_request())).headers)["location"]


@pytest.mark.parametrize("group", ["idm_all_persons", "idm_all_accounts"])
async def test_scope_map_of_a_dynamic_group_reaches_every_person(group):
    async with world_with_client() as (world, _maps, client):
        stranger = await world.sign_in(await world.person("stranger"))
        await world.server.clients.update_scope_map("wiki", group, ["openid"], actor=SYSTEM)
        assert (await tokens_of(world, client, stranger))["scope"] == "openid"


async def test_same_scope_word_at_another_client_grants_nothing_here():
    async with world_with_client() as (world, maps, client):
        other = await world.confidential_client("shop", scopes=("openid",))
        alice = await world.sign_in(await world.person("alice", groups=("users",)))
        await world.server.clients.update_scope_map("wiki", "users", ["openid", "edit"], actor=SYSTEM)
        await maps.update_supplementary_scope_map("wiki", "users", ["extra"], actor=SYSTEM)
        await maps.update_claim_map("wiki", "roles", "users", ["editor"], actor=SYSTEM)
        assert (await tokens_of(world, client, alice, scope="openid edit"))["scope"] == "openid edit extra"
        answer = await world.authorize(alice, **confidential_request(client_id="shop", scope="openid edit"))
        assert "not-allowed" in dict(answer.headers)["location"]
        id_token, told = await claims_of(world, other, alice)
        assert "roles" not in id_token
        assert "roles" not in told


async def test_supplementary_scopes_come_beside_those_that_are_asked_for_and_never_let_anyone_in():
    async with world_with_client() as (world, maps, client):
        alice, stranger = await world.person("alice", groups=("users",)), await world.person("stranger")
        await world.directory.create_group("editors", actor=SYSTEM)
        await world.directory.add_members("editors", ["alice", "stranger"], actor=SYSTEM)
        found = await maps.update_supplementary_scope_map("wiki", "editors", ["edit", "publish"], actor=SYSTEM)
        assert [(one.group_name, one.scopes) for one in found.supplementary_scope_maps] == [("editors", ("edit", "publish"))]
        cookie = await world.sign_in(alice)
        tokens = await tokens_of(world, client, cookie)
        assert tokens["scope"] == "openid edit publish"
        asked = await world.authorize(cookie, **confidential_request(scope="openid edit"))
        assert "not-allowed" in dict(asked.headers)["location"], "a client cannot ask for what is only supplementary"
        refused = await world.authorize(await world.sign_in(stranger), **confidential_request(scope="openid"))
        assert "not-allowed" in dict(refused.headers)["location"]
        document = members(await world.call("GET", CONFIGURATION.format("wiki")))
        assert "edit" not in document["scopes_supported"]
        await world.directory.remove_members("editors", ["alice"], actor=SYSTEM)
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert members(await world.token(basic(*client), **form))["scope"] == "openid"


@pytest.mark.parametrize("scope", ["openid", "offline_access"])
async def test_scope_that_changes_what_the_client_gets_is_never_supplementary(scope):
    async with world_with_client() as (_world, maps, _client):
        with pytest.raises(ClientRefused, match=f"The scope {scope} cannot be supplementary"):
            await maps.update_supplementary_scope_map("wiki", "users", ["edit", scope], actor=SYSTEM)


async def test_mapped_claims_are_told_whatever_was_asked_for_as_the_groups_are_now():
    async with world_with_client() as (world, maps, client):
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        await world.directory.create_group("inner", actor=SYSTEM)
        await world.directory.create_group("outer", actor=SYSTEM)
        await world.directory.add_members("outer", ["inner"], actor=SYSTEM)
        await world.directory.add_members("inner", ["alice"], actor=SYSTEM)
        await maps.update_claim_map("wiki", "roles", "outer", ["editor", "reader"], actor=SYSTEM)
        await maps.update_claim_map("wiki", "roles", "users", ["reader"], actor=SYSTEM)
        for told in await claims_of(world, client, cookie):
            assert told["roles"] == ["editor", "reader"]
        await maps.set_claim_join("wiki", "roles", ClaimJoin.SSV, actor=SYSTEM)
        tokens = await tokens_of(world, client, cookie)
        assert (await world.verified(tokens["id_token"], "wiki")).claims["roles"] == "editor reader"
        await world.directory.remove_members("inner", ["alice"], actor=SYSTEM)
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        fresh = members(await world.token(basic(*client), **form))
        assert (await world.verified(fresh["id_token"], "wiki")).claims["roles"] == "reader"
        document = members(await world.call("GET", CONFIGURATION.format("wiki")))
        assert "roles" in document["claims_supported"]


async def test_claim_map_is_replaced_and_its_join_goes_with_the_last_group():
    async with world_with_client() as (_world, maps, _client):
        await maps.update_claim_map("wiki", "roles", "users", ["a", "b"], actor=SYSTEM)
        await maps.set_claim_join("wiki", "roles", ClaimJoin.CSV, actor=SYSTEM)
        found = await maps.update_claim_map("wiki", "roles", "users", ["c"], actor=SYSTEM)
        (one,) = found.claim_maps
        assert (one.claim, one.join, [(each.group_name, each.values) for each in one.groups]) == (
            "roles",
            ClaimJoin.CSV,
            [("users", ("c",))],
        )
        assert (await maps.delete_claim_map("wiki", "roles", "users", actor=SYSTEM)).claim_maps == ()
        found = await maps.update_claim_map("wiki", "roles", "users", ["c"], actor=SYSTEM)
        assert found.claim_maps[0].join is ClaimJoin.ARRAY


async def test_what_is_not_there_is_not_found_and_no_one_without_the_permission_changes_a_map():
    async with world_with_client() as (world, maps, _client):
        with pytest.raises(NotFound, match="no claim map"):
            await maps.set_claim_join("wiki", "roles", ClaimJoin.CSV, actor=SYSTEM)
        with pytest.raises(NotFound, match="no claim map"):
            await maps.delete_claim_map("wiki", "roles", "users", actor=SYSTEM)
        with pytest.raises(NotFound, match="no supplementary"):
            await maps.delete_supplementary_scope_map("wiki", "users", actor=SYSTEM)
        with pytest.raises(GroupUnknown):
            await maps.update_claim_map("wiki", "roles", "nobody", ["a"], actor=SYSTEM)
        for change in (
            maps.set_implicit_scopes("wiki", ["openid"], actor=READER),
            maps.update_supplementary_scope_map("wiki", "users", ["edit"], actor=READER),
            maps.update_claim_map("wiki", "roles", "users", ["a"], actor=READER),
        ):
            with pytest.raises(NotPermitted):
                await change
        assert (await world.server.clients.get("wiki", actor=READER)).claim_maps == ()


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("groups", ["{name}"]),
        ("groups_name", ["{name}"]),
        ("groups_spn", ["{name}@example.org"]),
        ("groups_uuid", ["{id}"]),
        ("groups_uuid groups_spn", ["{id}", "{name}@example.org"]),
    ],
)
async def test_groups_are_told_in_the_form_of_the_scope(scope, told):
    async with world_with_client() as (world, _maps, client):
        await world.server.clients.update_scope_map("wiki", "users", ["openid", *scope.split()], actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        group = await world.directory.find_group("users")
        for claims in await claims_of(world, client, await world.sign_in(alice), scope=f"openid {scope}"):
            found = [each for each in claims["groups"] if not each.startswith("idm_all_")]
            assert found == sorted(each.format(name=group.name, id=group.id) for each in told)


async def test_group_that_brings_claims_is_known_to_be_in_use():
    async with world_with_client() as (world, maps, _client):
        for name in ("claiming", "supplementing", "free"):
            await world.directory.create_group(name, actor=SYSTEM)
        await maps.update_claim_map("wiki", "roles", "claiming", ["a"], actor=SYSTEM)
        await maps.update_supplementary_scope_map("wiki", "supplementing", ["edit"], actor=SYSTEM)
        for name, users in (("claiming", ["the client wiki (map)"]), ("supplementing", ["the client wiki (map)"]), ("free", [])):
            _, found = await world.directory.impact_of_deletion_of_group(name, actor=SYSTEM)
            assert found == users
