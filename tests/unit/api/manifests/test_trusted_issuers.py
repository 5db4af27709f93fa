"""Trusted issuers and their rules in a manifest."""

from typing import Any

import pytest

from sealwright.access import SYSTEM
from tests.machines_world import client_key, key_set
from tests.unit.api.manifests.test_apply import administered, applied, changed

RULE: dict[str, Any] = {
    "client": "jobs",
    "service_account": "ci",
    "conditions": {"repository": "example/shop", "ref": "refs/heads/*"},
    "scopes": ["deploy"],
    "lifetime_seconds": 300,
}
MANIFEST: dict[str, Any] = {
    "version": 1,
    "service_accounts": {"ci": {"display_name": "Continuous integration"}},
    "clients": {"jobs": {"kind": "public", "display_name": "Jobs", "landing_url": "https://ci.example.org"}},
    "trusted_issuers": {
        "github": {
            "issuer_url": "https://token.actions.githubusercontent.com",
            "rules": [RULE, {**RULE, "service_account": None}],
        },
        "cluster": {"issuer_url": "https://kubernetes.default.svc", "jwks": key_set(client_key()), "reusable": True},
    },
}


def with_issuer(name="github", **members):
    return {"version": 1, "trusted_issuers": {name: members}}


async def rules_of(world, name="github"):
    return (await world.oauth.trusted_issuers.get(name, actor=SYSTEM)).rules


async def exported(world, token):
    status, page = await world.call("GET", "/manifest/trusted_issuers", token=token)
    assert status == 200, page
    return {each["name"]: each["entry"] for each in page["items"]}


async def test_manifest_lists_issuers_with_their_rules_and_a_second_time_nothing():
    async with administered() as (world, token):
        status, body = await applied(world, token, MANIFEST)
        assert status == 200, body
        assert changed(body)[-2:] == [("create", "trusted issuer", "github"), ("create", "trusted issuer", "cluster")]
        assert (await applied(world, token, MANIFEST))[1]["changes"] == []
        assert [each.account_name for each in await rules_of(world)] == ["ci", None]


async def test_export_of_issuers_applied_to_an_empty_server_exports_the_same():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        first = await exported(world, token)
    async with administered() as (world, token):
        status, body = await applied(world, token, {**MANIFEST, "trusted_issuers": first})
        assert status == 200, body
        assert await exported(world, token) == first


async def test_rules_stay_where_they_are_for_the_same_and_keep_the_order_of_the_file():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        first, second = [each.id for each in await rules_of(world)]
        status, body = await applied(world, token, with_issuer(rules=[{**RULE, "scopes": ["read"]}, RULE]))
        assert (status, changed(body)) == (200, [("change", "trusted issuer", "github")])
        found = await rules_of(world)
        assert [(each.id == first, each.scopes, each.revision) for each in found] == [
            (True, ("read",), 1),
            (False, ("deploy",), 0),
        ]
        assert second not in {each.id for each in found}


async def test_other_keys_change_the_issuer_in_its_place_and_another_url_lists_it_anew():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        before = await rules_of(world)
        keys = "https://token.actions.githubusercontent.com/keys"
        status, body = await applied(world, token, with_issuer(jwks_uri=keys))
        assert (status, changed(body)) == (200, [("change", "trusted issuer", "github")])
        after = await rules_of(world)
        assert [(each.id, each.revision) for each in after] == [(each.id, 1) for each in before]
        status, body = await applied(world, token, with_issuer(issuer_url="https://github.example.org"))
        assert (status, changed(body)) == (200, [("change", "trusted issuer", "github")])
        anew = await rules_of(world)
        assert [each.conditions for each in anew] == [each.conditions for each in before]
        assert not {each.id for each in anew} & {each.id for each in before}
        assert (await exported(world, token))["github"]["jwks_uri"] == keys


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"issuer_url": "ci.example.org"}, "not a URL"),
        ({"issuer_url": "https://ci.example.org", "rules": [{**RULE, "client": "nobody"}]}, "nobody"),
        ({"issuer_url": "https://ci.example.org", "rules": [{"client": "jobs"}]}, "conditions"),
        ({"issuer_url": "https://ci.example.org", "keys": {}}, "keys"),
    ],
)
async def test_issuer_that_cannot_be_is_refused_with_its_place_and_nothing_is_listed(members, words):
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        status, body = await applied(world, token, with_issuer("wrong", **members))
        assert status in (400, 404), body
        assert words in str(body)
        assert "wrong" in body["pointer"]
        assert sorted(await exported(world, token)) == ["cluster", "github"]


async def test_issuer_that_is_not_named_is_taken_off_the_list_where_that_is_asked_for():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        status, body = await applied(world, token, {**with_issuer(), "prune": {"trusted_issuers": True}})
        assert (status, changed(body)) == (200, [("delete", "trusted issuer", "cluster")])
