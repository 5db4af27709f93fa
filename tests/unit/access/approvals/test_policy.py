"""Who may decide, and when it is enough."""

from datetime import timedelta

import pytest

from sealwright.access.approvals import ApprovalRule, RuleRefused, Vote, VoteDecision, check_comment, rule_in_words
from sealwright.access.approvals.models import ApproverStatus
from sealwright.access.approvals.policy import check_rule, may_decide, tally
from sealwright.clock import Instant
from sealwright.errors import InvalidInput

MEMBER = ApproverStatus(active=True, groups=frozenset({"g1"}))
HOLDER = ApproverStatus(active=True, roles=frozenset({"r-admin"}))
OF_GROUP = ApprovalRule(object="profile:web", votes=2, group_id="g1")
OF_ROLE = ApprovalRule(object="role:r-admin", role="r-admin")


def vote(account_id, decision=VoteDecision.APPROVE):
    return Vote("r", account_id, account_id, decision, "", Instant(1))


@pytest.mark.parametrize(
    ("status", "rule", "may"),
    [
        (MEMBER, OF_GROUP, True),
        (HOLDER, OF_GROUP, False),
        (HOLDER, OF_ROLE, True),
        (MEMBER, OF_ROLE, False),
        (ApproverStatus(active=False, groups=frozenset({"g1"})), OF_GROUP, False),
        (ApproverStatus(active=True), OF_GROUP, False),
    ],
)
def test_who_is_asked_may_decide(status, rule, may):
    assert may_decide(status, rule) is may


def test_votes_of_the_requester_of_others_and_against_it_do_not_count():
    votes = [vote("anna"), vote("ben"), vote("carla", VoteDecision.REJECT), vote("mallory")]
    statuses = {"anna": MEMBER, "ben": MEMBER, "carla": MEMBER, "mallory": HOLDER}
    (alone,) = tally([OF_GROUP], votes, statuses, ["ben"])
    assert (alone.have, alone.enough) == (1, False)
    (both,) = tally([OF_GROUP], votes, statuses, [])
    assert (both.have, both.enough) == (2, True)


def test_each_rule_is_counted_for_itself():
    found = tally([OF_GROUP, OF_ROLE], [vote("anna")], {"anna": HOLDER}, [])
    assert [(each.have, each.enough) for each in found] == [(0, False), (1, True)]


def test_rule_is_said_in_words():
    assert rule_in_words(OF_GROUP, "ops") == "the profile web asks for the approval of 2 of the members of the group ops"
    assert rule_in_words(OF_ROLE, "") == "the role r-admin asks for the approval of one of the people with the role r-admin"


@pytest.mark.parametrize(
    "rule",
    [
        ApprovalRule(object="profile:web"),
        ApprovalRule(object="profile:web", group_id="g", role="r"),
        ApprovalRule(object="profile:web", group_id="g", votes=0),
        ApprovalRule(object="profile:web", group_id="g", votes=21),
        ApprovalRule(object="profile:web", group_id="g", expires_after=10),
        ApprovalRule(object="profile:web", group_id="g", expires_after=int(timedelta(days=91).total_seconds())),
    ],
)
def test_rule_that_contradicts_itself_is_refused(rule):
    with pytest.raises(RuleRefused):
        check_rule(rule)


def test_comment_keeps_its_lines_and_its_markup_and_refuses_what_deceives():
    assert check_comment(" <b>one</b>\r\ntwo ") == "<b>one</b>\ntwo"
    for text in ("x" * 1_001, "a\u202eb", "a\u2066b", "a\x07b", "a\ufeffb"):
        with pytest.raises(InvalidInput, match="comment"):
            check_comment(text)
