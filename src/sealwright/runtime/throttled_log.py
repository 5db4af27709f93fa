"""Log lines that any peer can cause: one a minute at most, so that no one can fill the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PAUSE = 60.0
"""Seconds between two lines of one kind."""


class ThrottledLog:
    """One kind of log line. What comes within a pause is counted, and the count is in the next line."""

    def __init__(self, write: Callable[..., None], event: str, now: Callable[[], float]) -> None:
        """`now`: seconds on any clock that only goes forward."""
        self._write = write
        self._event = event
        self._now = now
        self._times = 0
        self._silent_until = float("-inf")

    def __call__(self, **more: Any) -> None:
        """It happened; `more` is what the line says of this time."""
        self._times += 1
        now = self._now()
        if now < self._silent_until:
            return
        self._write(self._event, times=self._times, **more)
        self._times, self._silent_until = 0, now + PAUSE
