"""The pages of trusted issuers, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sealwright.access import NO_PERMISSIONS
from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.oauth import AssertionExplanation, Check, IssuerRule, JudgedRule, TrustedIssuer
from sealwright.oauth.trusted_issuers.conditions import Unmet
from sealwright.web.console.trusted_issuer_forms import ISSUER_FIELDS, RULE_FIELDS
from sealwright.web.overtaken import OvertakenForm

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

NOW = Instant(1_795_342_800_000)
HERE = "/ui/trusted-issuers"
PATH = f"{HERE}/github"


def _issuer(gallery: Gallery) -> TrustedIssuer:
    text = gallery.text
    return TrustedIssuer(
        id="i-1",
        name=text("github"),
        issuer_url=text("https://token.actions.githubusercontent.com"),
        audience=text("https://id.example.org"),
        created_at=NOW,
    )


def _rule(gallery: Gallery) -> IssuerRule:
    text = gallery.text
    return IssuerRule(
        id="r-1",
        issuer_id="i-1",
        client_id="c-1",
        client_name=text("jobs"),
        account_id="a-1",
        account_name=text("robot"),
        conditions={text("repository"): text("example/shop"), "ref": text("refs/heads/*")},
        scopes=(text("deploy"),),
        lifetime=timedelta(minutes=5),
        created_at=NOW,
    )


def trusted_issuer_pages(gallery: Gallery, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
    """All of them."""
    text, issuer, rule = gallery.text, _issuer(gallery), _rule(gallery)
    here, reader = gallery.context(HERE), gallery.context(HERE, NO_PERMISSIONS)
    listed = ((PATH, issuer), (PATH, replace(issuer, reusable=True)))
    yield "trusted-issuers", show("trusted-issuers.html", here, issuers=listed, notice=text("Done."))
    yield "trusted-issuers-none", show("trusted-issuers.html", reader, issuers=(), notice="")
    own = replace(rule, account_id=None, account_name=None, scopes=())
    rules = ((rule, text("5 minutes")), (own, text("1 hour")))
    one = {"issuer": issuer, "path": PATH, "keys": text("found by discovery"), "rules": rules, "notice": text("Done.")}
    yield "trusted-issuer", show("trusted-issuer.html", here, **one)
    yield "trusted-issuer-read-only", show("trusted-issuer.html", reader, **(one | {"rules": rules[:1], "notice": ""}))
    new = one | {"issuer": replace(issuer, reusable=True), "rules": ()}
    yield "trusted-issuer-new", show("trusted-issuer.html", here, **new)
    yield from _explanations(gallery, show)
    form: dict[str, Any] = {"action": "/ui/new/trusted-issuer", "back": HERE, "issuer": None, "seen": "", "stale": None}
    empty = dict.fromkeys(ISSUER_FIELDS, "")
    yield "trusted-issuer-form", show("trusted-issuer-form.html", here, typed=empty, **form)
    typed = {name: text(name) for name in ISSUER_FIELDS} | {"reusable": "yes"}
    wrong = gallery.errors("name", "issuer-url", "audience", "jwks-uri", "jwks")
    yield "trusted-issuer-form-wrong", show("trusted-issuer-form.html", here, typed=typed, errors=wrong, **form)
    edit = {"issuer": issuer, "seen": "5d0d", "action": f"{PATH}/edit", "back": PATH}
    yield "trusted-issuer-edit", show("trusted-issuer-form.html", here, **(form | edit), typed=typed)
    stale = {"stale": OvertakenForm(((text("Audience"), text("now"), text("typed")),))}
    yield "trusted-issuer-stale", show("trusted-issuer-form.html", here, **(form | edit | stale), typed=typed)
    form |= {"usual": text("10 minutes"), "action": f"{PATH}/rules", "back": PATH, "issuer": issuer, "rule": None}
    empty = dict.fromkeys(RULE_FIELDS, "")
    yield "trusted-issuer-rule-form", show("trusted-issuer-rule-form.html", here, typed=empty, **form)
    typed = {name: text(name) for name in RULE_FIELDS}
    wrong = gallery.errors(*RULE_FIELDS)
    yield (
        "trusted-issuer-rule-form-wrong",
        show("trusted-issuer-rule-form.html", reader, typed=typed, errors=wrong, **form),
    )
    for name, changed in (("", rule), ("-of-the-client", own)):
        edit = form | {"rule": changed, "action": f"{PATH}/rules/r-1/edit"}
        yield f"trusted-issuer-rule-edit{name}", show("trusted-issuer-rule-form.html", here, typed=typed, **edit)


def _explanations(gallery: Gallery, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
    text, here, rule = gallery.text, gallery.context(HERE), _rule(gallery)
    page = {"issuers": HERE, "action": "/ui/explain/assertion"}
    yield "assertion", show("assertion.html", here, found=None, errors=gallery.errors("assertion"), **page)
    unknown = AssertionExplanation(failed=Check.ISSUER, detail=text("It is not trusted here."))
    yield "assertion-refused", show("assertion.html", here, found=unknown, **page)
    lacking = (Unmet(text("ref is missing"), text("refs/heads/main")), Unmet(text("sub is x"), text("y")))
    rules = (
        JudgedRule(rule, lacking, counts=False),
        JudgedRule(replace(rule, account_name=None), (), counts=True),
        JudgedRule(rule, (), counts=False),
    )
    taken = AssertionExplanation(
        detail=text("It would be taken."),
        issuer=text("github"),
        issuer_url=text("https://ci.example.org"),
        subject=text("repo:example/shop"),
        expires_at=NOW,
        rules=rules,
    )
    yield "assertion-taken", show("assertion.html", here, found=taken, **page)
