"""Fresh databases for tests."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from sealwright.db import Database, open_database
from sealwright.db.migrate import migrate
from sealwright.db.schema import metadata

OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def sqlite_database(directory: Path | None = None) -> AsyncIterator[Database]:
    """A SQLite database with every table and no rows, gone afterwards unless a directory is given."""
    with tempfile.TemporaryDirectory() as scratch:
        path = (directory or Path(scratch)) / "test.db"
        if not path.exists():
            engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
            metadata.create_all(engine)
            engine.dispose()
        db = await open_database(f"sqlite:///{path}")
        try:
            yield db
        finally:
            await db.close()


@asynccontextmanager
async def scratch_postgresql(server_url: str) -> AsyncIterator[str]:
    """A new, migrated database on a running server, dropped afterwards; yields its URL."""
    name = f"test_{uuid.uuid4().hex}"
    server = await asyncpg.connect(server_url)
    await server.execute(f"CREATE DATABASE {name}")
    url = f"{server_url.rpartition('/')[0]}/{name}"
    try:
        await migrate(url)
        yield url
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()


@asynccontextmanager
async def postgresql_database(server_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL database with every table and no rows, gone afterwards."""
    async with scratch_postgresql(server_url) as url:
        db = await open_database(url)
        try:
            yield db
        finally:
            await db.close()
