"""The pages about approvals, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sealwright.ca import Preview, Verdict
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
    yield from _previews(gallery, show, contents)
    nothing = ApprovalContents((), (), (), "", ())
    decided = {"may_vote": False, "contents": nothing, "notice": text("You approved it.")}
    yield "approval-decided", show("approval.html", here, **usual | decided)


def _previews(gallery: Gallery, show: Callable[..., Response], contents: ApprovalContents) -> Samples:
    text, here = gallery.text, gallery.context("/ui/certificates/")
    usual = {
        "errors": (),
        "typed": {"csr": "", "provisioner": "", "not-before": "", "not-after": ""},
        "found": None,
        "badge": ("", ""),
        "contents": None,
        "provisioners": {"": "the token below", text("sites"): text("sites")},
        "action": "/ui/preview/certificate",
        "back": "/ui/certificates",
    }
    yield "certificate-preview", show("certificate-preview.html", here, **usual)
    wrong = {"errors": (FormError(text("The request cannot be read."), "csr"), FormError(text("No token."), "token"))}
    yield "certificate-preview-wrong", show("certificate-preview.html", here, status=422, **usual | wrong)
    typed = {"csr": text("-----BEGIN CERTIFICATE REQUEST-----"), "provisioner": text("sites"), "not-before": "", "not-after": ""}
    reasons, warnings = (text("The profile step_leaf allows it."),), (text("the last certificate was revoked"),)
    warned = Preview(verdict=Verdict.WARN, detail=text("It would be issued."), reasons=reasons, warnings=warnings, content={})
    shown = {"typed": typed, "found": warned, "badge": ("soon", "would be issued; look twice"), "contents": contents}
    yield "certificate-preview-warned", show("certificate-preview.html", here, **usual | shown)
    blocked = Preview(verdict=Verdict.BLOCK, detail=text("You may not have it."), reasons=reasons, hint=text("Ask."))
    refused = {"typed": typed, "found": blocked, "badge": ("bad", "would be refused")}
    yield "certificate-preview-refused", show("certificate-preview.html", here, **usual | refused)
