"""All certificates: search and filters, one of them with how it came about, and revoking it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sealwright.ca import (
    CertificateFilter,
    CertificateHistory,
    CertificateLists,
    CertificateRecord,
    FilterState,
    Inventory,
    InventoryPage,
    IssuerKind,
    Issuers,
    ProvisionerRegistry,
    Revocation,
    decimal_text,
    serial_text,
)
from sealwright.clock import Clock, to_rfc3339
from sealwright.csv_text import csv_lines
from sealwright.errors import InvalidInput, NotPermitted
from sealwright.http import Response
from sealwright.identity import Directory, Sessions, SignedIn
from sealwright.web.certificates import REASONS, Reason, gone_percent, requested_serial, shown
from sealwright.web.console.chain import CertificateChain
from sealwright.web.console.frame import context_of
from sealwright.web.console.listing import ON_A_PAGE, Column, Filter, Listing, read_listing
from sealwright.web.forms import FormError
from sealwright.web.models import ListedCertificate
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

ALL_CERTIFICATES_PAGE: Final = "/ui/certificates"
STATES = Filter(
    "state",
    "State",
    {"valid": "Valid", "ending": "End without a successor", "expired": "Expired", "revoked": "Revoked", "unsigned": "Not signed"},
)
HOLDER = Filter("holder", "Holder", {})
ENDS = Filter("ends", "Ends within", {"1": "a day", "7": "7 days", "30": "30 days", "90": "90 days"}, as_select=True)
MOST_CHOICES: Final = 500
"""Of provisioners in the form; others are reached from their own page."""
_COLUMNS = (Column("Names"), Column("Holder"), Column("State"), Column("Until"))
ALL_REASONS: Mapping[str, Reason] = {
    **REASONS,
    "withdrawn": Reason(9, "Its holder may not have it any more", "its holder may not have it any more"),
    "moved": Reason(3, "Its holder has left, or is called otherwise", "its holder has left or changed"),
    "mistaken": Reason(0, "Another reason", "for another reason"),
}


EXPORTED: Final = ("serial", "state", "names", "holder", "provisioner", "profile", "not_before", "not_after", "revoked_at")
_PART: Final = "part:"


class CertificateRow(Struct, frozen=True):
    """A certificate of anyone, as a row."""

    certificate: ListedCertificate
    holder: str
    """User name of the person; empty where it speaks for none."""
    provisioner: str


class CertificateParts(Struct, frozen=True):
    """What these pages read and change."""

    inventory: Inventory
    lists: CertificateLists
    revocation: Revocation
    issuers: Issuers
    provisioners: ProvisionerRegistry
    directory: Directory
    chain: CertificateChain
    sessions: Sessions


class AllCertificatePages:
    """The inventory checks the permissions, and leaves out what lies beyond the reader's scope."""

    def __init__(self, pages: Pages, parts: CertificateParts, clock: Clock) -> None:
        self._pages = pages
        self._parts = parts
        self._clock = clock

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Certificates, newest first: all, or those that are looked for."""
        listing = await self._listing(page_request)
        found = await self._found(listing, person)
        return self._pages.console(
            "all-certificates.html",
            context_of(page_request, person),
            listing=listing,
            export=replace(listing, path=f"{ALL_CERTIFICATES_PAGE}/export.csv").link(),
            columns=_COLUMNS,
            rows=await self._rows(found.certificates),
            next=found.next_cursor,
            now=self._clock.now(),
        )

    async def export(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The list as a file of comma-separated values, with its search and filters, as a stream."""
        listing = await self._listing(page_request)
        first = await self._found(listing, person)
        headers = (
            ("content-type", "text/csv; charset=utf-8"),
            ("content-disposition", 'attachment; filename="certificates.csv"'),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        )
        return Response(200, headers=headers, chunks=self._lines(listing, first, person))

    async def _lines(self, listing: Listing, page: InventoryPage, person: SignedIn) -> AsyncGenerator[bytes, None]:
        yield csv_lines([EXPORTED])
        while True:
            rows = await self._rows(page.certificates)
            yield csv_lines(map(_exported, page.certificates, rows))
            if not page.next_cursor:
                return
            person = await self._as_of_now(person)
            page = await self._found(replace(listing, after=page.next_cursor), person)

    async def _as_of_now(self, person: SignedIn) -> SignedIn:
        """With the permissions that are held now: an export can take minutes."""
        session = await self._parts.sessions.session(person.session.id)
        status = await self._parts.directory.status_of(person.account.id)
        if session is None or session.ended_at is not None or not status.active:
            raise NotPermitted("The session has ended, and the export with it.", hint="Sign in again, and begin anew.")
        return await self._parts.sessions.signed_in(person.account, session, person.actor.address)

    async def _listing(self, page_request: PageRequest) -> Listing:
        """What the address asks for; the choices are those of now."""
        issuers = {one.id: one.name for one in await self._parts.issuers.records() if one.kind is IssuerKind.ISSUING}
        provisioners = {one.id: one.name for one in await self._parts.provisioners.all()}
        filters = (
            STATES,
            HOLDER,
            Filter("issuer", "Issuer", issuers, as_select=True),
            Filter("provisioner", "Provisioner", dict(list(provisioners.items())[:MOST_CHOICES]), as_select=True, open=True),
            ENDS,
        )
        return read_listing(page_request.request, ALL_CERTIFICATES_PAGE, filters=filters)

    async def _found(self, listing: Listing, person: SignedIn) -> InventoryPage:
        """By the index that is there for what was asked first; the rest is looked at certificate by certificate."""
        wanted, now = _wanted(listing), self._clock.now()
        page = await self._page_of(listing, wanted, person)
        return InventoryPage(tuple(each for each in page.certificates if wanted.fits(each, now)), page.next_cursor)

    async def _page_of(self, listing: Listing, wanted: CertificateFilter, person: SignedIn) -> InventoryPage:
        parts, actor, cursor = self._parts, person.actor, listing.after
        if listing.search:
            return await self._search(listing, wanted, person)
        if "holder" in listing.chosen:
            account = await parts.directory.find(listing.chosen["holder"])
            holder = listing.chosen["holder"] if account is None else account.id  # an account that is gone is known by its id
            return await parts.inventory.page(actor, account_id=holder, cursor=cursor, at_most=ON_A_PAGE)
        if listing.chosen.get("state") == "ending":
            page = await parts.lists.ending(actor, cursor=cursor, at_most=ON_A_PAGE)
            return InventoryPage(page.certificates, page.next_cursor)
        if wanted == CertificateFilter(state=FilterState.REVOKED):
            return await parts.lists.revoked(actor, cursor=cursor, at_most=ON_A_PAGE)
        if wanted != CertificateFilter():
            return await parts.lists.matching(actor, wanted, cursor=cursor, at_most=ON_A_PAGE)
        return await parts.inventory.page(actor, cursor=cursor, at_most=ON_A_PAGE)

    async def _search(self, listing: Listing, wanted: CertificateFilter, person: SignedIn) -> InventoryPage:
        """By the beginning of the serial number, else by name, else by who holds it, else by a part of a name.

        Where the search leads on, its cursor says by which of them: `part:` before a place in the last one.
        """
        parts, actor, text = self._parts, person.actor, listing.search
        place = listing.after.removeprefix(_PART)
        if not listing.after.startswith(_PART):
            by_serial = await parts.lists.beginning(actor, text, at_most=ON_A_PAGE)
            if by_serial:
                return InventoryPage(by_serial, "")
            try:
                page = await parts.inventory.page(actor, name=text, cursor=listing.after, at_most=ON_A_PAGE)
            except InvalidInput:
                page = InventoryPage((), "")
            if page.certificates or listing.after:
                return page
            account = await parts.directory.find(text)
            if account is not None:
                return await parts.inventory.page(actor, account_id=account.id, at_most=ON_A_PAGE)
        containing = replace(wanted, text=text.casefold())
        page = await parts.lists.matching(actor, containing, cursor=place, at_most=ON_A_PAGE)
        return InventoryPage(page.certificates, f"{_PART}{page.next_cursor}" if page.next_cursor else "")

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One certificate, whose it is, and how it came about."""
        history = await self._history(page_request, person)
        record, now = history.certificate, self._clock.now()
        (row,) = await self._rows((record,))
        issuer = await self._parts.issuers.record(record.issuer_id)
        chain = await self._parts.chain.of(record, holder=row.holder or "someone", issuer=issuer.name, actor=person.actor)
        return self._pages.console(
            "one-certificate.html",
            context_of(page_request, person),
            row=row,
            record=record,
            decimal=decimal_text(record.serial),
            fingerprint="" if record.der is None else hashlib.sha256(record.der).hexdigest(),
            issuer=issuer.name,
            chain=chain,
            came_from=tuple(shown(each, now, ALL_CERTIFICATES_PAGE) for each in history.came_from),
            followed_by=tuple(shown(each, now, ALL_CERTIFICATES_PAGE) for each in history.followed_by),
            gone_percent=gone_percent(record, now),
            can_be_revoked=record.revoked_at is None and now <= record.not_after,
            notice=notice_text(page_request.request),
            now=now,
        )

    async def show_revocation(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What revoking does, and the question why."""
        return await self._revocation_form(page_request, person)

    async def revoke(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Revoke it, for a reason."""
        reason = ALL_REASONS.get(page_request.typed("reason"))
        if reason is None:
            return await self._revocation_form(page_request, person, errors=(FormError("Choose why you revoke it.", "reason"),))
        serial = requested_serial(page_request)
        await self._parts.revocation.by_actor(serial, person.actor, code=reason.code, reason=reason.word)
        return done(f"{ALL_CERTIFICATES_PAGE}/{serial_text(serial)}", "revoked")

    async def _revocation_form(
        self, page_request: PageRequest, person: SignedIn, *, errors: tuple[FormError, ...] = ()
    ) -> Response:
        history = await self._history(page_request, person)
        certificate = shown(history.certificate, self._clock.now(), ALL_CERTIFICATES_PAGE)
        return self._pages.console(
            "certificate-revocation.html",
            context_of(page_request, person, PageLink(certificate.path, certificate.holder)),
            status=422 if errors else 200,
            errors=errors,
            certificate=certificate,
            reasons=ALL_REASONS,
        )

    async def _history(self, page_request: PageRequest, person: SignedIn) -> CertificateHistory:
        return await self._parts.inventory.show(person.actor, requested_serial(page_request))

    async def _rows(self, records: Iterable[CertificateRecord]) -> tuple[CertificateRow, ...]:
        now, rows = self._clock.now(), []
        holders: dict[str, str] = {}
        provisioners: dict[str, str] = {}
        for record in records:
            if record.account_id is not None and record.account_id not in holders:
                account = await self._parts.directory.account(record.account_id)
                holders[record.account_id] = record.account_id if account is None else account.name
            if record.provisioner_id is not None and record.provisioner_id not in provisioners:
                found = await self._parts.provisioners.find(record.provisioner_id)
                provisioners[record.provisioner_id] = record.provisioner_id if found is None else found.name
            rows.append(
                CertificateRow(
                    shown(record, now, ALL_CERTIFICATES_PAGE),
                    holders.get(record.account_id or "", ""),
                    provisioners.get(record.provisioner_id or "", ""),
                )
            )
        return tuple(rows)


def _wanted(listing: Listing) -> CertificateFilter:
    """The filters of the address."""
    chosen = listing.chosen
    state = chosen.get("state", "")
    return CertificateFilter(
        issuer_id=chosen.get("issuer", ""),
        provisioner_id=chosen.get("provisioner", ""),
        state=FilterState(state) if state in list(FilterState) else None,
        ends_within=timedelta(days=int(chosen["ends"])) if "ends" in chosen else None,
    )


def _exported(record: CertificateRecord, row: CertificateRow) -> tuple[str, ...]:
    return (
        row.certificate.serial,
        row.certificate.word,
        " ".join(row.certificate.names),
        row.holder,
        row.provisioner,
        record.profile,
        to_rfc3339(record.not_before),
        to_rfc3339(record.not_after),
        "" if record.revoked_at is None else to_rfc3339(record.revoked_at),
    )
