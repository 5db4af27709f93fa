"""Why a token of another issuer would be taken or refused, for those who may read rules."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import Actor, Permission, require
from sealwright.clock import Instant
from sealwright.errors import Unavailable
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import GrantRefused
from sealwright.oauth.trusted_issuers import store
from sealwright.oauth.trusted_issuers.issuer_assertions import Check, ChecksSoFar, IssuerAssertions, JudgedRule, judged


class AssertionExplanation(Struct, frozen=True, kw_only=True):
    """What came of each check. It holds nothing of the signature."""

    failed: Check | None = None
    """The first check that failed; None where the token would be taken."""
    detail: str
    issuer: str = ""
    """The name of the trusted issuer; empty where it is of none."""
    issuer_url: str = ""
    subject: str = ""
    """Empty where the token was not verified so far."""
    expires_at: Instant | None = None
    rules: tuple[JudgedRule, ...] = ()
    """All rules of the issuer in their order, where the token itself is right."""


class AssertionExplanations:
    """Looks at assertions as the token endpoint does, and neither uses them up nor keeps anything of them."""

    def __init__(self, dependencies: OAuthDependencies, key_sets: ClientKeySets) -> None:
        self._db = dependencies.db
        self._assertions = IssuerAssertions(dependencies, key_sets)

    async def explain(self, assertion: str, *, actor: Actor) -> AssertionExplanation:
        """Which check fails, or by which rules it would be taken."""
        require(actor, Permission.CLIENT_READ)
        so_far = ChecksSoFar({})
        try:
            found = await self._assertions.verified(assertion.strip(), so_far)
        except (GrantRefused, Unavailable) as refusal:
            return AssertionExplanation(
                failed=so_far.check,
                detail=refusal.detail,
                issuer=so_far.about.get("issuer", ""),
                issuer_url=so_far.about.get("issuer_url", ""),
                subject=so_far.about.get("assertion_subject", ""),
            )
        issuer = found.issuer
        rules = judged(await store.rules(self._db, issuer.id), found.claims)
        failed, detail = None, "It would be taken, by the first rule that fits for the client that presents it."
        if not rules:
            failed, detail = Check.RULE, f"The trusted issuer {issuer.name} has no rule. Add one."
        elif not any(each.counts for each in rules):
            failed, detail = Check.RULE, f"No rule of the trusted issuer {issuer.name} fits. Add one, or let another job ask."
        elif not issuer.reusable and await store.was_used(self._db, found.digest):
            failed, detail = Check.USE, "It was used before, and each counts once. Let the issuer make another."
        return AssertionExplanation(
            failed=failed,
            detail=detail,
            issuer=issuer.name,
            issuer_url=issuer.issuer_url,
            subject=found.subject,
            expires_at=found.expires_at,
            rules=tuple(rules),
        )
