import pytest
from sqlalchemy import bindparam, delete, update

from sealwright.access import SYSTEM
from sealwright.audit import Audit, BrokenChain, Event
from sealwright.clock import FixedClock, Instant
from sealwright.db import Statement
from sealwright.db.schema import audit_events
from tests.audits import checkpoints_of, go_on_with
from tests.databases import sqlite_database

CLOCK = FixedClock(Instant(1_790_000_000_000))


async def record_some(db, audit, count):
    for number in range(count):

        async def body(tx, number=number):
            await audit.record(tx, Event.PERSON_CREATED, actor=SYSTEM, target=f"person:{number}")

        await db.write(body)


async def test_untouched_chain_verifies():
    async with sqlite_database() as db:
        audit = Audit(CLOCK)
        await record_some(db, audit, 5)
        heads = await checkpoints_of(db, audit).verify()
        assert [head.sequence for head in heads.values()] == [5]


@pytest.mark.parametrize("change", [{"details": "{}x"}, {"actor_name": "mallory"}, {"sequence": 9}, {"outcome": "refused"}])
async def test_changed_row_is_named(change):
    async with sqlite_database() as db:
        audit = Audit(CLOCK)
        await record_some(db, audit, 5)
        tamper = Statement(update(audit_events).where(audit_events.c.sequence == bindparam("which")).values(**change))

        async def body(tx):
            assert await tx.run(tamper, which=3) == 1

        await db.write(body)
        with pytest.raises(BrokenChain, match=r"entry (3|4|9)"):
            await checkpoints_of(db, audit).verify()


async def test_undone_transaction_leaves_no_gap_in_the_chain():
    async with sqlite_database() as db:
        audit = Audit(CLOCK)
        await record_some(db, audit, 2)

        async def failing(tx):
            await audit.record(tx, Event.PERSON_CREATED, actor=SYSTEM, target="person:x")
            raise LookupError

        with pytest.raises(LookupError):
            await db.write(failing)
        await record_some(db, audit, 2)
        heads = await checkpoints_of(db, audit).verify()
        assert [head.sequence for head in heads.values()] == [4]


async def test_chain_shorter_than_a_checkpoint_is_named():
    async with sqlite_database() as db:
        audit = Audit(CLOCK)
        checkpoints = checkpoints_of(db, audit)
        await record_some(db, audit, 5)

        async def another_writer(tx):
            go_on_with(tx, "another", CLOCK)

        await db.write(another_writer)
        await checkpoints.make(SYSTEM)
        await checkpoints.verify()
        forget = Statement(
            delete(audit_events).where(audit_events.c.sequence >= bindparam("first"), audit_events.c.writer_id != "another")
        )

        async def cut(tx):
            assert await tx.run(forget, first=4) == 2

        await db.write(cut)
        with pytest.raises(BrokenChain, match="entry 5 is not what a signed checkpoint saw"):
            await checkpoints.verify()


async def test_forged_checkpoint_is_named():
    async with sqlite_database() as db:
        audit = Audit(CLOCK)
        checkpoints = checkpoints_of(db, audit)
        await checkpoints.make(SYSTEM)

        async def forge(tx):
            details = {"chains": 0, "statement": "eyJhbGciOiJub25lIn0.e30."}
            await audit.record(tx, Event.CHAIN_CHECKPOINT, actor=SYSTEM, target="audit:all", details=details)

        await db.write(forge)
        with pytest.raises(BrokenChain, match="is not signed by the audit key"):
            await checkpoints.verify()
