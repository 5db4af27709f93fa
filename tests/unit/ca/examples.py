"""Keys, issuers and requests for the tests of the certificate authority."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.access import Actor
from sealwright.ca.issuers.certificates import (
    AuthorityContents,
    authority_to_be_signed,
    read_authority,
    signed_certificate,
    subject_of,
)
from sealwright.ca.models import (
    CertificateContents,
    CertificateRequest,
    Claims,
    Issuer,
    KeyKind,
    Name,
    NameType,
    PrivateKey,
    ProvisionerExtension,
    SigningGrant,
)
from sealwright.ca.public_keys import encoded, kind_of
from sealwright.ca.x509 import sign
from sealwright.clock import Instant, from_datetime

NOW = from_datetime(datetime(2026, 11, 22, 10, 20, 30, 500_000, tzinfo=UTC))
SECOND = Instant(NOW // 1000 * 1000)
SERIAL = bytes.fromhex("3579b8ef") + bytes(range(16))
ALICE = Actor("person", "8f2c", "alice")

MAIL = Name(NameType.EMAIL, "alice@example.org")
SUBJECT_URI = Name(NameType.URI, "https://id.example.org/oauth2/openid/step#8f2c")
WEB = Name(NameType.DNS, "web.example.org")


def key(kind: str = "P-256") -> PrivateKey:
    """One private key of each kind for the whole run."""
    return _key("subject", kind)


@cache
def _key(_owner: str, kind: str) -> PrivateKey:
    match kind:
        case "Ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case "P-521":
            return ec.generate_private_key(ec.SECP521R1())
        case _:
            return rsa.generate_private_key(public_exponent=65_537, key_size=int(kind.removeprefix("RSA-")))


KEYS = ("P-256", "P-384", "P-521", "RSA-2048", "Ed25519")


@cache
def issuer(kind: str = "P-256", *, not_before: int = SECOND, not_after: int = SECOND + 5 * 365 * 86_400_000) -> Issuer:
    """An issuing CA with a key of this kind (self-signed: the chain above it does not matter here)."""
    private_key = _key("issuer", kind)
    public_key = private_key.public_key()
    authority = AuthorityContents(
        subject_of("Example", "Example Issuing CA 1"), public_key, 0, Instant(not_before), Instant(not_after)
    )
    to_be_signed = authority_to_be_signed(b"\x01" * 20, authority, signer=public_key, issuer_subject=authority.subject)
    certificate = signed_certificate(to_be_signed, public_key, sign(private_key, to_be_signed))
    read = read_authority("Example", certificate, public_key)
    return Issuer(
        id="issuer-1",
        name="Example Issuing CA 1",
        key_id="key-1",
        private_key=private_key,
        public_key=public_key,
        certificate_der=certificate,
        subject_der=read.subject,
        key_identifier=read.key_identifier,
        not_before=read.not_before,
        not_after=read.not_after,
        chain=(certificate,),
    )


def contents(
    *names: Name,
    common_name: str = "",
    kind: str = "P-256",
    not_before: int = SECOND,
    not_after: int = SECOND + 3_600_000,
    extension: ProvisionerExtension | None = None,
) -> CertificateContents:
    """Decided contents of a certificate."""
    public_key = key(kind).public_key()
    return CertificateContents(
        common_name=common_name,
        names=names or (WEB,),
        key_kind=kind_of(public_key),
        public_key_der=encoded(public_key),
        not_before=Instant(not_before),
        not_after=Instant(not_after),
        extension=extension,
    )


def request(*names: Name, common_name: str = "", kind: str = "P-256", **others: object) -> CertificateRequest:
    """A request whose key was proven."""
    public_key = key(kind).public_key()
    values = {
        "public_key": public_key,
        "key_kind": KeyKind(kind_of(public_key)),
        "public_key_der": encoded(public_key),
        "common_name": common_name,
        "names": names,
    }
    return CertificateRequest(**{**values, **others})  # type: ignore[arg-type] # any field, by its name


def grant(*names: Name, **others: object) -> SigningGrant:
    """What a provisioner granted to Alice."""
    values = {
        "provisioner_id": "step",
        "provisioner_name": "Sealwright",
        "profile": "step_leaf",
        "actor": ALICE,
        "claims": Claims(),
        "common_name": "8f2c",
        "names": names or (MAIL, SUBJECT_URI),
    }
    return SigningGrant(**{**values, **others})  # type: ignore[arg-type] # any field, by its name


def csr(
    *names: x509.GeneralName, common_name: str | None = "alice", kind: str = "P-256", hash_algorithm: object = None
) -> x509.CertificateSigningRequest:
    """A signing request as a client makes it."""
    attributes = [] if common_name is None else [x509.NameAttribute(x509.OID_COMMON_NAME, common_name)]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    algorithm = None if kind == "Ed25519" else hash_algorithm or hashes.SHA256()
    return builder.sign(key(kind), algorithm)  # type: ignore[arg-type] # the hash is chosen by the caller


def pem(request: x509.CertificateSigningRequest) -> str:
    """A signing request in PEM."""
    return request.public_bytes(serialization.Encoding.PEM).decode()


def der(request: x509.CertificateSigningRequest) -> bytes:
    """A signing request in DER."""
    return request.public_bytes(serialization.Encoding.DER)
