"""What will break, what waits for the reader, and whether the server is well: judged from what is stored, never assumed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec import Struct

from sealwright.access import Actor, Permission
from sealwright.access.approvals import Approvals
from sealwright.audit import Audit, Event, EventFilter, Forwarding
from sealwright.ca import CertificateLists, CertificateRecord, IssuerKind, IssuerRecord, Issuers
from sealwright.clock import Clock, Instant, after, before
from sealwright.db import Database
from sealwright.http import Response
from sealwright.identity import SignedIn, UpstreamProvider, UpstreamProviders
from sealwright.mail import Outbox
from sealwright.openid_providers import KeySetStatus
from sealwright.web.certificates import shown
from sealwright.web.console.approvals import APPROVALS_PAGE
from sealwright.web.console.audit_sinks import SINKS_PAGE, listed_sink
from sealwright.web.console.certificates import ALL_CERTIFICATES_PAGE
from sealwright.web.console.frame import context_of
from sealwright.web.console.identity_providers import PROVIDERS_PAGE
from sealwright.web.models import ListedCertificate
from sealwright.web.navigation import PLACES
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

OVERVIEW_PAGE: Final = "/ui/overview"
AUTHORITY_ENDS_SOON: Final = timedelta(days=60)
CHECKPOINT_IS_LATE: Final = timedelta(hours=3)
"""One is made each hour; without it, no one has proof of what the record said."""
MAIL_IS_STUCK: Final = timedelta(minutes=10)
SHOWN: Final = 8


class HealthItem(Struct, frozen=True):
    """One thing that was looked at just now."""

    subject: str
    kind: str
    """``good``, ``soon`` or ``bad``; empty where nothing is known, or nothing has to be."""
    word: str
    detail: str
    path: str = ""


class WaitingItem(Struct, frozen=True):
    """A request that the reader may decide about."""

    title: str
    requester: str
    path: str


class OverviewParts(Struct, frozen=True):
    """What is looked at."""

    db: Database
    audit: Audit
    lists: CertificateLists
    issuers: Issuers
    outbox: Outbox
    forwarding: Forwarding
    providers: UpstreamProviders
    approvals: Approvals


class Breaking(Struct, frozen=True):
    """Certificates that will be missed, and those that are."""

    ended: tuple[ListedCertificate, ...]
    ending: tuple[ListedCertificate, ...]
    hidden: int
    """How many more there are."""
    more: bool
    """There are more than were looked at."""
    unresolved: int


class OverviewPages:
    """Each part is shown to those who may read what it is about."""

    def __init__(self, pages: Pages, parts: OverviewParts, clock: Clock) -> None:
        self._pages = pages
        self._parts = parts
        self._clock = clock

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What needs someone, then the health of the parts, then ways on."""
        breaking = await self._breaking(person.actor)
        actor = person.actor
        health = (
            *await self._authorities(actor),
            *await self._record(actor),
            *await self._sinks(actor),
            *await self._providers(actor),
            *await self._mail(actor),
        )
        waiting = await self._parts.approvals.waiting_for(actor)
        permissions = person.actor.permissions
        return self._pages.console(
            "overview.html",
            context_of(page_request, person),
            breaking=breaking,
            health=health,
            waiting=tuple(WaitingItem(one.title, one.requester_name, f"{APPROVALS_PAGE}/{one.id}") for one in waiting[:SHOWN]),
            waiting_more=max(0, len(waiting) - SHOWN),
            unwell=sum(item.kind in ("soon", "bad") for item in health) + _missed(breaking),
            places=tuple(place for place in PLACES if place.permissions and place.visible_to(permissions)),
            now=self._clock.now(),
        )

    async def _breaking(self, actor: Actor) -> Breaking | None:
        if not actor.permissions.holds_somewhere(Permission.CERTIFICATE_READ):
            return None
        found = await self._parts.lists.breaking(actor)
        return Breaking(
            self._rows(found.ended),
            self._rows(found.ending),
            max(0, len(found.ended) - SHOWN) + max(0, len(found.ending) - SHOWN),
            found.more,
            found.unresolved,
        )

    def _rows(self, records: tuple[CertificateRecord, ...]) -> tuple[ListedCertificate, ...]:
        now = self._clock.now()
        return tuple(shown(each, now, ALL_CERTIFICATES_PAGE) for each in records[:SHOWN])

    async def _authorities(self, actor: Actor) -> list[HealthItem]:
        if not actor.permissions.holds_somewhere(Permission.CERTIFICATE_READ):
            return []
        now, records = self._clock.now(), await self._parts.issuers.records()
        items = [authority_item(each, now) for each in records if each.retired_at is None]
        signing = [
            each for each in records if each.kind is IssuerKind.ISSUING and each.retired_at is None and each.not_after > now
        ]
        if not signing:
            items.insert(
                0, HealthItem("Signing", "bad", "nothing signs", "No issuing CA is valid: no certificate can be issued.")
            )
        return items

    async def _record(self, actor: Actor) -> list[HealthItem]:
        if not actor.holds(Permission.AUDIT_READ):
            return []
        wanted = EventFilter(events=(str(Event.CHAIN_CHECKPOINT),), since=before(self._clock.now(), CHECKPOINT_IS_LATE))
        late = not await self._parts.audit.search(self._parts.db, wanted, at_most=1)
        hours = CHECKPOINT_IS_LATE // timedelta(hours=1)
        if late:
            detail = f"None was signed in the last {hours} hours, though one is due each hour. See whether the server's jobs run."
            return [HealthItem("Audit checkpoint", "bad", "late", detail)]
        return [HealthItem("Audit checkpoint", "good", "signed", f"One was signed in the last {hours} hours.")]

    async def _mail(self, actor: Actor) -> list[HealthItem]:
        if not actor.holds(Permission.PERSON_READ):
            return []
        waiting = await self._parts.outbox.status()
        if not self._parts.outbox.is_on:
            if waiting.count:
                detail = (
                    f"{waiting.count} messages wait, and no SMTP server is set. Set mail.host, or pass the links on yourself."
                )
                return [HealthItem("Mail", "bad", "stuck", detail)]
            return [HealthItem("Mail", "", "off", "No SMTP server is set: links are passed on by hand.")]
        if waiting.oldest is not None and waiting.oldest < before(self._clock.now(), MAIL_IS_STUCK):
            detail = f"{waiting.count} messages wait. {waiting.last_failure}".strip()
            return [HealthItem("Mail", "bad", "stuck", detail)]
        return [HealthItem("Mail", "good", "nothing waits long", "No message has waited for ten minutes.")]

    async def _sinks(self, actor: Actor) -> list[HealthItem]:
        if not actor.holds(Permission.AUDIT_READ):
            return []
        items = []
        for sink, waiting in await self._parts.forwarding.all():
            one = listed_sink(sink.without_path(), waiting)
            detail = f"{waiting:,} events wait. {one.last_error}".strip()
            items.append(HealthItem(f"Forwarding to {one.name}", one.kind, one.word, detail, SINKS_PAGE))
        return items

    async def _providers(self, actor: Actor) -> list[HealthItem]:
        """What this node knows of the providers: one whose keys it never needed to fetch is neither well nor unwell."""
        if not actor.holds(Permission.OIDC_PROVIDER_READ):
            return []
        items = []
        for provider in await self._parts.providers.list_providers(actor=actor):
            if provider.enabled:
                status = await self._parts.providers.key_status(provider.id, actor=actor)
                items.append(provider_item(provider, status))
        return items


def provider_item(provider: UpstreamProvider, status: KeySetStatus) -> HealthItem:
    """Whether people can be expected to come in by a provider."""
    path = f"{PROVIDERS_PAGE}/{provider.id}"
    if status.failure:
        return HealthItem(provider.name, "bad", "keys not fetched", status.failure, path)
    if status.local or status.fetched_at is not None:
        return HealthItem(provider.name, "good", "keys are there", "The last fetch of its keys succeeded.", path)
    return HealthItem(provider.name, "", "no data", "No one has signed in by it since this process began.", path)


def authority_item(record: IssuerRecord, now: Instant) -> HealthItem:
    """Whether an authority can still be relied on."""
    what = "root" if record.kind is IssuerKind.ROOT else "issuing CA"
    if record.not_after <= now:
        return HealthItem(
            record.name, "bad", "expired", f"This {what} is not valid any more: nothing below it is.", "/ui/issuers"
        )
    if record.not_after <= after(now, AUTHORITY_ENDS_SOON):
        detail = f"This {what} ends soon. What it signs cannot outlive it."
        return HealthItem(record.name, "soon", "ends soon", detail, "/ui/issuers")
    return HealthItem(record.name, "good", "valid", f"This {what} is valid for more than 60 days.", "/ui/issuers")


def _missed(breaking: Breaking | None) -> int:
    return 0 if breaking is None else len(breaking.ended) + len(breaking.ending) + breaking.hidden + breaking.unresolved
