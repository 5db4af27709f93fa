"""Which certificates someone looks for, by what there is no index of. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.clock import Instant, after

_ALWAYS = (Instant(0), Instant(253_402_300_799_999))


class FilterState(StrEnum):
    """What became of a certificate."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNSIGNED = "unsigned"
    """Intended, and not known to be signed."""


class CertificateFilter(Struct, frozen=True):
    """What has to hold; empty or None asks for nothing."""

    issuer_id: str = ""
    provisioner_id: str = ""
    state: FilterState | None = None
    ends_within: timedelta | None = None
    """It is valid now, and ends within this time."""
    text: str = ""
    """A part of one of its names, in lower case."""

    def fits(self, record: CertificateRecord, now: Instant) -> bool:
        """Whether a certificate is one of those."""
        first, last = self.ends(now)
        called = (record.subject_name, *(each.value for each in record.names))
        return (
            self.issuer_id in ("", record.issuer_id)
            and self.provisioner_id in ("", record.provisioner_id)
            and self.state in (None, _state_of(record, now))
            and first < record.not_after <= last
            and (not self.text or any(self.text in each.casefold() for each in called))
        )

    def ends(self, now: Instant) -> tuple[Instant, Instant]:
        """After when and until when it ends."""
        return _ALWAYS if self.ends_within is None else (now, after(now, self.ends_within))


def _state_of(record: CertificateRecord, now: Instant) -> FilterState:
    if record.revoked_at is not None:
        return FilterState.REVOKED
    if record.state is not CertificateState.ISSUED:
        return FilterState.UNSIGNED
    return FilterState.VALID if now < record.not_after else FilterState.EXPIRED
