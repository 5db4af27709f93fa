"""My certificates, as rows."""

import pytest
from msgspec.structs import replace

from sealwright.ca import CertificateRecord, CertificateState, Name, NameType
from sealwright.clock import Instant
from sealwright.web.certificates import shown
from tests.unit.web.gallery import HOUR, NOW

RECORD = CertificateRecord(
    serial=bytes.fromhex("01a35c0f88d142aa7e199f2c01a35c0f88d142aa"),
    issuer_id="i",
    state=CertificateState.ISSUED,
    profile="person",
    provisioner_id="p",
    account_id="a",
    credential_generation=None,
    session_id=None,
    subject_name="alice",
    names=(Name(NameType.EMAIL, "alice@example.org"), Name(NameType.DNS, "alice")),
    public_key_digest=b"",
    not_before=NOW,
    not_after=Instant(NOW + 8 * HOUR),
    tbs_digest=b"",
    der=b"",
    intended_at=NOW,
    issued_at=NOW,
    renewed_from=None,
    revoked_at=None,
    revocation_reason=None,
)


@pytest.mark.parametrize(
    ("change", "now", "kind", "word"),
    [
        ({}, NOW, "good", "valid"),
        ({}, NOW + 8 * HOUR, "good", "valid"),
        ({}, NOW + 8 * HOUR + 1, "", "expired"),
        ({}, NOW - 1, "", "not valid yet"),
        ({"revoked_at": NOW}, NOW, "bad", "revoked"),
        ({"revoked_at": NOW}, NOW + 9 * HOUR, "bad", "revoked"),
        ({"state": CertificateState.INTENDED}, NOW, "bad", "not issued"),
        ({"state": CertificateState.FAILED}, NOW, "bad", "not issued"),
    ],
)
def test_state_is_told_in_a_word_and_a_shape(change, now, kind, word):
    row = shown(replace(RECORD, **change), Instant(now))
    assert (row.kind, row.word) == (kind, word)


def test_names_and_serial_are_told():
    row = shown(RECORD, NOW)
    assert row.names == ("alice@example.org", "alice")
    assert row.serial == "01a35c0f88d142aa7e199f2c01a35c0f88d142aa"
    assert row.path.endswith(f"/{row.serial}")
    assert row.left == "8 hours"
    assert shown(replace(RECORD, revoked_at=NOW), NOW).left == ""
    assert shown(replace(RECORD, names=()), NOW).names == ("alice",)
    assert shown(replace(RECORD, names=(), subject_name=""), NOW).names == ()
