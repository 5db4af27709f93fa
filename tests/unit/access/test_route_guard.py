"""A route's permission is judged by the caller and the path; a refusal leaves a row that names both."""

import json

import pytest

from sealwright.access import (
    Actor,
    Permission,
    Permissions,
    Role,
    RouteGuard,
    Scope,
    ScopeKind,
    permission_of_route,
    permissions_of,
)
from sealwright.errors import NotPermitted
from sealwright.http import Request
from tests.unit.identity.world import sqlite_world

VIEWER = Actor("person", "v1", "vera", permissions_of([Role.VIEWER]))


def asked(path, **parameters):
    return Request("PATCH", path, body=b"not read", path_parameters=parameters)


async def refused(world, actor, access, request):
    with pytest.raises(NotPermitted):
        await RouteGuard(world.db, world.audit).require(actor, access, request)
    (row, *_) = await world.audit.newest(world.db)
    return row


@pytest.mark.parametrize(
    ("path", "parameters", "target"),
    [
        ("/api/v1/persons/alice/validity", {"name": "alice"}, "person:alice"),
        ("/api/v1/oauth2/clients/app/keys/k1", {"name": "app", "key": "k1"}, "client:app"),
        ("/ui/people/alice/second-factors", {"name": "alice"}, "person:alice"),
        ("/ui/people/alice/roles/g1/withdraw", {"name": "alice", "grant": "g1"}, "person:alice"),
        ("/ui/identity-providers/p1/edit", {"id": "p1"}, "oidc_provider:p1"),
        ("/api/v1/persons/per\nsons", {"name": "per\nsons"}, "person:per?sons"),
        ("/api/v1/persons", {}, "route:PATCH /api/v1/persons"),
        ("/ui/unheard-of/x", {"name": "x"}, "route:PATCH /ui/unheard-of/x"),
    ],
)
async def test_row_of_a_refused_route_names_the_object_of_the_path(path, parameters, target):
    async with sqlite_world() as world:
        row = await refused(world, VIEWER, "person:write", asked(path, **parameters))
        assert (row.event, row.outcome, row.target) == ("access.refused", "refused", target)
        assert json.loads(row.details)["reason"] == "vera does not have the permission person:write."
        assert "\n" not in row.details


async def test_permission_within_a_scope_opens_the_route_and_the_object_decides_later():
    scope = Scope(ScopeKind.ISSUER, "i1")
    within = Actor("person", "s1", "sam", Permissions.within(frozenset({Permission.CERTIFICATE_REVOKE}), scope))
    async with sqlite_world() as world:
        guard = RouteGuard(world.db, world.audit)
        await guard.require(within, "certificate:revoke", asked("/api/v1/certificates/00/revoke", serial="00"))
        row = await refused(world, within, "certificate:read", asked("/api/v1/certificates"))
        assert row.event == "access.refused"


async def test_routes_that_name_no_permission_are_decided_elsewhere():
    assert permission_of_route("signed in: what is one's own; for others person:read") is None
    assert permission_of_route("public: no one is signed in yet") is None
    async with sqlite_world() as world:
        before = len(await world.events())
        await RouteGuard(world.db, world.audit).require(VIEWER, "signed in: what is one's own", asked("/api/v1/whoami"))
        assert len(await world.events()) == before
