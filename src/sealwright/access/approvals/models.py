"""Rules, held requests and votes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct

from sealwright.clock import Instant

DEFAULT_EXPIRY = timedelta(hours=168)


class GuardedKind(StrEnum):
    """What can ask for approval."""

    PROFILE = "profile"
    ISSUER = "issuer"
    ROLE = "role"


class RequestKind(StrEnum):
    """What can be held."""

    CERTIFICATE = "certificate"
    ROLE_GRANT = "role_grant"
    RULE = "approval_rule"
    PROFILE = "profile"


class RequestState(StrEnum):
    """How far a request has come."""

    PENDING = "pending"
    APPROVED = "approved"
    """Enough people approved; the certificate is fetched by asking for it again."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    DONE = "done"
    """The certificate was issued, or the change was made."""
    STALE = "stale"
    """It was approved, and could not be done any more: what it was based on had changed."""


OPEN = frozenset({RequestState.PENDING, RequestState.APPROVED})


class VoteDecision(StrEnum):
    """What a person decided."""

    APPROVE = "approve"
    REJECT = "reject"


class ApprovalRule(Struct, frozen=True, kw_only=True):
    """Who must approve before something is done with an object: `votes` members of a group, or holders of a role."""

    object: str
    """`GuardedKind`, a colon, and the id of the profile, issuer or role."""
    votes: int = 1
    group_id: str | None = None
    role: str | None = None
    expires_after: int = int(DEFAULT_EXPIRY.total_seconds())
    """Seconds."""
    renewals: bool = False
    """Whether the renewal of a certificate that was approved needs approval again."""

    @property
    def expiry(self) -> timedelta:
        """For how long a request is open."""
        return timedelta(seconds=self.expires_after)


class ApprovalRequest(Struct, frozen=True, kw_only=True):
    """What was asked for, and waits or waited for approval."""

    id: str
    kind: RequestKind
    objects: tuple[str, ...]
    """What asked for approval when it was held."""
    state: RequestState
    requester_kind: str
    requester_id: str
    requester_name: str
    people: tuple[str, ...]
    """Ids of the people behind the requester. None of them may approve."""
    title: str
    content: Mapping[str, Any]
    """Exactly what is asked for, as JSON."""
    reasons: tuple[str, ...]
    match_digest: bytes
    votes_cast: int = 0
    created_at: Instant
    expires_at: Instant
    closed_at: Instant | None = None
    result: str = ""

    def state_at(self, now: Instant) -> RequestState:
        """The state; an open request whose time has passed has expired, even if no one has written that down yet."""
        return RequestState.EXPIRED if self.state in OPEN and now >= self.expires_at else self.state


class HeldChange(Struct, frozen=True, kw_only=True):
    """What is about to be held."""

    kind: RequestKind
    objects: tuple[str, ...]
    title: str
    content: Mapping[str, Any]
    reasons: tuple[str, ...]
    match_digest: bytes
    people: tuple[str, ...] = ()
    """Ids of accounts that gain by it: they may not approve it either."""


class Vote(Struct, frozen=True):
    """One person's decision."""

    request_id: str
    account_id: str
    name: str
    decision: VoteDecision
    comment: str
    at: Instant


class Recipient(Struct, frozen=True):
    """Someone who is told of a request by mail."""

    account_id: str
    name: str
    """What to call them."""
    address: str
    """Verified."""


class ApproverStatus(Struct, frozen=True):
    """What decides at this moment whether an account may approve."""

    active: bool
    """A person who may act now."""
    groups: frozenset[str] = frozenset()
    """Ids, also of groups that they are in through others."""
    roles: frozenset[str] = frozenset()
    """Held for everything."""


class Tally(Struct, frozen=True):
    """How far the votes go for one rule."""

    rule: ApprovalRule
    have: int

    @property
    def enough(self) -> bool:
        """Whether the rule is satisfied."""
        return self.have >= self.rule.votes
