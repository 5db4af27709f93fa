"""PostgreSQL: a few sessions that write, each with its own audit chain, and a few that read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from sealwright import entropy
from sealwright.db.engine import DuplicateRow, Row, Transaction, Writer
from sealwright.db.statements import Statement
from sealwright.errors import Failure, InvalidInput, Unavailable

T = TypeVar("T")

WRITERS = 6
READERS = 4
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's own state, when a connection ends under it
    asyncpg.OperatorInterventionError,  # shut down, crashed, not up yet, or this connection was ended by an administrator
    asyncpg.TooManyConnectionsError,
    OSError,
)
_FAILURES = (*_LOST, asyncpg.UniqueViolationError, asyncpg.CharacterNotInRepertoireError)


class PostgresqlSession:
    """One connection. What `write` hands out is within a transaction; else each statement stands for itself."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], writer: Writer) -> None:
        self.connection = connection
        self.writer = writer

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        compiled = statement.for_postgresql
        record = await self.connection.fetchrow(compiled.text, *compiled.arguments(parameters))
        return None if record is None else tuple(record)

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        compiled = statement.for_postgresql
        return [tuple(record) for record in await self.connection.fetch(compiled.text, *compiled.arguments(parameters))]

    async def run(self, statement: Statement, **parameters: Any) -> int:
        compiled = statement.for_postgresql
        status = await self.connection.execute(compiled.text, *compiled.arguments(parameters))
        return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0

    async def all_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> list[Row]:
        if not many:
            return []
        compiled = statement.for_postgresql
        records = await self.connection.fetchmany(compiled.text, [compiled.arguments(each) for each in many])
        return [tuple(record) for record in records]

    async def run_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        if many:
            compiled = statement.for_postgresql
            await self.connection.executemany(compiled.text, [compiled.arguments(each) for each in many])


class _Sessions:
    """A number of sessions, each made when it is first needed and made anew after it was lost.

    The driver's own pool would cost each statement as much as the statement itself.
    """

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._count = count
        self._idle: asyncio.LifoQueue[PostgresqlSession | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._idle.put_nowait(None)

    async def make_first(self) -> None:
        """Make one now, to see whether it can be had; what the driver raises comes out."""
        session = await self._open()
        self._idle.get_nowait()
        self._idle.put_nowait(session)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[PostgresqlSession]:
        """Have a session for oneself; what the driver raises within comes out as what it means."""
        session = await self._idle.get()
        try:
            if session is None or session.connection.is_closed():
                session = None
                session = await self._open()
            yield session
        except _FAILURES as cause:
            if isinstance(cause, _LOST) and session is not None:
                session.connection.terminate()
                session = None
            raise _told(cause) from cause
        finally:
            self._idle.put_nowait(session)

    async def close(self) -> None:
        """Wait until nobody has one, and close them all."""
        for _ in range(self._count):
            session = await self._idle.get()
            if session is not None:
                await session.connection.close()

    async def _open(self) -> PostgresqlSession:
        connection = await asyncpg.connect(self._url, statement_cache_size=500, command_timeout=30)
        return PostgresqlSession(connection, Writer(id=entropy.uuid4(entropy.SystemEntropy())))


class PostgresqlDatabase:
    """One PostgreSQL database. Open it after forking, with `connect`."""

    def __init__(self, url: str) -> None:
        self._writers = _Sessions(url, WRITERS)
        self._readers = _Sessions(url, READERS)

    @classmethod
    async def connect(cls, url: str) -> PostgresqlDatabase:
        """Connect to a ``postgresql://`` URL; what does not answer raises Unavailable."""
        db = cls(url)
        try:
            await db._readers.make_first()
        except (*_LOST, asyncpg.PostgresError) as cause:
            raise Unavailable(f"PostgreSQL cannot be reached: {cause}") from cause
        return db

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        async with self._readers.one() as session:
            return await session.one(statement, **parameters)

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        async with self._readers.one() as session:
            return await session.all(statement, **parameters)

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        async with self._writers.one() as session:
            return await _run(session, body)

    async def close(self) -> None:
        await self._writers.close()
        await self._readers.close()


async def _run(transaction: PostgresqlSession, body: Callable[[Transaction], Awaitable[T]]) -> T:
    memo = transaction.writer.memo
    try:
        async with transaction.connection.transaction():
            return await body(transaction)
    except BaseException:
        transaction.writer.memo = memo
        raise


def _told(cause: Exception) -> Failure:
    """What an error of the driver means to the rest of the program."""
    if isinstance(cause, asyncpg.UniqueViolationError):
        return DuplicateRow()
    if isinstance(cause, asyncpg.CharacterNotInRepertoireError):
        return InvalidInput("A text holds a null character, which nothing here can have.")
    return Unavailable("The database cannot be reached at the moment.")
