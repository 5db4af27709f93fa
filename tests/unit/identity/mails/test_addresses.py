"""What is told of an address is what is proven of it."""

import asyncio

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import Conflict, NotFound, NotPermitted
from sealwright.identity import MailAddress
from sealwright.identity.errors import LinkRefused
from tests.unit.identity.world import sqlite_world


async def with_nothing(_tx, _account, _link):
    """Sends no message."""


async def unverified(world, name="alice"):
    return await world.directory.update_person(name, mails=[MailAddress("a@example.net", verified=False)], actor=SYSTEM)


async def test_administrator_vouches_for_an_address_and_takes_it_back_on_record():
    async with sqlite_world() as world:
        addresses = world.app.parts.identity.mail_addresses
        alice, desk = await world.person("alice"), await world.actor("desk", "idm_people_admins")
        await unverified(world)
        changed = await addresses.set_verified("alice@example.org", "A@example.net", verified=True, actor=desk)
        assert [(each.address, each.verified) for each in changed.mails] == [("a@example.net", True)]
        await addresses.set_verified("alice", "a@example.net", verified=True, actor=desk)
        changed = await addresses.set_verified("alice", "a@example.net", verified=False, actor=desk)
        assert not changed.mails[0].verified
        rows = [each for each in await world.audit.newest(world.db, target=alice.reference) if "verification" in each.event]
        assert [each.actor_name for each in rows] == ["desk", "desk"]
        assert '"by":"administrator"' in rows[0].details
        with pytest.raises(NotFound):
            await addresses.set_verified("alice", "b@example.net", verified=True, actor=desk)
        with pytest.raises(NotFound):
            await addresses.set_verified("nobody", "b@example.net", verified=True, actor=desk)


async def test_vouching_needs_the_permission_and_that_of_the_person():
    async with sqlite_world() as world:
        addresses = world.app.parts.identity.mail_addresses
        await world.person("root", "system_admins", mails=("root@example.org",))
        mallory, desk = await world.actor("mallory"), await world.actor("desk", "idm_people_admins")
        for actor in (mallory, desk):
            with pytest.raises(NotPermitted):
                await addresses.set_verified("root", "root@example.org", verified=False, actor=actor)
        assert (await world.directory.find("root")).mails[0].verified


async def test_link_confirms_once_however_often_it_is_used_at_the_same_time():
    async with sqlite_world() as world:
        addresses = world.app.parts.identity.mail_addresses
        alice = await world.actor("alice")
        await unverified(world)
        link = await addresses.create_link("a@example.net", with_nothing, actor=alice)
        assert await addresses.address_of_link(link.token, actor=alice) == "a@example.net"
        outcomes = await asyncio.gather(*(addresses.confirm(link.token, actor=alice) for _ in range(5)), return_exceptions=True)
        assert sorted(map(str, map(type, outcomes))).count(str(LinkRefused)) == 4
        assert (await world.directory.find("alice")).mails[0].verified
        with pytest.raises(Conflict):
            await addresses.create_link("a@example.net", with_nothing, actor=alice)


async def test_own_address_that_stays_is_proven_as_before():
    async with sqlite_world() as world:
        addresses = world.app.parts.identity.mail_addresses
        alice = await world.actor("alice")
        with pytest.raises(NotPermitted):
            await addresses.set_own(["new@example.org"], actor=alice)
        await world.account_policies.change("idm_all_persons", self_mail_write=True, actor=SYSTEM)
        await world.directory.update_person("alice", mails=["alice@example.org"], actor=SYSTEM)
        changed = await addresses.set_own(["new@example.org", "ALICE@example.org"], actor=alice)
        assert [(each.address, each.verified) for each in changed.mails] == [
            ("new@example.org", False),
            ("ALICE@example.org", True),
        ]
