"""A certificate as a person reads it: long, short, and as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from sealwright.cli.key_pair import common_name_of, names_of

PROVISIONER_OID = x509.ObjectIdentifier("1.3.6.1.4.1.37476.9000.64.1")
_TYPES = ("", "JWK", "OIDC", "GCP", "AWS", "Azure", "ACME", "X5C", "K8sSA", "SSHPOP", "SCEP", "Nebula")
_KINDS: Mapping[type[Any], str] = {
    x509.DNSName: "DNS",
    x509.IPAddress: "IP Address",
    x509.RFC822Name: "email",
    x509.UniformResourceIdentifier: "URI",
}
_USAGES = (
    ("digital_signature", "Digital Signature"),
    ("content_commitment", "Content Commitment"),
    ("key_encipherment", "Key Encipherment"),
    ("data_encipherment", "Data Encipherment"),
    ("key_agreement", "Key Agreement"),
    ("key_cert_sign", "Certificate Sign"),
    ("crl_sign", "CRL Sign"),
)
_PURPOSES = {ExtendedKeyUsageOID.SERVER_AUTH: "Server Authentication", ExtendedKeyUsageOID.CLIENT_AUTH: "Client Authentication"}
_HEADINGS = {
    ExtensionOID.KEY_USAGE: "X509v3 Key Usage",
    ExtensionOID.EXTENDED_KEY_USAGE: "X509v3 Extended Key Usage",
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME: "X509v3 Subject Alternative Name",
    ExtensionOID.SUBJECT_KEY_IDENTIFIER: "X509v3 Subject Key Identifier",
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER: "X509v3 Authority Key Identifier",
    ExtensionOID.BASIC_CONSTRAINTS: "X509v3 Basic Constraints",
    ExtensionOID.CRL_DISTRIBUTION_POINTS: "X509v3 CRL Distribution Points",
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS: "Authority Information Access",
    PROVISIONER_OID: "X509v3 Step Provisioner",
}
_LONGEST_WHOLE = 12
_BYTES_PER_LINE = 18
_SHORT_TIME = "%Y-%m-%dT%H:%M:%SZ"
_LONG_TIME = "%b %e %H:%M:%S %Y UTC"


class ProvisionerInCertificate(NamedTuple):
    """Who vouched for a certificate, as its extension says."""

    type: str
    name: str
    credential_id: str
    pairs: tuple[tuple[str, str], ...] = ()


def provisioner_of(certificate: x509.Certificate) -> ProvisionerInCertificate | None:
    """The provisioner extension, or None where there is none that can be read."""
    try:
        extension = certificate.extensions.get_extension_for_oid(PROVISIONER_OID).value
        assert isinstance(extension, x509.UnrecognizedExtension)  # noqa: S101 - no library knows this identifier
        ((_, sequence),) = _elements(extension.value)
        number, name, credential, *rest = (content for _, content in _elements(sequence))
        words = [content.decode() for _, content in _elements(rest[0])] if rest else []
        kind = int.from_bytes(number, "big")
        pairs = tuple(zip(words[::2], words[1::2], strict=True))
        kind_name = _TYPES[kind] if kind < len(_TYPES) else str(kind)
        return ProvisionerInCertificate(kind_name, name.decode(), credential.decode(), pairs)
    except (x509.ExtensionNotFound, ValueError, IndexError):
        return None


def short(certificate: x509.Certificate) -> str:
    """A few lines, as ``step certificate inspect --short`` prints."""
    serial, by = serial_of(certificate), provisioner_of(certificate)
    subject = list(dict.fromkeys(filter(None, (common_name_of(certificate), *names_of(certificate)))))
    kind = "CA" if _is_authority(certificate) else "TLS"
    lines = [f"X.509v3 {kind} Certificate ({_algorithm(certificate)}) [Serial: {_abbreviated(serial)}]"]
    lines += _labelled("Subject:", subject or ["-"])
    lines += _labelled("Issuer:", [_name(certificate.issuer, short_form=True)])
    if by is not None:
        credential = f" [ID: {_abbreviated(by.credential_id)}]" if by.credential_id else ""
        lines += _labelled("Provisioner:", [f"{by.name}{credential}"])
    lines += _labelled("Valid from:", [f"{certificate.not_valid_before_utc:{_SHORT_TIME}}"])
    lines += _labelled("        to:", [f"{certificate.not_valid_after_utc:{_SHORT_TIME}}"])
    return "\n".join(lines)


def long(certificate: x509.Certificate) -> str:
    """Everything that is in it."""
    return "\n".join(_long_lines(certificate))


def as_json(certificate: x509.Certificate) -> dict[str, Any]:
    """The same for programs."""
    by = provisioner_of(certificate)
    return {
        "serial": serial_of(certificate),
        "serial_decimal": str(certificate.serial_number),
        "subject": _name(certificate.subject),
        "common_name": common_name_of(certificate),
        "names": [{"type": kind.lower().removesuffix(" address"), "value": value} for kind, value in _typed_names(certificate)],
        "issuer": _name(certificate.issuer),
        "provisioner": None
        if by is None
        else {
            "type": by.type,
            "name": by.name,
            "credential_id": by.credential_id,
            **({"pairs": dict(by.pairs)} if by.pairs else {}),
        },
        "not_before": f"{certificate.not_valid_before_utc:{_SHORT_TIME}}",
        "not_after": f"{certificate.not_valid_after_utc:{_SHORT_TIME}}",
        "public_key": _algorithm(certificate),
        "authority": _is_authority(certificate),
        "extensions": [{"oid": each.oid.dotted_string, "critical": each.critical} for each in certificate.extensions],
        "fingerprint_sha256": hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
    }


def serial_of(certificate: x509.Certificate) -> str:
    """The serial number in hexadecimal, two digits for each byte, as the inventory writes it."""
    digits = f"{certificate.serial_number:x}"
    return digits.zfill(len(digits) + len(digits) % 2)


def _long_lines(certificate: x509.Certificate) -> Iterator[str]:
    signature = getattr(certificate.signature_algorithm_oid, "_name", certificate.signature_algorithm_oid.dotted_string)
    yield "Certificate:"
    yield "    Data:"
    yield "        Version: 3 (0x2)"
    yield f"        Serial Number: {certificate.serial_number} ({certificate.serial_number:#x})"
    yield f"        Signature Algorithm: {signature}"
    yield f"        Issuer: {_name(certificate.issuer)}"
    yield "        Validity"
    yield f"            Not Before: {certificate.not_valid_before_utc:{_LONG_TIME}}"
    yield f"            Not After : {certificate.not_valid_after_utc:{_LONG_TIME}}"
    yield f"        Subject: {_name(certificate.subject)}"
    yield "        Subject Public Key Info:"
    yield f"            Public Key Algorithm: {_algorithm(certificate)}"
    yield "        X509v3 extensions:"
    for extension in certificate.extensions:
        heading = _HEADINGS.get(extension.oid, extension.oid.dotted_string)
        yield f"            {heading}:{' critical' if extension.critical else ''}"
        for line in _extension_lines(certificate, extension):
            yield f"                {line}"
    yield f"    SHA-256 Fingerprint: {hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()}"
    yield "    Signature:"
    data = certificate.signature
    for start in range(0, len(data), _BYTES_PER_LINE):
        yield f"        {data[start : start + _BYTES_PER_LINE].hex(':')}"


def _extension_lines(certificate: x509.Certificate, extension: x509.Extension[x509.ExtensionType]) -> list[str]:
    value = extension.value
    lines: list[str]
    if isinstance(value, x509.KeyUsage):
        lines = [", ".join(words for member, words in _USAGES if getattr(value, member))]
    elif isinstance(value, x509.ExtendedKeyUsage):
        lines = [", ".join(_PURPOSES.get(oid, oid.dotted_string) for oid in value)]
    elif isinstance(value, x509.SubjectAlternativeName):
        lines = [f"{kind}:{text}" for kind, text in _typed_names(certificate)]
    elif isinstance(value, x509.SubjectKeyIdentifier):
        lines = [value.digest.hex(":").upper()]
    elif isinstance(value, x509.AuthorityKeyIdentifier):
        lines = [f"keyid:{(value.key_identifier or b'').hex(':').upper()}"]
    elif isinstance(value, x509.BasicConstraints):
        lines = [f"CA:{str(value.ca).upper()}" + ("" if value.path_length is None else f", pathlen:{value.path_length}")]
    elif isinstance(value, x509.CRLDistributionPoints):
        lines = [f"URI:{name.value}" for point in value for name in point.full_name or ()]
    elif isinstance(value, x509.AuthorityInformationAccess):
        lines = [f"{getattr(each.access_method, '_name', '')} - URI:{each.access_location.value}" for each in value]
    elif extension.oid == PROVISIONER_OID:
        by = provisioner_of(certificate)
        lines = [] if by is None else [f"Type: {by.type}", f"Name: {by.name}", f"CredentialID: {by.credential_id}"]
        lines += [] if by is None else [f"{name}: {text}" for name, text in by.pairs]
    else:
        lines = [value.public_bytes().hex(":")]
    return lines


def _labelled(label: str, values: list[str]) -> list[str]:
    """Values below each other, the first behind the label."""
    return [f"  {label if number == 0 else '':<13}{value}" for number, value in enumerate(values)]


def _abbreviated(text: str) -> str:
    return text if len(text) <= _LONGEST_WHOLE else f"{text[:4]}...{text[-4:]}"


def _typed_names(certificate: x509.Certificate) -> list[tuple[str, str]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [(_KINDS.get(type(name), type(name).__name__), str(name.value)) for name in names]


def _name(name: x509.Name, *, short_form: bool = False) -> str:
    if short_form:
        common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if common:
            return str(common[0].value)
    return name.rfc4514_string()


def _algorithm(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(key.curve.name, key.curve.name)
        return f"ECDSA {curve}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else type(key).__name__


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a DER sequence's content: tag and content. Lengths of up to two bytes, which is all that occurs."""
    position = 0
    while position < len(der):
        tag, length = der[position], der[position + 1]
        position += 2
        if length & 0x80:
            length_size = length & 0x7F
            if length_size not in (1, 2):
                raise ValueError("a length that cannot be")
            length = int.from_bytes(der[position : position + length_size], "big")
            position += length_size
        if position + length > len(der):
            raise ValueError("cut short")
        yield tag, der[position : position + length]
        position += length
