"""Files of other servers at the terminal: read line by line, and anyone who is wrong is named."""

import base64
import hashlib
import json
from typing import Any

import argon2
import pytest

from sealwright.cli.people_files import EXTENSIONS, READERS, read_kanidm
from sealwright.cli.person_import import FORMATS
from sealwright.identity.foreign_hashes import stored_form, verify

CSV = """\
name,display_name,mail,password_hash,given_name
alice,Alice Example,alice@example.org a@example.org,,Alice
bob,"Example, Bob",,{SSHA512}HASH,
"""
SALT = b"saltsalt"
HASH = base64.b64encode(hashlib.sha512(b"velvet-orbit-canyon-97" + SALT).digest() + SALT).decode()
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
LDIF = f"""\
version: 1

# a comment
dn: uid=Alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: Alice
cn: Alice
displayName:: {base64.b64encode("Alice Exämple".encode()).decode()}
givenName: Alice
sn: Exa
 mple
mail: alice@example.org
telephoneNumber: +49 30 1234567
jpegPhoto:: /9j/4AAQ
userPassword:: {base64.b64encode(f"{{SSHA512}}{HASH}".encode()).decode()}
sshPublicKey: {KEY}

dn: cn=team,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: team
"""


def read_people(file) -> list[Any]:
    with file.open() as opened:
        return list(read_kanidm(opened))


def kanidm(*people):
    def entry(attributes):
        return {"ent": {"V3": {"changestate": {"V1Live": {}}, "attrs": attributes}}}

    return json.dumps({"version": "1.5.0", "db_s_uuid": "x", "entries": [entry(each) for each in people]})


def kanidm_person(name, credential, *, classes=("person", "account", "object")):
    return {
        "class": {"I8": list(classes)}, "name": {"N8": [name]}, "displayname": {"U8": [name.title()]},
        "mail": {"EM": [f"{name}@example.org", [f"{name}2@example.org", f"{name}@example.org"]]},
        "ssh_publickey": {"SK": [{"t": "my laptop", "d": KEY}]},
        "primary_credential": {"CR": [{"t": "primary", "d": {"type_": "V2Pw", "password": credential, "uuid": "x"}}]},
    }  # fmt: skip


@pytest.fixture
def admin(shell):
    shell.sign_in("root", "system_admins")
    return shell


def refused(admin, *arguments):
    done = admin.run("person", "import", *arguments)
    assert (done.code != 0, done.out) == (True, ""), done
    return done.err.splitlines()


def profile(admin, name):
    return admin.ok("person", "profile", name, "-o", "json").json


def test_csv_is_tried_and_imported(admin):
    file = admin.file("people.csv", CSV.replace("HASH", HASH))
    assert admin.ok("person", "import", file, "--dry-run").out == f"2 people can be imported from {file}.\n"
    assert admin.run("person", "get", "alice").code == 4
    assert admin.ok("person", "import", file, "-o", "json").json == {"people": 2, "dry_run": False}
    alice = admin.ok("person", "get", "alice", "-o", "json").json
    assert [(each["address"], each["verified"]) for each in alice["mails"]] == [
        ("alice@example.org", True),
        ("a@example.org", True),
    ]
    assert admin.ok("person", "get", "bob", "-o", "json").json["display_name"] == "Example, Bob"
    assert profile(admin, "alice")["attributes"] == {"given_name": "Alice"}


def test_ldif_is_imported_without_what_is_no_person(admin):
    file = admin.file("people.ldif", LDIF)
    assert admin.ok("person", "import", file, "--unverified-mail").out == f"Imported 1 person from {file}.\n"
    alice = admin.ok("person", "get", "alice", "-o", "json").json
    assert (alice["display_name"], alice["mails"][0]["verified"]) == ("Alice Exämple", False)
    found = profile(admin, "alice")
    assert found["attributes"] == {"given_name": "Alice", "family_name": "Example", "phone_number": "+49301234567"}
    assert found["ssh_public_keys"] == {"key1": KEY}


def test_export_of_kanidm_is_imported_with_every_kind_of_its_hashes(admin):
    key = hashlib.pbkdf2_hmac("sha256", b"word", b"sixteen bytes ok", 1000)
    file = admin.file(
        "kanidm.json",
        kanidm(
            kanidm_person("alice", {"PBKDF2": [1000, list(b"sixteen bytes ok"), list(key)]}),
            kanidm_person("bob", {"SSHA512": [list(SALT), list(hashlib.sha512(b"word" + SALT).digest())]}),
            kanidm_person("gone", {"NT_MD4": [1]}, classes=("person", "recycled")),
            {"class": {"I8": ["group"]}, "name": {"N8": ["team"]}},
        ),
    )
    alice, bob = read_people(file)
    assert verify(stored_form(alice["password_hash"]), b"word")
    assert verify(stored_form(bob["password_hash"]), b"word")
    assert admin.ok("person", "import", file).out == f"Imported 2 people from {file}.\n"
    found = admin.ok("person", "get", "alice", "-o", "json").json
    assert [each["address"] for each in found["mails"]] == ["alice@example.org", "alice2@example.org"]
    assert profile(admin, "alice")["ssh_public_keys"] == {"my_laptop": KEY}


def test_argon2_of_kanidm_is_read(admin):
    phc = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("word")
    salt, key = phc.split("$")[-2:]
    urlsafe = {"s": salt.replace("+", "-").replace("/", "_"), "k": key.replace("+", "-").replace("/", "_")}
    file = admin.file("kanidm.json", kanidm(kanidm_person("alice", {"ARGON2ID": {"m": 64, "t": 1, "p": 1, "v": 19, **urlsafe}})))
    (alice,) = read_people(file)
    assert verify(stored_form(alice["password_hash"]), b"word")


def test_every_wrong_line_is_named_with_what_to_do_and_no_one_is_imported(admin):
    admin.person("taken")
    file = admin.file(
        "people.csv",
        "name,display_name,mail,password_hash\n"
        "alice,Alice,alice@example.org,\n"
        "Bob,Bob,no-mail,hunter2\n"
        "short,line\n"
        "taken,Taken,,\n"
        "eve,Eve,ALICE@example.org,\n"
        "alice,Alice Again,,\n",
    )
    told = refused(admin, file)
    beginnings = [f"line {line}, {field}:" for line, field in ((3, "mail"), (3, "name"), (3, "password_hash"))]
    beginnings += ["line 4, line:", "line 5, name:", "line 6, mail:", "line 7, name:"]
    assert [each for each in beginnings if not any(each in line for line in told)] == []
    assert told[-1] == "  no one was imported"
    assert not any("hunter2" in line for line in told)
    assert admin.run("person", "get", "alice").code == 4


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "name,mail\n", "name and display_name must be among them"),
        ("a.csv", "name,display_name,emial\n", "column 'emial' is not known"),
        ("a.csv", "name,display_name,name\n", "twice"),
        ("a.csv", "", "name and display_name"),
        ("a.csv", "name,display_name\n", "there is no one"),
        ("a.csv", 'name,display_name\na,"b', "line 2, line: It is not CSV"),
        ("a.csv", b"name,display_name\n\xff", "not text in UTF-8"),
        ("a.ldif", "dn: x\nobjectClass: person\nuid a\n\n", "line 1, uid a: This line of the entry has no colon."),
        ("a.ldif", "dn: x\nchangetype: modify\nobjectClass: person\n", "line 1, changetype"),
        ("a.ldif", "dn: x\nobjectClass: person\nuserPassword:< file:///etc/passwd\n", "line 1, userPassword"),
        ("a.ldif", "dn: x\nobjectClass: person\nuid: a\nuserPassword: hunter2\n", "line 1, password_hash"),
        ("a.ldif", "\n" * 3 + "dn: x\nobjectClass: person\nuid:: %%%\n", "line 4, uid"),
        ("a.json", "[", "it is not JSON"),
        ("a.json", "{}", "it has no entries"),
        ("a.json", kanidm(kanidm_person("alice", {"NT_MD4": [1, 2]})), "line 1, password_hash"),
        ("a.json", kanidm(kanidm_person("alice", {"PBKDF2": "x"})), "line 1, primary_credential"),
        ("a.txt", "name", "ends in none of"),
    ],
)
def test_file_that_cannot_be_read_is_refused(admin, name, content, words):
    assert any(words in line for line in refused(admin, admin.file(name, content)))


def test_missing_file_is_told(admin):
    assert admin.run("person", "import", "none.csv").code == 4


def test_import_needs_the_permission(shell):
    shell.sign_in("mallory")
    done = shell.run("person", "import", shell.file("people.csv", CSV))
    assert (done.code, "person:write" in done.err) == (1, True)


def test_progress_of_a_long_file_is_told(admin):
    lines = "".join(f"p{n},P {n}\n" for n in range(1_001))
    done = admin.ok("person", "import", admin.file("people.csv", f"name,display_name\n{lines}"))
    assert "1000 people checked" in done.err
    assert "Imported 1001 people" in done.out


def test_formats_are_those_that_there_are_readers_for():
    assert set(FORMATS) == set(READERS) == set(EXTENSIONS.values())
