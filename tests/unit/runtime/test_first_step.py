import asyncio
from typing import Any

import pytest

from sealwright.runtime.first_step import FirstStep


def run(scenario):
    """Run `scenario(first_step)` as a callback of a loop, then what it answers as a coroutine."""

    async def main():
        loop = asyncio.get_running_loop()
        first_step: FirstStep[Any] = FirstStep(loop)
        outcome = loop.create_future()

        def callback():
            try:
                outcome.set_result(scenario(first_step))
            except Exception as failure:  # noqa: BLE001 - raised where the test awaits
                outcome.set_exception(failure)

        loop.call_soon(callback)
        try:
            return await (await outcome)
        finally:
            first_step.close()

    return asyncio.run(main())


async def value(result):
    return result


def test_coroutine_that_does_not_wait_answers_at_once():
    async def add():
        return await value(40) + 2

    assert run(lambda first_step: value(first_step.run(add()))) == 42


def test_failure_of_the_first_step_is_raised_at_once():
    async def fail():
        raise KeyError("x")

    def scenario(first_step):
        with pytest.raises(KeyError):
            first_step.run(fail())
        return value(first_step.run(value(1)))

    assert run(scenario) == 1


def test_coroutine_that_waits_is_carried_on_by_the_task_it_began_in():
    async def waits():
        began_in = asyncio.current_task()
        seen = []
        for _ in range(3):
            await asyncio.sleep(0)
            seen.append(asyncio.current_task() is began_in)
        return seen

    def scenario(first_step):
        task = first_step.run(waits())
        assert isinstance(task, asyncio.Task)
        return task

    assert run(scenario) == [True, True, True]


def test_timeout_that_began_in_the_first_step_ends_the_wait():
    async def waits():
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        except TimeoutError:
            return "timed out"

    assert run(lambda first_step: first_step.run(waits())) == "timed out"


def test_timeout_that_is_over_at_once_ends_the_wait():
    async def waits():
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(10)
        except TimeoutError:
            return "timed out"

    assert run(lambda first_step: first_step.run(waits())) == "timed out"


def test_failure_of_what_is_awaited_reaches_the_coroutine():
    async def waits():
        failing = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(failing.set_exception, OSError("gone"))
        try:
            await failing
        except OSError as failure:
            await asyncio.sleep(0)
            return str(failure)

    assert run(lambda first_step: first_step.run(waits())) == "gone"


def test_cancellation_reaches_the_coroutine():
    cleaned = []

    async def waits():
        try:
            await asyncio.sleep(10)
        finally:
            cleaned.append(True)

    async def cancelled(task, ticks):
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return task.cancelled()

    for ticks in (0, 1, 2, 5):
        assert run(lambda first_step, ticks=ticks: cancelled(first_step.run(waits()), ticks)) is True
    assert cleaned == [True] * 4


def test_many_coroutines_wait_side_by_side():
    async def waits(number):
        await asyncio.sleep(0.001 * (number % 3))
        return number

    async def all_of(tasks):
        return await asyncio.gather(*tasks)

    assert run(lambda first_step: all_of([first_step.run(waits(number)) for number in range(50)])) == list(range(50))


def test_within_a_task_the_coroutine_gets_a_task():
    async def main():
        first_step: FirstStep[Any] = FirstStep(asyncio.get_running_loop())
        task = first_step.run(value(7))
        first_step.close()
        return await task

    assert asyncio.run(main()) == 7


def test_groups_of_tasks_work_from_the_first_step():
    async def waits():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(value(number)) for number in range(3)]
        return [task.result() for task in tasks]

    assert run(lambda first_step: first_step.run(waits())) == [0, 1, 2]
