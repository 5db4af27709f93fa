"""Issue a certificate: the only place where an issuer's key signs a leaf.

The order is what can be relied upon after a crash at any point:

1. decide on the final names, key and validity; prepare and lint the bytes to be signed;
2. one transaction: the token is used up, the intent is recorded with serial number and digest of those bytes, audited; or, where
   the profile or the issuer asks for approval, the bytes are held (`hold`) and nothing goes on until they are approved;
3. sign; read the certificate back and compare, and verify its signature or make it once more;
4. one transaction: the certificate is stored, audited; only then it is answered.

So every signature has an earlier durable intent, and every certificate that anyone received is stored byte for byte.
Linting comes before the intent because it needs no key: what would break a rule leaves no trace but the refusal. What a
person of this server may have is asked before the intent and once more after it: a caller who disables an account, ends a
session or takes a group away, and then looks for certificates of the person, finds either the intent, or nothing that will still
become a certificate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from msgspec.structs import replace

from sealwright.access import Actor
from sealwright.access.approvals import Approvals
from sealwright.audit import Audit, Entry, Event, Outcome
from sealwright.ca.errors import TokenUsed
from sealwright.ca.hold import Holding
from sealwright.ca.holder_status import HolderChecks
from sealwright.ca.intent import Intent
from sealwright.ca.issuance_log import IntentOutcome, IssuanceLog, IssuedEntry
from sealwright.ca.issuers import Issuers
from sealwright.ca.models import (
    CertificateRequest,
    Decision,
    IssuedCertificate,
    Issuer,
    SigningGrant,
)
from sealwright.ca.policy import decide
from sealwright.ca.prepare import Preparation
from sealwright.ca.profiles import KnownProfile, ProfileRegistry, within
from sealwright.ca.reserved import OwnNames
from sealwright.ca.x509 import sign, verify_issued
from sealwright.clock import Clock
from sealwright.db import Database, DuplicateRow
from sealwright.errors import Failure, Refused, Unavailable
from sealwright.stages import Stages
from sealwright.traces import span

CrashPoints = Callable[[str], None]
"""Called with the name of each point that an issuance passes."""

MOST_SERIALS = 3
"""How many serial numbers are tried when one exists already."""
MOST_READINGS = 3
"""How often a profile that is changed meanwhile is decided by anew."""


def pass_by(point: str) -> None:
    """The crash points of a server: none of them does anything."""


class Issuance:
    """Issues certificates for grants."""

    def __init__(  # noqa: PLR0913 - what an issuance stands on, from the decision to the record
        self,
        db: Database,
        issuers: Issuers,
        profiles: ProfileRegistry,
        preparation: Preparation,
        audit: Audit,
        clock: Clock,
        *,
        checks: HolderChecks,
        own_names: OwnNames,
        approvals: Approvals,
        crash_points: CrashPoints = pass_by,
    ) -> None:
        self._db = db
        self._issuers = issuers
        self._profiles = profiles
        self._preparation = preparation
        self._audit = audit
        self._log = IssuanceLog(db, audit, clock)
        self.holding = Holding(db, approvals, preparation, self._log, clock)
        self._clock = clock
        self._checks = checks
        self._own_names = own_names
        self._reach = crash_points
        self._proven: Issuer | None = None
        """The issuer whose key made a signature that verified; another object each time that the key is opened anew."""
        self.stages = Stages()
        """Anyone who asks for a certificate enters them for the whole of the request."""

    async def issue(self, grant: SigningGrant, request: CertificateRequest) -> IssuedCertificate:
        """Issue what `grant` covers for the key of `request`; raises the refusal where policy does not allow it.

        What needs approval is held, and ApprovalPending is raised. Once it was approved, the requester gets it by asking
        for the same again.
        """
        intent = await self._intend(grant, request)
        if isinstance(intent, IssuedCertificate):
            return intent
        self._reach("after_intent")
        try:
            await self._checks.require_active(intent.grant)
            await self._checks.require_names(intent.grant, intent.prepared.contents)
            der = await self._sign(intent)
        except Exception as failure:
            await self._settle_failed(intent, failure)
            raise
        self._reach("before_store")
        await self._settle_issued(intent, der)
        self._reach("after_store")
        prepared = intent.prepared
        issued = IssuedCertificate(
            prepared.serial, der, intent.issuer.chain, prepared.issuer_id, prepared.profile, prepared.contents
        )
        self._reach("before_answer")
        return issued

    async def record_refusal(self, actor: Actor, provisioner: str, failure: Failure) -> None:
        """Write down that someone who proved who they are was refused a certificate, and why."""
        details = {"provisioner": provisioner, "refused": failure.code, "detail": failure.detail, "reasons": failure.reasons}
        target = f"provisioner:{provisioner}"
        await self._audit.refused(
            self._db, Event.CERTIFICATE_REFUSED, actor=actor, target=target, reason=failure.code, details=details
        )

    async def _intend(self, grant: SigningGrant, request: CertificateRequest) -> Intent | IssuedCertificate:
        """Decide, prepare, and record what will be signed; or hold it. What was approved and given out just now comes again."""
        try:
            grant = replace(grant, credential_generation=await self._checks.require_active(grant))
            for _ in range(MOST_READINGS):
                found = await self._intend_by(await self._profiles.named(grant.profile), grant, request)
                if found is not None:
                    return found
                self._profiles.forget()
        except Refused as failure:
            await self.record_refusal(grant.actor, grant.provisioner_id, failure)
            raise
        raise Unavailable(f"The profile {grant.profile} is being changed at this moment.", retry_after=1)

    async def _intend_by(
        self, known: KnownProfile, grant: SigningGrant, request: CertificateRequest
    ) -> Intent | IssuedCertificate | None:
        """The same by one version of a profile; None, and nothing recorded, where it is another one by now."""
        grant, issuer, decision = await self._decided(known, grant, request)
        contents = decision.require()
        await self.stages.next()
        for attempt in range(MOST_SERIALS):
            prepared = self._preparation.prepare(issuer, known.profile, contents, self._clock.now())
            intent = Intent(grant, request, decision.reasons, known, issuer, prepared)
            self._reach("before_intent")
            await self.stages.next()
            try:
                return await self._record(intent)
            except DuplicateRow:
                if attempt + 1 == MOST_SERIALS:
                    raise
        raise AssertionError("a serial number was found, or the last attempt raised")

    async def _decided(
        self, known: KnownProfile, grant: SigningGrant, request: CertificateRequest
    ) -> tuple[SigningGrant, Issuer, Decision]:
        """The decision by one version of a profile, who would sign, and the grant within that profile."""
        profile = known.profile
        issuer = await self._issuers.signing(grant.issuer or profile.issuer)
        if profile.default is not None:
            grant = replace(grant, claims=within(grant.claims, profile))
        with span("policy decision") as part:
            part.set_attribute("sealwright.profile", profile.name)
            decision = decide(grant, request, profile, issuer, self._clock.now(), own_names=self._own_names)
            part.set_attribute("sealwright.allowed", decision.allowed)
        await self._checks.require_names(grant, decision.require())
        return grant, issuer, decision

    async def preview(self, grant: SigningGrant, request: CertificateRequest) -> Intent:
        """What would be signed, decided and linted, and not recorded: it never becomes a certificate."""
        grant = replace(grant, credential_generation=await self._checks.require_active(grant))
        known = await self._profiles.named(grant.profile)
        grant, issuer, decision = await self._decided(known, grant, request)
        prepared = self._preparation.prepare(issuer, known.profile, decision.require(), self._clock.now())
        return Intent(grant, request, decision.reasons, known, issuer, prepared)

    async def _record(self, intent: Intent) -> Intent | IssuedCertificate | None:
        outcome: Intent | IssuedCertificate | IntentOutcome
        outcome = await self._log.record_intent(intent.entry(self._clock.now()))
        if outcome is IntentOutcome.NEEDS_APPROVAL:
            outcome = await self.holding.release_or_hold(intent)
        if outcome is IntentOutcome.PROFILE_CHANGED:
            return None
        if not isinstance(outcome, IntentOutcome):
            return outcome
        if outcome is IntentOutcome.TOKEN_USED:
            raise TokenUsed("The token has been used before; each is for one certificate.")
        return intent

    async def _sign(self, intent: Intent) -> bytes:
        """Use the key for one certificate; returns it after it was read back."""
        prepared, issuer = intent.prepared, intent.issuer
        to_be_signed = prepared.redeem(issuer)
        signature = sign(issuer.private_key, to_be_signed)
        self._reach("after_sign")
        await self.stages.next()
        der = self._preparation.with_signature(issuer, intent.profile, to_be_signed, signature)
        proven_key = issuer.private_key if issuer is self._proven else None
        verify_issued(der, to_be_signed, issuer.public_key, prepared.serial, prepared.contents, proven_key=proven_key)
        self._proven = issuer
        await self.stages.next()
        return der

    async def _settle_issued(self, intent: Intent, der: bytes) -> None:
        details = {"sha256": hashlib.sha256(der).hexdigest()}
        entry = Entry(Event.CERTIFICATE_ISSUED, intent.grant.actor, intent.target, details=details)
        if not await self._log.record_issued(IssuedEntry(intent.prepared.serial, der, entry)):
            raise Unavailable("The certificate could not be recorded, and is not given out.")

    async def _settle_failed(self, intent: Intent, failure: Exception) -> None:
        details = {"detail": failure.detail if isinstance(failure, Failure) else type(failure).__name__}
        entry = Entry(Event.CERTIFICATE_FAILED, intent.grant.actor, intent.target, Outcome.FAILED, details)
        await self._log.record_failed(intent.prepared.serial, entry)
