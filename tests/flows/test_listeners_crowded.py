"""More connections than there is room for."""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.flows.listeners_client import PATIENCE, Peer, RunningProgram, wait_for

FEW = 64
FULL = "there are as many connections as there may be"
GREEDY = "one network has half of all connections that there may be"


@contextmanager
def idle_connections(program: RunningProgram, listener: str, count: int) -> Iterator[list[socket.socket]]:
    """Connections that say nothing."""
    with ExitStack() as stack:
        address = ("127.0.0.1", program.port(listener))
        yield [stack.enter_context(socket.create_connection(address, PATIENCE)) for _ in range(count)]


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)  # noqa: FBT003 - the standard library's signature
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def is_settled(opened: list[socket.socket]) -> bool:
    """Whether the server has taken all of them in, and ended those that are too many."""
    before = sum(map(is_open, opened))
    time.sleep(0.5)
    return sum(map(is_open, opened)) == before < FEW // 2


def answers(program: RunningProgram, listener: str) -> bool:
    with program.connect(listener) as peer:
        return peer.ask("GET", "/hello").status == 200


@pytest.mark.parametrize("listener", ["people", "machines", "status"])
def test_every_listener_answers_though_all_connections_are_taken(tmp_path: Path, listener: str) -> None:
    with RunningProgram(tmp_path, workers=1, open_files=FEW) as program:
        with idle_connections(program, listener, 200) as opened:
            wait_for(lambda: is_settled(opened), "those that are too many to be ended")
            began = time.monotonic()
            for each in ("status", "people", "machines"):
                for _ in range(3):
                    assert answers(program, each)
            assert time.monotonic() - began < PATIENCE
            assert program.logged(GREEDY)["network"] == "127.0.0.1"
        assert answers(program, listener)
        assert not [line for line in program.log() if line["level"] == "error"]


def test_connections_that_were_used_and_are_idle_make_room_for_new_ones(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, open_files=FEW) as program, ExitStack() as stack:
        first = stack.enter_context(program.connect())
        assert first.ask("GET", "/hello").status == 200
        time.sleep(1.1)  # the clock of connections beats twice a second
        for _ in range(60):
            assert stack.enter_context(program.connect()).ask("GET", "/hello").status == 200
        assert first.is_closed()


def test_connection_that_is_being_answered_is_not_ended_for_others(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, open_files=FEW) as program, program.connect() as busy:
        busy.send("GET /wait/3000 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        with idle_connections(program, "people", 100) as opened:
            wait_for(lambda: is_settled(opened), "those that are too many to be ended")
            assert answers(program, "people")
            assert busy.answer().status == 200


def test_listed_proxy_may_have_all_connections(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, open_files=FEW, proxies=["127.0.0.1"]) as program:
        with idle_connections(program, "people", 100) as opened:
            wait_for(lambda: is_settled(opened), "those that are too many to be ended")
            assert answers(program, "people")
            assert program.logged(FULL)["most"] > 4
        assert not [line for line in program.log() if line["event"] == GREEDY]


def test_descriptors_that_run_out_all_the_same_are_logged_and_come_back(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1) as program:
        with program.connect("status") as peer:
            worker = peer.ask("GET", "/hello").json()["pid"]
        before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        taken = sum(1 for _ in Path(f"/proc/{worker}/fd").iterdir())
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (taken, before[1]))
        with socket.create_connection(("127.0.0.1", program.port("status")), PATIENCE) as waiting, Peer(waiting) as peer:
            line = program.logged("connections cannot be accepted")
            assert (line["error"], line["open_files"]) == (os.strerror(24), taken)
            time.sleep(1.0)
            assert len([line for line in program.log() if line["event"] == "connections cannot be accepted"]) == 1
            resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
            assert peer.ask("GET", "/hello").status == 200


def test_soft_limit_of_open_files_is_raised_at_the_start(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        with RunningProgram(tmp_path, workers=1) as program, program.connect("status") as peer:
            worker = peer.ask("GET", "/hello").json()["pid"]
            raised, _ = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert raised == min(hard, 65_536)


def test_server_with_too_few_open_files_says_so_and_does_not_start(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, open_files=32) as program:
        assert program.ended() == 1
        assert "32 open files are too few" in program.messages()
        assert "LimitNOFILE" in program.messages()


def test_handshakes_that_do_not_come_are_counted(tmp_path: Path) -> None:
    limits = {"connections": 24, "handshake_seconds": 60.0, "head_seconds": 60.0}
    with RunningProgram(tmp_path, workers=1, limits=limits) as program, idle_connections(program, "machines", 30) as opened:
        wait_for(lambda: sum(map(is_open, opened)) <= 20, "the limit")
        assert answers(program, "machines")
