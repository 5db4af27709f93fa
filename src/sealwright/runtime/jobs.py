"""Work on a schedule: each job in every worker, or once in the whole cluster by means of a lease row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from msgspec import Struct

from sealwright.clock import CLOCKS_DIFFER, Clock, after
from sealwright.db import Database
from sealwright.runtime import store
from sealwright.runtime.logs import Log, account_of

LONGEST_RUN = timedelta(minutes=5)


class Job(Struct, frozen=True):
    """Something to do at the start and again `every` so often."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]
    once_per_cluster: bool = False
    longest_run: timedelta = LONGEST_RUN
    """A run that takes longer is given up. Other nodes leave the job alone for as long."""


class Leases:
    """Which process does what is to be done once per cluster. A lease is held while a job runs, then until it is due again."""

    def __init__(self, db: Database, clock: Clock, holder: str) -> None:
        """`holder`: any text that no other process has."""
        self._db = db
        self._clock = clock
        self._holder = holder

    async def run(self, job: Job) -> bool:
        """Run the job if it is due and no other process runs it; returns whether it was run.

        A process that dies in a run keeps the lease until `longest_run` has passed. A job that failed is due again as usual.
        """
        started = self._clock.now()
        lease = f"job:{job.name}"
        latest = after(started, max(job.every, job.longest_run) + CLOCKS_DIFFER)
        until = after(started, job.longest_run)
        claimed = await store.claim(self._db, lease, self._holder, now=started, until=until, latest=latest)
        if not claimed:
            return False
        try:
            await job.run()
        finally:
            await store.end_at(self._db, lease, self._holder, after(started, job.every))
        return True


class JobSchedule:
    """Runs jobs until it is stopped."""

    def __init__(self, jobs: Sequence[Job], leases: Leases | None, log: Log) -> None:
        self._jobs = jobs
        self._leases = leases
        self._log = log
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; the first run of each job comes at once."""
        self._tasks = [asyncio.create_task(self._repeat(job), name=f"job {job.name}") for job in self._jobs]

    async def stop(self, patience: timedelta) -> None:
        """Start nothing more, wait for what runs, and give up what takes longer than `patience`."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, job: Job) -> None:
        while not self._stopping.is_set():
            await self._run(job)
            try:
                async with asyncio.timeout(job.every.total_seconds()):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _run(self, job: Job) -> None:
        limit = asyncio.timeout(job.longest_run.total_seconds())
        try:
            async with limit:
                if job.once_per_cluster and self._leases is not None:
                    await self._leases.run(job)
                else:
                    await job.run()
        except Exception as failure:  # noqa: BLE001 - one failed run must not end the schedule
            event = "job took too long" if limit.expired() else "job failed"
            self._log.error(event, job=job.name, **account_of(failure))
