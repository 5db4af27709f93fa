"""WebFinger: which issuer signs a person in (RFC 7033; OpenID Connect Discovery, section 2). Pure."""

from __future__ import annotations

import re
from typing import Any

from sealwright.errors import InvalidInput, NotFound

ISSUER_RELATION = "http://openid.net/specs/connect/1.0/issuer"
_ACCOUNT = re.compile(r"acct:([^@\s]{1,256})@([^@\s]{1,253})")


def webfinger_document(resource: str | None, issuer_url: str, domain: str) -> dict[str, Any]:
    """The issuer of any name in `domain`, whether there is such an account or not, so that no one finds out who has one."""
    if not resource:
        raise InvalidInput("The parameter 'resource' is missing.", hint=f"Ask for resource=acct:alice@{domain}.")
    account = _ACCOUNT.fullmatch(resource)
    if account is None:
        raise InvalidInput(f"The resource {resource[:80]!r} is not an acct: URI.", hint=f"Ask for resource=acct:alice@{domain}.")
    if account[2].lower() != domain:
        raise NotFound(f"No account of {account[2][:80]} signs in here.", hint=f"Accounts here end in @{domain}.")
    return {"subject": resource, "links": [{"rel": ISSUER_RELATION, "href": issuer_url}]}
