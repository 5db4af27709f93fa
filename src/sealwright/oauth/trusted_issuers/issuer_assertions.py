"""Verify a token of a trusted issuer, and find the rule by which it is accepted for something (RFC 7523, section 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct

from sealwright.clock import Instant, after
from sealwright.jose import (
    ALGORITHMS,
    JWT,
    LEEWAY,
    TokenRefused,
    UnverifiedToken,
    VerificationKeys,
    check_times,
    instant_claim,
    optional_text,
    require_audience,
    require_issuer,
    require_text,
    verify,
)
from sealwright.oauth.client_authentication.errors import NotProven
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import GrantRefused
from sealwright.oauth.models import Client
from sealwright.oauth.trusted_issuers import store
from sealwright.oauth.trusted_issuers.conditions import unmet
from sealwright.oauth.trusted_issuers.models import IssuerRule, TrustedIssuer
from sealwright.openid_providers import LocalProvider, TrustedProviders

LONGEST_LIFE = timedelta(hours=24)
"""From now to `exp`: how long a used token has to be remembered."""
_SHOWN = 200


class IssuerAssertion(Struct, frozen=True):
    """A token of a trusted issuer, with the rule that takes it."""

    issuer: TrustedIssuer
    rule: IssuerRule
    subject: str
    """Its `sub`, at its issuer."""
    token_id: str
    digest: bytes
    """By which a second use is known."""
    kept_until: Instant


class IssuerAssertions:
    """Reads tokens of the issuers that are listed, and of no other."""

    def __init__(self, dependencies: OAuthDependencies, key_sets: ClientKeySets) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._key_sets = key_sets
        self._providers = TrustedProviders(dependencies.outbound, dependencies.clock, _no_provider_of_ours)

    async def read(self, text: str, client: Client, about: dict[str, Any]) -> IssuerAssertion:
        """What the token is accepted for at a client; raises GrantRefused. What is known of it goes into `about`."""
        try:
            token = UnverifiedToken(text)
            issuer = await self._issuer_of(token)
            about |= {"issuer": issuer.name, "issuer_url": issuer.issuer_url}
            claims = await self._verified(token, issuer)
            subject = require_text(claims, "sub")
            about["assertion_subject"] = subject[:_SHOWN]
            expires_at = instant_claim(claims, "exp")
            token_id = optional_text(claims, "jti")
        except (TokenRefused, NotProven) as cause:
            raise GrantRefused(f"The assertion is refused: {_sentence(cause.detail)} Present another.") from cause
        now = self._clock.now()
        if expires_at is None or expires_at > after(after(now, LONGEST_LIFE), LEEWAY):
            raise GrantRefused("The assertion is valid for longer than 24 hours. Let its issuer make one that ends sooner.")
        rule = await self._rule(issuer, client, claims, about)
        about["rule"] = rule.id
        known_by = token_id.encode() if token_id else token.signed
        digest = hashlib.sha256(b"issuer\0" + issuer.id.encode() + b"\0" + known_by).digest()[:16]
        return IssuerAssertion(issuer, rule, subject, token_id, digest, after(after(now, LONGEST_LIFE), 3 * LEEWAY))

    async def _issuer_of(self, token: UnverifiedToken) -> TrustedIssuer:
        issuer_url = require_text(token.claims(), "iss")
        issuer = await store.issuer_at(self._db, issuer_url)
        if issuer is None:
            raise GrantRefused(
                f"The assertion is of the issuer {issuer_url[:_SHOWN]}, which is not trusted here. An administrator lists it: "
                "sealwright system oauth2 trusted-issuer create NAME URL."
            )
        return issuer

    async def _verified(self, token: UnverifiedToken, issuer: TrustedIssuer) -> Mapping[str, Any]:
        keys, algorithms = await self._keys(token, issuer)
        claims = verify(token, keys, typ=JWT, algorithms=algorithms).claims
        require_issuer(claims, issuer.issuer_url)
        require_audience(claims, issuer.audience)
        check_times(claims, self._clock.now(), LEEWAY)
        return claims

    async def _keys(self, token: UnverifiedToken, issuer: TrustedIssuer) -> tuple[VerificationKeys, frozenset[str]]:
        key_id = token.header.get("kid")
        if issuer.jwks is not None or issuer.jwks_uri is not None:
            return await self._key_sets.keys(issuer, key_id), ALGORITHMS
        metadata, keys = await self._providers.keys_for(issuer.issuer_url, key_id if isinstance(key_id, str) else None)
        return keys, metadata.algorithms

    async def _rule(self, issuer: TrustedIssuer, client: Client, claims: Mapping[str, Any], about: dict[str, Any]) -> IssuerRule:
        """The oldest rule that fits. What a rule wants is for the record: anyone may have a token of a public issuer."""
        rules = await store.rules_for(self._db, issuer.id, client.id)
        why = [(rule, unmet(rule.conditions, claims)) for rule in rules]
        fitting = next((rule for rule, lacking in why if not lacking), None)
        if fitting is not None:
            return fitting
        command = f"sealwright system oauth2 trusted-issuer add-rule {issuer.name} --client {client.name} --when CLAIM=VALUE"
        if not why:
            raise GrantRefused(
                f"No rule of the trusted issuer {issuer.name} is for the client {client.name}. To add one: {command}"
            )
        rule, nearest = min(why, key=lambda each: len(each[1]))
        about |= {"nearest_rule": rule.id, "lacking": [f"{each.found}, not {each.wanted}" for each in nearest]}
        raise GrantRefused(
            f"No rule of the trusted issuer {issuer.name} for {client.name} fits the assertion; by the nearest it is wrong that "
            f"{', that '.join(each.found for each in nearest)[:400]}. The audit record has what that rule wants. To add one: "
            f"{command}"
        )


async def _no_provider_of_ours(_: str) -> LocalProvider | None:
    """Issuers of this server are never listed."""
    return None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
