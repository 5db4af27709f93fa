"""The authorization endpoint for terminal clients, which decide in JSON with a session of their own."""

from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from sealwright.identity import SessionKind
from tests.oauth_world import answer_parameters, confidential_request, handle_in, members, oauth_world

ASK, PERMIT, REJECT = (f"/oauth2/authorise{end}" for end in ("", "/permit", "/reject"))


@asynccontextmanager
async def alice_at_terminal(*, groups=("users",)):
    async with oauth_world() as world:
        await world.confidential_client()
        yield world, await terminal(world, await world.person("alice", groups=groups))


async def terminal(world, account):
    """The header of a terminal's session."""

    async def body(tx):
        begun = await world.sessions.begin(tx, account, SessionKind.TERMINAL, ("pwd",), address="192.0.2.7", user_agent="a test")
        return begun[0]

    return {"authorization": f"Bearer {await world.db.write(body)}"}


async def ask(world, headers, **changes):
    body = msgspec.json.encode(confidential_request(**changes))
    return await world.call("POST", ASK, body=body, headers={"content-type": "application/json", **headers})


async def consent_token(world, headers):
    return members(await ask(world, headers))["ConsentRequested"]["consent_token"]


def sent_to(answer):
    return answer_parameters(dict(answer.headers)["location"])


async def test_terminal_is_asked_for_consent_in_json():
    async with alice_at_terminal() as (world, headers):
        answer = await ask(world, headers)
        requested = members(answer)["ConsentRequested"]
        assert answer.status == 200
        assert requested["client_name"] == "The Wiki"
        assert requested["scopes"] == ["email", "openid"]
        assert requested["pii_scopes"] == ["email"]
        assert requested["claims"]["email"] == "alice@example.org"


async def test_terminal_permits_and_gets_the_code_in_the_location():
    async with alice_at_terminal() as (world, headers):
        body = msgspec.json.encode(await consent_token(world, headers))
        answer = await world.call("POST", PERMIT, body=body, headers=headers)
        assert answer.status == 200
        assert set(sent_to(answer)) == {"code", "state", "iss"}
        assert (await world.call("POST", PERMIT, body=body, headers=headers)).status == 400


async def test_terminal_permits_by_get_and_is_redirected():
    async with alice_at_terminal() as (world, headers):
        token = await consent_token(world, headers)
        answer = await world.call("GET", f"{PERMIT}?token={token}", headers=headers)
        assert answer.status == 302
        assert "code" in sent_to(answer)
        again = await world.call("POST", ASK, body=msgspec.json.encode(confidential_request()), headers=headers)
        assert "code" in sent_to(again)


@pytest.mark.parametrize("way", ["query", "form", "JSON"])
async def test_terminal_rejects_and_the_application_is_told(way):
    async with alice_at_terminal() as (world, headers):
        token = await consent_token(world, headers)
        if way == "query":
            answer = await world.call("GET", f"{REJECT}?token={token}", headers=headers)
        elif way == "form":
            answer = await world.post(REJECT, {"token": token}, headers)
        else:
            answer = await world.call("POST", REJECT, body=msgspec.json.encode(token), headers=headers)
        told = sent_to(answer)
        assert (told["error"], told["state"]) == ("access_denied", confidential_request()["state"])


@pytest.mark.parametrize("mode", ["form_post", "form_post.jwt"])
async def test_response_that_a_terminal_cannot_read_is_refused_before_a_code_is_made(mode):
    async with alice_at_terminal() as (world, headers):
        token = await consent_token(world, headers)
        await world.call("POST", PERMIT, body=msgspec.json.encode(token), headers=headers)
        before = len(await world.events("code.issued"))
        answer = await ask(world, headers, response_mode=mode)  # consent was given before
        assert (answer.status, members(answer)["error"]) == (400, "invalid_request")
        browser = await world.authorize(None, **confidential_request(response_mode=mode))
        for path in (PERMIT, REJECT):
            handle = handle_in(browser)
            answer = await world.call("POST", path, body=msgspec.json.encode(handle), headers=headers)
            assert answer.status == 400
        assert len(await world.events("code.issued")) == before


async def test_parameters_come_in_the_query_as_well():
    async with alice_at_terminal() as (world, headers):
        query = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in confidential_request().items())
        answer = await world.call("GET", f"{ASK}?{query}", headers=headers)
        assert "ConsentRequested" in members(answer)


async def test_numbers_and_objects_of_the_json_are_understood():
    async with alice_at_terminal() as (world, headers):
        request = confidential_request() | {"max_age": 600, "claims": {"id_token": {"name": None}}, "login_hint": None}
        answer = await world.call("POST", ASK, body=msgspec.json.encode(request), headers=headers)
        assert members(answer)["ConsentRequested"]["claims"]["name"] == "Alice"


async def test_session_that_does_not_hold_is_refused_with_a_challenge():
    async with alice_at_terminal() as (world, _headers):
        answer = await ask(world, {"authorization": "Bearer nothing"})
        assert answer.status == 401
        assert dict(answer.headers)["www-authenticate"].startswith("Bearer")
        assert (await world.call("POST", PERMIT, body=b'"x"')).status == 401


async def test_cookie_permits_nothing():
    async with alice_at_terminal() as (world, headers):
        token = await consent_token(world, headers)
        cookie = await world.sign_in(await world.person("bob", groups=("users",)))
        foreign = {"cookie": f"__Host-sealwright_session={cookie}"}
        assert (await world.call("GET", f"{PERMIT}?token={token}", headers=foreign)).status == 401


async def test_person_without_the_scopes_is_refused():
    async with alice_at_terminal(groups=()) as (world, headers):
        answer = await ask(world, headers)
        assert (answer.status, members(answer)["error"]) == (403, "access_denied")


async def test_application_that_wants_a_new_sign_in_is_refused():
    async with alice_at_terminal() as (world, headers):
        world.clock.advance(timedelta(seconds=1))
        assert (await ask(world, headers, prompt="login")).status == 401


async def test_session_that_a_terminal_sends_is_the_account_that_it_chooses():
    async with alice_at_terminal() as (world, headers):
        world.clock.advance(timedelta(minutes=5))
        assert "ConsentRequested" in members(await ask(world, headers, prompt="select_account"))


async def test_unknown_application_is_told_in_json():
    async with alice_at_terminal() as (world, headers):
        answer = await ask(world, headers, client_id="nobody")
        assert (answer.status, members(answer)["error"]) == (400, "invalid_request")
