"""A manifest is applied in one transaction on both engines; two at once are one after the other."""

import asyncio

import pytest

from sealwright.access import SYSTEM
from sealwright.api.manifests import ManifestApplication
from sealwright.errors import Conflict, Failure
from tests.unit.api.manifests.test_apply import MANIFEST
from tests.unit.api.world import ServerWorld


def application(world):
    given = world.api_dependencies
    return ManifestApplication(given.db, given.audit, given.custody, given.within_one_transaction)


async def test_manifest_makes_everything_once(open_scratch):
    async with open_scratch() as db:
        world = ServerWorld(db)
        await world.seed()
        applies = application(world)
        trial = await applies.apply(MANIFEST, dry_run=True, actor=SYSTEM)
        assert await world.directory.find("alice") is None
        assert await applies.apply(MANIFEST, dry_run=False, actor=SYSTEM) == trial
        assert await applies.apply(MANIFEST, dry_run=False, actor=SYSTEM) == []
        assert await world.directory.find("alice") is not None


async def test_refused_manifest_leaves_nothing_and_the_next_one_works(open_scratch):
    async with open_scratch() as db:
        world = ServerWorld(db)
        await world.seed()
        applies = application(world)
        clash = {**MANIFEST["provisioners"]["Google"], "clientID": "native"}
        wrong = {**MANIFEST, "provisioners": {**MANIFEST["provisioners"], "zzz": clash}}
        with pytest.raises(Conflict):
            await applies.apply(wrong, dry_run=False, actor=SYSTEM)
        assert await world.directory.find("alice") is None
        assert len(await applies.apply(MANIFEST, dry_run=False, actor=SYSTEM)) == 8


async def test_two_nodes_that_apply_the_same_at_once_make_it_once(open_two):
    async with open_two() as databases:
        worlds = [ServerWorld(db, entropy_seed=seed) for db, seed in zip(databases, (7, 11), strict=True)]
        await worlds[0].seed()
        outcomes = await asyncio.wait_for(
            asyncio.gather(
                *(application(world).apply(MANIFEST, dry_run=False, actor=SYSTEM) for world in worlds), return_exceptions=True
            ),
            60,
        )
        made = [each for each in outcomes if isinstance(each, list) and each]
        assert len(made) == 1
        assert all(isinstance(each, list | Failure) for each in outcomes)
