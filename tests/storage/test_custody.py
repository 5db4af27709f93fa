from datetime import timedelta

import pytest

from sealwright.clock import FixedClock, Instant
from sealwright.entropy import SeededEntropy
from sealwright.keys import Custody, KeyMissing, Purpose, Sealer


async def test_life_of_a_key_is_the_same_on_both_engines(open_scratch):
    async with open_scratch() as db:
        clock = FixedClock(Instant(1_800_000_000_000))
        custody, elsewhere = (Custody(db, Sealer(bytes(32), SeededEntropy(seed)), clock) for seed in (1, 2))
        keys = []
        for _ in range(3):
            keys.append(custody.generate(Purpose.ROOT, "", "ES256"))
            await db.write(lambda tx: custody.insert(tx, keys[-1]))
            clock.advance(timedelta(seconds=1))
        for each in (custody, elsewhere):
            assert (await each.active(Purpose.ROOT, "")).id == keys[2].id
        retired_at = clock.now()
        await db.write(lambda tx: custody.retire(tx, keys[2].id))
        await db.write(lambda tx: custody.take_away(tx, keys[1].id))
        clock.advance(timedelta(seconds=1))
        for each in (custody, elsewhere):
            assert (await each.active(Purpose.ROOT, "")).id == keys[0].id
        await db.write(lambda tx: custody.revoke(tx, keys[0].id))
        custody.forget()
        with pytest.raises(KeyMissing):
            await custody.active(Purpose.ROOT, "")
        records = await custody.public_keys(Purpose.ROOT, "")
        assert [(each.id, each.retired_at) for each in records] == [(keys[2].id, retired_at), (keys[1].id, None)]
