"""Devices without a browser: their two codes, the person's decision elsewhere, and their questions meanwhile."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.entropy import SystemEntropy
from sealwright.oauth import RequestGone, UserCodeUnknown
from sealwright.oauth.device.user_codes import ALPHABET, new_user_code, read_user_code, shown
from sealwright.oauth.purge import purge
from sealwright.settings import BudgetSettings, Rate
from tests.oauth_world import ORIGIN, basic, members, oauth_world

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ASK = "/oauth2/device"


@asynccontextmanager
async def alice_at_tv(*, enabled=True, **options):
    async with oauth_world(**options) as world:
        await world.public_client("tv", scopes=("openid", "email"))
        await world.server.clients.change("tv", {"device_grant": enabled}, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        yield world, await world.sign_in(alice)


async def asked(world, **changes):
    answer = await world.post(ASK, {"client_id": "tv", "scope": "openid email"} | changes)
    assert answer.status == 200, answer.body
    return members(answer)


async def poll(world, codes, **changes):
    return await world.token(grant_type=GRANT, client_id="tv", device_code=codes["device_code"], **changes)


async def error_of(world, codes):
    answer = await poll(world, codes)
    assert answer.status == 400
    return members(answer)["error"]


async def decide(world, cookie, codes, decision="allow"):
    handle = await world.server.authorization.handle_of_device(codes["user_code"], "192.0.2.7")
    return await getattr(world.server.authorization, decision)(handle, await world.signed_in(cookie))


async def test_device_gets_its_tokens_once_the_person_has_allowed_it():
    async with alice_at_tv() as (world, cookie):
        codes = await asked(world, nonce="n-1")
        assert codes["verification_uri"] == f"{ORIGIN}/ui/oauth2/device"
        assert codes["verification_uri_complete"] == f"{codes['verification_uri']}?user_code={codes['user_code']}"
        assert (codes["expires_in"], codes["interval"]) == (600, 5)
        assert await error_of(world, codes) == "authorization_pending"
        step = await decide(world, cookie, codes)
        assert step.location == "/ui/oauth2/device/done?allowed"
        world.clock.advance(timedelta(seconds=5))
        tokens = members(await poll(world, codes))
        claims = (await world.verified(tokens["id_token"], "tv")).claims
        assert (claims["email"], claims["nonce"]) == ("alice@example.org", "n-1")
        refreshed = await world.token(grant_type="refresh_token", client_id="tv", refresh_token=tokens["refresh_token"])
        assert refreshed.status == 200
        assert [each[2]["device"] for each in await world.events("consent.given")] == [True]


async def test_second_use_of_a_device_code_ends_what_the_first_gave():
    async with alice_at_tv() as (world, cookie):
        codes = await asked(world)
        await decide(world, cookie, codes)
        tokens = members(await poll(world, codes))
        assert await error_of(world, codes) == "invalid_grant"
        refreshed = await world.token(grant_type="refresh_token", client_id="tv", refresh_token=tokens["refresh_token"])
        assert refreshed.status == 400


async def test_denied_device_is_told_so():
    async with alice_at_tv() as (world, cookie):
        codes = await asked(world)
        step = await decide(world, cookie, codes, "deny")
        assert step.location == "/ui/oauth2/device/done?refused"
        assert await error_of(world, codes) == "access_denied"
        with pytest.raises(UserCodeUnknown):
            await decide(world, cookie, codes)


async def test_device_that_asks_too_often_waits_longer_each_time():
    async with alice_at_tv() as (world, _cookie):
        codes = await asked(world)
        assert await error_of(world, codes) == "authorization_pending"
        world.clock.advance(timedelta(seconds=4))
        assert await error_of(world, codes) == "slow_down"
        world.clock.advance(timedelta(seconds=9))
        assert await error_of(world, codes) == "slow_down"
        world.clock.advance(timedelta(seconds=15))
        assert await error_of(world, codes) == "authorization_pending"


async def test_codes_expire():
    async with alice_at_tv() as (world, cookie):
        codes = await asked(world)
        world.clock.advance(timedelta(minutes=10))
        assert await error_of(world, codes) == "expired_token"
        with pytest.raises(UserCodeUnknown):
            await decide(world, cookie, codes)
        world.clock.advance(timedelta(days=1))
        assert await purge(world.dependencies) == 1


async def test_person_is_asked_each_time():
    async with alice_at_tv() as (world, cookie):
        await decide(world, cookie, await asked(world))
        handle = await world.server.authorization.handle_of_device((await asked(world))["user_code"], "192.0.2.7")
        step = await world.server.authorization.next_step(handle, await world.signed_in(cookie))
        assert type(step).__name__ == "ConsentStep"


async def test_one_decision_counts():
    async with alice_at_tv() as (world, cookie):
        codes = await asked(world)
        handles = [await world.server.authorization.handle_of_device(codes["user_code"], "192.0.2.7") for _ in range(2)]
        person = await world.signed_in(cookie)
        await world.server.authorization.allow(handles[0], person)
        with pytest.raises(RequestGone):
            await world.server.authorization.allow(handles[1], person)
        with pytest.raises(RequestGone):
            await world.server.authorization.deny(handles[1], person)
        assert (await poll(world, codes)).status == 200


async def test_person_without_the_scopes_may_not_allow_it():
    async with alice_at_tv() as (world, _cookie):
        codes = await asked(world)
        stranger = await world.sign_in(await world.person("bob"))
        handle = await world.server.authorization.handle_of_device(codes["user_code"], "192.0.2.7")
        step = await world.server.authorization.allow(handle, await world.signed_in(stranger))
        assert type(step).__name__ == "NotAllowedStep"
        await world.server.authorization.go_back(handle, await world.signed_in(stranger))
        assert await error_of(world, codes) == "access_denied"


async def test_device_code_is_bound_to_its_client():
    async with alice_at_tv() as (world, cookie):
        await world.public_client("other")
        await world.server.clients.change("other", {"device_grant": True}, actor=SYSTEM)
        codes = await asked(world)
        await decide(world, cookie, codes)
        answer = await world.token(grant_type=GRANT, client_id="other", device_code=codes["device_code"])
        assert members(answer)["error"] == "invalid_grant"
        assert (await poll(world, codes)).status == 200


async def test_authorization_that_ended_before_the_device_asked_gives_nothing():
    async with alice_at_tv() as (world, cookie):
        codes = await asked(world)
        await decide(world, cookie, codes)
        signed_in = await world.signed_in(cookie)
        await world.sessions.end(signed_in.session.id, "signed out", actor=signed_in.actor)
        assert await error_of(world, codes) == "invalid_grant"


async def test_client_is_refused_until_it_is_switched_on():
    async with alice_at_tv(enabled=False) as (world, _cookie):
        answer = await world.post(ASK, {"client_id": "tv", "scope": "openid"})
        assert members(answer)["error"] == "unauthorized_client"
        assert "enable-device-flow tv" in members(answer)["error_description"]
        assert await error_of(world, {"device_code": "x"}) == "unauthorized_client"
        metadata = members(await world.call("GET", "/oauth2/openid/tv/.well-known/openid-configuration"))
        assert "device_authorization_endpoint" not in metadata
        await world.server.clients.change("tv", {"device_grant": True}, actor=SYSTEM)
        metadata = members(await world.call("GET", "/oauth2/openid/tv/.well-known/openid-configuration"))
        assert metadata["device_authorization_endpoint"] == f"{ORIGIN}{ASK}"
        assert GRANT in metadata["grant_types_supported"]


async def test_confidential_device_proves_itself():
    async with alice_at_tv() as (world, _cookie):
        name, secret = await world.confidential_client()
        await world.server.clients.change(name, {"device_grant": True}, actor=SYSTEM)
        assert (await world.post(ASK, {"scope": "openid"}, basic(name, "wrong"))).status == 401
        assert (await world.post(ASK, {"scope": "openid"}, basic(name, secret))).status == 200


WRONG = {"no scope": ({"scope": ""}, "invalid_scope"), "resource": ({"resource": "https://x.example/"}, "invalid_target")}


@pytest.mark.parametrize(("changes", "error"), WRONG.values(), ids=WRONG)
async def test_wrong_request_is_refused_at_once(changes, error):
    async with alice_at_tv() as (world, _cookie):
        answer = await world.post(ASK, {"client_id": "tv", "scope": "openid"} | changes)
        assert (answer.status, members(answer)["error"]) == (400, error)


async def test_questions_of_a_waiting_device_are_no_failures():
    async with alice_at_tv(budgets=BudgetSettings(token_failures_per_client=Rate(3, timedelta(hours=1)))) as (world, cookie):
        codes = await asked(world)
        for _ in range(10):
            assert await error_of(world, codes) == "authorization_pending"
            world.clock.advance(timedelta(seconds=5))
        await decide(world, cookie, codes)
        assert (await poll(world, codes)).status == 200


async def test_guessing_codes_is_limited():
    async with alice_at_tv(budgets=BudgetSettings(user_codes_per_address=Rate(3, timedelta(minutes=1)))) as (world, _cookie):
        for _ in range(3):
            with pytest.raises(UserCodeUnknown):
                await world.server.authorization.handle_of_device("BBBB-BBBB", "192.0.2.7")
        with pytest.raises(Exception, match="Too many codes of devices"):
            await world.server.authorization.handle_of_device("BBBB-BBBB", "192.0.2.7")
        codes = await asked(world)
        assert await world.server.authorization.handle_of_device(codes["user_code"], "198.51.100.7")


def test_user_codes_have_no_letters_that_look_alike():
    codes = {new_user_code(SystemEntropy()) for _ in range(200)}
    assert len(codes) == 200
    assert {letter for code in codes for letter in code} == set(ALPHABET)
    assert not set("AEIOU01OILS5Y") & set(ALPHABET) - set("LS")
    assert {len(code) for code in codes} == {8}


@pytest.mark.parametrize("typed", ["WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "w-d-j-b-m-j-h-t"])
def test_code_is_understood_however_it_is_typed(typed):
    assert read_user_code(typed) == "WDJBMJHT"
    assert shown("WDJBMJHT") == "WDJB-MJHT"


@pytest.mark.parametrize("typed", ["", "WDJB-MJH", "WDJB-MJHTT", "WDJA-MJHT", "WDJ0-MJHT", "W" * 10_000, "\0" * 8])
def test_text_that_can_be_no_code_is_not_looked_up(typed):
    assert read_user_code(typed) is None
