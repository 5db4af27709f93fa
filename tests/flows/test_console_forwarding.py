"""Receivers of the record in the console, and what the overview says of them, of providers and of what waits."""

import pytest

from sealwright.access import SYSTEM
from sealwright.access.approvals import ApprovalPending, ApprovalRule
from sealwright.openid_providers import KeySetStatus
from sealwright.outbound import OutboundResponse
from sealwright.web.console.overview import provider_item
from tests.foreign_provider import ForeignProvider, described
from tests.pages_place import ORIGIN
from tests.unit.web.reading import Reading

HOOK = "https://siem.example.org/hooks/1"


def make_sink(browser, **values):
    return browser.submit(browser.open(f"{ORIGIN}/ui/new/audit-sink"), "save", **({"name": "siem", "url": HOOK} | values))


def test_receiver_is_made_with_its_secret_shown_once_tested_and_deleted(place, browser):
    place.outbound.answers[HOOK] = OutboundResponse(200, {}, b"")
    made = make_sink(browser)
    secret = Reading(made.text).by_id("secret").text
    assert secret.startswith("whsec_")
    tested = browser.submit(made, "test")
    assert "It took the test event" in tested.text
    assert place.outbound.calls.count(HOOK) > 0
    assert [outcome for outcome, _ in place.events("audit.sink_tested")] == ["done"]
    page = browser.open(f"{ORIGIN}/ui/audit/sinks")
    assert "takes events" in page.text
    assert secret not in page.text
    browser.submit(browser.open(f"{ORIGIN}/ui/audit/sinks/siem/delete"), "confirm")
    assert "forwarded nowhere" in browser.open(f"{ORIGIN}/ui/audit/sinks").text


def test_receiver_that_is_down_is_said_so_with_its_error_and_what_waits(place, browser):
    tested = browser.submit(make_sink(browser, category="auth"), "test")
    assert "It did not take the test event" in tested.text
    assert "cannot be reached" in tested.text
    page = browser.open(f"{ORIGIN}/ui/audit/sinks").text
    assert "failing, 1 try" in page
    overview = browser.open(f"{ORIGIN}/ui/overview").text
    assert "Forwarding to siem" in overview
    assert "Nothing that you may see needs anyone" not in overview


def test_receiver_that_was_given_nothing_yet_is_not_called_well(place, browser):
    make_sink(browser)
    assert "nothing sent yet" in browser.open(f"{ORIGIN}/ui/audit/sinks").text


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({"name": "S i"}, "name", "name is"),
        ({"url": "http://siem.example.org"}, "url", "cannot be forwarded"),
        ({"url": ""}, "url", "Give the address"),
    ],
)
def test_receiver_that_cannot_be_is_refused_beside_its_field(place, browser, values, field, told):
    refused = make_sink(browser, **values)
    assert refused.status == 422
    assert told in Reading(refused.text).by_id(f"{field}-problem").text


def test_auditor_sees_receivers_without_the_path_of_their_address_and_changes_none(place, browser):
    make_sink(browser)
    place.run(place.identity.directory.create_group("readers", actor=SYSTEM))
    place.run(place.identity.roles.grant("r-auditor", group="readers", actor=SYSTEM))
    place.person("carol", "readers")
    carols = place.signed_in("carol")
    page = carols.open(f"{ORIGIN}/ui/audit/sinks")
    assert "https://siem.example.org" in page.text
    assert HOOK not in page.text
    assert "needs <code>audit:write</code>" in page.text
    assert carols.open(f"{ORIGIN}/ui/new/audit-sink").status == 403


def test_overview_shows_first_what_waits_for_the_reader(place):
    place.person("anna", "approvers")
    alice = place.person()
    rule = ApprovalRule(object="profile:step_leaf", group_id="approvers", votes=1)
    place.run(place.app.parts.approval_rules.set(rule, actor=SYSTEM))
    with pytest.raises(ApprovalPending) as pending:
        place.certificate(alice)
    page = Reading(place.signed_in("anna").open(f"{ORIGIN}/ui/overview").text)
    assert f"/ui/approvals/{pending.value.request_id}" in {each.attributes["href"] for each in page.all("a")}
    assert "asked for by alice" in page.by_id("waiting").text


def test_mail_that_is_not_set_up_is_not_called_well(place, browser):
    items = Reading(browser.open(f"{ORIGIN}/ui/overview").text).by_id("health-items").text
    assert "No SMTP server is set" in items
    assert "delivers" not in items


def test_provider_whose_keys_were_never_needed_has_no_data_and_one_that_fails_is_named(place, browser):
    provider = ForeignProvider(place.outbound, place.clock)
    made = place.run(place.app.parts.upstream_providers.create(described(), actor=SYSTEM))
    found = [provider_item(made, KeySetStatus()), provider_item(made, KeySetStatus(fetched_at=place.clock.now()))]
    found.append(provider_item(made, KeySetStatus(fetched_at=place.clock.now(), failure="It is down.")))
    assert [(each.kind, each.word) for each in found] == [
        ("", "no data"),
        ("good", "keys are there"),
        ("bad", "keys not fetched"),
    ]
    assert "It is down." in found[2].detail
    shown = Reading(browser.open(f"{ORIGIN}/ui/overview").text)
    assert "Keycloak" in shown.by_id("health-items").text
    assert provider.issuer == made.issuer_url
