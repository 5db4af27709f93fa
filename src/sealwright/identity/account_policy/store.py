"""The only SQL about account policies."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, select

from sealwright.access import joined_groups
from sealwright.db import Database, Row, Statement, Transaction, upsert
from sealwright.db.schema import account_policies, group_nestings, groups
from sealwright.identity.account_policy.models import AccountPolicy, CredentialMinimum, GroupPolicy, strictest

Reader = Database | Transaction

p = account_policies.c
_MEMBERS = ("auth_expiry", "privilege_expiry", "credential_minimum", "password_minimum_length", "self_mail_write")
_joined = joined_groups()
_direct = select(_joined.c.group_id).cte("held", recursive=True)
_held = _direct.union(select(group_nestings.c.group_id).join(_direct, group_nestings.c.member_group_id == _direct.c.group_id))
_policies = select(groups.c.name, *(p[member] for member in _MEMBERS)).join(account_policies, p.group_id == groups.c.id)
_OF_ACCOUNT = Statement(_policies.where(p.group_id.in_(select(_held.c.group_id))).order_by(groups.c.name))
_OF_GROUP = Statement(_policies.where(p.group_id == bindparam("of")))
_PUT = upsert(account_policies, key=("group_id",), update=_MEMBERS)
_DELETE = Statement(delete(account_policies).where(p.group_id == bindparam("of")).returning(p.group_id))


def _policy(row: Row) -> GroupPolicy:
    auth, privilege = (None if each is None else timedelta(seconds=each) for each in row[1:3])
    minimum = None if row[3] is None else CredentialMinimum(row[3])
    return GroupPolicy(row[0], auth, privilege, minimum, row[4], None if row[5] is None else bool(row[5]))


async def of_account(reader: Reader, account_id: str) -> AccountPolicy:
    """What the groups of an account ask for together, directly or through others."""
    return strictest([_policy(row) for row in await reader.all(_OF_ACCOUNT, account_id=account_id)])


async def of_group(reader: Reader, group_id: str) -> GroupPolicy | None:
    """What one group asks for."""
    row = await reader.one(_OF_GROUP, of=group_id)
    return None if row is None else _policy(row)


async def put(tx: Transaction, group_id: str, policy: GroupPolicy) -> None:
    """Store what a group asks for."""
    await tx.run(
        _PUT,
        group_id=group_id,
        auth_expiry=_seconds(policy.auth_expiry),
        privilege_expiry=_seconds(policy.privilege_expiry),
        credential_minimum=None if policy.credential_minimum is None else str(policy.credential_minimum),
        password_minimum_length=policy.password_minimum_length,
        self_mail_write=None if policy.self_mail_write is None else int(policy.self_mail_write),
    )


async def remove(tx: Transaction, group_id: str) -> bool:
    """Delete the policy of a group; False where it had none."""
    return await tx.one(_DELETE, of=group_id) is not None


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())
