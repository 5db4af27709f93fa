"""What uvicorn's protocol class finds where it looks for the parts of a request that is being answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sealwright.runtime.application import Exchange


class Outgoing:
    """What uvicorn's cycle writes to. Where the peer is still sending, closing waits until it has seen the answer."""

    __slots__ = ("_transport", "close", "is_closing")

    def __init__(self, transport: asyncio.Transport, finish: Callable[[], None]) -> None:
        """`finish` ends the connection after the last answer."""
        self._transport = transport
        self.is_closing = transport.is_closing
        self.close = finish

    def write(self, data: bytes) -> None:
        """Write, unless the connection is gone: uvloop minds that, and nobody is there to be told."""
        if not self._transport.is_closing():
            self._transport.write(data)


class _Stub:
    """Stands where uvicorn looks for an event that nobody waits for."""

    __slots__ = ()

    def set(self) -> None:
        return None


class Running:
    """A request of the fast lane whose handler waits for something. Looks to uvicorn like one of its own cycles."""

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False
        self.message_event = _Stub()


def asgi_scope(connection: HttpToolsProtocol, exchange: Exchange, *, http_version: str, date: Callable[[], bytes]) -> Any:
    """What the slow lane is told of a request; the exchange itself goes with it."""
    request = exchange.request
    return {
        "type": "http",
        "asgi": {"version": connection.asgi_version, "spec_version": "2.3"},
        "http_version": http_version,
        "server": connection.server,
        "client": connection.client,
        "scheme": connection.scheme,
        "method": request.method,
        "root_path": "",
        "path": request.path,
        "raw_path": connection.url,
        "query_string": request.query_text.encode("ascii"),
        "headers": [(name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers.items()],
        "state": {"exchange": exchange, "date": date},
    }
