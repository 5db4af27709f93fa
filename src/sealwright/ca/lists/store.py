"""The only SQL about lists of certificates. Each statement reads an index from where the page begins."""

from __future__ import annotations

from sqlalchemy import Text, and_, bindparam, exists, func, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from sealwright.ca.lists.certificate_filter import CertificateFilter
from sealwright.ca.records import CertificateRecord
from sealwright.ca.store import COLUMNS, record_of
from sealwright.clock import Instant
from sealwright.db import Database, Statement
from sealwright.db.schema import certificate_names, certificates

_c = certificates.c
_n = certificate_names.c
_ISSUED: ColumnElement[str] = literal_column("'issued'")
_IS_LASTING: ColumnElement[bool] = literal_column("(certificates.not_after - certificates.not_before > 172800000)")
"""In the words of the index, by which alone the engines know that they may use it: it lasts longer than two days."""
_successor = certificates.alias("successor")
_renewed = exists().where(
    _successor.c.renewed_from == _c.serial, _successor.c.state == _ISSUED, _successor.c.revoked_at.is_(None)
)
_REVOKED = Statement(
    select(*COLUMNS)
    .where(_c.revoked_at.is_not(None), _c.serial < bindparam("older_than"))
    .order_by(_c.serial.desc())
    .limit(bindparam("at_most"))
)
_BEGINNING = Statement(
    select(*COLUMNS)
    .where(_c.serial >= bindparam("first"), _c.serial <= bindparam("last"))
    .order_by(_c.serial.desc())
    .limit(bindparam("at_most"))
)
_ENDING = Statement(
    select(*COLUMNS)
    .where(
        _IS_LASTING,
        _c.not_after >= bindparam("beyond"),
        or_(_c.not_after > bindparam("beyond"), _c.serial > bindparam("after_serial")),
        _c.not_after < bindparam("until"),
        _c.state == _ISSUED,
        _c.revoked_at.is_(None),
        ~_renewed,
    )
    .order_by(_c.not_after, _c.serial)
    .limit(bindparam("at_most"))
)
_UNRESOLVED = Statement(select(func.count()).where(_c.state == literal_column("'maybe_signed'")))
_LATER_CALLED = Statement(
    select(_n.serial)
    .where(_n.reversed_name == bindparam("key"), _n.serial > bindparam("serial"))
    .order_by(_n.serial.desc())
    .limit(bindparam("at_most"))
)
_good = and_(_c.revoked_at.is_(None), _c.state == _ISSUED)
_t = {name: bindparam(name, type_=Text) for name in ("issuer", "provisioner", "pattern", "which")}
_EDGE = Statement(
    select(_c.serial).where(_c.serial < bindparam("older_than")).order_by(_c.serial.desc()).offset(bindparam("window")).limit(1)
)
_MATCHING = Statement(
    select(*COLUMNS)
    .where(
        _c.serial < bindparam("older_than"),
        _c.serial >= bindparam("edge"),
        or_(_t["issuer"] == literal_column("''"), _c.issuer_id == _t["issuer"]),
        or_(_t["provisioner"] == literal_column("''"), _c.provisioner_id == _t["provisioner"]),
        or_(
            _t["which"] == literal_column("''"),
            and_(_t["which"] == literal_column("'revoked'"), _c.revoked_at.is_not(None)),
            and_(_t["which"] == literal_column("'unsigned'"), _c.revoked_at.is_(None), _c.state != _ISSUED),
            and_(_t["which"] == literal_column("'valid'"), _good, _c.not_after > bindparam("now")),
            and_(_t["which"] == literal_column("'expired'"), _good, _c.not_after <= bindparam("now")),
        ),
        _c.not_after > bindparam("from_"),
        _c.not_after <= bindparam("until"),
        or_(
            _t["pattern"] == literal_column("''"),
            func.lower(_c.names).like(_t["pattern"], escape="\\"),
            func.lower(_c.subject_name).like(_t["pattern"], escape="\\"),
        ),
    )
    .order_by(_c.serial.desc())
    .limit(bindparam("at_most"))
)


async def revoked(db: Database, *, older_than: bytes, at_most: int) -> list[CertificateRecord]:
    """Revoked certificates, the newest certificate first."""
    return [record_of(row) for row in await db.all(_REVOKED, older_than=older_than, at_most=at_most)]


async def beginning(db: Database, first: bytes, last: bytes, *, at_most: int) -> list[CertificateRecord]:
    """Certificates whose serial numbers lie between two, both included."""
    return [record_of(row) for row in await db.all(_BEGINNING, first=first, last=last, at_most=at_most)]


async def ending(
    db: Database, *, beyond: Instant, until: Instant, at_most: int, after_serial: bytes = b""
) -> list[CertificateRecord]:
    """Certificates that were not renewed and end in this time, the first to end first; those that last two days are not told.

    `after_serial`: of those that end at `beyond` only the ones with a greater serial number.
    """
    rows = await db.all(_ENDING, beyond=beyond, after_serial=after_serial, until=until, at_most=at_most)
    return [record_of(row) for row in rows]


async def unresolved(db: Database) -> int:
    """Of how many no one can say whether they were signed."""
    row = await db.one(_UNRESOLVED)
    return 0 if row is None else int(row[0])


async def later_called(db: Database, key: bytes, serial: bytes, *, at_most: int) -> set[bytes]:
    """Serial numbers of later certificates with a name."""
    return {row[0] for row in await db.all(_LATER_CALLED, key=key, serial=serial, at_most=at_most)}


async def edge_of_window(db: Database, *, older_than: bytes, window: int) -> bytes | None:
    """The serial number of the certificate before which there are so many; None where there are fewer."""
    row = await db.one(_EDGE, older_than=older_than, window=window)
    return None if row is None else bytes(row[0])


async def matching(
    db: Database, *, older_than: bytes, edge: bytes, wanted: CertificateFilter, now: Instant, at_most: int
) -> list[CertificateRecord]:
    """Certificates between two serial numbers, newest first, as far as the database can tell that they fit.

    What it is told of the text of names is their whole list, in which a type of name may stand for a part of one.
    """
    first, last = wanted.ends(now)
    escaped = wanted.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    given = {
        "issuer": wanted.issuer_id,
        "provisioner": wanted.provisioner_id,
        "which": "" if wanted.state is None else str(wanted.state),
        "pattern": f"%{escaped}%" if escaped else "",
    }
    rows = await db.all(_MATCHING, older_than=older_than, edge=edge, now=now, from_=first, until=last, at_most=at_most, **given)
    return [record_of(row) for row in rows]
