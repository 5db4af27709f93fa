"""Introspection: what a client learns of its own tokens, and no one of anyone else's."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.jose import UnverifiedToken
from sealwright.settings import BudgetSettings, Rate
from tests.oauth_world import CALLBACK, basic, confidential_request, members, oauth_world, public_redemption

PATHS = ("/oauth2/token/introspect", "/oauth2/inspect")
INACTIVE = {"active": False}


async def alice_at_wiki(world, scope="openid email groups"):
    """Alice, her cookie, the credentials of the wiki, and the tokens that it holds for her."""
    alice = await world.person("alice", groups=("users", "editors"))
    _, secret = await world.confidential_client()
    cookie = await world.sign_in(alice)
    code = await world.code(cookie, **confidential_request(scope=scope))
    redemption = public_redemption(code, client_id="wiki", client_secret=secret, redirect_uri=CALLBACK)
    return alice, cookie, basic("wiki", secret), members(await world.token(**redemption))


async def introspected(world, credentials, token, path=PATHS[0], **form):
    answer = await world.post(path, {"token": token, **form}, credentials)
    assert answer.status == 200, answer.body
    assert dict(answer.headers)["cache-control"] == "no-store"
    return members(answer)


@pytest.mark.parametrize("path", PATHS)
async def test_client_learns_what_its_access_token_stands_for(path):
    async with oauth_world() as world:
        alice, _, wiki, tokens = await alice_at_wiki(world)
        told = await introspected(world, wiki, tokens["access_token"], path)
        claims = (await world.verified(tokens["access_token"], "wiki")).claims
        assert told == {
            "active": True,
            "token_type": "Bearer",
            "username": "alice@example.org",
            **{name: claims[name] for name in ("iss", "aud", "exp", "nbf", "iat", "jti", "auth_time", "sid", "scope")},
            "client_id": "wiki",
            "sub": alice.id,
        }


async def test_refresh_token_is_active_until_it_is_used():
    async with oauth_world() as world:
        alice, _, wiki, tokens = await alice_at_wiki(world)
        told = await introspected(world, wiki, tokens["refresh_token"], token_type_hint="access_token")
        assert told["active"] is True
        assert (told["sub"], told["scope"], told["client_id"]) == (alice.id, "openid email groups", "wiki")
        assert "token_type" not in told
        await world.token(wiki, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        assert await introspected(world, wiki, tokens["refresh_token"]) == INACTIVE


async def sign_out(world, _alice, cookie):
    signed_in = await world.signed_in(cookie)
    await world.sessions.end(signed_in.session.id, "signed out", actor=signed_in.actor)


async def disable(world, _alice, _cookie):
    await world.directory.disable("alice", actor=SYSTEM)


async def leave_the_group(world, _alice, _cookie):
    await world.directory.remove_members("users", ["alice"], actor=SYSTEM)


async def take_the_consent_back(world, _alice, cookie):
    await world.server.consents.withdraw(await world.signed_in(cookie), "wiki")


async def let_time_pass(world, _alice, _cookie):
    world.clock.advance(timedelta(days=40))


@pytest.mark.parametrize("change", [sign_out, disable, leave_the_group, take_the_consent_back, let_time_pass])
async def test_token_is_inactive_from_the_moment_it_stands_for_nothing(change):
    async with oauth_world() as world:
        alice, cookie, wiki, tokens = await alice_at_wiki(world)
        await change(world, alice, cookie)
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert await introspected(world, wiki, token) == INACTIVE


async def test_scope_that_the_person_may_not_grant_any_more_is_not_told():
    async with oauth_world() as world:
        await world.directory.create_group("editors", actor=SYSTEM)
        _, secret = await world.confidential_client()
        await world.server.clients.update_scope_map("wiki", "editors", ("edit",), actor=SYSTEM)
        alice = await world.person("alice", groups=("users", "editors"))
        code = await world.code(await world.sign_in(alice), **confidential_request(scope="openid edit"))
        redemption = public_redemption(code, client_id="wiki", client_secret=secret, redirect_uri=CALLBACK)
        token = members(await world.token(**redemption))["access_token"]
        wiki = basic("wiki", secret)
        assert (await introspected(world, wiki, token))["scope"] == "openid edit"
        await world.directory.remove_members("editors", ["alice"], actor=SYSTEM)
        assert (await introspected(world, wiki, token))["scope"] == "openid"


async def test_what_is_no_valid_token_of_the_client_is_inactive():
    async with oauth_world() as world:
        _, cookie, wiki, tokens = await alice_at_wiki(world)
        await world.public_client()
        theirs = await world.tokens(cookie)
        _, secret = await world.confidential_client("blog")
        for credentials, token in (
            (wiki, theirs["access_token"]),
            (wiki, theirs["refresh_token"]),
            (basic("blog", secret), tokens["access_token"]),
            (basic("blog", secret), tokens["refresh_token"]),
            (wiki, tokens["id_token"]),
            (wiki, tokens["access_token"][:-2]),
            (wiki, "a.b.c"),
            (wiki, "AAAA"),
            (wiki, "ä\0" * 40),
            (wiki, "A" * 60_000),
        ):
            assert await introspected(world, credentials, token) == INACTIVE


async def test_token_that_was_active_is_inactive_once_its_key_is_revoked():
    async with oauth_world() as world:
        _, _, wiki, tokens = await alice_at_wiki(world)
        assert (await introspected(world, wiki, tokens["access_token"]))["active"]
        key = UnverifiedToken(tokens["access_token"]).header["kid"]
        await world.server.clients.keys.revoke("wiki", key, actor=SYSTEM)
        assert await introspected(world, wiki, tokens["access_token"]) == INACTIVE


async def test_another_signature_under_what_an_active_token_says_is_inactive():
    async with oauth_world() as world:
        _, _, wiki, tokens = await alice_at_wiki(world)
        assert (await introspected(world, wiki, tokens["access_token"]))["active"]
        header, claims, signature = tokens["access_token"].split(".")
        other = ("A" if signature[0] != "A" else "B") + signature[1:]
        assert await introspected(world, wiki, f"{header}.{claims}.{other}") == INACTIVE


async def test_only_a_client_that_proves_itself_may_introspect():
    async with oauth_world() as world:
        _, cookie, wiki, tokens = await alice_at_wiki(world)
        await world.public_client()
        theirs = (await world.tokens(cookie))["access_token"]
        for headers, form in (
            ({}, {"token": tokens["access_token"], "client_id": "wiki"}),
            (basic("wiki", "wrong"), {"token": tokens["access_token"]}),
            ({"authorization": f"Bearer {tokens['access_token']}"}, {"token": tokens["access_token"]}),
            ({}, {"token": theirs, "client_id": "step-ca"}),
        ):
            answer = await world.post(PATHS[0], form, headers)
            assert (answer.status, members(answer)["error"]) == (401, "invalid_client")
            assert dict(answer.headers)["www-authenticate"] == 'Basic realm="Sealwright"'
        answer = await world.post(PATHS[0], {}, wiki)
        assert (answer.status, members(answer)["error"]) == (400, "invalid_request")


async def test_wrong_secrets_are_limited_by_one_budget_and_lock_no_client_out():
    async with oauth_world(budgets=BudgetSettings(token_failures_per_client=Rate(5, timedelta(minutes=1)))) as world:
        _, _, wiki, tokens = await alice_at_wiki(world)
        wrong, form = basic("wiki", "wrong"), {"token": "AAAA", "grant_type": "client_credentials"}
        paths = (*PATHS, "/oauth2/token/revoke", "/oauth2/token")
        statuses = [(await world.post(path, form, wrong, address="198.51.100.9")).status for path in paths * 3]
        assert statuses == [401] * 5 + [429] * 7
        assert (await introspected(world, wiki, tokens["access_token"]))["active"] is True


async def test_token_of_a_client_itself_has_only_the_scopes_that_its_maps_name_now():
    async with oauth_world() as world:
        name, secret = await world.confidential_client(scopes=("openid", "wiki:read", "wiki:admin"))
        wiki = basic(name, secret)
        token = members(await world.token(wiki, grant_type="client_credentials"))["access_token"]
        assert (await introspected(world, wiki, token))["scope"] == "wiki:admin wiki:read"
        await world.server.clients.update_scope_map(name, "users", ["openid", "wiki:read"], actor=SYSTEM)
        assert (await introspected(world, wiki, token))["scope"] == "wiki:read"
        await world.server.clients.update_scope_map(name, "users", ["openid"], actor=SYSTEM)
        assert await introspected(world, wiki, token) == INACTIVE
