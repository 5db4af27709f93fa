"""A to-be-signed leaf certificate, read back from its octets; independent of the template that wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from sealwright.ca import der
from sealwright.ca.models import KeyKind
from sealwright.ca.public_keys import PLAIN_FORMS
from sealwright.clock import Instant

_FIELDS = 8
_TAGS = (0xA0, der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE)
_EXTENSION = (der.SEQUENCE, der.OBJECT_IDENTIFIER, der.OCTET_STRING)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = {der.UTC_TIME: ("%y%m%d%H%M%SZ", 13), der.GENERALIZED_TIME: ("%Y%m%d%H%M%SZ", 15)}
_CENTURY_TURN = 50
_RSA = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL)


@dataclass(slots=True)
class Reading:
    """The fields of a TBSCertificate as octets, and the few that are looked at more closely."""

    version: bytes
    serial: bytes
    """Contents of the INTEGER."""
    algorithm: bytes
    issuer: bytes
    not_before: Time
    not_after: Time
    subject: bytes
    public_key: bytes
    trailing: tuple[int, ...]
    """Tags of the optional fields: unique identifiers, extensions."""
    oids: tuple[bytes, ...]
    """Of the extensions, encoded, in their order."""
    extensions: dict[bytes, tuple[bool, bytes]]
    """Encoded OID → whether critical, and value; of one that is there twice, the last."""
    size: int

    def value(self, encoded_oid: bytes) -> bytes | None:
        """The value of an extension."""
        found = self.extensions.get(encoded_oid)
        return None if found is None else found[1]

    def critical(self, encoded_oid: bytes) -> bool:
        """Whether there is a critical extension of this kind."""
        found = self.extensions.get(encoded_oid)
        return found is not None and found[0]


@dataclass(frozen=True, slots=True)
class Time:
    """A moment, and the tag it was written with."""

    tag: int
    instant: Instant


def read(to_be_signed: bytes) -> Reading:
    """Take a TBSCertificate apart; anything that is not strict DER of that shape raises DerError."""
    fields = der.parts_of(to_be_signed)
    if len(fields) < _FIELDS:
        raise der.DerError("fields are missing")
    if tuple(part[0] for part in fields[: _FIELDS - 1]) != _TAGS:
        raise der.DerError("a field is of another type")
    version, serial, algorithm, issuer, validity, subject, public_key, *trailing = fields
    times = der.parts(to_be_signed, validity[2], validity[3])
    if len(times) != 2:  # noqa: PLR2004 - begin and end
        raise der.DerError("the validity has not two times")
    oids, extensions = _extensions(to_be_signed, trailing[-1])
    return Reading(
        version=to_be_signed[version[1] : version[3]],
        serial=to_be_signed[serial[2] : serial[3]],
        algorithm=to_be_signed[algorithm[1] : algorithm[3]],
        issuer=to_be_signed[issuer[1] : issuer[3]],
        not_before=_time(to_be_signed, times[0]),
        not_after=_time(to_be_signed, times[1]),
        subject=to_be_signed[subject[1] : subject[3]],
        public_key=to_be_signed[public_key[1] : public_key[3]],
        trailing=tuple(part[0] for part in trailing),
        oids=oids,
        extensions=extensions,
        size=len(to_be_signed),
    )


def _time(octets: bytes, part: der.Part) -> Time:
    tag, _, start, end = part
    return Time(tag, _instant(tag, octets[start:end]))


@lru_cache(maxsize=4096)
def _instant(tag: int, text: bytes) -> Instant:
    form, length = _TIMES.get(tag, ("", 0))
    if len(text) != length or not text[:-1].isdigit():
        raise der.DerError("a time in another form than YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ")
    full = text.decode()
    if tag == der.UTC_TIME:
        full = f"{'19' if int(full[:2]) >= _CENTURY_TURN else '20'}{full}"
        form = _TIMES[der.GENERALIZED_TIME][0]
    try:
        moment = datetime.strptime(full, form).replace(tzinfo=UTC)
    except ValueError as cause:
        raise der.DerError("a time that does not exist") from cause
    return Instant(int((moment - _EPOCH).total_seconds()) * 1000)


def _extensions(octets: bytes, part: der.Part) -> tuple[tuple[bytes, ...], dict[bytes, tuple[bool, bytes]]]:
    tag, _, start, end = part
    if tag != 0xA3:  # noqa: PLR2004 - the tag of extensions
        raise der.DerError("there are no extensions")
    (inner,) = der.parts(octets, start, end)
    if inner[0] != der.SEQUENCE:
        raise der.DerError("the extensions are no SEQUENCE")
    oids = []
    found = {}
    for kind, _, from_here, to_there in der.parts(octets, inner[2], inner[3]):
        members = der.parts(octets, from_here, to_there)
        oid, *critical, value = members
        encoded = octets[critical[0][1] : critical[0][3]] if critical else der.BOOLEAN_TRUE
        if (kind, oid[0], value[0]) != _EXTENSION or len(members) not in (2, 3) or encoded != der.BOOLEAN_TRUE:
            raise der.DerError("an extension has other members, or says that it is not critical")
        oids.append(octets[oid[1] : oid[3]])
        found[oids[-1]] = (bool(critical), octets[value[2] : value[3]])
    return tuple(oids), found


def key_kind_of(public_key: bytes) -> KeyKind | None:
    """The kind of a SubjectPublicKeyInfo by its first octets; None for anything that is not certified here."""
    for name, (start, length) in PLAIN_FORMS.items():
        if len(public_key) == length and public_key.startswith(start):
            return KeyKind.ED25519 if name == "ed25519" else KeyKind.EC
    try:
        algorithm, _ = der.parts_of(public_key)
    except ValueError:
        return None
    return KeyKind.RSA if public_key[algorithm[1] : algorithm[3]] == _RSA else None


def common_name_of(subject: bytes) -> str | None:
    """The common name of a subject that has nothing else, as UTF8String; empty for the empty subject, None for any other."""
    relative = der.parts_of(subject)
    if not relative:
        return ""
    if len(relative) != 1 or relative[0][0] != der.SET:
        return None
    attributes = der.parts(subject, relative[0][2], relative[0][3])
    if len(attributes) != 1:
        return None
    kind, value = der.parts(subject, attributes[0][2], attributes[0][3])
    if attributes[0][0] != der.SEQUENCE or subject[kind[1] : kind[3]] != COMMON_NAME or value[0] != der.UTF8_STRING:
        return None
    return subject[value[2] : value[3]].decode()


COMMON_NAME = der.oid("2.5.4.3")
