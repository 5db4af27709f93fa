"""Fresh databases for tests."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import create_engine

from sealwright.db import Database, open_database
from sealwright.db.schema import metadata


@asynccontextmanager
async def sqlite_database(directory: Path | None = None) -> AsyncIterator[Database]:
    """A SQLite database with every table and no rows, gone afterwards unless a directory is given."""
    with tempfile.TemporaryDirectory() as scratch:
        path = (directory or Path(scratch)) / "test.db"
        engine = create_engine(f"sqlite:///{path}")
        metadata.create_all(engine)
        engine.dispose()
        db = await open_database(f"sqlite:///{path}")
        try:
            yield db
        finally:
            await db.close()
