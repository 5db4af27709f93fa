"""The administrators' pages, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sealwright.access import NO_PERMISSIONS
from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.identity import AccountKind, Group
from sealwright.web.console.frame import Question
from sealwright.web.console.listing import Column, Filter, Listing
from sealwright.web.console.people import ListedAccount, ListedRole
from sealwright.web.console.search import Result, ResultGroup
from tests.unit.web.approvals_gallery import approvals
from tests.unit.web.identity_provider_gallery import identity_provider_pages

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

Samples = Iterator[tuple[str, Response]]
NOW = Instant(1_795_342_800_000)
DAY = 86_400_000
COLUMNS = (Column("Name", "name"), Column("State", "-state"), Column("E-mail"), Column("Changed", number=True))
STATES = Filter("state", "State", {"active": "Active", "disabled": "Disabled"})


def listing(gallery: Gallery, path: str, *, after: str = "k") -> Listing:
    return Listing(path, (STATES,), ("name", "-state"), gallery.text("web"), {"state": "active"}, "name", after)


def console_pages(gallery: Gallery) -> Samples:
    """All of them."""
    show: Callable[..., Response] = gallery.pages.console
    yield from approvals(gallery, show)
    yield from (*refusals(gallery, show), *people(gallery, show), *groups(gallery, show), *search(gallery, show))
    yield from identity_provider_pages(gallery, show)


def refusals(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text = gallery.text
    values = {
        "heading": text("You may not do this"),
        "detail": text("alice does not have the permission person:write."),
        "reasons": (text("person:write is held by members of idm_people_admins"),),
        "hint": text("Sign in as someone who has it."),
        "command": text("sealwright recover-account admin"),
        "ways": ({"path": "/ui/account", "label": text("My account")},),
        "request_id": text("7c1f0a9e"),
        "icon": "stop",
    }
    yield "console-error", show("console-error.html", gallery.context("/ui/clients/wiki"), status=403, **values)
    question = Question(
        title=text("Disable Alice Example?"),
        impact=((1_204, text("sessions end at once")), (0, text("certificates"))),
        after=(text("They cannot sign in."), text("You can enable them again.")),
        action="/ui/people/alice/disable",
        button=text("Disable alice"),
        keep="/ui/people/alice",
        type_name=text("alice"),
        fields=(("seen", text("x")),),
    )
    here = gallery.context("/ui/people/alice/disable")
    yield "confirm", show("confirm.html", here, question=question)
    yield "confirm-wrong", show("confirm.html", here, question=question, errors=gallery.errors("name-again"))


def listed(gallery: Gallery) -> ListedAccount:
    text = gallery.text
    return ListedAccount(
        text("alice"), "/ui/people/alice", text("Alice Example"), text("a@example.org"), "good", text("active"), NOW
    )


def people(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text, here = gallery.text, gallery.context("/ui/people")
    one = listed(gallery)
    many = (one, replace(one, kind="bad", word=text("disabled"), mail=""), replace(one, kind="soon", word=text("not valid yet")))
    values: dict[str, Any] = {"title": "People", "listing": listing(gallery, "/ui/people"), "columns": COLUMNS}
    yield "people", show("people.html", here, people=many, next=text("alice"), notice=text("Done."), **values)
    yield "people-nothing-fits", show("people.html", here, people=(), next="", notice="", **values)
    none = values | {"listing": Listing("/ui/people")}
    yield "people-none", show("people.html", here, people=(), next="", notice="", **none)
    group = Group("g", text("web-team"), text("Looks after the web servers"), builtin=False, created_at=NOW)
    role = ListedRole(text("r-admin"), text("system_admins"), text("built in"), text("everything"), NOW, ended=True)
    person: dict[str, Any] = {
        "account": gallery.account(),
        "listed": one,
        "spn": text("alice@example.org"),
        "ways_in": ((text("passkey “Laptop”"), NOW), (text("8 recovery codes"), None)),
        "groups": (group, group),
        "roles": (role, replace(role, by="", ended=False, expires_at=None)),
        "sessions": gallery.sessions(),
        "certificates": (gallery.certificate(), gallery.certificate()),
        "manager": text("web-team"),
        "changeable": True,
        "notice": text("Done."),
        "now": NOW,
    }
    here = gallery.context("/ui/people/alice")
    yield "person", show("person.html", here, **person)
    disabled = replace(gallery.account(), disabled_at=NOW, mails=(), valid_from=NOW, kind=AccountKind.PERSON)
    bare = {"groups": (), "roles": (), "sessions": (), "certificates": (), "manager": None, "notice": "", "ways_in": ()}
    yield "person-disabled", show("person.html", here, **(person | bare | {"account": disabled}))
    may_not = gallery.context("/ui/people/alice", NO_PERMISSIONS)
    yield "person-read-only", show("person.html", may_not, **(person | bare))
    yield "person-built-in", show("person.html", here, **(person | bare | {"changeable": False}))


def groups(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text, here = gallery.text, gallery.context("/ui/groups")
    own = Group("g", text("web-team"), text("Looks after the web servers"), builtin=False, created_at=NOW)
    built_in = replace(own, name=text("system_admins"), description="", builtin=True)
    values: dict[str, Any] = {"listing": listing(gallery, "/ui/groups"), "columns": COLUMNS, "notice": text("Done.")}
    yield "groups", show("groups.html", here, groups=(own, built_in), next=text("web-team"), **values)
    yield "groups-none", show("groups.html", here, groups=(), next="", **(values | {"listing": Listing("/ui/groups")}))
    service = replace(gallery.account(), kind=AccountKind.SERVICE)
    one = values | {
        "group": own,
        "listing": Listing("/ui/groups/web-team"),
        "members": (gallery.account(), service),
        "next": text("id"),
        "nested": (own,),
        "computed": False,
        "roles": (),
        "policy": (text("A sign-in needs a passkey."),),
        "used_by": (text("the client wiki (map)"),),
        "manager": text("alice"),
    }
    here = gallery.context("/ui/groups/web-team")
    yield "group", show("group.html", here, **one)
    bare = {"group": built_in, "members": (), "nested": (), "next": "", "roles": (text("r-admin"),), "policy": ()}
    yield "group-built-in", show("group.html", here, **(one | bare | {"used_by": (), "manager": None}))
    yield "group-computed", show("group.html", here, **(one | bare | {"computed": True}))
    yield "group-read-only", show("group.html", gallery.context("/ui/groups/web-team", NO_PERMISSIONS), **one)


def search(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text, here = gallery.text, gallery.context("/ui/search")
    found = (
        ResultGroup("Go to", (Result("/ui/people", text("People"), text("Accounts of people.")),)),
        ResultGroup("People", (Result("/ui/people/alice", text("Alice"), ""),), "/ui/people?q=a"),
    )
    yield "search", show("search.html", here, listing=Listing("/ui/search", search=text("a")), groups=found)
    yield "search-nothing", show("search.html", here, listing=Listing("/ui/search", search=text("a")), groups=())
    yield "help", show("help.html", gallery.context("/ui/help"))
