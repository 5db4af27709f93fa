"""Signed checkpoints: the heads of all chains at one moment, so that a chain cut short, or gone, is seen.

A checkpoint is itself an event. Its details hold a JWS by the audit key over ``{"iat", "heads": {writer: [sequence, digest]}}``
that can be verified away from the database.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sealwright.audit import store
from sealwright.audit.chain import BrokenChain, ChainedRow, ChainHead, verify_chain
from sealwright.audit.events import Event
from sealwright.audit.record import Acting, Audit
from sealwright.clock import Clock, to_seconds
from sealwright.db import Database, Transaction
from sealwright.jose import TokenRefused, sign, verification_keys, verify
from sealwright.keys import Custody, KeyMissing, Purpose

ALGORITHM = "ES256"
_STATEMENT = "audit-checkpoint+jwt"
_PAGE = 1_000


class Checkpoints:
    """Makes checkpoints and checks the whole record against them."""

    def __init__(self, db: Database, audit: Audit, custody: Custody, clock: Clock) -> None:
        self._db = db
        self._audit = audit
        self._custody = custody
        self._clock = clock

    async def make(self, actor: Acting) -> None:
        """Sign the heads of all chains and record them. The first call makes the audit key."""
        heads = {
            row.writer_id: [row.sequence, row.digest.hex()]
            for row in [await store.head_of(self._db, writer_id) for writer_id in await store.writers(self._db)]
            if row is not None
        }
        try:
            key = await self._custody.active(Purpose.AUDIT, "")
        except KeyMissing:
            await self._make_key()
            key = await self._custody.active(Purpose.AUDIT, "")
        statement = sign(key, {"iat": to_seconds(self._clock.now()), "heads": heads}, type=_STATEMENT)

        async def body(tx: Transaction) -> None:
            await self._audit.record(
                tx,
                Event.CHAIN_CHECKPOINT,
                actor=actor,
                target="audit:all",
                details={"chains": len(heads), "statement": statement},
            )

        await self._db.write(body)

    async def verify(self) -> dict[str, ChainHead]:
        """Check every chain from its first row, and that every checkpoint is signed and still true.

        Returns the heads; raises BrokenChain naming the chain and the row.
        """
        heads: dict[str, ChainHead] = {}
        checkpoints: list[ChainedRow] = []
        digests: dict[tuple[str, int], str] = {}
        for writer_id in await store.writers(self._db):
            rows = await self._rows(writer_id)
            head = verify_chain(rows)
            if head is not None:
                heads[writer_id] = head
            for row in rows:
                digests[writer_id, row.sequence] = row.digest.hex()
                if row.event == Event.CHAIN_CHECKPOINT:
                    checkpoints.append(row)
        keys = verification_keys(*await self._custody.public_keys(Purpose.AUDIT, ""))
        for row in checkpoints:
            statement = msgspec.json.decode(row.details)["statement"]
            try:
                claims = verify(statement, keys, typ=_STATEMENT, algorithms=frozenset({ALGORITHM})).claims
            except TokenRefused as cause:
                raise BrokenChain(f"audit checkpoint {row.sequence} of {row.writer_id} is not signed by the audit key") from cause
            _compare(claims["heads"], digests)
        return heads

    async def _make_key(self) -> None:
        new_key = self._custody.generate(Purpose.AUDIT, "", ALGORITHM)

        async def body(tx: Transaction) -> None:
            await self._custody.insert(tx, new_key)

        await self._db.write(body)

    async def _rows(self, writer_id: str) -> list[ChainedRow]:
        rows: list[ChainedRow] = []
        while page := await store.rows_of_writer(self._db, writer_id, beyond=rows[-1].sequence if rows else 0, at_most=_PAGE):
            rows.extend(page)
        return rows


def _compare(heads: dict[str, Any], digests: dict[tuple[str, int], str]) -> None:
    for writer_id, (sequence, digest) in heads.items():
        if digests.get((writer_id, sequence)) != digest:
            raise BrokenChain(f"audit chain {writer_id}: entry {sequence} is not what a signed checkpoint saw")
