"""Takes connections from the sockets of one listener. The event loop's own server counts no handshakes and hides failures."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

from sealwright.ip import network_of
from sealwright.runtime import descriptors
from sealwright.runtime.connection import HttpConnection
from sealwright.runtime.listener_state import ListenerState
from sealwright.runtime.throttled_log import ThrottledLog

_AT_ONCE = 16
_PAUSE = 0.2
_TLS_CLOSE = 600.0  # long: connections themselves see to it that the peer still reads


class Acceptor:
    """One listener of one worker, from `open` to `close`."""

    def __init__(
        self, listener: ListenerState, sockets: Sequence[socket.socket], make_room: Callable[[], bool], tell_failed: ThrottledLog
    ) -> None:
        """`make_room` ends connections when descriptors are short; `tell_failed` is called where accepting fails."""
        self._listener = listener
        self._sockets = sockets
        self._make_room = make_room
        self._tell_failed = tell_failed
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._closed = False

    def open(self) -> None:
        """Accept from now on."""
        for each in self._sockets:
            self._loop.add_reader(each, self._accept, each)

    def close(self) -> None:
        """Accept no more. Handshakes that are under way go on."""
        self._closed = True
        for each in self._sockets:
            self._loop.remove_reader(each)

    def _accept(self, listening: socket.socket) -> None:
        """Some at once; where room is short, one for each turn of the event loop, so that those which made room are gone."""
        for _ in range(_AT_ONCE):
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as failure:
                self._pause(listening, failure)
                return
            accepted.setblocking(False)  # noqa: FBT003 - the standard library's signature
            network = "" if self._listener.proxies.include(str(address[0])) else network_of(str(address[0]))
            self._admit(accepted, network)
            if self._listener.connections.is_full_for(network):
                return

    def _admit(self, accepted: socket.socket, network: str) -> None:
        connection = HttpConnection(self._listener, self._loop, accepted)
        if not self._listener.connections.enter(connection, network):
            accepted.close()
            return
        handshake = self._loop.create_task(self._connect(connection, accepted))
        self._handshakes.add(handshake)
        handshake.add_done_callback(self._handshakes.discard)

    async def _connect(self, connection: HttpConnection, accepted: socket.socket) -> None:
        timeouts: dict[str, Any] = {}
        context = self._listener.tls_context
        if context is not None:
            timeouts = {"ssl_handshake_timeout": self._listener.limits.handshake_seconds, "ssl_shutdown_timeout": _TLS_CLOSE}
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted, ssl=context, **timeouts)
        except OSError:  # the handshake failed: the peer's matter, and it has been told
            self._listener.connections.leave(connection)
        except BaseException:
            self._listener.connections.leave(connection)
            raise

    def _pause(self, listening: socket.socket, failure: OSError) -> None:
        """Without a pause the event loop would do nothing but try again: the connection stays in the queue."""
        self._tell_failed(
            listener=str(self._listener.listener),
            error=os.strerror(failure.errno or 0),
            open_files=descriptors.limit(),
            hint=f"Where open files are what is short, raise their limit: {descriptors.WHERE}.",
        )
        self._make_room()
        self._loop.remove_reader(listening)
        self._loop.call_later(_PAUSE, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        if not self._closed:
            self._loop.add_reader(listening, self._accept, listening)
