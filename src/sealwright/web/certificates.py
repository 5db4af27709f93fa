"""Certificates that were issued to me: the list, one of them with how it came about, its file, and revoking it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from sealwright.ca import (
    CertificateHistory,
    CertificateRecord,
    CertificateState,
    Inventory,
    Issuers,
    Revocation,
    certificates_pem,
    serial_in,
    serial_text,
)
from sealwright.clock import Clock, Instant, between
from sealwright.errors import InvalidInput, NotFound
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.web.formatting import duration_text
from sealwright.web.forms import FormError
from sealwright.web.models import CertificateTimeline, ListedCertificate
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

CERTIFICATES_PAGE = "/ui/account/certificates"


class Reason(Struct, frozen=True):
    """Why a person revokes (RFC 5280, section 5.3.1)."""

    code: int
    label: str
    word: str


REASONS: Mapping[str, Reason] = {
    "unused": Reason(5, "I do not need it any more", "no longer needed"),
    "replaced": Reason(4, "I have another one instead", "replaced by another one"),
    "stolen": Reason(1, "Someone else may have its private key", "its private key may be known to someone else"),
}
_WORDS = {reason.code: reason.word for reason in REASONS.values()}


class CertificatePages:
    """One's own, newest first."""

    def __init__(self, pages: Pages, inventory: Inventory, revocation: Revocation, issuers: Issuers, clock: Clock) -> None:
        self._pages = pages
        self._inventory = inventory
        self._revocation = revocation
        self._issuers = issuers
        self._clock = clock

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One page of the person's certificates."""
        cursor = page_request.request.query().get("older-than", "")
        try:
            found = await self._inventory.page(person.actor, account_id=person.account.id, cursor=cursor)
        except InvalidInput as refusal:
            raise InvalidInput(
                f"The address names a place in the list of certificates that there is not: {cursor[:40]!r}.",
                hint="Begin with the newest: go to Certificates.",
            ) from refusal
        now, roots = self._clock.now(), await self._issuers.roots()
        return self._pages.console(
            "certificates.html",
            ConsoleContext(person, page_request.csrf_token_of(person), CERTIFICATES_PAGE),
            certificates=tuple(shown(one, now) for one in found.certificates),
            older=f"{CERTIFICATES_PAGE}?older-than={found.next_cursor}" if found.next_cursor else "",
            newest=CERTIFICATES_PAGE if cursor else "",
            fingerprint=roots[0].fingerprint if roots else "",
        )

    async def show_one(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One certificate and how it came about."""
        story = await self._story(page_request, person)
        now, record = self._clock.now(), story.certificate
        reason = record.revocation_reason
        return self._pages.console(
            "certificate.html",
            ConsoleContext(person, page_request.csrf_token_of(person), CERTIFICATES_PAGE),
            notice=notice_text(page_request.request),
            certificate=shown(record, now),
            story=CertificateTimeline(
                issuer=(await self._issuers.record(record.issuer_id)).name,
                vouched_by="" if story.vouched_by is None else story.vouched_by.name,
                by_sign_in=record.session_id is not None,
                intended_at=record.intended_at,
                issued_at=record.issued_at,
                revoked_at=record.revoked_at,
                revoked_because="" if reason is None else _WORDS.get(reason, ""),
                came_from=tuple(shown(each, now) for each in story.came_from),
                followed_by=tuple(shown(each, now) for each in story.followed_by),
            ),
            gone_percent=gone_percent(record, now),
            can_be_revoked=record.revoked_at is None and now <= record.not_after,
        )

    async def download(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The certificate and the authority that signed it, in PEM."""
        record = (await self._story(page_request, person)).certificate
        if record.der is None:
            raise NotFound("This certificate was never signed, so there is no file of it.")
        chain = (record.der, (await self._issuers.record(record.issuer_id)).certificate_der)
        headers = (
            ("content-type", "application/x-pem-file"),
            ("content-disposition", f'attachment; filename="{serial_text(record.serial)}.crt"'),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        )
        return Response(200, certificates_pem(chain).encode(), headers)

    async def show_revocation(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What revoking does, and the question why."""
        return await self._revocation_form(page_request, person)

    async def revoke(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Revoke one's own certificate."""
        reason = REASONS.get(page_request.typed("reason"))
        if reason is None:
            return await self._revocation_form(page_request, person, errors=(FormError("Choose why you revoke it.", "reason"),))
        record = await self._revocation.by_actor(
            requested_serial(page_request), person.actor, code=reason.code, reason=reason.word
        )
        return done(f"{CERTIFICATES_PAGE}/{serial_text(record.serial)}", "revoked")

    async def _revocation_form(
        self, page_request: PageRequest, person: SignedIn, *, errors: tuple[FormError, ...] = ()
    ) -> Response:
        story = await self._story(page_request, person)
        return self._pages.console(
            "certificate-revocation.html",
            ConsoleContext(person, page_request.csrf_token_of(person), CERTIFICATES_PAGE),
            status=422 if errors else 200,
            errors=errors,
            certificate=shown(story.certificate, self._clock.now()),
            reasons=REASONS,
        )

    async def _story(self, page_request: PageRequest, person: SignedIn) -> CertificateHistory:
        return await self._inventory.show(person.actor, requested_serial(page_request))


def requested_serial(page_request: PageRequest) -> bytes:
    """The serial number in the address; what is none is a page that there is not."""
    text = page_request.request.path_parameters["serial"]
    try:
        return serial_in(text)
    except InvalidInput as cause:
        raise NotFound(cause.detail, hint=cause.hint) from cause


def shown(record: CertificateRecord, now: Instant, page: str = CERTIFICATES_PAGE) -> ListedCertificate:
    """A certificate as a row of the list at `page`."""
    kind, word = _state(record, now)
    return ListedCertificate(
        serial=serial_text(record.serial),
        path=f"{page}/{serial_text(record.serial)}",
        names=tuple(name.value for name in record.names) or ((record.subject_name,) if record.subject_name else ()),
        holder=record.holder_name or "no name",
        kind=kind,
        word=word,
        not_before=record.not_before,
        not_after=record.not_after,
        left=duration_text(between(now, record.not_after)) if word == "valid" else "",
    )


def gone_percent(record: CertificateRecord, now: Instant) -> int:
    """How much of its time is gone."""
    whole = max(between(record.not_before, record.not_after), timedelta(seconds=1))
    return min(100, max(0, int(100 * (between(record.not_before, now) / whole))))


def _state(record: CertificateRecord, now: Instant) -> tuple[str, str]:
    if record.revoked_at is not None:
        return "bad", "revoked"
    if record.state is not CertificateState.ISSUED:
        return "bad", "not issued"
    if now < record.not_before:
        return "", "not valid yet"
    return ("good", "valid") if now <= record.not_after else ("", "expired")
