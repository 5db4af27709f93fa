"""Identity providers over the API, at the addresses of the guide."""

from typing import Any

import pytest

from tests.foreign_provider import CLIENT, ISSUER, ForeignProvider
from tests.unit.api.world import PEOPLE, server_world

BODY = {"name": "Keycloak", "issuer_url": ISSUER, "client_id": CLIENT, "client_secret": "s3cret"}
GUIDE = {
    "redirect_uri": f"{PEOPLE}/auth/oidc/callback",
    "groups_claim_path": "groups",
    "groups_claim_format": "string-array",
    "scopes": ["openid", "profile", "email"],
    "iat_window_seconds": 300,
    "jwks_cache_ttl_seconds": 3600,
}


def provider_of(world: Any) -> ForeignProvider:
    return ForeignProvider(world.app.around.outbound, world.clock)


async def test_provider_and_mapping_are_made_shown_changed_and_deleted_and_no_answer_holds_the_secret():
    async with server_world() as world:
        provider_of(world)
        chief = await world.token("chief", "system_admins")
        status, made = await world.call("POST", "/auth/oidc/providers", {**BODY, **GUIDE}, token=chief)
        assert status == 201
        assert made["has_client_secret"] is True
        assert GUIDE.items() <= made.items()
        path = f"/auth/oidc/providers/{made['id']}"
        mapping = {"provider_id": made["id"], "group_name": "engineers", "role_id": "r-operator"}
        status, mapped = await world.call("POST", "/auth/oidc/group-mappings", mapping, token=chief)
        assert (status, mapping.items() <= mapped.items()) == (201, True)
        assert (await world.call("POST", "/auth/oidc/group-mappings", mapping, token=chief))[0] == 409
        _, info = await world.call("GET", "/auth/info")
        assert info["oidc_providers"] == [
            {"id": made["id"], "display_name": "Keycloak", "login_url": f"/auth/oidc/login?provider={made['id']}"}
        ]
        _, changed = await world.call("PATCH", path, {"name": "SSO", "client_secret": ""}, token=chief)
        assert (changed["name"], changed["has_client_secret"]) == ("SSO", True)
        await world.call("PATCH", path, {"client_secret": "an0ther"}, token=chief)
        _, page = await world.call("GET", "/audit", token=chief, query="event=auth.oidc_provider_updated")
        assert [event["changes"] for event in page["events"]] == [
            {"client_secret": {"old": "[redacted]", "new": "[redacted]"}},
            {"name": {"old": "Keycloak", "new": "SSO"}},
        ]
        _, tested = await world.call("POST", "/auth/oidc/test", {**BODY, "name": "Other"}, token=chief)
        assert tested["passed"] is True
        _, refreshed = await world.call("POST", f"{path}/refresh", token=chief)
        assert [each["name"] for each in refreshed["checks"]] == [
            "discovery",
            "endpoints",
            "algorithms",
            "key_set",
            "redirect_uri",
        ]
        for place in ("/auth/oidc/providers", path, "/auth/oidc/group-mappings"):
            response = await world.send("GET", place, token=chief, query=f"provider_id={made['id']}" if "map" in place else "")
            assert response.status == 200
            assert b"s3cret" not in response.body
        assert (await world.call("DELETE", f"/auth/oidc/group-mappings/{mapped['id']}", token=chief))[0] == 204
        assert (await world.call("DELETE", path, token=chief))[0] == 204
        assert (await world.call("GET", path, token=chief))[0] == 404
        _, info = await world.call("GET", "/auth/info")
        assert info == {"oidc_providers": []}


async def test_provider_that_is_found_wrong_is_refused_with_the_checks_and_not_stored():
    async with server_world() as world:
        provider = provider_of(world)
        provider.discovery["id_token_signing_alg_values_supported"] = ["RS256", "HS256"]
        provider.publish()
        chief = await world.token("chief", "system_admins")
        status, problem = await world.call("POST", "/auth/oidc/providers", BODY, token=chief)
        assert (status, problem["code"]) == (400, "oidc_provider_refused")
        assert any("HS256" in each for each in problem["reasons"])
        _, page = await world.call("GET", "/auth/oidc/providers", token=chief)
        assert page["items"] == []


@pytest.mark.parametrize("groups", [(), ("auditors",), ("idm_admins",)])
async def test_providers_are_for_those_who_may_change_them(groups):
    async with server_world() as world:
        provider_of(world)
        token = await world.token("mallory", *groups)
        status, problem = await world.call("POST", "/auth/oidc/providers", BODY, token=token)
        assert (status, problem["code"]) == (403, "not_permitted")


async def test_mappings_are_listed_for_one_provider():
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        status, problem = await world.call("GET", "/auth/oidc/group-mappings", token=chief)
        assert (status, problem["code"]) == (400, "invalid_input")
