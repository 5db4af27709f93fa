"""Answers that are the same for everybody for a moment."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.listeners_client import Answer, Peer, RunningProgram, wait_for

A_MOMENT = 1.0
BOTH = pytest.mark.parametrize("path", ["/same/200", "/late/200"])


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProgram]:
    with RunningProgram(tmp_path_factory.mktemp("program"), workers=1, limits={"idle_seconds": 5.0}) as running:
        yield running
        assert "Traceback" not in running.messages()
        assert [line for line in running.log() if line["event"] == "connection failed"] == []


@pytest.fixture
def peer(program: RunningProgram) -> Iterator[Peer]:
    with program.connect() as connected:
        yield connected


def count_of(answer: Answer) -> int:
    assert answer.status == 200
    return int(answer.json()["count"])


@pytest.fixture
def kept(peer: Peer) -> int:
    """The count of an answer that was made just now under the name ``kept.example``."""
    first = count_of(peer.ask("GET", "/same/200", headers={"Host": "kept.example"}))
    second = count_of(peer.ask("GET", "/same/200", headers={"Host": "kept.example"}))
    return second if second == first else count_of(peer.ask("GET", "/same/200", headers={"Host": "kept.example"}))


@BOTH
def test_answer_is_given_again_and_made_anew_after_a_moment(peer: Peer, path: str) -> None:
    made = time.monotonic()
    first = peer.ask("GET", path)
    again = peer.ask("GET", path)
    if time.monotonic() - made < A_MOMENT / 2:  # the clock of connections beats twice a second
        assert count_of(again) == count_of(first)
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    changing = {"x-request-id", "date"}
    assert {name: value for name, value in again.headers.items() if name not in changing} == {
        name: value for name, value in first.headers.items() if name not in changing
    }
    time.sleep(A_MOMENT)
    assert count_of(peer.ask("GET", path)) > count_of(again)


def test_each_name_and_each_query_has_its_own_answer(peer: Peer, kept: int) -> None:
    other = peer.ask("GET", "/same/200", headers={"Host": "other.example"})
    assert count_of(other) > kept
    assert other.json()["origin"] == "https://other.example"
    asked = peer.ask("GET", "/same/200?x=1", headers={"Host": "kept.example"})
    assert count_of(asked) > kept


def test_names_keep_the_guards_that_go_with_them(program: RunningProgram) -> None:
    for _ in range(2):
        with program.connect() as peer:
            strict = peer.ask("GET", "/same/200", headers={"Host": "id.example"})
            shared = peer.ask("GET", "/same/200", headers={"Host": "localhost"})
        assert "strict-transport-security" in strict.headers
        assert "strict-transport-security" not in shared.headers


def test_listeners_do_not_share_answers(program: RunningProgram, peer: Peer, kept: int) -> None:
    with program.connect("status") as other:
        answer = other.ask("GET", "/same/200", headers={"Host": "kept.example"})
    assert answer.json()["origin"] == "http://kept.example"
    assert count_of(answer) > kept


@pytest.mark.parametrize("status", [404, 201, 503])
def test_only_what_is_there_is_kept(peer: Peer, status: int) -> None:
    first, again = (peer.ask("GET", f"/same/{status}").json()["count"] for _ in range(2))
    assert again > first


def test_peer_gets_its_own_request_id_back(peer: Peer, kept: int) -> None:
    for given in ("b6f6b3e2-6d7e-4a0b-8d38-5d0e3a1c2f4d", "another"):
        answer = peer.ask("GET", "/same/200", headers={"Host": "kept.example", "X-Request-Id": given})
        assert answer.headers["x-request-id"] == given


def test_head_has_no_body_and_other_methods_are_refused(peer: Peer, kept: int) -> None:
    head = peer.ask("HEAD", "/same/200", headers={"Host": "kept.example"})
    assert (head.status, head.headers["content-type"]) == (200, "application/json")
    assert count_of(peer.ask("GET", "/same/200", headers={"Host": "kept.example"})) >= kept
    assert peer.ask("POST", "/same/200", b"x", {"Host": "kept.example"}).status == 405


def test_body_of_a_get_is_read_and_left_alone(peer: Peer, kept: int) -> None:
    for _ in range(2):
        assert peer.ask("GET", "/same/200", b"x" * 100, {"Host": "kept.example"}).status == 200
    assert peer.ask("GET", "/same/200", headers={"Host": "kept.example"}).status == 200


def test_empty_body_of_a_get_changes_nothing(program: RunningProgram) -> None:
    with program.connect() as peer:
        for _ in range(3):  # as some clients ask, whatever the method
            made = time.monotonic()
            counts = {
                count_of(peer.ask("GET", "/same/200", headers={"Host": "empty.example", "Content-Length": "0"})) for _ in "ab"
            }
            if len(counts) == 1 or time.monotonic() - made >= A_MOMENT / 2:
                break
        assert len(counts) == 1
        assert peer.ask("GET", "/hello").status == 200


def test_expectation_is_met(peer: Peer, kept: int) -> None:
    peer.send("GET /same/200 HTTP/1.1\r\nHost: kept.example\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    assert peer.answer().status == 100
    peer.send("x")
    assert peer.answer().status == 200


def test_pipelined_burst_is_answered_in_order(peer: Peer, kept: int) -> None:
    one = b"GET %s HTTP/1.1\r\nHost: kept.example\r\n\r\n"
    peer.send((one % b"/same/200" + one % b"/hello?2" + one % b"/same/200") * 50)
    answers = [peer.answer().json() for _ in range(150)]
    assert ["count" in answer for answer in answers] == [True, False, True] * 50


@pytest.mark.parametrize(
    ("head", "connection", "closed"),
    [
        ("GET /same/200 HTTP/1.1\r\nHost: kept.example\r\nConnection: close\r\n\r\n", "close", True),
        ("GET /same/200 HTTP/1.0\r\nHost: kept.example\r\n\r\n", "close", True),
        ("GET /same/200 HTTP/1.0\r\nHost: kept.example\r\nConnection: keep-alive\r\n\r\n", "keep-alive", False),
        ("GET /same/200 HTTP/1.1\r\nHost: kept.example\r\n\r\n", None, False),
    ],
)
def test_connection_ends_as_the_peer_asks(
    program: RunningProgram, kept: int, head: str, connection: str | None, closed: bool
) -> None:
    with program.connect() as peer:
        peer.send(head)
        answer = peer.answer()
        assert (answer.status, answer.headers.get("connection")) == (200, connection)
        if closed:
            assert peer.is_closed()
        else:
            assert peer.ask("GET", "/hello").status == 200


def test_request_without_host_is_refused_however_often(program: RunningProgram) -> None:
    with program.connect() as peer:
        peer.send("GET /same/200 HTTP/1.0\r\n\r\n")
        assert peer.answer().status == 200
    with program.connect() as peer:
        peer.send("GET /same/200 HTTP/1.1\r\n\r\n")
        assert peer.answer().status == 400


def test_request_for_another_protocol_is_answered_as_http(peer: Peer, kept: int) -> None:
    peer.send("GET /same/200 HTTP/1.1\r\nHost: kept.example\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
    answer = peer.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert peer.is_closed()


def test_reload_begins_without_kept_answers(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, greeting="before") as running, running.connect() as peer:
        assert peer.ask("GET", "/same/200").json()["greeting"] == "before"
        running.choose(workers=1, greeting="after")
        running.signal(signal.SIGHUP)
        wait_for(lambda: peer.ask("GET", "/hello").json()["greeting"] == "after", "the reload")
        assert peer.ask("GET", "/same/200").json()["greeting"] == "after"
