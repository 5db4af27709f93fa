"""First contact with a server whose root is known by its fingerprint alone."""

import hashlib
import json
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.errors import RefusedByServer, WrongUsage
from sealwright.cli.fingerprint import fetch_root, read_fingerprint
from sealwright.cli.https import Answer
from sealwright.cli.server_address import tls_context
from tests.interop.wire import new_key
from tests.unit.api.world import MACHINES, PEOPLE
from tests.unit.identity.world import PASSWORD

NOWHERE = {"SEALWRIGHT_URL": "", "SEALWRIGHT_CA": ""}


def fingerprint(shell):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(shell.root.read_text())).hexdigest()


def in_pairs(text, between):
    return between.join(text[at : at + 2] for at in range(0, len(text), 2))


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text,
        str.upper,
        lambda text: in_pairs(text.upper(), ":"),
        lambda text: f" {in_pairs(text, ' ')}\n",
        lambda text: f"SHA256:{text}",
        lambda text: f"sha256 Fingerprint={in_pairs(text.upper(), ':')}",
        lambda text: f"SHA-256 {text}",
    ],
)
def test_forms_that_tools_write_are_read(form):
    assert read_fingerprint(form("4f1e07aa" * 8)) == "4f1e07aa" * 8


@pytest.mark.parametrize("text", ["", "4f1e", "z" * 64, "4f1e07aa" * 9, "SHA1:" + "ab" * 20])
def test_what_is_no_fingerprint_is_refused_with_its_value(text):
    with pytest.raises(WrongUsage, match="64 hexadecimal digits") as refused:
        read_fingerprint(text)
    assert text in refused.value.detail


def test_login_needs_address_and_fingerprint_only_once(shell):
    shell.person("alice")
    shell.environ.update(NOWHERE)
    shown = in_pairs(fingerprint(shell).upper(), ":")
    shell.ok("login", PEOPLE, "--fingerprint", shown, "-D", "alice", "--password-file", "-", stdin=f"{PASSWORD}\n")
    assert [context.verify_mode for context in shell.contexts] == [ssl.CERT_NONE, ssl.CERT_REQUIRED]
    assert "password" not in shell.requests[0]
    assert shell.ok("whoami").members[0] == "alice@example.org"
    kept = json.loads((shell.place / "user" / ".config" / "sealwright" / "servers.json").read_text())
    assert kept["servers"][PEOPLE]["roots"] == shell.root.read_text()


@pytest.mark.parametrize("url", [PEOPLE, MACHINES])
def test_server_with_another_root_is_refused_before_anything_is_sent(shell, url):
    shell.person("alice")
    shell.environ.update(NOWHERE)
    done = shell.run("login", url, "--fingerprint", "ab" * 32, "-D", "alice", "--password-file", "-", stdin=f"{PASSWORD}\n")
    assert done.code == 1
    assert f"SHA-256 asked for: {'ab' * 32}" in done.err
    assert f"SHA-256 of its own:  {fingerprint(shell)}" in done.err
    assert {request.partition(" ")[0] for request in shell.requests} == {"GET"}
    assert not (shell.place / "user" / ".config").exists()


def root_of(name, length_beyond_threes=None):
    """A root as PEM, whose length in bytes leaves this rest when it is divided by three; any where that is None."""
    key, subject = new_key(), x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, name)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    plan = x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, start + timedelta(days=9_000))
    plan = plan.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    while True:  # a signature has one of three lengths
        made = plan.sign(key, hashes.SHA256())
        if length_beyond_threes in (None, len(made.public_bytes(Encoding.DER)) % 3):
            return made.public_bytes(Encoding.PEM).decode()


class Between:
    """Somebody on the way to the server, who tells these roots in its place."""

    def __init__(self, *roots):
        self._body = json.dumps({"roots": roots}).encode()

    def exchange(self, *_request):
        return Answer(200, self._body)

    def download(self, *_request):
        return self.exchange()


def around(between):
    return CommandDependencies(environ={}, transport=lambda _context: between)


@pytest.mark.parametrize("length_beyond_threes", [0, 1, 2])  # padding ends what lax readers of base64 read
def test_root_of_someone_between_is_not_trusted_beside_the_one_that_was_compared(length_beyond_threes):
    ours = root_of("Ours", length_beyond_threes)
    digest, theirs = hashlib.sha256(ssl.PEM_cert_to_DER_cert(ours)).hexdigest(), root_of("Theirs")
    for told in (ours + theirs, theirs + ours, ours.strip() + theirs, f"{ours}\n{theirs}{ours}"):
        try:
            kept = fetch_root(around(Between(told, theirs)), PEOPLE, digest)
        except RefusedByServer:
            continue
        assert [each["subject"] for each in tls_context(kept).get_ca_certs()] == [((("commonName", "Ours"),),)]
    assert fetch_root(around(Between(theirs, ours)), PEOPLE, digest) == ours


def test_certificate_on_another_machine_needs_no_file_and_is_remembered(shell):
    shell.set_up_step_ca()
    shell.environ.update(NOWHERE)
    shell.ok("certificate", "issue", "--url", PEOPLE, "--fingerprint", fingerprint(shell))
    assert "alice@example.org" in shell.ok("certificate", "issue", "--force").out


def test_root_is_named_in_one_way_only(shell):
    done = shell.run("login", PEOPLE, "--ca", shell.root, "--fingerprint", "ab" * 32, "-D", "alice")
    assert (done.code, "one of the two" in done.err, shell.requests) == (2, True, [])


def test_address_is_named_once(shell):
    done = shell.run("login", PEOPLE, "--url", "https://other.example.org", "-D", "alice")
    assert (done.code, "named twice" in done.err) == (2, True)
