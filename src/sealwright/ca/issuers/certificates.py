"""Certificates of the authorities themselves (RFC 5280, section 4.2.1.9): to be signed by themselves or by their parent."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509 as pyca
from msgspec import Struct

from sealwright.ca import der
from sealwright.ca.errors import IssuerUnusable
from sealwright.ca.models import PublicKey
from sealwright.ca.public_keys import encoded
from sealwright.ca.x509 import encode_time, extension, key_identifier, signature_algorithm
from sealwright.clock import Instant, before, from_datetime, to_datetime

BACKDATE = timedelta(minutes=1)
"""So that machines with slow clocks accept a new authority, too."""
_ONE_SECOND = timedelta(seconds=1)

_ORGANIZATION = der.oid("2.5.4.10")
_COMMON_NAME = der.oid("2.5.4.3")
_SIGNS_CERTIFICATES_AND_CRLS = b"\x03\x02\x01\x06"


class AuthorityContents(Struct, frozen=True):
    """What the certificate of an authority says."""

    subject: bytes
    """DER of its Name."""
    public_key: PublicKey
    path_length: int
    """How many authorities may follow before the leaf."""
    not_before: Instant
    not_after: Instant


def subject_of(organization: str, common_name: str) -> bytes:
    """DER of a Name with an organization and a common name."""
    relative = (
        der.wrap(der.SET, der.sequence(kind, der.wrap(der.UTF8_STRING, text.encode())))
        for kind, text in ((_ORGANIZATION, organization), (_COMMON_NAME, common_name))
    )
    return der.sequence(*relative)


def validity(now: Instant, years: int, *, at_most: Instant | None = None) -> tuple[Instant, Instant]:
    """From a minute ago to the same day `years` on, or to `at_most` where that is earlier."""
    present = Instant(now // 1000 * 1000)
    today = to_datetime(present)
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    end = before(from_datetime(today.replace(year=today.year + years, day=day)), _ONE_SECOND)
    return before(present, BACKDATE), end if at_most is None else min(end, at_most)


def authority_to_be_signed(serial: bytes, authority: AuthorityContents, *, signer: PublicKey, issuer_subject: bytes) -> bytes:
    """DER of the TBSCertificate. A self-signed one has no authority key identifier."""
    public_key_der = encoded(authority.public_key)
    extensions = [
        extension("2.5.29.15", _SIGNS_CERTIFICATES_AND_CRLS, critical=True),
        extension("2.5.29.19", der.sequence(der.BOOLEAN_TRUE, der.integer(authority.path_length)), critical=True),
        extension("2.5.29.14", der.wrap(der.OCTET_STRING, key_identifier(public_key_der))),
    ]
    if issuer_subject != authority.subject:
        extensions.append(extension("2.5.29.35", der.sequence(der.wrap(0x80, key_identifier(encoded(signer))))))
    return der.sequence(
        der.wrap(0xA0, der.integer(2)),
        der.wrap(der.INTEGER, serial),
        signature_algorithm(signer),
        issuer_subject,
        der.sequence(encode_time(authority.not_before), encode_time(authority.not_after)),
        authority.subject,
        public_key_der,
        der.wrap(0xA3, der.sequence(*extensions)),
    )


def signed_certificate(to_be_signed: bytes, signer: PublicKey, signature: bytes) -> bytes:
    """DER of the certificate."""
    return der.sequence(to_be_signed, signature_algorithm(signer), der.wrap(der.BIT_STRING, b"\x00" + signature))


class ReadAuthority(Struct, frozen=True):
    """What an authority's certificate says, read back."""

    subject: bytes
    key_identifier: bytes
    not_before: Instant
    not_after: Instant


def read_authority(name: str, certificate_der: bytes, public_key: PublicKey) -> ReadAuthority:
    """Read an authority's certificate; raises IssuerUnusable unless it is for `public_key` and may sign certificates."""
    try:
        certificate = pyca.load_der_x509_certificate(certificate_der)
        same_key = certificate.public_key() == public_key
        constraints = certificate.extensions.get_extension_for_class(pyca.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(pyca.KeyUsage).value
        identifier = certificate.extensions.get_extension_for_class(pyca.SubjectKeyIdentifier).value.digest
    except (ValueError, TypeError, pyca.InvalidVersion, pyca.ExtensionNotFound, pyca.DuplicateExtension) as cause:
        raise IssuerUnusable(f"The certificate of {name} cannot be read, or lacks what an authority must have.") from cause
    if not same_key:
        raise IssuerUnusable(f"The certificate of {name} is for another key than the one that is kept for it.")
    if not constraints.ca or not usage.key_cert_sign:
        raise IssuerUnusable(f"The certificate of {name} does not allow it to sign certificates.")
    not_before = from_datetime(certificate.not_valid_before_utc)
    not_after = from_datetime(certificate.not_valid_after_utc)
    return ReadAuthority(certificate.subject.public_bytes(), identifier, not_before, not_after)
