"""A process that issues is killed at each named point, and at random moments. Nothing is lost, nothing is unaccounted for."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealwright.audit import Audit, Event
from sealwright.ca import CertificateState, store
from sealwright.clock import SystemClock
from tests.audits import checkpoints_of
from tests.authorities import authority, csr
from tests.databases import sqlite_database

ROOT = Path(__file__).parents[3]
POINTS = ["before_intent", "after_intent", "after_sign", "before_store", "after_store", "before_answer"]


@contextmanager
def started(directory, count, crash_at=""):
    """The program in a process of its own; nothing of it is left afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.programs.issue_until_killed", str(directory), str(count)],
        cwd=ROOT,
        env={**os.environ, "SEALWRIGHT_CRASH_AT": crash_at},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines(path):
    return path.read_text().split() if path.exists() else []


async def account_for(directory, received):
    """Check what must hold after every crash; answers how many rows there are in each state after recovery."""
    async with sqlite_database(directory) as db, authority(directory / "none", db=db, clock=SystemClock()) as ca:
        before = {row.serial: row for row in await store.newest(db, older_than=store.NO_SERIAL_IS_GREATER, at_most=1000)}
        intended = {row.tbs_digest.hex() for row in before.values()}
        stored = {row.der for row in before.values() if row.state is CertificateState.ISSUED}
        signed = lines(directory / "signed")
        assert {bytes.fromhex(each) for each in received} <= stored, "a certificate that a client received is not stored"
        assert set(signed) <= intended, "something was signed without an intent"
        assert len(set(signed)) == len(signed), "something was signed twice"
        assert len(stored) <= len(signed)

        closed = await ca.recovery.close_intents()
        assert {before[serial].state for serial in closed} <= {CertificateState.INTENDED}
        after = await store.newest(db, older_than=store.NO_SERIAL_IS_GREATER, at_most=1000)
        assert CertificateState.INTENDED not in {row.state for row in after}
        assert {row.serial for row in after if row.state is CertificateState.MAYBE_SIGNED} == set(closed)

        heads = await checkpoints_of(db, ca.audit).verify()
        events = await Audit.newest(db, at_most=5000)
        told = [event.target for event in events if event.event == Event.CERTIFICATE_INTENDED]
        assert sorted(told) == sorted(f"certificate:{serial.hex()}" for serial in before)
        assert len(heads) >= 1

        answers = [await ca.call("POST", "/sign", {"csr": csr(), "ott": token}) for token in lines(directory / "tokens")]
        assert [status for status, _ in answers].count(401) == len(before), "a token was good twice, or a retry was refused"
        assert {status for status, _ in answers} <= {201, 401}
        return [row.state for row in after]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_nothing_is_lost(tmp_path, point):
    number = 5
    with started(tmp_path, 12, f"{point}:{number}") as process:
        output, complaint = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, complaint
    states = asyncio.run(account_for(tmp_path, output.split()))
    open_ones = states.count(CertificateState.MAYBE_SIGNED)
    if point == "before_intent":
        assert len(states) < number
    elif point in ("after_intent", "after_sign", "before_store"):
        assert open_ones >= 1
    else:
        assert states.count(CertificateState.ISSUED) >= number


def test_killed_at_random_moments_nothing_is_lost(tmp_path):
    received = []
    for wait in (0.02, 0.11, 0.23):
        with started(tmp_path, 2_000) as process:
            first = process.stdout.readline()
            time.sleep(wait)
            process.kill()
            rest, complaint = process.communicate(timeout=120)
        assert first, complaint
        received += [each for each in (first + rest).splitlines(keepends=True) if each.endswith("\n")]
    states = asyncio.run(account_for(tmp_path, [each.strip() for each in received]))
    assert states.count(CertificateState.ISSUED) >= len(received)


def test_without_a_crash_everything_is_issued(tmp_path):
    with started(tmp_path, 12) as process:
        output, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    states = asyncio.run(account_for(tmp_path, output.split()))
    assert states == [CertificateState.ISSUED] * 12
