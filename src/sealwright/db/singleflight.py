"""Share one read between callers that ask for the same key at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from sealwright.db.around_writes import CURRENT_TRANSACTION

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SingleFlight(Generic[Key, Value]):
    """Reads once for all who asked before the reading began, so that no caller gets a value older than its call.

    Nothing is cached: a later caller, if only by an instant, waits for a read of its own. `read(key)` runs in a
    task; what it raises reaches every caller that waits for it.
    """

    def __init__(self, read: Callable[[Key], Awaitable[Value]]) -> None:
        self._read = read
        self._asked: dict[Key, list[asyncio.Future[Value]]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def of(self, key: Key) -> Value:
        """The value of `key` now."""
        if CURRENT_TRANSACTION.get() is not None:
            return await self._read(key)  # what one transaction sees is shared with no one
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Value] = loop.create_future()
        asked = self._asked.get(key)
        if asked is None:
            self._asked[key] = [answer]
            task = loop.create_task(self._answer(key))  # begins after everything that is ready now has had its chance to ask
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        else:
            asked.append(answer)
        return await answer

    async def _answer(self, key: Key) -> None:
        asked = self._asked.pop(key)
        try:
            value = await self._read(key)
        except BaseException as failure:  # noqa: BLE001 - raised where the value is awaited
            for answer in asked:
                if not answer.done():
                    answer.set_exception(failure)
        else:
            for answer in asked:
                if not answer.done():  # else the caller was cancelled
                    answer.set_result(value)
