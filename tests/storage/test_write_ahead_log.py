"""SQLite's write-ahead log goes into the database file beside the transactions, and begins anew."""

import asyncio

from sqlalchemy import func, insert, select

from sealwright.db import Statement
from sealwright.db.schema import used_tokens
from sealwright.db.write_ahead_log import LONG
from tests.databases import sqlite_database

INSERT = Statement(insert(used_tokens))
COUNT = Statement(select(func.count()).select_from(used_tokens))
PAGE = 4096
SIZE = 250 * PAGE


async def write_one(db, number):
    async def body(tx):
        await tx.run(INSERT, digest=number.to_bytes(4) + bytes(SIZE), kept_until=1)

    await db.write(body)


async def test_log_stays_short_however_much_is_written(tmp_path):
    log, count = tmp_path / "test.db-wal", 4 * LONG * PAGE // SIZE
    async with sqlite_database(tmp_path) as db:
        for number in range(count):
            await write_one(db, number)
            if number % 8 == 0:
                await asyncio.sleep(0.02)  # clients pause too
        assert log.stat().st_size < 2.5 * LONG * PAGE
        assert await db.one(COUNT) == (count,)
    async with sqlite_database(tmp_path) as db:
        assert await db.one(COUNT) == (count,)


async def test_two_processes_that_write_to_the_same_log_keep_it_short(tmp_path):
    log, count = tmp_path / "test.db-wal", 4 * LONG * PAGE // SIZE
    async with sqlite_database(tmp_path) as first, sqlite_database(tmp_path) as second:
        for number in range(count):
            await write_one(second if number % 2 else first, number)
            if number % 8 == 0:
                await asyncio.sleep(0.02)
        assert log.stat().st_size < 2.5 * LONG * PAGE
        assert await first.one(COUNT) == await second.one(COUNT) == (count,)
