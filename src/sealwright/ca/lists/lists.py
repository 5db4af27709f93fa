"""Which certificates will be missed, which were revoked, and which have a serial number that begins so."""

from __future__ import annotations

import re
from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor, Permission, require
from sealwright.ca import store as certificate_store
from sealwright.ca.inventory import InventoryPage
from sealwright.ca.lists import store
from sealwright.ca.lists.certificate_filter import CertificateFilter
from sealwright.ca.name_search import search_keys
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.ca.serials import SERIAL_BYTES
from sealwright.clock import Clock, Instant, after, before, between
from sealwright.db import Database
from sealwright.errors import InvalidInput

SOON = timedelta(days=30)
LATELY = timedelta(days=7)
LOOKED_AT = 5_000
"""Of how many certificates one page of a list without an index is made."""
_MOST_READ = 500
_MOST_CANDIDATES = 200
_SUCCESSORS = 5
_HEX_BEGINNING = re.compile(r"[0-9a-fA-F]{6,40}")


class EndingPage(Struct, frozen=True):
    """Certificates that end without a successor, the first to end first."""

    certificates: tuple[CertificateRecord, ...]
    next_cursor: str


class BreakingCertificates(Struct, frozen=True):
    """What stops to work, or has stopped, because nothing followed it."""

    ending: tuple[CertificateRecord, ...]
    """They end soon: less than a third of their time is left, and no more than 30 days."""
    ended: tuple[CertificateRecord, ...]
    """They ended in the last week."""
    unresolved: int
    """Of how many no one can say whether they were signed."""
    more: bool
    """There are more than were looked at."""


class CertificateLists:
    """For actors with `certificate:read`, for everything or within a scope; what lies outside it is left out.

    A certificate has a successor when one was renewed from it, or when a later one that is valid for longer has every name of it.
    Certificates that last two days or less are not missed: their holders get them when they need them.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def revoked(self, actor: Actor, *, cursor: str = "", at_most: int = 50) -> InventoryPage:
        """Revoked certificates, the newest certificate first."""
        _require(actor)
        older = bytes.fromhex(_checked(cursor)) if cursor else certificate_store.NO_SERIAL_IS_GREATER
        found = await store.revoked(self._db, older_than=older, at_most=at_most + 1)
        page = found[:at_most]
        return InventoryPage(_visible(actor, page), page[-1].serial.hex() if len(found) > at_most else "")

    async def beginning(self, actor: Actor, text: str, *, at_most: int = 50) -> tuple[CertificateRecord, ...]:
        """Certificates whose serial numbers begin so, in hexadecimal: six digits at least. Anything else finds nothing."""
        _require(actor)
        digits = text.replace(":", "").removeprefix("0x")
        if not _HEX_BEGINNING.fullmatch(digits):
            return ()
        first, last = (bytes.fromhex(digits.ljust(2 * SERIAL_BYTES, fill)) for fill in "0f")
        return _visible(actor, await store.beginning(self._db, first, last, at_most=at_most))

    async def ending(self, actor: Actor, *, cursor: str = "", at_most: int = 50) -> EndingPage:
        """Certificates without a successor that end in the next 30 days."""
        _require(actor)
        now = self._clock.now()
        beyond, serial = _place(cursor) if cursor else (now, b"")
        found = await store.ending(self._db, beyond=beyond, after_serial=serial, until=after(now, SOON), at_most=at_most + 1)
        missed = [each for each in found[:at_most] if await self._is_missed(each)]
        last = found[at_most - 1] if len(found) > at_most else None
        return EndingPage(_visible(actor, missed), "" if last is None else f"{last.not_after}.{last.serial.hex()}")

    async def matching(self, actor: Actor, wanted: CertificateFilter, *, cursor: str = "", at_most: int = 50) -> InventoryPage:
        """Certificates that fit, newest first.

        One call looks at no more than the next 5,000, so that a page may hold few or none though more fit: the cursor leads on
        from where it stopped.
        """
        _require(actor)
        now = self._clock.now()
        older = bytes.fromhex(_checked(cursor)) if cursor else certificate_store.NO_SERIAL_IS_GREATER
        edge = await store.edge_of_window(self._db, older_than=older, window=LOOKED_AT)
        found = await store.matching(self._db, older_than=older, edge=edge or b"", wanted=wanted, now=now, at_most=_MOST_READ)
        fitting = [each for each in found if wanted.fits(each, now)]
        page = fitting[:at_most]
        if len(fitting) > at_most:
            return InventoryPage(_visible(actor, page), page[-1].serial.hex())
        beyond = found[-1].serial if len(found) == _MOST_READ else edge
        return InventoryPage(_visible(actor, page), "" if beyond is None else beyond.hex())

    async def breaking(self, actor: Actor) -> BreakingCertificates:
        """What will be missed soon, and what is missed already."""
        _require(actor)
        now = self._clock.now()
        coming = await store.ending(self._db, beyond=now, until=after(now, SOON), at_most=_MOST_CANDIDATES)
        gone = await store.ending(self._db, beyond=before(now, LATELY), until=now, at_most=_MOST_CANDIDATES)
        ending = [each for each in coming if _is_late(each, now) and await self._is_missed(each)]
        return BreakingCertificates(
            ending=_visible(actor, ending),
            ended=_visible(actor, [each for each in gone if await self._is_missed(each)]),
            unresolved=await store.unresolved(self._db),
            more=_MOST_CANDIDATES in (len(coming), len(gone)),
        )

    async def _is_missed(self, record: CertificateRecord) -> bool:
        """Whether no later certificate that is valid for longer has all of its names."""
        common: set[bytes] | None = None
        for key in search_keys(record.subject_name, record.names):
            later = await store.later_called(self._db, key, record.serial, at_most=_SUCCESSORS)
            common = later if common is None else common & later
            if not common:
                return True
        for serial in common or ():
            one = await certificate_store.by_serial(self._db, serial)
            if one is not None and _succeeds(one, record):
                return False
        return True


def _require(actor: Actor) -> None:
    require(actor, Permission.CERTIFICATE_READ, actor.permissions.scopes_of(Permission.CERTIFICATE_READ))


def _visible(actor: Actor, found: list[CertificateRecord]) -> tuple[CertificateRecord, ...]:
    return tuple(each for each in found if actor.holds(Permission.CERTIFICATE_READ, each.scopes))


def _succeeds(later: CertificateRecord, earlier: CertificateRecord) -> bool:
    return later.state is CertificateState.ISSUED and later.revoked_at is None and later.not_after > earlier.not_after


def _is_late(record: CertificateRecord, now: Instant) -> bool:
    return 3 * between(now, record.not_after) < between(record.not_before, record.not_after)


def _checked(cursor: str) -> str:
    if re.fullmatch(r"(?:[0-9a-f]{2}){1,20}", cursor):
        return cursor
    raise _no_such_place(cursor)


def _place(cursor: str) -> tuple[Instant, bytes]:
    moment, dot, serial = cursor.partition(".")
    if dot and re.fullmatch(r"[0-9]{1,15}", moment):
        return Instant(int(moment)), bytes.fromhex(_checked(serial))
    raise _no_such_place(cursor)


def _no_such_place(cursor: str) -> InvalidInput:
    return InvalidInput(
        f"The address names a place in the list that there is not: {cursor[:40]!r}.", hint="Begin at the beginning."
    )
