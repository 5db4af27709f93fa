"""One worker process: an event loop, its own sockets on every listener, one application at a time."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from sealwright.clock import Clock
from sealwright.entropy import Entropy
from sealwright.errors import Failure
from sealwright.http import Listener
from sealwright.runtime import descriptors
from sealwright.runtime.acceptor import Acceptor
from sealwright.runtime.application import Application
from sealwright.runtime.channel import Channel, ChannelClosed, Report
from sealwright.runtime.connection_limit import ConnectionLimit
from sealwright.runtime.http_response import STRICT_TRANSPORT
from sealwright.runtime.listener_state import CoarseClock, Limits, ListenerState, OpenConnection, RequestIds, WorkerState
from sealwright.runtime.listeners import Bound, urls
from sealwright.runtime.logs import Log, account_of, scrubbed, take_over_logging
from sealwright.runtime.proxies import ListedProxies, Proxies
from sealwright.runtime.running_application import RunningApplication
from sealwright.runtime.throttled_log import ThrottledLog
from sealwright.runtime.tls import LiveContext

S = TypeVar("S")
Build = Callable[[S, Mapping[Listener, str]], Awaitable[Application]]

_COLLECTED_AFTER = 10_000, 20, 50
"""Objects, and collections of the next younger generation: a request makes hundreds of objects and hardly a cycle of them."""
_SIGN_OF_LIFE = 1.0
_SETTLE = 0.1


@dataclass(frozen=True, slots=True)
class Inheritance(Generic[S]):
    """What the supervisor made before the fork, for every worker the same."""

    build: Build[S]
    bound: Sequence[Bound]
    contexts: Mapping[Listener, LiveContext]
    open_log: Callable[[S], Log]
    clock: Clock
    entropy: Entropy
    proxies: ListedProxies = field(default_factory=ListedProxies)
    limits: Limits = field(default_factory=Limits)
    drain: timedelta = timedelta(seconds=20)
    """How long requests may take to finish once the end has come."""
    look_for_certificate: timedelta = timedelta(minutes=1)
    strict_transport: timedelta = STRICT_TRANSPORT


class Worker(Generic[S]):
    """Serves until it is told to stop, or until its supervisor is gone."""

    def __init__(self, number: int, settings: S, inherited: Inheritance[S], channel: Channel) -> None:
        self._number = number
        self._settings = settings
        self._inherited = inherited
        self._channel = channel
        self._log = inherited.open_log(settings).bind(worker=number)
        self._listeners: dict[Listener, ListenerState] = {}
        self._acceptors: list[Acceptor] = []
        self._reloads: asyncio.Queue[S] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._retiring: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """The life of the worker; returns the exit status."""
        self._loop = loop = asyncio.get_running_loop()
        take_over_logging(self._log)
        loop.set_exception_handler(self._report_loop)
        loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        loop.add_reader(self._channel.fileno(), self._hear)
        self._state = WorkerState(
            limits=self._inherited.limits,
            coarse_clock=CoarseClock(loop, self._inherited.clock),
            request_ids=RequestIds(self._inherited.entropy),
            proxies=Proxies(
                self._inherited.proxies,
                self._inherited.clock,
                ThrottledLog(self._log.warning, "a proxy tells an address that cannot be read", loop.time),
            ),
            log=self._log,
            strict_transport=self._inherited.strict_transport,
        )
        try:
            running = await self._make_running(self._settings, self._log)
            self._make_listeners(running)
            await self._look_for_certificate(running)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the supervisor must know why there is no worker
            self._report_failure("failed", failure)
            return 1
        for acceptor in self._acceptors:
            acceptor.open()
        running.start()
        self._running = running
        gc.freeze()  # what serves until the end is not looked at again and again
        gc.set_threshold(*_COLLECTED_AFTER)
        self._channel.report(Report("ready"))
        background = [asyncio.create_task(run()) for run in (self._beat, self._reload_when_asked, self._keep_certificate)]
        await self._stopping.wait()
        await self._drain()
        for task in background[1:]:
            task.cancel()
        await self._running.retire(self._inherited.drain)
        await asyncio.gather(*self._retiring)
        self._running.application.request_counts.publish()
        background[0].cancel()
        await asyncio.gather(*background, return_exceptions=True)
        return 0

    # --- start -----------------------------------------------------------------------------------------------------

    async def _make_running(self, settings: S, log: Log) -> RunningApplication:
        application = await self._inherited.build(settings, urls(self._inherited.bound))
        application.request_counts.take_place(self._number)
        try:
            return RunningApplication(application, [bound.address.listener for bound in self._inherited.bound], log)
        except BaseException:
            await application.close()
            raise

    def _make_listeners(self, running: RunningApplication) -> None:
        limit, open_now = descriptors.limit(), descriptors.open_now()
        room = descriptors.room(self._inherited.limits.connections, limit=limit, open_now=open_now)
        status, others = self._connection_limit(room.status), self._connection_limit(room.others)
        for bound in self._inherited.bound:
            listener = bound.address.listener
            live = self._inherited.contexts.get(listener)
            limit_here = status if listener is Listener.STATUS else others
            state = ListenerState(listener, bound.url, running.dispatcher(listener), live, self._state, limit_here)
            self._listeners[listener] = state
            failed = ThrottledLog(self._log.error, "connections cannot be accepted", self._loop.time)
            self._acceptors.append(Acceptor(state, bound.sockets[self._number], others.make_room, failed))

    def _connection_limit(self, most: int) -> ConnectionLimit:
        hint = f"Those that have waited the longest are ended. To have more, raise the limit of open files: {descriptors.WHERE}."
        full = ThrottledLog(
            partial(self._log.warning, hint=hint), "there are as many connections as there may be", self._loop.time
        )
        greedy = ThrottledLog(self._log.warning, "one network has half of all connections that there may be", self._loop.time)
        return ConnectionLimit(most, full, greedy)

    # --- while it serves -------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Keep the time of the connections, end those that take too long, and give signs of life."""
        last_sign = 0.0
        coarse_clock = self._state.coarse_clock
        while True:
            await asyncio.sleep(CoarseClock.INTERVAL)
            coarse_clock.refresh()
            for connection in list(self._state.open_connections):
                self._sweep(connection, coarse_clock.now)
            if coarse_clock.now - last_sign >= _SIGN_OF_LIFE:
                last_sign = coarse_clock.now
                self._running.application.request_counts.publish()
                self._channel.report(Report("alive"))

    def _sweep(self, connection: OpenConnection, now: float) -> None:
        try:
            connection.sweep(now)
        except Exception as failure:  # noqa: BLE001 - one connection must not stop the sweep of the others
            self._log.error("connection cannot be swept", **account_of(failure))
            connection.cut()

    def _hear(self) -> None:
        try:
            self._reloads.put_nowait(self._channel.receive_settings())
        except ChannelClosed:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._stopping.set()

    async def _reload_when_asked(self) -> None:
        while True:
            settings = await self._reloads.get()
            log = self._inherited.open_log(settings).bind(worker=self._number)
            try:
                following = await self._make_following(settings, log)
            except Exception as failure:  # noqa: BLE001 - the application that serves stays
                self._report_failure("reload_failed", failure)
                continue
            before, self._running = self._running, following
            for listener, state in self._listeners.items():
                state.dispatcher = following.dispatcher(listener)
            following.start()
            self._log = log
            take_over_logging(log)
            retiring = asyncio.create_task(before.retire(self._inherited.drain))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)
            self._channel.report(Report("reloaded"))

    async def _make_following(self, settings: S, log: Log) -> RunningApplication:
        """What is reloaded to. A server certificate that cannot be served refuses it."""
        following = await self._make_running(settings, log)
        try:
            await self._take_certificate(following)
        except BaseException:
            await following.application.close()
            raise
        return following

    async def _keep_certificate(self) -> None:
        while True:
            await asyncio.sleep(self._inherited.look_for_certificate.total_seconds())
            await self._look_for_certificate(self._running)

    async def _look_for_certificate(self, running: RunningApplication) -> None:
        """Serve the newest server certificate. Where there is none to be had, the one in use stays."""
        try:
            await self._take_certificate(running)
        except Failure as refusal:  # tried again soon
            self._log.error("server certificate not replaced", detail=refusal.detail, hint=refusal.hint)
        except Exception as failure:  # noqa: BLE001 - the same
            self._log.error("server certificate not replaced", **account_of(failure))

    async def _take_certificate(self, running: RunningApplication) -> None:
        if running.application.tls is None:
            return
        material = await running.application.tls()
        for bound in self._inherited.bound:
            live = self._inherited.contexts.get(bound.address.listener)
            if live is not None:
                live.adopt(material)

    def _report_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an error that the event loop could not raise anywhere."""
        failure = context.get("exception")
        account = account_of(failure) if isinstance(failure, BaseException) else {}
        self._log.error("event loop", message=context.get("message", ""), **account)

    def _report_failure(self, kind: Any, failure: Exception) -> None:
        if isinstance(failure, Failure):
            self._channel.report(Report(kind, failure.detail, failure.hint))
            return
        self._log.error("application cannot be built", **account_of(failure))
        self._channel.report(Report(kind, f"{type(failure).__name__}: {scrubbed(str(failure), None)}"))

    # --- end -------------------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Take no more connections, answer what has been asked, close what is idle; after a while, cut."""
        loop = asyncio.get_running_loop()
        for state in self._listeners.values():
            state.draining = True
        for acceptor in self._acceptors:
            acceptor.close()
        for bound in self._inherited.bound:
            bound.close()
        for connection in list(self._state.open_connections):
            connection.shutdown()
        await asyncio.sleep(_SETTLE)  # handshakes that were under way
        end = loop.time() + self._inherited.drain.total_seconds()
        while (self._state.open_connections or self._state.tasks) and loop.time() < end:  # noqa: ASYNC110 - plain sets have no event
            await asyncio.sleep(_SETTLE / 4)
        late = list(self._state.tasks)
        for task in late:
            task.cancel()
        if late:
            self._log.warning("requests given up at the end", count=len(late))
            await asyncio.gather(*late, return_exceptions=True)
            await asyncio.sleep(_SETTLE)  # for what is still being sent
        for each in list(self._state.open_connections):
            each.cut()
