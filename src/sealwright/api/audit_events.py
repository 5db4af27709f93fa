"""What is asked of the audit record, and how an event is shown."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from sealwright.access import Actor
from sealwright.api.json_types import Moment, ResponseBody, instant_of
from sealwright.api.operations import Call
from sealwright.audit import (
    EVENT_OF_ACTION,
    Audit,
    AuditedEvent,
    Category,
    Event,
    EventFilter,
    Outcome,
    action_of,
    category_of,
    changes_in,
    events_in,
    sentence_of,
)
from sealwright.audit_targets import AuditTargets
from sealwright.clock import Instant, to_rfc3339
from sealwright.db import Database
from sealwright.errors import Action, InvalidInput, NotFound, Remedy
from sealwright.identity import Directory

KINDS = (
    "person",
    "service",
    "group",
    "client",
    "oauth_issuer",
    "registration_token",
    "provisioner",
    "certificate",
    "session",
    "issuer",
    "server",
    "audit",
    "audit_sink",
)
"""What events are about."""
FILTERS: Mapping[str, str] = {
    "category": f"Only those of this kind: {', '.join(Category)}.",
    "target": "Only events about this, by name or id, such as person:alice; also of what is gone.",
    "event": "Only this event, such as person.created, or all of one kind, such as person.",
    "outcome": f"Only those that ended so: {', '.join(Outcome)}.",
    "by": "Only what this account did, by name or id.",
    "request_id": "Only what this request caused.",
    "since": "Only from this time on (RFC 3339).",
    "until": "Only before this time (RFC 3339).",
}
"""Query parameter → description."""
_NOUNS = tuple(dict.fromkeys(event.partition(".")[0] for event in Event))


class ActorView(ResponseBody, frozen=True, kw_only=True):
    """Who caused the event."""

    kind: str
    id: str
    name: str


class EventView(ResponseBody, frozen=True, kw_only=True):
    """One audit event."""

    at: Moment
    event: str
    action: str
    """The event by the name that other control planes have for it; the same where they have none."""
    category: str
    outcome: str
    sentence: str
    """The event in one sentence."""
    actor: ActorView
    target: str
    target_name: str | None
    """The name of the target, or the last one it had, if known."""
    changes: dict[str, Any]
    """Each field that was changed, with its `old` and its `new` value; secrets with neither."""
    details: dict[str, Any]
    request_id: str
    """Of the request that caused it; empty where none did."""
    writer_id: str
    sequence: int


class NothingRecorded(NotFound):
    """There is no such thing, and the record knows of none."""

    code = "nothing_recorded"


class AuditSearch:
    """What a query asks of the record, and how events are shown: with the names that things have or had."""

    def __init__(self, db: Database, directory: Directory, targets: AuditTargets) -> None:
        self._db = db
        self._directory = directory
        self._of = targets

    async def wanted(self, call: Call) -> EventFilter:
        """What the query asks for."""
        return EventFilter(
            targets=await self._targets(call.query["target"], call.actor) if "target" in call.query else (),
            events=_wanted_events(call.query),
            outcome=_outcome(call.query["outcome"]) if "outcome" in call.query else "",
            by=await self._by(call.query["by"]) if "by" in call.query else None,
            since=_moment("since", call.query.get("since")),
            until=_moment("until", call.query.get("until")),
            request_id=call.query.get("request_id", ""),
            older_than=_place(call.query.get("after", "")),
        )

    async def views(self, events: list[AuditedEvent], actor: Actor) -> list[EventView]:
        """The events as they are shown."""
        names = await self._of.names([each.target for each in events], actor)
        return [_shown(each, names.get(each.target)) for each in events]

    async def _targets(self, text: str, actor: Actor) -> tuple[str, ...]:
        """Targets in the record that have or had this name."""
        kind, colon, name = text.partition(":")
        if kind not in KINDS or not colon or not name:
            raise NothingRecorded(
                f"{text[:100]!r} is nothing that events are about.", hint=f"Write KIND:NAME. The kinds are {', '.join(KINDS)}."
            )
        targets = await self._of.called(kind, name, actor)
        if len(targets) > 1 or kind == "certificate" or await self._of.present(kind, name, actor):
            return targets
        if not await Audit.search(self._db, EventFilter(targets=targets), at_most=1):
            raise NothingRecorded(
                f"There is no {kind} {name[:100]!r}, and nothing was recorded about one of this name.",
                remedy=Remedy(Action.LIST_AUDIT_EVENTS),
            )
        return targets

    async def _by(self, text: str) -> tuple[str, str]:
        account = await self._directory.find(text)
        by = (account.id, account.name) if account else (text, text)
        if account is None and not await Audit.search(self._db, EventFilter(by=by), at_most=1):
            raise NothingRecorded(
                f"There is no account {text[:100]!r}, and nothing was recorded of one of this name.",
                remedy=Remedy(Action.LIST_PEOPLE),
            )
        return by


def _wanted_events(query: Mapping[str, str]) -> tuple[str, ...]:
    """The events that a name and a category leave."""
    named = _events(query["event"]) if "event" in query else None
    if "category" not in query:
        return named or ()
    text = query["category"]
    category = Category.called(text)
    if category is None:
        raise InvalidInput(f"category is {text[:40]!r}; it must be one of {', '.join(Category)}.")
    found = tuple(str(event) for event in events_in(category) if named is None or event in named)
    if not found:
        raise InvalidInput(f"No event {query['event'][:60]!r} is of the category {text}.", hint="Leave one of the two out.")
    return found


def _events(text: str) -> tuple[str, ...]:
    text = EVENT_OF_ACTION.get(text, text)
    chosen = tuple(str(event) for event in Event if text in (event, event.partition(".")[0]))
    if not chosen:
        close = get_close_matches(text, [*Event, *_NOUNS], n=1)
        meant = f"Perhaps {close[0]} was meant. " if close else ""
        raise InvalidInput(f"{text[:60]!r} is not an event.", hint=f"{meant}All begin with one of {', '.join(_NOUNS)}.")
    return chosen


def _outcome(text: str) -> str:
    if text not in tuple(Outcome):
        raise InvalidInput(f"outcome is {text[:40]!r}; it must be one of {', '.join(Outcome)}.")
    return text


def matches(event: AuditedEvent, wanted: EventFilter) -> bool:
    """Whether an event is among those that are wanted, for events that were not searched for."""
    return (
        (not wanted.targets or event.target in wanted.targets)
        and (not wanted.events or event.event in wanted.events)
        and wanted.outcome in ("", event.outcome)
        and wanted.request_id in ("", event.request_id)
        and (wanted.by is None or event.actor_id == wanted.by[0] or event.actor_name == wanted.by[1])
    )


def _moment(name: str, text: str | None) -> Instant | None:
    return None if text is None else instant_of(name, text)


def _place(cursor: str) -> tuple[Instant, str, int] | None:
    if not cursor:
        return None
    at, _, rest = cursor.partition(".")
    sequence, _, writer_id = rest.partition(".")
    if not (_is_number(at) and _is_number(sequence) and writer_id):
        raise InvalidInput(f"after is {cursor[:40]!r}, which this server did not give out.")
    return Instant(int(at)), writer_id, int(sequence)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18  # noqa: PLR2004 - what an integer of a database holds


def _shown(event: AuditedEvent, name: str | None) -> EventView:
    details = msgspec.json.decode(event.details)
    actor = event.actor_kind, event.actor_id, event.actor_name
    return EventView(
        at=to_rfc3339(Instant(event.at)),
        event=event.event,
        action=action_of(event.event),
        category=category_of(event.event),
        outcome=event.outcome,
        sentence=sentence_of(event.event, event.outcome, actor, event.target, name, details),
        actor=ActorView(kind=event.actor_kind, id=event.actor_id, name=event.actor_name),
        target=event.target,
        target_name=name,
        changes=changes_in(details),
        details=details,
        request_id=event.request_id,
        writer_id=event.writer_id,
        sequence=event.sequence,
    )
