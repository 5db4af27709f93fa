"""Check the audit record of a test's database."""

from __future__ import annotations

from sealwright.audit import Audit, Checkpoints
from sealwright.clock import FixedClock, Instant
from sealwright.db import Database
from sealwright.entropy import SeededEntropy
from sealwright.keys import Custody, Sealer


def checkpoints_of(db: Database, audit: Audit) -> Checkpoints:
    """Checkpoints with a key-encryption key of the test's own."""
    clock = FixedClock(Instant(1_790_000_000_000))
    return Checkpoints(db, audit, Custody(db, Sealer(bytes(32), SeededEntropy(1)), clock), clock)
