"""Tells systemd the state of the server (sd_notify): one datagram for each change, to the socket that it named."""

from __future__ import annotations

import socket
import time
from datetime import timedelta


class Notifier:
    """Speaks to the service manager; without an address it says nothing."""

    def __init__(self, address: str | None, watchdog: timedelta | None = None) -> None:
        """`address`: value of ``NOTIFY_SOCKET``; `watchdog`: how often a sign of life is wanted (``WATCHDOG_USEC``)."""
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self._interval = watchdog.total_seconds() / 2 if watchdog else None
        self._last_sign = 0.0

    def ready(self, status: str) -> None:
        """The start, or a reload, has finished."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """A reload has begun; `ready` follows, whether it succeeds or not."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=Reloading")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1\nSTATUS=Finishing requests")

    def alive(self) -> None:
        """Give a sign of life where one is due; call it often."""
        now = time.monotonic()
        if self._interval is not None and now - self._last_sign >= self._interval:
            self._last_sign = now
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.setblocking(False)  # noqa: FBT003 - the standard library's signature
            try:
                channel.sendto(message.encode(), self._address)
            except OSError:  # no reader: serving goes on all the same
                return
