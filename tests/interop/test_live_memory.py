"""A server whose database is in memory, by `database_url = "sqlite://"`: everything works, and what happened ends with it."""

import json
from pathlib import Path

import pytest

from tests.interop.test_machine_clients import curl, sent_json
from tests.live import ADMIN_PASSWORD, LiveServer

CLIENTS = ("system", "oauth2")
ISSUERS = (*CLIENTS, "issuer")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = LiveServer.at(tmp_path_factory.mktemp("memory"), database_url="sqlite://")
    server.init()
    server.set("workers", "2")
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()


def directory_in_memory(server):
    return (server.home / "run" / "memory").readlink()


def sign_in(server):
    password = server.file("admin-password", ADMIN_PASSWORD)
    server.sealwright("recover-account", "admin", "--dir", server.home, "--password-file", password)
    server.sealwright("login", "-D", "admin", "--password-file", password)


def gets_a_token(server):
    """Whether a client that registers itself gets a token by its certificate."""
    scope = ("--group", "idm_all_accounts", "--scope", "stock.read")
    let_in = server.sealwright("system", "oauth2", "registration-token", "create", *scope).strip()
    document = {"redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"]} | {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "unit",
    }
    status, made = sent_json(server, "/reg", document, let_in)
    form = {"client_id": made["client_id"], "grant_type": "client_credentials"}
    told = curl(server, "/token", form, "--cert", server.place / "unit.crt", "--key", server.place / "unit.key")
    return (status, told[0], told[1]["scope"]) == (201, 200, "stock.read")


def test_server_in_memory_begins_anew_with_the_same_authorities_at_each_start(server):
    made = (server.home / "sealwright.db").read_bytes()
    for _ in range(2):
        server.start()
        assert "SQLite in memory · 2 workers" in server.log.read_text()
        sign_in(server)
        assert server.sealwright(*ISSUERS, "list", "--output", "json") == ""
        server.sealwright(*ISSUERS, "create", "main", "--root")
        done = server.attempt("certificate", "issue", "unit", "--provisioner", "first",
                              "--provisioner-password-file", "provisioner-password", "--force")  # fmt: skip
        assert done.returncode == 0, done.stderr
        [own] = server.sealwright(*CLIENTS, "list", "--output", "json").splitlines()  # no client that registered before
        assert json.loads(own)["name"] == "sealwright"
        assert gets_a_token(server)
        place = directory_in_memory(server)
        assert place.is_relative_to("/dev/shm")
        assert place.stat().st_mode & 0o077 == 0
        server.stop()
        assert not place.exists()
    assert (server.home / "sealwright.db").read_bytes() == made


def test_what_a_killed_server_left_in_memory_is_removed_at_the_next_start(server):
    server.start()
    left = directory_in_memory(server)
    server.kill()
    assert left.exists()
    server.start()
    assert (left.exists(), directory_in_memory(server).exists()) == (False, True)
    server.stop()


def test_commands_at_a_home_say_that_its_database_in_memory_is_there_only_while_it_serves(server):
    done = server.attempt("recover-account", "admin", "--dir", server.home)
    assert done.returncode == 5
    assert "is there while its server runs: start it with sealwright serve" in done.stderr
    findings = [json.loads(line) for line in server.attempt("doctor", "--dir", server.home, "-o", "json").stdout.splitlines()]
    assert [each["subject"] for each in findings if not each["ok"]] == ["database"]


def test_server_in_memory_without_a_database_to_begin_with_is_refused(server, tmp_path):
    moved = (server.home / "sealwright.db").rename(tmp_path / "sealwright.db")
    done = server.attempt("serve", "--dir", server.home)
    Path(moved).rename(server.home / "sealwright.db")
    assert done.returncode == 5
    assert f"Cannot start: the database {server.home}/sealwright.db is missing" in done.stderr
    assert not (server.home / "run" / "memory").is_symlink()
