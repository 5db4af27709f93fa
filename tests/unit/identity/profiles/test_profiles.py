"""Attributes and SSH keys: their forms, and who may set them."""

import base64
from contextlib import asynccontextmanager

import pytest

from sealwright.errors import Conflict, InvalidInput, NotFound, NotPermitted
from sealwright.identity.errors import BuiltIn
from tests.unit.identity.world import sqlite_world


def key_line(kind="ssh-ed25519", body=bytes(32), comment=" alice@laptop"):
    fields = (kind.encode(), body)
    blob = b"".join(len(field).to_bytes(4) + field for field in fields)
    return f"{kind} {base64.b64encode(blob).decode()}{comment}"


@asynccontextmanager
async def world_and_alice():
    async with sqlite_world() as world:
        yield world, await world.actor("alice")


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("given_name", "  Alice ", "Alice"),
        ("birthdate", "0000-02-29", "0000-02-29"),
        ("birthdate", "1987", "1987"),
        ("zoneinfo", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("locale", "de-AT", "de-AT"),
        ("phone_number", "+49 (30) 123-4567", "+49301234567"),
        ("website", "https://alice.example.org/~a?b=c", "https://alice.example.org/~a?b=c"),
        ("address.street_address", "Main Street 1\r\nBack yard", "Main Street 1\nBack yard"),
    ],
)
async def test_attribute_is_kept_in_one_form(name, given, kept):
    async with world_and_alice() as (world, alice):
        await world.directory.set_attributes("alice", {name: given}, actor=alice)
        assert (await world.directory.attributes_of(alice.id))[name].value == kept


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("shoe_size", "42"),
        ("given_name", "two\nlines"),
        ("given_name", "x" * 129),
        ("given_name", "\u202eecilA"),
        ("birthdate", "1987-02-29"),
        ("birthdate", "29.2.1988"),
        ("phone_number", "030 1234567"),
        ("phone_number", "+0301234567"),
        ("website", "javascript:alert(1)"),
        ("picture", "https://example.org/<b>"),
        ("zoneinfo", "../../etc/passwd"),
        ("locale", "german"),
    ],
)
async def test_malformed_attribute_is_refused_by_name_and_nothing_is_kept(name, given):
    async with world_and_alice() as (world, alice):
        with pytest.raises(InvalidInput, match=name):
            await world.directory.set_attributes("alice", {"nickname": "Al", name: given}, actor=alice)
        assert await world.directory.attributes_of(alice.id) == {}


async def test_what_people_say_of_themselves_is_not_verified_and_what_an_administrator_asserts_is():
    async with world_and_alice() as (world, alice):
        helper = await world.actor("desk", "idm_people_admins")
        for actor, verified in ((alice, False), (helper, True), (alice, True)):
            await world.directory.set_attributes("alice", {"phone_number": "+49301234567"}, actor=actor)
            assert (await world.directory.attributes_of(alice.id))["phone_number"].verified is verified
        await world.directory.set_attributes("alice", {"phone_number": "+49307654321"}, actor=alice)
        assert not (await world.directory.attributes_of(alice.id))["phone_number"].verified, "it is another number"
        await world.directory.set_attributes("alice", {"phone_number": None}, actor=alice)
        assert await world.directory.attributes_of(alice.id) == {}


async def test_nobody_changes_the_profile_of_others_without_the_permission():
    async with world_and_alice() as (world, alice):
        mallory = await world.actor("mallory")
        helper = await world.actor("desk", "idm_people_admins")
        for change in (
            world.directory.set_attributes("alice", {"nickname": "Al"}, actor=mallory),
            world.directory.add_ssh_key("alice", "laptop", key_line(), actor=mallory),
            world.directory.delete_ssh_key("alice", "laptop", actor=mallory),
        ):
            with pytest.raises(NotPermitted):
                await change
        with pytest.raises(BuiltIn):
            await world.directory.add_ssh_key("admin", "laptop", key_line(), actor=helper)
        assert await world.directory.ssh_keys_of(alice.id) == ()


async def test_refused_change_of_a_profile_is_recorded_and_tells_nobody_who_exists():
    async with world_and_alice() as (world, _alice):
        mallory = await world.actor("mallory")
        for who in ("alice", "nobody-here"):
            for change in (
                world.directory.set_attributes(who, {"nickname": "Al"}, actor=mallory),
                world.directory.add_ssh_key(who, "laptop", key_line(), actor=mallory),
                world.directory.delete_ssh_key(who, "laptop", actor=mallory),
            ):
                with pytest.raises(NotPermitted):
                    await change
        ((event, outcome, _), *_) = await world.events("person:alice")
        assert (event, outcome) == ("person.updated", "refused")


async def test_values_of_a_profile_are_in_no_audit_row():
    async with world_and_alice() as (world, alice):
        await world.directory.set_attributes("alice", {"birthdate": "1987-03-21"}, actor=alice)
        ((event, _, details), *_) = await world.events(f"person:{alice.id}")
        assert event == "person.updated"
        assert "birthdate" in details
        assert "1987" not in details


async def test_ssh_key_is_kept_without_its_comment_under_one_tag():
    async with world_and_alice() as (world, alice):
        await world.directory.add_ssh_key("alice", "laptop", key_line(), actor=alice)
        (key,) = await world.directory.ssh_keys_of(alice.id)
        assert (key.tag, key.public_key) == ("laptop", key_line(comment=""))
        with pytest.raises(Conflict, match="'laptop' already"):
            await world.directory.add_ssh_key("alice", "laptop", key_line(body=bytes(31) + b"1"), actor=alice)
        await world.directory.delete_ssh_key("alice", "laptop", actor=alice)
        with pytest.raises(NotFound, match="no SSH key 'laptop'"):
            await world.directory.delete_ssh_key("alice", "laptop", actor=alice)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 !!!",
        "ssh-dss " + key_line("ssh-dss").split()[1],
        "ssh-rsa " + key_line().split()[1],
        key_line(comment="")[:-8],
        'command="rm -rf /" ' + key_line(),
        key_line() + "\n" + key_line(),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA",
    ],
)
async def test_what_is_no_public_key_is_refused(text):
    async with world_and_alice() as (world, alice):
        with pytest.raises(InvalidInput):
            await world.directory.add_ssh_key("alice", "laptop", text, actor=alice)
        assert await world.directory.ssh_keys_of(alice.id) == ()
