"""Answering everybody who asks the same at the same time with one reading, on both engines."""

import asyncio

import pytest
from sqlalchemy import bindparam, insert, select, update

from sealwright.db import SingleFlight, Statement
from sealwright.db.schema import leases

INSERT = Statement(insert(leases))
HOLDER = Statement(select(leases.c.holder).where(leases.c.name == bindparam("of_name")))
HAND_OVER = Statement(update(leases).where(leases.c.name == bindparam("of_name")).values(holder=bindparam("new_holder")))


class Readings:
    """Reads the holder of a lease; counts how often."""

    def __init__(self, db):
        self.db = db
        self.count = 0

    async def __call__(self, name):
        self.count += 1
        row = await self.db.one(HOLDER, of_name=name)
        return None if row is None else row[0]


async def insert_lease(db, name, holder):
    async def body(tx):
        await tx.run(INSERT, name=name, holder=holder, until=1)

    await db.write(body)


async def hand_over(db, name, holder):
    async def body(tx):
        await tx.run(HAND_OVER, of_name=name, new_holder=holder)

    await db.write(body)


async def test_all_who_ask_the_same_at_once_share_one_reading(open_scratch):
    async with open_scratch() as db:
        await insert_lease(db, "a", "anna")
        readings = Readings(db)
        single_flight = SingleFlight(readings)
        answers = await asyncio.gather(*(single_flight.of(name) for name in ["a", "b"] * 10))
        assert answers == ["anna", None] * 10
        assert readings.count == 2


async def test_who_asks_after_a_change_is_told_of_it(open_scratch):
    async with open_scratch() as db:
        await insert_lease(db, "a", "anna")
        single_flight = SingleFlight(Readings(db))
        for holder in ("berta", "carla"):
            await hand_over(db, "a", holder)
            assert await asyncio.gather(*(single_flight.of("a") for _ in range(5))) == [holder] * 5


async def test_who_asks_during_a_reading_waits_for_one_of_their_own():
    begun, go_on, values = asyncio.Event(), asyncio.Event(), iter(["old", "new"])

    async def read(_key):
        value = next(values)
        begun.set()
        await go_on.wait()
        return value

    single_flight = SingleFlight(read)
    early = asyncio.create_task(single_flight.of("a"))
    await begun.wait()
    late = asyncio.create_task(single_flight.of("a"))
    await asyncio.sleep(0)
    go_on.set()
    assert [await early, await late] == ["old", "new"]


async def test_failed_reading_fails_all_who_waited_and_no_one_after_them():
    outcomes = iter([OSError("gone"), "there"])

    async def read(_key):
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    single_flight = SingleFlight(read)
    failed = await asyncio.gather(*(single_flight.of("a") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(failure, OSError) for failure in failed)
    assert await single_flight.of("a") == "there"


async def test_who_goes_away_leaves_the_reading_to_the_others():
    go_on = asyncio.Event()

    async def read(_key):
        await go_on.wait()
        return "there"

    single_flight = SingleFlight(read)
    patient, hasty = (asyncio.create_task(single_flight.of("a")) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    go_on.set()
    assert await patient == "there"
    with pytest.raises(asyncio.CancelledError):
        await hasty
