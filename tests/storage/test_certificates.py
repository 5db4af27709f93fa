"""What the store of certificates, used tokens and provisioners promises, on both engines."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.ca import CertificateRecord, CertificateState, Name, NameType, store
from sealwright.ca.models import TokenUse
from sealwright.ca.name_search import range_for
from sealwright.clock import Instant
from sealwright.db import DuplicateRow
from tests.authorities import NOW, authority, csr, der_of

WEB = "web.example.org"


def record(issuer_id, number, **members):
    least = {
        "serial": number.to_bytes(20),
        "issuer_id": issuer_id,
        "state": CertificateState.INTENDED,
        "profile": "step_leaf",
        "provisioner_id": "p",
        "account_id": None,
        "session_id": None,
        "credential_generation": None,
        "subject_name": "",
        "names": (Name(NameType.DNS, WEB), Name(NameType.IP, "192.0.2.1")),
        "public_key_digest": b"k",
        "not_before": NOW,
        "not_after": NOW,
        "tbs_digest": b"t",
        "der": None,
        "intended_at": Instant(NOW + number),
        "issued_at": None,
        "renewed_from": None,
        "revoked_at": None,
        "revocation_reason": None,
    }
    return CertificateRecord(**{**least, **members})


@pytest.fixture
def open_with_intents(open_scratch, tmp_path):
    """Opens a database in which some certificates are intended."""

    @asynccontextmanager
    async def opened(count=3):
        async with open_scratch() as db, authority(tmp_path / "none", db=db) as ca:
            issuer = await ca.issuers.active()

            async def fill(tx):
                for number in range(1, count + 1):
                    await store.insert_intents(tx, [record(issuer.id, number, account_id=f"a{number % 2}")])

            await db.write(fill)
            yield ca, db

    return opened


def write(db, verb, *given, **named):
    async def body(tx):
        return await verb(tx, *given, **named)

    return db.write(body)


async def test_row_comes_back_as_it_was_written(open_with_intents):
    async with open_with_intents() as (ca, db):
        issuer = await ca.issuers.active()
        assert await store.by_serial(db, (2).to_bytes(20)) == record(issuer.id, 2, account_id="a0")
        assert await store.by_serial(db, bytes(20)) is None


async def test_serial_is_unique(open_with_intents):
    async with open_with_intents() as (ca, db):
        issuer = await ca.issuers.active()
        with pytest.raises(DuplicateRow):
            await write(db, store.insert_intents, [record(issuer.id, 1)])


async def test_intent_is_settled_once(open_with_intents):
    async with open_with_intents() as (_ca, db):
        one, two, three = ((number).to_bytes(20) for number in (1, 2, 3))
        assert await write(db, store.record_issued, [(one, b"der")], now=NOW)
        assert not await write(db, store.record_issued, [(one, b"other")], now=NOW)
        assert not await write(db, store.record_failed, one)
        assert await write(db, store.record_failed, two)
        assert not await write(db, store.record_issued, [(two, b"der")], now=NOW)
        assert await write(db, store.close_intents, until=Instant(NOW + 3)) == [three]
        assert await write(db, store.record_issued, [(three, b"late")], now=NOW)
        found = [await store.by_serial(db, serial) for serial in (one, two, three)]
        assert [(row.state, row.der) for row in found] == [
            (CertificateState.ISSUED, b"der"),
            (CertificateState.FAILED, None),
            (CertificateState.ISSUED, b"late"),
        ]


async def test_only_old_intents_are_closed(open_with_intents):
    async with open_with_intents() as (_ca, db):
        assert await write(db, store.close_intents, until=Instant(NOW + 2)) == [(1).to_bytes(20), (2).to_bytes(20)]
        assert (await store.by_serial(db, (3).to_bytes(20))).state is CertificateState.INTENDED


async def test_revocation_happens_once_and_not_to_what_failed(open_with_intents):
    async with open_with_intents() as (_ca, db):
        await write(db, store.record_failed, (2).to_bytes(20))
        answers = await asyncio.gather(
            *(write(db, store.revoke, (1).to_bytes(20), now=NOW, reason=number) for number in range(6))
        )
        assert sorted(answers) == [False] * 5 + [True]
        assert not await write(db, store.revoke, (2).to_bytes(20), now=NOW, reason=0)
        assert not await write(db, store.revoke, (9).to_bytes(20), now=NOW, reason=0)
        assert (await store.by_serial(db, (1).to_bytes(20))).revoked_at == NOW


async def test_pages_are_newest_first_and_by_person(open_with_intents):
    async with open_with_intents(count=5) as (_ca, db):
        first = await store.newest(db, older_than=store.NO_SERIAL_IS_GREATER, at_most=3)
        rest = await store.newest(db, older_than=first[-1].serial, at_most=3)
        assert [int.from_bytes(row.serial) for row in (*first, *rest)] == [5, 4, 3, 2, 1]
        own = await store.newest(db, older_than=store.NO_SERIAL_IS_GREATER, at_most=9, account_id="a1")
        assert [int.from_bytes(row.serial) for row in own] == [5, 3, 1]


async def test_certificates_are_found_by_name_and_by_the_end_of_one(open_with_intents):
    async with open_with_intents() as (ca, db):
        issuer = await ca.issuers.active()
        more = [
            record(issuer.id, 6, subject_name="Web.Example.org", names=(Name(NameType.DNS, "web.example.org"),), account_id="a1"),
            record(issuer.id, 7, subject_name="Röntgen", names=(Name(NameType.EMAIL, "r@x.example.org"),), account_id="a1"),
            record(issuer.id, 8, names=(Name(NameType.DNS, "exemple.org"),)),
        ]
        await write(db, store.insert_intents, more)

        async def found(text, **more):
            given = {"older_than": store.NO_SERIAL_IS_GREATER, "at_most": 9, "called": range_for(text), **more}
            return [int.from_bytes(row.serial) for row in await store.newest(db, **given)]

        assert await found(WEB) == [6, 3, 2, 1]
        assert await found(WEB, account_id="a1") == [6, 3, 1]
        assert await found(WEB, older_than=(6).to_bytes(20), at_most=2) == [3, 2]
        assert await found(".example.org") == [7, 6, 3, 2, 1]
        assert await found("@x.example.org") == await found("röntgen") == [7]
        assert await found(".org") == [8, 7, 6, 3, 2, 1], "also an address ends so"
        assert await found("example.org") == await found("%") == []


async def test_search_that_very_many_certificates_fit_finds_them_by_looking_through_the_newest(open_with_intents):
    async with open_with_intents(7) as (_, db):
        called = range_for(".example.org")
        assert not await store.is_broad(db, called)

        async def page(older_than, wanted=called):
            found, further = await store.looked_through(db, older_than=older_than, at_most=4, account_id=None, called=wanted)
            return [int.from_bytes(each.serial) for each in found], further

        found, further = await page(store.NO_SERIAL_IS_GREATER)
        assert found == [7, 6, 5, 4]
        assert await page(further) == ([3, 2, 1], None)
        assert await page(store.NO_SERIAL_IS_GREATER, range_for(".example.com")) == ([], None)


async def test_token_is_consumed_once_however_many_ask(open_with_intents):
    async with open_with_intents() as (_ca, db):
        token = TokenUse(bytes(16), Instant(NOW + 10_000))
        answers = await asyncio.gather(*(write(db, store.consume_token, token) for _ in range(20)))
        assert sorted(answers) == [False] * 19 + [True]
        for later, purged in ((10_000, 0), (10_001, 1)):
            page = await write(db, store.purge_tokens, expired_before=Instant(NOW + later), beyond=b"", at_most=10)
            assert page.deleted == purged
        assert await write(db, store.consume_token, token)


async def test_used_tokens_are_purged_page_by_page_and_none_is_passed_over(open_with_intents):
    async with open_with_intents() as (_ca, db):
        for number in range(7):
            use = TokenUse(number.to_bytes(16), Instant(NOW + (0 if number % 3 else 10_000)))
            assert await write(db, store.consume_token, use)
        pages: list[int] = []
        beyond: bytes | None = b""
        while beyond is not None:
            page = await write(db, store.purge_tokens, expired_before=Instant(NOW + 1), beyond=beyond, at_most=2)
            pages.append(page.deleted)
            beyond = page.last
        assert pages == [1, 1, 2, 0, 0]


async def test_one_token_in_parallel_is_one_certificate(open_with_intents):
    async with open_with_intents() as (ca, db):
        await ca.add_jwk()
        token, request = ca.jwk_token(WEB), csr()
        answers = await asyncio.gather(*(ca.call("POST", "/sign", {"csr": request, "ott": token}) for _ in range(20)))
        assert sorted(status for status, _ in answers) == [201] + [401] * 19
        assert len(await store.newest(db, older_than=store.NO_SERIAL_IS_GREATER, at_most=100)) == 3 + 1


async def test_provisioners_renewal_and_inventory_work_alike(open_with_intents):
    async with open_with_intents() as (ca, db):
        for number in range(5):
            await ca.add_jwk(f"p{number}")
        page = await ca.provisioners.page("", 2)
        page = await ca.provisioners.page(page.next_cursor, 2)
        assert [each.name for each in page.provisioners] == ["p2", "p3"]
        await ca.provisioners.remove("p3", SYSTEM)
        assert [each.name for each in await ca.provisioners.all()] == ["p0", "p1", "p2", "p4"]

        _, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.jwk_token(WEB, signer="jwk p0", issuer="p0")})
        ca.clock.advance(timedelta(hours=1))
        status, renewed = await ca.call("POST", "/renew", certificate=der_of(answer))
        assert status == 201
        (first, second) = [
            row
            for row in await store.newest(db, older_than=store.NO_SERIAL_IS_GREATER, at_most=100)
            if row.state is CertificateState.ISSUED
        ]
        assert (first.der, first.renewed_from) == (der_of(renewed), second.serial)
        assert [row.serial for row in await store.followed_by(db, second.serial)] == [first.serial]
