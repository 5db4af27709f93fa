"""What a proven client is refused leaves a row, at every endpoint that clients call; questions on the way leave none."""

import pytest

from sealwright.access import SYSTEM
from tests.oauth_world import basic, oauth_world

REFUSED = {
    "no grant type": ("/oauth2/token", {}, "invalid_request"),
    "unknown grant type": ("/oauth2/token", {"grant_type": "password"}, "unsupported_grant_type"),
    "grant type of others": (
        "/oauth2/token",
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"},
        "unauthorized_client",
    ),
    "scope": ("/oauth2/token", {"grant_type": "client_credentials", "scope": "root"}, "invalid_scope"),
    "no token to introspect": ("/oauth2/token/introspect", {}, "invalid_request"),
    "no token to revoke": ("/oauth2/token/revoke", {}, "invalid_request"),
    "pushed request": ("/oauth2/par", {"response_type": "token"}, "invalid_request"),
    "device": ("/oauth2/device", {"scope": "openid"}, "unauthorized_client"),
}


@pytest.mark.parametrize(("path", "form", "error"), REFUSED.values(), ids=REFUSED.keys())
async def test_refused_request_of_a_proven_client_is_on_record(path, form, error):
    async with oauth_world() as world:
        name, secret = await world.confidential_client()
        answer = await world.post(path, form, basic(name, secret))
        assert answer.status == 400
        [(_, outcome, details)] = await world.events("token.refused")
        assert (outcome, details["client"], details["endpoint"], details["error"]) == ("refused", "wiki", path, error)


async def test_refusals_are_counted_together_whatever_the_client_asks_for():
    async with oauth_world() as world:
        name, secret = await world.confidential_client()
        for grant_type in ("one", "another"):
            await world.post("/oauth2/token", {"grant_type": grant_type}, basic(name, secret))
        assert len(await world.events("token.refused")) == 1


async def test_device_that_waits_leaves_no_row():
    async with oauth_world() as world:
        name, secret = await world.confidential_client()
        await world.server.clients.change(name, {"device_grant": True}, actor=SYSTEM)
        asked = await world.post("/oauth2/device", {"scope": "openid"}, basic(name, secret))
        code = asked.body.decode().split('"device_code":"')[1].split('"')[0]
        grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": code}
        assert (await world.post("/oauth2/token", grant, basic(name, secret))).status == 400
        assert await world.events("token.refused") == []
