"""People of another server are judged one by one, and created all at once."""

import time
from datetime import timedelta

import bcrypt
import pytest

from sealwright.access import SYSTEM
from sealwright.errors import Conflict, InvalidInput, NotPermitted
from sealwright.identity import Argon2Hashing, ImportedPerson, purge
from sealwright.identity.authenticators import REFUSED_AFTER
from sealwright.identity.errors import ImportNotFound, SignInRefused
from sealwright.identity.imports import store
from sealwright.identity.imports.people import IMPORT_LIFETIME, MOST_AT_ONCE
from sealwright.identity.store import credentials_of
from tests.unit.identity.world import PASSWORD, sqlite_world

HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"


def somebody(name, line=2, display_name=None, **more):
    return ImportedPerson(name, name.title() if display_name is None else display_name, line, **more)


def numbered(number):
    return somebody(f"p{number}", mails=(f"p{number}@example.org",), password_hash=HASH)


def imports_of(world):
    return world.app.parts.identity.imports


async def test_people_are_there_only_when_the_import_is_finished():
    async with sqlite_world() as world:
        imports = imports_of(world)
        begun, _ = await imports.begin(actor=SYSTEM)
        one = somebody(
            "alice", mails=("alice@example.org",), attributes={"locale": "de"}, ssh_public_keys={"a": f"{KEY} comment"}
        )
        two = somebody("bob", 3, mails=("bob@example.org",), mails_verified=False, password_hash=HASH)
        assert await imports.add(begun, [one], actor=SYSTEM) == []
        assert await imports.add(begun, [two], actor=SYSTEM) == []
        assert await world.directory.find("alice") is None
        assert await imports.finish(begun, actor=SYSTEM) == 2
        alice, bob = await world.directory.find("alice"), await world.directory.find("bob")
        assert (alice.mails[0].verified, bob.mails[0].verified) == (True, False)
        assert (await world.directory.attributes_of(alice.id))["locale"].value == "de"
        assert [key.public_key for key in await world.directory.ssh_keys_of(alice.id)] == [KEY]
        events = [(each.event, each.target) for each in await world.audit.newest(world.db, at_most=3)]
        assert ("person.created", bob.reference) in events
        assert ("person.imported", f"import:{begun}") in events
        with pytest.raises(ImportNotFound):
            await imports.finish(begun, actor=SYSTEM)


async def test_password_of_before_signs_in_and_is_hashed_anew():
    async with sqlite_world() as world:
        imports = imports_of(world)
        begun, _ = await imports.begin(actor=SYSTEM)
        await imports.add(begun, [somebody("bob", password_hash=HASH)], actor=SYSTEM)
        await imports.finish(begun, actor=SYSTEM)
        bob = await world.directory.find("bob")
        hashing = Argon2Hashing(world.entropy, threads=1)
        world.sign_in._authenticators._hashing = hashing
        with pytest.raises(SignInRefused):
            await world.try_password("bob", "something-else-97")
        await world.signed_in("bob")
        (held,) = await credentials_of(world.db, bob.id)
        assert held.secret.startswith(b"$argon2id$")
        await world.signed_in("bob")
        hashing.close()


async def test_import_that_is_over_is_deleted_a_few_people_at_a_time():
    async with sqlite_world() as world:
        imports = imports_of(world)
        begun, _ = await imports.begin(actor=SYSTEM)
        people = [somebody(f"q{number}") for number in range(MOST_AT_ONCE)]
        for first in range(3):
            named = [somebody(f"{each.name}-{first}") for each in people]
            assert await imports.add(begun, named, actor=SYSTEM) == []
        await imports.cancel(actor=SYSTEM)
        with pytest.raises(ImportNotFound):
            await imports.finish(begun, actor=SYSTEM)
        deleted = [1]

        async def body(tx):
            return await store.purge(tx, world.clock.now(), 100)

        while deleted[-1]:
            deleted.append(await world.db.write(body))
        assert max(deleted) == 100
        assert sum(deleted[1:]) == 3 * MOST_AT_ONCE + 1, "each person, and the import"
        assert await store.count(world.db, begun) == 0


async def test_wrong_password_takes_as_long_for_every_name_while_hashes_of_another_server_are_held():
    async with sqlite_world() as world:
        imports = imports_of(world)
        await world.person("carol")
        begun, _ = await imports.begin(actor=SYSTEM)
        await imports.add(begun, [somebody("bob", password_hash=HASH)], actor=SYSTEM)
        await imports.finish(begun, actor=SYSTEM)
        assert min([await seconds_to_refuse(world, name) for name in ("bob", "carol", "nobody")]) >= REFUSED_AFTER - 0.01
        hashing = world.sign_in._authenticators._hashing = Argon2Hashing(world.entropy, threads=1)
        await world.signed_in("bob")
        assert max([await seconds_to_refuse(world, name) for name in ("bob", "carol", "nobody")]) < REFUSED_AFTER
        hashing.close()


async def seconds_to_refuse(world, name):
    begun = time.perf_counter()
    with pytest.raises(SignInRefused):
        await world.try_password(name, "something-else-97")
    return time.perf_counter() - begun


async def test_everything_that_is_wrong_is_told_by_line_and_field_and_nothing_is_kept():
    async with sqlite_world() as world:
        await world.person("taken", mails=("taken@example.org",))
        imports = imports_of(world)
        begun, _ = await imports.begin(actor=SYSTEM)
        faults = await imports.add(
            begun,
            [
                somebody("good"),
                somebody("Not A Name", 3, mails=("no mail",), password_hash="hunter2"),
                somebody("taken", 4, mails=("TAKEN@example.org",)),
                somebody("x", 5, display_name="", attributes={"phone_number": "1"}, ssh_public_keys={"a": "b"}),
                somebody("system_admins", 6),
            ],
            actor=SYSTEM,
        )
        assert [(each.line, each.field) for each in faults] == [
            (3, "mail"), (3, "name"), (3, "password_hash"), (4, "name"), (4, "mail"),
            (5, "display_name"), (5, "attributes"), (5, "ssh_public_keys"), (6, "name"),
        ]  # fmt: skip
        assert "hunter2" not in str(faults)
        assert await imports.finish(begun, actor=SYSTEM) == 0


async def test_someone_who_was_created_meanwhile_keeps_everyone_out():
    async with sqlite_world() as world:
        imports = imports_of(world)
        for name in ("bob", "team"):
            begun, _ = await imports.begin(actor=SYSTEM)
            assert await imports.add(begun, [somebody(f"a{name}"), somebody(name, 3)], actor=SYSTEM) == []
            if name == "bob":
                await world.person(name)
            else:
                await world.directory.create_group(name, actor=SYSTEM)
            with pytest.raises(Conflict, match="No one was imported"):
                await imports.finish(begun, actor=SYSTEM)
            assert await world.directory.find(f"a{name}") is None


async def test_import_ends_when_another_is_begun_or_its_time_is_over():
    async with sqlite_world() as world:
        imports = imports_of(world)
        first, _ = await imports.begin(actor=SYSTEM)
        second, _ = await imports.begin(actor=SYSTEM)
        with pytest.raises(ImportNotFound):
            await imports.add(first, [somebody("bob")], actor=SYSTEM)
        await imports.add(second, [somebody("bob")], actor=SYSTEM)
        world.clock.advance(IMPORT_LIFETIME + timedelta(seconds=1))
        with pytest.raises(ImportNotFound):
            await imports.finish(second, actor=SYSTEM)
        assert await purge(world.db, world.clock) == 3, "both imports, and the person"
        third, _ = await imports.begin(actor=SYSTEM)
        await imports.cancel(actor=SYSTEM)
        with pytest.raises(ImportNotFound):
            await imports.finish(third, actor=SYSTEM)


async def test_import_needs_the_permission_and_belongs_to_who_began_it():
    async with sqlite_world() as world:
        imports = imports_of(world)
        mallory, patricia = await world.actor("mallory"), await world.actor("patricia", "idm_people_admins")
        begun, _ = await imports.begin(actor=SYSTEM)
        with pytest.raises(ImportNotFound):
            await imports.add(begun, [somebody("bob")], actor=patricia)
        for verb in (imports.begin, imports.cancel):
            with pytest.raises(NotPermitted):
                await verb(actor=mallory)
        with pytest.raises(NotPermitted):
            await imports.add(begun, [somebody("bob")], actor=mallory)
        with pytest.raises(NotPermitted):
            await imports.finish(begun, actor=mallory)
        with pytest.raises(InvalidInput):
            await imports.add(begun, [somebody(f"p{n}") for n in range(MOST_AT_ONCE + 1)], actor=SYSTEM)


async def test_ten_thousand_people_are_created_in_one_go():
    async with sqlite_world() as world:
        imports = imports_of(world)
        begun, _ = await imports.begin(actor=SYSTEM)
        for first in range(0, 10_000, MOST_AT_ONCE):
            people = [
                somebody(f"p{n}", mails=(f"p{n}@example.org",), password_hash=HASH) for n in range(first, first + MOST_AT_ONCE)
            ]
            assert await imports.add(begun, people, actor=SYSTEM) == []
        assert await imports.finish(begun, actor=SYSTEM) == 10_000
        assert await world.directory.find("p9999") is not None
