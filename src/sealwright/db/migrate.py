"""Bring a database to the newest schema. Forward only; the same steps on both engines; one node at a time.

An empty database gets the newest schema at once, one with an older schema the revisions that it lacks; that both lead to the same
is tested. Whether there is anything to do is asked of the driver itself: a server whose database is current loads neither
Alembic nor what SQLAlchemy needs for connections.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sealwright.db import dbapi
from sealwright.db.errors import SchemaTooNew, empty, unusable
from sealwright.db.urls import sqlite_file

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = max(file.name[:4] for file in (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
"""The revision that this program speaks: its files are numbered in their order."""

_ADVISORY_LOCK = 0x5EA1_0001
_ASK = "SELECT version_num FROM alembic_version"
_PATIENCE_MS = 5_000


async def migrate(url: str, *, may_create: bool = True) -> str:
    """Bring the database at `url` (as for `open_database`) to the newest schema; returns the revision it had, or "".

    Statistics that someone had SQLite make are deleted.
    What cannot be reached raises Unavailable, a newer schema SchemaTooNew, none where none may be made DatabaseEmpty.
    """
    held = await revision_of(url)
    if not may_create:
        require_known(held, url)
    if held != NEWEST:
        held = await on_connection(url, _upgrade)
    if (file := sqlite_file(url)) is not None:
        _forget_statistics(file, url)
    return held


def _forget_statistics(path: Path, url: str) -> None:
    """Delete what ANALYZE, or PRAGMA optimize, has noted in a SQLite database.

    We note nothing, because without notes every statement is planned by its indexes alone; with notes of a time when tables were
    small SQLite reads them whole, however large they are by now.
    """
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(_PATIENCE_MS)
            for table in ("sqlite_stat1", "sqlite_stat4"):
                there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchall()
                if there and connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall():  # noqa: S608 - a name of our own
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the same
        finally:
            connection.close()
    except apsw.Error as cause:
        raise unusable(cause, url) from cause


async def revision_of(url: str) -> str:
    """The revision that the database at `url` has, or ""; nothing is changed. What cannot be reached raises Unavailable."""
    if (file := sqlite_file(url)) is not None:
        return _sqlite_revision(file, url)
    from sealwright.db.postgresql import DRIVER_ERRORS, connect  # noqa: PLC0415 - SQLite does not need its driver

    try:
        connection = await connect(url)
        try:
            async with connection.transaction():
                there = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
                return str(await connection.fetchval(_ASK) or "") if there else ""
        finally:
            await connection.close()
    except DRIVER_ERRORS as cause:
        raise unusable(cause, url) from cause


def require_known(revision: str, url: str) -> None:
    """Raise DatabaseEmpty where `revision`, of the database at `url`, is none, SchemaTooNew where it is a later program's."""
    refuse_newer(revision)
    if not revision:
        raise empty(url)


def refuse_newer(revision: str, what: str = "The database") -> None:
    """Raise SchemaTooNew where `revision`, of `what`, is a later program's."""
    if revision > NEWEST:
        raise SchemaTooNew(
            f"{what} has schema {revision}; this program knows schemas up to {NEWEST}.",
            hint="Start a newer version of Sealwright, or restore a backup made by this one.",
        )


def _sqlite_revision(path: Path, url: str) -> str:
    try:
        if not path.exists():
            return ""
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(_PATIENCE_MS)
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall():
                return ""
            row = connection.execute(_ASK).fetchone()
            return str(row[0]) if row else ""
        finally:
            connection.close()
    except (OSError, apsw.Error) as cause:
        raise unusable(cause, url) from cause


async def on_connection(url: str, work: Callable[[Connection], str]) -> str:
    """Run `work` in a transaction while every other process waits. What cannot be reached raises Unavailable."""
    try:
        if (file := sqlite_file(url)) is not None:
            return _on_sqlite(file, work)
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - brings the whole ORM; SQLite needs none of it

        from sealwright.db.postgresql import connect  # noqa: PLC0415 - SQLite does not need its driver

        creator = partial(connect, url)  # SQLAlchemy reads URLs in another way, and knows no second host
        engine = create_async_engine("postgresql+asyncpg://", async_creator=creator, poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            return await connection.run_sync(work)
    except OSError as cause:
        raise unusable(cause, url) from cause
    except DBAPIError as cause:
        driver = cause.orig and (cause.orig.__cause__ or cause.orig)  # asyncpg's own error lies behind SQLAlchemy's
        raise unusable(driver if isinstance(driver, Exception) else cause, url) from cause


def _on_sqlite(path: Path, work: Callable[[Connection], str]) -> str:
    engine = create_engine(f"sqlite:///{path}", module=dbapi, poolclass=NullPool)
    with _alone(path):
        if not path.exists():  # made by SQLite it would be open to others; its logs get the mode of the file
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver begins none, and half a schema would stay
            return work(connection)


def alembic_config(connection: Connection) -> Config:
    """The configuration of Alembic for one connection; there is no file."""
    from alembic.config import Config  # noqa: PLC0415 - see the module's docstring

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> str:
    revision = _revision(connection)
    if revision == NEWEST:
        return revision
    refuse_newer(revision)
    if revision:
        run_revisions(connection)
    else:
        _make(connection)
    return revision


def _make(connection: Connection) -> None:
    """The newest schema in a database that has none yet. The same tables without a revision are an error of the engine."""
    from sealwright.db.full_schema import metadata  # noqa: PLC0415 - see the module's docstring

    metadata.create_all(connection, checkfirst=False)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": NEWEST})


def make_revision(connection: Connection, revision: str) -> None:
    """The schema of one revision, perhaps an old one, in a database that has none yet."""
    if revision == NEWEST:
        _make(connection)
        return
    from alembic import command  # noqa: PLC0415 - see the module's docstring

    command.upgrade(alembic_config(connection), revision)


def run_revisions(connection: Connection) -> None:
    """Every revision that the database does not have yet, in order."""
    from alembic import command  # noqa: PLC0415 - see the module's docstring

    command.upgrade(alembic_config(connection), "head")


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    row = connection.execute(text(_ASK)).first()
    return str(row[0]) if row else ""


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock that every writing process takes (see `sqlite.py`)."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
