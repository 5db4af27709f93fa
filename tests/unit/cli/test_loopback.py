"""The listener on the user's own machine, with real connections."""

import base64
import hashlib
import http.client
import re
import socket
import threading
from contextlib import closing

import pytest

from sealwright.cli.errors import CommandFailed
from sealwright.cli.loopback import Loopback
from sealwright.cli.return_page import Page


def get(port, target):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers


def answer_with(loopback, seen, page):
    seen.append(loopback.wait(mine, 60))
    loopback.show(page)


def mine(parameters):
    return parameters.get("state") == "s"


def test_answer_is_handed_over_and_the_person_is_sent_back_to_the_terminal():
    with Loopback("127.0.0.1", 0) as loopback:
        seen: list[object] = []
        waiting = threading.Thread(
            target=lambda: answer_with(loopback, seen, Page("alice <until 18:04>", "In alice.crt.", good=True))
        )
        waiting.start()
        status, page, headers = get(loopback.port, "/?code=c%2Bd&state=s")
        waiting.join()
    assert seen == [{"code": "c+d", "state": "s"}]
    assert status == 200
    assert "✔</span> alice &lt;until 18:04&gt;</h1>" in page
    style = re.search("<style>(.*)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert headers["Content-Security-Policy"] == f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"


def test_browser_is_shown_a_page_also_where_the_command_ends_without_a_word():
    seen = []
    with Loopback("127.0.0.1", 0) as loopback:
        asking = threading.Thread(target=lambda: seen.append(get(loopback.port, "/?error=access_denied&state=s")))
        assert loopback.wait(mine, 0) is None
        asking.start()
        assert loopback.wait(mine, 60) == {"error": "access_denied", "state": "s"}
    asking.join()
    assert "Back to the terminal" in seen[0][1]


def test_other_requests_do_not_end_the_waiting():
    with Loopback("127.0.0.1", 0) as loopback:
        seen: list[object] = []
        waiting = threading.Thread(target=lambda: seen.append(loopback.wait(mine, 60)))
        waiting.start()
        with socket.create_connection(("127.0.0.1", loopback.port)):  # a browser that connects ahead of need
            for target in ("/?code=c&state=other", "/favicon.ico", "/other?code=c&state=s", "/"):
                status, page, _ = get(loopback.port, target)
                assert (status, "Not what was expected" in page) == (400, True)
            loopback.show(Page("Done", "It went well."))
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
