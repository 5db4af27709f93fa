"""What modules of the OpenID Foundation's dynamic plan look at, beyond the registration itself."""

import pytest

from sealwright.access import SYSTEM
from tests.oauth_world import CHALLENGE, answer_parameters, location, members, page_text, public_redemption
from tests.unit.oauth.registration.test_registration import WEB_CLIENT, manage, open_world, refusal, register, send

START = "https://rp.example.org/login"
WITH_QUERY = "https://rp.example.org/callback?tenant=one&lang=en"
PUBLIC = {**WEB_CLIENT, "redirect_uris": [WITH_QUERY], "token_endpoint_auth_method": "none"}


async def test_address_where_a_client_begins_a_sign_in_is_registered_and_told():
    async with open_world() as world:
        told = await register(world, {**WEB_CLIENT, "initiate_login_uri": START})
        assert told["initiate_login_uri"] == START
        assert members(await manage(world, "GET", told))["initiate_login_uri"] == START


@pytest.mark.parametrize(
    "uri", ["http://rp.example.org/login", "http://localhost/login", "javascript:alert(1)", f"{START}#top", 1]
)
async def test_address_where_a_client_begins_a_sign_in_is_one_over_https(uri):
    async with open_world() as world:
        answer = await send(world, "POST", "/reg", {**WEB_CLIENT, "initiate_login_uri": uri})
        assert refusal(answer) == (400, "invalid_client_metadata")
        assert str(uri) in members(answer)["error_description"]


async def sent(world, name, cookie, redirect_uri):
    request = {"client_id": name, "redirect_uri": redirect_uri, "response_type": "code", "scope": "openid", "state": "s"}
    return await world.authorize(cookie, **request, code_challenge=CHALLENGE, code_challenge_method="S256")


async def test_query_of_a_registered_redirect_uri_is_kept_in_the_response():
    async with open_world() as world:
        name = (await register(world, PUBLIC))["client_id"]
        await world.server.clients.update_scope_map(name, "users", ["openid"], actor=SYSTEM)
        cookie = await world.sign_in(await world.person("alice", groups=("users",)))
        handle = location(await sent(world, name, cookie, WITH_QUERY)).split("request=")[1]
        done = await world.server.authorization.allow(handle, await world.signed_in(cookie))
        assert done.location.startswith(f"{WITH_QUERY}&")
        told = answer_parameters(done.location)
        assert (told["tenant"], told["lang"], told["state"]) == ("one", "en", "s")
        redeemed = await world.token(**public_redemption(told["code"], client_id=name, redirect_uri=WITH_QUERY))
        assert redeemed.status == 200, redeemed.body


@pytest.mark.parametrize(
    "changed",
    [
        "https://rp.example.org/callback",
        "https://rp.example.org/callback?tenant=two&lang=en",
        "https://rp.example.org/callback?lang=en&tenant=one",
        f"{WITH_QUERY}&added=1",
    ],
)
async def test_changed_or_added_query_of_a_redirect_uri_is_shown_and_never_followed(changed):
    async with open_world() as world:
        name = (await register(world, PUBLIC))["client_id"]
        answer = await sent(world, name, None, changed)
        assert answer.status == 400
        assert "is not registered for it" in page_text(answer)


async def test_redirect_uri_is_never_guessed_from_those_that_are_registered():
    async with open_world() as world:
        name = (await register(world, {**PUBLIC, "redirect_uris": [WITH_QUERY, "https://rp.example.org/other"]}))["client_id"]
        answer = await world.authorize(None, client_id=name, response_type="code", scope="openid")
        assert answer.status == 400
        assert "does not say" in page_text(answer)
