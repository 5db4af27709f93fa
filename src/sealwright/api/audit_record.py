"""The audit record: search it, follow it, and export it as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from sealwright.access import NO_PERMISSIONS, Actor, Permission, permissions_of_account, require
from sealwright.api.audit_events import FILTERS, AuditSearch, EventView, matches
from sealwright.api.json_types import ResponseBody
from sealwright.api.operations import LONGEST_FOLLOWED, Call, Operation
from sealwright.audit import Audit, AuditedEvent, Checkpoints, EventFilter, ExportedRow, follow
from sealwright.clock import Clock, Instant
from sealwright.csv_text import csv_lines
from sealwright.db import Database
from sealwright.errors import NotPermitted
from sealwright.http import Response
from sealwright.identity import ApiAuthenticator, Directory
from sealwright.jose import jwks_document

EXPORTED_AT_ONCE = 250
"""Events that are read, and held in memory, for one piece of an export."""
JSON_LINES = "application/jsonl"
_KEY_SET = "application/jwk-set+json"
CSV = "text/csv; charset=utf-8"
LOOK_EVERY = 0.5
"""Seconds between two looks for new events."""
COLUMNS = (
    *("at", "event", "action", "category", "outcome", "sentence", "actor_kind", "actor_id", "actor_name", "target"),
    *("target_name", "changes", "details", "request_id", "writer_id", "sequence"),
)


class EventPage(ResponseBody, frozen=True, kw_only=True):
    """The newest events."""

    events: list[EventView]
    next: str | None = None


class FollowedEvent(ResponseBody, frozen=True, kw_only=True):
    """A new event, or, without one, only the place in the record that was reached."""

    event: EventView | None = None
    place: str
    """To be given as `after` by a reader who goes on from here."""


class AuditOperations:
    """Operations about audit events."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        directory: Directory,
        checkpoints: Checkpoints,
        search: AuditSearch,
        authenticator: ApiAuthenticator,
    ) -> None:
        self._db = db
        self._clock = clock
        self._directory = directory
        self._checkpoints = checkpoints
        self._search = search
        self._authenticator = authenticator

    def operations(self) -> list[Operation]:
        """All of them."""
        page = {"after": "Where the page before ended.", "limit": "At most this many."}
        place = {
            "after": "The place of the last event that was read. Without it: from now on.",
            "seconds": f"How long to wait for events, at most {LONGEST_FOLLOWED}.",
        }
        since_until = {"since", "until"}
        followed = {name: text for name, text in FILTERS.items() if name not in since_until}
        summary = "List the newest events, and page through those before them."
        read = str(Permission.AUDIT_READ)
        return [
            Operation("list_events", "GET", "/audit", summary, read, self._list, returns=EventPage, query=dict(FILTERS) | page),
            Operation(
                "follow_events",
                "GET",
                "/audit/follow",
                f"New events as JSON lines, as they happen. Ends after {LONGEST_FOLLOWED} seconds; the last place leads on.",
                read,
                self._follow,
                returns=FollowedEvent,
                media_type=JSON_LINES,
                query=followed | place,
            ),
            *self._exports(),
            Operation(
                "list_audit_keys",
                "GET",
                "/audit/keys",
                "The public keys that checkpoints of the record are signed with (RFC 7517).",
                read,
                self._keys,
                returns=dict,
                media_type=_KEY_SET,
            ),
        ]

    def _exports(self) -> list[Operation]:
        export = str(Permission.AUDIT_EXPORT)
        return [
            Operation(
                "export_events",
                "GET",
                "/audit/export",
                "Export all events as JSON lines, the newest first.",
                export,
                self._export,
                returns=EventView,
                media_type=JSON_LINES,
                query=dict(FILTERS),
            ),
            Operation(
                "export_events_as_csv",
                "GET",
                "/audit/export.csv",
                "Export all events as a table (RFC 4180), the newest first.",
                export,
                self._export_csv,
                returns=str,
                media_type="text/csv",
                query=dict(FILTERS),
            ),
            Operation(
                "export_chains",
                "GET",
                "/audit/chains",
                "Export every row as it is stored, chain by chain, to verify the record without the server.",
                export,
                self._export_chains,
                returns=ExportedRow,
                media_type=JSON_LINES,
            ),
        ]

    async def _list(self, call: Call) -> EventPage:
        require(call.actor, Permission.AUDIT_READ)
        limit = call.limit()
        wanted = await self._search.wanted(call)
        found = await Audit.search(self._db, wanted, at_most=limit + 1)
        shown = await self._search.views(found[:limit], call.actor)
        last = found[limit - 1] if len(found) > limit else None
        return EventPage(events=shown, next=f"{last.at}.{last.sequence}.{last.writer_id}" if last else None)

    async def _keys(self, call: Call) -> Response:
        require(call.actor, Permission.AUDIT_READ)
        keys = jwks_document(await self._checkpoints.public_keys())
        return Response(200, keys, (("content-type", _KEY_SET),))

    # --- follow ---

    async def _follow(self, call: Call) -> Response:
        """The place is read before the response begins, so that one that makes no sense is still a problem document."""
        require(call.actor, Permission.AUDIT_READ)
        seconds = int(call.query.get("seconds", LONGEST_FOLLOWED))
        query = {name: text for name, text in call.query.items() if name not in ("after", "seconds")}
        wanted = await self._search.wanted(replace(call, query=query))
        after = call.query.get("after")
        place = await follow.end_of_record(self._db, self._clock.now()) if after is None else follow.place_of(after)
        return Response(200, headers=_headers(JSON_LINES), chunks=self._followed(wanted, place, call, seconds))

    async def _followed(
        self, wanted: EventFilter, place: follow.RecordPlace, call: Call, seconds: int
    ) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        yield _line(FollowedEvent(place=place.text()))
        while True:
            before = place
            rows, place = await follow.since(self._db, place)
            if rows:
                await self._require_still(call, Permission.AUDIT_READ)
                chosen = [row for row in rows if matches(row, wanted)]
                views = await self._search.views(chosen, call.actor)
                yield b"".join(
                    [
                        *(_line(FollowedEvent(event=view, place=before.text())) for view in views),
                        _line(FollowedEvent(place=place.text())),
                    ]
                )
                continue
            if loop.time() >= end:
                return
            await asyncio.sleep(LOOK_EVERY)
            await self._require_still(call, Permission.AUDIT_READ)

    # --- exports ---

    async def _export(self, call: Call) -> Response:
        return await self._exported(call, JSON_LINES, lambda views: b"".join([_line(view) for view in views]), b"")

    async def _export_csv(self, call: Call) -> Response:
        return await self._exported(call, CSV, _as_csv, csv_lines([COLUMNS]))

    async def _exported(
        self, call: Call, media_type: str, written: Callable[[Sequence[EventView]], bytes], heading: bytes
    ) -> Response:
        """The first events are read before the response begins, so that an unreachable database is still a problem document."""
        require(call.actor, Permission.AUDIT_EXPORT)
        wanted = await self._search.wanted(call)
        first = await Audit.search(self._db, wanted, at_most=EXPORTED_AT_ONCE)

        async def pieces() -> AsyncGenerator[bytes, None]:
            if heading:
                yield heading
            async for views in self._pages(wanted, first, call):
                yield written(views)

        return Response(200, headers=_headers(media_type), chunks=pieces())

    async def _pages(
        self, wanted: EventFilter, found: list[AuditedEvent], call: Call
    ) -> AsyncGenerator[Sequence[EventView], None]:
        """The events of `found` and all before them, page by page: events of later do not move what is still to come."""
        while found:
            yield await self._search.views(found, call.actor)
            if len(found) < EXPORTED_AT_ONCE:
                return
            await self._require_still(call, Permission.AUDIT_EXPORT)
            last = found[-1]
            wanted = replace(wanted, older_than=(Instant(last.at), last.writer_id, last.sequence))
            found = await Audit.search(self._db, wanted, at_most=EXPORTED_AT_ONCE)

    async def _export_chains(self, call: Call) -> Response:
        require(call.actor, Permission.AUDIT_EXPORT)

        async def pieces() -> AsyncGenerator[bytes, None]:
            async for page in self._checkpoints.pages():
                yield b"".join([_line(ExportedRow.of(row)) for row in page])
                await self._require_still(call, Permission.AUDIT_EXPORT)

        return Response(200, headers=_headers(JSON_LINES), chunks=pieces())

    async def _require_still(self, call: Call, permission: Permission) -> None:
        """A slow reader can stretch an export over hours, in which the permission or the credential may have been taken away."""
        if call.caller.by_application:  # its proof of possession counts once, so only the permission is looked at
            require(await self._actor_of_now(call.actor), permission)
            return
        caller = await self._authenticator.authenticate(call.request)
        if caller is None:
            raise NotPermitted("What this was begun with is not valid any more.", hint="Sign in again, and begin anew.")
        require(caller.actor, permission)

    async def _actor_of_now(self, actor: Actor) -> Actor:
        status = await self._directory.status_of(actor.id)
        permissions = NO_PERMISSIONS
        if status.active:
            permissions = await permissions_of_account(self._db, actor.id, self._clock.now(), session_id=actor.session_id)
        return replace(actor, permissions=permissions)


def _headers(media_type: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", media_type), ("cache-control", "no-store"))


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _as_csv(views: Sequence[EventView]) -> bytes:
    return csv_lines([_csv_row(view) for view in views])


def _csv_row(view: EventView) -> tuple[Any, ...]:
    actor = {"actor_kind": view.actor.kind, "actor_id": view.actor.id, "actor_name": view.actor.name}
    nested = {name: msgspec.json.encode(getattr(view, name)).decode() for name in ("changes", "details")}
    cells = msgspec.structs.asdict(view) | actor | nested
    return tuple(cells[name] for name in COLUMNS)
