"""The only SQL about roles and who was granted them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Text, and_, bindparam, cast, delete, exists, insert, literal_column, or_, select, union_all
from sqlalchemy.sql.selectable import Subquery

from sealwright.access.models import (
    PROVIDER_SOURCE,
    CustomRole,
    Permission,
    Permissions,
    Role,
    RoleGrant,
    Scope,
    ScopedPermission,
    ScopeKind,
)
from sealwright.access.policy import ALL_ACCOUNTS, ALL_PERSONS, BUILTIN_GROUPS, ROLES
from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once
from sealwright.db.schema import (
    accounts,
    group_members,
    group_nestings,
    groups,
    role_grants,
    role_permissions,
    roles,
    sessions,
    upstream_sessions,
)

_g = role_grants.c
PERSON = "person"
"""The kind of account that is in ALL_PERSONS."""


def joined_groups() -> Subquery:
    """Ids of the groups that the account `account_id` is in itself: those that it was added to, and the computed ones."""
    account = accounts.c.id == bindparam("account_id")
    return union_all(
        select(group_members.c.group_id).where(group_members.c.account_id == bindparam("account_id")),
        select(cast(literal_column(f"'{ALL_ACCOUNTS}'"), Text)).where(exists().where(account)),
        select(cast(literal_column(f"'{ALL_PERSONS}'"), Text)).where(exists().where(account, accounts.c.kind == PERSON)),
    ).subquery("joined")


_joined = joined_groups()
_direct = select(_joined.c.group_id).cte("membership", recursive=True)
_membership = _direct.union(
    select(group_nestings.c.group_id).join(_direct, group_nestings.c.member_group_id == _direct.c.group_id)
)
_holds = or_(_g.expires_at.is_(None), _g.expires_at > bindparam("now"))
_GRANTED = (_g.role, _g.scope_kind, _g.scope_id, role_permissions.c.permission)
_granted = role_grants.outerjoin(role_permissions, role_permissions.c.role_id == _g.role)
_by_provider = _g.source.like(f"{PROVIDER_SOURCE}%")


def _vouched_for(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the provider whose groups gave the grant vouches for one of these sessions of the account, which is valid."""
    return exists().where(
        sessions.c.account_id == _g.account_id,
        sessions.c.id == upstream_sessions.c.session_id,
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > bindparam("now"),
        literal_column(f"'{PROVIDER_SOURCE}'") + upstream_sessions.c.provider_id == _g.source,
        *which,
    )


def _granted_to_account(vouched_for: ColumnElement[bool]) -> Statement:
    by_group = select(*_GRANTED).select_from(_granted).where(_g.group_id.in_(select(_membership.c.group_id)), _holds)
    own = _g.account_id == bindparam("account_id")
    direct = select(*_GRANTED).select_from(_granted).where(own, _holds, or_(~_by_provider, vouched_for))
    return Statement(by_group.union(direct))


_GRANTED_IN_SESSION = _granted_to_account(_vouched_for(sessions.c.id == bindparam("session_id")))
_GRANTED_IN_ANY_SESSION = _granted_to_account(_vouched_for())
_GROUPS_OF_ACCOUNT = Statement(select(_membership.c.group_id))
_upward = select(bindparam("group_id", type_=Text).label("group_id")).cte("upward", recursive=True)
_chain_of_groups = _upward.union(
    select(group_nestings.c.group_id).join(_upward, group_nestings.c.member_group_id == _upward.c.group_id)
)
_GRANTED_TO_GROUP = Statement(
    select(*_GRANTED).select_from(_granted).where(_g.group_id.in_(select(_chain_of_groups.c.group_id)), _holds)
)
_lasting = (_g.role == bindparam("role"), _g.expires_at.is_(None), _g.scope_kind == "", ~_by_provider)
_downward = select(_g.group_id).where(*_lasting, _g.group_id.is_not(None)).cte("downward", recursive=True)
_holding_groups = _downward.union(
    select(group_nestings.c.member_group_id).join(_downward, group_nestings.c.group_id == _downward.c.group_id)
)
_is_held = [exists().where(_holding_groups.c.group_id == dynamic) for dynamic in (ALL_ACCOUNTS, ALL_PERSONS)]
_ACCOUNTS_WITH_ROLE = Statement(
    select(group_members.c.account_id)
    .join(_holding_groups, group_members.c.group_id == _holding_groups.c.group_id)
    .union(
        select(accounts.c.id).where(or_(_is_held[0], and_(accounts.c.kind == PERSON, _is_held[1]))),
        select(_g.account_id).where(*_lasting, _g.account_id.is_not(None)),
    )
)
_ADD_GROUP = insert_once(groups, returning=groups.c.id)
_ADD_GRANT = insert_once(role_grants, returning=_g.id)
_COLUMNS = tuple(role_grants.c)
_GRANTS = Statement(select(*_COLUMNS).where(_g.id > bindparam("beyond")).order_by(_g.id).limit(bindparam("at_most")))
_GRANTS_OF_ROLE = Statement(
    select(*_COLUMNS).where(_g.role == bindparam("role"), _g.id > bindparam("beyond")).order_by(_g.id).limit(bindparam("at_most"))
)
_GRANTS_HELD = Statement(
    select(*_COLUMNS)
    .where(_g.group_id.in_(select(_membership.c.group_id)))
    .union(select(*_COLUMNS).where(_g.account_id == bindparam("account_id")))
)
_GRANT = Statement(select(*_COLUMNS).where(_g.id == bindparam("id")))
_DELETE_GRANT = Statement(delete(role_grants).where(_g.id == bindparam("id")).returning(_g.id))
_ADD_ROLE = insert_once(roles, returning=roles.c.id)
_CHANGE_ROLE = Statement(
    roles.update().where(roles.c.id == bindparam("role")).values(description=bindparam("description")).returning(roles.c.id)
)
_DELETE_ROLE = Statement(delete(roles).where(roles.c.id == bindparam("role")).returning(roles.c.id))
_ADD_PERMISSION = Statement(insert(role_permissions))
_CLEAR_PERMISSIONS = Statement(delete(role_permissions).where(role_permissions.c.role_id == bindparam("role")))
_CUSTOM_ROLES = Statement(
    select(roles.c.id, roles.c.description, role_permissions.c.permission)
    .select_from(roles.outerjoin(role_permissions, role_permissions.c.role_id == roles.c.id))
    .order_by(roles.c.id, role_permissions.c.permission)
)


async def permissions_of_account(
    reader: Database | Transaction, account_id: str, now: Instant, *, session_id: str
) -> Permissions:
    """What was granted to the account itself, and to every group that it is in, directly or through nested groups.

    What groups at an identity provider gave counts only if that provider vouched for the session `session_id`, and until this
    session ends: who opens the account in another way does not get it. Of a key, it is the session in which it was made; of a
    credential that was made in none, it is empty.
    """
    return _permissions_in(await reader.all(_GRANTED_IN_SESSION, account_id=account_id, now=now, session_id=session_id))


async def permissions_in_any_session(reader: Database | Transaction, account_id: str, now: Instant) -> Permissions:
    """What someone has now in one of the sessions of the account: for those who act on the account, not for those who use it."""
    return _permissions_in(await reader.all(_GRANTED_IN_ANY_SESSION, account_id=account_id, now=now))


async def permissions_of_group(reader: Database | Transaction, group_id: str, now: Instant) -> Permissions:
    """What a member of the group has by it: what was granted to it, and to every group that it is nested in."""
    return _permissions_in(await reader.all(_GRANTED_TO_GROUP, group_id=group_id, now=now))


async def groups_of_account(reader: Database | Transaction, account_id: str) -> list[str]:
    """Ids of the groups that the account is in, directly or through nested groups."""
    return [row[0] for row in await reader.all(_GROUPS_OF_ACCOUNT, account_id=account_id)]


async def roles_of_account(
    reader: Database | Transaction, account_id: str, now: Instant, *, session_id: str | None = None
) -> frozenset[str]:
    """Ids of the roles that the account holds for everything, itself or by a group: in a session, or in any of its sessions."""
    if session_id is None:
        rows = await reader.all(_GRANTED_IN_ANY_SESSION, account_id=account_id, now=now)
    else:
        rows = await reader.all(_GRANTED_IN_SESSION, account_id=account_id, now=now, session_id=session_id)
    return frozenset(role for role, scope_kind, _, _ in rows if not scope_kind)


def _permissions_in(rows: Iterable[Row]) -> Permissions:
    """Roles, permissions and kinds of scope that this program does not know give nothing."""
    everywhere: set[Permission] = set()
    scoped: set[ScopedPermission] = set()
    for role, scope_kind, scope_id, permission in rows:
        allowed = ROLES[Role(role)].permissions if role in _BUILTIN else _known((permission,))
        if not scope_kind:
            everywhere |= allowed
        elif scope_kind in _SCOPE_KINDS:
            scoped |= {ScopedPermission(each, Scope(ScopeKind(scope_kind), scope_id)) for each in allowed}
    return Permissions(frozenset(everywhere), frozenset(scoped))


_BUILTIN = frozenset(map(str, Role))
_SCOPE_KINDS = frozenset(map(str, ScopeKind))
_PERMISSIONS = frozenset(map(str, Permission))


def _known(permissions: Iterable[str | None]) -> frozenset[Permission]:
    return frozenset(Permission(each) for each in permissions if each in _PERMISSIONS)


async def accounts_with_role(reader: Database | Transaction, role: Role) -> frozenset[str]:
    """Ids of the accounts that hold the role for everything and without an end, directly or by a group.

    What an identity provider gives can end at any sign-in there, so it does not count.
    """
    return frozenset(row[0] for row in await reader.all(_ACCOUNTS_WITH_ROLE, role=str(role)))


async def permissions_named(reader: Database | Transaction, names: Iterable[str]) -> frozenset[Permission]:
    """What permissions and ids of roles stand for. A name that no permission and no role has (any more) gives nothing."""
    fixed, others = _fixed(frozenset(names))
    if not others:
        return fixed
    made = {each.id: each.permissions for each in await custom_roles(reader)}
    return fixed.union(*(made.get(each, frozenset()) for each in others))


@lru_cache(maxsize=1_024)
def _fixed(names: frozenset[str]) -> tuple[frozenset[Permission], frozenset[str]]:
    """What no one can change of what names stand for, and the names that are left. It is asked for at each use of an API key."""
    builtin = (ROLES[Role(each)].permissions for each in names & _BUILTIN)
    return _known(names).union(*builtin), names - _PERMISSIONS - _BUILTIN


async def insert_grant(tx: Transaction, grant: RoleGrant) -> bool:
    """Store a grant; false where its id is there already."""
    return await tx.one(_ADD_GRANT, **_values(grant)) is not None


async def find_grant(reader: Database | Transaction, grant_id: str) -> RoleGrant | None:
    """One grant, ended or not."""
    row = await reader.one(_GRANT, id=grant_id)
    return None if row is None else _grant(row)


async def list_grants(reader: Database | Transaction, *, role: str = "", beyond: str = "", at_most: int) -> list[RoleGrant]:
    """Grants by id, also those that have ended; with `role` those of that role."""
    if role:
        rows = await reader.all(_GRANTS_OF_ROLE, role=role, beyond=beyond, at_most=at_most)
    else:
        rows = await reader.all(_GRANTS, beyond=beyond, at_most=at_most)
    return [_grant(row) for row in rows]


async def grants_held(reader: Database | Transaction, account_id: str) -> list[RoleGrant]:
    """The grants to the account itself and to the groups that it is in, also those that have ended."""
    rows = await reader.all(_GRANTS_HELD, account_id=account_id)
    return sorted((_grant(row) for row in rows), key=lambda grant: (grant.role, grant.id))


async def delete_grant(tx: Transaction, grant_id: str) -> bool:
    """Remove a grant; false where it is gone."""
    return await tx.one(_DELETE_GRANT, id=grant_id) is not None


async def insert_role(tx: Transaction, role: CustomRole, now: Instant) -> bool:
    """Store a role; false where its id is taken."""
    if await tx.one(_ADD_ROLE, id=role.id, description=role.description, created_at=now) is None:
        return False
    await _set_permissions(tx, role)
    return True


async def change_role(tx: Transaction, role: CustomRole) -> bool:
    """Store another description and other permissions; false where the role is gone."""
    if await tx.one(_CHANGE_ROLE, role=role.id, description=role.description) is None:
        return False
    await tx.run(_CLEAR_PERMISSIONS, role=role.id)
    await _set_permissions(tx, role)
    return True


async def _set_permissions(tx: Transaction, role: CustomRole) -> None:
    for each in sorted(role.permissions):
        await tx.run(_ADD_PERMISSION, role_id=role.id, permission=str(each))


async def delete_role(tx: Transaction, role_id: str) -> bool:
    """Remove a role that administrators made; false where there is none."""
    return await tx.one(_DELETE_ROLE, role=role_id) is not None


async def custom_roles(reader: Database | Transaction) -> list[CustomRole]:
    """The roles that administrators made, by id."""
    found: dict[str, CustomRole] = {}
    for role_id, description, permission in await reader.all(_CUSTOM_ROLES):
        before = found.get(role_id, CustomRole(role_id, description, frozenset()))
        found[role_id] = CustomRole(role_id, description, before.permissions | _known((permission,)))
    return list(found.values())


def _values(grant: RoleGrant) -> dict[str, Any]:
    values = asdict(grant)
    scope = values.pop("scope")
    return {**values, "scope_kind": "" if scope is None else str(scope.kind), "scope_id": "" if scope is None else scope.id}


def _grant(row: Row) -> RoleGrant:
    values = dict(zip((column.name for column in _COLUMNS), row, strict=True))
    kind, scope_id = values.pop("scope_kind"), values.pop("scope_id")
    return RoleGrant(**values, scope=Scope(ScopeKind(kind), scope_id) if kind else None)


async def seed_builtin_groups(tx: Transaction, now: Instant) -> list[str]:
    """Create missing built-in groups, and grant them their roles; returns what was missing. A built-in group's id is its name."""
    missing = []
    for name, (description, granted) in BUILTIN_GROUPS.items():
        group = {"id": name, "name": name, "description": description, "builtin": 1, "created_at": now, "managed_by": None}
        if await tx.one(_ADD_GROUP, **group) is not None:
            missing.append(name)
        for role in granted:
            await insert_grant(tx, RoleGrant.builtin(role, name, now))
    return missing
