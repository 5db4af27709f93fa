"""The certificates of one person together: how many there are, and their end."""

from __future__ import annotations

from sealwright.access import Actor
from sealwright.audit import Audit, Entry, Event
from sealwright.ca import store
from sealwright.clock import Clock
from sealwright.db import Database, Transaction

KEY_COMPROMISE = 1
"""RFC 5280, section 5.3.1."""
_REASON = "the person's credentials were reset"


class AccountCertificates:
    """Those that people of this server got by signing in."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    async def count(self, reader: Database | Transaction, account_id: str) -> int:
        """How many of the account are valid now."""
        return await store.count_of(reader, account_id, now=self._clock.now())

    async def revoke(self, tx: Transaction, account_id: str, actor: Actor) -> int:
        """Revoke all of them as compromised, and record each; returns how many.

        It happens in the transaction that resets the credentials, so that neither is without the other.
        """
        serials = await store.revoke_all_of(tx, account_id, now=self._clock.now(), reason=KEY_COMPROMISE)
        details = {"reason_code": KEY_COMPROMISE, "reason": _REASON, "account": account_id}
        entries = [Entry(Event.CERTIFICATE_REVOKED, actor, f"certificate:{each.hex()}", details=details) for each in serials]
        await self._audit.record_all(tx, entries)
        return len(serials)
