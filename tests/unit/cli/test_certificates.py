import base64
import json
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key

from sealwright.access import SYSTEM
from tests.signing import provisioner_key
from tests.unit.api.world import MACHINES, PEOPLE

DAY = timedelta(days=1)


def certificate(file):
    return x509.load_pem_x509_certificates(Path(file).read_bytes())[0]


def names(file):
    extension = certificate(file).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in extension.value]


@pytest.fixture
def person(shell):
    shell.set_up_step_ca()
    return shell


def add_jwk(shell, name="first", claims=None):
    public, sealed = provisioner_key("correct horse")
    body = {"type": "JWK", "name": name, "key": public, "encryptedKey": sealed, **({"claims": claims} if claims else {})}
    shell.wait(shell.world.ca.provisioners.add(body, SYSTEM))


def add_oidc(shell, name):
    body = {"type": "OIDC", "name": name, "clientID": name, "configurationEndpoint": f"{PEOPLE}/oauth2/openid/{name}"}
    shell.wait(shell.world.ca.provisioners.add(body, SYSTEM))


def test_sign_in_in_the_browser_gives_a_certificate(person):
    done = person.ok("certificate", "issue")
    assert done.out == (
        "alice@example.org   until 20:06 today (8 hours)\n"
        "  alice.crt   certificate and chain\n"
        "  alice.key   private key, readable by you only\n"
    )
    (address,) = person.opened
    assert done.err == (
        f"Opened {PEOPLE} in your browser (or open it yourself: {address})\n"
        "Waiting for you to sign in, for 2 minutes. Ctrl-C stops.\n"
        "Signed in as alice@example.org. Asking for the certificate…\n"
    )
    (page,) = person.loopback.pages
    assert page == ("alice@example.org until 20:06 today (8 hours)", "It is in alice.crt. You can close this window.", True)
    assert names(person.place / "alice.crt")[0] == "alice@example.org"
    for file in ("alice.crt", "alice.key"):
        assert stat.S_IMODE((person.place / file).stat().st_mode) == 0o600
    key = load_pem_private_key((person.place / "alice.key").read_bytes(), None)
    assert key.public_key() == certificate(person.place / "alice.crt").public_key()
    assert len(x509.load_pem_x509_certificates((person.place / "alice.crt").read_bytes())) == 2
    assert sorted(path.name for path in person.place.glob("*alice*")) == ["alice.crt", "alice.key"]


def test_authorization_request_is_tied_to_this_run(person):
    person.ok("certificate", "issue")
    person.ok("certificate", "issue", "--force")
    first, second = (dict(re.findall(r"[?&]([a-z_]+)=([^&]+)", address)) for address in person.opened)
    assert first["code_challenge_method"] == "S256"
    assert first["redirect_uri"] == "http%3A%2F%2F127.0.0.1%3A40001"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 32
        assert first[name] != second[name]


def test_browser_is_not_opened_where_that_is_not_wanted(person):
    for arguments, environ in ((("--no-browser",), {}), ((), {"STEP_OPEN_BROWSER": "0"})):
        done = person.run("certificate", "issue", *arguments, environ=environ)
        assert done.code == 1
        assert done.err.startswith(f"Open this address in your browser to sign in:\n{PEOPLE}/oauth2/authorise?")
        assert "no one signed in within 2 minutes." in done.err
    assert person.opened == []
    assert not (person.place / "alice.key").exists()


def test_person_whose_browser_is_elsewhere_pastes_the_address_it_came_back_to(person):
    person.browser_user, person.pasted = None, lambda location: location
    done = person.ok("certificate", "issue", tty=True)
    assert "copy the whole address from its address bar" in done.err
    assert names(person.place / "alice.crt")[0] == "alice@example.org"
    assert "20:06" in done.out


@pytest.mark.parametrize(
    "pasted",
    [
        lambda _: "hello",
        lambda location: dict(re.findall(r"[?&]([a-z_]+)=([^&]+)", location))["code"],
        lambda location: re.sub(r"state=[^&]+", "state=stolen", location),
        lambda _: "http://[::1",
    ],
)
def test_paste_that_is_not_of_this_sign_in_is_told_and_the_command_goes_on_waiting(person, pasted):
    person.browser_user, person.pasted = None, pasted
    done = person.run("certificate", "issue", tty=True)
    assert done.code == 1
    assert "That is not the address of this sign-in." in done.err
    assert "no one signed in within 10 minutes" in done.err
    assert not (person.place / "alice.crt").exists()


def test_nothing_is_read_from_standard_input_where_no_one_is_asked(person):
    person.browser_user, person.pasted = None, lambda location: location
    done = person.run("certificate", "issue")
    assert (done.code, "no one signed in within 2 minutes" in done.err) == (1, True)


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 5), ("", 5)])
def test_file_of_the_default_name_is_replaced_only_when_the_person_says_so(person, answer, code):
    person.file("alice.crt", "precious")
    done = person.run("certificate", "issue", tty=True, stdin=answer)
    assert (done.code, "alice.crt is there already. Replace? [y/N]" in done.err) == (code, True)
    assert ((person.place / "alice.crt").read_text() == "precious") == (code != 0)


def test_directory_that_cannot_be_written_is_told_before_anybody_signs_in(person):
    done = person.run("certificate", "issue", "alice@example.org", "missing/alice.crt", "alice.key")
    assert (done.code, person.opened) == (1, [])
    assert f"nothing can be written in {person.place / 'missing'}: no such file or directory." in done.err


def test_files_that_are_there_are_not_overwritten(person):
    person.file("alice.crt", "precious")
    done = person.run("certificate", "issue")
    assert (done.code, (person.place / "alice.crt").read_text()) == (5, "precious")
    assert done.err.endswith("Conflict: alice.crt is there already.\n  Choose another name, or overwrite it with --force.\n")
    assert not (person.place / "alice.key").exists()
    person.ok("certificate", "issue", "--force")
    assert names(person.place / "alice.crt")[0] == "alice@example.org"


def test_named_files_are_looked_at_before_anybody_signs_in(person):
    person.file("mine.key", "precious")
    done = person.run("certificate", "issue", "alice@example.org", "mine.crt", "mine.key")
    assert (done.code, person.opened) == (5, [])


def test_name_that_is_not_granted_is_refused_and_leaves_nothing(person):
    done = person.run("certificate", "issue", "web-09.example.net")
    assert done.code == 1
    told = next(line for line in done.err.splitlines() if line.startswith("Refused: "))
    assert "web-09.example.net" in told
    (page,) = person.loopback.pages
    assert (page.title, page.good, "web-09.example.net" in page.text) == ("No certificate", False, True)
    assert [path.name for path in person.place.iterdir() if "web" in path.name] == []


def test_longer_life_than_allowed_is_refused(person):
    done = person.run("certificate", "issue", "--not-after", "24h")
    assert done.code == 1
    done = person.ok("certificate", "issue", "--not-after", "1h", "-o", "json")
    made = json.loads(done.out)
    assert (made["certificate_file"], made["key_file"]) == ("alice.crt", "alice.key")
    assert made["provisioner"] == {"type": "OIDC", "name": "kanidm", "credential_id": "step-ca"}


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [(("--kty", "RSA", "--size", "2048"), rsa.RSAPrivateKey), (("--kty", "OKP"), ed25519.Ed25519PrivateKey)],
)
def test_other_kinds_of_keys(person, arguments, kind):
    person.ok("certificate", "issue", *arguments)
    assert isinstance(load_pem_private_key((person.place / "alice.key").read_bytes(), None), kind)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kty", "RSA", "--size", "1024"), "--size 1024 is too small"),
        (("--curve", "P-999"), "--curve P-999 is not known; there are P-256, P-384, P-521."),
        (("--kty", "OKP", "--size", "2048"), "--size goes with --kty RSA"),
        (("--kty", "RSA", "--curve", "P-256"), "--curve P-256 goes with --kty EC"),
        (("alice@example.org", "a.crt", "a.crt"), "cannot both be a.crt"),
    ],
)
def test_options_that_do_not_fit_are_told_before_anybody_signs_in(person, arguments, words):
    done = person.run("certificate", "issue", *arguments)
    assert done.code == 2
    assert words in done.err
    assert person.opened == []


def test_only_provisioner_of_its_type_need_not_be_named(person):
    add_jwk(person)
    password = person.file("password", "correct horse\n")
    assert person.ok("certificate", "issue").out.startswith("alice@example.org")
    assert person.ok("certificate", "issue", "x.org", "--provisioner-password-file", password).out.startswith("x.org")


def test_provisioner_is_chosen_by_name_or_asked_for(person):
    add_jwk(person)
    add_oidc(person, "other")
    done = person.run("certificate", "issue")
    assert (done.code, done.err) == (
        2,
        "Wrong usage: there are several provisioners.\n  Name one with --provisioner: kanidm, first, other.\n",
    )
    done = person.run("certificate", "issue", "--provisioner", "third")
    assert done.code == 4
    assert "There are: kanidm, first, other." in done.err
    person.ok("certificate", "issue", "--provisioner", "kanidm")


def test_password_of_a_jwk_provisioner_gives_a_certificate(shell):
    add_jwk(shell)
    password = shell.file("password", "correct horse\n")
    done = shell.ok(
        "certificate",
        "issue",
        "web.example.org",
        "--provisioner-password-file",
        password,
        "--san",
        "10.0.0.7",
        "--san",
        "web.example.org",
    )
    assert done.out.startswith("web.example.org   until ")
    assert set(names(shell.place / "web.example.org.crt")) == {"web.example.org", "10.0.0.7"}
    assert (shell.place / "web.example.org.key").exists()


def test_wrong_password_of_a_provisioner_is_told(shell):
    add_jwk(shell)
    done = shell.run("certificate", "issue", "web.example.org", "--provisioner-password-file", "-", stdin="wrong")
    assert (done.code, done.err) == (1, "Refused: the password does not open the provisioner's key.\n")
    done = shell.run("certificate", "issue", "web.example.org")
    assert done.code == 2
    assert "--provisioner-password-file FILE" in done.err
    done = shell.run("certificate", "issue")
    assert (done.code, done.err) == (
        2,
        "Wrong usage: the provisioner first needs to be told the name.\n  Say it: sealwright certificate issue NAME\n",
    )


def test_certificate_is_renewed_in_place(person):
    person.ok("certificate", "issue")
    before = certificate(person.place / "alice.crt")
    person.peer_certificate = before.public_bytes(Encoding.DER)
    person.world.clock.advance(timedelta(hours=5))
    done = person.ok("certificate", "renew", "alice.crt", "alice.key")
    assert done.out == "alice@example.org   until 01:06 tomorrow (8 hours)\n  alice.crt   certificate and chain\n"
    after = certificate(person.place / "alice.crt")
    assert after.serial_number != before.serial_number
    assert after.public_key() == before.public_key()


def test_certificate_that_is_good_for_long_is_left_alone(person):
    person.ok("certificate", "issue")
    done = person.ok("certificate", "renew", "alice.crt", "--expires-in", "4h")
    assert done.err == "Not due: alice.crt is valid for another 8 hours.\n"
    done = person.run("certificate", "renew", "alice.crt", "--expires-in", "soon")
    assert (done.code, "not a duration" in done.err) == (2, True)


def test_renewed_certificate_may_go_elsewhere(person):
    person.ok("certificate", "issue")
    person.peer_certificate = certificate(person.place / "alice.crt").public_bytes(Encoding.DER)
    person.file("new.crt", "precious")
    assert person.run("certificate", "renew", "alice.crt", "--out", "new.crt").code == 5
    person.ok("certificate", "renew", "alice.crt", "--out", "new.crt", "--force")
    assert certificate(person.place / "new.crt") != certificate(person.place / "alice.crt")


def test_expired_certificate_is_renewed_with_a_token_where_that_is_allowed(shell):
    add_jwk(shell, claims={"allowRenewalAfterExpiry": True})
    shell.ok(
        "certificate", "issue", "web.example.org", "web.crt", "web.key", "--provisioner-password-file", "-", stdin="correct horse"
    )
    shell.world.clock.advance(2 * DAY)
    shell.ok("certificate", "renew", "web.crt")
    assert certificate(shell.place / "web.crt").not_valid_after_utc.timestamp() * 1000 > shell.world.clock.now()


def test_certificate_of_a_disabled_person_is_not_renewed(person):
    person.ok("certificate", "issue")
    person.peer_certificate = certificate(person.place / "alice.crt").public_bytes(Encoding.DER)
    person.wait(person.world.directory.disable("alice", actor=SYSTEM))
    before = (person.place / "alice.crt").read_bytes()
    done = person.run("certificate", "renew", "alice.crt")
    assert done.code == 1
    assert "disabled" in done.err
    assert (person.place / "alice.crt").read_bytes() == before


def test_key_of_another_certificate_is_told(person):
    person.ok("certificate", "issue")
    person.ok("certificate", "issue", "alice@example.org", "other.crt", "other.key")
    done = person.run("certificate", "renew", "alice.crt", "other.key")
    assert (done.code, done.err) == (1, "other.key is not the key of alice.crt.\n")


def test_certificate_is_shown_short_and_long(person):
    person.ok("certificate", "issue")
    short = person.ok("certificate", "inspect", "alice.crt", "--short").out.splitlines()
    assert re.fullmatch(r"X\.509v3 TLS Certificate \(ECDSA P-256\) \[Serial: [0-9a-f]{4}\.\.\.[0-9a-f]{4}\]", short[0])
    assert short[2:5] == [
        "               alice@example.org",
        short[3],
        "  Issuer:      Example Issuing CA 1",
    ]
    assert short[5] == "  Provisioner: kanidm [ID: step-ca]"
    assert re.fullmatch(r"  Valid from:  2026-11-18T11:05:4\dZ", short[6])
    assert re.fullmatch(r"          to:  2026-11-18T19:06:4\dZ", short[7])
    long = person.ok("certificate", "inspect", "alice.crt").out
    for line in ("email:alice@example.org", "Type: OIDC", "Name: kanidm", "CredentialID: step-ca", "Digital Signature"):
        assert f"                {line}\n" in long
    assert len(person.ok("certificate", "inspect", "alice.crt", "--bundle", "-o", "json").lines) == 2
    piped = person.ok("certificate", "inspect", "-", "--short", stdin=(person.place / "alice.crt").read_text())
    assert piped.out.splitlines() == short


def test_name_that_was_asked_for_is_told_though_others_stand_beside_it(shell):
    add_jwk(shell)
    password = shell.file("password", "correct horse\n")
    wanted = ("s.example.org", "--san", "x@example.org", "--san", "s.example.org")
    assert shell.ok("certificate", "issue", *wanted, "--provisioner-password-file", password).out.startswith(
        "s.example.org   until"
    )
    for arguments in (("",), ("t.example.org", "--san", "")):
        done = shell.run("certificate", "issue", *arguments, "--provisioner-password-file", password)
        assert (done.code, "a name for the certificate is empty" in done.err) == (2, True)


def test_only_the_first_certificate_of_a_file_is_read_unless_all_are_wanted(shell):
    odd = odd_certificate()
    shell.file("roots.crt", odd + odd.replace("M", "N", 1))
    assert "Serial: 00]" in shell.ok("certificate", "inspect", "--short", "roots.crt").out
    assert shell.run("certificate", "inspect", "--bundle", "roots.crt").code == 1


def odd_certificate():
    """With a serial number of zero, about which the library that reads it warns."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 0x7B, start, start + DAY)
    body = builder.sign(key, None).public_bytes(Encoding.DER).replace(b"\x02\x01\x7b", b"\x02\x01\x00")
    return x509_pem(body)


def x509_pem(der):
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(der).decode()}\n-----END CERTIFICATE-----\n"


def test_file_that_holds_no_certificate_is_told(shell):
    shell.file("x.crt", "nothing")
    done = shell.run("certificate", "inspect", "x.crt")
    assert (done.code, done.err) == (1, "x.crt holds no certificate that can be read.\n")
    done = shell.run("certificate", "inspect", "y.crt")
    assert (done.code, done.err) == (4, "Not found: there is no file y.crt.\n")


def test_own_certificates_are_listed_shown_and_revoked(person):
    person.ok("certificate", "issue")
    person.run("login", "-D", "alice", "--password-file", "-", stdin="velvet-orbit-canyon-97")
    (listed,) = person.ok("certificate", "list", "-o", "json").lines
    table = person.ok("certificate", "list").out.splitlines()
    assert table[0].split() == ["SERIAL", "NAME", "PERSON", "STATE", "UNTIL"]
    assert table[1].split() == [listed["serial"], "alice@example.org", "alice@example.org", "issued", "2026-11-18", "20:06+0100"]
    shown = person.ok("certificate", "show", listed["serial"]).members
    assert {"issuer: Example Issuing CA 1", "provisioner: kanidm", "person: alice@example.org"} <= set(shown)
    pem = person.ok("certificate", "show", listed["serial"], "--pem").out
    assert x509.load_pem_x509_certificate(pem.encode()) == certificate(person.place / "alice.crt")
    person.ok("certificate", "revoke", listed["serial"], "--reason", "superseded")
    assert person.ok("certificate", "list", "-o", "json").json["state"] == "revoked"
    assert "(superseded)" in person.ok("certificate", "show", listed["serial_decimal"]).out
    assert person.run("certificate", "revoke", listed["serial"]).code == 5
    assert person.run("certificate", "show", "00" * 20).code == 1


def test_how_a_certificate_came_about_is_told_with_the_reasons(person):
    person.ok("certificate", "issue")
    person.sign_in("root", "system_admins")
    serial = person.ok("certificate", "list", "-o", "json").json["serial"]
    told = f"sealwright audit list --target certificate:{serial}"
    assert f"how it came about: {told}" in person.ok("certificate", "show", serial).members
    heading, *lines = person.ok(*told.split()[1:]).members
    assert heading.split() == ["AT", "EVENT", "OUTCOME", "BY", "ABOUT"]
    assert [line.split()[2] for line in lines if line.startswith("2026")] == ["certificate.issued", "certificate.intended"]
    assert any("these names are granted by kanidm" in line for line in lines)


def test_serial_number_is_the_same_in_every_answer_and_taken_however_it_is_written(person):
    made = person.ok("certificate", "issue", "-o", "json").json
    person.sign_in("root", "system_admins")
    listed = person.ok("certificate", "list", "-o", "json").json
    inspected = person.ok("certificate", "inspect", "alice.crt", "-o", "json").json
    serial = listed["serial"]
    assert (made["serial"], inspected["serial"], len(serial)) == (serial, serial, 40)
    assert made["serial_decimal"] == inspected["serial_decimal"] == listed["serial_decimal"] == str(int(serial, 16))
    for written in (serial.upper(), f"0x{serial.upper()}", listed["serial_decimal"]):
        assert person.ok("certificate", "show", written, "-o", "json").json["serial"] == serial
        assert "certificate.issued" in person.ok("audit", "list", "--target", f"certificate:{written}").out
    done = person.run("audit", "list", "--target", "certificate:xyz")
    assert (done.code, "'xyz' is not a serial number" in done.err) == (1, True)
    done = person.run("certificate", "show", "")
    assert (done.code, "an argument is empty" in done.err, "/api/" in done.err) == (2, True, False)


def test_one_long_name_does_not_make_the_table_wide(shell):
    add_jwk(shell)
    long = ".".join(["x" * 60] * 4)
    shell.file("password", "correct horse\n")
    shell.ok("certificate", "issue", long, "x.crt", "x.key", "--provisioner-password-file", "password")
    shell.sign_in("root", "system_admins")
    _, line = shell.ok("certificate", "list").out.splitlines()
    assert f"  {long[:63]}…  " in line
    assert len(line) < 180
    assert shell.ok("certificate", "list", "-o", "json").json["names"][0]["value"] == long


def test_who_sees_only_their_own_certificates_is_told_so(shell):
    shell.sign_in("bob")
    told = shell.ok("certificate", "list").err
    assert told.startswith("No certificate speaks for you, and you may not see others.")
    shell.sign_in("root", "system_admins")
    assert shell.ok("certificate", "list", "--person", "bob").err.startswith("No certificate speaks for bob.")


def test_certificates_are_listed_by_name(person):
    person.ok("certificate", "issue")
    person.sign_in("root", "system_admins")
    for name in ("alice@example.org", "@example.org"):
        assert len(person.ok("certificate", "list", "--san", name).out.splitlines()) == 2
    told = person.ok("certificate", "list", "--san", ".example.com", "--person", "alice").err
    assert told.startswith("No certificate that you may see has a name that ends in .example.com and speaks for alice.")
    assert person.ok("certificate", "list", "--san", "bob").err.startswith("No certificate that you may see has the name bob.")


def test_whoever_holds_a_certificate_may_revoke_it(person):
    person.ok("certificate", "issue")
    person.peer_certificate = certificate(person.place / "alice.crt").public_bytes(Encoding.DER)
    person.ok("certificate", "revoke", "--cert", "alice.crt", "--key", "alice.key", "--reason", "keycompromise")
    assert person.run("certificate", "renew", "alice.crt").code == 1


def test_certificate_to_revoke_must_be_named_once(shell):
    for arguments in ((), ("12", "--cert", "x.crt")):
        done = shell.run("certificate", "revoke", *arguments)
        assert (done.code, "which certificate is to be revoked?" in done.err) == (2, True)


def test_address_of_the_authority_may_be_given(person):
    person.requests.clear()
    person.ok("certificate", "issue", "--ca-url", MACHINES.removeprefix("https://"))
    assert f"GET {PEOPLE}/api/v1/version" not in person.requests
    assert person.requests[0].startswith(f"GET {MACHINES}/provisioners")
    done = person.run("certificate", "issue", "--ca-url", "http://id.example.org", "--force")
    assert done.code == 2
    nothing = {"SEALWRIGHT_URL": "", "SEALWRIGHT_CA": ""}
    done = person.run("certificate", "issue", "--ca-url", MACHINES, "--ca", person.root, "--force", environ=nothing)
    assert done.code == 0


def test_encrypted_key_is_refused_and_not_asked_about(person):
    person.ok("certificate", "issue")
    key = load_pem_private_key((person.place / "alice.key").read_bytes(), None)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (person.place / "alice.key").write_bytes(sealed)
    done = person.run("certificate", "renew", "alice.crt")
    assert (done.code, "is encrypted" in done.err) == (1, True)
    done = person.run("certificate", "revoke", "--cert", "alice.crt")
    assert (done.code, "cannot be used together" in done.err) == (1, True)
