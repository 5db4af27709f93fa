"""Check rows of the record against each other, and against what the audit key signed. Needs no database and no server.

Rows are read twice: once for what was signed (`learn`), once in the order of each chain (`check`), so that a record of any length
is checked in memory that does not grow with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from sealwright.audit.chain import GENESIS, BrokenChain, ChainedRow, ChainHead, digest_of, fields_of
from sealwright.audit.events import Event
from sealwright.clock import Instant, from_seconds
from sealwright.jose import TokenRefused, VerificationKeys, verify

ALGORITHM = "ES256"
CHECKPOINT = "audit-checkpoint+jwt"
PURGE = "audit-purge+jwt"
_TYPES: Mapping[str, str] = {Event.CHAIN_CHECKPOINT: CHECKPOINT, Event.RECORD_PURGED: PURGE}
Heads = Mapping[str, tuple[int, str]]
"""Writer → sequence number and digest, in hexadecimal, of a row of its chain."""


class Verified(Struct, frozen=True):
    """What was found in order."""

    heads: dict[str, ChainHead]
    rows: int
    checkpoints: int
    signed_at: Instant | None
    """When the newest checkpoint was signed: until then no row can be missing."""
    unsigned_rows: int
    """Rows after those that a checkpoint has seen: they follow each other, and the newest of them could be missing unseen."""
    purged_chains: int
    """Chains whose beginning, or all of which, was purged with a signature."""


class ChainVerifier:
    """One check of a whole record."""

    def __init__(self, keys: VerificationKeys) -> None:
        """`keys`: the public keys of the server's audit key, now and before."""
        self._keys = keys
        self._seen: dict[tuple[str, int], str] = {}
        self._signed: dict[str, int] = {}
        self._purged: dict[str, ChainHead] = {}
        self._heads: dict[str, ChainHead] = {}
        self._rows = self._checkpoints = 0
        self._signed_at: Instant | None = None

    def learn(self, row: ChainedRow) -> None:
        """Take over what a row says that was signed; rows of other events say nothing. Raises BrokenChain for a forged one."""
        if row.event not in _TYPES:
            return
        claims, heads = self._statement(row)
        if row.event == Event.RECORD_PURGED:
            for writer_id, (sequence, digest) in heads.items():
                if writer_id not in self._purged or self._purged[writer_id].sequence < sequence:
                    self._purged[writer_id] = ChainHead(sequence, bytes.fromhex(digest))
            return
        self._checkpoints += 1
        at = from_seconds(claims["iat"])
        self._signed_at = at if self._signed_at is None or at > self._signed_at else self._signed_at
        for writer_id, (sequence, digest) in heads.items():
            if self._seen.setdefault((writer_id, sequence), digest) != digest:
                raise _contradicts(writer_id, sequence)
            self._signed[writer_id] = max(sequence, self._signed.get(writer_id, 0))

    def check(self, row: ChainedRow) -> None:
        """Check the next row of a chain, after all rows were learnt; raises BrokenChain naming the row."""
        purged = self._purged.get(row.writer_id, ChainHead(0, GENESIS))
        if row.sequence <= purged.sequence:
            return  # signed as purged, and not deleted yet
        before = self._heads.get(row.writer_id, purged)
        if row.sequence != before.sequence + 1 or row.previous != before.digest:
            raise BrokenChain(f"audit chain {row.writer_id}: entry {row.sequence} does not follow entry {before.sequence}")
        if row.digest != digest_of(row.previous, fields_of(row)):
            raise BrokenChain(f"audit chain {row.writer_id}: entry {row.sequence} was changed after it was written")
        if self._seen.pop((row.writer_id, row.sequence), row.digest.hex()) != row.digest.hex():
            raise _contradicts(row.writer_id, row.sequence)
        self._heads[row.writer_id] = ChainHead(row.sequence, row.digest)
        self._rows += 1

    def finish(self) -> Verified:
        """What was found, once every row was checked; raises BrokenChain where a row is missing that was signed."""
        for (writer_id, sequence), digest in self._seen.items():
            purged = self._purged.get(writer_id, ChainHead(0, GENESIS))
            if sequence > purged.sequence or (sequence == purged.sequence and digest != purged.digest.hex()):
                raise _contradicts(writer_id, sequence)
        unsigned = sum(
            head.sequence - max(self._signed.get(writer_id, 0), self._purged.get(writer_id, ChainHead(0, GENESIS)).sequence)
            for writer_id, head in self._heads.items()
        )
        return Verified(
            heads=self._heads,
            rows=self._rows,
            checkpoints=self._checkpoints,
            signed_at=self._signed_at,
            unsigned_rows=unsigned,
            purged_chains=len(self._purged),
        )

    def _statement(self, row: ChainedRow) -> tuple[Mapping[str, Any], Heads]:
        try:
            details = msgspec.json.decode(row.details, type=dict[str, Any])
            token = details["statement"]
            signed = verify(token, self._keys, typ=_TYPES[row.event], algorithms=frozenset({ALGORITHM})).claims
            heads = signed["heads"] if "heads" in signed else details["heads"]
            if "heads" not in signed and signed["heads_sha256"] != digest_of_heads(heads):
                raise BrokenChain(f"audit checkpoint {row.sequence} of {row.writer_id} has other heads than were signed")
            return signed, msgspec.convert(heads, dict[str, tuple[int, str]])
        except (TokenRefused, KeyError, TypeError, msgspec.MsgspecError) as cause:
            raise BrokenChain(f"audit checkpoint {row.sequence} of {row.writer_id} is not signed by the audit key") from cause


def digest_of_heads(heads: Mapping[str, Any]) -> str:
    """SHA-256 in hexadecimal of the heads as JSON with sorted members: a statement of any number of chains stays short."""
    return hashlib.sha256(msgspec.json.encode(heads, order="sorted")).hexdigest()


def _contradicts(writer_id: str, sequence: int) -> BrokenChain:
    return BrokenChain(f"audit chain {writer_id}: entry {sequence} is not what a signed checkpoint saw")
