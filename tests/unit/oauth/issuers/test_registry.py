"""Issuers that clients share: who may change them, what they are called, and what keeps them."""

from contextlib import asynccontextmanager

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.client_metadata import ClientRefused
from sealwright.errors import NotPermitted
from sealwright.oauth import ClientUnknown, IssuerExists, IssuerInUse, IssuerUnknown
from sealwright.oauth.errors import NotRegistered
from tests.oauth_world import ORIGIN, members, oauth_world

READER = Actor("person", "r", "reader", Permissions(frozenset({Permission.CLIENT_READ})))
WRITER = Actor("person", "w", "writer", Permissions(frozenset({Permission.CLIENT_READ, Permission.CLIENT_WRITE})))
NOBODY = Actor("person", "n", "nobody")
READS = {"get": ("team",), "list": (), "list_keys": ("team",)}
WRITES = {"create": ("other",), "delete": ("team",), "rotate": ("team",), "revoke": ("team", "k")}


@asynccontextmanager
async def world_with_issuers():
    async with oauth_world() as world:
        yield world, world.server.issuers


async def test_every_verb_asks_for_its_permission_and_what_is_refused_is_on_record():
    async with world_with_issuers() as (world, issuers):
        assert {name for name in dir(issuers) if not name.startswith("_")} == {*READS, *WRITES}
        await issuers.create("team", actor=WRITER)
        for name, arguments in READS.items():
            with pytest.raises(NotPermitted, match="client:read"):
                await getattr(issuers, name)(*arguments, actor=NOBODY)
        for name, arguments in WRITES.items():
            with pytest.raises(NotPermitted, match="client:write"):
                await getattr(issuers, name)(*arguments, actor=READER)
        assert [each.name for each in await issuers.list(actor=READER)] == ["team"]
        events = await world.events(*(f"oauth_issuer.{verb}" for verb in ("created", "deleted", "keys_rotated", "key_revoked")))
        assert [(event, outcome) for event, outcome, _ in events] == [
            ("oauth_issuer.created", "done"),
            ("oauth_issuer.created", "refused"),
            ("oauth_issuer.deleted", "refused"),
            ("oauth_issuer.keys_rotated", "refused"),
            ("oauth_issuer.key_revoked", "refused"),
        ]


async def test_url_of_an_issuer_holds_its_name_and_that_of_the_root_issuer_is_the_servers_own():
    async with world_with_issuers() as (_world, issuers):
        team = await issuers.create("team", actor=WRITER)
        main = await issuers.create("main", root=True, actor=WRITER)
        assert (team.url, main.url) == (f"{ORIGIN}/oauth2/issuers/team", ORIGIN)
        assert main.configuration_url == f"{ORIGIN}/.well-known/openid-configuration"
        assert (team.is_root, main.is_root) == (False, True)


@pytest.mark.parametrize("name", ["", "Team", "a b", "../x", "x" * 65, "a/b"])
async def test_name_that_cannot_stand_in_a_url_is_refused(name):
    async with world_with_issuers() as (_world, issuers):
        with pytest.raises(ClientRefused, match="cannot be the name"):
            await issuers.create(name, actor=WRITER)
        for call in (issuers.get(name, actor=READER), issuers.delete(name, actor=WRITER)):
            with pytest.raises(IssuerUnknown):
                await call


async def test_there_is_one_issuer_of_a_name_and_one_root_issuer():
    async with world_with_issuers() as (_world, issuers):
        await issuers.create("team", actor=WRITER)
        with pytest.raises(IssuerExists, match="named 'team' already"):
            await issuers.create("team", root=True, actor=WRITER)
        await issuers.create("main", root=True, actor=WRITER)
        with pytest.raises(IssuerExists, match="root issuer already, named 'main'"):
            await issuers.create("other", root=True, actor=WRITER)
        await issuers.delete("main", actor=WRITER)
        assert (await issuers.create("other", root=True, actor=WRITER)).is_root


async def test_issuer_is_kept_while_a_client_is_on_it_and_its_keys_go_with_it():
    async with world_with_issuers() as (world, issuers):
        await issuers.create("team", actor=WRITER)
        await world.public_client("app")
        await world.server.clients.names.set_issuer("app", "team", actor=WRITER)
        with pytest.raises(IssuerInUse, match="shared by app"):
            await issuers.delete("team", actor=WRITER)
        await world.server.clients.names.set_issuer("app", None, actor=WRITER)
        keys = [key.id for key in await issuers.list_keys("team", actor=READER)]
        await issuers.delete("team", actor=WRITER)
        with pytest.raises(IssuerUnknown):
            await issuers.get("team", actor=READER)
        assert len(keys) == 2
        for key in keys:
            with pytest.raises(Exception, match="revoked"):
                await world.custody.open(key)


async def test_keys_of_an_issuer_are_rotated_and_revoked_at_the_issuer_and_not_at_a_client():
    async with world_with_issuers() as (world, issuers):
        await issuers.create("team", actor=WRITER)
        await world.server.clients.create_public("app", "App", "https://app.example.org", issuer="team", actor=WRITER)
        first = await issuers.list_keys("team", actor=READER)
        assert {(key.algorithm, key.signs) for key in first} == {("ES256", True), ("RS256", True)}
        for call in (
            world.server.clients.keys.rotate("app", actor=WRITER),
            world.server.clients.keys.revoke("app", first[0].id, actor=WRITER),
        ):
            with pytest.raises(ClientRefused, match="shares the issuer team"):
                await call
        assert await world.server.clients.keys.list_keys("app", actor=READER)
        second = await issuers.rotate("team", actor=WRITER)
        assert {key.id for key in second} > {key.id for key in first}
        with pytest.raises(NotRegistered, match="has no key 'nothing'"):
            await issuers.revoke("team", "nothing", actor=WRITER)
        third = await issuers.revoke("team", first[0].id, actor=WRITER)
        assert {key.id for key in third} == {key.id for key in second} - {first[0].id}
        published = {key["kid"] for key in members(await world.call("GET", "/oauth2/issuers/team/public_key.jwk"))["keys"]}
        assert published == {key.id for key in third}


async def test_client_can_only_be_put_on_an_issuer_that_there_is():
    async with world_with_issuers() as (world, _issuers):
        clients = world.server.clients
        with pytest.raises(IssuerUnknown, match="'team'"):
            await clients.create_public("app", "App", "https://app.example.org", issuer="team", actor=WRITER)
        with pytest.raises(ClientUnknown):
            await clients.get("app", actor=READER)
        await world.public_client("app")
        with pytest.raises(IssuerUnknown):
            await clients.names.set_issuer("app", "team", actor=WRITER)


async def test_client_on_a_shared_issuer_is_deleted_without_the_keys_of_the_others():
    async with world_with_issuers() as (world, issuers):
        await issuers.create("team", actor=WRITER)
        clients = world.server.clients
        for name in ("app", "other"):
            await clients.create_confidential(name, "App", "https://app.example.org", issuer="team", actor=WRITER)
        before = await issuers.list_keys("team", actor=READER)
        assert await clients.secrets.reset_secrets("app", actor=SYSTEM)
        await clients.delete("app", actor=WRITER)
        assert await issuers.list_keys("team", actor=READER) == before
