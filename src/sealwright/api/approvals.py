"""Approvals: what asks for them, what is held, and deciding about it."""

from __future__ import annotations

from typing import Any, Literal

from sealwright.access import Permission
from sealwright.access.approvals import (
    DEFAULT_EXPIRY,
    ApprovalPending,
    ApprovalRequest,
    ApprovalRule,
    ApprovalRules,
    Approvals,
    RequestHistory,
)
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, moment
from sealwright.api.operations import OWN, PREFIX, Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.clock import Clock, Instant
from sealwright.errors import InvalidInput
from sealwright.http import Response, json_response

_READ, _WRITE = str(Permission.APPROVAL_READ), str(Permission.APPROVAL_WRITE)
_ALL, _ONE = "/approvals", "/approvals/{id}"
_RULE = "/approval-rules/{object}"
_SEES = f"{OWN}; for others {Permission.APPROVAL_READ}"
_DECIDES = OWN
"""The rule of what is asked for says who may decide; what one may decide about is one's own to see."""


class CommentBody(RequestBody, frozen=True, kw_only=True):
    """What a person says about their decision."""

    comment: str = ""


class RuleBody(RequestBody, frozen=True, kw_only=True):
    """Whom something asks: the members of a group, or the holders of a role."""

    votes: int = 1
    group: str | None = None
    role: str | None = None
    expires_after: int = int(DEFAULT_EXPIRY.total_seconds())
    """Seconds that a request is open."""
    renewals: bool = False
    """Whether the renewal of an approved certificate asks again."""


class RuleView(ResponseBody, frozen=True, kw_only=True):
    """A rule."""

    object: str
    votes: int
    group_id: str | None
    role: str | None
    expires_after: int
    renewals: bool
    words: str


class RulesView(ResponseBody, frozen=True, kw_only=True):
    """Every rule."""

    items: list[RuleView]
    next: str | None = None


class VoteView(ResponseBody, frozen=True, kw_only=True):
    """One person's decision."""

    person: str
    decision: Literal["approve", "reject"]
    comment: str
    at: Moment


class ApprovalView(ResponseBody, frozen=True, kw_only=True):
    """A request."""

    id: str
    kind: Literal["certificate", "role_grant", "approval_rule", "profile"]
    state: Literal["pending", "approved", "rejected", "withdrawn", "expired", "done", "stale"]
    title: str
    requester: str
    objects: list[str]
    """What asks for the approval."""
    created_at: Moment
    expires_at: Moment
    closed_at: Moment | None
    result: str
    """Serial number of the certificate, or id of the grant; empty until there is one."""


class ApprovalDetails(ApprovalView, frozen=True, kw_only=True):
    """A request with exactly what is asked for, and who decided what."""

    content: dict[str, Any]
    """Of a certificate the bytes that are signed, and the same in words."""
    reasons: list[str]
    """Why it may be asked for, and why it is held."""
    votes: list[VoteView]
    waiting: list[str]
    """What is missing."""
    may_vote: bool
    """Whether the caller may decide about it now."""


class ApprovalPage(ResponseBody, frozen=True, kw_only=True):
    """Requests, newest first."""

    items: list[ApprovalView]
    next: str | None = None


class HeldView(ResponseBody, frozen=True, kw_only=True):
    """Something that waits for approval; the Location header leads to the request."""

    approval: str
    """Its id."""
    detail: str
    reasons: list[str]
    """What is missing."""
    hint: str


def held(pending: ApprovalPending) -> Response:
    """202, and where the request is."""
    view = HeldView(approval=pending.request_id, detail=pending.detail, reasons=list(pending.reasons), hint=pending.hint)
    return json_response(202, view, headers=(("location", f"{PREFIX}{_ALL}/{pending.request_id}"),))


class ApprovalOperations:
    """Operations about approvals."""

    def __init__(self, approvals: Approvals, rules: ApprovalRules, clock: Clock) -> None:
        self._approvals = approvals
        self._rules = rules
        self._clock = clock

    def operations(self) -> list[Operation]:
        """All of them."""
        view, details = ApprovalView, ApprovalDetails
        page = {
            "show": "waiting: what waits for one's decision; mine: what one asked for; all.",
            "after": "Where the page before ended.",
            "limit": "At most this many.",
        }
        decide = "Approve a request. Each person counts once."
        return [
            *self._rule_operations(),
            Operation("list_approvals", "GET", _ALL, "List requests for approval.", _SEES, self._list, ApprovalPage, query=page),
            Operation("get_approval", "GET", _ONE, "Show a request with exactly what is asked for.", _SEES, self._get, details),
            Operation("approve_request", "POST", f"{_ONE}/approve", decide, _DECIDES, self._approve, view, CommentBody),
            Operation(
                "reject_request",
                "POST",
                f"{_ONE}/reject",
                "Reject a request, which ends it.",
                _DECIDES,
                self._reject,
                view,
                CommentBody,
            ),
            Operation(
                "withdraw_request",
                "POST",
                f"{_ONE}/withdraw",
                "Take a request back.",
                f"{OWN}; for others {_WRITE}",
                self._withdraw,
                view,
            ),
        ]

    def _rule_operations(self) -> list[Operation]:
        return [
            Operation(
                "list_approval_rules",
                "GET",
                "/approval-rules",
                "List what asks for approval.",
                _READ,
                self._list_rules,
                RulesView,
                query=PAGED,
            ),
            Operation(
                "set_approval_rule",
                "PUT",
                _RULE,
                "Let a profile, an issuer or a role ask for approval. Where a rule stands, its change needs that approval.",
                _WRITE,
                self._set_rule,
                returns=RuleView,
                accepts=RuleBody,
                also_returns=(202, HeldView),
            ),
            Operation(
                "remove_approval_rule",
                "DELETE",
                _RULE,
                "Ask for approval no more. That needs the approval that the rule asks for.",
                _WRITE,
                self._remove_rule,
                returns=HeldView,
                status=202,
            ),
        ]

    async def _list(self, call: Call) -> ApprovalPage:
        which, now = call.query.get("show", "waiting"), self._clock.now()
        if which == "waiting":
            waiting = [_view(each, now) for each in await self._approvals.waiting_for(call.actor)]
            return page_of(call, ApprovalPage(items=waiting), "created_at", "id", newest_first=True)
        if which not in ("mine", "all"):
            raise InvalidInput(f"show is {which[:20]!r}; it must be waiting, mine or all.")
        read = self._approvals.asked_by if which == "mine" else self._approvals.all
        found = await read(call.actor, cursor=call.query.get("after", ""), at_most=call.limit())
        return ApprovalPage(items=[_view(each, now) for each in found.requests], next=found.next_cursor or None)

    async def _get(self, call: Call) -> ApprovalDetails:
        return _details(await self._approvals.show(call.path("id"), actor=call.actor))

    async def _approve(self, call: Call) -> ApprovalView:
        decided = await self._approvals.approve(call.path("id"), call.body.comment, actor=call.actor)
        return _view(decided, self._clock.now())

    async def _reject(self, call: Call) -> ApprovalView:
        return _view(await self._approvals.reject(call.path("id"), call.body.comment, actor=call.actor), self._clock.now())

    async def _withdraw(self, call: Call) -> ApprovalView:
        return _view(await self._approvals.withdraw(call.path("id"), actor=call.actor), self._clock.now())

    async def _list_rules(self, call: Call) -> RulesView:
        found = [_rule(*each) for each in await self._rules.all(actor=call.actor)]
        return page_of(call, RulesView(items=found), "object")

    async def _set_rule(self, call: Call) -> RuleView | Response:
        body: RuleBody = call.body
        wanted = ApprovalRule(
            object=call.path("object"),
            votes=body.votes,
            group_id=body.group,
            role=body.role,
            expires_after=body.expires_after,
            renewals=body.renewals,
        )
        try:
            return _rule(*await self._rules.set(wanted, actor=call.actor))
        except ApprovalPending as pending:
            return held(pending)

    async def _remove_rule(self, call: Call) -> Response | None:
        try:
            await self._rules.remove(call.path("object"), actor=call.actor)
        except ApprovalPending as pending:
            return held(pending)
        return None


def _view(request: ApprovalRequest, now: Instant) -> ApprovalView:
    return ApprovalView(**_members(request, str(request.state_at(now))))


def _members(request: ApprovalRequest, state: str) -> dict[str, Any]:
    return {
        "id": request.id,
        "kind": str(request.kind),
        "state": state,
        "title": request.title,
        "requester": request.requester_name,
        "objects": list(request.objects),
        "created_at": moment(request.created_at),
        "expires_at": moment(request.expires_at),
        "closed_at": moment(request.closed_at),
        "result": request.result,
    }


def _details(story: RequestHistory) -> ApprovalDetails:
    request = story.request
    return ApprovalDetails(
        **_members(request, str(story.state)),
        content=dict(request.content),
        reasons=list(request.reasons),
        votes=[
            VoteView(person=each.name, decision=each.decision.value, comment=each.comment, at=moment(each.at))
            for each in story.votes
        ],
        waiting=list(story.waiting),
        may_vote=story.may_vote,
    )


def _rule(rule: ApprovalRule, words: str) -> RuleView:
    return RuleView(
        object=rule.object,
        votes=rule.votes,
        group_id=rule.group_id,
        role=rule.role,
        expires_after=rule.expires_after,
        renewals=rule.renewals,
        words=words,
    )
