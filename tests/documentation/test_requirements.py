"""Every row of what was asked of this server names tests that exist, or says why it has none."""

import runpy

import pytest

from tests.reference_script import ROOT

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "requirements_page.py"))
areas, places_of_tests = SCRIPT["areas"], SCRIPT["places_of_tests"]
ROWS = [pytest.param(row, id=row.says) for area in areas() for row in area.rows]


def test_there_are_rows_and_tests():
    assert ROWS
    assert "every_row_names_tests_that_exist" in places_of_tests()


@pytest.mark.parametrize("row", ROWS)
def test_every_row_names_tests_that_exist(row):
    places = {test: places_of_tests().get(test, ()) for test in row.tests}
    assert [test for test, files in places.items() if not files] == [], "no such test"
    assert [test for test, files in places.items() if len(files) > 1] == [], "more than one file has a test of this name"


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test_or_a_reason(row):
    assert row.tests or row.open or row.deviation


def test_no_row_is_there_twice():
    said = [row.says for area in areas() for row in area.rows]
    assert len(said) == len(set(said))
