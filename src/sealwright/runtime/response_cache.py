"""Responses that are the same for everyone for a moment: kept as bytes, and sent again without calling the handler."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from sealwright.http import Response
from sealwright.request_counts import Series
from sealwright.runtime.http_response import encode_head

MOST_KEPT = 1_000
"""Of one listener in one worker; a few kilobytes each."""


class CachedResponse(Struct, frozen=True):
    """One finished response. Only the request id, and what is said of the connection, differ from one time to the next."""

    head: bytes
    """From the status line to where the request id goes."""
    body: bytes
    until: float
    """When it must be made anew, on the clock of the event loop."""
    series: Series
    """Where it is counted each time."""

    def message(self, request_id: str, connection: str) -> bytes:
        """The whole answer; `connection` is a header line or nothing."""
        return b"%bx-request-id: %b\r\n%b\r\n%b" % (self.head, request_id.encode(), connection.encode(), self.body)


class CacheKey(NamedTuple):
    """Where a response is found again, and until when."""

    host: str
    """The Host header."""
    address: bytes
    """Path and query as they came over the wire."""
    until: float


class ResponseCache:
    """Of one listener and one application, so that a reload begins with none.

    Only what a handler answered with 200 is kept: requests for unknown addresses cannot fill the cache.
    """

    def __init__(self) -> None:
        self._answers: dict[tuple[str | None, bytes], CachedResponse] = {}
        self.find = self._answers.get
        """By Host header and address."""

    def keep(self, place: CacheKey, response: Response, lines: str, series: Series) -> None:
        """Keep an answer; `lines` are all its header lines but the request id and what is said of the connection."""
        if len(self._answers) >= MOST_KEPT:
            self._answers.clear()
        self._answers[place.host, place.address] = CachedResponse(
            encode_head(response, lines), response.body, place.until, series
        )
