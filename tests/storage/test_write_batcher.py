"""Writing many items in one transaction, on both engines."""

import asyncio
from typing import cast

import pytest
from sqlalchemy import insert, select

from sealwright.db import Database, DuplicateRow, Statement, WriteBatcher, insert_once
from sealwright.db.schema import leases, used_tokens
from sealwright.errors import Unavailable

INSERT = Statement(insert(leases))
READ_ALL = Statement(select(leases.c.name).order_by(leases.c.name))
CONSUME = insert_once(used_tokens, returning=used_tokens.c.digest)


class Recorded:
    """Inserts the names that are gathered; keeps what came in one transaction."""

    def __init__(self):
        self.together = []

    async def __call__(self, tx, names):
        self.together.append(len(names))
        await tx.run_many(INSERT, [{"name": name, "holder": "me", "until": 1} for name in names])
        return [name.upper() for name in names]


async def names_in(db):
    return [row[0] for row in await db.all(READ_ALL)]


async def test_items_of_one_moment_share_a_transaction_and_each_gets_its_own_answer(open_scratch):
    async with open_scratch() as db:
        recorded = Recorded()
        batcher = WriteBatcher(db, recorded)
        answers = await asyncio.gather(*(batcher.add(f"n{number:02}") for number in range(40)))
        assert answers == [f"N{number:02}" for number in range(40)]
        assert await names_in(db) == [f"n{number:02}" for number in range(40)]
        assert len(recorded.together) == 1
        assert await batcher.add("later") == "LATER"


async def test_item_that_cannot_be_written_fails_alone(open_scratch):
    async with open_scratch() as db:
        batcher = WriteBatcher(db, Recorded())
        await batcher.add("b")
        answers = await asyncio.gather(*(batcher.add(name) for name in "abcb"), return_exceptions=True)
        assert answers[0] == "A"
        assert isinstance(answers[1], DuplicateRow)
        assert answers[2] == "C"
        assert isinstance(answers[3], DuplicateRow)
        assert await names_in(db) == ["a", "b", "c"]


async def test_whoever_goes_away_does_not_keep_others_from_their_answer(open_scratch):
    async with open_scratch() as db:
        batcher = WriteBatcher(db, Recorded())
        gone, stays = (asyncio.create_task(batcher.add(name)) for name in "ab")
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == "B"
        with pytest.raises(asyncio.CancelledError):
            await gone


async def test_database_that_cannot_be_written_fails_everyone():
    class Down:
        async def write(self, body):
            raise Unavailable("The database cannot be written at the moment.")

    batcher = WriteBatcher(cast("Database", Down()), Recorded())
    answers = await asyncio.gather(*(batcher.add(name) for name in "ab"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
    with pytest.raises(Unavailable):
        await batcher.add("c")


@pytest.mark.parametrize("begun", [True, False], ids=["begun", "waiting"])
async def test_no_one_waits_forever_when_the_writing_is_cancelled(*, begun):
    class Stuck:
        async def write(self, body):
            if begun:
                await body(None)
            await asyncio.Event().wait()

    async def answer_each(_tx, names):
        return list(names)

    before = asyncio.all_tasks()
    batcher = WriteBatcher(cast("Database", Stuck()), answer_each)
    asked = [asyncio.create_task(batcher.add(name)) for name in "ab"]
    await asyncio.sleep(0.01)
    (writing,) = asyncio.all_tasks() - before - set(asked)
    writing.cancel()
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 5)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 2


async def test_statement_with_an_answer_runs_once_for_each_set_of_parameters(open_scratch):
    async with open_scratch() as db:

        async def body(tx):
            assert await tx.all_many(CONSUME, []) == []
            await tx.run_many(CONSUME, [])
            return await tx.all_many(CONSUME, [{"digest": key, "kept_until": 1} for key in (b"a", b"b", b"a")])

        assert await db.write(body) == [(b"a",), (b"b",)]
        assert await db.write(body) == []
