"""The parent process: takes the addresses, forks the workers, keeps them alive, hands on signals. It serves nothing itself.

It knows nothing of what is served: a `Program` tells how settings are read and how an application is built from them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, NoReturn, TypeVar

import uvloop
from msgspec import Struct

from sealwright.clock import Clock
from sealwright.entropy import Entropy
from sealwright.errors import Failure, Unavailable
from sealwright.http import Listener
from sealwright.runtime import descriptors
from sealwright.runtime.channel import Channel, ChannelClosed, Report, channel_pair
from sealwright.runtime.http_response import STRICT_TRANSPORT
from sealwright.runtime.listener_state import Limits
from sealwright.runtime.listeners import Bound, ListenAddress, bind, urls
from sealwright.runtime.logs import Log, account_of
from sealwright.runtime.proxies import ListedProxies
from sealwright.runtime.stack import Stack
from sealwright.runtime.systemd import Notifier
from sealwright.runtime.tls import LiveContext, TlsMaterial
from sealwright.runtime.worker import Build, Inheritance, Worker

S = TypeVar("S")

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_FIXED_AT_THE_START = (
    (("addresses", "workers"), "[listen] or workers"),
    (("look_for_certificate",), "tls.look_every"),
    (("strict_transport",), "tls.strict_transport"),
    (("proxies",), "trusted_proxies or certificate_proxies"),
)
_TICK = 0.5
_MOMENT = 1.0  # in which a worker writes its stack
_LONGEST_PAUSE = 5.0
_SOUND_LIFE = 30.0
_GRACE = 5.0


class CannotServe(Unavailable):
    """The server did not come up."""

    code = "cannot_serve"

    def __init__(self, detail: str, *, hint: str = "") -> None:
        super().__init__(detail)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to listen and with how many workers."""

    addresses: tuple[ListenAddress, ...]
    workers: int
    proxies: ListedProxies = field(default_factory=ListedProxies)
    limits: Limits = field(default_factory=Limits)
    drain: timedelta = timedelta(seconds=20)
    look_for_certificate: timedelta = timedelta(minutes=1)
    strict_transport: timedelta = STRICT_TRANSPORT
    longest_silence: timedelta = timedelta(seconds=30)
    """A worker that gives no sign of life for a third of this is named in the log; for all of it, it is ended."""


@dataclass(frozen=True, slots=True)
class Program(Generic[S]):
    """What is served. Settings are any value that can be pickled."""

    load: Callable[[], S]
    """Reads the settings, at the start and at each SIGHUP. A Failure refuses them."""
    plan: Callable[[S], Plan]
    tls: Callable[[S, Mapping[Listener, str]], TlsMaterial]
    """The server certificate to begin with. Called once, before the fork: it must leave no thread and no connection behind."""
    build: Build[S]
    """Makes an application, in each worker: at its start and at each reload. Gets the URLs of the listeners."""
    open_log: Callable[[S], Log]
    ready: Callable[[S, Mapping[Listener, str]], None]
    """Called once, when every worker serves."""


class _Child(Struct):
    """One worker as the supervisor sees it."""

    number: int
    pid: int
    channel: Channel
    stack: Stack
    born: float
    last_heard: float
    serves: bool = False
    reloading: int = 0
    """Reloads that it has not reported on."""
    asked_for_stack: bool = False
    told_of: bool = False
    """Whether the log says that it does not answer."""


class Supervisor(Generic[S]):
    """Runs a program until SIGTERM or SIGINT. Use it once, in the main thread of a process without other threads."""

    def __init__(self, program: Program[S], *, clock: Clock, entropy: Entropy, notifier: Notifier) -> None:
        self._program = program
        self._clock = clock
        self._entropy = entropy
        self._notifier = notifier
        self._children: dict[int, _Child] = {}
        self._due: dict[int, float] = {}  # worker → when to fork it again
        self._pauses: dict[int, float] = {}
        self._stopping_until: float | None = None
        self._failed_start: Report | None = None
        self._announced = False
        self._reload_asked = False
        self._refusals: dict[tuple[str, str], int] = {}

    def run(self) -> None:
        """Serve. Raises a Failure when the start does not succeed."""
        self._settings = self._previous = self._program.load()
        self._plan = self._program.plan(self._settings)
        self._log = self._program.open_log(self._settings)
        descriptors.raise_limit()
        self._bound: Sequence[Bound] = bind(self._plan.addresses, self._plan.workers)
        try:
            self._contexts = self._make_contexts()
            with _signals() as self._wakeup, selectors.DefaultSelector() as self._selector:
                self._selector.register(self._wakeup, selectors.EVENT_READ)
                self._serve()
        finally:
            for bound in self._bound:
                bound.close()
        if self._failed_start is not None:
            raise CannotServe(self._failed_start.detail, hint=self._failed_start.hint)

    def _make_contexts(self) -> Mapping[Listener, LiveContext]:
        secured = [bound.address for bound in self._bound if bound.address.tls]
        if not secured:
            return {}
        material = self._program.tls(self._settings, urls(self._bound))
        return {address.listener: LiveContext(material, client_certificates=address.client_certificates) for address in secured}

    def _serve(self) -> None:
        gc.collect()
        gc.freeze()  # what the workers share stays shared
        for number in range(self._plan.workers):
            self._fork(number)
        while self._children or self._due:
            for key, _ in self._selector.select(_TICK):
                if key.data is None:
                    self._heed_signals()
                else:
                    self._hear(key.data)
            self._keep_up()

    # --- workers ---------------------------------------------------------------------------------------------------

    def _fork(self, number: int) -> None:
        ours, theirs = channel_pair()
        stack = Stack()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until the child has actions of its own, none may get lost
        pid = os.fork()
        if pid == 0:
            stack.offer()
            self._live_as_worker(number, theirs, ours)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        theirs.close()
        now = time.monotonic()
        child = _Child(number, pid, ours, stack, born=now, last_heard=now)
        self._children[number] = child
        self._due.pop(number, None)
        self._selector.register(ours, selectors.EVENT_READ, child)

    def _live_as_worker(self, number: int, channel: Channel, theirs: Channel) -> NoReturn:
        """What the forked process does; it never comes back from here."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for each in (signal.SIGINT, signal.SIGHUP):  # the terminal sends them to every process; the parent decides
                signal.signal(each, signal.SIG_IGN)
            for each in (signal.SIGTERM, signal.SIGCHLD):
                signal.signal(each, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            self._selector.close()
            self._wakeup.close()
            theirs.close()
            for child in self._children.values():
                child.channel.close()
            for bound in self._bound:
                bound.close(except_worker=number)
            inherited = Inheritance(
                build=self._program.build,
                bound=self._bound,
                contexts=self._contexts,
                open_log=self._program.open_log,
                clock=self._clock,
                entropy=self._entropy,
                proxies=self._plan.proxies,
                limits=self._plan.limits,
                drain=self._plan.drain,
                look_for_certificate=self._plan.look_for_certificate,
                strict_transport=self._plan.strict_transport,
            )
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                status = runner.run(Worker(number, self._settings, inherited, channel).run())
        except BaseException as failure:  # noqa: BLE001 - nothing may unwind into the parent's code
            self._log.error("worker failed", worker=number, **account_of(failure))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _hear(self, child: _Child) -> None:
        try:
            report = child.channel.receive_report()
        except ChannelClosed:
            self._selector.unregister(child.channel)
            child.channel.close()
            return
        child.last_heard = time.monotonic()
        if child.told_of:
            self._log.warning("worker answers again", worker=child.number, pid=child.pid)
        if child.told_of or child.asked_for_stack:
            child.asked_for_stack = child.told_of = False
            child.stack.take()
        if report.kind == "ready":
            child.serves = True
            self._announce()
        elif report.kind == "failed":
            if self._announced:
                self._log.error("worker cannot start", worker=child.number, detail=report.detail)
            else:
                self._failed_start = self._failed_start or report
                self._stop()
        elif report.kind in ("reloaded", "reload_failed"):
            self._reloaded(child, report)

    def _announce(self) -> None:
        if self._announced or len(self._children) < self._plan.workers or not all(c.serves for c in self._children.values()):
            return
        self._announced = True
        self._program.ready(self._settings, urls(self._bound))
        self._notifier.ready(self._status())
        if self._reload_asked:
            self._reload()

    def _status(self) -> str:
        return f"Serving with {self._plan.workers} workers"

    def _keep_up(self) -> None:
        """What time brings: dead workers, silent workers, workers to be forked again, signs of life."""
        now = time.monotonic()
        for child in list(self._children.values()):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._bury(child, os.waitstatus_to_exitcode(status), now)
            elif self._is_late(child, now):
                os.kill(child.pid, signal.SIGKILL)
        for number, due in list(self._due.items()):
            if now >= due:
                self._fork(number)
        self._notifier.alive()

    def _is_late(self, child: _Child, now: float) -> bool:
        """Whether a worker has no time left, to give a sign of life or to stop."""
        if self._stopping_until is not None and now > self._stopping_until:
            return True
        return child.serves and self._is_silent_for_too_long(child, now - child.last_heard)

    def _is_silent_for_too_long(self, child: _Child, silence: float) -> bool:
        """Whether a worker is to be ended. Before that, the log says where it stands."""
        longest = self._plan.longest_silence.total_seconds()
        asked_at = longest - _MOMENT if child.told_of else longest / 3
        if silence < asked_at:
            return False
        if not child.asked_for_stack:
            child.asked_for_stack = True
            child.stack.ask(child.pid)
        elif silence >= asked_at + _MOMENT:
            child.asked_for_stack = False
            event, write = (
                ("is silent and is ended", self._log.error) if child.told_of else ("does not answer", self._log.warning)
            )
            write(f"worker {event}", worker=child.number, pid=child.pid, seconds=round(silence), stack=child.stack.take())
            was_told_of, child.told_of = child.told_of, True
            return was_told_of
        return False

    def _bury(self, child: _Child, status: int, now: float) -> None:
        while child.channel.fileno() >= 0:
            self._hear(child)  # its last words
        child.stack.close()
        del self._children[child.number]
        if self._stopping_until is not None:
            return
        if not self._announced:
            reason = f"signal {-status}" if status < 0 else f"status {status}"
            self._failed_start = self._failed_start or Report("failed", f"A worker ended with {reason} before it could serve.")
            self._stop()
            return
        pause = 0.0 if now - child.born > _SOUND_LIFE else min(max(2 * self._pauses.get(child.number, 0.0), 0.1), _LONGEST_PAUSE)
        self._pauses[child.number] = pause
        self._due[child.number] = now + pause
        self._log.error("worker died and is replaced", worker=child.number, pid=child.pid, status=status, pause=pause)
        if child.reloading:
            self._finish_reload()

    # --- signals ---------------------------------------------------------------------------------------------------

    def _heed_signals(self) -> None:
        for number in self._wakeup.recv(64):
            if number == signal.SIGHUP:
                self._reload_asked = True
                if self._announced:  # else as soon as every worker serves
                    self._reload()
            elif number in (signal.SIGTERM, signal.SIGINT):
                self._stop()

    def _stop(self) -> None:
        """Drain; at a second signal, end at once."""
        now = time.monotonic()
        if self._stopping_until is not None:
            self._stopping_until = now
            return
        self._stopping_until = now + self._plan.drain.total_seconds() + _GRACE
        self._due.clear()
        self._notifier.stopping()
        for bound in self._bound:
            bound.close()
        for child in self._children.values():
            os.kill(child.pid, signal.SIGTERM)

    def _reload(self) -> None:
        self._reload_asked = False
        if self._stopping_until is not None:
            return
        self._notifier.reloading()
        try:
            settings = self._program.load()
            plan = self._program.plan(settings)
        except Failure as refusal:
            self._log.error("settings refused; the old ones stay", detail=refusal.detail, hint=refusal.hint)
            self._notifier.ready(self._status())
            return
        for names, setting in _FIXED_AT_THE_START:
            if any(getattr(plan, name) != getattr(self._plan, name) for name in names):
                self._log.warning(f"a change of {setting} takes effect at the next start")
        self._previous, self._settings = self._settings, settings
        self._log = self._program.open_log(settings)
        for child in self._children.values():
            child.reloading += child.channel.send_settings(settings)
        self._finish_reload()

    def _reloaded(self, child: _Child, report: Report) -> None:
        child.reloading -= 1
        if report.kind == "reload_failed":
            self._settings = self._previous  # for workers that are forked later
            self._refusals[report.detail, report.hint] = child.number
        self._finish_reload()

    def _finish_reload(self) -> None:
        if any(child.reloading for child in self._children.values()):
            return
        for (detail, hint), worker in self._refusals.items():
            self._log.error("reload refused; the old settings stay", worker=worker, detail=detail, hint=hint)
        if not self._refusals:
            self._log.info("reload has finished")
        self._refusals.clear()
        self._notifier.ready(self._status())


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """The signals that the supervisor heeds come as bytes out of a socket."""
    readable, writable = socket.socketpair()
    for end in (readable, writable):
        end.setblocking(False)  # noqa: FBT003 - the standard library's signature
    before = {each: signal.signal(each, lambda *_: None) for each in _SIGNALS}
    wakeup = signal.set_wakeup_fd(writable.fileno(), warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # anyone who began to serve may have held it back
    try:
        yield readable
    finally:
        signal.set_wakeup_fd(wakeup)
        for each, action in before.items():
            signal.signal(each, action)
        readable.close()
        writable.close()
