"""API tokens: shown once, kept as a digest, dead at once, and never worth more than who made them."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from sealwright.access import NO_PERMISSIONS, SYSTEM, Permission
from sealwright.clock import after
from sealwright.db import Statement
from sealwright.db.schema import api_tokens
from sealwright.errors import Conflict, InvalidInput, NotPermitted
from sealwright.identity import (
    API_TOKEN_PREFIX,
    AccountNotFound,
    AccountNotUsable,
    BeyondOwnAuthority,
    CredentialNotFound,
    LabelTaken,
    purge,
)
from tests.unit.identity.world import PASSWORD, sqlite_world

PEER = "192.0.2.1"


async def make(world, name="ci", *groups, label="nightly", expires_at=None, read_only=False, actor=SYSTEM):
    if await world.directory.find(name) is None:
        await world.directory.create_service_account(name, name.upper(), actor=SYSTEM)
    for group in groups:
        await world.directory.add_members(group, [name], actor=SYSTEM)
    return await world.api_tokens.generate(name, label, expires_at=expires_at, read_only=read_only, actor=actor)


async def test_token_acts_for_its_account_with_the_permissions_of_now():
    async with sqlite_world() as world:
        made = await make(world, "ci", "idm_people_admins")
        found = await world.api_tokens.resolve(made.token, PEER)
        assert found is not None
        assert (found.actor.kind, found.actor.name) == ("service", "ci")
        assert found.actor.holds(Permission.PERSON_WRITE)
        await world.directory.remove_members("idm_people_admins", ["ci"], actor=SYSTEM)
        later = await world.api_tokens.resolve(made.token, PEER)
        assert later is not None
        assert later.actor.permissions == NO_PERMISSIONS


async def test_token_is_recognisable_and_only_its_digest_is_stored():
    async with sqlite_world() as world:
        made = await make(world)
        assert made.token.startswith(API_TOKEN_PREFIX)
        rows = await world.db.all(Statement(select(*api_tokens.c)))
        assert made.token not in repr(rows)
        assert made.token not in repr(made)
        assert all(made.token not in details for _, _, details in await world.events())


async def test_token_that_only_reads_has_no_permission_to_change():
    async with sqlite_world() as world:
        made = await make(world, "ci", "system_admins", read_only=True)
        found = await world.api_tokens.resolve(made.token, PEER)
        assert found is not None
        assert found.read_only
        assert found.actor.holds(Permission.PERSON_READ)
        assert not any(each.endswith((":write", ":revoke", ":issue-any-name")) for each in found.actor.permissions.everywhere)


@pytest.mark.parametrize("how", ["disable", "delete", "expire", "revoke", "validity", "made up"])
async def test_token_is_worth_nothing_at_once(how):
    async with sqlite_world() as world:
        made = await make(world, expires_at=after(world.clock.now(), timedelta(hours=1)))
        token = made.token
        assert await world.api_tokens.resolve(token, PEER) is not None
        if how == "disable":
            await world.directory.disable("ci", actor=SYSTEM)
        elif how == "delete":
            await world.directory.delete("ci", actor=SYSTEM)
        elif how == "expire":
            world.clock.advance(timedelta(hours=1))
        elif how == "revoke":
            await world.api_tokens.revoke("ci", made.described.id, actor=SYSTEM)
        elif how == "validity":
            await world.directory.set_validity("ci", valid_until=world.clock.now(), actor=SYSTEM)
        else:
            token = token[:-1] + ("A" if token[-1] != "A" else "B")
        assert await world.api_tokens.resolve(token, PEER) is None


async def test_token_does_not_come_back_when_the_account_is_enabled_again():
    async with sqlite_world() as world:
        made = await make(world)
        await world.directory.disable("ci", actor=SYSTEM)
        await world.directory.enable("ci", actor=SYSTEM)
        assert await world.api_tokens.resolve(made.token, PEER) is None
        assert await world.api_tokens.list_of("ci", actor=SYSTEM) == ()


async def test_service_account_is_in_all_accounts_and_not_in_all_persons():
    async with sqlite_world() as world:
        await make(world, "ci", "auditors")
        account = await world.directory.find("ci")
        assert account is not None
        names = [group.name for group in await world.directory.groups_of(account.id)]
        assert names == ["auditors", "idm_all_accounts"]
        assert [each.name for each in await world.directory.list_people(actor=SYSTEM)] == []
        assert [each.name for each in await world.directory.list_service_accounts(actor=SYSTEM)] == ["ci"]


async def test_service_account_gets_no_password_by_any_way():
    async with sqlite_world() as world:
        await world.directory.create_service_account("ci", "CI", actor=SYSTEM)
        for attempt in (
            world.credentials.set_password("ci", PASSWORD, actor=SYSTEM),
            world.reset.create("ci", actor=SYSTEM),
            world.credentials.recover_account("ci", PASSWORD),
        ):
            with pytest.raises(AccountNotUsable, match="API tokens and no password"):
                await attempt
        with pytest.raises(Conflict):
            await world.invitations.create("ci", display_name="CI", actor=SYSTEM)


async def test_person_has_no_api_tokens():
    async with sqlite_world() as world:
        await world.person("alice")
        with pytest.raises(AccountNotFound, match="no service account 'alice'"):
            await world.api_tokens.generate("alice", "x", expires_at=None, read_only=True, actor=SYSTEM)


async def test_labels_differ_times_are_to_come_and_unknown_tokens_are_told():
    async with sqlite_world() as world:
        await make(world)
        with pytest.raises(LabelTaken):
            await make(world)
        with pytest.raises(InvalidInput, match="that is in the past"):
            await make(world, label="old", expires_at=world.clock.now())
        with pytest.raises(CredentialNotFound):
            await world.api_tokens.revoke("ci", "no-such-token", actor=SYSTEM)


@pytest.mark.parametrize("manager", ["mara", "leads"])
async def test_manager_makes_and_revokes_tokens_and_nothing_else(manager):
    async with sqlite_world() as world:
        mara = await world.actor("mara")
        await world.directory.create_group("leads", actor=SYSTEM)
        await world.directory.add_members("leads", ["mara"], actor=SYSTEM)
        await world.directory.create_service_account("ci", "CI", managed_by=manager, actor=SYSTEM)
        await world.directory.create_service_account("other", "Other", actor=SYSTEM)
        made = await make(world, actor=mara)
        assert [each.label for each in await world.api_tokens.list_of("ci", actor=mara)] == ["nightly"]
        await world.api_tokens.revoke("ci", made.described.id, actor=mara)
        for attempt in (
            world.directory.delete("ci", actor=mara),
            world.directory.disable("ci", actor=mara),
            world.directory.set_service_account_manager("ci", "mara", actor=mara),
            make(world, "other", actor=mara),
            world.api_tokens.list_of("no-such", actor=mara),
            world.directory.show_service_account("other", actor=mara),
        ):
            with pytest.raises(NotPermitted):
                await attempt


async def test_no_one_makes_a_token_of_an_account_with_more_authority_than_theirs():
    async with sqlite_world() as world:
        mara = await world.actor("mara")
        people_admin = await world.actor("pa", "idm_people_admins")
        await world.directory.create_service_account("ci", "CI", managed_by="mara", actor=SYSTEM)
        await world.directory.add_members("system_admins", ["ci"], actor=SYSTEM)
        for actor in (mara, people_admin):
            with pytest.raises(BeyondOwnAuthority):
                await make(world, actor=actor)
        with pytest.raises(BeyondOwnAuthority):
            await world.directory.set_service_account_manager("ci", "pa", actor=people_admin)


async def test_service_account_makes_no_token_of_its_own():
    async with sqlite_world() as world:
        made = await make(world)
        found = await world.api_tokens.resolve(made.token, PEER)
        assert found is not None
        with pytest.raises(NotPermitted):
            await make(world, label="another", actor=found.actor)


async def test_making_and_revoking_is_recorded_and_expired_tokens_are_forgotten():
    async with sqlite_world() as world:
        made = await make(world, expires_at=after(world.clock.now(), timedelta(days=1)))
        keeps = await make(world, label="keeps")
        event, outcome, details = (await world.events(f"service:{keeps.described.account_id}"))[0]
        assert (event, outcome, json.loads(details)["label"]) == ("api_token.created", "done", "keeps")
        world.clock.advance(timedelta(days=32))
        await purge(world.db, world.clock)
        held = await world.api_tokens.list_of("ci", actor=SYSTEM)
        assert [each.id for each in held] == [keeps.described.id]
        assert made.described.id not in {each.id for each in held}


async def test_disabled_account_gets_no_token_that_would_open_it_later():
    async with sqlite_world() as world:
        await world.directory.create_service_account("backup", "Backup", actor=SYSTEM)
        await world.directory.disable("backup", actor=SYSTEM)
        with pytest.raises(AccountNotUsable):
            await world.api_tokens.generate("backup", "nightly", expires_at=None, read_only=True, actor=SYSTEM)
        await world.directory.enable("backup", actor=SYSTEM)
        assert await world.api_tokens.list_of("backup", actor=SYSTEM) == ()
