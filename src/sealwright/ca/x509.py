"""Certificates as bytes: the to-be-signed part of a leaf by template, and the signature around it.

Everything that one issuer and one profile have in common is encoded once. Per certificate only the serial number,
validity, subject, public key, key identifier, names and provisioner extension are spliced in. What comes out is byte for
byte what the builder of pyca/cryptography makes of the same values (a test compares them), at a tenth of its cost.
"""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from sealwright.ca import der
from sealwright.ca.errors import VerificationFailed
from sealwright.ca.models import (
    CertificateContents,
    ExtendedUse,
    Issuer,
    KeyKind,
    KeyUse,
    Name,
    NameType,
    PrivateKey,
    Profile,
    ProvisionerExtension,
    PublicKey,
)
from sealwright.clock import Instant, to_seconds
from sealwright.entropy import Entropy
from sealwright.traces import span

PROVISIONER_OID = "1.3.6.1.4.1.37476.9000.64.1"
RANDOM_BYTES = 16

_VERSION_3 = b"\xa0\x03\x02\x01\x02"
_COMMON_NAME = der.oid("2.5.4.3")
_EMPTY_NAME = der.sequence()
_FIRST_GENERALIZED_YEAR = 2050
_USES = {
    ExtendedUse.SERVER_AUTH: "1.3.6.1.5.5.7.3.1",
    ExtendedUse.CLIENT_AUTH: "1.3.6.1.5.5.7.3.2",
    ExtendedUse.CODE_SIGNING: "1.3.6.1.5.5.7.3.3",
    ExtendedUse.EMAIL_PROTECTION: "1.3.6.1.5.5.7.3.4",
}
_KEY_USE_BITS = {
    KeyUse.DIGITAL_SIGNATURE: 0x80,
    KeyUse.CONTENT_COMMITMENT: 0x40,
    KeyUse.KEY_ENCIPHERMENT: 0x20,
    KeyUse.KEY_AGREEMENT: 0x08,
}
_ONLY_OF = {KeyUse.KEY_ENCIPHERMENT: KeyKind.RSA, KeyUse.KEY_AGREEMENT: KeyKind.EC}
_NAMES = der.oid("2.5.29.17")
_NAMES_CRITICAL = _NAMES + der.BOOLEAN_TRUE
_KEY_IDENTIFIER = der.oid("2.5.29.14") + bytes((der.OCTET_STRING, 22, der.OCTET_STRING, 20))
_KEY_IDENTIFIER_START = bytes((der.SEQUENCE, len(_KEY_IDENTIFIER) + 20)) + _KEY_IDENTIFIER
_NAME_TAGS = {NameType.EMAIL: 0x81, NameType.DNS: 0x82, NameType.URI: 0x86, NameType.IP: 0x87}
_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")

_ECDSA = {
    "secp256r1": (der.sequence(der.oid("1.2.840.10045.4.3.2")), ECDSA(SHA256())),
    "secp384r1": (der.sequence(der.oid("1.2.840.10045.4.3.3")), ECDSA(SHA384())),
}
_ECDSA_LARGEST = (der.sequence(der.oid("1.2.840.10045.4.3.4")), ECDSA(SHA512()))
_RSA_WITH_SHA256 = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL)
_ED25519 = der.sequence(der.oid("1.3.101.112"))


def new_serial(entropy: Entropy, now: Instant) -> bytes:
    """20 bytes, positive: half the seconds of `now`, so that serials sort by time, and 16 random bytes."""
    return (to_seconds(now) >> 1).to_bytes(4, "big") + entropy.bytes(RANDOM_BYTES)


def key_identifier(public_key_der: bytes) -> bytes:
    """SHA-1 over the bits of the public key (RFC 5280, section 4.2.1.2, method 1)."""
    _, _, start, end = der.whole(public_key_der, der.SEQUENCE)
    algorithm = der.part(public_key_der, start, end)
    bits = der.part(public_key_der, algorithm[3], end)
    return hashlib.sha1(public_key_der[bits[2] + 1 : bits[3]], usedforsecurity=False).digest()


# --- signatures ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _kind(key_type: type) -> KeyKind:
    """The kind of keys of a type. Remembered, because the abstract classes answer slowly."""
    if issubclass(key_type, EllipticCurvePublicKey | EllipticCurvePrivateKey):
        return KeyKind.EC
    return KeyKind.RSA if issubclass(key_type, RSAPublicKey | RSAPrivateKey) else KeyKind.ED25519


def _ecdsa(key: EllipticCurvePrivateKey | EllipticCurvePublicKey) -> ECDSA:
    return _ECDSA.get(key.curve.name, _ECDSA_LARGEST)[1]


def signature_algorithm(key: PublicKey) -> bytes:
    """AlgorithmIdentifier of signatures by the owner of `key`: with NULL parameters for RSA, without any for the others."""
    kind = _kind(type(key))
    if kind is KeyKind.EC:
        return _ECDSA.get(cast("EllipticCurvePublicKey", key).curve.name, _ECDSA_LARGEST)[0]
    return _RSA_WITH_SHA256 if kind is KeyKind.RSA else _ED25519


@lru_cache(maxsize=64)
def _repeatable(key_type: type, curve: str) -> ECDSA | None:
    """How keys of a type sign so that the same bytes always get the same signature (RFC 6979); None where they cannot."""
    try:
        repeatable = ECDSA(_ECDSA.get(curve, _ECDSA_LARGEST)[1].algorithm, deterministic_signing=True)
    except UnsupportedAlgorithm:  # an OpenSSL before 3.2
        return None
    return repeatable if key_type.__module__.startswith("cryptography.") else None


def sign(key: PrivateKey, to_be_signed: bytes) -> bytes:
    """The signature over `to_be_signed`, by whatever holds the key."""
    with span("key use"):
        return _signature(key, to_be_signed)


def _signature(key: PrivateKey, to_be_signed: bytes) -> bytes:
    kind = _kind(type(key))
    if kind is KeyKind.EC:
        elliptic = cast("EllipticCurvePrivateKey", key)
        return elliptic.sign(to_be_signed, _repeatable(type(key), elliptic.curve.name) or _ecdsa(elliptic))
    if kind is KeyKind.RSA:
        return cast("RSAPrivateKey", key).sign(to_be_signed, PKCS1v15(), SHA256())
    return cast("Ed25519PrivateKey", key).sign(to_be_signed)


def signs_again(key: PrivateKey, signature: bytes, to_be_signed: bytes) -> bool:
    """Whether `key` makes the very same signature once more. False, too, where it cannot: another look is needed then.

    A fault in one of two computations changes what comes out, and the second takes a third of the time of a verification.
    """
    if _kind(type(key)) is not KeyKind.EC:
        return False
    curve = cast("EllipticCurvePrivateKey", key).curve.name
    return _repeatable(type(key), curve) is not None and sign(key, to_be_signed) == signature


def verify(key: PublicKey, signature: bytes, signed: bytes) -> None:
    """Raise InvalidSignature unless `signature` was made over `signed` by the owner of `key`."""
    kind = _kind(type(key))
    if kind is KeyKind.EC:
        elliptic = cast("EllipticCurvePublicKey", key)
        elliptic.verify(signature, signed, _ecdsa(elliptic))
    elif kind is KeyKind.RSA:
        cast("RSAPublicKey", key).verify(signature, signed, PKCS1v15(), SHA256())
    else:
        cast("Ed25519PublicKey", key).verify(signature, signed)


# --- values that are spliced in --------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _day(days: int) -> tuple[int, bytes]:
    """Year, and ``MMDD``, of a day since the epoch."""
    date = datetime.fromtimestamp(days * 86_400, UTC)
    return date.year, b"%02d%02d" % (date.month, date.day)


@lru_cache(maxsize=256)
def encode_time(instant: Instant) -> bytes:
    """UTCTime until 2049, GeneralizedTime after (RFC 5280, section 4.1.2.5)."""
    days, seconds = divmod(to_seconds(instant), 86_400)
    year, month_and_day = _day(days)
    clock = b"%s%02d%02d%02dZ" % (month_and_day, seconds // 3600, seconds // 60 % 60, seconds % 60)
    if year < _FIRST_GENERALIZED_YEAR:
        return b"\x17\x0d%02d%s" % (year % 100, clock)
    return b"\x18\x0f%04d%s" % (year, clock)


def encode_subject(common_name: str) -> bytes:
    """A Name with one common name as UTF8String, or the empty Name."""
    if not common_name:
        return _EMPTY_NAME
    attribute = der.wrap(der.SEQUENCE, _COMMON_NAME + der.wrap(der.UTF8_STRING, common_name.encode()))
    return der.wrap(der.SEQUENCE, der.wrap(der.SET, attribute))


def encode_names(names: tuple[Name, ...]) -> bytes:
    """GeneralNames."""
    encoded = []
    for name in names:
        value = ipaddress.ip_address(name.value).packed if name.type is NameType.IP else name.value.encode("ascii")
        encoded.append(der.wrap(_NAME_TAGS[name.type], value))
    return der.wrap(der.SEQUENCE, b"".join(encoded))


def _string(text: str) -> bytes:
    return der.wrap(der.PRINTABLE_STRING if set(text) <= _PRINTABLE else der.UTF8_STRING, text.encode())


@lru_cache(maxsize=256)
def encode_provisioner(extension: ProvisionerExtension) -> bytes:
    """The value of the provisioner extension."""
    pairs = b""
    if extension.pairs:
        pairs = der.sequence(*(_string(text) for pair in extension.pairs for text in pair))
    return der.sequence(
        der.integer(extension.type),
        der.wrap(der.OCTET_STRING, extension.name.encode()),
        der.wrap(der.OCTET_STRING, extension.credential_id.encode()),
        pairs,
    )


@lru_cache(maxsize=256)
def _provisioner_extension(vouched: ProvisionerExtension) -> bytes:
    return extension(PROVISIONER_OID, encode_provisioner(vouched))


@lru_cache(maxsize=256)
def decode_provisioner(value: bytes) -> ProvisionerExtension:
    """Read the value of a provisioner extension; one that is damaged raises ValueError."""
    found = der.parts_of(value)
    tags = [tag for tag, *_ in found]
    if tags[:3] != [der.INTEGER, der.OCTET_STRING, der.OCTET_STRING] or tags[3:] not in ([], [der.SEQUENCE]):
        raise der.DerError("a provisioner extension has other members")
    texts = [value[start:end].decode() for _, _, start, end in found[1:3]]
    pairs: list[str] = []
    if len(found) > 3:  # noqa: PLR2004 - the optional fourth member
        inner = der.parts(value, found[3][2], found[3][3])
        if len(inner) % 2 or any(tag not in (der.UTF8_STRING, der.PRINTABLE_STRING) for tag, *_ in inner):
            raise der.DerError("a provisioner extension has a key without a value")
        pairs = [value[start:end].decode() for _, _, start, end in inner]
    number = int.from_bytes(value[found[0][2] : found[0][3]], "big", signed=True)
    return ProvisionerExtension(number, texts[0], texts[1], tuple(zip(pairs[::2], pairs[1::2], strict=True)))


def provisioner_of(certificate: x509.Certificate) -> ProvisionerExtension | None:
    """Who vouched for a certificate, by its extension; None where there is none or it is damaged."""
    try:
        found = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(PROVISIONER_OID))
        return decode_provisioner(found.value.public_bytes())
    except (x509.ExtensionNotFound, ValueError):
        return None


# --- the template ----------------------------------------------------------------------------------------------------


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """One Extension."""
    return der.sequence(der.oid(dotted), der.BOOLEAN_TRUE if critical else b"", der.wrap(der.OCTET_STRING, value))


class LeafTemplate:
    """What all leaf certificates of one issuer and one profile have in common, encoded."""

    def __init__(self, issuer: Issuer, profile: Profile) -> None:
        self.issuer = issuer
        self.profile = profile
        self._algorithm = signature_algorithm(issuer.public_key)
        self._after_serial = self._algorithm + issuer.subject_der
        uses = extension("2.5.29.37", extended_key_usage(profile))
        self._before_key = {kind: extension("2.5.29.15", key_usage(profile, kind), critical=True) + uses for kind in KeyKind}
        self._after_key = extension("2.5.29.35", der.sequence(der.wrap(0x80, issuer.key_identifier)))
        if access := authority_access(profile):
            self._after_key += extension("1.3.6.1.5.5.7.1.1", access)
        points = distribution_points(profile)
        self._after_names = extension("2.5.29.31", points) if points else b""

    def to_be_signed(self, serial: bytes, contents: CertificateContents) -> bytes:
        """DER of the TBSCertificate with these contents."""
        names = der.wrap(der.OCTET_STRING, encode_names(contents.names))
        provisioner = b""
        if contents.extension is not None and self.profile.provisioner_extension:
            provisioner = _provisioner_extension(contents.extension)
        extensions = b"".join(
            (
                self._before_key[contents.key_kind],
                _KEY_IDENTIFIER_START,
                key_identifier(contents.public_key_der),
                self._after_key,
                der.wrap(der.SEQUENCE, (_NAMES if contents.common_name else _NAMES_CRITICAL) + names),
                self._after_names,
                provisioner,
            )
        )
        validity = encode_time(contents.not_before) + encode_time(contents.not_after)
        return der.wrap(
            der.SEQUENCE,
            b"".join(
                (
                    _VERSION_3,
                    der.wrap(der.INTEGER, serial),
                    self._after_serial,
                    der.wrap(der.SEQUENCE, validity),
                    encode_subject(contents.common_name),
                    contents.public_key_der,
                    der.wrap(0xA3, der.wrap(der.SEQUENCE, extensions)),
                )
            ),
        )

    def with_signature(self, to_be_signed: bytes, signature: bytes) -> bytes:
        """DER of the certificate."""
        return _certificate(to_be_signed, self._algorithm, signature)


def _certificate(to_be_signed: bytes, algorithm: bytes, signature: bytes) -> bytes:
    return der.wrap(der.SEQUENCE, to_be_signed + algorithm + der.wrap(der.BIT_STRING, b"\x00" + signature))


def key_usage(profile: Profile, kind: KeyKind) -> bytes:
    """The value of the key usage extension (RFC 5280, section 4.2.1.3)."""
    bits = sum(_KEY_USE_BITS[use] for use in key_uses_of(profile, kind))
    unused = (bits & -bits).bit_length() - 1 if bits else 0  # trailing zero bits are left out (X.690, section 11.2.2)
    return bytes((der.BIT_STRING, 2, unused, bits))


def key_uses_of(profile: Profile, kind: KeyKind) -> tuple[KeyUse, ...]:
    """What stands in certificates of one kind of key: RFC 3279 and RFC 8813 say which key can do what."""
    return tuple(use for use in profile.key_uses if _ONLY_OF.get(use, kind) is kind)


def extended_key_usage(profile: Profile) -> bytes:
    """The value of the extended key usage extension (RFC 5280, section 4.2.1.12)."""
    return der.sequence(*(der.oid(_USES[use]) for use in profile.extended_uses))


def authority_access(profile: Profile) -> bytes:
    """The value of authority information access: the responder and the issuer's certificate; empty without addresses."""
    methods = (("1.3.6.1.5.5.7.48.1", profile.ocsp_url), ("1.3.6.1.5.5.7.48.2", profile.issuer_url))
    found = [der.sequence(der.oid(method), der.wrap(0x86, url.encode())) for method, url in methods if url]
    return der.sequence(*found) if found else b""


def distribution_points(profile: Profile) -> bytes:
    """The value of CRL distribution points: one address, without reasons or another signer; empty without an address."""
    if not profile.crl_url:
        return b""
    return der.sequence(der.sequence(der.wrap(0xA0, der.wrap(0xA0, der.wrap(0x86, profile.crl_url.encode())))))


# --- release ---------------------------------------------------------------------------------------------------------


def verify_issued(
    certificate_der: bytes,
    to_be_signed: bytes,
    issuer_public_key: PublicKey,
    serial: bytes,
    expected: CertificateContents,
    *,
    proven_key: PrivateKey | None = None,
) -> None:
    """Raise VerificationFailed unless a certificate is exactly what was decided, linted and recorded, signed by the issuer.

    Names, subject and validity are not compared again: that the bytes say what was decided is the lint's finding, made on
    the very bytes that are compared here. What is left to go wrong after it, and which look catches it:

    * the key made a wrong signature, or another key signed: the signature is verified under the issuer's public key, over
      the bytes that were linted, and not over what the certificate holds. `proven_key` is the issuer's private key where
      a signature of this very object verified before: then the same signature made once more says as much, and only where
      it is another one, or cannot be made again, is it verified;
    * the certificate was put together wrongly, or is damaged: another parser than ours must read it, and the signature that
      it finds, beside the linted bytes and the issuer's algorithm, must give the certificate again, byte by byte;
    * two issuances were confused: the serial number, which no two certificates share, and the key must be the decided ones.
    """
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        signature, number = certificate.signature, certificate.serial_number
        if proven_key is None or not signs_again(proven_key, signature, to_be_signed):
            verify(issuer_public_key, signature, to_be_signed)
    except InvalidSignature as cause:
        raise VerificationFailed(f"Certificate {serial.hex()}: the signature is not the issuer's.") from cause
    except (ValueError, TypeError, x509.InvalidVersion) as cause:
        raise VerificationFailed(f"Certificate {serial.hex()}: what was signed cannot be read as a certificate.") from cause
    wrong = ""
    if certificate_der != _certificate(to_be_signed, signature_algorithm(issuer_public_key), signature):
        wrong = "the signed bytes are"
    elif number != int.from_bytes(serial, "big"):
        wrong = "the serial number is"
    elif expected.public_key_der not in to_be_signed:
        wrong = "the public key is"
    if wrong:
        raise VerificationFailed(f"Certificate {serial.hex()}: {wrong} not what was decided.")
