"""Anyone who asks too much is told to wait, in the words of each wire, and no one else is."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.errors import RateLimited
from sealwright.settings import BudgetSettings, Rate
from tests.oauth_world import (
    CALLBACK,
    answer_parameters,
    basic,
    confidential_request,
    handle_in,
    location,
    members,
    oauth_world,
    page_text,
    public_redemption,
    public_request,
)

FEW = Rate(3, timedelta(minutes=1))
STRANGER = "203.0.113.9"


@asynccontextmanager
async def signed_in_alice(**budgets):
    async with oauth_world(budgets=BudgetSettings(**budgets)) as world:
        await world.public_client()
        alice = await world.person("alice", groups=("users",))
        yield world, await world.sign_in(alice)


async def redeem(world, name, secret, code="x", *, address="192.0.2.7"):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return await world.token(basic(name, secret), address=address, **form)


def waits(answer):
    """Whether a person is told to wait."""
    return answer.status == 429 and "Too many attempts" in page_text(answer)


async def test_wrong_secrets_of_a_stranger_are_limited_and_do_not_lock_the_client_out():
    async with signed_in_alice(token_failures_per_client=FEW) as (world, cookie):
        name, secret = await world.confidential_client()
        code = await world.code(cookie, **confidential_request())
        statuses = [(await redeem(world, name, "wrong", address=STRANGER)).status for _ in range(6)]
        assert statuses == [401, 401, 401, 429, 429, 429]
        refused = await redeem(world, name, secret, code, address=STRANGER)  # the right one neither, from there
        assert (refused.status, members(refused)["error"]) == (429, "temporarily_unavailable")
        assert dict(refused.headers)["retry-after"] == "20"
        assert (await redeem(world, name, secret)).status == 400  # looked at: the code is wrong
        world.clock.advance(timedelta(seconds=20))
        assert (await redeem(world, name, "wrong", address=STRANGER)).status == 401


async def test_void_codes_count_and_good_ones_do_not():
    async with signed_in_alice(token_failures_per_client=FEW) as (world, cookie):
        for _ in range(5):
            code = await world.code(cookie, **public_request())
            assert (await world.token(**public_redemption(code))).status == 200
        statuses = [(await world.token(**public_redemption("void"))).status for _ in range(4)]
        assert statuses == [400, 400, 400, 429]


async def test_address_that_names_ever_other_clients_is_limited_with_its_whole_network():
    async with signed_in_alice(token_failures_per_address=FEW) as (world, _cookie):
        statuses = [(await redeem(world, f"client-{n}", "x", address=f"2001:db8::{n}")).status for n in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await world.post("/oauth2/token", {}, address="2001:db8:0:0:ffff::1")).status == 429
        assert (await world.post("/oauth2/token", {}, address="2001:db8:0:1::1")).status == 400


async def test_tokens_that_are_none_of_ours_are_limited_at_userinfo_and_those_that_ended_are_not():
    async with signed_in_alice(token_failures_per_address=FEW) as (world, cookie):
        token = (await world.tokens(cookie))["access_token"]

        async def userinfo(token, address="192.0.2.7"):
            headers = {"authorization": f"Bearer {token}"} if token else {}
            return await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=headers, address=address)

        assert [(await userinfo("")).status for _ in range(5)] == [401] * 5
        forged = token.rpartition(".")[0] + "." + "A" * 86
        assert [(await userinfo(forged, STRANGER)).status for _ in range(5)] == [401, 401, 401, 429, 429]
        refused = await userinfo(token, STRANGER)
        assert (refused.status, dict(refused.headers)["retry-after"]) == (429, "20")
        assert (await userinfo(token)).status == 200
        world.clock.advance(timedelta(hours=1))
        assert [(await userinfo(token)).status for _ in range(5)] == [401] * 5


async def test_authorization_requests_of_one_address_are_limited():
    async with signed_in_alice(authorizations_per_address=FEW) as (world, cookie):
        for _ in range(3):
            assert (await world.authorize(None, **public_request())).status == 303
        assert waits(await world.authorize(cookie, **public_request()))


async def test_codes_and_refusals_for_one_person_are_limited_and_showing_pages_is_not():
    async with signed_in_alice(authorizations_per_account=FEW) as (world, cookie):
        answers = [await world.authorize(cookie, **public_request()) for _ in range(6)]
        signed_in = await world.signed_in(cookie)
        for answer in answers[:2]:
            assert "code" in answer_parameters((await world.server.authorization.allow(handle_in(answer), signed_in)).location)
        denied = await world.server.authorization.deny(handle_in(answers[2]), signed_in)
        assert answer_parameters(denied.location)["error"] == "access_denied"
        for verb in (world.server.authorization.allow, world.server.authorization.deny):
            with pytest.raises(RateLimited, match="Too many authorization requests of this account"):
                await verb(handle_in(answers[3]), signed_in)
        bob = await world.sign_in(await world.person("bob", groups=("users",)))
        assert location(await world.authorize(bob, **public_request())).startswith("/ui/oauth2/consent?")


async def test_no_one_is_limited_where_the_settings_say_off():
    async with signed_in_alice(
        authorizations_per_address=None,
        authorizations_per_account=None,
        token_failures_per_client=None,
        token_failures_per_address=None,
    ) as (world, cookie):
        for _ in range(20):
            assert await world.code(cookie, **public_request())
            assert (await world.token(**public_redemption("void"))).status == 400
