"""SQLite: reads inline in the event loop, writes on one thread per process, one commit for all that one tick brought.

Processes on the same database take a file lock before BEGIN: SQLite's own busy handler sleeps, and two greedy writers make
each other wait up to a second.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw

from sealwright import entropy
from sealwright.db.engine import DuplicateRow, Row, Transaction, Writer
from sealwright.db.statements import Statement
from sealwright.errors import Unavailable

T = TypeVar("T")

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16384",
)


@dataclass(slots=True)
class _Job:
    body: Callable[[Transaction], Awaitable[Any]]
    done: asyncio.Future[Any]
    result: Any = None
    failure: BaseException | None = None


class SqliteTransaction:
    """A transaction on the writer thread. Its methods never suspend."""

    def __init__(self, connection: apsw.Connection, writer: Writer) -> None:
        self._connection = connection
        self.writer = writer

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        rows = _execute(self._connection, statement, parameters).fetchall()
        return rows[0] if rows else None

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        return _execute(self._connection, statement, parameters).fetchall()

    async def run(self, statement: Statement, **parameters: Any) -> int:
        _execute(self._connection, statement, parameters)
        return self._connection.changes()


class SqliteDatabase:
    """One SQLite file, open in this process. Open it after forking, inside the running event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._reader = _open(path)
        self._waiting: list[_Job] = []
        self._in_flight = False
        self._batches: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._write_batches, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        rows = _execute(self._reader, statement, parameters).fetchall()
        return rows[0] if rows else None

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        return _execute(self._reader, statement, parameters).fetchall()

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        job = _Job(body, self._loop.create_future())
        self._waiting.append(job)
        if not self._in_flight:
            self._in_flight = True
            self._idle.clear()
            self._loop.call_soon(self._hand_over)
        result: T = await job.done
        return result

    async def close(self) -> None:
        await self._idle.wait()
        self._batches.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._reader.close()

    def _hand_over(self) -> None:
        if self._waiting:
            batch, self._waiting = self._waiting, []
            self._batches.put(batch)
        else:
            self._in_flight = False
            self._idle.set()

    def _deliver(self, batch: list[_Job]) -> None:
        for job in batch:
            if job.done.done():  # whoever asked went away; what was written stays
                continue
            if job.failure is None:
                job.done.set_result(job.result)
            else:
                job.done.set_exception(job.failure)
        self._hand_over()

    def _write_batches(self) -> None:
        connection = _open(self._path)
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        transaction = SqliteTransaction(connection, Writer(id=entropy.uuid4(entropy.SystemEntropy())))
        while (batch := self._batches.get()) is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                _run_batch(connection, transaction, batch)
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)
            self._loop.call_soon_threadsafe(self._deliver, batch)
        os.close(lock)
        connection.close()


def _run_batch(connection: apsw.Connection, transaction: SqliteTransaction, batch: list[_Job]) -> None:
    """Each job in a savepoint of its own; one commit for all. A failed commit fails every job."""
    memo = transaction.writer.memo
    try:
        connection.execute("BEGIN IMMEDIATE")
        for job in batch:
            _run_job(connection, transaction, job)
        connection.execute("COMMIT")
    except apsw.Error as cause:
        transaction.writer.memo = memo
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for job in batch:
            job.failure = Unavailable("The database cannot be written at the moment.")
            job.failure.__cause__ = cause


def _run_job(connection: apsw.Connection, transaction: SqliteTransaction, job: _Job) -> None:
    memo = transaction.writer.memo
    connection.execute("SAVEPOINT job")
    try:
        job.result = _step_through(job.body(transaction))
    except BaseException as failure:  # noqa: BLE001 - carried to whoever awaits the write
        transaction.writer.memo = memo
        job.failure = failure
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _step_through(body: Awaitable[T]) -> T:
    """Run a transaction body to its end. It awaits only its transaction, whose methods never suspend."""
    steps = body.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a transaction body awaited something else than its transaction")


def _open(path: Path) -> apsw.Connection:
    connection = apsw.Connection(
        os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE, statementcachesize=300
    )
    connection.set_busy_timeout(5_000)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


def _execute(connection: apsw.Connection, statement: Statement, parameters: dict[str, Any]) -> apsw.Cursor:
    text, own = statement.for_sqlite
    try:
        return connection.execute(text, {**own, **parameters} if own else parameters)
    except apsw.ConstraintError as cause:
        if getattr(cause, "extendedresult", 0) in (apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY):
            raise DuplicateRow(f"exists already: {cause}") from cause
        raise
