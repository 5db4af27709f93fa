"""What would be issued for a signing request, on its page."""

import pytest

from sealwright.access import SYSTEM
from sealwright.access.approvals import ApprovalRule
from sealwright.jose import jwk_of
from tests.authorities import csr, signing_key
from tests.pages_place import ORIGIN
from tests.unit.web.reading import Reading

PREVIEW = f"{ORIGIN}/ui/preview/certificate"
WEB = "web.example.org"


@pytest.fixture(autouse=True)
def sites(place):
    signer = signing_key("jwk sites")
    definition = {"type": "JWK", "name": "sites", "key": jwk_of(signer.public_key, signer.id, "ES256")}
    place.run(place.app.parts.ca.provisioners.add(definition, SYSTEM))


def previewed(browser, **typed):
    return browser.submit(browser.open(f"{PREVIEW}?provisioner=sites"), "preview", **{"csr": csr(WEB, (WEB,)), **typed})


def told(page):
    return Reading(page.text)


def test_preview_says_what_would_be_issued_and_why_and_issues_nothing(place, browser):
    page = previewed(browser)
    assert (page.status, told(page).by_id("verdict").text.strip()) == (200, "It would be issued.")
    held = told(page).by_id("contents").text
    assert WEB in held
    assert "step_leaf" in held
    assert "sites" in told(page).by_id("reasons").text
    assert place.run(place.app.parts.ca.inventory.page(SYSTEM, at_most=5)).certificates == ()


def test_preview_keeps_the_request_and_says_why_it_would_be_refused(browser):
    given = csr(WEB, (WEB,))
    page = previewed(browser, csr=given, **{"not-after": "2030-01-01T00:00"})
    assert "would be refused" in page.text
    assert "sites allows" in told(page).by_id("verdict").text
    assert given.strip() in page.text


def test_preview_says_whose_approval_it_would_wait_for(place, browser):
    place.person("anna", "approvers")
    place.run(
        place.app.parts.approval_rules.set(ApprovalRule(object="profile:step_leaf", group_id="approvers", votes=1), actor=SYSTEM)
    )
    page = previewed(browser)
    assert "would wait for approval" in page.text
    assert "approvers" in told(page).by_id("reasons").text


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"csr": ""}, "csr", "Paste a signing request"),
        ({"csr": "hello"}, "csr", "no PEM block"),
        ({"not-before": "soon"}, "not-before", "Type a day"),
    ],
)
def test_what_cannot_be_looked_at_is_said_beside_its_field(browser, typed, field, words):
    page = previewed(browser, **typed)
    assert page.status == 422
    assert words in told(page).by_id(f"{field}-problem").text


def test_token_that_is_none_would_be_refused_and_is_not_shown_again(browser):
    page = previewed(browser, token="e.y.J")
    assert "would be refused" in page.text
    assert "e.y.J" not in page.text


def test_request_without_any_vouching_asks_who(browser):
    page = previewed(browser, provisioner="")
    assert page.status == 422
    assert "Say who vouches" in told(page).by_id("problems").text


def test_everyone_may_ask_and_is_led_back_to_their_own_certificates(place):
    place.person("alice")
    page = previewed(place.signed_in("alice"))
    assert "It would be issued." in page.text
    assert 'href="/ui/account/certificates"' in page.text
