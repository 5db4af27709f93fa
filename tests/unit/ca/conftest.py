"""A certificate authority for each test that asks for one."""

import asyncio

import pytest

from tests.authorities import authority


@pytest.fixture
def with_ca(tmp_path):
    """Run a scenario, a coroutine function that takes the authority, to its end."""

    def run(scenario, **options):
        async def body():
            async with authority(tmp_path, **options) as ca:
                return await scenario(ca)

        return asyncio.run(body())

    return run
