"""Sizes and names that keep the code readable. A test that fails here is a reason to think, not to squeeze."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

from tests.architecture.syntax import statements

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "sealwright"
FILES = sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)
FORBIDDEN = {
    "utils",
    "util",
    "helpers",
    "common",
    "core",
    "base",
    "misc",
    "manager",
    "service",
    "handler",
    "impl",
    "data",
    "info",
}
HISTORY = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|issue \d+|item \d+|for now|placeholder)\b", re.IGNORECASE)


def length_of(node):
    return (node.end_lineno or node.lineno) - node.lineno + 1


def name_of(path):
    return str(path.relative_to(ROOT))


@cache
def source_of(path):
    return path.read_text()


@cache
def definitions_in(path):
    """Every class and function of a file, nested ones too."""
    return [
        node
        for node in statements(ast.parse(source_of(path)))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_file_is_at_most_500_lines():
    assert [name_of(path) for path in FILES if len(source_of(path).splitlines()) > 500] == []


def test_functions_are_at_most_60_lines():
    long = [
        f"{name_of(path)}: {node.name}: {length_of(node)} lines"
        for path in FILES
        for node in definitions_in(path)
        if not isinstance(node, ast.ClassDef) and length_of(node) > 60
    ]
    assert long == []


def test_packages_are_at_most_three_deep():
    assert [name_of(path) for path in FILES if len(path.relative_to(SOURCE).parts) > 3] == []


def test_modules_and_classes_have_names_that_say_something():
    modules = [name_of(path) for path in FILES if path.stem in FORBIDDEN or path.parent.name in FORBIDDEN]
    classes = [
        f"{name_of(path)}: {node.name}"
        for path in FILES
        for node in definitions_in(path)
        if isinstance(node, ast.ClassDef) and node.name.lower().endswith(("manager", "service", "helper", "impl", "handler"))
    ]
    assert (modules, classes) == ([], [])


def test_nothing_is_left_for_later():
    # The HTML attribute is the one honest use of the word.
    lines = [
        f"{name_of(path)}: {line.strip()}"
        for path in FILES
        for line in source_of(path).splitlines()
        if HISTORY.search(line) and "placeholder=" not in line
    ]
    assert lines == []


def test_only_stores_reach_the_tables():
    tables = re.compile(r"sealwright\.db\.(full_)?schema|import sqlalchemy|from sqlalchemy")
    outside = [path for path in FILES if path.stem != "store" and "db" not in {path.parent.name, path.parent.parent.name}]
    assert [name_of(path) for path in outside if tables.search(source_of(path))] == []


def test_other_packages_are_reached_through_their_front_door():
    inner = re.compile(r"from sealwright\.(\w+)\.(store|models) import")
    offenders = [
        f"{name_of(path)}: {match.group(0)}"
        for path in FILES
        for match in inner.finditer(source_of(path))
        if path.relative_to(SOURCE).parts[0] != match.group(1)
    ]
    assert offenders == []


def test_every_suppression_has_a_reason():
    bare = re.compile(r"#\s*(noqa(:\s*[A-Z0-9, ]+)?|type:\s*ignore(\[[a-z-, ]+\])?)\s*$")
    offenders = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(source_of(path).splitlines(), 1)
        if bare.search(line)
    ]
    assert offenders == []


def test_locks_hold_every_dependency_with_a_digest():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    for requirement in project["dependencies"]:
        name = re.split(r"[<>=\[]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), f"{name} is not in requirements.lock"
    entries = re.split(r"\n(?=[a-z0-9])", lock)
    assert [entry.splitlines()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
