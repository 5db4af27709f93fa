"""Access tokens that are bound to a client certificate (RFC 8705, sections 3 and 4)."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from tests.machines_world import client_key, key_set, machines_world, refused, thumbprint_of
from tests.oauth_world import LOOPBACK, basic, members, public_redemption, public_request

BOUND = {"tls_client_certificate_bound_access_tokens": True}
TLS = {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "billing"}


async def introspected(machines, certificate, token):
    answer = await machines.post("/oauth2/token/introspect", {"token": token, "client_id": "billing"}, certificate=certificate)
    assert answer.status == 200, answer.body
    return members(answer)


async def test_token_and_introspection_name_the_certificate_that_it_is_bound_to():
    async with machines_world() as machines:
        await machines.client(**TLS, **BOUND)
        made = await machines.certificate("billing")
        response = members(await machines.own_token(made))
        assert response["token_type"] == "Bearer"
        bound = {"x5t#S256": thumbprint_of(made)}
        assert len(bound["x5t#S256"]) == 43
        assert (await machines.verified(response["access_token"], "billing")).claims["cnf"] == bound
        told = await introspected(machines, made, response["access_token"])
        assert (told["active"], told["cnf"], told["token_type"]) == (True, bound, "Bearer")
        assert "certificate_serial" not in told


async def test_token_of_a_client_that_did_not_ask_for_it_is_not_bound():
    async with machines_world() as machines:
        await machines.client(**TLS)
        made = await machines.certificate("billing")
        token = members(await machines.own_token(made))["access_token"]
        assert "cnf" not in (await machines.verified(token, "billing")).claims
        assert "cnf" not in await introspected(machines, made, token)


async def test_client_whose_tokens_are_bound_gets_none_without_a_certificate():
    async with machines_world() as machines:
        secret = await machines.client(**BOUND)
        answer = await machines.own_token(None, basic("billing", secret))
        assert refused(answer) == (400, "invalid_request")
        assert "none was shown" in (await machines.reasons())[-1]


@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
async def test_binding_works_with_every_way_to_authenticate(method):
    async with machines_world() as machines:
        key = client_key()
        secret = await machines.client(token_endpoint_auth_method=method, jwks=key_set(key), **BOUND)
        made = await machines.certificate("anything")
        proof = machines.assertion(key) if method == "private_key_jwt" else {}
        answer = await machines.own_token(made, basic("billing", secret) if secret else None, **proof)
        assert answer.status == 200, answer.body
        token = members(answer)["access_token"]
        assert (await machines.verified(token, "billing")).claims["cnf"]["x5t#S256"] == thumbprint_of(made)


async def test_no_token_is_bound_to_a_certificate_that_was_revoked():
    async with machines_world() as machines:
        secret = await machines.client(**BOUND)
        made = await machines.certificate("anything")
        await machines.revoke(made)
        assert refused(await machines.own_token(made, basic("billing", secret))) == (400, "invalid_request")
        assert "was revoked" in (await machines.reasons())[-1]


async def test_renewal_and_revocation_end_the_tokens_of_the_old_certificate():
    async with machines_world() as machines:
        await machines.client(**TLS, **BOUND)
        first, second = await machines.certificate("billing"), await machines.certificate("billing")
        old = members(await machines.own_token(first))["access_token"]
        new = members(await machines.own_token(second))["access_token"]
        assert (await introspected(machines, second, old))["cnf"]["x5t#S256"] != thumbprint_of(second)
        await machines.revoke(first)
        assert await introspected(machines, second, old) == {"active": False}
        assert (await introspected(machines, second, new))["active"] is True
        assert await introspected(machines.other_machines(), second, old) == {"active": False}


async def test_token_ends_with_the_certificate_that_it_is_bound_to():
    async with machines_world(client_credentials=timedelta(hours=1)) as machines:
        await machines.client(**TLS, **BOUND)
        first = await machines.certificate("billing")
        machines.clock.advance(timedelta(hours=23, minutes=59))
        token, second = members(await machines.own_token(first))["access_token"], await machines.certificate("billing")
        assert (await introspected(machines, second, token))["active"] is True
        machines.clock.advance(timedelta(minutes=2))
        assert await introspected(machines, second, token) == {"active": False}


# --- people's tokens --------------------------------------------------------------------------------------------------


async def alices_tokens(machines, certificate):
    alice = await machines.person("alice", groups=("users",))
    await machines.public_client()
    await machines.server.clients.change("step-ca", BOUND, actor=SYSTEM)
    code = await machines.code(await machines.sign_in(alice), **public_request())
    return await machines.token(certificate=certificate, **public_redemption(code, redirect_uri=LOOPBACK))


async def userinfo(machines, token, certificate):
    bearer = {"authorization": f"Bearer {token}"}
    return await machines.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer, certificate=certificate)


async def test_userinfo_answers_only_who_shows_the_certificate():
    async with machines_world() as machines:
        mine, other = await machines.certificate("mine"), await machines.certificate("other")
        token = members(await alices_tokens(machines, mine))["access_token"]
        assert (await userinfo(machines, token, mine)).status == 200
        for shown in (other, None):
            answer = await userinfo(machines, token, shown)
            assert refused(answer) == (401, "invalid_token")
            assert 'error="invalid_token"' in dict(answer.headers)["www-authenticate"]


async def test_refresh_token_of_a_public_client_is_bound_to_the_certificate():
    async with machines_world() as machines:
        mine, other = await machines.certificate("mine"), await machines.certificate("other")
        refresh = members(await alices_tokens(machines, mine))["refresh_token"]
        form = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": refresh}
        assert refused(await machines.token(certificate=other, **form)) == (400, "invalid_grant")
        assert "bound to another key or certificate" in (await machines.reasons())[-1]
        assert refused(await machines.token(**form))[0] == 400
        answer = await machines.token(certificate=mine, **form)
        assert answer.status == 200
        following = members(answer)
        assert (await machines.verified(following["access_token"], "step-ca")).claims["cnf"]["x5t#S256"] == thumbprint_of(mine)
        again = form | {"refresh_token": following["refresh_token"]}
        assert refused(await machines.token(certificate=other, **again)) == (400, "invalid_grant")


async def test_public_client_whose_tokens_are_bound_redeems_no_code_without_a_certificate():
    async with machines_world() as machines:
        assert refused(await alices_tokens(machines, None)) == (400, "invalid_request")


# --- metadata ---------------------------------------------------------------------------------------------------------


async def test_metadata_lists_addresses_that_ask_for_a_certificate_beside_those_that_do_not():
    async with machines_world() as machines:
        await machines.client(**TLS)
        told = members(await machines.call("GET", "/oauth2/openid/billing/.well-known/openid-configuration"))
        assert told["token_endpoint_auth_methods_supported"] == ["tls_client_auth"]
        assert told["tls_client_certificate_bound_access_tokens"] is True
        aliases = told["mtls_endpoint_aliases"]
        assert aliases.keys() >= {
            *("token_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"),
            "pushed_authorization_request_endpoint",
        }
        assert "authorization_endpoint" not in aliases
        assert all(name.endswith("_endpoint") for name in aliases)
        for asked in ("introspection", "revocation"):
            assert told[f"{asked}_endpoint_auth_methods_supported"] == ["tls_client_auth"]
        made = await machines.certificate("billing")
        for name, url in aliases.items():
            assert url == told[name].replace("https://id.example.org/", "https://id.example.org:9443/")
            answer = await machines.post(
                url.removeprefix("https://id.example.org:9443"), {"client_id": "billing"}, certificate=made
            )
            assert answer.status in (400, 401), (name, answer.status)


@pytest.mark.parametrize(("method", "algorithm"), [("private_key_jwt", "ES256"), ("client_secret_jwt", "HS256")])
async def test_metadata_tells_what_assertions_may_be_signed_with(method, algorithm):
    async with machines_world() as machines:
        await machines.client(token_endpoint_auth_method=method, jwks=key_set(client_key()))
        told = members(await machines.call("GET", "/oauth2/openid/billing/.well-known/openid-configuration"))
        assert told["token_endpoint_auth_methods_supported"] == [method]
        for endpoint in ("token", "introspection", "revocation"):
            algorithms = told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
            assert algorithm in algorithms
            assert "none" not in algorithms
