"""All certificates in the console: searched, explained from the sign-in on, and revoked; and the overview."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from tests.pages_place import ORIGIN, pages_place
from tests.unit.web.reading import Reading


@pytest.fixture
def place():
    with pages_place() as made:
        yield made


@pytest.fixture
def serial(place):
    return place.certificate(place.person("alice"))


@pytest.fixture
def browser(place):
    place.person("root1", "system_admins")
    return place.signed_in("root1")


def found(browser, query):
    return browser.open(f"{ORIGIN}/ui/certificates?{query}").text


def test_certificate_is_found_by_name_end_of_name_serial_and_holder(browser, serial):
    for query in ("q=alice%40example.org", "q=%40example.org", f"q={serial[:12]}", "q=alice", "holder=alice", ""):
        assert f"/ui/certificates/{serial}" in found(browser, query), query
    for query in ("q=bob%40example.org", "q=%40example.net", "q=ffffffffff", "holder=root1", "state=revoked"):
        assert f"/ui/certificates/{serial}" not in found(browser, query), query


def test_page_tells_how_it_came_about_from_the_sign_in_to_the_serial_number(browser, serial):
    chain = Reading(browser.open(f"{ORIGIN}/ui/certificates/{serial}").text).by_id("chain").text
    steps = ["alice signed in", "was given an ID token", "Allowed by the provisioner certificates", "then signed by", serial]
    places = [chain.index(step) for step in steps]
    assert places == sorted(places)


def test_reader_without_the_record_sees_what_the_chain_needs(place, serial):
    place.run(place.identity.directory.create_group("readers", actor=SYSTEM))
    place.run(place.identity.roles.grant("r-inventory", group="readers", actor=SYSTEM))
    place.person("carol", "readers")
    page = place.signed_in("carol").open(f"{ORIGIN}/ui/certificates/{serial}")
    assert page.status == 200
    assert "alice signed in" not in page.text
    assert "needs <code>audit:read</code>" in page.text
    assert Reading(page.text).by_id("revoke") is None
    assert "Revoke: needs <code>certificate:revoke</code>" in page.text


def test_certificate_of_someone_is_revoked_after_a_question_and_a_reason(place, browser, serial):
    question = browser.open(f"{ORIGIN}/ui/certificates/{serial}/revoke")
    refused = browser.submit(question, "revoke")
    assert (refused.status, "Choose why you revoke it." in refused.text) == (422, True)
    token = question.form_with("revoke").fields["csrf_token"]
    page = browser.post(f"/ui/certificates/{serial}/revoke", {"csrf_token": token, "reason": "withdrawn"})
    assert page.url == f"{ORIGIN}/ui/certificates/{serial}"
    chain = Reading(page.text).by_id("chain").text
    assert "Revoked by root1" in chain
    assert f"/ui/certificates/{serial}" in found(browser, "state=revoked")
    assert Reading(page.text).by_id("revoke") is None


def test_file_of_anyones_certificate_is_downloaded(browser, serial):
    page = browser.open(f"{ORIGIN}/ui/certificates/{serial}/pem")
    assert page.text.startswith("-----BEGIN CERTIFICATE-----")


def test_someone_without_permission_does_not_see_the_certificates_of_others(place, serial):
    place.person("bob")
    assert place.signed_in("bob").open(f"{ORIGIN}/ui/certificates/{serial}").status == 403


def test_overview_says_that_an_authority_ended_and_never_that_all_is_well(place, browser):
    place.clock.advance(timedelta(days=365 * 6))
    place.person("later", "system_admins")
    page = Reading(place.signed_in("later").open(f"{ORIGIN}/ui/overview").text)
    assert "someone" in page.by_id("state").text
    assert "expired" in page.by_id("health-items").text
    assert "No issuing CA is valid" in page.by_id("health-items").text


def test_overview_is_calm_only_while_the_record_is_signed(place, browser):
    late = Reading(browser.open(f"{ORIGIN}/ui/overview").text)
    assert "late" in late.by_id("health-items").text
    place.run(place.app.parts.checkpoints.make(SYSTEM))
    calm = Reading(browser.open(f"{ORIGIN}/ui/overview").text)
    assert "Nothing that you may see needs anyone" in calm.by_id("state").text


def test_overview_of_someone_who_looks_after_nothing_leads_on(place):
    place.person("bob")
    page = place.signed_in("bob").open(f"{ORIGIN}/ui/overview")
    assert "You look after nothing on this server" in page.text
    assert Reading(page.text).by_id("health-items") is None
