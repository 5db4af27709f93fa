"""What identity asks of a database: once means once, and every node sees the same, on both engines."""

import asyncio
import base64
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import Conflict, RateLimited
from sealwright.identity import (
    CodeRefused,
    CompletedSignIn,
    GroupCycle,
    LastAdministrator,
    LinkRefused,
    NameTaken,
    SecondFactorRequired,
    SessionKind,
    SignInExpired,
    SignInRefused,
    purge,
)
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD, World

AT_ONCE = 20


@asynccontextmanager
async def two_nodes(open_two):
    async with open_two() as (first_db, second_db):
        first = World(first_db)
        await first.seed()
        yield first, World(second_db, first.clock, entropy_seed=11)


async def at_once(attempts):
    """How each ended: what it answered, or the exception."""
    return await asyncio.gather(*attempts, return_exceptions=True)


def by_kind(outcomes):
    kinds: dict[type, list[object]] = {}
    for outcome in outcomes:
        kinds.setdefault(type(outcome), []).append(outcome)
    return kinds


async def test_recovery_code_signs_in_on_one_node_only(open_two):
    async with two_nodes(open_two) as nodes:
        await nodes[0].person("alice")
        actor = (await nodes[0].signed_in("alice")).signed_in.actor
        await nodes[0].with_totp("alice")
        code = (await nodes[0].credentials.create_recovery_codes(actor=actor))[0]
        asked = [await node.try_password("alice") for node in nodes]
        outcomes = await at_once(
            node.sign_in.with_totp(each.pending_token, code, address="192.0.2.9", user_agent="")
            for node, each in zip(nodes, asked, strict=True)
            if isinstance(each, SecondFactorRequired)
        )
        kinds = by_kind(outcomes)
        assert {kind: len(found) for kind, found in kinds.items()} == {CompletedSignIn: 1, CodeRefused: 1}


async def test_waiting_sign_in_is_completed_once_however_many_try(open_two):
    async with two_nodes(open_two) as nodes:
        await nodes[0].person("alice")
        secret = await nodes[0].with_totp("alice")
        asked = await nodes[0].try_password("alice")
        assert isinstance(asked, SecondFactorRequired)
        code = nodes[0].code(secret)
        outcomes = await at_once(
            nodes[n % 2].sign_in.with_totp(asked.pending_token, code, address=f"192.0.2.{n}", user_agent="")
            for n in range(AT_ONCE)
        )
        kinds = by_kind(outcomes)
        assert len(kinds.pop(CompletedSignIn)) == 1
        assert set(kinds) <= {SignInExpired, CodeRefused, RateLimited}


async def test_code_signs_in_once_however_many_sign_ins_wait_for_it(open_two):
    async with two_nodes(open_two) as nodes:
        await nodes[0].person("alice")
        secret = await nodes[0].with_totp("alice")
        waiting = [await nodes[n % 2].try_password("alice") for n in range(AT_ONCE)]
        code = nodes[0].code(secret)
        outcomes = await at_once(
            nodes[n % 2].sign_in.with_totp(asked.pending_token, code, address=f"192.0.2.{n}", user_agent="")
            for n, asked in enumerate(waiting)
            if isinstance(asked, SecondFactorRequired)
        )
        kinds = by_kind(outcomes)
        assert len(outcomes) == AT_ONCE
        assert len(kinds.pop(CompletedSignIn)) == 1
        assert set(kinds) <= {CodeRefused, RateLimited}


async def test_enrolment_is_confirmed_once(open_two):
    async with two_nodes(open_two) as nodes:
        actor = await nodes[0].actor("alice")
        made = await nodes[0].credentials.begin_totp(PASSWORD, actor=actor)
        code = nodes[0].code(base64.b32decode(made.secret))
        outcomes = await at_once(nodes[n % 2].credentials.confirm_totp(code, actor=actor) for n in range(AT_ONCE))
        kinds = by_kind(outcomes)
        assert len(kinds.pop(type(None))) == 1
        assert set(kinds) <= {CodeRefused, RateLimited}


async def test_welcome_link_makes_one_administrator(open_two):
    async with two_nodes(open_two) as nodes:
        link = await nodes[0].bootstrap.begin()
        assert link is not None
        outcomes = await at_once(
            nodes[n % 2].bootstrap.welcome(
                link.token,
                name=f"admin{n}",
                display_name="Admin",
                mails=[f"admin{n}@example.org"],
                password=PASSWORD,
                address="192.0.2.1",
                user_agent="",
            )
            for n in range(AT_ONCE)
        )
        kinds = by_kind(outcomes)
        assert {kind: len(found) for kind, found in kinds.items()} == {CompletedSignIn: 1, LinkRefused: AT_ONCE - 1}
        assert len(await nodes[1].directory.list_people(actor=SYSTEM)) == 1


async def test_reset_link_sets_one_password(open_two):
    async with two_nodes(open_two) as nodes:
        await nodes[0].person("alice")
        link = await nodes[0].reset.create("alice", actor=SYSTEM)
        outcomes = await at_once(
            nodes[n % 2].reset.redeem(link.token, f"{OTHER_PASSWORD}-{n}", address="192.0.2.1") for n in range(AT_ONCE)
        )
        worked = [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, LinkRefused)]
        assert len(worked) == 1
        assert isinstance(await nodes[1].try_password("alice", f"{OTHER_PASSWORD}-{worked[0]}"), CompletedSignIn)


async def test_many_guesses_at_once_on_two_nodes_get_no_more_tries_than_one_by_one(open_two):
    async with two_nodes(open_two) as nodes:
        await nodes[0].person("alice")
        outcomes = await at_once(nodes[n % 2].try_password("alice", f"guess {n}", address=f"192.0.2.{n}") for n in range(AT_ONCE))
        kinds = {kind: len(found) for kind, found in by_kind(outcomes).items()}
        assert kinds == {SignInRefused: 5, RateLimited: AT_ONCE - 5}
        assert len(nodes[0].hashing.verified) + len(nodes[1].hashing.verified) == 5
        nodes[0].clock.advance(timedelta(seconds=1))
        assert isinstance(await nodes[1].try_password("alice"), CompletedSignIn)
        assert isinstance(await nodes[0].try_password("alice"), CompletedSignIn)


async def test_right_passwords_take_back_their_own_attempts_and_no_others(open_two):
    async with two_nodes(open_two) as nodes:
        for n in range(AT_ONCE):
            await nodes[0].person(f"p{n}")
        kinds: dict[type, int] = {}
        for n in range(29):
            right, wrong = nodes[n % 2].try_password(f"p{n % AT_ONCE}"), nodes[1 - n % 2].try_password(f"typo{n}", "wrong")
            for outcome in await at_once([right, wrong]):
                kinds[type(outcome)] = kinds.get(type(outcome), 0) + 1
        assert kinds == {CompletedSignIn: 29, SignInRefused: 29}
        for n in (29, 30):
            with pytest.raises(SignInRefused):
                await nodes[n % 2].try_password(f"typo{n}", "wrong")
        with pytest.raises(RateLimited) as too_many:
            await nodes[0].try_password("p0")
        assert too_many.value.retry_after == 1
        nodes[0].clock.advance(timedelta(seconds=1))
        for n in range(AT_ONCE):
            assert isinstance(await nodes[n % 2].try_password(f"p{n}"), CompletedSignIn)


async def test_many_right_passwords_at_once_all_sign_in(open_two):
    async with two_nodes(open_two) as nodes:
        for n in range(AT_ONCE):
            await nodes[0].person(f"p{n}")
        outcomes = await at_once(nodes[n % 2].try_password(f"p{n}", address="192.0.2.1") for n in range(AT_ONCE))
        assert {type(outcome) for outcome in outcomes} == {CompletedSignIn}
        tokens = {outcome.token for outcome in outcomes if isinstance(outcome, CompletedSignIn)}
        assert len(tokens) == AT_ONCE


async def test_session_dies_on_every_node_when_its_person_is_disabled(open_two):
    async with two_nodes(open_two) as nodes:
        await nodes[0].person("alice", "auditors")
        done = await nodes[0].signed_in("alice")
        assert await nodes[1].refreshed(done) == done.signed_in.actor
        await nodes[0].directory.disable("alice", actor=SYSTEM)
        assert await nodes[1].refreshed(done) is None
        assert not (await nodes[1].directory.status_of(done.signed_in.account.id)).active


async def test_sign_in_that_meets_a_disabling_leaves_no_session(open_two):
    async with two_nodes(open_two) as nodes:
        alice = await nodes[0].person("alice")
        for _ in range(5):
            await at_once(
                [
                    nodes[0].try_password("alice"),
                    nodes[1].directory.disable("alice", actor=SYSTEM),
                    nodes[0].try_password("alice"),
                ]
            )
            assert await nodes[0].sessions.list_of(alice.id, actor=SYSTEM) == ()
            await nodes[0].directory.enable("alice", actor=SYSTEM)


async def test_one_of_two_opposite_nestings_is_refused(open_two):
    async with two_nodes(open_two) as nodes:
        for name in ("a", "b"):
            await nodes[0].directory.create_group(name, actor=SYSTEM)
        for _ in range(5):
            outcomes = await at_once(
                [
                    nodes[0].directory.add_members("a", ["b"], actor=SYSTEM),
                    nodes[1].directory.add_members("b", ["a"], actor=SYSTEM),
                ]
            )
            assert [type(outcome) for outcome in outcomes].count(GroupCycle) == 1
            await nodes[0].directory.remove_members("a", ["b"], actor=SYSTEM)
            await nodes[0].directory.remove_members("b", ["a"], actor=SYSTEM)


async def test_two_administrators_cannot_remove_each_other_at_once(open_two):
    async with two_nodes(open_two) as nodes:
        for name in ("first", "second"):
            await nodes[0].person(name, "system_admins")
        for _ in range(5):
            outcomes = await at_once(
                [nodes[0].directory.disable("first", actor=SYSTEM), nodes[1].directory.disable("second", actor=SYSTEM)]
            )
            assert [type(outcome) for outcome in outcomes].count(LastAdministrator) == 1
            for name in ("first", "second"):
                await nodes[0].directory.enable(name, actor=SYSTEM)


async def test_name_is_given_once_to_a_person_or_a_group(open_two):
    async with two_nodes(open_two) as nodes:
        outcomes = await at_once(
            nodes[n % 2].directory.create_person("same", "Same", mails=["same@x.example"], actor=SYSTEM)
            if n % 4 < 2
            else nodes[n % 2].directory.create_group("same", actor=SYSTEM)
            for n in range(AT_ONCE)
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
        assert len(refused) == AT_ONCE - 1
        assert {type(outcome) for outcome in refused} == {NameTaken}


async def test_groups_people_and_what_they_inherit(open_two):
    async with two_nodes(open_two) as nodes:
        node = nodes[0]
        for name in ("zoe", "ann", "bea"):
            await node.person(name, mails=(f"{name}@x.example", f"{name}@y.example"))
        for name in ("outer", "inner"):
            await node.directory.create_group(name, actor=SYSTEM)
        await node.directory.add_members("outer", ["inner", "zoe@example.org"], actor=SYSTEM)
        await node.directory.add_members("inner", ["ann"], actor=SYSTEM)
        await node.directory.add_members("auditors", ["outer"], actor=SYSTEM)
        ann = await node.directory.find("ann")
        assert ann is not None
        assert [group.name for group in await node.directory.groups_of(ann.id)] == [
            "auditors",
            "idm_all_accounts",
            "idm_all_persons",
            "inner",
            "outer",
        ]
        assert "audit:read" in (await node.signed_in("ann@Y.example")).signed_in.actor.permissions.everywhere
        members = await node.directory.members_of("outer", actor=SYSTEM)
        assert ([account.name for account in members.accounts], [group.name for group in members.groups]) == (
            ["zoe"],
            ["inner"],
        )
        people = await node.directory.list_people(actor=SYSTEM, beyond="ann", at_most=2)
        assert [person.name for person in people] == ["bea", "zoe"]
        assert [len(person.mails) for person in people] == [2, 2]
        assert [person.name for person in await node.directory.list_people(actor=SYSTEM, search="BE")] == ["bea"]
        assert len(await node.directory.list_groups(actor=SYSTEM)) == 11


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "'; DROP TABLE accounts; --", "%", "a" * 100_000, "Ω@example.org"])
async def test_hostile_text_is_looked_up_and_not_found(open_two, text):
    async with two_nodes(open_two) as (node, _):
        assert await node.directory.find(text) is None
        assert await node.directory.account(text) is None
        assert await node.directory.find_group(text) is None
        assert await node.directory.list_people(actor=SYSTEM, search=text) == ()
        assert await node.sessions.session(text) is None
        assert await node.sessions.resolve(text, text, kind=SessionKind.BROWSER) is None
        with pytest.raises(LinkRefused):
            await node.reset.require(text)
        assert not await node.bootstrap.is_open(text)
        with pytest.raises(SignInRefused):
            await node.try_password(text, text)
        with pytest.raises(SignInExpired):
            await node.sign_in.with_totp(text, text, address="", user_agent=text)


async def test_purge_deletes_what_is_over(open_two):
    async with two_nodes(open_two) as (node, _):
        await node.person("alice")
        await node.with_totp("alice")
        await node.try_password("alice")
        with pytest.raises(SignInRefused):
            await node.try_password("nobody")
        await node.bootstrap.begin()
        assert await purge(node.db, node.clock) == 0
        node.clock.advance(timedelta(days=3))
        assert await purge(node.db, node.clock) >= 3
        node.clock.advance(timedelta(days=30))
        assert await purge(node.db, node.clock) >= 1
        assert await purge(node.db, node.clock) == 0
