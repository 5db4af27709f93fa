"""`sealwright serve` as a process of its own: how it begins, what keeps it from beginning, and the first administrator."""

import json
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import threading
import time
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from demo.forms import Browser
from tests.interop.wire import line
from tests.live import ADMIN_PASSWORD, PATIENCE, PERSON_PASSWORD, TOOLS, LiveServer, run, wait_until


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home as `init` makes it, to be copied."""
    server = LiveServer.at(tmp_path_factory.mktemp("made"))
    server.init()
    return server


@pytest.fixture
def server(made, tmp_path):
    """A server that has never been started, on ports of its own."""
    fresh = LiveServer.at(tmp_path)
    shutil.copytree(made.home, fresh.home)
    for listener in ("people", "machines", "status"):
        fresh.set(f"listen.{listener}", f'"127.0.0.1:{getattr(fresh, f"{listener}_port")}"')
    yield fresh
    if fresh.process is not None:
        fresh.stop()


def line_number(server, key):
    lines = (server.home / "settings.toml").read_text().splitlines()
    return next(number for number, text in enumerate(lines, 1) if text.startswith(f"{key} = "))


def refused_start(server, *, exit_code=1):
    """What `serve` says on standard error, where it does not come up."""
    done = server.attempt("serve", "--dir", server.home)
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert not (server.home / "run" / "addresses.json").exists()
    return done.stderr


def holds_back(process, number):
    """Whether a signal of this number waits for as long as the process wants it to."""
    (blocked,) = (text for text in Path(f"/proc/{process.pid}/status").read_text().splitlines() if text.startswith("SigBlk:"))
    return int(blocked.split()[1], 16) >> (number - 1) & 1


def test_signal_to_reload_that_comes_while_it_starts_is_heeded_once_it_serves(server):
    starting = threading.Thread(target=server.start)
    starting.start()
    wait_until(lambda: server.process is not None and holds_back(server.process, signal.SIGHUP))
    server.process.send_signal(signal.SIGHUP)
    starting.join()
    assert '"level":"error"' not in server.wait_for_log(lambda text: '"event":"reload has finished"' in text)


def test_taken_port_is_told_with_who_has_it_and_where_to_choose_another(server):
    with socket.create_server(("127.0.0.1", server.machines_port)):
        told = refused_start(server)
    assert re.search(rf"https://127\.0\.0\.1:{server.machines_port} is taken by another program \(pid \d+, \S+\)\.", told)
    proposed = re.search(r'\[listen\] machines = "127\.0\.0\.1:(\d+)"', told)
    assert proposed is not None
    assert int(proposed[1]) not in {server.people_port, server.machines_port, server.status_port}
    assert f"{server.home}/settings.toml, line {line_number(server, 'machines')}" in told


def test_second_server_of_the_same_home_does_not_harm_the_first(server):
    server.start()
    done = server.attempt("serve", "--dir", server.home)
    assert done.returncode == 5
    assert f"Cannot start: a server of {server.home} is running already (pid {server.process.pid})." in done.stderr
    with line(server.machines, server.root) as opened:
        assert opened.send("GET", "/health").status == 200
    assert (server.home / "run" / "addresses.json").exists()  # by which commands on this machine find the first


def test_file_in_the_place_of_the_run_directory_is_told(server):
    shutil.rmtree(server.home / "run")
    (server.home / "run").write_text("")
    done = server.attempt("serve", "--dir", server.home)
    assert done.returncode == 1
    assert f"{server.home}/run must be a directory that the server may write to." in done.stderr


def test_missing_key_is_told_with_what_it_means(server):
    (server.home / "secrets" / "key-encryption.key").unlink()
    told = refused_start(server)
    assert f"Cannot start: the key-encryption key {server.home}/secrets/key-encryption.key is missing." in told
    assert "Bring the file back from your backup" in told


def test_key_that_others_can_read_is_refused(server):
    file = server.home / "secrets" / "key-encryption.key"
    file.chmod(0o644)
    told = refused_start(server)
    assert f"{file} can be read or changed by others (mode 0644)" in told
    assert f"Run: chmod 600 {file}" in told


def test_key_of_another_home_is_refused_in_words(server):
    file = server.home / "secrets" / "key-encryption.key"
    file.write_text("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n")
    told = refused_start(server)
    assert "he key-encryption key does not open a secret in the database" in told
    assert "Bring back the key that the server was made with: secrets/key-encryption.key from your backup" in told
    assert "signing_keys" not in told


def test_lost_database_is_told_and_no_empty_one_takes_its_place(server):
    for file in server.home.glob("sealwright.db*"):
        file.unlink()
    done = server.attempt("serve", "--dir", server.home)
    assert done.returncode == 5
    assert f"Cannot start: the database {server.home}/sealwright.db is missing.\n  Bring it back from your backup." in done.stderr
    recovered = server.attempt("recover-account", "admin", "--dir", server.home)
    assert (recovered.returncode, recovered.stdout) == (5, "")
    assert list(server.home.glob("sealwright.db*")) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[sessions]", '[sessions]\nidel = "1h"', 'sessions.idel = "1h" is not a setting'),
        ("[sessions]", '[sessions]\nidle = "soon"', 'sessions.idle = "soon" must be a duration'),
        ("[log]", '[log]\nlevel = "loud"', 'log.level = "loud" must be one of debug, info, warning, error'),
        ("[log]", "[log\n", "the file is not TOML"),
    ],
)
def test_wrong_setting_is_told_with_key_value_file_and_line(server, old, new, words):
    file = server.home / "settings.toml"
    text = file.read_text().replace(f"\n{old}\n", f"\n{new}\n", 1)
    file.write_text(text)
    wrong = new.splitlines()[-1] or "[log"
    number = text.splitlines().index(wrong) + 1
    told = refused_start(server)
    assert re.search(rf"{re.escape(str(file))}, line {number}: {re.escape(words)}", told), told


def test_unknown_setting_is_answered_with_the_nearest_one(server):
    text = (server.home / "settings.toml").read_text()
    (server.home / "settings.toml").write_text(text.replace("[sessions]", '[sessions]\nidel = "1h"', 1))
    assert "Perhaps sessions.idle was meant." in refused_start(server)


def test_directory_without_a_server_is_told_as_such(tmp_path):
    machine = LiveServer.at(tmp_path)
    machine.home.mkdir()
    done = machine.attempt("serve", "--dir", machine.home)
    assert done.returncode == 4
    assert f"Cannot start: there is no server in {machine.home}: settings.toml is missing." in done.stderr
    assert f"sealwright init --dir {machine.home}" in done.stderr


def test_failure_to_start_as_json_is_one_object(server):
    (server.home / "secrets" / "key-encryption.key").unlink()
    done = server.attempt("serve", "--dir", server.home, "--output", "json")
    assert json.loads(done.stderr)["error"]["detail"].startswith("The key-encryption key")


def test_provisioner_file_that_is_wrong_is_told_with_its_name(server):
    (server.home / "provisioners" / "kanidm.json").write_text('{\n"type": "OIDC",\n"name": "kanidm",,\n}')
    told = refused_start(server)
    assert "kanidm.json: it is not JSON: " in told
    assert "line 3" in told


def test_certificate_files_that_cannot_be_served_are_told(server):
    server.set("tls.certificate", '"server.crt"')
    server.set("tls.key", '"server.key"')
    assert f"{server.home}/server.crt cannot be read: No such file or directory." in refused_start(server)
    (server.home / "server.crt").write_text("no certificate")
    (server.home / "server.key").write_text("no key")
    told = refused_start(server)
    assert "Cannot start: the server certificate and its key cannot be read, or do not belong together: " in told
    assert f"{server.home}/server.crt, {server.home}/server.key.\n" in told
    assert "tls.key must hold its private key in PEM, without a password." in told


def test_certificate_is_served_from_the_files_that_the_settings_name(server):
    for name in ("first", "second"):
        (server.home / name).mkdir()
        certificate, key = server.home / name / "server.crt", server.home / name / "server.key"
        made = ("--profile", "self-signed", "--subtle", "--no-password", "--insecure", "--san", "localhost")
        command = [TOOLS / "step", "certificate", "create", "localhost", certificate, key, *made]
        run(command, environment=server.environment(), cwd=server.home)
        server.set("tls.certificate", f'"{name}/server.crt"')
        server.set("tls.key", f'"{name}/server.key"')
        server.start()
        for port in (server.people_port, server.machines_port):
            assert ssl.get_server_certificate(("localhost", port)).split() == certificate.read_text().split()
        server.stop()


@pytest.mark.parametrize(
    "damage", [lambda pem: pem[: pem.index(b"-----BEGIN PRIVATE KEY")], lambda pem: pem[:-60], lambda _: b""]
)
def test_own_certificate_that_is_damaged_is_made_anew(server, damage):
    server.start()
    server.stop()
    file = server.home / "run" / "server.pem"
    file.write_bytes(damage(file.read_bytes()))
    server.start()
    with line(server.machines, server.root) as opened:
        assert opened.send("GET", "/health").status == 200


# --- the first administrator ---


def links_in(text):
    return re.findall(r"https://\S+/welcome/\S+", text)


def filled_in(page):
    assert page.form_with("create").method == "post"
    return {
        "username": "alice",
        "display-name": "Alice Example",
        "mail": "alice@example.org",
        "password": PERSON_PASSWORD,
        "password-again": PERSON_PASSWORD,
    }


def test_first_start_prints_a_link_that_works_once(server):
    server.start()
    (link,) = links_in(server.wait_for_log(links_in))
    assert f"sealwright recover-account admin --dir {server.home}" in server.log.read_text()
    browser, late = Browser(server.root), Browser(server.root)
    page, late_page = browser.open(link), late.open(link)
    account = browser.submit(page, "create", **filled_in(page))
    assert account.url == f"{server.people}/ui/account"
    again = Browser(server.root).open(link)
    assert (again.status, again.title.split(" ·")[0]) == (410, "This link does not work any more")
    assert late.submit(late_page, "create", **filled_in(late_page)).status == 410
    server.file("alice-password", PERSON_PASSWORD)
    server.sealwright("login", "-D", "alice", "--password-file", "alice-password")
    assert "system_admins" in server.sealwright_json("whoami")["groups"]
    server.stop()
    server.log.write_text("")
    server.start()
    assert "welcome" not in server.wait_for_log(lambda text: "status " in text)


def test_script_can_open_the_first_link_from_json_output(server):
    server.start("--output", "json")
    told = json.loads(server.wait_for_log(lambda text: '"welcome"' in text).splitlines()[0])
    assert told["pid"] == server.process.pid
    assert told["urls"] == {"people": server.people, "machines": server.machines, "status": server.status}
    assert Browser(server.root).open(told["welcome"]["url"]).status == 200
    assert 3_500 < datetime.fromisoformat(told["welcome"]["not_after"]).timestamp() - time.time() <= 3_600


def test_link_ends_after_an_hour_and_with_the_next_start(server):
    server.start()
    (link,) = links_in(server.wait_for_log(links_in))
    assert Browser(server.root).open(link).status == 200
    with closing(sqlite3.connect(server.home / "sealwright.db", timeout=PATIENCE)) as opened, opened as database:
        ((created, expires),) = database.execute("SELECT created_at, expires_at FROM one_time_links").fetchall()
        assert expires - created == 3_600_000
        database.execute("UPDATE one_time_links SET expires_at = ?", (int(time.time() * 1000) - 1,))
    assert Browser(server.root).open(link).status == 410
    server.stop()
    server.start()
    first, second = links_in(server.wait_for_log(lambda text: len(links_in(text)) == 2))
    assert first != second
    assert Browser(server.root).open(first).status == 410
    assert Browser(server.root).open(second).status == 200


def test_link_is_in_no_log_line_and_its_secret_not_in_the_database(server):
    server.start()
    (link,) = links_in(server.wait_for_log(links_in))
    Browser(server.root).open(link)
    server.stop()
    secret = link.rpartition("/")[2]
    assert server.log.read_text().count(secret) == 1  # where it was announced
    for file in server.home.rglob("sealwright.db*"):
        assert secret.encode() not in file.read_bytes(), file


def test_account_is_recovered_again_and_again_also_while_the_server_runs(server):
    first = server.file("first", ADMIN_PASSWORD)
    server.sealwright("recover-account", "idm_admin", "--dir", server.home, "--password-file", first)
    server.start()
    server.sealwright("login", "-D", "idm_admin", "--password-file", first)
    assert server.sealwright_json("whoami")["account"]["name"] == "idm_admin"
    made_up = server.sealwright_json("recover-account", "idm_admin", "--dir", server.home)["password"]
    assert server.attempt("whoami").returncode == 3  # what the old password opened is closed
    assert server.attempt("login", "-D", "idm_admin", "--password-file", first).returncode in (1, 3)
    second = server.file("second", made_up)
    server.sealwright("login", "-D", "idm_admin", "--password-file", second)
    assert server.sealwright_json("whoami")["account"]["name"] == "idm_admin"


def test_account_that_does_not_exist_is_not_recovered(server):
    told = server.sealwright("recover-account", "nobody", "--dir", server.home, expect=4)
    assert "nobody" in told


def test_weak_password_is_not_accepted_in_a_recovery(server):
    weak = server.file("weak", "password1234")
    done = server.attempt("recover-account", "admin", "--dir", server.home, "--password-file", weak)
    assert done.returncode == 1
    assert "password1234" not in done.stdout + done.stderr


# --- systemd ---


@contextmanager
def heard(address):
    """What is told to a service manager, in order. It is read at once: who tells it does not wait for a reader."""
    told = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)

        def listen():
            while (message := systemd.recv(4096)) != b"over":
                told.append(message.decode())

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield told
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"over", address)
            listener.join()


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_of_start_reload_life_and_end(server, tmp_path, abstract):
    name = f"@sealwright-test-{server.people_port}" if abstract else str(tmp_path / "notify")
    with heard(f"\0{name[1:]}" if abstract else name) as told:
        server.more_environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"}
        server.start()
        wait_until(lambda: told and "WATCHDOG=1" in told[-1], "a sign of life")
        server.reload()
        server.stop()
    words = [each for each in told if each != "WATCHDOG=1"]
    assert [each.partition("\n")[0] for each in words] == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    assert words[0].startswith("READY=1\nSTATUS=Serving with ")
    assert re.search(r"\nMONOTONIC_USEC=\d+\n", words[1])
