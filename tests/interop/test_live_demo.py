"""`make demo` without a terminal: the whole main job in one command, as often as anybody likes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import PATIENCE, TOOLS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def elsewhere(tmp_path):
    """The demo in a directory of its own, so that what somebody made with it in this checkout stays as it is."""
    (tmp_path / "demo").symlink_to(ROOT / "demo")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def demonstrate(place):
    kept_out = ("SEALWRIGHT_", "STEP", "XDG_", "COVERAGE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(kept_out)}
    return subprocess.run(
        [place / ".venv" / "bin" / "python", "-m", "demo", "--auto"],
        cwd=place, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5 * PATIENCE, check=False,
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
