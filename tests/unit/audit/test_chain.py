import asyncio

import pytest
from sqlalchemy import bindparam, update

from sealwright.access import SYSTEM
from sealwright.audit import Audit, BrokenChain, Event
from sealwright.clock import FixedClock, Instant
from sealwright.db import Statement
from sealwright.db.schema import audit_events
from tests.databases import sqlite_database

CLOCK = FixedClock(Instant(1_790_000_000_000))


async def record_some(db, audit, count):
    for number in range(count):

        async def body(tx, number=number):
            await audit.record(tx, Event.PERSON_CREATED, actor=SYSTEM, target=f"person:{number}")

        await db.write(body)


def test_untouched_chain_verifies():
    async def scenario():
        async with sqlite_database() as db:
            audit = Audit(CLOCK)
            await record_some(db, audit, 5)
            heads = await audit.verify(db)
            assert [head.sequence for head in heads.values()] == [5]

    asyncio.run(scenario())


@pytest.mark.parametrize("change", [{"details": "{}x"}, {"actor_name": "mallory"}, {"sequence": 9}, {"outcome": "refused"}])
def test_changed_row_is_named(change):
    async def scenario():
        async with sqlite_database() as db:
            audit = Audit(CLOCK)
            await record_some(db, audit, 5)
            tamper = Statement(update(audit_events).where(audit_events.c.sequence == bindparam("which")).values(**change))

            async def body(tx):
                assert await tx.run(tamper, which=3) == 1

            await db.write(body)
            with pytest.raises(BrokenChain, match=r"entry (3|4|9)"):
                await audit.verify(db)

    asyncio.run(scenario())


def test_undone_transaction_leaves_no_gap_in_the_chain():
    async def scenario():
        async with sqlite_database() as db:
            audit = Audit(CLOCK)
            await record_some(db, audit, 2)

            async def failing(tx):
                await audit.record(tx, Event.PERSON_CREATED, actor=SYSTEM, target="person:x")
                raise LookupError

            with pytest.raises(LookupError):
                await db.write(failing)
            await record_some(db, audit, 2)
            heads = await audit.verify(db)
            assert [head.sequence for head in heads.values()] == [4]

    asyncio.run(scenario())
