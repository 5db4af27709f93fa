"""Slow down guessing: attempts are counted in the database, so that all nodes count together."""

from __future__ import annotations

import math
from datetime import timedelta

from msgspec import Struct

from sealwright.clock import Clock, Instant
from sealwright.db import Database, Transaction
from sealwright.errors import RateLimited
from sealwright.identity import store
from sealwright.identity.policy import Counter, count_attempt, wait_before


class Charge(Struct, frozen=True):
    """One attempt, as it was counted."""

    counter: Counter
    blocked_until: Instant
    """The wait that it began, which ends with it where it is taken back."""


class Throttle:
    """Each attempt is counted as failed before it is looked at, so that many at once get no more tries than one by one."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def admit(self, *counters: Counter) -> tuple[Charge, ...]:
        """Count an attempt; raises RateLimited, and counts nothing, while one of the counters is blocked."""
        in_order = sorted(counters, key=lambda counter: counter.key)  # locks are taken in one order everywhere
        for counter in in_order:
            _require_no_wait(wait_before(await store.attempts(self._db, counter.key), counter.schedule, self._clock.now()))

        async def body(tx: Transaction) -> tuple[Charge, ...]:
            now = self._clock.now()
            charges = []
            for counter in in_order:
                known = await store.lock_attempts(tx, counter.key, now)
                _require_no_wait(wait_before(known, counter.schedule, now))
                new = count_attempt(known, counter.schedule, now)
                await store.set_attempts(tx, counter.key, new)
                charges.append(Charge(counter, new.blocked_until))
            return tuple(charges)

        return await self._db.write(body)

    async def take_back(self, charges: tuple[Charge, ...]) -> None:
        """The attempt was not looked at after all."""

        async def body(tx: Transaction) -> None:
            for charge in charges:
                await store.take_back_attempt(tx, charge.counter.key, charge.blocked_until)

        await self._db.write(body)

    @staticmethod
    async def forgive(tx: Transaction, charges: tuple[Charge, ...]) -> None:
        """The attempt turned out well: start from zero; where several people are behind a counter, take back this one."""
        for charge in charges:
            if charge.counter.shared:
                await store.take_back_attempt(tx, charge.counter.key, charge.blocked_until)
            else:
                await store.delete_attempts(tx, charge.counter.key)

    @staticmethod
    async def forget(tx: Transaction, *counters: Counter) -> None:
        """Start from zero, whatever was counted."""
        for counter in sorted(counters, key=lambda counter: counter.key):
            await store.delete_attempts(tx, counter.key)


def _require_no_wait(wait: timedelta) -> None:
    seconds = math.ceil(wait / timedelta(seconds=1))
    if seconds > 0:
        unit = "second" if seconds == 1 else "seconds"
        raise RateLimited(f"Too many attempts. The next one is looked at in {seconds} {unit}.", retry_after=seconds)
