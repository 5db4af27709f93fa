"""Approvals: what waits for me, what I asked for, one request with exactly what is asked for, and deciding about it."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.access import Permission
from sealwright.access.approvals import ApprovalRequest, Approvals, RequestHistory, RequestKind, RequestState
from sealwright.clock import Clock, Instant
from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.web.console.contents import certificate_contents, changed_contents
from sealwright.web.console.listing import Filter, read_listing
from sealwright.web.forms import FormError, form_error
from sealwright.web.models import ApprovalContents, ListedApproval, ListedVote
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

APPROVALS_PAGE = "/ui/approvals"
_MINE, _ALL = "mine", "all"
_STATES: Mapping[RequestState, tuple[str, str]] = {
    RequestState.PENDING: ("soon", "waits for approval"),
    RequestState.APPROVED: ("good", "approved"),
    RequestState.REJECTED: ("bad", "rejected"),
    RequestState.WITHDRAWN: ("", "withdrawn"),
    RequestState.EXPIRED: ("", "expired"),
    RequestState.DONE: ("good", "done"),
    RequestState.STALE: ("bad", "too late"),
}
_KINDS: Mapping[RequestKind, str] = {
    RequestKind.CERTIFICATE: "certificate",
    RequestKind.ROLE_GRANT: "role",
    RequestKind.RULE: "rule",
    RequestKind.PROFILE: "profile",
}


class ApprovalPages:
    """Pages about approvals. Everyone sees what they asked for and what they may decide about; others need a permission."""

    def __init__(self, pages: Pages, approvals: Approvals, clock: Clock) -> None:
        self._pages = pages
        self._approvals = approvals
        self._clock = clock

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What waits for the person, unless the address asks for something else."""
        choices = {_MINE: "Asked by me"}
        if person.actor.holds(Permission.APPROVAL_READ):
            choices[_ALL] = "Everything"
        listing = read_listing(page_request.request, APPROVALS_PAGE, filters=(Filter("show", "Which requests", choices),))
        which, more = listing.chosen.get("show", ""), ""
        if which:
            read = self._approvals.asked_by if which == _MINE else self._approvals.all
            found = await read(person.actor, cursor=listing.after)
            requests, more = list(found.requests), found.next_cursor
        else:
            requests = await self._approvals.waiting_for(person.actor)
        now = self._clock.now()
        return self._pages.console(
            "approvals.html",
            ConsoleContext(person, page_request.csrf_token_of(person), APPROVALS_PAGE),
            listing=listing,
            choices={"": "Waits for me"} | choices,
            which=which,
            requests=tuple(_listed(each, now) for each in requests),
            more=more,
            now=now,
        )

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One request."""
        return await self._one(page_request, person)

    async def approve(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Approve it."""
        return await self._decide(page_request, person, approve=True)

    async def reject(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Reject it."""
        return await self._decide(page_request, person, approve=False)

    async def withdraw(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Take one's own request back."""
        request = await self._approvals.withdraw(_id(page_request), actor=person.actor)
        return done(f"{APPROVALS_PAGE}/{request.id}", "approval-withdrawn")

    async def _decide(self, page_request: PageRequest, person: SignedIn, *, approve: bool) -> Response:
        verb = self._approvals.approve if approve else self._approvals.reject
        comment = page_request.typed("comment")
        try:
            request = await verb(_id(page_request), comment, actor=person.actor)
        except InvalidInput as refusal:
            return await self._one(page_request, person, comment=comment, errors=(form_error(refusal, "comment"),))
        return done(f"{APPROVALS_PAGE}/{request.id}", "approved" if approve else "rejected")

    async def _one(
        self, page_request: PageRequest, person: SignedIn, *, comment: str = "", errors: tuple[FormError, ...] = ()
    ) -> Response:
        story = await self._approvals.show(_id(page_request), actor=person.actor)
        now = self._clock.now()
        return self._pages.console(
            "approval.html",
            ConsoleContext(person, page_request.csrf_token_of(person), f"{APPROVALS_PAGE}/{story.request.id}"),
            status=422 if errors else 200,
            errors=errors,
            comment=comment,
            notice=notice_text(page_request.request),
            request=_listed(story.request, now),
            contents=_contents(story),
            votes=tuple(ListedVote(each.name, str(each.decision), each.comment, each.at) for each in story.votes),
            waiting=story.waiting,
            may_vote=story.may_vote,
            is_own=story.is_own,
            is_open=story.state in (RequestState.PENDING, RequestState.APPROVED),
            now=now,
        )


def _id(page_request: PageRequest) -> str:
    return page_request.request.path_parameters["id"]


def _listed(request: ApprovalRequest, now: Instant) -> ListedApproval:
    kind, word = _STATES[request.state_at(now)]
    return ListedApproval(
        id=request.id,
        path=f"{APPROVALS_PAGE}/{request.id}",
        title=request.title,
        what=_KINDS[request.kind],
        requester=request.requester_name,
        kind=kind,
        word=word,
        created_at=request.created_at,
        expires_at=request.expires_at,
        result=request.result,
    )


def _contents(story: RequestHistory) -> ApprovalContents:
    """Exactly what is asked for, as rows of a page."""
    in_words = certificate_contents if story.request.kind is RequestKind.CERTIFICATE else changed_contents
    return in_words(story.request.content, story.request.reasons)
