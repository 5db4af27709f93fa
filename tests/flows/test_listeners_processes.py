"""The life of the processes: start, reload, death, end."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.flows.listeners_client import PATIENCE, Peer, RunningProgram, wait_for


def worker_pids(program: RunningProgram, wanted: int) -> set[int]:
    """Ask anew until `wanted` processes have answered."""
    seen: set[int] = set()

    def enough() -> bool:
        with program.connect("status") as peer:
            seen.add(peer.ask("GET", "/hello").json()["pid"])
        return len(seen) >= wanted

    wait_for(enough, f"{wanted} workers")
    return seen


def closed(directory: Path) -> list[str]:
    """A line for each application that has been closed."""
    file = directory / "closed"
    return file.read_text().splitlines() if file.exists() else []


def begin(peer: Peer, request: str) -> None:
    """Send a request of which the server has begun to read when this comes back: it came with one that was answered."""
    peer.send(f"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n{request}")
    assert peer.answer().status == 200


def refuses(program: RunningProgram) -> bool:
    try:
        program.connect("status").socket.close()
    except ConnectionError:
        return True
    return False


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_every_worker_serves_on_every_listener(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=2) as program:
        assert len(worker_pids(program, 2)) == 2
        for listener in ("people", "machines", "status"):
            with program.connect(listener) as peer:
                assert peer.ask("GET", "/hello").status == 200
        program.signal(signal.SIGTERM)
        assert program.ended() == 0
        assert (tmp_path / "closed").read_text().count("hello") == 2


def test_reload_under_load_drops_nothing(tmp_path: Path) -> None:
    failures: list[str] = []
    greetings: set[str] = set()
    over = threading.Event()

    def ask(program: RunningProgram, path: str) -> None:
        try:
            with program.connect() as peer:
                while not over.is_set():
                    answer = peer.ask("GET", path)
                    greetings.add(answer.json()["greeting"])
                    if answer.status != 200:
                        failures.append(str(answer.status))
        except (OSError, ConnectionError) as failure:
            failures.append(repr(failure))

    with RunningProgram(tmp_path, workers=2, greeting="one") as program:
        paths = ["/hello", "/hello", "/wait/20", "/wait/20"]
        threads = [threading.Thread(target=ask, args=(program, path)) for path in paths]
        for thread in threads:
            thread.start()
        wait_for(lambda: "one" in greetings, "one")
        for greeting in ("two", "three"):
            program.choose(workers=2, greeting=greeting)
            program.signal(signal.SIGHUP)
            wait_for(lambda wanted=greeting: wanted in greetings, greeting)
        wait_for(lambda: sum("two" in line for line in closed(tmp_path)) == 2, "the end of the second generation")
        over.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert greetings == {"one", "two", "three"}
        assert sorted(line.split()[1] for line in closed(tmp_path)) == ["one", "one", "two", "two"]


def test_settings_that_cannot_be_used_leave_the_old_ones(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, greeting="old") as program:
        (tmp_path / "settings.json").write_text("{")
        program.signal(signal.SIGHUP)
        assert "settings.json is not JSON" in program.logged("settings refused; the old ones stay")["detail"]
        program.choose(workers=1, greeting="new", fails="There is no such issuer.")
        program.signal(signal.SIGHUP)
        assert program.logged("reload refused; the old settings stay")["detail"] == "There is no such issuer."
        with program.connect() as peer:
            seen = peer.ask("GET", "/hello").json()
            assert seen["greeting"] == "old"
            os.kill(seen["pid"], signal.SIGKILL)  # its successor must not meet the bad file
        with program.connect() as peer:
            assert peer.ask("GET", "/hello").json()["greeting"] == "old"
        program.choose(workers=1, greeting="new", ports={"people": 1})
        program.signal(signal.SIGHUP)
        assert program.logged("a change of [listen] or workers takes effect at the next start")
        with program.connect() as peer:
            wait_for(lambda: peer.ask("GET", "/hello").json()["greeting"] == "new", "the new settings")


def test_end_waits_for_what_is_being_answered(tmp_path: Path) -> None:
    with (
        RunningProgram(tmp_path, workers=1) as program,
        program.connect() as idle,
        program.connect() as busy,
        program.connect() as receiving,
    ):
        assert idle.ask("GET", "/hello").status == 200
        begin(busy, "GET /wait/700 HTTP/1.1\r\nHost: a\r\n\r\n")
        receiving.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert receiving.answer().status == 100
        receiving.send("ab")
        program.signal(signal.SIGTERM)
        assert idle.is_closed()
        with pytest.raises(ConnectionError):
            program.connect("status")
        receiving.send("cd")
        for peer, body in ((receiving, b"abcd"), (busy, b'{"greeting":"hello","waited":"700"}\n')):
            answer = peer.answer()
            assert (answer.status, answer.body, answer.headers["connection"]) == (200, body, "close")
            assert peer.is_closed()
        assert program.ended() == 0


def test_end_gives_up_what_takes_too_long(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, drain=0.5) as program, program.connect() as peer:
        begin(peer, "GET /wait/60000 HTTP/1.1\r\nHost: a\r\n\r\n")
        program.signal(signal.SIGTERM)
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert program.ended() == 0
        assert program.logged("requests given up at the end")["count"] == 1


def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, drain=60) as program, program.connect() as peer:
        begin(peer, "GET /wait/60000 HTTP/1.1\r\nHost: a\r\n\r\n")
        program.signal(signal.SIGINT)
        wait_for(lambda: refuses(program), "the first signal to be heeded")
        program.signal(signal.SIGINT)
        assert program.ended() == 0
        assert peer.is_closed()


def test_worker_that_does_not_answer_is_told_of_with_its_stack_then_replaced(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, longest_silence=6.0) as program, program.connect("status") as peer:
        peer.send("GET /block/60000 HTTP/1.1\r\nHost: a\r\n\r\n")
        for event in ("worker does not answer", "worker is silent and is ended"):
            stack = program.logged(event)["stack"]
            assert any(line.endswith(" in block") and "listeners_program.py" in line for line in stack)
        assert peer.is_closed()
        assert worker_pids(program, 1)


def test_worker_that_answers_again_is_left_alone(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=1, longest_silence=9.0) as program, program.connect("status") as peer:
        assert peer.ask("GET", "/block/5500").status == 204
        assert program.logged("worker answers again")
        assert peer.ask("GET", "/hello").status == 200
        assert not [line for line in program.log() if line["level"] == "error"]


def test_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=2) as program:
        before = worker_pids(program, 2)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        after = worker_pids(program, 2)
        assert not before & after
        assert program.logged("worker died and is replaced")["status"] == -signal.SIGKILL
        with program.connect("machines", program.client_context(program.authority.client())) as peer:
            assert peer.ask("GET", "/who").json()["certificate"]


def test_workers_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=2) as program:
        pids = worker_pids(program, 2)
        program.signal(signal.SIGKILL)
        program.ended()
        assert wait_for(lambda: not any(is_alive(pid) for pid in pids), "the end of the workers")


def test_start_that_fails_says_why(tmp_path: Path) -> None:
    with RunningProgram(tmp_path, workers=2, fails="There is no such issuer.") as program:
        assert program.ended() == 1
        assert "There is no such issuer.\nDo not ask for it.\n" in program.messages()


def test_port_that_is_taken_is_named_with_who_has_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with RunningProgram(tmp_path, workers=1, ports={"machines": port}) as program:
            assert program.ended() == 1
            name = Path("/proc/self/comm").read_text().strip()
            assert f"https://127.0.0.1:{port} is taken by another program (pid {os.getpid()}, {name})." in program.messages()
            assert f'[listen] machines = "127.0.0.1:{port + 1}"  in settings.json.' in program.messages()


def test_second_server_does_not_join_the_sockets_of_the_first(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    with (
        RunningProgram(one, workers=1) as first,
        RunningProgram(two, workers=1, ports={"people": first.port("people")}) as second,
    ):
        assert second.ended() == 1
        assert "is taken by another program" in second.messages()
        with first.connect() as peer:
            assert peer.ask("GET", "/hello").status == 200


def test_service_manager_is_told_what_happens(tmp_path: Path) -> None:
    told: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(PATIENCE)

        def hear(beginning: str) -> str:
            while True:
                told.append(channel.recv(4096).decode())
                if told[-1].startswith(beginning):
                    return told[-1]

        environment: dict[str, Any] = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with RunningProgram(tmp_path, workers=1, environment=environment) as program:
            assert "STATUS=" in hear("READY=1")
            assert hear("WATCHDOG=1")
            program.signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in hear("RELOADING=1")
            assert hear("READY=1")
            (tmp_path / "settings.json").write_text("{")
            program.signal(signal.SIGHUP)
            assert hear("RELOADING=1")
            assert hear("READY=1")
            program.signal(signal.SIGTERM)
            assert hear("STOPPING=1")
            assert program.ended() == 0
