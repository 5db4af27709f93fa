"""Find a certificate of this authority that was presented over TLS or in a token.

What counts is the store, which is asked each time: the certificate must lie there as issued, byte for byte. The signature of the
issuer and the usages are checked again all the same, so that neither the TLS layer nor the database is believed alone; what
follows from the bytes is remembered, for a program shows the same certificate at each request.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from msgspec import Struct

from sealwright.ca import store
from sealwright.ca.errors import CertificateRefused
from sealwright.ca.issuers import Issuers
from sealwright.ca.models import PublicKey
from sealwright.ca.public_keys import accept
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.ca.serials import SERIAL_BYTES, serial_text
from sealwright.ca.x509 import verify
from sealwright.clock import Clock, Instant, from_datetime, to_rfc3339
from sealwright.db import Database

_REMEMBERED = 1_024


class PresentedCertificate(Struct, frozen=True):
    """A certificate that this authority issued. Whether it is revoked or expired is still to be asked."""

    record: CertificateRecord
    public_key: PublicKey
    expired: bool

    def require_not_revoked(self) -> None:
        """Raise CertificateRefused when it was revoked."""
        if self.record.revoked_at is not None:
            raise CertificateRefused(
                f"The certificate {serial_text(self.record.serial)} was revoked at {to_rfc3339(self.record.revoked_at)}.",
                kind="The certificate was revoked.",
            )


class CertificateLookup:
    """Tells certificates of our own from others."""

    def __init__(self, db: Database, issuers: Issuers, clock: Clock) -> None:
        self._db = db
        self._issuers = issuers
        self._clock = clock
        self._signed_with: dict[bytes, PublicKey] = {}  # certificate → the key of its issuer

    async def find(self, der: bytes) -> PresentedCertificate:
        """The certificate that `der` is, valid now or expired; anything that is not ours raises CertificateRefused."""
        shown = _read(der)
        record = await store.by_serial(self._db, shown.serial)
        if record is None or record.state is not CertificateState.ISSUED or record.der != der:
            raise CertificateRefused("The certificate that was shown was not issued here.")
        if not shown.usable:
            raise CertificateRefused("The certificate that was shown may not be used to authenticate a client.")
        await self._check_signature(der, record)
        now = self._clock.now()
        if now < shown.not_before:
            raise CertificateRefused(
                f"The certificate {serial_text(shown.serial)} is not valid before {to_rfc3339(record.not_before)}.",
                kind="The certificate is not valid yet.",
            )
        return PresentedCertificate(record, shown.key, expired=now >= shown.not_after + 1000)

    async def _check_signature(self, der: bytes, record: CertificateRecord) -> None:
        issuer_key = await self._issuers.public_key_of(record.issuer_id)
        if self._signed_with.get(der) == issuer_key:
            return
        certificate = x509.load_der_x509_certificate(der)
        try:
            verify(issuer_key, certificate.signature, certificate.tbs_certificate_bytes)
        except InvalidSignature as cause:
            raise CertificateRefused("The certificate that was shown is not signed by the issuer that it names.") from cause
        if len(self._signed_with) >= _REMEMBERED:
            del self._signed_with[next(iter(self._signed_with))]
        self._signed_with[der] = issuer_key


class _Shown(Struct, frozen=True):
    """What the bytes of a certificate say."""

    serial: bytes
    key: PublicKey
    usable: bool
    """Whether it may authenticate a client."""
    not_before: Instant
    not_after: Instant


@lru_cache(maxsize=_REMEMBERED)
def _read(der: bytes) -> _Shown:
    try:
        certificate = x509.load_der_x509_certificate(der)
        return _Shown(
            serial=certificate.serial_number.to_bytes(SERIAL_BYTES, "big"),
            key=accept(certificate.public_key()),
            usable=_may_authenticate(certificate),
            not_before=from_datetime(certificate.not_valid_before_utc),
            not_after=from_datetime(certificate.not_valid_after_utc),
        )
    except (ValueError, TypeError, OverflowError, x509.InvalidVersion, x509.DuplicateExtension) as cause:
        raise CertificateRefused("The certificate that was shown cannot be read.") from cause


def _may_authenticate(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature and x509.OID_CLIENT_AUTH in extended
