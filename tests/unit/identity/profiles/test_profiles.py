"""Attributes and SSH keys: their forms, and who may set them."""

import base64
from contextlib import asynccontextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.errors import Conflict, InvalidInput, NotFound, NotPermitted
from sealwright.identity.errors import BuiltIn
from sealwright.identity.profiles.ssh_keys import check_public_key
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


async def test_no_one_changes_the_profile_of_others_without_the_permission():
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


async def test_refused_change_of_a_profile_is_recorded_and_tells_no_one_who_exists():
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


def line_of(kind, *fields):
    blob = b"".join(len(field).to_bytes(4) + field for field in (kind.encode(), *fields))
    return f"{kind} {base64.b64encode(blob).decode()}"


def openssh(key):
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


EC_LINE = openssh(ec.generate_private_key(ec.SECP256R1()))
EC_POINT = base64.b64decode(EC_LINE.split()[1])[-65:]
RSA_LINE = openssh(rsa.generate_private_key(65537, 2048))


@pytest.mark.parametrize(
    "line",
    [
        EC_LINE,
        openssh(ec.generate_private_key(ec.SECP384R1())),
        openssh(ec.generate_private_key(ec.SECP521R1())),
        openssh(ed25519.Ed25519PrivateKey.generate()),
        RSA_LINE,
        line_of("sk-ssh-ed25519@openssh.com", bytes(range(32)), b"ssh:"),
        line_of("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", EC_POINT, b"ssh:"),
    ],
    ids=lambda line: line.split()[0],
)
def test_strong_key_of_every_type_is_taken(line):
    assert check_public_key(f"{line} someone@somewhere") == line


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (openssh(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (openssh(rsa.generate_private_key(3, 2048)), "exponent 3"),
        (line_of("ssh-rsa", b"\x01\x00\x01", b"\x00" + bytes([0xFF]) * 256), "broken"),
        (line_of("ssh-rsa", b"\x01\x00\x01", bytes([0xFF]) * 256), "negative"),
        (line_of("ecdsa-sha2-nistp256", b"nistp384", EC_POINT), "another curve"),
        (line_of("ecdsa-sha2-nistp384", b"nistp384", EC_POINT), "malformed"),
        (line_of("ecdsa-sha2-nistp256", b"nistp256", EC_POINT[:-1] + bytes([EC_POINT[-1] ^ 1])), "malformed"),
        (line_of("ecdsa-sha2-nistp256", b"nistp256", EC_POINT[:-2]), "malformed"),
        (line_of("ecdsa-sha2-nistp256", b"nistp256", bytes([2]) + EC_POINT[1:33]), "not whole"),
        (line_of("ssh-ed25519", bytes(31)), "malformed"),
        (line_of("ssh-ed25519", bytes(32), b"more"), "not a whole key"),
        (line_of("sk-ssh-ed25519@openssh.com", bytes(32)), "not a whole key"),
    ],
)
def test_weak_or_mismatched_key_is_refused_with_the_reason(line, why):
    with pytest.raises(InvalidInput) as refusal:
        check_public_key(line)
    assert why in refusal.value.reasons[0]
