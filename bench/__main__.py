"""Measure signing and renewing beside a real step-ca, both in turn; print the ratios, write build/bench.json.

``python -m bench [--seconds N] [--rounds N] [--connections 1,8,32,128] [--only sign|renew|discovery|JWKS] [--without-step-ca]``.
Each figure is the median of the rounds, and each round takes the two servers one after the other, because a machine's speed
changes from minute to minute. With the defaults a run takes less than four minutes. `bench.rows` measures everything else,
``--profile sign`` or ``--profile renew`` shows where the time goes, and `bench.trees` what a change of the code gives.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from bench import step_ca, subject
from bench.ceiling import ceiling_line, signatures_ceiling
from bench.load import WARMING, Figure, apache_bench, write_results, wrk
from bench.profile import profile
from bench.provider import Provider, openid_provider
from bench.workload import jwk_bodies

OURS, THEIRS = "sealwright", "step-ca"
TARGETS = {("sign", 1): 1.1, ("sign", 32): 2.0, ("sign", 128): 2.0} | {("renew", count): 3.0 for count in (1, 8, 32, 128)}
"""Work and connections → how many times the throughput of step-ca it should have."""
TOKENS_PER_S = {1: 1_500, 8: 3_500}
MOST_TOKENS_PER_S = 4_000


@dataclass
class Server:
    """One of the two, and what its clients need."""

    name: str
    url: str
    key: ec.EllipticCurvePrivateKey
    kid: str
    provisioner: str
    certificate: Path

    def bodies(self, count: int) -> list[str]:
        """Bodies for /sign, each with a token that is good once."""
        audience = f"{self.url}/1.0/sign"
        return jwk_bodies(count, key=self.key, kid=self.kid, provisioner=self.provisioner, audience=audience)

    def sign(self, connections: int, seconds: float) -> Figure:
        """POST /sign, each body once."""
        bodies = self.bodies(int(seconds * TOKENS_PER_S.get(connections, MOST_TOKENS_PER_S)))
        return wrk(f"{self.name}: sign", self.url, "/sign", bodies=bodies, seconds=seconds, connections=connections)

    def renew(self, connections: int, seconds: float) -> Figure:
        """POST /renew over mutual TLS, always the same certificate."""
        name, url = f"{self.name}: renew", f"{self.url}/renew"
        return apache_bench(name, url, certificate=self.certificate, seconds=seconds, connections=connections)

    def warm(self) -> None:
        """Have the server do what it does once."""
        wrk("warming", self.url, "/sign", bodies=self.bodies(WARMING), seconds=1)


@dataclass
class Comparison:
    """One kind of work at one number of connections: the figures of each server, round by round."""

    work: str
    connections: int
    figures: dict[str, list[Figure]] = field(default_factory=dict)

    def add(self, server: str, figure: Figure) -> None:
        """Keep a figure; one of refused or broken requests says nothing."""
        if figure.refused or figure.broken:
            raise RuntimeError(f"{figure.name}, {self.connections} connections: {figure.refused} refused, {figure.broken} broken")
        self.figures.setdefault(server, []).append(figure)

    def median(self, server: str, take: Callable[[Figure], float]) -> float | None:
        """Over the rounds; None where this server was not measured."""
        return statistics.median(map(take, self.figures[server])) if server in self.figures else None


def rate(figure: Figure) -> float:
    return figure.requests_per_s


def p99(figure: Figure) -> float:
    return figure.p99_ms


@contextmanager
def running_servers(scratch: Path, provider: Provider, *, with_step_ca: bool) -> Iterator[tuple[subject.Subject, list[Server]]]:
    """Both servers, on SQLite and its equivalent, with a worker for each core."""
    with ExitStack() as running:
        workers = os.cpu_count() or 1
        ours = running.enter_context(subject.running_subject(scratch / "ours", provider, database_url=None, workers=workers))
        key, kid = ours.provisioner_key()
        pem = subject.client_certificate(ours.place, ours.url, ours.root, subject.JWK_PROVISIONER, ours.password)
        servers = [Server(OURS, ours.url, key, kid, subject.JWK_PROVISIONER, pem)]
        if with_step_ca:
            place = scratch / "step-ca"
            place.mkdir()
            peer = running.enter_context(step_ca.running_step_ca(place, provider))
            pem = subject.client_certificate(place, peer.url, peer.root, step_ca.JWK_PROVISIONER, step_ca.PASSWORD)
            servers.append(Server(THEIRS, peer.url, peer.key, peer.kid, step_ca.JWK_PROVISIONER, pem))
        yield ours, servers


def compare(asked: argparse.Namespace, ours: subject.Subject, servers: list[Server]) -> list[Comparison]:
    """Every kind of work that was asked for."""
    compared = []
    for server in servers:
        server.warm()
    for work in ("sign", "renew"):
        for connections in map(int, asked.connections.split(",")):
            if work.startswith(asked.only):
                compared.append(found := Comparison(work, connections))
                for _ in range(asked.rounds):
                    for server in servers:
                        found.add(server.name, getattr(server, work)(connections, asked.seconds))
                print(row_of(found), flush=True)
    for work, path in (("discovery", subject.DISCOVERY_PATH), ("JWKS", subject.JWKS_PATH)):
        if work.startswith(asked.only):
            compared.append(found := Comparison(work, 32))
            for _ in range(asked.rounds):
                found.add(OURS, wrk(f"{OURS}: {work}", ours.people, path, seconds=asked.seconds))
            print(row_of(found), flush=True)
    return compared


HEAD = (
    f"{'work':<10}{'connections':>11}{OURS:>13}{THEIRS:>11}{'ratio':>8}{'target':>8}"
    f"{'p99 ms':>11}{'of ' + THEIRS:>12}{'ratio':>8}"
)


def row_of(found: Comparison) -> str:
    """One line of the table: throughput and its ratio (more is better), p99 and its ratio (less is better)."""
    mine, other = found.median(OURS, rate), found.median(THEIRS, rate)
    late, other_late = found.median(OURS, p99), found.median(THEIRS, p99)
    target = TARGETS.get((found.work, found.connections))

    def ratio(one: float | None, another: float | None) -> str:
        return f"{one / another:.2f}" if one and another else ""

    def number(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    return (
        f"{found.work:<10}{found.connections:>11}{number(mine, ',.0f'):>13}{number(other, ',.0f'):>11}{ratio(mine, other):>8}"
        f"{number(target, '.1f'):>8}{number(late, '.1f'):>11}{number(other_late, '.1f'):>12}{ratio(late, other_late):>8}"
    )


def main() -> None:
    """Everything that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="measurements of each server at each number of connections")
    parser.add_argument("--connections", default="1,8,32,128")
    parser.add_argument("--only", default="", help="the work that begins with this word: sign, renew, discovery, JWKS")
    parser.add_argument("--without-step-ca", action="store_true", help="our own figures alone, in half the time")
    parser.add_argument("--profile", choices=("sign", "renew"), help="only print where the time of our worker goes")
    parser.add_argument("--requests", type=int, default=5_000, help="under each profiler")
    asked = parser.parse_args()
    if asked.profile:
        profile(asked.profile, [int(each) for each in asked.connections.split(",")], asked.requests)
        return
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="sealwright-bench-") as place,
        openid_provider(Path(place)) as provider,
        running_servers(Path(place), provider, with_step_ca=not asked.without_step_ca) as (ours, servers),
    ):
        ceiling = signatures_ceiling()
        print(f"{ceiling_line(ceiling)}\n\n{HEAD}", flush=True)
        compared = compare(asked, ours, servers)
    for found in compared:
        if found.work == "sign":
            share = (found.median(OURS, rate) or 0) / ceiling["requests_per_s"]
            print(f"\nsign at {found.connections} connections: {share:.0%} of the ceiling", end="")
    written = Path("build/bench.json")
    write_results(written, ceiling, compared)
    print(f"\n\nWritten to {written}, after {time.monotonic() - begun:.0f} seconds")


if __name__ == "__main__":
    main()
