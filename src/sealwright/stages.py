"""Yield once, so that concurrent requests run stage by stage.

Where one stage of a request computes for tens of microseconds (a signature is checked, a request is decoded) and so does the
next, each pushes the other's code out of the processor's caches, and every stage of every request starts cold. Requests that
wait for each other between stages find the code of their stage warm; what one of them computes does not change.
"""

from __future__ import annotations

import types
from collections.abc import Generator


class Stages:
    """The requests that go through the same stages; each is within a ``with`` block while it does."""

    __slots__ = ("_under_way",)

    def __init__(self) -> None:
        self._under_way = 0

    def __enter__(self) -> None:
        self._under_way += 1

    def __exit__(self, *_: object) -> None:
        self._under_way -= 1

    @types.coroutine
    def next(self) -> Generator[None, None, None]:
        """Go on once every other request that is ready now has reached the end of its stage; at once where there is no other."""
        if self._under_way > 1:
            yield
