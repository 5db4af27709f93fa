"""Certificates that were issued to me."""

from __future__ import annotations

from typing import Protocol

from sealwright.access import Actor
from sealwright.ca import CertificatePage, CertificateRecord, CertificateState
from sealwright.clock import Clock, Instant
from sealwright.identity import SignedIn
from sealwright.web.models import ShownCertificate
from sealwright.web.pages import Inside, Pages
from sealwright.web.visits import Visit
from sealwright.wire import Response

CERTIFICATES_PAGE = "/ui/account/certificates"


class Certificates(Protocol):
    """What is asked of `ca.Inventory`."""

    async def page(self, actor: Actor, *, account_id: str | None = None, cursor: str = "") -> CertificatePage:
        """Certificates of an account, newest first."""
        ...


class CertificatePages:
    """One's own, newest first."""

    def __init__(self, pages: Pages, inventory: Certificates, clock: Clock) -> None:
        self._pages = pages
        self._inventory = inventory
        self._clock = clock

    async def show(self, visit: Visit, person: SignedIn) -> Response:
        """One page of the person's certificates."""
        cursor = visit.request.query().get("older-than", "")
        found = await self._inventory.page(person.actor, account_id=person.account.id, cursor=cursor)
        now = self._clock.now()
        return self._pages.console(
            "certificates.html",
            Inside(person, visit.token_of(person), CERTIFICATES_PAGE),
            certificates=tuple(shown(one, now) for one in found.certificates),
            older=f"{CERTIFICATES_PAGE}?older-than={found.next_cursor}" if found.next_cursor else "",
            newest=CERTIFICATES_PAGE if cursor else "",
        )


def shown(record: CertificateRecord, now: Instant) -> ShownCertificate:
    """A certificate as a row."""
    kind, word = _state(record, now)
    serial = record.serial.hex()
    return ShownCertificate(
        serial=" ".join(serial[start : start + 4] for start in range(0, len(serial), 4)),
        names=tuple(name.value for name in record.names) or ((record.subject_name,) if record.subject_name else ()),
        profile=record.profile,
        kind=kind,
        word=word,
        not_before=record.not_before,
        not_after=record.not_after,
    )


def _state(record: CertificateRecord, now: Instant) -> tuple[str, str]:
    if record.revoked_at is not None:
        return "bad", "revoked"
    if record.state is not CertificateState.ISSUED:
        return "bad", "not issued"
    if now < record.not_before:
        return "", "not valid yet"
    return ("good", "valid") if now <= record.not_after else ("", "expired")
