"""Clients that share an issuer: one URL and one key set, and tokens that are still each client's own."""

from contextlib import asynccontextmanager

import pytest

from sealwright.access import SYSTEM
from sealwright.jose import UnverifiedToken, verify
from sealwright.openid_providers import LocalProvider
from tests.oauth_world import (
    CALLBACK,
    ORIGIN,
    answer_parameters,
    basic,
    confidential_request,
    location,
    members,
    oauth_world,
    public_redemption,
)

TEAM = f"{ORIGIN}/oauth2/issuers/team"
PATHS = {TEAM: "/oauth2/issuers/team", ORIGIN: ""}


@asynccontextmanager
async def world_with_issuers():
    async with oauth_world() as world:
        await world.server.issuers.create("team", actor=SYSTEM)
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        yield world


async def clients_on(world, issuer, *names):
    """Confidential clients on an issuer, and the header that proves each."""
    proofs = []
    for name in names:
        _, secret = await world.confidential_client(name)
        await world.server.clients.names.set_issuer(name, issuer, actor=SYSTEM)
        proofs.append(basic(name, secret))
    return proofs


async def tokens_of(world, cookie, name, proof, scope="openid email"):
    code = await world.code(cookie, **confidential_request(client_id=name, scope=scope))
    redemption = public_redemption(code, redirect_uri=CALLBACK)
    redemption.pop("client_id"), redemption.pop("client_secret")
    answer = await world.token(proof, **redemption)
    assert answer.status == 200, answer.body
    return members(answer)


async def introspected(world, proof, token):
    return members(await world.post("/oauth2/token/introspect", {"token": token}, proof))


@pytest.mark.parametrize(("issuer", "url"), [("team", TEAM), ("main", ORIGIN)])
async def test_tokens_of_all_clients_name_the_issuer_that_discovery_names_and_its_keys_verify_them(issuer, url):
    async with world_with_issuers() as world:
        wiki, mail = await clients_on(world, issuer, "wiki", "mail")
        cookie = await world.sign_in(await world.person("alice", groups=("users",)))
        document = members(await world.call("GET", f"{PATHS[url]}/.well-known/openid-configuration"))
        assert document["issuer"] == url
        keys = await world.server.discovery.local_provider(url)
        assert isinstance(keys, LocalProvider)
        for name, proof in (("wiki", wiki), ("mail", mail)):
            found = await tokens_of(world, cookie, name, proof)
            for token in (found["access_token"], found["id_token"]):
                typ = UnverifiedToken(token).header["typ"]
                claims = verify(token, keys.keys, typ=typ, algorithms=keys.metadata.algorithms).claims
                assert (claims["iss"], claims["aud"]) == (url, name)
            answer = await world.authorize(cookie, **confidential_request(client_id=name, prompt="none"))
            assert answer_parameters(location(answer))["iss"] == url


@pytest.mark.parametrize("issuer", ["team", "main"])
async def test_token_of_another_client_on_the_same_issuer_is_inactive_and_cannot_be_revoked_by_it(issuer):
    async with world_with_issuers() as world:
        wiki, mail = await clients_on(world, issuer, "wiki", "mail")
        cookie = await world.sign_in(await world.person("alice", groups=("users",)))
        found = await tokens_of(world, cookie, "wiki", wiki)
        for token in (found["access_token"], found["refresh_token"]):
            assert await introspected(world, mail, token) == {"active": False}
            assert (await world.post("/oauth2/token/revoke", {"token": token}, mail)).status == 200
            assert (await introspected(world, wiki, token))["active"] is True
        answer = await world.token(mail, grant_type="refresh_token", refresh_token=found["refresh_token"])
        assert (answer.status, members(answer)["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(("issuer", "url"), [("team", TEAM), ("main", ORIGIN)])
async def test_userinfo_of_a_shared_issuer_takes_the_tokens_of_its_clients_alone(issuer, url):
    async with world_with_issuers() as world:
        wiki, mail = await clients_on(world, issuer, "wiki", "mail")
        (other,) = await clients_on(world, None, "other")
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)

        async def userinfo(token):
            return await world.call("GET", f"{PATHS[url]}/userinfo", headers={"authorization": f"Bearer {token}"})

        for name, proof in (("wiki", wiki), ("mail", mail)):
            answer = await userinfo((await tokens_of(world, cookie, name, proof))["access_token"])
            assert (answer.status, members(answer)["sub"]) == (200, alice.id)
        foreign = (await tokens_of(world, cookie, "other", other))["access_token"]
        for token in (foreign, "x", "a.b.c", foreign[:-3] + "AAA"):
            answer = await userinfo(token)
            assert (answer.status, members(answer)["error"]) == (401, "invalid_token")


async def test_id_token_of_another_client_on_the_same_issuer_is_no_hint():
    async with world_with_issuers() as world:
        wiki, _ = await clients_on(world, "team", "wiki", "mail")
        cookie = await world.sign_in(await world.person("alice", groups=("users",)))
        hint = (await tokens_of(world, cookie, "wiki", wiki))["id_token"]
        for client, error in (("mail", "invalid_request"), ("wiki", None)):
            request = confidential_request(client_id=client, prompt="none", id_token_hint=hint)
            told = answer_parameters(location(await world.authorize(cookie, **request)))
            assert told.get("error") == (error or told.get("error"))
            assert ("code" in told) == (client == "wiki")


async def test_client_that_gets_another_issuer_loses_all_tokens_and_its_own_issuer():
    async with world_with_issuers() as world:
        (wiki,) = await clients_on(world, None, "wiki")
        cookie = await world.sign_in(await world.person("alice", groups=("users",)))
        names = world.server.clients.names
        own = f"{ORIGIN}/oauth2/openid/wiki"
        for issuer, url in (("team", TEAM), ("main", ORIGIN), (None, own), ("team", TEAM)):
            found = await tokens_of(world, cookie, "wiki", wiki)
            changed = await names.set_issuer("wiki", issuer, actor=SYSTEM)
            assert (changed.issuer, changed.issuer_url) == (issuer, url)
            assert await introspected(world, wiki, found["access_token"]) == {"active": False}
            assert await introspected(world, wiki, found["refresh_token"]) == {"active": False}
            answer = await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration")
            assert answer.status == (200 if issuer is None else 404)
        told = members(answer)["error_description"]
        assert told == f"The issuer of wiki is {TEAM}."
        again = await names.set_issuer("wiki", "team", actor=SYSTEM)
        assert again.updated_at == changed.updated_at
        events = [details["issuer"] for _, _, details in await world.events("client.issuer_set")]
        assert events == ["team", "main", None, "team"]


@pytest.mark.parametrize(
    "path",
    [
        "/oauth2/issuers/team/.well-known/openid-configuration",
        "/oauth2/issuers/team/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration/oauth2/issuers/team",
        "/.well-known/oauth-authorization-server/oauth2/issuers/team",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ],
)
async def test_metadata_of_a_shared_issuer_are_where_both_standards_look_for_them(path):
    async with world_with_issuers() as world:
        answer = await world.call("GET", path)
        document = members(answer)
        assert answer.status == 200
        assert document["issuer"] == (TEAM if "team" in path else ORIGIN)
        assert set(document["id_token_signing_alg_values_supported"]) == {"ES256", "RS256"}
        assert {"none", "client_secret_basic"} <= set(document["token_endpoint_auth_methods_supported"])
        assert "client_credentials" in document["grant_types_supported"]
        assert {"openid", "email", "profile", "offline_access"} <= set(document["scopes_supported"])
        for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri", "userinfo_endpoint"):
            method = "GET" if name in ("jwks_uri", "userinfo_endpoint") else "POST"
            assert (await world.call(method, document[name].removeprefix(ORIGIN))).status in {200, 400, 401}


async def test_root_issuer_has_the_short_addresses():
    async with world_with_issuers() as world:
        document = members(await world.call("GET", "/.well-known/openid-configuration"))
        short = {name: document[name].removeprefix(ORIGIN) for name in document if name.endswith(("_endpoint", "jwks_uri"))}
        assert (
            short.items()
            >= {
                "authorization_endpoint": "/oauth2/authorise",
                "token_endpoint": "/token",
                "introspection_endpoint": "/token/introspection",
                "revocation_endpoint": "/token/revocation",
                "userinfo_endpoint": "/userinfo",
                "jwks_uri": "/jwks",
                "end_session_endpoint": "/oauth2/logout",
            }.items()
        )
        finger = await world.call("GET", "/.well-known/webfinger?resource=acct:alice@example.org")
        assert ORIGIN in finger.body.decode()
        assert finger.status == 200


async def test_server_without_a_root_issuer_says_so():
    async with oauth_world() as world:
        for path in ("/.well-known/openid-configuration", "/jwks", "/userinfo", "/oauth2/issuers/team/public_key.jwk"):
            answer = await world.call("GET", path)
            assert answer.status == 404
            assert members(answer)["error"] == "not_found"
        assert "no root issuer" in (await world.call("GET", "/jwks")).body.decode()
        assert await world.server.discovery.local_provider(ORIGIN) is None


@pytest.mark.parametrize("ending", ["", "/", "/.well-known/openid-configuration"])
@pytest.mark.parametrize("url", [TEAM, ORIGIN])
async def test_own_shared_issuer_is_known_without_a_call_over_the_network(url, ending):
    async with world_with_issuers() as world:
        provider = await world.server.discovery.local_provider(url + ending)
        assert provider is not None
        assert provider.metadata.issuer == url
        assert provider.metadata.local


async def test_logout_token_and_hint_name_the_shared_issuer():
    async with world_with_issuers() as world:
        (wiki,) = await clients_on(world, "team", "wiki")
        clients = world.server.clients
        await clients.add("wiki", "post_logout_redirect_uris", "https://wiki.example.org/bye", actor=SYSTEM)
        cookie = await world.sign_in(await world.person("alice", groups=("users",)))
        hint = (await tokens_of(world, cookie, "wiki", wiki))["id_token"]
        handle = await world.server.logout.begin(f"id_token_hint={hint}&post_logout_redirect_uri=https://wiki.example.org/bye")
        assert (await world.server.logout.pending(handle)).client.name == "wiki"
