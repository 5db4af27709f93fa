"""The only SQL about roles."""

from __future__ import annotations

from sqlalchemy import Text, and_, bindparam, cast, exists, literal_column, or_, select, union_all
from sqlalchemy.sql.selectable import Subquery

from sealwright.access.models import Role
from sealwright.access.policy import ALL_ACCOUNTS, ALL_PERSONS, BUILTIN_GROUPS
from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once
from sealwright.db.schema import accounts, group_members, group_nestings, groups, role_assignments

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
_ROLES_OF_ACCOUNT = Statement(
    select(role_assignments.c.role).distinct().join(_membership, role_assignments.c.group_id == _membership.c.group_id)
)
_upward = select(bindparam("group_id", type_=Text).label("group_id")).cte("upward", recursive=True)
_chain_of_groups = _upward.union(
    select(group_nestings.c.group_id).join(_upward, group_nestings.c.member_group_id == _upward.c.group_id)
)
_ROLES_OF_GROUP = Statement(
    select(role_assignments.c.role).distinct().join(_chain_of_groups, role_assignments.c.group_id == _chain_of_groups.c.group_id)
)
_downward = (
    select(role_assignments.c.group_id).where(role_assignments.c.role == bindparam("role")).cte("downward", recursive=True)
)
_holding_groups = _downward.union(
    select(group_nestings.c.member_group_id).join(_downward, group_nestings.c.group_id == _downward.c.group_id)
)
_is_held = [exists().where(_holding_groups.c.group_id == dynamic) for dynamic in (ALL_ACCOUNTS, ALL_PERSONS)]
_ACCOUNTS_WITH_ROLE = Statement(
    select(group_members.c.account_id)
    .join(_holding_groups, group_members.c.group_id == _holding_groups.c.group_id)
    .union(select(accounts.c.id).where(or_(_is_held[0], and_(accounts.c.kind == PERSON, _is_held[1]))))
)
_ADD_GROUP = insert_once(groups, returning=groups.c.id)
_ASSIGN = insert_once(role_assignments, returning=role_assignments.c.role)


async def roles_of_account(db: Database | Transaction, account_id: str) -> frozenset[Role]:
    """Roles of every group that the account is in, directly or through nested groups. Unknown names give nothing."""
    return _known(await db.all(_ROLES_OF_ACCOUNT, account_id=account_id))


async def roles_of_group(db: Database | Transaction, group_id: str) -> frozenset[Role]:
    """Roles that a member of the group has by it: its own, and those of every group that it is nested in."""
    return _known(await db.all(_ROLES_OF_GROUP, group_id=group_id))


async def accounts_with_role(db: Database | Transaction, role: Role) -> frozenset[str]:
    """Ids of the accounts that hold the role, directly or through nested groups."""
    return frozenset(row[0] for row in await db.all(_ACCOUNTS_WITH_ROLE, role=str(role)))


def _known(rows: list[Row]) -> frozenset[Role]:
    known = {str(role) for role in Role}
    return frozenset(Role(row[0]) for row in rows if row[0] in known)


async def seed_builtin_groups(tx: Transaction, now: Instant) -> None:
    """Create the built-in groups and give them their roles. A built-in group's id is its name."""
    for name, (description, roles) in BUILTIN_GROUPS.items():
        await tx.one(_ADD_GROUP, id=name, name=name, description=description, builtin=1, created_at=now, managed_by=None)
        for role in roles:
            await tx.one(_ASSIGN, role=str(role), group_id=name, created_at=now)
