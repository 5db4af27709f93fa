"""Where the time of a request goes: a profile of one worker of ours under load.

``python -m bench --profile sign --connections 1,32`` (or ``renew``) prints three tables: the parts of the program that the
worker's main thread spends its processor time in, the libraries by ``perf``, and the system calls of one request by ``strace``.
Without perf or strace (Debian: linux-perf, strace), or the rights to use them, their tables are left out, and that is said.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import sampler, subject
from bench.load import MOST_RENEWALS, WARMING, Figure, apache_bench, wrk
from bench.processes import workers_of
from bench.provider import openid_provider
from bench.sampler.sitecustomize import WHERE, WRITE
from bench.workload import jwk_bodies

Load = Callable[[int], Figure]
"""Sends so many requests."""
PARTS = (
    ("elliptic curves", r"jose/signatures.py:_verify|ca/csr.py:_require_possession|ca/x509.py:(sign|signs_again|verify)$"),
    ("TLS and sockets", r"/ssl.py:|runtime/connection.py:HttpConnection._send"),
    ("token", r"/jose/|/ca/provisioners/|/openid_providers"),
    ("certificate request", r"/ca/csr.py|/ca/public_keys.py|/sealwright/pem.py"),
    ("lint and verification", r"/ca/(lint|tbs_parser).py|/ca/x509.py:verify_issued"),
    ("names and decision", r"/ca/(names|policy|reserved|profiles|holder_status).py|/sealwright/(hosts|confusables|clock)"),
    ("encoding", r"/ca/(x509|der|prepare).py"),
    ("SQLite and its statements", r"/sealwright/db/"),
    ("records", r"/ca/(issuance_log|store|records|name_search|certificate_lookup).py|/sealwright/audit/"),
    ("HTTP and JSON", r"/sealwright/(runtime|http)/|/ca/step_api/|/sealwright/strict_json"),
    ("the order of steps", r"/ca/(issue|sign|renew).py|/sealwright/stages"),
)
"""The name of a part, and what the innermost frame of ours that belongs to it looks like; the first that fits counts."""
_SHOWN = 14
_TRACED = 200


def profile(work: str, connections: list[int], requests: int) -> None:
    """Print the tables for each number of connections."""
    with tempfile.TemporaryDirectory(prefix="sealwright-bench-") as place, openid_provider(Path(place)) as provider:
        samples = Path(place) / "samples"
        with (
            _sampled(samples),
            subject.running_subject(Path(place) / "ours", provider, database_url=None, workers=1) as ours,
        ):
            assert ours.process is not None
            (worker,) = workers_of(ours.process.pid)
            for count in connections:
                load = _load(work, ours, count)
                load(WARMING)
                print(f"\n{work} at {count} connection{'s' if count > 1 else ''}")
                _parts(worker, samples, load, requests)
                _libraries(worker, Path(place), load, requests)
                _system_calls(worker, Path(place), load)


@contextmanager
def _sampled(samples: Path) -> Iterator[None]:
    """Servers that are started within count what their workers do."""
    added = {"PYTHONPATH": str(Path(sampler.__file__).parent), WHERE: str(samples)}
    before = {name: os.environ.get(name) for name in added}
    os.environ |= added
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _load(work: str, ours: subject.Subject, connections: int) -> Load:
    key, kid = ours.provisioner_key()
    pem = subject.client_certificate(ours.place, ours.url, ours.root, subject.JWK_PROVISIONER, ours.password)

    def sign(count: int) -> Figure:
        audience = f"{ours.url}/1.0/sign"
        bodies = jwk_bodies(count, key=key, kid=kid, provisioner=subject.JWK_PROVISIONER, audience=audience)
        return wrk(work, ours.url, "/sign", bodies=bodies, seconds=60, connections=connections)

    def renew(count: int) -> Figure:
        most = min(count, MOST_RENEWALS)
        return apache_bench(work, f"{ours.url}/renew", certificate=pem, seconds=60, connections=connections, most=most)

    return renew if work == "renew" else sign


def _parts(worker: int, samples: Path, load: Load, requests: int) -> None:
    written = samples.with_name(f"{samples.name}.{worker}")
    _write_samples(worker, written)
    load(requests)
    rows = _write_samples(worker, written)
    found: Counter[str] = Counter()
    for count, stack in rows:
        found[part_of(stack)] += count
    _print("share of the main thread's processor time", found)


def _write_samples(worker: int, written: Path) -> list[tuple[int, list[str]]]:
    written.unlink(missing_ok=True)
    os.kill(worker, WRITE)
    end = time.monotonic() + 10
    while not written.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return [(count, stack) for count, *stack in json.loads(written.read_text())]


def part_of(stack: list[str]) -> str:
    """The part that a sample belongs to: `stack` is ``file:function``, innermost first."""
    ours = next((frame for frame in stack if "/sealwright/" in frame or "/ssl.py:" in frame), "")
    if ours.endswith("Worker.run") or "runtime/supervisor.py" in ours or not ours:
        return "event loop"
    return next((name for name, shape in PARTS if re.search(shape, ours)), "other")


def _libraries(worker: int, place: Path, load: Load, requests: int) -> None:
    data = place / "perf.data"
    with _attached("perf", ["record", "-q", "-F", "2000", "-t", str(worker), "-o", str(data)], place) as attached:
        if attached:
            load(requests)
    if not data.exists():
        return
    command = ["perf", "report", "-i", str(data), "--no-children", "--stdio", "-q", "-t", ";", "--sort", "dso,symbol"]
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found: Counter[str] = Counter()
    for share, library, symbol in re.findall(r"^\s*([\d.]+)%?\s*;([^;]+);\s*\[.\]\s*(\S+)", printed, re.MULTILINE):
        found["P-256, within cryptography" if "ecp_" in symbol else library.strip()] += round(float(share) * 100)
    data.unlink()
    _print("share by library (perf)", found)


def _system_calls(worker: int, place: Path, load: Load) -> None:
    counts = place / "strace"
    with _attached("strace", ["-f", "-c", "-o", str(counts), "-p", str(worker)], place) as attached:
        if attached:
            load(_TRACED)
    if not counts.exists():
        return
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", counts.read_text(), re.MULTILINE)
    counts.unlink()
    calls = {name: int(count) / _TRACED for count, name in rows if name != "total"}
    print(f"  system calls of one request (strace): {sum(calls.values()):.0f}")
    for name, each in sorted(calls.items(), key=lambda item: -item[1])[:_SHOWN]:
        print(f"    {each:6.1f}  {name}")


@contextmanager
def _attached(tool: str, arguments: list[str], place: Path) -> Iterator[bool]:
    """A tool that watches the worker until the block ends; False where it cannot."""
    if shutil.which(tool) is None:
        print(f"  {tool} is not installed: its table is left out")
        yield False
        return
    with (place / f"{tool}.log").open("w+") as log:
        process = subprocess.Popen([tool, *arguments], stdout=log, stderr=log)
        time.sleep(1)
        running = process.poll() is None
        if not running:
            log.seek(0)
            print(f"  {tool} cannot be used here, and its table is left out: {log.read(200).strip()}")
        try:
            yield running
        finally:
            if running:
                process.send_signal(signal.SIGINT)
                process.wait(30)


def _print(title: str, found: Counter[str]) -> None:
    print(f"  {title}")
    total = sum(found.values()) or 1
    for name, count in found.most_common(_SHOWN):
        print(f"    {count / total:6.1%}  {name}")
