"""Responses that are sent piece by piece."""

from __future__ import annotations

import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.listeners_client import Peer, RunningProgram, wait_for

HASTE = {"write_seconds": 2.0, "idle_seconds": 30.0}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProgram]:
    with RunningProgram(tmp_path_factory.mktemp("program"), workers=1, limits=HASTE) as running:
        yield running
        assert "Traceback" not in running.messages()
        assert [line for line in running.log() if line["event"] == "connection failed"] == []


@pytest.fixture
def peer(program: RunningProgram) -> Iterator[Peer]:
    with program.connect() as connected:
        yield connected


def pieces(count: int, size: int) -> bytes:
    return b"".join(b"%d " % number + b"x" * size for number in range(count))


def streams_ended(program: RunningProgram) -> int:
    file = program.directory / "streams"
    return file.read_text().count("ended") if file.exists() else 0


def test_stream_comes_in_chunks_and_the_connection_stays(peer: Peer) -> None:
    for _ in range(2):
        answer = peer.ask("GET", "/stream?pieces=20&size=100")
        assert (answer.status, answer.headers["transfer-encoding"]) == (200, "chunked")
        assert "content-length" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        assert answer.body == pieces(20, 100)
    assert peer.ask("GET", "/hello").status == 200


def test_requests_behind_a_stream_wait_for_its_end(peer: Peer) -> None:
    peer.send("GET /stream?pieces=5&size=10&ends=slow HTTP/1.1\r\nHost: a\r\n\r\nGET /hello?next HTTP/1.1\r\nHost: a\r\n\r\n")
    assert peer.answer().body == pieces(5, 10)
    assert peer.answer().json()["query"] == "next"


def test_empty_stream_has_an_empty_body(peer: Peer) -> None:
    assert peer.ask("GET", "/stream?pieces=0&size=0").body == b""


def everything(peer: Peer) -> bytes:
    found = b""
    while data := peer.socket.recv(65_536):
        found += data
    return found


@pytest.mark.parametrize("connection", ["", "Connection: keep-alive\r\n"])
def test_http_1_0_gets_no_chunks_and_the_end_of_the_connection(program: RunningProgram, connection: str) -> None:
    with program.connect() as peer:
        peer.send(f"GET /stream?pieces=20&size=100 HTTP/1.0\r\n{connection}\r\n")
        head, _, body = everything(peer).partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert b"transfer-encoding" not in head
    assert body == pieces(20, 100)


def test_head_of_a_stream_has_no_body_and_closes_it(program: RunningProgram, peer: Peer) -> None:
    before = streams_ended(program)
    assert peer.ask("HEAD", "/stream?pieces=20&size=100").headers["content-type"] == "text/plain"
    assert peer.ask("GET", "/hello").status == 200
    assert streams_ended(program) == before  # it had not begun


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("listener", ["people", "status"])
def test_stream_that_fails_cuts_the_connection_and_never_looks_whole(
    program: RunningProgram, version: str, listener: str
) -> None:
    with program.connect(listener) as peer:
        peer.send(f"GET /stream?pieces=20&size=100&ends=bug HTTP/{version}\r\nHost: a\r\nX-Request-Id: cut-{version}\r\n\r\n")
        if isinstance(peer.socket, ssl.SSLSocket):
            peer.socket.suppress_ragged_eofs = False  # type: ignore[attr-defined] # tells of an end without a goodbye
        with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
            everything(peer)
    line = program.logged("request failed", request_id=f"cut-{version}")
    assert (line["error"], line["route"]) == (["RuntimeError"], "/stream")


def test_stream_is_made_no_faster_than_it_is_read(program: RunningProgram) -> None:
    worker = 0
    with program.connect() as peer:
        worker = peer.ask("GET", "/hello").json()["pid"]
    before = memory_of(worker)
    with program.connect("status") as peer:
        peer.send("GET /stream?pieces=2000&size=100000 HTTP/1.1\r\nHost: a\r\n\r\n")
        most = 0
        for _ in range(10):  # reads 200 kB of 200 MB, slowly
            peer.socket.recv(20_000)
            time.sleep(0.05)
            most = max(most, memory_of(worker) - before)
    assert most < 30_000_000


def memory_of(process: int) -> int:
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def test_stream_to_a_peer_that_goes_away_or_does_not_read_is_closed(program: RunningProgram) -> None:
    before = streams_ended(program)
    with program.connect() as peer:
        peer.send("GET /stream?pieces=1000&size=100000 HTTP/1.1\r\nHost: a\r\n\r\n")
        peer.socket.recv(10_000)
    wait_for(lambda: streams_ended(program) == before + 1, "the end of the stream of a peer that went away")
    with program.connect("status") as peer:
        peer.send("GET /stream?pieces=1000&size=100000 HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: streams_ended(program) == before + 2, "the end of the stream of a peer that does not read")
    assert streams_ended(program) == before + 2


def test_stream_is_never_given_twice(peer: Peer) -> None:
    for _ in range(3):
        assert peer.ask("GET", "/same-stream?pieces=2&size=10").body == pieces(2, 10)


def test_others_are_answered_while_a_stream_runs(program: RunningProgram) -> None:
    with program.connect() as streaming, program.connect() as other:
        streaming.send("GET /stream?pieces=300&size=200000 HTTP/1.1\r\nHost: a\r\n\r\n")
        streaming.socket.recv(1000)
        assert other.ask("GET", "/hello").status == 200


def test_reload_waits_for_the_stream_of_the_application_before(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, greeting="before") as running, running.connect() as peer, running.connect() as other:
        peer.send("GET /stream?pieces=40&size=10&ends=slow HTTP/1.1\r\nHost: a\r\n\r\n")
        peer.socket.recv(1)
        running.choose(workers=1, greeting="after")
        running.signal(signal.SIGHUP)
        wait_for(lambda: other.ask("GET", "/hello").json()["greeting"] == "after", "the reload")
        assert not (tmp_path / "closed").exists()
        wait_for((tmp_path / "closed").exists, "the end of the application before")
        assert (tmp_path / "streams").read_text() == "ended\n"


def test_end_of_the_worker_cuts_a_stream_that_takes_too_long(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, drain=0.5) as running, running.connect("status") as peer:
        peer.send("GET /stream?pieces=4&size=10&ends=late HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: b"1 xx" in peer.socket.recv(4096), "the beginning of the stream")
        running.signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            everything(peer)
        wait_for((tmp_path / "streams").exists, "the end of the stream")
