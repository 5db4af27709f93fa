"""One connection: HTTP/1.1 and 1.0 over TLS or plain.

Requests are answered one after the other, in the order in which they came. While one is being answered, at most what the peer
had already sent is read; a peer that does not read is not answered further.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from functools import partial
from time import perf_counter

from sealwright.errors import InvalidInput, NotFound
from sealwright.http import Peer, Request, Response, Route
from sealwright.runtime.application import Exchange
from sealwright.runtime.http_response import encode, encode_head, refused
from sealwright.runtime.listener_state import ListenerState
from sealwright.runtime.logs import account_of
from sealwright.runtime.request_reader import RequestReader, RequestRefused
from sealwright.runtime.response_cache import CachedResponse, CacheKey
from sealwright.runtime.routing import target_of
from sealwright.runtime.tcp_info import SendProgress
from sealwright.traces import STATUS

_CLOSE, _KEEP = "connection: close\r\n", "connection: keep-alive\r\n"
_NOTHING: Mapping[str, str] = {}
_SLOWEST_READ = 1024  # bytes a second
_READ_AHEAD = 65_536
"""Bytes of a body that are read while an earlier request is being answered."""
_MOST_WAITING = 256
"""Requests that are held behind the one that is being answered: each takes a hundred times the memory of its bytes."""
_OK = 200


class HttpConnection(asyncio.Protocol):
    """One connection of one listener."""

    def __init__(self, listener: ListenerState, loop: asyncio.AbstractEventLoop, accepted: socket.socket) -> None:
        self._listener = listener
        self._loop = loop
        self._accepted: socket.socket | None = accepted  # until the handshake has finished
        self._limits = listener.limits
        self._reader = RequestReader(listener.limits, self)
        self._transport: asyncio.Transport
        self._send_progress: SendProgress
        self._peer = Peer(address="")
        self._is_proxy = False
        self._since = listener.coarse_clock.now  # the last answer, or the beginning
        self._deadline = listener.coarse_clock.now + listener.limits.head_seconds
        self._write_deadline = 0.0
        self._current: Exchange | None = None  # the one that is being answered
        self._waiting: deque[Exchange] = deque()  # those behind it
        self._cached: CachedResponse | None = None  # the answer to the request that is being received
        self._owes_continue = False
        self._read_paused = self._write_paused = False
        self._writable: asyncio.Future[None] | None = None  # what a stream waits for
        self._lost = False
        self._lingering = 0  # bytes that were passed over after the last request

    # --- the transport ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # every stream transport is one
        self._listener.open_connections.add(self)
        self._accepted = None
        self._transport = transport
        self._send_progress = SendProgress(transport)
        secured = transport.get_extra_info("ssl_object")
        certificate = secured.getpeercert(True) if secured is not None else None  # noqa: FBT003 - the standard library's signature
        name = transport.get_extra_info("peername")
        self._peer = Peer(str(name[0]) if name else "", certificate)
        self._is_proxy = self._listener.proxies.include(self._peer.address)
        self._reader.keeps_certificate_fields = self._listener.proxies.tell_certificate(self._peer.address)

    def data_received(self, data: bytes) -> None:
        longest = self._limits.head_bytes
        if len(data) <= longest:
            self._take(data)
            return
        for start in range(0, len(data), longest):  # so that no piece hides how long a head has become
            self._take(data[start : start + longest])

    def _take(self, data: bytes) -> None:
        if self._reader.stopped:
            self._pass_over(len(data))
            return
        try:
            refusal = self._reader.feed(data)
        except Exception as bug:  # noqa: BLE001 - one connection must not take the others down
            self._tell(bug)
            refusal = refused(500, "Something went wrong here.")
        if refusal is not None:
            self._refuse(refusal)

    def pause_writing(self) -> None:
        self._write_paused = True
        self._write_deadline = self._listener.coarse_clock.now + self._limits.write_seconds

    def resume_writing(self) -> None:
        self._write_paused = False
        self._write_deadline = 0.0
        self._wake_stream()
        if self._current is None:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature of asyncio
        self._lost = True
        self._listener.open_connections.discard(self)
        self._listener.connections.leave(self)
        self._waiting.clear()
        self._reader.close()
        self._wake_stream()

    # --- called where connections are counted ------------------------------------------------------------------------

    def waits_since(self) -> float | None:
        """Since when it is the peer's turn; None while a request is being answered."""
        return None if self._is_busy() else self._since

    def cut(self) -> None:
        """End at once."""
        if self._accepted is None:
            self._transport.abort()
        else:
            with suppress(OSError):  # the peer was faster
                self._accepted.shutdown(socket.SHUT_RDWR)  # ends the handshake

    # --- called by the worker --------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """End what takes too long; called again and again."""
        closing = self._transport.is_closing()
        if closing and not self._write_paused and self._send_progress.has_delivered():
            self._transport.abort()  # only the peer's goodbye is missing
        elif self._write_deadline and now >= self._write_deadline:
            self._write_deadline = now + self._limits.write_seconds
            self._cut_unless_read()
        elif not self._deadline or now < self._deadline:
            return
        elif self._read_paused:  # it is we who keep the peer waiting
            self._deadline = now + self._limits.head_seconds
        elif closing:
            self._deadline = now + self._limits.write_seconds
            self._cut_unless_read()
        elif self._reader.receiving and not self._reader.stopped:
            self._refuse(refused(408, "The request took too long to arrive."))
        else:
            self._close()

    def shutdown(self) -> None:
        """Close when idle; otherwise after what is being received and answered. The listener is draining by now."""
        if not self._is_busy() and not self._reader.receiving:
            self._close()

    # --- called by the reader ----------------------------------------------------------------------------------------

    def request_begun(self) -> None:
        """The head has its time to arrive."""
        self._deadline = self._listener.coarse_clock.now + self._limits.head_seconds

    def head_read(self) -> Exchange | None:
        """Find what answers the request: a cached response, or a route."""
        reader = self._reader
        cached = self._listener.dispatcher.cache.find((reader.fields.get("host"), reader.url))
        if cached is not None and self._may_repeat(cached):
            self._cached = cached
            return None
        exchange = self._begin()
        exchange.keep_alive, exchange.is_http_1_0 = reader.keep_alive, reader.is_http_1_0
        route, host = exchange.found, reader.fields.get("host")
        if isinstance(route, Route) and route.same_for and reader.method == b"GET" and host is not None:
            until = self._listener.coarse_clock.now + route.same_for.total_seconds()
            exchange.keep_as = CacheKey(host, reader.url, until)
        return exchange

    def body_awaited(self) -> None:
        """The body has its time to arrive, from now on."""
        self._deadline = self._listener.coarse_clock.now + self._limits.body_seconds
        self._owes_continue = self._reader.expects_continue
        if self._owes_continue and not self._is_busy():
            self._continue()

    def body_grew(self, size: int) -> None:
        """Read no further ahead than to the limit."""
        if size > _READ_AHEAD and self._is_busy():
            self._pause_reading()

    def request_read(self, exchange: Exchange | None) -> None:
        """Answer the request, or let it wait for its turn."""
        self._deadline = 0.0
        self._owes_continue = False
        if exchange is None:
            cached, self._cached = self._cached, None
            if cached is not None:
                self._repeat(cached)
        elif self._is_busy() or self._write_paused:
            if len(self._waiting) >= _MOST_WAITING:
                raise RequestRefused(refused(503, f"More than {_MOST_WAITING} requests wait for an answer on this connection."))
            self._waiting.append(exchange)
            self._pause_reading()
        else:
            self._answer(exchange)

    # --- one request after the other -----------------------------------------------------------------------------------

    def _begin(self) -> Exchange:
        listener, reader = self._listener, self._reader
        fields, url, method = reader.fields, reader.url, reader.method
        fixed = listener.dispatcher.fixed.get((method, url))
        site = listener.sites.get(fields.get("host", ""))
        if fixed is not None and site is not None and not self._is_proxy:
            request_id = listener.request_ids.of(fields)
            request = Request(fixed.method, fixed.path, "", fields, b"", _NOTHING, self._peer, site.origin, request_id)
            return Exchange(request, fixed, fixed.wire, site, listener.dispatcher)
        try:
            peer = self._peer if not self._is_proxy else listener.proxies.client(self._peer, fields, listener.trust_pem)
            target, host = target_of(url, fields.get("host"))
            site = listener.own_site if host is None and reader.is_http_1_0 else listener.site(host or "")
        except ValueError as cause:
            raise RequestRefused(refused(400, "The address or the Host header is not what HTTP asks for.")) from cause
        except InvalidInput as refusal:
            raise RequestRefused(refused(400, refusal.detail)) from refusal
        path, _, query = target.partition("?")
        request_id = listener.request_ids.of(fields)
        request = Request(method.decode("ascii"), path, query, fields, b"", {}, peer, site.origin, request_id)
        return listener.dispatcher.begin(request, path, site)

    def _answer(self, exchange: Exchange) -> None:
        self._current = exchange
        exchange.began = perf_counter()
        if exchange.refusal is not None:
            self._write(exchange, exchange.refusal)
            return
        task = self._loop.create_task(self._serve(exchange))
        self._listener.tasks.add(task)
        task.add_done_callback(partial(self._served, exchange))

    async def _serve(self, exchange: Exchange) -> None:
        dispatcher = exchange.dispatcher
        with dispatcher.in_flight, dispatcher.traced(exchange) as span:
            response = await dispatcher.answer(exchange)
            if response.chunks is None:
                self._write(exchange, response)
            else:
                async with aclosing(response.chunks) as chunks:
                    await self._stream(exchange, response, chunks)
            span.set_attribute(STATUS, exchange.status)

    def _served(self, exchange: Exchange, task: asyncio.Task[None]) -> None:
        self._listener.tasks.discard(task)
        if task.cancelled() and not exchange.head_sent:  # the worker ends and takes what is late with it; the peer is told so
            exchange.keep_alive = False
            self._write(exchange, exchange.given_up())
        elif task.cancelled():
            self._send_progress.abort()
        elif (bug := task.exception()) is not None:
            self._tell(bug)
            self._transport.abort()

    def _go_on(self) -> None:
        """What follows an answer, once the peer has read enough of it."""
        if self._lost or self._write_paused:
            return
        reader = self._reader
        if self._waiting:
            self._answer(self._waiting.popleft())
        elif reader.stopped and not reader.receiving:
            self._close()
        elif not self._transport.is_closing():
            if not reader.receiving:
                self._deadline = self._since + self._limits.idle_seconds
            elif self._owes_continue:
                self._continue()
        if not self._waiting and not self._transport.is_closing():
            self._resume_reading()

    def _refuse(self, response: Response) -> None:
        """End the connection with `response`, after the answers that are due before it."""
        exchange = self._reader.exchange
        if exchange is None:
            request = Request("GET", "", peer=self._peer, request_id=self._listener.request_ids.of(self._reader.fields))
            exchange = Exchange(request, NotFound(""), None, self._listener.own_site, self._listener.dispatcher)
        self._reader.close()
        self._reader.receiving = True  # or about to: the peer was in the middle of something
        self._deadline = 0.0
        self._owes_continue = False
        exchange.refusal, exchange.keep_alive = response, False
        if self._is_busy() or self._write_paused:
            self._waiting.append(exchange)
            self._pause_reading()
        else:
            self._answer(exchange)

    # --- what is sent --------------------------------------------------------------------------------------------------

    def _write(self, exchange: Exchange, response: Response) -> None:
        """Send a whole response."""
        response, lines = exchange.with_headers(response)
        head = f"{self._listener.coarse_clock.date}{lines}"
        closing = self._is_last(exchange)
        lines_sent = f"{head}{_connection_line(exchange, closing=closing)}"
        is_head = exchange.request.method == "HEAD"
        self._send(encode_head(response, f"{lines_sent}\r\n") if is_head else encode(response, lines_sent))
        if exchange.keep_as is not None and response.status == _OK and response.chunks is None:
            constant = head.removesuffix(f"x-request-id: {exchange.request.request_id}\r\n")
            exchange.dispatcher.cache.keep(exchange.keep_as, response, constant, exchange.dispatcher.series_of(exchange))
        exchange.status = response.status
        exchange.dispatcher.count(exchange)
        self._end(closing=closing)

    async def _stream(self, exchange: Exchange, response: Response, chunks: AsyncGenerator[bytes, None]) -> None:
        """Send a response piece by piece. Where it breaks off, so does the connection: no peer may take a part for all."""
        response, lines = exchange.with_headers(response)
        if response.chunks is None or exchange.request.method == "HEAD":
            self._write(exchange, response)
            return
        chunked = not exchange.is_http_1_0
        closing = not chunked or self._is_last(exchange)
        framing = "transfer-encoding: chunked\r\n" if chunked else ""
        head = f"{self._listener.coarse_clock.date}{lines}{framing}{_connection_line(exchange, closing=closing)}\r\n"
        self._send(encode_head(response, head))
        exchange.head_sent, exchange.status = True, response.status
        try:
            async for chunk in chunks:
                if chunk:
                    self._send(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
                await self._until_writable()
                if self._lost:
                    return
        except Exception as failure:  # noqa: BLE001 - a bug in one stream must not take the others down
            exchange.dispatcher.report(exchange, failure)
            self._send_progress.abort()
            return
        finally:
            exchange.dispatcher.count(exchange)
        if chunked:
            self._send(b"0\r\n\r\n")
        self._end(closing=closing or self._is_last(exchange))

    async def _until_writable(self) -> None:
        """Wait for a peer that does not read; where it does, let others have their turn."""
        if self._write_paused and not self._lost:
            self._writable = self._loop.create_future()
            await self._writable
        else:
            await asyncio.sleep(0)

    def _wake_stream(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def _continue(self) -> None:
        self._owes_continue = False
        self._send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _send(self, data: bytes) -> None:
        """Write, unless the connection is gone: no one is there to be told."""
        if not self._lost and not self._transport.is_closing():
            self._transport.write(data)

    def _may_repeat(self, cached: CachedResponse) -> bool:
        """Whether nothing about this request asks for more than the bytes that are there."""
        return (
            cached.until > self._loop.time()
            and self._reader.method == b"GET"
            and self._reader.has_no_body()
            and not self._is_proxy
            and not self._write_paused
            and not self._is_busy()
        )

    def _repeat(self, cached: CachedResponse) -> None:
        listener, reader = self._listener, self._reader
        closing = not reader.keep_alive or listener.draining
        connection = _CLOSE if closing else _KEEP if reader.is_http_1_0 else ""
        request_id = listener.request_ids.of(reader.fields)
        self._send(cached.message(request_id, connection))
        series = cached.series
        series.add(_OK, 0.0)  # to measure it would take as long as it does
        if (tracer := listener.dispatcher.tracer) is not None:
            with tracer.request(series.listener, series.method, series.route, request_id, reader.fields) as span:
                span.set_attribute(STATUS, _OK)
        self._end(closing=closing)

    # --- the end of an answer, and of the connection -------------------------------------------------------------------

    def _end(self, *, closing: bool) -> None:
        """An answer has been sent."""
        self._current = None
        self._since = self._listener.coarse_clock.now
        if closing:
            self._finish()
        else:
            self._go_on()

    def _is_last(self, exchange: Exchange) -> bool:
        return not exchange.keep_alive or (self._listener.draining and not self._waiting)

    def _finish(self) -> None:
        """End the connection after the last answer; a peer that is still sending may do so a while, to read that answer."""
        reader = self._reader
        reader.stopped = True
        self._waiting.clear()
        if self._lost:
            return
        if self._write_paused:
            reader.receiving = False  # closed once the peer has read
        elif not reader.receiving or self._lingering > self._limits.linger_bytes:
            self._close()
        else:
            self._resume_reading()
            self._deadline = self._listener.coarse_clock.now + self._limits.linger_seconds

    def _close(self) -> None:
        self._reader.stopped = True
        self._transport.close()
        self._deadline = self._listener.coarse_clock.now + self._limits.write_seconds

    def _pass_over(self, size: int) -> None:
        """What arrives after the last request is not read."""
        self._lingering += size
        if self._lingering <= self._limits.linger_bytes:
            return
        if self._is_busy():
            self._pause_reading()  # answers are still due
        else:
            self._close()

    def _tell(self, bug: BaseException) -> None:
        self._listener.log.error("connection failed", listener=str(self._listener.listener), **account_of(bug))

    def _cut_unless_read(self) -> None:
        if self._send_progress.newly_acknowledged() < self._limits.write_seconds * _SLOWEST_READ:
            self._send_progress.abort()

    def _is_busy(self) -> bool:
        return self._current is not None or bool(self._waiting)

    def _pause_reading(self) -> None:
        if not self._read_paused and not self._transport.is_closing():
            self._read_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._read_paused:
            self._read_paused = False
            self._transport.resume_reading()


def _connection_line(exchange: Exchange, *, closing: bool) -> str:
    return _CLOSE if closing else _KEEP if exchange.is_http_1_0 else ""
