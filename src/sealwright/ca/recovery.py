"""Close issuances that a process did not finish, and delete records that are not needed any more.

An intent without a result means that a process died somewhere between recording the intent and recording what it signed. From
the database alone no one can say whether the key was used in between, so each becomes "maybe signed", never "failed": the
serial number is not used again, and it can be revoked like a certificate. A process that is only slow may still settle its
intent afterwards: it knows what happened, and "maybe signed" yields to that. So closing too early does no harm, and several
nodes may do this at the same time.
"""

from __future__ import annotations

from datetime import timedelta

from sealwright.access import SYSTEM
from sealwright.audit import Audit, Event, Outcome
from sealwright.ca import store
from sealwright.clock import Clock, before
from sealwright.db import AT_ONCE, Database, Transaction

PATIENCE = timedelta(minutes=1)
"""An issuance that is still at work takes a fraction of a second."""


class Recovery:
    """Closes open intents and purges used tokens that expired."""

    def __init__(self, db: Database, audit: Audit, clock: Clock) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock

    async def close_intents(self, *, older_than: timedelta = timedelta(0)) -> list[bytes]:
        """Close every open intent, audited; returns their serial numbers. At start all, later those older than `PATIENCE`."""
        until = before(self._clock.now(), older_than)

        async def body(tx: Transaction) -> list[bytes]:
            serials = await store.close_intents(tx, until=until)
            for serial in serials:
                target = f"certificate:{serial.hex()}"
                await self._audit.record(tx, Event.CERTIFICATE_UNRESOLVED, actor=SYSTEM, target=target, outcome=Outcome.FAILED)
            return serials

        return await self._db.write(body)

    async def purge_tokens(self) -> int:
        """Delete the rows of used tokens that are refused for their age anyway; returns how many."""
        now, gone, beyond = self._clock.now(), 0, b""
        while True:

            async def body(tx: Transaction, beyond: bytes = beyond) -> store.PurgedTokens:
                return await store.purge_tokens(tx, expired_before=now, beyond=beyond, at_most=AT_ONCE)

            page = await self._db.write(body)
            gone += page.deleted
            if page.last is None:
                return gone
            beyond = page.last
