"""Actor, permission, role, and the scope within which a permission is held."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from sealwright.clock import Instant


class Permission(StrEnum):
    """`noun:verb`. Each covers all objects of its kind; access to one's own objects needs none."""

    PERSON_READ = "person:read"
    PERSON_WRITE = "person:write"
    GROUP_READ = "group:read"
    GROUP_WRITE = "group:write"
    CLIENT_READ = "client:read"
    CLIENT_WRITE = "client:write"
    PROVISIONER_READ = "provisioner:read"
    PROVISIONER_WRITE = "provisioner:write"
    PROFILE_READ = "profile:read"
    PROFILE_WRITE = "profile:write"
    ISSUER_WRITE = "issuer:write"
    CERTIFICATE_READ = "certificate:read"
    CERTIFICATE_REVOKE = "certificate:revoke"
    CERTIFICATE_ISSUE_ANY_NAME = "certificate:issue-any-name"
    """To have a certificate with any name, or to let others have one: by a provisioner, or by a name that one trusts."""
    API_KEY_READ = "api-key:read"
    API_KEY_WRITE = "api-key:write"
    SESSION_READ = "session:read"
    SESSION_REVOKE = "session:revoke"
    AUDIT_READ = "audit:read"
    AUDIT_EXPORT = "audit:export"
    AUDIT_WRITE = "audit:write"
    """To say where events are forwarded to."""
    ROLE_READ = "role:read"
    OIDC_PROVIDER_READ = "oidc-provider:read"
    OIDC_PROVIDER_WRITE = "oidc-provider:write"
    ROLE_WRITE = "role:write"
    METRICS_READ = "metrics:read"
    APPROVAL_READ = "approval:read"
    APPROVAL_WRITE = "approval:write"
    """To say what asks for approval. Who may approve is said by each rule, and needs no permission."""


_READING = frozenset({*(each for each in Permission if each.endswith(":read")), Permission.AUDIT_EXPORT})


class Role(StrEnum):
    """A built-in role: a named set of permissions. Roles that administrators make have ids of the same form."""

    ADMINISTRATOR = "r-admin"
    OPERATOR = "r-operator"
    VIEWER = "r-viewer"
    AGENT = "r-agent"
    MCP = "r-mcp"
    CLI = "r-cli"
    AUDITOR = "r-auditor"
    PEOPLE_ADMINISTRATOR = "r-people-admin"
    GROUP_ADMINISTRATOR = "r-group-admin"
    CLIENT_ADMINISTRATOR = "r-client-admin"
    CA_ADMINISTRATOR = "r-ca-admin"
    INVENTORY_READER = "r-inventory"


class ScopeKind(StrEnum):
    """What can bound a grant."""

    ISSUER = "issuer"
    PROFILE = "profile"
    PROVISIONER = "provisioner"


class Scope(Struct, frozen=True):
    """One object that bounds a grant: what belongs to it may be acted on, and nothing else."""

    kind: ScopeKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


class ScopedPermission(NamedTuple):
    """A permission that holds within a scope only."""

    permission: Permission
    scope: Scope

    def __str__(self) -> str:
        return f"{self.permission} within {self.scope}"


_NO_SCOPES: frozenset[Scope] = frozenset()


class Permissions(Struct, frozen=True):
    """What someone may do: permissions held everywhere, and permissions held within a scope."""

    everywhere: frozenset[Permission] = frozenset()
    scoped: frozenset[ScopedPermission] = frozenset()

    @classmethod
    def within(cls, permissions: frozenset[Permission], scope: Scope | None) -> Permissions:
        """These permissions within a scope; with None everywhere."""
        if scope is None:
            return cls(permissions)
        return cls(scoped=frozenset(ScopedPermission(each, scope) for each in permissions))

    def holds(self, permission: Permission, scopes: Collection[Scope] = ()) -> bool:
        """Whether `permission` is held for everything, or within one of `scopes`."""
        return permission in self.everywhere or any(ScopedPermission(permission, each) in self.scoped for each in scopes)

    def holds_somewhere(self, permission: Permission) -> bool:
        """Whether `permission` is held at all, be it within a scope."""
        return permission in self.everywhere or bool(self.scopes_of(permission))

    def scopes_of(self, permission: Permission) -> frozenset[Scope]:
        """The scopes within which `permission` is held."""
        return frozenset(each.scope for each in self.scoped if each.permission is permission) if self.scoped else _NO_SCOPES

    def only_reading(self) -> Permissions:
        """Those of them by which nothing is changed."""
        return self.only(_READING)

    def only(self, allowed: Collection[Permission]) -> Permissions:
        """Those of them that are among `allowed`."""
        return Permissions(
            self.everywhere.intersection(allowed),
            frozenset(each for each in self.scoped if each.permission in allowed) if self.scoped else self.scoped,
        )

    def also_in(self, other: Permissions) -> Permissions:
        """Those of them that `other` has, too."""
        return Permissions(
            self.everywhere & other.everywhere,
            frozenset(each for each in self.scoped if other.holds(each.permission, (each.scope,))),
        )

    def missing_from(self, other: Permissions) -> list[str]:
        """What is in these and not in `other`, in words, sorted."""
        everywhere = self.everywhere - other.everywhere
        scoped = [each for each in self.scoped if not other.holds(each.permission, (each.scope,))]
        return sorted([*map(str, everywhere), *map(str, scoped)])


NO_PERMISSIONS = Permissions()


class Actor(Struct, frozen=True):
    """The person or program on whose behalf something is done."""

    kind: str
    """``person``, ``service``, ``client``, ``node`` or ``nobody``."""
    id: str
    name: str
    permissions: Permissions = NO_PERMISSIONS
    session_id: str = ""
    address: str = ""
    """IP address of the peer, where there is one."""
    api_key: str = ""
    """Id of the API key by which the actor acts; empty where it is another credential."""
    application: str = ""
    """Name of the client whose access token the actor acts by; empty where it is another credential."""

    @property
    def is_in_person(self) -> bool:
        """Whether no program acts for the account by an API key or an access token, which it let the program have."""
        return not (self.api_key or self.application)

    def holds(self, permission: Permission, scopes: Collection[Scope] = ()) -> bool:
        """Whether the actor has `permission` for everything, or within one of `scopes`."""
        return self.permissions.holds(permission, scopes)


SYSTEM = Actor("node", "", "this server", Permissions(frozenset(Permission)))
"""The server itself, for what it does by its own schedule or from its own shell."""


def anonymous(address: str) -> Actor:
    """A peer that is not authenticated."""
    return Actor("nobody", "", "", address=address)


class CustomRole(Struct, frozen=True):
    """A role that an administrator made."""

    id: str
    description: str
    permissions: frozenset[Permission]


BUILTIN_SOURCE = "builtin"
MANUAL_SOURCE = "manual"
PROVIDER_SOURCE = "idp:"
"""What the source of a grant begins with that the groups of an identity provider gave; then comes the provider's id."""


class RoleGrant(Struct, frozen=True, kw_only=True):
    """A role that an account or the members of a group hold, perhaps within a scope, perhaps until an instant."""

    id: str
    role: str
    account_id: str | None = None
    group_id: str | None = None
    scope: Scope | None = None
    """None: for everything."""
    source: str
    """``builtin``, ``manual``, or ``idp:`` and the id of the identity provider whose groups gave it."""
    created_by: str
    created_at: Instant
    expires_at: Instant | None = None

    @classmethod
    def builtin(cls, role: Role, group_id: str, now: Instant) -> RoleGrant:
        """What a built-in group holds from the beginning."""
        return cls(
            id=f"{role}:{group_id}", role=str(role), group_id=group_id, source=BUILTIN_SOURCE, created_by="", created_at=now
        )
