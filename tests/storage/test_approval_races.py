"""What happens to a held request beside a vote, on two nodes at once and on both engines: nothing is lost or doubled."""

import asyncio
import itertools
from collections.abc import Awaitable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from sealwright.access import SYSTEM
from sealwright.access.approvals import NotOpen, RequestState
from sealwright.audit import Audit
from sealwright.ca import PATIENCE, CertificateState, store
from sealwright.clock import FixedClock
from tests.authorities import build, csr
from tests.storage.test_approvals import approvers

ROUNDS = 3
NUMBERS = itertools.count()


class NodeDied(BaseException):
    """Stands for the end of the process: nothing that follows it happens."""


async def both(*work: Awaitable[Any]) -> list[Any]:
    """What comes of two things at once: a result, or the failure."""
    return list(await asyncio.gather(*work, return_exceptions=True))


def die_at(point, reached):
    if reached == point:
        raise NodeDied


async def two_nodes(first_db, second_db, home, *, ahead=timedelta()):
    """Two nodes; the clock of the second is `ahead`."""
    first = await build(first_db, home)
    await first.app.seed()
    await first.add_jwk()
    second = await build(second_db, home, clock=FixedClock(first.clock.now()))
    second.clock.advance(ahead)
    return first, second


async def ask(ca, name):
    """Ask for a certificate, with the same key each time; the status."""
    token = ca.jwk_token(name, jti=f"{name} {next(NUMBERS)}")
    return (await ca.call("POST", "/sign", {"csr": csr(name, (name,)), "ott": token}))[0]


async def hold(ca, name):
    """What is held where someone asks for a certificate."""
    assert await ask(ca, name) == 409
    requests = (await ca.app.parts.approvals.all(SYSTEM)).requests
    (held,) = [each for each in requests if name in each.title and each.state is RequestState.PENDING]
    return held


async def state_of(ca, held):
    return (await ca.app.parts.approvals.show(held.id, actor=SYSTEM)).request.state


async def told(ca, held):
    """The events about a request, without that of its beginning."""
    events = await Audit.newest(ca.db, at_most=1_000)
    return sorted(each.event for each in events if each.target == f"approval:{held.id}" and each.event != "approval.requested")


async def certificates(db):
    return await store.newest(db, older_than=store.NO_SERIAL_IS_GREATER, at_most=100)


async def test_withdrawal_beside_the_last_vote_leaves_nothing_that_could_be_signed(open_two, tmp_path):
    async with open_two() as (first_db, second_db):
        first, second = await two_nodes(first_db, second_db, tmp_path)
        (alice,) = await approvers(first, "alice")
        for number in range(ROUNDS):
            held = await hold(first, f"web-{number}.example.org")
            vote = first.app.parts.approvals.approve(held.id, "", actor=alice)
            withdrawal = second.app.parts.approvals.withdraw(held.id, actor=SYSTEM)
            voted, withdrawn = await both(*((vote, withdrawal)[:: 1 - number % 2 * 2]))
            if number % 2:
                voted, withdrawn = withdrawn, voted
            assert withdrawn.state is RequestState.WITHDRAWN  # an approval that no one has used yet can be taken back as well
            counted = not isinstance(voted, NotOpen)
            assert await told(first, held) == ["approval.approved"] * counted + ["approval.withdrawn"]
            assert await state_of(second, held) is RequestState.WITHDRAWN
            assert await hold(second, f"web-{number}.example.org") != held  # what was approved is worth nothing any more
        assert await certificates(first_db) == []


async def test_expiry_beside_the_last_vote_leaves_nothing_that_could_be_signed(open_two, tmp_path):
    async with open_two() as (first_db, second_db):
        first, second = await two_nodes(first_db, second_db, tmp_path, ahead=timedelta(hours=168))
        (alice,) = await approvers(first, "alice")
        for number in range(ROUNDS):
            held = await hold(first, f"web-{number}.example.org")
            voted, closed = await both(
                first.app.parts.approvals.approve(held.id, "", actor=alice),
                second.app.parts.approvals.close_expired(),
            )
            counted = not isinstance(voted, NotOpen)
            assert closed == 1
            assert await told(first, held) == ["approval.approved"] * counted + ["approval.expired"]
            assert await state_of(second, held) is RequestState.EXPIRED
            assert await second.app.parts.approvals.close_expired() == 0
            assert await hold(first, f"web-{number}.example.org") != held
            assert await second.app.parts.approvals.close_expired() == 1
        assert await certificates(first_db) == []


async def test_withdrawal_beside_the_requester_who_fetches_gives_either_one_certificate_or_none(open_two, tmp_path):
    async with open_two() as (first_db, second_db):
        first, second = await two_nodes(first_db, second_db, tmp_path)
        (alice,) = await approvers(first, "alice")
        fetched = 0
        for number in range(ROUNDS):
            name = f"web-{number}.example.org"
            held = await hold(first, name)
            await first.app.parts.approvals.approve(held.id, "", actor=alice)
            status, withdrawn = await both(ask(first, name), second.app.parts.approvals.withdraw(held.id, actor=SYSTEM))
            assert (status == 201) is isinstance(withdrawn, NotOpen)
            assert await state_of(second, held) is (RequestState.DONE if status == 201 else RequestState.WITHDRAWN)
            fetched += status == 201
        assert len(await certificates(second_db)) == fetched


async def test_node_that_dies_between_approval_and_answer_neither_loses_nor_doubles_a_certificate(open_two, tmp_path):
    async with open_two() as (first_db, second_db):
        first, second = await two_nodes(first_db, second_db, tmp_path)
        (alice,) = await approvers(first, "alice")
        points = ("before_intent", "after_intent", "before_store", "after_store")
        for place, point in enumerate(points):
            name = f"{point.replace('_', '-')}.example.org"
            held = await hold(first, name)
            await first.app.parts.approvals.approve(held.id, "", actor=alice)
            first.crash_points.append(partial(die_at, point))
            with pytest.raises(NodeDied):
                await ask(first, name)
            first.crash_points.pop()
            if point in ("before_intent", "after_store"):
                assert await ask(second, name) == 201  # the approval stands, or what came of it is given again
                assert await state_of(second, held) is RequestState.DONE
                expected = CertificateState.ISSUED
            else:
                assert await ask(second, name) == 503  # another node may be signing it at this moment
                second.clock.advance(2 * PATIENCE)
                assert len(await second.recovery.close_intents(older_than=PATIENCE)) == 1
                assert await ask(second, name) == 409  # it may have been signed: another one needs an approval of its own
                expected = CertificateState.MAYBE_SIGNED
            known = await certificates(second_db)
            assert [each.state for each in known if each.subject_name == name] == [expected], point
            assert len(known) == place + 1
