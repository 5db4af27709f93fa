"""Who may change a client is judged again in the transaction of the change: the permission may have ended since."""

import base64
from contextlib import asynccontextmanager

import pytest

from sealwright.access import SYSTEM, Permission, seed_builtin_groups
from sealwright.errors import NotPermitted
from tests.oauth_world import oauth_world

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")


async def key_id(clients):
    return (await clients.keys.list_keys("wiki", actor=SYSTEM))[0].id


async def image_removed(clients, actor):
    await clients.images.set_image("wiki", PNG, actor=SYSTEM)
    return await clients.images.remove_image("wiki", actor=actor)


async def key_revoked(clients, actor):
    return await clients.keys.revoke("wiki", await key_id(clients), actor=actor)


CHANGES = {
    "create": lambda server, actor: server.clients.create_public("own", "Own", "https://own.example.org", actor=actor),
    "change": lambda server, actor: server.clients.change("wiki", {"lean_id_token": True}, actor=actor),
    "scope map": lambda server, actor: server.clients.update_scope_map("wiki", "users", ["openid"], actor=actor),
    "rename": lambda server, actor: server.clients.names.rename("wiki", "other", actor=actor),
    "delete": lambda server, actor: server.clients.delete("wiki", actor=actor),
    "show secret": lambda server, actor: server.clients.secrets.show_basic_secret("wiki", actor=actor),
    "reset secret": lambda server, actor: server.clients.secrets.reset_basic_secret("wiki", actor=actor),
    "reset secrets": lambda server, actor: server.clients.secrets.reset_secrets("wiki", actor=actor),
    "rotate keys": lambda server, actor: server.clients.keys.rotate("wiki", actor=actor),
    "revoke key": lambda server, actor: key_revoked(server.clients, actor),
    "set image": lambda server, actor: server.clients.images.set_image("wiki", PNG, actor=actor),
    "remove image": lambda server, actor: image_removed(server.clients, actor),
    "create issuer": lambda server, actor: server.issuers.create("shared", actor=actor),
    "rotate keys of an issuer": lambda server, actor: server.issuers.rotate("main", actor=actor),
    "delete issuer": lambda server, actor: server.issuers.delete("main", actor=actor),
}


@asynccontextmanager
async def world_of(group):
    """A world, and someone of a built-in group as their request sees them."""
    async with oauth_world() as world:

        async def seed(tx):
            await seed_builtin_groups(tx, world.clock.now())

        await world.db.write(seed)
        await world.confidential_client()
        await world.server.issuers.create("main", actor=SYSTEM)
        person = await world.person("carol", groups=(group,))
        yield world, (await world.signed_in(await world.sign_in(person))).actor


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_change_of_a_client_is_refused_where_the_permission_ended_since_the_request_began(change):
    async with world_of("idm_oauth2_admins") as (world, carol):
        assert carol.holds(Permission.CLIENT_WRITE)
        before = await world.server.clients.get("wiki", actor=SYSTEM), await key_id(world.server.clients)
        await world.directory.remove_members("idm_oauth2_admins", ["carol"], actor=SYSTEM)
        with pytest.raises(NotPermitted, match="client:write"):
            await change(world.server, carol)
        after = await world.server.clients.get("wiki", actor=SYSTEM), await key_id(world.server.clients)
        assert before[1] == after[1]
        assert {name: getattr(after[0], name) for name in ("name", "lean_id_token", "scope_maps")} == {
            name: getattr(before[0], name) for name in ("name", "lean_id_token", "scope_maps")
        }
        rows = await world.audit.newest(world.db, at_most=5)
        assert [row.actor_name for row in rows if row.outcome == "refused"] == ["carol"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_change_of_a_client_is_made_while_the_permission_lasts(change):
    async with world_of("idm_oauth2_admins") as (world, carol):
        await change(world.server, carol)
        rows = await world.audit.newest(world.db, at_most=5)
        assert rows[0].actor_name == "carol"
        assert rows[0].outcome == "done"


async def test_change_of_the_directory_is_refused_where_the_permission_ended_since_the_request_began():
    async with world_of("idm_group_admins") as (world, carol):
        await world.directory.create_group("before", actor=carol)
        await world.directory.remove_members("idm_group_admins", ["carol"], actor=SYSTEM)
        with pytest.raises(NotPermitted, match="group:write"):
            await world.directory.create_group("after", actor=carol)
        assert await world.directory.find_group("after") is None
