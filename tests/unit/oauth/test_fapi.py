"""Clients by the FAPI 2.0 Security Profile: what the profile asks of them, and what it refuses."""

import itertools
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.cli.remedies import hint_of
from sealwright.client_metadata import ClientRefused, asked_of, library_settings
from sealwright.clock import to_seconds
from sealwright.jose import jwk_of, sign
from tests.machines_world import machines_world, thumbprint_of
from tests.oauth_world import (
    CALLBACK,
    ORIGIN,
    VERIFIER,
    answer_parameters,
    confidential_request,
    location,
    members,
    oauth_world,
    page_text,
)
from tests.signing import signing_key
from tests.unit.oauth.dpop.test_bound_tokens import proof

ISSUER = f"{ORIGIN}/oauth2/openid/wiki"
USERINFO = "/oauth2/openid/wiki/userinfo"
PUSH = "/oauth2/par"
KEYS = {algorithm: signing_key(algorithm) for algorithm in ("ES256", "PS256", "EdDSA", "RS256", "ES384")}
KEY_SET = {"keys": [jwk_of(key.public_key, key.id, key.algorithm) for key in KEYS.values()]}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BY_KEY = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEY_SET}
BY_CERTIFICATE = {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "wiki"}
_NUMBERS = itertools.count()


@asynccontextmanager
async def alice_at_wiki(**lifetimes):
    async with oauth_world(**lifetimes) as world:
        await world.confidential_client()
        clients = world.server.clients
        await clients.change("wiki", BY_KEY, actor=SYSTEM)
        await clients.change("wiki", {"profile": "fapi2"}, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        yield world, await world.sign_in(alice)


def assertion(world, algorithm="ES256", **changes):
    now = to_seconds(world.clock.now())
    claims = {"iss": "wiki", "sub": "wiki", "aud": ISSUER, "jti": f"a-{next(_NUMBERS)}", "iat": now, "exp": now + 60} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return {"client_assertion_type": ASSERTION, "client_assertion": sign(KEYS[algorithm], claims)}


async def pushed(world, **changes):
    answer = await world.post(PUSH, confidential_request(**changes) | assertion(world))
    assert answer.status == 201, answer.body
    return members(answer)["request_uri"]


async def code_of(world, cookie):
    return await world.code(cookie, client_id="wiki", request_uri=await pushed(world))


async def redeemed(world, code, headers=None, **changes):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return await world.token(proof(world) if headers is None else headers, **form | assertion(world) | changes)


async def test_whole_flow_ends_in_a_token_that_is_bound():
    async with alice_at_wiki() as (world, cookie):
        answer = await world.authorize(cookie, client_id="wiki", request_uri=await pushed(world))
        assert location(answer).startswith("/ui/oauth2/consent?")
        tokens = members(await redeemed(world, await code_of(world, cookie)))
        assert tokens["token_type"] == "DPoP"
        headers = {"authorization": f"DPoP {tokens['access_token']}"}
        use = proof(world, USERINFO, method="GET", access_token=tokens["access_token"])
        assert (await world.call("GET", USERINFO, headers=headers | use)).status == 200
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await world.token(**refresh | assertion(world))).status == 400
        first = members(await world.token(proof(world), **refresh | assertion(world)))
        again = members(await world.token(proof(world), **refresh | assertion(world)))
        assert first["refresh_token"] == again["refresh_token"], "the one before is good once more, for a lost answer"


async def test_request_in_the_address_is_refused():
    async with alice_at_wiki() as (world, cookie):
        answer = answer_parameters(location(await world.authorize(cookie, **confidential_request())))
        assert (answer["error"], answer["iss"]) == ("invalid_request", ISSUER)


WRONG_REQUESTS = {
    "no PKCE": ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
    "plain PKCE": ({"code_challenge_method": "plain"}, "invalid_request"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "token": ({"response_type": "token"}, "unsupported_response_type"),
    "no redirect URI": ({"redirect_uri": ""}, "invalid_request"),
    "handle within": ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "error"), WRONG_REQUESTS.values(), ids=WRONG_REQUESTS)
async def test_wrong_request_is_refused_when_it_is_pushed(changes, error):
    async with alice_at_wiki() as (world, _cookie):
        answer = await world.post(PUSH, confidential_request(**changes) | assertion(world))
        assert (answer.status, members(answer)["error"]) == (400, error)


WRONG_ASSERTIONS = {
    "RS256": {"algorithm": "RS256"},
    "ES384": {"algorithm": "ES384"},
    "list as audience": {"aud": [ISSUER]},
    "token endpoint as audience": {"aud": f"{ORIGIN}/oauth2/token"},
    "push endpoint as audience": {"aud": f"{ORIGIN}{PUSH}"},
    "another audience": {"aud": "https://other.example"},
    "no subject": {"sub": None},
    "over": {"exp": 1},
}


@pytest.mark.parametrize("changes", WRONG_ASSERTIONS.values(), ids=WRONG_ASSERTIONS)
async def test_assertion_that_the_profile_forbids_is_refused(changes):
    async with alice_at_wiki() as (world, _cookie):
        answer = await world.post(PUSH, confidential_request() | assertion(world, **changes))
        assert (answer.status, members(answer)["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA"])
async def test_assertion_is_signed_as_the_profile_allows(algorithm):
    async with alice_at_wiki() as (world, _cookie):
        answer = await world.post(PUSH, confidential_request() | assertion(world, algorithm))
        assert answer.status == 201


async def test_token_needs_a_proof_that_the_profile_allows():
    async with alice_at_wiki() as (world, cookie):
        code = await code_of(world, cookie)
        for headers in (dict[str, str](), proof(world, key=KEYS["ES384"])):
            assert members(await redeemed(world, code, headers))["error"] == "invalid_dpop_proof"
        assert (await redeemed(world, code)).status == 200


async def test_code_is_good_for_a_minute_whatever_the_settings_say():
    async with alice_at_wiki(code=timedelta(minutes=5)) as (world, cookie):
        code = await code_of(world, cookie)
        world.clock.advance(timedelta(seconds=62))
        assert members(await redeemed(world, code))["error"] == "invalid_grant"


async def test_code_of_another_client_and_code_without_its_verifier_are_refused():
    async with alice_at_wiki() as (world, cookie):
        code = await code_of(world, cookie)
        assert members(await redeemed(world, code, code_verifier=""))["error"] == "invalid_grant"
        assert members(await redeemed(world, code, code_verifier="x" * 43))["error"] == "invalid_grant"
        assert (await redeemed(world, code)).status == 200
        assert members(await redeemed(world, code))["error"] == "invalid_grant"


async def test_handle_that_is_too_old_or_used_is_shown():
    async with alice_at_wiki() as (world, cookie):
        handle = await pushed(world)
        world.clock.advance(timedelta(seconds=60))
        assert "no longer here" in page_text(await world.authorize(cookie, client_id="wiki", request_uri=handle))


async def test_metadata_of_the_client_name_what_the_profile_allows():
    async with alice_at_wiki() as (world, _cookie):
        metadata = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        lists = {name: set(value) for name, value in metadata.items() if name.endswith("_alg_values_supported")}
        assert lists["dpop_signing_alg_values_supported"] == {"ES256", "PS256", "EdDSA", "Ed25519"}
        assert all(value <= {"ES256", "PS256", "EdDSA", "Ed25519"} for value in lists.values())
        assert metadata["require_pushed_authorization_requests"] is True
        assert metadata["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        assert metadata["code_challenge_methods_supported"] == ["S256"]


# --- the settings of the client ---


async def test_client_without_a_key_is_told_what_it_lacks():
    async with oauth_world() as world:
        await world.confidential_client()
        with pytest.raises(ClientRefused) as refused:
            await world.server.clients.change("wiki", {"profile": "fapi2"}, actor=SYSTEM)
        assert refused.value.reasons == (
            "the profile asks that it authenticates by private_key_jwt or by its client certificate",
        )
        assert "set-authentication wiki private_key_jwt" in hint_of(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"require_pushed_authorization_requests": False},
        {"dpop_bound_access_tokens": False},
        {"require_pkce": False},
        {"id_token_signed_response_alg": "RS256"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_signing_alg": "RS256"},
        {"http_redirects": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_what_the_profile_forbids_cannot_be_set(changes):
    async with alice_at_wiki() as (world, _cookie):
        with pytest.raises(ClientRefused, match="FAPI"):
            await world.server.clients.change("wiki", changes, actor=SYSTEM)
        await world.server.clients.change("wiki", {"profile": "oauth2.1", **changes}, actor=SYSTEM)


async def test_client_that_proves_itself_by_certificate_may_have_its_tokens_bound_to_it():
    async with oauth_world() as world:
        await world.confidential_client()
        clients = world.server.clients
        await clients.change("wiki", BY_CERTIFICATE | {"tls_client_certificate_bound_access_tokens": True}, actor=SYSTEM)
        found = await clients.change("wiki", {"profile": "fapi2"}, actor=SYSTEM)
        assert (found.tls_client_certificate_bound_access_tokens, found.dpop_bound_access_tokens) == (True, False)


@asynccontextmanager
async def alice_at_wiki_by_certificate():
    async with machines_world() as world:
        await world.confidential_client()
        certificate = {"tls_client_certificate_bound_access_tokens": True, "require_pushed_authorization_requests": True}
        await world.server.clients.change("wiki", BY_CERTIFICATE | certificate, actor=SYSTEM)
        await world.server.clients.change("wiki", {"profile": "fapi2"}, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        yield world, await world.sign_in(alice), await world.certificate("wiki")


async def test_whole_flow_by_certificate_ends_in_a_token_that_only_its_holder_uses():
    async with alice_at_wiki_by_certificate() as (world, cookie, mine):
        other, client = await world.certificate("other"), {"client_id": "wiki"}
        assert (await world.post(PUSH, confidential_request())).status == 401
        assert (await world.post(PUSH, confidential_request(), certificate=other)).status == 401
        pushed_request = members(await world.post(PUSH, confidential_request(), certificate=mine))
        assert pushed_request["expires_in"] < 600
        code = await world.code(cookie, client_id="wiki", request_uri=pushed_request["request_uri"])
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER} | client
        assert (await world.token(**form)).status == 401
        assert (await world.token(**form, certificate=other)).status == 401
        tokens = members(await world.token(**form, certificate=mine))
        assert tokens["token_type"] == "Bearer"
        claims = (await world.verified(tokens["access_token"], "wiki")).claims
        assert claims["cnf"] == {"x5t#S256": thumbprint_of(mine)}
        bearer = {"authorization": f"BEARER {tokens['access_token']}"}
        for shown, status in ((mine, 200), (other, 401), (None, 401)):
            assert (await world.call("GET", USERINFO, headers=bearer, certificate=shown)).status == status
        assert (await world.token(**form, certificate=mine)).status == 400  # a code is good once, and its tokens end
        assert (await world.call("GET", USERINFO, headers=bearer, certificate=mine)).status == 401


async def test_refresh_by_a_renewed_certificate_binds_to_that_and_a_client_gets_tokens_for_itself():
    async with alice_at_wiki_by_certificate() as (world, cookie, mine):
        request = members(await world.post(PUSH, confidential_request(), certificate=mine))["request_uri"]
        code = await world.code(cookie, client_id="wiki", request_uri=request)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        tokens = members(await world.token(**form, client_id="wiki", certificate=mine))
        renewed = await world.certificate("wiki")
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "wiki"}
        assert (await world.token(**refresh)).status == 401
        second = members(await world.token(**refresh, certificate=renewed))["access_token"]
        own = members(await world.token(grant_type="client_credentials", client_id="wiki", certificate=renewed))["access_token"]
        for token in (second, own):
            assert (await world.verified(token, "wiki")).claims["cnf"] == {"x5t#S256": thumbprint_of(renewed)}
        await world.revoke(renewed)
        bearer = {"authorization": f"Bearer {second}"}
        assert (await world.call("GET", USERINFO, headers=bearer, certificate=renewed)).status == 401
        assert (await world.token(grant_type="client_credentials", client_id="wiki", certificate=renewed)).status == 401


async def test_profile_is_told_in_words():
    client = {
        "kind": "confidential",
        "profile": "fapi2",
        "token_endpoint_auth_method": "private_key_jwt",
        "tls_client_certificate_bound_access_tokens": False,
        "dpop_bound_access_tokens": True,
        "require_dpop_nonce": False,
        "require_signed_request_object": False,
        "require_pushed_authorization_requests": True,
        "require_pkce": True,
        "id_token_signed_response_alg": "ES256",
    }
    told = " ".join(asked_of(client))
    for words in (
        "private_key_jwt",
        "DPoP proof",
        "RFC 9126",
        "PKCE with S256",
        "ES256, Ed25519, EdDSA, PS256",
        "the issuer alone",
    ):
        assert words in told
    assert "openid-client" in dict(library_settings(client, "wiki"))
    assert "oauth2-proxy" not in dict(library_settings(client, "wiki"))
