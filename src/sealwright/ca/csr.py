"""Certificate signing requests (PKCS #10, RFC 2986): a public key with proof of possession, and the names it asks for."""

from __future__ import annotations

import hashlib
import ipaddress
from functools import lru_cache
from typing import NamedTuple, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from sealwright import pem
from sealwright.ca import der, public_keys
from sealwright.ca.errors import CsrRefused
from sealwright.ca.models import CertificateRequest, KeyKind, Name, NameType, PublicKey
from sealwright.confusables import shown

LONGEST = 64 * 1024
"""Bytes of a request, as text or DER."""
MOST_NAMES = 1000
"""Names that are looked at, to say how many there are; a certificate may have far fewer."""

_LABELS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_HASHES = {"sha256": ECDSA(SHA256()), "sha384": ECDSA(SHA384()), "sha512": ECDSA(SHA512())}
_COMMON_NAME = der.oid("2.5.4.3")
_MAIL_ADDRESS = der.oid("1.2.840.113549.1.9.1")
_EXTENSION_REQUEST = der.oid("1.2.840.113549.1.9.14")
_ALTERNATIVE_NAMES = der.oid("2.5.29.17")
_TEXT_TAGS = {0x81: NameType.EMAIL, 0x82: NameType.DNS, 0x86: NameType.URI}
_ADDRESS_TAG = 0x87
_ADDRESS_LENGTHS = frozenset({4, 16})
_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
_NAME_TYPES: dict[type, NameType] = {
    x509.DNSName: NameType.DNS,
    x509.RFC822Name: NameType.EMAIL,
    x509.UniformResourceIdentifier: NameType.URI,
    x509.IPAddress: NameType.IP,
}


def parse(given: str | bytes) -> CertificateRequest:
    """Read a request in PEM (its first block) or DER, check its key and its signature.

    What cannot be read raises CsrRefused, an unacceptable key PublicKeyRefused. The names are as written.
    """
    encoded = to_der(given)
    try:
        request = x509.load_der_x509_csr(encoded)
        fields = _fields(encoded, request)
        key = request.public_key()
    except UnsupportedAlgorithm as cause:
        raise CsrRefused(f"The request holds a key of an unknown kind; accepted are {public_keys.ACCEPTED}.") from cause
    except (ValueError, TypeError, x509.InvalidVersion) as cause:
        raise CsrRefused("The certificate signing request cannot be read: it is damaged, or not PKCS #10.") from cause
    accepted = public_keys.accept(key)
    kind = public_keys.kind_of(accepted)
    _require_possession(request, accepted, kind, fields)
    names, others = _names(request, encoded, fields.attributes)
    return CertificateRequest(
        public_key=accepted,
        key_kind=kind,
        public_key_der=public_keys.usual_form(accepted, fields.public_key),
        common_name=fields.common_name,
        names=names,
        subject_mails=fields.subject_mails,
        other_names=others,
        digest=hashlib.sha256(encoded).digest(),
    )


def to_der(given: str | bytes) -> bytes:
    """The DER of a request in PEM or DER, by size and armour only."""
    if len(given) > LONGEST:
        raise CsrRefused(f"The certificate signing request is longer than {LONGEST} bytes.")
    try:
        data = given.encode("ascii") if isinstance(given, str) else given
    except UnicodeEncodeError as cause:
        raise CsrRefused("The certificate signing request is not PEM: it holds characters other than ASCII.") from cause
    if data[:1] == b"\x30":
        return data
    block = next(pem.blocks(data), None)
    if block is None:
        raise CsrRefused("There is no PEM block in the certificate signing request.")
    if block.label not in _LABELS or block.end_label != block.label:
        hint = "Keep private keys to yourself, and make a new one." if "PRIVATE" in block.label else ""
        raise CsrRefused(f"The first PEM block is {block.label}, where CERTIFICATE REQUEST is needed.", hint=hint)
    try:
        return block.der()
    except pem.NotBase64 as cause:
        raise CsrRefused("The PEM block of the certificate signing request is not base64.") from cause


class _Fields(NamedTuple):
    common_name: str
    subject_mails: tuple[Name, ...]
    public_key: bytes
    attributes: der.Part
    signed: bytes
    signature: bytes


def _fields(encoded: bytes, request: x509.CertificateSigningRequest) -> _Fields:
    """Parts of a request as bytes of their own; cut out, because the library would encode them anew."""
    _, _, start, end = der.whole(encoded, der.SEQUENCE)
    body = der.part(encoded, start, end)
    _, subject, public_key, attributes = der.parts(encoded, body[2], body[3])
    common_name, subject_mails = _subject(encoded, subject)
    return _Fields(
        common_name=common_name,
        subject_mails=subject_mails,
        public_key=encoded[public_key[1] : public_key[3]],
        attributes=attributes,
        signed=encoded[body[1] : body[3]],
        signature=request.signature,
    )


def _subject(encoded: bytes, subject: der.Part) -> tuple[str, tuple[Name, ...]]:
    """The common name, and the mail addresses that stand beside it (emailAddress of RFC 2985, which openssl asks for)."""
    start, end = subject[2], subject[3]
    before = _before_common_name(end - start)
    if before is not None and encoded.startswith(before, start):
        tag, _, inside, stop = der.part(encoded, start + len(before), end)
        if stop == end:
            return _text(encoded, tag, inside, end), ()
    found: dict[bytes, list[str]] = {_COMMON_NAME: [], _MAIL_ADDRESS: []}
    for _, _, start, end in der.parts(encoded, subject[2], subject[3]):
        for attribute in der.parts(encoded, start, end):
            kind, value = der.parts(encoded, attribute[2], attribute[3])
            texts = found.get(encoded[kind[1] : kind[3]])
            if texts is not None:
                texts.append(_text(encoded, value[0], value[2], value[3]))
    common_names = found[_COMMON_NAME]
    if len(common_names) > 1:
        raise CsrRefused(f"The certificate signing request has {len(common_names)} common names; one is allowed.")
    return "".join(common_names), tuple(Name(NameType.EMAIL, text) for text in found[_MAIL_ADDRESS] if text)


def _text(encoded: bytes, tag: int, start: int, end: int) -> str:
    return encoded[start:end].decode(_ENCODINGS.get(tag, "ascii"))


def _usual_names(encoded: bytes, attributes: der.Part) -> tuple[Name, ...]:
    """The names of a request whose attributes hold names of the usual types and nothing else; of another request none.

    Most requests are of this kind, and reading them here takes a fifth of the time that the library needs for it.
    """
    start, end = attributes[2], attributes[3]
    before = _before_names(end - start)
    if before is None or not encoded.startswith(before, start):
        return ()
    general = der.parts(encoded, start + len(before), end)
    if len(general) > MOST_NAMES:
        return ()
    names = []
    for tag, _, inside, stop in general:
        data = encoded[inside:stop]
        if tag in _TEXT_TAGS and data.isascii():
            names.append(Name(_TEXT_TAGS[tag], data.decode("ascii")))
        elif tag == _ADDRESS_TAG and len(data) in _ADDRESS_LENGTHS:
            names.append(Name(NameType.IP, str(ipaddress.ip_address(data))))
        else:
            return ()
    return tuple(names)


@lru_cache(maxsize=1024)
def _before_common_name(length: int) -> bytes | None:
    """How a subject of `length` bytes begins that holds one common name and nothing else."""
    return _opening(length, ((der.SET, b""), (der.SEQUENCE, _COMMON_NAME)))


@lru_cache(maxsize=1024)
def _before_names(length: int) -> bytes | None:
    """How attributes of `length` bytes begin that hold nothing but subject alternative names, and those not critical."""
    request = ((der.SEQUENCE, _EXTENSION_REQUEST), (der.SET, b""), (der.SEQUENCE, b""))
    return _opening(length, (*request, (der.SEQUENCE, _ALTERNATIVE_NAMES), (der.OCTET_STRING, b""), (der.SEQUENCE, b"")))


def _opening(length: int, nested: tuple[tuple[int, bytes], ...]) -> bytes | None:
    """All that stands before the innermost contents of values that lie within each other and fill `length` bytes.

    Given are tags, from the outermost, and the bytes that come first in each value. DER leaves one way to write each length,
    so that one comparison with these bytes takes the place of a walk. None where no such values have this length.
    """
    found = b""
    for tag, first in nested:
        headers = (der.header(tag, length - size) for size in range(2, 7) if length >= size)
        header = next((each for size, each in enumerate(headers, 2) if len(each) == size), None)
        if header is None:
            return None
        found += header + first
        length -= len(header) + len(first)
    return found if length >= 0 else None


def _require_possession(request: x509.CertificateSigningRequest, key: PublicKey, kind: KeyKind, fields: _Fields) -> None:
    """The request must be signed by the key that it holds, with a hash that is not broken."""
    proven = True
    try:
        algorithm = request.signature_hash_algorithm
        if algorithm is not None and algorithm.name not in _HASHES:
            raise CsrRefused(f"The request is signed with {algorithm.name.upper()}; SHA-256, SHA-384 or SHA-512 is needed.")
        if kind is KeyKind.EC and algorithm is not None:
            cast("EllipticCurvePublicKey", key).verify(fields.signature, fields.signed, _HASHES[algorithm.name])
        elif kind is KeyKind.ED25519:
            cast("Ed25519PublicKey", key).verify(fields.signature, fields.signed)
        else:
            proven = request.is_signature_valid
    except InvalidSignature as cause:
        raise CsrRefused("The signature of the request was not made with the key that the request holds.") from cause
    except (UnsupportedAlgorithm, ValueError, TypeError) as cause:
        raise CsrRefused("The request is signed in a way that is not known.") from cause
    if not proven:
        raise CsrRefused("The signature of the request was not made with the key that the request holds.")


def _names(
    request: x509.CertificateSigningRequest, encoded: bytes, attributes: der.Part
) -> tuple[tuple[Name, ...], tuple[str, ...]]:
    """The names of a request: those of types that are issued, and the others in words."""
    try:
        usual = _usual_names(encoded, attributes)
        if usual:
            return usual, ()
        extension = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return (), ()
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as cause:
        raise CsrRefused("The names or other extensions in the request cannot be read.") from cause
    general = list(extension.value)
    if len(general) > MOST_NAMES:
        raise CsrRefused(f"The request has {len(general)} names.")
    names: list[Name] = []
    others: list[str] = []
    for one in general:
        name_type = _NAME_TYPES.get(type(one))
        if name_type is None:
            others.append(_in_words(one))
        else:
            names.append(Name(name_type, str(one.value)))
    return tuple(names), tuple(others)


def _in_words(name: x509.GeneralName) -> str:
    if isinstance(name, x509.OtherName):
        return f"otherName {name.type_id.dotted_string}"
    if isinstance(name, x509.DirectoryName):
        return f"directory name {shown(name.value.rfc4514_string())}"
    if isinstance(name, x509.RegisteredID):
        return f"registeredID {name.value.dotted_string}"
    return f"{type(name).__name__} {shown(str(name.value))}"
