"""What was asked of this server, row by row, with the tests that hold it. Used by the script `reference`.

The rows are in `tests/requirements/`. Tests are named without `test_` and without their file, so that they may move.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "tests" / "requirements"
REQUIREMENTS = """
What the standards, the guides that people follow and the conformance suites ask, one row each, in our own words, with the tests
that hold it. A row without a test says what is missing, or why this server does otherwise. What differs from a standard is also
in [standards and deviations](../explain/standards-and-deviations.md).
""".strip()
HEADING = ("what is asked", "state", "tests")


class Requirement(NamedTuple):
    """One row."""

    says: str
    tests: tuple[str, ...]
    open: str
    """What is missing; empty where nothing is."""
    deviation: str
    """Why it is otherwise here; empty where it is not."""

    @property
    def state(self) -> str:
        """In a word, with the reason where there is one."""
        if self.open:
            return f"open: {self.open}"
        return f"deviates: {self.deviation}" if self.deviation else "held"


class Area(NamedTuple):
    """The rows of one file."""

    title: str
    about: str
    rows: tuple[Requirement, ...]


def areas() -> Iterator[Area]:
    """Every file of rows, in the order of their numbers."""
    for file in sorted(ROWS.glob("*.toml")):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        rows = (
            Requirement(says, tuple(row.get("tests", ())), row.get("open", ""), row.get("deviation", ""))
            for says, row in content["rows"].items()
        )
        yield Area(content["title"], content["about"], tuple(rows))


@cache
def places_of_tests() -> dict[str, tuple[str, ...]]:
    """Name of a test without `test_` → the files that have one."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        if "node_modules" in file.parts:
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.setdefault(node.name.removeprefix("test_"), []).append(str(file.relative_to(ROOT)))
    return {name: tuple(files) for name, files in found.items()}


def link_to(test: str) -> str:
    """A test as the page names it; one that there is not stands alone, and a test of the page tells of it."""
    files = places_of_tests().get(test, ())
    return f"[`{test}`](../../{files[0]})" if files else f"`{test}`"


def lines(area: Area) -> Iterator[tuple[str, ...]]:
    """One line of the table for each row."""
    for row in area.rows:
        yield row.says, row.state, "<br>".join(map(link_to, row.tests))
