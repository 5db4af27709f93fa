"""Refusals about approvals."""

from __future__ import annotations

from sealwright.errors import Conflict, InvalidInput, NotFound, NotPermitted


class ApprovalPending(Conflict):
    """What was asked for is held until others approve it. `request_id`: where that is seen."""

    code = "approval_pending"

    def __init__(self, detail: str, *, request_id: str = "", reasons: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(detail, reasons=reasons, hint=hint)
        self.request_id = request_id


class ApprovalRejected(NotPermitted):
    """Someone who may decide about it rejected what was asked for."""

    code = "approval_rejected"


class ApproversMissing(NotPermitted):
    """The group that is to approve does not exist any more, so that nothing can be approved."""

    code = "approvers_missing"


class ApprovalMissing(NotFound):
    """There is no such request, or the caller may not see it."""

    code = "approval_missing"


class MayNotVote(NotPermitted):
    """The caller may not decide about this request."""

    code = "may_not_vote"


class AlreadyVoted(Conflict):
    """The person has voted about this request before; each counts once."""

    code = "already_voted"


class NotOpen(Conflict):
    """The request was decided, withdrawn or used, or it has expired."""

    code = "request_not_open"


class TooManyOpen(NotPermitted):
    """The requester has as many open requests as one may have."""

    code = "too_many_open_requests"


class RuleMissing(NotFound):
    """Nothing asks for approval there."""

    code = "approval_rule_missing"


class RuleRefused(InvalidInput):
    """A rule cannot be as given."""

    code = "approval_rule_refused"
