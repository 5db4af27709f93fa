"""The only SQL about the recycle bin."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import ColumnElement, bindparam, delete, insert, or_, select

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, delete_before
from sealwright.db.schema import group_members, group_nestings, recycle_bin

Reader = Database | Transaction


class BinEntry(Struct, frozen=True):
    """One deleted account or group."""

    id: str
    kind: str
    """``person``, ``service`` or ``group``."""
    name: str
    content: str
    deleted_at: Instant
    deleted_by: str


b = recycle_bin.c
_columns = [b[name] for name in BinEntry.__struct_fields__]
Kinds = tuple[str, ...]
ACCOUNTS: Kinds = ("person", "service")
GROUPS: Kinds = ("group",)


def _is_one_of(kinds: Kinds) -> ColumnElement[bool]:
    return or_(*(b.kind == kind for kind in kinds))


_PAGES = {
    kinds: Statement(
        select(*_columns).where(_is_one_of(kinds), b.name > bindparam("beyond")).order_by(b.name).limit(bindparam("at_most"))
    )
    for kinds in (ACCOUNTS, GROUPS)
}
_FINDS = {
    kinds: Statement(select(*_columns).where(_is_one_of(kinds), or_(b.name == bindparam("who"), b.id == bindparam("who"))))
    for kinds in (ACCOUNTS, GROUPS)
}
_NAMED = Statement(select(b.id).where(b.name == bindparam("name")))
_INSERT = Statement(insert(recycle_bin))
_DELETE = Statement(delete(recycle_bin).where(b.id == bindparam("of")))
_DELETE_OLD = delete_before(b.id, b.deleted_at)
_GROUPS_OF_ACCOUNT = Statement(select(group_members.c.group_id).where(group_members.c.account_id == bindparam("which")))
_GROUPS_OF_GROUP = Statement(select(group_nestings.c.group_id).where(group_nestings.c.member_group_id == bindparam("which")))


async def page(reader: Reader, kinds: Kinds, *, beyond: str, at_most: int) -> list[BinEntry]:
    """Entries of these kinds (`ACCOUNTS` or `GROUPS`) by name, after the name `beyond`."""
    rows = await reader.all(_PAGES[kinds], beyond=beyond, at_most=at_most)
    return [BinEntry(*row) for row in rows]


async def find(reader: Reader, kinds: Kinds, name_or_id: str) -> BinEntry | None:
    """The entry of these kinds (`ACCOUNTS` or `GROUPS`) with this name or id."""
    row = await reader.one(_FINDS[kinds], who=name_or_id)
    return None if row is None else BinEntry(*row)


async def is_reserved(reader: Reader, name: str) -> bool:
    """Whether something in the bin has this name."""
    return await reader.one(_NAMED, name=name) is not None


async def insert_entry(tx: Transaction, entry: BinEntry) -> None:
    """Put something into the bin."""
    await tx.run(_INSERT, **{name: getattr(entry, name) for name in BinEntry.__struct_fields__})


async def take(tx: Transaction, entry_id: str) -> None:
    """Take something out of the bin."""
    await tx.run(_DELETE, of=entry_id)


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete for good at most `at_most` entries that were put into the bin before `before`; returns how many."""
    return await tx.run(_DELETE_OLD, before=before, at_most=at_most)


async def groups_of_account(reader: Reader, account_id: str) -> Sequence[str]:
    """Ids of the groups of which an account is a direct member."""
    return sorted(row[0] for row in await reader.all(_GROUPS_OF_ACCOUNT, which=account_id))


async def groups_of_group(reader: Reader, group_id: str) -> Sequence[str]:
    """Ids of the groups of which a group is a direct member."""
    return sorted(row[0] for row in await reader.all(_GROUPS_OF_GROUP, which=group_id))
