"""One connection: HTTP/1.1 and 1.0 over TLS or plain, two lanes.

A request for a route of the fast lane is answered from the parser's callbacks. Everything else, and whatever is out of the
ordinary (a request behind another that is still being answered, ``Expect``, a peer that does not read), goes to the slow lane,
an ASGI application. Both lanes have the same handlers, limits and headers.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sealwright.errors import InvalidInput, NotFound
from sealwright.http import Peer, Request, Response, Route
from sealwright.runtime.application import Exchange
from sealwright.runtime.http_response import encode, told
from sealwright.runtime.listener_state import Lane
from sealwright.runtime.logs import account_of
from sealwright.runtime.proxies import CERTIFICATE_FIELDS
from sealwright.runtime.response_cache import CachedResponse, CacheKey
from sealwright.runtime.routing import target_of
from sealwright.runtime.tcp_info import Pace
from sealwright.runtime.uvicorn_adapter import Outgoing, Running, asgi_scope

_CLOSE, _KEEP = "connection: close\r\n", "connection: keep-alive\r\n"
_NOTHING: Mapping[str, str] = {}
_USUAL_NAMES = (
    *("accept", "accept-encoding", "accept-language", "authorization", "connection", "content-length", "content-type"),
    *("cookie", "host", "origin", "referer", "user-agent", "x-request-id"),
)
_NAMES = {spelled.encode(): name for name in _USUAL_NAMES for spelled in (name, name.title())}
_MORE_THAN_A_HEAD = frozenset({"content-length", "expect", "transfer-encoding"})
_SLOWEST_READ = 1024  # bytes a second
_OK = 200
_CHUNK_OVERHEAD = 16  # bytes of framing for each byte of body, far above what honest chunks have


class _Stop(Exception):
    """Stops the parser from within a callback."""


class HttpConnection(HttpToolsProtocol):
    """One connection of one listener."""

    def __init__(self, lane: Lane, config: Config, loop: asyncio.AbstractEventLoop, accepted: socket.socket) -> None:
        super().__init__(config, lane.state, {}, loop)
        self.access_log = False
        self._lane = lane
        self._accepted: socket.socket | None = accepted  # until the handshake is over
        self._since = lane.pulse.now  # the last answer, or the beginning
        self._limits = lane.limits
        self._outgoing: Outgoing
        self._pace: Pace
        self._peer = Peer(address="")
        self._is_proxy = self._tells_certificate = False
        self._deadline = lane.pulse.now + lane.limits.head_seconds
        self._write_deadline = 0.0
        self._refused: Response | None = None  # what a callback stopped the parser with
        self._over = False  # nothing more is read, only swallowed
        self._swallowed = 0
        self._receiving = False  # from the first byte of a request to its last
        self._head_done = False
        self._began = False  # within the piece of data that is being read
        self._fed = 0  # bytes of the request that came in earlier pieces
        self._body_size = self._lines = 0  # bytes of the body, lines of the head
        self._fields: dict[str, str] = {}
        self._exchange: Exchange | None = None  # the one whose body is being received
        self._kept: CachedResponse | None = None  # the answer, where it is there already
        self._fast = self._keep_alive = self._old_version = False
        self._parts: list[bytes] = []

    # --- the transport ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._accepted = None
        self._outgoing = Outgoing(transport, self.finish)
        self._pace = Pace(transport)
        secured = transport.get_extra_info("ssl_object")
        certificate = secured.getpeercert(True) if secured is not None else None  # noqa: FBT003 - the standard library's signature
        self._peer = Peer(self.client[0] if self.client else "", certificate)
        self._is_proxy = self._lane.proxies.include(self._peer.address)
        self._tells_certificate = self._lane.proxies.tell_certificate(self._peer.address)

    def data_received(self, data: bytes) -> None:
        longest = self._limits.head_bytes
        if len(data) <= longest:
            self._take(data)
            return
        for start in range(0, len(data), longest):  # so that no piece hides how long a head has become
            self._take(data[start : start + longest])

    def _take(self, data: bytes) -> None:
        if self._over:
            self._swallow(len(data))
            return
        self._began = False
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as stop:
            self._interrupted(stop)
        if self._receiving and not self._began and not self._over:
            self._fed += len(data)
            self._check_framing()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_deadline = self._lane.pulse.now + self._limits.write_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_deadline = 0.0
        if self._over and not self._receiving and not self._is_busy():
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lane.connections.leave(self)
        self.pipeline.clear()
        self._exchange, self._parts = None, []

    # --- called where connections are counted ------------------------------------------------------------------------

    def waits_since(self) -> float | None:
        """Since when it is the peer's turn; None while a request is being answered."""
        return None if self._is_busy() else self._since

    def cut(self) -> None:
        """End at once."""
        if self._accepted is None:
            self.transport.abort()
        else:
            with suppress(OSError):  # the peer was faster
                self._accepted.shutdown(socket.SHUT_RDWR)  # ends the handshake

    # --- called by the worker --------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """End what takes too long; called again and again."""
        if self.transport.is_closing() and not self.flow.write_paused and self._pace.has_delivered():
            self.transport.abort()  # only the peer's goodbye is missing
        elif self._write_deadline and now >= self._write_deadline:
            self._write_deadline = now + self._limits.write_seconds
            self._cut_unless_read()
        elif not self._deadline or now < self._deadline:
            return
        elif self.flow.read_paused:  # it is we who keep the peer waiting
            self._deadline = now + self._limits.head_seconds
        elif self.transport.is_closing():
            self._deadline = now + self._limits.write_seconds
            self._cut_unless_read()
        elif self._receiving and not self._over:
            self._refuse(told(408, "The request took too long to arrive."))
        else:
            self._close()

    def shutdown(self) -> None:
        """Close when idle; otherwise after what is being received and answered. The lane is draining by now."""
        if self._is_busy():
            self.cycle.keep_alive = False
        elif not self._receiving:
            self._close()

    def finish(self) -> None:
        """End the connection after the last answer; a peer that is still sending may do so a while, to read that answer."""
        self._over = True
        self.pipeline.clear()
        if self.flow.write_paused:
            self._receiving = False  # closed once the peer has read
        elif not self._receiving or self._swallowed > self._limits.linger_bytes:
            self._close()
        else:
            self.flow.resume_reading()
            self._deadline = self._lane.pulse.now + self._limits.linger_seconds

    # --- the parser ------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._over:
            raise self._stop_with(told(400, "The connection is closing."))
        self.url = b""
        self._fields, self._lines = {}, 0
        self._receiving, self._head_done, self._began, self._fed = True, False, True, 0
        self._deadline = self._lane.pulse.now + self._limits.head_seconds

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self._limits.url_bytes:
            raise self._stop_with(told(414, "The address is longer than what is read here."))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:  # a trailer: nothing here reads one
            return
        self._lines += 1
        if self._lines > self._limits.headers:
            raise self._stop_with(told(431, f"There are more than the {self._limits.headers} header lines that are read here."))
        key = _NAMES.get(name)
        if key is None:
            key = name.decode("ascii").lower()
            if key in CERTIFICATE_FIELDS and not self._tells_certificate:
                return
        text = value.decode("latin-1").rstrip(" \t")
        fields = self._fields
        if key in fields:
            if key == "host":
                raise self._stop_with(told(400, "There is more than one Host header."))
            text = f"{fields[key]}; {text}" if key == "cookie" else f"{fields[key]}, {text}"
        fields[key] = text

    def on_headers_complete(self) -> None:
        self._head_done = True
        fields = self._fields
        if not self._began:
            self._check_head()
        self._keep_alive = self.parser.should_keep_alive()
        # Only HTTP/1.1 keeps a connection without being asked to.
        self._old_version = ("connection" in fields or not self._keep_alive) and self._is_old_version()
        upgrading = self.parser.should_upgrade()
        if upgrading:
            self._keep_alive = False  # the parser takes what follows for the other protocol
            if self.parser.get_method() == b"CONNECT":
                raise self._stop_with(told(501, "This is no proxy."))
        kept = self._lane.dispatcher.kept.find((fields.get("host"), self.url))
        if kept is not None and self._may_repeat(kept):
            self._kept, self._fast = kept, True
            return
        exchange = self._begin()
        expected = "expect" in fields and self._expects_continue()
        if "content-length" in fields or "transfer-encoding" in fields:
            self._check_body(exchange)
            if upgrading and not self._is_empty():
                raise self._stop_with(told(400, "A request with a body cannot ask for another protocol: leave Upgrade out."))
        self._exchange = exchange
        found = exchange.found
        self._fast = (
            isinstance(found, Route)
            and found.fast
            and found.method == exchange.request.method
            and not expected
            and not self.flow.write_paused
            and not self._is_busy()
        )
        if not self._fast:
            self._start(exchange, keep_alive=self._keep_alive and not self._old_version, expect=expected)

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if not self._fast:
            super().on_body(body)
            return
        self._parts.append(body)
        if self._exchange is not None and self._body_size > self._exchange.max_body:
            raise self._stop_with(self._exchange.too_large())

    def on_message_complete(self) -> None:
        self._receiving = False
        self._deadline = 0.0
        exchange, self._exchange = self._exchange, None
        if self._kept is not None:
            kept, self._kept = self._kept, None
            self._repeat(kept)
        elif not self._fast:
            super().on_message_complete()
        elif exchange is not None:
            if self._parts:
                exchange.request.body = b"".join(self._parts)
                self._parts = []
            self._answer(exchange)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif not self._receiving and not self._over:
            self._since = self._lane.pulse.now
            self._deadline = self._since + self._limits.idle_seconds

    # --- within ----------------------------------------------------------------------------------------------------

    def _should_upgrade(self) -> bool:  # asked by the methods of uvicorn that are used here
        return False

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _close(self) -> None:
        self._over = True
        self.transport.close()
        self._deadline = self._lane.pulse.now + self._limits.write_seconds

    def _cut_unless_read(self) -> None:
        if self._pace.taken() < self._limits.write_seconds * _SLOWEST_READ:
            self._pace.cut()

    def _swallow(self, size: int) -> None:
        self._swallowed += size
        if self._swallowed <= self._limits.linger_bytes:
            return
        if self._is_busy():
            self.flow.pause_reading()  # answers are still due
        else:
            self._close()

    def _check_head(self) -> None:
        """Exactly, where the head came in more than one piece; no piece is longer than a head may be."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self._fields.items())
        if size > self._limits.head_bytes:
            raise self._stop_with(told(431, "The headers are longer than what is read here."))

    def _check_framing(self) -> None:
        """Data that brings nothing further (an endless header, chunks of almost nothing, trailers) has its limit as well."""
        if not self._head_done:
            if self._fed > self._limits.head_bytes:
                self._refuse(told(431, "The headers are longer than what is read here."))
        elif self._fed > 2 * self._limits.head_bytes + _CHUNK_OVERHEAD * self._body_size:
            self._refuse(told(400, "The body is mostly framing."))

    def _is_old_version(self) -> bool:
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise self._stop_with(told(505, "HTTP/1.1 and HTTP/1.0 are spoken here."))
        return bool(version == "1.0")

    def _expects_continue(self) -> bool:
        expected = "" if self._old_version else self._fields["expect"].lower()
        if expected not in ("", "100-continue"):
            raise self._stop_with(told(417, "The only expectation that is met here is 100-continue."))
        return bool(expected)

    def _check_body(self, exchange: Exchange) -> None:
        """What the head says about the body. From now on the body has its time to arrive."""
        self._body_size = 0
        if self._old_version and "transfer-encoding" in self._fields:  # RFC 9112, section 6.1: its framing is faulty
            raise self._stop_with(told(400, "HTTP/1.0 has no Transfer-Encoding."))
        if self._fields.get("transfer-encoding", "chunked").lower() != "chunked":
            raise self._stop_with(told(501, "The only transfer encoding that is read here is chunked."))
        if int(self._fields.get("content-length", "0")) > exchange.max_body:
            raise self._stop_with(exchange.too_large())
        self._deadline = self._lane.pulse.now + self._limits.body_seconds

    def _interrupted(self, stop: Exception) -> None:
        refused, self._refused = self._refused, None
        if isinstance(stop, httptools.HttpParserUpgrade):  # answered, or about to be; what follows is no HTTP to the parser
            self._over = True
        elif self._over:
            return
        elif refused is not None:
            self._refuse(refused)
        elif isinstance(stop, httptools.HttpParserCallbackError) and stop.__context__ is not None:
            self._lane.log.error("connection failed", listener=str(self._lane.listener), **account_of(stop.__context__))
            self._refuse(told(500, "Something went wrong here."))
        else:
            self._refuse(told(400, "This is not an HTTP request."))

    def _stop_with(self, response: Response) -> _Stop:
        """What to raise in a callback, so that the parser stops and the connection ends with `response`."""
        self._refused = response
        return _Stop()

    def _begin(self) -> Exchange:
        lane, fields, url = self._lane, self._fields, self.url
        method = self.parser.get_method()
        hot = lane.dispatcher.hot.get((method, url))
        site = lane.sites.get(fields.get("host", ""))
        if hot is not None and site is not None and not self._is_proxy:
            request_id = lane.request_ids.of(fields)
            request = Request(hot.method, hot.path, "", fields, b"", _NOTHING, self._peer, site.origin, request_id)
            return Exchange(request, hot, hot.wire, site, lane.dispatcher)
        try:
            peer = self._peer if not self._is_proxy else lane.proxies.client(self._peer, fields, lane.trust_pem)
            target, host = target_of(self.url, fields.get("host"))
            site = lane.own_site if host is None and self._old_version else lane.site(host or "")
        except ValueError as cause:
            raise self._stop_with(told(400, "The address or the Host header is not what HTTP asks for.")) from cause
        except InvalidInput as refusal:
            raise self._stop_with(told(400, refusal.detail)) from refusal
        path, _, query = target.partition("?")
        request_id = lane.request_ids.of(fields)
        request = Request(method.decode("ascii"), path, query, fields, b"", {}, peer, site.origin, request_id)
        return lane.dispatcher.begin(request, path, site)

    def _answer(self, exchange: Exchange) -> None:
        """Answer in the fast lane."""
        route, host = exchange.found, exchange.request.headers.get("host")
        if isinstance(route, Route) and route.same_for and route.method == "GET" and host is not None:
            exchange.keep_as = CacheKey(host, self.url, self._lane.pulse.now + route.same_for.total_seconds())
        try:
            outcome = self._lane.first_step.run(exchange.dispatcher.answer(exchange))
        except asyncio.CancelledError:
            outcome = exchange.given_up()
        if isinstance(outcome, Response):
            self._since = self._lane.pulse.now
            self._deadline = self._since + self._limits.idle_seconds
            self._write(exchange, outcome, self._keep_alive, self._old_version)
            return
        running: Any = Running(keep_alive=self._keep_alive)
        self.cycle = running
        tasks: set[Any] = self.tasks  # uvicorn's own tasks have no result
        tasks.add(outcome)
        outcome.add_done_callback(partial(self._answered, exchange, running, self._old_version))

    def _answered(self, exchange: Exchange, running: Running, old_version: bool, task: asyncio.Task[Response]) -> None:
        tasks: set[Any] = self.tasks
        tasks.discard(task)
        running.response_complete = True
        if running.disconnected:
            return
        response = exchange.given_up() if task.cancelled() else task.result()
        self._write(exchange, response, running.keep_alive, old_version)
        self.on_response_complete()

    def _write(self, exchange: Exchange, response: Response, keep_alive: bool, old_version: bool) -> None:
        response, lines = exchange.with_headers(response)
        head = f"{self._lane.pulse.date}{lines}"
        closing = self._is_last(keep_alive)
        self._outgoing.write(encode(response, head + (_CLOSE if closing else _KEEP if old_version else "")))
        if closing:
            self.finish()
        if exchange.keep_as is not None and response.status == _OK:
            lines = head.removesuffix(f"x-request-id: {exchange.request.request_id}\r\n")
            exchange.dispatcher.kept.keep(exchange.keep_as, response, lines)

    def _is_last(self, keep_alive: bool) -> bool:
        return not keep_alive or (self._lane.draining and not self.pipeline)

    def _may_repeat(self, kept: CachedResponse) -> bool:
        """Whether nothing about this request asks for more than the bytes that are there."""
        return (
            kept.until > self.loop.time()
            and self.parser.get_method() == b"GET"
            and (_MORE_THAN_A_HEAD.isdisjoint(self._fields) or self._is_empty())
            and not self._is_proxy
            and not self.flow.write_paused
            and not self._is_busy()
        )

    def _is_empty(self) -> bool:
        """Whether all that the head says about a body is that there is none."""
        return self._fields.get("content-length") == "0" and self._fields.keys() & _MORE_THAN_A_HEAD == {"content-length"}

    def _repeat(self, kept: CachedResponse) -> None:
        lane = self._lane
        self._since = lane.pulse.now
        self._deadline = self._since + self._limits.idle_seconds
        closing = self._is_last(self._keep_alive)
        connection = _CLOSE if closing else _KEEP if self._old_version else ""
        self._outgoing.write(kept.message(lane.request_ids.of(self._fields), connection))
        if closing:
            self.finish()

    def _refuse(self, response: Response) -> None:
        """End the connection with `response`, after the answers that are due before it."""
        self._over = True
        self._deadline = 0.0
        open_exchange = self._exchange
        self._receiving = True  # or about to: the peer was in the middle of something
        if open_exchange is not None and self._head_done and not self._fast:
            open_exchange.refusal = response
            self.cycle.keep_alive = self.cycle.more_body = False
            self.cycle.message_event.set()
            return
        request = Request("GET", "", peer=self._peer, request_id=self._lane.request_ids.of(self._fields))
        exchange = Exchange(request, NotFound(""), None, self._lane.own_site, self._lane.dispatcher, response)
        self._start(exchange, keep_alive=False, expect=False)

    def _start(self, exchange: Exchange, *, keep_alive: bool, expect: bool) -> None:
        """Hand over to the slow lane, behind whatever is being answered."""
        scope = asgi_scope(self, exchange, http_version="1.0" if self._old_version else "1.1", date=self._lane.pulse.date_value)
        busy = self._is_busy()
        outgoing: Any = self._outgoing
        self.cycle = RequestResponseCycle(
            scope=scope,
            transport=outgoing,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=expect,
            keep_alive=keep_alive and not self._lane.draining,
            on_response=self.on_response_complete,
        )
        if busy:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))
        else:
            self._start_asgi_task(self.cycle, self.app)
