"""Run a coroutine's first step at once, and give it a task only if it has to wait.

Most hot requests never wait: their rows are read inline and their answers are bytes in memory. A task for each would cost as
much as parsing the request. But whatever a coroutine starts in its first step (a timeout, a lock) must find the task that will
run the rest, so the first step runs in the name of a spare task; when the coroutine waits, the spare carries it on.
"""

from __future__ import annotations

import asyncio
import contextvars
import types
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@types.coroutine
def _rest(step: Callable[[Any], Any], argument: Any, coroutine: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Drive `coroutine` as a task would, beginning with one `step` (its send or its throw)."""
    while True:
        try:
            awaited = step(argument)
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            argument = yield awaited
        except BaseException as raised:  # noqa: BLE001 - a cancellation, or the failure of what was awaited: the coroutine's own matter
            step, argument = coroutine.throw, raised
        else:
            step = coroutine.send


class FirstStep(Generic[T]):
    """Starts coroutines on one event loop, from callbacks. Within a task there is no first step: the coroutine gets a task."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._prepare()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T | asyncio.Task[T]:
        """The result, or the task that carries the coroutine on. What the first step raises is raised here."""
        carrier = self._carrier
        try:
            _enter_task(self._loop, carrier)
        except RuntimeError:
            return asyncio.Task(coroutine, loop=self._loop)
        try:
            awaited = self._context.run(coroutine.send, None)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            _leave_task(self._loop, carrier)
        self._handed.set_result((coroutine, awaited))
        self._prepare()
        return carrier

    def close(self) -> None:
        """Let go of the spare task."""
        self._carrier.cancel()

    def _prepare(self) -> None:
        self._context = contextvars.copy_context()
        self._handed: asyncio.Future[tuple[Coroutine[Any, Any, T], Any]] = self._loop.create_future()
        self._carrier: asyncio.Task[T] = asyncio.Task(self._carry(self._handed), loop=self._loop, context=self._context)

    async def _carry(self, handed: asyncio.Future[tuple[Coroutine[Any, Any, T], Any]]) -> T:
        try:
            coroutine, awaited = await handed
        except asyncio.CancelledError as cancelled:
            if not handed.done() or handed.cancelled():
                raise
            coroutine, _ = handed.result()
            return await _rest(coroutine.throw, cancelled, coroutine)
        return await _rest(lambda _: awaited, None, coroutine)
