"""What an issuer says of itself, userinfo, and the provider as our own certificate authority sees it."""

from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.jose import JWT, UnverifiedToken, verify
from sealwright.keys import PUBLISHED_BEFORE_USE
from tests.oauth_world import ORIGIN, answer_parameters, location, members, oauth_world, public_redemption, public_request

ISSUER = f"{ORIGIN}/oauth2/openid/step-ca"
METADATA_PATHS = (
    "/oauth2/openid/{}/.well-known/openid-configuration",
    "/oauth2/openid/{}/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration/oauth2/openid/{}",
    "/.well-known/oauth-authorization-server/oauth2/openid/{}",
)


@asynccontextmanager
async def world_with_client(**options):
    async with oauth_world(**options) as world:
        await world.public_client(scopes=("openid", "email", "groups", "profile"))
        yield world


@pytest.mark.parametrize("path", METADATA_PATHS)
async def test_metadata_is_true_and_the_issuer_is_its_own_address(path):
    async with world_with_client() as world:
        answer = await world.call("GET", path.format("step-ca"))
        headers = dict(answer.headers)
        assert answer.status == 200
        assert headers["access-control-allow-origin"] == "*"
        document = members(answer)
        assert document["issuer"] == ISSUER
        assert document["authorization_endpoint"] == f"{ORIGIN}/oauth2/authorise"
        assert document["token_endpoint"] == f"{ORIGIN}/oauth2/token"
        assert document["userinfo_endpoint"] == f"{ISSUER}/userinfo"
        assert document["jwks_uri"] == f"{ISSUER}/public_key.jwk"
        assert document["id_token_signing_alg_values_supported"] == ["ES256"]
        assert document["token_endpoint_auth_methods_supported"] == ["none"]
        assert document["code_challenge_methods_supported"] == ["S256"]
        assert document["authorization_response_iss_parameter_supported"] is True
        assert document["scopes_supported"] == ["openid", "email", "groups", "profile", "offline_access"]
        assert {"email", "email_verified", "groups"} <= set(document["claims_supported"])
        assert all(value.startswith("https://") for name, value in document.items() if name.endswith(("_endpoint", "_uri")))
        assert document["grant_types_supported"] == ["authorization_code", "refresh_token"]
        assert document["revocation_endpoint"] == f"{ORIGIN}/oauth2/token/revoke"
        assert document["revocation_endpoint_auth_methods_supported"] == ["none"]
        later = {"introspection", "device_authorization", "registration"}
        assert not {name for name in document if name.removesuffix("_endpoint") in later}


async def test_introspection_is_told_to_clients_that_can_prove_themselves():
    async with world_with_client() as world:
        await world.confidential_client()
        document = members(await world.call("GET", METADATA_PATHS[0].format("wiki")))
        assert document["introspection_endpoint"] == f"{ORIGIN}/oauth2/token/introspect"
        methods = ["client_secret_basic", "client_secret_post"]
        for endpoint in ("token", "introspection", "revocation"):
            assert document[f"{endpoint}_endpoint_auth_methods_supported"] == methods


async def test_scopes_and_claims_are_those_that_some_group_may_grant():
    async with world_with_client() as world:
        for scopes in (["openid"], ["openid", "email", "address"], ["email"]):
            await world.server.clients.update_scope_map("step-ca", "users", scopes, actor=SYSTEM)
            document = members(await world.call("GET", METADATA_PATHS[0].format("step-ca")))
            assert set(document["scopes_supported"]) == {"openid", "offline_access", *scopes}
            assert ("email" in document["claims_supported"]) == ("email" in scopes)
            assert "groups" not in document["claims_supported"]


async def test_every_advertised_address_answers():
    async with world_with_client() as world:
        await world.confidential_client()
        await world.server.clients.change("wiki", {"device_grant": True}, actor=SYSTEM)
        document = members(await world.call("GET", METADATA_PATHS[0].format("wiki")))
        found = {name: url for name, url in document.items() if name.endswith(("_endpoint", "_uri"))}
        assert len(found) >= 9
        for name, url in found.items():
            method = "POST" if name in POSTED else "GET"
            answer = await world.call(method, url.removeprefix(ORIGIN))
            assert answer.status in {200, 303, 400, 401}, (name, answer.status)


POSTED = {
    f"{name}_endpoint"
    for name in ("token", "introspection", "revocation", "pushed_authorization_request", "device_authorization", "registration")
}


async def test_userinfo_takes_no_access_token_from_the_query():
    async with world_with_client() as world:
        token = (await world.tokens(await world.sign_in(await world.person("alice", groups=("users",)))))["access_token"]
        for method in ("GET", "POST"):
            answer = await world.call(method, f"/oauth2/openid/step-ca/userinfo?access_token={token}")
            assert (answer.status, dict(answer.headers)["www-authenticate"]) == (401, 'Bearer realm="Sealwright"')


@pytest.mark.parametrize("client", ["nobody", "STEP-CA", "step-ca ", "a" * 300, "x\0"])
async def test_unknown_issuer_is_not_found(client):
    async with world_with_client() as world:
        for path in (*METADATA_PATHS, "/oauth2/openid/{}/public_key.jwk", "/oauth2/openid/{}/userinfo"):
            answer = await world.call("GET", path.format(client))
            assert answer.status == 404
            assert members(answer)["error"] == "not_found"


async def test_key_set_holds_public_keys_only_and_is_the_clients_own():
    async with world_with_client() as world:
        await world.public_client("other")
        answer = await world.call("GET", "/oauth2/openid/step-ca/public_key.jwk")
        assert dict(answer.headers)["cache-control"] == "public, max-age=60"
        (key,) = members(answer)["keys"]
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        (other,) = members(await world.call("GET", "/oauth2/openid/other/public_key.jwk"))["keys"]
        assert key["kid"] != other["kid"]


async def test_legacy_signatures_stand_beside_the_others_and_old_tokens_still_verify():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        before = await world.tokens(cookie)
        await world.server.clients.change("step-ca", {"id_token_signed_response_alg": "RS256"}, actor=SYSTEM)
        world.clock.advance(PUBLISHED_BEFORE_USE)
        document = members(await world.call("GET", METADATA_PATHS[0].format("step-ca")))
        assert document["id_token_signing_alg_values_supported"] == ["RS256"]
        during = await world.tokens(cookie)
        assert UnverifiedToken(during["id_token"]).header["alg"] == "RS256"
        assert UnverifiedToken(during["access_token"]).header["alg"] == "RS256"
        for tokens in (before, during):
            assert (await world.verified(tokens["id_token"], "step-ca")).claims["sub"] == alice.id
            bearer = {"authorization": f"Bearer {tokens['access_token']}"}
            assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 200
        await world.server.clients.change("step-ca", {"id_token_signed_response_alg": "ES256"}, actor=SYSTEM)
        world.clock.advance(PUBLISHED_BEFORE_USE)
        after = await world.tokens(cookie)
        assert UnverifiedToken(after["id_token"]).header["alg"] == "ES256"
        keys = members(await world.call("GET", "/oauth2/openid/step-ca/public_key.jwk"))["keys"]
        assert [key["alg"] for key in keys if key["kid"] == UnverifiedToken(after["id_token"]).header["kid"]] == ["ES256"]
        assert len({key["kid"] for key in keys}) == 2, "the way back needs no third key"


async def test_new_key_is_published_before_it_signs_and_every_node_changes_at_the_same_moment():
    async with world_with_client(access_token=timedelta(hours=1), id_token=timedelta(hours=1)) as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        nodes = (world, world.other_node())
        for node in nodes:  # each has read the keys just before
            await node.tokens(cookie)
        world.clock.advance(timedelta(seconds=1))
        await world.server.clients.change("step-ca", {"id_token_signed_response_alg": "RS256"}, actor=SYSTEM)
        seen = []
        for _ in range(80):
            for node in nodes:
                token = (await node.tokens(cookie))["id_token"]
                document = members(await node.call("GET", METADATA_PATHS[0].format("step-ca")))
                algorithm = UnverifiedToken(token).header["alg"]
                assert document["id_token_signing_alg_values_supported"][0] == algorithm
                for other in nodes:
                    assert (await other.verified(token, "step-ca")).claims["sub"] == alice.id
                seen.append(algorithm)
            world.clock.advance(timedelta(seconds=1))
        changed = seen.index("RS256")
        assert changed % 2 == 0, "both nodes in the same second"
        assert set(seen[:changed]) == {"ES256"}
        assert set(seen[changed:]) == {"RS256"}
        assert document["id_token_signing_alg_values_supported"] == ["RS256"]


async def test_old_key_leaves_the_key_set_when_the_last_token_that_it_signed_is_over():
    async with world_with_client() as world:

        async def count():
            return len(members(await world.call("GET", "/oauth2/openid/step-ca/public_key.jwk"))["keys"])

        await world.server.clients.keys.rotate("step-ca", actor=SYSTEM)
        assert await count() == 2
        world.clock.advance(PUBLISHED_BEFORE_USE + timedelta(minutes=15))
        assert await count() == 2
        world.clock.advance(timedelta(minutes=5))
        assert await count() == 1


# --- userinfo ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_userinfo_tells_what_the_id_token_told_as_it_is_now(method):
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users", "writers"))
        tokens = await world.tokens(await world.sign_in(alice), scope="openid email groups profile")
        bearer = {"authorization": f"bearer {tokens['access_token']}"}
        answer = await world.call(method, "/oauth2/openid/step-ca/userinfo", headers=bearer)
        headers = dict(answer.headers)
        assert (headers["cache-control"], headers["access-control-allow-origin"]) == ("no-store", "*")
        told = members(answer)
        assert told == {
            "sub": alice.id,
            "name": "Alice",
            "preferred_username": "alice@example.org",
            "updated_at": alice.updated_at // 1000,
            "email": "alice@example.org",
            "email_verified": True,
            "groups": ["users", "writers"],
        }
        id_token = (await world.verified(tokens["id_token"], "step-ca")).claims
        assert {name: id_token[name] for name in told} == told
        await world.directory.update_person("alice", mails=["alice@new.example.org"], actor=SYSTEM)
        await world.directory.remove_members("writers", ["alice"], actor=SYSTEM)
        told = members(await world.call(method, "/oauth2/openid/step-ca/userinfo", headers=bearer))
        assert (told["email"], told["groups"]) == ("alice@new.example.org", ["users"])


async def test_userinfo_refuses_every_other_token():
    async with world_with_client() as world:
        await world.public_client("other")
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        tokens = await world.tokens(cookie)
        code = await world.code(cookie, **public_request(client_id="other"))
        others = members(await world.token(**public_redemption(code, client_id="other")))
        header, payload, signature = tokens["access_token"].split(".")
        wrong = [
            others["access_token"],
            tokens["id_token"],
            tokens["refresh_token"],
            f"{header}.{payload}.{'A' * len(signature)}",
            f"{header}.{payload}.",
            "eyJhbGciOiJub25lIn0." + payload + ".",
            "x",
            "x" * 100_000,
        ]
        for token in wrong:
            answer = await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers={"authorization": f"Bearer {token}"})
            assert answer.status == 401
            assert 'Bearer realm="Sealwright", error="invalid_token"' in dict(answer.headers)["www-authenticate"]


FORM = {"content-type": "application/x-www-form-urlencoded"}


async def test_userinfo_takes_the_access_token_from_the_header_of_a_post():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        token = (await world.tokens(await world.sign_in(alice)))["access_token"]
        answer = await world.call("POST", "/oauth2/openid/step-ca/userinfo", headers={"authorization": f"Bearer {token}"})
        assert (answer.status, members(answer)["sub"]) == (200, alice.id)


async def test_userinfo_takes_the_access_token_from_the_form_of_a_post():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        token = (await world.tokens(await world.sign_in(alice)))["access_token"]
        path = "/oauth2/openid/step-ca/userinfo"
        answer = await world.post(path, {"access_token": token})
        assert (answer.status, members(answer)["sub"]) == (200, alice.id)
        twice = await world.post(path, {"access_token": token}, {"authorization": f"Bearer {token}"})
        assert (twice.status, members(twice)["error"]) == (400, "invalid_request")
        assert (await world.post(path, {"access_token": token[:-2]})).status == 401
        got = await world.call("GET", path, body=f"access_token={token}".encode(), headers=FORM)
        assert (got.status, got.body) == (401, b"")


async def test_userinfo_without_a_token_asks_for_one_and_says_no_more():
    async with world_with_client() as world:
        for target, headers in (
            ("/oauth2/openid/step-ca/userinfo", {}),
            ("/oauth2/openid/step-ca/userinfo?access_token=abc", {}),
            ("/oauth2/openid/step-ca/userinfo", {"authorization": "Basic abc"}),
        ):
            answer = await world.call("GET", target, headers=headers)
            assert answer.status == 401
            assert dict(answer.headers)["www-authenticate"] == 'Bearer realm="Sealwright"'


async def test_access_token_expires_after_a_quarter_of_an_hour():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        tokens = await world.tokens(await world.sign_in(alice))
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        world.clock.advance(timedelta(minutes=15))
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 200
        world.clock.advance(timedelta(seconds=5))
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 401


# --- our own certificate authority -------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", [ISSUER, ISSUER + "/", ISSUER + "/.well-known/openid-configuration"])
async def test_own_provider_is_known_without_a_call(endpoint):
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        tokens = await world.tokens(await world.sign_in(alice))
        provider = await world.server.discovery.local_provider(endpoint)
        assert provider.metadata.issuer == ISSUER == UnverifiedToken(tokens["id_token"]).claims()["iss"]
        found = verify(tokens["id_token"], provider.keys, typ=JWT, algorithms=provider.metadata.algorithms)
        assert found.claims["sub"] == alice.id
        document = members(await world.call("GET", METADATA_PATHS[0].format("step-ca")))
        assert provider.metadata.jwks_uri == document["jwks_uri"]
        assert provider.metadata.token_endpoint == document["token_endpoint"]
        assert provider.metadata.authorization_endpoint == document["authorization_endpoint"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://accounts.example.com",
        f"{ORIGIN}/oauth2/openid/nobody",
        f"{ORIGIN}/oauth2/openid/",
        f"{ORIGIN}/oauth2/openid/step-ca/x",
        f"{ORIGIN}.evil.example/oauth2/openid/step-ca",
        "https://evil.example/https://id.example.org/oauth2/openid/step-ca",
    ],
)
async def test_other_providers_are_not_ours(endpoint):
    async with world_with_client() as world:
        assert await world.server.discovery.local_provider(endpoint) is None


async def test_routes_say_who_may_call_them():
    async with world_with_client() as world:
        routes = world.server.routes
        assert len({(route.method, route.path) for route in routes}) == len(routes)
        own = {"/oauth2/authorise/permit", "/oauth2/authorise/reject"}
        assert all(route.access.startswith("public: ") or route.path in own for route in routes)
        token = next(route for route in routes if route.path == "/oauth2/token" and route.method == "POST")
        assert {str(listener) for listener in token.listeners} == {"people", "machines"}
        of_clients = {
            "/oauth2/token",
            "/oauth2/par",
            "/oauth2/device",
            "/oauth2/token/introspect",
            "/oauth2/inspect",
            "/oauth2/token/revoke",
        }
        of_root = {"/reg", "/reg/{client}", "/token", "/token/introspection", "/token/revocation", "/jwks"}
        told = {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}
        userinfo = {"/userinfo", "/oauth2/openid/{client}/userinfo", "/oauth2/issuers/{issuer}/userinfo"}
        assert {route.path for route in routes if len(route.listeners) > 1} == of_clients | of_root | told | userinfo


async def test_metadata_is_the_same_bytes_at_each_call():
    async with world_with_client() as world:
        answers = [await world.call("GET", METADATA_PATHS[0].format("step-ca")) for _ in range(2)]
        assert answers[0].body == answers[1].body
        assert msgspec.json.decode(answers[0].body)
        assert answer_parameters(location(await world.authorize(None, **public_request(scope=""))))["iss"] == ISSUER


@pytest.mark.parametrize("path", ["/oauth2/issuers/team/.well-known/openid-configuration", METADATA_PATHS[0].format("step-ca")])
async def test_metadata_is_silent_about_encryption_which_nothing_here_does(path):
    async with world_with_client() as world:
        await world.server.issuers.create("team", actor=SYSTEM)
        document = members(await world.call("GET", path))
        assert document["request_object_signing_alg_values_supported"]
        assert not [name for name in document if "encrypt" in name]
