"""People: created, changed, found, disabled, deleted."""

import json
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.clock import after
from sealwright.errors import InvalidInput, NotPermitted
from sealwright.identity import (
    AccountNotFound,
    BeyondOwnAuthority,
    BuiltIn,
    LastAdministrator,
    MailRefused,
    MailTaken,
    NameRefused,
    NameTaken,
)
from sealwright.identity.errors import OwnAccount
from tests.unit.identity.world import sqlite_world


async def test_person_is_created_and_found_by_name_spn_and_id():
    async with sqlite_world() as world:
        made = await world.directory.create_person("alice", " Alice L ", mails=["A@x.example", "b@x.example"], actor=SYSTEM)
        for who in ("alice", "alice@example.org", "Alice@EXAMPLE.ORG", made.id):
            assert await world.directory.find(who) == made
        assert made.display_name == "Alice L"
        assert [(mail.address, mail.verified) for mail in made.mails] == [("A@x.example", True), ("b@x.example", True)]
        assert made.primary_mail == made.mails[0]
        assert world.directory.spn_of(made) == "alice@example.org"
        assert await world.directory.find("A@x.example") is None
        events = await world.events(made.reference)
        assert events[0][:2] == ("person.created", "done")
        assert json.loads(events[0][2])["mails"] == ["A@x.example", "b@x.example"]


async def test_name_of_an_account_or_group_is_taken():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.directory.create_group("dev", actor=SYSTEM)
        for name in ("alice", "dev", "admin", "system_admins"):
            with pytest.raises(NameTaken):
                await world.directory.create_person(name, "x", actor=SYSTEM)
        with pytest.raises(NameTaken):
            await world.directory.create_group("alice", actor=SYSTEM)


async def test_wrong_values_are_refused_and_nothing_is_stored():
    async with sqlite_world() as world:
        with pytest.raises(NameRefused):
            await world.directory.create_person("Bob", "Bob", actor=SYSTEM)
        with pytest.raises(MailRefused):
            await world.directory.create_person("bob", "Bob", mails=["nonsense"], actor=SYSTEM)
        with pytest.raises(InvalidInput, match="more than once"):
            await world.directory.create_person("bob", "Bob", mails=["b@x.org", "B@x.org"], actor=SYSTEM)
        with pytest.raises(InvalidInput, match="too many"):
            await world.directory.create_person("bob", "Bob", mails=[f"b{n}@x.org" for n in range(17)], actor=SYSTEM)
        now = world.clock.now()
        with pytest.raises(InvalidInput, match="does not come after"):
            await world.directory.create_person("bob", "Bob", valid_from=now, valid_until=now, actor=SYSTEM)
        assert await world.directory.find("bob") is None


async def test_mails_are_replaced_whole_and_the_first_is_primary():
    async with sqlite_world() as world:
        await world.person("alice", mails=("old@x.example", "kept@x.example"))
        changed = await world.directory.update_person("alice", mails=["kept@x.example", "new@x.example"], actor=SYSTEM)
        assert [mail.address for mail in changed.mails] == ["kept@x.example", "new@x.example"]
        await world.person("bob", mails=("old@x.example",))
        assert (await world.directory.update_person("alice", mails=[], actor=SYSTEM)).mails == ()


async def test_mail_address_belongs_to_one_account():
    async with sqlite_world() as world:
        await world.person("alice", mails=("Shared@x.example",))
        with pytest.raises(MailTaken):
            await world.directory.create_person("bob", "Bob", mails=["shared@X.example"], actor=SYSTEM)
        await world.person("bob", mails=("bob@x.example",))
        with pytest.raises(MailTaken):
            await world.directory.update_person("bob", mails=["new@x.example", "SHARED@x.example"], actor=SYSTEM)
        bob = await world.directory.find("bob")
        assert bob is not None
        assert [mail.address for mail in bob.mails] == ["bob@x.example"]


async def test_display_name_alone_leaves_the_mails():
    async with sqlite_world() as world:
        before = await world.person("alice", mails=("a@x.example",))
        world.clock.advance(timedelta(seconds=1))
        changed = await world.directory.update_person("alice", display_name="Alice B", actor=SYSTEM)
        assert (changed.display_name, changed.mails) == ("Alice B", before.mails)
        assert changed.updated_at > before.updated_at


async def test_standing_follows_validity_and_disabling():
    async with sqlite_world() as world:
        alice = await world.person("alice")

        async def status():
            told = await world.directory.status_of(alice.id)
            return told.active, told.reason

        assert await status() == (True, "active")
        soon, later = after(world.clock.now(), timedelta(hours=1)), after(world.clock.now(), timedelta(hours=2))
        await world.directory.set_validity("alice", valid_from=soon, valid_until=later, actor=SYSTEM)
        assert await status() == (False, "the account is not valid yet")
        world.clock.advance(timedelta(hours=1))
        assert await status() == (True, "active")
        world.clock.advance(timedelta(hours=1))
        assert await status() == (False, "the account is no longer valid")
        await world.directory.set_validity("alice", valid_from=None, valid_until=None, actor=SYSTEM)
        assert await status() == (True, "active")
        await world.directory.disable("alice", actor=SYSTEM)
        assert await status() == (False, "the account is disabled")
        await world.directory.enable("alice", actor=SYSTEM)
        assert await status() == (True, "active")
        await world.directory.delete("alice", actor=SYSTEM)
        assert await status() == (False, "the account does not exist")


async def test_disabling_twice_is_recorded_once():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        first = await world.directory.disable("alice", actor=SYSTEM)
        world.clock.advance(timedelta(hours=1))
        assert await world.directory.disable("alice", actor=SYSTEM) == first
        await world.directory.enable("alice", actor=SYSTEM)
        await world.directory.enable("alice", actor=SYSTEM)
        events = [event for event, _, _ in await world.events(alice.reference)]
        assert events.count("person.disabled") == events.count("person.enabled") == 1


async def test_deleted_person_is_gone_and_the_address_is_free():
    async with sqlite_world() as world:
        before = await world.person("alice", mails=("a@x.example",))
        await world.signed_in("alice")
        await world.directory.delete("alice", actor=SYSTEM)
        assert await world.directory.account(before.id) is None
        again = await world.person("alice.again", mails=("a@x.example",))
        assert again.id != before.id


@pytest.mark.parametrize("verb", ["update", "validity", "disable", "enable", "delete"])
async def test_unknown_and_built_in_accounts_are_refused(verb):
    async with sqlite_world() as world:

        async def attempt(who):
            if verb == "update":
                await world.directory.update_person(who, display_name="x", actor=SYSTEM)
            elif verb == "validity":
                await world.directory.set_validity(who, valid_from=None, valid_until=None, actor=SYSTEM)
            else:
                await getattr(world.directory, verb)(who, actor=SYSTEM)

        with pytest.raises(AccountNotFound, match="'nobody'"):
            await attempt("nobody")
        for name in ("admin", "idm_admin"):
            with pytest.raises(BuiltIn):
                await attempt(name)


async def test_every_verb_needs_its_permission_and_a_refusal_is_recorded():
    async with sqlite_world() as world:
        bob = await world.person("bob", mails=("bob@x.example",))
        mallory = await world.actor("mallory", "auditors")
        d = world.directory
        attempts = [
            lambda: d.create_person("new", "New", actor=mallory),
            lambda: d.update_person("bob", mails=[], actor=mallory),
            lambda: d.update_person("mallory", display_name="M", actor=mallory),
            lambda: d.set_validity("bob", valid_from=None, valid_until=None, actor=mallory),
            lambda: d.disable("bob", actor=mallory),
            lambda: d.enable("bob", actor=mallory),
            lambda: d.delete("bob", actor=mallory),
            lambda: d.create_group("g", actor=mallory),
            lambda: d.delete_group("g", actor=mallory),
            lambda: d.add_members("auditors", ["bob"], actor=mallory),
            lambda: d.remove_members("auditors", ["bob"], actor=mallory),
        ]
        for attempt in attempts:
            world.clock.advance(timedelta(minutes=1))  # within one, refusals of one kind share a row
            recorded = len(await world.events())
            with pytest.raises(NotPermitted):
                await attempt()
            events = await world.events()
            assert len(events) == recorded + 1
            assert events[0][1] == "refused"
        for read in (
            lambda: d.list_people(actor=mallory),
            lambda: d.list_groups(actor=mallory),
            lambda: d.show_person("bob", actor=mallory),
            lambda: d.show_person("no-such-person", actor=mallory),
            lambda: d.show_group("auditors", actor=mallory),
            lambda: d.members_of("auditors", actor=mallory),
        ):
            with pytest.raises(NotPermitted):
                await read()
        assert await d.find("bob") == bob
        assert (await d.show_person("mallory", actor=mallory)).name == "mallory"


async def test_people_are_listed_by_name_in_pages_and_searched():
    async with sqlite_world() as world:
        for name in ("bert", "anna", "dora", "carl", "a_x", "a.x"):
            await world.person(name, mails=(f"{name}@x.example", f"{name}.2@x.example"), password=None)

        async def names(**options):
            return [person.name for person in await world.directory.list_people(actor=SYSTEM, **options)]

        assert await names() == ["a.x", "a_x", "anna", "bert", "carl", "dora"]
        assert await names(at_most=2) == ["a.x", "a_x"]
        assert await names(at_most=2, beyond="a_x") == ["anna", "bert"]
        assert await names(beyond="dora") == []
        assert await names(search="CAR") == ["carl"]
        assert await names(search="ar") == []
        assert await names(search="a_") == ["a.x", "a_x", "anna"]
        assert await names(search="x a") == ["a.x", "a_x"]
        assert await names(search="x a", at_most=1, beyond="a.x") == ["a_x"]
        assert await names(search="Dora.2@X.ex") == ["dora"]
        for nothing in ("_", "%", "\\", "ora", "anna bert", "x.example"):
            assert await names(search=nothing) == []
        assert await names(at_most=-1) == ["a.x"]
        page = await world.directory.list_people(actor=SYSTEM, at_most=3)
        assert [len(person.mails) for person in page] == [2, 2, 2]


async def test_who_lacks_a_permission_cannot_change_someone_who_has_it():
    async with sqlite_world() as world:
        await world.person("boss", "system_admins")
        await world.person("auditor", "auditors")
        desk = await world.actor("desk", "idm_people_admins")
        d = world.directory
        for victim in ("boss", "auditor"):
            for attempt in (
                lambda who: d.update_person(who, mails=["mine@x.example"], actor=desk),
                lambda who: d.set_validity(who, valid_from=None, valid_until=None, actor=desk),
                lambda who: d.disable(who, actor=desk),
                lambda who: d.enable(who, actor=desk),
                lambda who: d.delete(who, actor=desk),
            ):
                with pytest.raises(BeyondOwnAuthority) as refused:
                    await attempt(victim)
                assert "audit:read" in refused.value.reasons[0]
                assert (await world.events())[0][1] == "refused"
        await world.person("bob")
        assert (await d.disable("bob", actor=desk)).disabled_at is not None


@pytest.mark.parametrize("way", ["disable", "delete", "validity", "remove", "remove through a group", "delete group"])
async def test_last_administrator_stays(way):
    async with sqlite_world() as world:
        await world.directory.create_group("bosses", actor=SYSTEM)
        await world.person("boss")
        await world.directory.add_members("bosses", ["boss"], actor=SYSTEM)
        await world.directory.add_members("system_admins", ["bosses"], actor=SYSTEM)
        actor = (await world.signed_in("boss")).signed_in.actor
        d = world.directory

        async def attempt(actor):
            if way == "validity":
                await d.set_validity("boss", valid_from=None, valid_until=world.clock.now(), actor=actor)
            elif way == "remove":
                await d.remove_members("bosses", ["boss"], actor=actor)
            elif way == "remove through a group":
                await d.remove_members("system_admins", ["bosses"], actor=actor)
            elif way == "delete group":
                await d.delete_group("bosses", actor=actor)
            else:
                await getattr(d, way)("boss", actor=actor)

        with pytest.raises(LastAdministrator):
            await attempt(actor)
        assert (await d.status_of(actor.id)).active
        await world.person("unusable", "system_admins", password=None)
        with pytest.raises(LastAdministrator):
            await attempt(actor)
        await world.person("second", "system_admins")
        await attempt((await world.signed_in("second")).signed_in.actor)


@pytest.mark.parametrize("end", ["disable", "delete"])
async def test_no_one_ends_the_account_that_they_use(end):
    async with sqlite_world() as world:
        ann, ben = await world.actor("ann", "system_admins"), await world.actor("ben", "system_admins")
        with pytest.raises(OwnAccount, match="your own account"):
            await getattr(world.directory, end)("ann", actor=ann)
        assert (await world.directory.find("ann")).status(world.clock.now()).active
        await getattr(world.directory, end)("ann", actor=ben)
        found = await world.directory.find("ann")
        assert found is None or not found.status(world.clock.now()).active
