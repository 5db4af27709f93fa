"""Delete expired rows."""

from __future__ import annotations

from datetime import timedelta

from sealwright.clock import Clock, before
from sealwright.db import Database, Transaction
from sealwright.identity import store
from sealwright.identity.api_tokens import store as api_tokens
from sealwright.identity.devices import DEVICE_LIFETIME
from sealwright.identity.devices import store as devices
from sealwright.identity.imports import store as imports
from sealwright.identity.passkeys import store as passkeys

SESSIONS_KEPT = timedelta(days=30)
OTHERS_KEPT = timedelta(days=2)


async def purge(db: Database, clock: Clock) -> int:
    """Delete sessions that ended a month ago, devices that are known no more, and what else was over; returns how many."""

    async def body(tx: Transaction) -> int:
        now = clock.now()
        purged = await devices.purge(tx, before(now, DEVICE_LIFETIME))
        purged += await imports.purge(tx, now)
        purged += await passkeys.purge_challenges(tx, now)
        purged += await api_tokens.purge(tx, before(now, SESSIONS_KEPT))
        return purged + await store.purge(tx, sessions_before=before(now, SESSIONS_KEPT), others_before=before(now, OTHERS_KEPT))

    return await db.write(body)
