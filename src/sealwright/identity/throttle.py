"""Slow down guessing: attempts are counted in the database, so that all nodes count together."""

from __future__ import annotations

import math
from datetime import timedelta

from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.errors import TooMany
from sealwright.identity import store
from sealwright.identity.policy import Counter, count_attempt, wait_before


class Throttle:
    """Each attempt is counted as failed before it is looked at, so that many at once get no more tries than one by one."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def admit(self, *counters: Counter) -> None:
        """Count an attempt; raises TooMany, and counts nothing, while one of the counters is blocked."""
        in_order = sorted(counters, key=lambda counter: counter.key)  # locks are taken in one order everywhere
        for counter in in_order:
            _require_no_wait(wait_before(await store.attempts(self._db, counter.key), self._clock.now()))

        async def body(tx: Transaction) -> None:
            now = self._clock.now()
            for counter in in_order:
                known = await store.lock_attempts(tx, counter.key, now)
                _require_no_wait(wait_before(known, now))
                await store.set_attempts(tx, counter.key, count_attempt(known, counter.schedule, now))

        await self._db.write(body)

    async def take_back(self, *counters: Counter) -> None:
        """The attempt was not looked at after all."""

        async def body(tx: Transaction) -> None:
            for counter in sorted(counters, key=lambda counter: counter.key):
                await store.take_back_attempt(tx, counter.key)

        await self._db.write(body)

    @staticmethod
    async def forgive(tx: Transaction, *counters: Counter) -> None:
        """The attempt turned out well: start from zero; where several people are behind a counter, take back one."""
        for counter in sorted(counters, key=lambda counter: counter.key):
            if counter.shared:
                await store.take_back_attempt(tx, counter.key)
            else:
                await store.delete_attempts(tx, counter.key)


def _require_no_wait(wait: timedelta) -> None:
    seconds = math.ceil(wait / timedelta(seconds=1))
    if seconds > 0:
        unit = "second" if seconds == 1 else "seconds"
        raise TooMany(f"Too many attempts. The next one is looked at in {seconds} {unit}.", retry_after=seconds)
