"""The stock `step` 0.30.2, unchanged, against our server and against the real step-ca: one script for both."""

import json
import re
import stat

import pytest
from cryptography import x509

from sealwright.cli.context import password_in_file
from sealwright.cli.provisioner_key import open_sealed
from tests.interop.stock import openssl

PROVISIONER = x509.ObjectIdentifier("1.3.6.1.4.1.37476.9000.64.1")


def leaf(path):
    return x509.load_pem_x509_certificates(path.read_bytes())[0]


def names_in(path):
    san = leaf(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(getattr(name.value, "value", name.value)) for name in san)


def test_bootstrap_stores_the_root(authority):
    user = authority.user("bootstrap").bootstrap()
    assert (user.place / ".step/certs/root_ca.crt").read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_bootstrap_with_another_fingerprint_stores_nothing(authority):
    user = authority.user("wrong-fingerprint")
    wrong = ("0" if authority.fingerprint[0] != "0" else "1") + authority.fingerprint[1:]
    user.step("ca", "bootstrap", "--ca-url", authority.url, "--fingerprint", wrong, expect_failure=True)
    assert not (user.place / ".step/certs/root_ca.crt").exists()


def test_health(user):
    assert user.step("ca", "health").strip() == "ok"


def test_root_and_roots(user):
    user.step("ca", "root", "root.crt")
    user.step("ca", "roots", "roots.crt")
    assert (user.place / "root.crt").read_text().strip() == (user.place / "roots.crt").read_text().strip()


def test_federation(user):
    user.step("ca", "federation", "federation.crt")
    assert "BEGIN CERTIFICATE" in (user.place / "federation.crt").read_text()


def test_provisioner_list_holds_both_kinds(user):
    listed = {entry["name"]: entry for entry in json.loads(user.step("ca", "provisioner", "list"))}
    assert listed["first"]["type"] == "JWK"
    assert listed["kanidm"]["type"] == "OIDC"
    assert listed["kanidm"]["clientID"] == "step-ca"


def test_name_in_another_script_may_have_64_characters(user):
    name = "日本認証局試験用長名称証明書端末管理" * 3 + "番号一二三四五六七八"
    assert len(name) == 64
    first = ("--provisioner", "first", "--provisioner-password-file", "password")
    user.step("ca", "certificate", name, "cjk.crt", "cjk.key", "--san", "cjk.example.org", *first)
    shown = openssl("x509", "-in", user.place / "cjk.crt", "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus")
    assert shown.strip() == f"subject=CN={name}"


def test_certificate_with_a_provisioner_password(user):
    crt, key = user.certificate("web.example.org", "--san", "web.example.org", "--san", "10.0.4.17")
    assert names_in(crt) == ["10.0.4.17", "web.example.org"]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert leaf(crt).extensions.get_extension_for_oid(PROVISIONER) is not None


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", " ", "\t", " \n", "\u00a0", "\u2028"], ids=repr)
def test_password_file_is_the_same_password_for_step(user, end):
    content = f" velvet orbit-canyon-97{end}"
    (user.place / "pw").write_bytes(content.encode())
    user.step("crypto", "jwk", "create", "pub.json", "priv.json", "--password-file", "pw", "--force")
    parts = json.loads((user.place / "priv.json").read_text())
    sealed = ".".join(parts[name] for name in ("protected", "encrypted_key", "iv", "ciphertext", "tag"))
    assert open_sealed(sealed, password_in_file(content)).id == json.loads((user.place / "pub.json").read_text())["kid"]


def test_certificate_verifies_strictly(user):
    crt, _ = user.certificate("strict.example.org")
    root = user.place / ".step/certs/root_ca.crt"
    assert openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", crt, crt) == f"{crt}: OK\n"
    user.step("certificate", "verify", str(crt), "--roots", str(root))


def test_server_certificate_has_each_name_that_was_asked_for_and_verifies_for_each(user):
    names = ["idp.example.org", "idp.default.svc", "idp.default.svc.cluster.local", "192.0.2.9"]
    crt, _ = user.certificate(names[0], *(part for name in names for part in ("--san", name)))
    assert names_in(crt) == sorted(names)
    root = user.place / ".step/certs/root_ca.crt"
    for name in names:
        wanted = "-verify_ip" if name[0].isdigit() else "-verify_hostname"
        assert openssl("verify", "-x509_strict", wanted, name, "-CAfile", root, "-untrusted", crt, crt) == f"{crt}: OK\n"


def test_inspect_short_names_the_provisioner(user):
    crt, _ = user.certificate("inspect.example.org")
    printed = user.step("certificate", "inspect", "--short", str(crt))
    assert "inspect.example.org" in printed
    assert re.search(r"Provisioner:\s+first", printed)


def test_lifetime_is_a_day_by_default_and_can_be_shortened(user):
    crt, _ = user.certificate("day.example.org")
    lifetime = leaf(crt).not_valid_after_utc - leaf(crt).not_valid_before_utc
    assert 86_400 <= lifetime.total_seconds() <= 86_460
    short, _ = user.certificate("short.example.org", "--not-after", "10m")
    assert 600 <= (leaf(short).not_valid_after_utc - leaf(short).not_valid_before_utc).total_seconds() <= 660


def test_too_long_lifetime_is_refused(user):
    first = ("--provisioner", "first", "--provisioner-password-file", "password")
    user.step("ca", "certificate", "long.example.org", "l.crt", "l.key", *first, "--not-after", "2000h", expect_failure=True)
    assert not (user.place / "l.crt").exists()


@pytest.mark.parametrize(
    "kind", [("--kty", "RSA", "--size", "2048"), ("--kty", "OKP", "--curve", "Ed25519"), ("--kty", "EC", "--curve", "P-384")]
)
def test_other_kinds_of_keys(user, kind):
    crt, _ = user.certificate("kinds.example.org", *kind)
    assert leaf(crt).subject.rfc4514_string() == "CN=kinds.example.org"


def test_sign_a_request_made_elsewhere(user):
    user.step("certificate", "create", "--csr", "--no-password", "--insecure", "csr.example.org", "in.csr", "in.key")
    token = user.token("csr.example.org")
    user.step("ca", "sign", "--token", token, "in.csr", "out.crt")
    assert names_in(user.place / "out.crt") == ["csr.example.org"]


def test_token_works_once(user):
    token = user.token("once.example.org")
    user.step("ca", "certificate", "once.example.org", "a.crt", "a.key", "--token", token)
    user.step("ca", "certificate", "once.example.org", "b.crt", "b.key", "--token", token, expect_failure=True)
    assert not (user.place / "b.crt").exists()


def test_token_alone_is_enough_on_a_machine_without_bootstrap(user):
    token = user.token("fresh.example.org")
    fresh = user.authority.user(f"{user.place.name}-fresh")
    fresh.step("ca", "certificate", "fresh.example.org", "a.crt", "a.key", "--token", token)
    assert names_in(fresh.place / "a.crt") == ["fresh.example.org"]


def test_renew_keeps_key_and_names(user):
    crt, key = user.certificate("renew.example.org")
    before = leaf(crt)
    user.step("ca", "renew", "--force", str(crt), str(key))
    after = leaf(crt)
    assert after.serial_number != before.serial_number
    assert after.public_key() == before.public_key()
    assert names_in(crt) == ["renew.example.org"]


def test_renew_with_a_token_instead_of_mtls(user):
    crt, key = user.certificate("bearer.example.org")
    before = leaf(crt).serial_number
    user.step("ca", "renew", "--force", "--mtls=false", str(crt), str(key))
    assert leaf(crt).serial_number != before


def test_rekey_changes_the_key(user):
    crt, key = user.certificate("rekey.example.org")
    before = leaf(crt)
    user.step("ca", "rekey", "--force", str(crt), str(key))
    assert leaf(crt).public_key() != before.public_key()
    assert names_in(crt) == ["rekey.example.org"]


def test_revoked_certificate_is_not_renewed(user):
    crt, key = user.certificate("revoke.example.org")
    printed = user.step("ca", "revoke", "--cert", str(crt), "--key", str(key), "--reasonCode", "superseded")
    assert "has been revoked" in printed
    user.step("ca", "renew", "--force", str(crt), str(key), expect_failure=True)


def test_revoke_by_serial_with_a_provisioner_password(user):
    crt, key = user.certificate("serial.example.org")
    serial = str(leaf(crt).serial_number)
    token = user.token("--revoke", serial)
    assert "has been revoked" in user.step("ca", "revoke", "--token", token, serial)
    user.step("ca", "renew", "--force", str(crt), str(key), expect_failure=True)


def test_revoking_twice_is_refused(user):
    crt, key = user.certificate("twice.example.org")
    user.step("ca", "revoke", "--cert", str(crt), "--key", str(key))
    printed = user.step("ca", "revoke", "--cert", str(crt), "--key", str(key), expect_failure=True)
    assert "was revoked before" in printed or "is already revoked" in printed
