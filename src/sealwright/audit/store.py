"""The only SQL about audit events."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import asdict
from sqlalchemy import bindparam, func, insert, select

from sealwright.audit.chain import ChainedRow
from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import audit_events as t

_INSERT = Statement(insert(t))
_COLUMNS = [t.c[name] for name in ChainedRow.__struct_fields__]
_OF_WRITER = Statement(
    select(*_COLUMNS)
    .where(t.c.writer_id == bindparam("writer_id"), t.c.sequence > bindparam("beyond"))
    .order_by(t.c.sequence)
    .limit(bindparam("at_most"))
)
_NEWEST = Statement(select(*_COLUMNS).order_by(t.c.at.desc(), t.c.sequence.desc()).limit(bindparam("at_most")))
_NEWEST_ABOUT = Statement(
    select(*_COLUMNS)
    .where(t.c.target == bindparam("target"))
    .order_by(t.c.at.desc(), t.c.sequence.desc())
    .limit(bindparam("at_most"))
)
_HEAD = Statement(select(*_COLUMNS).where(t.c.writer_id == bindparam("writer_id")).order_by(t.c.sequence.desc()).limit(1))
_WRITERS = Statement(select(t.c.writer_id, func.max(t.c.sequence)).group_by(t.c.writer_id).order_by(t.c.writer_id))


async def insert_rows(tx: Transaction, rows: Sequence[ChainedRow]) -> None:
    """Append rows."""
    await tx.run_many(_INSERT, [asdict(row) for row in rows])


async def rows_of_writer(db: Database, writer_id: str, *, beyond: int = 0, at_most: int = 1_000) -> list[ChainedRow]:
    """Rows of one chain in order, after sequence number `beyond`."""
    return [ChainedRow(*row) for row in await db.all(_OF_WRITER, writer_id=writer_id, beyond=beyond, at_most=at_most)]


async def head_of(db: Database, writer_id: str) -> ChainedRow | None:
    """The newest row of one chain."""
    row = await db.one(_HEAD, writer_id=writer_id)
    return None if row is None else ChainedRow(*row)


async def newest(db: Database, *, target: str | None = None, at_most: int = 100) -> list[ChainedRow]:
    """The newest rows of all chains; with `target`, only those about it."""
    if target is None:
        return [ChainedRow(*row) for row in await db.all(_NEWEST, at_most=at_most)]
    return [ChainedRow(*row) for row in await db.all(_NEWEST_ABOUT, target=target, at_most=at_most)]


async def writers(db: Database) -> dict[str, int]:
    """Every chain and its highest sequence number."""
    return {row[0]: row[1] for row in await db.all(_WRITERS)}
