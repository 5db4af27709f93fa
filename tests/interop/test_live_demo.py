"""`make demo`, with a terminal and without: the whole main job in one command, as often as anybody likes."""

import os
import pty
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from demo.forms import Browser, sign_in_and_allow
from tests.live import PATIENCE, TOOLS, wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def elsewhere(tmp_path):
    """The demo in a directory of its own, so that what somebody made with it in this checkout stays as it is."""
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
        assert len(steps) == 10
        assert "Try next:" in done.stdout
        printed.append(done.stdout)
    certificate = elsewhere / "build" / "demo" / "personal.crt"
    inspect = [TOOLS / "step", "certificate", "inspect", "--short", certificate]
    assert "alice@example.org" in subprocess.run(inspect, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


def test_person_signs_in_with_their_own_browser_at_a_terminal(elsewhere):
    opened = elsewhere / "opened"
    browser = elsewhere / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o700)
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [elsewhere / ".venv" / "bin" / "python", "-m", "demo"],
        cwd=elsewhere, env=surroundings() | {"BROWSER": str(browser)}, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    printed = Terminal(mine)
    try:
        wait_until(opened.exists, "the sign-in page")
        wait_until(lambda: "with the password" in printed.text, "the password")
        password = re.search(r"with the password (\S+)\.", printed.text).group(1)
        page = Browser(elsewhere / "build" / "demo" / "home" / "certs" / "root_ca.crt")
        sign_in_and_allow(page, opened.read_text().strip(), "alice", password)
        assert process.wait(PATIENCE) == 0, printed.text
    finally:
        process.kill()
        process.wait()
        printed.close()
    assert "👋 Hello alice@example.org! Welcome to mTLS 🔒✅" in printed.text
    assert "Opened https://localhost:" in printed.text


class Terminal:
    """What a program writes to a terminal, without colours."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._written = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self):
        return re.sub(r"\x1b\[[0-9;]*m", "", self._written.decode(errors="replace"))

    def close(self):
        """Read to the end, when the program is gone."""
        self._reader.join(PATIENCE)
        os.close(self._descriptor)

    def _read(self):
        with suppress(OSError):  # how the end of a terminal reads
            while piece := os.read(self._descriptor, 4096):
                self._written += piece


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
