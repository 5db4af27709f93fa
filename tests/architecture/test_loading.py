"""A command loads what it works with and nothing else, so that a page of help takes a tenth of a second."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sealwright

SERVES = {"uvloop", "httptools", "jinja2", "segno", "sealwright.api", "sealwright.web"}
STORES = {"sqlalchemy", "apsw", "asyncpg", "greenlet", "sealwright.db"}
MIGRATES = {"alembic", "mako"}
JUDGES_PASSWORDS = {"zxcvbn"}
WRITES_SETTINGS = {"tomlkit"}
CALLS_PROVIDERS = {"httpx2", "anyio"}
ISSUES = {"sealwright.ca", "sealwright.oauth", "idna"}
REVOKES = {"sealwright.ca"}
READS_SETTINGS = {"tomllib", "sealwright.settings.declarations"}
WRITES_FILES = {"tempfile", "shutil"}
CONNECTS = {"ssl", "http", "email"}
SECOND_SQLITE = {"sqlite3", "_sqlite3"}
"""The standard library's: in one process with apsw's, closing a file with one would drop the locks of the other on it."""

ABROAD = (
    SERVES
    | STORES
    | MIGRATES
    | JUDGES_PASSWORDS
    | READS_SETTINGS
    | WRITES_SETTINGS
    | CALLS_PROVIDERS
    | ISSUES
    | {"argon2", "asyncio", "msgspec"}
)
"""What no command needs that speaks to a server or looks at a file."""
LATE = ABROAD | CONNECTS | {"cryptography"}
"""What no command needs that only tells something about itself."""
AT_HOME = SERVES | CALLS_PROVIDERS | SECOND_SQLITE | {"asyncpg", "greenlet"}
"""What no command needs that works on a home directory with SQLite."""

NOBODY = "--url=https://127.0.0.1:1"
DONE, NOT_SIGNED_IN, UNREACHABLE = 0, 3, 6

COMMANDS = (
    ("--help", DONE, LATE),
    ("version", DONE, LATE),
    ("init --help", DONE, LATE),
    ("serve --help", DONE, LATE),
    ("doctor --help", DONE, LATE),
    ("recover-account --help", DONE, LATE),
    ("issuer --help", DONE, LATE),
    ("login --help", DONE, LATE),
    ("person create --help", DONE, LATE),
    ("provisioner add --help", DONE, LATE),
    ("certificate issue --help", DONE, LATE),
    ("certificate renew --help", DONE, LATE),
    (f"whoami {NOBODY}", NOT_SIGNED_IN, ABROAD | WRITES_FILES | {"cryptography"}),
    (f"person list {NOBODY}", NOT_SIGNED_IN, ABROAD | WRITES_FILES | {"cryptography"}),
    (f"login -D admin --password-file password {NOBODY}", UNREACHABLE, ABROAD | {"cryptography"}),
    (f"certificate issue localhost new.crt new.key {NOBODY}", UNREACHABLE, ABROAD),
    ("certificate inspect home/certs/root_ca.crt", DONE, ABROAD | {"ssl", "http"}),
    ("doctor --dir home", DONE, AT_HOME | MIGRATES | JUDGES_PASSWORDS | WRITES_SETTINGS),
    ("recover-account admin --dir home --password-file password", DONE, AT_HOME | MIGRATES | WRITES_SETTINGS | ISSUES - REVOKES),
)

RUN_AND_LIST = """
import json, sys
from sealwright.__main__ import main
try:
    main()
finally:
    with open("loaded", "w") as file:
        json.dump(list(sys.modules), file)
"""


def loaded(command, place):
    """The exit code of a command that is run in `place`, and the modules that it loaded."""
    ours = ("SEALWRIGHT_", "XDG_", "COVERAGE_")  # to measure coverage loads modules too
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {"HOME": str(place)}
    done = subprocess.run(
        [sys.executable, "-c", RUN_AND_LIST, *command.split()],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, set(json.loads((place / "loaded").read_text()))


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """A place with a home directory in it, and what `init` loaded to make it."""
    place = tmp_path_factory.mktemp("place")
    (place / "password").write_text("four uncommon words together\n")
    (place / "password").chmod(0o600)
    code, modules = loaded("init --dir home --name Example --dns localhost", place)
    assert code == DONE
    return place, modules


def test_init_loads_nothing_that_serves_requests(founded):
    _, modules = founded
    assert modules & (AT_HOME | MIGRATES | JUDGES_PASSWORDS) == set()
    assert {"apsw", "sealwright.ca"} <= modules


@pytest.mark.parametrize(("command", "code", "unneeded"), COMMANDS, ids=[command for command, _, _ in COMMANDS])
def test_command_loads_only_what_it_works_with(founded, command, code, unneeded):
    place, _ = founded
    ended, modules = loaded(command, place)
    assert (ended, modules & unneeded) == (code, set())


def test_every_module_in_the_lists_exists():
    assert [name for name in LATE | AT_HOME if importlib.util.find_spec(name) is None] == []


def test_no_part_of_the_program_imports_a_second_sqlite_library():
    files = sorted(Path(sealwright.__file__).parent.rglob("*.py"))
    assert len(files) > 100
    assert [file for file in files if re.search(r"^\s*(import|from) +_?sqlite3\b", file.read_text(), re.MULTILINE)] == []
