"""The only SQL about provisioners."""

from __future__ import annotations

import msgspec
from sqlalchemy import and_, bindparam, delete, func, insert, or_, select

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import provisioners as t

_COLUMNS = [t.c.id, t.c.position, t.c.name, t.c.definition, t.c.sealed_secret]
_INSERT = Statement(insert(t))
_DELETE = Statement(delete(t).where(t.c.name == bindparam("of_name")).returning(t.c.id))
_LAST_POSITION = Statement(select(func.max(t.c.position)))
_BY_ID = Statement(select(*_COLUMNS).where(t.c.id == bindparam("id")))
_BY_NAME = Statement(select(*_COLUMNS).where(t.c.name == bindparam("name")))
_PAGE = Statement(
    select(*_COLUMNS)
    .where(
        or_(
            t.c.position > bindparam("position"),
            and_(t.c.position == bindparam("position"), t.c.name > bindparam("name")),
        )
    )
    .order_by(t.c.position, t.c.name)
    .limit(bindparam("at_most"))
)


class ProvisionerRow(msgspec.Struct, frozen=True):
    """One provisioner as stored."""

    id: str
    position: int
    name: str
    definition: str
    """JSON without the client secret."""
    sealed_secret: bytes | None


async def insert_last(tx: Transaction, row: ProvisionerRow, *, kind: str, created_by: str, now: Instant) -> None:
    """Add a provisioner at the end of the list. A name or id that exists raises DuplicateRow."""
    last = await tx.one(_LAST_POSITION)
    position = (last[0] or 0) + 1 if last else 1
    await tx.run(
        _INSERT,
        id=row.id,
        position=position,
        name=row.name,
        type=kind,
        definition=row.definition,
        sealed_secret=row.sealed_secret,
        created_at=now,
        updated_at=now,
        created_by=created_by,
    )


async def remove(tx: Transaction, name: str) -> str | None:
    """Remove a provisioner; returns its id, or None where there was none."""
    row = await tx.one(_DELETE, of_name=name)
    return None if row is None else row[0]


async def by_id(db: Database, provisioner_id: str) -> ProvisionerRow | None:
    """The provisioner that tokens with this id are for."""
    row = await db.one(_BY_ID, id=provisioner_id)
    return None if row is None else ProvisionerRow(*row)


async def by_name(db: Database, name: str) -> ProvisionerRow | None:
    """The provisioner of this name."""
    row = await db.one(_BY_NAME, name=name)
    return None if row is None else ProvisionerRow(*row)


async def page(db: Database | Transaction, *, beyond: tuple[int, str], at_most: int) -> list[ProvisionerRow]:
    """Provisioners in the order in which they were added, after a position and name."""
    return [ProvisionerRow(*row) for row in await db.all(_PAGE, position=beyond[0], name=beyond[1], at_most=at_most)]
