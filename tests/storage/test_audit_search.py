"""What is looked for in the audit record is found on both engines, page by page, and nothing twice."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from sealwright.access import SYSTEM, Actor
from sealwright.audit import Audit, BrokenChain, Event, EventFilter, Outcome, verify_chain
from sealwright.clock import FixedClock, Instant, after
from sealwright.http import CURRENT_REQUEST_ID

START = Instant(1_800_000_000_000)
ALICE = Actor("person", "id-of-alice", "alice")


async def record(db, audit, event, target, *, actor=SYSTEM, outcome=Outcome.DONE, **details):
    async def body(tx):
        await audit.record(tx, event, actor=actor, target=target, outcome=outcome, details=details)

    await db.write(body)


def found(rows):
    return [(row.event, row.target) for row in rows]


async def test_filters_go_together(open_scratch):
    async with open_scratch() as db:
        clock = FixedClock(START)
        audit = Audit(clock)
        await record(db, audit, Event.GROUP_CREATED, "group:1", name="staff")
        clock.advance(timedelta(hours=1))
        await record(db, audit, Event.GROUP_DELETED, "group:1", actor=ALICE, name="staff")
        await record(db, audit, Event.GROUP_CREATED, "group:bad", actor=ALICE, outcome=Outcome.REFUSED)
        everything = await audit.search(db, EventFilter(), at_most=10)
        assert found(everything) == [
            ("group.created", "group:bad"),
            ("group.deleted", "group:1"),
            ("group.created", "group:1"),
        ]
        an_hour_on = after(START, timedelta(hours=1))
        for wanted, number in (
            (EventFilter(targets=("group:1", "group:other")), 2),
            (EventFilter(events=("group.created",)), 2),
            (EventFilter(events=("group.created", "group.deleted"), outcome="done"), 2),
            (EventFilter(outcome="refused"), 1),
            (EventFilter(by=("id-of-alice", "id-of-alice")), 2),
            (EventFilter(by=("alice", "alice")), 2),
            (EventFilter(since=an_hour_on), 2),
            (EventFilter(until=an_hour_on), 1),
            (EventFilter(targets=("group:1",), events=("group.deleted",), by=("alice", "alice"), since=an_hour_on), 1),
            (EventFilter(targets=("group:1",), outcome="failed"), 0),
            (EventFilter(outcome="done"), 2),
            (EventFilter(by=("id-of-alice", "alice")), 2),
            (EventFilter(by=("id-of-alice", "alice"), events=("group.created", "group.deleted"), outcome="refused"), 1),
        ):
            assert len(await audit.search(db, wanted, at_most=10)) == number, wanted


async def test_pages_hold_every_row_once_also_within_one_moment(open_scratch):
    async with open_scratch() as db:
        audit = Audit(FixedClock(START))
        for number in range(7):
            await record(db, audit, Event.GROUP_CREATED, f"group:{number}")
        seen, place = [], None
        while page := await audit.search(db, EventFilter(older_than=place), at_most=3):
            seen += [row.target for row in page]
            place = Instant(page[-1].at), page[-1].writer_id, page[-1].sequence
        assert seen == [f"group:{number}" for number in reversed(range(7))]


async def test_things_are_found_by_a_name_that_they_had(open_scratch):
    async with open_scratch() as db:
        clock = FixedClock(START)
        audit = Audit(clock)
        for number, name in enumerate(("a_b", "axb", "100%", 'q"uote', "ünï", "a_b")):
            await record(db, audit, Event.GROUP_CREATED, f"group:{number}", name=name)
            clock.advance(timedelta(seconds=1))
        await record(db, audit, Event.GROUP_MEMBERS_CHANGED, "group:9", name="axb")
        await record(db, audit, Event.PERSON_CREATED, "person:1", name="axb")
        assert await audit.targets_called(db, "group", "a_b") == ["group:5", "group:0"]
        for number, name in ((1, "axb"), (2, "100%"), (3, 'q"uote'), (4, "ünï")):
            assert await audit.targets_called(db, "group", name) == [f"group:{number}"]
        assert await audit.targets_called(db, "group", "%") == []
        assert await audit.targets_called(db, "server", "axb") == []
        assert await audit.name_of(db, "group:3") == 'q"uote'
        assert await audit.name_of(db, "group:9") is None


async def test_page_of_several_kinds_holds_the_newest_of_all(open_scratch):
    async with open_scratch() as db:
        clock = FixedClock(START)
        audit = Audit(clock)
        for number in range(12):
            await record(db, audit, (Event.GROUP_CREATED, Event.GROUP_DELETED, Event.ROLE_CREATED)[number % 3], f"group:{number}")
            clock.advance(timedelta(seconds=1))
        wanted = EventFilter(events=("group.created", "group.deleted"), until=after(START, timedelta(seconds=11)))
        seen, place = [], None
        while page := await audit.search(db, EventFilter(events=wanted.events, until=wanted.until, older_than=place), at_most=3):
            seen += [row.target for row in page]
            place = Instant(page[-1].at), page[-1].writer_id, page[-1].sequence
        assert seen == [f"group:{number}" for number in (10, 9, 7, 6, 4, 3, 1, 0)]


async def test_events_are_found_by_the_request_that_caused_them_and_the_id_is_part_of_the_chain(open_scratch):
    async with open_scratch() as db:
        audit = Audit(FixedClock(START))
        await record(db, audit, Event.GROUP_CREATED, "group:1")
        held = CURRENT_REQUEST_ID.set("req-7")
        try:
            await record(db, audit, Event.GROUP_CREATED, "group:2")
        finally:
            CURRENT_REQUEST_ID.reset(held)
        await record(db, audit, Event.GROUP_CREATED, "group:3")
        assert found(await audit.search(db, EventFilter(request_id="req-7"), at_most=9)) == [("group.created", "group:2")]
        rows = (await audit.newest(db))[::-1]
        verify_chain(rows)
        for forged in ("", "req-8"):
            with pytest.raises(BrokenChain, match="entry 2 was changed"):
                verify_chain([rows[0], replace(rows[1], request_id=forged), rows[2]])
