"""The types of the certificate authority. They carry trust in one direction:

unverified request → `CertificateRequest` (key proven) + `SigningGrant` (what a provisioner concluded) → `CertificateContents`
(decided) → `PreparedCertificate` (linted and recorded, can be signed once) → `IssuedCertificate` (signed and read back).

What is made for every certificate is a msgspec structure: frozen like a data class, and made in a tenth of the time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from sealwright.access import Actor
from sealwright.ca.errors import AlreadySigned
from sealwright.clock import Instant
from sealwright.errors import Refused
from sealwright.rsa_strength import SHORTEST_RSA

PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey
PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey


class NameType(StrEnum):
    """The kinds of subject alternative names that are issued."""

    DNS = "dns"
    IP = "ip"
    EMAIL = "email"
    URI = "uri"


class Name(msgspec.Struct, frozen=True, order=True):
    """One subject alternative name. Canonical where it comes from `names.canonical`; as asked for in a `CertificateRequest`."""

    type: NameType
    value: str

    def __str__(self) -> str:
        return self.value


class KeyKind(StrEnum):
    """Kinds of public keys that may be certified."""

    EC = "EC"
    RSA = "RSA"
    ED25519 = "Ed25519"


class Curve(StrEnum):
    """Curves of elliptic-curve keys that may be certified."""

    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"


class ProvisionerType(IntEnum):
    """The number that the provisioner extension gives to each type of provisioner."""

    JWK = 1
    OIDC = 2
    GCP = 3
    AWS = 4
    AZURE = 5
    ACME = 6
    X5C = 7
    K8SSA = 8
    SSHPOP = 9
    SCEP = 10
    NEBULA = 11


class ProvisionerExtension(msgspec.Struct, frozen=True):
    """Who vouched: the extension 1.3.6.1.4.1.37476.9000.64.1, by which `step` finds the provisioner again at renewal."""

    type: int
    name: str
    credential_id: str = ""
    pairs: tuple[tuple[str, str], ...] = ()


class Claims(msgspec.Struct, frozen=True):
    """What a provisioner allows, after inheritance (see `profiles.inherit`)."""

    shortest: timedelta = timedelta(minutes=5)
    default: timedelta = timedelta(hours=24)
    longest: timedelta = timedelta(hours=24)
    disable_renewal: bool = False
    allow_renewal_after_expiry: bool = False
    disable_smallstep_extensions: bool = False
    """Leave the provisioner extension out of certificates."""
    given: tuple[str, ...] = ()
    """Which of the three lifetimes the provisioner itself says; the others come of its profile, where that says them."""


class ExtendedUse(StrEnum):
    """What a certificate may be used for (extended key usage)."""

    SERVER_AUTH = "server_auth"
    CLIENT_AUTH = "client_auth"
    CODE_SIGNING = "code_signing"
    EMAIL_PROTECTION = "email_protection"


class KeyUse(StrEnum):
    """What the key of a certificate may do (key usage)."""

    DIGITAL_SIGNATURE = "digital_signature"
    CONTENT_COMMITMENT = "content_commitment"
    KEY_ENCIPHERMENT = "key_encipherment"
    """In certificates of RSA keys; others cannot."""
    KEY_AGREEMENT = "key_agreement"
    """In certificates of elliptic-curve keys; others cannot."""


EVERY_CURVE = tuple(Curve)


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules and shape of a certificate, as closed data. `profiles.check` says whether it makes sense."""

    name: str
    description: str = ""
    key_kinds: tuple[KeyKind, ...] = (KeyKind.EC, KeyKind.RSA, KeyKind.ED25519)
    curves: tuple[Curve, ...] = EVERY_CURVE
    shortest_rsa: int = SHORTEST_RSA
    """Bits that an RSA key has at least."""
    name_types: tuple[NameType, ...] = (NameType.DNS, NameType.IP, NameType.EMAIL, NameType.URI)
    most_names: int = 100
    wildcards: bool = False
    common_name: bool = True
    """Whether the subject may hold a common name; otherwise the subject is empty."""
    extended_uses: tuple[ExtendedUse, ...] = (ExtendedUse.SERVER_AUTH, ExtendedUse.CLIENT_AUTH)
    key_uses: tuple[KeyUse, ...] = (KeyUse.DIGITAL_SIGNATURE, KeyUse.KEY_ENCIPHERMENT)
    """Each stands in the certificates of those keys that can do it."""
    provisioner_extension: bool = True
    longest: timedelta = timedelta(days=90)
    """No certificate lives longer, whatever a provisioner's claims say; without the backdating."""
    default: timedelta | None = None
    """Lifetime where neither the request nor the provisioner says one; None: what provisioners inherit without a profile."""
    shortest: timedelta = timedelta(0)
    """No certificate lives shorter."""
    issuer: str = ""
    """Name of the issuing CA that signs; empty for that which signs where none is chosen."""
    backdate: timedelta = timedelta(minutes=1)
    """How long before now a certificate begins when no one asked for a beginning, so that slow clocks accept it."""
    issuer_url: str = ""
    """Where the issuer's certificate can be fetched (authority information access); empty for none."""
    ocsp_url: str = ""
    crl_url: str = ""


class HolderStatus(msgspec.Struct, frozen=True):
    """Whether the person a certificate speaks for is still someone who may have one."""

    active: bool
    reason: str = ""
    """Why not, in words."""
    credential_generation: int = 0
    """How often a reset of the account's credentials ended its certificates."""


class Person(msgspec.Struct, frozen=True):
    """Someone who has an account on this server, as the directory knows them at this moment."""

    id: str
    """What their certificates have as `sub`."""
    name: str
    """What to call them."""
    mails: tuple[str, ...]
    """Verified addresses."""
    unverified_mails: tuple[str, ...]
    primary_mail: str
    """The one of all these that ID tokens tell, or empty."""
    groups: frozenset[str]
    """Names of the groups that they are in, directly or through others."""
    group_ids: frozenset[str] = frozenset()
    """Ids of the same groups."""


PersonOf = Callable[[str], Awaitable[Person | None]]
"""Who has this account id; None where no one has."""


class TokenUse(msgspec.Struct, frozen=True):
    """The note that a token was used."""

    digest: bytes
    """The left half of the SHA-256 of its provisioner and its id, and of nothing else that it says."""
    kept_until: Instant
    """When it would be refused anyway."""


class LocalToken(msgspec.Struct, frozen=True):
    """An ID token of a provider of this server, by what it comes from."""

    issuer_url: str
    client_id: str
    """As `aud` names the client."""
    subject: str
    session_id: str
    family_id: str
    """The tokens that come of one authorization; they are revoked together."""
    claims: frozenset[str]
    """Names of the claims that it tells."""


class LocalAccessToken(msgspec.Struct, frozen=True):
    """An access token of this server that is valid now, by what it comes from and how far it reaches."""

    client_id: str
    """Of the client's row."""
    client_name: str
    account_id: str | None
    """The service account that it speaks of; None where it speaks of the client itself."""
    account_name: str
    family_id: str
    """The tokens that come of one authorization; they are revoked together."""
    token_id: str
    """Its `jti`."""
    audience: tuple[str, ...]
    scopes: tuple[str, ...]
    """Those that still count."""
    expires_at: Instant
    proof_key: str = ""
    """Thumbprint of the key that it is bound to, where possession of that key is still to be proven."""

    @property
    def actor(self) -> Actor:
        """Who acts with it."""
        if self.account_id is None:
            return Actor("client", self.client_id, self.client_name)
        return Actor("service", self.account_id, self.account_name)


class CertificateRequest(msgspec.Struct, frozen=True):
    """A public key whose owner proved possession, and what was asked for with it. Names are as written."""

    public_key: PublicKey
    key_kind: KeyKind
    public_key_der: bytes
    """SubjectPublicKeyInfo."""
    common_name: str = ""
    names: tuple[Name, ...] = ()
    subject_mails: tuple[Name, ...] = ()
    """Mail addresses in the subject, which are asked for like `names`."""
    other_names: tuple[str, ...] = ()
    """Asked-for names of kinds that are never issued, in words, such as ``otherName 1.3.6.1.4.1.311.20.2.3``."""
    digest: bytes = b""
    """SHA-256 of the signing request's DER; empty where there was none (renewal)."""
    not_before: Instant | timedelta | None = None
    """An instant, a duration from now, or nothing: now, backdated as the profile says."""
    not_after: Instant | timedelta | None = None
    """An instant, a duration from notBefore, or nothing: the default duration of the claims."""


class SigningGrant(msgspec.Struct, frozen=True):
    """What a provisioner concluded from a verified credential: who asks, and what they may have."""

    provisioner_id: str
    provisioner_name: str
    profile: str
    """Name of the profile."""
    actor: Actor
    claims: Claims
    issuer: str = ""
    """Name of the issuing CA that the provisioner chose; empty where it leaves that to the profile."""
    common_name: str = ""
    """Common name of the subject; empty for an empty subject."""
    names: tuple[Name, ...] = ()
    """The names that the certificate will carry; canonical."""
    may_ask_for: tuple[str, ...] = ()
    """Further texts that may stand in the request without being refused, and are not certified: a user name, a `sub`."""
    names_from_request: bool = False
    """The caller may have any name (an administrator of the provisioner): the names of the request are certified."""
    for_this_server: bool = False
    """The certificate is the server's own, which alone may carry the names by which it is reached."""
    must_match: bool = False
    """For each type of name the request holds either none or exactly those of `names` (JWK and X5C provisioners)."""
    not_after: Instant | None = None
    """No certificate beyond this instant, whatever the claims say; for a credential that ends itself."""
    account_id: str | None = None
    client_id: str | None = None
    """Of the row of the client whose access token was the credential; the certificate ends with the client."""
    session_id: str | None = None
    credential_generation: int | None = None
    """Of the account; None until it was asked for. When it is another, the account's credentials were reset meanwhile."""
    local_token: LocalToken | LocalAccessToken | None = None
    """The credential, where it is a token of this server; what it comes from must still hold when the key is used."""
    token_use: TokenUse | None = None
    """What is noted when the credential is used, where it is used once."""
    extension: ProvisionerExtension | None = None
    renewed_from: bytes | None = None
    """Serial of the certificate that the new one follows."""
    approved_by: str | None = None
    """The request by whose approval the certificate that the new one follows was issued."""


class CertificateContents(msgspec.Struct, frozen=True):
    """Everything that differs from one certificate of a profile to the next, decided and in canonical form."""

    common_name: str
    names: tuple[Name, ...]
    key_kind: KeyKind
    public_key_der: bytes
    not_before: Instant
    """A whole second."""
    not_after: Instant
    """A whole second; the certificate is still valid during it."""
    extension: ProvisionerExtension | None = None


class Decision(msgspec.Struct, frozen=True):
    """What policy says, and why. `contents` is there exactly when it is allowed."""

    reasons: tuple[str, ...]
    contents: CertificateContents | None = None
    refusal: Refused | None = None

    @property
    def allowed(self) -> bool:
        """Whether the certificate may be issued."""
        return self.contents is not None

    def require(self) -> CertificateContents:
        """What may be issued, or raise the refusal."""
        if self.contents is None:
            raise self.refusal or Refused("This certificate may not be issued.", reasons=self.reasons)
        return self.contents


@dataclass(frozen=True, slots=True)
class Issuer:
    """A certificate authority of ours that is ready to sign."""

    id: str
    name: str
    key_id: str
    private_key: PrivateKey = field(repr=False)
    public_key: PublicKey
    certificate_der: bytes
    subject_der: bytes
    """The subject of its certificate; the issuer field of what it signs, byte for byte."""
    key_identifier: bytes
    not_before: Instant
    not_after: Instant
    chain: tuple[bytes, ...]
    """DER of its own certificate and those above it; the root is left out."""


class PreparedCertificate:
    """Decided, linted and recorded; `redeem` hands out the bytes to sign, once, to the issuer it was made for."""

    __slots__ = ("_redeemed", "_to_be_signed", "contents", "digest", "issuer_id", "profile", "serial")

    def __init__(
        self, *, issuer_id: str, profile: str, serial: bytes, contents: CertificateContents, to_be_signed: bytes
    ) -> None:
        self.issuer_id = issuer_id
        self.profile = profile
        self.serial = serial
        self.contents = contents
        self.digest = hashlib.sha256(to_be_signed).digest()
        self._to_be_signed = to_be_signed
        self._redeemed = False

    def redeem(self, issuer: Issuer) -> bytes:
        """The DER of the TBSCertificate. A second call, or one by another issuer, raises AlreadySigned."""
        if issuer.id != self.issuer_id:
            raise AlreadySigned(f"Certificate {self.serial.hex()} was prepared for another issuer than {issuer.name}.")
        if self._redeemed:
            raise AlreadySigned(f"Certificate {self.serial.hex()} was signed before; a prepared certificate is signed once.")
        self._redeemed = True
        return self._to_be_signed


class IssuedCertificate(msgspec.Struct, frozen=True):
    """Signed, read back by a second parser, and equal to what was decided."""

    serial: bytes
    der: bytes
    chain: tuple[bytes, ...]
    """DER of the issuer's certificate and those above it; the root is left out."""
    issuer_id: str
    profile: str
    contents: CertificateContents
