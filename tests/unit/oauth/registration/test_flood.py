"""Ten thousand registrations a minute: few are taken, and what is refused costs no row."""

import time

import msgspec

from sealwright.access import SYSTEM
from tests.oauth_world import oauth_world
from tests.unit.oauth.registration.test_registration import SECRET_CLIENT

MANY = 10_000
PER_MINUTE = 600  # `registrations` in [budgets]


async def flood(world, addresses):
    """Register from so many addresses in turn, all in one moment; how many were answered with each status."""
    body, headers = msgspec.json.encode(SECRET_CLIENT), {"content-type": "application/json"}
    told = {201: 0, 429: 0}
    for number in range(MANY):
        address = f"198.51.{number % addresses // 256}.{number % addresses % 256}"
        answer = await world.call("POST", "/reg", body=body, headers=headers, address=address)
        told[answer.status] += 1
    return told


async def test_ten_thousand_registrations_in_a_minute_stay_bounded_wherever_they_come_from():
    async with oauth_world(open_registration=True) as world:
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        assert await flood(world, 1) == {201: 60, 429: MANY - 60}
        began = time.monotonic()
        told = await flood(world, 10_000)
        assert told == {201: PER_MINUTE - 60, 429: MANY - PER_MINUTE + 60}
        assert time.monotonic() - began < 60
        assert len(await world.server.clients.list(actor=SYSTEM)) == PER_MINUTE
        assert len(await world.events("client.registered")) <= PER_MINUTE
