"""Append an event in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from sealwright.audit import store
from sealwright.audit.chain import ChainedRow, ChainHead, digest_of, fields_of
from sealwright.audit.changes import redacted
from sealwright.audit.events import Event, Outcome
from sealwright.audit.lease import HeldChain, held_chain
from sealwright.audit.refusals import Refusal, Refusals, Repeated
from sealwright.audit.store import EventFilter, TargetName
from sealwright.clock import Clock
from sealwright.db import Database, Transaction, nothing_around_writes
from sealwright.http import CURRENT_REQUEST_ID

AuditedEvent = ChainedRow
BEGIN_AND_END: Mapping[str, tuple[Event, Event]] = {
    "person": (Event.PERSON_CREATED, Event.PERSON_DELETED),
    "group": (Event.GROUP_CREATED, Event.GROUP_DELETED),
    "client": (Event.CLIENT_CREATED, Event.CLIENT_DELETED),
    "provisioner": (Event.PROVISIONER_ADDED, Event.PROVISIONER_REMOVED),
    "profile": (Event.PROFILE_CREATED, Event.PROFILE_DELETED),
    "audit_sink": (Event.SINK_CREATED, Event.SINK_DELETED),
}
"""Kind of target → the events whose details hold its name."""
_NAMING = frozenset(event for both in BEGIN_AND_END.values() for event in both)
_encode = msgspec.json.Encoder(enc_hook=redacted).encode


class Acting(Protocol):
    """What an event records of the actor; `access.Actor` has it."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def api_key(self) -> str: ...
    @property
    def application(self) -> str: ...


class _RefusedActor(NamedTuple):
    """The actor of a repeated refusal."""

    kind: str
    id: str
    name: str
    address: str
    api_key: str = ""
    application: str = ""


class Entry(Struct, frozen=True):
    """An event to record.

    `target`: ``kind:id``, such as ``certificate:01a35c0f…``. `details`: JSON values that help to answer "why"; never a
    password, token, code or key.
    """

    event: Event
    actor: Acting
    target: str
    outcome: Outcome = Outcome.DONE
    details: Mapping[str, Any] | None = None
    request_id: str = field(default_factory=CURRENT_REQUEST_ID.get)
    """Of the request in which the entry was made, which need not be the one that writes it."""


class Audit:
    """Writes events. One per process; the state of a chain lives with the transaction's writer (see `lease`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refusals = Refusals(clock)

    async def record(
        self,
        tx: Transaction,
        event: Event,
        *,
        actor: Acting,
        target: str,
        outcome: Outcome = Outcome.DONE,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Append one event to the writer's chain; it becomes durable with `tx` or not at all."""
        await self.record_all(tx, [Entry(event, actor, target, outcome, details)])

    async def record_all(self, tx: Transaction, entries: Iterable[Entry]) -> None:
        """Append events to the writer's chain in their order; they become durable with `tx` or not at all."""
        now, rows, names = self._clock.now(), [], []
        chain = await held_chain(tx, now)
        sequence, digest = chain.head.sequence, chain.head.digest
        for each in entries:
            sequence, previous, actor = sequence + 1, digest, each.actor
            by = {name: value for name in ("api_key", "application") if (value := getattr(actor, name))}
            details = {**(each.details or {}), **by}
            what = (chain.id, sequence, int(now), str(each.event), str(each.outcome), actor.kind, actor.id, actor.name)
            row = ChainedRow(*what, each.target, _encode(details).decode(), previous, b"", each.request_id)
            digest = digest_of(previous, fields_of(row))
            rows.append(replace(row, digest=digest))
            if each.event in _NAMING and isinstance(details.get("name"), str):
                names.append(TargetName(details["name"], each.target, now))
        await store.insert_rows(tx, rows)
        if names:
            await store.insert_names(tx, names)
        tx.writer.memo = HeldChain(chain.id, ChainHead(sequence, digest), chain.until)

    async def refused(
        self,
        db: Database,
        event: Event,
        *,
        actor: Acting,
        target: str,
        reason: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Record a refusal in a transaction of its own; repeated ones are counted and recorded in one row.

        `reason` is the class of refusals that this one counts with: a text that holds nothing the caller can choose.
        """
        refused = Refusal(event, actor.kind, actor.id, actor.name, actor.address, target, reason)
        if not self._refusals.count(refused):
            return

        async def body(tx: Transaction) -> None:
            await self.record(tx, event, actor=actor, target=target, outcome=Outcome.REFUSED, details=details)

        try:
            with nothing_around_writes():  # no condition of the caller's keeps a refusal from the record
                await db.write(body)
        except BaseException:
            self._refusals.not_written(refused)
            raise

    async def write_repeated(self, db: Database, *, unfinished: bool = False) -> int:
        """Write how often refusals repeated in minutes that are over, or with `unfinished` also in this one; returns the rows."""
        taken = self._refusals.take(unfinished=unfinished)
        if not taken:
            return 0

        async def body(tx: Transaction) -> None:
            await self.record_all(tx, [_entry(each) for each in taken])

        try:
            await db.write(body)
        except BaseException:
            self._refusals.give_back(taken)
            raise
        return len(taken)

    @staticmethod
    async def newest(db: Database, *, target: str | None = None, at_most: int = 100) -> list[AuditedEvent]:
        """The newest events of all chains; with `target`, only those about it."""
        return await store.search(db, EventFilter(targets=() if target is None else (target,)), at_most=at_most)

    @staticmethod
    async def search(db: Database, wanted: EventFilter, *, at_most: int) -> list[AuditedEvent]:
        """The newest events of all chains that are wanted."""
        return await store.search(db, wanted, at_most=at_most)

    @staticmethod
    async def targets_called(db: Database, noun: str, name: str) -> list[str]:
        """Things of a kind that had a name when they were created or deleted, also those that are gone; the newest first."""
        return await store.targets_called(db, noun, name) if noun in BEGIN_AND_END else []

    @staticmethod
    async def name_of(db: Database, target: str) -> str | None:
        """The name of a thing, also of one that is gone, as the events of its creation and deletion tell it."""
        events = BEGIN_AND_END.get(target.partition(":")[0])
        return None if events is None else await store.name_of(db, target, events)


def _entry(repeated: Repeated) -> Entry:
    first = repeated.first
    actor = _RefusedActor(first.actor_kind, first.actor_id, first.actor_name, first.address)
    return Entry(first.event, actor, first.target, Outcome.REFUSED, repeated.details)
