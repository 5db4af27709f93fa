"""Every storage test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.databases import OpenDatabase, postgresql_database, sqlite_database


@pytest.fixture(params=["sqlite", "postgresql"])
def open_scratch(request: pytest.FixtureRequest, tmp_path: Path) -> OpenDatabase:
    """Opens an empty database: ``async with open_scratch() as db``. On SQLite a second opening is the same file."""
    if request.param == "sqlite":
        return partial(sqlite_database, tmp_path)
    return partial(postgresql_database, request.getfixturevalue("postgresql_url"))
