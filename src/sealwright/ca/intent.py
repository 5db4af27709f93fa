"""One issuance on its way: everything is fixed but the signature. What is recorded of it before the key is used."""

from __future__ import annotations

import hashlib
from typing import Any

from msgspec import Struct

from sealwright.access import Scope, ScopeKind
from sealwright.audit import Entry, Event
from sealwright.ca.issuance_log import IntentEntry
from sealwright.ca.models import CertificateRequest, Issuer, LocalAccessToken, PreparedCertificate, Profile, SigningGrant
from sealwright.ca.profiles import SERVER, KnownProfile
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.clock import Instant


class Intent(Struct, frozen=True):
    """What was decided and prepared."""

    grant: SigningGrant
    request: CertificateRequest
    reasons: tuple[str, ...]
    known: KnownProfile
    issuer: Issuer
    prepared: PreparedCertificate
    approval_id: str | None = None
    """The request by whose approval it is issued."""

    @property
    def profile(self) -> Profile:
        """The profile that was decided by."""
        return self.known.profile

    @property
    def target(self) -> str:
        """What the audit record calls it."""
        return f"certificate:{self.prepared.serial.hex()}"

    @property
    def guarded_by(self) -> tuple[str, ...]:
        """What may ask for approval of it. The server's own certificate waits for no one: without it nothing can be approved."""
        if self.grant.for_this_server and self.profile.name == SERVER.name:
            return ()
        return str(Scope(ScopeKind.PROFILE, self.profile.name)), str(Scope(ScopeKind.ISSUER, self.issuer.id))

    def entry(self, now: Instant) -> IntentEntry:
        """What is recorded before the key is used."""
        entry = Entry(Event.CERTIFICATE_INTENDED, self.grant.actor, self.target, details=self._details())
        return IntentEntry(self._record(now), self.grant.token_use, entry, self.guarded_by, self.known.revision)

    def _record(self, now: Instant) -> CertificateRecord:
        grant, prepared = self.grant, self.prepared
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
            approval_id=self.approval_id,
            client_id=grant.client_id,
        )

    def _details(self) -> dict[str, Any]:
        """What the audit row tells: what will be signed, for whom, and why that was allowed."""
        grant, contents = self.grant, self.prepared.contents
        details: dict[str, Any] = {
            "provisioner": grant.provisioner_name,
            "common_name": contents.common_name,
            "names": [f"{name.type}:{name.value}" for name in contents.names],
            "not_before": contents.not_before,
            "not_after": contents.not_after,
            "profile": self.profile.name,
            "profile_sha256": self.known.digest,
            "to_be_signed_sha256": self.prepared.digest.hex(),
            "reasons": self.reasons,
        }
        if isinstance(grant.local_token, LocalAccessToken):
            token = grant.local_token
            details |= {"client": token.client_name, "family": token.family_id, "access_token": token.token_id}
        if grant.renewed_from is not None:
            details["renewed_from"] = grant.renewed_from.hex()
        if self.approval_id is not None:
            details["approval"] = self.approval_id
        return details
