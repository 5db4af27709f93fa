"""A to-be-signed leaf certificate, read back from its bytes.

The reader is the DER decoder of pyca/cryptography, which is told the shape of a TBSCertificate (RFC 5280, section 4.1) and
refuses everything else. It shares no code with the template that wrote the bytes, so that a mistake in writing is not
repeated in reading.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

import msgspec
from cryptography.hazmat import asn1
from cryptography.x509 import OID_COMMON_NAME, ObjectIdentifier

from sealwright.ca import der
from sealwright.ca.models import KeyKind, Name, NameType
from sealwright.ca.public_keys import PLAIN_FORMS
from sealwright.clock import Instant, from_datetime

NAMES = ObjectIdentifier("2.5.29.17")
SUBJECT_KEY = ObjectIdentifier("2.5.29.14")

_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME = (bytes((tag,)) for tag in (der.SEQUENCE, der.UTC_TIME, der.GENERALIZED_TIME))
_UTC_LENGTH = len("YYMMDDHHMMSSZ")
_GENERALIZED_LENGTH = len("YYYYMMDDHHMMSSZ")
_CENTURY_TURN = b"50"
_EMPTY_NAME = der.sequence()
_NAME_TYPES = {b"\x81": NameType.EMAIL, b"\x82": NameType.DNS, b"\x86": NameType.URI, b"\x87": NameType.IP}
_ADDRESS_LENGTHS = (4, 16)
_RSA = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL)
_PLAIN_KINDS = tuple(
    (start, length, KeyKind.ED25519 if name == "ed25519" else KeyKind.EC) for name, (start, length) in PLAIN_FORMS.items()
)


# --- the shape, as the decoder is told -------------------------------------------------------------------------------


@asn1.sequence
class Extension:
    """One extension. One that says in so many words that it is not critical is not DER."""

    oid: ObjectIdentifier
    critical: Annotated[bool, asn1.Default(value=False)]
    value: bytes


@asn1.sequence
class _TbsCertificate:
    version: Annotated[int, asn1.Explicit(0)]
    serial: int
    algorithm: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    public_key: asn1.TLV
    issuer_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[Extension], asn1.Explicit(3)]


@asn1.sequence
class _Validity:
    not_before: asn1.TLV
    not_after: asn1.TLV


@asn1.sequence
class _Attribute:
    kind: ObjectIdentifier
    value: str


@asn1.sequence
class _Subject:
    """With one set of attributes."""

    attributes: asn1.SetOf[_Attribute]


@asn1.sequence
class _AroundNames:
    """The decoder begins with known fields; a SEQUENCE of any length can only be one of them."""

    names: list[asn1.TLV]


# --- what comes out --------------------------------------------------------------------------------------------------


class Time(msgspec.Struct, frozen=True):
    """A moment, and how it was written."""

    instant: Instant
    generalized: bool
    """As GeneralizedTime; else as UTCTime."""


class Particulars(msgspec.Struct):
    """What differs from one certificate of a profile to the next."""

    serial: int
    not_before: Time
    not_after: Time
    common_name: str | None
    """Of a subject that has nothing else, as UTF8String; empty for the empty subject, None for any other."""
    public_key: bytes
    """SubjectPublicKeyInfo."""
    key_identifier: bytes | None
    """The value of that extension; None where there is none."""
    names: tuple[Name, ...] | None
    """None where one is of a kind that is never issued, or cannot be read; empty where there are none."""
    size: int
    """Bytes of the whole."""


class Reading(msgspec.Struct):
    """All fields of a TBSCertificate, decoded as far as the rules look into them."""

    particulars: Particulars
    version: int
    """As it is encoded: 2 for version 3."""
    algorithm: bytes
    """AlgorithmIdentifier."""
    issuer: bytes
    """Name."""
    key_kind: KeyKind | None
    """None for a key that is not certified here, or not written as usual."""
    unique_ids: bool
    extensions: dict[ObjectIdentifier, Extension]
    """Of one that is there twice, the last."""
    repeated: bool
    """Whether an extension is there twice."""

    def value(self, oid: ObjectIdentifier) -> bytes | None:
        """The value of an extension."""
        found = self.extensions.get(oid)
        return None if found is None else found.value

    def critical(self, oid: ObjectIdentifier) -> bool:
        """Whether there is a critical extension of this kind."""
        found = self.extensions.get(oid)
        return found is not None and found.critical


def read(to_be_signed: bytes) -> Reading:
    """Take a TBSCertificate apart; anything that is not strict DER of that shape raises ValueError."""
    fields = asn1.decode_der(_TbsCertificate, to_be_signed)
    algorithm, issuer, validity, subject, public_key = (
        _sequence(one) for one in (fields.algorithm, fields.issuer, fields.validity, fields.subject, fields.public_key)
    )
    not_before, not_after = times_in(validity)
    extensions = {extension.oid: extension for extension in fields.extensions}
    names, identifier = extensions.get(NAMES), extensions.get(SUBJECT_KEY)
    return Reading(
        particulars=Particulars(
            serial=fields.serial,
            not_before=not_before,
            not_after=not_after,
            common_name=common_name_in(subject),
            public_key=public_key,
            key_identifier=None if identifier is None else identifier.value,
            names=() if names is None else names_in(names.value),
            size=len(to_be_signed),
        ),
        version=fields.version,
        algorithm=algorithm,
        issuer=issuer,
        key_kind=key_kind_of(public_key),
        unique_ids=fields.issuer_unique_id is not None or fields.subject_unique_id is not None,
        extensions=extensions,
        repeated=len(extensions) != len(fields.extensions),
    )


# --- single fields ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def times_in(validity: bytes) -> tuple[Time, Time]:
    """Beginning and end, from a Validity."""
    times = asn1.decode_der(_Validity, validity)
    return _time(times.not_before), _time(times.not_after)


@lru_cache(maxsize=256)
def common_name_in(subject: bytes) -> str | None:
    """The common name, from a Name; empty or None as in `Particulars`."""
    if subject == _EMPTY_NAME:
        return ""
    try:
        attributes = asn1.decode_der(_Subject, subject).attributes.as_list()
    except ValueError:
        return None
    return attributes[0].value if len(attributes) == 1 and attributes[0].kind == OID_COMMON_NAME else None


def names_in(value: bytes) -> tuple[Name, ...] | None:
    """The names, from a value of subject alternative names; None as in `Particulars`."""
    written = asn1.decode_der(_AroundNames, der.wrap(der.SEQUENCE, value)).names
    names = tuple([name for one in written if (name := _name(one.tag_bytes, bytes(one.data)))])
    return names if len(names) == len(written) else None


def key_kind_of(public_key: bytes) -> KeyKind | None:
    """The kind of a SubjectPublicKeyInfo by its first bytes; None for anything that is not certified here."""
    for start, length, kind in _PLAIN_KINDS:
        if len(public_key) == length and public_key.startswith(start):
            return kind
    try:
        algorithm, _ = der.parts_of(public_key)
    except ValueError:
        return None
    return KeyKind.RSA if public_key[algorithm[1] : algorithm[3]] == _RSA else None


def _sequence(written: asn1.TLV) -> bytes:
    """The bytes of a field that must be a SEQUENCE."""
    if written.tag_bytes != _SEQUENCE:
        raise der.DerError("a field is of another type")
    return der.wrap(der.SEQUENCE, bytes(written.data))


def _time(written: asn1.TLV) -> Time:
    text = bytes(written.data)
    generalized = written.tag_bytes == _GENERALIZED_TIME
    if written.tag_bytes == _UTC_TIME and len(text) == _UTC_LENGTH:
        text = (b"19" if text[:2] >= _CENTURY_TURN else b"20") + text
    elif not generalized:
        raise der.DerError("a time of another type, or not in the form YYMMDDHHMMSSZ")
    if len(text) != _GENERALIZED_LENGTH or text[-1:] != b"Z" or not text[:-1].isdigit():
        raise der.DerError("a time in another form than YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ")
    try:
        moment = datetime.strptime(text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as cause:
        raise der.DerError("a time that does not exist") from cause
    return Time(from_datetime(moment), generalized)


@lru_cache(maxsize=1024)
def _name(tag: bytes, value: bytes) -> Name | None:
    kind = _NAME_TYPES.get(tag)
    if kind is None:
        return None
    if kind is NameType.IP:
        return Name(kind, str(ipaddress.ip_address(value))) if len(value) in _ADDRESS_LENGTHS else None
    return Name(kind, value.decode("ascii")) if value.isascii() else None
