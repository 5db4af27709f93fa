"""What the certificates of one issuer, profile, kind of key and provisioner have in common, byte for byte.

A frame is taken from a certificate that passed every rule. Of the next certificate only what lies in the gaps of the frame
has to be judged again; whatever does not fit into the frame is no matter of this file, but of the full examination.
"""

from __future__ import annotations

from msgspec import Struct

from sealwright.ca import der
from sealwright.ca.models import KeyKind
from sealwright.ca.tbs_parser import Particulars, common_name_in, key_kind_of, names_in, times_in

_SERIAL_LENGTH = 20
_IDENTIFIER_LENGTH = 20
_EXTENSIONS = 0xA3
_INNER_START = bytes((der.OCTET_STRING, _IDENTIFIER_LENGTH))
_IDENTIFIER = bytes.fromhex("301d 0603551d0e 0416") + _INNER_START
"""The extension of the key identifier, up to the identifier itself."""
_NAMES = der.oid("2.5.29.17")
_GAP_TAGS = (der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, _EXTENSIONS, der.SEQUENCE, der.SEQUENCE, der.OCTET_STRING)


class Frame(Struct, frozen=True):
    """The bytes between the particulars, in their order."""

    before_serial: bytes
    """Version, and the tag and length of a serial number of 20 bytes."""
    after_serial: bytes
    """Signature algorithm and issuer."""
    key_kind: KeyKind | None
    nameless: bool
    """Whether the subject is empty."""
    before_identifier: bytes
    """The extensions before the subject key identifier, and that extension but for its last 20 bytes."""
    before_names: bytes
    """The extensions between the subject key identifier and the names."""
    names_start: bytes
    """What the extension of the names begins with: its OID, and whether it is critical."""
    after_names: bytes
    """The extensions after the names."""

    def particulars(self, data: bytes) -> Particulars:
        """What stands in the gaps. Bytes that differ from the frame in more than that raise ValueError."""
        _, _, start, end = der.whole(data, der.SEQUENCE)
        serial = start + len(self.before_serial)
        validity = der.part(data, serial + _SERIAL_LENGTH + len(self.after_serial), end)
        subject = der.part(data, validity[3], end)
        key = der.part(data, subject[3], end)
        outside = der.part(data, key[3], end)
        inside = der.part(data, outside[2], outside[3])
        identifier = inside[2] + len(self.before_identifier)
        before_names = identifier + _IDENTIFIER_LENGTH
        names = der.part(data, before_names + len(self.before_names), inside[3])
        value = der.part(data, names[2] + len(self.names_start), names[3])
        public_key = data[key[1] : key[3]]
        if not (
            data.startswith(self.before_serial, start)
            and data.startswith(self.after_serial, serial + _SERIAL_LENGTH)
            and (validity[0], subject[0], key[0], outside[0], inside[0], names[0], value[0]) == _GAP_TAGS
            and (outside[3], inside[3], value[3]) == (end, end, names[3])
            and (subject[2] == subject[3]) is self.nameless
            and key_kind_of(public_key) is self.key_kind
            and data.startswith(self.before_identifier, inside[2])
            and data.startswith(self.before_names, before_names)
            and data.startswith(self.names_start, names[2])
            and data[names[3] :] == self.after_names
        ):
            raise ValueError("the certificate does not fit into the frame")
        not_before, not_after = times_in(data[validity[1] : validity[3]])
        return Particulars(
            int.from_bytes(data[serial : serial + _SERIAL_LENGTH], "big", signed=True),
            not_before,
            not_after,
            common_name_in(data[subject[1] : subject[3]]),
            public_key,
            data[identifier - len(_INNER_START) : before_names],
            names_in(data[value[2] : value[3]]),
            len(data),
        )


def frame_of(data: bytes) -> Frame:
    """The frame of a certificate; one that is laid out in another way than ours raises ValueError."""
    version, serial, algorithm, issuer, _, subject, key, outside = der.parts_of(data)
    if serial[3] - serial[2] != _SERIAL_LENGTH:
        raise ValueError("the serial number has another length")
    (inside,) = der.parts(data, outside[2], outside[3])
    extensions = der.parts(data, inside[2], inside[3])
    (identifier,) = (one for one in extensions if data.startswith(_IDENTIFIER, one[1]))
    (names,) = (one for one in extensions if data.startswith(_NAMES, one[2]))
    if not identifier[3] <= names[1]:
        raise ValueError("the names come before the key identifier")
    value = der.parts(data, names[2], names[3])[-1]
    return Frame(
        before_serial=data[version[1] : serial[2]],
        after_serial=data[algorithm[1] : issuer[3]],
        key_kind=key_kind_of(data[key[1] : key[3]]),
        nameless=subject[2] == subject[3],
        before_identifier=data[inside[2] : identifier[1] + len(_IDENTIFIER)],
        before_names=data[identifier[3] : names[1]],
        names_start=data[names[2] : value[1]],
        after_names=data[names[3] : inside[3]],
    )
