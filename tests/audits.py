"""Check the audit record of a test's database."""

from __future__ import annotations

from sealwright.audit import Audit, Checkpoints
from sealwright.audit.chain import GENESIS, ChainHead
from sealwright.audit.lease import USED_FOR, HeldChain
from sealwright.clock import Clock, FixedClock, Instant, after
from sealwright.db import Database, Transaction
from sealwright.entropy import SeededEntropy
from sealwright.keys import Custody, Sealer


def checkpoints_of(db: Database, audit: Audit) -> Checkpoints:
    """Checkpoints with a key-encryption key of the test's own."""
    clock = FixedClock(Instant(1_790_000_000_000))
    return Checkpoints(db, audit, Custody(db, Sealer(bytes(32), SeededEntropy(1)), clock), clock)


def go_on_with(tx: Transaction, chain: str, clock: Clock, head: ChainHead | None = None) -> None:
    """Let the writer of a transaction add to this chain, after `head`."""
    tx.writer.memo = HeldChain(chain, ChainHead(0, GENESIS) if head is None else head, after(clock.now(), USED_FOR))
