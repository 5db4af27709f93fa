"""What the explanations say of the source is so: the picture is the import contract, and steps, measures and tests exist."""

import ast
import re
import tomllib

import pytest

from tests.documentation.pages import blocks
from tests.documentation.test_pages import prose
from tests.reference_script import ROOT

SOURCE = ROOT / "src" / "sealwright"
EXPLAIN = ROOT / "docs" / "explain"
STEPS = re.compile(r"`((?:\w+/)*\w+\.py)`((?:\s+\(?`[A-Za-z_][\w.]*`\)?)*)")
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
WIDTH = 49
"""Of the box; what stands right of it explains."""
LAYERS = [{name.strip().removeprefix("sealwright.") for name in layer.split("|")} for layer in CONTRACT["layers"]]


def picture():
    """The layers as they are drawn, from above: what stands between two lines is one layer."""
    drawn = next(block.text for block in blocks(EXPLAIN / "architecture.md") if block.text.startswith("┌"))
    layers: list[set[str]] = []
    for line in drawn.splitlines():
        if line[0] in "┌├":
            layers.append(set())
        elif line[0] == "│":
            layers[-1] |= set(re.findall(r"\w+", line[:WIDTH]))
    return layers


def test_picture_of_the_architecture_is_the_import_contract():
    assert picture() == LAYERS


def test_every_package_and_module_has_its_place_in_the_contract():
    there = {path.stem for path in SOURCE.iterdir() if (path / "__init__.py").exists() or path.suffix == ".py"}
    assert there - {"__init__", "__main__", "cli"} == set().union(*LAYERS)


def test_every_package_is_described():
    page = prose(EXPLAIN / "architecture.md")
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    described = {name for row in re.findall(r"^\| ((?:`\w+`[, and]*)+)", page, re.MULTILINE) for name in re.findall(r"\w+", row)}
    assert packages - {"cli"} <= described


def definitions(file):
    """Every function and class of a file, with the class before the name of a method."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return found


def named_steps(page):
    """(file, name) for each name that stands behind a file."""
    for file, names in STEPS.findall(prose(page)):
        for name in re.findall(r"`([\w.]+)`", names):
            yield file, name


def test_every_step_of_the_flows_names_a_function_that_exists():
    steps = list(named_steps(EXPLAIN / "flows.md"))
    missing = [step for step in steps if step[1] not in definitions(SOURCE / step[0])]
    assert missing == []
    assert len(steps) > 40


def test_names_without_a_file_belong_to_a_class_of_the_flow():
    page = prose(EXPLAIN / "flows.md")
    classes = {name.partition(".")[0]: file for file, name in named_steps(EXPLAIN / "flows.md")}
    methods = set(re.findall(r"`([A-Z]\w+\.\w+)`", page))
    assert [each for each in methods if each not in definitions(SOURCE / classes[each.partition(".")[0]])] == []


@pytest.fixture(scope="module")
def known_tests():
    tests = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    return set(re.findall(r"def (test_\w+)", tests))


def threats():
    """The rows of the threat model: threat, measure, tests."""
    rows = re.findall(r"^\| ([STRIDE]) \| (.*?) \| (.*?) \| (.*?) \|$", (EXPLAIN / "threat-model.md").read_text(), re.MULTILINE)
    assert len(rows) > 40
    return rows


def test_every_threat_has_a_measure_and_a_test_that_exists(known_tests):
    wrong = []
    for kind, threat, measure, shown in threats():
        named = set(re.findall(r"`(test_\w+)`", shown))
        if not measure or not named or named - known_tests:
            wrong.append((kind, threat, sorted(named - known_tests)))
    assert wrong == []


def test_every_surface_is_looked_at_by_all_six_kinds_of_threat():
    page = (EXPLAIN / "threat-model.md").read_text()
    for surface in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        if "| threat |" in surface:
            assert set(re.findall(r"^\| ([A-Z]) \|", surface, re.MULTILINE)) == set("STRIDE"), surface.splitlines()[0]
