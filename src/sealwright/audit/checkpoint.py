"""Signed checkpoints: the heads of the chains at one moment, so that a chain cut short, or gone, is seen.

A checkpoint is itself an event. Its details hold the heads of the chains that have moved since the checkpoint before, and a JWS
by the audit key over ``{"iat", "heads_sha256"}`` that can be verified away from the database.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from typing import Any

from sealwright.audit import store
from sealwright.audit.chain import ChainedRow, ChainHead
from sealwright.audit.events import Event
from sealwright.audit.record import Acting, Audit
from sealwright.audit.verification import ALGORITHM, CHECKPOINT, PURGE, ChainVerifier, Verified, digest_of_heads
from sealwright.clock import Clock, Instant, before, to_rfc3339, to_seconds
from sealwright.db import Database, Transaction
from sealwright.errors import Conflict
from sealwright.jose import sign, verification_keys
from sealwright.keys import Custody, KeyMissing, PublicKeyRecord, Purpose, SigningKey

PAGE = 1_000
LATE = timedelta(minutes=10)
"""How long after its own time a row can become visible, and how much the clocks of nodes can differ."""


MOST_APART = timedelta(minutes=1)
"""How much the clocks of nodes may differ before one of them is taken for wrong."""


class NothingToPurge(Conflict):
    """There is no checkpoint that is old enough: only what was signed can be purged."""

    code = "nothing_to_purge"


class Checkpoints:
    """Makes checkpoints, checks the whole record against them, and purges what one of them covers."""

    def __init__(self, db: Database, audit: Audit, custody: Custody, clock: Clock) -> None:
        self._db = db
        self._audit = audit
        self._custody = custody
        self._clock = clock

    async def make(self, actor: Acting) -> None:
        """Sign the heads of the chains that have moved and record them. The first call makes the audit key."""
        last = await store.newest_of(self._db, Event.CHAIN_CHECKPOINT)
        is_followed = last is not None and "heads" in store.details_of(last)  # those of the first versions cannot be purged by
        heads = await self._heads(since=before(Instant(last.at), LATE) if last is not None and is_followed else None)
        statement = sign(await self._key(), self._claims(heads), type=CHECKPOINT)

        async def body(tx: Transaction) -> None:
            details = {"chains": len(heads), "heads": heads, "statement": statement}
            await self._audit.record(tx, Event.CHAIN_CHECKPOINT, actor=actor, target="audit:all", details=details)

        await self._db.write(body)

    async def verify(self) -> dict[str, ChainHead]:
        """Check every chain, and that every checkpoint is signed and still true.

        Returns the heads; raises BrokenChain naming the chain and the row.
        """
        return (await self.verified()).heads

    async def verified(self) -> Verified:
        """The same, with what else was found."""
        verifier = ChainVerifier(verification_keys(*await self.public_keys()))
        for event in (Event.CHAIN_CHECKPOINT, Event.RECORD_PURGED):
            async for row in self._rows_of_event(event):
                verifier.learn(row)
        async for page in self.pages():
            for row in page:
                verifier.check(row)
        return verifier.finish()

    async def public_keys(self) -> list[PublicKeyRecord]:
        """The public keys of the audit key, now and before."""
        return await self._custody.public_keys(Purpose.AUDIT, "")

    async def pages(self) -> AsyncGenerator[list[ChainedRow], None]:
        """Every row, chain by chain, each in its order, page by page."""
        for writer_id in await store.writers(self._db):
            beyond = 0
            while page := await store.rows_of_writer(self._db, writer_id, beyond=beyond, at_most=PAGE):
                yield page
                beyond = page[-1].sequence

    async def last_made_at(self) -> Instant | None:
        """When the newest checkpoint was made."""
        last = await store.newest_of(self._db, Event.CHAIN_CHECKPOINT)
        return None if last is None else Instant(last.at)

    async def events_ever(self) -> int:
        """How many events were ever recorded."""
        return sum(row.sequence for row in await store.heads(self._db))

    async def recorded_ahead(self) -> float | None:
        """By how many seconds the newest event is later than this node's clock; None where clocks may differ by so much."""
        newest = await self._audit.newest(self._db, at_most=1)
        ahead = (newest[0].at - self._clock.now()) / 1000 if newest else 0.0
        return ahead if ahead > MOST_APART.total_seconds() else None

    async def purge(self, until: Instant, actor: Acting, *, taken: Mapping[str, int] | None = None) -> int:
        """Delete what the newest checkpoint before `until` has seen; returns the rows. The rest still verifies.

        `taken`: of each chain, the last row that may go; what a sink has not taken stays, however old it is.
        What is deleted is signed and recorded first. Where that was interrupted, the next purge deletes what it left.
        """
        found = await store.newest_of(self._db, Event.CHAIN_CHECKPOINT, before=until)
        if found is None:
            raise NothingToPurge("No checkpoint of the audit record is that old, and only what was signed can be purged.")
        heads = await self._heads_at(Instant(found.at))
        if taken is not None:
            heads = await self._no_further_than(taken, heads)
        if not heads:
            return 0
        statement = sign(await self._key(), self._claims(heads), type=PURGE)

        async def body(tx: Transaction) -> None:
            firsts = [(sequence, await store.first_until(tx, each, sequence)) for each, (sequence, _) in heads.items()]
            rows = sum(sequence - first + 1 for sequence, first in firsts if first is not None)
            details = {"until": to_rfc3339(until), "rows": rows, "chains": len(heads), "heads": heads, "statement": statement}
            await self._audit.record(tx, Event.RECORD_PURGED, actor=actor, target="audit:all", details=details)

        await self._db.write(body)
        deleted = 0
        for writer_id, (sequence, _) in heads.items():
            deleted += await self._delete(writer_id, sequence)
        return deleted

    async def _no_further_than(self, taken: Mapping[str, int], heads: dict[str, list[Any]]) -> dict[str, list[Any]]:
        found = {}
        for writer_id, head in heads.items():
            last = min(head[0], taken.get(writer_id, 0))
            for row in await store.rows_of_writer(self._db, writer_id, beyond=last - 1, at_most=1):
                if row.sequence == last:
                    found[writer_id] = [row.sequence, row.digest.hex()]
        return found

    async def _delete(self, writer_id: str, sequence: int) -> int:
        deleted = 0
        while True:

            async def body(tx: Transaction) -> int:
                return await store.delete_rows(tx, writer_id, sequence, at_most=PAGE)

            number = await self._db.write(body)
            deleted += number
            if not number:
                return deleted

    async def _heads(self, *, since: Instant | None) -> dict[str, list[Any]]:
        """The heads of all chains, or of those that have moved since."""
        moved = [row for row in await store.heads(self._db) if since is None or row.at >= since]
        return {row.writer_id: [row.sequence, row.digest.hex()] for row in moved}

    async def _heads_at(self, at: Instant) -> dict[str, list[Any]]:
        """Of each chain the newest row that a checkpoint until `at` has seen, as far as there are rows up to it."""
        heads: dict[str, list[Any]] = {}
        async for row in self._rows_of_event(Event.CHAIN_CHECKPOINT, until=at):
            details = store.details_of(row)
            heads |= details.get("heads") or {}
        left = {writer_id: head for writer_id, head in heads.items() if await store.first_until(self._db, writer_id, head[0])}
        return dict(sorted(left.items()))

    async def _rows_of_event(self, event: Event, *, until: Instant | None = None) -> AsyncGenerator[ChainedRow, None]:
        """Every row of an event, the oldest first."""
        place: tuple[int, str, int] = (-1, "", 0)
        while page := await store.oldest_of(self._db, event, after=place, until=until, at_most=100):
            for row in page:
                yield row
            place = page[-1].at, page[-1].writer_id, page[-1].sequence

    def _claims(self, heads: dict[str, list[Any]]) -> dict[str, Any]:
        return {"iat": to_seconds(self._clock.now()), "heads_sha256": digest_of_heads(heads)}

    async def _key(self) -> SigningKey:
        try:
            return await self._custody.active(Purpose.AUDIT, "")
        except KeyMissing:
            new_key = self._custody.generate(Purpose.AUDIT, "", ALGORITHM)

        async def body(tx: Transaction) -> None:
            await self._custody.insert(tx, new_key)

        await self._db.write(body)
        return await self._custody.active(Purpose.AUDIT, "")
