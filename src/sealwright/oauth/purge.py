"""Delete what can no longer matter: requests, codes, refresh tokens and families that ended a while ago."""

from __future__ import annotations

from datetime import timedelta

from sealwright.clock import Instant, before
from sealwright.db import AT_ONCE, Transaction, delete_in_batches
from sealwright.identity import BIN_KEPT
from sealwright.oauth import store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.device import store as device_store
from sealwright.oauth.dpop import store as dpop_store
from sealwright.oauth.pushed import store as pushed_store
from sealwright.oauth.recycle_bin import store as bin_store
from sealwright.oauth.registration import store as registration_store
from sealwright.oauth.token_families import CLOCK_DIFFERENCE

HISTORY_KEPT_FOR = timedelta(days=366)
"""What people allowed and took back."""
KEPT_FOR = timedelta(days=1)
"""After its end, so that a second use is still recognised."""


async def purge(dependencies: OAuthDependencies) -> int:
    """Delete what ended more than a day ago; returns how many rows. A scheduled job, safe on any number of nodes."""
    db, now = dependencies.db, dependencies.clock.now()
    until = before(now, KEPT_FOR)
    gone = await delete_in_batches(db, store.purge_requests, until)
    gone += await delete_in_batches(db, store.purge_consent_history, before(now, HISTORY_KEPT_FOR))
    gone += await delete_in_batches(db, store.purge_used_jwts, now)
    gone += await delete_in_batches(db, dpop_store.purge, before(now, 2 * CLOCK_DIFFERENCE))  # one for each use of a token
    gone += await delete_in_batches(db, bin_store.purge, before(now, BIN_KEPT))
    for delete in (pushed_store.purge, device_store.purge, registration_store.purge_tokens):
        gone += await delete_in_batches(db, delete, until)
    gone += await delete_in_batches(db, store.purge_refresh_tokens, until)  # first: each family takes what it has left with it
    return gone + await _purge_families(dependencies, until)


async def _purge_families(dependencies: OAuthDependencies, until: Instant) -> int:
    gone, beyond = 0, (Instant(0), "")
    while True:

        async def body(tx: Transaction, beyond: tuple[Instant, str] = beyond) -> store.PurgedFamilies:
            return await store.purge_families(tx, until, beyond, AT_ONCE)

        page = await dependencies.db.write(body)
        gone += page.deleted
        if page.last is None:
            return gone
        beyond = page.last
