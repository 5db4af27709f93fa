"""Rows that were written by an older version come into a database of today, on both engines."""

import asyncio

import asyncpg
import msgspec
import pytest
from sqlalchemy import bindparam, select

from sealwright.access import SYSTEM
from sealwright.audit import Audit, Event
from sealwright.clock import FixedClock, Instant
from sealwright.db import Statement, open_database
from sealwright.db.dump import DatabaseTaken, load
from sealwright.db.migrate import NEWEST, revision_of
from sealwright.db.schema import accounts, oauth_clients
from sealwright.errors import Conflict

CLIENT = {
    "id": "c",
    "name": "wiki",
    "display_name": "Wiki",
    "kind": "public",
    "landing_url": "https://wiki.example.org",
    "secret_digest": None,
    "sealed_secret": "AAEC",
    "signing_algorithm": "ES256",
    "require_pkce": 1,
    "localhost_redirects": 0,
    "consent_prompt": 1,
    "short_username": 0,
    "refresh_seconds": 60,
    "created_at": 5_000_000_000_000,
    "updated_at": 7,
}
CURRENT = {
    "id": "c",
    "name": "wiki",
    "display_name": "Wiki",
    "kind": "public",
    "landing_url": "https://wiki.example.org",
    "secret_digest": None,
    "sealed_secret": "AAEC",
    "settings": "{}",
    "created_at": 5_000_000_000_000,
    "updated_at": 7,
}
BINARY = {"secret_digest", "sealed_secret"}
READ = Statement(select(oauth_clients.c.name, oauth_clients.c.sealed_secret, oauth_clients.c.created_at))
COUNT = Statement(select(accounts.c.id).where(accounts.c.id != bindparam("other")))


def table(client=CLIENT):
    header = [[name, name in BINARY] for name in client]
    return [("oauth_clients", iter([msgspec.json.encode(header), msgspec.json.encode(list(client.values()))]))]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new.db"
        return
    server = request.getfixturevalue("postgresql_url")

    async def execute(statement):
        connection = await asyncpg.connect(server)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute("CREATE DATABASE dump_of_old"))
    yield f"{server.rpartition('/')[0]}/dump_of_old"
    asyncio.run(execute("DROP DATABASE dump_of_old WITH (FORCE)"))


@pytest.mark.parametrize("revision", ["0001", "0002"])
async def test_rows_of_a_released_version_are_brought_up_to_date(empty_url, revision):
    await load(empty_url, revision, table())
    assert await revision_of(empty_url) == NEWEST
    db = await open_database(empty_url)
    try:
        assert await db.all(READ) == [("wiki", bytes([0, 1, 2]), 5_000_000_000_000)]
        assert await db.all(COUNT, other="") == []
    finally:
        await db.close()


async def test_rows_that_cannot_be_stored_leave_nothing_behind(empty_url):
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the engine says of a column that it does not have
        await load(empty_url, NEWEST, [("accounts", iter([b'[["no_such_column",false]]', b'["x"]']))])
    await load(empty_url, NEWEST, table(CURRENT))
    with pytest.raises(DatabaseTaken):
        await load(empty_url, NEWEST, table(CURRENT))


async def test_rows_that_are_refused_before_they_become_durable_leave_nothing(empty_url):
    async def refuse(db):
        assert [row[0] for row in await db.all(READ)] == ["wiki"]
        raise Conflict("not these")

    with pytest.raises(Conflict, match="not these"):
        await load(empty_url, "0002", table(), refuse)
    assert await revision_of(empty_url) == ""
    await load(empty_url, "0002", table())


async def test_what_is_recorded_before_the_commit_is_durable_with_the_rows(empty_url):
    async def record(db):
        async def body(tx):
            await Audit(FixedClock(Instant(7))).record(tx, Event.BACKUP_RESTORED, actor=SYSTEM, target="server:all")

        await db.write(body)

    await load(empty_url, "0002", table(), record)
    db = await open_database(empty_url)
    try:
        (row,) = await Audit.newest(db)
        assert (row.event, row.target) == ("backup.restored", "server:all")
    finally:
        await db.close()
