"""The list of provisioners: stored ones, those of files, and what may be done with them."""

import json

import pytest
from sqlalchemy import select

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.audit import Event
from sealwright.ca.provisioners import (
    DefinitionRefused,
    ProvisionerExists,
    ProvisionerMissing,
    ProvisionerReadOnly,
    listed,
)
from sealwright.db import Statement
from sealwright.db.schema import provisioners as table
from sealwright.errors import InvalidInput, NotPermitted
from tests.authorities import signing_key
from tests.unit.ca.provisioners.test_definitions import KANIDM, jwk, oidc

STORED = Statement(select(table.c.definition, table.c.sealed_secret))


def write(ca, name, content):
    ca.directory.mkdir(exist_ok=True)
    (ca.directory / name).write_text(content if isinstance(content, str) else json.dumps(content))


async def names_listed(ca):
    return [provisioner.name for provisioner in await ca.provisioners.all()]


async def test_stored_provisioner_is_found_by_id_and_name(ca):
    added = await ca.provisioners.add(oidc(), SYSTEM)
    assert await ca.provisioners.find("c") == added
    assert await ca.provisioners.named("p") == added
    assert await ca.provisioners.named("c") == added
    assert await ca.provisioners.find("other") is None
    with pytest.raises(ProvisionerMissing, match="other"):
        await ca.provisioners.named("other")


async def test_json_text_can_be_added(ca):
    assert (await ca.provisioners.add(KANIDM, SYSTEM)).name == "kanidm"
    with pytest.raises(DefinitionRefused, match="line 1"):
        await ca.provisioners.add('{"type": "OIDC",}', SYSTEM)


async def test_client_secret_is_sealed_at_rest_and_listed_for_clients(ca):
    await ca.provisioners.add(oidc(clientSecret="very secret"), SYSTEM)
    ((definition, sealed),) = await ca.db.all(STORED)
    assert "very secret" not in definition
    assert b"very secret" not in sealed
    assert listed(await ca.provisioners.find("c"))["clientSecret"] == "very secret"
    events = await ca.audit.newest(ca.db, target="provisioner:c")
    assert [event.event for event in events] == [Event.PROVISIONER_ADDED]
    assert "very secret" not in events[0].details


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize(
    ("second", "taken"),
    [(oidc(clientID="other"), "name 'p'"), (oidc(name="other"), "id 'c'"), (jwk(name="p"), "name 'p'")],
)
async def test_name_and_id_are_unique_and_the_one_that_is_taken_is_told(ca, second, taken, in_file):
    if in_file:
        write(ca, "a.json", oidc())
        await ca.provisioners.reload()
    else:
        await ca.provisioners.add(oidc(), SYSTEM)
    with pytest.raises(ProvisionerExists, match=f"with the {taken} exists"):
        await ca.provisioners.add(second, SYSTEM)
    assert await names_listed(ca) == ["p"]


async def test_removed_provisioner_is_gone_at_once_and_the_removal_is_recorded(ca):
    await ca.provisioners.add(oidc(), SYSTEM)
    await ca.provisioners.find("c")
    await ca.provisioners.remove("p", SYSTEM)
    assert await ca.provisioners.find("c") is None
    events = await ca.audit.newest(ca.db, target="provisioner:c")
    assert [event.event for event in events] == [Event.PROVISIONER_REMOVED, Event.PROVISIONER_ADDED]
    with pytest.raises(ProvisionerMissing):
        await ca.provisioners.remove("p", SYSTEM)


async def test_changing_the_list_needs_the_permission(ca):
    reader = Actor("person", "1", "reader", Permissions(frozenset({Permission.PROVISIONER_READ})))
    with pytest.raises(NotPermitted, match="provisioner:write"):
        await ca.provisioners.add(oidc(), reader)
    await ca.provisioners.add(oidc(), SYSTEM)
    with pytest.raises(NotPermitted, match="provisioner:write"):
        await ca.provisioners.remove("p", reader)
    assert await names_listed(ca) == ["p"]


async def test_pages_follow_each_other_without_loss_while_the_list_changes(ca):
    write(ca, "b.json", [oidc(name="file 2", clientID="f2"), oidc(name="file 1", clientID="f1")])
    await ca.provisioners.reload()
    for number in range(7):
        await ca.provisioners.add(oidc(name=f"p{number}", clientID=f"c{number}"), SYSTEM)
    page = await ca.provisioners.page("", 3)
    assert [each.name for each in page.provisioners] == ["file 1", "file 2", "p0"]
    await ca.provisioners.remove("p0", SYSTEM)
    page = await ca.provisioners.page(page.next_cursor, 3)
    assert [each.name for each in page.provisioners] == ["p1", "p2", "p3"]
    await ca.provisioners.add(oidc(name="a late one", clientID="late"), SYSTEM)
    page = await ca.provisioners.page(page.next_cursor, 3)
    assert [each.name for each in page.provisioners] == ["p4", "p5", "p6"]
    page = await ca.provisioners.page(page.next_cursor, 3)
    assert ([each.name for each in page.provisioners], page.next_cursor) == (["a late one"], "")


async def test_page_that_is_just_full_is_the_last(ca):
    for number in range(2):
        await ca.provisioners.add(oidc(name=f"p{number}", clientID=f"c{number}"), SYSTEM)
    assert (await ca.provisioners.page("", 2)).next_cursor == ""


@pytest.mark.parametrize("cursor", ["zz", "0", "ff", "73", "7378787878787878787878", "78"])
async def test_foreign_cursor_is_refused(ca, cursor):
    with pytest.raises(InvalidInput, match="cursor"):
        await ca.provisioners.page(cursor, 2)


async def test_encrypted_key_is_found_by_the_id_of_the_key(ca):
    await ca.provisioners.add(jwk(encryptedKey="a.b.c.d.e"), SYSTEM)
    assert await ca.provisioners.encrypted_key(signing_key("jwk admin").id) == "a.b.c.d.e"
    with pytest.raises(ProvisionerMissing):
        await ca.provisioners.encrypted_key("other")


async def test_files_are_read_at_reload_and_cannot_be_changed_otherwise(ca):
    write(ca, "kanidm.json", KANIDM)
    write(ca, "notes.txt", "not a provisioner")
    assert await names_listed(ca) == []
    await ca.provisioners.reload()
    assert await names_listed(ca) == ["kanidm"]
    assert (await ca.provisioners.find("step-ca")).source == "kanidm.json"
    with pytest.raises(ProvisionerReadOnly, match=r"kanidm\.json"):
        await ca.provisioners.remove("kanidm", SYSTEM)
    with pytest.raises(ProvisionerExists, match=r"kanidm\.json"):
        await ca.provisioners.add(oidc(clientID="step-ca"), SYSTEM)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('{"type": "OIDC",\n "name": }', "line 2"),
        ('{"type": "OIDC", "type": "JWK"}', "member 'type' twice"),
        (oidc(clientid="x"), "clientid"),
        ([oidc(), oidc(name="q")], "id 'c'"),
        ([oidc(), oidc(clientID="d")], "name 'p'"),
        (b"\xff\xfe".decode("latin-1"), "not JSON"),
        ("[" * 100_000, "nested"),
        (" " * 1_000_001, "larger"),
    ],
)
async def test_wrong_file_is_refused_and_the_old_provisioners_stay(ca, content, named):
    write(ca, "a.json", oidc(name="old", clientID="old"))
    await ca.provisioners.reload()
    write(ca, "b.json", content)
    with pytest.raises(DefinitionRefused) as refusal:
        await ca.provisioners.reload()
    assert "b.json" in refusal.value.detail
    assert named in refusal.value.detail
    assert await names_listed(ca) == ["old"]
    (ca.directory / "b.json").unlink()
    await ca.provisioners.reload()


async def test_file_may_not_repeat_what_is_stored(ca):
    await ca.provisioners.add(oidc(), SYSTEM)
    write(ca, "a.json", oidc(name="q"))
    with pytest.raises(ProvisionerExists, match=r"a\.json"):
        await ca.provisioners.reload()
    write(ca, "a.json", oidc(clientID="d"))
    with pytest.raises(ProvisionerExists, match=r"a\.json"):
        await ca.provisioners.reload()
    assert await names_listed(ca) == ["p"]
