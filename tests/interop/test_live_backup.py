"""A backup that is made while a server works, and a server that is made of it: on either engine, and from one to the other."""

import asyncio
import threading
import uuid
from contextlib import contextmanager

import asyncpg
import pytest

from tests.interop.wire import Requester, line
from tests.live import PATIENCE, LiveServer, wait_until


@contextmanager
def database(engine, postgresql_url):
    """The URL of an empty database; None for the file that a home directory has by itself."""
    if engine == "sqlite":
        yield None
        return
    name = f"backup_{uuid.uuid4().hex}"

    async def execute(statement):
        connection = await asyncpg.connect(postgresql_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute(f"CREATE DATABASE {name}"))
    try:
        yield f"{postgresql_url.rpartition('/')[0]}/{name}"
    finally:
        asyncio.run(execute(f"DROP DATABASE {name} WITH (FORCE)"))


def sign(server, requester, name):
    with line(server.machines, server.root) as opened:
        return opened.send("POST", "/sign", requester.sign_body(name))


@contextmanager
def load(server):
    """Somebody asks for certificates all the time; yields the names that got one."""
    requester, stopped = Requester(server), threading.Event()
    done: list[str] = []
    requester.token("first.example.org")

    def ask():
        while not stopped.is_set():
            name = f"n{len(done)}.example.org"
            assert sign(server, requester, name).status == 201
            done.append(name)

    worker = threading.Thread(target=ask)
    worker.start()
    try:
        wait_until(lambda: len(done) >= 5 or not worker.is_alive(), "certificates")
        yield done
        count = len(done)
        wait_until(lambda: len(done) >= count + 3 or not worker.is_alive(), "certificates while it is over")
    finally:
        stopped.set()
        worker.join(PATIENCE)


@pytest.mark.parametrize(("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_backup_under_load_becomes_a_server_elsewhere(postgresql_url, tmp_path, source, target):
    with database(source, postgresql_url) as source_url, database(target, postgresql_url) as target_url:
        first = LiveServer.at(tmp_path / "first", database_url=source_url)
        first.init()
        first.start()
        try:
            first.set_up()
            with load(first) as issued:
                before = list(issued)
                told = first.sealwright("backup", "create", tmp_path / "b", "--with-key", "--dir", first.home)
                assert "anyone who reads the file holds every secret" in told
            assert len(issued) > len(before) >= 5
        finally:
            first.stop()
        again = LiveServer(tmp_path / "again", first.people_port, first.machines_port, first.status_port, database_url=target_url)
        (again.place / "user").mkdir(parents=True)
        assert "Next: sealwright doctor" in again.sealwright("backup", "restore", tmp_path / "b", "--dir", again.home)
        assert "unbroken" in again.sealwright("doctor", "--dir", again.home)
        again.start()
        try:
            check_restored(first, again, before)
        finally:
            again.stop()


def check_restored(first, again, issued):
    """The server that was made of the backup knows what was issued before, signs, and asks everybody to sign in anew."""
    assert again.root.read_bytes() == first.root.read_bytes()
    first.sealwright("whoami", expect=3)  # whose session was of before
    admin = again.file("admin-password", (first.place / "admin-password").read_text())
    again.sealwright("login", "-D", "admin", "--password-file", admin)
    listed = again.sealwright("certificate", "list", "-o", "json")
    assert [name for name in issued if name not in listed] == []
    assert sign(again, Requester(again), "again.example.org").status == 201
    assert "backup.restored" in again.sealwright("audit", "list", "-o", "json")
