"""Refusals of one kind by one party share a row that counts, and nothing is lost silently."""

from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from sealwright.access import Actor, anonymous
from sealwright.audit import Audit, Event
from sealwright.audit.refusals import MOST_CALLERS, MOST_TARGETS
from sealwright.clock import FixedClock, Instant
from sealwright.errors import Unavailable
from tests.audits import checkpoints_of
from tests.databases import sqlite_database

START = Instant(1_790_000_000_000)
MINUTE = timedelta(minutes=1)
ALICE = Actor("person", "alice", "alice@example.org", address="192.0.2.1")


class Node:
    """One process of a server."""

    def __init__(self, db, clock):
        self.db = db
        self.clock = clock
        self.audit = Audit(clock)

    async def refuse(self, actor, times=1, *, event=Event.CERTIFICATE_REFUSED, target="provisioner:p", reason="not_permitted"):
        for _ in range(times):
            await self.audit.refused(self.db, event, actor=actor, target=target, reason=reason, details={"detail": "no"})

    async def rows(self):
        found = await self.audit.newest(self.db, at_most=5_000)
        return [(row.actor_id, row.target, msgspec.json.decode(row.details)) for row in found][::-1]


@asynccontextmanager
async def opened_node():
    async with sqlite_database() as db:
        yield Node(db, FixedClock(START))


async def test_first_refusal_is_written_at_once_and_those_alike_become_one_row_that_counts():
    async with opened_node() as node:
        await node.refuse(ALICE, 1_000)
        assert await node.rows() == [("alice", "provisioner:p", {"detail": "no"})]
        assert await node.audit.write_repeated(node.db) == 0
        node.clock.advance(MINUTE)
        assert await node.audit.write_repeated(node.db) == 1
        assert await node.audit.write_repeated(node.db) == 0
        _, (actor, target, told) = await node.rows()
        assert (actor, target) == ("alice", "provisioner:p")
        assert told == {
            "reason": "not_permitted",
            "repeated": 999,
            "targets": {"provisioner:p": 999},
            "since": START,
            "until": START,
            "address": "192.0.2.1",
        }


async def test_refusals_that_go_on_write_two_rows_a_minute_in_a_chain_that_verifies():
    async with opened_node() as node:
        for _ in range(60):
            await node.refuse(ALICE, 20)
            node.clock.advance(timedelta(seconds=10))
            await node.audit.write_repeated(node.db)
        rows = await node.rows()
        assert len(rows) == 20
        assert len(rows) / 2 + sum(told.get("repeated", 0) for _, _, told in rows) == 60 * 20
        await checkpoints_of(node.db, node.audit).verify()


async def test_refusal_of_another_kind_or_party_has_a_row_of_its_own():
    async with opened_node() as node:
        await node.refuse(ALICE)
        await node.refuse(ALICE, reason="invalid_input")
        await node.refuse(ALICE, event=Event.TOKEN_REFUSED)
        await node.refuse(Actor("person", "bob", "bob"))
        await node.refuse(anonymous("192.0.2.1"))
        await node.refuse(anonymous("192.0.2.2"))
        await node.refuse(anonymous("2001:db8:0:1::1"))
        await node.refuse(anonymous("2001:db8:0:2::1"))
        assert len(await node.rows()) == 8
        await node.refuse(anonymous("2001:db8:0:2:ffff::1"))  # the same subscriber
        await node.refuse(Actor("person", "alice", "alice@example.org", address="198.51.100.9"))  # the same person
        assert len(await node.rows()) == 8


async def test_row_of_a_minute_names_what_was_refused_how_often():
    async with opened_node() as node:
        for number in range(MOST_TARGETS + 10):
            await node.refuse(ALICE, 2, target=f"person:{number}")
        await node.audit.write_repeated(node.db, unfinished=True)
        told = (await node.rows())[-1][2]
        assert told["targets"]["person:0"] == 1
        assert told["targets"]["person:5"] == 2
        assert told["targets"]["others"] == 20
        assert sum(told["targets"].values()) == told["repeated"] == 2 * (MOST_TARGETS + 10) - 1


async def test_more_strangers_than_are_told_apart_are_counted_together():
    async with opened_node() as node:
        for number in range(MOST_CALLERS + 50):
            await node.refuse(Actor("client", str(number), ""))
        assert len(await node.rows()) == MOST_CALLERS + 1
        await node.audit.write_repeated(node.db, unfinished=True)
        actor, _, told = (await node.rows())[-1]
        assert (actor, told["repeated"]) == ("", 49)
        assert told["reason"] == "refusals of more callers than are counted separately"


async def test_no_one_hides_by_name_behind_many_strangers_or_many_people():
    async with opened_node() as node:
        for number in range(MOST_CALLERS + 50):
            await node.refuse(anonymous(f"2001:db8:0:{number:x}::1"))
        await node.refuse(ALICE, 2)
        assert (await node.rows())[-1] == ("alice", "provisioner:p", {"detail": "no"})
        for number in range(MOST_CALLERS):
            await node.refuse(Actor("person", str(number), ""))
        await node.refuse(ALICE, 3)
        await node.audit.write_repeated(node.db, unfinished=True)
        of_alice = [told for actor, _, told in await node.rows() if actor == "alice"]
        assert sum(told.get("repeated", 1) for told in of_alice) == 5
        assert len(of_alice) == 4


async def test_two_nodes_count_each_for_themselves_and_lose_nothing():
    async with opened_node() as node:
        other = Node(node.db, node.clock)
        await node.refuse(ALICE, 10)
        await other.refuse(ALICE, 10)
        for each in (node, other):
            await each.audit.write_repeated(each.db, unfinished=True)
        rows = await node.rows()
        assert len(rows) == 4
        assert 2 + sum(told.get("repeated", 0) for _, _, told in rows) == 20


class BrokenDatabase:
    """A database that cannot be written to."""

    async def write(self, body):
        raise Unavailable("The database is away.")


async def test_what_cannot_be_written_is_counted_and_written_later():
    async with opened_node() as node:
        for _ in range(3):
            with pytest.raises(Unavailable):
                await node.audit.refused(BrokenDatabase(), Event.SIGN_IN, actor=ALICE, target="person:alice", reason="wrong")
            with pytest.raises(Unavailable):
                await node.audit.write_repeated(BrokenDatabase(), unfinished=True)
        await node.audit.write_repeated(node.db, unfinished=True)
        assert sum(told["repeated"] for _, _, told in await node.rows()) == 3


async def test_clock_that_is_set_back_ends_a_minute_of_the_future():
    async with opened_node() as node:
        node.clock.advance(timedelta(days=400))
        await node.refuse(ALICE, 3)
        node.clock.advance(timedelta(days=-400))
        await node.refuse(ALICE)
        assert await node.audit.write_repeated(node.db) == 1
        assert sorted(told.get("repeated", 0) for _, _, told in await node.rows()) == [0, 0, 2]
