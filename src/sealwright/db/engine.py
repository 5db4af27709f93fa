"""What the rest of the program sees of a database: read a row, read rows, write in a transaction.

Storage duties, the same on both engines:

* `write(body)` runs `body` in one transaction. When `write` returns, everything that `body` wrote is durable
  (SQLite ``synchronous=FULL``, PostgreSQL ``synchronous_commit=on``). When `body` raises, nothing of it remains.
* `body` is a coroutine function that awaits nothing but its transaction: SQLite steps through it in one go.
  Signatures, HTTP calls and password hashes never happen inside.
* Reads outside a transaction see everything that was written before, by any process.
* A body may run more than once: what collided with another transaction is begun anew. It keeps nothing outside of itself.
* A database that cannot be used at the moment raises Unavailable, within some seconds; the event loop never waits for it.
* A row whose unique key exists already raises `DuplicateRow`; one that belongs to a row that is gone, `MissingReference`.
* A text with a null character finds nothing, or raises InvalidInput: PostgreSQL cannot even be asked for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sealwright.db.statements import Statement
from sealwright.errors import Conflict

T = TypeVar("T")
Row = tuple[Any, ...]


class MissingReference(Conflict):
    """What the row belongs to does not exist (any more)."""

    code = "missing_reference"

    def __init__(self) -> None:
        super().__init__("What this belongs to was deleted meanwhile.", hint="Look whether it is still there, and begin again.")


class DuplicateRow(Conflict):
    """A row with this key exists already."""

    code = "duplicate"

    def __init__(self) -> None:
        super().__init__("The same exists already: another writer was faster.")


APPENDED_BY_ONE = "audit_events"
"""A table to whose sequences one writer at a time adds. Where another one was faster all the same, the transaction is begun anew,
with nothing remembered."""


@dataclass(slots=True)
class Writer:
    """One sequence of transactions: a process on SQLite, a connection on PostgreSQL. At any moment it adds to one audit chain."""

    id: str
    """UUID, new at each start."""
    memo: Any = None
    """What is remembered of the chain between transactions. Goes back to its former value when a transaction is undone."""


class Transaction(Protocol):
    """Statements that become durable together or not at all."""

    writer: Writer

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        """The first row, or None. Use it with RETURNING to consume."""
        ...

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        """All rows."""
        ...

    async def run(self, statement: Statement, **parameters: Any) -> int:
        """Run a statement without RETURNING; returns how many rows it changed."""
        ...

    async def all_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Run a statement once for each of `many` sets of parameters; returns the rows of all of them, in order."""
        ...

    async def run_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement without RETURNING once for each of `many` sets of parameters."""
        ...


Insertion = Callable[[Transaction], Awaitable[None]]
"""Stores something that is ready, within a transaction of the caller."""


class Database(Protocol):
    """One database, open in one process."""

    async def one(self, statement: Statement, **parameters: Any) -> Row | None:
        """The first row, or None."""
        ...

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        """All rows; the statement itself limits how many."""
        ...

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `body` in a transaction; returns what it returns, once durable."""
        ...

    async def check(self) -> None:
        """Raise Unavailable unless the database can be read, and accepts writes as far as can be told without one."""
        ...

    async def close(self) -> None:
        """Finish what was handed in and let go of the database."""
        ...


def step_through(body: Awaitable[T]) -> T:
    """Run a transaction body to its end. It awaits only its transaction, whose methods never suspend."""
    steps = body.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a transaction body awaited something else than its transaction")
