"""A machine that registered itself asks for tokens in the ways that must fail, by curl and certificates of the real `step`.

The client always gets the same words; the audit record says what decided.
"""

import json
import subprocess
import time

import pytest

from tests.interop.client_programs import OAUTH2
from tests.interop.test_machine_clients import curl, self_made, sent_json
from tests.live import TOOLS, run, wait_until

NAME = "seed.example.org"
CLIENT = {
    "redirect_uris": [],
    "response_types": [],
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "tls_client_auth",
    "tls_client_auth_san_dns": NAME,
}


@pytest.fixture(scope="module")
def machine(ours):
    """A machine whose `step` trusts the server."""
    return ours.user("refused").bootstrap()


@pytest.fixture(scope="module")
def client(server):
    """The id of a client that registered itself."""
    if server.attempt(*OAUTH2, "issuer", "create", "main", "--root").returncode:
        assert "main" in server.sealwright(*OAUTH2, "issuer", "list")
    server.sealwright(*OAUTH2, "create", "elsewhere", "Elsewhere", "https://service.example.org")
    server.sealwright(*OAUTH2, "set-authentication", "elsewhere", "tls_client_auth", "--san-dns", "else.example.org")
    scope = ("--uses", "1", "--group", "step-ca_users", "--scope", "bills:read")
    let_in = server.sealwright(*OAUTH2, "registration-token", "create", *scope).strip()
    status, made = sent_json(server, "/reg", CLIENT, let_in)
    assert status == 201, made
    return made["client_id"]


def asked(server, client, *proof, **more):
    """What the token endpoint said; a value of None leaves a parameter out."""
    form = {"client_id": client, "grant_type": "client_credentials"} | more
    given = ("--cert", proof[0], "--key", proof[1]) if proof else ()
    return curl(server, "/token", {name: value for name, value in form.items() if value is not None}, *given)


def is_on_record(server, reason):
    """Whether the record says that a request for a token was refused so. Those alike within a minute share a row."""
    listed = server.sealwright("audit", "list", "--event", "token.refused", "--limit", "100", "--output", "json")
    return any(reason in json.loads(line)["details"]["reason"] for line in listed.splitlines())


def by_step(machine, *arguments):
    """Certificates by a `step` that asks no authority of ours."""
    command = [TOOLS / "step", "certificate", "create", *arguments, "--no-password", "--insecure", "--force"]
    done = run(command, environment=machine.environment(), cwd=machine.place)
    assert done.returncode == 0, done.stderr


def no_certificate(_machine):
    return ()


def of_another_authority(machine):
    by_step(machine, "Other", "other-root.crt", "other-root.key", "--profile", "root-ca")
    signer = ("--ca", "other-root.crt", "--ca-key", "other-root.key")
    by_step(machine, NAME, "foreign.crt", "foreign.key", "--profile", "leaf", "--san", NAME, *signer)
    return machine.place / "foreign.crt", machine.place / "foreign.key"


def of_an_authority_itself(machine):
    by_step(machine, NAME, "root-as-leaf.crt", "root-as-leaf.key", "--profile", "root-ca")
    return machine.place / "root-as-leaf.crt", machine.place / "root-as-leaf.key"


def self_signed(machine):
    return self_made(machine.place, NAME)


def expired(machine):
    pair = machine.certificate(NAME, "--not-before=-300s", "--not-after=303s", "--force")
    time.sleep(4)
    return pair


def not_yet_valid(machine):
    return machine.certificate(NAME, "--not-before", "1h", "--not-after", "2h", "--force")


def with_another_name(machine):
    return machine.certificate("else.example.org")


def with_the_name_as_its_subject_alone(machine):
    return machine.certificate(NAME, "--san", "else.example.org", "--force")


def with_the_name_as_a_uri(machine):
    return machine.certificate(NAME, "--san", f"https://{NAME}", "--force")


def revoked(machine):
    pair = machine.certificate(NAME, "--force")
    machine.step("ca", "revoke", "--cert", str(pair[0]), "--key", str(pair[1]))
    return pair


REFUSED = {
    no_certificate: "no client certificate was shown",
    of_another_authority: "was not issued here",
    of_an_authority_itself: "was not issued here",
    self_signed: "was not issued here",
    expired: "expired at",
    not_yet_valid: "is not valid before",
    with_another_name: "does not have the name that is registered as tls_client_auth_san_dns",
    with_the_name_as_its_subject_alone: "does not have the name that is registered as tls_client_auth_san_dns",
    with_the_name_as_a_uri: "does not have the name that is registered as tls_client_auth_san_dns",
    revoked: "was revoked at",
}


@pytest.mark.parametrize(("shown", "reason"), REFUSED.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_certificate_that_does_not_prove_the_machine_gets_no_token_and_the_record_says_why(
    server, machine, client, shown, reason
):
    status, told = asked(server, client, *shown(machine))
    assert (status, told["error"]) == (401, "invalid_client")
    assert told["error_description"].startswith("The client is unknown, or did not prove itself")
    wait_until(lambda: is_on_record(server, reason), f"a row of the record that says {reason!r}")


def test_machine_with_the_right_certificate_gets_exactly_a_token_for_ten_minutes(server, machine, client):
    status, told = asked(server, client, *machine.certificate(NAME, "--force"))
    assert (status, told.keys()) == (200, {"access_token", "expires_in", "token_type", "scope"})
    assert (told["expires_in"], told["token_type"], told["scope"]) == (600, "Bearer", "bills:read")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"client_id": None}, {(400, "invalid_request"), (401, "invalid_client")}),
        ({"client_id": "elsewhere"}, {(401, "invalid_client")}),
        ({"client_secret": "guessed"}, {(400, "invalid_request")}),
        ({"grant_type": "password", "username": "alice", "password": "x"}, {(400, "unsupported_grant_type")}),
        ({"grant_type": "authorization_code", "code": "x"}, {(400, "unauthorized_client"), (400, "invalid_grant")}),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, {(400, "unauthorized_client"), (400, "invalid_grant")}),
    ],
    ids=["no-client-id", "another-client", "a-secret-beside-it", "password", "code", "refresh"],
)
def test_right_certificate_gets_no_token_in_a_request_that_is_not_right(server, machine, client, more, expected):
    status, told = asked(server, client, *machine.certificate(NAME, "--force"), **more)
    assert (status, told["error"]) in expected
    assert "access_token" not in told


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_older_versions_of_tls_reach_no_token(server, machine, client, version):
    crt, key = machine.certificate(NAME, "--force")
    limits = ("--tls-max", version, f"--tlsv{version}", "--ciphers", "DEFAULT@SECLEVEL=0")
    form = {"client_id": client, "grant_type": "client_credentials"}
    assert curl(server, "/token", form, "--cert", crt, "--key", key, *limits) is None


def test_renewed_certificate_with_another_key_needs_no_other_registration(server, machine, client):
    crt, key = machine.certificate(NAME, "--force")
    before = subprocess.run(["openssl", "x509", "-in", crt, "-noout", "-pubkey"], check=True, capture_output=True).stdout
    machine.step("ca", "rekey", str(crt), str(key), "--force")
    after = subprocess.run(["openssl", "x509", "-in", crt, "-noout", "-pubkey"], check=True, capture_output=True).stdout
    assert before != after
    assert asked(server, client, crt, key)[0] == 200
