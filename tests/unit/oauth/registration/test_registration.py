"""Clients register themselves, and manage what they registered: rows of RFC 7591 and RFC 7592."""

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from sealwright.access import SYSTEM
from sealwright.clock import to_seconds
from sealwright.db import Statement
from sealwright.db.schema import oauth_families
from sealwright.errors import InvalidInput
from sealwright.oauth.clients.store import client_named, update_client
from sealwright.settings import BudgetSettings, Rate
from tests.oauth_world import ORIGIN, basic, members, oauth_world

CERTIFICATE_CLIENT = {
    "redirect_uris": [],
    "response_types": [],
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "tls_client_auth",
    "tls_client_auth_san_dns": "curl",
}
SECRET_CLIENT = {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic"}
WEB_CLIENT = {"redirect_uris": ["https://rp.example.org/callback"], "client_name": "A relying party"}
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
JWKS = {"keys": [KEY]}


@asynccontextmanager
async def open_world(**options):
    async with oauth_world(open_registration=True, **options) as world:
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        yield world


async def send(world, method, path, document=None, token=None):
    body = b"" if document is None else document if isinstance(document, bytes) else msgspec.json.encode(document)
    headers = {} if document is None else {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return await world.call(method, path, body=body, headers=headers)


async def register(world, document, token=None):
    answer = await send(world, "POST", "/reg", document, token)
    assert answer.status == 201, answer.body
    assert dict(answer.headers)["cache-control"] == "no-store"
    return members(answer)


async def manage(world, method, registered, document=None, token=None):
    path = registered["registration_client_uri"].removeprefix(ORIGIN)
    return await send(world, method, path, document, token or registered["registration_access_token"])


def refusal(answer):
    return answer.status, members(answer)["error"]


# --- registration ---


async def test_machine_registers_with_empty_lists_and_a_name_of_its_certificate():
    async with open_world() as world:
        told = await register(world, CERTIFICATE_CLIENT)
        assert {name: told[name] for name in CERTIFICATE_CLIENT} == CERTIFICATE_CLIENT
        assert told["post_logout_redirect_uris"] == []
        assert told["client_id_issued_at"] == to_seconds(world.clock.now())
        assert isinstance(told["client_id_issued_at"], int)
        assert told["registration_client_uri"] == f"{ORIGIN}/reg/{told['client_id']}"
        assert len(told["registration_access_token"]) > 40
        found = await world.server.clients.get(told["client_id"], actor=SYSTEM)
        assert (found.issuer, found.issuer_url) == ("main", ORIGIN)


async def test_client_that_needs_its_certificate_is_told_to_use_the_addresses_that_ask_for_it():
    bound = {**SECRET_CLIENT, "tls_client_certificate_bound_access_tokens": True}
    async with open_world() as world:
        for document, told in ((CERTIFICATE_CLIENT, True), (bound, True), (SECRET_CLIENT, None)):
            assert (await register(world, document)).get("use_mtls_endpoint_aliases") is told


async def test_client_that_needs_no_secret_is_given_none():
    async with open_world() as world:
        for document in (CERTIFICATE_CLIENT, {**WEB_CLIENT, "token_endpoint_auth_method": "none"}):
            told = await register(world, document)
            assert not {"client_secret", "client_secret_expires_at"} & set(told)


async def test_client_with_a_secret_gets_one_that_works_and_does_not_expire():
    async with open_world() as world:
        told = await register(world, SECRET_CLIENT)
        assert told["client_secret_expires_at"] == 0
        answer = await world.post("/token", {"grant_type": "client_credentials"}, basic(told["client_id"], told["client_secret"]))
        assert answer.status == 200
        assert set(members(answer)) == {"access_token", "token_type", "expires_in"}, "registration grants no scopes"


async def test_grant_type_that_is_not_registered_is_not_for_the_client():
    async with open_world() as world:
        told = await register(world, SECRET_CLIENT)
        proof = basic(told["client_id"], told["client_secret"])
        for grant in ("authorization_code", "refresh_token"):
            answer = await world.post("/token", {"grant_type": grant, "code": "x", "refresh_token": "x"}, proof)
            assert refusal(answer) == (400, "unauthorized_client")
        answer = await world.post("/token", {"grant_type": "password"}, proof)
        assert refusal(answer) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_types": ["authorization_code"], "redirect_uris": []}, "invalid_redirect_uri"),
        ({"grant_types": ["authorization_code"], "redirect_uris": ["https://rp.example.org/#part"]}, "invalid_redirect_uri"),
        ({"grant_types": ["authorization_code"], "redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://rp.example.org"}, "invalid_redirect_uri"),
        ({"grant_types": "client_credentials"}, "invalid_client_metadata"),
        ({"grant_types": []}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"response_types": ["code"]}, "invalid_client_metadata"),
        ({"response_types": ["token"], **WEB_CLIENT, "grant_types": ["authorization_code"]}, "invalid_client_metadata"),
        ({"subject_type": "pairwise"}, "invalid_client_metadata"),
        ({"subject_type": "pub"}, "invalid_client_metadata"),
        ({"subject_type": 1}, "invalid_client_metadata"),
        ({"subject_type": {}}, "invalid_client_metadata"),
        ({"application_type": ["web"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "magic"}, "invalid_client_metadata"),
        ({"tls_client_auth_san_dns": None}, "invalid_client_metadata"),
        ({"tls_client_auth_san_uri": "spiffe://example.org/curl"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "self_signed_tls_client_auth"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS, "jwks_uri": "https://rp.example.org/jwks"},
            "invalid_client_metadata",
        ),
        ({"client_name": ["x"]}, "invalid_client_metadata"),
        ({"client_name": "x" * 300}, "invalid_client_metadata"),
        ({"tls_client_certificate_bound_access_tokens": "yes"}, "invalid_client_metadata"),
    ],
)
async def test_metadata_that_cannot_be_are_refused_by_the_error_of_the_standard(change, error):
    async with open_world() as world:
        answer = await send(world, "POST", "/reg", {**CERTIFICATE_CLIENT, **change})
        assert refusal(answer) == (400, error)
        assert len(members(answer)["error_description"]) > 20
        assert await world.server.clients.list(actor=SYSTEM) == []


async def test_name_that_is_no_mail_address_is_refused_with_the_member_that_was_meant():
    async with open_world() as world:
        document = {**CERTIFICATE_CLIENT, "tls_client_auth_san_email": "curl"}
        del document["tls_client_auth_san_dns"]
        answer = await send(world, "POST", "/reg", document)
        assert refusal(answer) == (400, "invalid_client_metadata")
        assert "tls_client_auth_san_dns" in members(answer)["error_description"]
        (event,) = await world.events("client.registered")
        assert event[1] == "refused"
        assert "mail address" in event[2]["reason"]


@pytest.mark.parametrize(
    ("member", "value", "kept"),
    [
        ("tls_client_auth_subject_dn", "CN=curl,O=Example", "CN=curl,O=Example"),
        ("tls_client_auth_san_dns", "curl.example.org", "curl.example.org"),
        ("tls_client_auth_san_uri", "spiffe://example.org/curl", "spiffe://example.org/curl"),
        ("tls_client_auth_san_ip", "0:0:0:0:0:0:0:1", "::1"),
        ("tls_client_auth_san_email", "curl@example.org", "curl@example.org"),
    ],
)
async def test_each_kind_of_certificate_name_is_registered_and_told(member, value, kept):
    async with open_world() as world:
        document = {name: each for name, each in CERTIFICATE_CLIENT.items() if not name.startswith("tls_")}
        told = await register(world, {**document, member: value})
        assert told[member] == kept
        assert len([name for name in told if name.startswith("tls_client_auth_")]) == 1


async def test_certificate_name_means_nothing_to_another_method_and_is_dropped():
    async with open_world() as world:
        told = await register(world, {**SECRET_CLIENT, "tls_client_auth_san_dns": "curl"})
        assert "tls_client_auth_san_dns" not in told


async def test_bound_tokens_are_asked_for_at_registration():
    async with open_world() as world:
        assert (await register(world, CERTIFICATE_CLIENT))["tls_client_certificate_bound_access_tokens"] is False
        told = await register(world, {**CERTIFICATE_CLIENT, "tls_client_certificate_bound_access_tokens": True})
        assert told["tls_client_certificate_bound_access_tokens"] is True


async def test_defaults_are_those_of_the_standards_and_what_is_not_understood_is_ignored():
    async with open_world() as world:
        unknown = {
            "logo_uri": "https://rp.example.org/logo",
            "software_id": "x",
            "magic": 1,
            "userinfo_signed_response_alg": "RS256",
        }
        told = await register(world, {**WEB_CLIENT, **unknown})
        assert told["grant_types"] == ["authorization_code"]
        assert told["response_types"] == ["code"]
        assert told["token_endpoint_auth_method"] == "client_secret_basic"
        assert told["id_token_signed_response_alg"] == "RS256"
        assert told["client_name"] == "A relying party"
        assert not {*unknown, "require_pkce", "profile"} & set(told)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"a":1,"a":2}', b"\xff", b"[" * 5000])
async def test_body_that_is_no_json_object_is_refused(body):
    async with open_world() as world:
        answer = await world.call("POST", "/reg", body=body, headers={"content-type": "application/json"})
        assert refusal(answer) == (400, "invalid_client_metadata")
        answer = await world.call("POST", "/reg", body=body, headers={"content-type": "text/plain"})
        assert refusal(answer) == (400, "invalid_client_metadata")


# --- who may register ---


async def test_registration_is_closed_until_it_is_opened():
    async with oauth_world() as world:
        assert (await send(world, "POST", "/reg", CERTIFICATE_CLIENT)).status == 404, "there is no root issuer"
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        answer = await send(world, "POST", "/reg", CERTIFICATE_CLIENT)
        assert refusal(answer) == (401, "invalid_token")
        assert "registration_endpoint" not in members(await world.call("GET", "/.well-known/openid-configuration"))
        await world.server.registration_tokens.create(uses=1, lasts=timedelta(hours=1), actor=SYSTEM)
        document = members(await world.call("GET", "/.well-known/openid-configuration"))
        assert document["registration_endpoint"] == f"{ORIGIN}/reg"
        assert refusal(await send(world, "POST", "/reg", CERTIFICATE_CLIENT)) == (401, "invalid_token")


async def test_registration_token_lets_in_so_many_clients_in_its_time_and_no_more():
    async with oauth_world() as world:
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        tokens = world.server.registration_tokens
        made = await tokens.create(uses=2, lasts=timedelta(hours=1), actor=SYSTEM)
        bad = {**CERTIFICATE_CLIENT, "grant_types": ["magic"]}
        assert refusal(await send(world, "POST", "/reg", bad, made.token)) == (400, "invalid_client_metadata")
        for left in (1, 0):
            await register(world, CERTIFICATE_CLIENT, made.token)
            assert [each.uses_left for each in await tokens.list(actor=SYSTEM)] == ([left] if left else [])
        assert refusal(await send(world, "POST", "/reg", CERTIFICATE_CLIENT, made.token)) == (401, "invalid_token")
        made = await tokens.create(uses=2, lasts=timedelta(hours=1), actor=SYSTEM)
        world.clock.advance(timedelta(hours=1))
        for token in (made.token, "nonsense"):
            assert refusal(await send(world, "POST", "/reg", CERTIFICATE_CLIENT, token)) == (401, "invalid_token")
        deleted = await tokens.create(uses=2, lasts=timedelta(hours=1), actor=SYSTEM)
        await tokens.delete(deleted.record.id, actor=SYSTEM)
        assert refusal(await send(world, "POST", "/reg", CERTIFICATE_CLIENT, deleted.token)) == (401, "invalid_token")
        written = str(await world.audit.newest(world.db, at_most=200))
        assert not any(each in written for each in (made.token, deleted.token))


async def test_client_gets_the_scopes_of_the_token_that_let_it_in():
    async with oauth_world() as world:
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        made = await world.server.registration_tokens.create(
            uses=1, lasts=timedelta(hours=1), scopes=("stock.read",), group="users", actor=SYSTEM
        )
        told = await register(world, {**SECRET_CLIENT, "scope": "stock.read stock.write"}, made.token)
        assert told["scope"] == "stock.read"
        proof = basic(told["client_id"], told["client_secret"])
        answer = await world.post("/token", {"grant_type": "client_credentials"}, proof)
        assert members(answer)["scope"] == "stock.read"
        answer = await world.post("/token", {"grant_type": "client_credentials", "scope": "stock.write"}, proof)
        assert refusal(answer) == (400, "invalid_scope")


@pytest.mark.parametrize(
    "wrong",
    [
        {"uses": 0},
        {"uses": 10**9},
        {"lasts": timedelta(0)},
        {"lasts": timedelta(days=400)},
        {"scopes": ("x",)},
        {"group": "users"},
    ],
)
async def test_registration_token_that_makes_no_sense_is_refused(wrong):
    async with oauth_world() as world:
        with pytest.raises(InvalidInput):
            await world.server.registration_tokens.create(**{"uses": 1, "lasts": timedelta(hours=1), "actor": SYSTEM} | wrong)


async def test_flood_of_registrations_is_refused_and_fills_nothing():
    budgets = BudgetSettings(registrations=Rate(5, timedelta(minutes=1)), registrations_per_address=Rate(3, timedelta(minutes=1)))
    async with open_world(budgets=budgets) as world:
        answers = [await send(world, "POST", "/reg", CERTIFICATE_CLIENT) for _ in range(6)]
        assert [answer.status for answer in answers] == [201, 201, 201, 429, 429, 429]
        assert int(dict(answers[-1].headers)["retry-after"]) > 0
        assert "clients registered themselves from this address" in members(answers[-1])["error_description"]
        assert len(await world.server.clients.list(actor=SYSTEM)) == 3


# --- management ---


async def test_client_reads_what_it_registered():
    async with open_world() as world:
        told = await register(world, SECRET_CLIENT)
        answer = await manage(world, "GET", told)
        assert (answer.status, members(answer)) == (200, told)
        assert dict(answer.headers)["cache-control"] == "no-store"


async def test_registration_is_managed_with_the_registration_access_token_alone():
    async with open_world() as world:
        told = await register(world, SECRET_CLIENT)
        for method, document in (("GET", None), ("PUT", {**SECRET_CLIENT, "client_id": told["client_id"]}), ("DELETE", None)):
            path = f"/reg/{told['client_id']}"
            for token in (None, "nonsense", told["client_secret"]):
                answer = await send(world, method, path, document, token)
                assert refusal(answer) == (401, "invalid_token")
                assert "Bearer" in dict(answer.headers)["www-authenticate"]
        assert (await manage(world, "GET", told)).status == 200
        refusals = [details["reason"] for _, outcome, details in await world.events("client.updated") if outcome == "refused"]
        assert sorted(refusals) == [
            "another token than its registration access token was sent to manage it",
            "no registration access token was sent to manage it",
        ]


async def test_update_replaces_everything_and_brings_defaults_back():
    async with open_world() as world:
        told = await register(world, {**WEB_CLIENT, "post_logout_redirect_uris": ["https://rp.example.org/bye"]})
        assert told["post_logout_redirect_uris"] == ["https://rp.example.org/bye"]
        new = {
            "client_id": told["client_id"],
            "client_secret": told["client_secret"],
            "redirect_uris": ["https://rp.example.org/other"],
            "post_logout_redirect_uris": None,
            "client_name": "",
            "id_token_signed_response_alg": "ES256",
        }
        answer = await manage(world, "PUT", told, new)
        changed = members(answer)
        assert answer.status == 200
        assert changed["redirect_uris"] == ["https://rp.example.org/other"]
        assert changed["post_logout_redirect_uris"] == []
        assert changed["client_name"] == told["client_id"]
        assert changed["id_token_signed_response_alg"] == "ES256"
        assert changed["client_secret"] == told["client_secret"]
        assert changed["client_id_issued_at"] == told["client_id_issued_at"]


async def test_registration_access_token_changes_with_each_update():
    async with open_world() as world:
        told = await register(world, SECRET_CLIENT)
        changed = members(await manage(world, "PUT", told, {**SECRET_CLIENT, "client_id": told["client_id"]}))
        assert changed["registration_access_token"] != told["registration_access_token"]
        assert refusal(await manage(world, "GET", told)) == (401, "invalid_token")
        assert (await manage(world, "GET", changed)).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"registration_access_token": "x"},
        {"registration_client_uri": "https://id.example.org/reg/x"},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 1},
        {"client_id": "another"},
        {"client_id": None},
        {"client_secret": "wrong"},
    ],
)
async def test_update_that_says_what_only_the_server_says_is_refused(change):
    async with open_world() as world:
        told = await register(world, SECRET_CLIENT)
        answer = await manage(world, "PUT", told, {**SECRET_CLIENT, "client_id": told["client_id"], **change})
        assert refusal(answer) == (400, "invalid_request")
        assert (await manage(world, "GET", told)).status == 200


async def test_refused_update_changes_nothing():
    async with open_world() as world:
        told = await register(world, CERTIFICATE_CLIENT)
        for change in ({"tls_client_auth_san_dns": "a b"}, {"token_endpoint_auth_method": "none"}):
            answer = await manage(world, "PUT", told, {**CERTIFICATE_CLIENT, "client_id": told["client_id"], **change})
            assert refusal(answer) == (400, "invalid_client_metadata")
        assert members(await manage(world, "GET", told)) == told


async def test_token_of_one_client_on_another_is_refused_and_destroyed():
    async with open_world() as world:
        first, second = await register(world, SECRET_CLIENT), await register(world, SECRET_CLIENT)
        stolen = first["registration_access_token"]
        assert refusal(await manage(world, "GET", second, token=stolen)) == (401, "invalid_token")
        assert refusal(await manage(world, "GET", first)) == (401, "invalid_token")
        assert (await manage(world, "GET", second)).status == 200
        reasons = [details["reason"] for _, outcome, details in await world.events("client.updated") if outcome == "refused"]
        assert [reason.partition(" was ")[0] for reason in sorted(reasons)] == [
            "another token than its registration access token",  # the first client, with what was its token
            "the registration access token",
        ]


async def test_deleted_client_is_gone_with_all_that_it_was_given():
    async with open_world() as world:
        told, other = await register(world, SECRET_CLIENT), await register(world, SECRET_CLIENT)
        proof = basic(told["client_id"], told["client_secret"])
        token = members(await world.post("/token", {"grant_type": "client_credentials"}, proof))["access_token"]
        asked = {"token": token}
        assert members(await world.post("/token/introspection", asked, proof))["active"] is True
        assert len(await world.db.all(Statement(select(oauth_families.c.id)))) == 1
        answer = await manage(world, "DELETE", told)
        assert (answer.status, answer.body) == (204, b"")
        assert refusal(await manage(world, "GET", told)) == (401, "invalid_token")
        assert refusal(await world.post("/token", {"grant_type": "client_credentials"}, proof)) == (401, "invalid_client")
        other_proof = basic(other["client_id"], other["client_secret"])
        assert members(await world.post("/token/introspection", asked, other_proof)) == {"active": False}
        assert await world.db.all(Statement(select(oauth_families.c.id))) == []


async def test_client_that_an_administrator_created_does_not_manage_itself():
    async with open_world() as world:
        await world.confidential_client()
        answer = await send(world, "GET", "/reg/wiki", None, "any-token")
        assert refusal(answer) == (403, "access_denied")


async def test_administrator_sees_and_deletes_clients_that_registered_themselves():
    async with open_world() as world:
        told = await register(world, {**CERTIFICATE_CLIENT, "client_name": "curl"})
        clients = world.server.clients
        assert (await clients.get(told["client_id"], actor=SYSTEM)).display_name == "curl"
        await clients.delete(told["client_id"], actor=SYSTEM)
        assert refusal(await manage(world, "GET", told)) == (401, "invalid_token")


async def test_registration_leaves_rows_that_say_what_came_of_it_and_no_secret():
    async with open_world() as world:
        told = await register(world, SECRET_CLIENT)
        await manage(world, "PUT", told, {**SECRET_CLIENT, "client_id": told["client_id"]})
        events = await world.events("client.registered", "client.updated")
        assert [(event, outcome) for event, outcome, _ in events] == [("client.registered", "done"), ("client.updated", "done")]
        assert events[0][2]["authentication"] == "client_secret_basic"
        written = str(await world.audit.newest(world.db, at_most=200))
        assert told["client_secret"] not in written
        assert told["registration_access_token"] not in written


async def test_host_header_of_another_server_is_not_repeated_in_an_address():
    async with open_world() as world:
        machines = world.dependencies.machines_origin
        for host, origin in (
            ("evil.example", ORIGIN),
            (f"evil.{machines.removeprefix('https://')}", ORIGIN),
            (machines.removeprefix("https://"), machines),
        ):
            content_type = {"content-type": "application/json"}
            body = msgspec.json.encode(SECRET_CLIENT)
            answer = await world.call("POST", "/reg", body=body, headers=content_type, host=host)
            assert re.fullmatch(rf"{re.escape(origin)}/reg/[0-9a-f-]+", members(answer)["registration_client_uri"])
            assert b"evil" not in answer.body


async def test_client_that_updates_itself_does_not_undo_what_an_administrator_set():
    async with open_world() as world:
        told = await register(world, WEB_CLIENT)
        clients = world.server.clients
        assert not (await clients.get(told["client_id"], actor=SYSTEM)).require_pkce
        await clients.change(told["client_id"], {"require_pkce": True, "lean_id_token": True}, actor=SYSTEM)
        answer = await manage(world, "PUT", told, {**WEB_CLIENT, "client_id": told["client_id"], "require_pkce": False})
        assert members(answer)["id_token_signed_response_alg"] == "RS256"
        found = await clients.get(told["client_id"], actor=SYSTEM)
        assert (found.require_pkce, found.lean_id_token) == (True, True)


async def test_client_that_updates_itself_meanwhile_does_not_undo_what_an_administrator_sets():
    async with open_world() as world:
        told = await register(world, WEB_CLIENT)
        client = await client_named(world.db, told["client_id"])
        assert client is not None

        async def change(tx):
            await update_client(tx, replace(client, require_pkce=True), world.clock.now())

        update = manage(world, "PUT", told, {**WEB_CLIENT, "client_id": told["client_id"]})
        _, answer = await asyncio.gather(world.db.write(change), update)  # both have read before either writes
        assert answer.status == 200
        assert (await world.server.clients.get(told["client_id"], actor=SYSTEM)).require_pkce


async def test_registrations_that_are_refused_count_against_the_network():
    budgets = BudgetSettings(token_failures_per_address=Rate(2, timedelta(minutes=1)))
    async with open_world(budgets=budgets) as world:
        answers = [await send(world, "POST", "/reg", {"grant_types": ["magic"]}) for _ in range(3)]
        assert [answer.status for answer in answers] == [400, 400, 429]
