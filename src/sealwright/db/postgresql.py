"""PostgreSQL: a few writer connections, each with its own audit chain, and a pool of readers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
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


class PostgresqlTransaction:
    """A transaction on one writer connection."""

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


class PostgresqlDatabase:
    """One PostgreSQL database. Open it after forking, with `connect`."""

    def __init__(self, url: str, readers: asyncpg.Pool[asyncpg.Record]) -> None:
        self._url = url
        self._readers = readers
        self._idle: asyncio.LifoQueue[PostgresqlTransaction | None] = asyncio.LifoQueue()
        for _ in range(WRITERS):
            self._idle.put_nowait(None)  # connected when first needed

    @classmethod
    async def connect(cls, url: str) -> PostgresqlDatabase:
        """Connect to a ``postgresql://`` URL; what does not answer raises Unavailable."""
        try:
            readers = await asyncpg.create_pool(
                url, min_size=1, max_size=READERS, reset=_leave_as_it_is, statement_cache_size=500, command_timeout=30
            )
        except (*_LOST, asyncpg.PostgresError) as cause:
            raise Unavailable(f"PostgreSQL cannot be reached: {cause}") from cause
        return cls(url, readers)

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        compiled = statement.for_postgresql
        try:
            record = await self._readers.fetchrow(compiled.text, *compiled.arguments(parameters))
        except _FAILURES as cause:
            raise _told(cause) from cause
        return None if record is None else tuple(record)

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        compiled = statement.for_postgresql
        try:
            return [tuple(record) for record in await self._readers.fetch(compiled.text, *compiled.arguments(parameters))]
        except _FAILURES as cause:
            raise _told(cause) from cause

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        transaction = await self._idle.get()
        try:
            if transaction is None or transaction.connection.is_closed():
                transaction = await self._open_writer()
            return await _run(transaction, body)
        except _FAILURES as cause:
            if isinstance(cause, _LOST) and transaction is not None:
                transaction.connection.terminate()
                transaction = None
            raise _told(cause) from cause
        finally:
            self._idle.put_nowait(transaction)

    async def close(self) -> None:
        for _ in range(WRITERS):
            transaction = await self._idle.get()
            if transaction is not None:
                await transaction.connection.close()
        await self._readers.close()

    async def _open_writer(self) -> PostgresqlTransaction:
        connection = await asyncpg.connect(self._url, statement_cache_size=500, command_timeout=30)
        return PostgresqlTransaction(connection, Writer(id=entropy.uuid4(entropy.SystemEntropy())))


async def _leave_as_it_is(_connection: object) -> None:
    """Readers run single statements that leave nothing behind; the driver would ask the server to reset it after each."""


async def _run(transaction: PostgresqlTransaction, body: Callable[[Transaction], Awaitable[T]]) -> T:
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
        return DuplicateRow(f"exists already: {cause}")
    if isinstance(cause, asyncpg.CharacterNotInRepertoireError):
        return InvalidInput("A text holds a null character, which nothing here can have.")
    return Unavailable("The database cannot be reached at the moment.")
