"""What was deleted comes back with its id and its groups, and opens nothing by itself."""

import json
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import NotFound, NotPermitted
from sealwright.identity import (
    BeyondOwnAuthority,
    CredentialMinimum,
    GroupPolicy,
    NameTaken,
    SignInRefused,
    purge,
)
from tests.unit.identity.world import PASSWORD, sqlite_world

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


async def names_of(world, account):
    return [group.name for group in await world.directory.groups_of(account.id)]


async def test_person_comes_back_with_what_was_known_and_without_what_opens_the_account():
    async with sqlite_world() as world:
        await world.directory.create_group("dev", actor=SYSTEM)
        alice = await world.person("alice", "dev", mails=("alice@example.org",))
        await world.directory.set_attributes("alice", {"nickname": "Al"}, actor=SYSTEM)
        await world.directory.add_ssh_key("alice", "laptop", KEY, actor=SYSTEM)
        session = await world.signed_in("alice")
        generation = (await world.directory.status_of(alice.id)).credential_generation
        await world.directory.delete("alice", actor=SYSTEM)
        assert await world.directory.find("alice") is None
        revived = (await world.recycle_bin.revive_account("alice", actor=SYSTEM)).account
        found = await world.directory.find("alice")
        assert found is not None
        assert (found.id, found.mails, found.created_at) == (alice.id, alice.mails, alice.created_at)
        assert revived.id == alice.id
        assert (await world.directory.attributes_of(alice.id))["nickname"].value == "Al"
        assert [key.tag for key in await world.directory.ssh_keys_of(alice.id)] == ["laptop"]
        assert "dev" in await names_of(world, alice)
        assert await world.refreshed(session) is None
        assert await world.credentials.list_of(alice.id, actor=SYSTEM) == ()
        with pytest.raises(SignInRefused):
            await world.try_password("alice", PASSWORD)
        # certificates of before are not renewed
        assert (await world.directory.status_of(alice.id)).credential_generation > generation
        assert "person.revived" in [event for event, _, _ in await world.events(alice.reference)]


async def test_service_account_comes_back_without_its_tokens():
    async with sqlite_world() as world:
        await world.directory.create_service_account("ci", "CI", actor=SYSTEM)
        made = await world.api_tokens.generate("ci", "nightly", expires_at=None, read_only=False, actor=SYSTEM)
        await world.directory.delete("ci", actor=SYSTEM)
        await world.recycle_bin.revive_account("ci", actor=SYSTEM)
        assert await world.api_tokens.list_of("ci", actor=SYSTEM) == ()
        assert await world.api_tokens.resolve(made.token, "192.0.2.1") is None


async def test_group_comes_back_with_members_nesting_and_policy():
    async with sqlite_world() as world:
        alice = await world.person("alice", password=None)
        for name in ("inner", "dev", "outer"):
            await world.directory.create_group(name, description=name.title(), managed_by="alice", actor=SYSTEM)
        await world.directory.add_members("dev", ["alice", "inner"], actor=SYSTEM)
        await world.directory.add_members("outer", ["dev"], actor=SYSTEM)
        await world.account_policies.change("dev", credential_minimum=CredentialMinimum.MFA, actor=SYSTEM)
        before = await world.directory.show_group("dev", actor=SYSTEM)
        members = await world.directory.members_of("dev", actor=SYSTEM)
        await world.directory.delete_group("dev", actor=SYSTEM)
        assert await names_of(world, alice) == ["idm_all_accounts", "idm_all_persons"]
        await world.recycle_bin.revive_group("dev", actor=SYSTEM)
        assert await world.directory.show_group("dev", actor=SYSTEM) == before
        assert await world.directory.members_of("dev", actor=SYSTEM) == members
        assert {"dev", "outer"} <= set(await names_of(world, alice))
        policy = await world.account_policies.show("dev", actor=SYSTEM)
        assert policy == GroupPolicy("dev", None, None, CredentialMinimum.MFA)


async def test_nesting_that_was_turned_round_meanwhile_is_left_out():
    async with sqlite_world() as world:
        for name in ("a", "b", "c"):
            await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members("a", ["b"], actor=SYSTEM)
        await world.directory.add_members("c", ["a"], actor=SYSTEM)
        await world.directory.delete_group("a", actor=SYSTEM)
        await world.directory.add_members("b", ["c"], actor=SYSTEM)
        await world.recycle_bin.revive_group("a", actor=SYSTEM)
        assert (await world.directory.members_of("a", actor=SYSTEM)).groups == ()
        assert [each.name for each in (await world.directory.members_of("c", actor=SYSTEM)).groups] == ["a"]


async def test_name_is_reserved_until_the_bin_is_emptied():
    async with sqlite_world() as world:
        await world.person("alice", password=None)
        await world.person("bob", password=None)
        await world.directory.create_group("dev", actor=SYSTEM)
        await world.directory.delete("alice", actor=SYSTEM)
        await world.directory.delete_group("dev", actor=SYSTEM)
        for attempt in (
            lambda: world.person("alice"),
            lambda: world.person("dev"),
            lambda: world.directory.create_group("alice", actor=SYSTEM),
            lambda: world.directory.create_service_account("alice", "A", actor=SYSTEM),
            lambda: world.directory.update_person("bob", name="alice", actor=SYSTEM),
        ):
            with pytest.raises(NameTaken, match="recycle bin"):
                await attempt()
        world.clock.advance(timedelta(days=7, seconds=1))
        await purge(world.db, world.clock)
        await world.person("alice")
        await world.directory.create_group("dev", actor=SYSTEM)
        with pytest.raises(NotFound):
            await world.recycle_bin.revive_account("alice", actor=SYSTEM)


async def test_address_that_somebody_else_has_by_now_is_left_out_and_told():
    async with sqlite_world() as world:
        await world.person("alice", mails=("alice@example.org", "a@example.org"))
        await world.directory.delete("alice", actor=SYSTEM)
        await world.person("bob", mails=("Alice@example.org",))
        revived = await world.recycle_bin.revive_account("alice", actor=SYSTEM)
        assert revived.lost_mails == ("alice@example.org",)
        assert [mail.address for mail in revived.account.mails] == ["a@example.org"]


async def test_nobody_revives_more_authority_than_they_hold():
    async with sqlite_world() as world:
        people_admin = await world.actor("pa", "idm_people_admins")
        group_admin = await world.actor("ga", "idm_group_admins")
        await world.directory.create_group("chiefs", actor=SYSTEM)
        await world.directory.add_members("idm_oauth2_admins", ["chiefs"], actor=SYSTEM)
        await world.person("boss", "chiefs")
        await world.directory.delete("boss", actor=SYSTEM)
        with pytest.raises(BeyondOwnAuthority):
            await world.recycle_bin.revive_account("boss", actor=people_admin)
        await world.directory.delete_group("chiefs", actor=SYSTEM)
        with pytest.raises(BeyondOwnAuthority):
            await world.recycle_bin.revive_group("chiefs", actor=group_admin)
        assert await world.directory.find("boss") is None
        assert await world.directory.find_group("chiefs") is None
        assert len(await world.recycle_bin.list_accounts(beyond="", at_most=10, actor=SYSTEM)) == 1


async def test_who_lacks_the_permission_learns_nothing_and_a_refused_revival_is_recorded():
    async with sqlite_world() as world:
        mallory = await world.actor("mallory")
        await world.person("alice")
        await world.directory.delete("alice", actor=SYSTEM)
        for attempt in (
            world.recycle_bin.list_accounts(beyond="", at_most=10, actor=mallory),
            world.recycle_bin.list_groups(beyond="", at_most=10, actor=mallory),
            world.recycle_bin.show_account("alice", actor=mallory),
            world.recycle_bin.show_group("alice", actor=mallory),
            world.recycle_bin.revive_account("alice", actor=mallory),
            world.recycle_bin.revive_group("no-such-group", actor=mallory),
        ):
            with pytest.raises(NotPermitted):
                await attempt
        refused = [event for event, outcome, _ in await world.events() if outcome == "refused"]
        assert "person.revived" in refused


async def test_nothing_secret_is_in_the_bin():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.with_totp("alice")
        await world.directory.delete("alice", actor=SYSTEM)
        entry = await world.recycle_bin.show_account("alice", actor=SYSTEM)
        assert set(json.loads(entry.content)) == {"account", "attributes", "ssh_keys", "groups", "credential_generation"}
