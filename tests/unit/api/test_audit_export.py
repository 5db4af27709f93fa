"""The audit record as JSON lines, read page by page while it is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sealwright.access import SYSTEM
from sealwright.api.audit_events import EXPORTED_AT_ONCE
from sealwright.audit import Entry, Event
from sealwright.errors import NotPermitted
from tests.unit.api.world import ServerWorld, server_world

MANY = 2 * EXPORTED_AT_ONCE + 50


async def write_events(world: ServerWorld, count: int) -> None:
    async def body(tx: Any) -> None:
        entries = [Entry(Event.GROUP_CREATED, SYSTEM, f"group:{number}", details={"name": "x"}) for number in range(count)]
        await world.audit.record_all(tx, entries)

    await world.db.write(body)


async def exported(
    world: ServerWorld, token: str, query: str = "", *, between: Any = None
) -> tuple[int, list[dict[str, Any]], int]:
    """Status, events, and the size of the largest piece; `between` runs after the first piece."""
    response = await world.send("GET", "/audit/export", token=token, query=query)
    if response.chunks is None:
        return response.status, [json.loads(response.body)], 0
    pieces = []
    async for piece in response.chunks:
        pieces.append(piece)
        if between is not None and len(pieces) == 1:
            await between()
    lines = b"".join(pieces).splitlines()
    assert dict(response.headers)["content-type"] == "application/jsonl"
    return response.status, [json.loads(line) for line in lines], max(piece.count(b"\n") for piece in pieces)


async def test_export_holds_every_event_once_in_pieces_of_bounded_size():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        await write_events(world, MANY)
        status, events, largest = await exported(world, token)
        assert status == 200
        places = [(event["writer_id"], event["sequence"]) for event in events]
        assert len(set(places)) == len(places)
        made = [event["target"] for event in events if event["event"] == "group.created" and event["details"] == {"name": "x"}]
        assert made == [f"group:{number}" for number in reversed(range(MANY))]
        assert largest == EXPORTED_AT_ONCE


async def test_events_of_later_do_not_disturb_a_running_export():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        await write_events(world, MANY)
        query = "event=group.created"
        _, before, _ = await exported(world, token, query)
        _, during, _ = await exported(world, token, query, between=lambda: write_events(world, 300))
        assert during == before


@pytest.mark.parametrize(("query", "status"), [("event=nonsense", 400), ("limit=3", 400), ("target=person:nobody", 404)])
async def test_export_of_what_cannot_be_understood_is_refused_before_it_begins(query: str, status: int):
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        assert (await exported(world, token, query))[0] == status


async def test_export_needs_the_permission_to_read_the_record():
    async with server_world() as world:
        token = await world.token("bob")
        assert (await exported(world, token))[0] == 403


@pytest.mark.parametrize("what", ["permission", "account"])
async def test_export_breaks_off_once_its_reader_may_not_read_on(what: str):
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        await write_events(world, MANY)

        async def taken_away() -> None:
            if what == "permission":
                await world.directory.remove_members("auditors", ["ruth"], actor=SYSTEM)
            else:
                await world.directory.disable("ruth", actor=SYSTEM)

        with pytest.raises(NotPermitted):
            await exported(world, token, between=taken_away)
