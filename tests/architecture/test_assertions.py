"""Every test can fail: it asserts what need not be so, by itself or through a helper whose name says that it asserts."""

import ast
from functools import cache
from typing import NamedTuple

import pytest

from tests.architecture.syntax import dotted, statements
from tests.architecture.test_budgets import ROOT, name_of, source_of

ALL_FILES = sorted((ROOT / "tests").rglob("*.py"))
TEST_FILES = [path for path in ALL_FILES if path.name.startswith("test_")]
HELPER_PREFIXES = ("assert_", "expect_")
RAISING = {"pytest.raises", "pytest.warns", "pytest.fail"}
ALWAYS_TRUE_MEMBERS = {"id"}
"""What everything that has it has: to assert it alone says nothing."""


class Function(NamedTuple):
    """What counts of a function."""

    name: str
    asserts: bool
    """By itself."""
    called: frozenset[str]
    """The names of what it calls, without what is before the last dot."""


def is_filler(assertion):
    """Whether an assertion cannot fail: of a constant, or of a member that is never empty."""
    asserted = assertion.test
    return isinstance(asserted, ast.Constant) or (isinstance(asserted, ast.Attribute) and asserted.attr in ALWAYS_TRUE_MEMBERS)


def read(node):
    """What counts of the function that begins here."""
    nodes = list(ast.walk(node))
    called = {dotted(each.func) for each in nodes if isinstance(each, ast.Call)}
    asserted = any(isinstance(each, ast.Assert) and not is_filler(each) for each in nodes)
    return Function(node.name, asserted or bool(called & RAISING), frozenset(name.rpartition(".")[2] for name in called))


@cache
def read_source(source):
    """The tests and the helpers that assert of a source, nested ones too, and the lines of its fillers."""
    every = statements(ast.parse(source))
    functions = [each for each in every if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    wanted = [read(each) for each in functions if each.name.startswith(("test_", *HELPER_PREFIXES))]
    return wanted, [each.lineno for each in every if isinstance(each, ast.Assert) and is_filler(each)]


def helpers_in(sources):
    """Names of helpers that assert: themselves, or through one that does."""
    named = [each for source in sources for each in read_source(source)[0] if each.name.startswith(HELPER_PREFIXES)]
    found: set[str] = set()
    while more := {each.name for each in named if each.name not in found and (each.asserts or each.called & found)}:
        found |= more
    return found


def silent_in(source, helpers):
    """Names of the tests that neither assert nor call one of `helpers`."""
    tests = [each for each in read_source(source)[0] if each.name.startswith("test_")]
    return [each.name for each in tests if not each.asserts and not each.called & helpers]


def test_every_test_asserts_something():
    helpers = helpers_in(map(source_of, ALL_FILES))
    assert {name_of(path): silent for path in TEST_FILES if (silent := silent_in(source_of(path), helpers))} == {}


def test_no_assertion_says_what_is_always_so():
    fillers = [f"{name_of(path)}:{line}" for path in ALL_FILES for line in read_source(source_of(path))[1]]
    assert fillers == []


@pytest.mark.parametrize(
    "body",
    [
        "refused()",
        "verify(x)",
        "assert alice.id",
        "assert True",
        "expect_nothing()",
        "x = 'assert'",
        "async def scenario(): await x()",
    ],
)
def test_test_that_only_sounds_as_if_it_asserted_is_found(body):
    helpers = helpers_in(["def expect_nothing():\n    pass\n", "def expect_more():\n    assert x == 1\n"])
    assert silent_in(f"def test_that_something_is_refused():\n    {body}\n", helpers) == ["test_that_something_is_refused"]


@pytest.mark.parametrize("body", ["assert x == 1", "with pytest.raises(E): f()", "scene.expect_more()", "def inner(): assert y"])
def test_test_that_asserts_is_not(body):
    helpers = helpers_in(["def expect_more():\n    assert x == 1\n"])
    assert silent_in(f"def test_it():\n    {body}\n", helpers) == []
