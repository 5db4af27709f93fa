"""Confirm tokens in the database: any process of any node takes what another one gave."""

from __future__ import annotations

import hashlib

from sealwright.api.assistants import store
from sealwright.clock import Clock, after
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token
from sealwright.mcp import CONFIRMED_WITHIN, MOST_AT_ONCE


class StoredConfirmTokens:
    """Those of one account."""

    def __init__(self, db: Database, clock: Clock, entropy: Entropy, account_id: str) -> None:
        self._db = db
        self._clock = clock
        self._entropy = entropy
        self._account_id = account_id

    async def issue(self, call_digest: str) -> str:
        """A new token for a call."""
        confirm, now = token(self._entropy), self._clock.now()

        async def body(tx: Transaction) -> None:
            await store.delete_expired(tx, now)
            await store.keep_newest(tx, self._account_id, MOST_AT_ONCE - 1)
            await store.insert_token(
                tx,
                digest=_digest(confirm),
                account_id=self._account_id,
                call_digest=call_digest,
                expires_at=after(now, CONFIRMED_WITHIN),
            )

        await self._db.write(body)
        return confirm

    async def use(self, confirm: str, call_digest: str) -> bool:
        """Use a token up; whether it was for this call and still valid."""

        async def body(tx: Transaction) -> bool:
            found = await store.use_token(tx, _digest(confirm), self._account_id)
            return found is not None and found[0] == call_digest and self._clock.now() < found[1]

        return await self._db.write(body)


def _digest(confirm: str) -> bytes:
    return hashlib.sha256(confirm.encode()).digest()
