"""Fresh databases for tests."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path

import asyncpg
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from sealwright.db import Database, open_database
from sealwright.db.full_schema import metadata
from sealwright.db.migrate import migrate

OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]

_MEMORY = Path("/dev/shm")
_TEMPLATE = "sealwright_template"
_TEMPLATE_LOCK = 0x5EA1_7E57


@cache
def _empty_sqlite() -> bytes:
    """A SQLite file with every table and no rows."""
    with scratch_directory() as scratch:
        path = scratch / "empty.db"
        engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
        metadata.create_all(engine)
        engine.dispose()
        return path.read_bytes()


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory that is gone afterwards; in memory where that exists, because tests do not need to outlive a power cut."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as scratch:
        yield Path(scratch)


@asynccontextmanager
async def sqlite_database(directory: Path | None = None) -> AsyncIterator[Database]:
    """A SQLite database with every table and no rows, gone afterwards unless a directory is given."""
    with scratch_directory() as scratch:
        path = (directory or scratch) / "test.db"
        if not path.exists():
            path.write_bytes(_empty_sqlite())
        db = await open_database(f"sqlite:///{path}")
        try:
            yield db
        finally:
            await db.close()


async def _make_template(server: asyncpg.Connection, server_url: str) -> None:
    """Migrate one database per server; the others are copies of it."""
    await server.execute(f"SELECT pg_advisory_lock({_TEMPLATE_LOCK})")
    try:
        if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _TEMPLATE):
            await server.execute(f"CREATE DATABASE {_TEMPLATE}_raw")
            await migrate(f"{server_url.rpartition('/')[0]}/{_TEMPLATE}_raw")
            await server.execute(f"ALTER DATABASE {_TEMPLATE}_raw RENAME TO {_TEMPLATE}")
    finally:
        await server.execute(f"SELECT pg_advisory_unlock({_TEMPLATE_LOCK})")


async def _new_postgresql(server_url: str) -> str:
    name = f"test_{uuid.uuid4().hex}"
    server = await asyncpg.connect(server_url)
    try:
        await _make_template(server, server_url)
        await server.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    finally:
        await server.close()
    return f"{server_url.rpartition('/')[0]}/{name}"


async def _drop(server_url: str, url: str) -> None:
    server = await asyncpg.connect(server_url)
    try:
        await server.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
    finally:
        await server.close()


@asynccontextmanager
async def scratch_postgresql(server_url: str) -> AsyncIterator[str]:
    """A new, migrated database on a running server, dropped afterwards; yields its URL. For tests that change its schema."""
    url = await _new_postgresql(server_url)
    try:
        yield url
    finally:
        await _drop(server_url, url)


_REUSED: list[str] = []
"""URLs of every database of this process that is used by one test after the other."""
_FREE: list[str] = []
"""Those of them that no test uses now. To empty one takes a tenth of the time of making another."""
_TABLES = [table.name for table in metadata.sorted_tables]


async def _empty(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        parts = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in _TABLES]
        filled = [row[0] for row in await connection.fetch(" UNION ALL ".join(parts))]
        if filled:
            await connection.execute(f"SET lock_timeout = '5s'; TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE")
    finally:
        await connection.close()


@asynccontextmanager
async def empty_postgresql(server_url: str) -> AsyncIterator[str]:
    """A migrated database without rows on a running server; yields its URL."""
    if _FREE:
        url = _FREE.pop()
    else:
        _REUSED.append(url := await _new_postgresql(server_url))
    yield url
    await _empty(url)  # not after a failed test: what that left behind may hold locks
    _FREE.append(url)


@asynccontextmanager
async def postgresql_database(server_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL database with every table and no rows."""
    async with empty_postgresql(server_url) as url:
        db = await open_database(url)
        try:
            yield db
        finally:
            await db.close()


async def drop_reused(server_url: str) -> None:
    """Drop what `empty_postgresql` made."""
    for url in _REUSED:
        await _drop(server_url, url)
