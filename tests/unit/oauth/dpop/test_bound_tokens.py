"""Tokens that are bound to a key, which anyone who asks for them or uses them proves to hold."""

import hashlib
import itertools
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.client_metadata import ClientRefused
from sealwright.clock import to_seconds
from sealwright.jose import base64url, sign, thumbprint
from sealwright.jose.key_types import public_members
from sealwright.oauth.purge import purge
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
    public_redemption,
    public_request,
)
from tests.signing import signing_key

TOKEN, PUSH, USERINFO = "/oauth2/token", "/oauth2/par", "/oauth2/openid/wiki/userinfo"
MINE, OTHER = signing_key("ES256"), signing_key("EdDSA")
WITHOUT: dict[str, str] = {}
JKT = thumbprint(MINE.public_key)
_NUMBERS = itertools.count()


@asynccontextmanager
async def alice_at_wiki(**settings):
    async with oauth_world() as world:
        client = await world.confidential_client()
        await world.server.clients.change("wiki", settings, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        yield world, client, await world.sign_in(alice)


def proof(world, path=TOKEN, *, key=MINE, method="POST", access_token=None, **changes):
    claims = {"jti": f"p-{next(_NUMBERS)}", "htm": method, "htu": ORIGIN + path, "iat": to_seconds(world.clock.now())} | changes
    if access_token is not None:
        claims["ath"] = base64url(hashlib.sha256(access_token.encode()).digest())
    return {"dpop": sign(key, claims, type="dpop+jwt", header={"jwk": public_members(key.public_key)})}


def redemption(code):
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}


async def bound_tokens(world, client, cookie, **changes):
    code = await world.code(cookie, **confidential_request(**changes))
    return members(await world.token(basic(*client) | proof(world), **redemption(code)))


async def used(world, token, headers, scheme="DPoP", method="GET"):
    return await world.call(method, USERINFO, headers={"authorization": f"{scheme} {token}"} | headers)


async def test_token_is_bound_to_the_key_of_the_proof():
    async with alice_at_wiki() as (world, client, cookie):
        tokens = await bound_tokens(world, client, cookie)
        token = tokens["access_token"]
        assert tokens["token_type"] == "DPoP"
        assert (await world.verified(token, "wiki")).claims["cnf"] == {"jkt": JKT}
        told = members(await world.post("/oauth2/token/introspect", {"token": token}, basic(*client)))
        assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": JKT})
        for method, scheme in (("GET", "DPoP"), ("GET", "dpop"), ("POST", "DPOP")):
            answer = await used(world, token, proof(world, USERINFO, method=method, access_token=token), scheme, method)
            assert members(answer)["email"] == "alice@example.org"


async def test_opaque_token_is_bound_as_well():
    async with alice_at_wiki(access_token_format="opaque") as (world, client, cookie):
        token = (await bound_tokens(world, client, cookie))["access_token"]
        assert (await used(world, token, proof(world, USERINFO, method="GET", access_token=token))).status == 200
        assert (await used(world, token, {}, "Bearer")).status == 401


async def test_token_without_a_proof_that_fits_is_refused():
    async with alice_at_wiki() as (world, client, cookie):
        token = (await bound_tokens(world, client, cookie))["access_token"]
        wrong = {
            "no proof": {},
            "another key": proof(world, USERINFO, method="GET", access_token=token, key=OTHER),
            "another token": proof(world, USERINFO, method="GET", access_token="x"),
            "no token": proof(world, USERINFO, method="GET"),
            "another method": proof(world, USERINFO, access_token=token),
            "another address": proof(world, TOKEN, method="GET", access_token=token),
        }
        for headers in wrong.values():
            answer = await used(world, token, headers)
            challenge = dict(answer.headers)["www-authenticate"]
            assert (answer.status, members(answer)["error"]) == (401, "invalid_dpop_proof")
            assert challenge.startswith("DPoP ")
            assert "ES256" in challenge
        answer = await used(world, token, proof(world, USERINFO, method="GET", access_token=token), "Bearer")
        assert (answer.status, members(answer)["error"]) == (401, "invalid_token")


async def test_bearer_token_is_not_taken_by_the_scheme_of_bound_ones():
    async with alice_at_wiki() as (world, client, cookie):
        code = await world.code(cookie, **confidential_request())
        token = members(await world.token(basic(*client), **redemption(code)))["access_token"]
        answer = await used(world, token, proof(world, USERINFO, method="GET", access_token=token))
        assert (answer.status, members(answer)["error"]) == (401, "invalid_token")


async def test_proof_is_taken_once_on_every_node():
    async with alice_at_wiki() as (world, client, _cookie):
        headers = basic(*client) | proof(world)
        assert (await world.token(headers, grant_type="client_credentials")).status == 200
        answer = await world.other_node().token(headers, grant_type="client_credentials")
        assert members(answer)["error"] == "invalid_dpop_proof"
        assert "used before" in members(answer)["error_description"]


async def test_same_id_of_another_key_is_another_proof():
    async with alice_at_wiki() as (world, client, _cookie):
        for key in (MINE, OTHER):
            answer = await world.token(basic(*client) | proof(world, key=key, jti="same"), grant_type="client_credentials")
            assert answer.status == 200


async def test_client_whose_tokens_are_bound_gets_none_without_a_proof():
    async with alice_at_wiki(dpop_bound_access_tokens=True) as (world, client, _cookie):
        answer = await world.token(basic(*client), grant_type="client_credentials")
        assert (answer.status, members(answer)["error"]) == (400, "invalid_dpop_proof")
        assert members(await world.token(basic(*client) | proof(world), grant_type="client_credentials"))["token_type"] == "DPoP"


async def test_two_proofs_are_refused():
    async with alice_at_wiki() as (world, client, _cookie):
        both = {"dpop": ", ".join(proof(world)["dpop"] for _ in range(2))}
        answer = await world.token(basic(*client) | both, grant_type="client_credentials")
        assert members(answer)["error"] == "invalid_dpop_proof"


async def test_proof_beside_a_certificate_is_refused():
    async with alice_at_wiki(tls_client_certificate_bound_access_tokens=True) as (world, client, _cookie):
        answer = await world.token(basic(*client) | proof(world), grant_type="client_credentials")
        assert members(answer)["error"] == "invalid_request"
        with pytest.raises(ClientRefused, match="certificate and to the key"):
            await world.server.clients.change("wiki", {"dpop_bound_access_tokens": True}, actor=SYSTEM)


# --- nonces ---


async def test_client_that_needs_a_nonce_is_told_one():
    async with alice_at_wiki(require_dpop_nonce=True) as (world, client, _cookie):
        answer = await world.token(basic(*client) | proof(world), grant_type="client_credentials")
        assert (answer.status, members(answer)["error"]) == (400, "use_dpop_nonce")
        nonce = dict(answer.headers)["dpop-nonce"]
        assert "DPoP-Nonce" in dict(answer.headers)["access-control-expose-headers"]
        good = await world.other_node().token(basic(*client) | proof(world, nonce=nonce), grant_type="client_credentials")
        token = members(good)["access_token"]
        answer = await used(world, token, proof(world, USERINFO, method="GET", access_token=token))
        assert (answer.status, members(answer)["error"]) == (401, "use_dpop_nonce")
        assert dict(answer.headers)["dpop-nonce"] == nonce


async def test_nonce_that_is_over_is_refused_wherever_it_is_sent():
    async with alice_at_wiki() as (world, client, _cookie):
        answer = await world.token(basic(*client) | proof(world, nonce="old"), grant_type="client_credentials")
        assert members(answer)["error"] == "use_dpop_nonce"


# --- codes and refresh tokens ---


async def test_code_is_bound_to_the_key_that_dpop_jkt_names():
    async with alice_at_wiki() as (world, client, cookie):
        for headers in (WITHOUT, proof(world, key=OTHER)):
            code = await world.code(cookie, **confidential_request(dpop_jkt=JKT))
            assert members(await world.token(basic(*client) | headers, **redemption(code)))["error"] == "invalid_grant"
        assert (await bound_tokens(world, client, cookie, dpop_jkt=JKT))["token_type"] == "DPoP"
        answer = answer_parameters(location(await world.authorize(cookie, **confidential_request(dpop_jkt="short"))))
        assert answer["error"] == "invalid_request"


async def test_code_is_bound_to_the_key_with_which_the_request_was_pushed():
    async with alice_at_wiki() as (world, client, cookie):
        for key, error in ((OTHER, "invalid_grant"), (MINE, None)):
            answer = await world.post(PUSH, confidential_request(), basic(*client) | proof(world, PUSH))
            code = await world.code(cookie, client_id="wiki", request_uri=members(answer)["request_uri"])
            tokens = members(await world.token(basic(*client) | proof(world, key=key), **redemption(code)))
            assert tokens.get("error") == error


async def test_pushed_request_with_a_proof_by_another_key_than_it_names_is_refused():
    async with alice_at_wiki() as (world, client, _cookie):
        answer = await world.post(PUSH, confidential_request(dpop_jkt=JKT), basic(*client) | proof(world, PUSH, key=OTHER))
        assert members(answer)["error"] == "invalid_dpop_proof"
        answer = await world.post(PUSH, confidential_request(dpop_jkt=JKT), basic(*client) | proof(world, PUSH))
        assert answer.status == 201


async def test_refresh_token_of_a_public_client_is_bound_to_the_key():
    async with alice_at_wiki() as (world, _client, cookie):
        await world.public_client()
        code = await world.code(cookie, **public_request())
        tokens = members(await world.token(proof(world), **public_redemption(code)))
        refresh = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": tokens["refresh_token"]}
        for headers in (WITHOUT, proof(world, key=OTHER)):
            assert members(await world.token(headers, **refresh))["error"] == "invalid_grant"
        assert members(await world.token(proof(world), **refresh))["token_type"] == "DPoP"


async def test_metadata_tells_which_proofs_are_taken():
    async with alice_at_wiki() as (world, _client, _cookie):
        metadata = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        assert {"ES256", "PS256", "EdDSA"} <= set(metadata["dpop_signing_alg_values_supported"])
        assert not {"RS256", "none", "HS256"} & set(metadata["dpop_signing_alg_values_supported"])


async def test_used_proofs_are_purged_once_they_are_too_old():
    async with alice_at_wiki() as (world, client, _cookie):
        await world.post(PUSH, confidential_request(), basic(*client) | proof(world, PUSH))
        world.clock.advance(timedelta(seconds=55))
        assert await purge(world.dependencies) == 0
        world.clock.advance(timedelta(seconds=20))
        assert await purge(world.dependencies) == 1
