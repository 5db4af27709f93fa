"""Lists, searches, the overview and the record on a large database, on both engines; ``python -m bench.scale``.

``[--certificates N] [--people N] [--events N] [--requests N] [--engines sqlite,postgresql]``. PostgreSQL is the server that
SEALWRIGHT_TEST_POSTGRESQL_URL names. Ten million events take some 10 GB on each engine, in the scratch directory.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import json
import os
import ssl
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import inventory, subject
from bench.processes import workers_of
from bench.provider import openid_provider
from bench.rows import fresh_database
from demo.forms import Browser

_WARMING = 5
_EXPORTED = 1_000_000


@dataclass
class Asked:
    """How much there is to be, and how often each address is asked for."""

    certificates: int
    people: int
    events: int
    requests: int


@dataclass
class Rows:
    """Addresses of one kind, each of them different from the one before."""

    name: str
    paths: list[str]
    headers: dict[str, str] = field(default_factory=dict)


def paths(asked: Asked) -> Iterator[tuple[str, list[str]]]:
    """What is asked for: name of the row, and addresses in turn."""
    some = [number * asked.people // 20 for number in range(20)]
    names = [inventory.person_name(number) for number in some]
    api = "/api/v1"
    yield "people", [f"{api}/persons?limit=50&after={name}" for name in names]
    yield "people, search: one", [f"{api}/persons?search={name.rpartition('.')[2]}" for name in names]
    yield "people, search: many", [f"{api}/persons?search={word}" for word in ("a", "m", "mar", "anna", "z")]
    yield "people, search: two words", [f"{api}/persons?search={word}" for word in ("ann+sch", "a+b", "maria+berg")]
    yield "groups, search", [f"{api}/groups?search={word}" for word in ("a", "team", "staff+7")]
    yield "certificates", [f"{api}/certificates?limit=50"]
    hosts = [number * asked.certificates // 20 for number in range(20)]
    yield "certificates, search: name", [f"{api}/certificates?name=host-{number}.example.org" for number in hosts]
    yield "certificates, search: end", [f"{api}/certificates?name=.{end}example.org" for end in ("", "zone-3.", "zone-77.")]
    yield "certificates of a person", [f"{api}/certificates?person={name}" for name in names]
    yield "record", [f"{api}/audit?limit=50"]
    yield "record, by category", [f"{api}/audit?category={each}" for each in ("auth", "config", "cert_lifecycle")]
    yield "record, by outcome", [f"{api}/audit?outcome={each}" for each in ("refused", "done")]
    yield "record, by actor", [f"{api}/audit?by={name}" for name in names]
    yield "record, by object", [f"{api}/audit?target=person:{inventory.person_id(number)}" for number in some]
    yield "record, by actor and outcome", [f"{api}/audit?by={name}&outcome=refused" for name in names]
    yield "record, by category and outcome", [f"{api}/audit?category=config&outcome=refused"]
    yield "metrics", [f"{api}/metrics"]
    for page in ("overview", "people", "certificates", "audit", "groups"):
        yield f"page: {page}", [f"/ui/{page}"]
    yield "page: search", [f"/ui/search?q={word}" for word in ("anna", "host-7.example.org", "m")]
    yield "page: certificates that end", ["/ui/certificates?state=ending"]


def measure(connection: http.client.HTTPSConnection, row: Rows, requests: int) -> None:
    """Print how long the answers took, one request after the other."""
    times, statuses = [], set()
    for number, path in enumerate(itertools.islice(itertools.cycle(row.paths), requests + _WARMING)):
        began = time.perf_counter()
        connection.request("GET", path, headers=row.headers)
        response = connection.getresponse()
        response.read()
        if number >= _WARMING:
            times.append((time.perf_counter() - began) * 1_000)
        statuses.add(response.status)
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    trouble = "" if statuses == {200} else f"  statuses {sorted(statuses)}"
    print(f"  {row.name:<36} p50 {p50:7.1f} ms  p99 {p99:7.1f} ms{'  SLOW' if p99 > 50 else ''}{trouble}", flush=True)


def export(connection: http.client.HTTPSConnection, token: str, process: int) -> None:
    """Print how long the export of a million events takes, and how much memory it takes beside what the workers had before."""
    before = max(map(_resident, workers_of(process)))
    began, lines, most = time.perf_counter(), 0, before
    connection.request("GET", "/api/v1/audit/export", headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    while piece := response.read(1 << 20):
        lines += piece.count(b"\n")
        most = max(most, *map(_resident, workers_of(process)))
        if lines >= _EXPORTED:
            break
    took = time.perf_counter() - began
    grown = f"at most {most / 1e6:.0f} MB in a worker, {(most - before) / 1e6:.0f} MB more than before"
    print(f"  export of {lines:,} events: {took:.0f} s, {grown}", flush=True)
    connection.close()


def _resident(pid: int) -> int:
    fields = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in fields if line.startswith("Rss:"))


def run(engine: str, asked: Asked, place: Path) -> None:
    """Fill one engine, start a server on it, and ask."""
    server = os.environ.get("SEALWRIGHT_TEST_POSTGRESQL_URL", "")
    url = asyncio.run(fresh_database(server)) if engine == "postgresql" else None

    def fill(home: Path) -> None:
        began = time.monotonic()
        if url is None:
            inventory.fill_sqlite(home / "sealwright.db", asked.certificates, asked.people, asked.events)
        else:
            asyncio.run(inventory.fill_postgresql(url, asked.certificates, asked.people, asked.events))
        print(f"{engine}: filled in {time.monotonic() - began:.0f} s", flush=True)

    with (
        openid_provider(place) as provider,
        subject.running_subject(place / engine, provider, database_url=url, workers=1, prepare=fill) as ours,
    ):
        assert ours.process is not None
        for group in ("system_admins", "idm_admins", "auditors", "ca_admins"):
            ours.run("group", "add-members", group, subject.PERSON)
        context = ssl.create_default_context(cafile=str(ours.root))

        def connection() -> http.client.HTTPSConnection:
            return http.client.HTTPSConnection("localhost", ours.people_port, context=context, timeout=600)

        first = connection()
        body = json.dumps({"name": subject.PERSON, "password": ours.password})
        first.request("POST", "/api/v1/login", body, {"Content-Type": "application/json"})
        token = json.loads(first.getresponse().read())["token"]
        browser = Browser(ours.root)
        browser.submit(browser.open(f"{ours.people}/ui/sign-in"), "sign-in", username=subject.PERSON, password=ours.password)
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies[ours.people].items())
        for name, addresses in paths(asked):
            shown = {"Cookie": cookie} if name.startswith("page") else {"Authorization": f"Bearer {token}"}
            measure(first, Rows(name, addresses, shown), asked.requests)
        export(connection(), token, ours.process.pid)


def main() -> None:
    """Everything that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale")
    parser.add_argument("--certificates", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--engines", default="sqlite,postgresql")
    given = parser.parse_args()
    asked = Asked(given.certificates, given.people, given.events, given.requests)
    for engine in given.engines.split(","):
        with tempfile.TemporaryDirectory(prefix="sealwright-bench-") as scratch:
            run(engine, asked, Path(scratch))


if __name__ == "__main__":
    main()
