"""A full inventory: what there was before the measurement, so that it does not run on an empty database."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import asyncpg

from sealwright.clock import Instant
from sealwright.identity.models import Account, AccountKind, Group, MailAddress
from sealwright.identity.name_search import words_of_group
from sealwright.identity.name_search.store import rows_of

_AT_ONCE = 100_000
"""Certificates in one transaction, so that the log stays short."""
_FILL = """
WITH RECURSIVE numbers (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :beyond)
INSERT INTO certificates
    (serial, issuer_id, state, profile, account_id, subject_name, names, public_key_digest, not_before, not_after, tbs_digest,
     der, intended_at, issued_at)
SELECT unhex(printf('%08x', :half_seconds - :count / 100 + i / 100) || hex(randomblob(16))),
       issuers.id, 'issued', 'step_leaf', iif(i % 2, NULL, printf('account-%d', i % 10000)),
       printf('host-%d.example.org', i), printf('[["dns","host-%d.example.org"]]', i),
       randomblob(32), :now, :now + 86400000, randomblob(32), randomblob(700), :now, :now
FROM numbers, (SELECT id FROM issuers WHERE kind = 'issuing' LIMIT 1) AS issuers
"""


def fill(database: Path, count: int) -> None:
    """Put `count` certificates into a SQLite database that no server has open: a hundred of every two seconds, half of them
    of ten thousand people."""
    now = int(time.time())
    connection = apsw.Connection(str(database))
    for first in range(0, count, _AT_ONCE):
        beyond = min(first + _AT_ONCE, count)
        connection.execute(_FILL, {"first": first, "beyond": beyond, "count": count, "half_seconds": now // 2, "now": now * 1000})
    stored = connection.execute("SELECT count(*) FROM certificates").get
    if stored < count:
        raise RuntimeError(f"{stored} of {count} certificates were stored")
    connection.close()


_CLIENTS = """
WITH RECURSIVE numbers (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :beyond)
INSERT INTO oauth_clients (id, name, display_name, kind, landing_url, secret_digest, created_at, updated_at, settings, issuer_id)
SELECT printf('%016x%s', i, lower(hex(randomblob(8)))), printf('%s-%d', lower(hex(randomblob(12))), i), display_name, kind,
       landing_url, randomblob(32), created_at, updated_at, settings, issuer_id
FROM numbers, (SELECT * FROM oauth_clients WHERE name = :template)
"""
_REGISTRATIONS = """
INSERT INTO oauth_registrations (client_id, access_token_digest, registration_token_id, created_at)
SELECT id, randomblob(32), NULL, created_at FROM oauth_clients WHERE id NOT IN (SELECT client_id FROM oauth_registrations)
"""


def fill_clients(database: Path, count: int, template: str) -> None:
    """Put `count` clients that registered themselves beside the one called `template`, while the server of this database runs."""
    connection = apsw.Connection(str(database))
    connection.execute("PRAGMA synchronous=OFF")
    with Path(f"{database}.lock").open() as lock:
        for first in range(0, count, _AT_ONCE):
            fcntl.flock(lock, fcntl.LOCK_EX)  # as every process of the server takes it before it writes
            connection.execute(_CLIENTS, {"first": first, "beyond": min(first + _AT_ONCE, count), "template": template})
            fcntl.flock(lock, fcntl.LOCK_UN)
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection.execute(_REGISTRATIONS)
        connection.execute("ANALYZE")
    stored = connection.execute("SELECT count(*) FROM oauth_registrations").get
    if stored < count:
        raise RuntimeError(f"{stored} of {count} clients were stored")
    connection.close()


# --- everything that `bench.scale` asks for ---------------------------------------------------------------------------

_GIVEN = ("Anna", "Maria", "Jürgen", "Sofia", "Peter", "Zoë", "Björn", "Ivan", "Mei", "Tariq", "Nora", "Luca", "Aylin")
_FAMILY = (
    "Schmidt",
    "Müller",
    "Berg",
    "Rossi",
    "García",
    "Novak",
    "Ivanova",
    "Chen",
    "Haddad",
    "Nowak",
    "Åberg",
    "Zimmer",
    "Bauer",
)
_EVENTS = (
    *("session.signed_in", "session.ended", "person.updated", "person.created", "group.updated", "client.updated"),
    *("certificate.issued", "certificate.renewed", "certificate.revoked", "token.issued", "token.refused", "provisioner.added"),
)
_GROUPS = 2_000


def person_id(number: int) -> str:
    """The id of one of the people."""
    return f"00000000-0000-4001-8000-{number:012d}"


def person_name(number: int) -> str:
    """The name of one of the people."""
    return f"p.{_GIVEN[number % len(_GIVEN)]}.{number:06d}".lower().encode("ascii", "ignore").decode()


_Values = tuple[Any, ...]


def people(first: int, beyond: int, now: int) -> Iterator[tuple[_Values, _Values, list[_Values]]]:
    """Rows of accounts, of their addresses, and of their words."""
    for number in range(first, beyond):
        display = f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[number // 7 % len(_FAMILY)]}"
        name, mail = person_name(number), MailAddress(f"{person_name(number)}@example.org", verified=True)
        instant = Instant(now)
        account = Account(person_id(number), AccountKind.PERSON, name, display, (mail,), None, None, None, instant, instant)
        words: list[_Values] = [(row["kind"], row["word"], row["name"], row["account_id"]) for row in rows_of(account)]
        yield (account.id, "person", name, display, now, now), (account.id, 0, mail.address, mail.address, now), words


_SQLITE_CERTIFICATES = """
WITH RECURSIVE numbers (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :beyond)
INSERT INTO certificates
    (serial, issuer_id, state, profile, account_id, subject_name, names, public_key_digest, not_before, not_after, tbs_digest,
     der, intended_at, issued_at)
SELECT unhex(printf('%08x', :half_seconds - :count / 100 + i / 100) || hex(randomblob(16))), issuers.id, 'issued', 'step_leaf',
       iif(i % 2, NULL, printf('00000000-0000-4001-8000-%012d', i % :people)), host, printf('[["dns","%s"]]', host),
       randomblob(32), :now - 86400000, :now + iif(i % 10, 86400000, 86400000 * (i / 10 % 90)), randomblob(32),
       randomblob(700), :now, :now
FROM (SELECT i, iif(i % 3, printf('host-%d.example.org', i), printf('host-%d.zone-%d.example.org', i, i % 97)) AS host
      FROM numbers), (SELECT id FROM issuers WHERE kind = 'issuing' LIMIT 1) AS issuers
"""
_SQLITE_EVENTS = """
WITH RECURSIVE numbers (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :beyond)
INSERT INTO audit_events (writer_id, sequence, at, event, outcome, actor_kind, actor_id, actor_name, target, details, previous,
                          digest, request_id)
SELECT printf('chain-%02d', i % 12), i / 12 + 1, :now - (:count - i) * 100, value, iif(i % 20, 'done', 'refused'), 'person',
       printf('00000000-0000-4001-8000-%012d', i % :people), printf('p.%06d@example.org', i % :people),
       printf('person:00000000-0000-4001-8000-%012d', i * 7 % :people), printf('{"number":%d,"address":"192.0.2.9"}', i),
       randomblob(32), randomblob(32), hex(randomblob(8))
FROM numbers JOIN json_each(:events) ON key = i * 5 % :kinds
"""
_POSTGRESQL_CERTIFICATES = """
INSERT INTO certificates
    (serial, issuer_id, state, profile, account_id, subject_name, names, public_key_digest, not_before, not_after, tbs_digest,
     der, intended_at, issued_at)
SELECT decode(lpad(to_hex($4::bigint - $3::bigint / 100 + i / 100), 8, '0') || md5(i::text), 'hex'), issuers.id, 'issued',
       'step_leaf', CASE WHEN i % 2 = 0 THEN '00000000-0000-4001-8000-' || lpad((i % $6::bigint)::text, 12, '0') END, host,
       '[["dns","' || host || '"]]', sha256(i::text::bytea), $5::bigint - 86400000,
       $5::bigint + CASE WHEN i % 10 = 0 THEN 86400000 * (i / 10 % 90) ELSE 86400000 END, sha256(i::text::bytea),
       decode(repeat(md5(i::text), 43), 'hex'), $5, $5
FROM (SELECT i, 'host-' || i || CASE WHEN i % 3 = 0 THEN '.zone-' || i % 97 ELSE '' END || '.example.org' AS host
      FROM generate_series($1::bigint, $2::bigint - 1) AS i) AS hosts,
     (SELECT id FROM issuers WHERE kind = 'issuing' LIMIT 1) AS issuers
"""
_POSTGRESQL_EVENTS = """
INSERT INTO audit_events (writer_id, sequence, at, event, outcome, actor_kind, actor_id, actor_name, target, details, previous,
                          digest, request_id)
SELECT 'chain-' || lpad((i % 12)::text, 2, '0'), i / 12 + 1, $4::bigint - ($3::bigint - i) * 100,
       ($6::text[])[1 + i * 5 % array_length($6::text[], 1)], CASE WHEN i % 20 = 0 THEN 'refused' ELSE 'done' END, 'person',
       '00000000-0000-4001-8000-' || lpad((i % $5::bigint)::text, 12, '0'),
       'p.' || lpad((i % $5::bigint)::text, 6, '0') || '@example.org',
       'person:00000000-0000-4001-8000-' || lpad((i * 7 % $5::bigint)::text, 12, '0'),
       '{"number":' || i || ',"address":"192.0.2.9"}', sha256(i::text::bytea), sha256((i + 1)::text::bytea), md5(i::text)
FROM generate_series($1::bigint, $2::bigint - 1) AS i
"""
_NAMES = {
    "sqlite": "INSERT INTO certificate_names SELECT backwards(subject_name), serial FROM certificates"
    " WHERE subject_name LIKE 'host-%'",
    "postgresql": "INSERT INTO certificate_names SELECT reverse(subject_name)::bytea, serial FROM certificates"
    " WHERE subject_name LIKE 'host-%'",
}
_ACCOUNTS = "INSERT INTO accounts (id, kind, name, display_name, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)"
_MAILS = "INSERT INTO mail_addresses (account_id, position, address, address_folded, verified_at) VALUES (?, ?, ?, ?, ?)"
_WORDS = "INSERT INTO account_words (kind, word, name, account_id) VALUES (?, ?, ?, ?)"
_INSERT_GROUP = "INSERT INTO groups (id, name, description, builtin, created_at) VALUES (?, ?, ?, 0, 0)"
_GROUP_WORDS = "INSERT INTO group_words (word, name, group_id) VALUES (?, ?, ?)"


def _groups() -> list[tuple[str, str, str]]:
    return [(f"group-{number}", f"team-{number}", f"Staff of floor {number % 40}") for number in range(_GROUPS)]


def _words_of_groups() -> list[tuple[bytes, str, str]]:
    return [
        (word, name, one)
        for one, name, text in _groups()
        for word in words_of_group(Group(one, name, text, builtin=False, created_at=Instant(0)))
    ]


def _backwards(*texts: Any) -> bytes:
    return str(texts[0])[::-1].encode()


def fill_sqlite(database: Path, certificates: int, persons: int, events: int) -> None:
    """Put all this into a SQLite database that no server has open."""
    now = int(time.time() * 1000)
    connection = apsw.Connection(str(database))
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-400000")
    connection.create_scalar_function("backwards", _backwards, 1, deterministic=True)
    with connection:
        for account, mail, words in people(0, persons, now):
            connection.execute(_ACCOUNTS, account)
            connection.execute(_MAILS, mail)
            connection.executemany(_WORDS, words)
        connection.executemany(_INSERT_GROUP, _groups())
        connection.executemany(_GROUP_WORDS, _words_of_groups())
    common = {"now": now, "people": persons}
    for first in range(0, certificates, _AT_ONCE):
        given = {
            "first": first,
            "beyond": min(first + _AT_ONCE, certificates),
            "count": certificates,
            "half_seconds": now // 2000,
        }
        connection.execute(_SQLITE_CERTIFICATES, common | given)
    connection.execute(_NAMES["sqlite"])
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'audit_events' AND type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    for first in range(0, events, _AT_ONCE):
        given = {"first": first, "beyond": min(first + _AT_ONCE, events), "count": events}
        connection.execute(_SQLITE_EVENTS, common | given | {"events": json.dumps(_EVENTS), "kinds": len(_EVENTS)})
    for _, sql in indexes:
        connection.execute(str(sql))
    connection.close()


async def fill_postgresql(url: str, certificates: int, persons: int, events: int) -> None:
    """Put all this into a PostgreSQL database."""
    now = int(time.time() * 1000)
    connection = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off")
    await connection.execute("SET maintenance_work_mem = '512MB'")
    rows = list(people(0, persons, now))
    names = ["id", "kind", "name", "display_name", "created_at", "updated_at"]
    await connection.copy_records_to_table("accounts", records=[row[0] for row in rows], columns=names)
    names = ["account_id", "position", "address", "address_folded", "verified_at"]
    await connection.copy_records_to_table("mail_addresses", records=[row[1] for row in rows], columns=names)
    words = [word for row in rows for word in row[2]]
    await connection.copy_records_to_table("account_words", records=words, columns=["kind", "word", "name", "account_id"])
    records = [(*group, 0, 0) for group in _groups()]
    await connection.copy_records_to_table(
        "groups", records=records, columns=["id", "name", "description", "builtin", "created_at"]
    )
    await connection.copy_records_to_table("group_words", records=_words_of_groups(), columns=["word", "name", "group_id"])
    for first in range(0, certificates, _AT_ONCE):
        beyond = min(first + _AT_ONCE, certificates)
        await connection.execute(_POSTGRESQL_CERTIFICATES, first, beyond, certificates, now // 2000, now, persons)
    await connection.execute(_NAMES["postgresql"])
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'audit_events' AND indexname LIKE 'ix%'"
    )
    for name, _ in indexes:
        await connection.execute(f"DROP INDEX {name}")
    for first in range(0, events, _AT_ONCE):
        beyond = min(first + _AT_ONCE, events)
        await connection.execute(_POSTGRESQL_EVENTS, first, beyond, events, now, persons, list(_EVENTS))
    for _, sql in indexes:
        await connection.execute(sql)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
