"""What this server calls by itself is registered only where it would be called."""

import pytest

from sealwright.access import SYSTEM
from sealwright.oauth import ClientRefused
from tests.oauth_world import members, oauth_world
from tests.unit.oauth.registration.test_registration import WEB_CLIENT, open_world, send

PLAIN = "http://wiki.example.org/called"
URLS = ("backchannel_logout_uri", "jwks_uri")


@pytest.mark.parametrize("member", URLS)
async def test_plain_http_address_is_not_registered_while_this_server_calls_none(member):
    async with oauth_world() as world:
        await world.confidential_client()
        clients = world.server.clients
        await clients.change("wiki", {"http_redirects": True}, actor=SYSTEM)
        with pytest.raises(ClientRefused, match="over plain http") as refusal:
            await clients.change("wiki", {member: PLAIN}, actor=SYSTEM)
        assert refusal.value.reasons == ("it never does while outbound.allow_http is off",)
        creation = {"http_redirects": True, member: PLAIN}
        with pytest.raises(ClientRefused, match="over plain http"):
            await clients.create_confidential("blog", "Blog", "https://blog.example.org", members=creation, actor=SYSTEM)
        world.outbound.allow_http = True
        assert getattr(await clients.change("wiki", {member: PLAIN}, actor=SYSTEM), member) == PLAIN


async def test_other_changes_go_on_where_plain_http_is_not_allowed_any_more():
    async with oauth_world() as world:
        await world.confidential_client()
        world.outbound.allow_http = True
        clients = world.server.clients
        await clients.change("wiki", {"http_redirects": True, "backchannel_logout_uri": PLAIN}, actor=SYSTEM)
        world.outbound.allow_http = False
        assert (await clients.change("wiki", {"display_name": "W"}, actor=SYSTEM)).backchannel_logout_uri == PLAIN


async def test_client_does_not_register_an_address_that_is_never_called():
    async with open_world() as world:
        answer = await send(world, "POST", "/reg", {**WEB_CLIENT, "jwks_uri": PLAIN})
        assert (answer.status, members(answer)["error"]) == (400, "invalid_client_metadata")
        assert "outbound.allow_http" in members(answer)["error_description"]
