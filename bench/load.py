"""Load from the outside: wrk for plain TLS, ApacheBench where the client shows a certificate."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_DONE = """
function done(summary, latency, _)
  io.write(string.format('RESULT {"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, ' ..
    '"p50_us": %d, "p99_us": %d, "used_up_s": %.6f}\\n',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99), used_up()))
end
"""

_GET = """
function used_up() return 0 end
"""

# The clock starts where wrk's own does, after the bodies were read. wrk asks for the next body when a connection has its
# answer: when none is left, whatever was answered until then is what is counted.
_POST = """
local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long ns; } instant; int clock_gettime(int clock, instant *now);")
local now = ffi.new("instant")
local function seconds()
  ffi.C.clock_gettime(1, now)
  return tonumber(now.s) + tonumber(now.ns) / 1e9
end
local requests, at, started, the_thread = {}, 0, 0, nil
function setup(thread) the_thread = thread end
function used_up() return the_thread:get("used_up_s") or 0 end
function init()
  local proofs = %(proofs)s
  for line in io.lines("%(bodies)s") do
    local headers = {["Content-Type"] = "%(content_type)s"}
    for name, value in pairs(wrk.headers) do headers[name] = value end
    if proofs then headers["DPoP"] = proofs() end
    requests[#requests + 1] = wrk.format("POST", "%(path)s", headers, line)
  end
  started = seconds()
end
function request()
  if at == #requests then
    used_up_s = used_up_s or seconds() - started
    wrk.thread:stop()
    return requests[at]
  end
  at = at + 1
  return requests[at]
end
"""

FORM = "application/x-www-form-urlencoded"
WARMING = 200
"""Bodies that make a server do what it does once; they count for nothing."""
MOST_RENEWALS = 100_000
"""ApacheBench keeps room for each; the time ends before them."""


@dataclass(frozen=True)
class Figure:
    """One measured row."""

    name: str
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    requests: int
    refused: int
    broken: int
    seconds: float
    """How long requests were answered."""
    used_up: bool = False
    """Whether the bodies came to their end before the time did."""


def wrk(
    name: str,
    url: str,
    path: str,
    *,
    bodies: list[str] | None = None,
    content_type: str = "application/json",
    seconds: float = 5,
    connections: int = 32,
    proof: str | list[str] = "",
) -> Figure:
    """Run wrk with one thread. With `bodies`, each is posted once, and the rate is that of the time until none was left.

    `proof`: what stands in the Authorization header, or a DPoP proof for each body.
    """
    with tempfile.TemporaryDirectory() as scratch:
        script, file, proof_file = Path(scratch) / "load.lua", Path(scratch) / "bodies", Path(scratch) / "proofs"
        if bodies:
            file.write_text("\n".join(bodies) + "\n")
            filled = {"bodies": file, "path": path, "content_type": content_type, "proofs": "nil"}
            if isinstance(proof, list):
                proof_file.write_text("\n".join(proof) + "\n")
                filled["proofs"] = f'io.lines("{proof_file}")'
            script.write_text(_POST % filled + _DONE)
        else:
            script.write_text(_GET + _DONE)
        headers = ["-H", f"Authorization: {proof}"] if proof and isinstance(proof, str) else []
        command = [
            "wrk",
            *headers,
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "10s",
            "-s",
            str(script),
        ]
        printed = subprocess.run([*command, url + path], capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    row = json.loads(next(line for line in printed.splitlines() if line.startswith("RESULT "))[7:])
    measured = row["used_up_s"] or row["microseconds"] / 1e6
    return Figure(
        name,
        row["requests"] / measured,
        row["p50_us"] / 1000,
        row["p99_us"] / 1000,
        row["requests"],
        row["refused"],
        row["broken"],
        measured,
        used_up=row["used_up_s"] > 0,
    )


def apache_bench(
    name: str,
    url: str,
    *,
    certificate: Path,
    seconds: float = 5,
    connections: int = 32,
    most: int = MOST_RENEWALS,
    form: str = "",
    kept_alive: bool = True,
) -> Figure:
    """POST a form, or nothing, over TLS connections, kept alive or new, that show the certificate (and key) in a PEM file."""
    with tempfile.TemporaryDirectory() as scratch:
        sent, percentiles = Path(scratch) / "sent", Path(scratch) / "percentiles"
        sent.write_text(form)
        command = ["ab", "-q", *(["-k"] if kept_alive else []), "-t", str(max(1, round(seconds))), "-n", str(most)]
        command += [
            "-c",
            str(connections),
            "-E",
            str(certificate),
            "-p",
            str(sent),
            "-T",
            FORM if form else "application/json",
            "-s",
            "30",
        ]
        command += ["-e", str(percentiles), url]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
        served = dict(line.split(",") for line in percentiles.read_text().splitlines())

    def number(pattern: str) -> float:
        found = re.search(pattern, printed)
        return float(found.group(1) if found else 0)

    return Figure(
        name,
        number(r"Requests per second:\s+([\d.]+)"),
        float(served["50"]),
        float(served["99"]),
        int(number(r"Complete requests:\s+(\d+)")),
        int(number(r"Non-2xx responses:\s+(\d+)")),
        int(number(r"Failed requests:\s+\d+\s+\(Connect: (\d+)")),
        number(r"Time taken for tests:\s+([\d.]+)"),
    )


def write_results(file: Path, ceiling: dict[str, float], rows: Sequence[DataclassInstance]) -> None:
    """Write what a run measured as JSON."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"ceiling": ceiling, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
