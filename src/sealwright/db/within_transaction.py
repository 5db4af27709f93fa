"""A database within one transaction: whole operations that each write for themselves, durable together or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sealwright.db.engine import Row, Transaction
from sealwright.db.statements import Statement

T = TypeVar("T")


class WithinTransaction:
    """Reads and writes in the transaction of a caller, whose rules for bodies hold: nothing else is awaited.

    What one write raises undoes nothing by itself. The caller lets it through, so that the transaction is undone.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        return await self._tx.one(statement, **parameters)

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        return await self._tx.all(statement, **parameters)

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        return await body(self._tx)

    async def check(self) -> None:
        """The transaction is under way, so the database can be used."""

    async def close(self) -> None:
        """The transaction belongs to the one who began it."""
