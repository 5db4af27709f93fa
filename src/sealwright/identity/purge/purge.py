"""Delete expired rows."""

from __future__ import annotations

from datetime import timedelta

from sealwright.clock import Clock, Instant, before
from sealwright.db import AT_ONCE, Database, Transaction, delete_in_batches
from sealwright.identity.api_keys import store as api_keys
from sealwright.identity.api_tokens import store as api_tokens
from sealwright.identity.devices import DEVICE_LIFETIME
from sealwright.identity.devices import store as devices
from sealwright.identity.imports import store as imports
from sealwright.identity.passkeys import store as passkeys
from sealwright.identity.purge import store
from sealwright.identity.recycle_bin import store as recycle_bin
from sealwright.identity.sign_on_records import store as sign_ins
from sealwright.identity.sign_on_records.records import RECORDS_KEPT
from sealwright.identity.upstream import store as upstream

SESSIONS_KEPT = timedelta(days=30)
BIN_KEPT = timedelta(days=7)
OTHERS_KEPT = timedelta(days=2)


async def purge(db: Database, clock: Clock) -> int:
    """Delete sessions that ended a month ago, devices that are known no more, and what else was over; returns how many."""
    now = clock.now()
    gone = await delete_in_batches(db, devices.purge, before(now, DEVICE_LIFETIME))
    gone += await delete_in_batches(db, imports.purge, now)
    gone += await delete_in_batches(db, passkeys.purge_challenges, now)
    gone += await delete_in_batches(db, upstream.purge_waiting, now)
    gone += await delete_in_batches(db, upstream.purge_logout_tokens, now)
    gone += await delete_in_batches(db, sign_ins.purge, before(now, RECORDS_KEPT))
    gone += await delete_in_batches(db, api_tokens.purge, before(now, SESSIONS_KEPT))
    gone += await delete_in_batches(db, api_keys.purge, before(now, SESSIONS_KEPT))
    gone += await delete_in_batches(db, recycle_bin.purge, before(now, BIN_KEPT))
    gone += await delete_in_batches(db, store.purge, before(now, OTHERS_KEPT))
    return gone + await _purge_sessions(db, before(now, SESSIONS_KEPT))


async def _purge_sessions(db: Database, until: Instant) -> int:
    """Page by page, so that each session is read once; one whose authorizations outlive it stays."""
    gone, beyond = 0, (Instant(0), "")
    while True:

        async def body(tx: Transaction, beyond: tuple[Instant, str] = beyond) -> store.PurgedSessions:
            return await store.purge_sessions(tx, until, beyond, AT_ONCE)

        page = await db.write(body)
        gone += page.deleted
        if page.last is None:
            return gone
        beyond = page.last
