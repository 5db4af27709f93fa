"""Links with which people set their own password."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import InvalidInput, NotPermitted
from sealwright.identity import (
    AccountNotFound,
    BeyondOwnAuthority,
    BuiltIn,
    CompletedSignIn,
    LinkRefused,
    SecondFactorRequired,
    WeakPassword,
)
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD, sqlite_world


async def test_link_sets_a_first_password_once():
    async with sqlite_world() as world:
        await world.person("alice", password=None)
        desk = await world.actor("desk", "idm_people_admins")
        link = await world.reset.create("alice", actor=desk)
        found = await world.reset.require(link.token)
        assert found.account.name == "alice"
        with pytest.raises(WeakPassword):
            await world.reset.redeem(link.token, "alice123456", address="192.0.2.1")
        await world.reset.redeem(link.token, PASSWORD, address="192.0.2.1")
        assert isinstance(await world.try_password("alice"), CompletedSignIn)
        with pytest.raises(LinkRefused):
            await world.reset.require(link.token)
        with pytest.raises(LinkRefused):
            await world.reset.redeem(link.token, OTHER_PASSWORD, address="192.0.2.1")


async def test_link_ends_sessions_and_keeps_the_second_factor():
    async with sqlite_world() as world:
        await world.person("alice")
        before = await world.signed_in("alice")
        await world.with_totp("alice")
        link = await world.reset.create("alice", actor=SYSTEM)
        await world.reset.redeem(link.token, OTHER_PASSWORD, address="192.0.2.1")
        assert await world.refreshed(before) is None
        assert isinstance(await world.try_password("alice", OTHER_PASSWORD), SecondFactorRequired)


@pytest.mark.parametrize("why", ["expired", "newer", "disabled", "new password", "deleted", "made up"])
async def test_void_link_is_refused(why):
    async with sqlite_world() as world:
        await world.person("alice")
        token = (await world.reset.create("alice", lifetime=timedelta(minutes=10), actor=SYSTEM)).token
        if why == "expired":
            world.clock.advance(timedelta(minutes=10))
        elif why == "newer":
            await world.reset.create("alice", actor=SYSTEM)
        elif why == "disabled":
            await world.directory.disable("alice", actor=SYSTEM)
            await world.directory.enable("alice", actor=SYSTEM)
        elif why == "new password":
            await world.credentials.set_password("alice", OTHER_PASSWORD, actor=SYSTEM)
        elif why == "deleted":
            await world.directory.delete("alice", actor=SYSTEM)
        else:
            token = "made-up"
        with pytest.raises(LinkRefused):
            await world.reset.require(token)
        with pytest.raises(LinkRefused):
            await world.reset.redeem(token, PASSWORD, address="192.0.2.1")


@pytest.mark.parametrize("between", ["before the page", "while the password is hashed"])
async def test_link_opens_no_account_that_was_given_authority_its_maker_lacks(between):
    async with sqlite_world() as world:
        account = await world.person("alice")
        desk = await world.actor("desk", "idm_people_admins")
        token = (await world.reset.create("alice", actor=desk)).token

        async def promote():
            await world.directory.add_members("system_admins", ["alice"], actor=SYSTEM)

        if between == "before the page":
            await promote()
            with pytest.raises(LinkRefused):
                await world.reset.require(token)
        else:
            world.hashing.before_hash = promote
        with pytest.raises(LinkRefused, match="has authority that its creator lacks"):
            await world.reset.redeem(token, OTHER_PASSWORD, address="192.0.2.1")
        assert (await world.signed_in("alice")).signed_in.account.id == account.id


async def test_link_for_one_person_leaves_that_of_another():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.person("bob")
        first = await world.reset.create("alice", actor=SYSTEM)
        await world.reset.create("bob", actor=SYSTEM)
        assert (await world.reset.require(first.token)).account.name == "alice"


async def test_who_may_make_a_link():
    async with sqlite_world() as world:
        await world.person("boss", "system_admins")
        alice = await world.actor("alice")
        desk = await world.actor("desk", "idm_people_admins")
        with pytest.raises(NotPermitted):
            await world.reset.create("boss", actor=alice)
        with pytest.raises(BeyondOwnAuthority):
            await world.reset.create("boss", actor=desk)
        with pytest.raises(BuiltIn):
            await world.reset.create("admin", actor=SYSTEM)
        with pytest.raises(AccountNotFound):
            await world.reset.create("nobody", actor=desk)
        for lifetime in (timedelta(minutes=4), timedelta(hours=25)):
            with pytest.raises(InvalidInput):
                await world.reset.create("alice", lifetime=lifetime, actor=desk)
        assert (await world.events())[0][1] == "refused"
