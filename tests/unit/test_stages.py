"""Requests of the same moment go through their stages side by side."""

import asyncio

from sealwright.stages import Stages


async def test_no_one_begins_a_stage_before_all_have_ended_the_one_before():
    passed = []
    stages = Stages()

    async def request(name):
        with stages:
            await asyncio.sleep(0)
            for stage in (1, 2, 3):
                passed.append((stage, name))
                await stages.next()

    await asyncio.gather(*(request(name) for name in "abc"))
    assert passed == [(stage, name) for stage in (1, 2, 3) for name in "abc"]


async def test_who_is_alone_waits_for_no_one():
    stages = Stages()
    turns = []

    async def other():
        turns.append("other")

    with stages:
        task = asyncio.create_task(other())
        await stages.next()
        turns.append("went on")
    await task
    assert turns == ["went on", "other"]
