"""Fixtures that every test may use."""

from __future__ import annotations

import asyncio
import gc
import os
from collections import Counter
from collections.abc import Generator, Iterator

import coverage
import pytest

from tests.databases import drop_reused
from tests.postgresql import URL_VARIABLE, postgresql_server

UNMEASURED = {"architecture", "documentation", "interop", "transcripts"}
"""Directories whose tests read the program, or run it in processes of its own."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, metavar="N", help="Run the first N cases of each test that has several.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process has a long file left when the others are done."""
    if most := config.getoption("cases"):
        items[:] = first_cases(items, most)
    items.sort(key=lambda item: not {"interop", "documentation"} & set(item.path.parts))
    for item in items:
        chosen = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        if "postgresql_url" in getattr(item, "fixturenames", ()) or "postgresql" in [
            each for each in chosen if isinstance(each, str)
        ]:
            item.add_marker("postgresql")


def first_cases(items: list[pytest.Item], most: int) -> list[pytest.Item]:
    """The same without the cases of a test that come after `most` others."""
    seen = Counter[str]()
    kept = []
    for item in items:
        test = item.nodeid.partition("[")[0]
        seen[test] += 1
        if seen[test] <= most:
            kept.append(item)
    return kept


def pytest_collection_finish() -> None:
    """What was imported and collected lives to the end, so the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure no coverage where it would gain nothing: it makes all of Python slower, not only what is measured."""
    measuring = coverage.Coverage.current()
    if measuring is None or not (UNMEASURED & set(item.path.parts) or item.get_closest_marker("unmeasured")):
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop in which coroutine tests run: that of the program."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server: the one that the environment names, else one of our own."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield given
        asyncio.run(drop_reused(given))
        return
    with postgresql_server() as url:
        yield url
