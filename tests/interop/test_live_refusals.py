"""What a worker counted of repeated refusals is on record when it is asked to end, alone or with the whole server."""

import json
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.interop.wire import Requester, line, signing_request
from tests.live import LiveServer, wait_until

REFUSED = 7


@pytest.fixture
def server(tmp_path):
    """A server that a test ends itself."""
    made = LiveServer.at(tmp_path)
    made.init()
    made.start()
    try:
        yield made
    finally:
        made.stop()


def repeated_in(server):
    """How often the record says that a refusal was repeated."""
    with closing(sqlite3.connect(f"file:{server.home / 'sealwright.db'}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT details FROM audit_events WHERE outcome = 'refused'").fetchall()
    return sum(json.loads(details).get("repeated", 0) for (details,) in rows)


def end_the_workers(server):
    for worker in server.workers():
        os.kill(worker, signal.SIGTERM)


def end_the_server(server):
    server.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("end", [end_the_workers, end_the_server])
def test_counted_refusals_are_on_record_after_sigterm(server, end):
    requester = Requester(server)
    body = {"csr": signing_request(requester.key, "other.example.org"), "ott": requester.token("web.example.org")}
    with line(server.machines, server.root) as one_worker:
        statuses = {one_worker.send("POST", "/sign", body).status for _ in range(REFUSED)}
    assert statuses == {403}
    assert repeated_in(server) == 0, "the minute is not over"
    end(server)
    wait_until(lambda: repeated_in(server) == REFUSED - 1, "the counts on record")
