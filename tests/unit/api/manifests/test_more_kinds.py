"""Service accounts, roles, issuers, account policies and client secrets in a manifest."""

from typing import Any

import pytest

from sealwright.access import SYSTEM
from sealwright.oauth import ClientRefused
from tests.unit.api.manifests.test_apply import administered, applied, changed

SECRET = "s" * 20 + "-made-elsewhere-1234"
MANIFEST: dict[str, Any] = {
    "version": 1,
    "groups": {
        "ops": {
            "members": ["ada"],
            "account_policy": {"auth_expiry": 3600, "credential_minimum": "any", "password_minimum_length": 16},
        },
    },
    "people": {"ada": {"display_name": "Ada"}},
    "service_accounts": {"ci": {"display_name": "Continuous integration", "managed_by": "ops"}},
    "roles": {
        "r-readers": {"description": "Read clients", "permissions": ["client:read"], "groups": ["ops"], "people": ["ci"]},
        "r-auditor": {"people": ["ada"]},
    },
    "issuers": {"main": {}},
    "clients": {
        "wiki": {
            "kind": "confidential",
            "display_name": "Wiki",
            "landing_url": "https://wiki.example.org",
            "issuer": "main",
            "secret": SECRET,
        },
    },
}
KINDS = ("groups", "people", "service_accounts", "roles", "issuers", "clients")


async def exported(world, token):
    found = {}
    for kind in KINDS:
        status, page = await world.call("GET", f"/manifest/{kind}", token=token)
        assert status == 200, page
        found[kind] = {each["name"]: each["entry"] for each in page["items"]}
    return found


async def test_manifest_makes_accounts_roles_issuers_policies_and_secrets_and_a_second_time_nothing():
    async with administered() as (world, token):
        status, body = await applied(world, token, MANIFEST)
        assert status == 200, body
        assert changed(body) == [
            ("create", "group", "ops"),
            ("create", "person", "ada"),
            ("create", "service account", "ci"),
            ("create", "role", "r-readers"),
            ("change", "role", "r-auditor"),
            ("create", "issuer", "main"),
            ("create", "client", "wiki"),
        ]
        assert SECRET not in str(body)
        for dry_run in (True, False):
            assert (await applied(world, token, MANIFEST, dry_run=dry_run))[1]["changes"] == []
        _, policy = await world.call("GET", "/groups/ops/account-policy", token=token)
        assert (policy["auth_expiry"], policy["password_minimum_length"]) == (3600, 16)
        _, wiki = await world.call("GET", "/oauth2/clients/wiki", token=token)
        assert wiki["issuer"] == "main"
        _, shown = await world.call("GET", "/oauth2/clients/wiki/secret", token=token)
        assert SECRET in str(shown)


async def test_export_of_these_kinds_applied_to_an_empty_server_exports_the_same():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        first = await exported(world, token)
        assert "secret" not in first["clients"]["wiki"]
    async with administered() as (world, token):
        status, body = await applied(world, token, {"version": 1, **first})
        assert status == 200, body
        assert await exported(world, token) == first


async def test_what_differs_is_changed_and_told():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        status, body = await applied(
            world,
            token,
            {
                "version": 1,
                "groups": {"ops": {"account_policy": None}},
                "service_accounts": {"ci": {"managed_by": None, "disabled": True}},
                "roles": {"r-readers": {"permissions": ["client:read", "group:read"], "groups": [], "people": ["ada"]}},
                "clients": {"wiki": {"issuer": None, "secret": SECRET + "-new"}},
            },
        )
        assert status == 200, body
        told = {each["name"]: {one["name"]: (one["before"], one["after"]) for one in each["members"]} for each in body["changes"]}
        assert told["ops"]["account_policy"][1] is None
        assert told["ci"] == {"managed_by": ("ops", None), "disabled": (False, True)}
        assert told["r-readers"]["groups"] == (["ops"], [])
        assert told["r-readers"]["people"] == (["ci"], ["ada"])
        assert told["wiki"] == {"issuer": ("main", None), "secret": ("(secret)", "another (secret)")}
        assert (await world.call("GET", "/groups/ops/account-policy", token=token))[0] == 404


@pytest.mark.parametrize(
    ("more", "pointer", "words"),
    [
        ({"groups": {"ops": {"account_policy": {"auth_expiry": 1}}}}, "/groups/ops/account_policy/auth_expiry", "1 second"),
        ({"groups": {"ops": {"account_policy": {"password_length": 12}}}}, "/groups/ops/account_policy", "password_length"),
        ({"service_accounts": {"new": {}}}, "/service_accounts/new", "display_name"),
        ({"roles": {"r-new": {"permissions": ["everything"]}}}, "/roles/r-new/permissions", "everything"),
        ({"roles": {"r-readers": {"groups": ["nobody"]}}}, "/roles/r-readers/groups", "nobody"),
        ({"issuers": {"main": {"root": True}}}, "/issuers/main/root", "cannot be changed"),
        ({"clients": {"wiki": {"issuer": "nowhere"}}}, "/clients/wiki/issuer", "nowhere"),
        ({"clients": {"wiki": {"secret": "short"}}}, "/clients/wiki/secret", "32 to 512"),
        ({"prune": {"issuers": True}}, "/prune/issuers", "wiki"),
    ],
)
async def test_fault_in_these_kinds_names_its_place_and_nothing_is_applied(more, pointer, words):
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        before = await exported(world, token)
        status, problem = await applied(world, token, {"version": 1, "people": {"aaron": {"display_name": "A"}}} | more)
        assert (status in (400, 404, 409), problem["pointer"]) == (True, pointer), problem
        assert words in f"{problem['detail']}{problem['hint']}{problem['reasons']}"
        assert await exported(world, token) == before


async def test_prune_of_these_kinds_deletes_what_is_not_named():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        status, body = await applied(
            world,
            token,
            {
                "version": 1,
                "prune": {"service_accounts": True, "roles": True, "issuers": True, "clients": True},
                "roles": {"r-other": {"permissions": ["group:read"]}, "r-readers": {"groups": [], "people": []}},
            },
        )
        assert status == 200, body
        assert ("delete", "service account", "ci") in changed(body)
        assert ("delete", "issuer", "main") in changed(body)
        left = await exported(world, token)
        assert (left["service_accounts"], left["issuers"], left["clients"]) == ({}, {}, {})


async def test_secret_that_is_set_again_ends_no_token_and_another_ends_them_all():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        secrets = world.oauth.clients.secrets
        assert not await secrets.put("wiki", SECRET, actor=SYSTEM)
        assert await secrets.put("wiki", SECRET + "x", actor=SYSTEM)
        for wrong in ("", "x" * 31, "x" * 513, "ä" * 40, "x" * 40 + "\n"):
            with pytest.raises(ClientRefused):
                await secrets.put("wiki", wrong, actor=SYSTEM)
