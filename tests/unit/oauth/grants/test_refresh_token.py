"""Refresh tokens rotate; what a person may do is asked anew each time."""

import base64
from datetime import timedelta

import pytest
from sqlalchemy import select

from sealwright.access import SYSTEM
from sealwright.db import Statement
from sealwright.db.schema import oauth_refresh_tokens
from sealwright.identity import SessionKind
from tests.oauth_world import CALLBACK, basic, confidential_request, members, oauth_world, public_redemption, public_request


async def alice_with_tokens(world, *, scopes=("openid", "email", "groups"), **changes):
    alice = await world.person("alice", groups=("users",))
    await world.public_client(scopes=scopes)
    cookie = await world.sign_in(alice)
    return alice, cookie, await world.tokens(cookie, **changes)


async def refresh(world, token, **changes):
    return await world.token(**({"grant_type": "refresh_token", "refresh_token": token, "client_id": "step-ca"} | changes))


def error_of(answer):
    assert answer.status == 400, answer.body
    return members(answer)["error"]


async def test_refresh_gives_new_tokens_of_the_same_person_and_issuer():
    async with oauth_world() as world:
        alice, _, first = await alice_with_tokens(world)
        world.clock.advance(timedelta(minutes=10))
        second = members(await refresh(world, first["refresh_token"], client_secret=""))
        assert second["refresh_token"] != first["refresh_token"]
        assert second["scope"] == "openid email"
        old = (await world.verified(first["id_token"], "step-ca")).claims
        new = (await world.verified(second["id_token"], "step-ca")).claims
        assert new["sub"] == alice.id
        assert {name: new[name] for name in ("iss", "sub", "aud", "azp", "auth_time", "sid")} == {
            name: old[name] for name in ("iss", "sub", "aud", "azp", "auth_time", "sid")
        }
        assert new["iat"] == old["iat"] + 600
        assert "nonce" not in new, "a certificate authority takes a nonce once"
        assert members(await refresh(world, second["refresh_token"]))["access_token"]


async def test_refresh_token_used_again_ends_the_family():
    async with oauth_world() as world:
        _, _, first = await alice_with_tokens(world)
        second = members(await refresh(world, first["refresh_token"]))
        assert error_of(await refresh(world, first["refresh_token"])) == "invalid_grant"
        assert error_of(await refresh(world, second["refresh_token"])) == "invalid_grant"
        bearer = {"authorization": f"Bearer {second['access_token']}"}
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 401
        ((_, _, details),) = await world.events("token.family_revoked")
        assert details["reason"] == "a refresh token was used again"


async def wiki_with_tokens(world):
    """A confidential client, its credentials, and the tokens of one sign-in."""
    alice = await world.person("alice", groups=("users",))
    name, secret = await world.confidential_client()
    code = await world.code(await world.sign_in(alice), **confidential_request())
    redemption = public_redemption(code, client_id=name, client_secret=secret, redirect_uri=CALLBACK)
    return basic(name, secret), members(await world.token(**redemption))


async def renew(world, credentials, token):
    return await world.token(credentials, grant_type="refresh_token", refresh_token=token)


async def test_lost_answer_of_a_confidential_client_is_repeated_within_ten_seconds():
    async with oauth_world() as world:
        credentials, first = await wiki_with_tokens(world)
        lost = members(await renew(world, credentials, first["refresh_token"]))
        world.clock.advance(timedelta(seconds=10, milliseconds=-1))
        again = members(await renew(world, credentials, first["refresh_token"]))
        assert again["refresh_token"] == lost["refresh_token"]
        assert again["access_token"] != lost["access_token"], "each answer has tokens of its own on record"
        told = [details.get("repeated", False) for _, _, details in await world.events("token.issued")]
        assert told == [False, False, True]
        assert (await renew(world, credentials, again["refresh_token"])).status == 200
        assert again["refresh_token"] not in str(await world.audit.newest(world.db, at_most=100))


async def test_replay_after_the_grace_ends_the_family():
    async with oauth_world() as world:
        credentials, first = await wiki_with_tokens(world)
        second = members(await renew(world, credentials, first["refresh_token"]))
        world.clock.advance(timedelta(seconds=10))
        assert error_of(await renew(world, credentials, first["refresh_token"])) == "invalid_grant"
        assert error_of(await renew(world, credentials, second["refresh_token"])) == "invalid_grant"
        ((_, _, details),) = await world.events("token.family_revoked")
        assert details["reason"] == "a refresh token was used again"


async def test_replay_after_the_successor_was_used_ends_the_family():
    async with oauth_world() as world:
        credentials, first = await wiki_with_tokens(world)
        second = members(await renew(world, credentials, first["refresh_token"]))
        third = members(await renew(world, credentials, second["refresh_token"]))
        assert error_of(await renew(world, credentials, first["refresh_token"])) == "invalid_grant"
        assert error_of(await renew(world, credentials, third["refresh_token"])) == "invalid_grant"
        assert len(await world.events("token.family_revoked")) == 1


async def test_grace_of_a_client_can_be_given_and_taken():
    async with oauth_world() as world:
        _, _, tokens = await alice_with_tokens(world)
        await world.server.clients.change("step-ca", {"refresh_grace_seconds": 5}, actor=SYSTEM)
        second = members(await refresh(world, tokens["refresh_token"]))
        assert members(await refresh(world, tokens["refresh_token"]))["refresh_token"] == second["refresh_token"]
        await world.server.clients.change("step-ca", {"refresh_grace_seconds": 0}, actor=SYSTEM)
        assert error_of(await refresh(world, tokens["refresh_token"])) == "invalid_grant"
        assert error_of(await refresh(world, second["refresh_token"])) == "invalid_grant"


async def test_grace_does_not_outlast_the_sign_in():
    async with oauth_world() as world:
        credentials, first = await wiki_with_tokens(world)
        assert (await renew(world, credentials, first["refresh_token"])).status == 200
        await world.directory.disable("alice", actor=SYSTEM)
        assert error_of(await renew(world, credentials, first["refresh_token"])) == "invalid_grant"


async def test_successor_is_nowhere_in_the_database_in_the_clear():
    async with oauth_world() as world:
        credentials, first = await wiki_with_tokens(world)
        second = members(await renew(world, credentials, first["refresh_token"]))
        columns = select(oauth_refresh_tokens.c.digest, oauth_refresh_tokens.c.sealed_successor)
        stored = b"".join(value or b"" for row in await world.db.all(Statement(columns)) for value in row)
        for token in (first["refresh_token"], second["refresh_token"]):
            assert token.encode() not in stored
            assert base64.urlsafe_b64decode(token + "=") not in stored


async def test_refresh_token_slides_but_not_beyond_the_session():
    async with oauth_world() as world:
        _, _, tokens = await alice_with_tokens(world)
        for _ in range(3):
            world.clock.advance(timedelta(hours=2))
            tokens = members(await refresh(world, tokens["refresh_token"]))
        world.clock.advance(timedelta(hours=2))
        answer = await refresh(world, tokens["refresh_token"])
        assert error_of(answer) == "invalid_grant"
        assert "sign-in" in members(answer)["error_description"]


async def test_refresh_token_expires_as_the_client_is_set():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        await world.server.clients.change("step-ca", {"refresh_seconds": 300}, actor=SYSTEM)
        tokens = await world.tokens(await world.sign_in(alice))
        world.clock.advance(timedelta(minutes=5, milliseconds=-1))
        tokens = members(await refresh(world, tokens["refresh_token"]))
        world.clock.advance(timedelta(minutes=5))
        assert error_of(await refresh(world, tokens["refresh_token"])) == "invalid_grant"


async def test_scope_may_shrink_and_never_grow():
    async with oauth_world() as world:
        _, _, tokens = await alice_with_tokens(world)
        assert error_of(await refresh(world, tokens["refresh_token"], scope="openid groups")) == "invalid_scope"
        assert error_of(await refresh(world, tokens["refresh_token"], scope='"')) == "invalid_scope"
        narrow = members(await refresh(world, tokens["refresh_token"], scope="email"))
        assert narrow["scope"] == "email"
        assert "id_token" not in narrow
        assert members(await refresh(world, narrow["refresh_token"]))["scope"] == "openid email"


async def test_person_who_left_the_group_loses_the_scope_at_the_next_refresh():
    async with oauth_world() as world:
        alice, _, tokens = await alice_with_tokens(world, scope="openid email")
        await world.directory.create_group("mailers", actor=SYSTEM)
        clients = world.server.clients
        await clients.update_scope_map("step-ca", "users", ["openid"], actor=SYSTEM)
        await clients.update_scope_map("step-ca", "mailers", ["email"], actor=SYSTEM)
        answer = await refresh(world, tokens["refresh_token"], scope="openid email")
        assert error_of(answer) == "invalid_scope"
        tokens = members(await refresh(world, tokens["refresh_token"]))
        assert tokens["scope"] == "openid"
        assert "email" not in (await world.verified(tokens["id_token"], "step-ca")).claims
        await world.directory.add_members("mailers", ["alice"], actor=SYSTEM)
        tokens = members(await refresh(world, tokens["refresh_token"]))
        assert tokens["scope"] == "openid email"
        await world.directory.remove_members("users", ["alice"], actor=SYSTEM)
        await world.directory.remove_members("mailers", ["alice"], actor=SYSTEM)
        assert error_of(await refresh(world, tokens["refresh_token"])) == "invalid_grant"
        assert (await world.events("token.refused"))[-1][2]["account"] == alice.id


@pytest.mark.parametrize("change", ["disabled", "expired", "deleted", "signed out", "client deleted"])
async def test_refresh_and_userinfo_refuse_at_once(change):
    async with oauth_world() as world:
        _, cookie, tokens = await alice_with_tokens(world)
        userinfo = ("GET", "/oauth2/openid/step-ca/userinfo")
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await world.call(*userinfo, headers=bearer)).status == 200
        if change == "disabled":
            await world.directory.disable("alice", actor=SYSTEM)
        elif change == "expired":
            await world.directory.set_validity("alice", valid_from=None, valid_until=world.clock.now(), actor=SYSTEM)
        elif change == "deleted":
            await world.directory.delete("alice", actor=SYSTEM)
        elif change == "signed out":
            signed_in = await world.signed_in(cookie)
            await world.sessions.end(signed_in.session.id, "signed out", actor=signed_in.actor)
        else:
            await world.server.clients.delete("step-ca", actor=SYSTEM)
        expected = (401, 404) if change == "client deleted" else (400, 401)
        answers = (await refresh(world, tokens["refresh_token"]), await world.call(*userinfo, headers=bearer))
        assert tuple(answer.status for answer in answers) == expected


async def test_idle_browser_does_not_end_what_an_application_does():
    async with oauth_world() as world:
        _, cookie, tokens = await alice_with_tokens(world)
        world.clock.advance(timedelta(hours=2))
        assert await world.sessions.resolve(cookie, "192.0.2.7", kind=SessionKind.BROWSER) is None
        assert members(await refresh(world, tokens["refresh_token"]))["access_token"]


async def test_refresh_token_of_one_client_is_nothing_to_another():
    async with oauth_world() as world:
        _, _, tokens = await alice_with_tokens(world)
        await world.public_client("other")
        name, secret = await world.confidential_client()
        assert error_of(await refresh(world, tokens["refresh_token"], client_id="other")) == "invalid_grant"
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert error_of(await world.token(basic(name, secret), **form)) == "invalid_grant"
        assert (await refresh(world, tokens["refresh_token"])).status == 200


@pytest.mark.parametrize("token", ["", "AAAA", "x" * 60_000, "a\0b"])
async def test_unknown_refresh_token_is_refused(token):
    async with oauth_world() as world:
        await world.public_client()
        expected = "invalid_grant" if token else "invalid_request"
        assert error_of(await refresh(world, token)) == expected


async def test_confidential_client_must_authenticate_to_refresh():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        name, secret = await world.confidential_client()
        code = await world.code(await world.sign_in(alice), **confidential_request())
        redemption = public_redemption(
            code, client_id=name, client_secret=secret, redirect_uri="https://wiki.example.org/callback"
        )
        tokens = members(await world.token(**redemption))
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await world.token(**form, client_id=name)).status == 401
        assert (await world.token(basic(name, secret), **form)).status == 200


async def test_consent_taken_back_ends_the_tokens_and_is_asked_again():
    async with oauth_world() as world:
        _, cookie, tokens = await alice_with_tokens(world)
        signed_in = await world.signed_in(cookie)
        (consent,) = await world.server.consents.list_of(signed_in)
        assert (consent.client_name, consent.scopes) == ("step-ca", ("email", "openid"))
        await world.server.consents.withdraw(signed_in, "step-ca")
        assert await world.server.consents.list_of(signed_in) == []
        assert error_of(await refresh(world, tokens["refresh_token"])) == "invalid_grant"
        answer = await world.authorize(cookie, **public_request())
        assert dict(answer.headers)["location"].startswith("/ui/oauth2/consent?")
        ((_, _, details),) = await world.events("consent.withdrawn")
        assert details["families_revoked"] == 1
