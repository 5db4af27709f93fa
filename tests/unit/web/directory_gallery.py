"""The forms about groups and service accounts, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.identity import ApiToken, Group
from sealwright.web.console.group_forms import MAY_WRITE, MINIMUMS
from sealwright.web.console.service_account_forms import LIFETIMES
from sealwright.web.overtaken import OvertakenForm

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

NOW = Instant(1_795_342_800_000)


def directory_forms(gallery: Gallery, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
    """All of them."""
    text = gallery.text
    group = Group("g", text("web-team"), text("Looks after the web servers"), builtin=False, created_at=NOW)
    stale = OvertakenForm(((text("Description"), text("Old"), text("New")),))
    typed = {"name": text("web-team"), "description": text("Web"), "manager": text("alice")}
    form: dict[str, Any] = {"typed": typed, "seen": "x", "action": "/ui/new/group", "stale": None}
    here = gallery.context("/ui/groups/")
    yield "group-form", show("group-form.html", here, group=None, **form)
    wrong = form | {"errors": gallery.errors("name", "manager")}
    here = gallery.context("/ui/groups/web-team/edit")
    yield "group-edit", show("group-form.html", here, group=group, **wrong)
    yield "group-edit-stale", show("group-form.html", here, group=group, **(form | {"stale": stale}))
    values = {"minimum": "mfa", "auth-expiry": text("8h"), "privilege-expiry": text(""), "password-length": text("12")}
    policy: dict[str, Any] = {
        "group": group,
        "everyone": True,
        "typed": values | {"self-mail-write": "no"},
        "seen": "x",
        "minimums": MINIMUMS,
        "may_write": MAY_WRITE,
        "stale": None,
    }
    here = gallery.context("/ui/groups/web-team/policy")
    yield "group-policy", show("group-policy.html", here, **policy)
    wrong = policy | {"everyone": False, "stale": stale, "errors": gallery.errors("minimum", "auth-expiry", "")}
    yield "group-policy-wrong", show("group-policy.html", here, **wrong)
    typed = {"name": text("backup"), "display-name": text("Nightly backup"), "manager": text("web-team")}
    form = {"typed": typed, "seen": "x", "action": "/ui/new/service-account", "stale": None}
    here = gallery.context("/ui/service-accounts/")
    yield "service-account-form", show("service-account-form.html", here, account=None, **form)
    wrong = form | {"stale": stale, "errors": gallery.errors("name", "display-name")}
    here = gallery.context("/ui/service-accounts/ci/edit")
    yield "service-account-edit", show("service-account-form.html", here, account=gallery.account(), **wrong)
    here = gallery.context("/ui/service-accounts/ci/tokens")
    one: dict[str, Any] = {"account": gallery.account(), "label": text("ci"), "lifetimes": LIFETIMES, "chosen": "90"}
    yield "service-account-token", show("service-account-token.html", here, read_only=True, **one)
    wrong = one | {"errors": gallery.errors("label")}
    yield "service-account-token-wrong", show("service-account-token.html", here, read_only=False, **wrong)
    token = ApiToken(id="t", account_id="a", label=text("ci"), read_only=True, created_at=NOW, expires_at=NOW, last_used_at=NOW)
    made: dict[str, Any] = {"account": gallery.account(), "token": token, "secret": text("sealwright_api_R2x0")}
    yield "service-account-token-made", show("service-account-token-made.html", here, **made)
    endless = made | {"token": replace(token, expires_at=None, read_only=False)}
    yield "service-account-token-endless", show("service-account-token-made.html", here, **endless)
