"""Forward events to syslog receivers and webhooks: at least once, each chain in its order, and again until they are taken."""

from __future__ import annotations

import asyncio
import base64
import heapq
from datetime import timedelta
from urllib.parse import urlsplit

from sealwright.audit import store
from sealwright.audit.categories import category_of
from sealwright.audit.chain import ChainedRow
from sealwright.audit.events import Event
from sealwright.audit.forwarding import store as sinks
from sealwright.audit.forwarding.formats import SECRET_PREFIX, syslog, webhook
from sealwright.audit.forwarding.models import SYSLOG_PORT, Sink, check_categories, check_name, checked_url
from sealwright.audit.record import Acting, Audit
from sealwright.clock import Clock, after
from sealwright.db import Database, DuplicateRow, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.errors import Conflict, Failure, NotFound
from sealwright.keys import Sealer
from sealwright.outbound import Outbound, OutboundFailed

MOST_SINKS = 20
"""Each has every new event read for it, and is called side by side with the others."""
AT_ONCE = 100
"""Events of one call."""
MOST_CALLS = 50
"""Calls to one sink in one turn, so that one that lags does not hold up the others."""
LONGEST_TURN = 20.0
"""Seconds after which no further call is made in a turn, for what was recorded meanwhile waits for the next."""
LONGEST_PAUSE = timedelta(minutes=5)
FIRST_PAUSE = timedelta(seconds=5)
SECRET_BYTES = 32
_TIMEOUT = 10.0
_TAKEN = range(200, 300)


class SinkUnknown(NotFound):
    """There is no sink of this name."""

    code = "audit_sink_not_found"


class SinkThere(Conflict):
    """A sink of this name is there already."""

    code = "audit_sink_exists"


class TooManySinks(Conflict):
    """There are as many sinks as there may be."""

    code = "too_many_audit_sinks"


class Forwarding:
    """The sinks, and the job that brings them what is new."""

    def __init__(
        self, db: Database, audit: Audit, clock: Clock, entropy: Entropy, sealer: Sealer, outbound: Outbound, *, host: str
    ) -> None:
        """`host`: the name of this server in syslog messages."""
        self._db, self._audit, self._clock, self._entropy = db, audit, clock, entropy
        self._sealer, self._outbound, self._host = sealer, outbound, host

    async def create(self, name: str, url: str, categories: tuple[str, ...], actor: Acting) -> tuple[Sink, str | None]:
        """Forward what is recorded from now on; returns the sink, and the secret of a webhook, which is shown only now."""
        check_name(name)
        check_categories(categories)
        checked = checked_url(url)
        sink_id, now = uuid4(self._entropy), self._clock.now()
        secret = self._entropy.bytes(SECRET_BYTES) if checked.startswith("https:") else None
        sink = Sink(
            id=sink_id,
            name=name,
            url=checked,
            sealed_secret=None if secret is None else self._sealer.seal(secret, _context(sink_id)),
            categories=",".join(categories),
            created_at=now,
            created_by=actor.id,
            next_try_at=now,
            tries=0,
            last_error=None,
            last_sent_at=None,
            sent=0,
        )
        positions = await self._heads()

        async def body(tx: Transaction) -> None:
            if await sinks.count(tx) >= MOST_SINKS:
                raise TooManySinks(
                    f"There are {MOST_SINKS} sinks, and more there cannot be.", hint="Delete one that is not needed."
                )
            await sinks.add(tx, sink, positions)
            details = {"name": name, "url": urlsplit(checked).netloc, "categories": sink.categories}
            await self._audit.record(tx, Event.SINK_CREATED, actor=actor, target=sink.target, details=details)

        try:
            await self._db.write(body)
        except DuplicateRow as cause:
            raise SinkThere(
                f"There is a sink {name!r} already.", hint="Delete it first, or choose another name.", pointer="/name"
            ) from cause
        return sink, None if secret is None else SECRET_PREFIX + base64.b64encode(secret).decode()

    async def all(self) -> list[tuple[Sink, int]]:
        """Every sink, and how many events wait for it."""
        heads = await self._heads()
        found = []
        for sink in await sinks.every(self._db):
            positions = await sinks.positions_of(self._db, sink)
            found.append((sink, sum(max(0, last - positions.get(writer_id, 0)) for writer_id, last in heads.items())))
        return found

    async def taken_by_all(self) -> dict[str, int] | None:
        """Chain → the last event that every sink has taken; a chain of which one took none is missing. None without a sink."""
        positions = [await sinks.positions_of(self._db, sink) for sink in await sinks.every(self._db)]
        if not positions:
            return None
        chains = set(positions[0]).intersection(*positions[1:])
        return {writer_id: min(each[writer_id] for each in positions) for writer_id in chains}

    async def delete(self, name: str, actor: Acting) -> None:
        """Forward nothing to it any more; what waits is not sent."""
        sink = await sinks.named(self._db, name)

        async def body(tx: Transaction) -> bool:
            if sink is None or not await sinks.remove(tx, sink):
                return False
            await self._audit.record(tx, Event.SINK_DELETED, actor=actor, target=sink.target, details={"name": name})
            return True

        if not await self._db.write(body):
            raise _unknown(name)

    async def named(self, name: str) -> Sink:
        """The sink of a name, or SinkUnknown."""
        sink = await sinks.named(self._db, name)
        if sink is None:
            raise _unknown(name)
        return sink

    async def test(self, name: str, actor: Acting) -> Sink:
        """Record an event about the sink, which it is given whatever its categories are, and bring it all that waits, now.

        Returns the sink as it is afterwards: what it says of failures is how the test went.
        """
        sink = await self.named(name)

        async def body(tx: Transaction) -> None:
            await self._audit.record(tx, Event.SINK_TESTED, actor=actor, target=sink.target, details={"name": name})

        await self._db.write(body)
        await self._deliver(sink)
        return await self.named(name)

    async def deliver_due(self) -> None:
        """Bring each sink what is new, unless it failed a short while ago."""
        now = self._clock.now()
        due = [
            sink
            for sink in await sinks.every(self._db)
            if sink.next_try_at <= now or sink.next_try_at > after(now, LONGEST_PAUSE)  # else the clock was set back
        ]
        # Side by side, and each to its end: neither a slow one nor one that fails delays another.
        ends = await asyncio.gather(*(self._deliver(sink) for sink in due), return_exceptions=True)
        for failure in ends:
            if failure is not None:
                raise failure

    async def _deliver(self, sink: Sink) -> None:
        positions = await sinks.positions_of(self._db, sink)
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST_TURN
        for _ in range(MOST_CALLS):
            if loop.time() >= end:
                return
            rows = await self._next(positions)
            if not rows:
                return
            reached = {row.writer_id: row.sequence for row in rows}
            wanted = [row for row in rows if _is_for(sink, row)]
            try:
                if wanted:
                    await self._send(sink, wanted)
            except Failure as failure:  # also a secret that does not open: whatever one sink lacks holds up no other
                await self._postpone(sink, failure.detail)
                return

            async def body(tx: Transaction, reached: dict[str, int] = reached, number: int = len(wanted)) -> None:
                await sinks.advance(tx, sink, reached)
                await sinks.note_sent(tx, sink, number, self._clock.now())

            await self._db.write(body)
            positions |= reached

    async def _next(self, positions: dict[str, int]) -> list[ChainedRow]:
        """The rows that follow, the oldest first as far as the order of each chain allows."""
        chains = []
        for writer_id in await store.writers(self._db):
            rows = await store.rows_of_writer(self._db, writer_id, beyond=positions.get(writer_id, 0), at_most=AT_ONCE)
            latest, chain = 0, []
            for row in rows:
                latest = max(latest, row.at)
                chain.append((latest, row.writer_id, row.sequence, row))
            chains.append(chain)
        return [row for *_, row in heapq.merge(*chains)][:AT_ONCE]

    async def _send(self, sink: Sink, rows: list[ChainedRow]) -> None:
        if sink.is_webhook:
            secret = self._sealer.open(sink.sealed_secret or b"", _context(sink.id))
            body, headers = webhook(rows, secret, self._clock.now())
            answer = await self._outbound.post_body(sink.url, body, headers, timeout=_TIMEOUT)
            if answer.status not in _TAKEN:
                raise OutboundFailed(f"{urlsplit(sink.url).netloc} answered with status {answer.status}.")
            return
        parts = urlsplit(sink.url)
        content = syslog(rows, self._host)
        await self._outbound.send_over_tls(parts.hostname or "", parts.port or SYSLOG_PORT, content, timeout=_TIMEOUT)

    async def _postpone(self, sink: Sink, why: str) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(sink.tries, 10))

        async def body(tx: Transaction) -> None:
            await sinks.note_failed(tx, sink, why, after(self._clock.now(), pause))

        await self._db.write(body)

    async def _heads(self) -> dict[str, int]:
        return {row.writer_id: row.sequence for row in await store.heads(self._db)}


def _is_for(sink: Sink, row: ChainedRow) -> bool:
    if not sink.categories or (row.event == Event.SINK_TESTED and row.target == sink.target):
        return True
    return category_of(row.event) in sink.categories.split(",")


def _unknown(name: str) -> SinkUnknown:
    return SinkUnknown(f"There is no sink {name[:80]!r}.", hint="List them: GET /api/v1/audit/sinks")


def _context(sink_id: str) -> str:
    return f"audit_sinks:{sink_id}"
