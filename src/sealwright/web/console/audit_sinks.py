"""Where the record is forwarded to: how far each receiver is, and what it refused last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from sealwright.access import Permission, require
from sealwright.audit import Category, Forwarding, Sink
from sealwright.clock import Clock, Instant
from sealwright.errors import Conflict, InvalidInput
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.web.console.frame import Question, ask, context_of
from sealwright.web.forms import FormError, fields_of, missing
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

SINKS_PAGE: Final = "/ui/audit/sinks"
NEW_SINK_PAGE: Final = "/ui/new/audit-sink"
_NEEDED: Final = {"name": "Give the receiver a name.", "url": "Give the address of the receiver."}
_FIELDS: Final = {"name": "name", "url": "url", "categories": "category"}
KINDS: Mapping[str, str] = {"": "everything"} | {str(each): f"only {each}" for each in Category}


class ListedSink(Struct, frozen=True):
    """A receiver as a row."""

    name: str
    url: str
    categories: str
    kind: str
    """Of its badge."""
    word: str
    waiting: int
    sent: int
    last_sent_at: Instant | None
    last_error: str
    next_try_at: Instant | None
    """Where it is failing."""


class AuditSinkPages:
    """Readers of the record see them; those who change sinks see the whole address of each, by which receivers know senders."""

    def __init__(self, pages: Pages, forwarding: Forwarding, clock: Clock) -> None:
        self._pages = pages
        self._forwarding = forwarding
        self._clock = clock

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Each receiver with the state of its queue."""
        whole = person.actor.holds(Permission.AUDIT_WRITE)
        found = [listed_sink(sink if whole else sink.without_path(), waiting) for sink, waiting in await self._forwarding.all()]
        return self._pages.console(
            "audit-sinks.html",
            context_of(page_request, person),
            sinks=tuple(found),
            notice=notice_text(page_request.request),
            now=self._clock.now(),
        )

    async def show_new(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a new receiver; it is given the whole record from now on, which needs the permission to export it."""
        require(person.actor, Permission.AUDIT_EXPORT)
        return self._form(page_request, person)

    async def create(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Forward events to one more place; the secret of a webhook is shown once."""
        require(person.actor, Permission.AUDIT_EXPORT)
        errors = missing(page_request.form, _NEEDED)
        if errors:
            return self._form(page_request, person, errors=errors)
        name, url = page_request.typed("name").strip(), page_request.typed("url").strip()
        category = page_request.typed("category")
        try:
            sink, secret = await self._forwarding.create(name, url, (category,) if category else (), person.actor)
        except (InvalidInput, Conflict) as refusal:
            return self._form(page_request, person, errors=fields_of(refusal, _FIELDS))
        return self._pages.console(
            "audit-sink-made.html",
            self._context(page_request, person, PageLink(SINKS_PAGE, "Forwarding")),
            sink=sink,
            secret=secret,
        )

    async def test(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Send a test event, with all that waits, and show how it went."""
        sink = await self._forwarding.test(page_request.request.path_parameters["name"], person.actor)
        waiting = await self._waiting(sink)
        return self._pages.console(
            "audit-sink-tested.html",
            self._context(page_request, person),
            sink=listed_sink(sink, waiting),
            now=self._clock.now(),
        )

    async def show_deletion(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What is not sent any more, and the question whether to."""
        sink = await self._forwarding.named(page_request.request.path_parameters["name"])
        waiting = await self._waiting(sink)
        question = Question(
            title=f"Forward nothing to {sink.name} any more?",
            impact=((waiting, "events that wait for it are not sent"),),
            after=(
                "The record itself stays as it is.",
                "A receiver that is made anew begins with what is recorded from then on.",
            ),
            action=f"{SINKS_PAGE}/{sink.name}/delete",
            button=f"Delete {sink.name}",
            keep=SINKS_PAGE,
        )
        return ask(self._pages, self._context(page_request, person), question)

    async def delete(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Forward nothing to it any more."""
        await self._forwarding.delete(page_request.request.path_parameters["name"], person.actor)
        return done(SINKS_PAGE, "sink-deleted")

    async def _waiting(self, sink: Sink) -> int:
        """How many events wait for it."""
        return next((number for each, number in await self._forwarding.all() if each.id == sink.id), 0)

    def _form(self, page_request: PageRequest, person: SignedIn, *, errors: tuple[FormError, ...] = ()) -> Response:
        typed = page_request.typed
        return self._pages.console(
            "audit-sink-form.html",
            self._context(page_request, person),
            status=422 if errors else 200,
            errors=errors,
            typed={name: typed(name) for name in ("name", "url", "category")},
            kinds=KINDS,
        )

    @staticmethod
    def _context(page_request: PageRequest, person: SignedIn, *trail: PageLink) -> ConsoleContext:
        return ConsoleContext(person, page_request.csrf_token_of(person), f"{SINKS_PAGE}/", trail)


def listed_sink(sink: Sink, waiting: int) -> ListedSink:
    """A receiver as a row: it works only if it took something and nothing failed since."""
    if sink.tries:
        kind, word = "bad", f"failing, {sink.tries} {'try' if sink.tries == 1 else 'tries'}"
    elif sink.last_sent_at is None:
        kind, word = "", "nothing sent yet"
    else:
        kind, word = "good", "takes events"
    return ListedSink(
        name=sink.name,
        url=sink.url,
        categories=sink.categories.replace(",", ", ") or "everything",
        kind=kind,
        word=word,
        waiting=waiting,
        sent=sink.sent,
        last_sent_at=sink.last_sent_at,
        last_error=(sink.last_error or "") if sink.tries else "",
        next_try_at=sink.next_try_at if sink.tries else None,
    )
