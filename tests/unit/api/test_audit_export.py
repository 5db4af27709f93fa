"""The audit record as JSON lines and as a table, read page by page while it is sent, and followed as it grows."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import tracemalloc
from typing import Any

import pytest

from sealwright.access import SYSTEM, Actor
from sealwright.api.audit_record import EXPORTED_AT_ONCE
from sealwright.api.operations import LONGEST_FOLLOWED
from sealwright.audit import Entry, Event, follow
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


async def test_export_holds_no_more_memory_the_longer_it_is():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        await write_events(world, 8 * EXPORTED_AT_ONCE)
        response = await world.send("GET", "/audit/export", token=token)
        assert response.chunks is not None
        held, size = [], 0
        tracemalloc.start()
        try:
            async for piece in response.chunks:
                held.append(tracemalloc.get_traced_memory()[0])
                size += len(piece)
        finally:
            tracemalloc.stop()
        # The first pieces fill caches, and the last is smaller than the others.
        assert held[-2] - held[2] < size / 16, "half a piece"


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


@pytest.mark.parametrize("what", ["permission", "account", "session"])
async def test_export_breaks_off_once_its_reader_may_not_read_on(what: str):
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        await write_events(world, MANY)

        async def taken_away() -> None:
            if what == "permission":
                await world.directory.remove_members("auditors", ["ruth"], actor=SYSTEM)
            elif what == "session":
                ruth = await world.directory.find("ruth")
                await world.sessions.end_all(ruth.id, "ended by an administrator", actor=SYSTEM)
            else:
                await world.directory.disable("ruth", actor=SYSTEM)

        with pytest.raises(NotPermitted):
            await exported(world, token, between=taken_away)


HOSTILE = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "  =1", 'a "quoted", name', "line\nbreak", "ünï", "👍", "\r=1"]


async def test_table_holds_every_event_and_no_cell_that_a_spreadsheet_takes_for_a_formula():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")

        async def body(tx):
            actors = [Actor("person", "9", name) for name in HOSTILE]
            await world.audit.record_all(tx, [Entry(Event.GROUP_UPDATED, actor, "group:1", details={"x": 1}) for actor in actors])

        await world.db.write(body)
        response = await world.send("GET", "/audit/export.csv", token=token, query="event=group.updated")
        text = b"".join([chunk async for chunk in response.chunks]).decode()
        assert dict(response.headers)["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["actor_name"].removeprefix("'") for row in rows] == HOSTILE[::-1]
        cells = [cell for row in rows for cell in row.values()]
        assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert {row["details"] for row in rows} == {'{"x":1}'}


async def followed(world, token, query, *, until=None):
    """The events of one stream, and its last place; `until`: stop reading after so many events."""
    response = await world.send("GET", "/audit/follow", token=token, query=query)
    assert response.status == 200, response.body
    events, place = [], ""
    async for chunk in response.chunks:
        for line in chunk.splitlines():
            told = json.loads(line)
            place = told["place"]
            events += [told["event"]] if told["event"] else []
        if until is not None and len(events) >= until:
            await response.chunks.aclose()
            break
    return events, place


async def test_place_from_which_everything_was_seen_is_looked_through_without_holding_up_others():
    async with server_world() as world:
        await write_events(world, 3_000)
        writers = {row.writer_id for row in await world.audit.newest(world.db, at_most=500)}
        turns = 0

        async def others():
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        other = asyncio.create_task(others())
        rows, _ = await follow.since(world.db, follow.RecordPlace(0, dict.fromkeys(writers, 1 << 61)))
        other.cancel()
        assert rows == []
        assert turns >= 5


async def test_new_events_are_followed_each_once_also_over_several_streams():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        await write_events(world, 3)
        none, place = await followed(world, token, "seconds=0")
        assert none == []
        await write_events(world, 4)
        some, place = await followed(world, token, f"seconds=0&event=group&after={place}")
        await write_events(world, 700)
        more, place = await followed(world, token, f"seconds=0&event=group&after={place}")
        assert (len(some), len(more)) == (4, 700)
        assert await followed(world, token, f"seconds=0&after={place}") == ([], place)
        places = [(event["writer_id"], event["sequence"]) for event in some + more]
        assert places == sorted(set(places))


async def test_followed_event_arrives_while_the_stream_is_open():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        reading = asyncio.create_task(followed(world, token, "seconds=10&event=group.created", until=2))
        await asyncio.sleep(0.1)
        await write_events(world, 2)
        events, _ = await asyncio.wait_for(reading, 5)
        assert [event["target"] for event in events] == ["group:0", "group:1"]


async def test_stream_ends_once_its_reader_may_not_read_on():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        reading = asyncio.create_task(followed(world, token, f"seconds={LONGEST_FOLLOWED}"))
        await asyncio.sleep(0.1)
        await world.directory.remove_members("auditors", ["ruth"], actor=SYSTEM)
        with pytest.raises(NotPermitted):
            await asyncio.wait_for(reading, 5)


@pytest.mark.parametrize(
    "query", ["after=rubbish", "after=e30", "seconds=9999", "since=2026-01-01T00:00:00Z", "after=WzEse31d&limit=1"]
)
async def test_place_that_the_server_did_not_give_out_is_refused(query):
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        assert (await world.call("GET", "/audit/follow", token=token, query=query))[0] == 400
