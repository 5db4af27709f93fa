"""What SQLAlchemy asks of a driver (PEP 249), on apsw: one SQLite library in the process.

With the standard library's beside it there were two. POSIX locks belong to a process: neither library would see the locks of the
other on the same file, and when one closes the file, the locks of the other are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import apsw

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"
Binary = bytes
sqlite_version_info = tuple(map(int, apsw.sqlite_lib_version().split(".")))

Error = apsw.Error
DatabaseError = apsw.Error
IntegrityError = apsw.ConstraintError
NotSupportedError = apsw.Error
OperationalError = apsw.Error
ProgrammingError = apsw.Error


class ApswCursor:
    """Rows of one statement, all read at once: no transaction ends while a statement of it still stands."""

    def __init__(self, cursor: apsw.Cursor) -> None:
        self._cursor = cursor
        self._cursor.exec_trace = self._begin
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self.lastrowid = 0
        self.rowcount = -1
        self.arraysize = 1

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._cursor.execute(statement, tuple(parameters))
        self._note()

    def executemany(self, statement: str, many: Sequence[Sequence[Any]]) -> None:
        self._cursor.executemany(statement, map(tuple, many))
        self._note()

    def _begin(self, cursor: apsw.Cursor, _statement: str, _parameters: object) -> bool:
        columns = cursor.get_description()  # here: later there is none of a statement without rows
        self.description = tuple((name, *[None] * 6) for name, *_ in columns) or None
        return True

    def _note(self) -> None:
        self._rows = iter(self._cursor.fetchall())
        connection = self._cursor.connection
        self.lastrowid = connection.last_insert_rowid()
        self.rowcount = -1 if self.description else connection.changes()

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        return list(islice(self._rows, size or self.arraysize))

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def close(self) -> None:
        self._cursor.close()


class ApswConnection:
    """A transaction begins only where a statement says so."""

    isolation_level = None

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def cursor(self) -> ApswCursor:
        return ApswCursor(self._connection.cursor())

    def create_function(self, name: str, arguments: int, function: Callable[..., Any], *, deterministic: bool) -> None:
        self._connection.create_scalar_function(name, function, arguments, deterministic=deterministic)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        if self._connection.in_transaction:
            self._connection.execute(statement)

    def close(self) -> None:
        self._connection.close()


def connect(path: str, *, check_same_thread: bool = True) -> ApswConnection:  # noqa: ARG001 - SQLAlchemy passes it
    """Open a file that is there."""
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(5_000)
    return ApswConnection(connection)
