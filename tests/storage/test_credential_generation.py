"""Certificates that a person got with the old credentials do not outlive a reset, on any node; their own change ends none."""

from contextlib import asynccontextmanager

import msgspec
import pytest
from sqlalchemy import null, update

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.db import Statement
from sealwright.db.schema import certificates
from sealwright.http import Peer, Request
from tests.authorities import der_of, leaf_of
from tests.storage.test_id_token_status import Place
from tests.unit.api.world import MACHINES, ServerWorld
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD

_FORGET_REVOCATIONS = Statement(update(certificates).where(certificates.c.revoked_at.is_not(None)).values(revoked_at=null()))
READER = Actor("person", "auditor", "auditor", Permissions(frozenset({Permission.CERTIFICATE_READ})))


@pytest.fixture
def open_place(open_two):
    @asynccontextmanager
    async def opened():
        async with open_two() as (first_db, second_db):
            first = ServerWorld(first_db)
            place = Place(first, ServerWorld(second_db, clock=first.clock, entropy_seed=8))
            await place.begin()
            yield place

    return opened


async def certificate(place):
    status, answer = await place.sign((await place.tokens())["id_token"])
    assert status == 201, answer
    return answer


async def renew(place, answer):
    request = Request("POST", "/renew", "", {}, b"", peer=Peer("192.0.2.1", der_of(answer)))
    response = await place.second.answer(MACHINES, request)
    return response.status, msgspec.json.decode(response.body)


async def revoked(place):
    """Reasons of the certificates of alice, by what the inventory has of them."""
    page = await place.second.ca.inventory.page(READER, account_id=place.alice.id)
    return [record.revocation_reason for record in page.certificates]


async def by_an_administrator(place, *, end):
    return await place.first.credentials.set_password("alice", OTHER_PASSWORD, end_certificates=end, actor=SYSTEM)


async def by_a_link(place, *, end):
    link = await place.first.reset.create("alice", end_certificates=end, actor=SYSTEM)
    found = await place.second.reset.require(link.token)
    assert (found.certificates, found.end_certificates) == (2, end)
    told, _ = await place.second.reset.redeem(link.token, OTHER_PASSWORD, address="192.0.2.1")
    return told


async def from_the_shell(place, *, end):
    return (await place.first.credentials.recover_account("alice", OTHER_PASSWORD, end_certificates=end)).reset


@pytest.mark.parametrize("reset", [by_an_administrator, by_a_link, from_the_shell])
async def test_reset_revokes_every_certificate_of_the_person_and_records_each(open_place, reset):
    async with open_place() as place:
        answers = [await certificate(place) for _ in range(2)]
        told = await reset(place, end=True)
        assert (told.sessions_ended, told.certificates_ended, told.certificates_kept) == (1, 2, 0)
        assert await revoked(place) == [1, 1]
        for answer in answers:
            assert (await renew(place, answer))[0] == 401
            serial = leaf_of(answer).serial_number.to_bytes(20).hex()
            (event,) = [row for row in await place.second.events(f"certificate:{serial}") if row[0] == "certificate.revoked"]
            assert "the person's credentials were reset" in event[2]


@pytest.mark.parametrize("reset", [by_an_administrator, by_a_link, from_the_shell])
async def test_reset_that_keeps_certificates_says_how_many_and_lets_them_renew(open_place, reset):
    async with open_place() as place:
        answers = [await certificate(place) for _ in range(2)]
        told = await reset(place, end=False)
        assert (told.certificates_ended, told.certificates_kept) == (0, 2)
        assert await revoked(place) == [None, None]
        assert (await renew(place, answers[0]))[0] == 201


async def test_own_change_of_the_password_ends_no_certificate(open_place):
    async with open_place() as place:
        answer = await certificate(place)
        await place.first.credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=place.session.signed_in.actor)
        assert await revoked(place) == [None]
        assert (await renew(place, answer))[0] == 201


async def test_whoever_uses_a_link_that_keeps_certificates_may_end_them(open_place):
    async with open_place() as place:
        await certificate(place)
        link = await place.first.reset.create("alice", end_certificates=False, actor=SYSTEM)
        told, _ = await place.second.reset.redeem(link.token, OTHER_PASSWORD, end_certificates=True, address="192.0.2.1")
        assert told.certificates_ended == 1
        assert await revoked(place) == [1]


async def test_certificate_of_an_older_generation_is_not_renewed_even_where_it_was_not_revoked(open_place):
    async with open_place() as place:
        answer = await certificate(place)
        await by_an_administrator(place, end=True)
        for node in (place.first, place.second):
            await node.db.write(lambda tx: tx.run(_FORGET_REVOCATIONS))
        status, told = await renew(place, answer)
        assert (status, "their credentials were reset" in told["message"]) == (403, True)


async def test_certificate_got_after_the_reset_is_renewed(open_place):
    async with open_place() as place:
        await by_an_administrator(place, end=True)
        place.session = await place.first.signed_in("alice", OTHER_PASSWORD)
        assert (await renew(place, await certificate(place)))[0] == 201


async def test_reset_of_the_second_factor_ends_certificates_too(open_place):
    async with open_place() as place:
        await certificate(place)
        await place.first.credentials.remove_second_factors("alice", actor=SYSTEM)
        assert await revoked(place) == [1]
