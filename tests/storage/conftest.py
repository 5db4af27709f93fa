"""Every storage test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from sealwright.db import Database, open_database
from tests.databases import OpenDatabase, empty_postgresql, postgresql_database, sqlite_database


@pytest.fixture(params=["sqlite", "postgresql"])
def open_scratch(request: pytest.FixtureRequest, tmp_path: Path) -> OpenDatabase:
    """Opens an empty database: ``async with open_scratch() as db``. On SQLite a second opening is the same file."""
    if request.param == "sqlite":
        return partial(sqlite_database, tmp_path)
    return partial(postgresql_database, request.getfixturevalue("postgresql_url"))


OpenTwo = Callable[[], AbstractAsyncContextManager[tuple[Database, Database]]]


@asynccontextmanager
async def _two_on_sqlite(directory: Path) -> AsyncIterator[tuple[Database, Database]]:
    async with sqlite_database(directory) as first, sqlite_database(directory) as second:
        yield first, second


@asynccontextmanager
async def _two_on_postgresql(server_url: str) -> AsyncIterator[tuple[Database, Database]]:
    async with empty_postgresql(server_url) as url:
        first, second = await open_database(url), await open_database(url)
        try:
            yield first, second
        finally:
            await first.close()
            await second.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def open_two(request: pytest.FixtureRequest, tmp_path: Path) -> OpenTwo:
    """Opens one empty database twice, as two nodes would."""
    if request.param == "sqlite":
        return partial(_two_on_sqlite, tmp_path)
    return partial(_two_on_postgresql, request.getfixturevalue("postgresql_url"))
