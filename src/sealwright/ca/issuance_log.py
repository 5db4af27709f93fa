"""What is written about each issuance: the intent before the key is used, and the outcome before anything is given out.

Issuances that happen at the same time share transactions and statements; each is recorded, or refused, for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from sealwright.access.approvals import guarded_objects
from sealwright.audit import Audit, Entry
from sealwright.ca import store
from sealwright.ca.models import TokenUse
from sealwright.ca.profiles import current_revisions
from sealwright.ca.records import CertificateRecord
from sealwright.clock import Clock
from sealwright.db import Database, Transaction, WriteBatcher, first_uses


class IntentOutcome(Enum):
    """What became of an intent."""

    RECORDED = auto()
    TOKEN_USED = auto()
    """Nothing was recorded: the token had been used before."""
    NEEDS_APPROVAL = auto()
    """Nothing was recorded: the profile or the issuer asks for approval."""
    PROFILE_CHANGED = auto()
    """Nothing was recorded: the profile is not what was decided by any more."""


class IntentEntry(NamedTuple):
    """What will be signed, and the use of the token that allows it once, where there is one."""

    record: CertificateRecord
    token_use: TokenUse | None
    entry: Entry
    guarded_by: tuple[str, ...] = ()
    """What may ask for its approval."""
    revision: str = ""
    """Of the stored profile; empty where it is built in."""


class IssuedEntry(NamedTuple):
    """What was signed."""

    serial: bytes
    der: bytes
    entry: Entry


async def changed_profiles(tx: Transaction, intents: Sequence[IntentEntry]) -> Sequence[bool]:
    """Of each intent, whether its stored profile is another one by now; without one, the database is not asked."""
    if not any(each.revision for each in intents):
        return [False] * len(intents)
    current = await current_revisions(tx)
    return [bool(each.revision) and current.get(each.record.profile) != each.revision for each in intents]


class IssuanceLog:
    """Records issuances durably."""

    def __init__(self, db: Database, audit: Audit, clock: Clock) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._intents: WriteBatcher[IntentEntry, IntentOutcome] = WriteBatcher(db, self._write_intents)
        self._outcomes: WriteBatcher[IssuedEntry, bool] = WriteBatcher(db, self._write_outcomes)

    async def record_intent(self, intended: IntentEntry) -> IntentOutcome:
        """Use up the token and record the intent, unless it needs approval. A serial number that exists raises DuplicateRow.

        Whether it needs approval is read in the transaction that records it, so that no intent passes a rule that stands.
        """
        return await self._intents.add(intended)

    async def record_issued(self, signed: IssuedEntry) -> bool:
        """Record the certificate; False, with nothing recorded, where the intent is not open any more."""
        return await self._outcomes.add(signed)

    async def record_failed(self, serial: bytes, entry: Entry) -> None:
        """Record that nothing was signed, or nothing given out."""

        async def body(tx: Transaction) -> None:
            await store.record_failed(tx, serial)
            await self._audit.record_all(tx, [entry])

        await self._db.write(body)

    async def _write_intents(self, tx: Transaction, intents: Sequence[IntentEntry]) -> Sequence[IntentOutcome]:
        guarded = await guarded_objects(tx)
        changed = await changed_profiles(tx, intents)
        if not guarded and not any(changed):
            return await self.write_intents(tx, intents)
        stopped = [
            IntentOutcome.PROFILE_CHANGED
            if is_changed
            else None
            if guarded.isdisjoint(each.guarded_by)
            else IntentOutcome.NEEDS_APPROVAL
            for each, is_changed in zip(intents, changed, strict=True)
        ]
        free = iter(await self.write_intents(tx, [each for each, why in zip(intents, stopped, strict=True) if why is None]))
        return [next(free) if why is None else why for why in stopped]

    async def write_intents(self, tx: Transaction, intents: Sequence[IntentEntry]) -> Sequence[IntentOutcome]:
        """Record intents that need no approval, or have it, in the transaction of the caller."""
        fresh = await store.consume_tokens(tx, [each.token_use for each in intents if each.token_use])
        first = first_uses((each.token_use.digest if each.token_use else b"" for each in intents), fresh)
        unused = [each.token_use is None or is_first for each, is_first in zip(intents, first, strict=True)]
        allowed = [each for each, is_unused in zip(intents, unused, strict=True) if is_unused]
        await store.insert_intents(tx, [each.record for each in allowed])
        await self._audit.record_all(tx, [each.entry for each in allowed])
        return [IntentOutcome.RECORDED if is_unused else IntentOutcome.TOKEN_USED for is_unused in unused]

    async def _write_outcomes(self, tx: Transaction, signed: Sequence[IssuedEntry]) -> Sequence[bool]:
        recorded = await store.record_issued(tx, [(each.serial, each.der) for each in signed], now=self._clock.now())
        await self._audit.record_all(tx, [each.entry for each in signed if each.serial in recorded])
        return [each.serial in recorded for each in signed]
