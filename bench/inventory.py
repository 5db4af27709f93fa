"""A full inventory: certificates that were issued before the measurement, so that it does not run on an empty database."""

from __future__ import annotations

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
