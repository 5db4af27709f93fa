"""The audit record: searched, read as sentences with what changed, followed as it grows, and exported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from sealwright.audit import Audit, AuditedEvent, Category, Event, EventFilter, Outcome, changes_in, events_in, sentence_of
from sealwright.audit_targets import AuditTargets
from sealwright.clock import Clock, Instant
from sealwright.db import Database
from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import Directory, SignedIn
from sealwright.web.console.frame import context_of
from sealwright.web.console.listing import ON_A_PAGE, Filter, Listing, read_listing
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

AUDIT_PAGE: Final = "/ui/audit"
LOOKED_AT_AGAIN: Final = 5
"""Seconds after which a page that follows the record is loaded again; no script is needed for it."""
LONGEST_SHOWN: Final = 2_000
"""Characters of one value."""
_CATEGORIES: Mapping[str, str] = {"cert_lifecycle": "Certificates", "auth": "Sign-ins and access", "config": "Changes"}
OUTCOMES = Filter("outcome", "Outcome", {str(each): str(each).capitalize() for each in Outcome})
CATEGORIES = Filter("category", "Category", {str(each): _CATEGORIES.get(str(each), str(each)) for each in Category})
ABOUT = Filter("about", "About", {})
FOLLOW = Filter("follow", "Follow", {"yes": "Follow", "again": "Follow"})
"""``again`` is what the page itself asks for: it does not count as a use of the session."""
_PLACE = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})\.([0-9A-Za-z-]{1,64})")
_PAGES: Mapping[str, str] = {
    "certificate": "/ui/certificates",
    "person": "/ui/people",
    "service": "/ui/service-accounts",
    "group": "/ui/groups",
    "client": "/ui/clients",
}
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class EventLine(Struct, frozen=True):
    """One event as it is read."""

    at: Instant
    sentence: str
    outcome: str
    kind: str
    """Of the badge."""
    event: str
    path: str
    """The page of what it is about; empty where there is none."""
    about: str
    """The address that lists all about the same thing."""
    changes: tuple[tuple[str, str, str], ...]
    details: tuple[tuple[str, str], ...]
    place: str
    """Chain and number, by which it is proven."""


class AuditPages:
    """For those who hold `audit:read`, which the route asks for."""

    def __init__(
        self, pages: Pages, db: Database, audit: Audit, directory: Directory, targets: AuditTargets, clock: Clock
    ) -> None:
        self._pages = pages
        self._db = db
        self._audit = audit
        self._directory = directory
        self._targets = targets
        self._clock = clock

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Events, newest first; while it is followed, the page looks again by itself."""
        listing = read_listing(page_request.request, AUDIT_PAGE, filters=(OUTCOMES, CATEGORIES, ABOUT, FOLLOW))
        found = await self._audit.search(self._db, await self._wanted(listing, person), at_most=ON_A_PAGE + 1)
        names = await self._targets.names((row.target for row in found[:ON_A_PAGE]), person.actor)
        lines = [_line(row, names.get(row.target)) for row in found[:ON_A_PAGE]]
        follows = "follow" in listing.chosen and listing.at_start
        return self._pages.console(
            "audit.html",
            context_of(page_request, person),
            headers=(("refresh", f"{LOOKED_AT_AGAIN}; url={listing.link(follow='again')}"),) if follows else (),
            listing=listing,
            filters=Listing(AUDIT_PAGE, (OUTCOMES, CATEGORIES), (), listing.search, listing.chosen),
            lines=tuple(lines),
            next=_place_of(found[ON_A_PAGE - 1]) if len(found) > ON_A_PAGE else "",
            follows=follows,
            now=self._clock.now(),
        )

    async def _wanted(self, listing: Listing, person: SignedIn) -> EventFilter:
        """What the search asks for: who did it, what it was done to, which event, or in which request."""
        targets: tuple[str, ...] = (listing.chosen["about"],) if "about" in listing.chosen else ()
        events: tuple[str, ...] = ()
        category = Category.called(listing.chosen.get("category", ""))
        if category is not None:
            events = tuple(map(str, events_in(category)))
        by, request_id, text = None, "", listing.search
        if text:
            known = tuple(str(event) for event in Event if text in (event, event.partition(".")[0]))
            account, group = await self._directory.find(text), await self._directory.find_group(text)
            if ":" in text and "." not in text.partition(":")[0]:
                targets = await self._called(text, person)
            elif known:
                events = known
            elif account is not None:
                by = (account.id, account.name)
            elif group is not None:
                targets = (f"group:{group.id}",)
            elif len(text) > 20:  # noqa: PLR2004 - no name of an account is looked for that long; a request's id is
                request_id = text
            else:
                by = (text, text)
        return EventFilter(
            targets=targets,
            events=events,
            outcome=listing.chosen.get("outcome", ""),
            by=by,
            request_id=request_id,
            older_than=_read_place(listing.after),
        )

    async def _called(self, text: str, person: SignedIn) -> tuple[str, ...]:
        """What `kind:name` stands for; a text that names nothing is taken for the target itself."""
        kind, _, name = text.partition(":")
        try:
            return await self._targets.called(kind, name, person.actor)
        except InvalidInput:
            return (text,)


def _line(row: AuditedEvent, name: str | None) -> EventLine:
    details = _decode(row.details)
    kind, _, number = row.target.partition(":")
    changes = changes_in(details)
    called = number if kind == "certificate" else name
    return EventLine(
        at=Instant(row.at),
        sentence=sentence_of(row.event, row.outcome, (row.actor_kind, row.actor_id, row.actor_name), row.target, name, details),
        outcome=row.outcome,
        kind={"done": "good", "refused": "soon"}.get(row.outcome, "bad"),
        event=row.event,
        path=f"{_PAGES[kind]}/{called}" if kind in _PAGES and called else "",
        about=Listing(AUDIT_PAGE).link(about=row.target),
        changes=tuple((field, _shown(each.get("old")), _shown(each.get("new"))) for field, each in changes.items()),
        details=tuple((field, _shown(value)) for field, value in details.items() if field != "changes"),
        place=f"{row.writer_id[:8]}, entry {row.sequence}",
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _shown(value: object) -> str:
    """A value as far as a page has room for it: a checkpoint names every chain there is."""
    text = _text(value)
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"{text[:LONGEST_SHOWN]}… (the export has all {len(text):,} characters)"


def _place_of(row: AuditedEvent) -> str:
    return f"{row.at}.{row.sequence}.{row.writer_id}"


def _read_place(text: str) -> tuple[Instant, str, int] | None:
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise InvalidInput(
            f"The address names a place in the record that there is not: {text[:40]!r}.", hint="Begin with the newest."
        )
    return Instant(int(found[1])), found[3], int(found[2])
