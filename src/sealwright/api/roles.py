"""Roles, and who is granted them."""

from __future__ import annotations

from sealwright.access import ROLES, Permission, require
from sealwright.access.approvals import ApprovalPending
from sealwright.api.approvals import HeldView, held
from sealwright.api.json_types import Description, Moment, RequestBody, ResponseBody, instant_of, moment
from sealwright.api.operations import Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.ca import Issuers, ProfileRegistry, ProvisionerRegistry
from sealwright.grant_scopes import GrantScopes
from sealwright.http import Response
from sealwright.identity import GrantHolder, KnownRole, Roles

_READ, _WRITE = str(Permission.ROLE_READ), str(Permission.ROLE_WRITE)
_ALL, _ONE = "/auth/roles", "/auth/roles/{role}"


class RoleBody(RequestBody, frozen=True, kw_only=True):
    """A new role."""

    id: str
    """Begins with ``r-``."""
    description: Description = ""
    permissions: tuple[str, ...]


class RoleChange(RequestBody, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    description: Description | None = None
    permissions: tuple[str, ...] | None = None


class RoleView(ResponseBody, frozen=True, kw_only=True):
    """A role."""

    id: str
    description: str
    builtin: bool
    permissions: list[str]


class RolePage(ResponseBody, frozen=True, kw_only=True):
    """Every role."""

    items: list[RoleView]
    next: str | None = None


class PermissionView(ResponseBody, frozen=True, kw_only=True):
    """A permission, and the built-in roles that carry it."""

    permission: str
    roles: list[str]


class PermissionPage(ResponseBody, frozen=True, kw_only=True):
    """Every permission."""

    items: list[PermissionView]
    next: str | None = None


class GrantBody(RequestBody, frozen=True, kw_only=True):
    """A role for a person or for the members of a group: one of the two."""

    role: str
    person: str | None = None
    group: str | None = None
    scope: str | None = None
    """``issuer:``, ``profile:`` or ``provisioner:`` and its name or id; without it, the role holds everywhere."""
    expires_at: Moment | None = None
    """When it ends; without it, never."""


class GrantView(ResponseBody, frozen=True, kw_only=True):
    """Who holds a role."""

    id: str
    role: str
    holder_kind: str
    """``person`` or ``group``."""
    holder: str
    scope: str | None
    source: str
    """``builtin``, ``manual``, or ``idp:`` and the id of an identity provider."""
    created_by: str
    """Id of the account that granted it; empty for the server itself."""
    created_at: Moment
    expires_at: Moment | None


class GrantPage(ResponseBody, frozen=True, kw_only=True):
    """Grants by id."""

    items: list[GrantView]
    next: str | None = None


class RoleOperations:
    """Operations about roles and grants."""

    def __init__(self, roles: Roles, issuers: Issuers, provisioners: ProvisionerRegistry, profiles: ProfileRegistry) -> None:
        self._roles = roles
        self._scopes = GrantScopes(issuers, provisioners, profiles)

    def operations(self) -> list[Operation]:
        """All of them."""
        view = RoleView
        page = {"role": "Only grants of this role.", "after": "Begin after this id.", "limit": "At most this many."}
        return [
            Operation(
                "list_permissions",
                "GET",
                "/auth/permissions",
                "List permissions.",
                _READ,
                self._permissions,
                returns=PermissionPage,
            ),
            Operation("list_roles", "GET", _ALL, "List roles.", _READ, self._list, returns=RolePage, query=PAGED),
            Operation(
                "create_role", "POST", _ALL, "Make a role.", _WRITE, self._create, returns=view, accepts=RoleBody, status=201
            ),
            Operation("get_role", "GET", _ONE, "Show a role.", _READ, self._get, returns=view),
            Operation(
                "update_role",
                "PATCH",
                _ONE,
                "Change what a role allows, at once for everyone who holds it.",
                _WRITE,
                self._update,
                returns=view,
                accepts=RoleChange,
            ),
            Operation("delete_role", "DELETE", _ONE, "Delete a role that no one holds.", _WRITE, self._delete, status=204),
            Operation(
                "list_grants", "GET", "/auth/grants", "List who holds roles.", _READ, self._grants, returns=GrantPage, query=page
            ),
            Operation(
                "grant_role",
                "POST",
                "/auth/grants",
                "Grant a role to a person or a group.",
                _WRITE,
                self._grant,
                returns=GrantView,
                accepts=GrantBody,
                status=201,
                also_returns=(202, HeldView),
            ),
            Operation("withdraw_grant", "DELETE", "/auth/grants/{id}", "Take a grant back.", _WRITE, self._withdraw, status=204),
        ]

    async def _permissions(self, call: Call) -> PermissionPage:
        require(call.actor, Permission.ROLE_READ)
        return PermissionPage(
            items=[
                PermissionView(
                    permission=str(each), roles=[str(role) for role, held in ROLES.items() if each in held.permissions]
                )
                for each in Permission
            ]
        )

    async def _list(self, call: Call) -> RolePage:
        found = [_role_view(each) for each in await self._roles.list_roles(actor=call.actor)]
        return page_of(call, RolePage(items=found), "id")

    async def _get(self, call: Call) -> RoleView:
        return _role_view(await self._roles.find(call.path("role"), actor=call.actor))

    async def _create(self, call: Call) -> RoleView:
        body: RoleBody = call.body
        made = await self._roles.create(body.id, description=body.description, permissions=body.permissions, actor=call.actor)
        return _role_view(made)

    async def _update(self, call: Call) -> RoleView:
        body: RoleChange = call.body
        changed = await self._roles.change(
            call.path("role"), description=body.description, permissions=body.permissions, actor=call.actor
        )
        return _role_view(changed)

    async def _delete(self, call: Call) -> None:
        await self._roles.delete(call.path("role"), actor=call.actor)

    async def _grants(self, call: Call) -> GrantPage:
        limit = call.limit()
        found = await self._roles.list_grants(
            role=call.query.get("role", ""), beyond=call.query.get("after", ""), at_most=limit + 1, actor=call.actor
        )
        shown = [_grant_view(each) for each in found[:limit]]
        return GrantPage(items=shown, next=shown[-1].id if len(found) > limit else None)

    async def _grant(self, call: Call) -> GrantView | Response:
        body: GrantBody = call.body
        await self._roles.require_may_grant(body.role, actor=call.actor)
        scope = None if body.scope is None else await self._scopes.find(body.scope)
        ends_at = None if body.expires_at is None else instant_of("expires_at", body.expires_at)
        try:
            made = await self._roles.grant(
                body.role, person=body.person, group=body.group, scope=scope, expires_at=ends_at, actor=call.actor
            )
        except ApprovalPending as pending:
            return held(pending)
        return _grant_view(made)

    async def _withdraw(self, call: Call) -> None:
        await self._roles.withdraw(call.path("id"), actor=call.actor)


def _role_view(role: KnownRole) -> RoleView:
    return RoleView(
        id=role.id, description=role.description, builtin=role.builtin, permissions=sorted(map(str, role.permissions))
    )


def _grant_view(found: GrantHolder) -> GrantView:
    grant = found.grant
    return GrantView(
        id=grant.id,
        role=grant.role,
        holder_kind="group" if grant.account_id is None else "person",
        holder=found.holder,
        scope=None if grant.scope is None else str(grant.scope),
        source=grant.source,
        created_by=grant.created_by,
        created_at=moment(grant.created_at),
        expires_at=moment(grant.expires_at),
    )
