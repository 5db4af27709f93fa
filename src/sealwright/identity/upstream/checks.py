"""The checks that an identity provider has to pass before it is stored."""

from __future__ import annotations

from sealwright.errors import Unavailable
from sealwright.identity.upstream.models import DowngradeRule, ProviderCheck, UpstreamProvider
from sealwright.openid_providers import ProviderMetadata, TrustedProviders, origin_of

FORGEABLE = frozenset({"HS256", "HS384", "HS512", "none"})
"""With these, anyone who knows the client's secret, or anyone at all, makes tokens."""


async def check_provider(
    provider: UpstreamProvider, redirect_uri: str, own_callback: str, providers: TrustedProviders
) -> tuple[ProviderCheck, ...]:
    """Fetch the metadata and keys of the provider, and check whether it can be used."""
    redirect = ProviderCheck(
        "redirect_uri",
        redirect_uri == own_callback and origin_of(redirect_uri)[0] == "https",
        f"The redirect_uri must be {own_callback}." if redirect_uri != own_callback else f"{own_callback} is right.",
    )
    providers.forget(provider.issuer_url)
    try:
        metadata, keys = await providers.keys_for(provider.issuer_url, kept_at_most=provider.keys_kept_at_most)
    except Unavailable as cause:
        return (ProviderCheck("discovery", passed=False, detail=cause.detail), redirect)
    return (
        *check_metadata(provider, metadata),
        _algorithms(provider.downgrade_rule, metadata),
        ProviderCheck("key_set", passed=True, detail=f"The key set holds {len(keys)} keys."),
        redirect,
    )


def check_metadata(provider: UpstreamProvider, metadata: ProviderMetadata) -> tuple[ProviderCheck, ProviderCheck]:
    """What has to hold at each sign-in too, as a provider may change after it was stored: ``discovery`` and ``endpoints``."""
    return _issuer(provider, metadata), _endpoints(provider, metadata)


def _issuer(provider: UpstreamProvider, metadata: ProviderMetadata) -> ProviderCheck:
    same = metadata.issuer == provider.issuer_url
    detail = f"The provider calls itself {metadata.issuer}" + (
        "." if same else f", not {provider.issuer_url}: every character counts."
    )
    return ProviderCheck("discovery", same, detail)


def _endpoints(provider: UpstreamProvider, metadata: ProviderMetadata) -> ProviderCheck:
    asked = [
        ("authorization_endpoint", metadata.authorization_endpoint),
        ("token_endpoint", metadata.token_endpoint),
        *([("userinfo_endpoint", metadata.userinfo_endpoint)] if provider.userinfo_groups else []),
    ]
    for name, address in asked:
        if origin_of(address)[0] != "https":
            return ProviderCheck("endpoints", passed=False, detail=f"The provider states no {name} with https.")
    return ProviderCheck("endpoints", passed=True, detail="The provider states where to sign in and where tokens are given.")


def _algorithms(rule: DowngradeRule, metadata: ProviderMetadata) -> ProviderCheck:
    forgeable = sorted(metadata.offered & FORGEABLE)
    if rule is DowngradeRule.STRICT and forgeable:
        return ProviderCheck(
            "algorithms",
            passed=False,
            detail=f"The provider offers {', '.join(forgeable)} for ID tokens, which the rule against downgrades does not allow; "
            "switch them off there, or choose the rule intersection.",
        )
    return ProviderCheck(
        "algorithms", passed=True, detail=f"ID tokens may be signed with {', '.join(sorted(metadata.algorithms))}."
    )
