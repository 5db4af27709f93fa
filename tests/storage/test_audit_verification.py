"""The record is checked from a file alone: what was edited, removed, moved or cut off is named, and what was purged is signed."""

import json
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sealwright.access import SYSTEM
from sealwright.app.verify_record import verify_record
from sealwright.audit import Audit, BrokenChain, Checkpoints, Event, NothingToPurge, store
from sealwright.audit.chain import ChainedRow, ChainHead, digest_of, fields_of
from sealwright.clock import FixedClock, Instant
from sealwright.entropy import SeededEntropy
from sealwright.errors import InvalidInput
from sealwright.jose import jwks_document
from sealwright.jose.jwk import jwk_of
from sealwright.keys import Custody, Sealer
from tests.audits import go_on_with

START = Instant(1_790_000_000_000)
HOUR = timedelta(hours=1)


class Record:
    """A record, and its export in a directory."""

    def __init__(self, db, directory):
        self.db, self.directory, self.clock = db, directory, FixedClock(START)
        self.audit = Audit(self.clock)
        custody = Custody(db, Sealer(bytes(32), SeededEntropy(1)), self.clock)
        self.checkpoints = Checkpoints(db, self.audit, custody, self.clock)

    async def write(self, count, *, writer=None):
        for number in range(count):
            head = None if writer is None else await self.head(writer)

            async def body(tx, number=number, head=head):
                if writer is not None:
                    go_on_with(tx, writer, self.clock, head)
                await self.audit.record(tx, Event.GROUP_CREATED, actor=SYSTEM, target=f"group:{number}", details={"n": number})

            await self.db.write(body)
            self.clock.advance(timedelta(seconds=1))

    async def head(self, writer):
        """Where a chain ends."""
        row = await store.head_of(self.db, writer)
        return None if row is None else ChainHead(row.sequence, row.digest)

    async def lines(self):
        """The rows as the export writes them."""
        found = []
        async for page in self.checkpoints.pages():
            for row in page:
                fields = msgspec.structs.asdict(row) | {"previous": row.previous.hex(), "digest": row.digest.hex()}
                found.append(json.dumps(fields))
        return found

    async def verified(self, lines=None):
        file, keys = self.directory / "record.jsonl", self.directory / "keys.json"
        file.write_text("\n".join(await self.lines() if lines is None else lines) + "\n")
        keys.write_bytes(jwks_document(await self.checkpoints.public_keys()))
        return verify_record(file, keys)


@pytest.fixture
def record(open_scratch, tmp_path):
    @asynccontextmanager
    async def opened():
        async with open_scratch() as db:
            yield Record(db, tmp_path)

    return opened


async def test_record_of_several_chains_is_verified_without_the_server(record):
    async with record() as made:
        await made.write(5, writer="a")
        await made.checkpoints.make(SYSTEM)
        await made.write(3, writer="b")
        await made.checkpoints.make(SYSTEM)
        await made.write(2, writer="b")
        found = await made.verified()
        assert (found.rows, found.chains, found.checkpoints) == (12, 2, 2)
        assert found.unsigned_rows == 3  # the second checkpoint itself, and two after it
        assert (await made.checkpoints.verified()).rows == 12


def edited(lines, at, **fields):
    return [json.dumps(json.loads(line) | fields) if number == at else line for number, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("edited", lambda lines: edited(lines, 2, details='{"n":7}'), "entry 3 was changed after it was written"),
        ("other outcome", lambda lines: edited(lines, 2, outcome="refused"), "entry 3 was changed"),
        ("request added", lambda lines: edited(lines, 2, request_id="r"), "entry 3 was changed"),
        ("deleted", lambda lines: lines[:2] + lines[3:], "entry 4 does not follow entry 2"),
        ("first deleted", lambda lines: lines[1:], "entry 2 does not follow entry 0"),
        ("reordered", lambda lines: [lines[1], lines[0], *lines[2:]], "entry 2 does not follow entry 0"),
        ("doubled", lambda lines: [lines[0], *lines], "entry 1 does not follow entry 1"),
        (
            "cut off",
            lambda lines: lines[:4] + [line for line in lines if '"b"' in line],
            "entry 5 is not what a signed checkpoint saw",
        ),
        ("chain gone", lambda lines: [line for line in lines if '"b"' in line], "entry 5 is not what a signed checkpoint saw"),
        ("no row", lambda lines: [lines[0], "{}", *lines[1:]], "line 2: this is not a row"),
    ],
)
async def test_first_bad_row_is_named(record, name, change, told):
    async with record() as made:
        await made.write(5, writer="a")
        await made.write(1, writer="b")
        await made.checkpoints.make(SYSTEM)
        lines = await made.lines()
        with pytest.raises(BrokenChain, match=told):
            await made.verified(change(lines))


async def test_chain_that_was_made_anew_as_a_whole_contradicts_the_checkpoint(record):
    async with record() as made:
        await made.write(3, writer="a")
        genuine = await made.lines()
        await made.write(1, writer="b")
        await made.checkpoints.make(SYSTEM)
        forged, previous = [], bytes(32)
        for line in genuine:
            fields = json.loads(line)
            row = ChainedRow(**fields | {"actor_name": "mallory", "previous": previous, "digest": b""})
            previous = digest_of(previous, fields_of(row))
            forged.append(
                json.dumps(fields | {"actor_name": "mallory", "previous": row.previous.hex(), "digest": previous.hex()})
            )
        others = [line for line in await made.lines() if json.loads(line)["writer_id"] != "a"]
        with pytest.raises(BrokenChain, match="entry 3 is not what a signed checkpoint saw"):
            await made.verified(forged + others)


async def test_checkpoint_of_another_key_is_refused(record, tmp_path):
    async with record() as made:
        await made.write(1)
        await made.checkpoints.make(SYSTEM)
        await made.verified()
        (key,) = await made.checkpoints.public_keys()
        other = jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key(), key.id, "ES256")
        keys = tmp_path / "other.json"
        keys.write_text(json.dumps({"keys": [other]}))
        with pytest.raises(BrokenChain, match="is not signed by the audit key"):
            verify_record(tmp_path / "record.jsonl", keys)


async def test_checkpoint_tells_only_the_chains_that_have_moved_and_fits_any_number_of_them(record):
    async with record() as made:
        for number in range(400):
            await made.write(1, writer=f"{number:036}")
        made.clock.advance(HOUR)
        await made.checkpoints.make(SYSTEM)
        made.clock.advance(HOUR)
        await made.checkpoints.make(SYSTEM)
        newest, first = await made.audit.newest(made.db, target="audit:all")
        assert len(msgspec.json.decode(first.details)["heads"]) == 400
        assert list(msgspec.json.decode(newest.details)["heads"]) == [first.writer_id]
        assert (await made.verified()).rows == 402


async def test_what_was_purged_is_signed_and_the_rest_still_verifies(record):
    async with record() as made:
        await made.write(5, writer="a")
        await made.write(3, writer="b")
        await made.checkpoints.make(SYSTEM)
        made.clock.advance(24 * HOUR)
        await made.write(4, writer="b")
        await made.checkpoints.make(SYSTEM)
        made.clock.advance(HOUR)
        assert await made.checkpoints.purge(made.clock.now(), SYSTEM) == 5 + 3 + 1 + 4
        found = await made.verified()
        assert (found.rows, found.purged_chains) == (2, 2)
        (purged, *_) = await made.audit.newest(made.db)
        assert (purged.event, msgspec.json.decode(purged.details)["rows"]) == ("audit.purged", 13)
        await made.write(2, writer="b")
        await made.checkpoints.make(SYSTEM)
        made.clock.advance(HOUR)
        assert (await made.checkpoints.verified()).rows == 5
        lines = await made.lines()
        with pytest.raises(BrokenChain, match="does not follow"):
            await made.verified([line for line in lines if "audit.purged" not in line])
        with pytest.raises(BrokenChain, match="does not follow"):
            await made.verified(lines[1:])


async def test_purge_leaves_what_no_checkpoint_of_that_age_has_seen(record):
    async with record() as made:
        await made.write(3)
        with pytest.raises(NothingToPurge):
            await made.checkpoints.purge(made.clock.now(), SYSTEM)
        await made.checkpoints.make(SYSTEM)
        with pytest.raises(NothingToPurge):
            await made.checkpoints.purge(START, SYSTEM)
        made.clock.advance(HOUR)
        await made.write(2)
        assert await made.checkpoints.purge(made.clock.now(), SYSTEM) == 3
        assert await made.checkpoints.purge(made.clock.now(), SYSTEM) == 0
        assert (await made.verified()).rows == 4


async def test_purge_that_was_interrupted_leaves_a_record_that_verifies_and_goes_on(record):
    async with record() as made:
        await made.write(6, writer="a")
        await made.checkpoints.make(SYSTEM)
        made.clock.advance(HOUR)
        lines = await made.lines()
        await made.checkpoints.purge(made.clock.now(), SYSTEM)
        left = [line for line in lines if json.loads(line)["sequence"] in (5, 6)]
        assert (await made.verified(left + await made.lines())).rows == 2


@pytest.mark.parametrize("text", ["", "{}", '{"keys": []}', "[1]"])
async def test_file_without_keys_is_refused_in_plain_words(record, tmp_path, text):
    async with record() as made:
        await made.write(1)
        keys, file = tmp_path / "keys.json", tmp_path / "record.jsonl"
        keys.write_text(text)
        file.write_text("\n".join(await made.lines()))
        with pytest.raises(InvalidInput, match=r"keys\.json"):
            verify_record(file, keys)
