"""The permissions of each role, and the check whether an actor holds one. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sealwright.access.errors import BeyondOwnAuthority
from sealwright.access.models import Actor, Permission, Role
from sealwright.errors import NotPermitted

_P = Permission

ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.PEOPLE_ADMINISTRATOR: frozenset({_P.PERSON_READ, _P.PERSON_WRITE, _P.GROUP_READ, _P.SESSION_READ, _P.SESSION_REVOKE}),
    Role.GROUP_ADMINISTRATOR: frozenset({_P.PERSON_READ, _P.GROUP_READ, _P.GROUP_WRITE}),
    Role.CLIENT_ADMINISTRATOR: frozenset({_P.GROUP_READ, _P.CLIENT_READ, _P.CLIENT_WRITE}),
    Role.CA_ADMINISTRATOR: frozenset(
        {
            _P.PROVISIONER_READ,
            _P.PROVISIONER_WRITE,
            _P.CERTIFICATE_READ,
            _P.CERTIFICATE_REVOKE,
            _P.CERTIFICATE_ISSUE_ANY_NAME,
        }
    ),
    Role.AUDITOR: frozenset({_P.AUDIT_READ, _P.CERTIFICATE_READ}),
}

ALL_PERSONS = "idm_all_persons"
"""The built-in group that every person is in, from their creation to their deletion. It confers nothing by itself."""
ALL_ACCOUNTS = "idm_all_accounts"
"""The built-in group that every account is in: people, services and the built-in administrators. It confers nothing by itself."""
DYNAMIC_GROUPS = frozenset({ALL_PERSONS, ALL_ACCOUNTS})
"""Groups whose members are computed and not stored, so that no one is added or removed by hand."""

BUILTIN_GROUPS: Mapping[str, tuple[str, tuple[Role, ...]]] = {
    "system_admins": ("Administrators of this server", (Role.ADMINISTRATOR,)),
    "idm_admins": (
        "Administrators of people, groups and clients",
        (Role.PEOPLE_ADMINISTRATOR, Role.GROUP_ADMINISTRATOR, Role.CLIENT_ADMINISTRATOR),
    ),
    "idm_people_admins": ("May create and change people", (Role.PEOPLE_ADMINISTRATOR,)),
    "idm_group_admins": ("May create and change groups", (Role.GROUP_ADMINISTRATOR,)),
    "idm_oauth2_admins": ("May create and change OAuth clients", (Role.CLIENT_ADMINISTRATOR,)),
    "ca_admins": ("May change provisioners, have any name certified, and revoke certificates", (Role.CA_ADMINISTRATOR,)),
    "auditors": ("May read the audit record and the inventory", (Role.AUDITOR,)),
    ALL_PERSONS: ("Every person, always", ()),
    ALL_ACCOUNTS: ("Every account, always", ()),
}
"""Name → description and roles. They exist from the first start and cannot be deleted."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """The union of what the roles allow. No role, no permission."""
    allowed: set[Permission] = set()
    for role in roles:
        allowed |= ROLES[role]
    return frozenset(allowed)


def require(actor: Actor, permission: Permission) -> None:
    """Raise NotPermitted unless `actor` holds `permission`."""
    if permission not in actor.permissions:
        raise NotPermitted(
            f"{actor.name or 'An unknown caller'} does not have the permission {permission}.",
            reasons=(f"{permission} is held by members of {', '.join(holders_of(permission))}",),
            hint="Sign in as someone who has it, or ask an administrator to add you to one of these groups.",
        )


def require_at_least(actor: Actor, held: frozenset[Permission], what: str) -> None:
    """Raise BeyondOwnAuthority unless `actor` holds every permission in `held`. `what` finishes the sentence."""
    missing = sorted(held - actor.permissions)
    if missing:
        raise BeyondOwnAuthority(
            f"{actor.name or 'An unknown caller'} may not {what}.",
            reasons=(f"that needs every permission it carries; missing: {', '.join(missing)}",),
            hint="Ask someone who holds these permissions.",
        )


def holders_of(permission: Permission) -> list[str]:
    """The built-in groups whose members hold `permission`."""
    return [group for group, (_, roles) in BUILTIN_GROUPS.items() if permission in permissions_of(roles)]
