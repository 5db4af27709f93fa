"""Requests of the same moment go through their stages side by side."""

import asyncio

from sealwright.stages import next_stage


def test_nobody_begins_a_stage_before_all_have_ended_the_one_before():
    passed = []

    async def request(name):
        for stage in (1, 2, 3):
            passed.append((stage, name))
            await next_stage()

    async def scenario():
        await asyncio.gather(*(request(name) for name in "abc"))

    asyncio.run(scenario())
    assert passed == [(stage, name) for stage in (1, 2, 3) for name in "abc"]
