"""The only SQL about where events are forwarded to, and how far each of these places is.

The record itself is the queue: of each sink and chain the last event that was taken is stored, and what follows it waits.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, func, insert, null, select, update

from sealwright.audit.forwarding.models import Sink
from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, upsert
from sealwright.db.schema import audit_sink_positions as p
from sealwright.db.schema import audit_sinks as s

_COLUMNS = tuple(s.c[name] for name in Sink.__struct_fields__)
_INSERT = Statement(insert(s))
_ALL = Statement(select(*_COLUMNS).order_by(s.c.name))
_NAMED = Statement(select(*_COLUMNS).where(s.c.name == bindparam("name")))
_DELETE = Statement(delete(s).where(s.c.id == bindparam("of")).returning(s.c.id))
_COUNT = Statement(select(func.count()).select_from(s))
_POSITIONS = Statement(select(p.c.writer_id, p.c.sequence).where(p.c.sink_id == bindparam("sink_id")))
_ADVANCE = upsert(p, key=("sink_id", "writer_id"), update=("sequence",))
_SENT = Statement(
    update(s)
    .where(s.c.id == bindparam("of"))
    .values(
        tries=0, last_error=null(), last_sent_at=bindparam("now"), next_try_at=bindparam("now"), sent=s.c.sent + bindparam("more")
    )
)
_FAILED = Statement(
    update(s)
    .where(s.c.id == bindparam("of"))
    .values(tries=s.c.tries + 1, last_error=bindparam("why"), next_try_at=bindparam("again_at"))
)


async def add(tx: Transaction, sink: Sink, positions: Mapping[str, int]) -> None:
    """Store a sink that begins after `positions`."""
    await tx.run(_INSERT, **{name: getattr(sink, name) for name in Sink.__struct_fields__})
    await advance(tx, sink, positions)


async def every(db: Database) -> list[Sink]:
    """All sinks, by name."""
    return [_sink(row) for row in await db.all(_ALL)]


async def named(reader: Database | Transaction, name: str) -> Sink | None:
    """The sink of a name."""
    row = await reader.one(_NAMED, name=name)
    return None if row is None else _sink(row)


async def count(tx: Transaction) -> int:
    """How many there are."""
    row = await tx.one(_COUNT)
    return 0 if row is None else int(row[0])


async def remove(tx: Transaction, sink: Sink) -> bool:
    """Delete a sink; false where it is gone already."""
    return await tx.one(_DELETE, of=sink.id) is not None


async def positions_of(db: Database, sink: Sink) -> dict[str, int]:
    """Chain → the last event that the sink took."""
    return {row[0]: row[1] for row in await db.all(_POSITIONS, sink_id=sink.id)}


async def advance(tx: Transaction, sink: Sink, positions: Mapping[str, int]) -> None:
    """Store how far a sink is."""
    for writer_id, sequence in positions.items():
        await tx.run(_ADVANCE, sink_id=sink.id, writer_id=writer_id, sequence=sequence)


async def note_sent(tx: Transaction, sink: Sink, number: int, now: Instant) -> None:
    """The sink took so many events."""
    await tx.run(_SENT, of=sink.id, now=now, more=number)


async def note_failed(tx: Transaction, sink: Sink, why: str, again_at: Instant) -> None:
    """The sink took nothing."""
    await tx.run(_FAILED, of=sink.id, why=why[:500], again_at=again_at)


def _sink(row: tuple[object, ...]) -> Sink:
    return Sink(**dict(zip(Sink.__struct_fields__, row, strict=True)))  # type: ignore[arg-type] # columns in this order
