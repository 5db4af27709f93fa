"""The pages about approvals, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.web.console.listing import Filter, Listing
from sealwright.web.forms import FormError
from sealwright.web.models import ApprovalContents, ListedApproval, ListedVote

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

Samples = Iterator[tuple[str, Response]]
NOW = Instant(1_795_342_800_000)


def approvals(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text = gallery.text
    request = ListedApproval(
        id=text("019ab3c0"),
        path="/ui/approvals/019ab3c0",
        title=text("The certificate for web.example.org"),
        what="certificate",
        requester=text("bob"),
        kind="soon",
        word="waits for approval",
        created_at=NOW,
        expires_at=Instant(NOW + 600_000_000),
        result=text("01ab"),
    )
    contents = ApprovalContents(
        (text("web.example.org"),),
        (("Profile", text("step_leaf")), ("Valid", text("from when it is fetched, for 24 hours"))),
        (("lifetime", text("1 hour"), text("24 hours")), ("account", "", text("bob"))),
        text("0199"),
        (text("the profile step_leaf asks for the approval of one of the members of the group approvers"),),
    )
    votes = (ListedVote(text("anna"), "approve", text("ticket 4711"), NOW), ListedVote(text("carla"), "reject", "", NOW))
    choices = {"": "Waits for me", "mine": "Asked by me", "all": "Everything"}
    listing = Listing("/ui/approvals", (Filter("show", "Which requests", choices),), after="019a")
    here = gallery.context("/ui/approvals")
    samples = (
        ("approvals", "", (request,)),
        ("approvals-none", "", ()),
        ("approvals-mine", "mine", ()),
        ("approvals-all", "all", ()),
    )
    for name, which, found in samples:
        values = {"listing": listing, "choices": choices, "which": which, "requests": found, "more": "019", "now": NOW}
        yield name, show("approvals.html", here, **values)
    usual = {
        "errors": (),
        "comment": "",
        "notice": "",
        "request": request,
        "contents": contents,
        "votes": votes,
        "waiting": (text("1 of 2 are there"),),
        "may_vote": True,
        "is_own": False,
        "is_open": True,
        "now": NOW,
    }
    here = gallery.context("/ui/approvals/019ab3c0")
    yield "approval", show("approval.html", here, **usual)
    wrong = {"errors": (FormError(text("The comment is too long."), "comment"),), "comment": text("x")}
    yield "approval-wrong", show("approval.html", here, status=422, **usual | wrong)
    yield "approval-own", show("approval.html", here, **usual | {"may_vote": False, "is_own": True, "votes": ()})
    nothing = ApprovalContents((), (), (), "", ())
    decided = {"may_vote": False, "contents": nothing, "notice": text("You approved it.")}
    yield "approval-decided", show("approval.html", here, **usual | decided)
