"""What would be issued for a signing request, and why: decided, prepared and linted as at an issuance, and no key is used.

Nothing is recorded: a token that is shown for it is not used up, and nothing is held. Without a token, the holder of a
provisioner's key is taken to vouch for just the names of the request, and a person of this server for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sealwright.access import Actor, Permission
from sealwright.access.approvals import Approvals
from sealwright.ca import csr
from sealwright.ca.hold import Holding
from sealwright.ca.issue import Issuance
from sealwright.ca.models import CertificateRequest, PersonOf, SigningGrant
from sealwright.ca.provisioners import Provisioner, ProvisionerRegistry, ProvisionerTokens
from sealwright.clock import Instant
from sealwright.db import Database
from sealwright.errors import Failure, InvalidInput, Refused

Moment = Instant | timedelta | None


class Verdict(StrEnum):
    """What would become of the request."""

    ALLOW = "allow"
    WARN = "warn"
    """It would be issued, and something about it may not be meant."""
    NEEDS_APPROVAL = "needs_approval"
    BLOCK = "block"


class Preview(Struct, frozen=True, kw_only=True):
    """What would be issued, and why."""

    verdict: Verdict
    detail: str
    reasons: tuple[str, ...]
    hint: str = ""
    warnings: tuple[str, ...] = ()
    content: Mapping[str, Any] | None = None
    """As a held request has it: the bytes to be signed and what they say; None where nothing would be issued."""


class Previews:
    """Tells what would be issued."""

    def __init__(
        self,
        db: Database,
        issuance: Issuance,
        holding: Holding,
        tokens: ProvisionerTokens,
        provisioners: ProvisionerRegistry,
        approvals: Approvals,
        *,
        person_of: PersonOf,
    ) -> None:
        self._db = db
        self._issuance = issuance
        self._holding = holding
        self._tokens = tokens
        self._provisioners = provisioners
        self._approvals = approvals
        self._person_of = person_of

    async def preview(
        self,
        request: str | bytes,
        *,
        token: str = "",
        provisioner: str = "",
        not_before: Moment = None,
        not_after: Moment = None,
        actor: Actor,
    ) -> Preview:
        """What would become of `request`; a request that cannot be read, or a token that is not valid, is refused as always."""
        if bool(token) is bool(provisioner):
            raise InvalidInput("Say who vouches: a token or a provisioner, one of the two.")
        parsed = csr.parse(request)
        if not_before is not None or not_after is not None:
            parsed = replace(parsed, not_before=not_before, not_after=not_after)
        try:
            grant = await self._grant(parsed, token, provisioner, actor)
            intent = await self._issuance.preview(grant, parsed)
        except InvalidInput:
            raise
        except Refused as refusal:
            return Preview(verdict=Verdict.BLOCK, detail=refusal.detail, reasons=refusal.reasons, hint=refusal.hint)
        content, previous = await self._holding.contents_of(self._db, intent)
        if previous is not None and not (
            actor.holds(Permission.CERTIFICATE_READ, previous.scopes) or previous.account_id == actor.id
        ):
            content = {**content, "previous": None, "differences": []}
            previous = None
        rules = self._holding.asking(await self._approvals.rules_for(self._db, intent.guarded_by), intent)
        if rules:
            try:
                asked = await self._approvals.rules_in_words(self._db, rules)
            except Failure as failure:
                return Preview(verdict=Verdict.BLOCK, detail=failure.detail, reasons=failure.reasons, hint=failure.hint)
            return Preview(
                verdict=Verdict.NEEDS_APPROVAL,
                detail="It would be held until others approve it.",
                reasons=(*intent.reasons, *asked),
                content=content,
            )
        warnings = _warnings(content) if previous is not None else ()
        return Preview(
            verdict=Verdict.WARN if warnings else Verdict.ALLOW,
            detail="It would be issued.",
            reasons=intent.reasons,
            warnings=warnings,
            content=content,
        )

    async def _grant(self, request: CertificateRequest, token: str, provisioner: str, actor: Actor) -> SigningGrant:
        if token:
            return (await self._tokens.for_sign(token, _unrecorded)).grant(request)
        found: Provisioner = await self._provisioners.named(provisioner)
        person = await self._person_of(actor.id) if actor.kind == "person" else None
        return found.grant_without_token(request, person, self._provisioners.own_issuer(found))


async def _unrecorded(_actor: Actor, _provisioner: str, _failure: Failure) -> None:
    """A preview leaves no trace."""


def _warnings(content: Mapping[str, Any]) -> tuple[str, ...]:
    """What may not be meant, seen beside the last certificate of the same names."""
    changed = {what: (before, now) for what, before, now in content["differences"]}
    found = []
    if "revoked" in changed and "public key" not in changed:
        found.append("the last certificate of these names was revoked, and this one would have the same key")
    for what in ("account", "provisioner", "issuer", "profile"):
        if what in changed:
            before, now = changed[what]
            found.append(f"the {what} is another one than that of the last certificate: {before or 'none'}, now {now or 'none'}")
    return tuple(found)
