"""`make demo`, with a terminal and without: the whole main job in one command, as often as anybody likes."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from demo.forms import Browser, sign_in_and_allow
from tests.live import PATIENCE, TOOLS, wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def elsewhere(tmp_path):
    """The demo in a directory of its own, so that what someone made with it in this checkout stays as it is."""
    (tmp_path / "demo").symlink_to(ROOT / "demo")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def surroundings():
    kept_out = ("SEALWRIGHT_", "STEP", "XDG_", "COVERAGE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(kept_out)}


def demonstrate(place):
    return subprocess.run(
        [place / ".venv" / "bin" / "python", "-m", "demo", "--auto"],
        cwd=place, env=surroundings(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5 * PATIENCE,
        check=False,
    )  # fmt: skip


def test_greeting_comes_back_twice_in_a_row(elsewhere):
    printed = []
    for _ in range(2):
        done = demonstrate(elsewhere)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "👋 Hello alice@example.org! Welcome to mTLS 🔒✅" in done.stdout
        assert "✘" not in done.stdout
        steps = re.findall(r"^✔ .*  \d+\.\d s$", done.stdout, re.MULTILINE)
        assert len(steps) == 8
        printed.append(done.stdout)
    certificate = elsewhere / "build" / "demo" / "personal.crt"
    inspect = [TOOLS / "step", "certificate", "inspect", "--short", certificate]
    assert "alice@example.org" in subprocess.run(inspect, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    assert_sign_in_works_as_told(elsewhere, printed[-1].partition("Try next:")[2])


def answers(address):
    with suppress(OSError), socket.create_connection((urlsplit(address).hostname, urlsplit(address).port), timeout=1):
        return True
    return False


def assert_sign_in_works_as_told(place, told):
    """The last lines are enough to start the server again and to sign in by hand, as each of those who are named."""
    command, address = re.search(r"^ *(\S+ serve --dir \S+) .*(https://\S+)$", told, re.MULTILINE).groups()
    people = re.findall(r"sign in as (\w+), with the password in (\S+)", told)
    assert [name for name, _ in people] == ["alice", "admin"]
    with (place / "again.log").open("wb") as log:
        server = subprocess.Popen(command.split(), cwd=place, env=surroundings(), stdout=log, stderr=log)
        try:
            wait_until(lambda: answers(address), "the server")
            for name, file in people:
                browser = Browser(place / "build" / "demo" / "home" / "certs" / "root_ca.crt")
                page = browser.submit(browser.open(address), "sign-in", username=name, password=(place / file).read_text())
                assert (page.status, "My account" in page.text) == (200, True), page.text
        finally:
            server.terminate()
            server.wait(PATIENCE)


@contextmanager
def demo_at_a_terminal(place):
    """The demo in the foreground of a terminal of its own, at the moment when a browser has opened the sign-in page."""
    opened, browser = place / "opened", place / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o700)
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        ["env", "--default-signal=INT", "setsid", "--ctty", place / ".venv" / "bin" / "python", "-m", "demo"],
        cwd=place, env=surroundings() | {"BROWSER": str(browser)}, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    terminal = Terminal(mine)
    try:
        wait_until(lambda: opened.exists() or process.poll() is not None, "the sign-in page")
        assert process.poll() is None, terminal.text
        yield process, terminal, opened
    finally:
        process.terminate()
        process.wait(PATIENCE)
        terminal.close()


def servers_of(place):
    """Processes that serve the demo's home."""
    home = str(place / "build" / "demo" / "home").encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = each.read_bytes().split(b"\0")
            found += [each] if b"serve" in words and home in words else []
    return found


def test_person_signs_in_with_their_own_browser_at_a_terminal(elsewhere):
    with demo_at_a_terminal(elsewhere) as (process, printed, opened):
        password = re.search(r"with the password (\S+)\.", printed.text).group(1)
        page = Browser(elsewhere / "build" / "demo" / "home" / "certs" / "root_ca.crt")
        sign_in_and_allow(page, opened.read_text().strip(), "alice", password)
        assert process.wait(PATIENCE) == 0, printed.text
    assert "👋 Hello alice@example.org! Welcome to mTLS 🔒✅" in printed.text
    assert "Opened https://localhost:" in printed.text
    assert servers_of(elsewhere) == []


def test_ctrl_c_at_sign_in_stops_the_server_and_says_so(elsewhere):
    with demo_at_a_terminal(elsewhere) as (process, printed, _):
        assert servers_of(elsewhere)
        printed.type("\x03")
        assert process.wait(PATIENCE) == 130, printed.text
    assert "Stopped, and the server with it." in printed.text
    assert "Traceback" not in printed.text
    assert servers_of(elsewhere) == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_signal_ends_the_demo_and_its_server(elsewhere, number):
    with demo_at_a_terminal(elsewhere) as (process, printed, _):
        process.send_signal(number)
        assert process.wait(PATIENCE) == 128 + number, printed.text
    assert servers_of(elsewhere) == []


def test_closed_terminal_ends_the_demo_and_its_server(elsewhere):
    with demo_at_a_terminal(elsewhere) as (process, printed, _):
        assert servers_of(elsewhere)
        printed.close()
        process.wait(PATIENCE)
    assert servers_of(elsewhere) == []


class Terminal:
    """What a program writes to a terminal, without colours."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._written = b""
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self):
        return re.sub(r"\x1b\[[0-9;]*m", "", self._written.decode(errors="replace"))

    def type(self, text):
        os.write(self._descriptor, text.encode())

    def close(self):
        """Hang up; what was printed until then stays."""
        self._closing.set()
        self._reader.join(PATIENCE)

    def _read(self):
        with suppress(OSError):  # how the end of a terminal reads
            while (ready := select.select([self._descriptor], [], [], 0.1)[0]) or not self._closing.is_set():
                if ready:
                    self._written += os.read(self._descriptor, 4096)
        os.close(self._descriptor)


def test_demo_fails_where_the_main_job_does(elsewhere):
    """Its exit status says whether the greeting came back: without curl it cannot."""
    (elsewhere / "tools").mkdir()
    for name in ("sh", "env", "bash"):
        (elsewhere / "tools" / name).symlink_to(Path("/bin") / name if name != "env" else Path("/usr/bin/env"))
    done = subprocess.run(
        [elsewhere / ".venv" / "bin" / "python", "-m", "demo", "--auto"],
        cwd=elsewhere, env={"PATH": str(elsewhere / "tools"), "HOME": str(elsewhere)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=5 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "✘ Called an mTLS web server with curl" in done.stdout
    assert "Try next:" not in done.stdout
    assert done.stderr.strip() == "curl is not installed here"
