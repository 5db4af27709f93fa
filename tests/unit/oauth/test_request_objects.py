"""Authorization requests that clients sign."""

import base64
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.clock import to_seconds
from sealwright.jose import jwk_of, sign
from tests.oauth_world import (
    CALLBACK,
    ORIGIN,
    VERIFIER,
    answer_parameters,
    basic,
    confidential_request,
    location,
    members,
    oauth_world,
    page_text,
)
from tests.signing import signing_key

ISSUER = f"{ORIGIN}/oauth2/openid/wiki"
KEYS = {algorithm: signing_key(algorithm) for algorithm in ("ES256", "PS256", "EdDSA")}
TYPE = "oauth-authz-req+jwt"


@asynccontextmanager
async def alice_at_wiki(**settings):
    async with oauth_world() as world:
        client = await world.confidential_client()
        keys = [jwk_of(key.public_key, key.id, key.algorithm) for key in KEYS.values()]
        await world.server.clients.change("wiki", {"jwks": {"keys": keys}, **settings}, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        yield world, client, await world.sign_in(alice)


def claims_of(world, **changes):
    now = to_seconds(world.clock.now())
    claims = confidential_request() | {"iss": "wiki", "aud": ISSUER, "iat": now, "nbf": now, "exp": now + 60} | changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(world, algorithm="ES256", *, typ=TYPE, key=None, **changes):
    return sign(key or KEYS[algorithm], claims_of(world, **changes), type=typ)


async def sent(world, cookie, request, **more):
    """The response of a request whose redirect URI stands beside the object, for errors to go there."""
    answer = await world.authorize(cookie, client_id="wiki", redirect_uri=CALLBACK, request=request, **more)
    return answer_parameters(location(answer))


@pytest.mark.parametrize("typ", [TYPE, "JWT", f"application/{TYPE}"])
@pytest.mark.parametrize("algorithm", KEYS)
async def test_signed_request_leads_to_a_code(algorithm, typ):
    async with alice_at_wiki() as (world, client, cookie):
        code = await world.code(cookie, client_id="wiki", request=signed(world, algorithm, typ=typ))
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        assert "id_token" in members(await world.token(basic(*client), **form))


async def test_only_what_is_signed_counts():
    async with alice_at_wiki() as (world, _client, cookie):
        await world.code(cookie, **confidential_request())
        answer = await sent(world, cookie, signed(world, state=None), state="unsigned", prompt="none")
        assert "code" in answer
        assert "state" not in answer


async def test_numbers_and_objects_within_are_understood():
    async with alice_at_wiki() as (world, client, cookie):
        request = signed(world, max_age=600, claims={"id_token": {"name": None}}, scope="openid")
        code = await world.code(cookie, client_id="wiki", request=request)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        tokens = members(await world.token(basic(*client), **form))
        assert (await world.verified(tokens["id_token"], "wiki")).claims["name"] == "Alice"


def unsigned(world):
    parts = ({"alg": "none", "typ": TYPE}, claims_of(world))
    encoded = [base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in parts]
    return f"{encoded[0]}.{encoded[1]}."


REFUSED = {
    "none": unsigned,
    "no JWT": lambda _: "eyJ",
    "encrypted": lambda _: "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.a2V5.aXY.dGV4dA.dGFn",
    "foreign key": lambda world: signed(world, key=signing_key("ES256")),
    "foreign key under a known name": lambda world: signed(world, key=replace(signing_key("ES256"), id=KEYS["ES256"].id)),
    "access token": lambda world: signed(world, typ="at+jwt"),
    "expired": lambda world: signed(world, exp=to_seconds(world.clock.now()) - 60),
    "not yet": lambda world: signed(world, nbf=to_seconds(world.clock.now()) + 90),
    "another issuer": lambda world: signed(world, iss="step-ca"),
    "another client": lambda world: signed(world, client_id="step-ca"),
    "for another server": lambda world: signed(world, aud="https://other.example"),
    "object within": lambda world: signed(world, request="eyJ"),
    "handle within": lambda world: signed(world, request_uri="urn:x"),
    "resource is a number": lambda world: signed(world, resource=1),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
async def test_object_that_is_not_sound_is_refused(make):
    async with alice_at_wiki() as (world, _client, cookie):
        answer = await sent(world, cookie, make(world))
        assert answer["error"] == "invalid_request_object"
        assert answer["error_description"].startswith("The request object is refused: ")


async def test_object_that_is_not_sound_is_shown_where_no_address_is_proven():
    async with alice_at_wiki() as (world, _client, cookie):
        answer = await world.authorize(cookie, client_id="wiki", request=signed(world, iss="step-ca"))
        assert "does not say where its answer goes" in page_text(answer)


async def test_client_without_keys_cannot_sign():
    async with alice_at_wiki(jwks=None) as (world, _client, cookie):
        answer = await sent(world, cookie, signed(world))
        assert "set-authentication wiki registers keys" in answer["error_description"]


async def test_client_that_must_sign_is_refused_otherwise():
    async with alice_at_wiki(require_signed_request_object=True) as (world, client, cookie):
        answer = answer_parameters(location(await world.authorize(cookie, **confidential_request())))
        assert answer["error"] == "invalid_request"
        pushed = await world.post("/oauth2/par", confidential_request(), basic(*client))
        assert members(pushed)["error"] == "invalid_request"
        assert await world.code(cookie, client_id="wiki", request=signed(world))


async def test_signed_request_can_be_pushed():
    async with alice_at_wiki(require_signed_request_object=True) as (world, client, cookie):
        answer = await world.post("/oauth2/par", {"client_id": "wiki", "request": signed(world)}, basic(*client))
        assert await world.code(cookie, client_id="wiki", request_uri=members(answer)["request_uri"])


async def test_metadata_tells_which_signatures_are_taken():
    async with alice_at_wiki() as (world, _client, _cookie):
        metadata = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        assert metadata["request_parameter_supported"] is True
        assert {"ES256", "PS256", "EdDSA"} <= set(metadata["request_object_signing_alg_values_supported"])
        assert "none" not in metadata["request_object_signing_alg_values_supported"]


async def test_expiry_may_be_left_out_beside_a_beginning():
    async with alice_at_wiki() as (world, _client, cookie):
        assert await world.code(cookie, client_id="wiki", request=signed(world, exp=None))
        later = signed(world, exp=None, nbf=to_seconds(world.clock.now()) + 600)
        assert (await sent(world, cookie, later))["error"] == "invalid_request_object"
