"""Claims that applications ask for one by one: what is told of them, where, and what the person is asked."""

from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.identity import SessionKind
from sealwright.oauth.authentication_context import acr_of, amr_of
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
)

SCOPES = ("openid", "profile", "email", "phone")


@asynccontextmanager
async def alice_at_wiki():
    async with oauth_world() as world:
        client = await world.confidential_client(scopes=SCOPES)
        alice = await world.person("alice", groups=("users",))
        await world.directory.set_attributes("alice", {"phone_number": "+49301234567"}, actor=SYSTEM)
        yield world, client, await world.sign_in(alice)


def asking(claims, **changes):
    return confidential_request(scope="openid", claims=msgspec.json.encode(claims).decode(), **changes)


async def claims_told(world, client, cookie, request):
    """The ID token and the answer of userinfo."""
    name, secret = client
    code = await world.code(cookie, **request)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    tokens = members(await world.token(basic(name, secret), **form))
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    userinfo = members(await world.call("GET", f"/oauth2/openid/{name}/userinfo", headers=bearer))
    return (await world.verified(tokens["id_token"], name)).claims, userinfo


async def sign_in_by(world, account, *methods):
    async def body(tx):
        begun = await world.sessions.begin(tx, account, SessionKind.BROWSER, methods, address="192.0.2.7", user_agent="a test")
        return begun[0]

    return await world.db.write(body)


async def test_requested_claim_is_told_where_it_was_asked_for():
    async with alice_at_wiki() as (world, client, cookie):
        request = asking({"id_token": {"email": {"essential": True}}, "userinfo": {"phone_number": None}})
        id_token, userinfo = await claims_told(world, client, cookie, request)
        assert id_token["email"] == "alice@example.org"
        assert "phone_number" not in id_token
        assert "email_verified" not in id_token
        assert userinfo["phone_number"] == "+49301234567"
        assert "email" not in userinfo


async def test_requested_claim_is_told_in_a_lean_id_token():
    async with alice_at_wiki() as (world, client, cookie):
        await world.server.clients.change("wiki", {"lean_id_token": True}, actor=SYSTEM)
        id_token, _ = await claims_told(world, client, cookie, asking({"id_token": {"name": None}}))
        assert id_token["name"] == "Alice"
        assert "preferred_username" not in id_token


async def test_requested_claim_that_the_person_may_not_grant_is_left_out():
    async with alice_at_wiki() as (world, client, cookie):
        await world.server.clients.update_scope_map("wiki", "users", ("openid", "profile"), actor=SYSTEM)
        id_token, _ = await claims_told(
            world, client, cookie, asking({"id_token": {"email": {"essential": True}, "made_up": None}})
        )
        assert "email" not in id_token


async def test_requested_claim_ends_with_the_scope_map_that_allowed_it():
    async with alice_at_wiki() as (world, client, cookie):
        name, secret = client
        code = await world.code(cookie, **asking({"userinfo": {"email": None}}))
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        tokens = members(await world.token(basic(name, secret), **form))
        await world.server.clients.update_scope_map("wiki", "users", ("openid", "profile"), actor=SYSTEM)
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        userinfo = members(await world.call("GET", f"/oauth2/openid/{name}/userinfo", headers=bearer))
        assert "email" not in userinfo


async def test_claim_that_is_wanted_with_another_value_is_left_out():
    async with alice_at_wiki() as (world, client, cookie):
        asked = {"id_token": {"email": {"values": ["bob@example.org"]}, "name": {"value": "Alice"}}}
        id_token, _ = await claims_told(world, client, cookie, asking(asked))
        assert "email" not in id_token
        assert id_token["name"] == "Alice"


async def test_person_is_asked_about_requested_claims_once():
    async with alice_at_wiki() as (world, _client, cookie):
        await world.code(cookie, **confidential_request(scope="openid"))
        assert "code" in answer_parameters(location(await world.authorize(cookie, **confidential_request(scope="openid"))))
        request = asking({"userinfo": {"email": None}})
        answer = await world.authorize(cookie, **request)
        assert location(answer).startswith("/ui/oauth2/consent?")
        pending = await world.server.authorization.pending(handle_in(answer))
        disclosed = await world.server.authorization.disclosed_claims(pending, await world.signed_in(cookie))
        assert disclosed.claims["email"] == "alice@example.org"
        await world.code(cookie, **request)
        assert "code" in answer_parameters(location(await world.authorize(cookie, **request)))


async def test_consent_to_a_scope_covers_its_claims():
    async with alice_at_wiki() as (world, _client, cookie):
        await world.code(cookie, **confidential_request(scope="openid email"))
        answer = await world.authorize(cookie, **asking({"userinfo": {"email": None}}))
        assert "code" in answer_parameters(location(answer))


async def test_other_person_than_the_requested_sub_is_not_told():
    async with alice_at_wiki() as (world, _client, cookie):
        bob = await world.person("bob", groups=("users",))
        answer = await world.authorize(cookie, **asking({"id_token": {"sub": {"value": bob.id}}}, prompt="none"))
        assert answer_parameters(location(answer))["error"] == "login_required"


MALFORMED = {
    "no JSON": "{",
    "list": "[]",
    "member twice": '{"id_token": {"email": null, "email": null}}',
    "place is a text": '{"id_token": "email"}',
    "claim is true": '{"userinfo": {"email": true}}',
    "essential is a text": '{"userinfo": {"email": {"essential": "yes"}}}',
    "values is a text": '{"userinfo": {"email": {"values": "a"}}}',
    "two subs": '{"userinfo": {"sub": {"values": ["a", "b"]}}}',
    "too many": msgspec.json.encode({"userinfo": {f"claim{number}": None for number in range(51)}}).decode(),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_claims_parameter_is_told_to_the_application(text):
    async with alice_at_wiki() as (world, _client, cookie):
        answer = answer_parameters(location(await world.authorize(cookie, **confidential_request(claims=text))))
        assert answer["error"] == "invalid_request"
        assert "'claims' is not understood" in answer["error_description"]


# --- how the person proved who they are ---

PROOFS = {
    "password": (("pwd",), "pwd", ["pwd"]),
    "password and code": (("pwd", "otp"), "mfa", ["pwd", "otp", "mfa"]),
    "passkey": (("hwk", "user", "mfa"), "phr", ["hwk", "user", "mfa"]),
}


@pytest.mark.parametrize(("methods", "acr", "amr"), PROOFS.values(), ids=PROOFS)
async def test_id_token_tells_how_the_person_proved_who_they_are(methods, acr, amr):
    async with alice_at_wiki() as (world, client, _cookie):
        cookie = await sign_in_by(world, await world.person("bob", groups=("users",)), *methods)
        id_token, _ = await claims_told(world, client, cookie, confidential_request())
        assert (id_token["acr"], id_token["amr"]) == (acr, amr)


def test_acr_is_the_wanted_one_that_the_sign_in_satisfies():
    assert acr_of(("hwk", "user", "mfa"), ("urn:other", "mfa")) == "mfa"
    assert acr_of(("pwd",), ("phr",)) == "pwd"
    assert acr_of(()) is None
    assert amr_of(("pwd", "otp", "mfa")) == ["pwd", "otp", "mfa"]


async def test_voluntary_acr_values_stand_in_no_ones_way():
    async with alice_at_wiki() as (world, client, cookie):
        id_token, _ = await claims_told(world, client, cookie, confidential_request(acr_values="phr mfa"))
        assert id_token["acr"] == "pwd"


ESSENTIAL = {"id_token": {"acr": {"essential": True, "values": ["phr", "mfa"]}}}


async def test_essential_acr_asks_for_a_better_sign_in():
    async with alice_at_wiki() as (world, client, cookie):
        world.clock.advance(timedelta(seconds=1))
        answer = await world.authorize(cookie, **asking(ESSENTIAL))
        assert location(answer).startswith("/ui/sign-in?")
        answer = await world.authorize(cookie, **asking(ESSENTIAL, prompt="none"))
        assert answer_parameters(location(answer))["error"] == "login_required"
        better = await sign_in_by(world, await world.person("bob", groups=("users",)), "pwd", "otp")
        id_token, _ = await claims_told(world, client, better, asking(ESSENTIAL))
        assert id_token["acr"] == "mfa"


async def test_essential_acr_that_the_new_sign_in_does_not_satisfy_is_an_error():
    async with alice_at_wiki() as (world, _client, cookie):
        world.clock.advance(timedelta(seconds=1))
        handle = handle_in(await world.authorize(cookie, **asking(ESSENTIAL)))
        again = await sign_in_by(world, await world.person("bob", groups=("users",)), "pwd")
        step = await world.server.authorization.next_step(handle, await world.signed_in(again))
        assert answer_parameters(step.location)["error"] == "unmet_authentication_requirements"


async def test_essential_acr_that_there_is_not_here_is_an_error_at_once():
    async with alice_at_wiki() as (world, _client, _cookie):
        request = asking({"id_token": {"acr": {"essential": True, "value": "urn:mace:silver"}}})
        answer = answer_parameters(location(await world.authorize(None, **request)))
        assert answer["error"] == "unmet_authentication_requirements"


async def test_metadata_tells_of_the_claims_parameter_and_the_acr_values():
    async with alice_at_wiki() as (world, _client, _cookie):
        metadata = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        assert metadata["claims_parameter_supported"] is True
        assert metadata["acr_values_supported"] == ["phr", "mfa", "pwd"]
        assert "acr" in metadata["claims_supported"]


HOSTILE = {
    "sub is an object": '{"id_token":{"sub":{"value":{}}}}',
    "sub is a list": '{"userinfo":{"sub":{"values":[[1]]}}}',
    "half a character": r'{"id_token":{"sub":{"value":"\ud800"}}}',
    "half a character in a name": r'{"userinfo":{"\udfff":null}}',
    "more than 64 bits": '{"id_token":{"name":{"value":99999999999999999999}}}',
    "infinite": '{"id_token":{"name":{"value":1e999}}}',
    "deep": '{"id_token":{"name":{"value":' + "[" * 400 + "]" * 400 + "}}}",
}


@pytest.mark.parametrize("claims", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_claims_are_an_error_for_the_application(claims):
    async with oauth_world() as world:
        await world.confidential_client()
        refused = answer_parameters(location(await world.authorize(**confidential_request(claims=claims))))
        assert refused["error"] == "invalid_request"
