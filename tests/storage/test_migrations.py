"""The revisions and `db/schema.py` describe the same tables, on both engines."""

import asyncio
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sealwright.db.migrate import NEWEST, DatabaseEmpty, SchemaTooNew, migrate, revision_of, run_revisions
from sealwright.db.whole_schema import metadata
from sealwright.errors import Unavailable
from tests.databases import scratch_postgresql


def differences(connection):
    return compare_metadata(MigrationContext.configure(connection), metadata)


def revisions_alone(connection):
    """Every revision, from an empty database on; answers the one that it leads to."""
    run_revisions(connection)
    assert differences(connection) == []
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()


def layout_of(path):
    """What each table and index of a SQLite file looks like, whatever the order and spacing of what made it."""
    connection = sqlite3.connect(path)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    asked = ("table_xinfo", "foreign_key_list", "index_list")
    layout = {
        (table, pragma): sorted(row[1:] for row in connection.execute(f"PRAGMA {pragma}({table})"))
        for table in tables
        for pragma in asked
        if table != "alembic_version"
    }
    connection.close()
    return layout


def test_new_sqlite_database_has_the_schema(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    assert asyncio.run(migrate(url)) == ""
    assert asyncio.run(migrate(url)) == NEWEST
    with create_engine(url, poolclass=NullPool).connect() as connection:
        assert differences(connection) == []


def test_sqlite_revisions_lead_to_the_schema(tmp_path):
    with create_engine(f"sqlite:///{tmp_path / 'b.db'}", poolclass=NullPool).begin() as connection:
        assert revisions_alone(connection) == NEWEST
    asyncio.run(migrate(f"sqlite:///{tmp_path / 'a.db'}"))
    assert layout_of(tmp_path / "b.db") == layout_of(tmp_path / "a.db")


def test_new_postgresql_database_has_the_schema(postgresql_url):
    async def scenario():
        async with scratch_postgresql(postgresql_url) as url:
            assert await migrate(url) == NEWEST
            assert await on_postgresql(url, differences) == []

    asyncio.run(scenario())


def test_postgresql_revisions_lead_to_the_schema(postgresql_url):
    async def scenario():
        async with scratch_postgresql(postgresql_url) as url:
            await on_postgresql(url, empty)
            assert await on_postgresql(url, revisions_alone) == NEWEST

    asyncio.run(scenario())


async def on_postgresql(url, work):
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def empty(connection):
    connection.execute(text("DROP SCHEMA public CASCADE"))
    connection.execute(text("CREATE SCHEMA public"))


def test_tables_without_a_revision_are_left_alone(tmp_path):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE accounts (name TEXT)")
        connection.execute("INSERT INTO accounts VALUES ('somebody')")
    with pytest.raises(Unavailable, match="already exists"):
        asyncio.run(migrate(f"sqlite:///{path}"))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM accounts").fetchall() == [("somebody",)]
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_empty_database_of_a_server_that_exists_is_left_empty(tmp_path, postgresql_url):
    path = tmp_path / "a.db"
    with pytest.raises(DatabaseEmpty, match="is missing"):
        asyncio.run(migrate(f"sqlite:///{path}", may_create=False))
    assert list(tmp_path.iterdir()) == []

    async def scenario():
        async with scratch_postgresql(postgresql_url) as url:
            await on_postgresql(url, empty)
            with pytest.raises(DatabaseEmpty, match=r"The database is empty\."):
                await migrate(url, may_create=False)
            assert await revision_of(url) == ""

    asyncio.run(scenario())


def test_newer_schema_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    asyncio.run(migrate(url))
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="9999"):
        asyncio.run(migrate(url))
