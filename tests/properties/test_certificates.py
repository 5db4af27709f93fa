"""Certificates for many inputs: the template against the builder of pyca/cryptography, the reader against both."""

import ipaddress
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sealwright.ca import csr, names
from sealwright.ca.errors import CertificateNameRefused, CsrRefused, LintFailed, PublicKeyRefused
from sealwright.ca.lint import LeafLint
from sealwright.ca.models import CertificateContents, Claims, KeyUse, Name, NameType, Profile, ProvisionerExtension
from sealwright.ca.policy import decide
from sealwright.ca.profiles import SERVER, STEP_LEAF
from sealwright.ca.public_keys import encoded, kind_of
from sealwright.ca.reserved import OwnNames
from sealwright.ca.x509 import (
    PROVISIONER_OID,
    LeafTemplate,
    decode_provisioner,
    encode_provisioner,
    new_serial,
    sign,
    verify_issued,
)
from sealwright.clock import Instant, to_datetime
from sealwright.entropy import SeededEntropy, SystemEntropy
from tests.unit.ca import examples

FULL = Profile(
    name="full",
    issuer_url="http://status.example.org/issuer.cer",
    ocsp_url="http://status.example.org/ocsp",
    crl_url="http://status.example.org/crl/1.crl",
)


def _accepted(name):
    try:
        return names.canonical(name) == name
    except CertificateNameRefused:
        return False


labels = st.from_regex(r"[a-z0-9]([a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
hosts = st.lists(labels, min_size=2, max_size=5).map(lambda parts: ".".join([*parts, "example"]))
every_name = st.one_of(
    hosts.map(lambda host: Name(NameType.DNS, host)),
    hosts.map(lambda host: Name(NameType.DNS, f"*.{host}")),
    st.ip_addresses().map(lambda address: Name(NameType.IP, str(address))).filter(_accepted),
    st.tuples(st.from_regex(r"[A-Za-z0-9+_-]{1,30}", fullmatch=True), hosts).map(
        lambda pair: Name(NameType.EMAIL, f"{pair[0]}@{pair[1]}")
    ),
    st.tuples(hosts, st.from_regex(r"(/[a-z0-9%]{0,0}[A-Za-z0-9._-]{1,300}){0,3}(#[A-Za-z0-9]{1,40})?", fullmatch=True)).map(
        lambda pair: Name(NameType.URI, f"https://{pair[0]}{pair[1]}")
    ),
)
common_names = st.one_of(
    st.just(""),
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=64).filter(
        lambda text: len(text.encode()) <= names.LONGEST_COMMON_NAME
    ),
)
texts = st.text(st.characters(codec="utf-8"), max_size=40)
extensions = st.one_of(
    st.none(),
    st.builds(
        ProvisionerExtension,
        st.integers(1, 11),
        texts,
        texts,
        st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    ),
)
seconds = st.integers(0, 130 * 365 * 86_400)


def contents_of(common_name, chosen, kind, begins, lasts, extension):
    public_key = examples.key(kind).public_key()
    return CertificateContents(
        common_name,
        tuple(dict.fromkeys(chosen)),
        kind_of(public_key),
        encoded(public_key),
        Instant(begins * 1000),
        Instant((begins + lasts) * 1000),
        extension,
    )


every_contents = st.builds(
    contents_of,
    common_names,
    st.lists(every_name, min_size=1, max_size=8),
    st.sampled_from(examples.KEYS),
    seconds,
    st.integers(1, 90 * 86_400),
    extensions,
)


def general(name):
    match name.type:
        case NameType.DNS:
            return x509.DNSName(name.value)
        case NameType.IP:
            return x509.IPAddress(ipaddress.ip_address(name.value))
        case NameType.EMAIL:
            return x509.RFC822Name(name.value)
        case _:
            return x509.UniformResourceIdentifier(name.value)


def built(issuer, profile, serial, contents):
    """The same certificate by the builder of pyca/cryptography."""
    above = x509.load_der_x509_certificate(issuer.certificate_der)
    attributes = [x509.NameAttribute(x509.OID_COMMON_NAME, contents.common_name)] if contents.common_name else []
    public_key = next(
        key.public_key() for kind in examples.KEYS if encoded((key := examples.key(kind)).public_key()) == contents.public_key_der
    )
    enciphers = contents.key_kind == "RSA" and KeyUse.KEY_ENCIPHERMENT in profile.key_uses
    uses = {"server_auth": x509.OID_SERVER_AUTH, "client_auth": x509.OID_CLIENT_AUTH}
    wanted: list[tuple[x509.ExtensionType, bool]] = [
        (x509.KeyUsage(*[True, False, enciphers], *[False] * 6), True),
        (x509.ExtendedKeyUsage([uses[use] for use in profile.extended_uses]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
        (x509.AuthorityKeyIdentifier(issuer.key_identifier, None, None), False),
    ]
    if profile.ocsp_url:
        wanted.append(
            (
                x509.AuthorityInformationAccess(
                    [
                        x509.AccessDescription(x509.OID_OCSP, x509.UniformResourceIdentifier(profile.ocsp_url)),
                        x509.AccessDescription(x509.OID_CA_ISSUERS, x509.UniformResourceIdentifier(profile.issuer_url)),
                    ]
                ),
                False,
            )
        )
    wanted.append((x509.SubjectAlternativeName([general(name) for name in contents.names]), not contents.common_name))
    if profile.crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(profile.crl_url)], None, None, None)
        wanted.append((x509.CRLDistributionPoints([point]), False))
    if contents.extension is not None and profile.provisioner_extension:
        vouched = encode_provisioner(contents.extension)
        wanted.append((x509.UnrecognizedExtension(x509.ObjectIdentifier(PROVISIONER_OID), vouched), False))
    builder = (
        x509.CertificateBuilder()
        .serial_number(int.from_bytes(serial, "big"))
        .issuer_name(above.subject)
        .subject_name(x509.Name(attributes))
        .not_valid_before(to_datetime(contents.not_before))
        .not_valid_after(to_datetime(contents.not_after))
        .public_key(public_key)
    )
    for value, critical in wanted:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer.private_key, _hash(issuer))


def _hash(issuer):
    name = getattr(getattr(issuer.public_key, "curve", None), "name", "")
    if name:
        return {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}[name]
    return hashes.SHA256() if hasattr(issuer.public_key, "key_size") else None


@settings(deadline=None, max_examples=120)
@given(every_contents, st.sampled_from([STEP_LEAF, SERVER, FULL]), st.sampled_from(examples.KEYS), st.integers(0, 2**32))
def test_template_makes_the_bytes_that_the_builder_makes(contents, profile, issuer_kind, seed):
    issuer = examples.issuer(issuer_kind)
    serial = new_serial(SeededEntropy(seed), examples.NOW)
    to_be_signed = LeafTemplate(issuer, profile).to_be_signed(serial, contents)
    assert to_be_signed == built(issuer, profile, serial, contents).tbs_certificate_bytes


def says_what_was_decided(certificate, contents):
    """Whether the certificates of pyca/cryptography read the same out of it as was decided."""
    kinds: dict[type, NameType] = {
        x509.DNSName: NameType.DNS,
        x509.RFC822Name: NameType.EMAIL,
        x509.UniformResourceIdentifier: NameType.URI,
        x509.IPAddress: NameType.IP,
    }
    general = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        tuple(Name(kinds[type(name)], str(name.value)) for name in general) == contents.names
        and [(one.oid, one.value) for one in certificate.subject]
        == ([(x509.OID_COMMON_NAME, contents.common_name)] if contents.common_name else [])
        and certificate.not_valid_before_utc == to_datetime(contents.not_before)
        and certificate.not_valid_after_utc == to_datetime(contents.not_after)
        and encoded(certificate.public_key()) == contents.public_key_der
    )


@settings(deadline=None, max_examples=60)
@given(every_contents, st.sampled_from(examples.KEYS))
def test_what_was_signed_reads_back_as_decided_by_another_parser(contents, issuer_kind):
    issuer = examples.issuer(issuer_kind)
    template = LeafTemplate(issuer, FULL)
    to_be_signed = template.to_be_signed(examples.SERIAL, contents)
    certificate_der = template.with_signature(to_be_signed, sign(issuer.private_key, to_be_signed))
    verify_issued(certificate_der, to_be_signed, issuer.public_key, examples.SERIAL, contents)
    certificate = x509.load_der_x509_certificate(certificate_der)
    assert certificate.public_bytes(Encoding.DER) == certificate_der
    assert says_what_was_decided(certificate, contents)
    assert certificate.signature_algorithm_oid == built(issuer, FULL, examples.SERIAL, contents).signature_algorithm_oid


@settings(deadline=None, max_examples=200)
@given(
    st.lists(every_name, min_size=1, max_size=5),
    common_names,
    st.integers(0, 4 * 365 * 86_400_000),
    st.timedeltas(timedelta(0), timedelta(days=400)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
)
def test_what_policy_allows_lints_clean_at_every_moment(chosen, common_name, offset, longest, asked):
    issuer = examples.issuer()
    now = Instant(examples.NOW + offset)
    claims = Claims(
        shortest=timedelta(seconds=1), default=max(longest, timedelta(seconds=1)), longest=max(longest, timedelta(seconds=1))
    )
    grant = examples.grant(*chosen, common_name=common_name, claims=claims)
    decision = decide(grant, examples.request(not_after=asked), STEP_LEAF, issuer, now, own_names=OwnNames(()))
    if not decision.allowed:
        assert decision.refusal is not None
        assert decision.reasons
        return
    contents = decision.require()
    life = timedelta(milliseconds=contents.not_after - contents.not_before) + timedelta(seconds=1)
    assert life <= claims.longest + STEP_LEAF.backdate
    assert contents.not_after <= issuer.not_after
    to_be_signed = LeafTemplate(issuer, STEP_LEAF).to_be_signed(examples.SERIAL, contents)
    assert LeafLint(issuer, STEP_LEAF).findings(to_be_signed) == ()
    LeafLint(issuer, STEP_LEAF).require_clean(to_be_signed, examples.SERIAL, contents)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(NameType), st.text(max_size=80))
@example(NameType.DNS, "xn--" + "a" * 59 + ".example")
@example(NameType.DNS, "xn--99999999999.example")
@example(NameType.URI, "https://[")
@example(NameType.URI, "https://a:\u0662/")
@example(NameType.IP, "1" * 80)
def test_canonical_form_is_a_fixed_point_or_a_refusal(kind, text):
    try:
        name = names.canonical(Name(kind, text))
    except CertificateNameRefused as caught:
        detail = caught.detail
    else:
        detail = name.value
        assert names.canonical(name) == name
        assert name.value.isascii()
    assert detail.isprintable()


@settings(deadline=None, max_examples=200)
@given(every_name)
def test_type_of_a_canonical_name_is_told_from_its_text(name):
    assert names.type_of(name.value) is name.type


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
@example(b"\x30\x84\xff\xff\xff\xff")
@example(b"\x30\x03\x30\x80\x00")
def test_rubbish_is_refused_as_a_signing_request(data):
    with pytest.raises(CsrRefused):
        csr.parse(b"\x30" + data)


ORIGINAL = examples.der(examples.csr(x509.DNSName("web.example.org"), x509.RFC822Name("alice@example.org")))


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(st.integers(0, len(ORIGINAL) - 1), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 20))
def test_damaged_signing_request_is_refused_or_says_the_same(changes, cut):
    damaged = bytearray(ORIGINAL)
    for position, value in changes:
        damaged[position] = value
    data = bytes(damaged[: len(damaged) - cut])
    try:
        read_back = csr.parse(data)
    except (CsrRefused, PublicKeyRefused):
        return
    original = csr.parse(ORIGINAL)
    assert (read_back.public_key_der, read_back.names) == (original.public_key_der, original.names)


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=3))
def test_damaged_certificate_never_passes_for_what_was_decided(changes):
    issuer = examples.issuer()
    vouched = ProvisionerExtension(2, "Sealwright", "step")
    contents = examples.contents(examples.MAIL, common_name="alice", extension=vouched)
    original = LeafTemplate(issuer, STEP_LEAF).to_be_signed(examples.SERIAL, contents)
    damaged = bytearray(original)
    for position, value in changes:
        damaged[position % len(damaged)] = value
    if bytes(damaged) == original:
        return
    lint = LeafLint(issuer, STEP_LEAF)
    with pytest.raises(LintFailed):
        lint.require_clean(bytes(damaged), examples.SERIAL, contents)
    lint.require_clean(original, examples.SERIAL, contents)
    with pytest.raises(LintFailed):
        lint.require_clean(bytes(damaged), examples.SERIAL, contents)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_rubbish_as_a_certificate_is_a_finding_and_no_crash(data):
    found = LeafLint(examples.issuer(), STEP_LEAF).findings(data)
    assert [finding.rule for finding in found] == ["der"]


@settings(deadline=None, max_examples=200)
@given(extensions.filter(lambda extension: extension is not None))
def test_provisioner_extension_reads_back(extension):
    assert decode_provisioner(encode_provisioner(extension)) == extension


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60))
def test_rubbish_as_provisioner_extension_is_a_value_error(data):
    try:
        found = decode_provisioner(data)
    except ValueError:
        return
    assert isinstance(found, ProvisionerExtension)


def test_serials_are_unique_positive_ordered_by_time_and_random_in_every_bit():
    entropy = SystemEntropy()
    count = 100_000
    serials = [new_serial(entropy, examples.NOW) for _ in range(count)]
    assert len(set(serials)) == count
    assert {len(serial) for serial in serials} == {20}
    assert {serial[:4] for serial in serials} == {(examples.NOW // 2000).to_bytes(4, "big")}
    columns = [Counter(b"".join(serials)[position::20]) for position in range(4, 20)]
    ones = [sum(count for byte, count in column.items() if byte >> bit & 1) for column in columns for bit in range(8)]
    # Each bit is one in half of the cases; seven standard deviations leave a chance of 10^-10 to fail for nothing.
    assert len(ones) == 128
    assert all(abs(number - count / 2) < 7 * (count / 4) ** 0.5 for number in ones)


@given(st.integers(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2106, 1, 1, tzinfo=UTC).timestamp())))
def test_serials_of_this_century_begin_with_a_positive_byte(moment):
    serial = new_serial(SeededEntropy(1), Instant(moment * 1000))
    assert 1 <= serial[0] <= 0x7F
    assert serial > new_serial(SeededEntropy(1), Instant((moment - 2) * 1000))
