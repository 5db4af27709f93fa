"""Which server is spoken to, and what is said when it cannot be."""

import http.client
import json
import socket
import ssl

import pytest

from sealwright.http import Listener
from tests.unit.api.world import MACHINES, PEOPLE


def test_no_server_is_known(shell):
    done = shell.run("whoami", environ={"SEALWRIGHT_URL": "", "SEALWRIGHT_CA": ""})
    assert done.code == 2
    assert done.err.startswith("Wrong usage: no server is known.\n  Name one with --url https://HOST:PORT")


def test_option_wins_over_the_environment(shell):
    done = shell.run("whoami", "--url", "https://other.example.org", "--output", "json")
    assert done.code == 3
    assert "https://other.example.org" in json.loads(done.err)["error"]["detail"]


@pytest.mark.parametrize("url", ["http://id.example.org", "id.example.org", "https://id.example.org/path", "https://"])
def test_address_must_be_an_origin_with_tls(shell, url):
    done = shell.run("whoami", "--url", url)
    assert (done.code, done.err) == (2, f"Wrong usage: --url {url} is not an address such as https://id.example.org:8443.\n")


def test_home_directory_on_this_machine_names_the_server(shell):
    home = shell.place / "home"
    (home / "certs").mkdir(parents=True)
    (home / "run").mkdir()
    (home / "certs" / "root_ca.crt").write_text(shell.root.read_text())
    (home / "run" / "addresses.json").write_text(json.dumps({"people": PEOPLE, "machines": MACHINES, "status": "http://x"}))
    shell.person("alice")
    plain = {"SEALWRIGHT_URL": "", "SEALWRIGHT_CA": "", "SEALWRIGHT_HOME": str(home)}
    done = shell.run("login", "-D", "alice", "--password-file", "-", stdin="velvet-orbit-canyon-97", environ=plain)
    assert (done.code, done.err) == (0, "")
    assert shell.requests == [f"POST {PEOPLE}/api/v1/login"]


def test_settings_name_a_server_that_does_not_run(shell):
    home = shell.place / "home"
    (home / "certs").mkdir(parents=True)
    (home / "certs" / "root_ca.crt").write_text(shell.root.read_text())
    (home / "settings.toml").write_text('dns_names = ["here.example.org"]\n[listen]\npeople = "localhost:7443"\n')
    plain = {"SEALWRIGHT_URL": "", "SEALWRIGHT_CA": "", "SEALWRIGHT_HOME": str(home)}
    done = shell.run("login", "-D", "x", "--password-file", "-", stdin="x", environ=plain)
    assert done.code == 6
    assert done.err == (
        f"Cannot reach the server: https://here.example.org:7443 (from the home directory {home}) refused the connection.\n"
        "  Check the address, and that the server runs: sealwright serve\n"
    )


def test_roots_must_be_certificates(shell):
    shell.file("empty.pem", "nothing")
    done = shell.run("login", "-D", "x", "--password-file", "-", "--ca", shell.place / "empty.pem", stdin="x")
    assert done.code == 2
    assert "holds no certificate" in done.err
    done = shell.run("login", "-D", "x", "--password-file", "-", "--ca", shell.place / "missing.pem", stdin="x")
    assert (done.code, done.err) == (4, f"Not found: there is no file {shell.place / 'missing.pem'}.\n")


def test_certificate_of_the_server_is_always_verified(shell):
    shell.sign_in("alice")
    for context in shell.contexts:
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    (root,) = shell.contexts[0].get_ca_certs()
    assert root["subject"][1][0] == ("commonName", "Example Root CA")


def test_certificate_that_is_not_trusted_is_told_with_the_way_out(shell):
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_message = "self-signed certificate in certificate chain"
    shell.failing = refused
    done = shell.run("login", "-D", "x", "--password-file", "-", stdin="x")
    assert done.code == 6
    assert done.err == (
        f"Cannot reach the server: the certificate of {PEOPLE} (from SEALWRIGHT_URL) is not trusted: "
        "self-signed certificate in certificate chain.\n"
        "  Name the server's root with --ca FILE or SEALWRIGHT_CA, or sign in with: sealwright login --fingerprint SHA256\n"
    )


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        (TimeoutError(), "did not answer in time"),
        (socket.gaierror(-2, "Name or service not known"), "has no address that is known"),
        (http.client.BadStatusLine("rubbish"), "broke: what came is not an HTTP response"),
        (ConnectionResetError(104, "reset"), "broke: it was closed before an answer came"),
        (http.client.RemoteDisconnected("closed"), "broke: it was closed before an answer came"),
        (ssl.SSLError(1, "[SSL: NO_PROTOCOLS_AVAILABLE] no protocols available (_ssl.c:1006)"), f"TLS with {PEOPLE} "),
    ],
)
def test_server_that_does_not_answer_is_told(shell, failing, words):
    shell.failing = failing
    done = shell.run("login", "-D", "x", "--password-file", "-", stdin="x")
    assert done.code == 6
    assert words in done.err


def test_something_else_that_answers_is_told(shell):
    shell.world.listeners["https://other.example.org:443"] = Listener.MACHINES
    done = shell.run("login", "-D", "x", "--url", "https://other.example.org", "--password-file", "-", stdin="x")
    assert done.code == 4 or "not as a Sealwright server" in done.err


def test_trace_is_shown_only_when_asked_for(shell):
    shell.failing = RuntimeError("a fault")
    done = shell.run("login", "-D", "x", "--password-file", "-", stdin="x")
    assert done.code == 1
    assert "Traceback" not in done.err
    assert done.err == (
        "This is a fault in sealwright itself: RuntimeError.\n  Run the same command with --debug to see where, and report it.\n"
    )
    done = shell.run("login", "-D", "x", "--password-file", "-", "--debug", stdin="x")
    assert "Traceback" in done.err


OIDC = ("--type", "oidc", "--client-id", "x", "--configuration-endpoint", "https://id.example.net")


@pytest.mark.parametrize(
    ("arguments", "which"),
    [
        (("group", "create", "bad\udcff"), "one of the arguments"),
        (("group", "create", "good", "--description", "bad\udcff"), "one of the arguments"),
        (("provisioner", "add", "x", *OIDC, "--client-secret", "s3cret\udcff"), "one of the arguments"),
        (("group", "get", "bad\udcff"), "the argument 'bad\\xff'"),
        (("group", "add-members", "good", "alice", "bad\udcff"), "one of the arguments"),
        (("session", "list", "--person", "bad\udcff"), "the argument 'bad\\xff'"),
    ],
)
def test_argument_that_is_no_text_is_wrong_usage_and_named_without_what_may_be_secret(shell, arguments, which):
    shell.sign_in("alice", "system_admins")
    done = shell.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Wrong usage: {which} is not text in UTF-8.\n"
