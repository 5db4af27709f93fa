import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import text

from sealwright.clock import FixedClock, Instant
from sealwright.db import DuplicateRow, Statement
from sealwright.entropy import SeededEntropy
from sealwright.jose import KeyRefused
from sealwright.keys import Custody, KeyMissing, Purpose, SealBroken, Sealer
from sealwright.keys.custody import FRESH_FOR, NOTICED_WITHIN
from tests.databases import sqlite_database

START = Instant(1_800_000_000_000)


class Scene:
    """A database, a clock, and two processes' custody of the same keys."""

    def __init__(self, db):
        self.db = db
        self.clock = FixedClock(START)
        self.sealer = Sealer(bytes(32), SeededEntropy(3))
        self.custody = Custody(db, self.sealer, self.clock)
        self.other = Custody(db, self.sealer, self.clock)

    async def add(self, purpose=Purpose.ISSUER, owner="ca-1", algorithm="ES256"):
        key = self.custody.generate(purpose, owner, algorithm)
        await self.db.write(lambda tx: self.custody.insert(tx, key))
        self.custody.forget()
        self.clock.advance(timedelta(seconds=1))
        return key

    async def change(self, verb, key_id):
        await self.db.write(lambda tx: verb(tx, key_id))
        self.custody.forget()


@asynccontextmanager
async def scene():
    async with sqlite_database() as db:
        yield Scene(db)


async def test_newest_key_of_its_purpose_and_owner_is_active():
    async with scene() as s:
        first = await s.add()
        assert (await s.custody.active(Purpose.ISSUER, "ca-1")).id == first.id
        second = await s.add()
        await s.add(owner="ca-2")
        await s.add(purpose=Purpose.ROOT)
        key = await s.custody.active(Purpose.ISSUER, "ca-1")
        assert key.id == second.id == second.signing_key().id
        assert key.algorithm == "ES256"
        signature = key.private_key.sign(b"text", ec.ECDSA(SHA256()))
        second.public_key.verify(signature, b"text", ec.ECDSA(SHA256()))
        assert [each.id for each in await s.custody.public_keys(Purpose.ISSUER, "ca-1")] == [second.id, first.id]


async def test_rsa_key_for_clients_that_demand_it():
    async with scene() as s:
        key = await s.add(Purpose.OAUTH_CLIENT, "c", "RS256")
        assert (await s.custody.active(Purpose.OAUTH_CLIENT, "c")).id == key.id
        assert (await s.custody.public_keys(Purpose.OAUTH_CLIENT, "c"))[0].algorithm == "RS256"


async def test_no_key_is_said_in_words():
    async with scene() as s:
        with pytest.raises(KeyMissing, match="no issuer key that may sign for ca-9"):
            await s.custody.active(Purpose.ISSUER, "ca-9")
        with pytest.raises(KeyMissing, match="no audit key that may sign"):
            await s.custody.active(Purpose.AUDIT, "")
        with pytest.raises(KeyMissing, match="There is no key nothing"):
            await s.custody.open("nothing")


async def test_retired_key_signs_no_more_but_is_still_published_and_can_be_opened():
    async with scene() as s:
        old, new = await s.add(), await s.add()
        await s.change(s.custody.retire, new.id)
        assert (await s.custody.active(Purpose.ISSUER, "ca-1")).id == old.id
        published = {each.id: each.retired_at for each in await s.custody.public_keys(Purpose.ISSUER, "ca-1")}
        assert published == {old.id: None, new.id: START + 2_000}
        assert (await s.custody.open(new.id)).id == new.id


async def test_revoked_key_neither_signs_nor_verifies():
    async with scene() as s:
        key = await s.add()
        await s.change(s.custody.revoke, key.id)
        with pytest.raises(KeyMissing):
            await s.custody.active(Purpose.ISSUER, "ca-1")
        with pytest.raises(KeyMissing, match="was revoked"):
            await s.custody.open(key.id)
        assert await s.custody.public_keys(Purpose.ISSUER, "ca-1") == []


async def test_private_part_that_was_taken_away_is_gone_and_the_certificate_still_verifies():
    async with scene() as s:
        key = await s.add(Purpose.ROOT, "root")
        exported = await s.custody.export(key.id)
        await s.change(s.custody.take_away, key.id)
        with pytest.raises(KeyMissing, match=r"private part of the root key .* was taken away"):
            await s.custody.open(key.id)
        with pytest.raises(KeyMissing):
            await s.custody.active(Purpose.ROOT, "root")
        with pytest.raises(KeyMissing, match="holds no private part"):
            await s.change(s.custody.take_away, key.id)
        assert [each.id for each in await s.custody.public_keys(Purpose.ROOT, "root")] == [key.id]
        assert serialization.load_pem_private_key(exported, None).public_key() == key.public_key


async def test_export_can_be_encrypted_and_comes_back():
    async with scene() as s:
        key = await s.add()
        exported = await s.custody.export(key.id, b"a password")
        assert b"ENCRYPTED" in exported
        again = s.custody.import_private(Purpose.ISSUER, "ca-1", exported, b"a password")
        assert again.id == key.id
        with pytest.raises(KeyRefused):
            s.custody.import_private(Purpose.ISSUER, "ca-1", exported, b"wrong")


async def test_same_key_is_not_stored_twice():
    async with scene() as s:
        key = await s.add()
        with pytest.raises(DuplicateRow):
            await s.db.write(lambda tx: s.custody.insert(tx, key))


async def test_another_process_notices_a_revocation_within_a_second():
    async with scene() as s:
        key = await s.add()
        await s.other.active(Purpose.ISSUER, "ca-1")
        await s.other.public_keys(Purpose.ISSUER, "ca-1")
        await s.change(s.custody.revoke, key.id)
        s.clock.advance(NOTICED_WITHIN)
        with pytest.raises(KeyMissing):
            await s.other.active(Purpose.ISSUER, "ca-1")
        with pytest.raises(KeyMissing):
            await s.other.open(key.id)
        assert await s.other.public_keys(Purpose.ISSUER, "ca-1") == []


@pytest.mark.parametrize("change", ["retire", "take_away", "second"])
async def test_another_process_notices_every_change_of_a_key_within_a_second(change):
    async with scene() as s:
        key = await s.add()
        assert (await s.other.active(Purpose.ISSUER, "ca-1")).id == key.id
        if change == "second":
            expected = (await s.add()).id
        else:
            await s.change(getattr(s.custody, change), key.id)
            expected = None
        s.clock.advance(NOTICED_WITHIN)
        if expected is None:
            with pytest.raises(KeyMissing):
                await s.other.active(Purpose.ISSUER, "ca-1")
        else:
            assert (await s.other.active(Purpose.ISSUER, "ca-1")).id == expected


async def test_what_was_read_before_a_change_is_not_remembered_after_it():
    async with scene() as s:
        key = await s.add()
        reading = asyncio.ensure_future(s.other.public_keys(Purpose.ISSUER, "ca-1"))
        await asyncio.sleep(0)
        await s.change(s.custody.revoke, key.id)
        s.other.forget()
        await reading
        assert await s.other.public_keys(Purpose.ISSUER, "ca-1") == []


async def test_revocation_is_noticed_also_when_the_clock_is_put_back_by_hours():
    async with scene() as s:
        key = await s.add()
        assert (await s.other.active(Purpose.ISSUER, "ca-1")).id == key.id
        assert await s.other.open(key.id)
        assert await s.other.public_keys(Purpose.ISSUER, "ca-1")
        await s.change(s.custody.revoke, key.id)
        s.clock.advance(-timedelta(hours=30))
        with pytest.raises(KeyMissing):
            await s.other.active(Purpose.ISSUER, "ca-1")
        with pytest.raises(KeyMissing):
            await s.other.open(key.id)
        assert await s.other.public_keys(Purpose.ISSUER, "ca-1") == []


async def test_opened_keys_are_kept_and_not_unsealed_again():
    async with scene() as s:
        await s.add()
        key = await s.custody.active(Purpose.ISSUER, "ca-1")
        assert await s.custody.active(Purpose.ISSUER, "ca-1") is key
        s.clock.advance(FRESH_FOR)
        assert await s.custody.active(Purpose.ISSUER, "ca-1") is key
        s.custody.forget()
        again = await s.custody.active(Purpose.ISSUER, "ca-1")
        assert again is not key
        assert again.id == key.id


async def test_database_alone_does_not_give_the_key_away():
    async with scene() as s:
        key = await s.add()
        stranger = Custody(s.db, Sealer(b"\x01" * 32, SeededEntropy(1)), s.clock)
        with pytest.raises(SealBroken):
            await stranger.active(Purpose.ISSUER, "ca-1")
        raw = (await s.db.one(Statement(text("SELECT sealed_private FROM signing_keys"))))[0]
        secret = key.private_key.private_numbers().private_value.to_bytes(32)
        assert secret not in raw


@pytest.mark.parametrize("change", ["purpose = 'root'", "owner = 'ca-2'", "algorithm = 'RS256'"])
async def test_key_whose_row_was_turned_to_another_use_does_not_open(change):
    async with scene() as s:
        key = await s.add()

        async def tamper(tx):
            await tx.run(Statement(text(f"UPDATE signing_keys SET {change}")))

        await s.db.write(tamper)
        with pytest.raises(SealBroken):
            await s.custody.open(key.id)


async def test_private_parts_are_not_shown_by_repr():
    async with scene() as s:
        key = await s.add()
        assert "private" not in repr(key)
        assert "private" not in repr(await s.custody.open(key.id))
