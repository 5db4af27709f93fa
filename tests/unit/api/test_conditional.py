"""ETag, If-Match and If-None-Match: which version of an object a caller has seen, and whether it is still the one."""

from typing import Any

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.api import operations
from sealwright.api.conditional import object_of, readable_objects
from tests.unit.api.world import server_world
from tests.unit.ca.provisioners.test_definitions import public_jwk

CLIENT = {"kind": "public", "name": "wiki", "display_name": "Wiki", "landing_url": "https://wiki.example.org"}
TRUSTED = {"name": "ci", "issuer_url": "https://ci.example.org"}


def tag_in(response):
    return dict(response.headers)["etag"]


async def administrator(world):
    return await world.token("root", "system_admins", "idm_admins")


async def test_version_that_the_caller_has_is_not_sent_again():
    async with server_world() as world:
        token = await administrator(world)
        await world.call("POST", "/groups", {"name": "ops"}, token=token)
        tag = tag_in(await world.send("GET", "/groups/ops", token=token))
        again = await world.send("GET", "/groups/ops", token=token, headers={"if-none-match": f'"other", W/{tag}'})
        assert (again.status, again.body, tag_in(again)) == (304, b"", tag)
        await world.call("PATCH", "/groups/ops", {"description": "Operations"}, token=token)
        changed = await world.send("GET", "/groups/ops", token=token, headers={"if-none-match": tag})
        assert (changed.status, tag_in(changed) != tag) == (200, True)


async def test_change_for_an_old_version_is_refused_with_what_changed():
    async with server_world() as world:
        token = await administrator(world)
        await world.call("POST", "/persons", {"name": "alice", "display_name": "Alice"}, token=token)
        tag = tag_in(await world.send("GET", "/persons/alice", token=token))
        mine = await world.send("PATCH", "/persons/alice", {"display_name": "Ally"}, token=token, headers={"if-match": tag})
        assert (mine.status, tag_in(mine)) == (200, tag_in(await world.send("GET", "/persons/alice", token=token)))
        other = await world.send("PATCH", "/persons/alice", {"name": "al"}, token=token, headers={"if-match": tag})
        problem = msgspec.json.decode(other.body)
        assert (other.status, problem["code"], problem["changed"]) == (412, "changed_meanwhile", ["display_name"])
        assert ("/api/v1/persons/alice was changed" in problem["detail"], tag_in(other)) == (True, tag_in(mine))
        assert (await world.call("GET", "/persons/al", token=token))[0] == 404


async def test_condition_keeps_no_refusal_from_the_record():
    async with server_world() as world:
        token, headers = await world.token("mallory"), {"if-match": '"old"'}
        refused = await world.send("PATCH", "/groups/idm_admins/members", {"add": ["mallory"]}, token=token, headers=headers)
        rows = [row for row in await world.stored("audit_events") if {"access.refused", "refused"} <= set(row)]
        assert (refused.status, len(rows)) == (403, 1)


async def test_profile_that_another_node_changed_a_moment_ago_is_another_version():
    async with server_world() as world:
        token = await administrator(world)
        await world.call("POST", "/profiles", {"name": "web"}, token=token)
        tag = tag_in(await world.send("GET", "/profiles/web", token=token))
        await world.ca.profiles.find("web")  # an issuance remembers it here
        elsewhere = world.ca.profiles.within(world.db, world.audit, world.provisioners.using_profile)
        await elsewhere.change("web", {"most_names": 3}, actor=SYSTEM)
        body, headers = {"most_names": 4}, {"if-match": tag}
        status, problem = await world.call("PATCH", "/profiles/web", body, token=token, headers=headers)
        assert (status, problem.get("changed")) == (412, ["most_names"]), problem


async def test_member_that_came_meanwhile_is_a_change_of_the_group():
    async with server_world() as world:
        token = await administrator(world)
        await world.call("POST", "/groups", {"name": "ops"}, token=token)
        tag = tag_in(await world.send("GET", "/groups/ops", token=token))
        await world.call("PATCH", "/groups/ops/members", {"add": ["root"]}, token=token)
        for method, path, body in (
            ("PUT", "/groups/ops/members", {"members": []}),
            ("PATCH", "/groups/ops", {"description": "x"}),
            ("DELETE", "/groups/ops", None),
        ):
            status, problem = await world.call(method, path, body, token=token, headers={"if-match": tag})
            assert (method, status, problem["changed"]) == (method, 412, ["members"])
        assert (await world.call("GET", "/groups/ops", token=token))[1]["members"] == ["root@example.org"]


OBJECTS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "/persons/alice": [("POST", "/persons", {"name": "alice", "display_name": "Alice"})],
    "/persons/alice/profile": [
        ("POST", "/persons", {"name": "alice", "display_name": "Alice"}),
        ("PATCH", "/persons/alice/profile", {"attributes": {"nickname": "Al"}}),
    ],
    "/service-accounts/robot": [("POST", "/service-accounts", {"name": "robot", "display_name": "Robot"})],
    "/groups/ops": [("POST", "/groups", {"name": "ops"})],
    "/groups/ops/account-policy": [
        ("POST", "/groups", {"name": "ops"}),
        ("PATCH", "/groups/ops/account-policy", {"auth_expiry": 3600}),
    ],
    "/auth/roles/r-x": [("POST", "/auth/roles", {"id": "r-x", "permissions": ["person:read"]})],
    "/oauth2/clients/wiki": [("POST", "/oauth2/clients", CLIENT)],
    "/oauth2/issuers/team": [("POST", "/oauth2/issuers", {"name": "team"})],
    "/oauth2/trusted-issuers/ci": [("POST", "/oauth2/trusted-issuers", TRUSTED)],
    "/provisioners/acme": [("POST", "/provisioners", {"type": "JWK", "name": "acme", "key": public_jwk()})],
}
CHANGES: dict[str, tuple[str, str, Any]] = {
    "/persons/alice": ("PATCH", "", {"display_name": "Other"}),
    "/persons/alice/profile": ("PATCH", "", {"attributes": {"nickname": "Other"}}),
    "/service-accounts/robot": ("PATCH", "", {"display_name": "Other"}),
    "/groups/ops": ("PATCH", "", {"description": "Other"}),
    "/groups/ops/account-policy": ("PATCH", "", {"auth_expiry": 7200}),
    "/auth/roles/r-x": ("PATCH", "", {"description": "Other"}),
    "/oauth2/clients/wiki": ("PATCH", "", {"display_name": "Other"}),
    "/oauth2/issuers/team": ("DELETE", "", None),
    "/oauth2/trusted-issuers/ci": ("PATCH", "", {"audience": "https://other.example.org"}),
    "/provisioners/acme": ("DELETE", "", None),
}


@pytest.mark.parametrize("path", OBJECTS)
async def test_object_is_changed_only_in_the_version_that_is_named(path):
    async with server_world() as world:
        token = await administrator(world)
        for method, made_at, body in OBJECTS[path]:
            status, made = await world.call(method, made_at, body, token=token)
            assert status in (200, 201), made
        shown = await world.send("GET", path, token=token)
        tag = tag_in(shown)
        method, below, body = CHANGES[path]
        status, problem = await world.call(method, path + below, body, token=token, headers={"if-match": '"old"'})
        assert (status, problem["code"]) == (412, "changed_meanwhile")
        assert (await world.send("GET", path, token=token)).body == shown.body
        changed = await world.send(method, path + below, body, token=token, headers={"if-match": f'"old", {tag}'})
        assert changed.status in (200, 204), changed.body
        after = await world.send("GET", path, token=token)
        assert after.status == 404 or tag_in(after) != tag


async def test_every_object_that_can_be_changed_at_its_address_has_versions():
    async with server_world() as world:
        found = operations(world.api_dependencies)
        objects = readable_objects(found)
        readable = {each.whole_path for each in found if each.method == "GET" and "{" in each.path}
        changed = {each.whole_path for each in found if each.method in ("PATCH", "PUT", "DELETE")}
        versioned = {each.whole_path for each in found if each.method == "GET" and object_of(each, objects) is each}
        assert versioned == readable & changed
        assert len(versioned) >= len(OBJECTS)


async def test_star_stands_for_any_version_of_what_there_is():
    async with server_world() as world:
        token = await administrator(world)
        await world.call("POST", "/groups", {"name": "ops"}, token=token)
        assert (await world.call("DELETE", "/groups/ops", token=token, headers={"if-match": "*"}))[0] == 204
        assert (await world.call("DELETE", "/groups/ops", token=token, headers={"if-match": "*"}))[0] == 404


@pytest.mark.parametrize("header", ["old", '"old', "W/old", '"a" "b"', '"\u00e9"'])
async def test_header_that_is_no_list_of_tags_changes_nothing(header):
    async with server_world() as world:
        token = await administrator(world)
        await world.call("POST", "/groups", {"name": "ops"}, token=token)
        status, problem = await world.call("DELETE", "/groups/ops", token=token, headers={"if-match": header})
        assert (status, "cannot be an entity tag" in problem["detail"]) == (400, True)
        assert (await world.call("GET", "/groups/ops", token=token))[0] == 200


async def test_weak_tag_names_no_version_of_a_change():
    async with server_world() as world:
        token = await administrator(world)
        await world.call("POST", "/groups", {"name": "ops"}, token=token)
        tag = tag_in(await world.send("GET", "/groups/ops", token=token))
        assert (await world.call("DELETE", "/groups/ops", token=token, headers={"if-match": f"W/{tag}"}))[0] == 412


async def test_condition_on_what_has_no_versions_is_refused_and_not_passed_over():
    async with server_world() as world:
        token = await administrator(world)
        status, problem = await world.call("POST", "/groups", {"name": "ops"}, token=token, headers={"if-match": "*"})
        assert (status, "takes no If-Match" in problem["detail"]) == (400, True)
        assert (await world.call("GET", "/groups/ops", token=token))[0] == 404


async def test_who_may_not_change_it_does_not_learn_whether_it_changed():
    async with server_world() as world:
        await administrator(world)
        token = await world.token("mallory")
        status, problem = await world.call("DELETE", "/persons/root", token=token, headers={"if-match": '"old"'})
        assert (status, problem["changed"]) == (403, [])
