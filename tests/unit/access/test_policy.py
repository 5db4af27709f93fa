"""Who may do what: roles, what they carry, and the refusals that say whom to ask."""

import pytest

from sealwright.access import (
    ALL_PERSONS,
    BUILTIN_GROUPS,
    NO_PERMISSIONS,
    ROLES,
    SYSTEM,
    Actor,
    BeyondOwnAuthority,
    Permission,
    Role,
    anonymous,
    permissions_of,
    require,
    require_at_least,
)
from sealwright.access.policy import holders_of
from sealwright.errors import NotPermitted

AUDITOR = Actor("person", "a1", "ann", permissions_of([Role.AUDITOR]))


def test_viewers_and_what_builds_on_them_write_nothing():
    for role in (Role.VIEWER, Role.MCP, Role.AGENT, Role.INVENTORY_READER):
        assert all(each.endswith(":read") for each in ROLES[role].permissions)


def test_auditor_reads_and_exports_the_record_and_nothing_else():
    assert ROLES[Role.AUDITOR].permissions == {Permission.AUDIT_READ, Permission.AUDIT_EXPORT}


def test_no_role_carries_no_permission():
    assert permissions_of([]) == NO_PERMISSIONS


def test_several_roles_carry_what_each_of_them_carries():
    both = permissions_of([Role.AUDITOR, Role.CLIENT_ADMINISTRATOR])
    assert both.everywhere == ROLES[Role.AUDITOR].permissions | ROLES[Role.CLIENT_ADMINISTRATOR].permissions


def test_only_administrators_hold_every_permission_and_only_they_change_issuers():
    assert [role for role in Role if ROLES[role].permissions == frozenset(Permission)] == [Role.ADMINISTRATOR]
    assert holders_of(Permission.ISSUER_WRITE) == ["system_admins"]


@pytest.mark.parametrize("role", [Role.PEOPLE_ADMINISTRATOR, Role.GROUP_ADMINISTRATOR, Role.CLIENT_ADMINISTRATOR])
def test_administrators_of_people_groups_and_clients_have_no_say_over_certificates(role):
    assert not [each for each in ROLES[role].permissions if each.startswith(("certificate:", "provisioner:", "issuer:"))]


def test_every_permission_is_held_by_some_builtin_group():
    assert [each for each in Permission if not holders_of(each)] == []


def test_group_of_every_person_confers_nothing():
    assert BUILTIN_GROUPS[ALL_PERSONS][1] == ()


def test_permission_that_is_held_is_enough():
    require(AUDITOR, Permission.AUDIT_READ)
    require(SYSTEM, Permission.ISSUER_WRITE)
    with pytest.raises(NotPermitted):
        require(AUDITOR, Permission.PERSON_READ)


def test_refusal_names_the_permission_and_the_groups_that_have_it():
    with pytest.raises(NotPermitted) as caught:
        require(AUDITOR, Permission.CLIENT_WRITE)
    assert caught.value.detail == "ann does not have the permission client:write."
    assert caught.value.reasons == ("client:write is held by members of system_admins, idm_admins, idm_oauth2_admins",)
    assert "ask an administrator" in caught.value.hint


@pytest.mark.parametrize("permission", Permission)
def test_no_one_holds_nothing(permission):
    with pytest.raises(NotPermitted, match="An unknown caller"):
        require(anonymous("192.0.2.1"), permission)


def test_no_one_gives_more_than_they_hold_and_is_told_what_is_missing():
    require_at_least(AUDITOR, permissions_of([Role.AUDITOR]), "add a member to auditors")
    with pytest.raises(BeyondOwnAuthority) as caught:
        require_at_least(AUDITOR, permissions_of([Role.CA_ADMINISTRATOR]), "add a member to ca_admins")
    assert caught.value.detail == "ann may not add a member to ca_admins."
    held = "certificate:issue-any-name, certificate:read, certificate:revoke, profile:read, profile:write"
    missing = f"{held}, provisioner:read, provisioner:write"
    assert caught.value.reasons == (f"that needs every permission it carries; missing: {missing}",)
