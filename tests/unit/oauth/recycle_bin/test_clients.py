"""A client that was deleted by mistake comes back whole, and nothing that was given to it does."""

import asyncio
import base64
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.errors import Conflict, NotFound, NotPermitted
from sealwright.oauth import ClientExists
from sealwright.oauth.maps.models import ClaimJoin
from sealwright.oauth.purge import purge
from tests.oauth_world import basic, members, oauth_world
from tests.unit.oauth.test_introspection import INACTIVE, alice_at_wiki, introspected

READER = Actor("person", "2", "reader", Permissions(frozenset({Permission.CLIENT_READ})))
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")


async def everything_set(world):
    """A client with something of everything."""
    server = world.server
    await world.directory.create_group("others", actor=SYSTEM)
    await server.clients.change("wiki", {"lean_id_token": True, "refresh_seconds": 7200}, actor=SYSTEM)
    await server.clients.update_scope_map("wiki", "others", ["openid", "email"], actor=SYSTEM)
    await server.client_maps.update_supplementary_scope_map("wiki", "others", ["read:wiki"], actor=SYSTEM)
    await server.client_maps.update_claim_map("wiki", "level", "others", ["gold"], actor=SYSTEM)
    await server.client_maps.set_claim_join("wiki", "level", ClaimJoin.CSV, actor=SYSTEM)
    await server.clients.images.set_image("wiki", PNG, actor=SYSTEM)


def apart_from_times(configuration):
    return {name: getattr(configuration, name) for name in configuration.__dataclass_fields__ if name != "updated_at"}


async def test_client_comes_back_with_its_settings_maps_image_secret_and_keys_and_without_its_tokens():
    async with oauth_world() as world:
        _, cookie, wiki, tokens = await alice_at_wiki(world)
        clients = world.server.clients
        await everything_set(world)
        before, keys = await clients.get("wiki", actor=SYSTEM), await clients.keys.list_keys("wiki", actor=SYSTEM)
        await clients.delete("wiki", actor=SYSTEM)
        with pytest.raises(NotFound):
            await clients.get("wiki", actor=SYSTEM)
        assert [each.name for each in await clients.deleted.list(at_most=5, actor=READER)] == ["wiki"]
        revived = await clients.deleted.revive("wiki", actor=SYSTEM)
        assert (revived.name, revived.lost_maps) == ("wiki", 0)
        assert apart_from_times(await clients.get("wiki", actor=SYSTEM)) == apart_from_times(before)
        assert await clients.keys.list_keys("wiki", actor=SYSTEM) == keys
        assert await clients.images.digest_of("wiki") is not None
        assert await introspected(world, wiki, tokens["access_token"]) == INACTIVE, "the secret of before proves it"
        refreshed = await world.token(wiki, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        assert members(refreshed)["error"] == "invalid_grant"
        assert await world.server.consents.list_of(await world.signed_in(cookie)) == []


async def test_name_of_a_deleted_client_is_reserved_until_the_bin_is_emptied():
    async with oauth_world() as world:
        await world.confidential_client()
        clients = world.server.clients
        await clients.create_public("app", "App", "https://app.example.org", actor=SYSTEM)
        await clients.delete("wiki", actor=SYSTEM)
        for attempt in (
            clients.create_public("wiki", "Wiki", "https://wiki.example.org", actor=SYSTEM),
            clients.names.rename("app", "wiki", actor=SYSTEM),
        ):
            with pytest.raises(ClientExists, match="can be brought back"):
                await attempt
        world.clock.advance(timedelta(days=7, seconds=1))
        await purge(world.dependencies)
        assert await clients.deleted.list(at_most=5, actor=SYSTEM) == []
        await clients.create_public("wiki", "Wiki", "https://wiki.example.org", actor=SYSTEM)


async def test_key_that_was_revoked_before_stays_revoked():
    async with oauth_world() as world:
        await world.confidential_client()
        clients = world.server.clients
        (leaked,) = [key.id for key in await clients.keys.list_keys("wiki", actor=SYSTEM)]
        (new,) = [key.id for key in await clients.keys.revoke("wiki", leaked, actor=SYSTEM)]
        await clients.delete("wiki", actor=SYSTEM)
        await clients.deleted.revive("wiki", actor=SYSTEM)
        assert [key.id for key in await clients.keys.list_keys("wiki", actor=SYSTEM)] == [new]


async def test_maps_of_groups_that_are_gone_are_left_out_and_counted():
    async with oauth_world() as world:
        await world.confidential_client()
        await everything_set(world)
        await world.server.clients.delete("wiki", actor=SYSTEM)
        await world.directory.delete_group("others", actor=SYSTEM)
        revived = await world.server.clients.deleted.revive("wiki", actor=SYSTEM)
        assert revived.lost_maps == 3
        found = await world.server.clients.get("wiki", actor=SYSTEM)
        assert [each.group_name for each in found.scope_maps] == ["users"]


async def test_client_of_an_issuer_that_is_gone_does_not_come_back_with_another():
    async with oauth_world() as world:
        server = world.server
        await server.issuers.create("main", actor=SYSTEM)
        await server.clients.create_public("app", "App", "https://app.example.org", issuer="main", actor=SYSTEM)
        await server.clients.delete("app", actor=SYSTEM)
        await server.issuers.delete("main", actor=SYSTEM)
        with pytest.raises(Conflict, match="issuer"):
            await server.clients.deleted.revive("app", actor=SYSTEM)
        assert (await server.clients.deleted.show("app", actor=SYSTEM)).name == "app", "it waits on"


async def test_client_is_revived_once_however_often_that_is_asked_at_the_same_time():
    async with oauth_world() as world:
        await world.confidential_client()
        await world.server.clients.delete("wiki", actor=SYSTEM)
        attempts = [world.server.clients.deleted.revive("wiki", actor=SYSTEM) for _ in range(5)]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        assert sum(isinstance(each, NotFound) for each in outcomes) == 4


async def test_who_may_only_read_clients_revives_none_and_the_refusal_is_on_record():
    async with oauth_world() as world:
        await world.confidential_client()
        await world.server.clients.delete("wiki", actor=SYSTEM)
        with pytest.raises(NotPermitted):
            await world.server.clients.deleted.revive("wiki", actor=READER)
        assert [outcome for _, outcome, _ in await world.events("client.revived")] == ["refused"]
        with pytest.raises(NotPermitted):
            await world.server.clients.deleted.list(at_most=5, actor=Actor("person", "1", "mallory"))


async def test_nothing_that_opens_anything_is_in_the_bin_in_the_clear():
    async with oauth_world() as world:
        _, secret = await world.confidential_client()
        await world.server.clients.delete("wiki", actor=SYSTEM)
        assert (await world.token(basic("wiki", secret), grant_type="client_credentials")).status == 401
        dump = "".join(repr(each) for each in await world.audit.newest(world.db, at_most=50))
        assert secret not in dump
