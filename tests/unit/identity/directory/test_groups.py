"""Groups: nested, without cycles, and no way to more than one holds."""

import json

import pytest

from sealwright.access import BUILTIN_GROUPS, SYSTEM, Permission, Role, accounts_with_role
from sealwright.errors import InvalidInput, NotPermitted
from sealwright.identity import (
    BeyondOwnAuthority,
    BuiltIn,
    GroupCycle,
    GroupNotFound,
    LastAdministrator,
    MemberNotFound,
    Members,
    NameTaken,
    TextRefused,
)
from sealwright.identity.directory import store
from tests.unit.identity.world import sqlite_world

EVERYONE = ["idm_all_accounts", "idm_all_persons"]
"""The dynamic groups, which every person is in."""


async def names_of(world, account):
    return [group.name for group in await world.directory.groups_of(account.id)]


async def test_group_is_created_once_and_found():
    async with sqlite_world() as world:
        made = await world.directory.create_group("dev", description="They build it", actor=SYSTEM)
        assert await world.directory.show_group("dev@example.org", actor=SYSTEM) == made
        assert await world.directory.find_group(made.id) == made
        with pytest.raises(NameTaken, match="'dev'"):
            await world.directory.create_group("dev", actor=SYSTEM)
        with pytest.raises(TextRefused):
            await world.directory.create_group("ops", description="x" * 257, actor=SYSTEM)
        with pytest.raises(GroupNotFound, match="'ops'"):
            await world.directory.show_group("ops", actor=SYSTEM)


async def test_members_are_named_by_name_spn_id_and_group_name():
    async with sqlite_world() as world:
        alice, bob = await world.person("alice"), await world.person("bob")
        carol = await world.person("carol")
        for name in ("dev", "ops"):
            await world.directory.create_group(name, actor=SYSTEM)
        added = await world.directory.add_members(
            "dev", ["alice", "bob@example.org", carol.id, "ops", "alice@example.org"], actor=SYSTEM
        )
        assert sorted(added) == ["alice", "bob", "carol", "ops"]
        members = await world.directory.members_of("dev", actor=SYSTEM)
        assert [account.id for account in members.accounts] == [alice.id, bob.id, carol.id]
        assert [group.name for group in members.groups] == ["ops"]
        assert await world.directory.add_members("dev", ["alice", "ops"], actor=SYSTEM) == ()
        assert await world.directory.remove_members("dev", ["ops", "bob", "admin"], actor=SYSTEM) == ("ops", "bob")
        dev = await world.directory.show_group("dev", actor=SYSTEM)
        events = await world.events(f"group:{dev.id}")
        assert [json.loads(details) for _, _, details in events[:2]] == [
            {"name": "dev", "removed": ["ops", "bob"]},
            {"name": "dev", "added": list(added)},
        ]


async def test_unknown_member_is_named_and_nothing_is_changed():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.directory.create_group("dev", actor=SYSTEM)
        for verb in (world.directory.add_members, world.directory.remove_members):
            with pytest.raises(MemberNotFound) as refused:
                await verb("dev", ["alice", "nobody@example.org", "alice@elsewhere.example"], actor=SYSTEM)
            assert "'nobody@example.org', 'alice@elsewhere.example'" in refused.value.detail
        assert (await world.directory.members_of("dev", actor=SYSTEM)).accounts == ()
        with pytest.raises(InvalidInput):
            await world.directory.add_members("dev", [], actor=SYSTEM)
        with pytest.raises(GroupNotFound):
            await world.directory.add_members("ops", ["alice"], actor=SYSTEM)


async def test_membership_is_inherited_through_groups():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        for name in ("a", "b", "c", "other"):
            await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members("a", ["b"], actor=SYSTEM)
        await world.directory.add_members("b", ["c", "alice"], actor=SYSTEM)
        await world.directory.add_members("c", ["alice"], actor=SYSTEM)
        assert await names_of(world, alice) == ["a", "b", "c", *EVERYONE]
        await world.directory.remove_members("b", ["alice", "c"], actor=SYSTEM)
        assert await names_of(world, alice) == ["c", *EVERYONE]
        await world.directory.delete_group("c", actor=SYSTEM)
        assert await names_of(world, alice) == EVERYONE


async def test_cycles_are_refused():
    async with sqlite_world() as world:
        await world.person("alice")
        for name in ("a", "b", "c"):
            await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members("a", ["b"], actor=SYSTEM)
        await world.directory.add_members("b", ["c"], actor=SYSTEM)
        for group, member in (("a", "a"), ("b", "a"), ("c", "a"), ("c", "b")):
            with pytest.raises(GroupCycle):
                await world.directory.add_members(group, ["alice", member], actor=SYSTEM)
        assert (await world.directory.members_of("c", actor=SYSTEM)).accounts == ()


async def test_built_in_groups_stay():
    async with sqlite_world() as world:
        for name in ("system_admins", "idm_admins", "auditors"):
            with pytest.raises(BuiltIn):
                await world.directory.delete_group(name, actor=SYSTEM)
        page = await world.directory.list_groups(actor=SYSTEM, at_most=3)
        rest = await world.directory.list_groups(actor=SYSTEM, beyond=page[-1].name)
        listed = [group.name for group in (*page, *rest)]
        assert listed == sorted(listed)
        assert len(listed) == len(BUILTIN_GROUPS)


async def test_members_of_the_dynamic_groups_are_all_persons_and_all_accounts():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        admin = await world.directory.find("admin")
        assert await names_of(world, alice) == EVERYONE
        assert [name for name in await names_of(world, admin) if name in EVERYONE] == ["idm_all_accounts"]
        for group, expected in (("idm_all_persons", ["alice"]), ("idm_all_accounts", ["admin", "alice", "idm_admin"])):
            members = await world.directory.members_of(group, actor=SYSTEM)
            assert [each.name for each in members.accounts] == expected
        await world.directory.delete("alice", actor=SYSTEM)
        assert await names_of(world, alice) == []


@pytest.mark.parametrize("nested", [False, True])
async def test_membership_cannot_give_what_the_giver_does_not_hold(nested):
    async with sqlite_world() as world:
        target = "system_admins"
        if nested:
            target = "inner"
            await world.directory.create_group("inner", actor=SYSTEM)
            await world.directory.create_group("middle", actor=SYSTEM)
            await world.directory.add_members("system_admins", ["middle"], actor=SYSTEM)
            await world.directory.add_members("middle", ["inner"], actor=SYSTEM)
        actor = await world.actor("grouper", "idm_group_admins")
        for verb in (world.directory.add_members, world.directory.remove_members):
            with pytest.raises(BeyondOwnAuthority):
                await verb(target, ["grouper"], actor=actor)
        if nested:
            with pytest.raises(BeyondOwnAuthority):
                await world.directory.delete_group(target, actor=actor)
        await world.directory.create_group("harmless", actor=actor)
        assert await world.directory.add_members("harmless", ["grouper"], actor=actor) == ("grouper",)
        with pytest.raises(BeyondOwnAuthority):
            await world.directory.add_members(target, ["harmless"], actor=actor)
        assert await world.directory.add_members("idm_group_admins", ["harmless"], actor=actor) == ("harmless",)


async def test_anyone_who_has_the_rights_may_delegate_them():
    async with sqlite_world() as world:
        admin = await world.actor("chief", "idm_admins")
        await world.person("deputy")
        await world.directory.add_members("idm_oauth2_admins", ["deputy@example.org"], actor=admin)
        deputy = (await world.signed_in("deputy")).signed_in.actor
        assert Permission.CLIENT_WRITE in deputy.permissions.everywhere


@pytest.mark.parametrize("dynamic", EVERYONE)
@pytest.mark.parametrize(
    ("verb", "group", "member"),
    [("add_members", "{}", "admin"), ("remove_members", "{}", "alice"), ("set_members", "{}", "alice")],
)
async def test_members_of_a_dynamic_group_cannot_be_changed(verb, group, member, dynamic):
    async with sqlite_world() as world:
        alice = await world.person("alice")
        with pytest.raises(BuiltIn, match=dynamic):
            await getattr(world.directory, verb)(group.format(dynamic), [member], actor=SYSTEM)
        assert await names_of(world, alice) == EVERYONE


@pytest.mark.parametrize("dynamic", EVERYONE)
async def test_members_of_a_dynamic_group_are_in_every_group_that_it_is_nested_in(dynamic):
    async with sqlite_world() as world:
        alice, admin = await world.person("alice"), await world.directory.find("admin")
        for name in ("inner", "outer"):
            await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members("inner", [dynamic], actor=SYSTEM)
        await world.directory.add_members("outer", ["inner"], actor=SYSTEM)
        assert await names_of(world, alice) == [*EVERYONE, "inner", "outer"]
        assert ("outer" in await names_of(world, admin)) == (dynamic == "idm_all_accounts")
        await world.directory.remove_members("inner", [dynamic], actor=SYSTEM)
        assert await names_of(world, alice) == EVERYONE


@pytest.mark.parametrize("dynamic", EVERYONE)
@pytest.mark.parametrize("target", ["system_admins", "idm_people_admins", "staff"])
@pytest.mark.parametrize("through", [None, "inner"])
async def test_dynamic_group_gets_no_authority_even_through_another(dynamic, target, through):
    async with sqlite_world() as world:
        alice = await world.person("alice")
        for name in ("staff", "inner"):
            await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members("idm_group_admins", ["staff"], actor=SYSTEM)
        if through:
            await world.directory.add_members(through, [dynamic], actor=SYSTEM)
        with pytest.raises(BuiltIn, match=f"{through or dynamic} cannot become a member of {target}"):
            await world.directory.add_members(target, [through or dynamic], actor=SYSTEM)
        assert (await world.signed_in("alice")).signed_in.actor.permissions.everywhere == frozenset()
        assert target not in await names_of(world, alice)


async def test_authority_through_a_dynamic_group_counts_where_it_stands_in_the_database():
    """No command nests one there; permissions and the last administrator are judged by one truth all the same."""

    async with sqlite_world() as world:
        alice = await world.person("alice")

        async def body(tx):
            dynamic = await store.find_group(tx, "idm_all_persons")
            assert dynamic is not None
            assert await store.add_member(tx, "auditors", dynamic)

        await world.db.write(body)
        assert Permission.AUDIT_READ in (await world.signed_in("alice")).signed_in.actor.permissions.everywhere
        assert await accounts_with_role(world.db, Role.AUDITOR) == {alice.id}


async def test_members_are_set_as_a_whole():
    async with sqlite_world() as world:
        for name in ("alice", "bob", "carol"):
            await world.person(name, password=None)
        for name in ("dev", "ops"):
            await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members("dev", ["alice", "bob"], actor=SYSTEM)
        changed = await world.directory.set_members("dev", ["bob", "carol", "ops"], actor=SYSTEM)
        assert sorted(changed) == ["alice", "carol", "ops"]
        members = await world.directory.members_of("dev", actor=SYSTEM)
        assert [each.name for each in members.accounts] == ["bob", "carol"]
        assert [each.name for each in members.groups] == ["ops"]
        with pytest.raises(MemberNotFound):
            await world.directory.set_members("dev", ["bob", "nobody"], actor=SYSTEM)
        assert len((await world.directory.members_of("dev", actor=SYSTEM)).accounts) == 2
        with pytest.raises(GroupCycle):
            await world.directory.set_members("dev", ["dev"], actor=SYSTEM)
        await world.directory.set_members("dev", [], actor=SYSTEM)
        assert await world.directory.members_of("dev", actor=SYSTEM) == Members((), ())


async def test_last_administrator_is_not_lost_by_setting_members():
    async with sqlite_world() as world:
        await world.person("chief", "system_admins")
        with pytest.raises(LastAdministrator):
            await world.directory.set_members("system_admins", [], actor=SYSTEM)
        assert await world.directory.set_members("system_admins", ["chief"], actor=SYSTEM) == ("admin",)


async def test_group_is_renamed_described_and_keeps_its_members():
    async with sqlite_world() as world:
        alice = await world.person("alice", password=None)
        await world.directory.create_group("dev", description="They build it", actor=SYSTEM)
        await world.directory.add_members("dev", ["alice"], actor=SYSTEM)
        changed = await world.directory.update_group("dev", name="builders", description="Build it", actor=SYSTEM)
        assert (changed.name, changed.description) == ("builders", "Build it")
        assert await names_of(world, alice) == ["builders", *EVERYONE]
        event, _, details = (await world.events(f"group:{changed.id}"))[0]
        assert (event, json.loads(details)["name_before"]) == ("group.updated", "dev")
        with pytest.raises(NameTaken):
            await world.directory.update_group("builders", name="alice", actor=SYSTEM)
        for builtin in ("system_admins", "idm_all_persons"):
            with pytest.raises(BuiltIn):
                await world.directory.update_group(builtin, name="other", actor=SYSTEM)
        actor = await world.actor("grouper", "idm_group_admins")
        await world.directory.add_members("system_admins", ["builders"], actor=SYSTEM)
        with pytest.raises(BeyondOwnAuthority):
            await world.directory.update_group("builders", name="harmless", actor=actor)


async def test_groups_are_searched_by_name_and_description():
    async with sqlite_world() as world:
        for name, text in (("web-team", "Looks after servers"), ("ops", "The WEB people"), ("dev", "100%_sure")):
            await world.directory.create_group(name, description=text, actor=SYSTEM)

        async def found(text):
            return [group.name for group in await world.directory.list_groups(actor=SYSTEM, search=text)]

        assert await found("Web") == ["ops", "web-team"]
        assert await found("sur team") == []
        assert await found("sur 100") == ["dev"]
        assert await found("nothing like it") == []


@pytest.mark.parametrize("manager", ["mara", "leads"])
async def test_manager_changes_members_and_nothing_else(manager):
    async with sqlite_world() as world:
        mara = await world.actor("mara")
        await world.person("alice")
        await world.directory.create_group("leads", actor=SYSTEM)
        await world.directory.add_members("leads", ["mara"], actor=SYSTEM)
        await world.directory.create_group("dev", managed_by=manager, actor=SYSTEM)
        await world.directory.create_group("other", actor=SYSTEM)
        assert await world.directory.add_members("dev", ["alice", "mara"], actor=mara) == ("alice", "mara")
        assert await world.directory.set_members("dev", ["alice"], actor=mara) == ("mara",)
        assert await world.directory.remove_members("dev", ["alice"], actor=mara) == ("alice",)
        assert (await world.directory.update_group("dev", description="Ours", actor=mara)).description == "Ours"
        assert (await world.directory.show_group("dev", actor=mara)).name == "dev"
        refused = [
            world.directory.update_group("dev", name="mine", actor=mara),
            world.directory.update_group("dev", managed_by="alice", actor=mara),
            world.directory.delete_group("dev", actor=mara),
            world.directory.add_members("other", ["mara"], actor=mara),
            world.directory.add_members("no-such-group", ["mara"], actor=mara),
            world.directory.show_group("other", actor=mara),
        ]
        for attempt in refused:
            with pytest.raises(NotPermitted):
                await attempt
        await world.directory.update_group("dev", managed_by=None, actor=SYSTEM)
        with pytest.raises(NotPermitted):
            await world.directory.add_members("dev", ["mara"], actor=mara)
        outcomes = [outcome for _, outcome, _ in await world.events()]
        assert "refused" in outcomes


@pytest.mark.parametrize("nested", [False, True])
async def test_manager_of_a_group_that_gives_authority_cannot_raise_himself(nested):
    async with sqlite_world() as world:
        mara = await world.actor("mara")
        await world.directory.create_group("dev", managed_by="mara", actor=SYSTEM)
        await world.directory.create_group("middle", actor=SYSTEM)
        if nested:
            await world.directory.add_members("middle", ["dev"], actor=SYSTEM)
        await world.directory.add_members("system_admins", ["middle" if nested else "dev"], actor=SYSTEM)
        for attempt in (
            world.directory.add_members("dev", ["mara"], actor=mara),
            world.directory.set_members("dev", ["mara"], actor=mara),
            world.directory.update_group("dev", description="harmless", actor=mara),
        ):
            with pytest.raises(BeyondOwnAuthority):
                await attempt
