"""What a trusted issuer and a rule may be, and which changes end the tokens that were given before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from sealwright.client_metadata import require_fetchable, require_public_keys
from sealwright.clock import Instant
from sealwright.errors import InvalidInput, in_member
from sealwright.jose import VerificationKeys, keys_of_jwks, thumbprint
from sealwright.oauth.policy import LONGEST_AUDIENCE
from sealwright.oauth.trusted_issuers.models import IssuerRule, TrustedIssuer

SHORTEST_TOKEN, LONGEST_TOKEN = timedelta(minutes=1), timedelta(hours=1)
MOST_RULES = 200


def require_audience(audience: str) -> None:
    """Raise InvalidInput where no token can have this `aud`."""
    if not 0 < len(audience) <= LONGEST_AUDIENCE or not audience.isprintable():
        raise InvalidInput(
            f"{audience[:80]!r} is not an audience.", hint="Give the text that the issuer puts into aud.", pointer="/audience"
        )


def require_keys(jwks_uri: str | None, jwks: Mapping[str, Any] | None) -> None:
    """Raise InvalidInput where these say twice where the keys of an issuer are, or can verify nothing."""
    if jwks_uri is not None and jwks is not None:
        raise InvalidInput(
            "Both jwks_uri and jwks are given.",
            hint="Give one of them, or neither: then discovery finds the keys.",
            pointer="/jwks_uri",
        )
    if jwks_uri is not None:
        with in_member("jwks_uri"):
            require_fetchable(jwks_uri, "jwks_uri")
    if jwks is not None:
        with in_member("jwks"):
            require_public_keys(jwks, "jwks")
        if not _keys(jwks):
            raise InvalidInput(
                "jwks holds no key that can verify a signature.", hint="Give the public keys of the issuer.", pointer="/jwks"
            )


def require_lifetime(name: str, lasts: timedelta) -> None:
    """Raise InvalidInput where an access token for a token of the issuer `name` cannot last so long."""
    if not SHORTEST_TOKEN <= lasts <= LONGEST_TOKEN:
        raise InvalidInput(
            f"An access token for a token of {name} cannot last {int(lasts.total_seconds())} seconds.",
            hint="Give 60 to 3600 seconds.",
            pointer="/lifetime_seconds",
        )


def placed_last(rule: IssuerRule, others: Sequence[IssuerRule]) -> IssuerRule:
    """The rule as the newest: the oldest that fits a token counts, and several may be added within a millisecond."""
    if len(others) >= MOST_RULES:
        raise InvalidInput(f"The trusted issuer has {MOST_RULES} rules, which is the most.", hint="Delete one first.")
    newest = max((each.created_at for each in others), default=rule.created_at - 1)
    return replace(rule, created_at=Instant(max(rule.created_at, newest + 1)))


def still_verifies(before: TrustedIssuer, after: TrustedIssuer) -> bool:
    """Whether every token that was verified before would be verified now, as far as can be known."""
    if before.audience != after.audience or before.jwks_uri != after.jwks_uri:
        return False
    if before.jwks is None or after.jwks is None:
        return before.jwks == after.jwks
    held = [(key.id, key.algorithm, thumbprint(key.public_key)) for key in _keys(after.jwks)]
    return all((key.id, key.algorithm, thumbprint(key.public_key)) in held for key in _keys(before.jwks))


def still_gives(before: IssuerRule, after: IssuerRule) -> bool:
    """Whether what a rule gave before is what it would give now."""
    return before.conditions == after.conditions and before.scopes == after.scopes


def recorded_issuer(issuer: TrustedIssuer) -> dict[str, Any]:
    """What the record has of how tokens are verified; listed keys by their thumbprints (RFC 7638)."""
    listed = [] if issuer.jwks is None else [thumbprint(key.public_key) for key in _keys(issuer.jwks)]
    keys = listed or issuer.jwks_uri or "by discovery"
    return {"audience": issuer.audience, "keys": keys, "reusable": issuer.reusable}


def recorded_rule(rule: IssuerRule) -> dict[str, Any]:
    """What the record has of what a rule says."""
    seconds = rule.lifetime // timedelta(seconds=1)
    return {"conditions": dict(rule.conditions), "scope": " ".join(rule.scopes), "lifetime_seconds": seconds}


def _keys(jwks: Mapping[str, Any]) -> VerificationKeys:
    return keys_of_jwks(msgspec.json.encode(jwks))
