"""Every test can fail: it asserts what need not be so, by itself or through a helper whose name says that it asserts."""

import ast

import pytest

from tests.architecture.test_budgets import ROOT, name_of, source_of

ALL_FILES = sorted((ROOT / "tests").rglob("*.py"))
TEST_FILES = [path for path in ALL_FILES if path.name.startswith("test_")]
HELPER_PREFIXES = ("assert_", "expect_")
RAISING = {"pytest.raises", "pytest.warns", "pytest.fail"}
ALWAYS_TRUE_MEMBERS = {"id"}
"""What everything that has it has: to assert it alone says nothing."""


def functions_in(source):
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_filler(assertion):
    """Whether an assertion cannot fail: of a constant, or of a member that is never empty."""
    asserted = assertion.test
    return isinstance(asserted, ast.Constant) or (isinstance(asserted, ast.Attribute) and asserted.attr in ALWAYS_TRUE_MEMBERS)


def asserts(function, helpers):
    """Whether a function asserts, or calls one of `helpers`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not is_filler(node):
            return True
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in RAISING or called.rpartition(".")[2] in helpers:
                return True
    return False


def helpers_in(sources):
    """Names of helpers that assert: themselves, or through one that does."""
    named = [each for source in sources for each in functions_in(source) if each.name.startswith(HELPER_PREFIXES)]
    found: set[str] = set()
    while more := {each.name for each in named if each.name not in found and asserts(each, found)}:
        found |= more
    return found


def silent_in(source, helpers):
    return [each.name for each in functions_in(source) if each.name.startswith("test_") and not asserts(each, helpers)]


def test_every_test_asserts_something():
    helpers = helpers_in(map(source_of, ALL_FILES))
    assert {name_of(path): silent for path in TEST_FILES if (silent := silent_in(source_of(path), helpers))} == {}


def test_no_assertion_says_what_is_always_so():
    fillers = [
        f"{name_of(path)}:{node.lineno}"
        for path in ALL_FILES
        for node in ast.walk(ast.parse(source_of(path)))
        if isinstance(node, ast.Assert) and is_filler(node)
    ]
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
