"""The only SQL about audit events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
    values,
)

from sealwright.audit.chain import ChainedRow
from sealwright.audit.events import Event, Outcome
from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, insert_once
from sealwright.db.schema import audit_chains as c
from sealwright.db.schema import audit_events as t
from sealwright.db.schema import audit_names as n

MOST_TARGETS = 8
"""The most objects that are found for one name they had in turn; the newest win."""
_INSERT = Statement(insert(t))
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_COLUMNS = [t.c[name] for name in ChainedRow.__struct_fields__]
_OF_WRITER = Statement(
    select(*_COLUMNS)
    .where(t.c.writer_id == bindparam("writer_id"), t.c.sequence > bindparam("beyond"))
    .order_by(t.c.sequence)
    .limit(bindparam("at_most"))
)
_IN_ORDER = (t.c.at.desc(), t.c.writer_id.desc(), t.c.sequence.desc())
_INSERT_NAMES = insert_once(n, returning=n.c.at)
_CALLED = Statement(
    select(n.c.target, func.max(n.c.at))
    .where(n.c.name == bindparam("name"), n.c.target >= bindparam("first"), n.c.target < bindparam("end"))
    .group_by(n.c.target)
    .order_by(func.max(n.c.at).desc())
    .limit(MOST_TARGETS)
)
_BEGAN_OR_ENDED = Statement(
    select(t.c.details)
    .where(t.c.target == bindparam("target"), t.c.event.in_([bindparam("event_0"), bindparam("event_1")]))
    .limit(1)
)
_HEAD = Statement(select(*_COLUMNS).where(t.c.writer_id == bindparam("writer_id")).order_by(t.c.sequence.desc()).limit(1))
_chain = select(func.min(t.c.writer_id).label("writer_id")).cte("chain", recursive=True)
_next_chain = select(func.min(t.c.writer_id)).where(t.c.writer_id > _chain.c.writer_id).scalar_subquery()
_chain = _chain.union_all(select(_next_chain).where(_chain.c.writer_id.is_not(None)))
"""Every chain. One step of the index for each, however many rows they have."""
_WRITERS = Statement(select(_chain.c.writer_id).where(_chain.c.writer_id.is_not(None)))
_earlier = t.alias("earlier")
_LAST = select(func.max(_earlier.c.sequence)).where(_earlier.c.writer_id == _chain.c.writer_id).scalar_subquery()
_HEADS = Statement(select(*_COLUMNS).join_from(_chain, t, and_(t.c.writer_id == _chain.c.writer_id, t.c.sequence == _LAST)))
_KEEP = Statement(update(c).where(c.c.holder == bindparam("of")).values(leased_until=bindparam("until")).returning(c.c.id))
_free = select(c.c.id).where(or_(c.c.leased_until <= bindparam("now"), c.c.leased_until > bindparam("latest"))).order_by(c.c.id)
_TAKE = Statement(
    update(c)
    .where(c.c.id == _free.limit(1).with_for_update(skip_locked=True).scalar_subquery())
    .values(holder=bindparam("of"), leased_until=bindparam("until"))
    .returning(c.c.id)
)
_ADD_CHAIN = Statement(insert(c))
_REPLACE_CHAIN = Statement(update(c).where(c.c.id == bindparam("of")).values(id=bindparam("new")))
_NEWEST_OF = Statement(
    select(*_COLUMNS)
    .where(t.c.event == bindparam("event"), t.c.at < bindparam("before"))
    .order_by(t.c.at.desc(), t.c.writer_id.desc(), t.c.sequence.desc())
    .limit(1)
)
_AFTER = (
    t.c.at >= bindparam("from_at"),
    t.c.at <= bindparam("until"),
    or_(
        t.c.at > bindparam("from_at"),
        t.c.writer_id > bindparam("from_writer"),
        and_(t.c.writer_id == bindparam("from_writer"), t.c.sequence > bindparam("from_sequence")),
    ),
)
_LATER = Statement(select(*_COLUMNS).where(*_AFTER).order_by(t.c.at, t.c.writer_id, t.c.sequence).limit(bindparam("at_most")))
_OLDEST_OF = Statement(
    select(*_COLUMNS)
    .where(t.c.event == bindparam("event"), *_AFTER)
    .order_by(t.c.at, t.c.writer_id, t.c.sequence)
    .limit(bindparam("at_most"))
)
_UNTIL = and_(t.c.writer_id == bindparam("which_writer"), t.c.sequence <= bindparam("last"))
_FIRST_UNTIL = Statement(select(func.min(t.c.sequence)).where(_UNTIL))
_DELETE = Statement(
    delete(t).where(
        t.c.writer_id == bindparam("which_writer"), t.c.sequence >= bindparam("first"), t.c.sequence <= bindparam("last")
    )
)
_NEVER = 1 << 62


async def insert_rows(tx: Transaction, rows: Sequence[ChainedRow]) -> None:
    """Append rows."""
    await tx.run_many(_INSERT, [asdict(row) for row in rows])


async def rows_of_writer(db: Database, writer_id: str, *, beyond: int = 0, at_most: int = 1_000) -> list[ChainedRow]:
    """Rows of one chain in order, after sequence number `beyond`."""
    return [ChainedRow(*row) for row in await db.all(_OF_WRITER, writer_id=writer_id, beyond=beyond, at_most=at_most)]


async def head_of(reader: Database | Transaction, writer_id: str) -> ChainedRow | None:
    """The newest row of one chain."""
    row = await reader.one(_HEAD, writer_id=writer_id)
    return None if row is None else ChainedRow(*row)


async def heads(db: Database) -> list[ChainedRow]:
    """The newest row of each chain."""
    return [ChainedRow(*row) for row in await db.all(_HEADS)]


async def keep_chain(tx: Transaction, holder: str, until: Instant) -> str | None:
    """Prolong the lease of the chain that `holder` has, to which no one else has added; None where there is none."""
    row = await tx.one(_KEEP, of=holder, until=until)
    return None if row is None else str(row[0])


async def take_chain(tx: Transaction, holder: str, *, now: Instant, until: Instant, latest: Instant) -> str | None:
    """Lease a chain that no one has; None where there is none. A lease that ends after `latest` was made by a wrong clock."""
    row = await tx.one(_TAKE, of=holder, until=until, now=now, latest=latest)
    return None if row is None else str(row[0])


async def replace_chain(tx: Transaction, chain: str, new: str) -> None:
    """Let the holder of a chain begin another one in its place."""
    await tx.run(_REPLACE_CHAIN, of=chain, new=new)


async def add_chain(tx: Transaction, chain: str, holder: str, until: Instant) -> None:
    """Begin a chain that `holder` has."""
    await tx.run(_ADD_CHAIN, id=chain, holder=holder, leased_until=until)


class TargetName(Struct, frozen=True):
    """What a thing was called at a moment."""

    name: str
    target: str
    at: Instant


class EventFilter(Struct, frozen=True):
    """Which events. What is empty or None does not restrict."""

    targets: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    outcome: str = ""
    by: tuple[str, str] | None = None
    """Id and name of the actor; one of the two is enough."""
    since: Instant | None = None
    until: Instant | None = None
    request_id: str = ""
    older_than: tuple[Instant, str, int] | None = None
    """Place of the last row of the page before: when, writer and sequence number."""


async def search(db: Database, wanted: EventFilter, *, at_most: int) -> list[ChainedRow]:
    """The newest rows of all chains that are wanted."""
    given: dict[str, Any] = {"at_most": at_most}
    given |= {f"target_{number}": target for number, target in enumerate(wanted.targets)}
    given |= {f"event_{number}": event for number, event in enumerate(wanted.events)}
    single = {"since": wanted.since or 0, "until": wanted.until, "request_id": wanted.request_id or None}
    given |= {name: value for name, value in single.items() if value is not None}
    if wanted.by is not None:
        given["by_id"], given["by_name"] = wanted.by
    if wanted.older_than is not None:
        given["last_at"], given["last_writer"], given["last_sequence"] = wanted.older_than
    statement = _search(len(wanted.targets), len(wanted.events), wanted.outcome, frozenset(given))
    return [ChainedRow(*row) for row in await db.all(statement, **given)]


@lru_cache(maxsize=256)
def _search(targets: int, events: int, outcome: str, given: frozenset[str]) -> Statement:
    """The statement for what is given; there are few of them, as only the presence of a filter counts.

    One filter, that which leaves the fewest rows, leads: the rows of each of its values are read from an index, newest first and
    no more than a page of each, and those pages are merged. The other filters are conditions on these rows.
    What was not done has indexes of its own, whose key is the outcome and one of these filters in one text: rows that were done
    are not looked through for the few that were refused.
    """
    conditions = _conditions(targets, events, outcome, given)
    lead = next(name for name in _LEADS if name in conditions)
    others = [condition for name, several in conditions.items() if name != lead for condition in (or_(*several),)]
    pages = [_page(first, others, given) for first in conditions[lead]]
    if len(pages) == 1:
        return Statement(pages[0])
    merged = union_all(*[select(page.subquery(f"page_{number}")) for number, page in enumerate(pages)]).subquery()
    if lead != "event":
        return Statement(_newest(merged))
    return Statement(
        _newest(merged), postgresql=lambda: _newest(_pages_of_events(events, Outcome.called(outcome), others, given))
    )


def _newest(pages: FromClause) -> Select[tuple[Any, ...]]:
    in_order = [pages.c[each.name].desc() for each in (t.c.at, t.c.writer_id, t.c.sequence)]
    return select(*pages.c).order_by(*in_order).limit(bindparam("at_most"))


def _pages_of_events(
    events: int, outcome: Outcome | None, others: Iterable[ColumnElement[bool]], given: frozenset[str]
) -> FromClause:
    """A page of each event, for PostgreSQL: to plan one query for each takes it ten times as long as to run them.

    Event and time are compared as one value: else it would read by time alone, through all that there is where an event is rare.
    """
    wanted = values(column("event", Text), name="wanted").data([(bindparam(f"event_{number}"),) for number in range(events)])
    key: ColumnElement[str] = t.c.event
    value: ColumnElement[str] = wanted.c.event
    if outcome not in (None, Outcome.DONE):
        key = literal_column("(audit_events.outcome || audit_events.event)", Text)
        value = literal_column(f"'{outcome}'", Text) + value
    upper = tuple_(key, t.c.at) <= tuple_(value, literal_column(str(_NEVER)))
    if "until" in given:
        upper = tuple_(key, t.c.at) < tuple_(value, bindparam("until"))
    if "last_at" in given:
        last = tuple_(value, *(bindparam(f"last_{name}") for name in ("at", "writer", "sequence")))
        upper = and_(upper, tuple_(key, t.c.at, t.c.writer_id, t.c.sequence) < last)
    within = and_(tuple_(key, t.c.at) >= tuple_(value, bindparam("since")), upper, *others)
    page = select(*_COLUMNS).where(within).order_by(key.desc(), *_IN_ORDER).limit(bindparam("at_most"))
    of_each = page.correlate(wanted).lateral("page")
    return select(*of_each.c).select_from(wanted.join(of_each, true())).subquery()


_LEADS = ("request_id", "target", "by", "event", "outcome", "since")
"""The filters, in the order of how few rows they usually leave."""


def _conditions(targets: int, events: int, outcome: str, given: frozenset[str]) -> dict[str, list[ColumnElement[bool]]]:
    """Each filter that is given, and the conditions of which one must hold; no row fulfils two of them."""
    known = Outcome.called(outcome)
    found: dict[str, list[ColumnElement[bool]]] = {
        "since": [t.c.at >= bindparam("since")],  # always asked: without a bound SQLite would sort the whole table
    }
    if targets:
        found["target"] = [_is("target", f"target_{number}", known) for number in range(targets)]
    if events:
        found["event"] = [_is("event", f"event_{number}", known) for number in range(events)]
    if "by_id" in given:
        by_id, by_name = _is("actor_id", "by_id", known), _is("actor_name", "by_name", known)
        found["by"] = [by_id, and_(by_name, t.c.actor_id != bindparam("by_id"))]
    if "request_id" in given:
        found["request_id"] = [and_(t.c.request_id == bindparam("request_id"), t.c.request_id != literal_column("''"))]
    if known is Outcome.DONE:
        found["done"] = [t.c.outcome == literal_column("'done'")]  # nearly every row: no index has them
    elif known is not None:  # written out, or an engine cannot see that the index over the other rows has all of these
        found["outcome"] = [t.c.outcome != literal_column("'done'")]
        if not found.keys() & {"target", "event", "by"}:
            found["outcome"] = [and_(t.c.outcome == literal_column(f"'{known}'"), *found["outcome"])]
    return found


def _is(column: str, value: str, outcome: Outcome | None) -> ColumnElement[bool]:
    """Whether a column has a value; of what was not done together with its outcome.

    In two conditions an engine would use the index of either, and read all that fulfils it where few rows fulfil both.
    """
    if outcome in (None, Outcome.DONE):
        return t.c[column] == bindparam(value)
    key: ColumnElement[str] = literal_column(f"(audit_events.outcome || audit_events.{column})", Text)
    return key == literal_column(f"'{outcome}'", Text) + bindparam(value, type_=Text)


def _page(lead: ColumnElement[bool], others: Iterable[ColumnElement[bool]], given: frozenset[str]) -> Select[tuple[Any, ...]]:
    chosen = select(*_COLUMNS).where(lead, *others).order_by(*_IN_ORDER).limit(bindparam("at_most"))
    if "until" in given:
        chosen = chosen.where(t.c.at < bindparam("until"))
    if "last_at" in given:
        same_moment = and_(t.c.writer_id == bindparam("last_writer"), t.c.sequence < bindparam("last_sequence"))
        earlier = or_(t.c.writer_id < bindparam("last_writer"), same_moment)
        at: BindParameter[Any] = bindparam("last_at")
        # The first condition follows from the other, and lets an index find where to begin.
        chosen = chosen.where(t.c.at <= at, or_(t.c.at < at, and_(t.c.at == at, earlier)))
    return chosen


async def insert_names(tx: Transaction, named: Sequence[TargetName]) -> None:
    """Note what things were called when they were created or deleted."""
    await tx.all_many(_INSERT_NAMES, [asdict(each) for each in named])


async def targets_called(db: Database, kind: str, name: str) -> list[str]:
    """Things of a kind that were called so when they were created or deleted; the newest first."""
    return [row[0] for row in await db.all(_CALLED, name=name, first=f"{kind}:", end=f"{kind};")]  # ; follows : in ASCII


async def name_of(db: Database, target: str, events: tuple[str, str]) -> str | None:
    """How a thing was called when it was created or deleted."""
    row = await db.one(_BEGAN_OR_ENDED, target=target, event_0=events[0], event_1=events[1])
    name = None if row is None else _decode(row[0]).get("name")
    return name if isinstance(name, str) else None


async def writers(db: Database) -> list[str]:
    """Every chain."""
    return [row[0] for row in await db.all(_WRITERS)]


async def newest_of(db: Database, event: Event, *, before: Instant | None = None) -> ChainedRow | None:
    """The newest row of an event, or the newest before a moment."""
    row = await db.one(_NEWEST_OF, event=event, before=_NEVER if before is None else before)
    return None if row is None else ChainedRow(*row)


async def oldest_of(
    db: Database, event: Event, *, after: tuple[int, str, int], until: Instant | None, at_most: int
) -> list[ChainedRow]:
    """The rows of an event after a place (time, writer, sequence number) and until a moment, the oldest first."""
    from_at, from_writer, from_sequence = after
    rows = await db.all(
        _OLDEST_OF,
        event=event,
        from_at=from_at,
        from_writer=from_writer,
        from_sequence=from_sequence,
        until=_NEVER if until is None else until,
        at_most=at_most,
    )
    return [ChainedRow(*row) for row in rows]


def details_of(row: ChainedRow) -> dict[str, Any]:
    """The details of a row."""
    return _decode(row.details)


async def first_until(reader: Database | Transaction, writer_id: str, sequence: int) -> int | None:
    """The sequence number of the first row of a chain, if it is not after `sequence`."""
    row = await reader.one(_FIRST_UNTIL, which_writer=writer_id, last=sequence)
    return None if row is None or row[0] is None else int(row[0])


async def delete_rows(tx: Transaction, writer_id: str, sequence: int, *, at_most: int) -> int:
    """Delete the first rows of a chain, not those after `sequence`; returns how many."""
    first = await first_until(tx, writer_id, sequence)
    if first is None:
        return 0
    return await tx.run(_DELETE, which_writer=writer_id, first=first, last=min(sequence, first + at_most - 1))


async def later_than(db: Database, place: tuple[int, str, int], *, at_most: int) -> list[ChainedRow]:
    """The rows of all chains after a place (time, writer, sequence number), the oldest first."""
    from_at, from_writer, from_sequence = place
    rows = await db.all(
        _LATER, from_at=from_at, from_writer=from_writer, from_sequence=from_sequence, until=_NEVER, at_most=at_most
    )
    return [ChainedRow(*row) for row in rows]
