"""From nothing to the first administrator."""

from datetime import timedelta

import pytest

from sealwright.access import ALL_ACCOUNTS, SYSTEM, Permission
from sealwright.identity import (
    SYSTEM_ACCOUNTS,
    CompletedSignIn,
    LinkRefused,
    NameTaken,
    SignInRefused,
    WeakPassword,
)
from tests.unit.identity.world import PASSWORD, sqlite_world


async def welcome(world, token, *, name="alice", password=PASSWORD):
    return await world.bootstrap.welcome(
        token,
        name=name,
        display_name="Alice",
        mails=[f"{name}@example.org"],
        password=password,
        address="192.0.2.1",
        user_agent="test",
    )


async def test_seed_makes_unusable_accounts_and_can_be_repeated():
    async with sqlite_world() as world:
        await world.seed()
        for name, made in SYSTEM_ACCOUNTS.items():
            account = await world.directory.find(name)
            assert account is not None
            assert account.id == made.id
            groups = await world.directory.groups_of(made.id)
            assert {group.name for group in groups} == {ALL_ACCOUNTS, made.group}
            assert await world.credentials.list_of(made.id, actor=SYSTEM) == ()
            with pytest.raises(SignInRefused):
                await world.try_password(name, "")


async def test_repeated_seed_does_not_give_back_what_was_taken_away():
    async with sqlite_world() as world:
        await world.directory.remove_members("idm_admins", ["idm_admin"], actor=SYSTEM)
        await world.seed()
        groups = await world.directory.groups_of(SYSTEM_ACCOUNTS["idm_admin"].id)
        assert {group.name for group in groups} == {ALL_ACCOUNTS}
        recovered = await world.credentials.recover_account("idm_admin")
        assert recovered.password is not None
        actor = (await world.signed_in("idm_admin", recovered.password)).signed_in.actor
        assert Permission.PERSON_WRITE in actor.permissions.everywhere


async def test_link_makes_an_administrator_and_signs_in():
    async with sqlite_world() as world:
        link = await world.bootstrap.begin()
        assert link is not None
        assert link.token not in repr(link)
        assert await world.bootstrap.is_open(link.token)
        done = await welcome(world, link.token)
        assert done.signed_in.actor.permissions.everywhere == frozenset(Permission)
        assert isinstance(await world.try_password("alice"), CompletedSignIn)
        assert not await world.bootstrap.is_open(link.token)
        with pytest.raises(LinkRefused):
            await welcome(world, link.token, name="mallory")
        assert await world.bootstrap.begin() is None
        events = [event for event, _, _ in await world.events(done.signed_in.account.reference)]
        assert "account.administrator_welcomed" in events


async def test_mistakes_do_not_use_the_link_up():
    async with sqlite_world() as world:
        link = await world.bootstrap.begin()
        assert link is not None
        with pytest.raises(WeakPassword):
            await welcome(world, link.token, password="password12")
        with pytest.raises(NameTaken):
            await welcome(world, link.token, name="admin")
        assert (await welcome(world, link.token)).signed_in.account.name == "alice"


async def test_link_expires_and_a_new_one_voids_the_old():
    async with sqlite_world() as world:
        first = await world.bootstrap.begin()
        second = await world.bootstrap.begin()
        assert first is not None
        assert second is not None
        with pytest.raises(LinkRefused):
            await welcome(world, first.token)
        world.clock.advance(timedelta(hours=1))
        with pytest.raises(LinkRefused):
            await welcome(world, second.token)
        with pytest.raises(LinkRefused):
            await welcome(world, "never-was")


async def test_link_is_void_once_there_is_an_administrator():
    async with sqlite_world() as world:
        link = await world.bootstrap.begin()
        assert link is not None
        await world.credentials.recover_account("idm_admin")
        assert await world.bootstrap.is_open(link.token)
        await world.credentials.recover_account("admin")
        assert not await world.bootstrap.is_open(link.token)
        with pytest.raises(LinkRefused):
            await welcome(world, link.token)
