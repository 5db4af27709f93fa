"""Certificates of this authority that OAuth clients show: whose they are, and whether they are valid at this moment.

Looked up at every request, so that a revocation counts at once, on every node and on connections that were made before it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography import x509
from msgspec import Struct

from sealwright.ca import store
from sealwright.ca.certificate_lookup import CertificateLookup
from sealwright.ca.errors import CertificateRefused
from sealwright.ca.holder_status import ClientNameOf, StatusOf
from sealwright.ca.issuers import Issuers
from sealwright.ca.models import Name
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.ca.serials import SERIAL_BYTES, serial_text
from sealwright.clock import Clock, Instant, from_datetime, to_rfc3339
from sealwright.db import Database
from sealwright.errors import InvalidInput

_UNREADABLE = (ValueError, x509.InvalidVersion)
"""What the parser raises for bytes that are not a certificate: those that clients show are anyone's."""
RelativeNames = tuple[tuple[tuple[str, str], ...], ...]


class ClientCertificate(Struct, frozen=True):
    """A valid certificate of this authority."""

    serial: str
    subject: RelativeNames
    """The relative names of its subject from the root down, each with the OIDs and values of its attributes."""
    names: tuple[Name, ...]


class ClientCertificates:
    """Certificates that this authority issued, as clients show them."""

    def __init__(
        self, db: Database, issuers: Issuers, clock: Clock, *, status_of: StatusOf, client_name_of: ClientNameOf
    ) -> None:
        """`status_of`: whether an account may act; `client_name_of`: whether a client is there."""
        self._db = db
        self._lookup = CertificateLookup(db, issuers, clock)
        self._clock = clock
        self._status_of = status_of
        self._client_name_of = client_name_of

    async def authenticate(self, der: bytes) -> ClientCertificate:
        """What a certificate proves; raises CertificateRefused where it is not ours, or not valid.

        There is no allowance for clocks that differ: the one that dated the certificate is this server's, and a new certificate
        is dated a minute back.
        """
        own = await self._lookup.find(der)
        own.require_not_revoked()
        if own.expired:
            raise CertificateRefused(
                f"The certificate {serial_text(own.record.serial)} expired at {to_rfc3339(own.record.not_after)}.",
                kind="The certificate has expired.",
            )
        ended = await self._why_holder_may_not_act(own.record)
        if ended:
            raise CertificateRefused(
                f"The certificate {serial_text(own.record.serial)} is not valid: {ended}.", kind="Its holder may not act."
            )
        return ClientCertificate(serial_text(own.record.serial), _subject(der), own.record.names)

    async def why_ended(self, serial: str, thumbprint: bytes) -> str:
        """Why a certificate is no longer valid; empty where it is, and where this authority did not issue it.

        `thumbprint`: the SHA-256 of the certificate, so that another authority's of the same number is not taken for it.
        """
        try:
            record = await store.by_serial(self._db, bytes.fromhex(serial))
        except ValueError:
            return ""
        if record is None or record.der is None or hashlib.sha256(record.der).digest() != thumbprint:
            return ""
        if record.revoked_at is not None:
            return f"the certificate {serial} was revoked"
        if self._clock.now() >= record.not_after + 1_000:
            return f"the certificate {serial} has expired"
        return await self._why_holder_may_not_act(record)

    async def _why_holder_may_not_act(self, record: CertificateRecord) -> str:
        if record.state is not CertificateState.ISSUED:
            return ""
        if record.client_id is not None and await self._client_name_of(record.client_id) is None:
            return "its holder may not act: the client whose access token it was issued for is gone"
        if record.account_id is None:
            return ""
        status = await self._status_of(record.account_id)
        return "" if status.active else f"its holder may not act: {status.reason}"


@lru_cache(maxsize=1_024)
def serial_of(der: bytes) -> str:
    """The serial number that a certificate has, no matter who issued it; raises InvalidInput where it cannot be read."""
    try:
        number = x509.load_der_x509_certificate(der).serial_number
    except _UNREADABLE as cause:
        raise InvalidInput("The client certificate cannot be read.") from cause
    return serial_text(number.to_bytes(SERIAL_BYTES, "big")) if 0 <= number < 1 << (8 * SERIAL_BYTES) else ""


@lru_cache(maxsize=1_024)
def _subject(der: bytes) -> RelativeNames:
    name = x509.load_der_x509_certificate(der).subject
    return tuple(tuple((each.oid.dotted_string, str(each.value)) for each in relative) for relative in name.rdns)


def why_not_valid(der: bytes, now: Instant) -> str:
    """Why a certificate, of any authority, is not valid by its dates at `now`; empty where it is."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except _UNREADABLE:
        return "the certificate cannot be read"
    if now < from_datetime(certificate.not_valid_before_utc):
        return "the certificate is not valid yet"
    return "the certificate has expired" if now >= from_datetime(certificate.not_valid_after_utc) + 1_000 else ""
