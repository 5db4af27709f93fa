"""Registration tokens: who may make them, and what is on record."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.access.approvals.store import people_behind
from sealwright.errors import NotPermitted
from sealwright.oauth import purge
from sealwright.oauth.clients.store import client_named
from sealwright.oauth.errors import NotRegistered
from tests.oauth_world import oauth_world
from tests.unit.oauth.registration.test_registration import SECRET_CLIENT, register

READER = Actor("person", "r", "reader", Permissions(frozenset({Permission.CLIENT_READ})))
WRITER = Actor("person", "w", "writer", Permissions(frozenset({Permission.CLIENT_READ, Permission.CLIENT_WRITE})))
NOBODY = Actor("person", "n", "nobody")
HOUR = timedelta(hours=1)


async def test_tokens_are_made_and_deleted_with_the_permission_to_write_clients():
    async with oauth_world() as world:
        tokens = world.server.registration_tokens
        made = await tokens.create(uses=1, lasts=HOUR, actor=WRITER)
        with pytest.raises(NotPermitted, match="client:read"):
            await tokens.list(actor=NOBODY)
        with pytest.raises(NotPermitted, match="client:write"):
            await tokens.create(uses=1, lasts=HOUR, actor=READER)
        with pytest.raises(NotPermitted, match="client:write"):
            await tokens.delete(made.record.id, actor=READER)
        assert await tokens.list(actor=READER) == [made.record]
        await tokens.delete(made.record.id, actor=WRITER)
        with pytest.raises(NotRegistered):
            await tokens.delete(made.record.id, actor=WRITER)
        events = await world.events("registration_token.created", "registration_token.deleted")
        assert [(event, outcome) for event, outcome, _ in events] == [
            ("registration_token.created", "done"),
            ("registration_token.created", "refused"),
            ("registration_token.deleted", "refused"),
            ("registration_token.deleted", "done"),
        ]


async def test_tokens_that_expired_are_purged():
    async with oauth_world() as world:
        await world.server.registration_tokens.create(uses=1, lasts=HOUR, actor=SYSTEM)
        assert await purge(world.dependencies) == 0
        world.clock.advance(timedelta(days=2))
        assert await purge(world.dependencies) == 1


async def test_who_made_a_token_may_not_approve_what_a_client_asks_for_that_registered_by_it():
    async with oauth_world() as world:
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        anna = await world.directory.create_person("anna", "Anna", actor=SYSTEM)
        maker = Actor("person", anna.id, "anna", WRITER.permissions)
        clients = world.server.clients
        for actor, counts in ((maker, True), (SYSTEM, False)):
            token = await world.server.registration_tokens.create(uses=1, lasts=HOUR, actor=actor)
            name = (await register(world, SECRET_CLIENT, token.token))["client_id"]
            client_id = (await client_named(world.db, name)).id
            assert (anna.id in await people_behind(world.db, "client", client_id, world.clock.now())) is counts
            await clients.secrets.reset_basic_secret(name, actor=SYSTEM)
            assert (anna.id in await people_behind(world.db, "client", client_id, world.clock.now())) is counts
