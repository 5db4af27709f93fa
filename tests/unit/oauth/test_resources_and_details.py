"""Tokens for other servers, for what goes beyond scopes, that only this server can read, and signed introspection."""

from contextlib import asynccontextmanager

import msgspec
import pytest

from sealwright.access import SYSTEM
from tests.oauth_world import (
    CALLBACK,
    ORIGIN,
    VERIFIER,
    answer_parameters,
    basic,
    confidential_request,
    handle_in,
    location,
    members,
    oauth_world,
)

API, FILES = "https://api.example.org/", "https://files.example.org/v1"
PAYMENT = {"type": "payment_initiation", "instructedAmount": {"currency": "EUR", "amount": "12.50"}, "creditorName": "Bakery"}
READING = {"type": "reading", "actions": ["list", "read"]}
USERINFO = "/oauth2/openid/wiki/userinfo"


@asynccontextmanager
async def alice_at_wiki(**settings):
    async with oauth_world() as world:
        client = await world.confidential_client()
        members = {"resources": [API, FILES], "authorization_details_types": ["payment_initiation", "reading"], **settings}
        await world.server.clients.change("wiki", members, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        yield world, client, await world.sign_in(alice)


def encoded(*details):
    return msgspec.json.encode(details).decode()


async def redeemed(world, client, cookie, request, **more):
    code = await world.code(cookie, **request)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return members(await world.token(basic(*client), **form, **more))


async def introspected(world, client, token, **headers):
    return await world.post("/oauth2/token/introspect", {"token": token}, basic(*client) | headers)


async def test_access_token_is_for_the_resource_that_was_asked_for():
    async with alice_at_wiki() as (world, client, cookie):
        tokens = await redeemed(world, client, cookie, confidential_request(resource=API))
        claims = (await world.verified(tokens["access_token"], "wiki")).claims
        assert claims["aud"] == API
        assert (await world.verified(tokens["id_token"], "wiki")).claims["aud"] == "wiki"
        told = members(await introspected(world, client, tokens["access_token"]))
        assert (told["active"], told["aud"]) == (True, API)
        answer = await world.call("GET", USERINFO, headers={"authorization": f"Bearer {tokens['access_token']}"})
        assert answer.status == 401


async def test_token_request_narrows_to_one_of_the_granted_resources():
    async with alice_at_wiki() as (world, client, cookie):
        answer = await world.call(
            "GET",
            "/oauth2/authorise?"
            + "&".join(f"{name}={value.replace(' ', '+')}" for name, value in confidential_request().items())
            + f"&resource={API}&resource={FILES}",
            headers={"cookie": f"__Host-sealwright_session={cookie}"},
        )
        step = await world.server.authorization.allow(handle_in(answer), await world.signed_in(cookie))
        code = answer_parameters(step.location)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        tokens = members(await world.token(basic(*client), **form))
        assert (await world.verified(tokens["access_token"], "wiki")).claims["aud"] == [API, FILES]
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "resource": FILES}
        refreshed = members(await world.token(basic(*client), **refresh))
        assert (await world.verified(refreshed["access_token"], "wiki")).claims["aud"] == FILES


async def test_resource_that_is_not_registered_or_not_granted_is_no_target():
    async with alice_at_wiki() as (world, client, cookie):
        answer = answer_parameters(location(await world.authorize(cookie, **confidential_request(resource="https://x.example/"))))
        assert answer["error"] == "invalid_target"
        assert "add-resource wiki" in answer["error_description"]
        assert (await redeemed(world, client, cookie, confidential_request(resource=API), resource=FILES))[
            "error"
        ] == "invalid_target"


async def test_clients_own_token_is_for_the_resource_that_was_asked_for():
    async with alice_at_wiki() as (world, client, _cookie):
        tokens = members(await world.token(basic(*client), grant_type="client_credentials", resource=API))
        assert (await world.verified(tokens["access_token"], "wiki")).claims["aud"] == API
        refused = members(await world.token(basic(*client), grant_type="client_credentials", resource="https://x.example/"))
        assert refused["error"] == "invalid_target"


# --- authorization_details ---


async def test_details_are_asked_about_each_time_and_in_the_token():
    async with alice_at_wiki() as (world, client, cookie):
        request = confidential_request(authorization_details=encoded(PAYMENT, READING))
        tokens = await redeemed(world, client, cookie, request)
        assert tokens["authorization_details"] == [PAYMENT, READING]
        claims = (await world.verified(tokens["access_token"], "wiki")).claims
        assert claims["authorization_details"] == [PAYMENT, READING]
        told = members(await introspected(world, client, tokens["access_token"]))
        assert told["authorization_details"] == [PAYMENT, READING]
        assert location(await world.authorize(cookie, **request)).startswith("/ui/oauth2/consent?")
        silent = answer_parameters(location(await world.authorize(cookie, **request, prompt="none")))
        assert silent["error"] == "consent_required"
        (_, _, details), *_ = await world.events("consent.given")
        assert details["authorization_details"] == [PAYMENT, READING]


async def test_details_are_asked_about_where_the_consent_prompt_is_off():
    async with alice_at_wiki(consent_prompt=False) as (world, _client, cookie):
        assert "code" in answer_parameters(location(await world.authorize(cookie, **confidential_request())))
        answer = await world.authorize(cookie, **confidential_request(authorization_details=encoded(PAYMENT)))
        assert location(answer).startswith("/ui/oauth2/consent?")


async def test_token_request_narrows_the_details():
    async with alice_at_wiki() as (world, client, cookie):
        request = confidential_request(authorization_details=encoded(PAYMENT, READING))
        tokens = await redeemed(world, client, cookie, request, authorization_details=encoded(READING))
        assert tokens["authorization_details"] == [READING]
        more = {**PAYMENT, "creditorName": "Someone else"}
        refused = await redeemed(world, client, cookie, request, authorization_details=encoded(more))
        assert refused["error"] == "invalid_authorization_details"


@pytest.mark.parametrize(("granted", "asked"), [(1, True), (0, False), (True, 1), (1, 1.0)])
async def test_details_of_another_type_are_not_those_that_were_granted(granted, asked):
    async with alice_at_wiki() as (world, client, cookie):
        request = confidential_request(authorization_details=encoded({**READING, "limit": granted}))
        refused = await redeemed(world, client, cookie, request, authorization_details=encoded({**READING, "limit": asked}))
        assert refused["error"] == "invalid_authorization_details"


async def test_refresh_leaves_out_what_the_client_may_not_ask_for_any_more():
    async with alice_at_wiki() as (world, client, cookie):
        request = confidential_request(resource=API, authorization_details=encoded(PAYMENT, READING))
        tokens = await redeemed(world, client, cookie, request)
        await world.server.clients.change("wiki", {"authorization_details_types": ["reading"]}, actor=SYSTEM)
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        refreshed = members(await world.token(basic(*client), **refresh))
        assert refreshed["authorization_details"] == [READING]
        assert (await world.verified(refreshed["access_token"], "wiki")).claims["authorization_details"] == [READING]
        await world.server.clients.change("wiki", {"resources": [FILES]}, actor=SYSTEM)
        refresh = {"grant_type": "refresh_token", "refresh_token": refreshed["refresh_token"]}
        assert members(await world.token(basic(*client), **refresh))["error"] == "invalid_target"
        await world.server.clients.change("wiki", {"resources": [API]}, actor=SYSTEM)
        again = members(await world.token(basic(*client), **refresh))
        assert (await world.verified(again["access_token"], "wiki")).claims["aud"] == API


MALFORMED = {
    "no JSON": "[",
    "no list": "{}",
    "empty": "[]",
    "no type": '[{"actions": []}]',
    "type is a number": '[{"type": 1}]',
    "unknown type": '[{"type": "account_information"}]',
    "text": '["payment_initiation"]',
    "too many": encoded(*[READING] * 21),
    "half a character": r'[{"type": "reading", "a": "\ud800"}]',
    "more than 64 bits": '[{"type": "reading", "a": 99999999999999999999}]',
    "member twice": '[{"type": "reading", "type": "reading"}]',
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_details_are_refused(text):
    async with alice_at_wiki() as (world, client, cookie):
        answer = answer_parameters(location(await world.authorize(cookie, **confidential_request(authorization_details=text))))
        assert answer["error"] == "invalid_authorization_details"
        own = members(await world.token(basic(*client), grant_type="client_credentials", authorization_details=text))
        assert own["error"] == "invalid_authorization_details"


async def test_metadata_tells_the_types_of_details():
    async with alice_at_wiki() as (world, _client, _cookie):
        metadata = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        assert metadata["authorization_details_types_supported"] == ["payment_initiation", "reading"]


# --- opaque tokens ---


async def test_opaque_token_tells_nothing_and_works_here():
    async with alice_at_wiki(access_token_format="opaque") as (world, client, cookie):
        tokens = await redeemed(world, client, cookie, confidential_request())
        token = tokens["access_token"]
        assert token.count(".") == 1
        answer = await world.other_node().call("GET", USERINFO, headers={"authorization": f"Bearer {token}"})
        assert members(answer)["email"] == "alice@example.org"
        told = members(await introspected(world, client, token))
        assert (told["active"], told["client_id"], told["aud"]) == (True, "wiki", "wiki")
        await world.post("/oauth2/token/revoke", {"token": token}, basic(*client))
        assert members(await introspected(world, client, token)) == {"active": False}


async def test_opaque_token_of_another_client_or_changed_is_none():
    async with alice_at_wiki(access_token_format="opaque") as (world, client, cookie):
        other = await world.confidential_client("other")
        token = (await redeemed(world, client, cookie, confidential_request()))["access_token"]
        assert members(await introspected(world, other, token)) == {"active": False}
        changed = f"{token[:-6]}{'A' if token[-6] != 'A' else 'B'}{token[-5:]}"
        assert members(await introspected(world, client, changed)) == {"active": False}
        assert (await world.call("GET", USERINFO, headers={"authorization": "Bearer opaque.x"})).status == 401


# --- signed introspection ---


@pytest.mark.parametrize("good", [True, False])
async def test_introspection_is_signed_where_that_is_asked_for(good):
    async with alice_at_wiki() as (world, client, cookie):
        token = (await redeemed(world, client, cookie, confidential_request()))["access_token"] if good else "nothing"
        answer = await introspected(world, client, token, accept="application/token-introspection+jwt")
        assert dict(answer.headers)["content-type"] == "application/token-introspection+jwt"
        verified = await world.verified(answer.body.decode(), "wiki")
        assert verified.header["typ"] == "token-introspection+jwt"
        assert (verified.claims["iss"], verified.claims["aud"]) == (f"{ORIGIN}/oauth2/openid/wiki", "wiki")
        assert verified.claims["token_introspection"] == members(await introspected(world, client, token))
        assert verified.claims["token_introspection"]["active"] is good
        assert "active" not in verified.claims


async def test_signed_introspection_of_a_client_that_is_none_is_refused_in_json():
    async with alice_at_wiki() as (world, _client, _cookie):
        answer = await introspected(world, ("wiki", "wrong"), "x", accept="application/token-introspection+jwt")
        assert (answer.status, members(answer)["error"]) == (401, "invalid_client")
