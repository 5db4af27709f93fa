"""Measure this checkout beside another one, in turn: what a change costs or gives.

``python -m bench.trees DIRECTORY [--work sign,renew] [--connections 1,8,32] [--rounds N] [--requests N] [--workers N]``.
DIRECTORY is another checkout of this program, such as ``git worktree add build/before HEAD~1`` makes one; both run with the
libraries of this one. Each round gives both servers the same few requests, one server right after the other, and what is printed
is the median of the rounds' ratios: a machine that others use changes its speed by half within seconds. The processor time of
the workers for each request is the steadier of the two ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench import subject
from bench.__main__ import Server
from bench.load import apache_bench, wrk
from bench.processes import processor_seconds, workers_of
from bench.provider import openid_provider

HERE = Path(__file__).parents[1]
LONGEST = 20.0
"""Seconds that a round may take."""


class Round(NamedTuple):
    """What one server did in one round."""

    requests_per_s: float
    processor_us: float
    p99_ms: float


@dataclass
class Tree:
    """One checkout's server, and what was measured of it."""

    name: str
    server: Server
    pid: int

    def measure(self, work: str, connections: int, requests: int) -> Round:
        """One round; the processor time is that of all workers, for each answer."""
        workers = workers_of(self.pid)
        bodies = self.server.bodies(requests)
        before = sum(map(processor_seconds, workers))
        if work == "sign":
            figure = wrk(work, self.server.url, "/sign", bodies=bodies, seconds=LONGEST, connections=connections)
        else:
            url, certificate = f"{self.server.url}/{work}", self.server.certificate
            figure = apache_bench(work, url, certificate=certificate, seconds=LONGEST, connections=connections, most=requests)
        spent = sum(map(processor_seconds, workers)) - before
        if figure.refused or figure.broken:
            raise RuntimeError(f"{self.name}: {figure.refused} refused, {figure.broken} broken")
        return Round(figure.requests_per_s, spent / figure.requests * 1e6, figure.p99_ms)


@contextmanager
def running_tree(name: str, source: Path, place: Path, workers: int) -> Iterator[Tree]:
    """The server of one checkout."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(source / "src")
    with (
        openid_provider(place) as provider,
        subject.running_subject(place / name, provider, database_url=None, workers=workers) as ours,
    ):
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
        key, kid = ours.provisioner_key()
        pem = subject.client_certificate(ours.place, ours.url, ours.root, subject.JWK_PROVISIONER, ours.password)
        server = Server(name, ours.url, key, kid, subject.JWK_PROVISIONER, pem)
        server.warm()
        assert ours.process is not None
        yield Tree(name, server, ours.process.pid)


def main() -> None:
    """Everything that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.trees")
    parser.add_argument("other", type=Path, help="a checkout of this program")
    parser.add_argument("--work", default="sign")
    parser.add_argument("--connections", default="1,8,32")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--requests", type=int, default=300, help="in each round, to each server")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealwright-bench-") as scratch, ExitStack() as running:
        trees = []
        for name, source in (("other", asked.other.resolve()), ("this", HERE)):
            place = Path(scratch) / name
            place.mkdir()
            trees.append(running.enter_context(running_tree(name, source, place, asked.workers)))
        for work in asked.work.split(","):
            for connections in map(int, asked.connections.split(",")):
                rounds = []
                for turn in range(asked.rounds):
                    order = trees if turn % 2 else trees[::-1]
                    found = {each.name: each.measure(work, connections, asked.requests) for each in order}
                    rounds.append((found["other"], found["this"]))
                print(f"{work:<6} at {connections:>3}: {_told(rounds)}", flush=True)


def _told(rounds: list[tuple[Round, Round]]) -> str:
    """Medians of both servers, and of the rounds' ratios."""
    told = []
    for name in Round._fields:
        pairs = [(getattr(other, name), getattr(this, name)) for other, this in rounds]
        before, now = (statistics.median(each) for each in zip(*pairs, strict=True))
        ratio = statistics.median(this / other for other, this in pairs)
        told.append(f"{name} {before:,.1f} → {now:,.1f} ({ratio - 1:+.1%})")
    return "   ".join(told)


if __name__ == "__main__":
    main()
