"""One worker process: an event loop, its own sockets on every listener, one application at a time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from uvicorn.config import Config
from uvicorn.server import ServerState

from sealwright.clock import Clock
from sealwright.entropy import Entropy
from sealwright.errors import Failure
from sealwright.server.application import Application
from sealwright.server.channel import Channel, ChannelClosed, Report
from sealwright.server.first_step import FirstStep
from sealwright.server.generation import Generation
from sealwright.server.lane import Lane, Limits, Pulse, RequestIds, Workplace
from sealwright.server.listeners import BACKLOG, Bound, urls
from sealwright.server.logs import Log, account_of, scrubbed, take_over_logging
from sealwright.server.protocol import Connection
from sealwright.server.proxies import ListedProxies, Proxies
from sealwright.server.seldom import Seldom
from sealwright.server.slow_lane import slow_lane
from sealwright.server.tls import LiveContext
from sealwright.wire import Listener

S = TypeVar("S")
Build = Callable[[S, Mapping[Listener, str]], Awaitable[Application]]

_SIGN_OF_LIFE = 1.0
_SETTLE = 0.1
_TLS_CLOSE = 600.0  # long: connections themselves see to it that the peer still reads


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


class Worker(Generic[S]):
    """Serves until it is told to stop, or until its supervisor is gone."""

    def __init__(self, number: int, settings: S, inherited: Inheritance[S], channel: Channel) -> None:
        self._number = number
        self._settings = settings
        self._inherited = inherited
        self._channel = channel
        self._log = inherited.open_log(settings).bind(worker=number)
        self._state = ServerState()
        self._lanes: dict[Listener, Lane] = {}
        self._servers: dict[Listener, list[asyncio.Server]] = {}
        self._reloads: asyncio.Queue[S] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._retiring: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """The life of the worker; answers the exit status."""
        loop = asyncio.get_running_loop()
        take_over_logging(self._log)
        loop.set_exception_handler(self._report_loop)
        loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        loop.add_reader(self._channel.fileno(), self._hear)
        self._workplace = Workplace(
            limits=self._inherited.limits,
            pulse=Pulse(loop, self._inherited.clock),
            state=self._state,
            first_step=FirstStep(loop),
            request_ids=RequestIds(self._inherited.entropy),
            proxies=Proxies(
                self._inherited.proxies,
                self._inherited.clock,
                Seldom(self._log.warning, "a proxy tells an address that cannot be read", loop.time),
            ),
            log=self._log,
        )
        try:
            generation = await self._make_generation(self._settings, self._log)
            self._make_lanes(generation)
            await self._look_for_certificate(generation)
            for bound in self._inherited.bound:
                await self._listen(bound)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the supervisor must know why there is no worker
            self._report_failure("failed", failure)
            return 1
        generation.start()
        self._generation = generation
        self._channel.report(Report("ready"))
        duties = [asyncio.create_task(duty()) for duty in (self._beat, self._reload_when_told, self._keep_certificate)]
        await self._stopping.wait()
        await self._drain()
        for duty in duties[1:]:
            duty.cancel()
        await self._generation.retire(self._inherited.drain)
        await asyncio.gather(*self._retiring)
        duties[0].cancel()
        await asyncio.gather(*duties, return_exceptions=True)
        self._workplace.first_step.close()
        return 0

    # --- start -----------------------------------------------------------------------------------------------------

    async def _make_generation(self, settings: S, log: Log) -> Generation:
        application = await self._inherited.build(settings, urls(self._inherited.bound))
        try:
            return Generation(application, [bound.address.listener for bound in self._inherited.bound], log)
        except BaseException:
            await application.close()
            raise

    def _make_lanes(self, generation: Generation) -> None:
        for bound in self._inherited.bound:
            listener = bound.address.listener
            live = self._inherited.contexts.get(listener)
            self._lanes[listener] = Lane(listener, bound.url, generation.dispatcher(listener), live, self._workplace)

    async def _listen(self, bound: Bound) -> None:
        """Accept connections of one listener. The sockets themselves stay ours, so that this can be done anew."""
        loop = asyncio.get_running_loop()
        listener = bound.address.listener
        live = self._inherited.contexts.get(listener)
        config = Config(
            slow_lane,
            interface="asgi3",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        config.load()
        timeouts: dict[str, Any] = {}
        if live is not None:
            handshake = self._inherited.limits.handshake_seconds
            timeouts = {"ssl_handshake_timeout": handshake, "ssl_shutdown_timeout": _TLS_CLOSE}
        before = self._servers.get(listener, [])
        self._servers[listener] = [
            await loop.create_server(
                partial(Connection, self._lanes[listener], config, loop),
                sock=each.dup(),
                ssl=live.context if live is not None else None,
                backlog=BACKLOG,
                **timeouts,
            )
            for each in bound.sockets[self._number]
        ]
        for server in before:
            server.close()

    # --- while it serves -------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Keep the time of the connections, end those that take too long, and give signs of life."""
        last_sign = 0.0
        pulse = self._workplace.pulse
        while True:
            await asyncio.sleep(Pulse.INTERVAL)
            pulse.beat()
            for connection in list(self._state.connections):
                if isinstance(connection, Connection):
                    self._sweep(connection, pulse.now)
            if pulse.now - last_sign >= _SIGN_OF_LIFE:
                last_sign = pulse.now
                self._channel.report(Report("alive"))

    def _sweep(self, connection: Connection, now: float) -> None:
        try:
            connection.sweep(now)
        except Exception as failure:  # noqa: BLE001 - one connection must not stop the sweep of the others
            self._log.error("connection cannot be swept", **account_of(failure))
            connection.transport.abort()

    def _hear(self) -> None:
        try:
            self._reloads.put_nowait(self._channel.receive_settings())
        except ChannelClosed:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._stopping.set()

    async def _reload_when_told(self) -> None:
        while True:
            settings = await self._reloads.get()
            log = self._inherited.open_log(settings).bind(worker=self._number)
            try:
                following = await self._make_following(settings, log)
            except Exception as failure:  # noqa: BLE001 - the application that serves stays
                self._report_failure("reload_failed", failure)
                continue
            before, self._generation = self._generation, following
            for listener, lane in self._lanes.items():
                lane.dispatcher = following.dispatcher(listener)
            following.start()
            self._log = log
            take_over_logging(log)
            retiring = asyncio.create_task(before.retire(self._inherited.drain))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)
            self._channel.report(Report("reloaded"))

    async def _make_following(self, settings: S, log: Log) -> Generation:
        """What is reloaded to. A server certificate that cannot be served refuses it."""
        following = await self._make_generation(settings, log)
        try:
            await self._take_certificate(following)
        except BaseException:
            await following.application.close()
            raise
        return following

    async def _keep_certificate(self) -> None:
        while True:
            await asyncio.sleep(self._inherited.look_for_certificate.total_seconds())
            await self._look_for_certificate(self._generation)

    async def _look_for_certificate(self, generation: Generation) -> None:
        """Serve the newest server certificate. Where there is none to be had, the one in use stays."""
        try:
            await self._take_certificate(generation)
        except Failure as refusal:  # tried again soon
            self._log.error("server certificate not replaced", detail=refusal.detail, hint=refusal.hint)
        except Exception as failure:  # noqa: BLE001 - the same
            self._log.error("server certificate not replaced", **account_of(failure))

    async def _take_certificate(self, generation: Generation) -> None:
        if generation.application.tls is None:
            return
        material = await generation.application.tls()
        for bound in self._inherited.bound:
            live = self._inherited.contexts.get(bound.address.listener)
            if live is not None and live.adopt(material) and bound.address.listener in self._servers:
                await self._listen(bound)

    def _report_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the event loop could not tell anybody else."""
        failure = context.get("exception")
        account = account_of(failure) if isinstance(failure, BaseException) else {}
        self._log.error("event loop", told=context.get("message", ""), **account)

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
        for lane in self._lanes.values():
            lane.draining = True
        for server in (server for servers in self._servers.values() for server in servers):
            server.close()
        for bound in self._inherited.bound:
            bound.close()
        connections = [each for each in self._state.connections if isinstance(each, Connection)]
        for connection in connections:
            connection.shutdown()
        await asyncio.sleep(_SETTLE)  # handshakes that were under way
        end = loop.time() + self._inherited.drain.total_seconds()
        while (self._state.connections or self._state.tasks) and loop.time() < end:  # noqa: ASYNC110 - plain sets tell nobody
            await asyncio.sleep(_SETTLE / 4)
        late = list(self._state.tasks)
        for task in late:
            task.cancel()
        if late:
            self._log.warning("requests given up at the end", count=len(late))
            await asyncio.gather(*late, return_exceptions=True)
            await asyncio.sleep(_SETTLE)  # for what is still being sent
        for each in list(self._state.connections):
            if isinstance(each, Connection):
                each.transport.abort()
