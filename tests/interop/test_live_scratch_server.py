"""`make serve`: a server that starts again when its source changes, and comes up again after a fault in it."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import end, is_alive, wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scratch(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    place, log = tmp_path / "place", tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo.scratch_server", str(place), str(source)], cwd=ROOT, stdout=output, stderr=output
        )
    try:
        yield process, place, source, log
    finally:
        if process.poll() is None:
            end(process)


def pid_of_server(place):
    file = place / "home" / "run" / "addresses.json"
    return json.loads(file.read_text())["pid"] if file.exists() else None


def test_scratch_server_tells_how_to_sign_in_and_starts_again_on_a_change(scratch):
    process, place, source, log = scratch
    wait_until(lambda: pid_of_server(place), "the first start")
    first = pid_of_server(place)
    password = (place / "password").read_text().strip()
    assert f"Sign in as admin or idm_admin with the password {password}" in log.read_text()
    assert (place / "password").stat().st_mode & 0o777 == 0o600
    wait_until(lambda: re.search(r"https://localhost:\d+", log.read_text()), "its address")

    (source / "new.py").write_text("CHANGED = True\n")
    wait_until(lambda: pid_of_server(place) not in {None, first}, "the second start")
    second = pid_of_server(place)
    assert not is_alive(first)
    assert f"{source}/new.py changed" in log.read_text()

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert not is_alive(second)
