"""What ID tokens and userinfo tell of a person: the claims of each scope, and nothing beside them."""

from contextlib import asynccontextmanager

import pytest

from sealwright.access import SYSTEM
from tests.oauth_world import CALLBACK, VERIFIER, basic, confidential_request, members, oauth_world
from tests.unit.identity.profiles.test_profiles import key_line

ATTRIBUTES = {
    "given_name": "Alice",
    "family_name": "Example",
    "middle_name": "B.",
    "nickname": "Al",
    "profile": "https://example.org/alice",
    "picture": "https://example.org/alice.png",
    "website": "https://alice.example.org",
    "gender": "female",
    "birthdate": "1987-03-21",
    "zoneinfo": "Europe/Berlin",
    "locale": "de-DE",
    "phone_number": "+49301234567",
    "address.street_address": "Main Street 1",
    "address.country": "DE",
}
SCOPES = ("openid", "profile", "email", "address", "phone", "ssh_publickeys")
CONTACT = {"email", "email_verified", "address", "phone_number", "phone_number_verified", "ssh_publickeys"}
PROFILE = {name for name in ATTRIBUTES if "." not in name and name != "phone_number"}
PERSON = {"sub", "name", "preferred_username", "updated_at", *CONTACT, *PROFILE}


@asynccontextmanager
async def alice_at_wiki():
    async with oauth_world() as world:
        client = await world.confidential_client(scopes=SCOPES)
        alice = await world.person("alice", groups=("users",))
        await world.directory.set_attributes("alice", ATTRIBUTES, actor=SYSTEM)
        await world.directory.add_ssh_key("alice", "laptop", key_line(), actor=SYSTEM)
        yield world, client, await world.sign_in(alice)


async def claims_told(world, client, cookie, scope):
    """What the ID token and userinfo tell of the person."""
    name, secret = client
    code = await world.code(cookie, **confidential_request(scope=scope))
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    tokens = members(await world.token(basic(name, secret), **form))
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    userinfo = members(await world.call("GET", f"/oauth2/openid/{name}/userinfo", headers=bearer))
    id_token = (await world.verified(tokens["id_token"], name)).claims
    return {claim: value for claim, value in id_token.items() if claim in PERSON}, userinfo


async def test_profile_has_all_fourteen_claims():
    async with alice_at_wiki() as (world, client, cookie):
        for claims in await claims_told(world, client, cookie, "openid profile"):
            assert set(claims) == PROFILE | {"sub", "name", "preferred_username", "updated_at"}
            assert {name: claims[name] for name in PROFILE} == {name: ATTRIBUTES[name] for name in PROFILE}


async def test_address_phone_and_ssh_keys_come_with_their_scopes():
    async with alice_at_wiki() as (world, client, cookie):
        for claims in await claims_told(world, client, cookie, "openid address phone ssh_publickeys"):
            assert set(claims) == {"sub", "address", "phone_number", "phone_number_verified", "ssh_publickeys"}
            assert claims["address"] == {"street_address": "Main Street 1", "country": "DE"}
            assert (claims["phone_number"], claims["phone_number_verified"]) == ("+49301234567", True)
            assert claims["ssh_publickeys"] == [key_line(comment="")]
        document = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        assert {"address", "phone_number", "birthdate", "ssh_publickeys"} <= set(document["claims_supported"])
        assert "groups" not in document["claims_supported"]


@pytest.mark.parametrize(("switch", "names"), [(None, set()), (False, set()), (True, {"name", "preferred_username"})])
async def test_names_without_profile_are_told_where_the_client_has_it_so(switch, names):
    async with alice_at_wiki() as (world, client, cookie):
        await world.server.clients.change("wiki", {"names_without_profile": switch}, actor=SYSTEM)
        for claims in await claims_told(world, client, cookie, "openid"):
            assert set(claims) == {"sub"} | names


async def test_lean_id_token_tells_the_identifier_alone_and_userinfo_the_rest():
    async with alice_at_wiki() as (world, client, cookie):
        await world.server.clients.change("wiki", {"lean_id_token": True}, actor=SYSTEM)
        id_token, userinfo = await claims_told(world, client, cookie, "openid profile email")
        assert set(id_token) == {"sub"}
        assert {"name", "email", "birthdate"} <= set(userinfo)


async def test_mail_address_that_no_one_verified_is_told_as_not_verified_until_it_is():
    async with alice_at_wiki() as (world, client, cookie):
        addresses = world.app.parts.identity.mail_addresses
        for verified in (False, True):
            await addresses.set_verified("alice", "alice@example.org", verified=verified, actor=SYSTEM)
            for claims in await claims_told(world, client, cookie, "openid email"):
                assert (claims["email"], claims["email_verified"]) == ("alice@example.org", verified)
