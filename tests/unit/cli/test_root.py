"""`sealwright root`: which root is trusted for which server, told where someone has to compare it."""

import json
import ssl

import pytest

from sealwright.cli.fingerprint import fingerprint_of
from tests.unit.api.world import MACHINES, PEOPLE


@pytest.fixture
def home(shell):
    """A home directory of the server on this machine."""
    place = shell.place / "home"
    (place / "certs").mkdir(parents=True)
    (place / "run").mkdir()
    (place / "certs" / "root_ca.crt").write_text(shell.root.read_text())
    (place / "run" / "addresses.json").write_text(json.dumps({"people": PEOPLE, "machines": MACHINES, "status": "http://x"}))
    return place


def fingerprint(shell):
    return fingerprint_of(ssl.PEM_cert_to_DER_cert(shell.root.read_text()))


def unset(shell, **more):
    shell.environ.update({"SEALWRIGHT_URL": "", "SEALWRIGHT_CA": "", **more})


def test_root_of_the_home_directory_is_shown_without_a_server_that_runs(shell, home):
    unset(shell, SEALWRIGHT_HOME=str(home))
    done = shell.ok("root", tty=True)
    assert done.members == [
        "Example Root CA",
        f"SHA-256 {fingerprint(shell)}",
        "until 18 Nov 2036",
        f"server {PEOPLE}",
        f"file {home}/certs/root_ca.crt",
    ]
    assert done.err == f"How browsers and systems come to trust it: {PEOPLE}/trust\n"
    assert shell.requests == []


def test_home_directory_may_be_named(shell, home):
    unset(shell)
    assert shell.ok("root", "--dir", home, "--pem").out == shell.root.read_text()
    missing = shell.run("root", "--dir", shell.place / "elsewhere")
    assert (missing.code, "there is no file" in missing.err) == (4, True)
    both = shell.run("root", "--dir", home, "--url", PEOPLE)
    assert (both.code, "--url, --ca and --fingerprint do not go with it" in both.err) == (2, True)


def test_root_of_a_remembered_server_is_the_one_that_was_trusted_then(shell):
    shell.sign_in("alice")
    shell.requests.clear()
    unset(shell)
    told = shell.ok("root", "-o", "json").json
    assert (told["fingerprint"], told["pem"]) == (
        fingerprint(shell),
        shell.root.read_text(),
    )
    assert (told["url"], told["page"], told["file"]) == (PEOPLE, f"{PEOPLE}/trust", None)
    assert shell.requests == []


def test_server_whose_address_the_system_vouches_for_tells_its_root_itself(shell):
    unset(shell)
    assert shell.ok("root", "--url", PEOPLE, "--pem").out == shell.root.read_text()
    assert shell.contexts[-1].verify_mode.name == "CERT_REQUIRED"


def test_fingerprint_fetches_the_root_and_no_other(shell):
    unset(shell)
    assert shell.ok("root", "--url", PEOPLE, "--fingerprint", fingerprint(shell), "--pem").out == shell.root.read_text()
    assert shell.run("root", "--url", PEOPLE, "--fingerprint", "0" * 64, "--pem").code == 1


def test_root_that_cannot_be_read_is_told(shell, home):
    (home / "certs" / "root_ca.crt").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    unset(shell)
    done = shell.run("root", "--dir", home)
    assert (done.code, "cannot be read as a certificate" in done.err) == (1, True)
