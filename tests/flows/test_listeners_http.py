"""HTTP as it comes over the wire."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from tests.flows.listeners_client import Peer, RunningProgram

LIMITS = {"linger_seconds": 1.0, "head_bytes": 8192, "url_bytes": 2048, "headers": 30}
HASTE = {"head_seconds": 2.0, "body_seconds": 2.0, "idle_seconds": 2.0, "write_seconds": 2.0}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProgram]:
    with RunningProgram(tmp_path_factory.mktemp("program"), workers=1, limits=LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProgram]:
    """A program that waits for no one."""
    with RunningProgram(tmp_path_factory.mktemp("hasty"), workers=1, limits=LIMITS | HASTE) as running:
        yield running
        unexpected = {"connection failed", "connection cannot be swept"}
        assert [line for line in running.log() if line["event"] in unexpected] == []
        assert "Traceback" not in running.messages()


@pytest.fixture
def peer(program: RunningProgram) -> Iterator[Peer]:
    with program.connect() as connected:
        yield connected


def test_answer_carries_what_every_answer_carries(peer: Peer) -> None:
    answer = peer.ask("GET", "/hello?x=1", headers={"Host": "id.example.org:8443"})
    assert (answer.status, answer.json()["query"]) == (200, "x=1")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["date"].endswith(" GMT")
    assert answer.headers["x-request-id"]
    assert "server" not in answer.headers


def test_request_id_of_the_peer_comes_back_when_it_is_sane(peer: Peer) -> None:
    given = "b6f6b3e2-6d7e-4a0b-8d38-5d0e3a1c2f4d"
    assert peer.ask("GET", "/hello", headers={"X-Request-Id": given}).headers["x-request-id"] == given
    assert peer.ask("GET", "/hello", headers={"X-Smallstep-Id": given}).headers["x-request-id"] == given
    assert peer.ask("GET", "/hello", headers={"X-Request-Id": "<b>"}).headers["x-request-id"] != "<b>"


def test_handler_sees_who_asks_and_where(program: RunningProgram) -> None:
    with program.connect("status") as peer:
        seen = peer.ask("GET", "/who", headers={"Host": "Status.Example:80", "Accept": "a", "accept": "b"}).json()
    assert seen["origin"] == "http://status.example:80"
    assert seen["address"] == "127.0.0.1"
    assert seen["headers"]["accept"] == "a, b" or seen["headers"]["accept"] == "b"


def test_repeated_headers_are_joined_and_cookies_stay_cookies(peer: Peer) -> None:
    peer.send("GET /who HTTP/1.1\r\nHost: a\r\nAccept: x\r\nCookie: a=1\r\nACCEPT: y\r\nCookie: b=2\r\n\r\n")
    headers = peer.answer().json()["headers"]
    assert (headers["accept"], headers["cookie"]) == ("x, y", "a=1; b=2")


def test_pipelined_requests_are_answered_in_their_order(peer: Peer) -> None:
    paths = [
        "/wait/150",
        "/wait/1",
        "/hello?1",
        "/hello?2",
        "/wait/60",
        "/hello?3",
        "/hello?4",
    ]
    peer.send("".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths))
    answers = [peer.answer().json() for _ in paths]
    assert [each.get("waited") or each["query"] for each in answers] == ["150", "1", "1", "2", "60", "3", "4"]


def test_pipelined_bodies_go_to_their_requests(peer: Peer) -> None:
    bodies = [b"one", b"", b"three" * 100, b"4"]
    posts = [b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies]
    peer.send(b"GET /wait/50 HTTP/1.1\r\nHost: a\r\n\r\n" + b"".join(posts))
    assert peer.answer().json()["waited"] == "50"
    assert [peer.answer().body for _ in bodies] == bodies


def test_pipelined_burst_to_a_constant_answer_is_answered_whole(peer: Peer) -> None:
    peer.send(b"GET /constant HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
    assert {peer.answer().status for _ in range(200)} == {200}


def test_requests_that_wait_behind_a_slow_one_are_held_up_to_a_number(program: RunningProgram) -> None:
    with program.connect() as peer:
        peer.send(b"GET /wait/500 HTTP/1.1\r\nHost: a\r\n\r\n" + b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" * 1_000)
        assert [peer.answer().status for _ in range(258)] == [200] * 257 + [503]
        assert peer.is_closed()


def test_http_1_0_ends_with_the_connection(program: RunningProgram) -> None:
    with program.connect() as peer:
        peer.send("GET /hello HTTP/1.0\r\n\r\n")
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert peer.is_closed()


def test_http_1_0_stays_when_asked_to(peer: Peer) -> None:
    for _ in range(2):
        peer.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert peer.answer().headers["connection"] == "keep-alive"


def test_http_1_0_without_host_has_the_origin_of_the_listener(program: RunningProgram) -> None:
    with program.connect() as peer:
        peer.send("GET /who HTTP/1.0\r\n\r\n")
        assert peer.answer().json()["origin"] == program.urls["people"]


@pytest.mark.parametrize("path", ["hello", "wait/30"])
def test_connection_close_is_honoured(program: RunningProgram, path: str) -> None:
    with program.connect() as peer:
        peer.send(f"GET /{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        peer.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert peer.answer().headers["connection"] == "close"
        assert peer.is_closed()


def test_expectation_is_met_before_the_body_is_sent(peer: Peer) -> None:
    peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert peer.answer().status == 100
    peer.send("body")
    assert peer.answer().body == b"body"
    assert peer.ask("GET", "/hello").status == 200


def test_expectation_of_a_body_too_long_is_refused_at_once(program: RunningProgram) -> None:
    with program.connect() as peer:
        peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_unknown_expectation_is_refused(peer: Peer) -> None:
    peer.send("GET /hello HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n")
    assert peer.answer().status == 417


def test_body_as_long_as_allowed_is_read(peer: Peer) -> None:
    assert peer.ask("POST", "/echo", b"x" * 1000).body == b"x" * 1000


@pytest.mark.parametrize("size", [1001, 300_000, 5_000_000])
def test_body_too_long_is_refused_in_the_words_of_the_route(program: RunningProgram, size: int) -> None:
    with program.connect() as peer:
        try:
            peer.send(f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
        except (BrokenPipeError, ConnectionResetError):
            assert size > 1_000_000  # cut off while still sending
            return
        answer = peer.answer()
        assert answer.status == 413
        assert "1000" in answer.json()["step"]
        assert peer.is_closed()


@pytest.mark.parametrize("chunk", [1, 700, 60_000])
def test_chunked_body_too_long_is_refused(program: RunningProgram, chunk: int) -> None:
    with program.connect() as peer:
        peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.send((b"%x\r\n" % chunk + b"x" * chunk + b"\r\n") * (1 + 1000 // chunk))
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_chunked_body_is_read_whole(peer: Peer) -> None:
    peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.send("3\r\nabc\r\n4;note=x\r\ndefg\r\n0\r\nHost: evil\r\nX-Trailer: 1\r\n\r\n")
    assert peer.answer().body == b"abcdefg"
    assert peer.ask("GET", "/hello").status == 200


def test_request_may_come_byte_by_byte(peer: Peer) -> None:
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in "POST /echo?a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc":
        peer.send(byte)
    assert peer.answer().body == b"abc"


def test_body_that_is_mostly_framing_is_refused(program: RunningProgram) -> None:
    with program.connect() as peer:
        peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        for _ in range(10):
            peer.send(b"1;" + b"x" * 4000 + b"\r\nx\r\n")
            time.sleep(0.01)
        assert peer.answer().status == 400


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + "x" * 9000 + "\r\n\r\n", 431),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + "x" * 90_000, 431),
        ("GET /hello HTTP/1.1\r\nHost: a\r\n" + "".join(f"X-{n}: 1\r\n" for n in range(40)) + "\r\n", 431),
        ("GET /hello HTTP/1.1\r\nHost: a\r\n" + "X: 1\r\n" * 5000 + "\r\n", 431),
        ("GET /hello HTTP/1.1\r\nHost: a\r\n" + "X:\r\n" * 30 + "\r\n", 431),
        ("GET /hello HTTP/1.1\r\nHost: a\r\n" + "Cookie: a=b\r\n" * 30 + "\r\n", 431),
        ("GET /" + "x" * 3000 + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("GET /" + "x" * 300_000, 414),
        ("hello\r\n\r\n", 400),
        ("\x16\x03\x01\x02", 400),
        ("GET /hello HTTP/1.1\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: evil@a\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        ("GET /hello HTTP/3.7\r\nHost: a\r\n\r\n", 400),
        ("GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ],
)
def test_what_is_not_a_sound_request_is_refused(program: RunningProgram, head: str, status: int) -> None:
    with program.connect() as peer:
        peer.send(head)
        answer = peer.answer()
        assert answer.status == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]


def test_endless_head_is_refused_though_it_comes_in_one_piece(program: RunningProgram, peer: Peer) -> None:
    worker = peer.ask("GET", "/hello").json()["pid"]
    os.kill(worker, signal.SIGSTOP)
    try:
        peer.send("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + "x" * 20_000)
    finally:
        os.kill(worker, signal.SIGCONT)
    assert peer.answer().status == 431


def test_many_requests_in_one_piece_are_no_long_head(program: RunningProgram, peer: Peer) -> None:
    worker = peer.ask("GET", "/hello").json()["pid"]
    bodies = [b"b" * 900 for _ in range(50)]
    os.kill(worker, signal.SIGSTOP)
    try:
        peer.send(b"".join(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n" + body for body in bodies))
        peer.send("GET /hello HTTP/1.1\r\nHost:")
    finally:
        os.kill(worker, signal.SIGCONT)
    peer.send(" a\r\n\r\n")
    assert [peer.answer().body for _ in bodies] == bodies
    assert peer.answer().status == 200


def test_refusal_comes_after_the_answers_that_are_due(program: RunningProgram) -> None:
    with program.connect() as peer:
        peer.send("GET /wait/100 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\nrubbish\r\n\r\n")
        assert [peer.answer().status for _ in range(3)] == [200, 200, 400]
        assert peer.is_closed()


def test_broken_body_behind_a_running_request_is_refused_in_its_turn(program: RunningProgram) -> None:
    with program.connect() as peer:
        peer.send("GET /wait/100 HTTP/1.1\r\nHost: a\r\n\r\n")
        peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert [peer.answer().status for _ in range(2)] == [200, 400]
        assert peer.is_closed()


def test_address_with_scheme_and_host_is_understood(peer: Peer) -> None:
    peer.send("GET https://id.example.org/who?a=b HTTP/1.1\r\nHost: other\r\n\r\n")
    assert peer.answer().json()["origin"] == "https://id.example.org"


UPGRADE = "Connection: Upgrade\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize("path", ["hello?1", "wait/50"])
def test_request_for_another_protocol_is_answered_as_http_and_ends_the_connection(program: RunningProgram, path: str) -> None:
    following = "GET /hello?2 HTTP/1.1\r\nHost: a\r\n\r\n"
    with program.connect() as peer:
        peer.send(f"GET /{path} HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n{following}")
        peer.send(following)
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert peer.is_closed()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /hello HTTP/1.1\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a/b\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n", 413),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 1\r\n", 417),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n", 501),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", 400),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n", 501),
    ],
)
def test_refusal_of_a_request_for_another_protocol_keeps_its_status(program: RunningProgram, head: str, status: int) -> None:
    with program.connect() as peer:
        peer.send(f"{head}{UPGRADE}\r\n")
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert peer.is_closed()
    assert not [line for line in program.log() if line["event"] == "connection failed"]


@pytest.mark.parametrize("connection", ["", "Connection: keep-alive\r\n"])
def test_transfer_encoding_in_http_1_0_is_refused(program: RunningProgram, connection: str) -> None:
    with program.connect() as peer:
        peer.send(f"POST /echo HTTP/1.0\r\nHost: a\r\n{connection}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert peer.is_closed()


def test_head_is_get_without_the_body(peer: Peer) -> None:
    whole = peer.ask("GET", "/constant")
    head = peer.ask("HEAD", "/constant")
    assert (head.status, head.headers["content-length"]) == (200, str(len(whole.body)))
    assert peer.ask("GET", "/hello").status == 200


def test_wrong_method_is_told_which_ones_there_are(peer: Peer) -> None:
    answer = peer.ask("DELETE", "/hello")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["step"] == "/hello does not answer DELETE."
    assert peer.ask("GET", "/echo").headers["allow"] == "POST"
    assert peer.ask("GET", "/hello").status == 200


def test_body_for_an_unknown_path_is_passed_over(peer: Peer) -> None:
    answer = peer.ask("POST", "/nothing", b"x" * 5000)
    assert (answer.status, answer.json()["message"]) == (404, "There is nothing at /nothing.")
    assert peer.ask("GET", "/hello").status == 200


def test_bug_tells_the_request_id_and_logs_no_contents(program: RunningProgram, peer: Peer) -> None:
    answer = peer.ask("POST", "/bug?code=SplxlOBeZQQYbYS6", b"correct horse", {"X-Request-Id": "bug-1"})
    assert (answer.status, answer.json()) == (500, {"step": "bug-1"})
    line = program.logged("request failed", request_id="bug-1")
    assert (line["error"], line["route"], line["listener"]) == (["RuntimeError"], "/bug", "people")
    assert any(frame.endswith(" bug") for frame in line["frames"])
    assert not any(secret in program.messages() for secret in ("SplxlOBe", "correct", "horse"))


def test_header_that_would_split_the_answer_is_never_sent(peer: Peer) -> None:
    answer = peer.ask("GET", "/broken-header")
    assert answer.status == 500
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("beginning", ["", "GET /hello HTTP/1.1\r\nHost: a\r\nX-Sl", "\r\n\r\n"])
def test_head_that_does_not_arrive_ends_the_connection(hasty: RunningProgram, beginning: str) -> None:
    with hasty.connect() as peer:
        began = time.monotonic()
        peer.send(beginning)
        if beginning.strip():
            assert peer.answer().status == 408
        assert peer.is_closed()
        assert time.monotonic() - began < 20


def test_body_that_does_not_arrive_ends_the_connection(hasty: RunningProgram) -> None:
    with hasty.connect() as peer:
        peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert peer.is_closed()


def test_trickle_does_not_hold_a_connection(hasty: RunningProgram) -> None:
    with hasty.connect() as peer:
        peer.send("GET /hello HTTP/1.1\r\nHost: a\r\nX: ")
        began = time.monotonic()
        while time.monotonic() - began < 20:
            try:
                peer.send("x")
            except OSError:
                break
            time.sleep(0.1)
        assert time.monotonic() - began < 20


def test_idle_connection_is_closed_and_a_waiting_one_is_not(hasty: RunningProgram) -> None:
    with hasty.connect() as idle, hasty.connect() as waiting:
        idle.ask("GET", "/hello")
        assert waiting.ask("GET", "/wait/2600").status == 200
        assert idle.is_closed()


@pytest.mark.parametrize("listener", ["people", "status"])
def test_peer_that_does_not_read_is_cut_off(hasty: RunningProgram, listener: str) -> None:
    def send_without_reading(peer: Peer) -> None:
        for _ in range(100):
            peer.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * 5)
            time.sleep(0.05)

    with hasty.connect(listener) as peer, pytest.raises((ConnectionResetError, BrokenPipeError, ssl.SSLError)):
        send_without_reading(peer)
    with hasty.connect(listener) as other:
        assert other.ask("GET", "/hello").status == 200


@pytest.mark.parametrize("listener", ["people", "status"])
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_peer_that_reads_slowly_gets_everything(hasty: RunningProgram, listener: str, connection: str) -> None:
    with hasty.connect(listener) as peer:
        peer.send(f"GET /large HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n")
        size = pause = 0
        while size < 8_000_000 and (data := peer.socket.recv(65_536)):
            size += len(data)
            if size > (pause + 1) * 1_500_000:
                pause += 1
                time.sleep(0.5)
    assert size > 8_000_000


def test_peer_that_goes_away_does_no_harm(program: RunningProgram) -> None:
    for _ in range(5):
        with program.connect() as peer:
            peer.send("GET /wait/50 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.1)
    with program.connect() as peer:
        assert peer.ask("GET", "/hello").status == 200
    assert not [line for line in program.log() if line["event"] == "connection failed"]
    assert "Traceback" not in program.messages()
