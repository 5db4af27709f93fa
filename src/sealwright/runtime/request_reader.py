"""Reads requests from the bytes of one connection: head and body within their limits, framing without ambiguity."""

from __future__ import annotations

from typing import Protocol

import httptools

from sealwright.http import Response
from sealwright.runtime.application import Exchange
from sealwright.runtime.http_response import refused
from sealwright.runtime.listener_state import Limits
from sealwright.runtime.proxies import CERTIFICATE_FIELDS

_USUAL_NAMES = (
    *("accept", "accept-encoding", "accept-language", "authorization", "connection", "content-length", "content-type"),
    *("cookie", "host", "origin", "referer", "user-agent", "x-request-id"),
)
_NAMES = {spelled.encode(): name for name in _USUAL_NAMES for spelled in (name, name.title())}
_BODY_FIELDS = frozenset({"content-length", "expect", "transfer-encoding"})
_CHUNK_OVERHEAD = 16  # bytes of framing for each byte of body, far above what honest chunks have


class RequestRefused(Exception):
    """Raised in a callback of the parser: the connection ends with `response`."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class RequestReceiver(Protocol):
    """Called as a request arrives."""

    def request_begun(self) -> None:
        """The first byte is there."""

    def head_read(self) -> Exchange | None:
        """The head is there; returns the request that the body belongs to, None where a cached response answers it."""

    def body_awaited(self) -> None:
        """The head announces a body, which is within the limit."""

    def body_grew(self, size: int) -> None:
        """`size` bytes of the body are there by now."""

    def request_read(self, exchange: Exchange | None) -> None:
        """The whole request is there."""


class RequestReader:
    """One connection's parser, and the request that is being received."""

    def __init__(self, limits: Limits, receiver: RequestReceiver) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._limits = limits
        self._receiver = receiver
        self.keeps_certificate_fields = False
        """Whether the peer is a proxy that is believed about client certificates."""
        self.stopped = False
        """Whether what follows is not a request any more."""
        self.receiving = False
        """From the first byte of a request to its last."""
        self.url = b""
        self.fields: dict[str, str] = {}
        self.method = b""
        self.keep_alive = self.is_http_1_0 = False
        self.expects_continue = False
        self.exchange: Exchange | None = None
        """The request whose body is being received."""
        self._head_done = False
        self._began = False  # within the piece of data that is being read
        self._fed = 0  # bytes of the request that came in earlier pieces
        self._body_size = self._lines = 0  # bytes of the body, lines of the head
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> Response | None:
        """Read `data`, which is no longer than a head may be. Returns what the connection ends with where it cannot go on.

        What a callback raises by mistake comes out.
        """
        self._began = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # the request has been read; what follows is not HTTP to the parser
            self.stopped = True
        except httptools.HttpParserError as stop:
            return None if self.stopped else _refusal_of(stop)
        if self.receiving and not self._began and not self.stopped:
            self._fed += len(data)
            return self._framing_refusal()
        return None

    def has_no_body(self) -> bool:
        """Whether the head asks for nothing but an answer; a body that it declares to be empty is none."""
        fields = self.fields
        return _BODY_FIELDS.isdisjoint(fields) or (
            fields.get("content-length") == "0" and fields.keys() & _BODY_FIELDS == {"content-length"}
        )

    def close(self) -> None:
        """Forget the request, which will not be read to its end."""
        self.stopped = True
        self.exchange, self._parts = None, []

    # --- the parser's callbacks --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.stopped:
            raise RequestRefused(refused(400, "The connection is closing."))
        self.url = b""
        self.fields, self._lines = {}, 0
        self.receiving, self._head_done, self._began, self._fed = True, False, True, 0
        self._receiver.request_begun()

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self._limits.url_bytes:
            raise RequestRefused(refused(414, "The address is longer than what is read here."))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:  # a trailer: nothing here reads one
            return
        self._lines += 1
        if self._lines > self._limits.headers:
            raise RequestRefused(refused(431, f"There are more than the {self._limits.headers} header lines that are read here."))
        key = _NAMES.get(name)
        if key is None:
            key = name.decode("ascii").lower()
            if key in CERTIFICATE_FIELDS and not self.keeps_certificate_fields:
                return
        text = value.decode("latin-1").rstrip(" \t")
        fields = self.fields
        if key in fields:
            if key == "host":
                raise RequestRefused(refused(400, "There is more than one Host header."))
            text = f"{fields[key]}; {text}" if key == "cookie" else f"{fields[key]}, {text}"
        fields[key] = text

    def on_headers_complete(self) -> None:
        self._head_done = True
        fields, parser = self.fields, self._parser
        if not self._began:
            self._check_head()
        self.method = parser.get_method()
        self.keep_alive = parser.should_keep_alive()
        # Only HTTP/1.1 keeps a connection without being asked to.
        self.is_http_1_0 = ("connection" in fields or not self.keep_alive) and self._is_old_version()
        upgrading = parser.should_upgrade()
        if upgrading:
            self.keep_alive = False  # the parser takes what follows for the other protocol
            if self.method == b"CONNECT":
                raise RequestRefused(refused(501, "This is not a proxy."))
        exchange = self._receiver.head_read()
        if exchange is None:
            return
        self.expects_continue = "expect" in fields and self._expects_continue()
        self.exchange = exchange
        if "content-length" in fields or "transfer-encoding" in fields:
            self._check_body(exchange)
            if upgrading and not self.has_no_body():
                raise RequestRefused(refused(400, "A request with a body cannot ask for another protocol: leave Upgrade out."))
            self._receiver.body_awaited()

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        self._parts.append(body)
        exchange = self.exchange
        if exchange is not None:
            if self._body_size > exchange.max_body:
                raise RequestRefused(exchange.too_large())
            self._receiver.body_grew(self._body_size)

    def on_message_complete(self) -> None:
        self.receiving = False
        exchange, self.exchange = self.exchange, None
        if self._parts:
            if exchange is not None:
                exchange.request.body = b"".join(self._parts)
            self._parts = []
        self._receiver.request_read(exchange)

    # --- within ------------------------------------------------------------------------------------------------------

    def _check_head(self) -> None:
        """Exactly, where the head came in more than one piece; no piece is longer than a head may be."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.fields.items())
        if size > self._limits.head_bytes:
            raise RequestRefused(refused(431, "The headers are longer than what is read here."))

    def _framing_refusal(self) -> Response | None:
        """Data that brings nothing further (an endless header, chunks of almost nothing, trailers) has its limit as well."""
        if not self._head_done:
            if self._fed > self._limits.head_bytes:
                return refused(431, "The headers are longer than what is read here.")
        elif self._fed > 2 * self._limits.head_bytes + _CHUNK_OVERHEAD * self._body_size:
            return refused(400, "The body is mostly framing.")
        return None

    def _is_old_version(self) -> bool:
        version = self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise RequestRefused(refused(505, "HTTP/1.1 and HTTP/1.0 are spoken here."))
        return bool(version == "1.0")

    def _expects_continue(self) -> bool:
        expected = "" if self.is_http_1_0 else self.fields["expect"].lower()
        if expected not in ("", "100-continue"):
            raise RequestRefused(refused(417, "The only expectation that is met here is 100-continue."))
        return bool(expected)

    def _check_body(self, exchange: Exchange) -> None:
        """What the head says about the body."""
        self._body_size = 0
        fields = self.fields
        if self.is_http_1_0 and "transfer-encoding" in fields:  # RFC 9112, section 6.1: its framing is faulty
            raise RequestRefused(refused(400, "HTTP/1.0 has no Transfer-Encoding."))
        if fields.get("transfer-encoding", "chunked").lower() != "chunked":
            raise RequestRefused(refused(501, "The only transfer encoding that is read here is chunked."))
        if int(fields.get("content-length", "0")) > exchange.max_body:
            raise RequestRefused(exchange.too_large())


def _refusal_of(stop: Exception) -> Response:
    if not isinstance(stop, httptools.HttpParserCallbackError):
        return refused(400, "This is not an HTTP request.")
    cause = stop.__context__
    if isinstance(cause, RequestRefused):
        return cause.response
    raise cause or stop
