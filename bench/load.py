"""Load from the outside: wrk for plain TLS, ApacheBench where the client shows a certificate."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
local requests, at, seen = {}, 0, {}
function init()
  for line in io.lines("%(bodies)s") do
    requests[#requests + 1] = wrk.format("%(method)s", "%(path)s", {["Content-Type"] = "%(content_type)s"%(headers)s}, line)
  end
end
function request()
  at = at + 1
  if at > #requests then
    if %(once)s then wrk.thread:stop() end
    at = 1
  end
  return requests[at]
end
function done(summary, latency, _)
  io.write(string.format('RESULT {"requests": %%d, "microseconds": %%d, "refused": %%d, "broken": %%d, ' ..
    '"p50_us": %%d, "p99_us": %%d}\\n',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


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


def wrk(
    name: str,
    url: str,
    path: str,
    *,
    bodies: list[str] | None = None,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
    seconds: float = 5,
    connections: int = 32,
) -> Figure:
    """Run wrk with one thread. With `bodies`, each is posted once and the run ends with the last one at the latest."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "bodies"
        file.write_text("\n".join(bodies or [""]) + "\n")
        extra = "".join(f', ["{key}"] = "{value}"' for key, value in (headers or {}).items())
        script = Path(scratch) / "load.lua"
        script.write_text(
            _SCRIPT
            % {
                "bodies": file,
                "method": "POST" if bodies else "GET",
                "path": path,
                "content_type": content_type,
                "headers": extra,
                "once": "true" if bodies else "false",
            }
        )
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s", str(script), url]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    row = json.loads(next(line for line in printed.splitlines() if line.startswith("RESULT "))[7:])
    return Figure(
        name,
        row["requests"] / (row["microseconds"] / 1e6),
        row["p50_us"] / 1000,
        row["p99_us"] / 1000,
        row["requests"],
        row["refused"],
        row["broken"],
    )


def apache_bench(name: str, url: str, *, certificate: Path, requests: int = 6000, connections: int = 32) -> Figure:
    """POST an empty body over kept-alive TLS connections that show the certificate (and key) in the PEM file `certificate`."""
    with tempfile.NamedTemporaryFile() as empty:
        command = ["ab", "-q", "-k", "-n", str(requests), "-c", str(connections), "-E", str(certificate)]
        command += ["-p", empty.name, "-T", "application/json", "-s", "30", url]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    def number(pattern: str, default: str = "0") -> float:
        found = re.search(pattern, printed)
        return float(found.group(1) if found else default)

    return Figure(
        name,
        number(r"Requests per second:\s+([\d.]+)"),
        number(r"\n\s+50%\s+(\d+)"),
        number(r"\n\s+99%\s+(\d+)"),
        int(number(r"Complete requests:\s+(\d+)")),
        int(number(r"Non-2xx responses:\s+(\d+)")),
        int(number(r"Failed requests:\s+\d+\s+\(Connect: (\d+)")),
    )
