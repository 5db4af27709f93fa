"""`sealwright certificate issue`, `inspect` and `renew` without `step`: a person through the forms, a machine by password."""

import json
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.interop import people
from tests.interop.stock import openssl
from tests.live import PATIENCE, PROVISIONER_PASSWORD, SEALWRIGHT, run


@pytest.fixture
def place(server, tmp_path):
    """An empty directory, with the password of the JWK provisioner beside it."""
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text(PROVISIONER_PASSWORD)
    (tmp_path / "certificates").mkdir()
    return tmp_path / "certificates"


def by_password(server, place, *arguments, expect=0):
    """`certificate issue` with the JWK provisioner, run in `place`."""
    command = ["certificate", "issue", *arguments, "--provisioner", "first"]
    return in_place(server, place, *command, "--provisioner-password-file", place.parent / "password", expect=expect)


def in_place(server, place, *arguments, expect=0):
    done = run([SEALWRIGHT, *arguments], environment=server.environment(), cwd=place)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def leaf(file):
    return x509.load_pem_x509_certificates(file.read_bytes())[0]


def names_in(file):
    return [str(name.value) for name in leaf(file).extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


def mode_of(file):
    return stat.S_IMODE(file.stat().st_mode)


def test_person_signs_in_and_has_two_files_named_after_them(server, place):
    done = people.issue(server, "--provisioner", "kanidm", cwd=place)
    assert done.returncode == 0, done.stderr
    assert sorted(each.name for each in place.iterdir()) == ["alice.crt", "alice.key"]
    assert [mode_of(each) for each in place.iterdir()] == [0o600, 0o600]
    assert names_in(place / "alice.crt")[0] == "alice@example.org"
    key = load_pem_private_key((place / "alice.key").read_bytes(), None)
    assert key.public_key() == leaf(place / "alice.crt").public_key()
    assert "alice.key   private key, readable by you only" in done.stdout
    openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", server.root,
            "-untrusted", place / "alice.crt", place / "alice.crt")  # fmt: skip


def test_curl_is_let_in_with_the_certificate(server, place):
    assert people.issue(server, "alice@example.org", "me.crt", "me.key", "--provisioner", "kanidm", cwd=place).returncode == 0
    command = ["curl", "--silent", "--fail", "--cacert", server.root, "--cert", place / "me.crt", "--key", place / "me.key"]
    renewed = subprocess.run(
        [*command, "-X", "POST", f"{server.machines}/renew"], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert json.loads(renewed.stdout)["crt"].startswith("-----BEGIN CERTIFICATE-----")


def test_files_that_are_there_are_overwritten_only_by_force(server, place):
    by_password(server, place, "web.example.org")
    before = {each.name: each.read_bytes() for each in place.iterdir()}
    assert sorted(before) == ["web.example.org.crt", "web.example.org.key"]
    refused = by_password(server, place, "web.example.org", expect=5)
    assert "web.example.org.crt is there already." in refused.stderr
    assert "--force" in refused.stderr
    assert {each.name: each.read_bytes() for each in place.iterdir()} == before
    by_password(server, place, "web.example.org", "--force")
    after = {each.name: each.read_bytes() for each in place.iterdir()}
    assert sorted(after) == sorted(before)
    assert all(after[name] != before[name] for name in before)
    assert mode_of(place / "web.example.org.key") == 0o600


def test_certificate_by_password_is_for_all_names(server, place):
    by_password(server, place, "web.example.org", "web.crt", "web.key", "--san", "web.example.org", "--san", "10.0.4.17")
    assert names_in(place / "web.crt") == ["web.example.org", "10.0.4.17"]


@pytest.mark.parametrize("kind", [["--kty", "RSA", "--size", "2048"], ["--kty", "OKP"], ["--curve", "P-384"]])
def test_other_kinds_of_keys(server, place, kind):
    by_password(server, place, "kind.example.org", *kind)
    crt = place / "kind.example.org.crt"
    assert openssl("verify", "-CAfile", server.root, "-untrusted", crt, crt) == f"{crt}: OK\n"


def test_refusal_leaves_no_file(server, place):
    done = people.issue(server, "bob@example.org", "--provisioner", "kanidm", cwd=place)
    assert done.returncode == 1
    assert "Refused: you may not have the name bob@example.org" in done.stderr.replace("You may", "you may")
    assert "alice@example.org" in done.stderr
    wrong = place.parent / "wrong"
    wrong.write_text("not-the-password-of-the-provisioner")
    command = ["certificate", "issue", "x.example.org", "--provisioner", "first", "--provisioner-password-file", wrong]
    assert "the password does not open the provisioner's key" in in_place(server, place, *command, expect=1).stderr
    by_password(server, place, "x.example.org", "--not-after", "9000h", expect=1)
    assert list(place.iterdir()) == []


def test_sign_in_that_is_denied_leaves_no_file(server, place):
    server.sealwright("system", "oauth2", "create-public", "careful", "Careful", "https://careful.example.org")
    server.sealwright("system", "oauth2", "enable-localhost-redirects", "careful")
    server.sealwright("system", "oauth2", "update-scope-map", "careful", "step-ca_users", "openid", "email")
    endpoint = f"{server.people}/oauth2/openid/careful/.well-known/openid-configuration"
    server.sealwright(
        "provisioner", "add", "careful", "--type", "oidc", "--client-id", "careful", "--configuration-endpoint", endpoint
    )
    done = people.issue(server, "--provisioner", "careful", cwd=place, button="deny")
    assert done.returncode == 1
    assert "did not sign you in" in done.stderr
    assert list(place.iterdir()) == []


def test_inspect_tells_the_essentials_or_everything(server, place):
    by_password(server, place, "web.example.org", "web.crt", "web.key")
    short = in_place(server, place, "certificate", "inspect", "web.crt", "--short").stdout
    assert "web.example.org" in short
    assert "Provisioner" in short
    assert "first" in short
    long = in_place(server, place, "certificate", "inspect", "web.crt").stdout
    for words in ("Server Authentication", "ECDSA", "P-256", "Test Issuing CA 1", "SHA-256"):
        assert words.lower() in long.lower(), words
    assert len(long.splitlines()) > len(short.splitlines())
    bundle = in_place(server, place, "certificate", "inspect", "web.crt", "--bundle", "-o", "json").stdout.splitlines()
    assert len(bundle) == 2
    told = json.loads(bundle[0])
    assert int(told["serial"], 16) == int(told["serial_decimal"]) == leaf(place / "web.crt").serial_number
    der = place / "web.der"
    openssl("x509", "-in", place / "web.crt", "-outform", "DER", "-out", der)
    assert in_place(server, place, "certificate", "inspect", "web.der", "--short").stdout == short


def test_renewed_certificate_takes_the_place_of_the_old_one(server, place):
    by_password(server, place, "web.example.org", "web.crt", "web.key")
    old, key = leaf(place / "web.crt"), (place / "web.key").read_bytes()
    told = json.loads(in_place(server, place, "certificate", "renew", "web.crt", "--expires-in", "1h", "-o", "json").stdout)
    assert told["renewed"] is False
    assert leaf(place / "web.crt") == old
    in_place(server, place, "certificate", "renew", "web.crt", "web.key")
    new = leaf(place / "web.crt")
    assert new.serial_number != old.serial_number
    assert (new.public_key(), (place / "web.key").read_bytes()) == (old.public_key(), key)
    assert mode_of(place / "web.crt") == 0o600
    in_place(server, place, "certificate", "renew", "web.crt", "--out", "other.crt")
    refused = in_place(server, place, "certificate", "renew", "web.crt", "--out", "other.crt", expect=5)
    assert "other.crt is there already." in refused.stderr
    in_place(server, place, "certificate", "renew", "web.crt", "--out", "other.crt", "--force")
    assert leaf(place / "web.crt") == new


def test_revoked_certificate_is_not_renewed_and_stays_as_it_is(server, place):
    by_password(server, place, "web.example.org", "web.crt", "web.key")
    before = (place / "web.crt").read_bytes()
    in_place(server, place, "certificate", "revoke", "--cert", "web.crt", "--key", "web.key", "--reason", "keyCompromise")
    refused = in_place(server, place, "certificate", "renew", "web.crt", expect=1)
    assert "revoked" in refused.stderr
    assert (place / "web.crt").read_bytes() == before
    serial = str(leaf(place / "web.crt").serial_number)
    shown = server.sealwright_json("certificate", "show", serial)
    assert (shown["state"], shown["revocation_reason"]) == ("revoked", "keyCompromise")


def test_certificate_that_is_not_valid_yet_or_of_someone_else_is_not_renewed_and_told_why(server, place):
    by_password(server, place, "soon.example.org", "soon.crt", "soon.key", "--not-before", "5m", "--not-after", "1h")
    refused = in_place(server, place, "certificate", "renew", "soon.crt", expect=1)
    assert "is not valid before" in refused.stderr
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-days", "1"]
    subprocess.run(["openssl", *request, "-keyout", "f.key", "-out", "f.crt"], cwd=place, check=True, capture_output=True)
    refused = in_place(server, place, "certificate", "renew", "f.crt", expect=1)
    assert "Refused: " in refused.stderr
    assert "was not issued here" in refused.stderr


def test_certificate_of_someone_else_is_not_shown_to_everyone(server, place):
    by_password(server, place, "web.example.org", "web.crt", "web.key")
    serial = str(leaf(place / "web.crt").serial_number)
    password = server.place / "person-password"
    server.sealwright("login", "-D", "alice", "--password-file", password)
    try:
        assert server.attempt("certificate", "show", serial, "-D", "alice").returncode in (1, 4)
        listed = server.sealwright("certificate", "list", "-D", "alice", "-o", "json").splitlines()
        assert {json.loads(each)["person"] for each in listed} <= {"alice@localhost"}
    finally:
        server.sealwright("login", "-D", "admin", "--password-file", server.place / "admin-password")


def test_long_name_in_another_script_is_issued_shown_and_renewed_without_a_word_about_it(server, place):
    name = "日本認証局試験用長名称証明書端末管理番号一二三"
    said = [by_password(server, place, name, "--san", "svc.example.org", "new.crt", "new.key")]
    shown = openssl("x509", "-in", place / "new.crt", "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus")
    assert shown.strip() == f"subject=CN={name}"
    said += [in_place(server, place, "certificate", "inspect", "new.crt")]
    said += [in_place(server, place, "certificate", "renew", "new.crt", "new.key")]
    assert f"CN={name}" in said[1].stdout
    assert [each.stderr for each in said if "arning" in each.stderr] == []
