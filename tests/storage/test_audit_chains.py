"""A writer that is gone leaves its chain to the next one, and two never add to one chain, on both engines."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from sealwright.access import SYSTEM
from sealwright.audit import Audit, Event, store
from sealwright.audit.lease import LEASE, USED_FOR
from sealwright.clock import CLOCKS_DIFFER, FixedClock, Instant
from sealwright.db import Statement
from sealwright.db.schema import audit_chains
from tests.audits import checkpoints_of

START = Instant(1_790_000_000_000)


def clock():
    return FixedClock(START)


async def record(db, audit, count=1):
    async def body(tx):
        await audit.record(tx, Event.GROUP_CREATED, actor=SYSTEM, target="group:1")

    await asyncio.gather(*(db.write(body) for _ in range(count)))


async def rows(db):
    """Chain → how many rows it has; every chain is checked."""
    heads = await checkpoints_of(db, Audit(clock())).verify()
    return {writer_id: head.sequence for writer_id, head in heads.items()}


async def chains_after_starts(open_scratch, pause):
    """How many chains there are after six starts, each this long after the one before."""
    now = clock()
    async with open_scratch() as first:
        for _ in range(6):
            for session in sessions_of(first):
                session.id, session.memo = f"{session.id} started anew", None
            await record(first, Audit(now))
            now.advance(pause)
        found = await rows(first)
    assert sum(found.values()) == 6
    return len(found)


def sessions_of(db):
    """The writers of a database."""
    places = getattr(db, "_writers", None)
    return [db._transaction.writer] if places is None else [place.writer for place in places._idle._queue]


async def test_start_goes_on_with_the_chain_of_a_process_that_is_gone(open_scratch):
    assert await chains_after_starts(open_scratch, LEASE) == 1


async def test_chain_that_may_still_be_added_to_is_left_alone(open_scratch):
    assert await chains_after_starts(open_scratch, LEASE / 3) == 3


async def test_writer_keeps_its_chain_while_it_writes_and_after_a_long_pause(open_scratch):
    now = clock()
    async with open_scratch() as db:
        for pause in (USED_FOR / 2, USED_FOR, LEASE * 9, timedelta(0), -LEASE * 5, USED_FOR):
            await record(db, Audit(now))
            now.advance(pause)
        await record(db, Audit(now))
        assert list((await rows(db)).values()) == [7]


async def test_processes_that_write_at_once_have_chains_of_their_own(open_two):
    now = clock()
    async with open_two() as (first, second):
        await asyncio.gather(record(first, Audit(now), 20), record(second, Audit(now), 20))
        found = await rows(first)
        assert sum(found.values()) == 40
        assert 2 <= len(found) <= len(sessions_of(first)) + len(sessions_of(second))


@pytest.mark.parametrize("ahead", [timedelta(0), CLOCKS_DIFFER])
async def test_node_whose_clock_differs_takes_no_chain_that_is_in_use(open_two, ahead):
    here, there = clock(), clock()
    there.advance(ahead)
    async with open_two() as (first, second):
        await record(first, Audit(here))
        await record(second, Audit(there))
        assert list((await rows(first)).values()) == [1, 1]


async def test_two_that_take_themselves_for_the_holder_of_one_chain_lose_nothing(open_two):
    now = clock()
    async with open_two() as (first, second):
        await record(first, Audit(now))
        forgotten = Statement(update(audit_chains).values(leased_until=0))

        async def forget(tx):
            await tx.run(forgotten)

        await first.write(forget)
        await record(second, Audit(now))
        await record(first, Audit(now), 3)
        await record(second, Audit(now), 3)
        found = await rows(first)
    assert sum(found.values()) == 8


async def test_chain_that_was_purged_to_its_end_is_not_begun_anew_under_its_id(open_two):
    now = clock()
    async with open_two() as (first, second):
        await record(first, Audit(now), 1)
        [purged] = await store.writers(first)
        checkpoints = checkpoints_of(second, Audit(now))
        await checkpoints.make(SYSTEM)
        now.advance(LEASE)
        assert await checkpoints.purge(now.now(), SYSTEM) == 1
        for session in sessions_of(first):
            session.id, session.memo = f"{session.id} started anew", None
        now.advance(LEASE)
        await record(first, Audit(now), 1)
        await record(second, Audit(now), 1)
        assert purged not in await store.writers(first)
        assert sum((await rows(first)).values()) == 4


async def test_writer_that_gets_back_a_chain_that_another_one_had_goes_on_after_its_end(open_two):
    now = clock()
    async with open_two() as (first, second):
        for db in (first, second, second):
            await record(db, Audit(now))
            now.advance(LEASE)
        [chain] = await store.writers(first)
        await first.write(lambda tx: store.delete_rows(tx, chain, 2, at_most=2))
        await record(first, Audit(now))
        assert [row.sequence for row in await store.rows_of_writer(first, chain)] == [3, 4]


async def test_undone_transaction_gives_its_chain_back(open_scratch):
    now = clock()
    async with open_scratch() as db:

        async def failing(tx):
            await Audit(now).record(tx, Event.GROUP_CREATED, actor=SYSTEM, target="group:1")
            raise LookupError

        with pytest.raises(LookupError):
            await db.write(failing)
        assert await store.writers(db) == []
        await record(db, Audit(now), 3)
        assert sum((await rows(db)).values()) == 3
