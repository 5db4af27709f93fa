"""What modules of the FAPI 2.0 plans look at and no other test does."""

import pytest

from sealwright.clock import to_seconds
from tests.oauth_world import confidential_request, members
from tests.unit.oauth.dpop.test_bound_tokens import USERINFO, alice_at_wiki
from tests.unit.oauth.test_request_objects import alice_at_wiki as alice_with_keys
from tests.unit.oauth.test_request_objects import sent, signed
from tests.unit.oauth.test_resources_and_details import redeemed


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_scheme_of_a_bearer_token_counts_in_any_case(scheme):
    async with alice_at_wiki() as (world, client, cookie):
        token = (await redeemed(world, client, cookie, confidential_request()))["access_token"]
        answer = await world.call("GET", USERINFO, headers={"authorization": f"{scheme} {token}"})
        assert (answer.status, "sub" in members(answer)) == (200, True)


@pytest.mark.parametrize(("seconds", "taken"), [(8, True), (10, True), (61, False)])
async def test_beginning_of_a_request_object_counts_with_some_seconds_for_clocks_that_differ(seconds, taken):
    async with alice_with_keys() as (world, _, cookie):
        begins = to_seconds(world.clock.now()) + seconds
        answer = await sent(world, cookie, signed(world, nbf=begins, exp=begins + 60, prompt="none"))
        assert (answer["error"] == "invalid_request_object") is not taken
