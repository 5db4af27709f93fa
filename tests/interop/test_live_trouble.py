"""Databases that cannot be written for a while, seen from outside: what is told, what goes on, and that it is over by itself."""

import asyncio
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import apsw
import asyncpg

from tests.interop.wire import line
from tests.live import ADMIN_PASSWORD, live_server, wait_until


def sign_in(server):
    with line(server.people, server.root) as opened:
        return opened.send("POST", "/api/v1/login", {"name": "admin", "password": ADMIN_PASSWORD})


def health(server):
    with line(server.machines, server.root) as opened:
        return opened.send("GET", "/health")


def test_lock_of_another_program_lets_health_answer_at_once_and_fails_sign_ins_in_words(tmp_path):
    with live_server(tmp_path, settings={"workers": "1"}) as server, ThreadPoolExecutor(1) as pool:
        waited = []
        with closing(apsw.Connection(str(server.home / "sealwright.db"))) as other, line(server.machines, server.root) as opened:
            other.execute("BEGIN IMMEDIATE")
            blocked = pool.submit(sign_in, server)
            while not blocked.done():
                asked = time.monotonic()
                assert opened.send("GET", "/health").status == 200
                waited.append(time.monotonic() - asked)
                time.sleep(0.02)
            told = blocked.result()
        assert len(waited) > 20
        assert sorted(waited)[len(waited) * 9 // 10] < 0.2
        assert (told.status, told.json()["detail"]) == (
            503,
            "The database cannot be written at the moment: another program has locked it.",
        )
        assert int(told.headers["retry-after"]) > 0
        assert sign_in(server).status == 201


async def only_read(url, name, value):
    """Have new sessions at the server only read, as at one that another has taken over from; and end those there are."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()", name
        )
    finally:
        await connection.close()


async def execute(url, statement):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_server_that_only_reads_is_told_everywhere_and_left_as_soon_as_there_is_another(postgresql_url, tmp_path):
    name = f"trouble_{uuid.uuid4().hex}"
    asyncio.run(execute(postgresql_url, f"CREATE DATABASE {name}"))
    url = f"{postgresql_url.rpartition('/')[0]}/{name}"
    try:
        with live_server(tmp_path, database_url=url) as server:
            asyncio.run(only_read(postgresql_url, name, "on"))
            wait_until(lambda: sign_in(server).status == 503, "refusals")
            told = sign_in(server)
            assert told.json()["detail"] == "The database cannot be written: it is read-only."
            assert int(told.headers["retry-after"]) > 0
            told = health(server)
            assert (told.status, b"read-only" in told.body) == (503, True), told
            assert "cannot be written: it is read-only" in server.sealwright("doctor", "--dir", server.home, expect=1)
            asyncio.run(only_read(postgresql_url, name, "off"))
            wait_until(lambda: health(server).status == 200, "health")
            wait_until(lambda: sign_in(server).status == 201, "a sign-in")
    finally:
        asyncio.run(execute(postgresql_url, f"DROP DATABASE {name} WITH (FORCE)"))
