"""A form is saved only while what it was made from stands, however late someone else comes."""

import pytest

from sealwright.access import SYSTEM
from sealwright.db import nothing_around_writes
from sealwright.web.overtaken import FormOvertaken, unless_overtaken, version_of
from tests.unit.identity.world import sqlite_world

LABELS = {"name": "Name", "description": "Description"}
HELD = {"name": "ops", "description": "Before"}


@pytest.fixture
async def directory():
    async with sqlite_world() as world:
        await world.directory.create_group("ops", description="Before", actor=SYSTEM)
        yield world.directory


def reading(directory):
    async def read():
        group = await directory.find_group("ops")
        return {"name": group.name, "description": group.description}

    return read


async def saved(directory, version, typed, *, in_between=None):
    async with unless_overtaken(version, reading(directory), typed, LABELS):
        if in_between is not None:
            with nothing_around_writes():
                await directory.update_group("ops", description=in_between, actor=SYSTEM)
        await directory.update_group("ops", description=typed["description"], actor=SYSTEM)
        await directory.update_group("ops", description=f"{typed['description']}, twice", actor=SYSTEM)


async def test_form_of_the_version_that_stands_is_saved_with_all_of_its_writes(directory):
    await saved(directory, version_of(HELD), HELD | {"description": "Mine"})
    assert (await directory.find_group("ops")).description == "Mine, twice"


@pytest.mark.parametrize("version", ["", "x", '"other"', version_of(HELD | {"description": "Older"})])
async def test_form_of_another_version_or_of_none_is_not_saved(directory, version):
    with pytest.raises(FormOvertaken) as overtaken:
        await saved(directory, version, HELD | {"description": "Mine"})
    assert overtaken.value.form.changes == (("Description", "Before", "Mine"),)
    assert (await directory.find_group("ops")).description == "Before"


async def test_change_between_the_look_and_the_write_is_seen_in_the_transaction(directory):
    with pytest.raises(FormOvertaken) as overtaken:
        await saved(directory, version_of(HELD), HELD | {"description": "Mine"}, in_between="Theirs")
    assert overtaken.value.form.changes == (("Description", "Theirs", "Mine"),)
    assert (await directory.find_group("ops")).description == "Theirs"


async def test_what_was_typed_anew_and_not_changed_meanwhile_is_not_called_changed(directory):
    with pytest.raises(FormOvertaken) as overtaken:
        await saved(directory, version_of(HELD | {"description": "Older"}), {"name": "operators", "description": "Mine"})
    assert [label for label, _, _ in overtaken.value.form.changes] == ["Description"]
