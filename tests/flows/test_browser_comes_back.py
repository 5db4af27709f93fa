"""The listener on the user's own machine, with real connections."""

import http.client
import socket
import threading
from contextlib import closing

import pytest

from sealwright.cli.errors import CommandFailed
from sealwright.cli.loopback import Loopback


def get(port, target):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers


def mine(parameters):
    return parameters.get("state") == "s"


def test_answer_is_handed_over_and_the_person_is_sent_back_to_the_terminal():
    with Loopback("127.0.0.1", 0) as loopback:
        seen = []
        waiting = threading.Thread(target=lambda: seen.append(loopback.wait(mine, 60)))
        waiting.start()
        status, page, headers = get(loopback.port, "/?code=c%2Bd&state=s")
        waiting.join()
    assert seen == [{"code": "c+d", "state": "s"}]
    assert (status, "Back to the terminal" in page) == (200, True)
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"


def test_other_requests_do_not_end_the_waiting():
    with Loopback("127.0.0.1", 0) as loopback:
        seen = []
        waiting = threading.Thread(target=lambda: seen.append(loopback.wait(mine, 60)))
        waiting.start()
        with socket.create_connection(("127.0.0.1", loopback.port)):  # a browser that connects ahead of need
            for target in ("/?code=c&state=other", "/favicon.ico", "/other?code=c&state=s", "/"):
                status, page, _ = get(loopback.port, target)
                assert (status, "Not what was expected" in page) == (400, True)
            get(loopback.port, "/?code=c&state=s")
            waiting.join()
    assert seen == [{"code": "c", "state": "s"}]


def test_waiting_comes_to_an_end():
    with Loopback("127.0.0.1", 0) as loopback:
        assert loopback.wait(mine, 0.05) is None


def test_address_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandFailed, match=f"127.0.0.1:{port} cannot be listened on: address already in use"):
            Loopback("127.0.0.1", port)
