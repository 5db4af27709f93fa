"""Fill a SQLite database with people, clients and tokens that ended, while its server runs."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

import apsw

from bench.inventory import fill_clients

_AT_ONCE = 50_000
TOKENS_OF_A_FAMILY = 4
"""One that was exchanged for the next three times."""
_NUMBERS = "WITH RECURSIVE numbers (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :beyond) "
_PEOPLE = (
    """INSERT INTO accounts (id, kind, name, display_name, created_at, updated_at)
    SELECT printf('%08x-bench', i), 'person', printf('person-%d', i), printf('Person %d', i), :now, :now FROM numbers""",
    """INSERT INTO mail_addresses (account_id, position, address, address_folded, verified_at)
    SELECT printf('%08x-bench', i), 0, printf('p%d@bench.example.org', i), printf('p%d@bench.example.org', i), :now
    FROM numbers""",
    """INSERT INTO group_members (group_id, account_id)
    SELECT (SELECT id FROM groups WHERE name = 'bench_users'), printf('%08x-bench', i) FROM numbers""",
    """INSERT INTO sessions (id, digest, account_id, kind, methods, address, user_agent, created_at, authenticated_at,
                             last_seen_at, expires_at)
    SELECT printf('%08x-session', i), randomblob(32), printf('%08x-bench', i), 'browser', 'pwd', '192.0.2.1', 'Bench', :ended,
           :ended, :ended, :ended FROM numbers""",
)
_FAMILIES = (
    """INSERT INTO oauth_families (id, client_id, account_id, session_id, scope, created_at, revoked_at, methods, resources)
    SELECT printf('%08x-family', i), (SELECT id FROM oauth_clients WHERE name = :client), printf('%08x-bench', i % :people),
           printf('%08x-session', i % :people), 'openid email', :began, iif(i % 2, :ended, NULL), 'pwd', '' FROM numbers""",
    """INSERT INTO oauth_refresh_tokens (digest, family_id, created_at, expires_at, consumed_at)
    SELECT randomblob(32), printf('%08x-family', i), :began, :ended, :began
    FROM numbers, (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4)""",
)


def fill_all(database: Path, *, people: int, clients: int, tokens: int, client: str, ended_ago: int = 3600) -> None:
    """Store so many, the tokens of the client with a name, which ended so many seconds ago."""
    now = int(time.time()) * 1000
    ended = now - ended_ago * 1000
    values = {"now": now, "ended": ended, "began": ended - 86_400_000, "client": client, "people": people}
    connection = apsw.Connection(str(database))
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-1000000")
    with Path(f"{database}.lock").open() as lock:
        for statements, count in ((_PEOPLE, people), (_FAMILIES, tokens // TOKENS_OF_A_FAMILY)):
            for statement in statements:
                for first in range(0, count, _AT_ONCE):
                    fcntl.flock(lock, fcntl.LOCK_EX)  # as every process of the server takes it before it writes
                    connection.execute(_NUMBERS + statement, {**values, "first": first, "beyond": min(first + _AT_ONCE, count)})
                    fcntl.flock(lock, fcntl.LOCK_UN)
    fill_clients(database, clients, client)  # last: it lets SQLite count what there is, and the server believes the first count
    stored = connection.execute("SELECT count(*) FROM oauth_refresh_tokens").get
    if stored < tokens:
        raise RuntimeError(f"{stored} of {tokens} tokens were stored")
    connection.close()
