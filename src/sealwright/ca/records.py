"""What the store remembers of a certificate."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from sealwright.access import Scope, ScopeKind
from sealwright.ca.models import Name, NameType
from sealwright.clock import Instant


class CertificateState(StrEnum):
    """How far an issuance has come."""

    INTENDED = "intended"
    """Decided and recorded; the issuer's key may be used at any moment."""
    ISSUED = "issued"
    """Signed, and stored as the client got it."""
    FAILED = "failed"
    """The key was not used, or what it made was thrown away by the process that made it."""
    MAYBE_SIGNED = "maybe_signed"
    """The process died between intent and result. No one can say whether a signature exists; it can be revoked."""


class CertificateRecord(msgspec.Struct, frozen=True):
    """One row of the inventory."""

    serial: bytes
    issuer_id: str
    state: CertificateState
    profile: str
    provisioner_id: str | None
    account_id: str | None
    session_id: str | None
    credential_generation: int | None
    """Of the account, when it was issued."""
    subject_name: str
    """The common name, or empty."""
    names: tuple[Name, ...]
    public_key_digest: bytes
    not_before: Instant
    not_after: Instant
    tbs_digest: bytes
    """SHA-256 of what was to be signed."""
    der: bytes | None
    """The certificate; None until it is signed."""
    intended_at: Instant
    issued_at: Instant | None
    renewed_from: bytes | None
    """Serial of the certificate that this one follows."""
    revoked_at: Instant | None
    revocation_reason: int | None
    """RFC 5280, section 5.3.1."""
    approval_id: str | None = None
    """The request by whose approval it, or the certificate that it was renewed from, was issued."""
    client_id: str | None = None
    """Of the row of the client whose access token it, or the certificate that it was renewed from, was issued for."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes of grants that it belongs to."""
        found = (Scope(ScopeKind.ISSUER, self.issuer_id), Scope(ScopeKind.PROFILE, self.profile))
        return found if self.provisioner_id is None else (*found, Scope(ScopeKind.PROVISIONER, self.provisioner_id))

    @property
    def holder_name(self) -> str:
        """A name for its holder: the mail address, which issuing uses too, else the common name."""
        return next((name.value for name in self.names if name.type is NameType.EMAIL), self.subject_name)
