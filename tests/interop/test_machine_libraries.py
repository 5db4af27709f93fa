"""Libraries of npm, Go and Java that prove a program by its client certificate or its key, unmodified, against a live server."""

import json
import re

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sealwright.jose import base64url, jwk_of
from tests.interop.client_programs import OAUTH2, go_machine_client, nimbus_client, npm_client, register, sign_in
from tests.interop.stock import openssl
from tests.signing import signing_key

PERSONAL = ("openid", "profile", "email")
BOUND = {"x5t#S256"}


@pytest.fixture
def machine(ours, request):
    """A machine whose `step` trusts the server."""
    return ours.user("-".join(["library", *re.findall(r"\w+", request.node.name)])).bootstrap()


def service(server, name, *authentication):
    """A client that speaks for itself; the settings of its program."""
    server.sealwright(*OAUTH2, "create", name, name, "https://service.example.org")
    server.sealwright(*OAUTH2, "set-authentication", name, *authentication)
    server.sealwright(*OAUTH2, "update-scope-map", name, "step-ca_users", "bills:read")
    return {"issuer": f"{server.people}/oauth2/openid/{name}", "client_id": name}


def key_pair(place):
    """An EC key: its public half as a key set, its private half as PEM and as JWK, and its id."""
    key = signing_key("ES256")
    public = jwk_of(key.public_key, key.id, "ES256")
    (place / "keys.json").write_text(json.dumps({"keys": [public]}))
    pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (place / "key.pem").write_bytes(pem)
    private = base64url(key.private_key.private_numbers().private_value.to_bytes(32))
    return {"kty": "EC", "crv": "P-256", "x": public["x"], "y": public["y"], "d": private, "kid": key.id}


def test_application_with_a_certificate_goes_the_whole_way_of_fapi(server, machine, tmp_path):
    name = "vault.example.org"
    settings = register(server, name, *PERSONAL)
    server.sealwright(*OAUTH2, "set-authentication", name, "tls_client_auth", "--san-dns", name)
    server.sealwright(*OAUTH2, "enable-certificate-bound-tokens", name)
    server.sealwright(*OAUTH2, "set-profile", name, "fapi2")
    crt, key = machine.certificate(name)
    files = {"root": str(server.root), "certificate": str(crt), "key": str(key)}
    with npm_client("openid_client_mtls.mjs", server, tmp_path, **settings, **files) as program:
        address = program.receive()["open"]
        program.send({"callback": sign_in(server, address, settings["redirect_uri"])})
        result = program.receive()
    person = server.sealwright_json("person", "get", "alice")
    assert result["parameters"] == ["client_id", "request_uri"]
    assert (result["person"]["sub"], result["introspected"]["sub"]) == (person["id"], person["id"])
    assert result["own"]["cnf"].keys() == result["introspected"]["cnf"].keys() == BOUND
    assert (result["without"], result["revoked"]) == (401, {"active": False})


def test_openid_client_registers_itself_and_gets_tokens_with_its_certificate(server, machine, tmp_path):
    if server.attempt(*OAUTH2, "issuer", "create", "main", "--root").returncode:
        assert "main" in server.sealwright(*OAUTH2, "issuer", "list")
    scope = ("--group", "step-ca_users", "--scope", "bills:read")
    let_in = server.sealwright(*OAUTH2, "registration-token", "create", *scope).strip()
    name = "registers.example.org"
    crt, key = machine.certificate(name)
    files = {"root": str(server.root), "certificate": str(crt), "key": str(key)}
    given = {"issuer": server.people, "name": name, "registration_token": let_in}
    with npm_client("openid_client_mtls.mjs", server, tmp_path, **given, **files) as program:
        result = program.receive()
    assert (result["expires_in"], result["own"]["active"], result["own"]["scope"]) == (600, True, "bills:read")
    assert result["own"]["cnf"].keys() == BOUND


def test_oauth2_of_go_gets_a_token_with_a_client_certificate_and_none_with_anothers(server, machine, tmp_path):
    settings = service(server, "go.example.org", "tls_client_auth", "--san-dns", "go.example.org")
    server.sealwright(*OAUTH2, "enable-certificate-bound-tokens", "go.example.org")
    told = []
    for name in ("go.example.org", "gone.example.org"):
        crt, key = machine.certificate(name)
        files = {"root": str(server.root), "certificate": str(crt), "key": str(key)}
        with go_machine_client(tmp_path, **settings, **files) as program:
            told.append(program.receive())
    assert (told[0]["type"], told[0]["scope"], told[0]["lives"]) == ("Bearer", "bills:read", 600)
    assert told[1] == {"refused": "invalid_client"}


def test_oauth2_of_go_gets_a_token_with_a_key_and_none_with_another(server, tmp_path):
    jwk = key_pair(tmp_path)
    settings = service(server, "go-key", "private_key_jwt", "--jwks", str(tmp_path / "keys.json"))
    settings |= {"root": str(server.root), "key": str(tmp_path / "key.pem"), "kid": jwk["kid"]}
    with go_machine_client(tmp_path, **settings) as program:
        told = program.receive()
    assert (told["type"], told["scope"], told["lives"]) == ("Bearer", "bills:read", 600)
    key_pair(tmp_path)
    with go_machine_client(tmp_path, **settings) as program:
        assert program.receive() == {"refused": "invalid_client"}


@pytest.mark.parametrize("method", ["tls_client_auth", "private_key_jwt"])
def test_nimbus_gets_introspects_and_revokes_tokens_of_its_own(server, machine, tmp_path, method):
    name = f"{method.replace('_', '-')}.nimbus.example.org"
    if method == "tls_client_auth":
        settings = service(server, name, method, "--san-dns", name)
        server.sealwright(*OAUTH2, "enable-certificate-bound-tokens", name)
        crt, key = machine.certificate(name)
        store = tmp_path / "client.p12"
        password = ("-passout", "pass:a key store has one")
        openssl("pkcs12", "-export", "-in", crt, "-inkey", key, "-out", store, *password)
        settings["pkcs12"] = str(store)
    else:
        jwk = key_pair(tmp_path)
        settings = service(server, name, method, "--jwks", str(tmp_path / "keys.json"))
        settings["jwk"] = json.dumps(jwk)
    with nimbus_client(server, tmp_path, program="NimbusMachine", scope="bills:read", **settings) as program:
        result = program.receive()
    assert (result["lives"], result["type"], result["revoked"]) == (600, "Bearer", {"active": False})
    assert (result["introspected"]["active"], result["introspected"]["client_id"]) == (True, name)
    assert result["introspected"].get("cnf", {}).keys() == (BOUND if method == "tls_client_auth" else set())
