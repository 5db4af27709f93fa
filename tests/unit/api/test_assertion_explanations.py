"""Tokens of other issuers, explained over the API."""

import pytest

from sealwright.access import SYSTEM
from sealwright.clock import to_seconds
from sealwright.jose import jwk_of, sign
from tests.signing import signing_key
from tests.unit.api.world import PEOPLE, server_world

KEY = signing_key("ES256")
EXPLAIN = "/oauth2/assertions/explain"


async def prepared(world):
    """A trusted issuer with one rule; a token of it."""
    await world.oauth.clients.create_public("jobs", "Jobs", "https://ci.example.org", actor=SYSTEM)
    keys = {"keys": [jwk_of(KEY.public_key, KEY.id, "ES256")]}
    await world.oauth.trusted_issuers.create("ci", "https://ci.example.org", jwks=keys, actor=SYSTEM)
    await world.oauth.trusted_issuers.add_rule("ci", client="jobs", conditions={"repository": "example/*"}, actor=SYSTEM)
    now = to_seconds(world.clock.now())
    claims = {"iss": "https://ci.example.org", "sub": "job-7", "aud": PEOPLE, "exp": now + 300, "repository": "example/shop"}
    return sign(KEY, claims), sign(KEY, claims | {"repository": "evil/shop"})


async def test_token_is_explained_and_nothing_of_it_is_kept():
    async with server_world() as world:
        good, wrong = await prepared(world)
        token = await world.token("chief", "system_admins")
        events = len(await world.stored("audit_events"))
        again = {"idempotency-key": "k-1"}
        status, answer = await world.call("POST", EXPLAIN, {"assertion": good}, token=token, headers=again)
        assert (status, answer["taken"], answer["failed"]) == (200, True, None)
        assert (answer["issuer"], answer["subject"]) == ("ci", "job-7")
        assert [(each["client"], each["counts"], each["lacking"]) for each in answer["rules"]] == [("jobs", True, [])]
        status, answer = await world.call("POST", EXPLAIN, {"assertion": wrong}, token=token, headers=again)
        assert (status, answer["taken"], answer["failed"]) == (200, False, "rule")
        assert answer["rules"][0]["lacking"] == ["repository is evil/shop, not example/*"]
        assert not await world.stored("idempotent_calls")
        assert not await world.stored("oauth_used_jwts")
        assert len(await world.stored("audit_events")) == events


@pytest.mark.parametrize("length", [40_000, 100_000])
async def test_body_that_holds_more_than_the_longest_token_is_not_read(length):
    async with server_world() as world:
        token = await world.token("chief", "system_admins")
        assert (await world.call("POST", EXPLAIN, {"assertion": "x" * length}, token=token))[0] == 413


async def test_who_may_not_read_clients_is_told_which_permission_it_takes():
    async with server_world() as world:
        good, _ = await prepared(world)
        status, answer = await world.call("POST", EXPLAIN, {"assertion": good}, token=await world.token("nobody"))
        assert status == 403
        assert "client:read" in str(answer)
