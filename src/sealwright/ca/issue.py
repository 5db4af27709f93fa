"""Issue a certificate: the only place where an issuer's key signs a leaf.

The order is what can be relied upon after a crash at any point:

1. decide on the final names, key and validity; prepare and lint the bytes to be signed;
2. one transaction: the token is used up, the intent is recorded with serial number and digest of those bytes, audited;
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
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sealwright.access import Actor
from sealwright.audit import Audit, Entry, Event, Outcome
from sealwright.ca.errors import TokenUsed
from sealwright.ca.holder_status import HolderChecks
from sealwright.ca.issuance_log import IntentEntry, IssuanceLog, IssuedEntry
from sealwright.ca.issuers import Issuers
from sealwright.ca.models import (
    CertificateRequest,
    IssuedCertificate,
    Issuer,
    PreparedCertificate,
    Profile,
    SigningGrant,
)
from sealwright.ca.policy import decide
from sealwright.ca.prepare import Preparation
from sealwright.ca.profiles import digest_of
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.ca.reserved import OwnNames
from sealwright.ca.x509 import sign, verify_issued
from sealwright.clock import Clock, Instant
from sealwright.db import Database, DuplicateRow
from sealwright.errors import Failure, Refused, Unavailable
from sealwright.stages import Stages

CrashPoints = Callable[[str], None]
"""Called with the name of each point that an issuance passes."""

MOST_SERIALS = 3
"""How many serial numbers are tried when one exists already."""


def pass_by(point: str) -> None:
    """The crash points of a server: none of them does anything."""


class _Intent(Struct, frozen=True):
    """One issuance on its way: everything is fixed but the signature."""

    grant: SigningGrant
    reasons: tuple[str, ...]
    profile: Profile
    issuer: Issuer
    prepared: PreparedCertificate

    @property
    def target(self) -> str:
        """What the audit record calls it."""
        return f"certificate:{self.prepared.serial.hex()}"


class Issuance:
    """Issues certificates for grants."""

    def __init__(  # noqa: PLR0913 - what an issuance stands on, from the decision to the record
        self,
        db: Database,
        issuers: Issuers,
        profiles: Mapping[str, Profile],
        preparation: Preparation,
        audit: Audit,
        clock: Clock,
        *,
        checks: HolderChecks,
        own_names: OwnNames,
        crash_points: CrashPoints = pass_by,
    ) -> None:
        self._db = db
        self._issuers = issuers
        self._profiles = profiles
        self._profile_digests = {profile.name: digest_of(profile).hex() for profile in profiles.values()}
        self._preparation = preparation
        self._audit = audit
        self._log = IssuanceLog(db, audit, clock)
        self._clock = clock
        self._checks = checks
        self._own_names = own_names
        self._reach = crash_points
        self._proven: Issuer | None = None
        """The issuer whose key made a signature that verified; another object each time that the key is opened anew."""
        self.stages = Stages()
        """Anyone who asks for a certificate enters them for the whole of the request."""

    async def issue(self, grant: SigningGrant, request: CertificateRequest) -> IssuedCertificate:
        """Issue what `grant` covers for the key of `request`; raises the refusal where policy does not allow it."""
        intent = await self._intend(grant, request)
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

    async def _intend(self, grant: SigningGrant, request: CertificateRequest) -> _Intent:
        """Decide, prepare, and record what will be signed."""
        issuer = await self._issuers.active()
        profile = self._profiles[grant.profile]
        try:
            grant = replace(grant, credential_generation=await self._checks.require_active(grant))
            decision = decide(grant, request, profile, issuer, self._clock.now(), own_names=self._own_names)
            contents = decision.require()
            await self._checks.require_names(grant, contents)
            await self.stages.next()
            for attempt in range(MOST_SERIALS):
                prepared = self._preparation.prepare(issuer, profile, contents, self._clock.now())
                intent = _Intent(grant, decision.reasons, profile, issuer, prepared)
                self._reach("before_intent")
                await self.stages.next()
                try:
                    await self._record(intent)
                except DuplicateRow:
                    if attempt + 1 == MOST_SERIALS:
                        raise
                else:
                    return intent
        except Refused as failure:
            await self.record_refusal(grant.actor, grant.provisioner_id, failure)
            raise
        raise AssertionError("a serial number was found, or the last attempt raised")

    async def _record(self, intent: _Intent) -> None:
        grant = intent.grant
        details = _details(intent, self._profile_digests[intent.profile.name])
        entry = Entry(Event.CERTIFICATE_INTENDED, grant.actor, intent.target, details=details)
        if not await self._log.record_intent(IntentEntry(_row(intent, self._clock.now()), grant.token_use, entry)):
            raise TokenUsed("The token has been used before; each is good for one certificate.")

    async def _sign(self, intent: _Intent) -> bytes:
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

    async def _settle_issued(self, intent: _Intent, der: bytes) -> None:
        details = {"sha256": hashlib.sha256(der).hexdigest()}
        entry = Entry(Event.CERTIFICATE_ISSUED, intent.grant.actor, intent.target, details=details)
        if not await self._log.record_issued(IssuedEntry(intent.prepared.serial, der, entry)):
            raise Unavailable("The certificate could not be recorded, and is not given out.")

    async def _settle_failed(self, intent: _Intent, failure: Exception) -> None:
        details = {"detail": failure.detail if isinstance(failure, Failure) else type(failure).__name__}
        entry = Entry(Event.CERTIFICATE_FAILED, intent.grant.actor, intent.target, Outcome.FAILED, details)
        await self._log.record_failed(intent.prepared.serial, entry)


def _row(intent: _Intent, now: Instant) -> CertificateRecord:
    grant, prepared = intent.grant, intent.prepared
    contents = prepared.contents
    return CertificateRecord(
        serial=prepared.serial,
        issuer_id=prepared.issuer_id,
        state=CertificateState.INTENDED,
        profile=prepared.profile,
        provisioner_id=grant.provisioner_id or None,
        account_id=grant.account_id,
        session_id=grant.session_id,
        credential_generation=grant.credential_generation,
        subject_name=contents.common_name,
        names=contents.names,
        public_key_digest=hashlib.sha256(contents.public_key_der).digest(),
        not_before=contents.not_before,
        not_after=contents.not_after,
        tbs_digest=prepared.digest,
        der=None,
        intended_at=now,
        issued_at=None,
        renewed_from=grant.renewed_from,
        revoked_at=None,
        revocation_reason=None,
    )


def _details(intent: _Intent, profile_digest: str) -> dict[str, Any]:
    """What the audit row of an intent tells: what will be signed, for whom, and why that was allowed."""
    grant, contents = intent.grant, intent.prepared.contents
    details = {
        "provisioner": grant.provisioner_name,
        "common_name": contents.common_name,
        "names": [f"{name.type}:{name.value}" for name in contents.names],
        "not_before": contents.not_before,
        "not_after": contents.not_after,
        "profile": intent.profile.name,
        "profile_sha256": profile_digest,
        "to_be_signed_sha256": intent.prepared.digest.hex(),
        "reasons": intent.reasons,
    }
    if grant.renewed_from is not None:
        details["renewed_from"] = grant.renewed_from.hex()
    return details
