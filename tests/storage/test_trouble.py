"""Databases that are locked, full, read-only or out of reach: what is told, what is tried again, and what goes on meanwhile."""

import asyncio
import socket
import time
from contextlib import asynccontextmanager, closing, contextmanager

import apsw
import asyncpg
import pytest
from sqlalchemy import bindparam, insert, select, update

from sealwright.db import Statement, open_database
from sealwright.db.errors import trouble_of_postgresql, unusable
from sealwright.db.migrate import NEWEST, migrate, revision_of
from sealwright.db.schema import leases
from sealwright.errors import Unavailable
from tests.databases import scratch_postgresql
from tests.pgbouncer import pgbouncer

INSERT = Statement(insert(leases))
READ = Statement(select(leases.c.holder).where(leases.c.name == bindparam("which")))
COUNT = Statement(update(leases).where(leases.c.name == bindparam("which")).values(until=leases.c.until + 1))
UNTIL = Statement(select(leases.c.until).where(leases.c.name == bindparam("which")))


def put(name):
    async def body(tx):
        await tx.run(INSERT, name=name, holder="me", until=0)

    return body


@contextmanager
def locked(file):
    """Another program writes to the database, and takes its time."""
    with closing(apsw.Connection(str(file))) as other:  # a second library in one process would not see its locks
        other.execute("BEGIN IMMEDIATE")
        yield other
        if other.in_transaction:
            other.execute("ROLLBACK")


@asynccontextmanager
async def sqlite_at(tmp_path):
    file = tmp_path / "test.db"
    await migrate(f"sqlite:///{file}")
    db = await open_database(f"sqlite:///{file}")
    try:
        yield db, file
    finally:
        await db.close()


async def longest_pause(of, seconds):
    """How long the event loop stood still at most, while `of` ran for at least some seconds."""
    longest = 0.0
    task = asyncio.ensure_future(of)
    end = time.monotonic() + seconds
    while not task.done() or time.monotonic() < end:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    return longest, task


async def test_lock_of_another_program_stops_neither_reads_nor_the_event_loop_and_writes_wait_for_it(tmp_path):
    async with sqlite_at(tmp_path) as (db, file):
        await db.write(put("a"))
        with locked(file) as other:
            writing = asyncio.ensure_future(db.write(put("b")))
            for _ in range(20):
                asked = time.monotonic()
                assert await db.one(READ, which="a") == ("me",)
                await db.check()
                assert time.monotonic() - asked < 0.2
                await asyncio.sleep(0.03)
            assert not writing.done()
            other.execute("ROLLBACK")
            pause, _ = await longest_pause(writing, 0)
            assert pause < 0.2
        await writing
        assert await db.one(READ, which="b") == ("me",)


async def test_writes_that_a_lock_keeps_waiting_for_too_long_fail_in_words_and_later_ones_succeed(tmp_path):
    async with sqlite_at(tmp_path) as (db, file):
        with locked(file):
            writes = [asyncio.ensure_future(db.write(put(f"{number}"))) for number in range(3)]
            pause, gathered = await longest_pause(asyncio.gather(*writes, return_exceptions=True), 0)
        assert pause < 0.2
        assert {(type(each), each.detail) for each in gathered.result()} == {
            (Unavailable, "The database cannot be written at the moment: another program has locked it.")
        }
        await db.write(put("later"))
        assert await db.one(READ, which="0") is None
        assert await db.one(READ, which="later") == ("me",)


async def test_full_disk_fails_the_write_in_words_and_is_over_when_there_is_room(tmp_path):
    async with sqlite_at(tmp_path) as (db, _):
        connection = db._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")  # what SQLite then says is what it says of a full disk

        async def fill(tx):
            for number in range(2000):
                await tx.run(INSERT, name=f"{number}" + "x" * 200, holder="me", until=0)

        with pytest.raises(Unavailable, match="disk is full") as told:
            await db.write(fill)
        assert told.value.hint == "Make room on its disk."
        connection.execute("PRAGMA max_page_count=1000000")
        await db.write(put("a"))
        assert await db.one(READ, which="a") == ("me",)


async def test_database_that_is_read_only_is_told_by_check_and_by_writes(tmp_path):
    async with sqlite_at(tmp_path) as (db, _):
        await db.check()
        db._connection.execute("PRAGMA query_only=ON")
        with pytest.raises(Unavailable, match="read-only"):
            await db.write(put("a"))


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def opened_postgresql(postgresql_url):
    async with scratch_postgresql(postgresql_url) as url, closing_connection(url) as admin:
        db = await open_database(url)
        try:
            yield db, admin
        finally:
            await db.close()


@asynccontextmanager
async def closing_connection(url):
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def read_only(admin, value):
    """What a failover looks like: sessions that are open stay on a server that only reads; new ones may do better."""
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute("SET default_transaction_read_only=off")
    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only={value}")


async def test_session_that_only_reads_after_a_failover_is_dropped_and_the_write_done_on_a_new_one(postgresql_url):
    async with opened_postgresql(postgresql_url) as (db, admin):
        await read_only(admin, "on")
        with pytest.raises(Unavailable, match="read-only"):
            await db.write(put("a"))
        with pytest.raises(Unavailable, match="read-only"):
            await asyncio.wait_for(until_check_fails(db), 5)
        await read_only(admin, "off")
        await db.write(put("a"))
        await db.check()
        assert await db.one(READ, which="a") == ("me",)


async def until_check_fails(db):
    while True:
        await db.check()


async def test_deadlock_is_tried_again(postgresql_url):
    async with opened_postgresql(postgresql_url) as (db, admin):
        await db.write(put("a"))
        await db.write(put("b"))
        await admin.execute("SET deadlock_timeout='50ms'")
        met = asyncio.Barrier(2)
        runs = []

        def crossing(first, second):
            async def body(tx):
                runs.append(first)
                await tx.run(COUNT, which=first)
                if len(runs) <= 2:
                    await met.wait()
                await tx.run(COUNT, which=second)

            return body

        await asyncio.gather(db.write(crossing("a", "b")), db.write(crossing("b", "a")))
        assert len(runs) == 3
        assert [await db.one(UNTIL, which=each) for each in "ab"] == [(2,), (2,)]


async def test_session_that_an_administrator_ends_is_told_and_made_anew(postgresql_url):
    async with opened_postgresql(postgresql_url) as (db, admin):
        await db.write(put("a"))
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
        results = await asyncio.gather(*(db.one(READ, which="a") for _ in range(8)), return_exceptions=True)
        assert all(each == ("me",) or isinstance(each, Unavailable) for each in results)
        assert await db.one(READ, which="a") == ("me",)
        await db.write(put("b"))


async def test_statement_that_takes_longer_than_the_server_allows_is_told_and_the_next_one_works(postgresql_url):
    async with opened_postgresql(postgresql_url) as (db, admin):
        name = await admin.fetchval("SELECT current_database()")
        await db.write(put("a"))
        await admin.execute(f"ALTER DATABASE {name} SET lock_timeout='100ms'")
        db._make_anew()
        async with admin.transaction():
            await admin.execute("UPDATE leases SET until = 5")
            with pytest.raises(Unavailable, match="locked by another session"):
                await db.write(lambda tx: tx.run(COUNT, which="a"))
        await db.write(lambda tx: tx.run(COUNT, which="a"))
        assert await db.one(UNTIL, which="a") == (6,)


@pytest.mark.parametrize(
    ("error", "state", "hint"),
    [
        (asyncpg.DiskFullError, "disk is full", "Make room"),
        (asyncpg.TooManyConnectionsError, "takes no more connections", "max_connections"),
        (asyncpg.OutOfMemoryError, "no room or memory", "log of the database"),
        (asyncpg.CannotConnectNowError, "is starting up", "Wait"),
        (asyncpg.AdminShutdownError, "cannot be reached", "database runs"),
        (asyncpg.QueryCanceledError, "took too long", "log of the database"),
        (asyncpg.SerializationError, "is too busy", "log of the database"),
        (asyncpg.DuplicatePreparedStatementError, "pooler", "?pgbouncer=transaction"),
        (asyncpg.InvalidSQLStatementNameError, "pooler", "?pgbouncer=transaction"),
        (asyncpg.InvalidPasswordError, "refuses the user or the password", "database_url"),
        (asyncpg.PostgresIOError, "reports an error", "log of the database"),
        (asyncpg.InsufficientPrivilegeError, "does not allow this to the role", "own the database"),
        (ConnectionResetError, "cannot be reached", "database runs"),
        (TimeoutError, "cannot be reached", "database runs"),
    ],
)
def test_what_postgresql_says_has_one_meaning_at_work_and_at_the_start(error, state, hint):
    trouble = trouble_of_postgresql(error("as told"))
    assert state in trouble.state
    assert hint in trouble.hint
    assert unusable(error("as told"), "postgresql://db/x").hint == trouble.hint


@pytest.mark.parametrize("error", [asyncpg.UndefinedColumnError, asyncpg.NotNullViolationError, asyncpg.PostgresSyntaxError])
def test_fault_in_a_statement_of_ours_is_no_trouble_of_the_database(error):
    assert trouble_of_postgresql(error("as told")) is None


# --- PgBouncer -------------------------------------------------------------------------------------------------------


async def test_transaction_pooling_works_from_the_first_table_on_where_the_url_says_so(postgresql_url):
    async with closing_connection(postgresql_url) as admin:
        await admin.execute("CREATE DATABASE pooled")
        try:
            with pgbouncer(f"{postgresql_url.rpartition('/')[0]}/pooled") as pooler:
                names = [f"{number:03}" for number in range(60)]
                found = await work_through(f"{pooler}?pgbouncer=transaction", names)
                assert found == [("me",)] * len(names)
        finally:
            await admin.execute("DROP DATABASE pooled WITH (FORCE)")


async def work_through(url, names):
    """Make the schema, and write and read rows by those names from several nodes; what was read."""
    assert await migrate(url) == ""
    assert await revision_of(url) == NEWEST
    nodes = [await open_database(url) for _ in range(3)]  # more connections than the pooler has
    try:
        await asyncio.gather(*(nodes[at % 3].write(put(name)) for at, name in enumerate(names)))
        found = await asyncio.gather(*(nodes[(at + 1) % 3].one(READ, which=name) for at, name in enumerate(names)))
        await asyncio.gather(*(node.check() for node in nodes))
        return found
    finally:
        await asyncio.gather(*(node.close() for node in nodes))


async def test_transaction_pooling_that_the_url_does_not_tell_of_is_told_by_the_parameter(postgresql_url):
    async with scratch_postgresql(postgresql_url) as url:
        with pgbouncer(url) as pooler:
            first, second = await open_database(pooler), await open_database(pooler)
            told = await asyncio.gather(
                *(node.one(READ, which="a") for node in (first, second) for _ in range(20)), return_exceptions=True
            )
            failures = [each for each in told if isinstance(each, Unavailable)]
            assert failures
            assert {each.hint for each in failures} == {
                "Behind PgBouncer in transaction mode, database_url must end in ?pgbouncer=transaction."
            }


def test_port_where_no_one_answers_is_told_at_once():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"postgresql://u@127.0.0.1:{held.getsockname()[1]}/none"
        with pytest.raises(Unavailable, match="cannot be used"):
            asyncio.run(open_database(url))
