"""What the caller of an operation adds to its transactions: a condition, or a note that is durable with the change or not at all.

The operation knows nothing of it. It is set for the current context, and holds for every `write` below.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

from sealwright.db.engine import Transaction

T = TypeVar("T")


class AroundWrite(Protocol):
    """What happens around each transaction of an operation."""

    @property
    def judges(self) -> bool:
        """Whether it reads what others must not change before the transaction is durable."""
        ...

    async def begin(self, tx: Transaction) -> None:
        """At the beginning of the transaction. What it raises undoes the transaction."""
        ...

    def committed(self) -> None:
        """The transaction is durable."""
        ...


_AROUND: ContextVar[tuple[AroundWrite, ...]] = ContextVar("around_writes", default=())
CURRENT_TRANSACTION: ContextVar[Transaction | None] = ContextVar("current_transaction", default=None)
"""Where reads go while `reading_in` holds; None for a connection of their own."""


@contextmanager
def around_writes(added: AroundWrite) -> Iterator[None]:
    """Add to every write that is begun within."""
    token = _AROUND.set((*_AROUND.get(), added))
    try:
        yield
    finally:
        _AROUND.reset(token)


@contextmanager
def nothing_around_writes() -> Iterator[None]:
    """Leave the writes that are begun within as they are: what is made for several callers at once, or is no change of theirs."""
    token = _AROUND.set(())
    try:
        yield
    finally:
        _AROUND.reset(token)


@contextmanager
def reading_in(tx: Transaction) -> Iterator[None]:
    """Let operations that read and await nothing else read what `tx` sees."""
    token = CURRENT_TRANSACTION.set(tx)
    try:
        yield
    finally:
        CURRENT_TRANSACTION.reset(token)


def what_is_around() -> tuple[AroundWrite, ...]:
    """What was added to the writes of the current context."""
    return _AROUND.get()


def preceded(
    body: Callable[[Transaction], Awaitable[T]], around: tuple[AroundWrite, ...]
) -> Callable[[Transaction], Awaitable[T]]:
    """A body that begins with what was added."""

    async def whole(tx: Transaction) -> T:
        for each in around:
            await each.begin(tx)
        return await body(tx)

    return whole
