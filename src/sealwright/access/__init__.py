"""May this actor do this?

Owns: actors, permissions, roles and which group holds which role. Never knows how an actor proved who it is.
"""

from __future__ import annotations

from sealwright.access.errors import BeyondOwnAuthority
from sealwright.access.models import SYSTEM, Actor, Permission, Role, anonymous
from sealwright.access.named import NamedAuthorities, NamedAuthority, NameKind, nothing_named, require_over_names
from sealwright.access.policy import (
    ALL_ACCOUNTS,
    ALL_PERSONS,
    BUILTIN_GROUPS,
    DYNAMIC_GROUPS,
    ROLES,
    permissions_of,
    require,
    require_at_least,
)
from sealwright.access.store import accounts_with_role, joined_groups, roles_of_account, roles_of_group, seed_builtin_groups

__all__ = [
    "ALL_ACCOUNTS",
    "ALL_PERSONS",
    "BUILTIN_GROUPS",
    "DYNAMIC_GROUPS",
    "ROLES",
    "SYSTEM",
    "Actor",
    "BeyondOwnAuthority",
    "NameKind",
    "NamedAuthorities",
    "NamedAuthority",
    "Permission",
    "Role",
    "accounts_with_role",
    "anonymous",
    "joined_groups",
    "nothing_named",
    "permissions_of",
    "require",
    "require_at_least",
    "require_over_names",
    "roles_of_account",
    "roles_of_group",
    "seed_builtin_groups",
]
