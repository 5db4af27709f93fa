"""The rows of a database as lines of text, read at one moment while others write, and put into an empty one of either engine.

A table is a line with its columns, then a line for each row. Bytes are base64. Tables come in an order in which each refers only
to those before it, and rows likewise. Rows of an older schema go into that schema, which is then brought up to date.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import apsw
import msgspec
from sqlalchemy import Column, Connection, LargeBinary, MetaData, Table, inspect, select
from sqlalchemy.exc import CompileError, DataError, DBAPIError, IntegrityError

from sealwright.db import migrate
from sealwright.db.engine import Database, step_through
from sealwright.db.errors import empty, unusable
from sealwright.db.statements import Compiled, Statement
from sealwright.db.uncommitted import UncommittedDatabase
from sealwright.db.urls import sqlite_file
from sealwright.errors import Conflict, Refused

_AT_ONCE = 500
_PATIENCE_MS = 5_000
_OF_MIGRATIONS = "alembic_version"
_REVISION = f"SELECT version_num FROM {_OF_MIGRATIONS}"  # noqa: S608 - a name of our own

Rows = Callable[[str], AsyncIterator[Sequence[Any]]]


class Lines(Protocol):
    """Where the lines of one table go."""

    def write(self, line: bytes, /) -> object: ...


class DatabaseTaken(Conflict):
    """A database that should be empty holds something."""

    code = "database_taken"


class RowsRefused(Refused):
    """Rows that cannot have been written by `dump`."""

    code = "rows_refused"


async def dump(url: str, *, without: frozenset[str], open_table: Callable[[str], Lines]) -> dict[str, int]:
    """Write every table but some as it is at one moment; returns how many rows each had.

    A database that is not of the schema that this program speaks is refused.
    """
    from sealwright.db.full_schema import metadata  # noqa: PLC0415 - as in `migrate`

    counts = {}
    async with _one_moment(url) as rows_of:
        async for (revision,) in rows_of(_REVISION):
            if revision != migrate.NEWEST:
                detail = f"The database has schema {revision}; this program speaks {migrate.NEWEST}."
                raise Conflict(detail, hint="Start the server with this version once: it brings the database up to date.")
        for table in metadata.sorted_tables:
            if table.name not in without:
                lines = open_table(table.name)
                counts[table.name] = await _dump_table(table, rows_of, lines, on_sqlite=sqlite_file(url) is not None)
    return counts


async def _dump_table(table: Table, rows_of: Rows, lines: Lines, *, on_sqlite: bool) -> int:
    within = [key.parent for key in table.foreign_keys if key.column.table is table]
    statement = Statement(select(*table.c).order_by(*(column.is_not(None) for column in within)))
    compiled: Compiled = statement.for_sqlite if on_sqlite else statement.for_postgresql
    binary = [isinstance(column.type, LargeBinary) for column in table.c]
    lines.write(_line([[str(column.name), is_binary] for column, is_binary in zip(table.c, binary, strict=True)]))
    count = 0
    async for row in rows_of(compiled.text):
        lines.write(_line([_text(value) if is_binary else value for value, is_binary in zip(row, binary, strict=True)]))
        count += 1
    return count


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _line(values: Sequence[Any]) -> bytes:
    return msgspec.json.encode(values) + b"\n"


@asynccontextmanager
async def _one_moment(url: str) -> AsyncIterator[Rows]:
    """What reads rows, all of them as they were at one moment. No writer waits for it."""
    file = sqlite_file(url)
    async with _moment_of_postgresql(url) if file is None else _moment_of_sqlite(file, url) as rows_of:
        yield rows_of


@asynccontextmanager
async def _moment_of_sqlite(file: Path, url: str) -> AsyncIterator[Rows]:
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(_PATIENCE_MS)
            connection.execute("BEGIN")

            async def rows_of(text: str) -> AsyncIterator[Sequence[Any]]:
                for row in connection.execute(text):
                    yield row

            yield rows_of
        finally:
            connection.close()
    except apsw.CantOpenError as cause:
        raise unusable(cause, url) if await asyncio.to_thread(file.exists) else empty(url) from cause
    except apsw.Error as cause:
        raise unusable(cause, url) from cause


@asynccontextmanager
async def _moment_of_postgresql(url: str) -> AsyncIterator[Rows]:
    from sealwright.db.postgresql import DRIVER_ERRORS, connect  # noqa: PLC0415 - SQLite does not need its driver

    try:
        connection = await connect(url)
    except DRIVER_ERRORS as cause:
        raise unusable(cause, url) from cause
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):

            async def rows_of(text: str) -> AsyncIterator[Sequence[Any]]:
                async for record in connection.cursor(text, prefetch=_AT_ONCE):
                    yield tuple(record)

            yield rows_of
    finally:
        await connection.close()


async def load(
    url: str,
    revision: str,
    tables: Iterable[tuple[str, Iterator[bytes]]],
    before_commit: Callable[[Database], Awaitable[None]] | None = None,
) -> None:
    """Put what `dump` wrote from a database of the schema `revision` into an empty one: all of it, or nothing.

    `before_commit` is given the rows in the schema of today; where it raises, nothing stays. It awaits nothing but this database.
    """

    def work(connection: Connection) -> str:
        if inspect(connection).get_table_names():
            raise DatabaseTaken(
                "The database to restore into is not empty.",
                hint="Name an empty one in SEALWRIGHT_DATABASE_URL, or empty this one: what is in it is not replaced.",
            )
        migrate.make_revision(connection, revision)
        for name, lines in tables:
            _load_table(connection, name, lines)
        migrate.run_revisions(connection)
        if before_commit is not None:
            step_through(before_commit(UncommittedDatabase(connection)))
        return revision

    await migrate.on_connection(url, work)


def _load_table(connection: Connection, name: str, lines: Iterator[bytes]) -> None:
    """Put the rows of one table in; a value that `dump` never writes raises RowsRefused."""
    inspector = inspect(connection)
    if name == _OF_MIGRATIONS or name not in inspector.get_table_names():
        raise RowsRefused(f"There is no table {name!r} to put rows into.", hint="Take another backup; this one was changed.")
    table = Table(name, MetaData(), *(Column(each["name"], each["type"]) for each in inspector.get_columns(name)))
    refused = RowsRefused(
        f"The rows of the table {name} are not what a backup holds.", hint="Take another backup; this one was changed."
    )
    try:
        columns = msgspec.json.decode(next(lines, b""), type=list[tuple[str, bool]])
        if not {column for column, _ in columns} <= set(table.c.keys()):
            raise refused
        while batch := list(islice(lines, _AT_ONCE)):
            connection.execute(table.insert(), [_row(columns, msgspec.json.decode(line)) for line in batch])
    except (msgspec.MsgspecError, ValueError, TypeError, CompileError) as cause:
        raise refused from cause
    except DBAPIError as cause:  # what the engine lacks, such as room, is not a fault of the rows
        if isinstance(cause, IntegrityError | DataError) or isinstance(cause.orig, apsw.ConstraintError | apsw.MismatchError):
            raise refused from cause
        raise


def _row(columns: Sequence[tuple[str, bool]], values: Sequence[Any]) -> dict[str, Any]:
    return {
        name: base64.b64decode(value) if is_binary and value is not None else value
        for (name, is_binary), value in zip(columns, values, strict=True)
    }
