"""A database within the one transaction of a connection: for what is checked and recorded before rows become durable."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult

from sealwright.db.engine import Row, Transaction, Writer
from sealwright.db.statements import Compiled, Statement

T = TypeVar("T")


class UncommittedDatabase:
    """Reads and writes on the connection of a migration or a restore; nothing of it is durable before that has committed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.writer = Writer(str(uuid.uuid4()))

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        row = self._execute(statement, parameters).first()
        return None if row is None else tuple(row)

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        return [tuple(row) for row in self._execute(statement, parameters)]

    async def run(self, statement: Statement, **parameters: Any) -> int:
        return self._execute(statement, parameters).rowcount

    async def all_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> list[Row]:
        return [tuple(row) for parameters in many for row in self._execute(statement, parameters)]

    async def run_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        for parameters in many:
            self._execute(statement, parameters)

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        return await body(self)

    async def check(self) -> None:
        """The transaction is under way, so the database can be used."""

    async def close(self) -> None:
        """The connection belongs to the one who opened it."""

    def _execute(self, statement: Statement, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        on_sqlite = self._connection.dialect.name == "sqlite"
        compiled: Compiled = statement.for_sqlite if on_sqlite else statement.for_postgresql
        return self._connection.exec_driver_sql(compiled.text, tuple(compiled.arguments(parameters)))
