"""Requests of the same moment go through their stages side by side."""

import asyncio

from sealwright.stages import next_stage


async def test_nobody_begins_a_stage_before_all_have_ended_the_one_before():
    passed = []

    async def request(name):
        for stage in (1, 2, 3):
            passed.append((stage, name))
            await next_stage()

    await asyncio.gather(*(request(name) for name in "abc"))
    assert passed == [(stage, name) for stage in (1, 2, 3) for name in "abc"]
