"""What the supervisor and a worker tell each other, over a pair of sockets that keeps messages apart."""

from __future__ import annotations

import pickle
import socket
from typing import Any, Literal

import msgspec

_LONGEST = 1_048_576


class ChannelClosed(Exception):
    """The process at the other end is gone."""


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """From a worker."""

    kind: Literal["ready", "alive", "failed", "reloaded", "reload_failed"]
    detail: str = ""
    hint: str = ""


class Channel:
    """One end. Sending never waits: a side that does not read loses messages and blocks nothing."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.setblocking(False)  # noqa: FBT003 - the standard library's signature

    def fileno(self) -> int:
        """For selectors and event loops."""
        return self._end.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._end.close()

    def send_settings(self, settings: Any) -> bool:
        """Supervisor to worker: serve with these from now on. False where the message does not get through."""
        return self._send(pickle.dumps(settings))

    def receive_settings(self) -> Any:
        """In the worker, once the channel is readable."""
        return pickle.loads(self._receive())  # noqa: S301 - written by our own parent; no other process has the other end

    def report(self, report: Report) -> bool:
        """Worker to supervisor."""
        return self._send(msgspec.json.encode(report))

    def receive_report(self) -> Report:
        """In the supervisor, once the channel is readable."""
        return msgspec.json.decode(self._receive(), type=Report)

    def _send(self, packet: bytes) -> bool:
        try:
            return self._end.send(packet) == len(packet)
        except OSError:
            return False

    def _receive(self) -> bytes:
        try:
            packet = self._end.recv(_LONGEST)
        except OSError as cause:
            raise ChannelClosed from cause
        if not packet:
            raise ChannelClosed
        return packet


def channel_pair() -> tuple[Channel, Channel]:
    """Two ends."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(one), Channel(other)
