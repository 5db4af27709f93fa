"""Links by mail, end to end: settings, a running server, the command, an SMTP server, and the page that the link opens."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from demo.forms import Browser
from tests.live import ADMIN_PASSWORD, PERSON_PASSWORD, free_ports, live_server, wait_until
from tests.smtp_sink import smtp_sink

LINK = re.compile(r"https://localhost:\d+/(?:invitation|reset)/(\S+)")
SMTP_PASSWORD = "the-smtp-password-is-long-7"


def mail_settings(port):
    return {
        "mail.host": '"localhost"',
        "mail.port": str(port),
        "mail.from_address": '"id@example.org"',
        "mail.username": '"id"',
        "mail.password_file": '"smtp-password"',
        "mail.ca_file": '"mail-roots.pem"',
    }


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    with smtp_sink(tmp_path_factory.mktemp("sink"), tls="starttls", user=("id", SMTP_PASSWORD)) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory, sink):
    with live_server(tmp_path_factory.mktemp("mail"), set_up=False, settings={"workers": "2"}) as made:
        admin = made.file("admin-password", ADMIN_PASSWORD)
        made.sealwright("recover-account", "admin", "--dir", made.home, "--password-file", admin)
        made.sealwright("login", "-D", "admin", "--password-file", admin)
        set_mail(made, sink)
        yield made


def set_mail(server, sink):
    """Let a running server send, by SIGHUP."""
    server.file("home/smtp-password", SMTP_PASSWORD + "\n")
    (server.home / "mail-roots.pem").write_bytes(sink.ca_file.read_bytes())
    for key, value in mail_settings(sink.port).items():
        server.set(key, value)
    server.reload()


def doctor(server):
    """What doctor says: subject → (ok, detail)."""
    done = server.attempt("doctor", "--dir", server.home, "--output", "json")
    return {each["subject"]: (each["ok"], each["detail"]) for each in map(json.loads, done.stdout.splitlines())}


def test_invited_person_follows_the_link_of_the_mail_and_chooses_a_password(server, sink):
    done = server.attempt("person", "invite", "alice", "--mail", "alice@example.org", "--display-name", "Alice Example")
    assert done.returncode == 0, done.stderr
    assert "Sent to alice@example.org." in done.stderr
    taken = sink.taken[-1]
    assert (taken.recipient, taken.over_tls, taken.user) == ("alice@example.org", True, "id")
    assert taken.message["From"] == "Test <id@example.org>"
    link = LINK.search(taken.text)
    assert link is not None
    assert done.stdout.strip() == link[0]
    browser = Browser(server.root)
    page = browser.open(link[0])
    form = page.parsed().forms[0]
    fields = {name: PERSON_PASSWORD for name in form.fields if "password" in name}
    page = browser.submit(page, next(iter(form.buttons)), **fields)
    assert page.url.startswith(f"{server.people}/ui/"), page.title

    wait_until(lambda: '"event":"mail sent"' in server.log.read_text())
    with closing(sqlite3.connect(server.home / "sealwright.db")) as database:
        assert database.execute("SELECT count(*) FROM mail_outbox").fetchone() == (0,)
        events = database.execute("SELECT event, details FROM audit_events").fetchall()
    assert ("mail.sent", {"kind": "invitation", "to": "alice@example.org", "tries": 1}) in [
        (event, json.loads(details)) for event, details in events
    ]
    for place in (server.log.read_text(), repr(events)):
        assert link[1] not in place
        assert SMTP_PASSWORD not in place


def test_link_is_only_printed_where_no_mail_is_wanted(server, sink):
    before = len(sink.taken)
    done = server.attempt("person", "invite", "bob", "--mail", "bob@example.org", "--no-mail")
    assert LINK.fullmatch(done.stdout.strip())
    assert "Sent" not in done.stderr
    assert len(sink.taken) == before


def test_doctor_signs_in_to_the_smtp_server(server, sink):
    assert doctor(server)["mail"] == (True, f"localhost:{sink.port} answers, STARTTLS, signed in")
    server.file("home/smtp-password", "another\n")
    try:
        ok, detail = doctor(server)["mail"]
    finally:
        server.file("home/smtp-password", SMTP_PASSWORD + "\n")
    assert not ok
    assert "refused the user name id or its password: 535" in detail
    assert "another" not in detail


@pytest.fixture
def down(server, sink):
    """A port on which no SMTP server listens yet; the settings name it for one test."""
    (port,) = free_ports(1)
    server.set("mail.port", str(port))
    server.reload()
    yield port
    set_mail(server, sink)


def test_message_waits_while_the_smtp_server_is_down_and_is_sent_by_the_schedule(server, down, tmp_path):
    server.sealwright("person", "create", "dave", "Dave", "--mail", "dave@example.org")
    done = server.attempt("person", "reset", "dave")
    assert done.returncode == 0
    assert f"Queued: dave@example.org gets it once the SMTP server takes it. localhost:{down} cannot be used" in done.stderr
    link = LINK.search(done.stdout)
    assert link is not None
    found = doctor(server)
    assert not found["mail"][0]
    assert "1 message waits, the oldest since" in found["outbox"][1]
    assert "no one listens there" in found["outbox"][1]
    for name in ("sealwright.db", "sealwright.db-wal"):
        assert link[1].encode() not in (server.home / name).read_bytes()
    with smtp_sink(tmp_path, tls="starttls", user=("id", SMTP_PASSWORD), port=down) as up:
        assert up.ca_file is not None
        (server.home / "mail-roots.pem").write_bytes(up.ca_file.read_bytes())
        wait_until(lambda: up.taken, "the message")
        assert link[0] in up.taken[0].text
        assert '"event":"mail not sent yet"' in server.log.read_text()
        wait_until(lambda: "outbox" not in doctor(server), "the end of the outbox")
        assert len(up.taken) == 1


def test_secrets_of_mail_are_in_no_process_list(server):
    lists = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (server.process.pid, *server.workers())]
    assert all(SMTP_PASSWORD.encode() not in each for each in lists)


def test_settings_of_mail_that_cannot_be_used_change_nothing(server, sink):
    server.set("mail.password_file", '"none"')
    server.reload()
    assert "mail.password_file" in server.log.read_text().splitlines()[-1]
    server.set("mail.password_file", '"smtp-password"')
    server.reload()
    done = server.attempt("person", "invite", "carol", "--mail", "carol@example.org")
    assert "Sent to carol@example.org." in done.stderr
