"""What may happen once happens once, on both engines, anyone who asks at the same time."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from sealwright.access import SYSTEM
from sealwright.clock import Instant, before
from sealwright.db import AT_ONCE as ROWS_AT_ONCE
from sealwright.db import Statement
from sealwright.db.schema import oauth_families, oauth_refresh_tokens
from sealwright.identity import BIN_KEPT
from sealwright.oauth import ClientExists, purge
from sealwright.oauth.store import purge_families
from tests.oauth_world import (
    CALLBACK,
    basic,
    confidential_request,
    handle_in,
    members,
    oauth_world,
    public_redemption,
    public_request,
)
from tests.unit.oauth.dpop.test_bound_tokens import proof

AT_ONCE = 50


@pytest.fixture
def signed_in_alice(open_scratch):
    """Opens a world on the engine under test, with the cookie of alice."""

    @asynccontextmanager
    async def opened(**options):
        async with oauth_world(open_scratch, **options) as world:
            await world.public_client()
            alice = await world.person("alice", groups=("users",))
            yield world, await world.sign_in(alice)

    return opened


async def tokens_of_wiki(world, cookie, secret):
    code = await world.code(cookie, **confidential_request())
    redemption = public_redemption(code, client_id="wiki", client_secret=secret, redirect_uri=CALLBACK)
    return members(await world.token(**redemption))


def outcomes(answers):
    return sorted((answer.status, members(answer).get("error", "")) for answer in answers)


async def test_code_redeemed_fifty_times_at_once_succeeds_once_and_the_family_ends(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        code = await world.code(cookie, **public_request())
        answers = await asyncio.gather(*(world.token(**public_redemption(code)) for _ in range(AT_ONCE)))
        assert outcomes(answers) == [(200, ""), *[(400, "invalid_grant")] * (AT_ONCE - 1)]
        tokens = next(members(answer) for answer in answers if answer.status == 200)
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 401
        refresh = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": tokens["refresh_token"]}
        assert outcomes([await world.token(**refresh)]) == [(400, "invalid_grant")]
        assert len(await world.events("token.issued")) == 1
        assert len(await world.events("token.family_revoked")) == 1


async def test_redemptions_of_one_moment_succeed_or_fail_each_for_itself(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        codes = [await world.code(cookie, **public_request()) for _ in range(5)]
        asked = [*codes, codes[2]]
        answers = await asyncio.gather(*(world.token(**public_redemption(code)) for code in asked))
        good = [code for code, answer in zip(asked, answers, strict=True) if answer.status == 200]
        assert sorted(good) == sorted(codes)
        assert len({members(answer)["refresh_token"] for answer in answers if answer.status == 200}) == 5
        assert len(await world.events("token.issued")) == 5
        assert len(await world.events("token.family_revoked")) == 1
        refreshed = []
        for answer in answers:
            if answer.status == 200:
                form = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": members(answer)["refresh_token"]}
                refreshed.append((await world.token(**form)).status)
        assert sorted(refreshed) == [200, 200, 200, 200, 400]


async def test_refresh_token_used_fifty_times_at_once_succeeds_once_and_the_family_ends(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        tokens = await world.tokens(cookie)
        refresh = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": tokens["refresh_token"]}
        answers = await asyncio.gather(*(world.token(**refresh) for _ in range(AT_ONCE)))
        assert outcomes(answers) == [(200, ""), *[(400, "invalid_grant")] * (AT_ONCE - 1)]
        newest = next(members(answer) for answer in answers if answer.status == 200)
        refresh["refresh_token"] = newest["refresh_token"]
        assert outcomes([await world.token(**refresh)]) == [(400, "invalid_grant")]
        assert len(await world.events("token.family_revoked")) == 1


async def test_refresh_token_used_at_once_on_two_nodes_gives_each_the_same_successor_within_the_grace(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        name, secret = await world.confidential_client()
        tokens = await tokens_of_wiki(world, cookie, secret)
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        nodes = (world, world.other_node())
        answers = await asyncio.gather(*(nodes[turn % 2].token(basic(name, secret), **form) for turn in range(6)))
        assert outcomes(answers) == [(200, "")] * 6
        told = [members(answer) for answer in answers]
        (successor,) = {each["refresh_token"] for each in told}
        assert len({each["access_token"] for each in told}) == 6
        for each in told:
            bearer = {"authorization": f"Bearer {each['access_token']}"}
            assert (await world.call("GET", "/oauth2/openid/wiki/userinfo", headers=bearer)).status == 200
        assert (await world.token(basic(name, secret), **form | {"refresh_token": successor})).status == 200
        assert await world.events("token.family_revoked") == []


async def test_pending_request_is_answered_once(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        handle = handle_in(await world.authorize(cookie, **public_request()))
        signed_in = await world.signed_in(cookie)
        answers = await asyncio.gather(
            *(world.server.authorization.allow(handle, signed_in) for _ in range(20)),
            *(world.server.authorization.deny(handle, signed_in) for _ in range(20)),
            return_exceptions=True,
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["RedirectStep", *["RequestGone"] * 39]


async def test_name_of_a_client_is_given_once(signed_in_alice):
    async with signed_in_alice() as (world, _cookie):
        clients = world.server.clients
        answers = await asyncio.gather(
            *(clients.create_public("same", "Same", "https://same.example", actor=SYSTEM) for _ in range(8)),
            return_exceptions=True,
        )
        assert sum(isinstance(answer, ClientExists) for answer in answers) == 7
        assert [one.name for one in await clients.list(actor=SYSTEM)] == ["same", "step-ca"]


async def test_scope_map_and_redirect_uri_are_replaced_not_doubled(signed_in_alice):
    async with signed_in_alice() as (world, _cookie):
        clients = world.server.clients
        await clients.update_scope_map("step-ca", "users", ["openid"], actor=SYSTEM)
        for _ in range(2):
            await clients.add("step-ca", "redirect_uris", "http://localhost:10000", actor=SYSTEM)
        found = await clients.get("step-ca", actor=SYSTEM)
        assert [(one.group_name, one.scopes) for one in found.scope_maps] == [("users", ("openid",))]
        assert found.redirect_uris == ("http://localhost:10000",)
        await clients.delete_scope_map("step-ca", "users", actor=SYSTEM)
        await clients.remove("step-ca", "redirect_uris", "http://localhost:10000", actor=SYSTEM)
        found = await clients.get("step-ca", actor=SYSTEM)
        assert (found.scope_maps, found.redirect_uris) == ((), ())


async def test_everything_that_a_client_may_send_can_be_stored(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        odd = {"state": "ä€😀 '\"\\", "nonce": "ü'\"\\ ;--", "login_hint": "o'brien@example.org"}
        tokens = await world.tokens(cookie, **odd)
        assert (await world.verified(tokens["id_token"], "step-ca")).claims["nonce"] == odd["nonce"]


async def test_what_ended_is_deleted_after_a_day_and_the_rest_stays(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        alice = await world.directory.find("alice")
        await world.authorize(None, **public_request())
        await world.tokens(cookie)
        world.clock.advance(timedelta(hours=25))
        young = await world.tokens(await world.sign_in(alice))
        # the answered request ended more than a day ago; the refresh token, good for 16 hours, did not
        assert await purge(world.dependencies) == 1
        world.clock.advance(timedelta(hours=7))
        refresh = {"grant_type": "refresh_token", "client_id": "step-ca"}
        young = members(await world.token(**refresh, refresh_token=young["refresh_token"]))
        assert await purge(world.dependencies) == 0
        world.clock.advance(timedelta(hours=9))
        # the first family, which takes its code and refresh token along
        assert await purge(world.dependencies) >= 1
        assert await purge(world.dependencies) == 0
        again = await world.token(**refresh, refresh_token=young["refresh_token"])
        assert members(again)["error_description"].startswith("The sign-in that the authorization rests on has ended")
        world.clock.advance(timedelta(days=3))
        assert await purge(world.dependencies) >= 1
        again = await world.token(**refresh, refresh_token=young["refresh_token"])
        assert members(again)["error_description"].startswith("The refresh token is unknown")


async def test_client_goes_with_all_that_hangs_on_it(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        await world.tokens(cookie)
        await world.server.clients.delete("step-ca", actor=SYSTEM)
        assert await world.server.consents.list_of(await world.signed_in(cookie)) == []
        assert (await world.call("GET", "/oauth2/openid/step-ca/public_key.jwk")).status == 404
        world.clock.advance(BIN_KEPT + timedelta(seconds=1))  # until then the name is reserved
        await purge(world.dependencies)
        await world.public_client()
        answer = await world.authorize(await world.sign_in(await world.account("alice")), **public_request())
        assert "/ui/oauth2/consent" in dict(answer.headers)["location"]


async def test_purge_of_more_than_one_transaction_leaves_what_still_holds(signed_in_alice):
    async with signed_in_alice() as (world, _cookie):
        _, secret = await world.confidential_client("backup")
        wiki = basic("backup", secret)

        async def tokens():
            await asyncio.gather(*(world.token(wiki, grant_type="client_credentials") for _ in range(ROWS_AT_ONCE + 20)))

        await tokens()
        world.clock.advance(timedelta(days=2))
        await tokens()
        assert await purge(world.dependencies) == ROWS_AT_ONCE + 20
        assert await purge(world.dependencies) == 0


async def test_family_that_was_revoked_with_many_tokens_is_deleted_a_few_at_a_time(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        await world.tokens(cookie)  # beside it there is one that still holds
        world.clock.advance(timedelta(seconds=1))
        tokens = await world.tokens(cookie)
        ((family,),) = await world.db.all(
            Statement(select(oauth_families.c.id).order_by(oauth_families.c.created_at.desc()).limit(1))
        )
        end, times = world.clock.now() + 1_000_000_000, ("created_at", "expires_at", "consumed_at")
        more = [
            {
                "digest": number.to_bytes(32),
                "family_id": family,
                **dict.fromkeys(times, end),
                "sealed_successor": None,
                "bound_to": None,
            }
            for number in range(2 * ROWS_AT_ONCE + 20)
        ]
        await world.db.write(lambda tx: tx.run_many(Statement(insert(oauth_refresh_tokens)), more))
        assert (
            await world.post("/oauth2/token/revoke", {"client_id": "step-ca", "token": tokens["refresh_token"]})
        ).status == 200
        world.clock.advance(timedelta(hours=25))
        until, turns = before(world.clock.now(), timedelta(days=1)), []
        beyond: tuple[Instant, str] | None = (Instant(0), "")
        while beyond is not None:
            left = await count(world.db)
            page = await world.db.write(lambda tx, beyond=beyond: purge_families(tx, until, beyond, ROWS_AT_ONCE))
            turns.append(left - await count(world.db))
            beyond = page.last
        assert (max(turns), sum(turns)) == (ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 21)
        assert await count(world.db) == 1


async def count(db):
    """How many refresh tokens are stored."""
    ((found,),) = await db.all(Statement(select(func.count()).select_from(oauth_refresh_tokens)))
    return found


async def test_pushed_request_decided_by_many_at_once_is_answered_once(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        answer = await world.post("/oauth2/par", public_request())
        request = {"client_id": "step-ca", "request_uri": members(answer)["request_uri"]}
        handles = [handle_in(await world.authorize(cookie, **request)) for _ in range(10)]
        person = await world.signed_in(cookie)
        done = await asyncio.gather(
            *(world.server.authorization.allow(handle, person) for handle in handles), return_exceptions=True
        )
        assert sum("code=" in getattr(step, "location", "") for step in done) == 1
        assert len(await world.events("code.issued")) == 1


async def test_device_code_polled_by_many_at_once_is_redeemed_once(signed_in_alice):
    async with signed_in_alice() as (world, cookie):
        await world.server.clients.change("step-ca", {"device_grant": True}, actor=SYSTEM)
        codes = members(await world.post("/oauth2/device", {"client_id": "step-ca", "scope": "openid email"}))
        handles = [await world.server.authorization.handle_of_device(codes["user_code"], "192.0.2.7") for _ in range(5)]
        person = await world.signed_in(cookie)
        decided = await asyncio.gather(
            *(world.server.authorization.allow(handle, person) for handle in handles), return_exceptions=True
        )
        assert sum(hasattr(step, "location") for step in decided) == 1
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "client_id": "step-ca",
            "device_code": codes["device_code"],
        }
        answers = await asyncio.gather(*(world.token(**form) for _ in range(AT_ONCE)))
        assert [answer.status for answer in answers].count(200) == 1
        assert len(await world.events("token.issued")) == 1


async def test_proof_sent_many_times_at_once_is_taken_once(signed_in_alice):
    async with signed_in_alice() as (world, _cookie):
        name, secret = await world.confidential_client()
        headers = basic(name, secret) | proof(world)
        answers = await asyncio.gather(*(world.token(headers, grant_type="client_credentials") for _ in range(AT_ONCE)))
        assert outcomes(answers) == [(200, ""), *[(400, "invalid_dpop_proof")] * (AT_ONCE - 1)]


async def test_registration_token_for_one_client_lets_in_one_of_fifty_at_once(open_scratch):
    async with oauth_world(open_scratch) as world:
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        made = await world.server.registration_tokens.create(uses=1, lasts=timedelta(hours=1), actor=SYSTEM)
        headers = {"content-type": "application/json", "authorization": f"Bearer {made.token}"}
        body = b'{"grant_types": ["client_credentials"]}'
        answers = await asyncio.gather(*(world.call("POST", "/reg", body=body, headers=headers) for _ in range(AT_ONCE)))
        assert outcomes(answers) == [(201, ""), *[(401, "invalid_token")] * (AT_ONCE - 1)]
        assert len(await world.server.clients.list(actor=SYSTEM)) == 1


async def test_client_is_put_on_a_shared_issuer_and_the_issuer_is_kept(open_scratch):
    async with oauth_world(open_scratch) as world:
        clients, issuers = world.server.clients, world.server.issuers
        await issuers.create("team", actor=SYSTEM)
        name, _ = await world.confidential_client()
        moved, deleted = await asyncio.gather(
            clients.names.set_issuer(name, "team", actor=SYSTEM), issuers.delete("team", actor=SYSTEM), return_exceptions=True
        )
        left = [each.name for each in await issuers.list(actor=SYSTEM)]
        assert (left == ["team"]) == (not isinstance(moved, Exception)) == isinstance(deleted, Exception)
        assert ((await clients.get(name, actor=SYSTEM)).issuer == "team") == (left == ["team"])
