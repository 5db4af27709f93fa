"""A provider ends sessions by logout tokens (OpenID Connect Back-Channel Logout 1.0)."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import Unavailable
from sealwright.http import Peer, Request
from sealwright.identity import BACK_CHANNEL_PATH, LogoutTokenRefused
from sealwright.identity.purge import purge
from sealwright.identity.upstream.back_channel import LOGOUT_EVENT, USED_KEPT
from sealwright.jose import sign
from tests.foreign_provider import CLIENT, ISSUER, described
from tests.signing import signing_key
from tests.unit.identity.upstream.world import upstream_world
from tests.unit.identity.world import PASSWORD


def logout_token(world, *, key=None, typ="logout+jwt", **changes):
    now = world.clock.now() // 1000
    claims = {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": now,
        "exp": now + 120,
        "jti": "j-1",
        "sub": "f4a1",
        "events": {LOGOUT_EVENT: {}},
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return sign(key or world.provider.key, claims, type=typ)


async def send(world, token):
    body = urlencode({"logout_token": token}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    request = Request("POST", BACK_CHANNEL_PATH, "", headers, body, peer=Peer("203.0.113.9"), request_id="r-1")
    return await world.app.call(request)


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT"])
async def test_logout_at_the_provider_ends_the_sessions_of_the_person_that_began_there(typ):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        first, second = await world.signed_on(made, sid="s1"), await world.signed_on(made, sid="s2")
        other = await world.signed_on(made, sub="b0b", preferred_username="bob", sid="s3")
        response = await send(world, logout_token(world, typ=typ))
        assert (response.status, dict(response.headers)["cache-control"]) == (200, "no-store")
        assert await world.refreshed(first.completed) is None
        assert await world.refreshed(second.completed) is None
        assert await world.refreshed(other.completed) is not None
        event, outcome, details = (await world.events(f"oidc_provider:{made.id}"))[0]
        assert (event, outcome, json.loads(details)["sessions"]) == ("oidc_logout.received", "done", 2)


async def test_logout_of_one_session_there_ends_only_what_began_with_it():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        first, second = await world.signed_on(made, sid="s1"), await world.signed_on(made, sid="s2")
        await world.app.parts.upstream_logout.receive(logout_token(world, sub=None, sid="s1"), "203.0.113.9")
        assert await world.refreshed(first.completed) is None
        assert await world.refreshed(second.completed) is not None
        await world.app.parts.upstream_logout.receive(logout_token(world, sub="someone", sid="s2", jti="j-2"), "203.0.113.9")
        assert await world.refreshed(second.completed) is not None


async def test_logout_ends_what_began_at_any_entry_for_the_same_client_of_the_provider():
    async with upstream_world() as world:
        first = await world.with_mapping("engineers", "r-operator")
        second = await world.with_mapping("engineers", "r-viewer", name="Keycloak again")
        done = [await world.signed_on(each, sid="s1") for each in (first, second)]
        assert (await send(world, logout_token(world))).status == 200
        assert [await world.refreshed(each.completed) for each in done] == [None, None]


async def test_session_by_password_of_the_same_person_goes_on():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made)
        await world.credentials.set_password(done.completed.signed_in.account.name, PASSWORD, actor=SYSTEM)
        done = await world.signed_on(made)
        own = await world.signed_in(done.completed.signed_in.account.name)
        await world.app.parts.upstream_logout.receive(logout_token(world), "203.0.113.9")
        assert await world.refreshed(done.completed) is None
        assert await world.refreshed(own) is not None


async def test_logout_token_that_comes_again_changes_nothing_and_is_on_record():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        token = logout_token(world)
        assert (await send(world, token)).status == 200
        done = await world.signed_on(made)
        assert (await send(world, token)).status == 200
        assert await world.refreshed(done.completed) is not None
        details = json.loads((await world.events(f"oidc_provider:{made.id}"))[0][2])
        assert details["repeated"] is True
        world.clock.advance(USED_KEPT + timedelta(seconds=1))
        assert await purge(world.db, world.clock) >= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "another"},
        {"aud": 7},
        {"iat": None},
        {"iat": 1},
        {"iat": 4_000_000_000},
        {"exp": 1},
        {"nonce": "n"},
        {"nonce": ""},
        {"events": None},
        {"events": {}},
        {"events": {LOGOUT_EVENT: "yes"}},
        {"events": [LOGOUT_EVENT]},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"sid": 7},
        {"sid": "\u200b\u0007"},
        {"sid": "\u200b", "sub": None},
        {"jti": None},
        {"jti": ""},
        {"typ": "at+jwt"},
    ],
    ids=str,
)
async def test_logout_token_that_fails_a_check_ends_nothing_and_every_refusal_is_the_same(changes):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made)
        response = await send(world, logout_token(world, **changes))
        assert (response.status, dict(response.headers)["cache-control"]) == (400, "no-store")
        assert json.loads(response.body)["error_description"] == "The logout token is not accepted."
        assert await world.refreshed(done.completed) is not None
        event, outcome, _ = (await world.events())[0]
        assert (event, outcome) == ("oidc_logout.received", "refused")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_logout_token_is_refused(token):
    async with upstream_world() as world:
        await world.providers.create(described(), actor=SYSTEM)
        assert (await send(world, token)).status == 400


async def test_logout_token_of_another_key_is_refused():
    async with upstream_world() as world:
        await world.with_mapping("engineers", "r-operator")
        with pytest.raises(LogoutTokenRefused):
            await world.app.parts.upstream_logout.receive(logout_token(world, key=signing_key()), "203.0.113.9")


async def test_id_token_is_no_logout_token():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/")
        token = sign(world.provider.key, world.provider.claims(begun.location))
        assert (await send(world, token)).status == 400


async def test_provider_whose_keys_cannot_be_fetched_is_told_to_come_again():
    async with upstream_world() as world:
        await world.with_mapping("engineers", "r-operator")
        world.provider.outbound.answers.clear()
        world.clock.advance(timedelta(hours=2))
        token = logout_token(world)
        with pytest.raises(Unavailable):
            await world.app.parts.upstream_logout.receive(token, "203.0.113.9")
        response = await send(world, token)
        headers = dict(response.headers)
        assert (response.status, headers["cache-control"], "retry-after" in headers) == (503, "no-store", True)
