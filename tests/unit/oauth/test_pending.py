"""A request that waits for a person is held by its handle: asking stores nothing, and answering works once."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from sealwright.access import SYSTEM
from sealwright.db import Statement
from sealwright.db.schema import metadata
from sealwright.entropy import SeededEntropy
from sealwright.keys import SealedHandles, Sealer
from sealwright.oauth import RequestGone
from tests.oauth_world import LOOPBACK, WEB, answer_parameters, handle_in, location, oauth_world, public_request

OTHER_KEY = bytes(range(32))


@asynccontextmanager
async def signed_in_alice(**options):
    async with oauth_world(**options) as world:
        await world.public_client()
        alice = await world.person("alice", groups=("users",))
        yield world, await world.sign_in(alice)


async def rows(world):
    """How many rows each table holds."""
    counts = {}
    for table in metadata.sorted_tables:
        row = await world.db.one(Statement(select(func.count()).select_from(table)))
        counts[table.name] = row[0]
    return counts


async def test_requests_of_people_who_are_not_signed_in_store_nothing():
    async with signed_in_alice() as (world, _cookie):
        before = await rows(world)
        for _ in range(5):
            answer = await world.authorize(None, **public_request())
            assert location(answer).startswith("/ui/sign-in?request=")
            silent = await world.authorize(None, **public_request(prompt="none"))
            assert answer_parameters(location(silent))["error"] == "login_required"
            denied = await world.server.authorization.deny(handle_in(answer), None)
            assert answer_parameters(denied.location)["error"] == "access_denied"
        assert await rows(world) == before


async def test_code_that_is_given_at_once_stores_no_answered_request():
    async with signed_in_alice() as (world, cookie):
        await world.code(cookie, **public_request(redirect_uri=WEB))  # consent is asked once
        before = await rows(world)
        await world.code(cookie, **public_request(redirect_uri=WEB))
        assert (await rows(world))["oauth_answered_requests"] == before["oauth_answered_requests"] == 1


async def test_handle_works_on_every_node_and_after_a_restart_but_is_answered_once_in_all():
    async with signed_in_alice() as (world, cookie):
        handle = handle_in(await world.authorize(cookie, **public_request()))
        other = world.other_node(entropy=SeededEntropy(99))
        signed_in = await world.signed_in(cookie)
        assert (await other.server.authorization.pending(handle)).request.state == public_request()["state"]
        outcomes = await asyncio.gather(
            *(each.server.authorization.allow(handle, signed_in) for each in (world, other) * 4), return_exceptions=True
        )
        assert sum(not isinstance(outcome, RequestGone) for outcome in outcomes) == 1
        for each in (world, other):
            with pytest.raises(RequestGone):
                await each.server.authorization.pending(handle)


async def test_two_tabs_wait_side_by_side_and_reloading_shows_the_same_request():
    async with signed_in_alice() as (world, cookie):
        first = handle_in(await world.authorize(cookie, **public_request(state="one")))
        second = handle_in(await world.authorize(cookie, **public_request(state="two")))
        for _ in range(2):
            assert (await world.server.authorization.pending(first)).request.state == "one"
        done = await world.server.authorization.allow(second, await world.signed_in(cookie))
        assert answer_parameters(done.location)["state"] == "two"
        done = await world.server.authorization.allow(first, await world.signed_in(cookie))
        assert answer_parameters(done.location)["state"] == "one"


async def test_handle_that_was_changed_or_sealed_with_another_key_or_for_another_purpose_is_no_longer_open():
    async with signed_in_alice() as (world, _cookie):
        handle = handle_in(await world.authorize(None, **public_request()))
        foreign = SealedHandles(world.sealer, world.clock, SeededEntropy(5), purpose="something else").seal(b"1")
        changed = [handle[:at] + ("A" if handle[at] != "A" else "B") + handle[at + 1 :] for at in range(0, len(handle), 7)]
        for wrong in ("", "x", "\u00e4", "A" * 15_000, handle + "=", handle + "A", handle[:-1], foreign, *changed):
            with pytest.raises(RequestGone):
                await world.server.authorization.pending(wrong)
        with pytest.raises(RequestGone):
            await world.other_node(sealer=Sealer(OTHER_KEY, SeededEntropy(99))).server.authorization.pending(handle)
        assert (await world.server.authorization.pending(handle)).client.name == "step-ca"


async def test_handle_opens_across_the_hour_at_which_its_key_changes_until_it_expires():
    async with signed_in_alice(request=timedelta(minutes=90)) as (world, _cookie):
        handle = handle_in(await world.authorize(None, **public_request()))
        world.clock.advance(timedelta(minutes=89))
        assert (await world.server.authorization.pending(handle)).client.name == "step-ca"
        world.clock.advance(timedelta(minutes=1))
        with pytest.raises(RequestGone):
            await world.server.authorization.pending(handle)


async def test_handle_of_a_deleted_client_is_no_longer_open():
    async with signed_in_alice() as (world, _cookie):
        handle = handle_in(await world.authorize(None, **public_request()))
        await world.server.clients.delete("step-ca", actor=SYSTEM)
        with pytest.raises(RequestGone):
            await world.server.authorization.pending(handle)


@pytest.mark.parametrize("what", ["URL removed", "localhost redirects disabled"])
async def test_handle_whose_redirect_uri_was_taken_from_the_client_is_no_longer_open(what):
    async with signed_in_alice() as (world, cookie):
        other = "https://once.example.org/cb"
        await world.server.clients.add("step-ca", "redirect_uris", other, actor=SYSTEM)
        handles = {uri: handle_in(await world.authorize(None, **public_request(redirect_uri=uri))) for uri in (other, LOOPBACK)}
        if what == "URL removed":
            await world.server.clients.remove("step-ca", "redirect_uris", other, actor=SYSTEM)
            gone, stays = other, LOOPBACK
        else:
            await world.server.clients.change("step-ca", {"localhost_redirects": False}, actor=SYSTEM)
            gone, stays = LOOPBACK, other
        with pytest.raises(RequestGone):
            await world.server.authorization.allow(handles[gone], await world.signed_in(cookie))
        assert (await world.server.authorization.pending(handles[stays])).request.redirect_uri == stays


async def test_longest_state_fits_into_an_address_and_what_is_longer_is_told_to_the_client():
    async with signed_in_alice() as (world, cookie):
        for present in (None, cookie):
            answer = await world.authorize(present, **public_request(state="s" * 4_096))
            assert len(location(answer)) < 7_000
            assert (await world.server.authorization.pending(handle_in(answer))).request.state == "s" * 4_096
            answer = await world.authorize(present, **public_request(state="s" * 4_096, nonce="n" * 1_000))
            told = answer_parameters(location(answer))
            assert told["error"] == "invalid_request"
            assert "at most 4800 can be kept. Shorten state, nonce or scope." in told["error_description"]
