"""The pages of identity providers, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sealwright.access import NO_PERMISSIONS
from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.identity import (
    DowngradeRule,
    GroupMapping,
    KnownRole,
    ProviderCheck,
    RoleByGroup,
    SeenGroups,
    SignInExplanation,
    SignInRecord,
    UpstreamProvider,
)
from sealwright.openid_providers import KeySetStatus
from sealwright.web.console.identity_provider_form import RULES, typed_of
from sealwright.web.overtaken import OvertakenForm

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

NOW = Instant(1_795_342_800_000)
PATH = "/ui/identity-providers/p-1"


def _provider(gallery: Gallery) -> UpstreamProvider:
    text = gallery.text
    return UpstreamProvider(
        id="p-1",
        name=text("Keycloak"),
        issuer_url=text("https://sso.example.org/realms/staff"),
        client_id=text("sealwright"),
        has_secret=True,
        groups_claim_path=text("groups"),
        scopes=("openid", text("groups")),
        downgrade_rule=DowngradeRule.STRICT,
        iat_window_seconds=300,
        jwks_cache_ttl_seconds=3_600,
        userinfo_groups=True,
        allowed_email_domains=("example.org",),
        enabled=True,
        created_at=NOW,
        updated_at=NOW,
    )


def _record(gallery: Gallery, *, reason: str = "") -> SignInRecord:
    text = gallery.text
    seen = SeenGroups(
        claim=text("groups"),
        source="id_token",
        groups=(text("Engineers"),),
        in_all=2_000,
        mapped=((text("Engineers"), "r-operator"),),
        near=((text("Engineers"), text("engineers")),),
    )
    told = {"detail": text("No role is assigned."), "hint": text("Every character counts.")} if reason else {}
    who = {"provider_id": "p-1", "provider_name": text("Keycloak"), "subject": text("f4a1")}
    return SignInRecord(id="s-1", at=NOW, reason=reason, seen=seen, **who, **told)


def identity_provider_pages(gallery: Gallery, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
    """All of them."""
    text, provider = gallery.text, _provider(gallery)
    here = gallery.context("/ui/identity-providers")
    reader = gallery.context("/ui/identity-providers", NO_PERMISSIONS)
    addresses = {"callback": text("https://id.example.org/auth/oidc/callback"), "back_channel": text("https://id.example.org/b")}
    yield "identity-providers", show("identity-providers.html", here, providers=(provider,), notice=text("Deleted."))
    yield "identity-providers-none", show("identity-providers.html", here, providers=(), notice="")
    checks = (
        ProviderCheck("discovery", passed=False, detail=text("It calls itself other.")),
        ProviderCheck("key_set", passed=True, detail="One."),
    )
    keys = KeySetStatus(fetched_at=NOW, kept_until=NOW, failure=text("It cannot be reached."))
    values = {
        "notice": "",
        "checks": checks,
        "provider": provider,
        "path": PATH,
        "mappings": (GroupMapping("m-1", "p-1", text("engineers"), "r-operator", NOW),),
        "roles": (KnownRole("r-viewer", text("Reads"), frozenset(), builtin=True),),
        "keys": keys,
        "sign_ins": (_record(gallery), _record(gallery, reason="unmapped_groups")),
        "older": "s-1",
        "group": text("engineers"),
        "role": "r-viewer",
        **addresses,
    }
    yield "identity-provider", show("identity-provider.html", here, errors=gallery.errors("group", "role"), **values)
    nothing = {"mappings": (), "checks": (), "sign_ins": (), "older": "", "keys": KeySetStatus(local=True)}
    yield "identity-provider-new", show("identity-provider.html", reader, **(values | nothing))
    form = {
        "heading": text("Configure a provider"),
        "checks": checks,
        "typed": typed_of(provider),
        "rules": RULES,
        "seen": "1",
        "has_secret": True,
        "stale": None,
        "action": f"{PATH}/edit",
        "back": PATH,
        **addresses,
    }
    stale = OvertakenForm(((text("Name"), text("Keycloak"), text("Second")),))
    yield "identity-provider-form-stale", show("identity-provider-form.html", here, **(form | {"stale": stale, "checks": ()}))
    yield (
        "identity-provider-form",
        show("identity-provider-form.html", here, errors=gallery.errors("issuer-url", "downgrade-rule"), **form),
    )
    deletion = {"provider": provider, "path": PATH, "sessions": 2, "ticked": False, "impact": ((2, text("sessions")),)}
    wrong = gallery.errors("confirm-name")
    yield "identity-provider-deletion", show("identity-provider-deletion.html", here, errors=wrong, **deletion)
    for name, reason in (("identity-provider-sign-in", "unmapped_groups"), ("identity-provider-sign-in-accepted", "")):
        role = RoleByGroup(text("Engineers"), "r-operator", ("certificate:read",))
        found = SignInExplanation(_record(gallery, reason=reason), text("alice"), (role,), (), (text("lunch"),))
        yield name, show("identity-provider-sign-in.html", here, found=found, path=PATH, changed=True)
