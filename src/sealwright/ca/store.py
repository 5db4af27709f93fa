"""The only SQL about certificates and used tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, literal_column, or_, select, update

from sealwright.ca.models import Name, NameType, TokenUse
from sealwright.ca.name_search import NameRange, search_keys
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once
from sealwright.db.schema import certificate_names, certificates, used_tokens

_c = certificates.c
_FIELDS = CertificateRecord.__struct_fields__
COLUMNS = [_c[name] for name in _FIELDS]
_UNRESOLVED = or_(_c.state == str(CertificateState.INTENDED), _c.state == str(CertificateState.MAYBE_SIGNED))
_INTENDED: ColumnElement[str] = literal_column("'intended'")
"""As text in the statement: SQLite uses the index of open intents only where it can see that the condition is the index's."""
_STATE, _NAME_LIST = _FIELDS.index("state"), _FIELDS.index("names")
_STATES = {str(state): state for state in CertificateState}
_TYPES = {str(kind): kind for kind in NameType}
_NAMES = msgspec.json.Decoder(list[tuple[str, str]])
_encode = msgspec.json.Encoder().encode

_CONSUME_TOKEN = insert_once(used_tokens, returning=used_tokens.c.digest)
_used = used_tokens.c
_beyond = select(_used.digest).where(_used.digest > bindparam("beyond"))
_page = _beyond.order_by(_used.digest).limit(bindparam("at_most")).subquery()
_END_OF_PAGE = Statement(select(_page.c.digest).order_by(_page.c.digest.desc()).limit(1))
_PURGE_TOKENS = Statement(
    delete(used_tokens).where(
        _used.digest > bindparam("beyond"), _used.digest <= bindparam("last"), _used.kept_until < bindparam("before")
    )
)

_INSERT = Statement(insert(certificates))
_INSERT_NAMES = Statement(insert(certificate_names))
_SETTLE_ISSUED = Statement(
    update(certificates)
    .where(_c.serial == bindparam("of_serial"), _UNRESOLVED, _c.der.is_(None))
    .values(state=str(CertificateState.ISSUED), der=bindparam("new_der"), issued_at=bindparam("now"))
    .returning(_c.serial)
)
_SETTLE_FAILED = Statement(
    update(certificates)
    .where(_c.serial == bindparam("of_serial"), _UNRESOLVED, _c.der.is_(None))
    .values(state=str(CertificateState.FAILED))
)
_CLOSE_INTENTS = Statement(
    update(certificates)
    .where(_c.state == _INTENDED, _c.intended_at <= bindparam("until"))
    .values(state=str(CertificateState.MAYBE_SIGNED))
    .returning(_c.serial)
)
_REVOKE = Statement(
    update(certificates)
    .where(_c.serial == bindparam("of_serial"), _c.revoked_at.is_(None), _c.state != str(CertificateState.FAILED))
    .values(revoked_at=bindparam("now"), revocation_reason=bindparam("reason"))
    .returning(_c.serial)
)
_holds = and_(
    _c.account_id == bindparam("of_account"),
    _c.revoked_at.is_(None),
    _c.state != str(CertificateState.FAILED),
    _c.not_after >= bindparam("now"),
)
_REVOKE_ALL_OF = Statement(
    update(certificates)
    .where(_holds)
    .values(revoked_at=bindparam("now"), revocation_reason=bindparam("reason"))
    .returning(_c.serial)
)
_COUNT_OF = Statement(select(func.count()).select_from(certificates).where(_holds))
_COUNT_BY = Statement(
    select(func.count())
    .select_from(certificates)
    .where(
        _c.provisioner_id == bindparam("vouched_by"),
        _c.revoked_at.is_(None),
        _c.state != str(CertificateState.FAILED),
        _c.not_after >= bindparam("now"),
    )
)
_BY_SERIAL = Statement(select(*COLUMNS).where(_c.serial == bindparam("serial")))
_FOLLOWED_BY = Statement(select(*COLUMNS).where(_c.renewed_from == bindparam("serial")).order_by(_c.serial).limit(100))
_NEWEST = Statement(
    select(*COLUMNS).where(_c.serial < bindparam("older_than")).order_by(_c.serial.desc()).limit(bindparam("at_most"))
)
_NEWEST_OF_ACCOUNT = Statement(
    select(*COLUMNS)
    .where(_c.account_id == bindparam("account_id"), _c.serial < bindparam("older_than"))
    .order_by(_c.serial.desc())
    .limit(bindparam("at_most"))
)
_called = _c.serial.in_(
    select(certificate_names.c.serial).where(
        certificate_names.c.reversed_name >= bindparam("first"), certificate_names.c.reversed_name < bindparam("end")
    )
)
_newest_serials = (
    select(certificate_names.c.serial)
    .distinct()
    .where(
        certificate_names.c.reversed_name >= bindparam("first"),
        certificate_names.c.reversed_name < bindparam("end"),
        certificate_names.c.serial < bindparam("older_than"),
    )
    .order_by(certificate_names.c.serial.desc())
    .limit(bindparam("at_most"))
)
"""Chosen among the names, so that no certificate is read that is not shown."""
_NEWEST_CALLED = Statement(select(*COLUMNS).where(_c.serial.in_(_newest_serials)).order_by(_c.serial.desc()))
_NEWEST_CALLED_OF_ACCOUNT = Statement(
    select(*COLUMNS)
    .where(_called, _c.account_id == bindparam("account_id"), _c.serial < bindparam("older_than"))
    .order_by(_c.serial.desc())
    .limit(bindparam("at_most"))
)

BROAD = 20_000
"""This many names are sorted in some 20 milliseconds. Where more are found, the newest certificates are looked through."""
LOOKED_THROUGH = 5_000
_AT_ONCE = 500
_ranged = select(certificate_names.c.serial).where(
    certificate_names.c.reversed_name >= bindparam("first"), certificate_names.c.reversed_name < bindparam("end")
)
_COUNT_CALLED = Statement(select(func.count()).select_from(_ranged.limit(bindparam("at_most")).subquery("named")))
FEW = 20
NO_SERIAL_IS_GREATER = b"\xff" * 21


async def consume_token(tx: Transaction, use: TokenUse) -> bool:
    """Note that a token was used; False where it had been used before."""
    return bool(await consume_tokens(tx, [use]))


async def consume_tokens(tx: Transaction, uses: Sequence[TokenUse]) -> set[bytes]:
    """Note that tokens were used; returns the digests of those that had not been used before."""
    ordered = sorted(uses, key=lambda use: use.digest)  # transactions that wait for each other wait in one order
    many = [{"digest": use.digest, "kept_until": use.kept_until} for use in ordered]
    return {row[0] for row in await tx.all_many(_CONSUME_TOKEN, many)}


class PurgedTokens(NamedTuple):
    """How far a purge of used tokens has come."""

    deleted: int
    last: bytes | None
    """The last digest that was looked at; None where none is left."""


async def purge_tokens(tx: Transaction, *, expired_before: Instant, beyond: bytes, at_most: int) -> PurgedTokens:
    """Look at so many used tokens, and delete those that would be refused anyway.

    By pages of the table, because an index by time would be written for every certificate, and read once an hour.
    """
    row = await tx.one(_END_OF_PAGE, beyond=beyond, at_most=at_most)
    if row is None:
        return PurgedTokens(0, None)
    return PurgedTokens(await tx.run(_PURGE_TOKENS, beyond=beyond, last=row[0], before=expired_before), row[0])


async def insert_intents(tx: Transaction, records: Sequence[CertificateRecord]) -> None:
    """Record what will be signed. A serial that exists raises DuplicateRow."""
    await tx.run_many(_INSERT, [_values(record) for record in records])
    await tx.run_many(
        _INSERT_NAMES,
        [
            {"reversed_name": key, "serial": record.serial}
            for record in records
            for key in search_keys(record.subject_name, record.names)
        ],
    )


async def record_issued(tx: Transaction, signed: Sequence[tuple[bytes, bytes]], *, now: Instant) -> set[bytes]:
    """Record what was signed, as serial and certificate; returns the serials whose intents were open, and are recorded."""
    many = [{"of_serial": serial, "new_der": der, "now": now} for serial, der in signed]
    return {row[0] for row in await tx.all_many(_SETTLE_ISSUED, many)}


async def record_failed(tx: Transaction, serial: bytes) -> bool:
    """Record that nothing was signed; False where the intent is not open any more."""
    return await tx.run(_SETTLE_FAILED, of_serial=serial) == 1


async def close_intents(tx: Transaction, *, until: Instant) -> list[bytes]:
    """Turn every intent from `until` or earlier into "maybe signed"; returns their serials."""
    return [row[0] for row in await tx.all(_CLOSE_INTENTS, until=until)]


async def revoke(tx: Transaction, serial: bytes, *, now: Instant, reason: int) -> bool:
    """Record a revocation; False where the certificate was revoked before, or does not exist."""
    return await tx.one(_REVOKE, of_serial=serial, now=now, reason=reason) is not None


async def revoke_all_of(tx: Transaction, account_id: str, *, now: Instant, reason: int) -> list[bytes]:
    """Revoke every certificate of an account that is valid or may become so; returns their serials."""
    return [row[0] for row in await tx.all(_REVOKE_ALL_OF, of_account=account_id, now=now, reason=reason)]


async def count_of(reader: Database | Transaction, account_id: str, *, now: Instant) -> int:
    """How many certificates of an account are valid."""
    row = await reader.one(_COUNT_OF, of_account=account_id, now=now)
    return 0 if row is None else int(row[0])


async def count_by(db: Database, provisioner_id: str, *, now: Instant) -> int:
    """How many certificates that a provisioner vouched for are valid. Reads the whole table: there is no index for it."""
    row = await db.one(_COUNT_BY, vouched_by=provisioner_id, now=now)
    return 0 if row is None else int(row[0])


async def by_serial(db: Database | Transaction, serial: bytes) -> CertificateRecord | None:
    """One certificate."""
    row = await db.one(_BY_SERIAL, serial=serial)
    return None if row is None else record_of(row)


async def last_called(reader: Database | Transaction, called: NameRange) -> list[CertificateRecord]:
    """The newest few with a name in the range."""
    rows = await reader.all(_NEWEST_CALLED, older_than=NO_SERIAL_IS_GREATER, at_most=FEW, first=called.first, end=called.end)
    return [record_of(row) for row in rows]


async def followed_by(db: Database, serial: bytes) -> list[CertificateRecord]:
    """The certificates that were renewed from this one."""
    return [record_of(row) for row in await db.all(_FOLLOWED_BY, serial=serial)]


async def is_broad(db: Database, called: NameRange) -> bool:
    """Whether so many names are in the range that they are not worth sorting."""
    row = await db.one(_COUNT_CALLED, first=called.first, end=called.end, at_most=BROAD)
    return row is not None and row[0] >= BROAD


async def looked_through(
    db: Database, *, older_than: bytes, at_most: int, account_id: str | None, called: NameRange
) -> tuple[list[CertificateRecord], bytes | None]:
    """The newest certificates with a name in the range, of the first some thousand; and where to go on, or None at the end."""
    found: list[CertificateRecord] = []
    for _ in range(LOOKED_THROUGH // _AT_ONCE):
        page = await newest(db, older_than=older_than, at_most=_AT_ONCE, account_id=account_id)
        for record in page:
            keys = search_keys(record.subject_name, record.names)
            if any(called.first <= key < called.end for key in keys):
                found.append(record)
            if len(found) == at_most:
                return found, record.serial
        if len(page) < _AT_ONCE:
            return found, None
        older_than = page[-1].serial
        await asyncio.sleep(0)  # so that others go on meanwhile
    return found, older_than


async def newest(
    db: Database, *, older_than: bytes, at_most: int, account_id: str | None = None, called: NameRange | None = None
) -> list[CertificateRecord]:
    """Certificates with a smaller serial than `older_than`, newest first.

    With `account_id` only that person's, with `called` only those with a name in the range.
    """
    given: dict[str, Any] = {"older_than": older_than, "at_most": at_most}
    if account_id is not None:
        given["account_id"] = account_id
    if called is None:
        statement = _NEWEST if account_id is None else _NEWEST_OF_ACCOUNT
    else:
        given |= {"first": called.first, "end": called.end}
        statement = _NEWEST_CALLED if account_id is None else _NEWEST_CALLED_OF_ACCOUNT
    return [record_of(row) for row in await db.all(statement, **given)]


def _values(record: CertificateRecord) -> dict[str, Any]:
    values = asdict(record)
    values["state"] = str(record.state)
    values["names"] = _encode([(str(name.type), name.value) for name in record.names]).decode()
    return values


def record_of(row: Row) -> CertificateRecord:
    """A certificate from a row of `COLUMNS`."""
    values = list(row)
    values[_STATE] = _STATES[values[_STATE]]
    values[_NAME_LIST] = tuple([Name(_TYPES[kind], value) for kind, value in _NAMES.decode(values[_NAME_LIST])])
    return CertificateRecord(*values)
