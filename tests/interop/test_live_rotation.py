"""Another issuing CA while the server runs: stock clients go on, and what the one before signed stays valid and is renewed."""

import json
import subprocess

import pytest

from demo.forms import Browser
from tests.interop.wire import Requester, line
from tests.live import PERSON_PASSWORD, live_server, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live_server(tmp_path_factory.mktemp("rotation"), set_up=False) as running:
        yield running


def step_certificate(server, name):
    password = ("--provisioner", "first", "--provisioner-password-file", "provisioner-password")
    server.step("ca", "certificate", f"{name}.example.org", f"{name}.crt", f"{name}.key", *password,
                "--ca-url", server.machines, "--root", server.root)  # fmt: skip


def issuer_of(server, name):
    return json.loads(server.step("certificate", "inspect", "--format", "json", f"{name}.crt"))["issuer"]["common_name"][0]


def signs_with_the_new_one(server):
    step_certificate(server, "probe")
    for each in ("probe.crt", "probe.key"):
        server.place.joinpath(each).rename(server.place / f"last-{each}")
    return issuer_of(server, "last-probe") == "Test Issuing CA 2"


def test_new_issuing_ca_takes_over_in_a_running_server(server):
    step_certificate(server, "old")
    with line(server.machines, server.root) as opened:
        roots = opened.send("GET", "/roots").body
    server.sealwright("issuer", "export-root-key", "--dir", server.home, "--to", server.place)
    told = server.sealwright("issuer", "rotate", "--dir", server.home, expect=5)
    assert "was taken away from this server" in told
    assert "--root-key /media/usb/root_ca_key.pem" in told
    told = server.sealwright("issuer", "rotate", "--dir", server.home, "--root-key", server.place / "root_ca_key.pem")
    assert "Test Issuing CA 2, until " in told
    wait_until(lambda: signs_with_the_new_one(server), "the new issuing CA")

    with line(server.machines, server.root) as opened:
        assert opened.send("GET", "/roots").body == roots
        assert len(opened.send("GET", "/intermediates").json()["crts"]) == 2
        assert opened.send("POST", "/sign", Requester(server).sign_body("third.example.org")).status == 201
    assert issuer_of(server, "old") == "Test Issuing CA 1"
    server.step("certificate", "verify", "old.crt", "--roots", server.root)
    server.step("ca", "renew", "--force", "--ca-url", server.machines, "--root", server.root, "old.crt", "old.key")
    assert issuer_of(server, "old") == "Test Issuing CA 2"
    server.step("certificate", "verify", "old.crt", "--roots", server.root)
    doctor = server.sealwright("doctor", "--dir", server.home)
    assert "Test Issuing CA 1, retired, until " in doctor
    new = subprocess.run(["openssl", "x509", "-noout", "-subject", "-in", server.home / "certs" / "issuing_ca.crt"],
                         capture_output=True, text=True, check=True)  # fmt: skip
    assert "Test Issuing CA 2" in new.stdout


def signs_in_with_itself(server, provider):
    browser = Browser(server.root)
    page = browser.open(f"{server.people}/auth/oidc/login?provider={provider}")
    page = browser.submit(page, "sign-in", username="alice", password=PERSON_PASSWORD)
    return page.url == f"{server.people}/ui/account"


def test_person_signs_in_with_a_live_server_itself_before_and_after_its_certificate_is_replaced(server):
    admin, person = (server.file(f"{each}-password", PERSON_PASSWORD) for each in ("admin", "person"))
    server.sealwright("recover-account", "admin", "--dir", server.home, "--password-file", admin)
    server.sealwright("login", "-D", "admin", "--password-file", admin)
    server.sealwright("person", "create", "alice", "Alice Example")
    server.sealwright("person", "set-password", "alice", "--password-file", person)
    provider = server.sealwright_json("oidc-provider", "register-own")["provider"]["id"]
    server.sealwright("oidc-provider", "map-group", provider, "idm_all_persons", "r-viewer")
    assert signs_in_with_itself(server, provider)
    served = server.home / "run" / "server.pem"
    before = served.read_bytes()
    served.unlink()
    server.reload()
    assert served.read_bytes() != before
    assert signs_in_with_itself(server, provider)
