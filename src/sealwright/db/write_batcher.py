"""Write what arrives at about the same time in one transaction, with statements that take many rows at once.

A transaction of its own for each request costs two round trips to PostgreSQL, and a savepoint on SQLite, besides one execution
of every statement for every request. Where the same few statements are run for each of many requests, that is most of the
work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, Generic, TypeVar

from sealwright.db.around_writes import nothing_around_writes
from sealwright.db.engine import Database, Transaction
from sealwright.errors import Unavailable

Item = TypeVar("Item")
Key = TypeVar("Key")
Result = TypeVar("Result")


class WriteBatcher(Generic[Item, Result]):
    """Collects items until a transaction begins, and writes all of them in it.

    `write_all(tx, items)` returns one result for each item, in their order. It obeys the rules for transaction bodies. Where it
    raises, each item is written once more, alone: one that cannot be written fails alone.
    """

    def __init__(self, db: Database, write_all: Callable[[Transaction, Sequence[Item]], Awaitable[Sequence[Result]]]) -> None:
        self._db = db
        self._write_all = write_all
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        """Write `item`; returns its result once it is durable."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, done))
        if self._writing is None:
            self._writing = loop.create_task(self._write_until_nothing_waits())
        return await done

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        taken, self._waiting = self._waiting, []
        return taken

    async def _write_until_nothing_waits(self) -> None:
        """One transaction after the other: with several under way each would hold fewer items, and cost as much."""
        try:
            with nothing_around_writes():
                while self._waiting:
                    await self._write(self._take)
        finally:
            self._writing = None
            _cancel(self._take())

    async def _write(self, take: Callable[[], list[tuple[Item, asyncio.Future[Result]]]]) -> None:
        """Write what `take` returns once the transaction has begun."""
        taken: list[tuple[Item, asyncio.Future[Result]]] = []

        async def body(tx: Transaction) -> Sequence[Result]:
            taken.extend(take())
            return await self._write_all(tx, [item for item, _ in taken])

        try:
            results = await self._db.write(body)
        except Exception as failure:  # noqa: BLE001 - raised where the result is awaited
            taken = taken or take()
            if len(taken) > 1 and not isinstance(failure, Unavailable):
                for each in taken:
                    await self._write(partial(list, [each]))
            else:
                _fail(taken, failure)
        else:
            for (_, done), result in zip(taken, results, strict=True):
                if not done.done():  # else the caller was cancelled; what was written stays
                    done.set_result(result)
        finally:
            _cancel(taken)


def _fail(taken: list[tuple[Any, asyncio.Future[Any]]], failure: Exception) -> None:
    for _, done in taken:
        if not done.done():
            done.set_exception(failure)


def _cancel(taken: list[tuple[Any, asyncio.Future[Any]]]) -> None:
    """Has an effect only where the writing itself was cancelled: every other item has its result by then."""
    for _, done in taken:
        done.cancel()


def first_uses(keys: Iterable[Key], unused: AbstractSet[Key]) -> list[bool]:
    """For each of the keys that one transaction consumed, in their order, whether this is its use.

    `unused` are those that were not used before. The same key once more, in the same transaction, is one too many.
    """
    left = set(unused)
    answers = []
    for key in keys:
        answers.append(key in left)
        left.discard(key)
    return answers
