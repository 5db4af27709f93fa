"""A certificate authority for each test that names `ca`."""

import pytest

from tests.authorities import authority


@pytest.fixture
async def ca(tmp_path):
    async with authority(tmp_path) as made:
        yield made
