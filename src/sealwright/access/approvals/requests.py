"""Hold what needs approval, and let people decide about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from sealwright.access.approvals import store
from sealwright.access.approvals.errors import (
    AlreadyVoted,
    ApprovalMissing,
    ApprovalPending,
    ApprovalRejected,
    ApproversMissing,
    MayNotVote,
    NotOpen,
    TooManyOpen,
)
from sealwright.access.approvals.models import (
    OPEN,
    ApprovalRequest,
    ApprovalRule,
    ApproverStatus,
    HeldChange,
    Recipient,
    RequestKind,
    RequestState,
    Tally,
    Vote,
    VoteDecision,
)
from sealwright.access.approvals.policy import check_comment, may_decide, rule_in_words, tally, waiting_in_words
from sealwright.access.models import SYSTEM, Actor, Permission
from sealwright.access.policy import require
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after, before, to_rfc3339
from sealwright.confusables import shown
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy
from sealwright.errors import Action, Conflict, Failure, NotPermitted, Refused, Remedy

MOST_OPEN = 50
"""Open requests of one requester."""
MOST_RECIPIENTS = 50
"""People who are told of one request by mail."""
MOST_MAILED_REQUESTS = 10
"""Requests of one requester within `MAILED_WITHIN` of which people are told by mail: to withdraw and ask again sends no flood."""
MAILED_WITHIN = timedelta(hours=1)
LONGEST_PAGE = 200
_MOST_LOOKED_AT = 1_000

Applier = Callable[[Transaction, ApprovalRequest], Awaitable[str]]
"""Makes the change that was approved, and returns its result; a failure means that it cannot be made any more."""


class Notices(Protocol):
    """Tells people, in the transaction of what they are told about."""

    async def held(self, tx: Transaction, request: ApprovalRequest, approvers: Sequence[Recipient]) -> None:
        """Something waits for the decision of these people."""

    async def decided(self, tx: Transaction, request: ApprovalRequest, state: RequestState, to: Sequence[Recipient]) -> None:
        """A request of these people was decided."""


class RequestHistory(Struct, frozen=True):
    """A request with its votes, and what is still missing."""

    request: ApprovalRequest
    state: RequestState
    votes: tuple[Vote, ...]
    waiting: tuple[str, ...]
    """What each rule asks for and how far it is, in words."""
    may_vote: bool
    """Whether the one who looks may decide about it now."""
    is_own: bool


class RequestPage(Struct, frozen=True):
    """Some requests, newest first; `next_cursor` is empty on the last page."""

    requests: tuple[ApprovalRequest, ...]
    next_cursor: str


class Approvals:
    """Requests that are held, and the votes about them."""

    def __init__(self, db: Database, audit: Audit, clock: Clock, entropy: Entropy) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self.appliers: dict[RequestKind, Applier] = {}
        """Who makes each kind of change once it is approved; certificates are made for the requester who asks again."""
        self.notices: Notices | None = None

    # --- holding -----------------------------------------------------------------------------------------------------

    async def rules_for(self, reader: Database | Transaction, objects: Sequence[str]) -> list[ApprovalRule]:
        """The rules of these objects."""
        return [each for each in await store.all_rules(reader) if each.object in objects]

    async def hold(self, tx: Transaction, change: HeldChange, rules: Sequence[ApprovalRule], actor: Actor) -> ApprovalRequest:
        """The open request for this change by this actor; a new one, unless the same was asked for before.

        Raises ApproversMissing where no one could approve it, and ApprovalRejected where someone rejected the same.
        """
        now = self._clock.now()
        words = [rule_in_words(rule, await self._group_of(tx, rule)) for rule in rules]
        known = await store.newest_matching(tx, change.match_digest)
        if known is not None and known.state_at(now) in OPEN:
            return known
        if known is not None and known.state is RequestState.REJECTED and now < known.expires_at:
            raise await self._rejected(tx, known)
        if await store.count_open(tx, actor.id, now, at_most=MOST_OPEN) == MOST_OPEN:
            raise TooManyOpen(
                f"{actor.name} has {MOST_OPEN} open requests already, which is as many as one may have.",
                hint="Withdraw those that are not needed any more.",
                remedy=Remedy(Action.LIST_OWN_APPROVALS),
            )
        request = ApprovalRequest(
            id=f"{store.first_id_at(now)}{self._entropy.bytes(10).hex()}",
            kind=change.kind,
            objects=tuple(rule.object for rule in rules),
            state=RequestState.PENDING,
            requester_kind=actor.kind,
            requester_id=actor.id,
            requester_name=actor.name,
            people=tuple(sorted({*await store.people_behind(tx, actor.kind, actor.id, now), *change.people})),
            title=change.title,
            content=change.content,
            reasons=(*change.reasons, *words),
            match_digest=change.match_digest,
            created_at=now,
            expires_at=after(now, min(rule.expiry for rule in rules)),
        )
        asked_lately = await store.asked_since(tx, actor.id, before(now, MAILED_WITHIN), at_most=MOST_MAILED_REQUESTS)
        await store.insert_request(tx, request)
        details = {"kind": str(request.kind), "title": request.title, "rules": words, "expires_at": request.expires_at}
        await self._record(tx, Event.APPROVAL_REQUESTED, actor, request, details)
        if self.notices is not None and asked_lately < MOST_MAILED_REQUESTS:
            asked = [each for rule in rules for each in await store.approvers_of(tx, rule, now)]
            approvers = [each for each in dict.fromkeys(asked) if each.account_id not in request.people]
            await self.notices.held(tx, request, approvers[:MOST_RECIPIENTS])
        return request

    async def rules_in_words(self, reader: Database | Transaction, rules: Sequence[ApprovalRule]) -> list[str]:
        """What each rule asks for; ApproversMissing where no one could approve it."""
        return [rule_in_words(rule, await self._group_of(reader, rule)) for rule in rules]

    async def known(self, tx: Transaction, match_digest: bytes) -> ApprovalRequest | None:
        """The last request for the same thing by the same requester, whatever became of it."""
        return await store.newest_matching(tx, match_digest)

    async def missing(self, reader: Database | Transaction, request: ApprovalRequest, rules: Sequence[ApprovalRule]) -> list[str]:
        """What is missing until `rules` are satisfied, in words; empty when nothing is. Everyone who voted is judged anew."""
        return [
            waiting_in_words(each, await self._group_of(reader, each.rule))
            for each in await self._tallies(reader, request, rules)
            if not each.enough
        ]

    async def consume(self, tx: Transaction, request: ApprovalRequest, result: str, actor: Actor) -> None:
        """Use an approved request up; NotOpen where someone else has."""
        if not await store.consume(tx, request.id, result, self._clock.now()):
            raise _not_open(request, self._clock.now())
        await self._record(tx, Event.APPROVAL_RELEASED, actor, request, {"title": request.title, "result": result})

    def pending(self, request: ApprovalRequest, missing: Sequence[str], *, hint: str = "") -> ApprovalPending:
        """What to raise for a request that is held."""
        return ApprovalPending(
            f"{request.title} waits for approval as the request {request.id}, until {to_rfc3339(request.expires_at)}.",
            request_id=request.id,
            reasons=tuple(missing),
            hint=hint,
        )

    # --- deciding ----------------------------------------------------------------------------------------------------

    async def approve(self, request_id: str, comment: str, *, actor: Actor) -> ApprovalRequest:
        """One person's approval. The last that is needed makes a change; a certificate is then fetched by who asked for it."""
        text = check_comment(comment)
        request = await self._vote(request_id, VoteDecision.APPROVE, text, actor)
        if request.state is not RequestState.APPROVED or request.kind not in self.appliers:
            return request
        return await self._apply(request, actor)

    async def reject(self, request_id: str, comment: str, *, actor: Actor) -> ApprovalRequest:
        """One person's rejection, which ends a request, also one that was approved and not used yet."""
        return await self._vote(request_id, VoteDecision.REJECT, check_comment(comment), actor)

    async def withdraw(self, request_id: str, *, actor: Actor) -> ApprovalRequest:
        """Take one's own request back, or with `approval:write` that of someone else."""

        async def body(tx: Transaction) -> ApprovalRequest:
            known = await store.find(tx, request_id[:64])
            if known is None or not self._is_own(known, actor):
                require(actor, Permission.APPROVAL_WRITE)
            request = self._known(known, request_id)
            if not await store.set_state(tx, request.id, RequestState.WITHDRAWN, self._clock.now()):
                raise _not_open(request, self._clock.now())
            await self._record(tx, Event.APPROVAL_WITHDRAWN, actor, request, {"title": request.title})
            return replace(request, state=RequestState.WITHDRAWN)

        return await self._db.write(body)

    async def close_expired(self) -> int:
        """Close requests that have expired, audited; returns how many."""

        async def body(tx: Transaction) -> int:
            over = await store.expire_open(tx, self._clock.now())
            for each in over:
                details = {"title": each.title, "was": "approved" if each.state is RequestState.APPROVED else "pending"}
                await self._record(tx, Event.APPROVAL_EXPIRED, SYSTEM, each, details)
                await self._tell(tx, each, RequestState.EXPIRED)
            return len(over)

        return await self._db.write(body)

    async def _vote(self, request_id: str, decision: VoteDecision, comment: str, actor: Actor) -> ApprovalRequest:
        event = Event.APPROVAL_APPROVED if decision is VoteDecision.APPROVE else Event.APPROVAL_REJECTED

        async def body(tx: Transaction) -> ApprovalRequest:
            now = self._clock.now()
            request = await store.lock_open(tx, request_id[:64], now)
            if request is None:
                raise _not_open(await self._found(tx, request_id), now)
            rules = await self.rules_for(tx, request.objects)
            await self._require_may_vote(tx, request, rules, actor)
            if not await store.insert_vote(tx, Vote(request.id, actor.id, actor.name, decision, comment, now)):
                raise AlreadyVoted(f"{actor.name} has voted about the request {request.id} before; each person counts once.")
            await self._record(tx, event, actor, request, {"title": request.title, "comment": comment})
            if decision is VoteDecision.REJECT:
                state = RequestState.REJECTED
            else:
                enough = not await self.missing(tx, request, rules)
                state = RequestState.APPROVED if enough else RequestState.PENDING
            await store.set_state(tx, request.id, state, now)
            if state is RequestState.REJECTED or (state is RequestState.APPROVED and request.kind not in self.appliers):
                await self._tell(tx, request, state)
            return replace(request, state=state)

        try:
            return await self._db.write(body)
        except NotPermitted as refusal:
            await self._refused(event, actor, request_id, refusal)
            raise

    async def _apply(self, request: ApprovalRequest, actor: Actor) -> ApprovalRequest:
        """Make the change. One that cannot be made any more is stale, which is recorded, and told to those who approved."""

        async def body(tx: Transaction) -> str:
            if not await store.consume(tx, request.id, "", self._clock.now()):
                raise _not_open(await self._found(tx, request.id), self._clock.now())
            missing = await self.missing(tx, request, await self.rules_for(tx, request.objects))
            if missing:
                raise ApprovalPending(f"{request.title} is not approved any more.", request_id=request.id, reasons=tuple(missing))
            result = await self.appliers[request.kind](tx, request)
            await self._record(tx, Event.APPROVAL_RELEASED, actor, request, {"title": request.title, "result": result})
            await self._tell(tx, request, RequestState.DONE)
            return result

        try:
            result = await self._db.write(body)
        except (NotOpen, ApprovalPending):
            return await self._found(self._db, request.id)  # another vote came first
        except (Refused, Conflict) as failure:
            await self._stale(request, failure)
            raise NotOpen(
                f"{request.title} was approved, and cannot be done any more: {failure.detail}",
                reasons=failure.reasons,
                hint="It has to be asked for again.",
            ) from failure
        return replace(request, state=RequestState.DONE, result=result)

    async def _stale(self, request: ApprovalRequest, failure: Failure) -> None:
        async def body(tx: Transaction) -> None:
            if await store.set_state(tx, request.id, RequestState.STALE, self._clock.now()):
                details = {"title": request.title, "was": "approved", "detail": failure.detail}
                await self._record(tx, Event.APPROVAL_EXPIRED, SYSTEM, request, details)
                await self._tell(tx, request, RequestState.STALE)

        await self._db.write(body)

    async def _require_may_vote(
        self, reader: Transaction, request: ApprovalRequest, rules: Sequence[ApprovalRule], actor: Actor
    ) -> None:
        asked = [rule_in_words(rule, await self._group_of(reader, rule)) for rule in rules]
        if actor.kind != "person" or actor.api_key:
            raise MayNotVote(
                f"{actor.name} may not decide about the request {request.id}: only people who signed in may.",
                reasons=("neither a service account nor an API key decides: its owner signs in",),
            )
        people = await self._people_behind(reader, request)
        if actor.id in people:
            raise MayNotVote(
                f"{actor.name} may not decide about the request {request.id}, which is their own.",
                reasons=(f"{actor.name} asked for it, can act as {request.requester_name} who did, or gains by it",),
                hint="Ask someone else to approve it.",
            )
        if request.requester_kind in ("person", "service"):
            active = await store.is_active(reader, request.requester_id, self._clock.now())
            if active is False:
                raise NotOpen(
                    f"The request {request.id} is over: {request.requester_name} may not act any more.",
                    remedy=Remedy(Action.WITHDRAW_APPROVAL, request.id),
                )
        status = await self._status_of(reader, actor)
        if not any(may_decide(status, rule) for rule in rules):
            raise MayNotVote(
                f"{actor.name} is none of those who may decide about the request {request.id}.",
                reasons=tuple(asked) or ("nothing asks for this approval any more",),
            )

    # --- reading -----------------------------------------------------------------------------------------------------

    async def show(self, request_id: str, *, actor: Actor) -> RequestHistory:
        """One request, for its requester, for those who may decide about it, and with `approval:read`."""
        known = await store.find(self._db, request_id[:64])
        if known is None:
            require(actor, Permission.APPROVAL_READ)
        request = self._known(known, request_id)
        now = self._clock.now()
        state = request.state_at(now)
        rules = await self.rules_for(self._db, request.objects)
        status = await self._status_of(self._db, actor)
        is_own = self._is_own(request, actor)
        decides = any(may_decide(status, rule) for rule in rules)
        votes = tuple(await store.votes(self._db, request.id))
        voted = actor.id in {vote.account_id for vote in votes}
        if not (is_own or decides or voted):
            require(actor, Permission.APPROVAL_READ)
        waiting: list[str] = []
        if state in OPEN:
            try:
                waiting = await self.missing(self._db, request, rules)
            except ApproversMissing as failure:
                waiting = [failure.detail]
        return RequestHistory(
            request=request,
            state=state,
            votes=votes,
            waiting=tuple(waiting),
            may_vote=state in OPEN and decides and not is_own and not voted,
            is_own=is_own,
        )

    async def waiting_for(self, actor: Actor) -> list[ApprovalRequest]:
        """Open requests about which `actor` may decide and has not yet, newest first."""
        status, now = await self._status_of(self._db, actor), self._clock.now()
        rules = {each.object: each for each in await store.all_rules(self._db) if may_decide(status, each)}
        if not rules:
            return []
        found = []
        for each in await store.newest_open(self._db, beyond="", at_most=_MOST_LOOKED_AT, now=now):
            if not rules.keys() & set(each.objects) or self._is_own(each, actor):
                continue
            if actor.id not in {vote.account_id for vote in await store.votes(self._db, each.id)}:
                found.append(each)
        return found

    async def asked_by(self, actor: Actor, *, cursor: str = "", at_most: int = 50) -> RequestPage:
        """The requests of `actor`, newest first."""
        return await self._page(cursor, at_most, actor.id)

    async def all(self, actor: Actor, *, cursor: str = "", at_most: int = 50) -> RequestPage:
        """Every request, newest first."""
        require(actor, Permission.APPROVAL_READ)
        return await self._page(cursor, at_most, None)

    async def _page(self, cursor: str, at_most: int, requester_id: str | None) -> RequestPage:
        wanted = min(max(at_most, 1), LONGEST_PAGE)
        found = await store.newest(self._db, beyond=cursor[:64], at_most=wanted + 1, requester_id=requester_id)
        page = tuple(found[:wanted])
        return RequestPage(page, page[-1].id if len(found) > wanted else "")

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _tell(self, tx: Transaction, request: ApprovalRequest, state: RequestState) -> None:
        """Tell the people behind a request what became of it."""
        if self.notices is not None:
            people = await store.recipients(tx, sorted(request.people)[:MOST_RECIPIENTS], self._clock.now())
            await self.notices.decided(tx, request, state, people)

    async def _found(self, reader: Database | Transaction, request_id: str) -> ApprovalRequest:
        return self._known(await store.find(reader, request_id[:64]), request_id)

    @staticmethod
    def _known(found: ApprovalRequest | None, request_id: str) -> ApprovalRequest:
        if found is None:
            raise ApprovalMissing(f"There is no request {shown(request_id)}.", remedy=Remedy(Action.LIST_APPROVALS))
        return found

    @staticmethod
    def _is_own(request: ApprovalRequest, actor: Actor) -> bool:
        return bool(actor.id) and (actor.id == request.requester_id or actor.id in request.people)

    async def _status_of(self, reader: Database | Transaction, actor: Actor) -> ApproverStatus:
        if actor.kind != "person" or actor.api_key:
            return ApproverStatus(active=False)
        return await store.approver_status(reader, actor.id, self._clock.now(), session_id=actor.session_id)

    async def _tallies(
        self, reader: Database | Transaction, request: ApprovalRequest, rules: Sequence[ApprovalRule]
    ) -> list[Tally]:
        now = self._clock.now()
        votes = await store.votes(reader, request.id)
        statuses = {each.account_id: await store.approver_status(reader, each.account_id, now) for each in votes}
        return tally(rules, votes, statuses, await self._people_behind(reader, request))

    async def _people_behind(self, reader: Database | Transaction, request: ApprovalRequest) -> frozenset[str]:
        """Ids of those who could act as the requester when it was asked for, or can now."""
        now = self._clock.now()
        found = await store.people_behind(reader, request.requester_kind, request.requester_id, now)
        return found | frozenset(request.people)

    async def _group_of(self, reader: Database | Transaction, rule: ApprovalRule) -> str:
        """The name of the group that a rule asks; ApproversMissing where it does not exist any more."""
        if rule.group_id is None:
            return ""
        name = await store.group_name(reader, rule.group_id)
        if name is None:
            kind, _, of = rule.object.partition(":")
            raise ApproversMissing(
                f"The {kind} {of} asks for the approval of a group that does not exist any more: {rule.group_id}.",
                reasons=("no one can approve it, and without approval nothing is done",),
                hint="An administrator can bring the group back, or remove the rule.",
                remedy=Remedy(Action.REMOVE_APPROVAL_RULE, rule.object),
            )
        return name

    async def _rejected(self, tx: Transaction, request: ApprovalRequest) -> ApprovalRejected:
        votes = [each for each in await store.votes(tx, request.id) if each.decision is VoteDecision.REJECT]
        said = f": {shown(votes[-1].comment)}" if votes and votes[-1].comment else ""
        who = votes[-1].name if votes else "Someone"
        return ApprovalRejected(
            f"{request.title} was rejected by {who}{said}.",
            reasons=(f"the request {request.id} was rejected",),
            hint="Ask for something else, or ask again with a new key.",
        )

    async def _record(
        self, tx: Transaction, event: Event, actor: Actor, request: ApprovalRequest, details: Mapping[str, object]
    ) -> None:
        await self._audit.record(tx, event, actor=actor, target=f"approval:{request.id}", details=details)

    async def _refused(self, event: Event, actor: Actor, request_id: str, refusal: NotPermitted) -> None:
        details = {"reason": refusal.detail, "reasons": list(refusal.reasons)}
        target = f"approval:{shown(request_id)}"
        await self._audit.refused(self._db, event, actor=actor, target=target, reason=refusal.code, details=details)


def _not_open(request: ApprovalRequest, now: Instant) -> NotOpen:
    state = request.state_at(now)
    how = {
        RequestState.REJECTED: "was rejected",
        RequestState.WITHDRAWN: "was withdrawn",
        RequestState.EXPIRED: f"expired at {to_rfc3339(request.expires_at)}",
        RequestState.DONE: "was approved and is done",
        RequestState.STALE: "was approved too late",
    }.get(state, "was changed meanwhile")
    return NotOpen(f"The request {request.id} {how}: nothing is left to decide.")
