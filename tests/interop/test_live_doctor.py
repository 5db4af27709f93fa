"""`sealwright doctor` on a sound home and on broken ones: it says what is wrong in words, and changes nothing."""

import json
import os
import re
import shutil
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.db.migrate import NEWEST
from tests.interop.wire import new_key, write_key
from tests.live import SEALWRIGHT, LiveServer, run


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A home that has been served once, so that it holds everything that a home can hold."""
    server = LiveServer.at(tmp_path_factory.mktemp("sound"))
    server.init()
    server.start()
    server.stop()
    return server


@pytest.fixture
def server(sound, tmp_path):
    copied = LiveServer.at(tmp_path)
    shutil.copytree(sound.home, copied.home)
    return copied


def examine(server):
    """What was found: subject → (ok, detail, hint)."""
    done = server.attempt("doctor", "--dir", server.home, "--output", "json")
    assert "Traceback" not in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == (0 if all(each["ok"] for each in found) else 1)
    return found


def wrong_in(found):
    return {each["subject"]: f"{each['detail']} {each['hint']}" for each in found if not each["ok"]}


def contents(server):
    return {path: path.read_bytes() for path in server.home.rglob("*") if path.is_file() and path.suffix != ".db-shm"}


def change(server, *statements):
    with closing(sqlite3.connect(server.home / "sealwright.db")) as opened, opened as database:
        for each in statements:
            assert database.execute(each).rowcount != 0


def test_sound_home(server):
    before = contents(server)
    found = examine(server)
    assert wrong_in(found) == {}
    assert [each["subject"] for each in found] == [
        "home", "settings", "key", "listeners", "database", "authorities", "authorities", "root file", "signing key",
        "server certificate", "provisioners", "provisioners", "audit",
    ]  # fmt: skip
    told = server.sealwright("doctor", "--dir", server.home)
    assert "Test Root CA, until " in told
    assert "sealwright signs any mail address that an account here has" in told
    assert re.search(r"\d+ entries in (1 chain|([2-9]|\d\d+) chains), unbroken", told)
    assert contents(server) == before


def test_home_of_a_running_server_is_sound(server):
    for listener in ("people", "machines", "status"):
        server.set(f"listen.{listener}", f'"127.0.0.1:{getattr(server, f"{listener}_port")}"')
    server.start()
    try:
        found = examine(server)
        assert wrong_in(found) == {}
        assert f"a server of this home is running (pid {server.process.pid})" in [each["detail"] for each in found]
    finally:
        server.stop()


def _write(name, content):
    return lambda server: (server.home / name).write_text(content)


def _remove(name):
    return lambda server: (server.home / name).unlink()


def _mode(name, mode):
    return lambda server: (server.home / name).chmod(mode)


def _setting(key, value):
    return lambda server: server.set(key, value)


def _rows(*statements):
    return lambda server: change(server, *statements)


def _all(*steps):
    return lambda server: [step(server) for step in steps]


def _certificate_files(name, *, days):
    """A certificate that someone else made, and the settings that name it."""

    def place(server):
        key = new_key()
        subject = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, name)])
        end = datetime.now(UTC) + timedelta(days=days)
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        made = made.serial_number(1).not_valid_before(end - timedelta(days=30)).not_valid_after(end)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        (server.home / "server.crt").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
        write_key(server.home / "server.key", key)
        server.set("tls.certificate", '"server.crt"')
        server.set("tls.key", '"server.key"')

    return place


BROKEN = {
    "no settings": (_remove("settings.toml"), "home", "settings.toml is missing. Bring the file back from your backup."),
    "others may write": (_mode(".", 0o777), "home", "can be changed by others (0777) Run: chmod go-w"),
    "settings are not TOML": (_write("settings.toml", "name = \n"), "settings", "settings.toml, line 1: the file is not TOML"),
    "unknown setting": (
        _write("settings.toml", 'nmae = "x"\n'),
        "settings",
        'nmae = "x" is not a setting. Perhaps name was meant.',
    ),
    "no file of roots": (
        _setting("outbound.ca_file", '"roots.pem"'),
        "settings",
        'outbound.ca_file = "roots.pem" cannot be read',
    ),
    "no key": (_remove("secrets/key-encryption.key"), "key", "is missing. Bring the file back from your backup"),
    "others may read the key": (_mode("secrets/key-encryption.key", 0o644), "key", "(mode 0644). Run: chmod 600"),
    "no key in the file": (_write("secrets/key-encryption.key", "secret\n"), "key", "does not hold a key"),
    "another key": (
        _write("secrets/key-encryption.key", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n"),
        "signing key",
        "it is another than that which sealed it, or the secret was changed. Bring back the key",
    ),
    "no database": (_remove("sealwright.db"), "database", "sealwright.db is missing. Bring it back from your backup."),
    "empty database": (_write("sealwright.db", ""), "database", "sealwright.db is empty. Bring it back from your backup."),
    "unfinished": (_write("init.unfinished", ""), "home", "it was never made to its end. Make it anew: sealwright init --dir"),
    "no database but a file": (_write("sealwright.db", "not a database " * 100), "database", "file is not a database"),
    "others may read the database": (
        _mode("sealwright.db", 0o644),
        "database",
        "sealwright.db can be read or changed by others (mode 0644) Run: chmod go= ",
    ),
    "newer schema": (_rows("UPDATE alembic_version SET version_num = '9999'"), "database", "Start a newer version of Sealwright"),
    "older schema": (
        _rows("UPDATE alembic_version SET version_num = '0000'"),
        "database",
        f"schema 0000, this program speaks {NEWEST} It is brought up to date at: sealwright serve",
    ),
    "database out of reach": (
        _setting("database_url", '"postgresql://sealwright:hidden@127.0.0.1:1/none"'),
        "database",
        "The database cannot be used: ",
    ),
    "no authorities": (
        _rows("PRAGMA foreign_keys = OFF", "DELETE FROM issuers"),
        "authorities",
        "The database holds no issuing CA. Bring the database back from your backup.",
    ),
    "authority has expired": (
        _rows("UPDATE issuers SET not_after = 1000000000000 WHERE name = 'Test Issuing CA 1'"),
        "authorities",
        "Test Issuing CA 1 expired on 09 Sep 2001",
    ),
    "no root file": (_remove("certs/root_ca.crt"), "root file", "cannot be read Fetch it: step ca root"),
    "another root file": (
        lambda server: shutil.copy(server.home / "certs" / "issuing_ca.crt", server.home / "certs" / "root_ca.crt"),
        "root file",
        "is not the root of this database",
    ),
    "certificate file is missing": (
        _all(_setting("tls.certificate", '"server.crt"'), _setting("tls.key", '"server.key"')),
        "server certificate",
        "server.crt cannot be read: No such file or directory.",
    ),
    "certificate file is none": (
        _all(
            _setting("tls.certificate", '"server.crt"'),
            _setting("tls.key", '"server.key"'),
            _write("server.crt", "x"),
            _write("server.key", "x"),
        ),
        "server certificate",
        "cannot be read, or do not belong together",
    ),
    "certificate is for another host": (
        _certificate_files("id.example.org", days=9),
        "server certificate",
        "not for 127.0.0.1, localhost",
    ),
    "certificate has expired": (_certificate_files("localhost", days=-1), "server certificate", "it was valid until"),
    "broken provisioner file": (_write("provisioners/kanidm.json", "{"), "provisioners", "kanidm.json: it is not JSON: "),
    "audit row changed": (
        _rows("UPDATE audit_events SET outcome = 'refused' WHERE sequence = 2"),
        "audit",
        "Compare the database with a backup",
    ),
    "audit row removed": (_rows("DELETE FROM audit_events WHERE sequence = 2"), "audit", "Compare the database with a backup"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_home(server, kind):
    breaking, subject, words = BROKEN[kind]
    breaking(server)
    before = contents(server)
    wrong = wrong_in(examine(server))
    assert list(wrong) == [subject]
    assert words in wrong[subject]
    assert "hidden" not in wrong[subject]
    assert contents(server) == before


def test_taken_port_is_told_with_who_has_it(server):
    with socket.create_server(("127.0.0.1", server.people_port)):
        server.set("listen.people", f'"127.0.0.1:{server.people_port}"')
        wrong = wrong_in(examine(server))
    assert list(wrong) == ["listeners"]
    assert f"https://127.0.0.1:{server.people_port} is taken by another program (pid " in wrong["listeners"]
    assert 'Choose another with  [listen] people = "127.0.0.1:' in wrong["listeners"]


def test_address_of_another_machine_is_not_called_taken(server):
    server.set("listen.machines", '"192.0.2.1:21544"')
    wrong = wrong_in(examine(server))
    assert list(wrong) == ["listeners"]
    assert "https://192.0.2.1:21544 is not an address of this machine." in wrong["listeners"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone without privileges")
def test_port_that_only_the_service_may_take_is_not_called_wrong(server):
    server.set("listen.people", '"127.0.0.1:443"')
    bounding = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]
    command = [*bounding, SEALWRIGHT, "doctor", "--dir", server.home]
    done = run(command, environment=server.environment(), cwd=server.place)
    if Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip() != "0":
        assert "https://127.0.0.1:443 needs a privilege that this program does not have" in done.stdout
    assert done.returncode == 0, done.stdout


def test_home_that_does_not_exist(tmp_path):
    machine = LiveServer.at(tmp_path)
    done = machine.attempt("doctor", "--dir", machine.home)
    assert done.returncode == 1
    assert f"There is no server in {machine.home}" in done.stdout
    assert not machine.home.exists()
