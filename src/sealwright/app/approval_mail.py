"""Mail about requests for approval: to those who may decide, and to those who asked. Links alone, which ask for a sign-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sealwright import mail
from sealwright.access.approvals import ApprovalRequest, Recipient, RequestKind, RequestState
from sealwright.clock import Clock, after
from sealwright.confusables import shown
from sealwright.db import Transaction

TRIED_FOR = timedelta(days=2)
"""How long it is tried to tell that a request was decided."""
_OUTCOMES: Mapping[RequestState, str] = {
    RequestState.APPROVED: "was approved",
    RequestState.DONE: "was approved and is done",
    RequestState.REJECTED: "was rejected",
    RequestState.EXPIRED: "expired before it was decided or used",
    RequestState.STALE: "was approved and could not be done any more",
}
_NEXT_STEPS: Mapping[RequestState, str] = {
    RequestState.DONE: "Nothing is left to do.",
    RequestState.REJECTED: "It is not done.",
}
_ASK_AGAIN = "To have it, ask for it again."
_FETCH = "Run the command that asked for it once more, with the same key and names, to get the certificate."


class ApprovalMail:
    """Queues messages in the transaction of what they tell about; the outbox sends and repeats them."""

    def __init__(self, outbox: mail.Outbox, clock: Clock, origin: str) -> None:
        """`origin`: of the pages."""
        self._outbox = outbox
        self._clock = clock
        self._origin = origin

    async def held(self, tx: Transaction, request: ApprovalRequest, approvers: Sequence[Recipient]) -> None:
        """Tell those who may decide."""
        if not self._outbox.is_on:
            return
        for each in approvers:
            content = mail.approval_waits(
                self._outbox.sender,
                to=shown(each.name),
                asked_by=shown(request.requester_name),
                title=shown(request.title),
                link=self._link(request),
                until=request.expires_at,
            )
            kind = mail.MailKind.APPROVAL_WAITS
            await self._outbox.queue(tx, mail.Draft(kind, each.account_id, each.address, None, content, request.expires_at))

    async def decided(self, tx: Transaction, request: ApprovalRequest, state: RequestState, to: Sequence[Recipient]) -> None:
        """Tell those who asked."""
        if not self._outbox.is_on or state not in _OUTCOMES:
            return
        fetched = state is RequestState.APPROVED and request.kind is RequestKind.CERTIFICATE
        for each in to:
            content = mail.approval_decided(
                self._outbox.sender,
                to=shown(each.name),
                asked_by=shown(request.requester_name),
                title=shown(request.title),
                outcome=_OUTCOMES[state],
                next_step=_FETCH if fetched else _NEXT_STEPS.get(state, _ASK_AGAIN),
                link=self._link(request),
            )
            until = after(self._clock.now(), TRIED_FOR)
            draft = mail.Draft(mail.MailKind.APPROVAL_DECIDED, each.account_id, each.address, None, content, until)
            await self._outbox.queue(tx, draft)

    def _link(self, request: ApprovalRequest) -> str:
        return f"{self._origin}/ui/approvals/{request.id}"
