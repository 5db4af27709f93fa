"""Every role on every route: found from the routes themselves, so that a new one is asked as well."""

from __future__ import annotations

import re

import pytest

from sealwright.access import OBJECTS, ROLES, SYSTEM, Permission, Role, permission_of_route
from sealwright.api import operations
from sealwright.api.operations import OWN
from sealwright.app.routes import serve_all
from sealwright.http import Peer, Request, Route, Wire
from sealwright.identity import SESSION_COOKIE, SessionKind
from tests.unit.api.test_phases import query_for, serial
from tests.unit.api.world import PEOPLE, server_world

SEVEN = (Role.ADMINISTRATOR, Role.OPERATOR, Role.VIEWER, Role.AGENT, Role.MCP, Role.CLI, Role.AUDITOR)
NO_ROLE = None
UNREADABLE = b"{"
"""A body that no operation takes: who gets as far as to hear that was permitted."""


async def token_of(world, role, kind=SessionKind.TERMINAL):
    """The token of a new person who holds this role and nothing else."""
    token = await world.token("pat", kind=kind)
    if role is not NO_ROLE:
        await world.roles.grant(str(role), person="pat", actor=SYSTEM)
    return token


def permitted(role, permission):
    return role is not NO_ROLE and permission in ROLES[role].permissions


@pytest.mark.parametrize("role", [*SEVEN, NO_ROLE])
async def test_each_role_passes_exactly_the_routes_of_its_permissions_before_any_body_is_read(role):
    async with server_world() as world:
        token = await token_of(world, role)
        asked = 0
        for operation in operations(world.api_dependencies):
            permission = permission_of_route(operation.access)
            if permission is None:
                continue
            body = UNREADABLE if operation.accepts is not None else None
            status, problem = await world.call(
                operation.method,
                serial(operation.path).replace("idm_admin", "no-such-thing"),
                body,
                token=token,
                query=query_for(operation.name),
                headers={"content-type": "text/plain"} if body else None,
            )
            asked += 1
            if permitted(role, permission):
                assert status != 403, (operation.name, problem)
                assert body is None or (status, problem["code"]) == (415, "wrong_content_type"), operation.name
            else:
                assert (operation.name, status, problem["code"]) == (operation.name, 403, "not_permitted")
                assert str(permission) in problem["detail"]
        assert asked > 80


@pytest.mark.parametrize("role", [*SEVEN, NO_ROLE])
async def test_route_of_what_is_ones_own_refuses_others_before_any_body_is_read(role):
    async with server_world() as world:
        token = await token_of(world, role)
        asked = 0
        for operation in operations(world.api_dependencies):
            if not operation.access.startswith(f"{OWN}; for others ") or operation.accepts is None:
                continue
            (needed,) = operation.permissions
            headers = {"content-type": "text/plain"}
            status, problem = await world.call(operation.method, serial(operation.path), UNREADABLE, token=token, headers=headers)
            asked += 1
            if permitted(role, needed):
                assert (operation.name, status, problem["code"]) == (operation.name, 415, "wrong_content_type")
                continue
            assert (operation.name, status, problem["code"]) == (operation.name, 403, "not_permitted")
            (row, *_) = await world.audit.newest(world.db)
            assert (row.event, row.outcome, row.actor_name) == ("access.refused", "refused", "pat"), operation.name
        assert asked >= 8


async def test_body_for_what_is_ones_own_is_read_without_a_permission():
    async with server_world() as world:
        token = await token_of(world, NO_ROLE)
        await world.directory.create_group("team", managed_by="pat", actor=SYSTEM)
        for method, path in (("PATCH", "/persons/pat/profile"), ("PATCH", "/groups/team"), ("PUT", "/groups/team/members")):
            headers = {"content-type": "text/plain"}
            status, problem = await world.call(method, path, UNREADABLE, token=token, headers=headers)
            assert (path, status, problem["code"]) == (path, 415, "wrong_content_type")


@pytest.mark.parametrize("role", [*SEVEN, NO_ROLE])
async def test_each_role_sees_exactly_the_pages_of_its_permissions(role):
    async with server_world() as world:
        token = await token_of(world, role, SessionKind.BROWSER)
        asked = 0
        for route in pages(world):
            permission = permission_of_route(route.access)
            if permission is None or route.method != "GET":
                continue
            path = re.sub(r"\{\w+\}", "no-such-thing", route.path)
            headers = {"cookie": f"{SESSION_COOKIE}={token}", "accept": "text/html"}
            response = await world.answer(PEOPLE, Request("GET", path, headers=headers, peer=Peer("192.0.2.1")))
            assert (path, response.status == 403) == (path, not permitted(role, permission))
            asked += 1
        assert asked >= 2


def pages(world) -> list[Route]:
    return [route for route in serve_all(world.app.parts).routes if route.wire is Wire.PAGE]


async def test_auditor_reads_and_exports_the_record_and_is_refused_everything_else():
    async with server_world() as world:
        token = await token_of(world, Role.AUDITOR)
        opened = set()
        for operation in operations(world.api_dependencies):
            if permission_of_route(operation.access) is None:
                continue
            status, _ = await world.call(operation.method, serial(operation.path), token=token, query=query_for(operation.name))
            if status != 403:
                opened.add(f"{operation.method} {operation.path}")
        audit = {Permission.AUDIT_READ, Permission.AUDIT_EXPORT}
        assert opened == {
            f"{each.method} {each.path}"
            for each in operations(world.api_dependencies)
            if permission_of_route(each.access) in audit
        }
        assert all(each.startswith("GET /audit") for each in opened)


async def test_no_page_of_a_permission_is_shown_without_a_session():
    async with server_world() as world:
        for route in pages(world):
            if permission_of_route(route.access) is None or route.method != "GET":
                continue
            path = re.sub(r"\{\w+\}", "no-such-thing", route.path)
            response = await world.answer(PEOPLE, Request("GET", path, peer=Peer("192.0.2.1")))
            assert response.status == 303
            assert dict(response.headers)["location"].startswith("/ui/sign-in")


async def test_refused_route_leaves_a_row_whose_target_comes_from_the_path():
    async with server_world() as world:
        token = await token_of(world, Role.VIEWER)
        body = {"display_name": "person:someone-else"}
        assert (await world.call("PATCH", "/persons/alice", body, token=token))[0] == 403
        (row, *_) = await world.audit.newest(world.db)
        assert (row.event, row.outcome, row.actor_name, row.target) == ("access.refused", "refused", "pat", "person:alice")
        assert "someone-else" not in row.details


async def test_every_object_in_a_path_has_a_name_for_the_record():
    async with server_world() as world:
        nouns = {
            route.path.partition("/{")[0].rpartition("/")[2]
            for route in world.api_routes
            if permission_of_route(route.access) and "{" in route.path
        }
        assert nouns <= set(OBJECTS)
        assert {str(permission_of_route(route.access)) for route in world.api_routes} & set(map(str, Permission))
