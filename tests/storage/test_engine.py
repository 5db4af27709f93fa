"""What `db.engine` promises, on both engines."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import bindparam, delete, insert, select, update

from sealwright.access import SYSTEM
from sealwright.audit import Audit, Event
from sealwright.clock import FixedClock, Instant
from sealwright.db import DuplicateRow, MissingReference, Statement, insert_once, upsert
from sealwright.db.schema import group_members, leases, throttles, used_tokens
from sealwright.errors import InvalidInput
from tests.audits import checkpoints_of

CONSUME = insert_once(used_tokens, returning=used_tokens.c.digest)
INSERT = Statement(insert(leases))
READ = Statement(select(leases.c.holder, leases.c.until).where(leases.c.name == bindparam("which")))
READ_ALL = Statement(select(leases.c.name).order_by(leases.c.name))
MOVE = Statement(update(leases).where(leases.c.name == bindparam("which")).values(holder=bindparam("new_holder")))
DELETE = Statement(delete(leases))
COUNT_UP = upsert(throttles, key=["key"], update=["failures"])
READ_THROTTLE = Statement(select(throttles.c.failures).where(throttles.c.key == bindparam("which")))


async def test_written_row_is_read_back(open_scratch):
    async with open_scratch() as db:

        async def body(tx):
            return await tx.run(INSERT, name="a", holder="me", until=7)

        assert await db.write(body) == 1
        assert await db.one(READ, which="a") == ("me", 7)
        assert await db.one(READ, which="b") is None


async def test_failed_body_leaves_nothing(open_scratch):
    async with open_scratch() as db:

        async def body(tx):
            await tx.run(INSERT, name="a", holder="me", until=7)
            raise LookupError

        with pytest.raises(LookupError):
            await db.write(body)
        assert await db.all(READ_ALL) == []


async def test_one_failed_body_does_not_harm_others_of_the_same_moment(open_scratch):
    async with open_scratch() as db:

        async def put(number):
            async def body(tx):
                await tx.run(INSERT, name=f"{number:02}", holder="me", until=number)
                if number % 3 == 0:
                    raise LookupError

            await db.write(body)

        results = await asyncio.gather(*(put(number) for number in range(12)), return_exceptions=True)
        assert [isinstance(result, LookupError) for result in results] == [number % 3 == 0 for number in range(12)]
        assert await db.all(READ_ALL) == [(f"{number:02}",) for number in range(12) if number % 3]


async def test_reads_that_are_given_up_harm_no_others(open_scratch):
    async with open_scratch() as db:
        await db.write(lambda tx: tx.run(INSERT, name="a", holder="me", until=7))
        for pause in (0, 0, 0.0005, 0.001, 0.002):
            reads = [asyncio.create_task(db.one(READ, which="a")) for _ in range(40)]
            await asyncio.sleep(pause)
            for each in reads[::2]:
                each.cancel()
            async with asyncio.timeout(10):
                answers = await asyncio.gather(*reads, return_exceptions=True)
            assert set(answers[1::2]) == {("me", 7)}
        assert await db.one(READ, which="a") == ("me", 7)


async def test_duplicate_key_is_told_as_such(open_scratch):
    async with open_scratch() as db:

        async def body(tx):
            await tx.run(INSERT, name="a", holder="me", until=7)

        await db.write(body)
        with pytest.raises(DuplicateRow):
            await db.write(body)


async def test_text_with_a_null_character_is_not_found_or_refused(open_scratch):
    """Anyone who asks for such a name hears that there is none; it is not a fault of the server."""
    async with open_scratch() as db:
        with suppress(InvalidInput):
            assert await db.one(READ, which="a\0b") is None

        async def body(tx):
            return await tx.one(READ, which="a\0b")

        with suppress(InvalidInput):
            assert await db.write(body) is None
        await db.write(lambda tx: tx.run(INSERT, name="a", holder="me", until=7))
        assert await db.one(READ, which="a") == ("me", 7)


async def test_one_of_many_consumes(open_scratch):
    async with open_scratch() as db:

        async def consume():
            async def body(tx):
                return await tx.one(CONSUME, digest=b"token", kept_until=9)

            return await db.write(body)

        results = await asyncio.gather(*(consume() for _ in range(30)))
        assert [result for result in results if result is not None] == [(b"token",)]


async def test_upsert_replaces(open_scratch):
    async with open_scratch() as db:
        for failures in (1, 2, 3):

            async def body(tx, failures=failures):
                await tx.run(COUNT_UP, key=b"k", failures=failures, counted_since=1, blocked_until=1)

            await db.write(body)
        assert await db.one(READ_THROTTLE, which=b"k") == (3,)


async def test_changed_rows_are_counted(open_scratch):
    async with open_scratch() as db:

        async def fill(tx):
            for name in "abc":
                await tx.run(INSERT, name=name, holder="me", until=7)
            return [
                await tx.run(MOVE, which="a", new_holder="you"),
                await tx.run(MOVE, which="x", new_holder="you"),
                await tx.run(DELETE),
            ]

        assert await db.write(fill) == [1, 0, 3]


async def test_audit_chains_of_concurrent_writers_verify(open_scratch):
    async with open_scratch() as db:
        audit = Audit(FixedClock(Instant(1_790_000_000_000)))

        async def put(number):
            async def body(tx):
                await audit.record(tx, Event.PERSON_CREATED, actor=SYSTEM, target=f"person:{number}")
                if number % 7 == 0:
                    raise LookupError

            await db.write(body)

        await asyncio.gather(*(put(number) for number in range(50)), return_exceptions=True)
        heads = await checkpoints_of(db, audit).verify()
        assert sum(head.sequence for head in heads.values()) == sum(1 for number in range(50) if number % 7)


async def test_row_that_belongs_to_what_is_gone_is_told_as_a_conflict(open_scratch):
    async with open_scratch() as db:

        async def body(tx):
            await tx.run(Statement(insert(group_members)), group_id="no-such-group", account_id="no-such-account")

        with pytest.raises(MissingReference):
            await db.write(body)
