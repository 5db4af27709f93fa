"""Slows down guessing: attempts are counted in the database, shared by all nodes."""

from __future__ import annotations

import math
from datetime import timedelta

from msgspec import Struct

from sealwright.clock import Clock, Instant
from sealwright.db import Database, Transaction
from sealwright.errors import RateLimited
from sealwright.identity import store
from sealwright.identity.policy import AttemptCounter, count_attempt, wait_before


class CountedAttempt(Struct, frozen=True):
    """One attempt, as counted."""

    counter: AttemptCounter
    blocked_until: Instant
    """The wait that this attempt began; cancelling the attempt ends it."""


class Throttle:
    """Each attempt counts as failed before it is verified, so that parallel attempts gain nothing."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def begin_attempt(self, *counters: AttemptCounter) -> tuple[CountedAttempt, ...]:
        """Count an attempt; raises RateLimited, and counts nothing, while one of the counters is blocked."""
        in_order = sorted(counters, key=lambda counter: counter.key)  # locks are taken in one order everywhere
        for counter in in_order:
            _require_no_wait(wait_before(await store.attempts(self._db, counter.key), counter.schedule, self._clock.now()))

        async def body(tx: Transaction) -> tuple[CountedAttempt, ...]:
            now = self._clock.now()
            counted = []
            for counter in in_order:
                known = await store.lock_attempts(tx, counter.key, now)
                _require_no_wait(wait_before(known, counter.schedule, now))
                new = count_attempt(known, counter.schedule, now)
                await store.set_attempts(tx, counter.key, new)
                counted.append(CountedAttempt(counter, new.blocked_until))
            return tuple(counted)

        return await self._db.write(body)

    async def cancel_attempt(self, counted: tuple[CountedAttempt, ...]) -> None:
        """The attempt was not verified after all: do not count it."""

        async def body(tx: Transaction) -> None:
            for attempt in counted:
                await store.decrement_attempts(tx, attempt.counter.key, attempt.blocked_until)

        await self._db.write(body)

    @staticmethod
    async def record_success(tx: Transaction, counted: tuple[CountedAttempt, ...]) -> None:
        """Reset the counters after a success; a counter shared by several people only loses this attempt."""
        for attempt in counted:
            if attempt.counter.shared:
                await store.decrement_attempts(tx, attempt.counter.key, attempt.blocked_until)
            else:
                await store.delete_attempts(tx, attempt.counter.key)

    @staticmethod
    async def forget(tx: Transaction, *counters: AttemptCounter) -> None:
        """Reset the counters."""
        for counter in sorted(counters, key=lambda counter: counter.key):
            await store.delete_attempts(tx, counter.key)


def _require_no_wait(wait: timedelta) -> None:
    seconds = math.ceil(wait / timedelta(seconds=1))
    if seconds > 0:
        unit = "second" if seconds == 1 else "seconds"
        raise RateLimited(f"Too many attempts. The next one is looked at in {seconds} {unit}.", retry_after=seconds)
