"""Approvals in a browser: what waits for me, what I asked for, and deciding, without JavaScript."""

from collections.abc import Iterator

import pytest

from sealwright.access import SYSTEM
from sealwright.access.approvals import ApprovalPending, ApprovalRule
from sealwright.identity import Account
from tests.pages_place import ORIGIN, Place, pages_place

APPROVALS = ORIGIN + "/ui/approvals"


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def held(place: Place, account: Account, votes: int = 1) -> str:
    """The id of a certificate of Alice that waits for the approvers."""
    rule = ApprovalRule(object="profile:step_leaf", group_id="approvers", votes=votes)
    place.run(place.app.parts.approval_rules.set(rule, actor=SYSTEM))
    with pytest.raises(ApprovalPending) as pending:
        place.certificate(account)
    return pending.value.request_id


def test_request_is_shown_with_all_that_would_be_signed_and_approved_with_a_comment(place: Place) -> None:
    place.person("anna", "approvers")
    request = held(place, place.person())
    browser = place.signed_in("anna")
    page = browser.open(APPROVALS)
    assert f'href="/ui/approvals/{request}"' in page.text
    page = browser.open(f"{APPROVALS}/{request}")
    for text in ("alice@example.org", "SHA-256 of the bytes to be signed", "step_leaf", "0 of 1 are there", "Serial number"):
        assert text in page.text
    done = browser.submit(page, "approve", comment="seen <b>her</b>")
    assert "You approved it." in done.text
    assert "seen &lt;b&gt;her&lt;/b&gt;" in done.text
    assert "Nothing waits for you." in browser.open(APPROVALS).text
    assert place.events("approval.approved") == [("done", f"approval:{request}")]


def test_requester_sees_how_far_it_is_and_may_withdraw_but_not_approve(place: Place) -> None:
    place.person("anna", "approvers")
    alice = place.person("alice", "approvers")
    request = held(place, alice)
    browser = place.signed_in("alice")
    assert "Nothing waits for you." in browser.open(APPROVALS).text
    assert request in browser.open(f"{APPROVALS}?show=mine").text
    page = browser.open(f"{APPROVALS}/{request}")
    assert "This is your own request" in page.text
    assert 'id="approve"' not in page.text
    token = page.form_with("withdraw").fields["csrf_token"]
    refused = browser.post(f"/ui/approvals/{request}/approve", {"csrf_token": token, "comment": ""})
    assert refused.status == 403
    done = browser.submit(page, "withdraw")
    assert "withdrawn" in done.text


def test_request_is_rejected_with_the_other_button(place: Place) -> None:
    place.person("anna", "approvers")
    request = held(place, place.person())
    browser = place.signed_in("anna")
    page = browser.open(f"{APPROVALS}/{request}")
    token = page.form_with("approve").fields["csrf_token"]
    done = browser.post(f"/ui/approvals/{request}/reject", {"csrf_token": token, "comment": "no"})
    assert "You rejected it." in done.text
    assert "rejected" in done.text


@pytest.mark.parametrize("comment", ["x" * 1_001, "evil \u202e text"])
def test_comment_that_cannot_be_kept_is_said_beside_its_field(place: Place, comment: str) -> None:
    place.person("anna", "approvers")
    request = held(place, place.person())
    browser = place.signed_in("anna")
    wrong = browser.submit(browser.open(f"{APPROVALS}/{request}"), "approve", comment=comment)
    assert wrong.status == 422
    assert 'id="comment-problem"' in wrong.text
    assert place.events("approval.approved") == []


def test_stranger_sees_neither_the_request_nor_everything(place: Place) -> None:
    place.person("anna", "approvers")
    request = held(place, place.person())
    place.person("mallory")
    browser = place.signed_in("mallory")
    assert browser.open(f"{APPROVALS}/{request}").status == 403
    assert browser.open(f"{APPROVALS}?show=all").status == 400
