"""The permissions of each role, and the check whether an actor holds one. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sealwright.access.errors import BeyondOwnAuthority, PersonNeeded
from sealwright.access.models import Actor, Permission, Permissions, Role, Scope
from sealwright.errors import Action, NotPermitted, Remedy
from sealwright.traces import span

_P = Permission
_INVENTORY = frozenset({_P.CERTIFICATE_READ})
_READING = frozenset(
    {
        _P.PERSON_READ,
        _P.GROUP_READ,
        _P.CLIENT_READ,
        _P.PROVISIONER_READ,
        _P.PROFILE_READ,
        _P.CERTIFICATE_READ,
        _P.API_KEY_READ,
        _P.SESSION_READ,
        _P.METRICS_READ,
        _P.ROLE_READ,
        _P.OIDC_PROVIDER_READ,
        _P.APPROVAL_READ,
    }
)
_OPERATING = _READING | {_P.CERTIFICATE_REVOKE}


class RoleContents(NamedTuple):
    """What a role is for, and what it allows."""

    description: str
    permissions: frozenset[Permission]


ROLES: Mapping[Role, RoleContents] = {
    Role.ADMINISTRATOR: RoleContents("Everything", frozenset(Permission)),
    Role.OPERATOR: RoleContents("Reads everything but the audit record, and revokes certificates", _OPERATING),
    Role.VIEWER: RoleContents("Reads everything but the audit record", _READING),
    Role.AGENT: RoleContents("Programs that keep certificates fresh: they read the inventory", _INVENTORY),
    Role.MCP: RoleContents("Assistants: they read what a viewer reads", _READING),
    Role.CLI: RoleContents("Scripts at a terminal: what an operator may do", _OPERATING),
    Role.AUDITOR: RoleContents(
        "Reads and exports the audit record, and nothing else", frozenset({_P.AUDIT_READ, _P.AUDIT_EXPORT})
    ),
    Role.PEOPLE_ADMINISTRATOR: RoleContents(
        "Creates and changes people",
        frozenset(
            {
                _P.PERSON_READ,
                _P.PERSON_WRITE,
                _P.GROUP_READ,
                _P.SESSION_READ,
                _P.SESSION_REVOKE,
                _P.API_KEY_READ,
                _P.API_KEY_WRITE,
            }
        ),
    ),
    Role.GROUP_ADMINISTRATOR: RoleContents(
        "Creates and changes groups", frozenset({_P.PERSON_READ, _P.GROUP_READ, _P.GROUP_WRITE})
    ),
    Role.CLIENT_ADMINISTRATOR: RoleContents(
        "Creates and changes OAuth clients", frozenset({_P.GROUP_READ, _P.CLIENT_READ, _P.CLIENT_WRITE})
    ),
    Role.CA_ADMINISTRATOR: RoleContents(
        "Changes provisioners and profiles, has any name certified, and revokes certificates",
        frozenset(
            {
                _P.PROFILE_READ,
                _P.PROFILE_WRITE,
                _P.PROVISIONER_READ,
                _P.PROVISIONER_WRITE,
                _P.CERTIFICATE_READ,
                _P.CERTIFICATE_REVOKE,
                _P.CERTIFICATE_ISSUE_ANY_NAME,
            }
        ),
    ),
    Role.INVENTORY_READER: RoleContents("Reads the inventory of certificates", _INVENTORY),
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
    "ca_admins": (
        "May change provisioners and profiles, have any name certified, and revoke certificates",
        (Role.CA_ADMINISTRATOR,),
    ),
    "auditors": ("May read the audit record and the inventory", (Role.AUDITOR, Role.INVENTORY_READER)),
    ALL_PERSONS: ("Every person, always", ()),
    ALL_ACCOUNTS: ("Every account, always", ()),
}
"""Name → description and roles. They exist from the first start and cannot be deleted."""


class PermissionDecision(NamedTuple):
    """Whether something is allowed, and the rules that decided, in words."""

    allowed: bool
    reasons: tuple[str, ...]


def permissions_of(roles: Iterable[Role]) -> Permissions:
    """What someone may do who holds the roles everywhere: no role, no permission."""
    return Permissions(frozenset[Permission]().union(*(ROLES[role].permissions for role in roles)))


def decide(actor: Actor, permission: Permission, scopes: Collection[Scope] = ()) -> PermissionDecision:
    """Whether `actor` may do what `permission` allows to an object that belongs to `scopes`."""
    if actor.holds(permission, scopes):
        return PermissionDecision(allowed=True, reasons=(f"{actor.name} holds {permission}",))
    reasons = [f"{permission} is held by members of {', '.join(holders_of(permission))}"]
    held_within = sorted(map(str, actor.permissions.scopes_of(permission)))
    if held_within:
        reasons.append(f"{actor.name} holds it within {', '.join(held_within)} only")
    return PermissionDecision(allowed=False, reasons=tuple(reasons))


def require(actor: Actor, permission: Permission, scopes: Collection[Scope] = ()) -> None:
    """Raise NotPermitted unless `actor` may do what `permission` allows to an object that belongs to `scopes`."""
    with span("policy decision") as part:
        part.set_attribute("sealwright.permission", permission)
        decision = decide(actor, permission, scopes)
        part.set_attribute("sealwright.allowed", decision.allowed)
    if not decision.allowed:
        raise NotPermitted(
            f"{actor.name or 'An unknown caller'} does not have the permission {permission}.",
            reasons=decision.reasons,
            hint="Sign in as someone who has it, or ask an administrator to add you to one of these groups.",
        )


def require_at_least(actor: Actor, held: Permissions, what: str) -> None:
    """Raise BeyondOwnAuthority unless `actor` holds everything that `held` does. `what` finishes the sentence."""
    missing = held.missing_from(actor.permissions)
    if missing:
        raise BeyondOwnAuthority(
            f"{actor.name or 'An unknown caller'} may not {what}.",
            reasons=(f"that needs every permission it carries; missing: {', '.join(missing)}",),
            hint="Ask someone who holds these permissions.",
        )


def require_in_person(actor: Actor, what: str) -> None:
    """Raise PersonNeeded where a program acts by what someone let it have. `what` finishes the sentence.

    Asked wherever a way in is made or shown: a password, token, secret or key, or another's word that is taken for one. It would
    outlive what the program was let have, and go on when that is taken back.
    """
    if actor.is_in_person:
        return
    program = (
        f"An API key of {actor.name}" if actor.api_key else f"The application {actor.application}, which acts for {actor.name},"
    )
    raise PersonNeeded(
        f"{program} may not {what}.",
        reasons=("what makes or changes credentials, and what is one's own, is done by the person",),
        remedy=Remedy(Action.SIGN_IN, actor.name),
    )


def holders_of(permission: Permission) -> list[str]:
    """The built-in groups whose members hold `permission`."""
    return [group for group, (_, roles) in BUILTIN_GROUPS.items() if permissions_of(roles).holds(permission)]
