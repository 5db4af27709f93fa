"""The chain: each row's digest covers the row and the digest before it. Each writer has one to itself, so that no node waits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from sealwright.errors import Conflict

GENESIS = bytes(32)


class ChainHead(msgspec.Struct, frozen=True):
    """Where a chain ends: the sequence number and digest of its last row."""

    sequence: int
    digest: bytes


class ChainedRow(msgspec.Struct, frozen=True):
    """One row as stored, in the order of the table's columns."""

    writer_id: str
    sequence: int
    at: int
    event: str
    outcome: str
    actor_kind: str
    actor_id: str
    actor_name: str
    target: str
    details: str
    previous: bytes
    digest: bytes
    request_id: str = ""


class ExportedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row as an export writes it, to check the record without the server. Digests are hexadecimal."""

    writer_id: str
    sequence: int
    at: int
    event: str
    outcome: str
    actor_kind: str
    actor_id: str
    actor_name: str
    target: str
    details: str
    request_id: str
    previous: str
    digest: str

    @classmethod
    def of(cls, row: ChainedRow) -> ExportedRow:
        """A row, to be written."""
        fields = {name: getattr(row, name) for name in cls.__struct_fields__}
        return cls(**fields | {"previous": row.previous.hex(), "digest": row.digest.hex()})

    def row(self) -> ChainedRow:
        """The row that was written; raises ValueError where a digest is not hexadecimal."""
        fields = msgspec.structs.asdict(self)
        return ChainedRow(**fields | {"previous": bytes.fromhex(self.previous), "digest": bytes.fromhex(self.digest)})


class BrokenChain(Conflict):
    """A row was changed, removed or put in another place."""

    code = "broken_audit_chain"


def digest_of(previous: bytes, fields: tuple[str | int, ...]) -> bytes:
    """SHA-256 over the digest before and the row's fields as a JSON array (unambiguous, readable with any tool)."""
    return hashlib.sha256(previous + msgspec.json.encode(fields)).digest()


def fields_of(row: ChainedRow) -> tuple[str | int, ...]:
    """The fields that a row's digest covers. Rows without a request have one field less: the first ones were made so."""
    fields = (
        row.writer_id,
        row.sequence,
        row.at,
        row.event,
        row.outcome,
        row.actor_kind,
        row.actor_id,
        row.actor_name,
        row.target,
        row.details,
    )
    return (*fields, row.request_id) if row.request_id else fields


def verify_chain(rows: Iterable[ChainedRow]) -> ChainHead | None:
    """Check one writer's rows, from its first on; returns the head, or raises BrokenChain naming the row."""
    head: ChainHead | None = None
    for row in rows:
        expected = ChainHead(0, GENESIS) if head is None else head
        if row.sequence != expected.sequence + 1 or row.previous != expected.digest:
            raise BrokenChain(f"audit chain {row.writer_id}: entry {row.sequence} does not follow entry {expected.sequence}")
        if row.digest != digest_of(row.previous, fields_of(row)):
            raise BrokenChain(f"audit chain {row.writer_id}: entry {row.sequence} was changed after it was written")
        head = ChainHead(row.sequence, row.digest)
    return head
