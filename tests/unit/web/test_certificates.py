"""My certificates, as rows."""

import asyncio
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from sealwright.access import Actor
from sealwright.ca import CertificatePage, CertificateRecord, CertificateState, Name, NameType
from sealwright.clock import FixedClock, Instant
from sealwright.web.certificates import CertificatePages, shown
from sealwright.web.forms import FormSecret
from sealwright.web.visits import Visit
from sealwright.wire import Request
from tests.unit.web.gallery import HOUR, NOW, Gallery

RECORD = CertificateRecord(
    serial=bytes.fromhex("01a35c0f88d142aa7e199f2c01a35c0f88d142aa"),
    issuer_id="i",
    state=CertificateState.ISSUED,
    profile="person",
    provisioner_id="p",
    account_id="a",
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


@dataclass
class Asked:
    """An inventory that remembers what it was asked."""

    answer: CertificatePage
    questions: list[tuple[str, str | None, str]] = field(default_factory=list)

    async def page(self, actor: Actor, *, account_id: str | None = None, cursor: str = "", at_most: int = 50) -> CertificatePage:
        self.questions.append((actor.id, account_id, cursor))
        return self.answer


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
    assert row.serial == "01a3 5c0f 88d1 42aa 7e19 9f2c 01a3 5c0f 88d1 42aa"
    assert shown(replace(RECORD, names=()), NOW).names == ("alice",)
    assert shown(replace(RECORD, names=(), subject_name=""), NOW).names == ()


def test_list_is_ones_own_and_pages_by_key():
    gallery = Gallery()
    person = gallery.person()
    inventory = Asked(CertificatePage((RECORD,), next_cursor="01a3"))
    pages = CertificatePages(gallery.pages, inventory, FixedClock(NOW))
    visit = Visit(Request("GET", "/", "older-than=ff00"), person, FormSecret("x", fresh=False), {})
    text = asyncio.run(pages.show(visit, person)).body.decode()
    assert inventory.questions == [(person.account.id, person.account.id, "ff00")]
    assert 'href="/ui/account/certificates?older-than=01a3"' in text
    assert 'href="/ui/account/certificates">Newest' in text
    assert "alice@example.org" in text
