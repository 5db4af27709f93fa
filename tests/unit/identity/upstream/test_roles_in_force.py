"""What groups at a provider give is in force in the sessions that the provider vouched for, and nowhere else."""

import pytest

from sealwright.access import (
    SYSTEM,
    BeyondOwnAuthority,
    Permission,
    Role,
    accounts_with_role,
    permissions_in_any_session,
    permissions_of,
    permissions_of_account,
)
from sealwright.identity.directory.authorized_changes import has_administrator
from tests.unit.identity.upstream.world import upstream_world
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD

OPERATOR = permissions_of([Role.OPERATOR])


async def signed_on(world, group="engineers", role="r-operator"):
    made = await world.with_mapping(group, role)
    done = await world.signed_on(made, groups=[group])
    return made, done, done.completed.signed_in.account


async def test_role_of_a_group_ends_with_the_session_that_it_came_with():
    async with upstream_world() as world:
        _, done, account = await signed_on(world)
        session_id, now = done.completed.signed_in.session.id, world.clock.now
        assert await permissions_of_account(world.db, account.id, now(), session_id=session_id) == OPERATOR
        await world.sessions.end(session_id, "test", actor=SYSTEM)
        assert not (await permissions_of_account(world.db, account.id, now(), session_id=session_id)).everywhere
        assert not (await permissions_in_any_session(world.db, account.id, now())).everywhere


async def test_role_of_a_group_ends_when_the_session_reached_its_longest_duration():
    async with upstream_world() as world:
        _, done, account = await signed_on(world)
        session = done.completed.signed_in.session
        for moment, held in ((session.expires_at - 1, True), (session.expires_at, False)):
            found = await permissions_of_account(world.db, account.id, moment, session_id=session.id)
            assert found.holds(Permission.CERTIFICATE_REVOKE) is held


async def test_role_of_a_group_is_not_in_force_in_a_session_by_password():
    async with upstream_world() as world:
        made, done, account = await signed_on(world)
        await world.credentials.set_password(account.name, PASSWORD, actor=SYSTEM)
        assert (await world.signed_in(account.name)).signed_in.actor.permissions.everywhere == frozenset()
        done = await world.signed_on(made)
        assert (await world.refreshed(done.completed)).permissions == OPERATOR
        assert (await world.signed_in(account.name)).signed_in.actor.permissions.everywhere == frozenset()


async def test_role_that_was_granted_by_hand_is_in_force_in_every_session():
    async with upstream_world() as world:
        _, done, account = await signed_on(world)
        await world.roles.grant("r-auditor", person=account.name, actor=SYSTEM)
        await world.sessions.end(done.completed.signed_in.session.id, "test", actor=SYSTEM)
        found = await permissions_of_account(world.db, account.id, world.clock.now(), session_id="")
        assert found == permissions_of([Role.AUDITOR])


async def test_group_that_is_gone_takes_its_role_from_all_that_was_begun_under_it():
    async with upstream_world() as world:
        made, first, account = await signed_on(world)
        await world.providers.map_group(made.id, "auditors", "r-auditor", actor=SYSTEM)
        await world.signed_on(made, groups=["auditors"])
        under_first = first.completed.signed_in.session.id
        found = await permissions_of_account(world.db, account.id, world.clock.now(), session_id=under_first)
        assert found == permissions_of([Role.AUDITOR])


async def test_account_is_changed_by_those_who_hold_what_is_in_force_and_not_what_was():
    async with upstream_world() as world:
        _, done, account = await signed_on(world, "admins", "r-admin")
        desk = await world.actor("desk", "idm_people_admins")
        with pytest.raises(BeyondOwnAuthority):
            await world.credentials.set_password(account.name, OTHER_PASSWORD, actor=desk)
        await world.sessions.end(done.completed.signed_in.session.id, "test", actor=SYSTEM)
        await world.credentials.set_password(account.name, OTHER_PASSWORD, actor=desk)
        opened = await world.signed_in(account.name, OTHER_PASSWORD)
        assert opened.signed_in.actor.permissions.everywhere == frozenset()


async def test_administrator_by_a_group_is_not_the_one_who_has_to_remain():
    async with upstream_world() as world:
        _, _, account = await signed_on(world, "admins", "r-admin")
        await world.credentials.set_password(account.name, PASSWORD, actor=SYSTEM)
        assert account.id not in await accounts_with_role(world.db, Role.ADMINISTRATOR)
        assert not await has_administrator(world.db, world.clock.now())
