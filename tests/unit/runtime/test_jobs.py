import asyncio
from datetime import timedelta

from sealwright.clock import FixedClock, Instant
from sealwright.runtime.jobs import Job, JobSchedule, Leases
from tests.databases import sqlite_database
from tests.unit.runtime.routes import lines, open_test_log

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


async def test_one_of_two_nodes_runs_a_job_and_the_next_run_is_due_later():
    async with sqlite_database() as db:
        clock = FixedClock(Instant(1_000_000))
        counter = Counter()
        one, two = (Leases(db, clock, holder) for holder in ("one", "two"))
        first = [await leases.run(job(counter.run)) for leases in (one, two, one)]
        clock.advance(HOUR - timedelta(milliseconds=1))
        early = [await leases.run(job(counter.run)) for leases in (two, one)]
        clock.advance(timedelta(milliseconds=1))
        due = [await leases.run(job(counter.run)) for leases in (two, one)]
        assert (first, early, due, counter.runs) == ([True, False, False], [False, False], [True, False], 2)


async def test_job_whose_lease_lies_in_a_future_that_the_clock_left_is_run_again():
    async with sqlite_database() as db:
        clock = FixedClock(Instant(10**12))
        counter = Counter()
        one, two = (Leases(db, clock, holder) for holder in ("one", "two"))
        await one.run(job(counter.run))
        clock.advance(-timedelta(minutes=4))
        slightly_back = await two.run(job(counter.run))
        clock.advance(-timedelta(hours=30))
        assert (slightly_back, await two.run(job(counter.run)), await one.run(job(counter.run))) == (False, True, False)


async def test_job_that_runs_is_left_alone_by_others():
    async with sqlite_database() as db:
        clock = FixedClock(Instant(0))
        begun, release = asyncio.Event(), asyncio.Event()

        async def work():
            begun.set()
            await release.wait()

        one, two = (Leases(db, clock, holder) for holder in ("one", "two"))
        quick = job(work, every=timedelta(seconds=1))
        running = asyncio.create_task(one.run(quick))
        await begun.wait()
        clock.advance(timedelta(seconds=60))
        meanwhile = await two.run(quick)
        release.set()
        assert (meanwhile, await running, await two.run(quick)) == (False, True, True)


async def test_lease_of_a_process_that_died_runs_out():
    async with sqlite_database() as db:
        clock = FixedClock(Instant(0))
        begun = asyncio.Event()

        async def work():
            begun.set()
            await asyncio.Event().wait()

        never = job(work)
        dead = asyncio.create_task(Leases(db, clock, "one").run(never))
        await begun.wait()
        counter = Counter()
        two = Leases(db, clock, "two")
        clock.advance(never.longest_run - timedelta(milliseconds=1))
        before = await two.run(job(counter.run))
        clock.advance(timedelta(milliseconds=1))
        after = await two.run(job(counter.run))
        dead.cancel()
        await asyncio.gather(dead, return_exceptions=True)
        assert (before, after) == (False, True)


async def test_job_that_fails_is_due_again_as_usual():
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
        assert (raised, await leases.run(job(Counter().run))) == (["failed", False], True)


def scheduled(*jobs, until, patience=timedelta(seconds=1)):
    """Run jobs until something is so, which is asked with what was logged so far; everything that was logged."""
    log, stream = open_test_log()

    async def scenario():
        schedule = JobSchedule(jobs, None, log)
        schedule.start()
        async with asyncio.timeout(60):
            while not until(lines(stream)):  # noqa: ASYNC110 - what is waited for sets no event
                await asyncio.sleep(0.005)
        await schedule.stop(patience)

    asyncio.run(scenario())
    return lines(stream)


def test_job_runs_at_the_start_and_again_and_again():
    often, once = Counter(), Counter()
    scheduled(job(often.run, every=timedelta(milliseconds=10)), job(once.run), until=lambda _: often.runs > 1 and once.runs)
    assert often.runs > 1
    assert once.runs == 1


def test_failed_run_is_logged_and_does_not_end_the_schedule():
    counter = Counter(ValueError("no"))
    logged = scheduled(job(counter.run, every=timedelta(milliseconds=5)), until=lambda logged: counter.runs > 1 and logged)
    assert counter.runs > 1
    assert {(line["event"], line["job"], line["message"]) for line in logged} == {("job failed", "expire", "no")}


def test_run_that_takes_too_long_is_given_up():
    logged = scheduled(job(asyncio.Event().wait, longest_run=timedelta(milliseconds=10)), until=bool)
    assert [line["event"] for line in logged] == ["job took too long"]


def test_end_waits_for_a_run_but_not_forever():
    begun, ended = [], []

    async def short():
        begun.append("short")
        await asyncio.sleep(0.1)
        ended.append("short")

    async def endless():
        begun.append("endless")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    scheduled(job(short), job(endless), until=lambda _: len(begun) == 2)
    assert ended == ["short", "endless"]
