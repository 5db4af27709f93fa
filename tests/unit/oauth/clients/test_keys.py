from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from sealwright.access import Actor, Permission, Permissions
from sealwright.clock import after
from sealwright.jose import UnverifiedToken, keys_of_jwks, verify
from sealwright.keys import PUBLISHED_BEFORE_USE
from sealwright.keys.models import KNOWN_HERE_AFTER
from sealwright.oauth import ClientRefused
from sealwright.oauth.errors import NotRegistered
from tests.oauth_world import oauth_world

WRITER = Actor("person", "3", "writer", Permissions(frozenset({Permission.CLIENT_READ, Permission.CLIENT_WRITE})))
SECOND = timedelta(seconds=1)


@asynccontextmanager
async def client_with_tokens():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        name = await world.public_client()

        async def tokens():
            found = await world.tokens(cookie)
            header = UnverifiedToken(found["id_token"]).header
            assert header["kid"] == UnverifiedToken(found["access_token"]).header["kid"]
            return found, header["kid"], header["alg"]

        yield world, world.server.clients, name, tokens


async def published(world, name):
    return [
        key["kid"] for key in msgspec.json.decode((await world.call("GET", f"/oauth2/openid/{name}/public_key.jwk")).body)["keys"]
    ]


async def userinfo(world, name, found):
    headers = {"authorization": f"Bearer {found['access_token']}"}
    return (await world.call("GET", f"/oauth2/openid/{name}/userinfo", headers=headers)).status


async def test_new_key_is_published_before_it_signs_and_the_old_one_until_its_last_token_ends():
    async with client_with_tokens() as (world, clients, name, tokens):
        _, old, _ = await tokens()
        world.clock.advance(PUBLISHED_BEFORE_USE)
        keys = await clients.keys.rotate(name, actor=WRITER)
        (new,) = [key.id for key in keys if key.id != old]
        assert [(key.id, key.signs) for key in keys] == [(new, False), (old, True)]
        assert await published(world, name) == [new, old]
        assert (await tokens())[1] == old
        world.clock.advance(PUBLISHED_BEFORE_USE - SECOND)
        last, kid, _ = await tokens()
        assert kid == old
        world.clock.advance(SECOND)
        assert (await tokens())[1] == new
        assert await userinfo(world, name, last) == 200
        assert await published(world, name) == [new, old]
        world.clock.advance(timedelta(minutes=30))
        assert await published(world, name) == [new]


async def test_applications_that_keep_the_key_set_for_its_minute_verify_every_token_while_keys_rotate():
    async with client_with_tokens() as (world, clients, name, tokens):
        world.clock.advance(PUBLISHED_BEFORE_USE)
        kept, kids, given = {}, set(), list[str]()

        def require_verified(token, keys):
            typ = UnverifiedToken(token).header["typ"]
            assert verify(token, keys, typ=typ, algorithms=frozenset({"ES256"})).claims["aud"] == name

        for second in range(0, 400, 10):
            for phase in (0, 20, 40, 50):  # applications that fetched the keys at different moments
                if second % 60 == phase or phase not in kept:
                    kept[phase] = keys_of_jwks((await world.call("GET", f"/oauth2/openid/{name}/public_key.jwk")).body)
                    for token in given[::6]:
                        require_verified(token, kept[phase])
            if second in (50, 200):
                await clients.keys.rotate(name, actor=WRITER)
            found, kid, _ = await tokens()
            kids.add(kid)
            given.append(found["id_token"])
            for keys in kept.values():
                require_verified(given[-1], keys)
            world.clock.advance(10 * SECOND)
        assert len(kids) == 3


async def test_keys_rotate_at_the_time_that_is_given():
    async with client_with_tokens() as (world, clients, name, tokens):
        _, old, _ = await tokens()
        at = after(world.clock.now(), timedelta(minutes=30))
        await clients.keys.rotate(name, at, actor=WRITER)
        world.clock.advance(timedelta(minutes=30) - SECOND)
        assert (await tokens())[1] == old
        world.clock.advance(SECOND)
        assert (await tokens())[1] != old
        for wrong in (after(world.clock.now(), -SECOND), after(world.clock.now(), timedelta(days=400))):
            with pytest.raises(ClientRefused, match="cannot change at"):
                await clients.keys.rotate(name, wrong, actor=WRITER)


async def test_second_rotation_before_the_first_leaves_each_key_its_time():
    async with client_with_tokens() as (world, clients, name, tokens):
        world.clock.advance(PUBLISHED_BEFORE_USE)
        _, first, _ = await tokens()
        await clients.keys.rotate(name, after(world.clock.now(), timedelta(minutes=10)), actor=WRITER)
        await clients.keys.rotate(name, after(world.clock.now(), timedelta(minutes=20)), actor=WRITER)
        third, second = [key.id for key in await clients.keys.list_keys(name, actor=WRITER) if key.id != first]
        seen = []
        for _ in range(3):
            seen.append((await tokens())[1])
            world.clock.advance(timedelta(minutes=10))
        assert seen[0] == first
        assert set(seen[1:]) == {second, third}


async def test_revoked_key_kills_what_it_signed_and_another_signs_at_once():
    async with client_with_tokens() as (world, clients, name, tokens):
        found, old, _ = await tokens()
        assert await userinfo(world, name, found) == 200
        keys = await clients.keys.revoke(name, old, actor=WRITER)
        assert [key.signs for key in keys] == [True]
        assert await userinfo(world, name, found) == 401
        assert await published(world, name) == [keys[0].id]
        fresh, kid, _ = await tokens()
        assert kid == keys[0].id
        assert await userinfo(world, name, fresh) == 200
        for unknown in (old, "x", ""):
            with pytest.raises(NotRegistered, match="has no key"):
                await clients.keys.revoke(name, unknown, actor=WRITER)
        assert [event for event, _, _ in await world.events("client.key_revoked")] == ["client.key_revoked"]


async def test_key_of_another_client_is_not_revoked():
    async with client_with_tokens() as (world, clients, name, _tokens):
        await world.confidential_client()
        (other,) = await clients.keys.list_keys("wiki", actor=WRITER)
        with pytest.raises(NotRegistered):
            await clients.keys.revoke(name, other.id, actor=WRITER)
        assert await clients.keys.list_keys("wiki", actor=WRITER) == (other,)


async def test_algorithm_that_is_set_on_a_new_client_signs_as_soon_as_every_process_knows_its_key():
    """Anyone who sets up an application that takes RS256 alone tries it at once."""
    async with client_with_tokens() as (world, clients, name, tokens):
        await clients.change(name, {"id_token_signed_response_alg": "RS256"}, actor=WRITER)
        world.clock.advance(KNOWN_HERE_AFTER)
        assert (await tokens())[2] == "RS256"
        await clients.keys.rotate(name, actor=WRITER)
        first = (await tokens())[1]
        world.clock.advance(PUBLISHED_BEFORE_USE)
        _, second, algorithm = await tokens()
        assert second != first
        assert algorithm == "RS256"


async def test_rs256_stands_beside_es256_in_one_key_set_and_the_way_back_is_immediate():
    async with client_with_tokens() as (world, clients, name, tokens):
        world.clock.advance(PUBLISHED_BEFORE_USE)
        await clients.change(name, {"id_token_signed_response_alg": "RS256"}, actor=WRITER)
        assert (await tokens())[2] == "ES256", "nobody can have seen the new key"
        world.clock.advance(PUBLISHED_BEFORE_USE)
        assert (await tokens())[2] == "RS256"
        assert len(await published(world, name)) == 2
        metadata = msgspec.json.decode((await world.call("GET", f"/oauth2/openid/{name}/.well-known/openid-configuration")).body)
        assert metadata["id_token_signing_alg_values_supported"] == ["RS256"], "what its tokens are signed with, and nothing else"
        await clients.change(name, {"id_token_signed_response_alg": "ES256"}, actor=WRITER)
        assert (await tokens())[2] == "ES256"
        assert len(await published(world, name)) == 2
