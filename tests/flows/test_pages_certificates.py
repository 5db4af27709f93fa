"""One's own certificates in a browser, and how a browser comes to trust the server."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.access import SYSTEM
from sealwright.http import Listener, Request
from tests.authorities import Authority, csr
from tests.pages_place import ORIGIN, Place, pages_place

CERTIFICATES = ORIGIN + "/ui/account/certificates"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def test_certificates_are_listed_newest_first_and_lead_to_their_pages(place: Place) -> None:
    alice = place.person()
    first = place.certificate(alice)
    place.clock.advance(timedelta(minutes=1))
    second = place.certificate(alice)
    page = place.signed_in().open(CERTIFICATES)
    assert page.text.index(second) < page.text.index(first)
    assert f'href="/ui/account/certificates/{first}"' in page.text
    assert " left</span>" in page.text


def test_certificate_page_tells_how_it_came_about(place: Place) -> None:
    serial = place.certificate(place.person())
    page = place.signed_in().open(f"{CERTIFICATES}/{serial}")
    for text in (serial, "valid", "How it came about", "You signed in here", "Example Issuing CA 1"):
        assert text in page.text


def test_downloaded_file_holds_the_certificate_and_its_issuer(place: Place) -> None:
    serial = place.certificate(place.person())
    file = place.signed_in().open(f"{CERTIFICATES}/{serial}/pem")
    leaf, issuing = x509.load_pem_x509_certificates(file.text.encode())
    assert f"{leaf.serial_number:040x}" == serial
    leaf.verify_directly_issued_by(issuing)
    assert file.headers["content-disposition"] == f'attachment; filename="{serial}.crt"'


def test_own_certificate_is_revoked_after_a_question_and_only_once(place: Place) -> None:
    serial = place.certificate(place.person())
    browser = place.signed_in()
    page = browser.open(f"{CERTIFICATES}/{serial}/revoke")
    assert "cannot be undone" in page.text
    unanswered = browser.submit(page, "revoke")
    assert unanswered.status == 422
    assert "Choose why you revoke it." in unanswered.text
    token = page.form_with("revoke").fields["csrf_token"]
    done = browser.post(f"/ui/account/certificates/{serial}/revoke", {"csrf_token": token, "reason": "stolen"})
    assert done.url == f"{CERTIFICATES}/{serial}"
    assert "The certificate was revoked." in done.text
    assert "its private key may be known to someone else" in done.text
    assert 'id="revoke"' not in done.text
    again = browser.post(f"/ui/account/certificates/{serial}/revoke", {"csrf_token": token, "reason": "stolen"})
    assert again.status == 409
    assert place.events("certificate.revoked") == [("refused", f"certificate:{serial}"), ("done", f"certificate:{serial}")]


@pytest.mark.parametrize("step", ["", "/pem", "/revoke"])
def test_certificate_of_someone_else_is_neither_shown_nor_revoked(place: Place, step: str) -> None:
    serial = place.certificate(place.person())
    place.person("mallory")
    browser = place.signed_in("mallory")
    assert browser.open(f"{CERTIFICATES}/{serial}{step}").status == 403
    token = browser.open(ORIGIN + "/ui/account").form_with("sign-out").fields["csrf_token"]
    refused = browser.post(f"/ui/account/certificates/{serial}/revoke", {"csrf_token": token, "reason": "stolen"})
    assert refused.status == 403
    assert place.events("certificate.revoked") == [("refused", f"certificate:{serial}")]


@pytest.mark.parametrize(("serial", "status"), [("ab", 404), ("zz" * 20, 404), ("00" * 25, 404), ("00" * 20, 403), ("1", 403)])
def test_serial_number_that_is_none_of_ones_own_shows_nothing(place: Place, serial: str, status: int) -> None:
    place.person()
    assert place.signed_in().open(f"{CERTIFICATES}/{serial}").status == status


def test_certificate_is_found_by_its_serial_number_however_it_is_written(place: Place) -> None:
    serial = place.certificate(place.person())
    browser = place.signed_in()
    for written in (serial.upper(), bytes.fromhex(serial).hex(":"), str(int(serial, 16))):
        page = browser.open(f"{CERTIFICATES}/{written}")
        assert (page.status, serial in page.text) == (200, True)


def test_place_in_the_list_that_there_is_not_is_told_in_words(place: Place) -> None:
    place.person()
    page = place.signed_in().open(f"{CERTIFICATES}?older-than=zzz")
    assert page.status == 400
    assert "a place in the list of certificates that there is not" in page.text
    assert "cursor" not in page.text


def test_expired_certificate_has_nothing_left_to_revoke(place: Place) -> None:
    serial = place.certificate(place.person())
    place.clock.advance(timedelta(days=2))
    page = place.signed_in().open(f"{CERTIFICATES}/{serial}")
    assert "expired" in page.text
    assert 'id="revoke"' not in page.text


def test_trust_page_is_open_to_anyone_and_its_file_has_the_fingerprint_it_names(place: Place) -> None:
    page = place.browser().open(ORIGIN + "/trust")
    pem = place.browser().open(ORIGIN + "/trust/root_ca.crt")
    root = x509.load_pem_x509_certificate(pem.text.encode())
    fingerprint = hashlib.sha256(root.public_bytes(Encoding.DER)).hexdigest()
    assert f"--fingerprint {fingerprint}" in page.text
    assert ":".join(fingerprint[i : i + 2].upper() for i in range(0, 64, 2)) in page.text
    assert root.subject == root.issuer


def test_machines_listener_leads_a_browser_to_the_pages(place: Place) -> None:
    answer = place.run(place.app.call(Request("GET", "/"), Listener.MACHINES))
    assert (answer.status, dict(answer.headers)["location"]) == (303, f"{ORIGIN}/")


def test_commands_for_the_first_certificate_name_this_server_and_its_root(place: Place) -> None:
    place.person()
    page = place.signed_in().open(CERTIFICATES)
    [root] = place.run(place.app.parts.ca.issuers.roots())
    assert f"sealwright login {ORIGIN} --fingerprint {root.fingerprint}" in page.text
    assert "sealwright certificate issue" in page.text


# --- what comes next on a new server ---


async def certificate_of_a_machine(place: Place) -> None:
    authority = Authority(place.app)
    signer = await authority.add_jwk()
    token = authority.jwk_token("web.example.net", signer=signer, aud="https://id.example.org:9443/1.0/sign")
    await authority.parts.signing.sign(token, csr("web.example.net", ("web.example.net",)))


def test_administrator_sees_what_comes_next_and_a_step_that_is_done_is_said_so(place: Place) -> None:
    alice = place.person()
    place.run(place.identity.directory.add_members("system_admins", ["alice"], actor=SYSTEM))
    place.run(certificate_of_a_machine(place))
    browser = place.signed_in()
    page = browser.open(ORIGIN + "/ui/account")
    for step in ("second-factor", "first-person", "first-certificate", "root-key"):
        assert f'id="step-{step}"' in page.text
    assert "sealwright certificate issue" in page.text
    place.certificate(alice)
    place.person("bob")
    place.run(place.app.parts.ca.issuers.take_root_key_away(SYSTEM))
    page = browser.open(ORIGIN + "/ui/account")
    assert page.text.count('class="done"') == 3
    assert "sealwright certificate issue" not in page.text


def test_others_see_no_steps_for_administrators(place: Place) -> None:
    place.person()
    assert "step-root-key" not in place.signed_in().open(ORIGIN + "/ui/account").text
