"""A test that awaits is a coroutine function itself: pytest runs it in an event loop, so nothing is nested in it to be run."""

import ast

import pytest

from tests.architecture.syntax import dotted
from tests.architecture.test_assertions import TEST_FILES
from tests.architecture.test_budgets import name_of, source_of


def running_a_nested_coroutine(source):
    """Names of the tests that define a coroutine function and start an event loop for it."""
    found = []
    for test in ast.parse(source).body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            nested = {each.name for each in test.body if isinstance(each, ast.AsyncFunctionDef)}
            called = [each for each in ast.walk(test) if isinstance(each, ast.Call)] if nested else []
            started = {
                dotted(argument.func)
                for call in called
                if dotted(call.func) == "asyncio.run"
                for argument in call.args
                if isinstance(argument, ast.Call)
            }
            if nested & started or "scenario" in nested:
                found.append(test.name)
    return found


def test_no_test_starts_an_event_loop_for_a_coroutine_of_its_own():
    found = {name_of(path): tests for path in TEST_FILES if (tests := running_a_nested_coroutine(source_of(path)))}
    assert found == {}, "write `async def test_…` instead"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("async def body(): pass\n    asyncio.run(body())", True),
        ("async def scenario(world): pass\n    run(scenario)", True),
        ("async def answer(): pass\n    ask(answer)", False),
        ("asyncio.run(outside())", False),
    ],
)
def test_nested_coroutine_is_found_where_it_is_run(body, found):
    assert running_a_nested_coroutine(f"def test_it():\n    {body}\n") == (["test_it"] if found else [])
