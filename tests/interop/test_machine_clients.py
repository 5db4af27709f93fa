"""Programs that prove themselves by certificates: the stock `step` and curl against a live server."""

import base64
import hashlib
import json
import re
import shutil
import ssl
import subprocess
import time

import pytest
from cryptography import x509

from tests.interop.client_programs import OAUTH2
from tests.live import run, wait_until

NOT_PROVEN = "invalid_client"


@pytest.fixture
def machine(ours, request):
    """A machine whose `step` trusts the server."""
    return ours.user("-".join(["machine", *re.findall(r"\w+", request.node.name)])).bootstrap()


def register(server, name):
    """A client that is proven by a certificate with its name, and whose tokens are bound to that."""
    server.sealwright(*OAUTH2, "create", name, name, "https://service.example.org")
    server.sealwright(*OAUTH2, "set-authentication", name, "tls_client_auth", "--san-dns", name)
    server.sealwright(*OAUTH2, "enable-certificate-bound-tokens", name)
    server.sealwright(*OAUTH2, "update-scope-map", name, "step-ca_users", "bills:read")


def curl(server, path, form, *options, raw=False):
    """A form, posted by curl; status and JSON, or None where the handshake failed; the status alone with `raw`."""
    data = [part for name, value in form.items() for part in ("--data-urlencode", f"{name}={value}")]
    command = ["curl", "--silent", "--cacert", server.root, "--write-out", "\n%{http_code}", *options, *data]
    done = run([*command, server.machines + path], environment=server.environment(), cwd=server.place)
    body, _, status = done.stdout.rpartition("\n")
    if raw:
        return int(status)
    return (int(status), json.loads(body)) if done.returncode == 0 else None


def own_token(server, client, *certificate):
    shown = ("--cert", certificate[0], "--key", certificate[1]) if certificate else ()
    return curl(server, "/oauth2/token", {"client_id": client, "grant_type": "client_credentials"}, *shown)


def introspected(server, client, token, crt, key):
    form = {"client_id": client, "token": token}
    return curl(server, "/oauth2/token/introspect", form, "--cert", crt, "--key", key)


def test_service_gets_tokens_through_renewals_until_its_certificate_is_revoked(server, machine):
    register(server, "svc.example.org")
    crt, key = machine.certificate("svc.example.org")
    status, first = own_token(server, "svc.example.org", crt, key)
    assert (status, first.keys()) == (200, {"access_token", "expires_in", "token_type", "scope"})
    assert (first["expires_in"], first["token_type"]) == (600, "Bearer")
    bound = [introspected(server, "svc.example.org", first["access_token"], crt, key)[1]["cnf"]]
    for _ in range(2):
        machine.step("ca", "rekey", str(crt), str(key), "--force")
        status, renewed = own_token(server, "svc.example.org", crt, key)
        assert status == 200
        bound.append(introspected(server, "svc.example.org", renewed["access_token"], crt, key)[1]["cnf"])
    assert len({each["x5t#S256"] for each in bound}) == 3
    old_crt, old_key = machine.place / "old.crt", machine.place / "old.key"
    old_crt.write_bytes(crt.read_bytes())
    old_key.write_bytes(key.read_bytes())
    machine.step("ca", "rekey", str(crt), str(key), "--force")
    machine.step("ca", "revoke", "--cert", str(old_crt), "--key", str(old_key))
    began = time.monotonic()
    assert introspected(server, "svc.example.org", renewed["access_token"], crt, key) == (200, {"active": False})
    status, refused = own_token(server, "svc.example.org", old_crt, old_key)
    assert (status, refused["error"]) == (401, NOT_PROVEN)
    assert time.monotonic() - began < 1 + 1  # two calls of curl
    assert own_token(server, "svc.example.org", crt, key)[0] == 200
    wait_until(lambda: refused_because(server, "was revoked"), "the row of the refusal")


def refused_because(server, reason):
    """Whether the record says so of a request for a token; its row is written after the response."""
    rows = [json.loads(line) for line in server.sealwright("audit", "list", "--output", "json").splitlines()]
    return any(reason in row["details"].get("reason", "") for row in rows if row["event"] == "token.refused")


def test_machine_registers_itself_and_manages_what_it_registered(server, machine):
    if server.attempt(*OAUTH2, "issuer", "create", "main", "--root").returncode:
        assert "main" in server.sealwright(*OAUTH2, "issuer", "list")
    arguments = ("--uses", "1", "--expires", "1h", "--group", "step-ca_users", "--scope", "bills:read")
    let_in = server.sealwright(*OAUTH2, "registration-token", "create", *arguments).strip()
    document = {
        "redirect_uris": [],
        "response_types": [],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "tls_client_auth",
    }
    wrong = sent_json(server, "/reg", document | {"tls_client_auth_san_email": "curl"}, let_in)
    assert (wrong[0], wrong[1]["error"]) == (400, "invalid_client_metadata")
    assert "tls_client_auth_san_dns" in wrong[1]["error_description"]
    status, made = sent_json(server, "/reg", document | {"tls_client_auth_san_dns": "unit.example.org"}, let_in)
    assert status == 201, made
    assert not {"client_secret", "client_secret_expires_at"} & made.keys()
    form = {"client_id": made["client_id"], "grant_type": "client_credentials"}
    crt, key = machine.certificate("unit.example.org")
    status, told = curl(server, "/token", form, "--cert", crt, "--key", key)
    assert (status, told["expires_in"], told["token_type"]) == (200, 600, "Bearer")
    assert curl(server, "/token", form)[1]["error"] == NOT_PROVEN
    deleted = curl(
        server,
        f"/reg/{made['client_id']}",
        {},
        "--request",
        "DELETE",
        "--header",
        f"Authorization: Bearer {made['registration_access_token']}",
        raw=True,
    )
    assert deleted == 204
    assert curl(server, "/token", form, "--cert", crt, "--key", key)[1]["error"] == NOT_PROVEN


def test_machine_enrols_gets_tokens_renews_twice_and_is_refused_once_revoked(server, machine):
    if server.attempt(*OAUTH2, "issuer", "create", "main", "--root").returncode:
        assert "main" in server.sealwright(*OAUTH2, "issuer", "list")
    arguments = ("--uses", "2", "--expires", "1h", "--group", "step-ca_users", "--scope", "bills:read")
    server.file("loop.registration", server.sealwright(*OAUTH2, "registration-token", "create", *arguments))
    server.file("loop.token", machine.token("loop.example.org"))
    place = server.place / "loop"
    where = ("--dir", place)
    enrol = ("machine", "enrol", "loop.example.org", *where, "--token-file", "loop.token", "--ca-url", server.machines)
    made = server.sealwright_json(*enrol, "--registration-token-file", "loop.registration")
    assert made["names"][0]["value"] == "loop.example.org"
    assert {each.name: each.stat().st_mode & 0o777 for each in place.iterdir()} == dict.fromkeys(
        ("machine.pem", "client.json", "root.pem"), 0o600
    )
    again = server.attempt(*enrol, "--registration-token-file", "loop.registration")
    assert (again.returncode, "already" in again.stderr) != (0, False)
    bound = []
    for _ in range(2):
        token = server.sealwright_json("machine", "token", *where)["access_token"]
        told = introspected(server, made["client_id"], token, place / "machine.pem", place / "machine.pem")[1]
        bound.append(told["cnf"]["x5t#S256"])
        assert server.sealwright_json("machine", "renew", *where)["renewed"] is False
        assert server.sealwright_json("machine", "renew", *where, "--force", "--revoke-old")["renewed"] is True
        told = introspected(server, made["client_id"], token, place / "machine.pem", place / "machine.pem")
        assert told == (200, {"active": False})
    assert len(set(bound)) == 2
    lost = server.place / "lost"
    shutil.copytree(place, lost)
    ended = server.sealwright_json("machine", "revoke", *where, "--keep-client", "--yes")
    assert (ended["revoked"], ended["client_deleted"]) == (True, False)
    refused = server.attempt("machine", "token", "--dir", lost)
    assert (refused.returncode, "did not prove itself" in refused.stderr) == (1, True)
    assert not (place / "machine.pem").exists()
    server.file("loop.token", machine.token("loop.example.org"))
    again = server.sealwright_json(*enrol)
    assert (again["client_id"], again["serial"] == ended["serial"]) == (made["client_id"], False)
    assert server.sealwright_json("machine", "token", *where)["access_token"]
    other = server.attempt("machine", "enrol", "other.example.org", *where, "--token-file", "loop.token")
    assert (other.returncode, "is the directory of loop.example.org" in other.stderr) != (0, False)
    assert server.sealwright_json("machine", "revoke", "--dir", lost, "--yes")["client_deleted"] is True


def sent_json(server, path, document, bearer):
    headers = ("--header", "Content-Type: application/json", "--header", f"Authorization: Bearer {bearer}")
    return curl(server, path, {}, *headers, "--data", json.dumps(document))


def test_access_token_of_a_client_is_signed_for_once_by_the_stock_commands(server, machine):
    audience, name = "https://ca.example.org/backups", "backup.example.org"
    server.sealwright(
        "provisioner", "add", "backups", "--type", "access-token", "--audience", audience, "--holder", f"client:b={name}"
    )
    server.sealwright(*OAUTH2, "create", "b", "Backups", "https://backup.example.org")
    server.sealwright(*OAUTH2, "update-scope-map", "b", "step-ca_users", "certificate")
    server.sealwright(*OAUTH2, "add-resource", "b", audience)
    secret = server.sealwright(*OAUTH2, "show-basic-secret", "b").strip()
    form = {"grant_type": "client_credentials", "client_id": "b", "client_secret": secret, "scope": "certificate"}
    token = curl(server, "/oauth2/token", form | {"resource": audience})[1]["access_token"]
    machine.step("certificate", "create", name, "b.csr", "b.key", "--csr", "--no-password", "--insecure")
    machine.step("ca", "sign", "b.csr", "b.crt", "--token", token)
    assert name in machine.step("certificate", "inspect", "b.crt", "--short")
    body = {"csr": (machine.place / "b.csr").read_text(), "ott": token}
    status, refused = curl(server, "/1.0/sign", {}, "--header", "Content-Type: application/json", "--data", json.dumps(body))
    assert (status, "used before" in refused["message"]) == (401, True)
    assert "You may not have the name" in machine.step(
        *("ca", "certificate", "other.example.org", "o.crt", "o.key", "--token"),
        curl(server, "/oauth2/token", form | {"resource": audience})[1]["access_token"],
        expect_failure=True,
    )


def test_certificate_proves_only_the_client_with_its_name(server, machine):
    register(server, "payroll.example.org")
    other = machine.certificate("other.example.org")
    assert own_token(server, "payroll.example.org", *other)[1]["error"] == NOT_PROVEN
    assert own_token(server, "payroll.example.org")[1]["error"] == NOT_PROVEN
    assert own_token(server, "payroll.example.org", *machine.certificate("payroll.example.org"))[0] == 200


def test_machines_are_asked_for_a_certificate_and_people_never_are(server):
    for port, asked in ((server.machines_port, True), (server.people_port, False)):
        for version in ("-tls1_2", "-tls1_3"):
            command = ["openssl", "s_client", "-connect", f"localhost:{port}", version, "-msg", "-CAfile", str(server.root)]
            done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=30)
            assert (b"CertificateRequest" in done.stdout) == asked, (port, version)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_carry_the_certificate(server, machine, version):
    name = f"tls1{version.name[-1]}.example.org"
    register(server, name)
    crt, key = machine.certificate(name)
    option = {ssl.TLSVersion.TLSv1_2: "1.2", ssl.TLSVersion.TLSv1_3: "1.3"}[version]
    limits = ("--tls-max", option, f"--tlsv{option}")
    form = {"client_id": name, "grant_type": "client_credentials"}
    assert curl(server, "/oauth2/token", form, "--cert", crt, "--key", key, *limits)[0] == 200


def self_made(place, name, days="1"):
    """A certificate that vouches for itself, by openssl."""
    crt, key = place / "self.crt", place / "self.key"
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days]
    command = ["openssl", *request, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", crt]
    subprocess.run(command, check=True, capture_output=True)
    return crt, key


def test_registered_self_signed_certificate_proves_its_client_and_no_other(server, machine):
    register(server, "desk.example.org")
    crt, key = self_made(machine.place, "desk.example.org")
    assert own_token(server, "desk.example.org", crt, key)[1]["error"] == NOT_PROVEN
    wait_until(lambda: refused_because(server, "was not issued here"), "the row of the refusal")
    shown = subprocess.run(["openssl", "x509", "-in", crt, "-outform", "der"], check=True, capture_output=True).stdout
    numbers = x509.load_der_x509_certificate(shown).public_key().public_numbers()
    point = {name: base64url(getattr(numbers, name).to_bytes(32, "big")) for name in ("x", "y")}
    jwk = {"kty": "EC", "crv": "P-256", **point, "x5c": [base64.b64encode(shown).decode()]}
    keys = machine.place / "keys.json"
    keys.write_text(json.dumps({"keys": [jwk]}))
    server.sealwright(*OAUTH2, "set-authentication", "desk.example.org", "self_signed_tls_client_auth", "--jwks", keys)
    status, token = own_token(server, "desk.example.org", crt, key)
    assert status == 200
    told = introspected(server, "desk.example.org", token["access_token"], crt, key)[1]
    assert told["cnf"] == {"x5t#S256": base64url(hashlib.sha256(shown).digest())}
    assert own_token(server, "desk.example.org", *machine.certificate("desk.example.org"))[1]["error"] == NOT_PROVEN


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
