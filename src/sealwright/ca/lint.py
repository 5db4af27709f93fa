"""Our own look at the final to-be-signed octets, before the issuer's key is used.

A table of small rules, each with the section it comes from. They read the octets again and never the request, so that a
mistake in policy or encoding is found here. What all certificates of a profile share is also held against pkilint, once per
profile, by the tests.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealwright.ca import der, names
from sealwright.ca.durations import in_words
from sealwright.ca.errors import LintFailed, NameRefused
from sealwright.ca.models import (
    CertificateContents,
    Issuer,
    KeyKind,
    Name,
    NameType,
    PrivateKey,
    Profile,
    ProvisionerExtension,
    ProvisionerType,
)
from sealwright.ca.public_keys import SHORTEST_RSA, encoded
from sealwright.ca.reading import Reading, common_name_of, key_kind_of, read
from sealwright.ca.texts import shown
from sealwright.ca.x509 import (
    PROVISIONER_OID,
    SERIAL_OCTETS,
    LeafTemplate,
    authority_access,
    decode_provisioner,
    distribution_points,
    encode_provisioner,
    extended_key_usage,
    key_identifier,
    key_usage,
    signature_algorithm,
)
from sealwright.clock import Instant, after, between

LARGEST = 64 * 1024
FIRST_GENERALIZED = Instant(2_524_608_000_000)
"""2050-01-01T00:00:00Z."""
_ONE_SECOND = timedelta(seconds=1)
_VERSION_3 = b"\xa0\x03\x02\x01\x02"

_SUBJECT_KEY = der.oid("2.5.29.14")
_KEY_USAGE = der.oid("2.5.29.15")
_NAMES = der.oid("2.5.29.17")
_CONSTRAINTS = der.oid("2.5.29.19")
_CRL = der.oid("2.5.29.31")
_AUTHORITY_KEY = der.oid("2.5.29.35")
_EXTENDED_USE = der.oid("2.5.29.37")
_ACCESS = der.oid("1.3.6.1.5.5.7.1.1")
_PROVISIONER = der.oid(PROVISIONER_OID)
_ALWAYS = frozenset({_SUBJECT_KEY, _KEY_USAGE, _NAMES, _AUTHORITY_KEY, _EXTENDED_USE})
_NAME_TYPES = {0x81: NameType.EMAIL, 0x82: NameType.DNS, 0x86: NameType.URI, 0x87: NameType.IP}


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken."""

    rule: str
    section: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule} ({self.section}): {self.detail}"


class LeafLint:
    """The rules for the leaf certificates of one issuer and one profile."""

    def __init__(self, issuer: Issuer, profile: Profile) -> None:
        self.issuer = issuer
        self.profile = profile
        self.algorithm = signature_algorithm(issuer.public_key)
        self.authority_key = der.sequence(der.wrap(0x80, issuer.key_identifier))
        self.longest = profile.longest + profile.backdate
        self.usages = {kind: key_usage(profile, kind) for kind in KeyKind}
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

    def findings(self, to_be_signed: bytes) -> tuple[Finding, ...]:
        """Every rule that these octets break; empty when they may be signed."""
        return self._examine(to_be_signed)[0]

    def _examine(self, to_be_signed: bytes) -> tuple[tuple[Finding, ...], _Seen | None]:
        try:
            seen = _Seen(self, read(to_be_signed))
        except ValueError as cause:
            detail = f"the octets are not the DER of a leaf certificate: {cause}"
            return (Finding("der", "X.690 section 10", detail),), None
        return tuple(Finding(rule, section, detail) for rule, section, check in RULES if (detail := check(seen))), seen

    def require_clean(self, to_be_signed: bytes, serial: bytes, decided: CertificateContents) -> None:
        """Raise LintFailed unless these octets say exactly what was decided and break no rule."""
        found, seen = self._examine(to_be_signed)
        if seen is not None and _differs(seen, serial, decided):
            found += (Finding("decided", "policy", "the octets say something else than what was decided"),)
        if found:
            raise LintFailed(f"The certificate was not signed: {found[0].detail}.", reasons=tuple(str(one) for one in found))


class _Seen:
    """One certificate under examination: its fields, and what several rules want to know of them."""

    __slots__ = ("common_name", "key_kind", "lint", "names", "reading")

    def __init__(self, lint: LeafLint, reading: Reading) -> None:
        self.lint = lint
        self.reading = reading
        self.key_kind = key_kind_of(reading.public_key)
        self.common_name = common_name_of(reading.subject)
        self.names = _names(reading.value(_NAMES))


def _names(value: bytes | None) -> tuple[Name, ...] | None:
    """The subject alternative names; None where one is of a kind that is never issued, or cannot be read."""
    if value is None:
        return ()
    found = []
    for tag, _, start, end in der.parts_of(value):
        kind = _NAME_TYPES.get(tag)
        octets = value[start:end]
        if kind is None:
            return None
        if kind is NameType.IP:
            if len(octets) not in (4, 16):
                return None
            found.append(Name(kind, str(ipaddress.ip_address(octets))))
        elif octets.isascii():
            found.append(Name(kind, octets.decode("ascii")))
        else:
            return None
    return tuple(found)


def _differs(seen: _Seen, serial: bytes, decided: CertificateContents) -> bool:
    reading = seen.reading
    vouched = decided.extension if seen.lint.profile.provisioner_extension else None
    said = (
        (reading.serial, seen.common_name, seen.names, seen.key_kind, reading.public_key),
        (reading.not_before.instant, reading.not_after.instant),
        reading.value(_PROVISIONER),
    )
    wanted = (
        (serial, decided.common_name, decided.names, decided.key_kind, decided.public_key_der),
        (decided.not_before, decided.not_after),
        None if vouched is None else encode_provisioner(vouched),
    )
    return said != wanted


# --- the rules: each answers what is wrong, or nothing ---------------------------------------------------------------


def _version(seen: _Seen) -> str:
    return "" if seen.reading.version == _VERSION_3 else "the version is not 3"


def _serial(seen: _Seen) -> str:
    serial = seen.reading.serial
    if len(serial) != SERIAL_OCTETS:
        return f"the serial number has {len(serial)} octets, not {SERIAL_OCTETS}"
    return "" if 0 < serial[0] < 0x80 else "the serial number is negative or begins with an empty octet"  # noqa: PLR2004 - the sign bit


def _algorithm(seen: _Seen) -> str:
    return "" if seen.reading.algorithm == seen.lint.algorithm else "the signature algorithm is not that of the issuer's key"


def _issuer(seen: _Seen) -> str:
    return (
        ""
        if seen.reading.issuer == seen.lint.issuer.subject_der
        else "the issuer is not the subject of the issuer, octet by octet"
    )


def _time_forms(seen: _Seen) -> str:
    for time in (seen.reading.not_before, seen.reading.not_after):
        if time.tag != (der.GENERALIZED_TIME if time.instant >= FIRST_GENERALIZED else der.UTC_TIME):
            return "a time before 2050 is not UTCTime, or a later one not GeneralizedTime"
    return ""


def _order(seen: _Seen) -> str:
    return "" if seen.reading.not_before.instant < seen.reading.not_after.instant else "the certificate ends before it begins"


def _length(seen: _Seen) -> str:
    life = between(seen.reading.not_before.instant, seen.reading.not_after.instant) + _ONE_SECOND
    longest = seen.lint.longest
    return (
        ""
        if life <= longest
        else f"the certificate lives {in_words(life)}, with its last second; {in_words(longest)} are allowed"
    )


def _within_issuer(seen: _Seen) -> str:
    return "" if seen.reading.not_after.instant <= seen.lint.issuer.not_after else "the certificate ends after its issuer"


def _subject(seen: _Seen) -> str:
    if seen.common_name is None:
        return "the subject holds more than one common name as UTF8String"
    if not seen.common_name:
        return ""
    if not seen.lint.profile.common_name:
        return "the subject is not empty, as the profile demands"
    try:
        names.common_name(seen.common_name)
    except NameRefused as refusal:
        return refusal.detail
    return ""


def _key(seen: _Seen) -> str:
    if seen.key_kind is None:
        return "the public key is of no known kind, or not in the usual form"
    return "" if seen.key_kind in seen.lint.profile.key_kinds else f"the profile has no {seen.key_kind} keys"


def _no_unique_ids(seen: _Seen) -> str:
    return "" if seen.reading.trailing == (0xA3,) else "there are unique identifiers"


def _extensions(seen: _Seen) -> str:
    oids = seen.reading.oids
    if len(set(oids)) != len(oids):
        return "an extension is there twice"
    if not seen.lint.allowed.issuperset(oids):
        return "there is an extension that the profile does not have"
    return "" if seen.lint.required.issubset(oids) else "an extension is missing"


def _names_there(seen: _Seen) -> str:
    if seen.names is None:
        return "there is a name of a kind that is not issued, or that is not ASCII"
    if not seen.names:
        return "there is no subject alternative name"
    most = seen.lint.profile.most_names
    return "" if len(seen.names) <= most else f"there are {len(seen.names)} names; {most} are allowed"


def _names_critical(seen: _Seen) -> str:
    wanted = seen.common_name == ""
    if seen.reading.critical(_NAMES) is wanted:
        return ""
    return "the names must be critical when, and only when, the subject is empty"


def _names_canonical(seen: _Seen) -> str:
    found = seen.names or ()
    try:
        if names.canonical_all(found) == found:
            return ""
    except NameRefused as refusal:
        return refusal.detail
    return "a name is there twice, or not in its canonical form"


def _names_in_profile(seen: _Seen) -> str:
    profile = seen.lint.profile
    for name in seen.names or ():
        if name.type not in profile.name_types:
            return f"the profile has no names of the type {name.type}: {shown(name.value)}"
        if name.value.startswith("*") and not profile.wildcards:
            return f"the profile has no wildcards: {shown(name.value)}"
    return ""


def _key_usage(seen: _Seen) -> str:
    if not seen.reading.critical(_KEY_USAGE):
        return "the key usage is not critical"
    expected = None if seen.key_kind is None else seen.lint.usages[seen.key_kind]
    return "" if seen.reading.value(_KEY_USAGE) == expected else "the key usage is not that of this kind of key"


def _extended_use(seen: _Seen) -> str:
    if seen.reading.critical(_EXTENDED_USE):
        return "the extended key usage is critical"
    same = seen.reading.value(_EXTENDED_USE) == seen.lint.extended_usage
    return "" if same else "the extended key usage is not that of the profile"


def _no_authority(seen: _Seen) -> str:
    return "" if seen.reading.value(_CONSTRAINTS) is None else "a leaf certificate has basic constraints"


def _subject_key(seen: _Seen) -> str:
    if seen.reading.critical(_SUBJECT_KEY):
        return "the subject key identifier is critical"
    if seen.key_kind is None:
        return ""
    expected = der.wrap(der.OCTET_STRING, key_identifier(seen.reading.public_key))
    return "" if seen.reading.value(_SUBJECT_KEY) == expected else "the subject key identifier is not the SHA-1 of the key"


def _authority_key(seen: _Seen) -> str:
    if seen.reading.critical(_AUTHORITY_KEY):
        return "the authority key identifier is critical"
    same = seen.reading.value(_AUTHORITY_KEY) == seen.lint.authority_key
    return "" if same else "the authority key identifier is not the issuer's key identifier alone"


def _addresses(seen: _Seen) -> str:
    for oid, expected in ((_ACCESS, seen.lint.access), (_CRL, seen.lint.points)):
        if (seen.reading.value(oid) or b"") != expected or seen.reading.critical(oid):
            return "an address of the issuer, its responder or its revocation list is not that of the profile"
    return ""


def _provisioner(seen: _Seen) -> str:
    value = seen.reading.value(_PROVISIONER)
    if value is None:
        return ""
    try:
        decode_provisioner(value)
    except ValueError:
        return "the provisioner extension cannot be read"
    return "the provisioner extension is critical" if seen.reading.critical(_PROVISIONER) else ""


def _size(seen: _Seen) -> str:
    return "" if seen.reading.size <= LARGEST else f"the certificate has {seen.reading.size} octets; {LARGEST} are allowed"


RULES: tuple[tuple[str, str, Callable[[_Seen], str]], ...] = (
    ("version", "RFC 5280 section 4.1.2.1", _version),
    ("serial_number", "RFC 5280 section 4.1.2.2", _serial),
    ("signature_algorithm", "RFC 5280 section 4.1.2.3", _algorithm),
    ("issuer", "RFC 5280 section 4.1.2.4", _issuer),
    ("time_forms", "RFC 5280 section 4.1.2.5", _time_forms),
    ("validity_order", "RFC 5280 section 4.1.2.5", _order),
    ("validity_length", "profile; RFC 5280 section 4.1.2.5, both ends included", _length),
    ("validity_within_issuer", "profile; RFC 5280 section 6.1.3", _within_issuer),
    ("subject", "RFC 5280 section 4.1.2.6, appendix A.1", _subject),
    ("public_key", "RFC 5280 section 4.1.2.7, RFC 5480, RFC 8410", _key),
    ("unique_identifiers", "RFC 5280 section 4.1.2.8", _no_unique_ids),
    ("extensions", "RFC 5280 section 4.2; profile", _extensions),
    ("authority_key_identifier", "RFC 5280 section 4.2.1.1", _authority_key),
    ("subject_key_identifier", "RFC 5280 section 4.2.1.2", _subject_key),
    ("key_usage", "RFC 5280 section 4.2.1.3, RFC 8813", _key_usage),
    ("names", "RFC 5280 section 4.2.1.6", _names_there),
    ("names_critical", "RFC 5280 section 4.2.1.6", _names_critical),
    ("names_canonical", "RFC 5280 section 4.2.1.6, RFC 1034, RFC 5890, RFC 5952", _names_canonical),
    ("names_in_profile", "profile", _names_in_profile),
    ("basic_constraints", "RFC 5280 section 4.2.1.9", _no_authority),
    ("extended_key_usage", "RFC 5280 section 4.2.1.12", _extended_use),
    ("addresses", "RFC 5280 sections 4.2.1.13 and 4.2.2.1", _addresses),
    ("provisioner_extension", "profile", _provisioner),
    ("size", "profile", _size),
)


# --- profiles --------------------------------------------------------------------------------------------------------

_THROWAWAY: dict[KeyKind, Callable[[], PrivateKey]] = {
    KeyKind.EC: lambda: ec.generate_private_key(ec.SECP256R1()),
    KeyKind.RSA: lambda: rsa.generate_private_key(public_exponent=65_537, key_size=SHORTEST_RSA),
    KeyKind.ED25519: ed25519.Ed25519PrivateKey.generate,
}
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
        public_key_der = encoded(_THROWAWAY[key_kind]().public_key())
        groups = [every[at : at + profile.most_names] for at in range(0, len(every), profile.most_names)]
        for common_name, chosen, vouch in (*(("", group, vouched) for group in groups), ("alice", every[:1], None)):
            if profile.common_name or not common_name:
                contents = CertificateContents(common_name, chosen, key_kind, public_key_der, present, end, vouch)
                made.append(template.to_be_signed(b"\x01" * SERIAL_OCTETS, contents))
    return tuple(made)


def lint_representative(profile: Profile, issuer: Issuer, now: Instant) -> tuple[Finding, ...]:
    """What would be wrong with every certificate of this profile; asked when a profile is saved."""
    lint = LeafLint(issuer, profile)
    return tuple(finding for made in representatives(profile, issuer, now) for finding in lint.findings(made))
