"""All certificates in the console: searched, explained from the sign-in on, and revoked; and the overview."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import NotPermitted
from sealwright.web.console.listing import ON_A_PAGE
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


def test_certificate_is_found_by_a_part_of_its_name(browser, serial):
    for query in ("q=lice%40exam", "q=ALICE%40", "q=xample.o"):
        assert f"/ui/certificates/{serial}" in found(browser, query), query
    for query in ("q=bob", "q=mail", "q=%25", "q=_lice"):
        assert f"/ui/certificates/{serial}" not in found(browser, query), query


def test_certificates_are_filtered_by_issuer_provisioner_state_and_end_together(place, browser, serial):
    (record,) = place.run(place.app.parts.ca.inventory.page(SYSTEM, at_most=5)).certificates
    issuer, provisioner = f"issuer={record.issuer_id}", f"provisioner={record.provisioner_id}"
    for query in (
        issuer,
        provisioner,
        f"{issuer}&{provisioner}&state=valid",
        "ends=90",
        f"q=alice&{issuer}",
        f"holder=alice&{issuer}",
    ):
        assert f"/ui/certificates/{serial}" in found(browser, query), query
    for query in ("provisioner=gone", "state=revoked", "state=expired", "state=unsigned", f"q=alice&{issuer}&state=revoked"):
        assert f"/ui/certificates/{serial}" not in found(browser, query), query
    assert browser.open(f"{ORIGIN}/ui/certificates?issuer=another").status == 400
    place.clock.advance(timedelta(days=400))
    place.person("later", "system_admins")
    later = place.signed_in("later")
    assert f"/ui/certificates/{serial}" in found(later, "state=expired")
    assert f"/ui/certificates/{serial}" not in found(later, "ends=90")


def test_form_of_filters_keeps_what_else_the_address_says(browser, serial):
    page = Reading(found(browser, "q=alice&state=valid"))
    kept = {
        each.attributes["name"]: each.attributes.get("value")
        for each in page.all("input")
        if each.attributes.get("type") == "hidden"
    }
    assert (kept["q"], kept["state"]) == ("alice", "valid")
    assert page.by_id("filter-issuer") is not None
    assert page.by_id("export").attributes["href"] == "/ui/certificates/export.csv?q=alice&state=valid"


def test_list_is_exported_as_it_is_filtered(place, browser, serial):
    def export(query):
        browser.open(f"{ORIGIN}/ui/certificates/export.csv?{query}")

        async def whole():
            return b"".join([piece async for piece in place.answers[-1].chunks]).decode().splitlines()

        return place.run(whole())

    heading, row = export("q=alice")
    assert heading.startswith("serial,state,names,holder")
    assert row.startswith(f"{serial},valid,")
    assert len(export("state=revoked")) == 1


def test_export_ends_where_its_reader_may_read_no_more(place, browser):
    place.person("root2", "system_admins")
    account = place.person("alice")
    for _ in range(ON_A_PAGE + 1):
        place.certificate(account)
    browser.open(f"{ORIGIN}/ui/certificates/export.csv")
    pieces = place.answers[-1].chunks
    assert place.run(anext(pieces)).startswith(b"serial,")
    assert place.run(anext(pieces)).count(b",valid,") == ON_A_PAGE
    place.run(place.identity.directory.remove_members("system_admins", ["root1"], actor=SYSTEM))
    with pytest.raises(NotPermitted, match="certificate:read"):
        place.run(anext(pieces))


def test_page_tells_how_it_came_about_from_the_sign_in_to_the_serial_number(browser, serial):
    page = Reading(browser.open(f"{ORIGIN}/ui/certificates/{serial}").text)
    assert {"/ui/people/alice", "/ui/profiles", "/ui/issuers"} <= {each.attributes["href"] for each in page.all("a")}
    chain = page.by_id("chain").text
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
