"""The administrators' pages, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sealwright.access import DYNAMIC_GROUPS, NO_PERMISSIONS
from sealwright.ca import CertificateRecord, CertificateState
from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.identity import AccountKind, ApiToken, BinEntry, Group
from sealwright.web.console.audit_sinks import KINDS, ListedSink
from sealwright.web.console.authority import IssuerNode, ListedProvisioner
from sealwright.web.console.certificates import HOLDER, CertificateRow
from sealwright.web.console.certificates import STATES as CERTIFICATE_STATES
from sealwright.web.console.chain import ChainLink
from sealwright.web.console.frame import HitList, Question
from sealwright.web.console.listing import Column, Filter, Listing
from sealwright.web.console.overview import Breaking, HealthItem, WaitingItem
from sealwright.web.console.people import ListedAccount, ListedRole
from sealwright.web.console.record import CATEGORIES, OUTCOMES, EventLine
from sealwright.web.console.search import Result, ResultGroup
from sealwright.web.console.settings import SettingRow
from sealwright.web.navigation import PLACES
from tests.unit.web.api_key_gallery import api_key_pages
from tests.unit.web.approvals_gallery import approvals
from tests.unit.web.certificate_profile_gallery import certificate_profile_samples
from tests.unit.web.directory_gallery import directory_forms
from tests.unit.web.identity_provider_gallery import identity_provider_pages
from tests.unit.web.people_gallery import people_forms
from tests.unit.web.trusted_issuer_gallery import trusted_issuer_pages

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
    every = (
        refusals,
        people,
        people_forms,
        directory_forms,
        groups,
        search,
        certificates,
        overview,
        record,
        authority,
        accounts,
        approvals,
        identity_provider_pages,
        trusted_issuer_pages,
        certificate_profile_samples,
        api_key_pages,
    )
    for samples in every:
        yield from samples(gallery, show)


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
        hits=(HitList(text("Sessions"), ((text("Firefox"), ""), (text("web"), "/ui/certificates/01a3")), 1_202),),
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
    values: dict[str, Any] = {
        "title": "People",
        "new": "/ui/new/person",
        "listing": listing(gallery, "/ui/people"),
        "columns": COLUMNS,
    }
    yield "people", show("people.html", here, people=many, next=text("alice"), notice=text("Done."), **values)
    yield "people-nothing-fits", show("people.html", here, people=(), next="", notice="", **values)
    none = values | {"listing": Listing("/ui/people")}
    yield "people-none", show("people.html", here, people=(), next="", notice="", **none)
    group = Group("g", text("web-team"), text("Looks after the web servers"), builtin=False, created_at=NOW)
    role = ListedRole(text("r-admin"), text("system_admins"), text("built in"), text("everything"), NOW, ended=True, id="g-1")
    person: dict[str, Any] = {
        "account": gallery.account(),
        "listed": one,
        "spn": text("alice@example.org"),
        "ways_in": ((text("passkey “Laptop”"), NOW), (text("8 recovery codes"), None)),
        "has_second_factors": True,
        "groups": (group, group),
        "computed": DYNAMIC_GROUPS,
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
        "may_change": True,
    }
    here = gallery.context("/ui/groups/web-team")
    yield "group", show("group.html", here, **one)
    bare = {"group": built_in, "members": (), "nested": (), "next": "", "roles": (text("r-admin"),), "policy": ()}
    yield "group-built-in", show("group.html", here, **(one | bare | {"used_by": (), "manager": None}))
    yield "group-computed", show("group.html", here, **(one | bare | {"computed": True}))
    may_not = gallery.context("/ui/groups/web-team", NO_PERMISSIONS)
    yield "group-read-only", show("group.html", may_not, **(one | {"may_change": False}))


def search(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text, here = gallery.text, gallery.context("/ui/search")
    found = (
        ResultGroup("Go to", (Result("/ui/people", text("People"), text("Accounts of people.")),)),
        ResultGroup("People", (Result("/ui/people/alice", text("Alice"), ""),), "/ui/people?q=a"),
    )
    yield "search", show("search.html", here, listing=Listing("/ui/search", search=text("a")), groups=found)
    yield "search-nothing", show("search.html", here, listing=Listing("/ui/search", search=text("a")), groups=())
    yield "help", show("help.html", gallery.context("/ui/help"))


def certificates(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text, here = gallery.text, gallery.context("/ui/certificates")
    one = gallery.certificate()
    row = CertificateRow(one, text("alice"), text("single sign-on"))
    bare = CertificateRow(replace(one, kind="bad", word=text("revoked"), names=(), left=""), "", "")
    provisioners = Filter("provisioner", "Provisioner", {"p": text("single sign-on")}, as_select=True, open=True)
    chosen = {"holder": text("alice"), "state": "revoked", "provisioner": text("gone")}
    asked = Listing("/ui/certificates", (CERTIFICATE_STATES, HOLDER, provisioners), (), text("web"), chosen, "", "k")
    values: dict[str, Any] = {"columns": COLUMNS, "now": NOW, "export": "/ui/certificates/export.csv?q=web"}
    yield "all-certificates", show("all-certificates.html", here, rows=(row, bare), listing=asked, next=text("k"), **values)
    none = Listing("/ui/certificates", (CERTIFICATE_STATES, HOLDER))
    yield "all-certificates-none", show("all-certificates.html", here, rows=(), listing=none, next="", **values)
    yield "all-certificates-so-far", show("all-certificates.html", here, rows=(), listing=asked, next="k", **values)
    record = CertificateRecord(
        serial=b"\x01" * 20,
        issuer_id="i",
        state=CertificateState.ISSUED,
        profile=text("step_leaf"),
        provisioner_id="p",
        account_id="a",
        session_id="s",
        credential_generation=0,
        subject_name=text("alice"),
        names=(),
        public_key_digest=b"",
        not_before=Instant(NOW - DAY),
        not_after=Instant(NOW + DAY),
        tbs_digest=b"",
        der=b"x",
        intended_at=NOW,
        issued_at=NOW,
        renewed_from=None,
        revoked_at=None,
        revocation_reason=None,
    )
    chain = (
        ChainLink(NOW, text("alice signed in"), (text("password from 192.0.2.7"),), "/ui/people/alice"),
        ChainLink(NOW, text("Allowed by the provisioner"), (text("alice may have her own names"), text("profile step_leaf"))),
        ChainLink(NOW, text("Recorded, then signed")),
    )
    shown: dict[str, Any] = {
        "row": row,
        "record": record,
        "decimal": "5731" * 12,
        "fingerprint": "4f1e07aa" * 8,
        "issuer": text("Example Issuing CA 1"),
        "chain": chain,
        "came_from": (one,),
        "followed_by": (one, one),
        "gone_percent": 70,
        "can_be_revoked": True,
        "notice": text("Done."),
        "now": NOW,
    }
    here = gallery.context("/ui/certificates/01a3")
    yield "one-certificate", show("one-certificate.html", here, **shown)
    ended = shown | {"row": bare, "record": replace(record, der=None), "fingerprint": "", "came_from": (), "followed_by": ()}
    may_not = gallery.context("/ui/certificates/01a3", NO_PERMISSIONS)
    yield "one-certificate-read-only", show("one-certificate.html", may_not, **ended)


def overview(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text, here = gallery.text, gallery.context("/ui/overview")
    one = gallery.certificate()
    gone = replace(one, not_after=Instant(NOW - 3 * DAY))
    health = (
        HealthItem(text("Example Issuing CA 1"), "bad", text("expired"), text("Nothing below it is valid."), "/ui/issuers"),
        HealthItem(text("Mail"), "good", text("delivers"), text("Nothing has waited for long.")),
    )
    breaking = Breaking((gone,), (one, replace(one, names=())), 12, more=True, unresolved=2)
    places = PLACES[:4]
    waits = WaitingItem(text("Certificate for web.example.org"), text("bob"), "/ui/approvals/1")
    some: dict[str, Any] = {"waiting": (waits, waits), "waiting_more": 3, "now": NOW}
    none: dict[str, Any] = {"waiting": (), "waiting_more": 0, "now": NOW}
    yield "overview", show("overview.html", here, breaking=breaking, health=health, unwell=3, places=places, **some)
    calm = Breaking((), (), 0, more=False, unresolved=0)
    yield "overview-calm", show("overview.html", here, breaking=calm, health=health[1:], unwell=0, places=places, **none)
    nothing = gallery.context("/ui/overview", NO_PERMISSIONS)
    yield "overview-nothing", show("overview.html", nothing, breaking=None, health=(), unwell=0, places=(), **none)


def record(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text, here = gallery.text, gallery.context("/ui/audit")
    line = EventLine(
        at=NOW,
        sentence=text("root1 changed the display name of the person alice"),
        outcome="done",
        kind="good",
        event="person.updated",
        path="/ui/people/alice",
        about="/ui/audit?about=person%3A1",
        changes=((text("display_name"), text("Alice"), ""), (text("mails"), "", text("[]"))),
        details=((text("name"), text("alice")),),
        place="72c9d9c2, entry 14",
    )
    refused = replace(line, outcome="refused", kind="soon", path="", changes=())
    chosen = {"about": text("person:1"), "category": "auth"}
    asked = Listing("/ui/audit", (OUTCOMES, CATEGORIES), (), text("alice"), chosen, "", "k")
    values: dict[str, Any] = {"filters": asked, "listing": asked, "now": NOW}
    yield "audit", show("audit.html", here, lines=(line, refused), next=text("k"), follows=True, **values)
    none = Listing("/ui/audit", (OUTCOMES, CATEGORIES))
    yield "audit-none", show("audit.html", here, lines=(), next="", follows=False, **(values | {"listing": none}))
    sink = ListedSink(
        name=text("siem"),
        url=text("https://siem.example.org/x"),
        categories=text("auth"),
        kind="bad",
        word=text("failing, 3 tries"),
        waiting=1_204,
        sent=88_120,
        last_sent_at=NOW,
        last_error=text("siem.example.org answered with status 503."),
        next_try_at=NOW,
    )
    idle = replace(sink, kind="", waiting=0, last_sent_at=None, last_error="", next_try_at=None)
    here = gallery.context("/ui/audit/sinks")
    yield "audit-sinks", show("audit-sinks.html", here, sinks=(sink, idle), notice=text("Done."), now=NOW)
    yield "audit-sinks-none", show("audit-sinks.html", here, sinks=(), notice="", now=NOW)
    may_not = gallery.context("/ui/audit/sinks", NO_PERMISSIONS)
    yield "audit-sinks-read-only", show("audit-sinks.html", may_not, sinks=(sink,), notice="", now=NOW)
    here = gallery.context("/ui/audit/sinks/")
    typed = {"name": text("siem"), "url": text("https://siem.example.org"), "category": "auth"}
    wrong = gallery.errors("name", "url")
    yield "audit-sink-form", show("audit-sink-form.html", here, typed=typed, kinds=KINDS, errors=wrong)
    yield "audit-sink-made", show("audit-sink-made.html", here, sink=sink, secret=text("whsec_x"))
    yield "audit-sink-made-syslog", show("audit-sink-made.html", here, sink=sink, secret=None)
    yield "audit-sink-tested", show("audit-sink-tested.html", here, sink=sink, now=NOW)
    yield "audit-sink-tested-waits", show("audit-sink-tested.html", here, sink=replace(sink, last_error=""), now=NOW)
    yield "audit-sink-tested-took", show("audit-sink-tested.html", here, sink=idle, now=NOW)
    row = SettingRow(text("listen.people"), text("localhost:8443"), is_default=True, about=text("Browsers."))
    sections = ((text("listen"), (row, replace(row, is_default=False))),)
    yield "settings", show("settings.html", gallery.context("/ui/settings"), sections=sections, file=text("/srv/settings.toml"))


def authority(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text, here = gallery.text, gallery.context("/ui/issuers")
    issuing = IssuerNode(text("Example Issuing CA 1"), "issuing CA", "good", text("signs certificates"), "4f1e07aa" * 8, NOW, ())
    root = IssuerNode(text("Example Root CA"), "root", "good", text("trusted"), "4f1e07aa" * 8, NOW, (issuing, issuing))
    yield "issuers", show("issuers.html", here, roots=(root,), root_key_is_here=True, now=NOW)
    yield "issuers-none", show("issuers.html", here, roots=(), root_key_is_here=False, now=NOW)
    here = gallery.context("/ui/provisioners")
    row = ListedProvisioner(text("single sign-on"), "/ui/provisioners/x", "OIDC", text("/srv/p.json"), text("ID tokens of id"))
    many = (row, replace(row, source=""))
    asked = Listing("/ui/provisioners", after="k")
    yield "provisioners", show("provisioners.html", here, rows=many, listing=asked, next=text("k"))
    yield "provisioners-none", show("provisioners.html", here, rows=(), listing=Listing("/ui/provisioners"), next="")
    here = gallery.context("/ui/provisioners/x")
    one: dict[str, Any] = {"row": row, "claims": ((text("longest"), text("1 day")),), "definition": text("{}")}
    yield "provisioner", show("provisioner.html", here, has_secret=True, **one)
    may_not = gallery.context("/ui/provisioners/x", NO_PERMISSIONS)
    stored = one | {"row": replace(row, source="")}
    yield "provisioner-read-only", show("provisioner.html", may_not, has_secret=False, **stored)
    yield "provisioner-stored", show("provisioner.html", here, has_secret=False, **stored)


def accounts(gallery: Gallery, show: Callable[..., Response]) -> Samples:
    text = gallery.text
    group = Group("g", text("web-team"), "", builtin=False, created_at=NOW)
    token = ApiToken(id="t", account_id="a", label=text("ci"), read_only=True, created_at=NOW, expires_at=NOW, last_used_at=NOW)
    bare = replace(token, read_only=False, expires_at=None, last_used_at=None)
    one: dict[str, Any] = {
        "account": gallery.account(),
        "listed": listed(gallery),
        "spn": text("ci@example.org"),
        "manager": text("web-team"),
        "groups": (group,),
        "tokens": (token, bare),
        "makes_tokens": True,
        "notice": text("Done."),
        "now": NOW,
    }
    here = gallery.context("/ui/service-accounts/ci")
    yield "service-account", show("service-account.html", here, **one)
    none = {"groups": (), "tokens": (), "manager": None}
    yield "service-account-bare", show("service-account.html", here, **(one | none))
    may_not = gallery.context("/ui/service-accounts/ci", NO_PERMISSIONS)
    yield "service-account-read-only", show("service-account.html", may_not, **(one | {"makes_tokens": False}))
    disabled = replace(gallery.account(), disabled_at=NOW)
    yield "service-account-disabled", show("service-account.html", here, **(one | none | {"account": disabled}))
    here = gallery.context("/ui/recycle-bin")
    entry = BinEntry("i", "person", text("bob"), "{}", NOW, text("root1"))
    asked = Listing("/ui/recycle-bin", after="k")
    full: dict[str, Any] = {
        "accounts": (entry,),
        "groups": (entry,),
        "next": text("k"),
        "notice": text("It is back."),
        "now": NOW,
    }
    yield "recycle-bin", show("recycle-bin.html", here, listing=asked, **full)
    empty: dict[str, Any] = {"accounts": (), "groups": (), "next": "", "notice": "", "now": NOW}
    yield "recycle-bin-empty", show("recycle-bin.html", here, listing=Listing("/ui/recycle-bin"), **empty)
    may_not = gallery.context("/ui/recycle-bin", NO_PERMISSIONS)
    yield "recycle-bin-read-only", show("recycle-bin.html", may_not, listing=asked, **full)
