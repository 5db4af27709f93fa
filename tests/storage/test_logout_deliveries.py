"""Logout tokens on two nodes of one database: each client is told once of each session, on both engines."""

import asyncio
from datetime import timedelta

from sealwright.access import SYSTEM
from sealwright.oauth.logout import store
from sealwright.outbound import OutboundResponse
from tests.oauth_world import oauth_world

URL = "https://ca.example.org/backchannel"
PEOPLE = 6


async def ended_sessions(world):
    """People who signed out of a client that is told of it."""
    await world.public_client()
    await world.server.clients.change("step-ca", {"backchannel_logout_uri": URL}, actor=SYSTEM)
    for number in range(PEOPLE):
        cookie = await world.sign_in(await world.person(f"person{number}", groups=("users",)))
        await world.tokens(cookie, redirect_uri="https://ca.example.org")
        signed_in = await world.signed_in(cookie)
        await world.sessions.end(signed_in.session.id, "signed out", actor=signed_in.actor)


async def test_two_nodes_tell_each_session_once(open_scratch):
    async with oauth_world(open_scratch) as world:
        await ended_sessions(world)
        nodes = (world, world.other_node())
        world.outbound.answers[URL] = OutboundResponse(200)
        for _ in range(3):
            await asyncio.gather(*(node.server.backchannel_logout.deliver_due() for node in nodes))
        told = [form["logout_token"] for _, form in world.outbound.forms]
        assert len(told) == PEOPLE
        assert await store.due(world.db, now=world.clock.now(), at_most=100, of_client=100) == []


async def test_what_failed_waits_and_no_client_takes_the_whole_round(open_scratch):
    async with oauth_world(open_scratch) as world:
        await ended_sessions(world)
        now = world.clock.now()
        assert len(await store.due(world.db, now=now, at_most=100, of_client=100)) == PEOPLE
        assert len(await store.due(world.db, now=now, at_most=100, of_client=2)) == 2
        assert len(await store.due(world.db, now=now, at_most=1, of_client=2)) == 1
        world.outbound.answers[URL] = OutboundResponse(500)
        await world.server.backchannel_logout.deliver_due()
        assert await store.due(world.db, now=world.clock.now(), at_most=100, of_client=100) == []
        world.clock.advance(timedelta(seconds=10))
        assert len(await store.due(world.db, now=world.clock.now(), at_most=100, of_client=100)) == PEOPLE
