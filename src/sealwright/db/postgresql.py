"""PostgreSQL: a few sessions that write, each to an audit chain of which no other one has the lease, and a few that read.

A transaction that collided with another is run again, and so is one that met a server which only reads, as after a failover:
then every session is made anew, because the name of the host may lead to another server now.

Behind a pooler that lends a connection for one transaction at a time, nothing may be left in the connection: statements are
prepared anew each time, and a read is a transaction, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import asyncpg

from sealwright import entropy
from sealwright.db.around_writes import CURRENT_TRANSACTION, AroundWrite, preceded, what_is_around
from sealwright.db.engine import APPENDED_BY_ONE, DuplicateRow, MissingReference, Row, Transaction, Writer
from sealwright.db.errors import trouble_of_postgresql, unavailable, unusable
from sealwright.db.statements import Statement
from sealwright.db.urls import postgresql_address
from sealwright.errors import InvalidInput
from sealwright.traces import span

T = TypeVar("T")

WRITERS = 6
READERS = 4
ATTEMPTS = 4
"""How often a transaction is begun that others, or a failover, got in the way of."""
_PAUSE = 0.05
_KEPT_STATEMENTS = 500
_LONGEST_STATEMENT = 30.0
_COLLIDED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's own state, when a connection ends under it
    asyncpg.OperatorInterventionError,  # shut down, crashed, not up yet, or this connection was ended by an administrator
    asyncpg.ReadOnlySQLTransactionError,
    OSError,
)
"""After these a session is of no more use."""
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

_MAY_WRITE = "SELECT NOT pg_is_in_recovery() AND NOT current_setting('default_transaction_read_only')::boolean"


class _Pooled(asyncpg.Connection):  # type: ignore[misc] # not annotated upstream
    """A connection of a pooler: what it prepares by name may meet what another client has prepared."""

    async def prepare(self, query: str, *, name: str | None = None, **more: Any) -> Any:
        """Prepare a statement under a name of its own."""
        return await super().prepare(query, name=name or f"sealwright_{entropy.uuid4(entropy.SystemEntropy())}", **more)


async def connect(url: str, **more: Any) -> asyncpg.Connection[asyncpg.Record]:
    """A connection to the database at `url`, as it stands in the settings. What the driver raises comes out."""
    address = postgresql_address(url)
    if address.pooled:
        return await asyncpg.connect(address.url, statement_cache_size=0, connection_class=_Pooled, **more)
    return await asyncpg.connect(address.url, statement_cache_size=_KEPT_STATEMENTS, **more)


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


@dataclass(slots=True)
class _Slot:
    """Room for one session. The writer outlives it, so that a connection that is made anew goes on with the same audit chain."""

    writer: Writer
    session: PostgresqlSession | None = None

    def give_up(self) -> None:
        """End the session, if there is one."""
        self.writer.memo = None  # whether its last transaction was committed is not known
        if self.session is not None:
            self.session.connection.terminate()
            self.session = None


class _Sessions:
    """A number of sessions, each made when it is first needed and made anew after it was lost.

    The driver's own pool would cost each statement as much as the statement itself.
    """

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._count = count
        self._generation = 0
        self._idle: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue()
        for _ in range(count):
            self._idle.put_nowait(_Slot(Writer(id=entropy.uuid4(entropy.SystemEntropy()))))

    async def make_first(self) -> None:
        """Make one now, to see whether it can be had; what the driver raises comes out."""
        place = self._idle.get_nowait()
        try:
            place.session = await self._open(place.writer)
        finally:
            self._idle.put_nowait(place)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[PostgresqlSession]:
        """Have a session for oneself. What the driver raises comes out."""
        place = await self._idle.get()
        generation = self._generation
        lost = False
        try:
            if place.session is not None and place.session.connection.is_closed():
                place.give_up()
            if place.session is None:
                place.session = await self._open(place.writer)
            yield place.session
        except _LOST:
            lost = True
            raise
        finally:
            if lost or generation != self._generation:
                place.give_up()
            self._idle.put_nowait(place)

    def make_anew(self) -> None:
        """End every session: at once if it is idle, else after its use."""
        self._generation += 1
        for place in [self._idle.get_nowait() for _ in range(self._idle.qsize())]:
            place.give_up()
            self._idle.put_nowait(place)

    async def close(self) -> None:
        """Wait until none is in use, and close them all."""
        for _ in range(self._count):
            place = await self._idle.get()
            if place.session is not None:
                await place.session.connection.close()

    async def _open(self, writer: Writer) -> PostgresqlSession:
        return PostgresqlSession(await connect(self._url, command_timeout=_LONGEST_STATEMENT), writer)


class PostgresqlDatabase:
    """One PostgreSQL database. Open it after forking, with `connect`."""

    def __init__(self, url: str) -> None:
        self._writers = _Sessions(url, WRITERS)
        self._readers = _Sessions(url, READERS)
        self._pooled = postgresql_address(url).pooled

    @classmethod
    async def connect(cls, url: str) -> PostgresqlDatabase:
        """Connect to a ``postgresql://`` URL; what cannot be used raises Unavailable."""
        db = cls(url)
        try:
            await db._readers.make_first()
        except DRIVER_ERRORS as cause:
            raise unusable(cause, url) from cause
        return db

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        if (current := CURRENT_TRANSACTION.get()) is not None:
            return await current.one(statement, **parameters)
        return await self._read(lambda session: session.one(statement, **parameters))

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        if (current := CURRENT_TRANSACTION.get()) is not None:
            return await current.all(statement, **parameters)
        return await self._read(lambda session: session.all(statement, **parameters))

    async def check(self) -> None:
        async def ask(session: PostgresqlSession) -> None:
            if not await session.connection.fetchval(_MAY_WRITE):
                raise asyncpg.ReadOnlySQLTransactionError("the server accepts no writes")

        await self._read(ask)

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        if (current := CURRENT_TRANSACTION.get()) is not None:
            return await body(current)
        with span("database commit") as part:
            part.set_attribute("db.system.name", "postgresql")
            return await self._write(body, what_is_around())

    async def _write(self, body: Callable[[Transaction], Awaitable[T]], around: tuple[AroundWrite, ...]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._writers.one() as session:
                    return await _run(session, body, around)
            except asyncpg.ReadOnlySQLTransactionError as cause:
                self._make_anew()
                if attempt > 1:
                    _tell(cause)
            except _COLLIDED as cause:
                if attempt == ATTEMPTS:
                    _tell(cause)
                await asyncio.sleep(_PAUSE * attempt)
            except asyncpg.UniqueViolationError as cause:
                if not _was_outrun(cause) or attempt == ATTEMPTS:
                    _tell(cause)
            except DRIVER_ERRORS as cause:
                _tell(cause)

    async def close(self) -> None:
        await self._writers.close()
        await self._readers.close()

    async def _read(self, ask: Callable[[PostgresqlSession], Awaitable[T]]) -> T:
        try:
            async with self._readers.one() as session:
                if not self._pooled:
                    return await ask(session)
                async with session.connection.transaction():
                    return await ask(session)
        except asyncpg.ReadOnlySQLTransactionError as cause:
            self._make_anew()
            _tell(cause)
        except DRIVER_ERRORS as cause:
            _tell(cause)

    def _make_anew(self) -> None:
        self._readers.make_anew()
        self._writers.make_anew()


async def _run(transaction: PostgresqlSession, body: Callable[[Transaction], Awaitable[T]], around: tuple[AroundWrite, ...]) -> T:
    # Where something is judged by what was read, who changes it meanwhile lets the transaction begin anew.
    isolation = "repeatable_read" if any(each.judges for each in around) else None
    whole = preceded(body, around) if around else body
    memo = transaction.writer.memo
    try:
        async with transaction.connection.transaction(isolation=isolation):
            result = await whole(transaction)
    except BaseException as failure:
        transaction.writer.memo = None if _was_outrun(failure) else memo
        raise
    for each in around:
        each.committed()
    return result


def _was_outrun(failure: BaseException) -> bool:
    """Whether another writer went on with what is remembered."""
    return isinstance(failure, asyncpg.UniqueViolationError) and failure.table_name == APPENDED_BY_ONE


def _tell(cause: Exception) -> NoReturn:
    """Raise what an error of the driver means to the rest of the program; where a statement of ours is at fault, itself."""
    if isinstance(cause, asyncpg.UniqueViolationError):
        raise DuplicateRow from cause
    if isinstance(cause, asyncpg.ForeignKeyViolationError):
        raise MissingReference from cause
    if isinstance(cause, asyncpg.CharacterNotInRepertoireError):
        raise InvalidInput("A text holds a null character, which nothing here can have.") from cause
    trouble = trouble_of_postgresql(cause)
    if trouble is None:
        raise cause
    raise unavailable(trouble) from cause
