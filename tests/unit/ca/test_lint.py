from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sealwright.ca import der, profiles
from sealwright.ca.errors import LintFailed
from sealwright.ca.lint import PARTICULAR, SHARED, LeafLint, lint_representative, representatives
from sealwright.ca.models import Curve, KeyKind, KeyUse, Name, NameType, Profile, ProvisionerExtension
from sealwright.ca.public_keys import encoded
from sealwright.ca.tbs_parser import NAMES as SUBJECT_ALTERNATIVE_NAME
from sealwright.ca.tbs_parser import read
from sealwright.ca.x509 import LeafTemplate, encode_names, encode_subject, encode_time, extension, key_identifier, key_usage, sign
from sealwright.clock import Instant, from_datetime
from tests.pkilinting import WAIVERS, every_finding, pkilint
from tests.unit.ca import examples

PROFILE = Profile(
    name="full",
    wildcards=False,
    issuer_url="http://status.example.org/issuer.cer",
    ocsp_url="http://status.example.org/ocsp",
    crl_url="http://status.example.org/crl/1.crl",
    most_names=3,
    longest=timedelta(days=90),
)
ISSUER = examples.issuer()
LINT = LeafLint(ISSUER, PROFILE)
CONTENTS = examples.contents(examples.MAIL, common_name="alice", extension=ProvisionerExtension(2, "Sealwright", "step"))
DAY = 86_400_000

NAMES, KEY_USAGE, USES = der.oid("2.5.29.17"), der.oid("2.5.29.15"), der.oid("2.5.29.37")
SUBJECT_KEY, AUTHORITY_KEY = der.oid("2.5.29.14"), der.oid("2.5.29.35")
ACCESS, CRL = der.oid("1.3.6.1.5.5.7.1.1"), der.oid("2.5.29.31")
PROVISIONER = der.oid("1.3.6.1.4.1.37476.9000.64.1")


FIELDS = ("version", "serial", "algorithm", "issuer", "validity", "subject", "public_key")


def certificate(*, extensions=None, trailing=b"", order=None, **fields):
    """The bytes of a good certificate, with some fields or extensions replaced."""
    good = LeafTemplate(ISSUER, PROFILE).to_be_signed(examples.SERIAL, CONTENTS)
    parts = [good[start:end] for _, start, _, end in der.parts_of(good)]
    values = dict(zip(FIELDS, parts, strict=False))
    chosen = {der.oid(oid.dotted_string): (one.critical, one.value) for oid, one in read(good).extensions.items()} | (
        extensions or {}
    )
    listed = b"".join(
        der.sequence(oid, der.BOOLEAN_TRUE if one[0] else b"", der.wrap(der.OCTET_STRING, one[1]))
        for oid in order or chosen
        if (one := chosen[oid]) is not None
    )
    inside = b"".join({**values, **fields}.values()) + trailing + der.wrap(0xA3, der.sequence(listed))
    return der.sequence(inside)


def names(*chosen, critical=False):
    return {NAMES: (critical, encode_names(chosen))}


def validity(begins, ends):
    return der.sequence(encode_time(Instant(begins)), encode_time(Instant(ends)))


def key(public_key):
    """A public key with the key identifier that belongs to it."""
    return {
        "public_key": public_key,
        "extensions": {SUBJECT_KEY: (False, der.wrap(der.OCTET_STRING, key_identifier(public_key)))},
    }


def other(text, kind=NameType.DNS):
    return names(Name(kind, text))


RSA = encoded(examples.key("RSA-2048").public_key())
SECP256K1 = encoded(ec.generate_private_key(ec.SECP256K1()).public_key())
UTC_2050 = b"\x17\x0d500101000000Z"
GENERALIZED_2027 = b"\x18\x0f20270101000000Z"
LATE = int(from_datetime(datetime(2049, 12, 31, tzinfo=UTC)))

VIOLATIONS = [
    ("version", {"version": b"\xa0\x03\x02\x01\x01"}),
    ("serial_number", {"serial": b"\x02\x14" + b"\x81" * 20}),
    ("serial_number", {"serial": b"\x02\x15\x00" + b"\x81" * 20}),
    ("serial_number", {"serial": b"\x02\x08" + b"\x01" * 8}),
    ("serial_number", {"serial": b"\x02\x14\x00" + b"\x81" * 19}),
    ("signature_algorithm", {"algorithm": der.sequence(der.oid("1.2.840.10045.4.3.3"))}),
    ("signature_algorithm", {"algorithm": der.sequence(der.oid("1.2.840.10045.4.3.2"), der.NULL)}),
    ("issuer", {"issuer": encode_subject("Example Issuing CA 1")}),
    ("issuer", {"issuer": der.sequence()}),
    ("time_forms", {"validity": der.sequence(encode_time(CONTENTS.not_before), GENERALIZED_2027)}),
    ("validity_order", {"validity": validity(CONTENTS.not_after, CONTENTS.not_before)}),
    ("validity_order", {"validity": validity(CONTENTS.not_before, CONTENTS.not_before)}),
    ("validity_length", {"validity": validity(examples.SECOND, examples.SECOND + 90 * DAY + 60_000)}),
    ("validity_within_issuer", {"validity": validity(ISSUER.not_after - DAY, ISSUER.not_after + 1000)}),
    ("subject", {"subject": der.sequence(der.wrap(der.SET, der.sequence(der.oid("2.5.4.10"), b"\x0c\x01a")))}),
    ("subject", {"subject": encode_subject("alice").replace(b"\x0c\x05", b"\x13\x05")}),
    ("subject", {"subject": der.sequence(*[encode_subject("alice")[2:]] * 2)}),
    ("subject", {"subject": encode_subject("a" * 65)}),
    ("subject", {"subject": encode_subject("ali\u202ece")}),
    ("subject", {"subject": encode_subject(" ")}),
    ("public_key", {"public_key": SECP256K1}),
    ("public_key", {"public_key": RSA.replace(b"\x05\x00", b"\x04\x00", 1)}),
    ("public_key", {"public_key": der.sequence()}),
    ("unique_identifiers", {"trailing": b"\x81\x02\x00\x01"}),
    ("extensions", {"extensions": {der.oid("2.5.29.54"): (False, b"\x02\x01\x00")}}),
    ("extensions", {"extensions": {CRL: None}}),
    ("extensions", {"extensions": {NAMES: None}}),
    ("extensions", {"extensions": {SUBJECT_KEY: None}}),
    ("authority_key_identifier", {"extensions": {AUTHORITY_KEY: (False, der.sequence(der.wrap(0x80, b"x" * 20)))}}),
    ("authority_key_identifier", {"extensions": {AUTHORITY_KEY: (True, LINT.authority_key)}}),
    ("authority_key_identifier", {"extensions": {AUTHORITY_KEY: (False, LINT.authority_key + b"\x00")}}),
    ("subject_key_identifier", {"extensions": {SUBJECT_KEY: (False, der.wrap(der.OCTET_STRING, b"x" * 20))}}),
    (
        "subject_key_identifier",
        {"extensions": {SUBJECT_KEY: (True, der.wrap(der.OCTET_STRING, key_identifier(CONTENTS.public_key_der)))}},
    ),
    ("subject_key_identifier", {"public_key": encoded(ec.generate_private_key(ec.SECP256R1()).public_key())}),
    ("key_usage", {"extensions": {KEY_USAGE: (False, b"\x03\x02\x07\x80")}}),
    ("key_usage", {"extensions": {KEY_USAGE: (True, b"\x03\x02\x05\xa0")}}),
    ("key_usage", {"extensions": {KEY_USAGE: (True, b"\x03\x02\x02\x84")}}),
    ("key_usage", key(RSA)),
    ("names", {"extensions": {NAMES: (False, der.sequence())}}),
    ("names", {"extensions": {NAMES: (False, der.sequence(b"\x88\x03\x2a\x03\x04"))}}),
    ("names", {"extensions": {NAMES: (False, der.sequence(b"\x87\x05\xc0\x00\x02\x01\x00"))}}),
    ("names", {"extensions": {NAMES: (False, der.sequence(b"\x82\x04we\xc3\xa9"))}}),
    ("names", {"extensions": names(*(Name(NameType.DNS, f"w{number}.example.org") for number in range(4)))}),
    ("names_critical", {"extensions": names(examples.MAIL, critical=True)}),
    ("names_critical", {"subject": der.sequence()}),
    ("names_canonical", {"extensions": names(examples.MAIL, examples.MAIL)}),
    ("names_canonical", {"extensions": other("Web.example.org")}),
    ("names_canonical", {"extensions": other("web_1.example.org")}),
    ("names_canonical", {"extensions": other("example.org.")}),
    ("names_canonical", {"extensions": other("web.*.example.org")}),
    ("names_canonical", {"extensions": other("*.org")}),
    ("names_canonical", {"extensions": other("a" * 64 + ".org")}),
    ("names_canonical", {"extensions": other("1.2.0.192.in-addr.arpa")}),
    ("names_canonical", {"extensions": other("web.example.org\0.evil")}),
    ("names_canonical", {"extensions": other("xn--a.example")}),
    ("names_canonical", {"extensions": other("0.0.0.0", NameType.IP)}),
    ("names_canonical", {"extensions": other("a b@example.org", NameType.EMAIL)}),
    ("names_canonical", {"extensions": other("https://user@example.org", NameType.URI)}),
    ("names_canonical", {"extensions": other("::ffff:192.0.2.1", NameType.IP)}),
    ("names_in_profile", {"extensions": other("*.example.org")}),
    ("basic_constraints", {"extensions": {der.oid("2.5.29.19"): (True, der.sequence(der.BOOLEAN_TRUE))}}),
    ("basic_constraints", {"extensions": {der.oid("2.5.29.19"): (False, der.sequence())}}),
    ("extended_key_usage", {"extensions": {USES: (False, der.sequence(der.oid("2.5.29.37.0")))}}),
    ("extended_key_usage", {"extensions": {USES: (False, der.sequence(der.oid("1.3.6.1.5.5.7.3.1")))}}),
    ("extended_key_usage", {"extensions": {USES: (True, LINT.extended_usage)}}),
    ("addresses", {"extensions": {CRL: (False, der.sequence())}}),
    ("addresses", {"extensions": {CRL: (True, LINT.points)}}),
    ("addresses", {"extensions": {ACCESS: (False, LINT.access.replace(b"status", b"statvs"))}}),
    ("provisioner_extension", {"extensions": {PROVISIONER: (False, b"\x30\x00")}}),
    ("provisioner_extension", {"extensions": {PROVISIONER: (True, der.sequence(b"\x02\x01\x02", b"\x04\x00", b"\x04\x00"))}}),
    ("size", {"extensions": {PROVISIONER: (False, der.sequence(b"\x02\x01\x02", der.wrap(0x04, b"a" * 65_536), b"\x04\x00"))}}),
]


@pytest.mark.parametrize(("rule", "changes"), VIOLATIONS, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(VIOLATIONS)])
def test_each_rule_finds_what_breaks_it(rule, changes):
    found = {finding.rule: finding for finding in LINT.findings(certificate(**changes))}
    assert rule in found
    assert found[rule].section
    assert found[rule].detail


OF_NARROW_PROFILES = [
    ("key_strength", {"curves": (Curve.P384,)}, "the key lies on P-256, not on P-384"),
    ("fitting_usages", {"key_uses": (KeyUse.CONTENT_COMMITMENT,)}, "server_auth needs the key usage"),
    ("fitting_usages", {"key_uses": (KeyUse.KEY_ENCIPHERMENT,)}, "a key of the kind EC has no key usage"),
]


@pytest.mark.parametrize(("rule", "members", "said"), OF_NARROW_PROFILES)
def test_certificate_that_a_narrower_profile_would_not_have_is_found(rule, members, said):
    narrow = msgspec.structs.replace(PROFILE, **members)
    to_be_signed = LeafTemplate(ISSUER, narrow).to_be_signed(examples.SERIAL, CONTENTS)
    found = {finding.rule: finding.detail for finding in LeafLint(ISSUER, narrow).findings(to_be_signed)}
    assert said in found[rule]


@pytest.mark.parametrize(
    ("uses", "kind", "value"),
    [
        (("digital_signature",), "EC", "03020780"),
        (("digital_signature", "key_encipherment"), "RSA", "030205a0"),
        (("digital_signature", "key_encipherment"), "EC", "03020780"),
        (("digital_signature", "key_agreement"), "EC", "03020388"),
        (("content_commitment", "digital_signature"), "Ed25519", "030206c0"),
    ],
)
def test_key_usage_has_what_this_kind_of_key_can_do_in_der(uses, kind, value):
    profile = msgspec.structs.replace(PROFILE, key_uses=tuple(map(KeyUse, uses)))
    assert key_usage(profile, KeyKind(kind)).hex() == value


def test_every_rule_is_broken_by_some_test():
    narrow = {rule for rule, _, _ in OF_NARROW_PROFILES}
    assert {rule for rule, _ in VIOLATIONS} | narrow == {rule for rule, _, _ in (*SHARED, *PARTICULAR)}


def test_good_certificate_has_no_findings():
    assert LINT.findings(certificate()) == ()
    assert certificate() == LeafTemplate(ISSUER, PROFILE).to_be_signed(examples.SERIAL, CONTENTS)


def test_utc_time_is_never_read_as_a_year_from_2050_on():
    found = LINT.findings(certificate(validity=der.sequence(encode_time(Instant(LATE)), UTC_2050)))
    assert "validity_order" in {finding.rule for finding in found}


def test_extension_twice_is_found():
    good = certificate(extensions={NAMES: None})
    reading = read(good)
    twice = b"".join(
        der.sequence(oid, der.BOOLEAN_TRUE if critical else b"", der.wrap(der.OCTET_STRING, value))
        for oid, critical, value in [
            (der.oid(one.oid.dotted_string), one.critical, one.value) for one in reading.extensions.values()
        ]
        * 2
    )
    names_again = extension("2.5.29.17", encode_names(CONTENTS.names))
    start = good.index(b"\xa3\x82")
    data = der.sequence(good[4:start] + der.wrap(0xA3, der.sequence(twice + names_again)))
    assert "an extension is there twice" in [finding.detail for finding in LINT.findings(data)]


def test_extra_second_is_found_and_the_last_allowed_is_not():
    most = PROFILE.longest + PROFILE.backdate
    last = examples.SECOND + most // timedelta(milliseconds=1)
    assert LINT.findings(certificate(validity=validity(examples.SECOND, last - 1000))) == ()
    assert [finding.rule for finding in LINT.findings(certificate(validity=validity(examples.SECOND, last)))] == [
        "validity_length"
    ]


def test_common_name_is_refused_where_the_profile_wants_an_empty_subject():
    without = LeafLint(ISSUER, msgspec.structs.replace(PROFILE, common_name=False))
    assert [finding.rule for finding in without.findings(certificate())] == ["subject"]


def test_kinds_that_the_profile_does_not_have_are_refused():
    narrow = msgspec.structs.replace(PROFILE, key_kinds=(KeyKind.RSA,), name_types=(NameType.DNS,), provisioner_extension=False)
    assert {finding.rule for finding in LeafLint(ISSUER, narrow).findings(certificate())} == {
        "public_key",
        "names_in_profile",
        "extensions",
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x00",
        b"\x30\x80\x00\x00",
        certificate() + b"\x00",
        certificate()[:-1],
        certificate(validity=der.sequence(encode_time(CONTENTS.not_before))),
        certificate(validity=der.sequence(encode_time(CONTENTS.not_before), b"\x17\x0d261301000000Z")),
        certificate(validity=der.sequence(encode_time(CONTENTS.not_before), b"\x17\x0b2612010000Z")),
        certificate(validity=der.sequence(encode_time(CONTENTS.not_before), b"\x17\x11261201000000+0100")),
        certificate().replace(b"\x01\x01\xff", b"\x01\x01\x01"),
    ],
)
def test_what_is_not_der_of_a_leaf_is_one_finding(data):
    assert [finding.rule for finding in LINT.findings(data)] == ["der"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("common_name", "bob"),
        ("common_name", ""),
        ("names", (examples.WEB,)),
        ("names", (examples.MAIL, examples.WEB)),
        ("names", ()),
        ("names", (Name(NameType.DNS, examples.MAIL.value),)),
        ("key_kind", KeyKind.RSA),
        ("public_key_der", RSA),
        ("not_before", Instant(CONTENTS.not_before - 1000)),
        ("not_after", Instant(CONTENTS.not_after + 1000)),
        ("extension", None),
        ("extension", ProvisionerExtension(2, "Sealwright", "other")),
        ("serial", b"\x01" * 20),
    ],
)
def test_nothing_is_signed_when_the_bytes_say_something_else_than_was_decided(field, value):
    serial = value if field == "serial" else examples.SERIAL
    decided = CONTENTS if field == "serial" else msgspec.structs.replace(CONTENTS, **{field: value})
    with pytest.raises(LintFailed, match="something else") as caught:
        LINT.require_clean(certificate(), serial, decided)
    assert caught.value.reasons == ("decided (policy): the bytes say something else than what was decided",)
    LINT.require_clean(certificate(), examples.SERIAL, CONTENTS)


def test_order_of_names_is_part_of_what_was_decided():
    decided = msgspec.structs.replace(CONTENTS, names=(examples.MAIL, examples.WEB))
    LINT.require_clean(certificate(extensions=names(examples.MAIL, examples.WEB)), examples.SERIAL, decided)
    with pytest.raises(LintFailed, match="something else"):
        LINT.require_clean(certificate(extensions=names(examples.WEB, examples.MAIL)), examples.SERIAL, decided)


@pytest.mark.parametrize(("rule", "changes"), VIOLATIONS, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(VIOLATIONS)])
def test_certificate_that_breaks_a_rule_is_refused_after_a_good_one_too(rule, changes):
    lint = LeafLint(ISSUER, PROFILE)
    lint.require_clean(certificate(), examples.SERIAL, CONTENTS)
    with pytest.raises(LintFailed) as caught:
        lint.require_clean(certificate(**changes), examples.SERIAL, CONTENTS)
    assert rule in [reason.partition(" ")[0] for reason in caught.value.reasons]


def test_failure_names_every_broken_rule():
    with pytest.raises(LintFailed) as caught:
        LINT.require_clean(
            certificate(version=b"\xa0\x03\x02\x01\x01", subject=encode_subject("a" * 65)), examples.SERIAL, CONTENTS
        )
    assert [reason.partition(" ")[0] for reason in caught.value.reasons] == ["version", "subject", "decided"]


# --- profiles --------------------------------------------------------------------------------------------------------

EVERY_PROFILE = [*profiles.BUILT_IN.values(), PROFILE]


@pytest.mark.parametrize("profile", EVERY_PROFILE, ids=lambda profile: profile.name)
@pytest.mark.parametrize("issuer_kind", ["P-256", "P-384", "RSA-2048", "Ed25519"])
def test_representatives_of_a_profile_lint_clean(profile, issuer_kind):
    assert lint_representative(profile, examples.issuer(issuer_kind), examples.NOW) == ()


def test_representatives_show_every_kind_of_key_and_both_kinds_of_subject():
    made = [read(data) for data in representatives(profiles.STEP_LEAF, ISSUER, examples.NOW)]
    assert len(made) == 6
    assert Counter(reading.extensions[SUBJECT_ALTERNATIVE_NAME].critical for reading in made) == {True: 3, False: 3}


def test_profile_whose_certificates_would_outlive_the_issuer_is_cut_to_it():
    short = examples.issuer(not_after=examples.SECOND + DAY)
    assert lint_representative(profiles.STEP_LEAF, short, examples.NOW) == ()


def signed(data, profile=PROFILE):
    return LeafTemplate(ISSUER, profile).with_signature(data, sign(ISSUER.private_key, data))


@pytest.mark.parametrize("profile", EVERY_PROFILE, ids=lambda profile: profile.name)
def test_pkilint_finds_nothing_in_the_certificates_of_a_profile(profile):
    for data in representatives(profile, ISSUER, examples.NOW):
        assert pkilint(signed(data, profile)) == {}


def test_pkilint_would_find_what_is_wrong():
    assert pkilint(signed(certificate(extensions={AUTHORITY_KEY: None})))
    assert pkilint(signed(certificate(extensions={KEY_USAGE: (True, b"\x03\x02\x02\x84")})))


@pytest.mark.parametrize(("name", "kind"), [
    ("spiffe://example.org/web", NameType.URI),
    ("https://localhost:8443/oauth2/openid/step-ca#alice", NameType.URI),
    ("localhost", NameType.DNS),
])  # fmt: skip
def test_every_waiver_is_needed(name, kind):
    identity = certificate(extensions=other(name, kind))
    assert LINT.findings(identity) == ()
    (found,) = every_finding(signed(identity)).items()
    assert any(code == found[0] and part in found[1] for code, part, _ in WAIVERS)
    assert pkilint(signed(identity)) == {}
