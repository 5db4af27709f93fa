import base64
import hashlib
import ipaddress
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, padding, rsa

from sealwright import rsa_strength
from sealwright.ca import csr, der, public_keys
from sealwright.ca.errors import CsrRefused, PublicKeyRefused
from sealwright.ca.models import KeyKind, Name, NameType
from sealwright.rsa_strength import has_close_factors
from tests.unit.ca import examples

CASES = [
    ("P-256", KeyKind.EC),
    ("P-384", KeyKind.EC),
    ("P-521", KeyKind.EC),
    ("RSA-2048", KeyKind.RSA),
    ("Ed25519", KeyKind.ED25519),
]


@pytest.mark.parametrize(("kind", "expected"), CASES)
def test_request_of_each_accepted_kind_is_read(kind, expected):
    made = examples.csr(x509.RFC822Name("alice@example.org"), kind=kind)
    read = csr.parse(examples.pem(made))
    assert read.key_kind is expected
    assert read.public_key == examples.key(kind).public_key()
    assert read.public_key_der == public_keys.encoded(examples.key(kind).public_key())
    assert read.common_name == "alice"
    assert read.names == (Name(NameType.EMAIL, "alice@example.org"),)
    assert read.digest == hashlib.sha256(examples.der(made)).digest()
    assert (read.not_before, read.not_after) == (None, None)


def test_der_and_pem_and_the_old_label_mean_the_same():
    made = examples.csr(x509.DNSName("web.example.org"))
    text = examples.pem(made)
    assert csr.parse(examples.der(made)) == csr.parse(text) == csr.parse(text.encode())
    assert csr.parse(text.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")) == csr.parse(text)
    assert csr.parse(f"Subject: somebody\n{text}".replace("\n", "\r\n")) == csr.parse(text)


def test_only_the_first_block_counts():
    first, second = examples.csr(common_name="first"), examples.csr(common_name="second")
    assert csr.parse(examples.pem(first) + examples.pem(second)).common_name == "first"
    with pytest.raises(CsrRefused, match="first PEM block is CERTIFICATE, where"):
        csr.parse("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + examples.pem(first))


def test_private_key_is_sent_back_with_advice():
    text = examples.key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(CsrRefused, match="PRIVATE KEY") as caught:
        csr.parse(text)
    assert "make a new one" in caught.value.hint
    assert base64.b64encode(text[:20]).decode() not in caught.value.detail


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "no PEM block"),
        ("hello", "no PEM block"),
        ("-----BEGIN CERTIFICATE REQUEST-----", "no PEM block"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nA\n-----END CERTIFICATE REQUEST-----", "base64|cannot be read"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE-----", "first PEM block"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "cannot be read"),
        ("-----BEGIN CERTIFICATE REQUEST-----\n\u00e4\n-----END CERTIFICATE REQUEST-----", "other than ASCII"),
        (b"\x30\x80\x00\x00", "cannot be read"),
        (b"\x30\x00", "cannot be read"),
        ("x" * 65_537, "longer than 65536"),
        (b"\x30" + bytes(65_536), "longer than 65536"),
    ],
)
def test_what_is_no_request_is_refused(given, why):
    with pytest.raises(CsrRefused, match=why):
        csr.parse(given)


def test_bytes_behind_the_request_are_refused():
    with pytest.raises(CsrRefused, match="cannot be read"):
        csr.parse(examples.der(examples.csr()) + b"\x00")


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048", "Ed25519"])
def test_changed_signature_is_refused(kind):
    data = bytearray(examples.der(examples.csr(kind=kind)))
    data[-1] ^= 1
    with pytest.raises(CsrRefused, match="not made with the key"):
        csr.parse(bytes(data))


def test_key_of_someone_else_is_refused():
    mine, theirs = examples.der(examples.csr()), public_keys.encoded(ec.generate_private_key(ec.SECP256R1()).public_key())
    stolen = mine.replace(public_keys.encoded(examples.key().public_key()), theirs)
    assert stolen != mine
    with pytest.raises(CsrRefused, match="not made with the key"):
        csr.parse(stolen)


def test_every_single_flipped_byte_is_refused_or_changes_nothing_that_counts():
    original = examples.der(examples.csr(x509.DNSName("web.example.org")))
    expected = csr.parse(original)
    for position in range(len(original)):
        changed = bytearray(original)
        changed[position] ^= 0x20
        try:
            found = csr.parse(bytes(changed))
        except (CsrRefused, PublicKeyRefused):
            continue
        assert (found.public_key_der, found.common_name, found.names) == (
            expected.public_key_der,
            expected.common_name,
            expected.names,
        )


def test_broken_hashes_are_refused_by_name():
    # The library will not make one, so the algorithm of a request is rewritten: sha256WithRSAEncryption to sha1With….
    data = examples.der(examples.csr(kind="RSA-2048"))
    sha256, sha1 = der.oid("1.2.840.113549.1.1.11"), der.oid("1.2.840.113549.1.1.5")
    with pytest.raises(CsrRefused, match="SHA1"):
        csr.parse(data.replace(sha256, sha1))


def test_unknown_signature_algorithm_is_refused():
    data = examples.der(examples.csr())
    with pytest.raises(CsrRefused, match=r"not known|cannot be read"):
        csr.parse(data.replace(der.oid("1.2.840.10045.4.3.2"), der.oid("1.2.840.10045.4.9.2")))


def test_pss_signature_is_accepted():
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    made = builder.sign(examples.key("RSA-2048"), hashes.SHA256(), rsa_padding=padding.PSS(padding.MGF1(hashes.SHA256()), 32))
    assert csr.parse(examples.der(made)).key_kind is KeyKind.RSA


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (lambda: ec.generate_private_key(ec.SECP256K1()), "curve secp256k1"),
        (lambda: ec.generate_private_key(ec.BrainpoolP256R1()), "curve brainpoolP256r1"),
        (lambda: ec.generate_private_key(ec.SECP224R1()), "curve secp224r1"),
        (lambda: dsa.generate_private_key(2048), "kind DSA"),
        (ed448.Ed448PrivateKey.generate, "kind Ed448"),
    ],
)
def test_other_kinds_of_keys_are_refused_by_name(key, why):
    private_key = key()
    algorithm = None if isinstance(private_key, ed448.Ed448PrivateKey) else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(private_key, algorithm)
    with pytest.raises(PublicKeyRefused, match=why) as caught:
        csr.parse(examples.der(made))
    assert "P-256" in caught.value.detail


def numbers(modulus, exponent=65_537):
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def test_short_rsa_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = rsa.generate_private_key(public_exponent=65_537, key_size=1024).public_key()
    with pytest.raises(PublicKeyRefused, match="1024 bits; 2048 to 8192"):
        public_keys.accept(short)


def test_long_rsa_is_refused_before_its_signature_is_looked_at():
    with pytest.raises(PublicKeyRefused, match="8200 bits"):
        public_keys.accept(numbers((1 << 8199) + 1))


def rsa_modulus():
    return examples.key("RSA-2048").public_key().public_numbers().n


@pytest.mark.parametrize("exponent", [3, 17, 65_535, 2**32 + 1])
def test_unusual_exponents_are_refused(exponent):
    with pytest.raises(PublicKeyRefused, match="exponent"):
        public_keys.accept(numbers(rsa_modulus(), exponent))


def test_odd_number_of_bits_is_refused():
    with pytest.raises(PublicKeyRefused, match="whole number of bytes"):
        public_keys.accept(numbers((1 << 2049) + 1))


@pytest.mark.parametrize("factor", [3, 5, 7, 251, 751, 1999])
def test_modulus_with_a_small_factor_is_refused(factor):
    modulus = ((1 << 2047) // factor + 2) * factor
    modulus += 0 if modulus % 2 else factor
    with pytest.raises(PublicKeyRefused, match="small factor"):
        public_keys.accept(numbers(modulus))


def prime_after(number):
    number |= 1
    while pow(2, number - 1, number) != 1 or pow(3, number - 1, number) != 1:
        number += 2
    return number


def test_close_factors_are_found():
    first = prime_after((3 << 1022) + 0x1234567)
    second = prime_after(first + 2**500)
    with pytest.raises(PublicKeyRefused, match="so close"):
        public_keys.accept(numbers(first * second))
    assert has_close_factors(first * first)


def test_healthy_keys_have_no_close_factors():
    assert not has_close_factors(rsa_modulus())


def test_key_of_the_roca_generator_is_refused():
    # Moduli of that generator are powers of 65537 modulo each of the first primes (CVE-2017-15361).
    product = 1
    for prime in rsa_strength._ROCA_PRIMES:
        product *= prime
    residue = pow(65_537, 12_345, product)
    modulus = residue + product * ((1 << 2047) // product + 1)
    while modulus % 2 == 0 or any(modulus % prime == 0 for prime in rsa_strength._primes(2000)):
        modulus += product
    with pytest.raises(PublicKeyRefused, match="ROCA"):
        public_keys.accept(numbers(modulus))


def test_compressed_point_is_certified_in_the_usual_form():
    public_key = examples.key().public_key()
    point = public_key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    algorithm = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    compressed = der.sequence(algorithm, der.wrap(der.BIT_STRING, b"\x00" + point))
    assert public_keys.usual_form(public_key, compressed) == public_keys.encoded(public_key)


@pytest.mark.parametrize("kind", examples.KEYS)
def test_usual_form_is_taken_as_it_is(kind):
    public_key = examples.key(kind).public_key()
    given = public_keys.encoded(public_key)
    assert public_keys.usual_form(public_key, given) == given


# --- names -----------------------------------------------------------------------------------------------------------


def test_names_are_read_as_written_and_in_order():
    read = csr.parse(
        examples.pem(
            examples.csr(
                x509.DNSName("WEB_1.example.org"),
                x509.UniformResourceIdentifier("https://Id.example.org#a"),
                x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
                x509.RFC822Name("Alice@EXAMPLE.org"),
            )
        )
    )
    assert [(str(name.type), name.value) for name in read.names] == [
        ("dns", "WEB_1.example.org"),
        ("uri", "https://Id.example.org#a"),
        ("ip", "2001:db8::1"),
        ("email", "Alice@EXAMPLE.org"),
    ]


def test_names_of_other_kinds_are_told_in_words():
    made = examples.csr(
        x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a"),
        x509.DirectoryName(x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, "root")])),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
    )
    assert csr.parse(examples.pem(made)).other_names == (
        "otherName 1.3.6.1.4.1.311.20.2.3",
        "directory name CN=root",
        "registeredID 1.2.3.4",
    )


def test_request_without_subject_and_names_is_read():
    read = csr.parse(examples.pem(examples.csr(common_name=None)))
    assert (read.common_name, read.names, read.other_names) == ("", (), ())


def test_very_many_names_are_refused():
    with pytest.raises(CsrRefused, match="1001 names"):
        csr.parse(examples.pem(examples.csr(*(x509.DNSName(f"w{number}.example.org") for number in range(1001)))))


def with_subject(*attributes, extensions=()):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(examples.key(), hashes.SHA256())


def test_two_common_names_are_refused():
    twice = [x509.NameAttribute(x509.OID_COMMON_NAME, text) for text in ("alice", "bob")]
    with pytest.raises(CsrRefused, match="2 common names"):
        csr.parse(examples.pem(with_subject(*twice)))


def test_other_attributes_of_the_subject_and_other_extensions_do_not_count():
    made = with_subject(
        x509.NameAttribute(x509.OID_ORGANIZATION_NAME, "Evil"),
        x509.NameAttribute(x509.OID_COMMON_NAME, "alice"),
        extensions=(x509.BasicConstraints(ca=True, path_length=None), x509.KeyUsage(*[True] * 9)),
    )
    read = csr.parse(examples.pem(made))
    assert (read.common_name, read.names) == ("alice", ())


@pytest.mark.parametrize("position", [0, 1])
def test_mail_address_in_the_subject_is_read(position):
    attributes = [x509.NameAttribute(x509.OID_COMMON_NAME, "alice"), x509.NameAttribute(x509.OID_ORGANIZATION_NAME, "Bank")]
    attributes.insert(position, x509.NameAttribute(x509.OID_EMAIL_ADDRESS, "boss@example.org"))
    read = csr.parse(examples.pem(with_subject(*attributes)))
    assert (read.common_name, read.names, read.subject_mails) == ("alice", (), (Name(NameType.EMAIL, "boss@example.org"),))


def test_long_common_name_is_read_without_a_warning():
    # A subject outside of the limits is not a reason for a warning in the log; policy refuses it by name.
    attribute = x509.NameAttribute(x509.OID_COMMON_NAME, "a" * 64)
    data = examples.der(with_subject(attribute)).replace(b"a" * 64, b"b" * 64)
    with pytest.raises(CsrRefused, match="not made with the key"):
        csr.parse(data)


@pytest.mark.parametrize(
    "kind", [x509.name._ASN1Type.PrintableString, x509.name._ASN1Type.BMPString, x509.name._ASN1Type.T61String]
)
def test_common_name_is_read_in_every_string_type(kind):
    attribute = x509.NameAttribute(x509.OID_COMMON_NAME, "alice", _type=kind)
    assert csr.parse(examples.pem(with_subject(attribute))).common_name == "alice"


# Requests of the usual layout are read by comparison, all others by the library: both must find the same.


@pytest.mark.parametrize("label", [1, 30, 46, 47, 48, 63])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 12, 300])
def test_names_are_the_same_with_and_without_other_extensions(label, count):
    every: list[x509.GeneralName] = [x509.DNSName(f"{'w' * label}.{number}") for number in range(count)]
    every += [
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.UniformResourceIdentifier("https://Id.example.org#a"),
        x509.RFC822Name("Alice@EXAMPLE.org"),
    ]
    names = x509.SubjectAlternativeName(every)
    usual = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
    others = (
        usual.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False),
        usual.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, b"secret"),
        x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=True),
    )
    found = csr.parse(examples.pem(usual.sign(examples.key(), hashes.SHA256()))).names
    assert [name.value for name in found] == [str(name.value) for name in names]
    for other in others:
        assert csr.parse(examples.pem(other.sign(examples.key(), hashes.SHA256()))).names == found


@pytest.mark.parametrize("length", [1, 55, 56, 57, 63, 64])
def test_common_name_is_the_same_with_and_without_other_attributes(length):
    attribute = x509.NameAttribute(x509.OID_COMMON_NAME, "a" * length)
    other = x509.NameAttribute(x509.OID_ORGANIZATION_NAME, "o")
    for attributes in ((attribute,), (attribute, other), (other, attribute)):
        assert csr.parse(examples.pem(with_subject(*attributes))).common_name == "a" * length


@pytest.mark.parametrize(
    ("written", "damaged"),
    [
        (b"\x82\x0fweb.example.org", b"\x82\x10web.example.org"),  # longer than what holds it
        (b"\x82\x0fweb.example.org", b"\x87\x0fweb.example.org"),  # an address of 15 bytes
        (b"\x82\x0fweb.example.org", b"\xa2\x0fweb.example.org"),
        (b"\x82\x0fweb.example.org", b"\x9f\x0fweb.example.org"),
    ],
)
def test_damaged_names_are_refused_in_words(written, damaged):
    data = examples.der(examples.csr(x509.DNSName("web.example.org")))
    assert data.count(written) == 1
    with pytest.raises(CsrRefused, match="names or other extensions in the request cannot be read"):
        csr.parse(signed_anew(data.replace(written, damaged)))


def test_name_with_other_letters_arrives_as_written_for_policy_to_refuse():
    data = examples.der(examples.csr(x509.DNSName("web.example.org")))
    changed = signed_anew(data.replace(b"web.example.org", b"web.ex\xc3\xa4ple.org"))
    assert csr.parse(changed).names == (Name(NameType.DNS, "web.ex\u00e4ple.org"),)


def signed_anew(data):
    """A request whose signature fits to its changed contents."""
    body, algorithm, _ = der.parts_of(data)
    signed = data[body[1] : body[3]]
    holder = examples.key()
    assert isinstance(holder, ec.EllipticCurvePrivateKey)
    signature = holder.sign(signed, ec.ECDSA(hashes.SHA256()))
    return der.sequence(signed, data[algorithm[1] : algorithm[3]], der.wrap(der.BIT_STRING, b"\x00" + signature))


def test_name_with_nul_arrives_as_written_for_policy_to_refuse():
    made = examples.csr(x509.DNSName("web.example.org\0.evil.example"))
    assert csr.parse(examples.pem(made)).names == (Name(NameType.DNS, "web.example.org\0.evil.example"),)


def test_address_of_a_wrong_length_is_refused():
    data = examples.der(examples.csr(x509.IPAddress(ipaddress.ip_address("192.0.2.1"))))
    changed = data.replace(b"\x87\x04\xc0\x00\x02\x01", b"\x82\x04\xc0\x00\x02\x01")
    assert changed != data
    with pytest.raises(CsrRefused):
        csr.parse(changed)
