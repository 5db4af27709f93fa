"""File descriptors: every connection takes one, and so do the database, files and outbound calls."""

from __future__ import annotations

import resource
from pathlib import Path

from msgspec import Struct

from sealwright.errors import Unavailable

MOST_WANTED = 65_536
WHERE = "LimitNOFILE= for systemd, --ulimit nofile= for a container, ulimit -n in a shell"
_RESERVE = range(16, 64)
"""For the database, files, outbound calls, and connections that are just being closed."""
_STATUS = range(4, 64)
"""Connections to the status listener: probes must get through when the others are full."""


class TooFewDescriptors(Unavailable):
    """The process may not open enough files to serve."""

    code = "too_few_descriptors"


class Room(Struct, frozen=True):
    """How many connections one worker may have."""

    status: int
    """To the status listener."""
    others: int
    """To all other listeners together."""


def raise_limit() -> int:
    """Let this process, and those that it forks, open as many files as it may, within reason; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_WANTED if hard == resource.RLIM_INFINITY else min(hard, MOST_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return limit()


def limit() -> int:
    """How many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_WANTED if soft == resource.RLIM_INFINITY else soft


def open_now() -> int:
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def room(most: int, *, limit: int, open_now: int) -> Room:
    """What is left for connections, `most` at most, where `open_now` of `limit` descriptors are taken for good."""
    reserve = _within(_RESERVE, limit // 16)
    left = min(most, limit - open_now - reserve)
    if left < 2 * _STATUS.start:
        needed = open_now + reserve + 2 * _STATUS.start
        raise TooFewDescriptors(
            f"{limit} open files are too few: {needed} is the least that works.",
            hint=f"Raise the limit of open files: {WHERE}.",
        )
    status = _within(_STATUS, left // 8)
    return Room(status, left - status)


def _within(bounds: range, wanted: int) -> int:
    return max(bounds.start, min(wanted, bounds.stop))
