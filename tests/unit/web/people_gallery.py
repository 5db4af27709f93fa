"""The forms about people, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.link_mail import LinkDelivery
from sealwright.web.console.person_edit import PersonForms
from sealwright.web.console.person_links import DAYS, HOURS
from sealwright.web.overtaken import OvertakenForm
from sealwright.web.profile import FIELDS
from sealwright.web.qr_code import qr_code

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

NOW = Instant(1_795_342_800_000)


def people_forms(gallery: Gallery, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
    """Inviting, links, and editing."""
    text, here = gallery.text, gallery.context("/ui/people/")
    typed = {"name": text("alice"), "display-name": text("Alice"), "mail": text("a@example.org")}
    new: dict[str, Any] = {"typed": typed, "days": DAYS, "chosen_days": "3", "sends_mail": True, "wants_mail": True}
    yield "person-new", show("person-new.html", here, **new)
    wrong = new | {"errors": gallery.errors("name", "mail", "days"), "sends_mail": False}
    yield "person-new-wrong", show("person-new.html", here, **wrong)
    here = gallery.context("/ui/people/alice/link")
    link: dict[str, Any] = {"account": gallery.account(), "resets": True, "certificates": 3, "lifetimes": HOURS, "chosen": "24"}
    yield "person-link", show("person-link.html", here, sends_mail=True, **link)
    invited = link | {"resets": False, "lifetimes": DAYS, "chosen": "3", "errors": gallery.errors("")}
    yield "person-link-invites", show("person-link.html", here, sends_mail=False, **invited)
    made: dict[str, Any] = {
        "account": gallery.account(),
        "link": text("https://id.example.org/invitation/R2x0"),
        "drawing": qr_code("https://id.example.org/invitation/R2x0"),
        "expires_at": NOW,
        "resets": False,
    }
    sent = LinkDelivery(text("a@example.org"), "sent", "")
    yield "person-link-made", show("person-link-made.html", here, sent=sent, **made)
    queued = LinkDelivery(text("a@example.org"), "queued", text("It is busy."))
    yield "person-link-queued", show("person-link-made.html", here, sent=queued, **(made | {"resets": True}))
    failed = LinkDelivery(None, "not_sent", text("alice has no verified e-mail address."))
    yield "person-link-not-sent", show("person-link-made.html", here, sent=failed, **made)
    names = {"name": text("alice"), "display-name": text("Alice"), "mails": text("a@example.org")}
    validity = {"valid-from": "2026-11-22T10:00", "valid-until": ""}
    forms = PersonForms(names, {field.id: text(field.label) for field in FIELDS}, validity)
    granting = {"account": gallery.account(), "path": "/ui/people/alice", "roles": {"": "choose one", "r-x": text("r-x: Reads")}}
    granting["typed"] = {"role": "r-x", "scope": text("profile:web"), "expires-at": ""}
    role_form = gallery.context("/ui/people/alice/roles/grant")
    yield "person-role", show("person-role.html", role_form, **granting)
    wrong_role = gallery.errors("role", "scope", "expires-at")
    yield "person-role-wrong", show("person-role.html", role_form, errors=wrong_role, **granting)
    edit: dict[str, Any] = {"account": gallery.account(), "fields": FIELDS, "typed": forms}
    edit["seen"] = PersonForms({"": "x"}, {"": "x"}, {"": "x"})
    here = gallery.context("/ui/people/alice/edit")
    yield "person-edit", show("person-edit.html", here, stale=None, **edit)
    errors = gallery.errors("name", "mails", "valid-from", "phone-number")
    yield "person-edit-wrong", show("person-edit.html", here, stale=None, errors=errors, **edit)
    stale = OvertakenForm(((text("Name"), text("Alice"), ""),))
    yield "person-edit-stale", show("person-edit.html", here, stale=stale, **edit)
    yield "person-edit-stale-same", show("person-edit.html", here, stale=OvertakenForm(()), **edit)
