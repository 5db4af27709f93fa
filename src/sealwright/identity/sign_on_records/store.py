"""The only SQL about records of sign-ins with providers."""

from __future__ import annotations

import msgspec
from sqlalchemy import and_, bindparam, delete, insert, or_, select

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction
from sealwright.db.schema import accounts, upstream_sign_ins
from sealwright.identity.upstream.models import SeenGroups, SignInRecord

_t = upstream_sign_ins.c
_COLUMNS = (
    _t.id,
    _t.at,
    _t.provider_id,
    _t.provider_name,
    _t.reason,
    _t.detail,
    _t.hint,
    _t.subject,
    _t.account_id,
    _t.seen,
)
_older = or_(_t.at < bindparam("last_at"), and_(_t.at == bindparam("last_at"), _t.id < bindparam("last_id")))
_in_order = (_t.at.desc(), _t.id.desc())
_ALL = Statement(select(*_COLUMNS).where(_older).order_by(*_in_order).limit(bindparam("at_most")))
_OF_PROVIDER = Statement(
    select(*_COLUMNS).where(_t.provider_id == bindparam("provider_id"), _older).order_by(*_in_order).limit(bindparam("at_most"))
)
_ONE = Statement(select(*_COLUMNS).where(_t.id == bindparam("id")))
_INSERT = Statement(insert(upstream_sign_ins))
_over = select(_t.id).where(_t.at <= bindparam("before")).order_by(_t.at).limit(bindparam("at_most"))
_PURGE = Statement(delete(upstream_sign_ins).where(_t.id.in_(_over)))
_NAME = Statement(select(accounts.c.name).where(accounts.c.id == bindparam("id")))
_END = Instant(253_402_300_799_000)
"""The end of the year 9999: no record is newer."""


async def insert_record(tx: Transaction, record: SignInRecord) -> None:
    """Keep what came of a sign-in."""
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    await tx.run(_INSERT, **(values | {"seen": msgspec.json.encode(record.seen).decode()}))


async def newest(
    reader: Database | Transaction, *, provider_id: str, older_than: SignInRecord | None, at_most: int
) -> list[SignInRecord]:
    """The newest records, of one provider or of all."""
    last = (_END, "") if older_than is None else (older_than.at, older_than.id)
    place = {"last_at": last[0], "last_id": last[1], "at_most": at_most}
    if provider_id:
        rows = await reader.all(_OF_PROVIDER, provider_id=provider_id, **place)
    else:
        rows = await reader.all(_ALL, **place)
    return [_record(row) for row in rows]


async def find(reader: Database | Transaction, sign_in_id: str) -> SignInRecord | None:
    """One record."""
    row = await reader.one(_ONE, id=sign_in_id)
    return None if row is None else _record(row)


async def account_name(reader: Database | Transaction, account_id: str) -> str:
    """The name of an account; empty where it is gone."""
    row = await reader.one(_NAME, id=account_id)
    return "" if row is None else row[0]


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete so many records from before an instant; returns how many."""
    return await tx.run(_PURGE, before=before, at_most=at_most)


def _record(row: Row) -> SignInRecord:
    values = dict(zip((column.name for column in _COLUMNS), row, strict=True))
    return SignInRecord(**(values | {"at": Instant(values["at"]), "seen": msgspec.json.decode(values["seen"], type=SeenGroups)}))
