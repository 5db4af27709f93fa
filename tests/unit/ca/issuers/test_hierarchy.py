import asyncio
import hashlib
import shutil
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sealwright.access import SYSTEM, anonymous
from sealwright.audit import Audit
from sealwright.ca import x509 as formats
from sealwright.ca.errors import AuthorityExists, CertificateNameRefused, IssuerUnusable
from sealwright.ca.issuers import LONGEST_NAME, IssuerKind, Issuers
from sealwright.ca.issuers.certificates import read_authority, validity
from sealwright.ca.models import CertificateContents, KeyKind, Name, NameType
from sealwright.ca.profiles import STEP_LEAF
from sealwright.ca.public_keys import accept, encoded
from sealwright.clock import FixedClock, Instant, from_datetime, to_datetime
from sealwright.entropy import SeededEntropy
from sealwright.errors import NotFound, NotPermitted
from sealwright.jose import KeyRefused
from sealwright.keys import Custody, KeyMissing, Sealer
from sealwright.keys.custody import NOTICED_WITHIN
from tests.databases import sqlite_database
from tests.pkilinting import pkilint

NOW = from_datetime(datetime(2026, 11, 22, 10, 20, 30, 500_000, tzinfo=UTC))


@asynccontextmanager
async def made_issuers():
    async with sqlite_database() as db:
        clock = FixedClock(NOW)
        audit = Audit(clock)
        custody = Custody(db, Sealer(bytes(32), SeededEntropy(1)), clock)
        yield Issuers(db, custody, audit, clock, SeededEntropy(2)), db, clock


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


async def made():
    async with made_issuers() as (issuers, _db, _clock):
        root, issuing = await issuers.create_hierarchy("Example", SYSTEM)
        return root, issuing, await issuers.active()


async def test_root_has_the_shape_of_a_root():
    root, _, _ = await made()
    certificate = x509.load_der_x509_certificate(root.certificate_der)
    assert certificate.version is x509.Version.v3
    assert certificate.subject.rfc4514_string() == "CN=Example Root CA,O=Example"
    assert certificate.issuer == certificate.subject
    assert certificate.not_valid_before_utc == datetime(2026, 11, 22, 10, 19, 30, tzinfo=UTC)
    assert certificate.not_valid_after_utc == datetime(2036, 11, 22, 10, 20, 29, tzinfo=UTC)
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert [extension.oid._name for extension in certificate.extensions] == [
        "keyUsage",
        "basicConstraints",
        "subjectKeyIdentifier",
    ]
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value) == (True, x509.BasicConstraints(ca=True, path_length=1))
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.crl_sign) == (True, True, True)
    assert not usage.value.digital_signature


async def test_issuing_ca_is_certified_by_the_root_and_certifies_no_other():
    root, issuing, _ = await made()
    certificate = x509.load_der_x509_certificate(issuing.certificate_der)
    above = x509.load_der_x509_certificate(root.certificate_der)
    certificate.verify_directly_issued_by(above)
    assert certificate.subject.rfc4514_string() == "CN=Example Issuing CA 1,O=Example"
    assert certificate.issuer.public_bytes() == above.subject.public_bytes()
    assert certificate.not_valid_after_utc == datetime(2031, 11, 22, 10, 20, 29, tzinfo=UTC)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert (
        certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        == above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    )
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)


@pytest.mark.parametrize("which", [0, 1])
async def test_authority_certificates_are_what_the_builder_would_make(which):
    record = (await made())[which]
    root = (await made())[0]
    certificate = x509.load_der_x509_certificate(record.certificate_der)
    throwaway = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .serial_number(certificate.serial_number)
        .issuer_name(certificate.issuer)
        .subject_name(certificate.subject)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .public_key(certificate.public_key())
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    assert root.kind is IssuerKind.ROOT
    assert builder.sign(throwaway, hashes.SHA256()).tbs_certificate_bytes == certificate.tbs_certificate_bytes


async def test_pkilint_finds_nothing_in_the_certificates_of_the_authorities():
    root, issuing, _ = await made()
    assert pkilint(root.certificate_der) == {}
    assert pkilint(issuing.certificate_der) == {}


async def test_fingerprint_is_lower_case_sha256_of_the_certificate_and_finds_the_root():
    async with made_issuers() as (issuers, _db, _clock):
        root, issuing = await issuers.create_hierarchy("Example", SYSTEM)
        assert root.fingerprint == hashlib.sha256(root.certificate_der).hexdigest()
        assert await issuers.root_by_fingerprint(root.fingerprint.upper()) == root
        assert await issuers.root_by_fingerprint(issuing.fingerprint) is None


async def test_openssl_accepts_the_hierarchy_and_a_leaf_in_strict_mode(tmp_path):
    openssl = shutil.which("openssl")
    assert openssl, "the openssl command is needed"

    root, issuing, issuer = await made()
    key = ec.generate_private_key(ec.SECP256R1())
    begins = Instant(NOW // 1000 * 1000)
    contents = CertificateContents(
        "", (Name(NameType.DNS, "web.example.org"),), KeyKind.EC, encoded(key.public_key()), begins, Instant(begins + 3_600_000)
    )
    template = formats.LeafTemplate(issuer, STEP_LEAF)
    to_be_signed = template.to_be_signed(formats.new_serial(SeededEntropy(3), NOW), contents)
    leaf = template.with_signature(to_be_signed, formats.sign(issuer.private_key, to_be_signed))
    for name, encoded_certificate in (("root", root.certificate_der), ("issuing", issuing.certificate_der), ("leaf", leaf)):
        certificate = x509.load_der_x509_certificate(encoded_certificate)
        (tmp_path / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    for purpose in ("sslserver", "sslclient"):
        how = ["-x509_strict", "-check_ss_sig", "-policy_check", "-purpose", purpose, "-attime", str(NOW // 1000)]
        command = [openssl, "verify", *how, "-CAfile", "root.pem", "-untrusted", "issuing.pem", "leaf.pem"]
        result = run(command, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (0, "leaf.pem: OK\n"), result.stderr


async def test_opened_issuer_signs_with_the_key_of_its_certificate_and_has_its_chain_without_the_root():
    _, issuing, issuer = await made()
    assert issuer.chain == (issuing.certificate_der,)
    assert issuer.subject_der == x509.load_der_x509_certificate(issuing.certificate_der).subject.public_bytes()
    assert issuer.public_key == x509.load_der_x509_certificate(issuing.certificate_der).public_key()
    formats.verify(issuer.public_key, formats.sign(issuer.private_key, b"bytes"), b"bytes")
    assert "private" not in repr(issuer).lower().replace("private_key", "")


async def test_root_is_never_opened_to_sign_leafs():
    async with made_issuers() as (issuers, _db, _clock):
        root, _ = await issuers.create_hierarchy("Example", SYSTEM)
        with pytest.raises(IssuerUnusable, match="does not sign leaf"):
            await issuers.open(root.id)


async def test_root_key_can_be_exported_and_taken_away_while_issuing_goes_on():
    async with made_issuers() as (issuers, db, _clock):
        root, _ = await issuers.create_hierarchy("Example", SYSTEM)
        pem = await issuers.export_root_key(SYSTEM, b"secret words")
        key = serialization.load_pem_private_key(pem, b"secret words")
        assert key.public_key() == x509.load_der_x509_certificate(root.certificate_der).public_key()
        await issuers.take_root_key_away(SYSTEM)
        with pytest.raises(KeyMissing, match="taken away"):
            await issuers.export_root_key(SYSTEM)
        with pytest.raises(KeyMissing):
            await issuers.take_root_key_away(SYSTEM)
        assert (await issuers.active()).name == "Example Issuing CA 1"
        events = [(row.event, row.details) for row in await Audit.newest(db, target=f"issuer:{root.id}")]
        assert [event for event, _ in events] == ["issuer.root_key_exported", "issuer.root_key_exported", "issuer.created"]
        assert "secret words" not in str(events)


async def test_another_issuing_ca_signs_from_then_on_and_the_one_before_stays_known():
    async with made_issuers() as (issuers, db, clock):
        root, first = await issuers.create_hierarchy("Example", SYSTEM)
        clock.advance(timedelta(days=400))
        second = await issuers.rotate(SYSTEM)
        assert (first.name, second.name) == ("Example Issuing CA 1", "Example Issuing CA 2")
        assert (await issuers.active()).id == second.id
        assert [each.name for each in await issuers.intermediates()] == [second.name, first.name]
        assert await issuers.roots() == (root,)
        below, above = (x509.load_der_x509_certificate(each.certificate_der) for each in (second, root))
        below.verify_directly_issued_by(above)
        assert below.subject.rfc4514_string() == "CN=Example Issuing CA 2,O=Example"
        assert below.public_key() != x509.load_der_x509_certificate(first.certificate_der).public_key()
        assert (await issuers.open(first.id)).chain == (first.certificate_der,)
        assert [row.event for row in await Audit.newest(db, target=f"issuer:{first.id}")] == ["issuer.retired", "issuer.created"]
        assert (await issuers.rotate(SYSTEM)).name == "Example Issuing CA 3"


async def test_another_issuing_ca_needs_the_key_of_the_root_which_is_used_and_not_kept():
    async with made_issuers() as (issuers, _db, _clock):
        _, first = await issuers.create_hierarchy("Example", SYSTEM)
        pem = await issuers.export_root_key(SYSTEM)
        await issuers.take_root_key_away(SYSTEM)
        with pytest.raises(KeyMissing, match="taken away"):
            await issuers.rotate(SYSTEM)
        other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for wrong, told in ((other, "is not that of Example Root CA"), (b"no key", "holds no private key")):
            with pytest.raises(KeyRefused, match=told):
                await issuers.rotate(SYSTEM, wrong)
        with pytest.raises(NotPermitted):
            await issuers.rotate(anonymous("192.0.2.1"), pem)
        assert (await issuers.active()).id == first.id
        assert (await issuers.rotate(SYSTEM, pem)).name == "Example Issuing CA 2"
        with pytest.raises(KeyMissing, match="taken away"):
            await issuers.export_root_key(SYSTEM)


async def test_of_several_nodes_that_make_an_issuing_ca_at_once_one_does():
    async with made_issuers() as (issuers, _db, _clock):
        await issuers.create_hierarchy("Example", SYSTEM)
        results = await asyncio.gather(*(issuers.rotate(SYSTEM) for _ in range(4)), return_exceptions=True)
        assert sum(not isinstance(each, BaseException) for each in results) == 1
        assert [each.retired_at is None for each in await issuers.intermediates()] == [True, False]


async def test_second_hierarchy_is_refused_and_leaves_the_first():
    async with made_issuers() as (issuers, _db, _clock):
        root, _ = await issuers.create_hierarchy("Example", SYSTEM)
        with pytest.raises(AuthorityExists):
            await issuers.create_hierarchy("Other", SYSTEM)
        assert await issuers.roots() == (root,)


async def test_only_those_who_may_change_issuers_can():
    async with made_issuers() as (issuers, _db, _clock):
        for attempt in (
            issuers.create_hierarchy("Example", anonymous("192.0.2.1")),
            issuers.export_root_key(anonymous("192.0.2.1")),
            issuers.take_root_key_away(anonymous("192.0.2.1")),
        ):
            with pytest.raises(NotPermitted):
                await attempt
        assert await issuers.records() == ()


@pytest.mark.parametrize("name", ["", " Example", "Exa\nmple", "Exa\u202emple", "x" * (LONGEST_NAME + 1)])
async def test_names_that_cannot_stand_in_a_certificate_are_refused(name):
    async with made_issuers() as (issuers, _db, _clock):
        with pytest.raises(CertificateNameRefused):
            await issuers.create_hierarchy(name, SYSTEM)
        assert await issuers.records() == ()


async def test_longest_name_still_fits():
    async with made_issuers() as (issuers, _db, _clock):
        _, issuing = await issuers.create_hierarchy("x" * LONGEST_NAME, SYSTEM)
        assert len(issuing.name) <= 64


async def test_without_a_hierarchy_the_message_says_what_to_do():
    async with made_issuers() as (issuers, _db, _clock):
        with pytest.raises(IssuerUnusable) as caught:
            await issuers.active()
        assert "from your backup" in caught.value.hint
        with pytest.raises(NotFound):
            await issuers.public_key_of("nothing")


async def test_certificate_of_another_key_or_of_a_leaf_is_not_used_to_sign():
    root, issuing, _ = await made()
    key = accept(x509.load_der_x509_certificate(root.certificate_der).public_key())
    with pytest.raises(IssuerUnusable, match="another key"):
        read_authority("Example", issuing.certificate_der, key)
    with pytest.raises(IssuerUnusable, match="cannot be read"):
        read_authority("Example", b"\x30\x00", key)


async def test_signature_of_a_faulty_key_is_noticed_before_anything_is_stored():
    class FaultyKey:
        def __init__(self, key):
            self.key, self.curve = key, key.curve

        def sign(self, data, algorithm):
            signature = bytearray(self.key.sign(data, algorithm))
            signature[-1] ^= 1
            return bytes(signature)

    ec.EllipticCurvePrivateKey.register(FaultyKey)

    class FaultyCustody(Custody):
        def generate(self, purpose, owner, algorithm):
            key: Any = super().generate(purpose, owner, algorithm)
            return replace(key, private_key=FaultyKey(key.private_key))

    async with made_issuers() as (issuers, db, clock):
        custody = FaultyCustody(db, Sealer(bytes(32), SeededEntropy(1)), clock)
        broken = Issuers(db, custody, Audit(clock), clock, SeededEntropy(5))
        with pytest.raises(IssuerUnusable, match="does not verify"):
            await broken.create_hierarchy("Example", SYSTEM)
        assert await issuers.records() == ()


@pytest.mark.parametrize(
    ("now", "years", "ends"),
    [
        (datetime(2028, 2, 29, 0, 0, tzinfo=UTC), 10, datetime(2038, 2, 27, 23, 59, 59, tzinfo=UTC)),
        (datetime(2039, 12, 31, 23, 59, 59, tzinfo=UTC), 10, datetime(2049, 12, 31, 23, 59, 58, tzinfo=UTC)),
        (datetime(2041, 1, 1, tzinfo=UTC), 10, datetime(2050, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_years_are_counted_by_the_calendar_and_the_last_second_is_inside(now, years, ends):
    assert to_datetime(validity(from_datetime(now), years)[1]) == ends


def test_issuing_ca_does_not_outlive_its_root():
    end = from_datetime(datetime(2028, 1, 1, tzinfo=UTC))
    assert validity(NOW, 5, at_most=end)[1] == end
    assert validity(NOW, 1, at_most=end)[1] < end


async def test_change_by_another_process_is_seen_within_a_second():
    async with made_issuers() as (issuers, db, clock):
        assert await issuers.records() == ()
        custody = Custody(db, Sealer(bytes(32), SeededEntropy(3)), clock)
        other = Issuers(db, custody, Audit(clock), clock, SeededEntropy(9))
        await other.create_hierarchy("Example", SYSTEM)
        clock.advance(NOTICED_WITHIN)
        assert len(await issuers.records()) == 2
        first = await issuers.active()
        made = await other.rotate(SYSTEM)
        assert (await other.active()).id == made.id
        clock.advance(NOTICED_WITHIN)
        assert (await issuers.active()).id == made.id
        assert (await issuers.record(first.id)).retired_at is not None
