"""What a full database costs: processor time of our worker for each request, before and after it was filled; and its purge.

``python -m bench.stored [--people N] [--clients N] [--tokens N] [--seconds N] [--rounds N] [--connections N] [--only WORD]``.
Then the tokens are made a week old and deleted, as the hourly job does it, while someone else writes: what each of these waits
is how long others stand still. SQLite, one worker, in a directory that is deleted afterwards: ten million tokens take some
6 GB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import apsw
from sqlalchemy import update

from bench import subject
from bench.ended_tokens import fill_all
from bench.load import wrk
from bench.processes import processor_seconds, workers_of
from bench.provider import openid_provider
from bench.tokens import MakeForms, Measure, exchanges, redeem, refreshes, rows_of_ours
from sealwright.clock import SystemClock
from sealwright.db import Statement, Transaction, open_database
from sealwright.db.schema import throttles
from sealwright.oauth import purge
from sealwright.oauth.dependencies import OAuthDependencies

_ONCE = {"code exchange": exchanges, "refresh": refreshes}
"""What is good once."""
_PREPARED = 400
"""Forms for each second."""
_WEEK = 7 * 86_400_000
_NO_ROW = Statement(update(throttles).where(throttles.c.key == "bench").values(counted_since=0))


def sign_ins(ours: subject.Subject) -> Measure:
    """A password, judged anew each time. Of someone else: only so many sessions of one person last."""
    ours.run("person", "create", "sally", "Sally Signs")
    ours.run("person", "set-password", "sally", "--password-file", "password")
    body = json.dumps({"name": "sally", "password": ours.password})
    return lambda seconds, _: wrk("sign-in", ours.people, "/api/v1/login", bodies=[body] * 400, connections=4, seconds=seconds)


def redeemed_forms(ours: subject.Subject, make: MakeForms, count: int) -> Measure:
    """Forms that were made before the processor's time is looked at."""
    forms = make(count)
    return lambda seconds, connections: redeem(ours.people, forms, seconds, connections)


def measured(ours: subject.Subject, measures: dict[str, Measure], asked: argparse.Namespace, worker: int) -> dict[str, float]:
    """Microseconds of the worker for one request of each row: the median of the rounds."""
    spent: dict[str, list[float]] = {}
    for _ in range(asked.rounds):
        for row in (row for row in (*measures, *_ONCE) if asked.only in row):
            count = int(asked.seconds * _PREPARED)
            measure = redeemed_forms(ours, partial(_ONCE[row], ours), count) if row in _ONCE else measures[row]
            before = processor_seconds(worker)
            figure = measure(asked.seconds, asked.connections)
            if figure.refused or figure.broken or not figure.requests:
                raise RuntimeError(f"{row}: {figure.requests} requests, {figure.refused} refused, {figure.broken} broken")
            spent.setdefault(row, []).append((processor_seconds(worker) - before) / figure.requests * 1e6)
    return {row: statistics.median(each) for row, each in spent.items()}


async def purged(database: Path) -> tuple[int, list[float]]:
    """Delete what is over, as the job of a worker does it; how many rows, and what each writer beside it waited, in ms."""
    waits: list[float] = []
    db = await open_database(f"sqlite:///{database}")
    dependencies = cast("OAuthDependencies", SimpleNamespace(db=db, clock=SystemClock()))
    purging = asyncio.create_task(purge(dependencies))

    async def write(tx: Transaction) -> None:
        await tx.run(_NO_ROW)

    while not purging.done():
        began = time.perf_counter()
        await db.write(write)
        waits.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.002)
    await db.close()
    return await purging, waits


def make_old(database: Path) -> int:
    """Let every token have ended a week before; how many there are."""
    connection = apsw.Connection(str(database))
    with connection:
        connection.execute("UPDATE oauth_refresh_tokens SET expires_at = expires_at - ?", (_WEEK,))
        connection.execute(
            "UPDATE oauth_families SET created_at = created_at - ?1, revoked_at = revoked_at - ?1 WHERE id LIKE '%-family'",
            (_WEEK,),
        )
    return int(connection.execute("SELECT count(*) FROM oauth_refresh_tokens").get)


def main() -> None:
    """Everything that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.stored")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--tokens", type=int, default=200_000, help="that ended")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", default="", help="the rows whose name holds this word")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealwright-bench-") as scratch, openid_provider(Path(scratch)) as provider:
        place = Path(scratch) / "ours"
        with subject.running_subject(place, provider, database_url=None, workers=1) as ours:
            assert ours.process is not None
            (worker,) = workers_of(ours.process.pid)
            database = place / "home" / "sealwright.db"
            measures = {row: each for row, each in rows_of_ours(ours).items() if row not in _ONCE} | {"sign-in": sign_ins(ours)}
            few = measured(ours, measures, asked, worker)
            began = time.monotonic()
            fill_all(database, people=asked.people, clients=asked.clients, tokens=asked.tokens, client=subject.OAUTH_CLIENT)
            size = database.stat().st_size / 1e9
            print(f"{asked.people:,} people, {asked.clients:,} clients and {asked.tokens:,} ended tokens were stored in "
                  f"{time.monotonic() - began:.0f} s: {size:.1f} GB", flush=True)  # fmt: skip
            many = measured(ours, measures, asked, worker)
        for row, before in few.items():
            print(f"{row:<20} {before:8.0f} µs   {many[row]:8.0f} µs   {many[row] / before:5.2f}", flush=True)
        stored, began = make_old(database), time.monotonic()
        gone, waits = asyncio.run(purged(database))
        waits.sort()
        middle, late, last = statistics.median(waits), waits[-len(waits) // 100 - 1], waits[-1]
        print(f"{gone:,} rows of {stored:,} tokens and their families were deleted in {time.monotonic() - began:.0f} s")
        print(f"{len(waits):,} writers waited {middle:.1f} ms, one in a hundred {late:.1f} ms, the longest {last:.1f} ms")


if __name__ == "__main__":
    main()
