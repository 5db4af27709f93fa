"""Which certificates will be missed."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM, Actor
from sealwright.ca import CertificateState, Name, NameType, store
from sealwright.clock import after, before
from sealwright.errors import InvalidInput, NotPermitted
from tests.authorities import NOW, authority
from tests.databases import sqlite_database
from tests.storage.test_certificates import record

DAY = timedelta(days=1)


class Shelf:
    """Certificates in a database, put there as they are wanted."""

    def __init__(self, ca, db, issuer):
        self.lists, self._db, self._issuer, self._count = ca.lists, db, issuer, 0

    async def put(self, *, life, began, name="web.example.org", **members):
        self._count += 1
        start = before(NOW, began)
        made = record(
            self._issuer,
            self._count,
            **{
                "state": CertificateState.ISSUED,
                "names": (Name(NameType.DNS, name),),
                "not_before": start,
                "not_after": after(start, life),
                **members,
            },
        )

        async def body(tx):
            await store.insert_intents(tx, [made])

        await self._db.write(body)
        return made.serial

    async def breaking(self):
        found = await self.lists.breaking(SYSTEM)
        return [one.serial for one in found.ending], [one.serial for one in found.ended]


@pytest.fixture
async def shelf(tmp_path):
    async with sqlite_database() as db, authority(tmp_path / "none", db=db) as ca:
        yield Shelf(
            ca,
            db,
            (await ca.issuers.active()).record.id
            if hasattr(await ca.issuers.active(), "record")
            else (await ca.issuers.active()).id,
        )


async def test_certificate_in_its_last_third_without_successor_will_be_missed(shelf):
    late = await shelf.put(life=90 * DAY, began=70 * DAY, name="late.example.org")
    await shelf.put(life=90 * DAY, began=10 * DAY, name="fresh.example.org")
    assert await shelf.breaking() == ([late], [])


async def test_certificate_that_ended_lately_is_missed_and_one_of_long_ago_is_not(shelf):
    lately = await shelf.put(life=90 * DAY, began=93 * DAY)
    await shelf.put(life=90 * DAY, began=120 * DAY, name="old.example.org")
    assert await shelf.breaking() == ([], [lately])


async def test_renewed_certificate_is_not_missed(shelf):
    old = await shelf.put(life=90 * DAY, began=70 * DAY)
    await shelf.put(life=90 * DAY, began=DAY, renewed_from=old, name="elsewhere.example.org")
    assert await shelf.breaking() == ([], [])


async def test_later_certificate_with_all_names_is_a_successor(shelf):
    await shelf.put(life=90 * DAY, began=70 * DAY)
    await shelf.put(life=90 * DAY, began=DAY)
    assert await shelf.breaking() == ([], [])


async def test_revoked_successor_is_none(shelf):
    old = await shelf.put(life=90 * DAY, began=70 * DAY)
    await shelf.put(life=90 * DAY, began=DAY, revoked_at=NOW)
    assert await shelf.breaking() == ([old], [])


async def test_successor_with_fewer_names_is_none(shelf):
    names = (Name(NameType.DNS, "web.example.org"), Name(NameType.DNS, "www.example.org"))
    old = await shelf.put(life=90 * DAY, began=70 * DAY, names=names)
    await shelf.put(life=90 * DAY, began=DAY)
    assert await shelf.breaking() == ([old], [])


async def test_certificates_of_a_day_are_not_watched(shelf):
    await shelf.put(life=DAY, began=timedelta(hours=23))
    await shelf.put(life=DAY, began=2 * DAY, name="other.example.org")
    assert await shelf.breaking() == ([], [])


async def test_what_perhaps_was_signed_is_counted(shelf):
    await shelf.put(life=DAY, began=DAY, state=CertificateState.MAYBE_SIGNED)
    assert (await shelf.lists.breaking(SYSTEM)).unresolved == 1


async def test_pages_of_what_ends_pass_none_over_where_many_end_at_once(shelf):
    put = {await shelf.put(life=20 * DAY, began=DAY, name=f"w{number}.example.org") for number in range(7)}
    seen, cursor = [], ""
    while True:
        page = await shelf.lists.ending(SYSTEM, cursor=cursor, at_most=3)
        seen += [one.serial for one in page.certificates]
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == put


async def test_revoked_certificates_are_listed_newest_first_and_paged(shelf):
    put = [await shelf.put(life=DAY, began=DAY, revoked_at=NOW) for _ in range(3)]
    await shelf.put(life=DAY, began=DAY)
    first = await shelf.lists.revoked(SYSTEM, at_most=2)
    second = await shelf.lists.revoked(SYSTEM, cursor=first.next_cursor, at_most=2)
    assert [one.serial for one in (*first.certificates, *second.certificates)] == put[::-1]
    assert second.next_cursor == ""


async def test_serial_number_is_found_by_its_beginning(shelf):
    serial = await shelf.put(life=DAY, began=DAY)
    assert [one.serial for one in await shelf.lists.beginning(SYSTEM, serial.hex()[:39])] == [serial]
    assert [one.serial for one in await shelf.lists.beginning(SYSTEM, ":".join(serial.hex()[i : i + 2] for i in range(0, 40, 2)))]
    assert await shelf.lists.beginning(SYSTEM, "web") == ()


@pytest.mark.parametrize("cursor", ["x", "1", "1.zz", "'", "9" * 99])
async def test_place_that_no_page_names_is_refused(shelf, cursor):
    with pytest.raises(InvalidInput):
        await shelf.lists.ending(SYSTEM, cursor=cursor)
    with pytest.raises(InvalidInput):
        await shelf.lists.revoked(SYSTEM, cursor="zz")


async def test_someone_without_the_permission_is_refused(shelf):
    with pytest.raises(NotPermitted):
        await shelf.lists.breaking(Actor("person", "a", "alice"))
