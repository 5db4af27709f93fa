"""RP-initiated logout: what an application may ask for, and what it never gets (OpenID Connect RP-Initiated Logout 1.0)."""

from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from sealwright.access import SYSTEM
from sealwright.identity import BIN_KEPT
from sealwright.oauth import RequestGone, purge
from tests.oauth_world import ORIGIN, handle_in, location, members, oauth_world

GOODBYE = "https://ca.example.org/goodbye"


@asynccontextmanager
async def alice_with_hint():
    async with oauth_world() as world:
        await world.public_client()
        await world.server.clients.add("step-ca", "post_logout_redirect_uris", GOODBYE, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        hint = (await world.tokens(cookie, redirect_uri="https://ca.example.org"))["id_token"]
        yield world, cookie, hint


async def asked(world, **parameters):
    return await world.call("GET", f"/oauth2/logout?{urlencode(parameters)}")


async def pending(world, response):
    assert location(response).startswith("/ui/oauth2/logout?request="), response.body
    return await world.server.logout.pending(handle_in(response))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_hint_and_registered_uri_lead_back_with_the_state(method):
    async with alice_with_hint() as (world, cookie, hint):
        form = {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE, "state": "a b"}
        response = await asked(world, **form) if method == "GET" else await world.post("/oauth2/logout", form)
        found = await pending(world, response)
        session = (await world.signed_in(cookie)).session
        assert world.server.logout.is_proven(found, session.id)
        after_it = await world.server.logout.signed_out(world.server.logout.after(session.id, found))
        assert (after_it.location, after_it.client_name) == (f"{GOODBYE}?state=a+b", "Step-CA")


async def test_no_state_is_sent_where_none_came():
    async with alice_with_hint() as (world, _cookie, hint):
        found = await pending(world, await asked(world, id_token_hint=hint, post_logout_redirect_uri=GOODBYE))
        assert (await world.server.logout.signed_out(world.server.logout.after("", found))).location == GOODBYE


async def test_expired_hint_is_still_a_hint():
    async with alice_with_hint() as (world, _cookie, hint):
        world.clock.advance(timedelta(hours=7))
        assert (await pending(world, await asked(world, id_token_hint=hint))).client is not None


async def test_hint_of_another_session_proves_nothing():
    async with alice_with_hint() as (world, _cookie, hint):
        found = await pending(world, await asked(world, id_token_hint=hint))
        other = (await world.signed_in(await world.sign_in(await world.person("bob")))).session
        assert not world.server.logout.is_proven(found, other.id)


@pytest.mark.parametrize(
    "parameters", [{}, {"state": "x"}, {"logout_hint": "alice"}, {"ui_locales": "de"}, {"client_id": "step-ca"}]
)
async def test_request_without_hint_proves_nothing_and_leads_nowhere(parameters):
    async with alice_with_hint() as (world, cookie, _hint):
        found = await pending(world, await asked(world, **parameters))
        session = (await world.signed_in(cookie)).session
        assert not world.server.logout.is_proven(found, session.id)
        assert (await world.server.logout.signed_out(world.server.logout.after(session.id, found))).location == ""


async def test_client_id_alone_lets_the_registered_uri_be_used():
    async with alice_with_hint() as (world, _cookie, _hint):
        found = await pending(world, await asked(world, client_id="step-ca", post_logout_redirect_uri=GOODBYE))
        assert found.request.redirect_uri == GOODBYE


def parts_with(hint, header=None, signature=None):
    first, second, third = hint.split(".")
    return f"{header or first}.{second}.{third if signature is None else signature}"


REFUSED = {
    "uri that is not registered": lambda hint: {"id_token_hint": hint, "post_logout_redirect_uri": "https://evil.example/"},
    "uri with a query added": lambda hint: {"id_token_hint": hint, "post_logout_redirect_uri": f"{GOODBYE}?foo=bar"},
    "redirect uri of sign-ins": lambda hint: {"id_token_hint": hint, "post_logout_redirect_uri": "https://ca.example.org"},
    "uri without hint or client": lambda _hint: {"post_logout_redirect_uri": GOODBYE},
    "hint that is not a token": lambda _hint: {"id_token_hint": "abc", "post_logout_redirect_uri": GOODBYE},
    "hint without signature": lambda hint: {"id_token_hint": parts_with(hint, "eyJhbGciOiJub25lIn0", "")},
    "hint with a changed signature": lambda hint: {"id_token_hint": parts_with(hint, signature="A" * 86)},
    "client that is not the hint's": lambda hint: {"id_token_hint": hint, "client_id": "other"},
    "unknown client": lambda _hint: {"client_id": "nobody"},
    "state too long": lambda hint: {"id_token_hint": hint, "state": "s" * 2_049},
}


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED.keys())
async def test_wrong_request_is_shown_and_never_redirected(made):
    async with alice_with_hint() as (world, cookie, hint):
        response = await asked(world, **made(hint))
        assert response.status == 400
        assert "location" not in dict(response.headers)
        assert b"You were not signed out" in response.body
        assert await world.signed_in(cookie)


async def test_repeated_parameter_is_refused():
    async with alice_with_hint() as (world, _cookie, hint):
        response = await world.call("GET", f"/oauth2/logout?{urlencode([('id_token_hint', hint), ('id_token_hint', hint)])}")
        assert (response.status, b"You were not signed out" in response.body) == (400, True)


async def test_access_token_is_no_hint():
    async with alice_with_hint() as (world, cookie, _hint):
        tokens = await world.tokens(cookie, redirect_uri="https://ca.example.org")
        assert (await asked(world, id_token_hint=tokens["access_token"])).status == 400


async def test_id_token_of_another_issuer_is_no_hint():
    async with alice_with_hint() as (world, _cookie, hint):
        await world.server.clients.delete("step-ca", actor=SYSTEM)
        world.clock.advance(BIN_KEPT + timedelta(seconds=1))  # until then the name is reserved
        await purge(world.dependencies)
        await world.public_client()
        assert (await asked(world, id_token_hint=hint)).status == 400


async def test_request_waits_ten_minutes():
    async with alice_with_hint() as (world, _cookie, hint):
        response = await asked(world, id_token_hint=hint)
        world.clock.advance(timedelta(minutes=10))
        with pytest.raises(RequestGone):
            await pending(world, response)


async def test_uri_that_was_taken_away_meanwhile_is_not_used():
    async with alice_with_hint() as (world, _cookie, hint):
        response = await asked(world, id_token_hint=hint, post_logout_redirect_uri=GOODBYE)
        await world.server.clients.remove("step-ca", "post_logout_redirect_uris", GOODBYE, actor=SYSTEM)
        with pytest.raises(RequestGone):
            await pending(world, response)


@pytest.mark.parametrize("handle", ["", "x", "AAAA" * 40])
async def test_handle_that_was_not_made_here_opens_nothing(handle):
    async with alice_with_hint() as (world, _cookie, _hint):
        for opened in (world.server.logout.pending, world.server.logout.signed_out):
            with pytest.raises(RequestGone):
                await opened(handle)


async def test_metadata_tells_of_logout():
    async with alice_with_hint() as (world, _cookie, _hint):
        document = members(await world.call("GET", "/oauth2/openid/step-ca/.well-known/openid-configuration"))
        assert document["end_session_endpoint"] == f"{ORIGIN}/oauth2/logout"
        for channel in ("backchannel", "frontchannel"):
            assert document[f"{channel}_logout_supported"] is True
            assert document[f"{channel}_logout_session_supported"] is True


@pytest.mark.parametrize("required", [True, False])
async def test_front_channel_url_is_loaded_with_issuer_and_session_where_the_client_needs_them(required):
    async with alice_with_hint() as (world, cookie, _hint):
        url = "https://ca.example.org/end?x=1"
        changes = {"frontchannel_logout_uri": url, "frontchannel_logout_session_required": required}
        await world.server.clients.change("step-ca", changes, actor=SYSTEM)
        session = (await world.signed_in(cookie)).session
        (frame,) = (await world.server.logout.signed_out(world.server.logout.after(session.id))).frames
        issuer = urlencode({"iss": f"{ORIGIN}/oauth2/openid/step-ca", "sid": session.id})
        assert frame == (f"{url}&{issuer}" if required else url)


async def test_session_in_the_id_token_is_the_one_that_logout_names():
    async with alice_with_hint() as (world, cookie, hint):
        claims = (await world.verified(hint, "step-ca")).claims
        assert claims["sid"] == (await world.signed_in(cookie)).session.id


async def test_address_over_plain_http_leads_nowhere_once_the_switch_is_off_again():
    async with alice_with_hint() as (world, _cookie, hint):
        plain, clients = "http://ca.example.org/goodbye", world.server.clients
        await clients.change("step-ca", {"http_redirects": True}, actor=SYSTEM)
        await clients.add("step-ca", "post_logout_redirect_uris", plain, actor=SYSTEM)
        asked_before = await asked(world, id_token_hint=hint, post_logout_redirect_uri=plain)
        assert (await pending(world, asked_before)).request.redirect_uri == plain
        await clients.change("step-ca", {"http_redirects": False}, actor=SYSTEM)
        with pytest.raises(RequestGone):
            await pending(world, asked_before)
        refused = await asked(world, id_token_hint=hint, post_logout_redirect_uri=plain)
        assert (refused.status, dict(refused.headers).get("location")) == (400, None)


async def test_frame_is_loaded_only_while_its_address_is_of_a_redirect_url():
    async with alice_with_hint() as (world, cookie, _hint):
        clients, frame = world.server.clients, "https://app.example.org/end"
        await clients.add("step-ca", "redirect_uris", "https://app.example.org/back", actor=SYSTEM)
        await clients.change("step-ca", {"frontchannel_logout_uri": frame}, actor=SYSTEM)
        end = world.server.logout.after((await world.signed_in(cookie)).session.id)
        assert (await world.server.logout.signed_out(end)).frames == (frame,)
        await clients.remove("step-ca", "redirect_uris", "https://app.example.org/back", actor=SYSTEM)
        assert (await world.server.logout.signed_out(end)).frames == ()
