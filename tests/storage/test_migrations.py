"""The revisions and `db/schema/` describe the same tables, on both engines."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import warnings
from datetime import timedelta

import apsw
import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, literal, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sealwright.db import Statement, open_database
from sealwright.db.errors import DatabaseEmpty, SchemaTooNew, unusable
from sealwright.db.full_schema import metadata
from sealwright.db.migrate import NEWEST, alembic_config, migrate, on_connection, revision_of, run_revisions
from sealwright.errors import Unavailable
from sealwright.oauth.clients.store import client_named
from tests.databases import scratch_postgresql

KEY = {"key": b"address"}


def differences(connection):
    """Indexes of SQLite whose key is an expression are not among them: `layout_of` has those."""
    with warnings.catch_warnings():
        for told in ("Skipped unsupported reflection of expression-based index", "autogenerate skipping"):
            warnings.filterwarnings("ignore", told)
        return compare_metadata(MigrationContext.configure(connection), metadata)


def revisions_alone(connection):
    """Every revision, from an empty database on; returns the one that it leads to."""
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
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%||%'")
    layout |= {(name, "expression"): sql.split() for name, sql in indexes}
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


async def test_new_postgresql_database_has_the_schema(postgresql_url):
    async with scratch_postgresql(postgresql_url) as url:
        assert await migrate(url) == NEWEST
        assert await on_postgresql(url, differences) == []


async def test_one_of_several_postgresql_hosts_gets_the_schema(postgresql_url):
    async with scratch_postgresql(postgresql_url) as url:
        await on_postgresql(url, empty)
        account, _, place = url.rpartition("@")
        host, _, name = place.partition("/")
        several = f"{account}@127.0.0.1:1,{host}/{name}"
        assert await migrate(several) == ""
        assert await migrate(several) == NEWEST
        db = await open_database(several)
        assert await db.one(Statement(select(literal(1)))) == (1,)
        await db.close()


async def test_postgresql_revisions_lead_to_the_schema(postgresql_url):
    async with scratch_postgresql(postgresql_url) as url:
        await on_postgresql(url, empty)
        assert await on_postgresql(url, revisions_alone) == NEWEST


def as_the_first_release_left_it(connection):
    """The first revision alone, with one failed attempt to sign in, one request that waits, one that was answered, and
    tokens that were used."""
    command.upgrade(alembic_config(connection), "0001")
    connection.execute(text("INSERT INTO throttles (key, failures, last_failure_at, blocked_until) VALUES (:key, 3, 7, 9)"), KEY)
    connection.execute(
        text(
            "INSERT INTO oauth_clients (id, name, display_name, kind, landing_url, signing_algorithm, refresh_seconds,"
            " created_at, updated_at) VALUES ('c', 'wiki', 'The Wiki', 'public', 'https://wiki.example.org', 'ES256', 60, 1, 1)"
        )
    )
    for digest, consumed in ((b"waits", None), (b"answered", 5)):
        connection.execute(
            text(
                "INSERT INTO oauth_requests (digest, client_id, parameters, created_at, expires_at, consumed_at)"
                " VALUES (:digest, 'c', '{}', 3, 11, :consumed)"
            ),
            {"digest": digest, "consumed": consumed},
        )
    for until, use in ((10, b"a" * 16), (20, b"a" * 16), (30, b"b" * 16)):
        row = {"key": until.to_bytes(4) + use, "until": until * 1000}
        connection.execute(text("INSERT INTO used_tokens (key, expires_at) VALUES (:key, :until)"), row)


def answered_in(connection):
    rows = connection.execute(text("SELECT digest, expires_at FROM oauth_answered_requests"))
    return [(bytes(row[0]), row[1]) for row in rows]


def attempts_in(connection):
    """What is counted, once everything else that the first release left is there as well."""
    assert differences(connection) == []
    uses = connection.execute(text("SELECT digest, kept_until FROM used_tokens ORDER BY kept_until"))
    assert [tuple(row) for row in uses] == [(b"a" * 16, 20_000), (b"b" * 16, 30_000)]
    return [tuple(row) for row in connection.execute(text("SELECT failures, counted_since, blocked_until FROM throttles"))]


CLIENT = (
    "INSERT INTO oauth_clients (id, name, display_name, kind, landing_url, signing_algorithm, refresh_seconds, created_at,"
    " updated_at) VALUES (:kind, :kind, 'App', :kind, 'https://app.example.org', 'ES256', 3600, 1, 1)"
)


def older_clients(connection):
    """Clients as the second release kept them: one with everything changed, and one of each kind with nothing changed."""
    command.upgrade(alembic_config(connection), "0002")
    for kind in ("public", "confidential"):
        connection.execute(text(CLIENT), {"kind": kind})
    connection.execute(
        text(
            "INSERT INTO oauth_clients (id, name, display_name, kind, landing_url, signing_algorithm, require_pkce,"
            " localhost_redirects, consent_prompt, short_username, refresh_seconds, created_at, updated_at)"
            " VALUES ('w', 'wiki', 'Wiki', 'confidential', 'https://wiki.example.org', 'RS256', 0, 1, 0, 1, 7200, 1, 1)"
        )
    )
    for uri in ("https://wiki.example.org/cb", "com.example.wiki:/cb"):
        connection.execute(text("INSERT INTO oauth_redirect_uris (client_id, uri) VALUES ('w', :uri)"), {"uri": uri})


def settings_in(connection):
    found = connection.execute(text("SELECT name, settings FROM oauth_clients"))
    return {name: json.loads(settings) for name, settings in found}


SETTINGS = {
    "public": {"refresh_seconds": 3600},
    "confidential": {"refresh_seconds": 3600, "names_without_profile": True},
    "wiki": {
        "names_without_profile": True,
        "localhost_redirects": True,
        "require_pkce": False,
        "consent_prompt": False,
        "short_username": True,
        "redirect_uris": ["com.example.wiki:/cb", "https://wiki.example.org/cb"],
        "id_token_signed_response_alg": "RS256",
        "refresh_seconds": 7200,
    },
}


async def test_what_is_set_on_clients_of_older_databases_stays_set(tmp_path, postgresql_url):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        older_clients(connection)
    await migrate(url, may_create=False)
    with engine.connect() as connection:
        assert settings_in(connection) == SETTINGS
    async with scratch_postgresql(postgresql_url) as url:
        await on_postgresql(url, empty)
        await on_postgresql(url, older_clients)
        await migrate(url, may_create=False)
        assert await on_postgresql(url, settings_in) == SETTINGS
        db = await open_database(url)
        wiki = await client_named(db, "wiki")
        await db.close()
        assert wiki.redirect_uris == ("com.example.wiki:/cb", "https://wiki.example.org/cb")
        assert (wiki.require_pkce, wiki.refresh_seconds, wiki.refresh_grace) == (False, 7200, timedelta(seconds=10))


FAMILY = (
    "INSERT INTO oauth_families (id, client_id, account_id, session_id, scope, authenticated_at, created_at)"
    " VALUES ('f', 'public', 'a', 's', 'openid', 1, 1)"
)


def with_required(connection, table, **given):
    """Insert a row, with something in every column that must hold something."""
    columns = connection.execute(text(f"PRAGMA table_info({table})")).all()
    row = {
        name: given.get(name, 1) for _, name, _, needed, default, key in columns if (needed and default is None) or name in given
    }
    names = ", ".join(row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + name for name in row)})"), row)


def test_tokens_of_people_outlive_the_revision_that_lets_clients_have_some(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0010")
        connection.execute(text(CLIENT), {"kind": "public"})
        with_required(connection, "accounts", id="a")
        with_required(connection, "sessions", id="s", account_id="a")
        connection.execute(text(FAMILY))
        with_required(connection, "oauth_codes", digest=b"code", family_id="f", redirect_uri="https://app.example.org")
        with_required(connection, "oauth_refresh_tokens", digest=b"refresh", family_id="f", sealed_successor=b"next")
    asyncio.run(migrate(url, may_create=False))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, account_id, session_id FROM oauth_families")).all() == [("f", "a", "s")]
        assert connection.execute(text("SELECT digest, family_id FROM oauth_codes")).all() == [(b"code", "f")]
        kept = connection.execute(text("SELECT digest, family_id, sealed_successor FROM oauth_refresh_tokens")).all()
        assert kept == [(b"refresh", "f", b"next")]
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def test_makers_of_programs_are_taken_from_the_record_where_it_tells_them(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = create_engine(url, poolclass=NullPool)
    made = (
        ("client:public", "client.created", "{}"),
        ("provisioner:p", "provisioner.added", "{}"),
        ("trusted_issuer:i", "trusted_issuer.created", "{}"),
        ("trusted_issuer:i", "trusted_issuer.rule_added", '{"rule": "r"}'),
        ("service:a", "api_token.created", '{"token": "t"}'),
    )
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0050")
        with_required(connection, "accounts", id="a", kind="service")
        for token in ("t", "unknown"):
            with_required(connection, "api_tokens", id=token, account_id="a", label=token, digest=token.encode())
        for client in ("public", "confidential"):
            with_required(connection, "oauth_clients", id=client, name=client)
        with_required(connection, "provisioners", id="p")
        with_required(connection, "oauth_trusted_issuers", id="i")
        with_required(connection, "oauth_trusted_issuer_rules", id="r", issuer_id="i", client_id="public", account_id="a")
        for number, (target, event, details) in enumerate(made):
            row = {"target": target, "event": event, "details": details, "outcome": "done", "actor_id": f"maker {number}"}
            with_required(connection, "audit_events", writer_id="w", sequence=number, **row)
    asyncio.run(migrate(url, may_create=False))
    with engine.connect() as connection:
        tables = ("oauth_clients", "provisioners", "oauth_trusted_issuers", "oauth_trusted_issuer_rules", "api_tokens")
        found = [connection.execute(text(f"SELECT id, created_by FROM {table} ORDER BY id")).all() for table in tables]
    assert found == [
        [("confidential", None), ("public", "maker 0")],
        [("p", "maker 1")],
        [("i", "maker 2")],
        [("r", "maker 3")],
        [("t", "maker 4"), ("unknown", None)],
    ]


def test_holders_of_secrets_are_taken_from_the_record_where_it_tells_them(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = create_engine(url, poolclass=NullPool)
    told = (
        ("client.secret_shown", "long ago", "overlapping"),
        ("client.secret_reset", "maker", "overlapping"),
        ("client.secret_shown", "reader", "overlapping"),
        ("client.secret_reset", "", "overlapping"),
        ("client.secret_shown", "latest", "overlapping"),
        ("client.secret_shown", "over", "replaced"),
        ("client.secrets_reset", "maker", "replaced"),
    )
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0057")
        with_required(connection, "oauth_clients", id="overlapping", name="o", secret_digest=b"o", previous_secret_ends_at=9)
        with_required(connection, "oauth_clients", id="replaced", name="r", secret_digest=b"r")
        for number, (event, actor, client) in enumerate(told):
            row = {"target": f"client:{client}", "event": event, "outcome": "done", "actor_id": actor}
            with_required(connection, "audit_events", writer_id="w", sequence=number, **row)
    asyncio.run(migrate(url, may_create=False))
    with engine.connect() as connection:
        kept = "SELECT client_id, account_id, ends_at FROM oauth_credential_holders ORDER BY client_id, account_id"
        found = connection.execute(text(kept)).all()
    assert found == [
        ("overlapping", "latest", None),
        ("overlapping", "maker", 9),
        ("overlapping", "reader", 9),
        ("replaced", "maker", None),
    ]


def test_older_sqlite_database_is_brought_up_to_date_with_what_it_holds(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        as_the_first_release_left_it(connection)
    assert asyncio.run(migrate(url, may_create=False)) == "0001"
    assert asyncio.run(revision_of(url)) == NEWEST
    with engine.connect() as connection:
        assert attempts_in(connection) == [(3, 7, 9)]
        assert answered_in(connection) == [(b"answered", 11)]


async def test_older_postgresql_database_is_brought_up_to_date_with_what_it_holds(postgresql_url):
    async with scratch_postgresql(postgresql_url) as url:
        await on_postgresql(url, empty)
        await on_postgresql(url, as_the_first_release_left_it)
        assert await migrate(url, may_create=False) == "0001"
        assert await revision_of(url) == NEWEST
        assert await on_postgresql(url, attempts_in) == [(3, 7, 9)]
        assert await on_postgresql(url, answered_in) == [(b"answered", 11)]


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


async def test_empty_database_of_a_server_that_exists_is_left_empty(tmp_path, postgresql_url):
    path = tmp_path / "a.db"
    with pytest.raises(DatabaseEmpty, match="is missing"):
        await migrate(f"sqlite:///{path}", may_create=False)
    assert list(tmp_path.iterdir()) == []
    async with scratch_postgresql(postgresql_url) as url:
        await on_postgresql(url, empty)
        with pytest.raises(DatabaseEmpty, match=r"The database is empty\."):
            await migrate(url, may_create=False)
        assert await revision_of(url) == ""


def refusal(url):
    with pytest.raises(Unavailable) as caught:
        asyncio.run(migrate(url))
    assert "settings.toml" not in caught.value.detail
    return f"{caught.value.detail} {caught.value.hint}"


def test_file_that_is_no_database_comes_from_a_backup(tmp_path):
    path = tmp_path / "a.db"
    path.write_text("not a database " * 100)
    assert refusal(f"sqlite:///{path}").startswith(
        f"The database {path} cannot be used: file is not a database. Bring it back from your backup."
    )


def test_full_disk_is_told_as_one(tmp_path):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("CREATE TABLE full (x)")
    full = sqlite3.connect(path)
    full.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as caught, full:
        full.execute("INSERT INTO full VALUES (zeroblob(9000))")
    full.close()
    told = unusable(caught.value, f"sqlite:///{path}")
    assert (told.detail, told.hint) == (
        f"The database {path} cannot be used: database or disk is full.",
        "Make room on its disk.",
    )


def test_place_that_does_not_exist_is_told_with_both_ways_to_name_another(tmp_path):
    told = refusal(f"sqlite:///{tmp_path / 'no' / 'a.db'}")
    assert "No such file or directory. See database_url in settings.toml, or SEALWRIGHT_DATABASE_URL where that is set." in told


def test_server_that_does_not_answer_is_told_with_both_ways_to_name_another():
    told = refusal("postgresql://sealwright:hidden@127.0.0.1:1/none")
    assert told.endswith("or SEALWRIGHT_DATABASE_URL where that is set, and whether the database runs.")
    assert "hidden" not in told


async def test_role_that_may_make_no_tables_is_told_what_it_needs(postgresql_url):
    async with scratch_postgresql(postgresql_url) as url:
        await on_postgresql(url, empty)
        server = await asyncpg.connect(url)
        await server.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        await server.execute("CREATE ROLE visitor LOGIN")
        try:
            with pytest.raises(Unavailable) as caught:
                await migrate(url.replace("//sealwright@", "//visitor@"))
        finally:
            await server.execute("DROP ROLE visitor")
            await server.close()
        assert caught.value.detail == "The database cannot be used: permission denied for schema public."
        assert "grant it CREATE on the schema" in caught.value.hint


READ_ELSEWHERE = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM kept').fetchone()[0])"


def test_connection_that_is_open_beside_a_migration_loses_nothing_of_what_it_writes(tmp_path):
    path = tmp_path / "a.db"
    opened = apsw.Connection(str(path))
    opened.execute("PRAGMA journal_mode=WAL; CREATE TABLE kept (x); INSERT INTO kept VALUES (1)").fetchall()

    def work(connection):
        connection.execute(text("INSERT INTO kept VALUES (2)"))
        return ""

    asyncio.run(on_connection(f"sqlite:///{path}", work))
    opened.execute("INSERT INTO kept VALUES (3)")
    found = subprocess.run([sys.executable, "-c", READ_ELSEWHERE, path], capture_output=True, text=True, check=True)
    assert found.stdout == "3\n", "a second SQLite library does not see this connection and takes the log away under it"
    opened.close()


def test_newer_schema_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    asyncio.run(migrate(url))
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="9999"):
        asyncio.run(migrate(url))


NAMED = b"\0" * 19 + b"\1"


def certificates_and_events_without_names_to_search_by(connection):
    """One certificate, a person who is gone, and a group, as a server wrote them before names had tables of their own."""
    command.upgrade(alembic_config(connection), "0012")
    statements = (
        "INSERT INTO signing_keys (id, purpose, owner, algorithm, public_der, created_at)"
        " VALUES ('k', 'root', '', 'ES256', :blob, 1);"
        "INSERT INTO issuers (id, name, kind, key_id, certificate_der, not_after, created_at)"
        " VALUES ('i', 'CA', 'root', 'k', :blob, 9, 1);"
        "INSERT INTO certificates (serial, issuer_id, state, profile, subject_name, names, public_key_digest, not_before,"
        " not_after, tbs_digest, intended_at)"
        " VALUES (:serial, 'i', 'issued', 'step_leaf', 'Web.Example.org', :names, :blob, 1, 9, :blob, 1)"
    )
    given = {"blob": b"x", "serial": NAMED, "names": '[["dns", "web.example.org"], ["email", "alice@example.org"]]'}
    for statement in statements.split(";"):
        connection.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})
    event = text(
        "INSERT INTO audit_events (writer_id, sequence, at, event, outcome, actor_kind, actor_id, actor_name, target, details,"
        " previous, digest) VALUES ('w', :at, :at, :event, 'done', 'system', '', '', :target, :details, :blob, :blob)"
    )
    events = (
        (1, "person.created", "person:1", '{"name":"alice"}'),
        (2, "group.created", "group:1", '{"name":"staff"}'),
        (3, "session.created", "person:1", '{"name":"no name of a person"}'),
        (4, "person.deleted", "person:1", '{"name":"alice"}'),
        (5, "person.created", "person:2", "{}"),
    )
    for at, name, target, details in events:
        connection.execute(event, {"at": at, "event": name, "target": target, "details": details, "blob": b"x"})


def names_to_search_by(connection):
    keys = connection.execute(text("SELECT reversed_name, serial FROM certificate_names ORDER BY reversed_name"))
    targets = connection.execute(text("SELECT name, target, at FROM audit_names ORDER BY at"))
    return [(bytes(key).decode(), bytes(serial)) for key, serial in keys], [tuple(row) for row in targets]


FOUND = (
    [("gro.elpmaxe.bew", NAMED), ("gro.elpmaxe@ecila", NAMED)],
    [("alice", "person:1", 1), ("staff", "group:1", 2), ("alice", "person:1", 4)],
)


def test_names_that_an_older_sqlite_database_holds_can_be_searched_for(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        certificates_and_events_without_names_to_search_by(connection)
    asyncio.run(migrate(url, may_create=False))
    with engine.connect() as connection:
        assert names_to_search_by(connection) == FOUND


async def test_names_that_an_older_postgresql_database_holds_can_be_searched_for(postgresql_url):
    async with scratch_postgresql(postgresql_url) as url:
        await on_postgresql(url, empty)
        await on_postgresql(url, certificates_and_events_without_names_to_search_by)
        await migrate(url, may_create=False)
        assert await on_postgresql(url, names_to_search_by) == FOUND
