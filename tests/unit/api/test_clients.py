from contextlib import asynccontextmanager

import pytest

from sealwright.access import SYSTEM
from tests.unit.api.world import PEOPLE, server_world

CLIENT = {"kind": "confidential", "name": "wiki", "display_name": "Wiki", "landing_url": "https://wiki.example.org"}
PUBLIC = {"kind": "public", "name": "step-ca", "display_name": "Step-CA", "landing_url": "https://ca.example.org"}


@asynccontextmanager
async def world_with_clients():
    async with server_world() as world:
        token = await world.token("olga", "idm_oauth2_admins")
        for client in (CLIENT, PUBLIC):
            status, _ = await world.call("POST", "/oauth2/clients", client, token=token)
            assert status == 201
        yield world, token


async def test_client_is_shown_whole_and_without_its_secret():
    async with world_with_clients() as (world, token):
        status, found = await world.call("GET", "/oauth2/clients/step-ca", token=token)
        assert status == 200
        assert found["issuer_url"] == f"{PEOPLE}/oauth2/openid/step-ca"
        assert found["discovery_url"] == f"{found['issuer_url']}/.well-known/openid-configuration"
        assert (found["kind"], found["require_pkce"], found["id_token_signed_response_alg"]) == ("public", True, "ES256")
        assert "secret" not in found
        _, page = await world.call("GET", "/oauth2/clients", token=token)
        assert [each["name"] for each in page["items"]] == ["step-ca", "wiki"]


@pytest.mark.parametrize(
    ("name", "member", "value"),
    [
        ("wiki", "display_name", "The wiki"),
        ("wiki", "landing_url", "https://wiki.example.org/home"),
        ("step-ca", "localhost_redirects", True),
        ("step-ca", "localhost_redirects", False),
        ("wiki", "require_pkce", False),
        ("wiki", "require_pkce", True),
        ("wiki", "consent_prompt", False),
        ("wiki", "consent_prompt", True),
        ("wiki", "http_redirects", True),
        ("wiki", "http_redirects", False),
        ("wiki", "partial_scopes", True),
        ("wiki", "partial_scopes", False),
        ("wiki", "refresh_grace_seconds", 0),
        ("wiki", "refresh_grace_seconds", 60),
        ("wiki", "short_username", True),
        ("wiki", "short_username", False),
        ("wiki", "id_token_signed_response_alg", "RS256"),
        ("wiki", "id_token_signed_response_alg", "ES256"),
        ("wiki", "refresh_seconds", 3600),
    ],
)
async def test_each_thing_can_be_changed(name, member, value):
    async with world_with_clients() as (world, token):
        status, changed = await world.call("PATCH", f"/oauth2/clients/{name}", {member: value}, token=token)
        assert status == 200
        assert changed[member] == value


async def test_lifetime_of_refresh_tokens_goes_back_to_what_the_settings_say():
    async with world_with_clients() as (world, token):
        await world.call("PATCH", "/oauth2/clients/wiki", {"refresh_seconds": 3600}, token=token)
        _, changed = await world.call("PATCH", "/oauth2/clients/wiki", {"refresh_seconds": None}, token=token)
        assert changed["refresh_seconds"] == 16 * 3600


async def test_several_things_are_changed_at_once_and_nothing_is_no_change():
    async with world_with_clients() as (world, token):
        status, problem = await world.call("PATCH", "/oauth2/clients/wiki", {}, token=token)
        assert (status, problem["detail"]) == (400, "Nothing is given to change.")
        change = {"require_pkce": False, "short_username": True}
        status, changed = await world.call("PATCH", "/oauth2/clients/wiki", change, token=token)
        assert (status, change.items() <= changed.items()) == (200, True)


@pytest.mark.parametrize("change", [{"kind": "public"}, {"name": "other"}, {"colour": "red"}, {"display_name": None}])
async def test_what_cannot_be_changed_is_refused_by_name(change):
    async with world_with_clients() as (world, token):
        status, problem = await world.call("PATCH", "/oauth2/clients/wiki", change, token=token)
        assert status == 400
        assert next(iter(change)) in problem["detail"]


async def test_client_is_created_with_what_is_to_be_set_on_it():
    async with world_with_clients() as (world, token):
        wanted = PUBLIC | {"name": "shop", "redirect_uris": ["https://shop.example.org/cb"], "short_username": True}
        status, made = await world.call("POST", "/oauth2/clients", wanted, token=token)
        assert (status, wanted.items() <= made.items()) == (201, True)
        status, problem = await world.call("POST", "/oauth2/clients", wanted | {"name": "b", "require_pkce": False}, token=token)
        assert status in (400, 422)
        assert "PKCE" in problem["detail"]


async def test_list_of_clients_comes_in_pages():
    async with world_with_clients() as (world, token):
        _, page = await world.call("GET", "/oauth2/clients", token=token, query="limit=1")
        assert ([each["name"] for each in page["items"]], page["next"]) == (["step-ca"], "step-ca")
        _, page = await world.call("GET", "/oauth2/clients", token=token, query="limit=1&after=step-ca")
        assert ([each["name"] for each in page["items"]], page["next"]) == (["wiki"], None)


async def test_public_client_keeps_pkce_and_has_no_secret():
    async with world_with_clients() as (world, token):
        status, problem = await world.call("PATCH", "/oauth2/clients/step-ca", {"require_pkce": False}, token=token)
        assert status in (400, 422)
        assert "PKCE" in problem["detail"]
        status, problem = await world.call("GET", "/oauth2/clients/step-ca/secret", token=token)
        assert (status, problem["code"]) == (404, "no_secret")


async def test_redirect_urls_come_and_go():
    async with world_with_clients() as (world, token):
        url = "http://localhost:10000"
        status, changed = await world.call("POST", "/oauth2/clients/step-ca/redirect-uris", {"value": url}, token=token)
        assert (status, changed["redirect_uris"]) == (200, [url])
        query = "value=http%3A%2F%2Flocalhost%3A10000"
        status, changed = await world.call("DELETE", "/oauth2/clients/step-ca/redirect-uris", token=token, query=query)
        assert (status, changed["redirect_uris"]) == (200, [])
        status, _ = await world.call("DELETE", "/oauth2/clients/step-ca/redirect-uris", token=token)
        assert status == 400


async def test_scope_maps_come_and_go():
    async with world_with_clients() as (world, token):
        place = "/oauth2/clients/step-ca/scope-maps/auditors"
        status, changed = await world.call("PUT", place, {"scopes": ["openid", "email"]}, token=token)
        assert status == 200
        ((group, scopes),) = [(each["group"], set(each["scopes"])) for each in changed["scope_maps"]]
        assert (group, scopes) == ("auditors", {"openid", "email"})
        status, changed = await world.call("DELETE", place, token=token)
        assert (status, changed["scope_maps"]) == (200, [])


async def test_secret_is_told_and_replaced():
    async with world_with_clients() as (world, token):
        _, first = await world.call("GET", "/oauth2/clients/wiki/secret", token=token)
        _, second = await world.call("POST", "/oauth2/clients/wiki/secret", token=token)
        _, third = await world.call("GET", "/oauth2/clients/wiki/secret", token=token)
        assert first["secret"] != second["secret"] == third["secret"]


async def test_deleted_client_is_gone():
    async with world_with_clients() as (world, token):
        assert await world.call("DELETE", "/oauth2/clients/wiki", token=token) == (204, None)
        status, problem = await world.call("GET", "/oauth2/clients/wiki", token=token)
        assert status == 404
        assert "'wiki'" in problem["detail"]


async def test_maps_of_a_client_are_set_shown_and_taken_away():
    async with world_with_clients() as (world, token):
        await world.directory.create_group("staff", actor=SYSTEM)
        one = "/oauth2/clients/wiki"
        steps = (
            ("PUT", f"{one}/implicit-scopes", {"scopes": ["openid"]}),
            ("PUT", f"{one}/supplementary-scope-maps/staff", {"scopes": ["edit"]}),
            ("PUT", f"{one}/claim-maps/roles/groups/staff", {"values": ["editor"]}),
            ("PUT", f"{one}/claim-maps/roles/join", {"join": "csv"}),
        )
        for method, path, sent in steps:
            status, found = await world.call(method, path, sent, token=token)
            assert status == 200, found
        assert found["scope_maps"] == [{"group": "idm_all_accounts", "scopes": ["openid"]}]
        assert found["supplementary_scope_maps"] == [{"group": "staff", "scopes": ["edit"]}]
        assert found["claim_maps"] == [{"claim": "roles", "join": "csv", "groups": [{"group": "staff", "values": ["editor"]}]}]
        _, page = await world.call("GET", "/oauth2/clients", token=token)
        assert page["items"][1] == found
        status, problem = await world.call("PUT", f"{one}/claim-maps/email/groups/staff", {"values": ["x"]}, token=token)
        assert (status, problem["code"]) == (400, "client_refused")
        for path in (f"{one}/supplementary-scope-maps/staff", f"{one}/claim-maps/roles/groups/staff"):
            status, found = await world.call("DELETE", path, token=token)
            assert status == 200
        assert (found["supplementary_scope_maps"], found["claim_maps"]) == ([], [])
        other = await world.token("mallory")
        for method, path, sent in steps:
            assert (await world.call(method, path, sent, token=other))[0] == 403
