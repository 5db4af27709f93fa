"""What was recorded since: the events that became visible after a place in the record, each once.

Chains are written side by side, and a row can become visible some seconds after the time that it bears. So a place is a time
and, of each chain that was written to shortly before it, the last row that was seen.
"""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta

import msgspec
from msgspec import Struct

from sealwright.audit import store
from sealwright.audit.chain import ChainedRow
from sealwright.clock import Instant, before
from sealwright.db import Database
from sealwright.errors import InvalidInput

LATE = timedelta(seconds=15)
"""A row that becomes visible later than this after its own time is not followed; it is in the record all the same."""
_AT_ONCE = 500
_LONGEST = 16_000


class RecordPlace(Struct, frozen=True):
    """Where a reader is. What is later than `at`, less `LATE`, and not in `seen`, is new."""

    at: int
    seen: dict[str, int]
    """Chain → sequence number of the last row that was seen."""

    def text(self) -> str:
        """For the reader to keep."""
        return base64.urlsafe_b64encode(msgspec.json.encode([self.at, self.seen])).decode().rstrip("=")


def place_of(text: str) -> RecordPlace:
    """The place that a text stands for."""
    try:
        decoded = base64.urlsafe_b64decode(text[:_LONGEST] + "=" * (-len(text[:_LONGEST]) % 4))
        at, seen = msgspec.json.decode(decoded, type=tuple[int, dict[str, int]])
    except (ValueError, msgspec.MsgspecError) as cause:
        raise InvalidInput(f"after is {text[:40]!r}, which this server did not give out.") from cause
    if not 0 <= at < 1 << 62 or not all(0 <= sequence < 1 << 62 for sequence in seen.values()):
        raise InvalidInput("after is a place that no record has.")
    return RecordPlace(at, seen)


async def end_of_record(db: Database, at: Instant) -> RecordPlace:
    """The place at the end of the record."""
    place = RecordPlace(int(at), {})
    while True:
        rows, place = await since(db, place)
        if not rows:
            return place


async def since(db: Database, place: RecordPlace) -> tuple[list[ChainedRow], RecordPlace]:
    """Some rows that are new, the oldest first, and the place after them."""
    floor = before(Instant(place.at), LATE)
    seen, latest = dict(place.seen), place.at
    found: list[ChainedRow] = []
    last: tuple[int, str, int] = (int(floor) - 1, "", 0)
    window: set[str] = set()
    while len(found) < _AT_ONCE:
        page = await store.later_than(db, last, at_most=_AT_ONCE)
        for row in page:
            window.add(row.writer_id)
            if row.sequence > seen.get(row.writer_id, 0):
                seen[row.writer_id] = row.sequence
                latest = max(latest, row.at)
                found.append(row)
        if len(page) < _AT_ONCE:
            break
        last = page[-1].at, page[-1].writer_id, page[-1].sequence
        await asyncio.sleep(0)  # a reader that says it has seen everything lets the whole record be read, page by page
    return found, RecordPlace(latest, {writer_id: sequence for writer_id, sequence in seen.items() if writer_id in window})
