"""Checks of the final to-be-signed bytes, before the issuer's key is used.

Two tables of small rules, each with the section it comes from. They read the bytes again and never the request, so that a
mistake in policy or encoding is found here. What all certificates of a profile share is also held against pkilint, once per
profile, by the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import ObjectIdentifier
from msgspec import Struct

from sealwright.ca import der, names
from sealwright.ca.errors import CertificateNameRefused, LintFailed
from sealwright.ca.models import (
    EVERY_CURVE,
    CertificateContents,
    Curve,
    ExtendedUse,
    Issuer,
    KeyKind,
    KeyUse,
    Name,
    NameType,
    PrivateKey,
    Profile,
    ProvisionerExtension,
    ProvisionerType,
)
from sealwright.ca.public_keys import encoded, strength_fault
from sealwright.ca.serials import SERIAL_BYTES
from sealwright.ca.tbs_parser import NAMES, SUBJECT_KEY, Particulars, Reading, read
from sealwright.ca.x509 import (
    PROVISIONER_OID,
    LeafTemplate,
    authority_access,
    decode_provisioner,
    distribution_points,
    encode_provisioner,
    extended_key_usage,
    key_identifier,
    key_usage,
    key_uses_of,
    signature_algorithm,
)
from sealwright.clock import Instant, after, in_words
from sealwright.confusables import shown
from sealwright.rsa_strength import SHORTEST_RSA

LARGEST = 64 * 1024
FIRST_GENERALIZED = Instant(2_524_608_000_000)
"""2050-01-01T00:00:00Z."""
_VERSION_3 = 2
_SMALLEST_SERIAL = 1 << 8 * (SERIAL_BYTES - 1)
_BEYOND_SERIAL = 1 << 8 * SERIAL_BYTES - 1
_ONE_SECOND = 1000

_KEY_USAGE = ObjectIdentifier("2.5.29.15")
_CONSTRAINTS = ObjectIdentifier("2.5.29.19")
_CRL = ObjectIdentifier("2.5.29.31")
_AUTHORITY_KEY = ObjectIdentifier("2.5.29.35")
_EXTENDED_USE = ObjectIdentifier("2.5.29.37")
_ACCESS = ObjectIdentifier("1.3.6.1.5.5.7.1.1")
_PROVISIONER = ObjectIdentifier(PROVISIONER_OID)
_IDENTIFIER_START = bytes((der.OCTET_STRING, 20))
_FITTING = {
    ExtendedUse.SERVER_AUTH: {KeyUse.DIGITAL_SIGNATURE, KeyUse.KEY_ENCIPHERMENT, KeyUse.KEY_AGREEMENT},
    ExtendedUse.CLIENT_AUTH: {KeyUse.DIGITAL_SIGNATURE, KeyUse.KEY_AGREEMENT},
    ExtendedUse.CODE_SIGNING: {KeyUse.DIGITAL_SIGNATURE},
    ExtendedUse.EMAIL_PROTECTION: set(KeyUse),
}
"""Extended use → the key uses of which it needs one (RFC 5280, section 4.2.1.12)."""
_ALWAYS = frozenset({SUBJECT_KEY, _KEY_USAGE, NAMES, _AUTHORITY_KEY, _EXTENDED_USE})


class LintFinding(Struct, frozen=True):
    """A rule that is broken."""

    rule: str
    section: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule} ({self.section}): {self.detail}"


_UNLIKE_DECIDED = LintFinding("decided", "policy", "the bytes say something else than what was decided")


class LeafLint:
    """The rules for the leaf certificates of one issuer and one profile."""

    def __init__(self, issuer: Issuer, profile: Profile) -> None:
        self.issuer = issuer
        self.profile = profile
        self.algorithm = signature_algorithm(issuer.public_key)
        self.authority_key = der.sequence(der.wrap(0x80, issuer.key_identifier))
        self.longest = (profile.longest + profile.backdate) // timedelta(milliseconds=1)
        self.usages = {kind: key_usage(profile, kind) for kind in KeyKind}
        self.unfit = {kind: _unfit(profile, kind) for kind in KeyKind}
        self.restricts_strength = profile.shortest_rsa > SHORTEST_RSA or profile.curves != EVERY_CURVE
        self.extended_usage = extended_key_usage(profile)
        self.access = authority_access(profile)
        self.points = distribution_points(profile)
        self.allowed = _ALWAYS | {
            oid
            for oid, wanted in (
                (_ACCESS, self.access),
                (_CRL, self.points),
                (_PROVISIONER, profile.provisioner_extension),
            )
            if wanted
        }
        self.required = self.allowed - {_PROVISIONER}

    def findings(self, to_be_signed: bytes) -> tuple[LintFinding, ...]:
        """Every rule that these bytes break; empty when they may be signed."""
        try:
            return self._broken(read(to_be_signed))
        except ValueError as cause:
            return (_no_der(cause),)

    def require_clean(self, to_be_signed: bytes, serial: bytes, decided: CertificateContents) -> None:
        """Raise LintFailed unless these bytes say exactly what was decided and break no rule."""
        try:
            reading = read(to_be_signed)
        except ValueError as cause:
            found: tuple[LintFinding, ...] = (_no_der(cause),)
        else:
            found = self._broken(reading)
            if not self._says(reading, serial, decided):
                found = (*found, _UNLIKE_DECIDED)
        if found:
            raise LintFailed(f"The certificate was not signed: {found[0].detail}.", reasons=tuple(str(one) for one in found))

    def _broken(self, reading: Reading) -> tuple[LintFinding, ...]:
        """Every rule that a certificate breaks."""
        shared = [LintFinding(rule, section, detail) for rule, section, check in SHARED if (detail := check(self, reading))]
        seen = reading.particulars
        own = [LintFinding(rule, section, detail) for rule, section, check in PARTICULAR if (detail := check(self, seen))]
        return (*shared, *own)

    def _says(self, reading: Reading, serial: bytes, decided: CertificateContents) -> bool:
        """Whether a certificate holds the values that were decided."""
        seen, vouched = reading.particulars, decided.extension if self.profile.provisioner_extension else None
        return (
            seen.serial == int.from_bytes(serial, "big")
            and seen.public_key == decided.public_key_der
            and seen.common_name == decided.common_name
            and seen.names == decided.names
            and seen.not_before.instant == decided.not_before
            and seen.not_after.instant == decided.not_after
            and reading.key_kind == decided.key_kind
            and reading.value(_PROVISIONER) == (None if vouched is None else encode_provisioner(vouched))
        )


def _no_der(cause: ValueError) -> LintFinding:
    return LintFinding("der", "X.690 section 10", f"the bytes are not the DER of a leaf certificate: {cause}")


# --- what certificates share: each rule returns what is wrong, or nothing --------------------------------------------


def _version(_lint: LeafLint, reading: Reading) -> str:
    return "" if reading.version == _VERSION_3 else "the version is not 3"


def _algorithm(lint: LeafLint, reading: Reading) -> str:
    same = reading.algorithm == lint.algorithm
    return "" if same else "the signature algorithm is not that of the issuer's key"


def _issuer(lint: LeafLint, reading: Reading) -> str:
    same = reading.issuer == lint.issuer.subject_der
    return "" if same else "the issuer is not the subject of the issuer, byte by byte"


def _key(lint: LeafLint, reading: Reading) -> str:
    kind = reading.key_kind
    if kind is None:
        return "the public key is of no known kind, or not in the usual form"
    return "" if kind in lint.profile.key_kinds else f"the profile has no {kind} keys"


def _no_unique_ids(_lint: LeafLint, reading: Reading) -> str:
    return "there are unique identifiers" if reading.unique_ids else ""


def _extensions(lint: LeafLint, reading: Reading) -> str:
    oids = reading.extensions.keys()
    if reading.repeated:
        return "an extension is there twice"
    if not lint.allowed.issuperset(oids):
        return "there is an extension that the profile does not have"
    return "" if lint.required.issubset(oids) else "an extension is missing"


def _names_critical(_lint: LeafLint, reading: Reading) -> str:
    wanted = reading.particulars.common_name == ""
    if reading.critical(NAMES) is wanted:
        return ""
    return "the names must be critical when, and only when, the subject is empty"


def _key_usage(lint: LeafLint, reading: Reading) -> str:
    if not reading.critical(_KEY_USAGE):
        return "the key usage is not critical"
    expected = None if reading.key_kind is None else lint.usages[reading.key_kind]
    return "" if reading.value(_KEY_USAGE) == expected else "the key usage is not that of this kind of key"


def _fitting_usages(lint: LeafLint, reading: Reading) -> str:
    return "" if reading.key_kind is None else lint.unfit[reading.key_kind]


def _unfit(profile: Profile, kind: KeyKind) -> str:
    uses = key_uses_of(profile, kind)
    if not uses:
        return f"a key of the kind {kind} has no key usage"
    for extended in profile.extended_uses:
        if not _FITTING[extended].intersection(uses):
            needed = " or ".join(sorted(_FITTING[extended]))
            return f"{extended} needs the key usage {needed}, and keys of the kind {kind} have {' and '.join(uses)} alone"
    return ""


def _extended_use(lint: LeafLint, reading: Reading) -> str:
    if reading.critical(_EXTENDED_USE):
        return "the extended key usage is critical"
    same = reading.value(_EXTENDED_USE) == lint.extended_usage
    return "" if same else "the extended key usage is not that of the profile"


def _no_authority(_lint: LeafLint, reading: Reading) -> str:
    return "" if reading.value(_CONSTRAINTS) is None else "a leaf certificate has basic constraints"


def _subject_key_critical(_lint: LeafLint, reading: Reading) -> str:
    return "the subject key identifier is critical" if reading.critical(SUBJECT_KEY) else ""


def _authority_key(lint: LeafLint, reading: Reading) -> str:
    if reading.critical(_AUTHORITY_KEY):
        return "the authority key identifier is critical"
    same = reading.value(_AUTHORITY_KEY) == lint.authority_key
    return "" if same else "the authority key identifier is not the issuer's key identifier alone"


def _addresses(lint: LeafLint, reading: Reading) -> str:
    for oid, expected in ((_ACCESS, lint.access), (_CRL, lint.points)):
        if (reading.value(oid) or b"") != expected or reading.critical(oid):
            return "an address of the issuer, its responder or its revocation list is not that of the profile"
    return ""


def _provisioner(_lint: LeafLint, reading: Reading) -> str:
    value = reading.value(_PROVISIONER)
    if value is None:
        return ""
    try:
        decode_provisioner(value)
    except ValueError:
        return "the provisioner extension cannot be read"
    return "the provisioner extension is critical" if reading.critical(_PROVISIONER) else ""


SHARED: tuple[tuple[str, str, Callable[[LeafLint, Reading], str]], ...] = (
    ("version", "RFC 5280 section 4.1.2.1", _version),
    ("signature_algorithm", "RFC 5280 section 4.1.2.3", _algorithm),
    ("issuer", "RFC 5280 section 4.1.2.4", _issuer),
    ("public_key", "RFC 5280 section 4.1.2.7, RFC 5480, RFC 8410", _key),
    ("unique_identifiers", "RFC 5280 section 4.1.2.8", _no_unique_ids),
    ("extensions", "RFC 5280 section 4.2; profile", _extensions),
    ("authority_key_identifier", "RFC 5280 section 4.2.1.1", _authority_key),
    ("subject_key_identifier", "RFC 5280 section 4.2.1.2", _subject_key_critical),
    ("key_usage", "RFC 5280 section 4.2.1.3, RFC 8813", _key_usage),
    ("fitting_usages", "RFC 5280 section 4.2.1.12, RFC 8813, RFC 8410", _fitting_usages),
    ("names_critical", "RFC 5280 section 4.2.1.6", _names_critical),
    ("basic_constraints", "RFC 5280 section 4.2.1.9", _no_authority),
    ("extended_key_usage", "RFC 5280 section 4.2.1.12", _extended_use),
    ("addresses", "RFC 5280 sections 4.2.1.13 and 4.2.2.1", _addresses),
    ("provisioner_extension", "profile", _provisioner),
)
"""Rules about what all certificates of a profile have in common."""


# --- particulars -----------------------------------------------------------------------------------------------------


def _serial(_lint: LeafLint, seen: Particulars) -> str:
    good = _SMALLEST_SERIAL <= seen.serial < _BEYOND_SERIAL
    return "" if good else f"the serial number is negative, begins with an empty byte, or has not {SERIAL_BYTES} bytes"


def _time_forms(_lint: LeafLint, seen: Particulars) -> str:
    for time in (seen.not_before, seen.not_after):
        if time.generalized is not (time.instant >= FIRST_GENERALIZED):
            return "a time before 2050 is not UTCTime, or a later one not GeneralizedTime"
    return ""


def _order(_lint: LeafLint, seen: Particulars) -> str:
    return "" if seen.not_before.instant < seen.not_after.instant else "the certificate ends before it begins"


def _length(lint: LeafLint, seen: Particulars) -> str:
    life = seen.not_after.instant - seen.not_before.instant + _ONE_SECOND
    if life <= lint.longest:
        return ""
    lives, allowed = (in_words(timedelta(milliseconds=each)) for each in (life, lint.longest))
    return f"the certificate lives {lives}, with its last second; {allowed} are allowed"


def _within_issuer(lint: LeafLint, seen: Particulars) -> str:
    return "" if seen.not_after.instant <= lint.issuer.not_after else "the certificate ends after its issuer"


def _subject(lint: LeafLint, seen: Particulars) -> str:
    if seen.common_name is None:
        return "the subject holds more than one common name as UTF8String"
    if not seen.common_name:
        return ""
    if not lint.profile.common_name:
        return "the subject is not empty, as the profile demands"
    try:
        names.common_name(seen.common_name)
    except CertificateNameRefused as refusal:
        return refusal.detail
    return ""


def _subject_key(_lint: LeafLint, seen: Particulars) -> str:
    try:
        expected = key_identifier(seen.public_key)
    except (ValueError, IndexError):
        return "there is no public key of which an identifier could be made"
    same = seen.key_identifier == _IDENTIFIER_START + expected
    return "" if same else "the subject key identifier is not the SHA-1 of the key"


def _key_strength(lint: LeafLint, seen: Particulars) -> str:
    if not lint.restricts_strength:
        return ""
    try:
        return strength_fault(load_der_public_key(seen.public_key), lint.profile)
    except (ValueError, UnsupportedAlgorithm):
        return "there is no public key whose strength could be judged"


def _names_there(lint: LeafLint, seen: Particulars) -> str:
    if seen.names is None:
        return "there is a name of a kind that is not issued, or that is not ASCII"
    if not seen.names:
        return "there is no subject alternative name"
    most = lint.profile.most_names
    return "" if len(seen.names) <= most else f"there are {len(seen.names)} names; {most} are allowed"


def _names_canonical(_lint: LeafLint, seen: Particulars) -> str:
    found = seen.names or ()
    try:
        if names.canonical_all(found) == found:
            return ""
    except CertificateNameRefused as refusal:
        return refusal.detail
    return "a name is there twice, or not in its canonical form"


def _names_in_profile(lint: LeafLint, seen: Particulars) -> str:
    profile = lint.profile
    for name in seen.names or ():
        if name.type not in profile.name_types:
            return f"the profile has no names of the type {name.type}: {shown(name.value)}"
        if name.value.startswith("*") and not profile.wildcards:
            return f"the profile has no wildcards: {shown(name.value)}"
    return ""


def _size(_lint: LeafLint, seen: Particulars) -> str:
    return "" if seen.size <= LARGEST else f"the certificate has {seen.size} bytes; {LARGEST} are allowed"


PARTICULAR: tuple[tuple[str, str, Callable[[LeafLint, Particulars], str]], ...] = (
    ("serial_number", "RFC 5280 section 4.1.2.2", _serial),
    ("time_forms", "RFC 5280 section 4.1.2.5", _time_forms),
    ("validity_order", "RFC 5280 section 4.1.2.5", _order),
    ("validity_length", "profile; RFC 5280 section 4.1.2.5, both ends included", _length),
    ("validity_within_issuer", "profile; RFC 5280 section 6.1.3", _within_issuer),
    ("subject", "RFC 5280 section 4.1.2.6, appendix A.1", _subject),
    ("subject_key_identifier", "RFC 5280 section 4.2.1.2", _subject_key),
    ("key_strength", "profile", _key_strength),
    ("names", "RFC 5280 section 4.2.1.6", _names_there),
    ("names_canonical", "RFC 5280 section 4.2.1.6, RFC 1034, RFC 5890, RFC 5952", _names_canonical),
    ("names_in_profile", "profile", _names_in_profile),
    ("size", "profile", _size),
)
"""Rules about what differs from one certificate to the next."""


# --- profiles --------------------------------------------------------------------------------------------------------

_CURVES: dict[Curve, Callable[[], ec.EllipticCurve]] = {
    Curve.P256: ec.SECP256R1,
    Curve.P384: ec.SECP384R1,
    Curve.P521: ec.SECP521R1,
}


@cache
def _throwaway(kind: KeyKind, curve: Curve, bits: int) -> PrivateKey:
    """A key of the least strength that is asked for. Kept, because an RSA key takes a while."""
    if kind is KeyKind.EC:
        return ec.generate_private_key(_CURVES[curve]())
    return ed25519.Ed25519PrivateKey.generate() if kind is KeyKind.ED25519 else rsa.generate_private_key(65_537, bits)


_EXAMPLES = {
    NameType.DNS: "web.example.org",
    NameType.IP: "192.0.2.1",
    NameType.EMAIL: "alice@example.org",
    NameType.URI: "https://id.example.org/oauth2/openid/step#alice",
}


def representatives(profile: Profile, issuer: Issuer, now: Instant) -> tuple[bytes, ...]:
    """What this profile would have signed: with and without a subject, every kind of name and key, the longest life."""
    present = Instant(now // 1000 * 1000)
    end = min(after(present, profile.longest), issuer.not_after)
    every = tuple(Name(kind, _EXAMPLES[kind]) for kind in profile.name_types)
    vouched = ProvisionerExtension(ProvisionerType.OIDC, "Example", "step") if profile.provisioner_extension else None
    template = LeafTemplate(issuer, profile)
    made = []
    for key_kind in profile.key_kinds:
        key = _throwaway(key_kind, profile.curves[0], profile.shortest_rsa if key_kind is KeyKind.RSA else 0)
        public_key_der = encoded(key.public_key())
        groups = [every[at : at + profile.most_names] for at in range(0, len(every), profile.most_names)]
        for common_name, chosen, vouch in (*(("", group, vouched) for group in groups), ("alice", every[:1], None)):
            if profile.common_name or not common_name:
                contents = CertificateContents(common_name, chosen, key_kind, public_key_der, present, end, vouch)
                made.append(template.to_be_signed(b"\x01" * SERIAL_BYTES, contents))
    return tuple(made)


def lint_representative(profile: Profile, issuer: Issuer, now: Instant) -> tuple[LintFinding, ...]:
    """What would be wrong with every certificate of this profile; asked when a profile is saved."""
    lint = LeafLint(issuer, profile)
    return tuple(finding for made in representatives(profile, issuer, now) for finding in lint.findings(made))
