"""The files in deploy/ keep step with the program."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sealwright.runtime.supervisor import Plan

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "deploy" / "sealwright.service"
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text()


@pytest.fixture(scope="module")
def service():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNIT)
    return unit["Service"]


def test_unit_speaks_the_protocol_that_the_supervisor_speaks(service):
    assert (service["Type"], service["NotifyAccess"], service["KillMode"]) == ("notify", "main", "mixed")
    assert "-HUP" in service["ExecReload"]
    assert int(service["WatchdogSec"]) >= 10


def test_unit_waits_longer_than_requests_are_given_to_finish(service):
    assert int(service["TimeoutStopSec"]) > Plan(addresses=(), workers=1).drain.total_seconds() + 5


def test_unit_writes_to_its_home_directory_alone(service):
    assert (service["ProtectSystem"], service["StateDirectory"]) == ("strict", "sealwright")
    assert service["Environment"] == "SEALWRIGHT_HOME=/var/lib/sealwright"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_unit(tmp_path):
    (tmp_path / UNIT.name).write_text(UNIT.read_text())
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / UNIT.name], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_container_copies_what_there_is():
    sources = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINER, re.MULTILINE)
    assert [name for line in sources for name in line.split() if not (ROOT / name).exists()] == []


def test_container_installs_what_the_lock_pins_and_runs_without_privileges():
    assert "--require-hashes" in CONTAINER
    assert re.search(r"^USER 10001:10001$", CONTAINER, re.MULTILINE)
    assert CONTAINER.rindex("USER ") < CONTAINER.index("ENTRYPOINT")
    assert 'CMD ["serve"]' in CONTAINER
