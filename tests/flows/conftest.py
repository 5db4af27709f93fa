"""A server with its pages, and an administrator's browser; files that need others make their own."""

import pytest

from tests.pages_place import pages_place


@pytest.fixture
def place():
    with pages_place() as made:
        yield made


@pytest.fixture
def browser(place):
    place.person("root1", "system_admins")
    return place.signed_in("root1")
