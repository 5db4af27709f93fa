"""A client's token for itself."""

import asyncio
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.oauth import purge
from tests.oauth_world import basic, members, oauth_world
from tests.unit.oauth.test_introspection import INACTIVE, introspected


async def backup_client(world, scopes=("openid", "email", "backup:read", "backup:write")):
    _, secret = await world.confidential_client("backup", scopes=scopes)
    return basic("backup", secret)


async def own_token(world, credentials, **form):
    return await world.token(credentials, grant_type="client_credentials", **form)


async def test_confidential_client_gets_an_access_token_that_speaks_of_itself():
    async with oauth_world() as world:
        backup = await backup_client(world)
        response = members(await own_token(world, backup))
        assert set(response) == {"access_token", "token_type", "expires_in", "scope"}
        assert response["scope"] == "backup:read backup:write"
        claims = (await world.verified(response["access_token"], "backup")).claims
        assert (claims["client_id"], claims["aud"], claims["scope"]) == ("backup", "backup", response["scope"])
        assert claims["sub"] not in ("", "backup")
        assert not {"sid", "auth_time"} & set(claims)
        told = await introspected(world, backup, response["access_token"])
        assert (told["active"], told["sub"], told["scope"]) == (True, claims["sub"], response["scope"])
        assert "username" not in told
        [(_, outcome, details)] = await world.events("token.issued")
        assert (outcome, details["grant_type"], details["scope"]) == ("done", "client_credentials", response["scope"])
        assert not {"account", "session"} & set(details)


async def test_client_may_ask_for_fewer_scopes_of_its_own_and_for_no_others():
    async with oauth_world() as world:
        backup = await backup_client(world)
        assert members(await own_token(world, backup, scope="backup:read"))["scope"] == "backup:read"
        for scope in ("openid", "email", "offline_access", "backup:read groups", "backup:all", 'bad"scope'):
            answer = await own_token(world, backup, scope=scope)
            assert (answer.status, members(answer)["error"]) == (400, "invalid_scope")


async def test_client_whose_maps_tell_only_of_people_gets_a_token_without_scopes():
    async with oauth_world() as world:
        wiki = await backup_client(world, scopes=("openid", "email"))
        response = members(await own_token(world, wiki))
        assert "scope" not in response
        assert "scope" not in (await world.verified(response["access_token"], "backup")).claims
        bearer = {"authorization": f"Bearer {response['access_token']}"}
        assert (await world.call("GET", "/oauth2/openid/backup/userinfo", headers=bearer)).status == 403


async def test_client_with_groups_of_its_own_has_what_the_maps_give_to_those_and_nothing_else():
    async with oauth_world() as world:
        backup, clients = await backup_client(world), world.server.clients
        for group, scope in (("readers", "backup:read"), ("auditors", "backup:audit")):
            await world.directory.create_group(group, actor=SYSTEM)
            await clients.update_scope_map("backup", group, (scope,), actor=SYSTEM)
        assert members(await own_token(world, backup))["scope"] == "backup:audit backup:read backup:write"
        await clients.change("backup", {"own_groups_only": True, "own_groups": ["readers", "auditors", "unknown"]}, actor=SYSTEM)
        answer = members(await own_token(world, backup))
        assert answer["scope"] == "backup:audit backup:read"
        assert members(await own_token(world, backup, scope="backup:write"))["error"] == "invalid_scope"
        await clients.change("backup", {"own_groups": ["readers"]}, actor=SYSTEM)
        assert (await introspected(world, backup, answer["access_token"]))["scope"] == "backup:read"  # what is left
        await clients.delete_scope_map("backup", "readers", actor=SYSTEM)
        assert await introspected(world, backup, answer["access_token"]) == INACTIVE
        assert "scope" not in members(await own_token(world, backup))


async def test_public_client_may_not_have_one():
    async with oauth_world() as world:
        await world.public_client()
        answer = await own_token(world, {}, client_id="step-ca")
        assert (answer.status, members(answer)["error"]) == (400, "unauthorized_client")
        metadata = members(await world.call("GET", "/oauth2/openid/step-ca/.well-known/openid-configuration"))
        assert metadata["grant_types_supported"] == ["authorization_code", "refresh_token"]


async def revoke(world, backup, token):
    await world.post("/oauth2/token/revoke", {"token": token}, backup)


async def reset_the_secret(world, _backup, _token):
    await world.server.clients.secrets.reset_basic_secret("backup", actor=SYSTEM)


async def wait(world, _backup, _token):
    world.clock.advance(timedelta(days=2))
    assert await purge(world.dependencies) == 1  # and nothing of it stays behind


@pytest.mark.parametrize("change", [revoke, reset_the_secret, wait])
async def test_token_of_a_client_ends_like_those_of_people(change):
    async with oauth_world() as world:
        backup = await backup_client(world)
        token = members(await own_token(world, backup))["access_token"]
        await change(world, backup, token)
        secret = await world.server.clients.secrets.show_basic_secret("backup", actor=SYSTEM)
        assert secret
        assert await introspected(world, basic("backup", secret), token) == INACTIVE


async def test_many_at_once_are_each_an_authorization_of_their_own():
    async with oauth_world() as world:
        backup = await backup_client(world)
        tokens = [members(one)["access_token"] for one in await asyncio.gather(*(own_token(world, backup) for _ in range(20)))]
        families = {(await world.verified(token, "backup")).claims["family"] for token in tokens}
        assert len(families) == 20
        await revoke(world, backup, tokens[0])
        assert await introspected(world, backup, tokens[0]) == INACTIVE
        assert (await introspected(world, backup, tokens[1]))["active"] is True
