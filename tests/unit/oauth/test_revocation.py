"""Revocation: a client gives back its own tokens, and can do no more with the endpoint."""

import pytest

from tests.oauth_world import basic, members, oauth_world
from tests.unit.oauth.test_introspection import INACTIVE, alice_at_wiki, introspected

PATH = "/oauth2/token/revoke"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoked_token_ends_everything_of_its_authorization(kind):
    async with oauth_world() as world:
        _, _, wiki, tokens = await alice_at_wiki(world)
        for _ in range(2):  # the second changes nothing
            answer = await world.post(PATH, {"token": tokens[kind], "token_type_hint": kind}, wiki)
            assert (answer.status, answer.body) == (200, b"")
        for each in ("access_token", "refresh_token"):
            assert await introspected(world, wiki, tokens[each]) == INACTIVE
        refreshed = await world.token(wiki, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        assert members(refreshed)["error"] == "invalid_grant"
        [(_, outcome, details)] = await world.events("token.family_revoked")
        assert (outcome, details["reason"], details["client"]) == ("done", "the client revoked it", "wiki")


async def test_public_client_revokes_its_token_by_its_name():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        tokens = await world.tokens(await world.sign_in(alice))
        answer = await world.post(PATH, {"token": tokens["refresh_token"], "client_id": "step-ca"})
        assert answer.status == 200
        assert dict(answer.headers)["access-control-allow-origin"] == "*"
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 401


async def test_token_of_another_client_is_left_alone():
    async with oauth_world() as world:
        _, _, wiki, tokens = await alice_at_wiki(world)
        _, secret = await world.confidential_client("blog")
        for token in (tokens["access_token"], tokens["refresh_token"], tokens["id_token"], "AAAA", "a.b.c"):
            assert (await world.post(PATH, {"token": token}, basic("blog", secret))).status == 200
        assert (await introspected(world, wiki, tokens["access_token"]))["active"] is True
        assert await world.events("token.family_revoked") == []


async def test_id_token_is_no_token_to_revoke_and_the_refusal_is_on_record():
    async with oauth_world() as world:
        _, _, wiki, tokens = await alice_at_wiki(world)
        answer = await world.post(PATH, {"token": tokens["id_token"]}, wiki)
        assert (answer.status, members(answer)["error"]) == (400, "unsupported_token_type")
        [(_, outcome, details)] = await world.events("token.refused")
        assert (outcome, details["endpoint"], details["error"]) == ("refused", PATH, "unsupported_token_type")
        assert (await introspected(world, wiki, tokens["access_token"]))["active"] is True


async def test_token_that_is_no_token_of_the_client_is_on_record_and_no_error():
    async with oauth_world() as world:
        _, _, _, tokens = await alice_at_wiki(world)
        _, secret = await world.confidential_client("blog")
        assert (await world.post(PATH, {"token": tokens["access_token"]}, basic("blog", secret))).status == 200
        [(_, _, details)] = await world.events("token.refused")
        assert (details["client"], details["error"]) == ("blog", "no token of this client")


async def test_confidential_client_must_prove_itself_to_revoke():
    async with oauth_world() as world:
        _, _, wiki, tokens = await alice_at_wiki(world)
        for headers in ({}, basic("wiki", "wrong")):
            answer = await world.post(PATH, {"token": tokens["refresh_token"], "client_id": "wiki"}, headers)
            assert (answer.status, members(answer)["error"]) == (401, "invalid_client")
        answer = await world.post(PATH, {"token": ""}, wiki)
        assert members(answer) == {"error": "invalid_request", "error_description": "The parameter 'token' is missing."}
        assert (await introspected(world, wiki, tokens["access_token"]))["active"] is True
