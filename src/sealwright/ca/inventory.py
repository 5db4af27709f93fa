"""Which certificates there are: paged lists, and everything about one."""

from __future__ import annotations

from cryptography.x509 import load_der_x509_certificate
from msgspec import Struct

from sealwright.access import Actor, Permission, require
from sealwright.ca import store
from sealwright.ca.errors import CertificateUnknown
from sealwright.ca.models import ProvisionerExtension
from sealwright.ca.name_search import range_for
from sealwright.ca.records import CertificateRecord
from sealwright.ca.serials import serial_text
from sealwright.ca.x509 import provisioner_of
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.errors import InvalidInput

LONGEST_PAGE = 200
LONGEST_LINE = 100


class InventoryPage(Struct, frozen=True):
    """Some certificates, newest first; `next_cursor` is empty on the last page."""

    certificates: tuple[CertificateRecord, ...]
    next_cursor: str


class CertificateHistory(Struct, frozen=True):
    """One certificate, who vouched for it, and the line of renewals that it stands in."""

    certificate: CertificateRecord
    vouched_by: ProvisionerExtension | None
    """What the certificate itself says of its provisioner, which may be gone since."""
    came_from: tuple[CertificateRecord, ...]
    """The certificates before it, the oldest first."""
    followed_by: tuple[CertificateRecord, ...]
    """The certificates that were renewed directly from it."""


class Inventory:
    """Reads what was issued. Everyone may see their own certificates; `certificate:read` shows all."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def page(
        self, actor: Actor, *, account_id: str | None = None, name: str | None = None, cursor: str = "", at_most: int = 50
    ) -> InventoryPage:
        """Certificates, newest first; with `account_id` that person's only, with `name` those that have this name.

        A name that begins with ``.`` or ``@`` stands for all that end so. Where the actor may read within a scope only, the other
        certificates of the page are left out of it. A page of a name that very many hold may be short, and still not the last.
        """
        if account_id is None or account_id != actor.id:
            require(actor, Permission.CERTIFICATE_READ, actor.permissions.scopes_of(Permission.CERTIFICATE_READ))
        wanted = min(max(at_most, 1), LONGEST_PAGE)
        called = None if name is None else range_for(name)
        older = _decode(cursor)
        further: bytes | None = None
        if called is not None and await store.is_broad(self._db, called):
            found, further = await store.looked_through(
                self._db, older_than=older, at_most=wanted + 1, account_id=account_id, called=called
            )
        else:
            found = await store.newest(self._db, older_than=older, at_most=wanted + 1, account_id=account_id, called=called)
        page = found[:wanted]
        if len(found) > wanted:
            further = page[-1].serial
        own = account_id is not None and account_id == actor.id
        shown = tuple(each for each in page if own or actor.holds(Permission.CERTIFICATE_READ, each.scopes))
        return InventoryPage(shown, "" if further is None else further.hex())

    async def count_by(self, actor: Actor, provisioner_id: str) -> int:
        """How many certificates that a provisioner vouched for are valid: for someone who may remove it."""
        require(actor, Permission.PROVISIONER_WRITE)
        return await store.count_by(self._db, provisioner_id, now=self._clock.now())

    async def show(self, actor: Actor, serial: bytes) -> CertificateHistory:
        """One certificate, or CertificateUnknown."""
        record = await store.by_serial(self._db, serial)
        if record is None or record.account_id != actor.id or not actor.id:
            require(actor, Permission.CERTIFICATE_READ, () if record is None else record.scopes)
        if record is None:
            raise CertificateUnknown(f"There is no certificate with the serial number {serial_text(serial)}.")
        return CertificateHistory(
            record,
            None if record.der is None else provisioner_of(load_der_x509_certificate(record.der)),
            await self._before(record),
            tuple(await store.followed_by(self._db, serial)),
        )

    async def _before(self, record: CertificateRecord) -> tuple[CertificateRecord, ...]:
        line: list[CertificateRecord] = []
        while record.renewed_from is not None and len(line) < LONGEST_LINE:
            earlier = await store.by_serial(self._db, record.renewed_from)
            if earlier is None:
                break
            line.append(earlier)
            record = earlier
        return tuple(reversed(line))


def _decode(cursor: str) -> bytes:
    if not cursor:
        return store.NO_SERIAL_IS_GREATER
    try:
        return bytes.fromhex(cursor)
    except ValueError as cause:
        raise InvalidInput(f"cursor is {cursor[:40]!r}, which this server did not give out.") from cause
