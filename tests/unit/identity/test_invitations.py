"""Invitations: one link, one first password, one session."""

import asyncio
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import Conflict, InvalidInput, NotPermitted
from sealwright.identity import LinkRefused, WeakPassword
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD, sqlite_world


async def accept(world, link, password=PASSWORD):
    return await world.invitations.accept(link.token, password, address="192.0.2.1", user_agent="test")


async def test_invitation_makes_the_person_sets_the_first_password_and_signs_in():
    async with sqlite_world() as world:
        desk = await world.actor("desk", "idm_people_admins")
        made = await world.invitations.create("alice", display_name="Alice", mails=["alice@example.org"], actor=desk)
        assert made.created
        assert (await world.invitations.person_of(made.link.token)).name == "alice"
        done = await accept(world, made.link)
        assert done.signed_in.account.id == made.person.id
        assert await world.refreshed(done) is not None
        assert (await world.signed_in("alice")).signed_in.account.id == made.person.id
        told = await world.events(made.person.reference)
        assert {"credential.invitation_created", "credential.invitation_accepted", "credential.set"} <= {e for e, _, _ in told}
        assert all(made.link.token not in details for _, _, details in told)


async def test_invitation_works_once_and_says_when_it_was_used():
    async with sqlite_world() as world:
        made = await world.invitations.create("alice", actor=SYSTEM)
        await accept(world, made.link)
        for attempt in (world.invitations.person_of(made.link.token), accept(world, made.link, OTHER_PASSWORD)):
            with pytest.raises(LinkRefused, match="This invitation was used at ") as refused:
                await attempt
            assert "If not, tell an administrator now." in refused.value.hint


async def test_invitation_accepted_many_times_at_once_is_accepted_once():
    async with sqlite_world() as world:
        made = await world.invitations.create("alice", actor=SYSTEM)
        found = await asyncio.gather(*(accept(world, made.link) for _ in range(10)), return_exceptions=True)
        assert sum(not isinstance(each, LinkRefused) for each in found) == 1


async def test_invitation_expires():
    async with sqlite_world() as world:
        made = await world.invitations.create("alice", lifetime=timedelta(hours=1), actor=SYSTEM)
        world.clock.advance(timedelta(minutes=59))
        assert await world.invitations.person_of(made.link.token)
        world.clock.advance(timedelta(minutes=1))
        with pytest.raises(LinkRefused, match="was valid until"):
            await accept(world, made.link)


async def test_newer_invitation_replaces_the_older_one():
    async with sqlite_world() as world:
        first = await world.invitations.create("alice", actor=SYSTEM)
        second = await world.invitations.create("alice", actor=SYSTEM)
        assert not second.created
        with pytest.raises(LinkRefused, match="a newer one replaced it"):
            await accept(world, first.link)
        await accept(world, second.link)


async def test_invitation_of_someone_who_has_a_password_is_refused():
    async with sqlite_world() as world:
        await world.person("alice")
        with pytest.raises(Conflict, match="can sign in already"):
            await world.invitations.create("alice", actor=SYSTEM)
        with pytest.raises(Conflict, match="can sign in already"):
            await world.invitations.create("admin", actor=SYSTEM)


async def test_password_set_by_an_administrator_ends_the_invitation():
    async with sqlite_world() as world:
        made = await world.invitations.create("alice", actor=SYSTEM)
        await world.credentials.set_password("alice", PASSWORD, actor=SYSTEM)
        with pytest.raises(LinkRefused):
            await accept(world, made.link, OTHER_PASSWORD)


async def test_invitation_of_a_disabled_person_does_not_work():
    async with sqlite_world() as world:
        made = await world.invitations.create("alice", actor=SYSTEM)
        await world.directory.disable("alice", actor=SYSTEM)
        with pytest.raises(LinkRefused):
            await accept(world, made.link)


async def test_weak_password_leaves_the_invitation_as_it_was():
    async with sqlite_world() as world:
        made = await world.invitations.create("alice", actor=SYSTEM)
        with pytest.raises(WeakPassword):
            await accept(world, made.link, "alice123456")
        await accept(world, made.link)


async def test_invitation_says_what_a_person_who_is_there_does_not_have():
    async with sqlite_world() as world:
        await world.person("alice", mails=("alice@example.org",), password=None)
        await world.invitations.create("alice", mails=["alice@EXAMPLE.org"], actor=SYSTEM)
        with pytest.raises(Conflict, match=r"does not have the e-mail address a@example\.org"):
            await world.invitations.create("alice", mails=["a@example.org"], actor=SYSTEM)


async def test_invitation_needs_the_permission_and_a_life_within_bounds():
    async with sqlite_world() as world:
        nobody = await world.actor("nobody")
        with pytest.raises(NotPermitted):
            await world.invitations.create("alice", actor=nobody)
        assert await world.directory.find("alice") is None
        for lifetime in (timedelta(minutes=4), timedelta(days=15)):
            with pytest.raises(InvalidInput):
                await world.invitations.create("alice", lifetime=lifetime, actor=SYSTEM)
        assert await world.directory.find("alice") is None


@pytest.mark.parametrize(
    "change", ["given a role", "given a role by nesting", "maker disabled", "maker demoted", "maker deleted"]
)
async def test_invitation_opens_no_account_with_more_authority_than_its_maker_has_by_then(change):
    async with sqlite_world() as world:
        boss = await world.actor("boss", "system_admins")
        desk = await world.actor("desk", "idm_people_admins")
        maker = boss if change.startswith("maker") else desk
        invited = [await world.invitations.create(name, actor=maker) for name in ("alice", "bob")]
        if change == "given a role by nesting":
            await world.directory.create_group("chiefs", actor=SYSTEM)
            await world.directory.add_members("auditors", ["chiefs"], actor=SYSTEM)
            await world.directory.add_members("chiefs", ["alice"], actor=SYSTEM)
        else:
            await world.directory.add_members("system_admins", ["alice"], actor=SYSTEM)
        if change.startswith("maker"):
            assert await world.invitations.person_of(invited[0].link.token)
            await world.person("other", "system_admins")
        if change == "maker disabled":
            await world.directory.disable("boss", actor=SYSTEM)
        elif change == "maker demoted":
            await world.directory.remove_members("system_admins", ["boss"], actor=SYSTEM)
        elif change == "maker deleted":
            await world.directory.delete("boss", actor=SYSTEM)
        for attempt in (world.invitations.person_of(invited[0].link.token), accept(world, invited[0].link)):
            with pytest.raises(LinkRefused, match="has authority that its creator lacks"):
                await attempt
        await accept(world, invited[1].link)
