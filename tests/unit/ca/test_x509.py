import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.ca import der
from sealwright.ca.errors import AlreadySigned, VerificationFailed
from sealwright.ca.models import KeyKind, PreparedCertificate, ProvisionerExtension
from sealwright.ca.profiles import SERVER, STEP_LEAF
from sealwright.ca.public_keys import encoded
from sealwright.ca.x509 import (
    LeafTemplate,
    decode_provisioner,
    encode_provisioner,
    encode_time,
    key_identifier,
    new_serial,
    provisioner_of,
    sign,
    signature_algorithm,
    signs_again,
    verify,
    verify_issued,
)
from sealwright.clock import Instant, from_datetime
from sealwright.entropy import SeededEntropy
from tests import authorities
from tests.unit.ca import examples

VOUCHED = ProvisionerExtension(2, "Sealwright", "step")
EXTENSION_NAMES = ["keyUsage", "extendedKeyUsage", "subjectKeyIdentifier", "authorityKeyIdentifier", "subjectAltName"]


def issue(contents, *, profile=STEP_LEAF, issuer=None, serial=examples.SERIAL):
    issuer = issuer or examples.issuer()
    template = LeafTemplate(issuer, profile)
    to_be_signed = template.to_be_signed(serial, contents)
    return template.with_signature(to_be_signed, sign(issuer.private_key, to_be_signed)), to_be_signed


def certificate(*names, profile=STEP_LEAF, issuer=None, **others):
    return x509.load_der_x509_certificate(issue(examples.contents(*names, **others), profile=profile, issuer=issuer)[0])


def test_step_leaf_has_the_shape_that_step_expects():
    made = certificate(examples.MAIL, examples.SUBJECT_URI, common_name="8f2c", extension=VOUCHED)
    assert made.version is x509.Version.v3
    assert made.subject.rfc4514_string() == "CN=8f2c"
    assert made.issuer.rfc4514_string() == "CN=Example Issuing CA 1,O=Example"
    assert [one.oid._name for one in made.extensions] == [*EXTENSION_NAMES, "Unknown OID"]
    assert [one.oid._name for one in made.extensions if one.critical] == ["keyUsage"]
    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [x509.OID_SERVER_AUTH, x509.OID_CLIENT_AUTH]
    assert made.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value == x509.SubjectKeyIdentifier.from_public_key(
        examples.key().public_key()
    )
    above = x509.load_der_x509_certificate(examples.issuer().certificate_der)
    identifier = above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert made.extensions.get_extension_for_class(
        x509.AuthorityKeyIdentifier
    ).value == x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    assert provisioner_of(made) == VOUCHED
    made.verify_directly_issued_by(above)


def test_server_leaf_authenticates_servers_only_and_names_no_provisioner():
    made = certificate(examples.WEB, profile=SERVER, extension=VOUCHED)
    assert list(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [x509.OID_SERVER_AUTH]
    assert provisioner_of(made) is None
    assert [one.oid._name for one in made.extensions] == EXTENSION_NAMES


def test_names_are_critical_only_when_the_subject_is_empty():
    for common_name, critical in (("", True), ("web", False)):
        made = certificate(examples.WEB, common_name=common_name)
        assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical is critical
        assert len(made.subject) == (0 if critical else 1)


@pytest.mark.parametrize("kind", examples.KEYS)
def test_key_usage_follows_the_kind_of_key(kind):
    usage = certificate(kind=kind).extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_encipherment is kind.startswith("RSA")
    assert not any((usage.value.key_agreement, usage.value.key_cert_sign, usage.value.content_commitment))


@pytest.mark.parametrize("kind", examples.KEYS)
def test_signature_algorithm_is_the_issuers_and_the_same_inside_and_outside(kind):
    issuer = examples.issuer(kind)
    data, to_be_signed = issue(examples.contents(), issuer=issuer)
    algorithm = signature_algorithm(issuer.public_key)
    assert data.count(algorithm) == 2
    assert (der.NULL in algorithm) is kind.startswith("RSA")
    verify(issuer.public_key, x509.load_der_x509_certificate(data).signature, to_be_signed)
    with pytest.raises(InvalidSignature):
        verify(issuer.public_key, x509.load_der_x509_certificate(data).signature, to_be_signed + b"\x00")


@pytest.mark.parametrize("kind", examples.KEYS)
def test_openssl_reads_and_verifies_what_was_made(kind, tmp_path):
    openssl = shutil.which("openssl")
    assert openssl, "the openssl command is needed"
    issuer = examples.issuer(kind)
    (tmp_path / "leaf.der").write_bytes(issue(examples.contents(examples.MAIL, common_name="alice"), issuer=issuer)[0])
    above = x509.load_der_x509_certificate(issuer.certificate_der)
    (tmp_path / "ca.pem").write_bytes(above.public_bytes(Encoding.PEM))
    text = subprocess.run(
        [openssl, "x509", "-inform", "DER", "-in", "leaf.der", "-noout", "-text"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert "email:alice@example.org" in text
    assert "TLS Web Server Authentication, TLS Web Client Authentication" in text
    assert re.search(r"Not Before: Nov 22 10:20:30 2026 GMT", text)


@pytest.mark.parametrize(
    ("moment", "encoded_time"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), b"\x17\x0d700101000000Z"),
        (datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d991231235959Z"),
        (datetime(2000, 2, 29, 12, 0, 0, tzinfo=UTC), b"\x17\x0d000229120000Z"),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(2100, 2, 28, 23, 59, 59, tzinfo=UTC), b"\x18\x0f21000228235959Z"),
    ],
)
def test_times_change_their_form_in_2050(moment, encoded_time):
    assert encode_time(from_datetime(moment)) == encoded_time


def test_serial_is_time_then_randomness():
    first = new_serial(SeededEntropy(1), Instant(1_795_342_830_500))
    assert first[:4] == (1_795_342_830 >> 1).to_bytes(4, "big")
    assert first[4:] == SeededEntropy(1).bytes(16)
    assert len(first) == 20
    assert 0 < int.from_bytes(first, "big") < 1 << 159


@pytest.mark.parametrize("kind", examples.KEYS)
def test_key_identifier_is_the_sha1_of_the_key_bits(kind):
    public_key = examples.key(kind).public_key()
    expected = x509.SubjectKeyIdentifier.from_public_key(public_key).digest
    assert key_identifier(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) == expected


# --- the provisioner extension ---------------------------------------------------------------------------------------


def test_provisioner_extension_has_the_bytes_that_step_reads():
    assert (
        encode_provisioner(ProvisionerExtension(2, "Sealwright", "step")).hex()
        == "3015020102040a5365616c777269676874040473746570"
    )
    assert encode_provisioner(ProvisionerExtension(6, "acme")).hex() == "300b020106040461636d650400"
    with_pairs = ProvisionerExtension(4, "aws", "id", (("InstanceID", "i-1"), ("Näme", "x")))
    members = ("020104", "0403617773", "04026964", "301b", "130a496e7374616e63654944", "1303692d31", "0c054ec3a46d65", "130178")
    assert encode_provisioner(with_pairs).hex() == "3029" + "".join(members)
    assert decode_provisioner(encode_provisioner(with_pairs)) == with_pairs


@pytest.mark.parametrize(
    "data",
    [
        "",
        "3000",
        "3003020101",
        "30060201010400",
        "300a0201010400040030013100",
        "3008020101040004000500",
        "300b0201010401ff04003000ff",
        "300a02010104000400300130",
        "300c020101040004003003130161",
        "300b020101040004003002040161",
        "30080201010401ff0400",
        "30070c01310400040000",
    ],
)
def test_damaged_provisioner_extension_is_a_value_error(data):
    with pytest.raises(ValueError, match=r"\S"):
        decode_provisioner(bytes.fromhex(data))


def test_certificate_with_a_damaged_provisioner_extension_has_none():
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .public_key(examples.key().public_key())
    )
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.37476.9000.64.1")
    for value, expected in ((b"\x30\x00", None), (encode_provisioner(VOUCHED), VOUCHED)):
        made = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        assert provisioner_of(made.sign(examples.key(), hashes.SHA256())) == expected
    assert provisioner_of(builder.sign(examples.key(), hashes.SHA256())) is None


# --- release ---------------------------------------------------------------------------------------------------------

CONTENTS = examples.contents(examples.MAIL, examples.SUBJECT_URI, common_name="8f2c", extension=VOUCHED)


def released(data, to_be_signed, **others):
    values = {"key": examples.issuer().public_key, "serial": examples.SERIAL, "expected": CONTENTS, **others}
    proven_key = values.get("proven_key")
    verify_issued(data, to_be_signed, values["key"], values["serial"], values["expected"], proven_key=proven_key)


def test_certificate_that_is_what_was_decided_is_released():
    data, to_be_signed = issue(CONTENTS)
    released(data, to_be_signed)
    assert data.count(to_be_signed) == 1


def test_certificate_with_a_faulty_signature_is_not_released():
    data, to_be_signed = issue(CONTENTS)
    with pytest.raises(VerificationFailed, match="signature is not"):
        released(data[:-1] + bytes([data[-1] ^ 1]), to_be_signed)


def test_certificate_signed_by_another_key_is_not_released():
    data, to_be_signed = issue(CONTENTS)
    with pytest.raises(VerificationFailed, match="signature is not"):
        released(data, to_be_signed, key=examples.key().public_key())


def test_certificate_whose_signature_the_proven_key_makes_again_is_released():
    data, to_be_signed = issue(CONTENTS)
    proven = examples.issuer().private_key
    assert signs_again(proven, x509.load_der_x509_certificate(data).signature, to_be_signed)
    released(data, to_be_signed, proven_key=proven)


def test_faulty_signature_is_not_released_beside_a_proven_key():
    data, to_be_signed = issue(CONTENTS)
    with pytest.raises(VerificationFailed, match="signature is not"):
        released(data[:-1] + bytes([data[-1] ^ 1]), to_be_signed, proven_key=examples.issuer().private_key)


def test_signature_of_another_key_is_not_released_beside_a_proven_key():
    data, to_be_signed = issue(CONTENTS)
    other = examples.key()
    with pytest.raises(VerificationFailed, match="signature is not"):
        released(data, to_be_signed, key=other.public_key(), proven_key=other)


@pytest.mark.parametrize("kind", ["RSA", "Ed25519"])
def test_key_of_another_kind_is_never_taken_to_have_signed_again(kind):
    private = authorities.key("another", kind)
    assert not signs_again(private, sign(private, b"bytes"), b"bytes")


def test_truncated_signature_is_not_released():
    data, to_be_signed = issue(CONTENTS)
    with pytest.raises(VerificationFailed):
        released(data[:-5], to_be_signed)


def test_other_bytes_than_the_recorded_ones_are_not_released():
    data, _ = issue(CONTENTS)
    _, recorded = issue(examples.contents(examples.WEB))
    with pytest.raises(VerificationFailed):
        released(data, recorded)


def test_certificate_of_another_issuance_is_not_released():
    data, to_be_signed = issue(CONTENTS)
    with pytest.raises(VerificationFailed, match="the serial number is"):
        released(data, to_be_signed, serial=b"\x02" * 20)
    with pytest.raises(VerificationFailed, match="the public key is"):
        released(
            data,
            to_be_signed,
            expected=msgspec.structs.replace(CONTENTS, public_key_der=encoded(examples.key("P-384").public_key())),
        )


@pytest.mark.parametrize("kind", examples.KEYS)
def test_certificate_with_any_byte_damaged_is_not_released(kind):
    issuer = examples.issuer(kind)
    data, to_be_signed = issue(CONTENTS, issuer=issuer)
    released(data, to_be_signed, key=issuer.public_key)
    for position in range(len(data)):
        damaged = data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :]
        with pytest.raises(VerificationFailed):
            released(damaged, to_be_signed, key=issuer.public_key)
    for other in (data + b"\x00", data[:-1], to_be_signed):
        with pytest.raises(VerificationFailed):
            released(other, to_be_signed, key=issuer.public_key)


def test_certificate_whose_algorithm_is_another_outside_than_inside_is_not_released():
    data, to_be_signed = issue(CONTENTS)
    inside, outside = signature_algorithm(examples.issuer().public_key), signature_algorithm(examples.issuer("P-384").public_key)
    start = data.rindex(inside)
    with pytest.raises(VerificationFailed, match="signed bytes"):
        released(data[:start] + outside + data[start + len(inside) :], to_be_signed)


def test_what_cannot_be_read_is_not_released():
    with pytest.raises(VerificationFailed, match="cannot be read"):
        released(b"\x30\x00", b"\x30\x00")


# --- prepared certificates -------------------------------------------------------------------------------------------


def prepared():
    return PreparedCertificate(
        issuer_id="issuer-1", profile="step_leaf", serial=examples.SERIAL, contents=CONTENTS, to_be_signed=b"bytes"
    )


def test_prepared_certificate_can_be_signed_once():
    one = prepared()
    assert one.redeem(examples.issuer()) == b"bytes"
    with pytest.raises(AlreadySigned, match="signed once"):
        one.redeem(examples.issuer())


def test_prepared_certificate_can_be_signed_only_by_its_issuer():
    one = prepared()
    with pytest.raises(AlreadySigned, match="another issuer"):
        one.redeem(replace(examples.issuer(), id="issuer-2"))
    assert one.redeem(examples.issuer()) == b"bytes"


def test_kinds_of_keys_are_named_as_people_do():
    assert [str(kind) for kind in KeyKind] == ["EC", "RSA", "Ed25519"]
