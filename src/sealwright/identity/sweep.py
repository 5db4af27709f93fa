"""Forget what is long over."""

from __future__ import annotations

from datetime import timedelta

from sealwright.clock import Clock, before
from sealwright.db import Database, Transaction
from sealwright.identity import store

SESSIONS_KEPT = timedelta(days=30)
OTHERS_KEPT = timedelta(days=2)


async def sweep(db: Database, clock: Clock) -> int:
    """Delete sessions that ended a month ago, and waiting sign-ins, links and counts of the day before; answers how many."""

    async def body(tx: Transaction) -> int:
        now = clock.now()
        return await store.delete_expired(tx, sessions_before=before(now, SESSIONS_KEPT), others_before=before(now, OTHERS_KEPT))

    return await db.write(body)
