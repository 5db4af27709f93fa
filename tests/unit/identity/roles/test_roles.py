"""Roles that administrators make and grant: to accounts and groups, within scopes, until an end; never more than one holds."""

import json
from datetime import timedelta

import pytest

from sealwright.access import MANUAL_SOURCE, SYSTEM, Permission, Permissions, Role, Scope, ScopeKind, permissions_of
from sealwright.audit import Event
from sealwright.clock import after
from sealwright.errors import NotPermitted
from sealwright.identity import (
    AlreadyGranted,
    BuiltIn,
    GrantNotFound,
    LastAdministrator,
    NotByHand,
    RoleInUse,
    RoleNotFound,
    RoleRefused,
    RoleTaken,
)
from tests.unit.identity.world import sqlite_world

pytestmark = pytest.mark.anyio
WEB = Scope(ScopeKind.PROVISIONER, "web")
READ, REVOKE = Permission.CERTIFICATE_READ, Permission.CERTIFICATE_REVOKE


async def held(world, name):
    """What the person may do at their next request."""
    return (await world.signed_in(name)).signed_in.actor.permissions


async def test_role_granted_to_a_person_is_in_force_at_their_next_request_and_gone_when_it_is_withdrawn():
    async with sqlite_world() as world:
        await world.person("alice")
        made = await world.roles.grant("r-operator", person="alice", actor=SYSTEM)
        assert await held(world, "alice") == permissions_of([Role.OPERATOR])
        await world.roles.withdraw(made.grant.id, actor=SYSTEM)
        assert (await held(world, "alice")).everywhere == frozenset()


async def test_role_granted_to_a_group_is_held_by_members_of_nested_groups():
    async with sqlite_world() as world:
        await world.person("alice")
        for name in ("outer", "inner"):
            await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members("outer", ["inner"], actor=SYSTEM)
        await world.directory.add_members("inner", ["alice"], actor=SYSTEM)
        await world.roles.grant("r-viewer", group="outer", actor=SYSTEM)
        assert await held(world, "alice") == permissions_of([Role.VIEWER])


async def test_grant_within_a_scope_allows_nothing_outside_of_it():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.roles.grant("r-operator", person="alice", scope=WEB, actor=SYSTEM)
        permissions = await held(world, "alice")
        assert permissions.everywhere == frozenset()
        assert permissions.holds(REVOKE, [WEB])
        assert not permissions.holds(REVOKE, [Scope(ScopeKind.PROVISIONER, "other")])
        assert not permissions.holds(REVOKE, [Scope(ScopeKind.ISSUER, "web")])


async def test_grant_ends_at_its_end():
    async with sqlite_world() as world:
        await world.person("alice")
        end = after(world.clock.now(), timedelta(hours=1))
        await world.roles.grant("r-viewer", person="alice", expires_at=end, actor=SYSTEM)
        world.clock.advance(timedelta(minutes=59))
        assert (await held(world, "alice")).holds(READ)
        world.clock.advance(timedelta(minutes=1))
        assert not (await held(world, "alice")).holds(READ)


async def test_grant_that_has_ended_can_be_made_anew_but_not_twice():
    async with sqlite_world() as world:
        await world.person("alice")
        roles, end = world.roles, after(world.clock.now(), timedelta(hours=1))
        await roles.grant("r-viewer", person="alice", expires_at=end, actor=SYSTEM)
        with pytest.raises(AlreadyGranted):
            await roles.grant("r-viewer", person="alice", actor=SYSTEM)
        world.clock.advance(timedelta(hours=1))
        await roles.grant("r-viewer", person="alice", actor=SYSTEM)


async def test_role_of_ones_own_making_allows_what_it_lists_and_changes_at_once():
    async with sqlite_world() as world:
        await world.person("alice")
        roles = world.roles
        await roles.create("r-helpdesk", description="Help desk", permissions=["person:read", "session:revoke"], actor=SYSTEM)
        await roles.grant("r-helpdesk", person="alice", actor=SYSTEM)
        assert (await held(world, "alice")).everywhere == {Permission.PERSON_READ, Permission.SESSION_REVOKE}
        await roles.change("r-helpdesk", permissions=["person:read"], actor=SYSTEM)
        assert (await held(world, "alice")).everywhere == {Permission.PERSON_READ}


async def test_role_that_someone_holds_is_not_deleted():
    async with sqlite_world() as world:
        await world.person("alice")
        roles = world.roles
        await roles.create("r-helpdesk", description="", permissions=["person:read"], actor=SYSTEM)
        made = await roles.grant("r-helpdesk", person="alice", actor=SYSTEM)
        with pytest.raises(RoleInUse, match="alice"):
            await roles.delete("r-helpdesk", actor=SYSTEM)
        await roles.withdraw(made.grant.id, actor=SYSTEM)
        await roles.delete("r-helpdesk", actor=SYSTEM)
        with pytest.raises(RoleNotFound):
            await roles.find("r-helpdesk", actor=SYSTEM)


@pytest.mark.parametrize("role", ["r-admin", "r-ca-admin"])
async def test_no_one_grants_more_than_they_hold(role):
    async with sqlite_world() as world:
        await world.person("mallory")
        roles = world.roles
        await roles.create("r-granter", description="", permissions=["role:read", "role:write", "certificate:read"], actor=SYSTEM)
        await roles.grant("r-granter", person="mallory", actor=SYSTEM)
        mallory = (await world.signed_in("mallory")).signed_in.actor
        for attempt in (
            lambda: roles.grant(role, person="mallory", actor=mallory),
            lambda: roles.grant(role, person="mallory", scope=WEB, actor=mallory),
            lambda: roles.create("r-mine", description="", permissions=["certificate:revoke"], actor=mallory),
            lambda: roles.change("r-granter", permissions=[str(each) for each in Permission], actor=mallory),
        ):
            with pytest.raises(NotPermitted):
                await attempt()
        await roles.grant("r-inventory", person="mallory", actor=mallory)
        assert (Event.ROLE_GRANTED, "refused") in [(event, outcome) for event, outcome, _ in await world.events()]


async def test_role_held_within_a_scope_is_granted_within_that_scope_only():
    async with sqlite_world() as world:
        await world.person("ann")
        await world.person("bob")
        roles = world.roles
        ann = (await world.directory.find("ann")).as_actor(
            permissions=Permissions(frozenset({Permission.ROLE_WRITE}), Permissions.within(frozenset({READ}), WEB).scoped)
        )
        with pytest.raises(NotPermitted):
            await roles.grant("r-inventory", person="bob", actor=ann)
        made = await roles.grant("r-inventory", person="bob", scope=WEB, actor=ann)
        assert made.grant.source == MANUAL_SOURCE


async def test_last_administrator_does_not_lose_the_role_and_a_grant_with_an_end_does_not_count():
    async with sqlite_world() as world:
        await world.person("chief")
        roles = world.roles
        made = await roles.grant("r-admin", person="chief", actor=SYSTEM)
        await world.person("deputy")
        end = after(world.clock.now(), timedelta(hours=1))
        await roles.grant("r-admin", person="deputy", expires_at=end, actor=SYSTEM)
        with pytest.raises(LastAdministrator):
            await roles.withdraw(made.grant.id, actor=SYSTEM)


@pytest.mark.parametrize("role", ["admin", "r-", "r-Admin", "r-é", "r-" + "a" * 62, "r-a b", ""])
async def test_id_of_a_role_has_one_form(role):
    async with sqlite_world() as world:
        with pytest.raises(RoleRefused):
            await world.roles.create(role, description="", permissions=["person:read"], actor=SYSTEM)


async def test_refusals_name_what_is_wrong():
    async with sqlite_world() as world:
        await world.person("alice")
        roles = world.roles
        with pytest.raises(RoleRefused, match="'person:fly' is not a permission"):
            await roles.create("r-x", description="", permissions=["person:read", "person:fly"], actor=SYSTEM)
        with pytest.raises(RoleRefused, match="at least one"):
            await roles.create("r-x", description="", permissions=[], actor=SYSTEM)
        with pytest.raises(RoleTaken):
            await roles.create("r-admin", description="", permissions=["person:read"], actor=SYSTEM)
        with pytest.raises(BuiltIn):
            await roles.change("r-admin", permissions=["person:read"], actor=SYSTEM)
        with pytest.raises(BuiltIn):
            await roles.grant("r-viewer", group="idm_all_persons", actor=SYSTEM)
        await world.directory.create_group("everyone", actor=SYSTEM)
        await world.directory.add_members("everyone", ["idm_all_persons"], actor=SYSTEM)
        with pytest.raises(BuiltIn):
            await roles.grant("r-viewer", group="everyone", actor=SYSTEM)
        with pytest.raises(RoleNotFound):
            await roles.grant("r-nothing", person="alice", actor=SYSTEM)
        with pytest.raises(RoleRefused, match="one of the two"):
            await roles.grant("r-viewer", person="alice", group="auditors", actor=SYSTEM)
        with pytest.raises(RoleRefused, match="ended already"):
            await roles.grant("r-viewer", person="alice", expires_at=world.clock.now(), actor=SYSTEM)
        with pytest.raises(GrantNotFound):
            await roles.withdraw("nothing", actor=SYSTEM)
        with pytest.raises(NotByHand):
            await roles.withdraw("r-admin:system_admins", actor=SYSTEM)


async def test_grants_of_a_deleted_person_are_gone():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.roles.grant("r-viewer", person="alice", actor=SYSTEM)
        await world.directory.delete("alice", actor=SYSTEM)
        assert await world.roles.list_grants(role="r-viewer", at_most=10, actor=SYSTEM) == []


async def test_what_is_done_to_roles_is_recorded():
    async with sqlite_world() as world:
        await world.person("alice")
        roles = world.roles
        await roles.create("r-x", description="", permissions=["person:read"], actor=SYSTEM)
        made = await roles.grant("r-x", person="alice", scope=WEB, actor=SYSTEM)
        await roles.change("r-x", permissions=["group:read"], actor=SYSTEM)
        await roles.withdraw(made.grant.id, actor=SYSTEM)
        await roles.delete("r-x", actor=SYSTEM)
        found = [
            (event, json.loads(details)) for event, _, details in reversed(await world.events()) if event.startswith("role.")
        ]
        assert [event for event, _ in found] == [
            "role.created",
            "role.granted",
            "role.changed",
            "role.withdrawn",
            "role.deleted",
        ]
        assert found[1][1]["scope"] == "provisioner:web"
        assert found[2][1] == {
            "added": ["group:read"],
            "removed": ["person:read"],
            "changes": {"permissions": {"old": ["person:read"], "new": ["group:read"]}},
        }
