"""A manifest is applied whole or not at all, by those who may, and twice is once."""

from contextlib import asynccontextmanager
from typing import Any

import pytest

from sealwright.api import manifests
from sealwright.manifest import KINDS
from tests.unit.api.world import server_world

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
MANIFEST: dict[str, Any] = {
    "version": 1,
    "groups": {
        "team": {"description": "The team", "managed_by": "bob", "members": ["alice", "guests"]},
        "guests": {"members": []},
    },
    "people": {
        "alice": {
            "display_name": " Alice Example ",
            "mails": ["alice@example.org", {"address": "a@example.org", "verified": False}],
            "attributes": {"phone_number": "+49 30 1234567", "locale": "de"},
            "ssh_public_keys": {"laptop": f"{KEY} comment"},
            "valid_until": "2030-01-01T00:00:00+01:00",
        },
        "bob": {"display_name": "Bob", "disabled": True},
    },
    "clients": {
        "wiki": {
            "kind": "confidential", "profile": "classic", "display_name": "Wiki", "landing_url": "https://wiki.example.org",
            "redirect_uris": ["https://wiki.example.org/back"], "require_pkce": True, "refresh_grace_seconds": 0,
            "scope_maps": {"team": ["openid", "email"], "idm_all_accounts": ["openid"]},
            "supplementary_scope_maps": {"team": ["extra"]},
            "claim_maps": {"role": {"join": "csv", "groups": {"team": ["editor", "admin"]}}},
        },
        "native": {"kind": "public", "display_name": "Native", "landing_url": "https://native.example.org"},
    },
    "provisioners": {
        "Google": {
            "type": "OIDC", "clientID": "abc", "clientSecret": "first secret",
            "configurationEndpoint": "https://accounts.google.com/.well-known/openid-configuration", "domains": ["example.org"],
        },
        "people": {"type": "OIDC", "clientID": "native", "configurationEndpoint": "/oauth2/openid/native"},
    },
}  # fmt: skip


@asynccontextmanager
async def administered():
    """A server, and the session of its administrator."""
    async with server_world() as world:
        yield world, await world.token("root", "system_admins")


async def applied(world, token, manifest, *, dry_run=False):
    query = "dry_run=true" if dry_run else ""
    return await world.call("POST", "/manifest", manifest, token=token, query=query)


async def exported(world, token):
    found = {}
    for kind in ("groups", "people", "clients", "provisioners"):
        status, page = await world.call("GET", f"/manifest/{kind}", token=token, query="limit=1")
        entries: dict[str, object] = {}
        while status == 200:
            entries |= {each["name"]: each["entry"] for each in page["items"]}
            if page["next"] is None:
                break
            status, page = await world.call("GET", f"/manifest/{kind}", token=token, query=f"limit=1&after={page['next']}")
        assert status == 200, page
        found[kind] = entries
    return found


def changed(body):
    return [(each["action"], each["kind"], each["name"]) for each in body["changes"]]


async def test_manifest_makes_everything_and_a_second_time_nothing():
    async with administered() as (world, token):
        status, body = await applied(world, token, MANIFEST)
        assert status == 200, body
        assert changed(body) == [
            ("create", "group", "team"), ("create", "group", "guests"),
            ("create", "person", "alice"), ("create", "person", "bob"),
            ("create", "client", "wiki"), ("create", "client", "native"),
            ("create", "provisioner", "Google"), ("create", "provisioner", "people"),
        ]  # fmt: skip
        events = len(await world.audit.newest(world.db, at_most=500))
        for dry_run in (True, False):
            status, body = await applied(world, token, MANIFEST, dry_run=dry_run)
            assert (status, body["changes"]) == (200, [])
        assert len(await world.audit.newest(world.db, at_most=500)) == events
        _, wiki = await world.call("GET", "/oauth2/clients/wiki", token=token)
        assert (wiki["id_token_signed_response_alg"], wiki["require_pkce"]) == ("RS256", True)
        _, keys = await world.call("GET", "/oauth2/clients/wiki/keys", token=token)
        assert [key["algorithm"] for key in keys["items"]] == ["RS256"]
        _, alice = await world.call("GET", "/persons/alice", token=token)
        assert [mail["verified"] for mail in alice["mails"]] == [True, False]


async def test_dry_run_tells_the_same_and_changes_nothing():
    async with administered() as (world, token):
        before, written = await exported(world, token), await world.audit.newest(world.db, at_most=5)
        _, trial = await applied(world, token, MANIFEST, dry_run=True)
        assert await exported(world, token) == before
        assert await world.audit.newest(world.db, at_most=5) == written
        _, real = await applied(world, token, MANIFEST)
        assert trial["changes"] == real["changes"]
        assert (trial["dry_run"], real["dry_run"]) == (True, False)


async def test_export_applied_to_an_empty_server_exports_the_same():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        manifest = {"version": 1, **await exported(world, token)}
    async with administered() as (world, token):
        assert manifest["provisioners"]["Google"].pop("clientSecret") == {"env": "GOOGLE_CLIENT_SECRET"}
        manifest["provisioners"]["Google"]["clientSecret"] = "first secret"
        status, body = await applied(world, token, manifest)
        assert status == 200, body
        manifest["provisioners"]["Google"]["clientSecret"] = {"env": "GOOGLE_CLIENT_SECRET"}
        assert {"version": 1, **await exported(world, token)} == manifest


async def test_members_that_differ_are_changed_and_told():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        status, body = await applied(world, token, {
            "version": 1,
            "groups": {"team": {"description": "Others", "members": ["bob@example.org"]}},
            "people": {"bob": {"disabled": False, "mails": ["bob@example.org"]}, "alice": {"attributes": {"locale": None}}},
            "clients": {"wiki": {"profile": "oauth2.1", "scope_maps": {"team": ["openid"]}, "claim_maps": {}}},
            "provisioners": {"Google": {"domains": ["example.com"], "clientSecret": "second secret"}},
        })  # fmt: skip
        assert status == 200, body
        told = {each["name"]: {one["name"]: (one["before"], one["after"]) for one in each["members"]} for each in body["changes"]}
        assert told["team"] == {"description": ("The team", "Others"), "members": (["alice", "guests"], ["bob"])}
        assert told["bob"] == {"disabled": (True, False), "mails": ([], ["bob@example.org"])}
        assert told["alice"]["attributes"][1] == {"phone_number": "+49301234567"}
        assert told["wiki"]["profile"] == ("classic", "oauth2.1")
        assert told["wiki"]["id_token_signed_response_alg"] == ("RS256", "ES256")
        assert told["wiki"]["claim_maps"][1] == {}
        assert told["Google"] == {
            "domains": (["example.org"], ["example.com"]), "clientSecret": ("(secret)", "another (secret)"),
        }  # fmt: skip
        assert "second secret" not in str(body)
        _, shown = await world.call("GET", "/provisioners/Google", token=token)
        assert (shown["domains"], shown["clientID"]) == (["example.com"], "abc")


@pytest.mark.parametrize(
    ("more", "pointer", "words"),
    [
        ({"groups": {"x": {"members": ["nobody"]}}}, "/groups/x/members", "nobody"),
        ({"people": {"zed": {"display_name": "Z", "mails": ["no mail"]}}}, "/people/zed/mails/0", "no mail"),
        ({"people": {"zed": {}}}, "/people/zed", "display_name"),
        ({"people": {"zed": {"display_name": "Z", "valid_until": "soon"}}}, "/people/zed/valid_until", "soon"),
        ({"people": {"zed": {"display_name": "Z", "ssh_public_keys": {"a": "x"}}}}, "/people/zed/ssh_public_keys/a", "SSH"),
        ({"clients": {"x": {"kind": "public"}}}, "/clients/x", "landing_url"),
        ({"clients": {"wiki": {"redirect_uris": ["http://wiki.example.org/plain"]}}}, "/clients/wiki/redirect_uris", "http"),
        ({"clients": {"wiki": {"scope_maps": {"nobody": ["openid"]}}}}, "/clients/wiki/scope_maps/nobody", "nobody"),
        ({"clients": {"wiki": {"claim_maps": {"sub": {"groups": {"team": ["x"]}}}}}}, "/clients/wiki/claim_maps/sub", "sub"),
        ({"clients": {"wiki": {"claim_maps": {"a": {"groups": {}}}}}}, "/clients/wiki", "at least one group"),
        ({"clients": {"wiki": {"kind": "public"}}}, "/clients/wiki/kind", "cannot be changed"),
        ({"provisioners": {"x": {"type": "OIDC", "clientID": "x"}}}, "/provisioners/x", "configurationEndpoint"),
        ({"provisioners": {"x": {"type": "ACME"}}}, "/provisioners/x", "ACME"),
        ({"clients": {"wiki": {"redirect_uri": []}}}, "/clients/wiki/redirect_uri", "not known"),
        ({"prune": {"people": True}, "people": {}}, "/prune/people", "yourself"),
    ],
)
async def test_fault_names_its_place_and_nothing_is_applied(more, pointer, words):
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        before = await exported(world, token)
        first = {"version": 1, "groups": {"aaa": {}}, "people": {"aaron": {"display_name": "Aaron"}}}
        status, problem = await applied(world, token, first | more)
        assert (status in (400, 404, 409), problem["pointer"]) == (True, pointer), problem
        assert words in f"{problem['detail']}{problem['hint']}{problem['reasons']}"
        assert await exported(world, token) == before


async def test_prune_deletes_what_is_not_named_of_that_kind_alone():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        status, body = await applied(world, token, {
            "version": 1, "prune": {"people": True, "clients": True, "groups": True, "provisioners": False},
            "people": {"root": {}}, "clients": {"native": {}},
        })  # fmt: skip
        assert status == 200, body
        assert changed(body) == [
            ("delete", "person", "alice"), ("delete", "person", "bob"), ("delete", "client", "wiki"),
            ("delete", "group", "guests"), ("delete", "group", "team"),
        ]  # fmt: skip
        left = await exported(world, token)
        assert (set(left["people"]), set(left["clients"]), set(left["provisioners"])) == (
            {"root"}, {"native"}, {"Google", "people"},
        )  # fmt: skip


async def test_client_that_a_provisioner_trusts_is_not_pruned():
    async with administered() as (world, token):
        await applied(world, token, MANIFEST)
        status, problem = await applied(world, token, {"version": 1, "prune": {"clients": True}})
        assert (status, problem["code"], problem["pointer"]) == (409, "client_in_use", "/prune/clients")


async def test_each_change_needs_its_own_permission_and_a_refusal_is_on_record():
    async with administered() as (world, _):
        token = await world.token("greta", "idm_group_admins")
        status, _ = await applied(world, token, {"version": 1, "groups": {"mine": {"members": ["greta"]}}})
        assert status == 200
        status, problem = await applied(
            world, token, {"version": 1, "groups": {"theirs": {}, "system_admins": {"members": ["greta", "root"]}}}
        )
        assert (status, problem["pointer"]) == (403, "/groups/system_admins/members")
        status, problem = await applied(world, token, {"version": 1, "people": {"eve": {"display_name": "Eve"}}})
        assert (status, problem["pointer"]) == (403, "/people/eve")
        newest = [(each.event, each.outcome) for each in await world.audit.newest(world.db, at_most=5)]
        assert ("group.members_changed", "refused") in newest
        assert ("person.created", "refused") in newest
        assert (await world.call("GET", "/groups/theirs", token=token))[0] == 404
        for kind, status in (("groups", 200), ("people", 200), ("clients", 403), ("provisioners", 403), ("nothing", 404)):
            assert (await world.call("GET", f"/manifest/{kind}", token=token))[0] == status


async def test_signed_out_callers_learn_nothing():
    async with administered() as (world, _):
        assert (await applied(world, None, MANIFEST))[0] == 401
        assert (await world.call("GET", "/manifest/people"))[0] == 401


async def test_last_administrator_stays():
    async with administered() as (world, token):
        status, problem = await applied(world, token, {"version": 1, "people": {"root": {"disabled": True}}})
        assert (status, problem["code"]) == (409, "last_administrator")


def test_every_kind_can_be_read_and_applied():
    assert set(manifests.operations._KINDS) == set(KINDS)
