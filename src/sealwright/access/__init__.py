"""May this actor do this?

Owns: actors, permissions, roles, scopes, and who was granted which role. Never knows how an actor proved who it is.
"""

from __future__ import annotations

from sealwright.access.current import require_current
from sealwright.access.errors import BeyondOwnAuthority, PersonNeeded
from sealwright.access.models import (
    BUILTIN_SOURCE,
    MANUAL_SOURCE,
    NO_PERMISSIONS,
    PROVIDER_SOURCE,
    SYSTEM,
    Actor,
    CustomRole,
    Permission,
    Permissions,
    Role,
    RoleGrant,
    Scope,
    ScopeKind,
    anonymous,
)
from sealwright.access.named import NamedAuthorities, NamedAuthority, NameKind, nothing_named, require_over_names
from sealwright.access.policy import (
    ALL_ACCOUNTS,
    ALL_PERSONS,
    BUILTIN_GROUPS,
    DYNAMIC_GROUPS,
    ROLES,
    PermissionDecision,
    RoleContents,
    decide,
    holders_of,
    permissions_of,
    require,
    require_at_least,
    require_in_person,
)
from sealwright.access.route_guard import OBJECTS, RouteGuard, permission_of_route
from sealwright.access.store import (
    accounts_with_role,
    joined_groups,
    permissions_in_any_session,
    permissions_named,
    permissions_of_account,
    permissions_of_group,
    seed_builtin_groups,
)

__all__ = [
    "ALL_ACCOUNTS",
    "ALL_PERSONS",
    "BUILTIN_GROUPS",
    "BUILTIN_SOURCE",
    "DYNAMIC_GROUPS",
    "MANUAL_SOURCE",
    "NO_PERMISSIONS",
    "OBJECTS",
    "PROVIDER_SOURCE",
    "ROLES",
    "SYSTEM",
    "Actor",
    "BeyondOwnAuthority",
    "CustomRole",
    "NameKind",
    "NamedAuthorities",
    "NamedAuthority",
    "Permission",
    "PermissionDecision",
    "Permissions",
    "PersonNeeded",
    "Role",
    "RoleContents",
    "RoleGrant",
    "RouteGuard",
    "Scope",
    "ScopeKind",
    "accounts_with_role",
    "anonymous",
    "decide",
    "holders_of",
    "joined_groups",
    "nothing_named",
    "permission_of_route",
    "permissions_in_any_session",
    "permissions_named",
    "permissions_of",
    "permissions_of_account",
    "permissions_of_group",
    "require",
    "require_at_least",
    "require_current",
    "require_in_person",
    "require_over_names",
    "seed_builtin_groups",
]
