"""The revisions and `db/schema.py` describe the same tables, on both engines."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sealwright.db.migrate import NEWEST, SchemaTooNew, migrate
from sealwright.db.whole_schema import metadata
from tests.databases import scratch_postgresql


def differences(connection):
    return compare_metadata(MigrationContext.configure(connection), metadata)


def test_sqlite_revisions_lead_to_the_schema(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    assert asyncio.run(migrate(url)) == ""
    assert asyncio.run(migrate(url)) == NEWEST
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        assert differences(connection) == []


def test_postgresql_revisions_lead_to_the_schema(postgresql_url):
    async def scenario():
        async with scratch_postgresql(postgresql_url) as url:
            assert await migrate(url) == NEWEST
            engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), poolclass=NullPool)
            async with engine.connect() as connection:
                assert await connection.run_sync(differences) == []
            await engine.dispose()

    asyncio.run(scenario())


def test_newer_schema_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    asyncio.run(migrate(url))
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="9999"):
        asyncio.run(migrate(url))
