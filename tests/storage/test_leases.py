"""A lease has one holder at a time, on both engines, however many ask at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sealwright.clock import Instant, after
from sealwright.runtime import store
from tests.databases import OpenDatabase

NOW = Instant(1_000_000)
HOUR = timedelta(hours=1)


async def test_one_of_many_gets_the_lease(open_scratch: OpenDatabase) -> None:
    async with open_scratch() as db:
        until = after(NOW, HOUR)

        async def all_claim(now: Instant, end: Instant) -> int:
            return sum(
                await asyncio.gather(
                    *(store.claim(db, "job", f"node {n}", now=now, until=end, latest=after(now, 2 * HOUR)) for n in range(8))
                )
            )

        assert (await all_claim(NOW, until), await all_claim(NOW, until), await all_claim(until, after(until, HOUR))) == (1, 0, 1)


@pytest.mark.parametrize(("holder", "free"), [("one", True), ("two", False)])
async def test_only_the_holder_ends_a_lease(open_scratch: OpenDatabase, holder: str, free: bool) -> None:
    async with open_scratch() as db:
        assert await store.claim(db, "job", "one", now=NOW, until=after(NOW, HOUR), latest=after(NOW, 2 * HOUR))
        assert await store.claim(db, "other", "two", now=NOW, until=after(NOW, HOUR), latest=after(NOW, 2 * HOUR))
        await store.end_at(db, "job", holder, NOW)
        assert await store.claim(db, "job", "three", now=NOW, until=after(NOW, HOUR), latest=after(NOW, 2 * HOUR)) is free
