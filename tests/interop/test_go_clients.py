"""Clients written in Go, unmodified, against a live server: go-oidc with x/oauth2, and kubelogin."""

import json
import re
import subprocess

import pytest

from demo.forms import Browser, sign_in_and_allow
from tests.interop.client_programs import OAUTH2, go_oidc_client, register, require, sign_in
from tests.live import PERSON_PASSWORD, TOOLS, end, free_ports

SCOPES = ("openid", "profile", "email")


@pytest.mark.parametrize("kind", ["confidential", "public", "without-pkce"])
def test_go_oidc_signs_a_person_in_and_refreshes(server, tmp_path, kind):
    client = f"go-{kind}"
    settings = register(server, client, *SCOPES, public=kind == "public")
    if kind == "without-pkce":
        server.sealwright(*OAUTH2, "warning-insecure-client-disable-pkce", client)
    with go_oidc_client(server, tmp_path, scopes=SCOPES, no_pkce=kind == "without-pkce", **settings) as program:
        address = program.receive()["open"]
        program.send({"callback": sign_in(server, address, settings["redirect_uri"])})
        result = program.receive()
    person = server.sealwright_json("person", "get", "alice")
    assert result["claims"]["sub"] == person["id"]
    assert result["claims"]["iss"] == settings["issuer"]
    assert result["claims"]["nonce"] == "n-0S6_WzA2Mj"
    assert result["person"]["email"] == person["mails"][0]["address"]
    assert result["rotated"]


def test_kubelogin_gets_a_credential_for_kubectl(server, tmp_path):
    kubelogin = TOOLS / "kubelogin"
    require(kubelogin.exists(), "scripts/install-go-clients")
    port = free_ports(1)[0]
    settings = register(server, "kubernetes", *SCOPES, public=True, redirect_uri=f"http://127.0.0.1:{port}/")
    server.sealwright(*OAUTH2, "enable-localhost-redirects", "kubernetes")
    command = [
        str(kubelogin),
        "get-token",
        f"--oidc-issuer-url={settings['issuer']}",
        "--oidc-client-id=kubernetes",
        "--oidc-extra-scope=profile,email,offline_access",
        f"--certificate-authority={server.root}",
        "--grant-type=authcode",
        f"--listen-address=127.0.0.1:{port}",
        "--skip-open-browser",
        f"--token-cache-dir={tmp_path / 'cache'}",
    ]
    process = subprocess.Popen(command, env={"HOME": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        words = []
        for line in process.stderr:
            words.append(line)
            if found := re.search(r"http://\S+", line):
                break
        else:
            pytest.fail("".join(words))
        sign_in_and_allow(Browser(server.root), found[0], "alice", PERSON_PASSWORD)
        output, errors = process.communicate(timeout=30)
    finally:
        end(process)
    credential = json.loads(output or "{}")
    assert credential.get("kind") == "ExecCredential", errors
    assert credential["status"]["token"].count(".") == 2  # a JWS in its compact form


def test_kubelogin_signs_in_on_a_machine_without_a_browser(server, tmp_path):
    kubelogin = TOOLS / "kubelogin"
    require(kubelogin.exists(), "scripts/install-go-clients")
    settings = register(server, "headless", *SCOPES, public=True)
    server.sealwright(*OAUTH2, "enable-device-flow", "headless")
    command = [
        str(kubelogin),
        "get-token",
        f"--oidc-issuer-url={settings['issuer']}",
        "--oidc-client-id=headless",
        "--oidc-extra-scope=profile,email",
        f"--certificate-authority={server.root}",
        "--grant-type=device-code",
        "--skip-open-browser",
        f"--token-cache-dir={tmp_path / 'cache'}",
    ]
    process = subprocess.Popen(command, env={"HOME": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        words = ""
        for line in process.stderr:
            words += line
            if found := re.search(r"https://\S+user_code=\S+", words):
                break
        else:
            pytest.fail(words)
        browser = Browser(server.root)
        page = browser.submit(browser.open(found[0]), "continue")
        page = browser.submit(page, "sign-in", username="alice", password=PERSON_PASSWORD)
        assert "The device has access" in browser.submit(page, "allow").text
        output, errors = process.communicate(timeout=30)
    finally:
        end(process)
    credential = json.loads(output or "{}")
    assert credential.get("kind") == "ExecCredential", errors
