"""SQLite: statements run in the event loop; commits, which wait for the disk, on one thread per process.

All writes that wait share one transaction and one commit. Statements take microseconds and would wait longer for the
interpreter than for the database on a thread of their own, so only what may wait long is there: the lock between
processes, BEGIN while another program has the database locked, and COMMIT. Processes on the same database take that lock
before BEGIN: SQLite's own busy handler sleeps, and two greedy writers make each other wait up to a second. In the event loop
nothing ever waits in that handler.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import apsw

from sealwright import entropy
from sealwright.db.around_writes import CURRENT_TRANSACTION, preceded, what_is_around
from sealwright.db.engine import APPENDED_BY_ONE, DuplicateRow, MissingReference, Row, Transaction, Writer, step_through
from sealwright.db.errors import FULL, READ_ONLY, UNWRITABLE, trouble_of_sqlite, unavailable
from sealwright.db.statements import Statement
from sealwright.db.write_ahead_log import WriteAheadLog
from sealwright.traces import span

T = TypeVar("T")

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16384",
)


PATIENCE = 5.0
"""Seconds for which reads and writes wait while another program has the database locked."""
_LOOK_AGAIN = 0.02
_LEAST_ROOM = 1 << 20
"""Bytes; SQLite needs some room to take a write even where it is small."""


@dataclass(slots=True)
class _Job:
    body: Callable[[Transaction], Awaitable[Any]]
    done: asyncio.Future[Any]
    context: Context = field(default_factory=copy_context)
    """Of the caller: what the body reads there is what it would read without a queue between them."""
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

    async def all_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> list[Row]:
        return _execute_many(self._connection, statement, many).fetchall() if many else []

    async def run_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        if many:
            _execute_many(self._connection, statement, many)


class SqliteDatabase:
    """One SQLite file, open in this process. Open it after forking, inside the running event loop, with `open`."""

    def __init__(self, path: Path, reader: apsw.Connection, connection: apsw.Connection, checkpoints: apsw.Connection) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._reader = reader
        self._connection = connection
        self._transaction = SqliteTransaction(self._connection, Writer(id=entropy.uuid4(entropy.SystemEntropy())))
        self._lock = _open_lock(path)
        self._log = WriteAheadLog(checkpoints, _open_lock(path))
        self._log.watch(connection)
        self._waiting: list[_Job] = []
        self._busy = False  # from the wish for the lock to the end of the commit
        self._idle = asyncio.Event()
        self._idle.set()
        self._errands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run_errands, name="sqlite-commit", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: Path) -> SqliteDatabase:
        """Open a file; what the driver raises comes out."""
        return cls(path, *[await asyncio.to_thread(_open, path) for _ in range(3)])

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        rows = await self.all(statement, **parameters)
        return rows[0] if rows else None

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        if (current := CURRENT_TRANSACTION.get()) is not None:
            return await current.all(statement, **parameters)
        end = 0.0
        while True:
            try:
                return _execute(self._reader, statement, parameters).fetchall()
            except apsw.BusyError as cause:
                end = end or self._loop.time() + PATIENCE
                if self._loop.time() >= end:
                    _tell(cause)
            except apsw.Error as cause:
                _tell(cause)
            await asyncio.sleep(_LOOK_AGAIN)

    async def check(self) -> None:
        try:
            self._reader.execute("SELECT 1 FROM sqlite_master").fetchall()
            if self._reader.readonly("main") or not os.access(self._path, os.W_OK):
                raise unavailable(READ_ONLY)
            room = os.statvfs(self._path.parent)
        except (apsw.Error, OSError) as cause:
            _tell(cause)
        if room.f_bavail * room.f_frsize < _LEAST_ROOM:
            raise unavailable(FULL)

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        if (current := CURRENT_TRANSACTION.get()) is not None:
            return await body(current)
        around = what_is_around()
        job = _Job(preceded(body, around) if around else body, self._loop.create_future())
        self._waiting.append(job)
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._loop.call_soon(self._take_lock)  # after everything that is ready now has had its chance to write
        with span("database commit") as part:
            part.set_attribute("db.system.name", "sqlite")
            result: T = await job.done
        for each in around:
            each.committed()
        return result

    async def close(self) -> None:
        await self._idle.wait()
        self._errands.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        await self._log.close()
        # One process after the other: the last to close puts the log into the file, and of two at once none is the last.
        await self._loop.run_in_executor(None, fcntl.flock, self._lock, fcntl.LOCK_EX)
        await self._loop.run_in_executor(None, self._reader.close)
        await self._loop.run_in_executor(None, self._connection.close)
        os.close(self._lock)

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._errands.put(self._wait_for_lock)
        else:
            self._begin()

    def _begin(self) -> None:
        """Begin a transaction, with the lock of our own processes held; where another program is in the way, on the thread."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            self._errands.put(self._begin_patiently)
        except apsw.Error as cause:
            self._give_up(cause)
        else:
            self._write_waiting()

    def _write_waiting(self) -> None:
        """Run what waits in the transaction that has begun; the commit goes to the thread."""
        batch, self._waiting = self._waiting, []
        memo = self._transaction.writer.memo
        try:
            for job in batch:
                _run_job(self._connection, self._transaction, job)
        except apsw.Error as cause:
            self._undo(batch, memo, cause)
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._deliver(batch)
        else:
            self._errands.put(lambda: self._commit(batch, memo))

    def _give_up(self, cause: apsw.Error) -> None:
        """No transaction could begin: everything that waits fails."""
        batch, self._waiting = self._waiting, []
        self._undo(batch, self._transaction.writer.memo, cause)
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._deliver(batch)

    def _undo(self, batch: list[_Job], memo: Any, cause: apsw.Error) -> None:
        """A failed transaction fails every job."""
        self._transaction.writer.memo = memo
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        for job in batch:
            job.failure = unavailable(trouble_of_sqlite(cause) or UNWRITABLE)
            job.failure.__cause__ = cause

    def _deliver(self, batch: list[_Job]) -> None:
        for job in batch:
            if job.done.done():  # the caller was cancelled; what was written stays
                continue
            if job.failure is None:
                job.done.set_result(job.result)
            else:
                job.done.set_exception(job.failure)
        self._log.shorten_if_long()
        if self._waiting:
            self._loop.call_soon(self._take_lock)
        else:
            self._busy = False
            self._idle.set()

    # --- on the thread -----------------------------------------------------------------------------------------------

    def _run_errands(self) -> None:
        while (errand := self._errands.get()) is not None:
            errand()

    def _wait_for_lock(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._loop.call_soon_threadsafe(self._begin)

    def _begin_patiently(self) -> None:
        self._connection.set_busy_timeout(int(PATIENCE * 1000))
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.Error as cause:
            self._loop.call_soon_threadsafe(self._give_up, cause)
        else:
            self._loop.call_soon_threadsafe(self._write_waiting)
        finally:
            self._connection.set_busy_timeout(0)

    def _commit(self, batch: list[_Job], memo: Any) -> None:
        try:
            self._connection.execute("COMMIT")
        except apsw.Error as cause:
            self._undo(batch, memo, cause)
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._loop.call_soon_threadsafe(self._deliver, batch)


def _run_job(connection: apsw.Connection, transaction: SqliteTransaction, job: _Job) -> None:
    """Once, or twice where another process went on with what is remembered."""
    _try_job(connection, transaction, job)
    if isinstance(job.failure, DuplicateRow) and f" {APPENDED_BY_ONE}." in str(job.failure.__cause__):
        transaction.writer.memo = job.failure = None
        _try_job(connection, transaction, job)


def _try_job(connection: apsw.Connection, transaction: SqliteTransaction, job: _Job) -> None:
    """In a savepoint of its own: one that fails undoes only itself."""
    memo = transaction.writer.memo
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.context.run(step_through, job.body(transaction))
    except BaseException as failure:
        transaction.writer.memo = memo
        trouble = trouble_of_sqlite(failure) if isinstance(failure, apsw.Error) else None
        if trouble is not None:
            raise
        job.failure = failure
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _open_lock(path: Path) -> int:
    return os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _open(path: Path) -> apsw.Connection:
    connection = apsw.Connection(
        os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE, statementcachesize=300
    )
    # A plan is made once for each statement. Without this SQLite makes it anew for the values of each execution, which takes
    # longer than most statements do.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.set_busy_timeout(int(PATIENCE * 1000))
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    connection.set_busy_timeout(0)
    return connection


def _execute(connection: apsw.Connection, statement: Statement, parameters: dict[str, Any]) -> apsw.Cursor:
    compiled = statement.for_sqlite
    try:
        return connection.execute(compiled.text, compiled.arguments(parameters))
    except apsw.ConstraintError as cause:
        _tell_constraint(cause)
        raise


def _execute_many(connection: apsw.Connection, statement: Statement, many: Sequence[Mapping[str, Any]]) -> apsw.Cursor:
    compiled = statement.for_sqlite
    try:
        return connection.executemany(compiled.text, [compiled.arguments(each) for each in many])
    except apsw.ConstraintError as cause:
        _tell_constraint(cause)
        raise


def _tell(cause: Exception) -> NoReturn:
    """Raise what an error of the driver means to the rest of the program; where a statement of ours is at fault, itself."""
    trouble = trouble_of_sqlite(cause)
    if trouble is None:
        raise cause
    raise unavailable(trouble) from cause


def _tell_constraint(cause: apsw.ConstraintError) -> None:
    if getattr(cause, "extendedresult", 0) in (apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY):
        raise DuplicateRow from cause
    if getattr(cause, "extendedresult", 0) == apsw.SQLITE_CONSTRAINT_FOREIGNKEY:
        raise MissingReference from cause
