"""What needs the consent of others before it is done: rules, held requests and votes.

Owns: which profiles, issuers and roles ask for approval, what was held because of that, and who approved it. Never knows what is
held: what asks for a change applies it.
"""

from __future__ import annotations

from sealwright.access.approvals.errors import (
    AlreadyVoted,
    ApprovalMissing,
    ApprovalPending,
    ApprovalRejected,
    ApproversMissing,
    MayNotVote,
    NotOpen,
    RuleMissing,
    RuleRefused,
    TooManyOpen,
)
from sealwright.access.approvals.models import (
    DEFAULT_EXPIRY,
    ApprovalRequest,
    ApprovalRule,
    GuardedKind,
    HeldChange,
    Recipient,
    RequestKind,
    RequestState,
    Vote,
    VoteDecision,
)
from sealwright.access.approvals.policy import check_comment, rule_in_words
from sealwright.access.approvals.requests import Applier, Approvals, Notices, RequestHistory, RequestPage
from sealwright.access.approvals.rules import ApprovalRules, Guardable, RuleChanged
from sealwright.access.approvals.store import all_rules, guarded_objects

__all__ = [
    "DEFAULT_EXPIRY",
    "AlreadyVoted",
    "Applier",
    "ApprovalMissing",
    "ApprovalPending",
    "ApprovalRejected",
    "ApprovalRequest",
    "ApprovalRule",
    "ApprovalRules",
    "Approvals",
    "ApproversMissing",
    "Guardable",
    "GuardedKind",
    "HeldChange",
    "MayNotVote",
    "NotOpen",
    "Notices",
    "Recipient",
    "RequestHistory",
    "RequestKind",
    "RequestPage",
    "RequestState",
    "RuleChanged",
    "RuleMissing",
    "RuleRefused",
    "TooManyOpen",
    "Vote",
    "VoteDecision",
    "all_rules",
    "check_comment",
    "guarded_objects",
    "rule_in_words",
]
