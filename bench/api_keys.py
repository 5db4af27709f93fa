"""Measure what the check of an API key costs beside that of a session at a terminal, both in turn, on the same server.

``python -m bench.api_keys [--seconds N] [--rounds N] [--connections N]``. One process over TLS, on SQLite. The ratio is that
of the processor time of the worker for each request, and should be at most 1.1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import subject
from bench.load import Figure, write_results, wrk
from bench.processes import processor_seconds, workers_of
from bench.provider import openid_provider

PATHS = ("/api/v1/auth/permissions", f"/api/v1/persons/{subject.PERSON}", "/api/v1/persons?limit=50")
TARGET = 1.1


def token_of_session(ours: subject.Subject) -> str:
    """What the sign-in of the administrator left behind."""
    kept = json.loads((ours.place / "user" / ".local" / "state" / "sealwright" / "sessions.json").read_text())
    found = _tokens_in(kept)
    return found[0]


def _tokens_in(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["token"]] if isinstance(value.get("token"), str) else []
        return own + [found for each in value.values() for found in _tokens_in(each)]
    return [found for each in value for found in _tokens_in(each)] if isinstance(value, list) else []


def main() -> None:
    """Every path by both credentials, round by round."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_keys")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    asked = parser.parse_args()
    figures: list[Figure] = []
    with ExitStack() as running:
        scratch = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="sealwright-bench-")))
        provider = running.enter_context(openid_provider(scratch))
        ours = running.enter_context(subject.running_subject(scratch / "ours", provider, database_url=None, workers=1))
        assert ours.process is not None
        (worker,) = workers_of(ours.process.pid)
        made = json.loads(ours.run("key", "create", "bench", "role:read", "person:read", "--output", "json"))
        shown = {"session": token_of_session(ours), "API key": made["key"]}
        for path in PATHS:
            spent: dict[str, list[float]] = {each: [] for each in shown}
            for _ in range(asked.rounds):
                for name, credential in shown.items():
                    before = processor_seconds(worker)
                    figure = wrk(
                        f"{path}, {name}",
                        ours.people,
                        path,
                        seconds=asked.seconds,
                        connections=asked.connections,
                        proof=f"Bearer {credential}",
                    )
                    spent[name].append((processor_seconds(worker) - before) / max(1, figure.requests))
                    figures.append(figure)
            cost = {name: statistics.median(each) * 1e6 for name, each in spent.items()}
            ratio = cost["API key"] / cost["session"]
            each = "   ".join(f"{name} {cost[name]:5.0f} µs" for name in shown)
            print(f"{path:<34} {each}   {ratio:5.2f}   target {TARGET}", flush=True)
    wrong = sum(each.refused + each.broken for each in figures)
    print(f"refused or broken: {wrong}")
    write_results(Path("build/bench-api-keys.json"), {}, figures)


if __name__ == "__main__":
    main()
