"""Verify a token of a trusted issuer, and find the rule by which it is accepted for something (RFC 7523, section 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
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
from sealwright.oauth.trusted_issuers.conditions import Unmet, unmet
from sealwright.oauth.trusted_issuers.models import IssuerRule, TrustedIssuer
from sealwright.openid_providers import LocalProvider, TrustedProviders

LONGEST_LIFE = timedelta(hours=24)
"""From now to `exp`: how long a used token has to be remembered."""
_SHOWN = 200


class Check(StrEnum):
    """What is looked at, in this order."""

    FORMAT = "format"
    ISSUER = "issuer"
    KEYS = "keys"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    TIMES = "times"
    SUBJECT = "subject"
    RULE = "rule"
    USE = "use"


class ChecksSoFar:
    """How far the checks of one assertion came, and what is known of it."""

    def __init__(self, about: dict[str, Any]) -> None:
        """`about`: gets what is known, for the record."""
        self.about = about
        self.check = Check.FORMAT
        """The one that is made, and that failed where a refusal was raised."""


class VerifiedIssuerToken(Struct, frozen=True):
    """A token of a trusted issuer, before any rule is looked at."""

    issuer: TrustedIssuer
    claims: Mapping[str, Any]
    subject: str
    """Its `sub`, at its issuer."""
    token_id: str
    digest: bytes
    """By which a second use is known."""
    expires_at: Instant
    kept_until: Instant


class IssuerAssertion(Struct, frozen=True):
    """A token of a trusted issuer, with the rule that takes it."""

    issuer: TrustedIssuer
    rule: IssuerRule
    token_id: str
    digest: bytes
    kept_until: Instant


class JudgedRule(Struct, frozen=True):
    """A rule beside the claims of a token."""

    rule: IssuerRule
    lacking: tuple[Unmet, ...]
    """The conditions that are not fulfilled; none where it fits."""
    counts: bool
    """Whether it is the first that fits among those for its client."""


def judged(rules: Iterable[IssuerRule], claims: Mapping[str, Any]) -> list[JudgedRule]:
    """Each rule, oldest first, with what a token lacks for it. For each client the first that fits counts."""
    found: list[JudgedRule] = []
    decided: set[str] = set()
    for rule in rules:
        lacking = unmet(rule.conditions, claims)
        found.append(JudgedRule(rule, lacking, counts=not lacking and rule.client_id not in decided))
        if not lacking:
            decided.add(rule.client_id)
    return found


class IssuerAssertions:
    """Reads tokens of the issuers that are listed, and of no other."""

    def __init__(self, dependencies: OAuthDependencies, key_sets: ClientKeySets) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._key_sets = key_sets
        self._providers = TrustedProviders(dependencies.outbound, dependencies.clock, _no_provider_of_ours)

    async def read(self, text: str, client: Client, about: dict[str, Any]) -> IssuerAssertion:
        """What the token is accepted for at a client; raises GrantRefused. What is known of it goes into `about`."""
        found = await self.verified(text, ChecksSoFar(about))
        rule = await self._rule(found, client, about)
        about["rule"] = rule.id
        return IssuerAssertion(found.issuer, rule, found.token_id, found.digest, found.kept_until)

    async def verified(self, text: str, so_far: ChecksSoFar) -> VerifiedIssuerToken:
        """The token, where it is of a trusted issuer, meant for this server, and valid now; raises GrantRefused."""
        try:
            token = UnverifiedToken(text)
            token.claims()
            so_far.check = Check.ISSUER
            issuer = await self._issuer_of(token)
            so_far.about |= {"issuer": issuer.name, "issuer_url": issuer.issuer_url}
            claims = await self._verified(token, issuer, so_far)
            expires_at = instant_claim(claims, "exp")
            now = self._clock.now()
            if expires_at is None or expires_at > after(after(now, LONGEST_LIFE), LEEWAY):
                raise GrantRefused("The assertion is valid for longer than 24 hours. Let its issuer make one that ends sooner.")
            so_far.check = Check.SUBJECT
            subject = require_text(claims, "sub")
            so_far.about["assertion_subject"] = subject[:_SHOWN]
            so_far.check = Check.USE
            token_id = optional_text(claims, "jti")
        except (TokenRefused, NotProven) as cause:
            raise GrantRefused(f"The assertion is refused: {_sentence(cause.detail)} Present another.") from cause
        known_by = token_id.encode() if token_id else token.signed
        digest = hashlib.sha256(b"issuer\0" + issuer.id.encode() + b"\0" + known_by).digest()[:16]
        kept_until = after(after(now, LONGEST_LIFE), 3 * LEEWAY)
        return VerifiedIssuerToken(issuer, claims, subject, token_id, digest, expires_at, kept_until)

    async def _issuer_of(self, token: UnverifiedToken) -> TrustedIssuer:
        issuer_url = require_text(token.claims(), "iss")
        issuer = await store.issuer_at(self._db, issuer_url)
        if issuer is None:
            raise GrantRefused(
                f"The assertion is of the issuer {issuer_url[:_SHOWN]}, which is not trusted here. An administrator lists it: "
                "sealwright system oauth2 trusted-issuer create NAME URL."
            )
        return issuer

    async def _verified(self, token: UnverifiedToken, issuer: TrustedIssuer, so_far: ChecksSoFar) -> Mapping[str, Any]:
        so_far.check = Check.KEYS
        keys, algorithms = await self._keys(token, issuer)
        so_far.check = Check.SIGNATURE
        claims = verify(token, keys, typ=JWT, algorithms=algorithms).claims
        require_issuer(claims, issuer.issuer_url)
        so_far.check = Check.AUDIENCE
        require_audience(claims, issuer.audience)
        so_far.check = Check.TIMES
        check_times(claims, self._clock.now(), LEEWAY)
        return claims

    async def _keys(self, token: UnverifiedToken, issuer: TrustedIssuer) -> tuple[VerificationKeys, frozenset[str]]:
        key_id = token.header.get("kid")
        if issuer.jwks is not None or issuer.jwks_uri is not None:
            return await self._key_sets.keys(issuer, key_id), ALGORITHMS
        metadata, keys = await self._providers.keys_for(issuer.issuer_url, key_id if isinstance(key_id, str) else None)
        return keys, metadata.algorithms

    async def _rule(self, found: VerifiedIssuerToken, client: Client, about: dict[str, Any]) -> IssuerRule:
        """The oldest rule that fits. What a rule wants is for the record: anyone may have a token of a public issuer."""
        issuer = found.issuer
        why = judged(await store.rules_for(self._db, issuer.id, client.id), found.claims)
        fitting = next((each.rule for each in why if each.counts), None)
        if fitting is not None:
            return fitting
        command = f"sealwright system oauth2 trusted-issuer add-rule {issuer.name} --client {client.name} --when CLAIM=VALUE"
        if not why:
            raise GrantRefused(
                f"No rule of the trusted issuer {issuer.name} is for the client {client.name}. To add one: {command}"
            )
        nearest = min(why, key=lambda each: len(each.lacking))
        about |= {"nearest_rule": nearest.rule.id, "lacking": [str(each) for each in nearest.lacking]}
        wrong = ", that ".join(each.found for each in nearest.lacking)[:400]
        raise GrantRefused(
            f"No rule of the trusted issuer {issuer.name} for {client.name} fits the assertion; by the nearest it is wrong that "
            f"{wrong}. The audit record has what that rule wants. To add one: {command}"
        )


async def _no_provider_of_ours(_: str) -> LocalProvider | None:
    """Issuers of this server are never listed."""
    return None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
