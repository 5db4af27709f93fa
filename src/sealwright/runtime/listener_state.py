"""What the connections of one listener share in one worker."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from datetime import timedelta
from email.utils import formatdate
from typing import Protocol

from msgspec import Struct, field

from sealwright.clock import Clock
from sealwright.entropy import Entropy
from sealwright.http import Listener
from sealwright.runtime.application import Dispatcher
from sealwright.runtime.connection_limit import ConnectionLimit
from sealwright.runtime.http_response import STRICT_TRANSPORT, ServedOrigin, site_of
from sealwright.runtime.logs import Log
from sealwright.runtime.proxies import Proxies
from sealwright.runtime.tls import LiveContext

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_MOST_SITES = 256


class Limits(Struct, frozen=True):
    """How much and how long a peer may take. Times are in seconds."""

    url_bytes: int = 16_384
    head_bytes: int = 65_536
    headers: int = 100
    head_seconds: float = 10.0
    """From the first byte of a request (or the connection) to the end of its headers."""
    body_seconds: float = 30.0
    """From the end of the headers to the end of the body."""
    idle_seconds: float = 75.0
    """Between an answer and the next request."""
    write_seconds: float = 30.0
    """While the peer does not read what we have for it."""
    handshake_seconds: float = 10.0
    linger_seconds: float = 2.0
    """How long a refused peer may go on sending before the connection is cut."""
    linger_bytes: int = 1_048_576
    connections: int = 10_000
    """Of one worker, over all listeners; fewer where it may not open as many files."""


class CoarseClock:
    """The time as connections see it: read twice a second, so that no request pays for it."""

    INTERVAL = 0.5

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self.now = 0.0
        self.date = ""
        """The Date header line."""
        self.refresh()

    def refresh(self) -> None:
        """Look at the clocks again."""
        self.now = self._loop.time()
        self.date = f"date: {formatdate(self._clock.now() / 1000, usegmt=True)}\r\n"


class RequestIds:
    """Takes over the request id that a peer sent, or makes one: a random name for this worker and a running number."""

    def __init__(self, entropy: Entropy) -> None:
        self._prefix = entropy.bytes(8).hex()
        self._count = 0

    def of(self, headers: Mapping[str, str]) -> str:
        """``X-Request-Id``, else ``X-Smallstep-Id``, where they are sane; else a new one."""
        given = headers.get("x-request-id") or headers.get("x-smallstep-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given
        self._count += 1
        return f"{self._prefix}-{self._count:x}"


class OpenConnection(Protocol):
    """A connection as the worker sees it."""

    def sweep(self, now: float) -> None:
        """End what takes too long; called again and again."""

    def shutdown(self) -> None:
        """Close when idle; otherwise after what is being received and answered."""

    def cut(self) -> None:
        """End at once."""


class WorkerState(Struct, frozen=True):
    """What all listeners of one worker share."""

    limits: Limits
    coarse_clock: CoarseClock
    request_ids: RequestIds
    proxies: Proxies
    log: Log
    strict_transport: timedelta = STRICT_TRANSPORT
    open_connections: set[OpenConnection] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    """Requests that are being answered."""


class ListenerState:
    """One listener in one worker. The dispatcher is exchanged at a reload; connections look it up for each request."""

    def __init__(
        self,
        listener: Listener,
        url: str,
        dispatcher: Dispatcher,
        live: LiveContext | None,
        worker: WorkerState,
        connections: ConnectionLimit,
    ) -> None:
        """`url`: scheme, host and port, for requests that name no host. `live`: the TLS context, where there is one."""
        self.listener = listener
        self.scheme, _, authority = url.partition("://")
        self._strict_transport = worker.strict_transport
        self.own_site = site_of(self.scheme, authority, self._strict_transport)
        self.dispatcher = dispatcher
        self.limits = worker.limits
        self.coarse_clock = worker.coarse_clock
        self.open_connections = worker.open_connections
        self.tasks = worker.tasks
        self.request_ids = worker.request_ids
        self.proxies = worker.proxies
        self.connections = connections
        self.log = worker.log
        self._live = live
        self.draining = False
        self.sites: dict[str, ServedOrigin] = {}
        """Host header → site, of hosts seen before."""

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        """What to make the next handshake with; None where the listener speaks without TLS."""
        return self._live.context if self._live is not None else None

    @property
    def trust_pem(self) -> bytes:
        """Whom client certificates must come from; empty if none is asked for."""
        return self._live.material.trust_pem if self._live is not None and self._live.client_certificates else b""

    def site(self, host: str) -> ServedOrigin:
        """The site of a Host header; what is not a host raises ValueError."""
        site = self.sites.get(host)
        if site is None:
            site = site_of(self.scheme, host, self._strict_transport)
            if len(self.sites) >= _MOST_SITES:
                self.sites.clear()
            self.sites[host] = site
        return site
