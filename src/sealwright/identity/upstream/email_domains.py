"""Which domains the mail addresses of a provider's people may be of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sealwright.identity.policy import printable
from sealwright.identity.upstream.errors import ProviderRefused, SignOnRefused
from sealwright.identity.upstream.models import RefusedSignOn, UpstreamProvider

_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
LONGEST_DOMAIN = 253


def checked_domain(text: str) -> str:
    """A domain in lower case, or ProviderRefused. An international one is written in its ASCII form."""
    domain = text.strip().lower()
    if len(domain) > LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise ProviderRefused(
            f"allowed_email_domains holds {printable(text, 80)!r}, which is not a domain.",
            hint="Write what stands after the @, such as example.org, without wildcards: each domain is compared as a whole.",
        )
    return domain


def check_email_domain(provider: UpstreamProvider, claims: Mapping[str, Any]) -> None:
    """Raise SignOnRefused unless the ID token names an address of an allowed domain.

    An address that the provider itself calls unverified proves nothing about its domain.
    """
    if not provider.allowed_email_domains:
        return
    address = claims.get("email")
    allowed = ", ".join(provider.allowed_email_domains)
    if not isinstance(address, str) or "@" not in address:
        raise SignOnRefused(
            RefusedSignOn.EMAIL_MISSING,
            f"{provider.name} named no mail address, and only those of {allowed} may sign in.",
            hint="Ask for the scope email, and let the provider put the claim into the ID token.",
        )
    if claims.get("email_verified", True) not in (True, "true"):
        raise SignOnRefused(
            RefusedSignOn.EMAIL_DOMAIN,
            f"{provider.name} has not verified the mail address of this person, so its domain counts for nothing.",
        )
    domain = address.rpartition("@")[2].lower()
    if domain not in provider.allowed_email_domains:
        raise SignOnRefused(
            RefusedSignOn.EMAIL_DOMAIN,
            f"Mail addresses of {printable(domain, 80)!r} may not sign in with {provider.name}; allowed: {allowed}.",
        )
