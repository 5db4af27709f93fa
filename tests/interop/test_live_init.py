"""`sealwright init` as a process of its own: what it makes, what it refuses, and what it leaves behind."""

import base64
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.interop.stock import openssl
from tests.live import PROVISIONER_PASSWORD, SEALWRIGHT, TOOLS, LiveServer, run

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def machine(tmp_path):
    """A user's machine without a server."""
    return LiveServer.at(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home made with every flag, and what `init` said about it."""
    machine = LiveServer.at(tmp_path_factory.mktemp("made"))
    password = machine.file("provisioner-password", PROVISIONER_PASSWORD)
    listeners = ["--people", "127.0.0.1:8501", "--machines", "localhost:9501", "--status", "[::1]:8081"]
    names = ["--name", "Example", "--dns", "id.example.org", "--dns", "10.0.4.17"]
    provisioner = ["--provisioner", "first", "--provisioner-password-file", str(password)]
    return machine, machine.sealwright_json("init", "--dir", machine.home, *names, *listeners, *provisioner)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def settings_of(machine):
    return tomllib.loads((machine.home / "settings.toml").read_text())


def everything_below(path):
    return {str(each.relative_to(path)): each.read_bytes() if each.is_file() else None for each in path.rglob("*")}


def test_flags_end_up_in_a_commented_settings_file(made):
    machine, _ = made
    settings = settings_of(machine)
    assert settings["name"] == "Example"
    assert settings["dns_names"] == ["id.example.org", "10.0.4.17"]
    assert settings["listen"] == {"people": "127.0.0.1:8501", "machines": "localhost:9501", "status": "[::1]:8081"}
    lines = (machine.home / "settings.toml").read_text().splitlines()
    assert '# idle = "1h"' in lines  # what was not said stands there as a comment, with its default


def test_answer_as_json_tells_what_was_made(made):
    machine, told = made
    assert told["home"] == str(machine.home)
    assert told["provisioner"] == "first"
    assert told["machines_url"] == "https://id.example.org:9501"
    assert (told["root"]["name"], told["issuing"]["name"]) == ("Example Root CA", "Example Issuing CA 1")


def test_name_in_another_script_is_told_and_nothing_beside_it(machine):
    name = "日本認証局試験用長名称証明書端末管理番号一二三"
    done = machine.attempt("init", "--dir", machine.home, "--name", name, "--dns", "localhost")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{name} Root CA, EC P-256" in done.stdout


def test_fingerprint_is_the_one_that_step_computes(made):
    machine, told = made
    command = [TOOLS / "step", "certificate", "fingerprint", machine.root]
    assert run(command, environment=machine.environment(), cwd=machine.place).stdout.strip() == told["root"]["fingerprint"]


def test_authorities_are_p256_and_verify_strictly(made):
    machine, _ = made
    root, issuing = machine.root, machine.home / "certs" / "issuing_ca.crt"
    for file in (root, issuing):
        public_key = x509.load_pem_x509_certificate(file.read_bytes()).public_key()
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        assert public_key.curve.name == "secp256r1"
    openssl("verify", "-x509_strict", "-CAfile", root, issuing)


def test_secrets_are_readable_by_their_owner_only(made):
    machine, _ = made
    assert mode_of(machine.home) == 0o700
    for name in ("secrets/key-encryption.key", "settings.toml", "sealwright.db"):
        assert mode_of(machine.home / name) == 0o600, name


def test_no_private_key_lies_open_in_the_home_directory(made):
    machine, _ = made
    for name, content in everything_below(machine.home).items():
        assert b"PRIVATE KEY" not in (content or b""), name
        assert PROVISIONER_PASSWORD.encode() not in (content or b""), name


def test_directory_that_is_not_ours_is_refused_and_left_alone(machine):
    machine.home.mkdir()
    (machine.home / "thesis.txt").write_text("years of work")
    refused = machine.sealwright("init", "--dir", machine.home, expect=1)
    assert f"{machine.home} is not empty, and what is in it is not ours: thesis.txt." in refused
    assert everything_below(machine.home) == {"thesis.txt": b"years of work"}


def test_home_that_holds_a_server_is_refused_and_left_alone(made):
    machine, _ = made
    before = everything_below(machine.home)
    refused = machine.sealwright("init", "--dir", machine.home, "--name", "Other", expect=1)
    assert f"{machine.home} holds a server already." in refused
    assert everything_below(machine.home) == before


@pytest.mark.parametrize(("given", "left"), [(0o755, 0o755), (0o777, 0o755), (0o2770, 0o2750)])
def test_directory_that_was_there_and_empty_is_used_without_letting_others_change_or_read(machine, given, left):
    machine.home.mkdir()
    machine.home.chmod(given)
    machine.sealwright("init", "--dir", machine.home)
    assert mode_of(machine.home) == left
    for name in ("sealwright.db", "settings.toml", "secrets", "run"):
        assert mode_of(machine.home / name) & 0o077 == 0, name


def test_hints_are_commands_that_work_as_they_are_printed(machine):
    home = machine.place / "my ü"
    quoted = f"'{home}'"
    assert f"Make one: sealwright init --dir {quoted}\n" in machine.sealwright("serve", "--dir", home, expect=4)
    machine.sealwright("init", "--dir", home)
    assert f"start it: sealwright serve --dir {quoted}\n" in machine.sealwright("init", "--dir", home, expect=1)
    home.chmod(0o777)
    assert f"Run: chmod go-w {quoted}\n" in machine.sealwright("doctor", "--dir", home, expect=1)
    (machine.place / "thesis").mkdir()
    (machine.place / "thesis" / "thesis.txt").write_text("years of work")
    told = machine.sealwright("doctor", "--dir", machine.place / "thesis", expect=1)
    assert "make one in an empty directory: sealwright init --dir DIRECTORY" in told


@pytest.mark.parametrize("stdin", ["", "typed-by-nobody-but-long-enough\n" * 2])
def test_nothing_is_asked_where_there_is_no_terminal(machine, stdin):
    done = machine.attempt("init", "--dir", machine.home, "--provisioner", "first", stdin=stdin)
    assert done.returncode == 2
    assert "a password is needed, and there is no terminal to ask on." in done.stderr
    assert "--provisioner-password-file FILE" in done.stderr
    assert not machine.home.exists()


def test_without_flags_there_is_nothing_to_ask(machine):
    machine.sealwright("init", "--dir", machine.home)
    assert (machine.home / "sealwright.db").exists()
    assert "in 1 chain, unbroken" in machine.sealwright("doctor", "--dir", machine.home)


def test_home_is_the_one_of_the_environment_else_below_the_users(machine):
    machine.sealwright("init")
    assert (machine.home / "settings.toml").exists()
    done = machine.attempt("init", SEALWRIGHT_HOME="")
    assert done.returncode == 0, done.stderr
    usual = machine.place / "user" / ".local" / "share" / "sealwright"
    assert (usual / "settings.toml").exists()
    assert "~/.local/share/sealwright" in done.stdout


def test_key_of_the_environment_is_not_written_down(machine):
    key = base64.b64encode(bytes(range(32))).decode()
    done = machine.attempt("init", "--dir", machine.home, SEALWRIGHT_KEY=key)
    assert done.returncode == 0, done.stderr
    assert not (machine.home / "secrets" / "key-encryption.key").exists()
    assert all(key.encode() not in (content or b"") for content in everything_below(machine.home).values())
    examined = machine.attempt("doctor", "--dir", machine.home, SEALWRIGHT_KEY=key)
    assert examined.returncode == 0, examined.stdout
    refused = machine.attempt("doctor", "--dir", machine.home, SEALWRIGHT_KEY=base64.b64encode(bytes(32)).decode())
    assert refused.returncode == 1


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        (["--people", "localhost"], {}, '--people "localhost" must be HOST:PORT'),
        (["--dns", "not a host"], {}, "--dns"),
        (["--people", "localhost:8443", "--machines", "localhost:8443"], {}, "is the address of --people too"),
        ([], {"SEALWRIGHT_KEY": "short"}, "SEALWRIGHT_KEY must be 32 bytes in base64"),
        ([], {"SEALWRIGHT_DATABASE_URL": "postgresql://nobody:hidden@127.0.0.1:1/none"}, "database"),
    ],
)
def test_failure_leaves_nothing_behind(machine, flags, environment, words):
    done = machine.attempt("init", "--dir", machine.home, *flags, **environment)
    assert done.returncode == (2 if flags else 1)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr
    assert not machine.home.exists()


def test_directory_that_cannot_be_is_told_as_such(machine):
    told = machine.sealwright("init", "--dir", machine.place / ("d" * 300), expect=1)
    assert f"{'d' * 300} cannot be used: File name too long.\n  Choose another with --dir." in told


NOBODY, UNKNOWN = 65_534, 43_210
"""Users: one that may do nothing, and one that the system has never heard of, as in a container that is given a number."""
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")


def as_user(user, *command, **environment):
    """Run one command of ours as another user, who has no HOME."""
    program = [sys.executable, "-m", "tests.programs.as_user", str(user), *map(str, command)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **environment}
    return run(program, environment=environment, cwd=Path("/"))


@pytest.fixture
def directory_of(tmp_path):
    """Makes a directory of a user, which lies where everybody may look."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o711)

        def make(user, name="home"):
            made = Path(place) / name
            made.mkdir(mode=0o700)
            os.chown(made, user, user)
            return made

        yield make


@only_root
def test_directory_of_someone_else_is_told_as_such(directory_of):
    others = directory_of(0)
    done = as_user(NOBODY, "init", "--dir", others, HOME="/nonexistent")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{others} cannot be used: Permission denied." in done.stderr


NOT_KNOWN = f"is not known: HOME is not set, and the system knows no user {UNKNOWN}."
NAME_IT = "Name the directory with --dir or SEALWRIGHT_HOME, or set HOME."
SET_IT = "Set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME."


@only_root
@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("init", f"the home directory {NOT_KNOWN}\n  {NAME_IT}"),
        ("doctor", f"the home directory {NOT_KNOWN}\n  {NAME_IT}"),
        ("whoami --url https://127.0.0.1:1", "no one is signed in at https://127.0.0.1:1."),
        ("login -D admin --url https://127.0.0.1:1", f"the directory for what a sign-in leaves behind {NOT_KNOWN}\n  {SET_IT}"),
        ("whoami --url https://127.0.0.1:1 --ca ~/ca.crt", f"~/ca.crt {NOT_KNOWN}\n  Write the path from the root on."),
    ],
)
def test_user_whose_directory_no_one_knows_is_told_what_to_name(command, told):
    done = as_user(UNKNOWN, *command.split())
    assert done.returncode in (1, 2, 3)
    assert told.lower() in done.stderr.lower()


@only_root
def test_user_whose_directory_no_one_knows_can_do_everything_where_it_is_not_needed(directory_of):
    home, own = directory_of(UNKNOWN), directory_of(UNKNOWN, "own")
    made = as_user(UNKNOWN, "init", "--dir", home)
    assert (made.returncode, made.stderr) == (0, "")
    assert f"sealwright serve --dir {home}" in made.stdout
    assert as_user(UNKNOWN, "doctor", SEALWRIGHT_HOME=str(home)).returncode == 0
    places = {"XDG_CONFIG_HOME": str(own), "XDG_STATE_HOME": str(own)}
    assert as_user(UNKNOWN, "whoami", "--url", "https://127.0.0.1:1", **places).returncode == 3


def test_fresh_volume_is_empty_whatever_its_file_system_put_there(machine):
    (machine.home / "lost+found").mkdir(parents=True)
    (machine.home / ".snapshot").mkdir()
    machine.sealwright("init", "--dir", machine.home)
    machine.sealwright("doctor", "--dir", machine.home)
    assert (machine.home / "lost+found").is_dir()


def test_failure_removes_from_a_volume_only_what_it_made(machine):
    (machine.home / "lost+found" / "inode").mkdir(parents=True)
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    assert machine.attempt("init", "--dir", machine.home, SEALWRIGHT_DATABASE_URL=nowhere).returncode == 1
    assert set(everything_below(machine.home)) == {"lost+found", "lost+found/inode"}


def test_what_is_in_the_way_is_named(machine):
    machine.home.mkdir()
    for each in ("a", "b", "c", "d", "lost+found"):
        (machine.home / each).touch()
    told = machine.sealwright("init", "--dir", machine.home, expect=1)
    assert f"{machine.home} is not empty, and what is in it is not ours: a, b, c and 1 more." in told


def test_failure_leaves_a_directory_that_was_there_empty(machine):
    machine.home.mkdir()
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    assert machine.attempt("init", "--dir", machine.home, SEALWRIGHT_DATABASE_URL=nowhere).returncode == 1
    assert everything_below(machine.home) == {}


@pytest.mark.parametrize("last", ["init.unfinished", "settings.toml", "secrets/key-encryption.key", "sealwright.db"])
def test_what_was_killed_is_told_as_unfinished_and_simply_made_again(machine, last):
    password = machine.file("provisioner-password", PROVISIONER_PASSWORD)
    command = ["init", "--dir", machine.home, "--provisioner", "first", "--provisioner-password-file", password]
    file = machine.home / last
    with subprocess.Popen(
        [SEALWRIGHT, *command], env=machine.environment(), cwd=machine.place, stdout=subprocess.DEVNULL
    ) as init:
        while not file.exists():
            assert init.poll() is None
        init.kill()
    assert init.returncode == -signal.SIGKILL
    for told in (machine.sealwright("serve", expect=4), machine.sealwright("doctor", expect=1)):
        assert f"no server in {machine.home} yet: it was never made to its end." in told
        assert f"Make it anew: sealwright init --dir {machine.home}" in told
    key_file = machine.home / "secrets" / "key-encryption.key"
    key = key_file.read_bytes() if key_file.exists() else b""
    machine.sealwright(*command)
    assert key_file.read_bytes().startswith(key)
    assert all(finding["ok"] for finding in findings(machine))
    assert not (machine.home / "init.unfinished").exists()


def test_two_at_once_in_one_directory_do_not_disturb_each_other(machine):
    command = [SEALWRIGHT, "init", "--dir", machine.home]
    several = [
        subprocess.Popen(command, env=machine.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3)
    ]
    codes = sorted(each.wait() for each in several)
    assert codes[0] == 0
    assert set(codes[1:]) <= {1, 5}
    assert all(finding["ok"] for finding in findings(machine))


def test_wrong_usage_is_told_with_its_own_exit_code(machine):
    assert machine.attempt("init", "--people").returncode == 2
    done = machine.attempt("init", "--dir", machine.home, "--provisioner-password-file", "x", "--output", "json")
    assert done.returncode == 2
    assert json.loads(done.stderr)["error"]["code"] == "wrong_usage"


def test_root_key_is_taken_away_and_the_home_stays_sound(machine):
    machine.sealwright("init", "--dir", machine.home, "--name", "Example")
    elsewhere = machine.place / "usb"
    elsewhere.mkdir()
    told = machine.sealwright_json("issuer", "export-root-key", "--dir", machine.home, "--to", elsewhere)
    file = elsewhere / "root_ca_key.pem"
    assert told == {"file": str(file)}
    assert mode_of(file) == 0o600
    key = load_pem_private_key(file.read_bytes(), None)
    assert key.public_key() == x509.load_pem_x509_certificate(machine.root.read_bytes()).public_key()
    assert all(finding["ok"] for finding in findings(machine))
    again = machine.attempt("issuer", "export-root-key", "--dir", machine.home, "--to", elsewhere)
    assert again.returncode == 5
    (machine.place / "other").mkdir()
    twice = machine.attempt("issuer", "export-root-key", "--dir", machine.home, "--to", machine.place / "other")
    assert twice.returncode != 0
    assert list((machine.place / "other").iterdir()) == []
    assert "Traceback" not in twice.stderr


def test_root_key_is_not_sent_where_it_cannot_be_written(machine):
    machine.sealwright("init", "--dir", machine.home)
    refused = machine.sealwright("issuer", "export-root-key", "--dir", machine.home, "--to", machine.place / "no", expect=1)
    assert f"{machine.place / 'no'} is not a directory." in refused
    elsewhere = machine.place / "usb"
    elsewhere.mkdir()
    machine.sealwright("issuer", "export-root-key", "--dir", machine.home, "--to", elsewhere)  # it is still there to be taken


def findings(machine):
    return [json.loads(line) for line in machine.sealwright("doctor", "--dir", machine.home, "--output", "json").splitlines()]


def test_home_whose_key_a_database_elsewhere_needs_stays_when_init_fails(tmp_path):
    elsewhere = tmp_path / "elsewhere.db"
    server = LiveServer.at(tmp_path, database_url=f"sqlite:///{elsewhere}")
    server.init("--no-defaults")
    shutil.rmtree(server.home)
    with closing(sqlite3.connect(elsewhere)) as database:  # as an init leaves it that ends before it makes the authorities
        for table in ("certificates", "issuers", "signing_keys"):
            database.execute(f"DELETE FROM {table}")
        database.commit()
    password = server.file("provisioner-password", PROVISIONER_PASSWORD)
    flags = ("--provisioner", "first", "--provisioner-password-file", password)
    done = server.attempt("init", "--dir", server.home, *flags)
    assert done.returncode == 5
    assert "Leave --provisioner out: " in done.stderr
    assert "never made to its end" in server.attempt("serve", "--dir", server.home).stderr
    server.sealwright("init", "--dir", server.home)
    assert "wrong" not in server.sealwright("doctor", "--dir", server.home)
