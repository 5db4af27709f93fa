"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.postgresql import URL_VARIABLE, postgresql_server


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server: the one that the environment names, else one of our own."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield given
        return
    with postgresql_server() as url:
        yield url
