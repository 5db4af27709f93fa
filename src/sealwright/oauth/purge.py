"""Delete what can no longer matter: requests, codes, refresh tokens and families that ended a while ago."""

from __future__ import annotations

from datetime import timedelta

from sealwright.clock import before
from sealwright.db import Transaction
from sealwright.oauth import store
from sealwright.oauth.dependencies import OAuthDependencies

KEPT_FOR = timedelta(days=1)
"""After its end, so that a second use is still recognised."""


async def purge(dependencies: OAuthDependencies) -> int:
    """Delete what ended more than a day ago; returns how many rows. A scheduled job, safe on any number of nodes."""
    until = before(dependencies.clock.now(), KEPT_FOR)

    async def body(tx: Transaction) -> int:
        return await store.purge(tx, until)

    return await dependencies.db.write(body)
