"""Sign: a token that a provisioner vouches for, and a signing request, become a certificate."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from sealwright.access import Actor
from sealwright.budgets import Budgets
from sealwright.ca import csr
from sealwright.ca.issue import Issuance
from sealwright.ca.models import IssuedCertificate
from sealwright.ca.provisioners import NOTHING_SHOWN, ProvisionerTokens, ShownProof, VerifiedToken
from sealwright.clock import Instant
from sealwright.errors import Refused
from sealwright.ip import network_of

Moment = Instant | timedelta | None
"""An instant, a duration from now (for the end: from the beginning), or nothing."""


class Signing:
    """Issues certificates to anyone who shows a token."""

    def __init__(self, tokens: ProvisionerTokens, issuance: Issuance, budgets: Budgets) -> None:
        self._tokens = tokens
        self._issuance = issuance
        self._stages = issuance.stages
        self._failures = budgets.certificate_failures_by_account

    async def sign(
        self,
        token: str,
        request: str | bytes,
        *,
        not_before: Moment = None,
        not_after: Moment = None,
        shown: ShownProof = NOTHING_SHOWN,
    ) -> IssuedCertificate:
        """The certificate that `token` allows for the key of `request`. `shown`: what came beside the token, and from whom.

        The token is checked first: it is cheaper to refuse than a request with a large key. A token whose request is refused
        is not used up, so that a corrected request can follow.
        """
        with self._stages:
            return await self._sign(token, request, not_before, not_after, shown)

    async def _sign(
        self, token: str, request: str | bytes, not_before: Moment, not_after: Moment, shown: ShownProof
    ) -> IssuedCertificate:
        verified = await self._tokens.for_sign(token, self._issuance.record_refusal, shown)
        party = _party(verified.actor, shown.peer.address)
        self._failures.require(*party)
        await self._stages.next()
        try:
            return await self._issue(verified, request, not_before, not_after)
        except Refused:  # of someone who proved who they are
            self._failures.spend(*party)
            raise

    async def _issue(
        self, verified: VerifiedToken, request: str | bytes, not_before: Moment, not_after: Moment
    ) -> IssuedCertificate:
        try:
            parsed = csr.parse(request)
            await self._stages.next()
            if not_before is not None or not_after is not None:
                parsed = replace(parsed, not_before=not_before, not_after=not_after)
            grant = verified.grant(parsed)
        except Refused as failure:
            await self._issuance.record_refusal(verified.actor, verified.provisioner.id, failure)
            raise
        return await self._issuance.issue(grant, parsed)


def _party(actor: Actor, address: str) -> tuple[str, ...]:
    """A person counts wherever they are; many machines may hold the key of one provisioner, so each counts by its address."""
    return (actor.kind, actor.id) if actor.kind == "person" else (actor.kind, actor.id, network_of(address))
