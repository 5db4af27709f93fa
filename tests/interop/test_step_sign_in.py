"""`step ca certificate` with an OIDC provisioner: a person signs in with a real Chromium at our provider."""

import json
import subprocess

import pytest
from cryptography import x509

from tests.interop.stock import oidc_provisioner
from tests.live import PATIENCE, free_ports


def names_in(path):
    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in san]


@pytest.mark.browser
def test_person_signs_in_and_gets_a_certificate(user):
    printed, status = user.certificate_by_sign_in("alice@example.org")
    assert status == 0, printed
    assert "alice@example.org" in names_in(user.place / "personal.crt")
    short = user.step("certificate", "inspect", "--short", "personal.crt")
    assert "Provisioner: kanidm" in " ".join(short.split())


@pytest.mark.browser
def test_name_of_someone_else(user):
    """step-ca signs another name than the one asked for without a word; we refuse and name it."""
    printed, status = user.certificate_by_sign_in("bob@example.org")
    if user.authority.kind == "step-ca":
        assert status == 0, printed
        assert "bob@example.org" not in names_in(user.place / "personal.crt")
    else:
        assert status != 0
        assert "bob@example.org" in printed
        assert not (user.place / "personal.crt").exists()


@pytest.mark.browser
def test_provisioner_of_the_tutorial_with_its_listen_address(ours):
    """The JSON object of the tutorial, unchanged but for the host: two hours, eight at most, no renewal."""
    server = ours.provider
    (port,) = free_ports(1)
    oauth2 = ("system", "oauth2")
    server.sealwright(*oauth2, "create-public", "tutorial", "Tutorial", server.machines)
    server.sealwright(*oauth2, "add-redirect-url", "tutorial", "http://localhost:10000")
    server.sealwright(*oauth2, "update-scope-map", "tutorial", "step-ca_users", "openid", "email")
    entry = oidc_provisioner(server, name="tutorial", client="tutorial") | {
        "admins": ["ariel@example.org"],
        "claims": {"defaultTLSCertDuration": "2h", "disableRenewal": True, "maxTLSCertDuration": "8h"},
        "domains": ["example.org"],
        "listenAddress": f"localhost:{port}",
    }
    given = server.file("tutorial.json", json.dumps(entry))
    server.sealwright("provisioner", "add", "--from-file", given)
    user = ours.user("tutorial").bootstrap()
    printed, status = user.certificate_by_sign_in("alice@example.org", provisioner="tutorial")
    assert status == 0, printed
    crt = user.place / "personal.crt"
    certificate = x509.load_pem_x509_certificates(crt.read_bytes())[0]
    assert 7_200 <= (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() <= 7_260
    user.step("ca", "renew", "--force", "personal.crt", "personal.key", expect_failure=True)
    printed, status = user.certificate_by_sign_in("alice@example.org", "--not-after", "9h", provisioner="tutorial")
    assert status != 0
    assert "allows 8 hours" in printed


@pytest.mark.browser
def test_certificate_of_a_person_who_lost_the_name_or_is_disabled_is_not_renewed(ours):
    server = ours.provider
    password = "eight-blue-ladders-hum-4"
    person = server.file("bob-password", password)
    server.sealwright("person", "create", "bob", "Bob Example")
    server.sealwright("person", "update", "bob", "--mail", "bob@example.org")
    server.sealwright("person", "set-password", "bob", "--password-file", person)
    server.sealwright("group", "add-members", "step-ca_users", "bob")
    user = ours.user("bob").bootstrap()
    printed, status = user.certificate_by_sign_in("bob@example.org", person="bob", password=password)
    assert status == 0, printed
    user.step("ca", "renew", "--force", "personal.crt", "personal.key")
    server.sealwright("person", "update", "bob", "--mail", "robert@example.org")
    told = user.step("ca", "renew", "--force", "personal.crt", "personal.key", expect_failure=True)
    assert "bob@example.org is not a name that bob@" in told
    server.sealwright("person", "update", "bob", "--mail", "bob@example.org")
    user.step("ca", "renew", "--force", "personal.crt", "personal.key")
    server.sealwright("person", "disable", "bob")
    user.step("ca", "renew", "--force", "personal.crt", "personal.key", expect_failure=True)
    user.step("ca", "renew", "--force", "--mtls=false", "personal.crt", "personal.key", expect_failure=True)


def test_curl_is_greeted_over_mtls(ours):
    user = ours.user("curl").bootstrap()
    crt, key = user.certificate("curl.example.org")
    command = ["curl", "--silent", "--fail", "--cacert", str(ours.trust_file), "--cert", str(crt), "--key", str(key)]
    done = subprocess.run([*command, f"{ours.url}/health"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert '"ok"' in done.stdout
