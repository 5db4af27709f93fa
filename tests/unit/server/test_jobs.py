import asyncio
from datetime import timedelta

from sealwright.clock import FixedClock, Instant
from sealwright.server.jobs import Job, Leases, Schedule
from tests.databases import sqlite_database
from tests.unit.server.routes import lines, open_test_log

HOUR = timedelta(hours=1)


class Counter:
    def __init__(self, failure=None):
        self.runs = 0
        self._failure = failure

    async def run(self):
        self.runs += 1
        if self._failure:
            raise self._failure


def job(run, every=HOUR, **options):
    return Job("expire", every, run, **options)


def test_one_of_two_nodes_runs_a_job_and_the_next_run_is_due_later():
    async def scenario():
        async with sqlite_database() as db:
            clock = FixedClock(Instant(1_000_000))
            counter = Counter()
            one, two = (Leases(db, clock, holder) for holder in ("one", "two"))
            first = [await leases.run(job(counter.run)) for leases in (one, two, one)]
            clock.advance(HOUR - timedelta(milliseconds=1))
            early = [await leases.run(job(counter.run)) for leases in (two, one)]
            clock.advance(timedelta(milliseconds=1))
            due = [await leases.run(job(counter.run)) for leases in (two, one)]
            return first, early, due, counter.runs

    assert asyncio.run(scenario()) == ([True, False, False], [False, False], [True, False], 2)


def test_job_that_runs_is_left_alone_by_others():
    async def scenario():
        async with sqlite_database() as db:
            clock = FixedClock(Instant(0))
            release = asyncio.Event()
            one, two = (Leases(db, clock, holder) for holder in ("one", "two"))
            quick = job(release.wait, every=timedelta(seconds=1))
            running = asyncio.create_task(one.run(quick))
            await asyncio.sleep(0.05)
            clock.advance(timedelta(seconds=60))
            meanwhile = await two.run(quick)
            release.set()
            return meanwhile, await running, await two.run(quick)

    assert asyncio.run(scenario()) == (False, True, True)


def test_lease_of_a_process_that_died_runs_out():
    async def scenario():
        async with sqlite_database() as db:
            clock = FixedClock(Instant(0))
            never = job(asyncio.Event().wait)
            dead = asyncio.create_task(Leases(db, clock, "one").run(never))
            await asyncio.sleep(0.05)
            counter = Counter()
            two = Leases(db, clock, "two")
            clock.advance(never.longest_run - timedelta(milliseconds=1))
            before = await two.run(job(counter.run))
            clock.advance(timedelta(milliseconds=1))
            after = await two.run(job(counter.run))
            dead.cancel()
            await asyncio.gather(dead, return_exceptions=True)
            return before, after

    assert asyncio.run(scenario()) == (False, True)


def test_job_that_fails_is_due_again_as_usual():
    async def scenario():
        async with sqlite_database() as db:
            clock = FixedClock(Instant(0))
            leases = Leases(db, clock, "one")
            failing = job(Counter(ValueError("no")).run)
            raised: list[object] = []
            for _ in range(2):
                try:
                    raised.append(await leases.run(failing))
                except ValueError:
                    raised.append("failed")
            clock.advance(HOUR)
            return raised, await leases.run(job(Counter().run))

    assert asyncio.run(scenario()) == (["failed", False], True)


def scheduled(*jobs, seconds=0.05, patience=timedelta(seconds=1)):
    log, stream = open_test_log()

    async def scenario():
        schedule = Schedule(jobs, None, log)
        schedule.start()
        await asyncio.sleep(seconds)
        await schedule.stop(patience)

    asyncio.run(scenario())
    return lines(stream)


def test_job_runs_at_the_start_and_again_and_again():
    often, once = Counter(), Counter()
    scheduled(job(often.run, every=timedelta(milliseconds=10)), job(once.run))
    assert often.runs > 1
    assert once.runs == 1


def test_failed_run_is_logged_and_does_not_end_the_schedule():
    counter = Counter(ValueError("no"))
    logged = scheduled(job(counter.run, every=timedelta(milliseconds=5)))
    assert counter.runs > 1
    assert {(line["event"], line["job"], line["message"]) for line in logged} == {("job failed", "expire", "no")}


def test_run_that_takes_too_long_is_given_up():
    logged = scheduled(job(asyncio.Event().wait, longest_run=timedelta(milliseconds=10)))
    assert [line["event"] for line in logged] == ["job took too long"]


def test_end_waits_for_a_run_but_not_forever():
    ended = []

    async def short():
        await asyncio.sleep(0.1)
        ended.append("short")

    async def endless():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    scheduled(job(short), job(endless), seconds=0.01, patience=timedelta(milliseconds=300))
    assert ended == ["short", "endless"]
