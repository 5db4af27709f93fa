"""Roles and grants over the API, and what a grant within a scope lets someone do there."""

import pytest

from tests.unit.api.test_authority import issue
from tests.unit.api.world import server_world


async def test_role_is_made_granted_within_a_scope_listed_and_withdrawn():
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        await issue(world, chief)
        made = {"id": "r-desk", "description": "Help desk", "permissions": ["certificate:read", "certificate:revoke"]}
        status, role = await world.call("POST", "/auth/roles", made, token=chief)
        assert (status, role) == (201, {**made, "builtin": False})
        await world.person("alice")
        body = {"role": "r-desk", "person": "alice", "scope": "provisioner:first", "expires_at": "2036-01-01T00:00:00Z"}
        status, grant = await world.call("POST", "/auth/grants", body, token=chief)
        assert status == 201
        provisioner = await world.provisioners.find_named("first")
        assert (grant["holder"], grant["scope"]) == ("alice", f"provisioner:{provisioner.id}")
        assert (grant["source"], grant["expires_at"]) == ("manual", "2036-01-01T00:00:00Z")
        _, page = await world.call("GET", "/auth/grants", token=chief, query="role=r-desk")
        assert page == {"items": [grant], "next": None}
        status, problem = await world.call("DELETE", "/auth/roles/r-desk", token=chief)
        assert (status, problem["code"]) == (409, "role_in_use")
        assert (await world.call("DELETE", f"/auth/grants/{grant['id']}", token=chief))[0] == 204
        assert (await world.call("DELETE", "/auth/roles/r-desk", token=chief))[0] == 204
        assert (await world.call("GET", "/auth/roles/r-desk", token=chief))[0] == 404


async def test_someone_with_a_role_within_a_scope_sees_and_revokes_what_belongs_to_it_and_nothing_else():
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        certificate = await issue(world, chief)
        alice, bob = await world.token("alice"), await world.token("bob")
        for name, scope in (("alice", "provisioner:first"), ("bob", "profile:server")):
            body = {"role": "r-operator", "person": name, "scope": scope}
            assert (await world.call("POST", "/auth/grants", body, token=chief))[0] == 201
        path = f"/certificates/{certificate.serial_number}"
        _, page = await world.call("GET", "/certificates", token=alice)
        assert [each["serial_decimal"] for each in page["items"]] == [str(certificate.serial_number)]
        _, page = await world.call("GET", "/certificates", token=bob)
        assert page == {"items": [], "next": None}
        for method, more, given in (("GET", "", None), ("POST", "/revoke", {})):
            status, problem = await world.call(method, path + more, given, token=bob)
            assert (status, problem["code"]) == (403, "not_permitted")
            assert (await world.call(method, path + more, given, token=alice))[0] == 200
        assert (await world.call("GET", "/persons", token=alice))[0] == 403


async def test_issuer_is_a_scope_by_its_name():
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        certificate = await issue(world, chief)
        alice = await world.token("alice")
        body = {"role": "r-inventory", "person": "alice", "scope": "issuer:Example Issuing CA 1"}
        assert (await world.call("POST", "/auth/grants", body, token=chief))[0] == 201
        assert (await world.call("GET", f"/certificates/{certificate.serial_number}", token=alice))[0] == 200
        _, who = await world.call("GET", "/whoami", token=alice)
        assert who["permissions"] == []
        assert [each.partition(" within ")[0] for each in who["scoped_permissions"]] == ["certificate:read"]


@pytest.mark.parametrize(
    ("scope", "status", "code"),
    [
        ("provisioner:nothing", 404, "scope_not_found"),
        ("issuer:nothing", 404, "scope_not_found"),
        ("profile:nothing", 404, "scope_not_found"),
        ("planet:mars", 400, "invalid_input"),
        ("", 400, "invalid_input"),
    ],
)
async def test_scope_that_does_not_exist_is_refused(scope, status, code):
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        body = {"role": "r-viewer", "person": "chief", "scope": scope}
        found, problem = await world.call("POST", "/auth/grants", body, token=chief)
        assert (found, problem["code"]) == (status, code)


async def test_who_may_grant_within_a_scope_alone_is_told_nothing_of_what_there_is_and_is_on_record():
    async with server_world() as world:
        chief, alice = await world.token("chief", "system_admins"), await world.token("alice")
        made = {"id": "r-roles", "description": "", "permissions": ["role:write"]}
        assert (await world.call("POST", "/auth/roles", made, token=chief))[0] == 201
        body = {"role": "r-roles", "person": "alice", "scope": "profile:step_leaf"}
        assert (await world.call("POST", "/auth/grants", body, token=chief))[0] == 201
        for scope in ("provisioner:nothing", "profile:step_leaf"):
            body = {"role": "r-viewer", "person": "alice", "scope": scope}
            status, problem = await world.call("POST", "/auth/grants", body, token=alice)
            assert (status, problem["code"]) == (403, "not_permitted")
        assert ("role.granted", "refused") in [each[:2] for each in await world.events("role:r-viewer")]


async def test_time_without_a_zone_is_refused():
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        body = {"role": "r-viewer", "person": "chief", "expires_at": "2036-01-01T00:00:00"}
        status, problem = await world.call("POST", "/auth/grants", body, token=chief)
        assert (status, problem["code"]) == (400, "invalid_input")


@pytest.mark.parametrize("ends_at", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
async def test_grant_until_a_moment_that_no_one_can_be_told_is_refused_and_leaves_the_list_readable(ends_at):
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        body = {"role": "r-viewer", "person": "chief", "expires_at": ends_at}
        status, problem = await world.call("POST", "/auth/grants", body, token=chief)
        assert (status, problem["code"], problem["pointer"]) == (400, "invalid_input", "/expires_at")
        assert (await world.call("GET", "/auth/grants", token=chief))[0] == 200


async def test_permissions_are_listed_with_the_roles_that_carry_them():
    async with server_world() as world:
        ann = await world.token("ann", "system_admins")
        _, page = await world.call("GET", "/auth/permissions", token=ann)
        carried = {each["permission"]: each["roles"] for each in page["items"]}
        assert carried["audit:export"] == ["r-admin", "r-auditor"]
        _, page = await world.call("GET", "/auth/roles", token=ann)
        guide = {"r-admin", "r-operator", "r-viewer", "r-agent", "r-mcp", "r-cli", "r-auditor"}
        assert guide <= {each["id"] for each in page["items"]}


async def test_auditor_reads_and_exports_the_record_and_nothing_else():
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        ann = await world.token("ann")
        await world.call("POST", "/auth/grants", {"role": "r-auditor", "person": "ann"}, token=chief)
        allowed = set()
        for route in world.api_routes:
            if route.method == "GET" and "{" not in route.path and not route.access.startswith("public"):
                response = await world.send("GET", route.path.removeprefix("/api/v1"), token=ann)
                if response.status == 200 and not route.access.startswith("signed in"):
                    allowed.add(route.path)
        assert {"/api/v1/audit", "/api/v1/audit/export"} <= allowed
        assert all(each.startswith("/api/v1/audit") for each in allowed)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/auth/permissions", None),
        ("GET", "/auth/roles", None),
        ("GET", "/auth/roles/r-admin", None),
        ("POST", "/auth/roles", {"id": "r-x", "permissions": ["person:read"]}),
        ("PATCH", "/auth/roles/r-x", {"description": "x"}),
        ("DELETE", "/auth/roles/r-x", None),
        ("GET", "/auth/grants", None),
        ("POST", "/auth/grants", {"role": "r-admin", "person": "alice", "scope": "provisioner:x"}),
        ("DELETE", "/auth/grants/x", None),
    ],
)
async def test_roles_are_for_those_who_may_read_or_change_them(method, path, body):
    async with server_world() as world:
        alice = await world.token("alice", "idm_admins")
        status, problem = await world.call(method, path, body, token=alice)
        assert (status, problem["code"]) == (403, "not_permitted")
