"""One rule says which grant types a client may use: at registration, at the authorization endpoint, and at every grant."""

from dataclasses import MISSING

import pytest

from sealwright.access import SYSTEM
from sealwright.client_metadata import SetBy, rows
from tests.oauth_world import CHALLENGE, answer_parameters, basic, location, members, public_redemption
from tests.unit.oauth.registration.test_registration import SECRET_CLIENT, WEB_CLIENT, manage, open_world, refusal, register, send

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CALLBACK = WEB_CLIENT["redirect_uris"][0]
PUBLIC = {**WEB_CLIENT, "token_endpoint_auth_method": "none"}


def other_value(row):
    """A value that the row does not have by default."""
    if row.is_list:
        return ["openid"]
    if row.choices:
        return next(each for each in reversed(row.choices) if each != row.default)
    return True if row.default is False else False if row.default is True else 77


ADMINISTRATORS = [row for row in rows().values() if row.declared.set_by is SetBy.ADMINISTRATOR and row.default is not MISSING]


@pytest.mark.parametrize("row", ADMINISTRATORS, ids=lambda row: row.name)
async def test_client_does_not_register_what_only_an_administrator_sets(row):
    async with open_world() as world:
        usual = await register(world, WEB_CLIENT)
        told = await register(world, {**WEB_CLIENT, row.name: other_value(row)})
        clients = world.server.clients
        expected, found = [await clients.get(each["client_id"], actor=SYSTEM) for each in (usual, told)]
        assert getattr(found, row.name) == getattr(expected, row.name)


async def test_registering_the_device_grant_does_not_switch_it_on():
    async with open_world() as world:
        told = await register(world, {**PUBLIC, "grant_types": ["authorization_code", DEVICE]})
        assert told["grant_types"] == ["authorization_code"]
        name, clients = told["client_id"], world.server.clients
        assert not (await clients.get(name, actor=SYSTEM)).device_grant
        asked = await world.post("/oauth2/device", {"client_id": name})
        assert refusal(asked) == (400, "unauthorized_client")
        assert f"enable-device-flow {name}" in members(asked)["error_description"]
        polled = await world.post("/token", {"grant_type": DEVICE, "device_code": "x", "client_id": name})
        assert refusal(polled) == (400, "unauthorized_client")


async def test_device_grant_that_an_administrator_switched_on_is_told_and_stays():
    async with open_world() as world:
        told = await register(world, PUBLIC)
        name, clients = told["client_id"], world.server.clients
        await clients.change(name, {"device_grant": True}, actor=SYSTEM)
        await clients.update_scope_map(name, "users", ["openid"], actor=SYSTEM)
        updated = members(await manage(world, "PUT", told, {**PUBLIC, "client_id": name}))
        assert updated["grant_types"] == ["authorization_code", DEVICE]
        assert (await clients.get(name, actor=SYSTEM)).device_grant
        assert (await world.post("/oauth2/device", {"client_id": name, "scope": "openid"})).status == 200


async def test_client_for_devices_alone_does_not_register_itself():
    async with open_world() as world:
        answer = await send(world, "POST", "/reg", {"grant_types": [DEVICE], "token_endpoint_auth_method": "none"})
        assert refusal(answer) == (400, "invalid_client_metadata")
        assert "enable-device-flow" in members(answer)["error_description"]


async def test_client_that_is_not_registered_for_codes_is_refused_at_the_authorization_endpoint():
    async with open_world() as world:
        told = await register(world, {**SECRET_CLIENT, "redirect_uris": [CALLBACK]})
        request = {"client_id": told["client_id"], "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
        answer = await world.authorize(**request, state="s", code_challenge=CHALLENGE, code_challenge_method="S256")
        told_back = answer_parameters(location(answer))
        assert (told_back["error"], told_back["state"]) == ("unauthorized_client", "s")
        pushed = await world.post("/oauth2/par", request, basic(told["client_id"], told["client_secret"]))
        assert refusal(pushed) == (400, "unauthorized_client")


@pytest.mark.parametrize(("more", "given"), [([], False), (["refresh_token"], True)], ids=["without", "with"])
async def test_refresh_token_is_given_only_to_a_client_that_registered_its_grant_type(more, given):
    async with open_world() as world:
        told = await register(world, {**PUBLIC, "grant_types": ["authorization_code", *more]})
        name = told["client_id"]
        await world.server.clients.update_scope_map(name, "users", ["openid"], actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        request = {"client_id": name, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
        proof = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        code = await world.code(await world.sign_in(alice), **request, **proof)
        answer = await world.token(**public_redemption(code, client_id=name, redirect_uri=CALLBACK))
        assert answer.status == 200, answer.body
        assert ("refresh_token" in members(answer)) == given
