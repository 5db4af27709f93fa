"""Whether a peer reads what we send, as the kernel counts it: buffers above the kernel say nothing about the peer."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios

_BYTES_ACKED = 120  # where the kernel's tcp_info counts the bytes that the peer has acknowledged
_TCP_INFO_SIZE = 256
_AT_ONCE = struct.pack("ii", 1, 0)


class SendProgress:
    """How far the bytes that were sent on one connection have got."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._acknowledged = 0
        self._was_empty = False

    def has_delivered(self) -> bool:
        """Whether nothing waits in the kernel, and nothing did when this was last asked (a while ago)."""
        connection = self._transport.get_extra_info("socket")
        try:
            empty = connection is None or not any(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))
        except OSError:  # gone, and the event loop is about to say so
            empty = True
        before, self._was_empty = self._was_empty, empty
        return empty and before

    def newly_acknowledged(self) -> int:
        """Bytes that the peer has acknowledged since this was last asked."""
        connection = self._transport.get_extra_info("socket")
        if connection is None:
            return 0
        try:
            report = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
        except OSError:
            return 0
        before = self._acknowledged
        (self._acknowledged,) = struct.unpack_from("Q", report, _BYTES_ACKED)
        return self._acknowledged - before

    def abort(self) -> None:
        """End the connection and discard what the peer has not taken, in the kernel as well."""
        connection = self._transport.get_extra_info("socket")
        try:
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        except OSError:
            pass
        self._transport.abort()
