"""People and groups are found by words, also those that an older program stored, on both engines."""

from sqlalchemy import delete

from sealwright.access import SYSTEM
from sealwright.db import Statement
from sealwright.db.schema import account_words, group_words
from sealwright.identity import add_missing_words
from sealwright.identity.directory import store as directory_store
from sealwright.identity.name_search import store as words
from sealwright.identity.name_search import terms_of
from tests.unit.identity.world import World


async def forget(tx):
    """As an older program leaves what it stores."""
    for table in (account_words, group_words):
        await tx.run(Statement(delete(table)))


async def found(world, text):
    people = await world.directory.list_people(actor=SYSTEM, search=text)
    return [each.name for each in people] + [each.name for each in await world.directory.list_groups(actor=SYSTEM, search=text)]


async def test_words_follow_every_change_of_a_name_and_go_with_what_they_are_of(open_scratch):
    async with open_scratch() as db:
        world = World(db)
        await world.seed()
        await world.person("anna", mails=("anna@x.example",), password=None)
        await world.directory.create_group("web-team", description="Servers", actor=SYSTEM)
        await world.directory.update_person("anna", name="berta", display_name="Cora", mails=(), actor=SYSTEM)
        await world.directory.update_group("web-team", name="dora", description="Emil", actor=SYSTEM)
        assert [await found(world, each) for each in ("anna", "berta", "cor", "web", "dora", "emi")] == [
            [], ["berta"], ["berta"], [], ["dora"], ["dora"],
        ]  # fmt: skip
        await world.directory.delete("berta", actor=SYSTEM)
        await world.directory.delete_group("dora", actor=SYSTEM)
        assert (await found(world, "b"), await found(world, "dora")) == ([], [])


async def test_what_an_older_program_stored_gets_its_words_once(open_scratch):
    async with open_scratch() as db:
        world = World(db)
        await world.seed()
        await world.person("anna", password=None)
        await world.directory.create_group("ants", actor=SYSTEM)
        await db.write(forget)
        assert await found(world, "ann") == []
        added = await add_missing_words(db)
        assert added > 2
        assert await found(world, "ann") + await found(world, "ant") == ["anna", "ants"]
        assert await add_missing_words(db) == 0


async def test_search_that_finds_very_many_gives_the_same_pages(open_scratch):
    async with open_scratch() as db:
        world = World(db)
        await world.seed()
        for name in ("anna", "berta", "anton", "albert"):
            await world.person(name, mails=(f"{name}@x.example",), password=None)
        terms, narrow = await words.fewest_first(db, "person", terms_of("a an"))
        assert (terms, narrow) == ([b"an", b"a"], 2)
        given = {"kind": "person", "beyond": "anna", "at_most": 2, **words.given(terms)}
        for number in range(3):
            rows = await db.all(directory_store._accounts_called(2, number), **given)
            assert [row[2] for row in rows] == ["anton"]
