"""Authorization requests that clients push first: a handle for the browser, which is good for one decision."""

from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from sealwright.access import SYSTEM
from sealwright.db import Statement
from sealwright.db.schema import oauth_pushed_requests
from sealwright.oauth.purge import purge
from sealwright.settings import BudgetSettings, Rate
from tests.oauth_world import (
    CALLBACK,
    VERIFIER,
    answer_parameters,
    basic,
    confidential_request,
    handle_in,
    location,
    members,
    oauth_world,
    page_text,
    public_request,
)

PUSH = "/oauth2/par"
ERROR = {"invalid_request": 400, "invalid_client": 401}


@asynccontextmanager
async def alice_at_wiki():
    async with oauth_world() as world:
        client = await world.confidential_client()
        alice = await world.person("alice", groups=("users",))
        yield world, client, await world.sign_in(alice)


async def push(world, client, request=None, **changes):
    return await world.post(PUSH, (confidential_request() if request is None else request) | changes, basic(*client))


async def pushed(world, client, **changes):
    answer = await push(world, client, **changes)
    assert answer.status == 201, answer.body
    return members(answer)["request_uri"]


async def test_pushed_request_is_opened_with_client_and_handle_alone():
    async with alice_at_wiki() as (world, client, cookie):
        answer = await push(world, client)
        told = members(answer)
        assert dict(answer.headers)["cache-control"] == "no-store"
        assert told["expires_in"] == 60
        assert told["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
        code = await world.code(cookie, client_id="wiki", request_uri=told["request_uri"])
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        assert "id_token" in members(await world.token(basic(*client), **form))


async def test_what_was_pushed_counts_and_not_what_the_address_adds():
    async with alice_at_wiki() as (world, client, cookie):
        handle = await pushed(world, client, state="pushed")
        await world.code(cookie, **confidential_request())
        answer = await world.authorize(cookie, client_id="wiki", request_uri=handle, state="other", scope="openid groups")
        assert answer_parameters(location(answer))["state"] == "pushed"


async def test_pushed_request_is_decided_once():
    async with alice_at_wiki() as (world, client, cookie):
        handle = await pushed(world, client)
        first, second = [await world.authorize(cookie, client_id="wiki", request_uri=handle) for _ in range(2)]
        person = await world.signed_in(cookie)
        assert "code" in answer_parameters((await world.server.authorization.allow(handle_in(first), person)).location)
        with pytest.raises(Exception, match="no longer open"):
            await world.server.authorization.allow(handle_in(second), person)
        answer = await world.authorize(cookie, client_id="wiki", request_uri=handle)
        assert "is no longer here" in page_text(answer)


async def test_pushed_request_that_is_answered_without_a_question_is_used_up():
    async with alice_at_wiki() as (world, client, cookie):
        await world.code(cookie, **confidential_request())
        handle = await pushed(world, client)
        answers = [await world.authorize(cookie, client_id="wiki", request_uri=handle) for _ in range(2)]
        assert "code" in answer_parameters(location(answers[0]))
        assert "is no longer here" in page_text(answers[1])


async def test_denied_request_is_used_up():
    async with alice_at_wiki() as (world, client, cookie):
        handle = await pushed(world, client)
        answer = await world.authorize(cookie, client_id="wiki", request_uri=handle)
        await world.server.authorization.deny(handle_in(answer), await world.signed_in(cookie))
        assert "is no longer here" in page_text(await world.authorize(cookie, client_id="wiki", request_uri=handle))


async def test_pushed_request_is_opened_within_a_minute():
    async with alice_at_wiki() as (world, client, cookie):
        handle = await pushed(world, client)
        world.clock.advance(timedelta(seconds=60))
        assert "is no longer here" in page_text(await world.authorize(cookie, client_id="wiki", request_uri=handle))


async def test_handle_of_another_client_opens_nothing():
    async with alice_at_wiki() as (world, client, cookie):
        await world.confidential_client("other")
        handle = await pushed(world, client)
        answer = await world.authorize(cookie, client_id="other", request_uri=handle)
        assert "is no longer here" in page_text(answer)


WRONG = {
    "handle within": ({"request_uri": "urn:x"}, "invalid_request"),
    "foreign redirect": ({"redirect_uri": "https://evil.example"}, "invalid_request"),
    "no redirect": ({"redirect_uri": ""}, "invalid_request"),
    "no PKCE": ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
    "plain PKCE": ({"code_challenge_method": "plain"}, "invalid_request"),
    "token": ({"response_type": "token"}, "unsupported_response_type"),
    "no scope": ({"scope": ""}, "invalid_scope"),
    "resource": ({"resource": "https://api.example.org/"}, "invalid_target"),
    "long state": ({"state": "x" * 20_000}, "invalid_request"),
    "longer than can wait": ({"nonce": "x" * 1_000, "state": "x" * 4_500}, "invalid_request"),
    "another client_id": ({"client_id": "other"}, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "error"), WRONG.values(), ids=WRONG)
async def test_wrong_request_is_told_when_it_is_pushed(changes, error):
    async with alice_at_wiki() as (world, client, _cookie):
        answer = await push(world, client, **changes)
        assert (answer.status, members(answer)["error"]) == (400, error)


async def test_client_proves_itself_before_anything_is_kept():
    async with alice_at_wiki() as (world, _client, _cookie):
        answer = await push(world, ("wiki", "wrong"))
        assert (answer.status, members(answer)["error"]) == (401, "invalid_client")
        assert (await world.call("GET", PUSH)).status == 405


async def test_public_client_pushes_with_its_name_alone():
    async with alice_at_wiki() as (world, _client, cookie):
        await world.public_client()
        handle = members(await world.post(PUSH, public_request()))["request_uri"]
        answer = await world.authorize(cookie, client_id="step-ca", request_uri=handle)
        assert location(answer).startswith("/ui/oauth2/consent?")


async def test_secret_is_not_kept_with_the_request():
    async with alice_at_wiki() as (world, client, _cookie):
        name, secret = client
        answer = await world.post(PUSH, confidential_request(client_id=name, client_secret=secret))
        assert answer.status == 201
        (row,) = await world.db.all(Statement(select(oauth_pushed_requests.c.request)))
        assert "code_challenge" in row[0]
        assert secret not in row[0]


async def test_client_that_must_push_is_refused_otherwise():
    async with alice_at_wiki() as (world, client, cookie):
        await world.server.clients.change("wiki", {"require_pushed_authorization_requests": True}, actor=SYSTEM)
        answer = answer_parameters(location(await world.authorize(cookie, **confidential_request())))
        assert answer["error"] == "invalid_request"
        assert "disable-pushed-requests-only wiki" in answer["error_description"]
        handle = await pushed(world, client)
        assert location(await world.authorize(cookie, client_id="wiki", request_uri=handle)).startswith("/ui/oauth2/consent?")
        metadata = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        assert metadata["require_pushed_authorization_requests"] is True
        assert metadata["pushed_authorization_request_endpoint"].endswith(PUSH)


async def test_old_requests_are_purged():
    async with alice_at_wiki() as (world, client, _cookie):
        await pushed(world, client)
        world.clock.advance(timedelta(days=1, minutes=2))
        assert await purge(world.dependencies) == 1


async def test_repeated_parameter_is_refused():
    async with alice_at_wiki() as (world, client, _cookie):
        body = b"client_id=wiki&scope=openid&scope=email"
        headers = basic(*client) | {"content-type": "application/x-www-form-urlencoded"}
        answer = await world.call("POST", PUSH, body=body, headers=headers)
        assert members(answer)["error"] == "invalid_request"
        assert msgspec.json.decode(answer.body)["error_description"].startswith("The parameter 'scope' is given more than once")


async def kept(world):
    rows = await world.db.all(Statement(select(oauth_pushed_requests.c.request)))
    return [row[0] for row in rows]


async def test_only_parameters_that_count_are_kept():
    async with alice_at_wiki() as (world, client, cookie):
        await world.code(cookie, **confidential_request())  # the consent
        handle = await pushed(world, client, filling="x" * 20_000)
        (stored,) = await kept(world)
        assert "filling" not in stored
        assert len(stored) < 1_000
        assert "code" in answer_parameters(location(await world.authorize(cookie, client_id="wiki", request_uri=handle)))


async def test_request_that_is_long_without_asking_for_more_is_refused():
    async with alice_at_wiki() as (world, client, _cookie):
        answer = await push(world, client, claims="{" + " " * 20_000 + "}")
        assert (answer.status, members(answer)["error"]) == (400, "invalid_request")
        assert "at most 16384" in members(answer)["error_description"]
        assert await kept(world) == []


async def test_strangers_cannot_push_without_end_in_the_name_of_a_public_client():
    async with oauth_world(budgets=BudgetSettings(authorizations_per_address=Rate(3, timedelta(minutes=1)))) as world:
        await world.public_client()
        pushes = [(await world.post(PUSH, public_request())).status for _ in range(5)]
        assert pushes == [201, 201, 201, 429, 429]
        assert (await world.post(PUSH, public_request(), address="198.51.100.7")).status == 201


async def test_client_that_has_proven_itself_pushes_for_many_people():
    async with oauth_world(budgets=BudgetSettings(authorizations_per_address=Rate(3, timedelta(minutes=1)))) as world:
        client = await world.confidential_client()
        assert [(await push(world, client)).status for _ in range(5)] == [201] * 5
