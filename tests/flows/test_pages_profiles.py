"""An administrator keeps profiles on pages, in a browser without JavaScript."""

from collections.abc import Iterator

import pytest

from sealwright.access import SYSTEM
from sealwright.access.approvals import ApprovalRule
from tests.pages_place import ORIGIN, InProcessBrowser, Place, pages_place
from tests.unit.web.reading import Reading

PROFILES = f"{ORIGIN}/ui/profiles"
FIELDS = {
    "name": "web",
    "description": "Websites",
    "most_names": "10",
    "shortest_rsa": "2048",
    "shortest": "1h",
    "default": "24h",
    "longest": "30d",
    "backdate": "1m",
    "name_types-dns": "yes",
    "key_kinds-EC": "yes",
    "curves-P-256": "yes",
    "key_uses-digital_signature": "yes",
    "extended_uses-server_auth": "yes",
}


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def chief(place: Place) -> InProcessBrowser:
    place.person("chief", "system_admins")
    return place.signed_in("chief")


def test_profile_is_made_changed_and_deleted_on_pages(place: Place) -> None:
    browser = chief(place)
    page = browser.submit(browser.open(f"{PROFILES}/new"), "save", **FIELDS)
    assert "The profile was stored" in page.text
    assert "30 days" in page.text
    page = browser.submit(browser.open(f"{PROFILES}/web/edit"), "save", longest="48h")
    assert "It counts from the next certificate on" in page.text
    assert "2 days" in page.text
    page = browser.submit(browser.open(f"{PROFILES}/web/delete"), "confirm")
    assert "The profile was deleted" in page.text


def test_profile_that_would_fail_the_lint_is_shown_with_the_reason_and_what_was_typed(place: Place) -> None:
    browser = chief(place)
    page = browser.open(f"{PROFILES}/new")
    wrong = {**FIELDS, "key_uses-digital_signature": "", "key_uses-content_commitment": "yes"}
    page = browser.submit(page, "save", **wrong)
    assert page.status == 422
    assert "server_auth needs the key usage" in page.text
    assert "Websites" in page.text


def test_change_of_a_profile_that_asks_for_approval_leads_to_its_request(place: Place) -> None:
    browser = chief(place)
    browser.submit(browser.open(f"{PROFILES}/new"), "save", **FIELDS)
    place.run(place.identity.directory.create_group("approvers", actor=SYSTEM))
    rule = ApprovalRule(object="profile:web", group_id="approvers")
    place.run(place.app.parts.approval_rules.set(rule, actor=SYSTEM))
    page = browser.submit(browser.open(f"{PROFILES}/web/edit"), "save", longest="48h")
    assert "/ui/approvals/" in page.url
    assert "48h0m0s" in page.text
    assert "30 days" in browser.open(f"{PROFILES}/web").text


def test_form_that_someone_overtook_shows_what_changed_and_keeps_what_was_typed(place: Place) -> None:
    browser = chief(place)
    browser.submit(browser.open(f"{PROFILES}/new"), "save", **FIELDS)
    form = browser.open(f"{PROFILES}/web/edit")
    browser.submit(browser.open(f"{PROFILES}/web/edit"), "save", longest="72h")
    stale = browser.submit(form, "save", longest="48h", description="Mine")
    assert stale.status == 409
    assert [each.text for each in Reading(stale.text).all("del", "ins")] == ["72h0m0s", "48h"]
    assert stale.form_with("save").fields["description"] == "Mine"
    assert "3 days" in browser.open(f"{PROFILES}/web").text
    browser.submit(stale, "save")
    assert "2 days" in browser.open(f"{PROFILES}/web").text


def test_built_in_profile_offers_no_change(place: Place) -> None:
    page = chief(place).open(f"{PROFILES}/step_leaf")
    assert "part of the program" in page.text
    assert "/edit" not in page.text
