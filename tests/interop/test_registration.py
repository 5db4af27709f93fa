"""A machine registers itself at the listener for machines, by curl and a certificate of this server's own authority."""

import json
import subprocess

import pytest

from tests.live import PATIENCE, live_server

CLIENT = {
    "redirect_uris": [],
    "response_types": [],
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "tls_client_auth",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live_server(tmp_path_factory.mktemp("registration")) as running:
        running.sealwright("system", "oauth2", "issuer", "create", "main", "--root")
        for name in ("curl", "other"):
            running.sealwright(
                "certificate", "issue", name, "--provisioner", "first", "--provisioner-password-file", "provisioner-password"
            )
        yield running


def curl(server, path, *arguments, certificate=None):
    """Status and JSON of an answer at the listener for machines."""
    proof = ("--cert", f"{certificate}.crt", "--key", f"{certificate}.key") if certificate else ()
    command = (
        "curl",
        "--silent",
        "--show-error",
        "--cacert",
        str(server.root),
        "--write-out",
        "\n%{http_code}",
        *proof,
        *arguments,
    )
    done = subprocess.run(
        [*command, f"{server.machines}{path}"],
        cwd=server.place, capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body) if body.strip() else None


def sent(document, token):
    header = ("--header", f"Authorization: Bearer {token}") if token else ()
    return ("--data", json.dumps(document), "--header", "Content-Type: application/json", *header)


def token_of(server, *more, certificate=None):
    return curl(server, "/token", "--data", "grant_type=client_credentials", *more, certificate=certificate)


def test_machine_registers_gets_a_token_with_its_certificate_and_deletes_itself(server):
    group = ("--group", "idm_all_accounts", "--scope", "stock.read")
    admission = server.sealwright("system", "oauth2", "registration-token", "create", *group).strip()
    wrong = {**CLIENT, "tls_client_auth_san_email": "curl"}
    status, told = curl(server, "/reg", *sent(wrong, admission))
    assert (status, told["error"]) == (400, "invalid_client_metadata")
    assert "tls_client_auth_san_dns" in told["error_description"]

    document = {**CLIENT, "tls_client_auth_san_dns": "curl", "tls_client_certificate_bound_access_tokens": True}
    status, client = curl(server, "/reg", *sent(document, admission))
    assert status == 201
    assert client["registration_client_uri"] == f"{server.machines}/reg/{client['client_id']}"
    assert "client_secret" not in client
    assert curl(server, "/reg", *sent(document, admission))[0] == 401, "the token let one client in"

    name = ("--data", f"client_id={client['client_id']}")
    status, tokens = token_of(server, *name, certificate="curl")
    assert (status, tokens["token_type"], tokens["expires_in"], tokens["scope"]) == (200, "Bearer", 600, "stock.read")
    assert "refresh_token" not in tokens
    for certificate in (None, "other"):
        status, refused = token_of(server, *name, certificate=certificate)
        assert (status, refused["error"]) == (401, "invalid_client")
    asked = (*name, "--data", f"token={tokens['access_token']}")
    status, told = curl(server, "/token/introspection", *asked, certificate="curl")
    assert (status, told["active"], told["iss"]) == (200, True, server.people)
    assert len(told["cnf"]["x5t#S256"]) == 43

    manage = ("--header", f"Authorization: Bearer {client['registration_access_token']}")
    path = f"/reg/{client['client_id']}"
    assert curl(server, path, *manage) == (200, {each: client[each] for each in client if each != "scope"})
    assert curl(server, path, *manage, "--request", "DELETE") == (204, None)
    assert curl(server, path, *manage)[0] == 401
    status, refused = token_of(server, *name, certificate="curl")
    assert (status, refused["error"]) == (401, "invalid_client")


def test_metadata_of_the_root_issuer_are_at_both_listeners_and_name_addresses_that_answer(server):
    status, document = curl(server, "/.well-known/openid-configuration")
    assert (status, document["issuer"]) == (200, server.people)
    aliases = document["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == f"{server.machines}/token"
    assert curl(server, "/jwks")[1]["keys"]
