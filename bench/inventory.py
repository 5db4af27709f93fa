"""A full inventory: what there was before the measurement, so that it does not run on an empty database."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

import apsw

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
