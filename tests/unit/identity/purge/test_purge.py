"""What is over goes, a page at a time."""

from datetime import timedelta

from sealwright.clock import Instant
from sealwright.db import AT_ONCE
from sealwright.identity import purge
from sealwright.identity.passkeys import store as passkeys
from sealwright.identity.purge import store
from tests.oauth_world import oauth_world


async def test_more_rows_than_one_transaction_deletes_all_go():
    async with oauth_world() as world:
        count = AT_ONCE + 3

        async def body(tx):
            for number in range(count):
                await passkeys.use_challenge(tx, number.to_bytes(32), world.clock.now())

        await world.db.write(body)
        assert await purge(world.db, world.clock) == 0
        world.clock.advance(timedelta(seconds=1))
        assert await purge(world.db, world.clock) == count
        assert await purge(world.db, world.clock) == 0


async def test_every_old_session_is_looked_at_however_small_the_pages():
    async with oauth_world() as world:
        ann = await world.person("ann")
        for _ in range(5):
            await world.sign_in(ann)
        world.clock.advance(timedelta(days=400))
        await world.sign_in(ann)
        until = world.clock.now()
        pages: list[int] = []
        beyond: tuple[Instant, str] | None = (Instant(0), "")
        while beyond is not None:

            async def body(tx, beyond=beyond):
                return await store.purge_sessions(tx, until, beyond, 2)

            page = await world.db.write(body)
            pages.append(page.deleted)
            beyond = page.last
        assert pages == [2, 2, 1, 0]
