"""The fields of the form of an identity provider, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from sealwright.errors import InvalidInput
from sealwright.identity import DowngradeRule, ProviderInput, UpstreamProvider


class RuleChoice(Struct, frozen=True):
    """A rule against downgrades, as the form names it."""

    label: str


RULES: Mapping[str, RuleChoice] = {
    "strict": RuleChoice("strict: no HS256, HS384, HS512 or none in its list"),
    "intersection": RuleChoice("intersection: anything in its list, of which only accepted ones are verified (Keycloak 26)"),
}
LABELS: Mapping[str, str] = {
    "name": "Name",
    "issuer-url": "Issuer URL",
    "client-id": "Client id",
    "groups-claim": "Claim of the groups",
    "userinfo-groups": "Ask for groups at the userinfo endpoint",
    "scopes": "Scopes",
    "downgrade-rule": "Rule against downgrades",
    "email-domains": "Mail domains",
    "iat-window": "Seconds that an ID token may be old",
    "keys-kept": "Seconds that its keys are kept",
    "enabled": "Offer it on the sign-in page",
}
"""Of what is compared where someone else changed a provider meanwhile; no secret is shown."""
FIELD_OF_MEMBER: Mapping[str, str] = {
    "name": "name",
    "issuer_url": "issuer-url",
    "client_id": "client-id",
    "client_secret": "client-secret",
    "groups_claim_path": "groups-claim",
    "scopes": "scopes",
    "downgrade_rule": "downgrade-rule",
    "allowed_email_domains": "email-domains",
    "iat_window_seconds": "iat-window",
    "jwks_cache_ttl_seconds": "keys-kept",
}
"""Where a refusal of each member stands."""
_MOST_DIGITS = 9
_FIELD_OF_CHECK = {
    "discovery": "issuer-url",
    "endpoints": "issuer-url",
    "key_set": "issuer-url",
    "algorithms": "downgrade-rule",
}


def field_of(check: str) -> str:
    """The field that a check is about; empty where it is none."""
    return _FIELD_OF_CHECK.get(check, "")


def usual(*, blank: bool = False) -> dict[str, str]:
    """What a new form holds; `blank`: of a form that was sent, where a box that is not ticked is not there."""
    return {
        "name": "",
        "issuer-url": "",
        "client-id": "",
        "groups-claim": "groups",
        "userinfo-groups": "",
        "scopes": "openid profile email",
        "downgrade-rule": "strict",
        "email-domains": "",
        "iat-window": "300",
        "keys-kept": "3600",
        "enabled": "" if blank else "yes",
    }


def typed_of(provider: UpstreamProvider) -> dict[str, str]:
    """The form of a provider as it is."""
    return {
        "name": provider.name,
        "issuer-url": provider.issuer_url,
        "client-id": provider.client_id,
        "groups-claim": provider.groups_claim_path,
        "userinfo-groups": "yes" if provider.userinfo_groups else "",
        "scopes": " ".join(provider.scopes),
        "downgrade-rule": str(provider.downgrade_rule),
        "email-domains": " ".join(provider.allowed_email_domains),
        "iat-window": str(provider.iat_window_seconds),
        "keys-kept": str(provider.jwks_cache_ttl_seconds),
        "enabled": "yes" if provider.enabled else "",
    }


def provider_input(form: Mapping[str, str]) -> ProviderInput:
    """What was typed. Raises InvalidInput for what is not a number or no rule."""
    rule = form.get("downgrade-rule", "")
    if rule not in RULES:
        raise InvalidInput("Choose one of the rules against downgrades.", pointer="/downgrade_rule")
    return ProviderInput(
        name=form.get("name", "").strip(),
        issuer_url=form.get("issuer-url", "").strip(),
        client_id=form.get("client-id", "").strip(),
        client_secret=form.get("client-secret", ""),
        groups_claim_path=form.get("groups-claim", "").strip(),
        scopes=tuple(form.get("scopes", "").split()),
        downgrade_rule=DowngradeRule(rule),
        iat_window_seconds=_number(form, "iat_window_seconds", "The seconds that an ID token may be old"),
        jwks_cache_ttl_seconds=_number(form, "jwks_cache_ttl_seconds", "The seconds that its keys are kept"),
        userinfo_groups=form.get("userinfo-groups") == "yes",
        allowed_email_domains=tuple(form.get("email-domains", "").replace(",", " ").split()),
        enabled=form.get("enabled") == "yes",
    )


def _number(form: Mapping[str, str], member: str, what: str) -> int:
    text = form.get(FIELD_OF_MEMBER[member], "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise InvalidInput(f"{what} are {text[:20]!r}, which is not a number.", hint="Type digits.", pointer=f"/{member}")
    return int(text)
