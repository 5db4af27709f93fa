"""Back-channel logout: who is told of the end of a session, how, and what happens when they are not there."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.clock import to_seconds
from sealwright.oauth.logout.backchannel import MOST_AT_ONCE, MOST_AT_ONCE_OF_CLIENT, BackchannelLogout
from sealwright.outbound import OutboundFailed, OutboundResponse
from tests.oauth_world import ORIGIN, members, oauth_world, public_redemption, public_request

URL = "https://ca.example.org/backchannel"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
TOLD, NOT_TOLD = "client.logout_delivered", "client.logout_undelivered"


@asynccontextmanager
async def alice_with_tokens():
    async with oauth_world() as world:
        await world.public_client()
        await world.server.clients.change("step-ca", {"backchannel_logout_uri": URL}, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        tokens = await world.tokens(cookie, redirect_uri="https://ca.example.org")
        yield world, await world.signed_in(cookie), tokens


async def end(world, signed_in):
    await world.sessions.end(signed_in.session.id, "signed out", actor=signed_in.actor)


async def delivered(world):
    await world.server.backchannel_logout.deliver_due()


async def test_logout_token_is_what_the_standard_says():
    async with alice_with_tokens() as (world, signed_in, tokens):
        world.outbound.answers[URL] = OutboundResponse(200)
        await end(world, signed_in)
        await delivered(world)
        ((url, form),) = world.outbound.forms
        assert (url, set(form)) == (URL, {"logout_token"})
        verified = await world.verified(form["logout_token"], "step-ca")
        claims, now = verified.claims, to_seconds(world.clock.now())
        assert verified.header["typ"] == "logout+jwt"
        assert verified.header["alg"] == "ES256"
        assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"}, "and never a nonce"
        assert (claims["iss"], claims["aud"]) == (f"{ORIGIN}/oauth2/openid/step-ca", "step-ca")
        assert (claims["sub"], claims["sid"]) == (signed_in.account.id, signed_in.session.id)
        assert claims["events"] == {EVENT: {}}
        assert claims["iat"] == now
        assert now < claims["exp"] <= now + 120
        id_token = (await world.verified(tokens["id_token"], "step-ca")).claims
        assert (claims["sid"], claims["sub"], claims["iss"]) == (id_token["sid"], id_token["sub"], id_token["iss"])


@pytest.mark.parametrize("status", [200, 204])
async def test_client_that_took_the_token_is_told_once_and_it_is_recorded(status):
    async with alice_with_tokens() as (world, signed_in, _tokens):
        world.outbound.answers[URL] = OutboundResponse(status)
        await end(world, signed_in)
        await delivered(world)
        await delivered(world)
        assert len(world.outbound.forms) == 1
        ((_, outcome, details),) = await world.events(TOLD)
        assert outcome == "done"
        assert details == {"client": "step-ca", "session": signed_in.session.id, "tries": 1}


@pytest.mark.parametrize(
    "answer",
    [OutboundFailed("https://ca.example.org/backchannel cannot be reached."), OutboundResponse(400), OutboundResponse(302)],
)
async def test_client_that_does_not_take_it_is_told_again_ever_later(answer):
    async with alice_with_tokens() as (world, signed_in, _tokens):
        world.outbound.answers[URL] = answer
        await end(world, signed_in)
        for seconds, tries in ((0, 1), (9, 1), (1, 2), (19, 2), (1, 3)):
            world.clock.advance(timedelta(seconds=seconds))
            await delivered(world)
            assert len(world.outbound.forms) == tries
        world.outbound.answers[URL] = OutboundResponse(200)
        world.clock.advance(timedelta(minutes=1))
        await delivered(world)
        ((_, _, details),) = await world.events(TOLD)
        assert details["tries"] == 4
        sent = [form["logout_token"] for _, form in world.outbound.forms]
        assert len(set(sent)) == len(sent), "each try has a fresh token"


async def test_client_that_never_takes_it_is_given_up_after_a_day():
    async with alice_with_tokens() as (world, signed_in, _tokens):
        world.outbound.answers[URL] = OutboundResponse(500)
        await end(world, signed_in)
        for _ in range(200):
            await delivered(world)
            world.clock.advance(timedelta(minutes=15))
        ((_, outcome, details),) = await world.events(NOT_TOLD)
        assert (outcome, details["reason"]) == ("failed", f"{URL} answered with status 500.")
        tries = len(world.outbound.forms)
        await delivered(world)
        assert len(world.outbound.forms) == tries


async def test_two_nodes_tell_a_client_once():
    async with alice_with_tokens() as (world, signed_in, _tokens):
        world.outbound.answers[URL] = OutboundResponse(200)
        await end(world, signed_in)
        await asyncio.gather(*(node.server.backchannel_logout.deliver_due() for node in (world, world.other_node())))
        assert len(world.outbound.forms) == 1


async def test_client_without_url_and_client_that_was_given_nothing_are_not_told():
    async with alice_with_tokens() as (world, signed_in, _tokens):
        await world.confidential_client()
        await world.server.clients.change("wiki", {"backchannel_logout_uri": "https://wiki.example.org/b"}, actor=SYSTEM)
        await world.server.clients.change("step-ca", {"backchannel_logout_uri": None}, actor=SYSTEM)
        await end(world, signed_in)
        await delivered(world)
        assert world.outbound.forms == []


async def by_administrator(world, signed_in):
    await world.sessions.end_all(signed_in.account.id, "revoked", actor=SYSTEM)


@pytest.mark.parametrize("ended", [end, by_administrator])
async def test_every_end_of_a_session_is_told(ended):
    async with alice_with_tokens() as (world, signed_in, _tokens):
        world.outbound.answers[URL] = OutboundResponse(200)
        await ended(world, signed_in)
        await delivered(world)
        assert len(world.outbound.forms) == 1


async def test_what_was_given_under_a_session_ends_with_it_at_once():
    async with alice_with_tokens() as (world, signed_in, tokens):
        code = await world.code(await world.sign_in(await world.person("bob", groups=("users",))), **public_request())
        await end(world, signed_in)
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 401
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "step-ca"}
        refused = await world.token(**refresh)
        assert (refused.status, members(refused)["error"]) == (400, "invalid_grant")
        assert (await world.post("/oauth2/token", public_redemption(code))).status == 200, "of another's session"


async def test_sign_out_waits_only_a_while_for_a_slow_client():
    async with alice_with_tokens() as (world, signed_in, _tokens):
        world.outbound.answers[URL], world.outbound.delay = OutboundResponse(200), 0.2
        await end(world, signed_in)
        backchannel: BackchannelLogout = world.server.backchannel_logout
        await backchannel.deliver_session(signed_in.session.id, timedelta(milliseconds=1))
        assert await world.events(TOLD) == []
        await backchannel.settle()
        assert len(await world.events(TOLD)) == 1


async def test_no_logout_token_in_the_audit():
    async with alice_with_tokens() as (world, signed_in, _tokens):
        world.outbound.answers[URL] = OutboundResponse(500)
        await end(world, signed_in)
        await delivered(world)
        rows = await world.audit.newest(world.db, at_most=500)
        token = world.outbound.forms[0][1]["logout_token"]
        assert all(token not in str(row) for row in rows)


async def test_client_that_does_not_answer_delays_no_other():
    """Every call to the one would take longer than the whole round."""
    async with alice_with_tokens() as (world, signed_in, _tokens):
        await world.public_client("wiki")
        other = "https://wiki.example.org/backchannel"
        await world.server.clients.change("wiki", {"backchannel_logout_uri": other}, actor=SYSTEM)
        world.outbound.answers |= {URL: OutboundResponse(200), other: OutboundResponse(200)}
        world.outbound.delays[URL] = 30.0
        for number in range(3 * MOST_AT_ONCE):
            person = await world.person(f"person{number}", groups=("users",))
            cookie = await world.sign_in(person)
            await world.tokens(cookie, redirect_uri="https://ca.example.org")
            await end(world, await world.signed_in(cookie))
        world.clock.advance(timedelta(seconds=1))
        cookie = await world.sign_in(signed_in.account)
        await world.tokens(cookie, client_id="wiki", redirect_uri="https://ca.example.org")
        await end(world, await world.signed_in(cookie))
        await asyncio.wait_for(delivered(world), 10)
        assert [url for url, _ in world.outbound.forms].count(other) == 1
        assert [url for url, _ in world.outbound.forms].count(URL) == MOST_AT_ONCE_OF_CLIENT
        await delivered(world)
        assert len(world.outbound.forms) == 1 + MOST_AT_ONCE_OF_CLIENT, "what is under way is not begun again"
        for task in list(world.server.backchannel_logout._under_way.values()):
            task.cancel()


async def test_client_that_may_not_use_plain_http_any_more_is_not_told_over_it():
    async with alice_with_tokens() as (world, signed_in, _tokens):
        plain, world.outbound.allow_http = "http://ca.example.org/backchannel", True
        await world.server.clients.change("step-ca", {"http_redirects": True, "backchannel_logout_uri": plain}, actor=SYSTEM)
        world.outbound.answers[plain] = OutboundResponse(200)
        await end(world, signed_in)
        await world.server.clients.change("step-ca", {"http_redirects": False}, actor=SYSTEM)
        await delivered(world)
        assert world.outbound.forms == []
        ((_, _, details),) = await world.events(NOT_TOLD)
        assert details["reason"] == "the client has no back-channel logout URL any more"
