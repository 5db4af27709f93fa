"""How the commands look that run on a server's machine. What they do is tested with the server."""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sealwright import __version__
from sealwright.errors import Unavailable

FINGERPRINT = "4f1e07aa" * 8


@dataclass
class Report:
    home: Path
    root_name: str = "Example Root CA"
    root_key: str = "EC P-256"
    root_until: datetime = datetime(2036, 11, 22, tzinfo=UTC)
    root_fingerprint: str = FINGERPRINT
    issuing_name: str = "Example Issuing CA 1"
    issuing_until: datetime = datetime(2031, 11, 22, tzinfo=UTC)
    machines_url: str = "https://localhost:9443"
    provisioner: str | None = None
    sign_in: str | None = "sealwright"

    @property
    def settings_file(self) -> Path:
        return self.home / "settings.toml"


@dataclass
class Finding:
    subject: str
    detail: str
    hint: str = ""
    ok: bool = False


@dataclass
class Serving:
    home: Path
    database: str = "SQLite"
    workers: int = 1
    people: str = "https://localhost:8443"
    welcome: str | None = None
    welcome_until: datetime | None = None

    @property
    def urls(self) -> dict[str, str]:
        return {"people": self.people, "machines": "https://localhost:9443", "status": "http://localhost:8080"}


@dataclass
class Scripted:
    calls: list[Any] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    serving: Serving | None = None

    def init(self, options):
        self.calls.append(options)
        return Report(options.home, provisioner=options.provisioner, sign_in=options.defaults)

    def serve(self, home, tell):
        if self.serving is not None:
            tell(self.serving)
            return
        raise Unavailable("https://localhost:8443 is taken by another program (pid 4117, nginx).")

    def doctor(self, home):
        self.calls.append(home)
        return self.findings

    def recover_account(self, home, name, password, end_certificates):
        self.calls.append((home, name, password, end_certificates))
        return password or "made-up-7", 2 if end_certificates else 0

    def export_root_key(self, home, directory):
        self.calls.append((home, directory))
        return directory / "root_ca.key"


@pytest.fixture
def machine(shell):
    shell.server_side = Scripted()
    shell.environ["SEALWRIGHT_HOME"] = str(shell.place / "user" / "sealwright")
    return shell


def test_what_was_made_is_shown_with_what_comes_next(machine):
    done = machine.ok("init", "--name", "Example", tty=True)
    assert done.out.replace("\x1b[32m✔\x1b[0m", "✔") == (
        "✔ Home         ~/sealwright\n"
        "✔ Root         Example Root CA, EC P-256, until 22 Nov 2036\n"
        f"               SHA-256 {FINGERPRINT}\n"
        f"               step ca bootstrap --ca-url https://localhost:9443 --fingerprint {FINGERPRINT}\n"
        "✔ Issuing CA   Example Issuing CA 1, until 22 Nov 2031\n"
        "✔ Sign-in      sealwright (OIDC), for: sealwright certificate issue\n"
        "✔ Settings     ~/sealwright/settings.toml\n"
        "\n"
        "Next: sealwright serve\n"
        "The root's key is not needed to issue certificates. When all works, take it off this machine:\n"
        "  sealwright issuer export-root-key --to /media/usb/\n"
    )


def test_what_belongs_to_a_line_stands_below_its_text_without_a_terminal_too(machine):
    lines = machine.ok("init", "--name", "Example").out.splitlines()
    assert lines[1:3] == ["Root         Example Root CA, EC P-256, until 22 Nov 2036", f"             SHA-256 {FINGERPRINT}"]


def test_flags_of_init_arrive(machine):
    password = machine.file("pw", "correct horse\n")
    done = machine.ok(
        *("init", "--dir", machine.place / "h", "--name", "X", "--dns", "a.example.org", "--dns", "10.0.0.1"),
        *("--people", "0.0.0.0:443", "--machines", "[::1]:9000", "--status", "localhost:80"),
        *("--provisioner", "first", "--provisioner-password-file", password, "--output", "json"),
    )
    (options,) = machine.server_side.calls
    assert options.home == machine.place / "h"
    assert options.settings == {
        "name": "X",
        "dns_names": ("a.example.org", "10.0.0.1"),
        "listen.people": "0.0.0.0:443",
        "listen.machines": "[::1]:9000",
        "listen.status": "localhost:80",
    }
    assert (options.provisioner, options.provisioner_password, options.defaults) == ("first", "correct horse", "sealwright")
    assert done.json["root"]["fingerprint"] == FINGERPRINT
    assert "correct horse" not in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--people", "99999"), '--people "99999" must be HOST:PORT with a port from 1 to 65535.'),
        (("--name", "x" * 41), f'--name "{"x" * 41}" must have 1 to 40 characters.'),
        (("--name", ""), '--name "" must have 1 to 40 characters.'),
        (
            ("--dns", "id.example.org", "--dns", "EXAMPLE.org."),
            '--dns holds "EXAMPLE.org.", which ends with a dot; write it without.',
        ),
        (
            ("--dns", "not a host"),
            '--dns holds "not a host", which may only contain letters, digits, hyphens and dots.',
        ),
        (("--dns", "id_server"), '--dns holds "id_server", which contains an underscore, which a host name may not have.'),
        (("--dns", "node.1"), '--dns holds "node.1", which ends in a number and could be taken for an address.'),
        (("--dns", "0.0.0.0"), '--dns holds "0.0.0.0", which is not the address of one machine.'),
        (("--people", "my-host-.example:1"), '--people "my-host-.example:1" has a label that begins or ends with a hyphen.'),
        (("--people", "localhost:1", "--status", "localhost:1"), '--status "localhost:1" is the address of --people too.'),
        (("--people", "localhost:8080"), '--status "localhost:8080" is the address of --people too.'),
    ],
)
def test_value_of_init_that_cannot_be_used_is_told_by_its_flag(machine, arguments, words):
    done = machine.run("init", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Wrong usage: {words}\n  See: sealwright init --help\n"
    assert machine.server_side.calls == []


def test_init_leaves_the_defaults_out_where_that_is_asked_for(machine):
    done = machine.ok("init", "--no-defaults")
    assert machine.server_side.calls[0].defaults is None
    assert "Sign-in" not in done.out


def test_first_provisioner_cannot_have_the_name_of_the_default_one(machine):
    done = machine.run(
        "init", "--provisioner", "sealwright", "--provisioner-password-file", machine.file("pw", "correct horse\n")
    )
    assert (done.code, machine.server_side.calls) == (2, [])
    assert "--no-defaults" in done.err


def test_init_asks_nothing_where_there_is_no_terminal(machine):
    done = machine.run("init", "--provisioner", "first")
    assert done.code == 2
    assert "--provisioner-password-file FILE" in done.err
    assert machine.server_side.calls == []
    done = machine.run("init", "--provisioner-password-file", "x")
    assert (done.code, "goes with --provisioner" in done.err) == (2, True)


def test_failure_to_start_is_told_as_such(machine):
    done = machine.run("serve", tty=True, environ={"NO_COLOR": "1"})
    assert done.code == 1
    assert done.err == "✘ Cannot start: https://localhost:8443 is taken by another program (pid 4117, nginx).\n"


def test_server_tells_its_addresses_below_each_other_and_how_the_first_administrator_is_made(machine):
    welcome = "https://identity.example.org:8443/welcome/kR3v"
    home = machine.place / "user" / "sealwright"
    machine.server_side.serving = Serving(home, people="https://identity.example.org:8443", welcome=welcome)
    assert machine.ok("serve").out == (
        f"Sealwright {__version__} · SQLite · 1 worker\n"
        "  people     https://identity.example.org:8443  sign in, pages, API\n"
        "  machines   https://localhost:9443             step and other machines\n"
        "  status     http://localhost:8080              health, certificates of the authorities\n"
        f"No administrator yet. Open within an hour: {welcome}\n"
        "  or set a password here: sealwright recover-account admin --dir ~/sealwright\n"
        "Browsers warn until they trust the root of this server. How: https://identity.example.org:8443/trust\n"
        "  Its fingerprint: sealwright root --dir ~/sealwright\n"
    )


def test_commands_that_come_next_can_be_pasted_into_a_shell(machine):
    home = machine.place / "user" / "my ü"
    done = machine.ok("init", "--dir", home)
    assert f"Next: sealwright serve --dir '{home}'\n" in done.out
    assert f"  sealwright issuer export-root-key --dir '{home}' --to /media/usb/\n" in done.out
    machine.server_side.serving = Serving(home, welcome="https://localhost:8443/welcome/kR3v")
    out = machine.ok("serve").out
    assert f"sealwright recover-account admin --dir '{home}'\n" in out
    assert out.endswith(f"sealwright root --dir '{home}'\n")


@pytest.mark.parametrize("arguments", [("serve", "--output", "json"), ("-o", "json", "serve")])
def test_script_reads_addresses_and_the_welcome_link_from_one_object(machine, arguments):
    home = machine.place / "user" / "sealwright"
    until = datetime(2026, 11, 22, 18, 4, tzinfo=UTC)
    machine.server_side.serving = Serving(home, workers=2, welcome="https://localhost:8443/welcome/kR3v", welcome_until=until)
    done = machine.ok(*arguments)
    assert done.err == ""
    assert done.json == {
        "version": __version__,
        "home": str(home),
        "database": "SQLite",
        "workers": 2,
        "pid": os.getpid(),
        "urls": {"people": "https://localhost:8443", "machines": "https://localhost:9443", "status": "http://localhost:8080"},
        "welcome": {"url": "https://localhost:8443/welcome/kR3v", "not_after": "2026-11-22T18:04:00+00:00"},
    }
    machine.server_side.serving = Serving(home)
    assert machine.ok(*arguments).json["welcome"] is None


def test_doctor_tells_what_is_well_and_what_is_not(machine):
    machine.server_side.findings = [
        Finding("settings", "can be read", ok=True),
        Finding("server certificate", "until tomorrow", ok=True),
        Finding("database", "is missing", "Run: sealwright init"),
    ]
    done = machine.run("doctor")
    assert done.code == 1
    assert done.out.splitlines() == [
        "ok     settings            can be read",
        "ok     server certificate  until tomorrow",
        "wrong  database            is missing",
        "  Run: sealwright init",
    ]
    assert done.err == f"1 thing to put right in {machine.place / 'user' / 'sealwright'}.\n"
    done = machine.run("doctor", "--output", "json")
    assert [json.loads(line)["ok"] for line in done.out.splitlines()] == [True, True, False]
    done = machine.run("doctor", tty=True, environ={"NO_COLOR": "1"})
    assert done.out.splitlines()[2] == "✘ database            is missing"
    machine.server_side.findings = machine.server_side.findings[:1]
    assert machine.run("doctor").code == 0


def test_recovered_account_has_the_given_password_or_a_made_up_one(machine):
    done = machine.ok("recover-account", "idm_admin", "--password-file", "-", "--dir", "/srv/s", stdin="chosen\n")
    assert (done.out, machine.server_side.calls) == ("", [(Path("/srv/s"), "idm_admin", "chosen", True)])
    done = machine.ok("recover_account", "admin", "--keep-certificates")
    assert (done.out, done.err) == ("Password of admin: made-up-7\n", "It is shown only now.\n")
    assert machine.server_side.calls[-1][-1] is False
    assert machine.ok("recover-account", "admin").err == "Ended: 2 certificates.\nIt is shown only now.\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"caf\xe9 au lait and more\n", "is not text in UTF-8."),
        (b"correct horse\nbattery staple\n", "holds more than one line; a password is one."),
        (b"correct\n\nhorse", "holds more than one line; a password is one."),
        (b"correct\rhorse", "holds more than one line; a password is one."),
        (b"\n", "holds no password."),
    ],
)
def test_password_file_that_does_not_hold_one_line_of_text_sets_no_password(machine, content, words):
    file = machine.place / "pw"
    file.write_bytes(content)
    done = machine.run("recover-account", "admin", "--password-file", file)
    assert (done.code, machine.server_side.calls) == (2, [])
    assert done.err.splitlines()[0] == f"Wrong usage: {file} {words}"
    assert not any(part in done.err for part in ("caf", "correct", "horse"))


def test_password_on_standard_input_that_is_no_text_sets_no_password(machine):
    done = machine.run("recover-account", "admin", "--password-file", "-", stdin="caf\udce9\n")
    assert (done.code, machine.server_side.calls) == (2, [])
    assert done.err.splitlines()[0] == "Wrong usage: standard input is not text in UTF-8."


def test_password_file_with_the_line_end_of_another_system_is_one_line(machine):
    file = machine.place / "pw"
    file.write_bytes("grüße und mehr\r\n".encode())
    machine.ok("recover-account", "admin", "--password-file", file)
    assert machine.server_side.calls[0][2] == "grüße und mehr"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", " ", "\t", " \n", "\u00a0", "\u2028"], ids=repr)
def test_blanks_behind_a_password_in_a_file_do_not_count_as_for_step(machine, end):
    file = machine.place / "pw"
    file.write_bytes(f" velvet orbit-canyon{end}".encode())
    machine.ok("recover-account", "admin", "--password-file", file)
    assert machine.server_side.calls[0][2] == " velvet orbit-canyon"


def test_password_file_with_a_byte_order_mark_is_refused_in_words(machine):
    file = machine.place / "pw"
    file.write_bytes("velvet-orbit-canyon-97\n".encode("utf-8-sig"))
    done = machine.run("recover-account", "admin", "--password-file", file)
    assert (done.code, "begins with a byte order mark" in done.err) == (2, True)


@pytest.mark.parametrize("password", ["a", "password123", "first-first"])
def test_weak_password_of_a_first_provisioner_is_refused(machine, password):
    file = machine.file("pw", password)
    done = machine.run("init", "--provisioner", "first", "--provisioner-password-file", file)
    assert "password of the provisioner first is not strong enough" in done.err
    assert (done.code, machine.server_side.calls) == (1, [])


def test_root_key_goes_where_it_is_sent(machine):
    done = machine.ok("issuer", "export-root-key", "--to", machine.place / "usb")
    assert done.out.startswith(
        f"The root's key is now in {machine.place / 'usb' / 'root_ca.key'}, and no longer in the home directory\n"
    )
    assert machine.run("issuer", "export-root-key").code == 2
