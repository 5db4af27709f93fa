"""A key pair, the request for a certificate over it, and their PEM forms."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from sealwright.cli.errors import CommandFailed, WrongUsage
from sealwright.pem import certificates

LeafKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

CURVES: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_SMALLEST_RSA = 2048
_LONGEST_COMMON_NAME = 64


def new_leaf_key(kind: str, curve: str | None, size: int | None) -> LeafKey:
    """A new key: ``EC`` (P-256 unless `curve` says otherwise), ``RSA`` (3072 bits unless `size`) or ``OKP`` (Ed25519)."""
    if kind != "EC" and curve not in (None, "Ed25519"):
        raise WrongUsage(f"--curve {curve} goes with --kty EC, not with --kty {kind}.")
    if kind != "RSA" and size is not None:
        raise WrongUsage(f"--size goes with --kty RSA, not with --kty {kind}.")
    if kind == "RSA":
        if size is not None and size < _SMALLEST_RSA:
            raise WrongUsage(f"--size {size} is too small: RSA keys have at least {_SMALLEST_RSA} bits.")
        return rsa.generate_private_key(65537, size or 3072)
    if kind == "OKP":
        return ed25519.Ed25519PrivateKey.generate()
    chosen = CURVES.get(curve or "P-256")
    if chosen is None:
        raise WrongUsage(f"--curve {curve} is not known; there are {', '.join(CURVES)}.")
    return ec.generate_private_key(chosen)


def general_name(text: str) -> x509.GeneralName:
    """A subject alternative name by what it looks like: IP address, URI, e-mail address, else DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        if urlsplit(text).scheme and "://" in text:
            return x509.UniformResourceIdentifier(text)
        return x509.RFC822Name(text) if "@" in text else x509.DNSName(text)
    except ValueError as cause:
        raise WrongUsage(
            f"{text} cannot stand in a certificate: only ASCII can; write other names in their xn-- form."
        ) from cause


def signing_request(key: LeafKey, common_name: str, names: Sequence[str]) -> x509.CertificateSigningRequest:
    """A request for a certificate over `key` with these names, signed by it."""
    subject = x509.Name([])
    if common_name and len(common_name) <= _LONGEST_COMMON_NAME:
        # The library counts bytes; a common name has 64 characters (RFC 5280, ub-common-name).
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name, _validate=False)])
    builder = x509.CertificateSigningRequestBuilder(subject)
    if names:
        alternatives = x509.SubjectAlternativeName([general_name(name) for name in names])
        builder = builder.add_extension(alternatives, critical=not list(subject))
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def private_pem(key: LeafKey) -> bytes:
    """PKCS #8, not encrypted: the file's mode protects it."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def read_private_key(pem: bytes, file: Path) -> LeafKey:
    """The private key in a PEM file."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError as cause:
        raise CommandFailed(f"the key in {file} is encrypted; only keys without a password can be used.") from cause
    except ValueError as cause:
        raise CommandFailed(f"{file} holds no private key that can be read.") from cause
    if not isinstance(key, LeafKey):
        raise CommandFailed(f"the key in {file} is of a kind that no certificate here is for.")
    return key


def read_certificates(content: bytes, file: Path, *, only_first: bool = False) -> list[x509.Certificate]:
    """The certificates in a PEM file (or the one in a DER file), in order; with `only_first` what follows is not read."""
    try:
        found = certificates(content) or [content]
        return [x509.load_der_x509_certificate(der) for der in (found[:1] if only_first else found)]
    except ValueError as cause:
        raise CommandFailed(f"{file} holds no certificate that can be read.") from cause


def same_key(certificate: x509.Certificate, key: LeafKey) -> bool:
    """Whether the certificate is for this key."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)


def names_of(certificate: x509.Certificate) -> list[str]:
    """Subject alternative names as text, in order."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in alternatives]


def common_name_of(certificate: x509.Certificate) -> str:
    """The common name of the subject, or an empty text."""
    attributes = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value) if attributes else ""


def title_of(certificate: x509.Certificate) -> str:
    """What a person calls it: its first e-mail address, else its first name, else its common name."""
    names = names_of(certificate)
    return next((name for name in names if "@" in name and "://" not in name), (names or [common_name_of(certificate) or "-"])[0])
