"""The only SQL about issuers."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from msgspec import Struct
from sqlalchemy import bindparam, insert, select, text, update

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction
from sealwright.db.schema import issuers as t


class IssuerKind(StrEnum):
    """What an authority signs."""

    ROOT = "root"
    """Issuing CAs. Its key may be away."""
    ISSUING = "issuing"
    """Leaf certificates."""


class IssuerRecord(Struct, frozen=True):
    """One row: an authority's certificate, without its key."""

    id: str
    name: str
    """Common name of its subject."""
    kind: IssuerKind
    parent_id: str | None
    key_id: str
    certificate_der: bytes
    not_after: Instant
    created_at: Instant
    retired_at: Instant | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in lower-case hexadecimal, as `step ca bootstrap --fingerprint` takes it."""
        return hashlib.sha256(self.certificate_der).hexdigest()


_FIELDS = IssuerRecord.__struct_fields__
_COLUMNS = [t.c[name] for name in _FIELDS]

_INSERT = Statement(insert(t))
_ALL = Statement(select(*_COLUMNS).order_by(t.c.created_at.desc(), t.c.name.desc()).limit(bindparam("at_most")))
_RETIRE = Statement(
    update(t)
    .where(t.c.kind == bindparam("issuing"), t.c.retired_at.is_(None))
    .values(retired_at=bindparam("now"))
    .returning(t.c.id)
)
MOST_ISSUERS = 1_000

_ALONE = Statement(text("SELECT 1"), postgresql=lambda: text("LOCK TABLE issuers IN SHARE ROW EXCLUSIVE MODE"))
"""SQLite has one writer at a time anyway."""


async def insert_issuer(tx: Transaction, record: IssuerRecord) -> None:
    """Store a new issuer; its key and its parent are there already."""
    values = {name: getattr(record, name) for name in _FIELDS}
    values["kind"] = str(record.kind)
    await tx.run(_INSERT, **values)


async def retire_issuing(tx: Transaction, now: Instant) -> list[str]:
    """Retire the issuing CAs that sign; returns their ids. Until the end of the transaction no one else adds one."""
    await tx.run(_ALONE)
    return [str(row[0]) for row in await tx.all(_RETIRE, now=now, issuing=str(IssuerKind.ISSUING))]


async def claim_first(tx: Transaction) -> bool:
    """Whether there is no issuer yet; until the end of the transaction no one else adds one."""
    await tx.run(_ALONE)
    return await tx.one(_ALL, at_most=1) is None


async def all_issuers(db: Database | Transaction) -> tuple[IssuerRecord, ...]:
    """Every authority, newest first. There are few: a root, and an issuing CA every few years."""
    return tuple(_record(row) for row in await db.all(_ALL, at_most=MOST_ISSUERS))


def _record(row: Row) -> IssuerRecord:
    values = dict(zip(_FIELDS, row, strict=True))
    values["kind"] = IssuerKind(values["kind"])
    return IssuerRecord(**values)
