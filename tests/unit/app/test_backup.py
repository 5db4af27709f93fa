"""Backups of a home directory: what is in them, what is refused, and that a restore is whole or nothing."""

import asyncio
import io
import sqlite3
import stat
import tarfile
from contextlib import closing
from types import MappingProxyType

import msgspec
import pytest

from sealwright.app.archive import BackupRefused, NewArchive, entries, verified
from sealwright.app.backup import LEFT_OUT, check_backup, create_backup, restore_backup
from sealwright.app.doctor import examine
from sealwright.app.home import Home, HomeRefused
from sealwright.app.init import found
from sealwright.ca import IssuerUnusable
from sealwright.cli.server_side import InitOptions
from sealwright.db.dump import DatabaseTaken, RowsRefused
from sealwright.db.errors import SchemaTooNew
from sealwright.db.migrate import NEWEST
from sealwright.db.schema import metadata
from sealwright.errors import Conflict, NotFound, Refused
from sealwright.keys import KEY_FILE, KeyFileRefused


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("made") / "home"
    found(InitOptions(place, {"name": "Example"}, "first", "the-password-is-long-9", defaults="sealwright"))
    return place


@pytest.fixture(scope="module")
def backup(home, tmp_path_factory):
    target = tmp_path_factory.mktemp("backups") / "whole.backup"
    create_backup(home, target, with_key=True)
    return target


def rows(home, table, order="1"):
    with closing(sqlite3.connect(home / "sealwright.db")) as database:
        return database.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()


def audited_up_to_the_backup(home):
    """Entries of the home's record, without those of backups that were made later."""
    found = rows(home, "audit_events", "at, sequence")
    (first, *_) = [at for at, row in enumerate(found) if "backup.created" in row]
    return set(found[: first + 1])


def nothing_left(tmp_path, but=()):
    return sorted(each.name for each in tmp_path.iterdir()) == sorted(but)


def test_restored_home_holds_the_same_and_is_sound(home, backup, tmp_path):
    restore_backup(tmp_path / "again", backup, None)
    for name in ("settings.toml", "certs/root_ca.crt", "certs/issuing_ca.crt", str(KEY_FILE)):
        assert (tmp_path / "again" / name).read_bytes() == (home / name).read_bytes()
        assert (tmp_path / "again" / name).stat().st_mode == (home / name).stat().st_mode
    for table in ("issuers", "signing_keys", "provisioners", "accounts", "groups", "role_grants"):
        assert rows(tmp_path / "again", table) == rows(home, table) != []
    assert audited_up_to_the_backup(home) <= set(rows(tmp_path / "again", "audit_events"))
    assert [each.detail for each in asyncio.run(examine(Home(tmp_path / "again"))) if not each.ok] == []


def test_backup_is_for_its_owner_only_and_never_replaces_a_file(home, backup):
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert nothing_left(backup.parent, [backup.name])
    content = backup.read_bytes()
    with pytest.raises(Conflict, match="exists already"):
        create_backup(home, backup, with_key=False)
    assert backup.read_bytes() == content


def test_file_that_someone_left_where_a_backup_is_written_gets_nothing_of_it(home, tmp_path):
    with (tmp_path / ".b.part").open("w+b") as waiting:
        create_backup(home, tmp_path / "b", with_key=True)
        assert waiting.read() == b""
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert nothing_left(tmp_path, [".b.part", "b"])


def test_key_is_in_a_backup_only_where_it_was_asked_for_and_else_must_be_given(home, tmp_path):
    report = create_backup(home, tmp_path, with_key=False)
    assert report.key_file == home / KEY_FILE
    key = (home / KEY_FILE).read_bytes().strip()
    with tarfile.open(report.file) as archive:
        contents = {each.name: archive.extractfile(each).read() for each in archive}
    assert not any(key in content for content in contents.values())
    again = tmp_path / "again"
    with pytest.raises(Refused, match="not in this backup"):
        restore_backup(again, report.file, None)
    (tmp_path / "wrong").write_bytes(b"A" * 43 + b"=")
    with pytest.raises(KeyFileRefused, match="is not that of the server in the backup"):
        restore_backup(again, report.file, tmp_path / "wrong")
    assert not again.exists()
    restore_backup(again, report.file, home / KEY_FILE)
    assert (again / KEY_FILE).read_bytes() == (home / KEY_FILE).read_bytes()


@pytest.mark.parametrize("part", [0.0, 0.001, 0.2, 0.5, 0.9, 0.999])
def test_backup_that_was_cut_off_is_refused_and_leaves_nothing(backup, tmp_path, part):
    cut = tmp_path / "cut"
    cut.write_bytes(backup.read_bytes()[: int(backup.stat().st_size * part)])
    for use in (check_backup, lambda file: restore_backup(tmp_path / "again", file, None)):
        with pytest.raises(BackupRefused, match=str(cut)):
            use(cut)
    assert nothing_left(tmp_path, ["cut"])


def rewritten(backup, target, change):
    """A backup whose entries are other ones: `change` gets them, by name, and answers what is in the file instead."""
    with tarfile.open(backup) as archive:
        contents = change({each.name: archive.extractfile(each).read() for each in archive})
    with tarfile.open(target, "w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target


CHANGES = {
    "row": lambda held: {**held, "tables/accounts": held["tables/accounts"].replace(b"idm_admin", b"idm_zdmin")},
    "settings": lambda held: {**held, "home/settings.toml": held["home/settings.toml"] + b"\n"},
    "table left out": lambda held: {name: content for name, content in held.items() if name != "tables/groups"},
    "file added": lambda held: {"home/provisioners/more.json": b"{}", **held},
    "manifest": lambda held: {**held, "manifest.json": held["manifest.json"].replace(b"Example", b"Ezample")},
    "no manifest": lambda held: {name: content for name, content in held.items() if not name.startswith("manifest")},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_backup_that_was_changed_is_refused_and_leaves_nothing(backup, tmp_path, change):
    other = rewritten(backup, tmp_path / "other", change)
    with pytest.raises(BackupRefused):
        check_backup(other)
    with pytest.raises(BackupRefused):
        restore_backup(tmp_path / "again", other, None)
    assert nothing_left(tmp_path, ["other"])


def made_anew(backup, target, *, settings=None, more=MappingProxyType({}), without="", **changes):
    """A sound backup that says other things of itself, holds other settings, or has more entries in it."""
    with backup.open("rb") as stream, target.open("wb") as made:
        manifest = verified(stream, "whole")
        archive = NewArchive(made, manifest.made_at)
        for name, content in entries(stream):
            if name != without:
                archive.add_content(name, settings if settings and name == "home/settings.toml" else content.read())
        for name, told in dict(more).items():
            archive.add_content(name, told)
        archive.finish(msgspec.structs.replace(manifest, digests=archive.digests, **changes))
    return target


@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        ({"format": 2, "version": "9.1"}, BackupRefused, "made by Sealwright 9.1 in format 2"),
        ({"schema": "9999"}, SchemaTooNew, f"has schema 9999; this program knows schemas up to {NEWEST}"),
    ],
)
def test_backup_of_a_newer_version_is_refused_by_name_and_leaves_nothing(backup, tmp_path, changes, kind, told):
    newer = made_anew(backup, tmp_path / "newer", **changes)
    with pytest.raises(kind, match=told):
        restore_backup(tmp_path / "again", newer, None)
    assert nothing_left(tmp_path, ["newer"])


@pytest.mark.parametrize(
    "name",
    ["/etc/x", "home/../../x", "home/{}/x", "home/./x", "home//x", "home/x/", "home/\0", "home", "tables/a/b", "elsewhere/x"],
)
def test_entry_that_could_be_written_elsewhere_is_refused_though_the_backup_says_that_it_holds_it(backup, tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    other = made_anew(backup, tmp_path / "other", more={name.format(outside): b"evil"})
    with pytest.raises(BackupRefused, match="which no backup has"):
        check_backup(other)
    with pytest.raises(BackupRefused, match="which no backup has"):
        restore_backup(tmp_path / "again", other, None)
    assert nothing_left(tmp_path, ["other", "outside"])
    assert nothing_left(outside)


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("nope", b'[["id",false]]\n["1"]\n'),
        ("alembic_version", b'[["version_num",false]]\n["9999"]\n'),
        ("sqlite_master", b'[["name",false]]\n["x"]\n'),
        ("groups", b""),
        ("groups", b"evil"),
        ("groups", b'[["nope",false]]\n["1"]\n'),
        ("groups", b'[["id",false]]\n["1","2"]\n'),
        ("groups", b'[["id",false]]\n["1"]\n'),
        ("groups", b'[["id",true]]\n["\xc3\xa4"]\n'),
    ],
)
def test_rows_that_no_backup_holds_are_refused_in_words_and_leave_nothing(backup, tmp_path, table, lines):
    other = made_anew(backup, tmp_path / "other", more={f"tables/{table}": lines}, without=f"tables/{table}")
    with pytest.raises(RowsRefused, match=table):
        restore_backup(tmp_path / "again", other, None)
    assert nothing_left(tmp_path, ["other"])


def test_backup_whose_authority_cannot_sign_leaves_nothing_in_the_database(backup, tmp_path):
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    with backup.open("rb") as stream:
        (issuers,) = [content.read() for name, content in entries(stream) if name == "tables/issuers"]
    no_rows = {"tables/issuers": issuers.partition(b"\n")[0] + b"\n"}
    settings = f'database_url = "{url}"\n'.encode()
    other = made_anew(backup, tmp_path / "other", settings=settings, more=no_rows, without="tables/issuers")
    with pytest.raises(IssuerUnusable, match="holds no issuing CA"):
        restore_backup(tmp_path / "again", other, None)
    assert not (tmp_path / "again").exists()
    with closing(sqlite3.connect(tmp_path / "elsewhere.db")) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_entry_that_stands_twice_or_is_a_link_is_refused(backup, tmp_path):
    twice = made_anew(backup, tmp_path / "twice", more={"home/settings.toml": b""})
    with pytest.raises(BackupRefused, match=r"'home/settings\.toml' twice"):
        check_backup(twice)
    with tarfile.open(tmp_path / "link", "w:gz") as archive:
        entry = tarfile.TarInfo("home/settings.toml")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(BackupRefused, match="which no backup has"):
        check_backup(tmp_path / "link")


def test_what_is_there_is_never_replaced(home, backup, tmp_path):
    with pytest.raises(HomeRefused, match="holds a server already"):
        restore_backup(home, backup, None)
    (tmp_path / "thesis.txt").write_text("a year's work")
    with pytest.raises(HomeRefused, match="is not empty"):
        restore_backup(tmp_path, backup, None)
    assert nothing_left(tmp_path, ["thesis.txt"])


def test_database_that_is_not_empty_is_left_as_it_is_and_no_home_is_made(home, backup, tmp_path):
    held = rows(home, "accounts")
    elsewhere = tmp_path / "elsewhere"
    settings = f'database_url = "sqlite:///{home}/sealwright.db"\n'.encode()
    pointed = made_anew(backup, tmp_path / "pointed", settings=settings)
    with pytest.raises(DatabaseTaken):
        restore_backup(elsewhere, pointed, None)
    assert not elsewhere.exists()
    assert rows(home, "accounts") == held


def test_file_that_is_not_there_or_no_backup_is_told_as_such(tmp_path):
    with pytest.raises(NotFound, match="There is no file"):
        check_backup(tmp_path / "nothing")
    (tmp_path / "text").write_text("not a backup")
    with pytest.raises(BackupRefused, match="is not a backup"):
        check_backup(tmp_path / "text")


def test_every_table_is_in_a_backup_or_named_as_left_out(backup):
    with backup.open("rb") as stream:
        assert set(verified(stream, "whole").rows) | LEFT_OUT == set(metadata.tables)


def test_no_row_of_a_backup_refers_to_one_that_is_left_out():
    broken = [
        f"{table.name}.{key.parent.name}"
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if table.name not in LEFT_OUT and key.column.table.name in LEFT_OUT
    ]
    assert broken == []
