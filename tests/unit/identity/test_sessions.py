"""Sessions hold while everything holds that they rest on, and end at once."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM, Permission
from sealwright.errors import NotPermitted
from sealwright.identity import SessionKind, SessionNotFound, purge
from sealwright.settings import SessionSettings
from tests.app import settings
from tests.databases import sqlite_database
from tests.unit.identity.world import OTHER_PASSWORD, World, sqlite_world


async def test_idle_and_absolute_limits_of_a_browser():
    async with sqlite_world() as world:
        await world.person("alice")
        used, idle = await world.signed_in("alice"), await world.signed_in("alice")
        world.clock.advance(timedelta(minutes=59))
        assert await world.refreshed(used) is not None
        world.clock.advance(timedelta(minutes=2))
        assert await world.refreshed(idle) is None
        for _ in range(7):
            assert await world.refreshed(used) is not None
            world.clock.advance(timedelta(minutes=58))
        assert await world.refreshed(used) is not None
        world.clock.advance(timedelta(minutes=13))
        assert await world.refreshed(used) is None


async def test_limits_of_a_browser_are_those_of_the_settings():
    async with sqlite_database() as db:
        limits = SessionSettings(idle=timedelta(minutes=5), absolute=timedelta(minutes=12))
        world = World(db, chosen=settings(sessions=limits))
        await world.seed()
        await world.person("alice")
        used, idle = await world.signed_in("alice"), await world.signed_in("alice")
        for _ in range(2):
            world.clock.advance(timedelta(minutes=4))
            assert await world.refreshed(used) is not None
        assert await world.refreshed(idle) is None
        world.clock.advance(timedelta(minutes=4, seconds=1))
        assert await world.refreshed(used) is None


async def test_terminal_session_lasts_eight_hours_unused():
    async with sqlite_world() as world:
        await world.person("alice")
        done = await world.signed_in("alice", kind=SessionKind.TERMINAL)
        world.clock.advance(timedelta(hours=7, minutes=59))
        assert await world.refreshed(done) is not None
        world.clock.advance(timedelta(minutes=1))
        assert await world.refreshed(done) is None


async def test_sign_in_is_recent_for_as_long_as_the_settings_say_and_using_the_session_does_not_prolong_it():
    chosen = settings(sessions=SessionSettings(privileged=timedelta(minutes=2)))
    async with sqlite_database() as db:
        world = World(db, chosen=chosen)
        await world.seed()
        await world.person("alice")
        done = await world.signed_in("alice")
        assert await world.sessions.is_privileged(done.signed_in)
        world.clock.advance(timedelta(seconds=119))
        used = await world.sessions.resolve(done.token, "192.0.2.1", kind=SessionKind.BROWSER)
        assert used is not None
        assert await world.sessions.is_privileged(used)
        world.clock.advance(timedelta(seconds=1))
        used = await world.sessions.resolve(done.token, "192.0.2.1", kind=SessionKind.BROWSER)
        assert used is not None
        assert not await world.sessions.is_privileged(used)


async def last_seen(world, done):
    session = await world.sessions.session(done.signed_in.session.id)
    assert session is not None
    return session.last_seen_at


async def test_use_is_noted_at_most_once_a_minute():
    async with sqlite_world() as world:
        await world.person("alice")
        done = await world.signed_in("alice")
        started = world.clock.now()
        world.clock.advance(timedelta(seconds=59))
        await world.refreshed(done)
        assert await last_seen(world, done) == started
        world.clock.advance(timedelta(seconds=1))
        await world.refreshed(done)
        assert await last_seen(world, done) == world.clock.now()


@pytest.mark.parametrize("change", ["disable", "validity", "delete", "end", "end all"])
async def test_next_request_is_refused(change):
    async with sqlite_world() as world:
        alice = await world.person("alice")
        done = await world.signed_in("alice")
        if change == "disable":
            await world.directory.disable("alice", actor=SYSTEM)
        elif change == "validity":
            await world.directory.set_validity("alice", valid_from=None, valid_until=world.clock.now(), actor=SYSTEM)
        elif change == "delete":
            await world.directory.delete("alice", actor=SYSTEM)
        elif change == "end":
            await world.sessions.end(done.signed_in.session.id, "signed out", actor=done.signed_in.actor)
        else:
            assert await world.sessions.end_all(alice.id, "signed out everywhere", actor=done.signed_in.actor) == 1
        assert await world.refreshed(done) is None


async def test_enabling_again_does_not_wake_ended_sessions():
    async with sqlite_world() as world:
        await world.person("alice")
        done = await world.signed_in("alice")
        await world.directory.disable("alice", actor=SYSTEM)
        await world.directory.enable("alice", actor=SYSTEM)
        assert await world.refreshed(done) is None
        events = [event for event, _, _ in await world.events(f"session:{done.signed_in.session.id}")]
        assert events == ["session.ended"]


async def test_permissions_are_those_of_now():
    async with sqlite_world() as world:
        await world.person("alice", "auditors")
        done = await world.signed_in("alice")
        assert Permission.AUDIT_READ in done.signed_in.actor.permissions.everywhere
        await world.directory.remove_members("auditors", ["alice"], actor=SYSTEM)
        actor = await world.refreshed(done)
        assert actor is not None
        assert actor.permissions.everywhere == frozenset()


@pytest.mark.parametrize("kind", list(SessionKind))
async def test_session_counts_only_where_it_was_begun(kind):
    async with sqlite_world() as world:
        await world.person("alice")
        done = await world.signed_in("alice", kind=kind)
        good = [each for each in SessionKind if await world.sessions.resolve(done.token, "192.0.2.1", kind=each)]
        assert good == [kind]


@pytest.mark.parametrize("token", ["", "x", "é\ud800", "A" * 100_000])
async def test_rubbish_is_no_one(token):
    async with sqlite_world() as world:
        assert await world.sessions.resolve(token, "192.0.2.1", kind=SessionKind.BROWSER) is None


async def test_own_sessions_are_listed_and_ended_without_a_permission():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        here, there = await world.signed_in("alice"), await world.signed_in("alice")
        actor = here.signed_in.actor
        assert {s.id for s in await world.sessions.list_of(alice.id, actor=actor)} == {
            here.signed_in.session.id,
            there.signed_in.session.id,
        }
        assert await world.sessions.end_all(alice.id, "ended by its owner", actor=actor, but=actor.session_id) == 1
        assert await world.refreshed(here) is not None
        assert await world.refreshed(there) is None


async def test_sessions_of_others_need_a_permission():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        done = await world.signed_in("alice")
        mallory = await world.actor("mallory")
        with pytest.raises(NotPermitted):
            await world.sessions.list_of(alice.id, actor=mallory)
        with pytest.raises(NotPermitted):
            await world.sessions.end(done.signed_in.session.id, "", actor=mallory)
        with pytest.raises(NotPermitted):
            await world.sessions.end("no-such-session", "", actor=mallory)
        with pytest.raises(NotPermitted):
            await world.sessions.end_all(alice.id, "", actor=mallory)
        assert await world.refreshed(done) is not None
        helper = await world.actor("desk", "idm_people_admins")
        assert len(await world.sessions.list_of(alice.id, actor=helper)) == 1
        await world.sessions.end(done.signed_in.session.id, "lost device", actor=helper)
        assert await world.refreshed(done) is None
        with pytest.raises(SessionNotFound):
            await world.sessions.end(done.signed_in.session.id, "again", actor=helper)


async def revoked(world, done):
    session = await world.sessions.session(done.signed_in.session.id)
    return session.revoked_at is not None


async def test_signing_out_leaves_what_may_outlive_it_and_ending_a_session_from_elsewhere_does_not():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        signed_out, lost, here = [await world.signed_in("alice") for _ in range(3)]
        actor = here.signed_in.actor
        await world.sessions.end(signed_out.signed_in.session.id, "signed out", actor=signed_out.signed_in.actor)
        await world.sessions.end(lost.signed_in.session.id, "ended by its owner", actor=actor)
        assert [await revoked(world, each) for each in (signed_out, lost, here)] == [False, True, False]
        await world.sessions.end_all(alice.id, "ended by its owner", actor=actor, but=actor.session_id)
        assert await revoked(world, signed_out), "also of a session that has ended already"
        assert not await revoked(world, here)
        await world.credentials.set_password("alice", OTHER_PASSWORD, actor=SYSTEM)
        assert await revoked(world, here)


async def test_oldest_session_ends_when_there_are_too_many():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        first = await world.signed_in("alice", kind=SessionKind.TERMINAL)
        for _ in range(50):
            world.clock.advance(timedelta(seconds=1))
            newest = await world.signed_in("alice", kind=SessionKind.TERMINAL)
        assert await world.refreshed(first) is None
        assert await world.refreshed(newest) is not None
        assert len(await world.sessions.list_of(alice.id, actor=SYSTEM)) == 50


async def test_what_is_long_over_is_forgotten_and_what_holds_is_kept():
    async with sqlite_world() as world:
        await world.person("alice")
        old = await world.signed_in("alice")
        world.clock.advance(timedelta(days=31))
        present = await world.signed_in("alice")
        assert await purge(world.db, world.clock) > 0
        assert await world.sessions.session(old.signed_in.session.id) is None
        assert await world.refreshed(present) is not None
