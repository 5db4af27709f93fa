"""How many requests were answered, how, and how fast: counted in each process, and summed up by any of them for all.

What the processes of a server counted lies in memory that they share from before the fork on, a place for each. A process that
takes the place of one that died goes on with its numbers, so that none of them ever falls.
"""

from __future__ import annotations

import mmap
import zlib
from bisect import bisect_left
from collections.abc import Iterator

import msgspec
from msgspec import Struct

UNKNOWN = "unknown"
"""In place of a path that leads nowhere: what strangers choose is in no label."""
OTHER = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds; upper ends of what a duration is counted among. What takes longer comes after the last."""
ROOM = 512 * 1024
"""Bytes for what one process counted, twice: what is being written is not what is read meanwhile."""

_HEAD = 8  # length and checksum
_PLACE = 1 + 2 * ROOM
_ATTEMPTS = 20


class Series(Struct, array_like=True):
    """The requests of one method to one route on one listener."""

    listener: str
    method: str
    route: str
    statuses: list[int] = msgspec.field(default_factory=lambda: [0] * 6)
    """By the first digit of the status."""
    durations: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """By the first of `BOUNDS` that they did not exceed."""
    seconds: float = 0.0

    def add(self, status: int, seconds: float) -> None:
        """Count an answer, and the time from the whole request to the whole answer."""
        self.statuses[status // 100] += 1
        self.durations[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def add_all(self, other: Series) -> None:
        """Count what another process has counted."""
        self.statuses = [mine + its for mine, its in zip(self.statuses, other.statuses, strict=True)]
        self.durations = [mine + its for mine, its in zip(self.durations, other.durations, strict=True)]
        self.seconds += other.seconds


_decoder = msgspec.msgpack.Decoder(list[Series])
_Key = tuple[str, str, str]


class RequestCounts:
    """Of one server. Make it before the fork."""

    def __init__(self, processes: int = 1) -> None:
        self._processes = processes
        self._memory = mmap.mmap(-1, processes * _PLACE)
        self._place: int | None = None
        self._own: dict[_Key, Series] = {}
        self._read_last: dict[int, list[Series]] = {}

    def take_place(self, number: int) -> None:
        """In a process: count in this place from now on, beginning with what is there. Asked again, it changes nothing."""
        if self._place is None:
            self._place = number
            for left in self._read(number):
                self.series(left.listener, left.method, left.route).add_all(left)

    def series(self, listener: str, method: str, route: str | None) -> Series:
        """What counts requests to a route, the template of a path; the same object each time."""
        method = method if method in METHODS else OTHER
        key = listener, method, UNKNOWN if route is None else route
        found = self._own.get(key)
        if found is None:
            found = self._own[key] = Series(*key)
        return found

    def publish(self) -> None:
        """Let the other processes see what this one has counted."""
        written = msgspec.msgpack.encode(list(self._own.values()))
        if len(written) > ROOM - _HEAD:
            return  # what was published stays: a number that stands still is better than none
        place = (self._place or 0) * _PLACE
        following = 1 - self._memory[place]
        begin = place + 1 + following * ROOM
        head = len(written).to_bytes(4, "big") + zlib.crc32(written).to_bytes(4, "big")
        self._memory[begin : begin + _HEAD + len(written)] = head + written
        self._memory[place] = following

    def totals(self) -> list[Series]:
        """What all processes have counted: this one until now, the others when they last published."""
        self.publish()
        found: dict[_Key, Series] = {}
        for number in range(self._processes):
            for each in self._read(number):
                key = each.listener, each.method, each.route
                if key in found:
                    found[key].add_all(each)
                else:
                    found[key] = each
        return [found[key] for key in sorted(found)]

    def _read(self, number: int) -> list[Series]:
        """What a process has published. Where it writes faster than it is read: what was read of it before."""
        for written in self._attempts(number):
            length, checksum = int.from_bytes(written[:4], "big"), int.from_bytes(written[4:_HEAD], "big")
            content = written[_HEAD : _HEAD + length]
            if not length:
                return []
            if len(content) == length and zlib.crc32(content) == checksum:
                self._read_last[number] = _decoder.decode(content)
                break
        return [msgspec.structs.replace(each) for each in self._read_last.get(number, ())]

    def _attempts(self, number: int) -> Iterator[bytes]:
        place = number * _PLACE
        for _ in range(_ATTEMPTS):
            begin = place + 1 + self._memory[place] * ROOM
            length = min(int.from_bytes(self._memory[begin : begin + 4], "big"), ROOM - _HEAD)
            yield self._memory[begin : begin + _HEAD + length]
