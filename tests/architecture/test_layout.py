"""The unit tests lie as the source lies: anyone who reads a package finds its tests under the same name."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "sealwright"
UNIT = ROOT / "tests" / "unit"
ELSEWHERE = {
    "db": "tests/storage: what it promises is the same on both engines, so it is tried on both",
    "db/migrations": "tests/storage/test_migrations.py brings old databases up on both engines",
    "db/migrations/versions": "the same",
    "db/schema": "tests/storage/test_migrations.py holds it against the migrations; tables decide nothing",
}
"""Packages without unit tests of their own → where their tests are, and why."""


def packages(below):
    return {str(path.parent.relative_to(below)) for path in below.rglob("*.py") if path.parent != below}


def test_every_directory_of_unit_tests_names_a_package():
    assert packages(UNIT) - packages(SOURCE) == set()


def test_every_test_beside_the_packages_names_a_module_beside_them():
    modules = {path.stem for path in SOURCE.glob("*.py")}
    assert {path.stem.removeprefix("test_") for path in UNIT.glob("test_*.py")} - modules == set()


def test_every_package_has_unit_tests_or_says_where_they_are():
    tested = {str(path.parent.relative_to(UNIT)) for path in UNIT.rglob("test_*.py")}
    assert packages(SOURCE) - tested == set(ELSEWHERE)
    assert [
        place
        for place in ELSEWHERE.values()
        if place.startswith("tests/") and not (ROOT / place.split(":")[0].split()[0]).exists()
    ] == []
