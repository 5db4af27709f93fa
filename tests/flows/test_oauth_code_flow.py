"""From an authorization request to tokens, and what they say."""

import asyncio
import base64
import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from sealwright.access import SYSTEM
from tests.oauth_world import (
    CALLBACK,
    LOOPBACK,
    ORIGIN,
    START,
    VERIFIER,
    WEB,
    answer_parameters,
    basic,
    confidential_request,
    handle_in,
    location,
    members,
    oauth_world,
    page_text,
    public_redemption,
    public_request,
)


async def test_stock_step_request_ends_in_an_id_token_with_mail_and_nonce():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        cookie = await world.sign_in(alice)
        answer = await world.authorize(cookie, **public_request())
        assert location(answer).startswith("/ui/oauth2/consent?request=")
        done = await world.server.authorization.allow(handle_in(answer), await world.signed_in(cookie))
        assert done.location.startswith(LOOPBACK + "?code=")
        sent = answer_parameters(done.location)
        assert set(sent) == {"code", "state", "iss"}
        assert sent["state"] == public_request()["state"]
        assert sent["iss"] == f"{ORIGIN}/oauth2/openid/step-ca"
        assert len(base64.urlsafe_b64decode(sent["code"] + "=")) == 32

        answer = await world.token(**public_redemption(sent["code"]))
        assert answer.status == 200
        headers = dict(answer.headers)
        assert (headers["cache-control"], headers["pragma"], headers["access-control-allow-origin"]) == (
            "no-store",
            "no-cache",
            "*",
        )
        tokens = members(answer)
        assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
        assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 900, "openid email")
        assert len(base64.urlsafe_b64decode(tokens["refresh_token"] + "=")) == 32

        signed_in = await world.signed_in(cookie)
        id_token = await world.verified(tokens["id_token"], "step-ca")
        assert id_token.header["alg"] == "ES256"
        claims = dict(id_token.claims)
        access_digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert len(claims.pop("jti")) == 36
        assert len(claims.pop("family")) == 36
        assert claims == {
            "iss": f"{ORIGIN}/oauth2/openid/step-ca",
            "sub": alice.id,
            "aud": "step-ca",
            "azp": "step-ca",
            "exp": START // 1000 + 900,
            "nbf": START // 1000,
            "iat": START // 1000,
            "auth_time": START // 1000,
            "nonce": public_request()["nonce"],
            "amr": ["pwd"],
            "acr": "pwd",
            "sid": signed_in.session.id,
            "at_hash": base64.urlsafe_b64encode(access_digest).rstrip(b"=").decode(),
            "name": "Alice",
            "preferred_username": "alice@example.org",
            "email": "alice@example.org",
            "email_verified": True,
        }
        assert not {"sha", "sans", "google", "amazon", "azure"} & set(claims)

        access = await world.verified(tokens["access_token"], "step-ca")
        assert access.header["typ"] == "at+jwt"
        assert access.claims["scope"] == "openid email"
        assert access.claims["client_id"] == access.claims["aud"] == "step-ca"
        assert access.claims["sub"] == alice.id
        assert access.claims["exp"] == START // 1000 + 900


async def test_person_who_is_not_signed_in_signs_in_and_comes_back_to_the_same_request():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        answer = await world.authorize(None, **public_request(login_hint="alice"))
        assert location(answer).startswith("/ui/sign-in?request=")
        handle = handle_in(answer)
        pending = await world.server.authorization.pending(handle)
        assert pending.client.display_name == "Step-CA"
        assert pending.request.login_hint == "alice"
        assert pending.returns_to_this_computer
        cookie = await world.sign_in(alice)
        answer = await world.call(
            "GET", f"/ui/oauth2/continue?request={handle}", headers={"cookie": f"__Host-sealwright_session={cookie}"}
        )
        assert location(answer) == f"/ui/oauth2/consent?request={handle}"


async def test_consent_is_asked_once_and_again_only_for_more():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client(scopes=("openid", "email", "groups"))
        cookie = await world.sign_in(alice)
        await world.tokens(cookie, redirect_uri=WEB)
        assert location(await world.authorize(cookie, **public_request(redirect_uri=WEB))).startswith(WEB + "?code=")
        assert location(await world.authorize(cookie, **public_request(redirect_uri=WEB, scope="openid"))).startswith(
            WEB + "?code="
        )
        more = await world.authorize(cookie, **public_request(redirect_uri=WEB, scope="openid groups"))
        assert location(more).startswith("/ui/oauth2/consent?")
        asked_for = await world.authorize(cookie, **public_request(redirect_uri=WEB, prompt="consent"))
        assert location(asked_for).startswith("/ui/oauth2/consent?")
        assert [event for event, _, _ in await world.events("consent.given")] == ["consent.given"]


async def test_consent_of_one_person_or_client_is_not_anothers():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        bob = await world.person("bob", groups=("users",))
        await world.public_client()
        await world.public_client("other")
        await world.tokens(await world.sign_in(alice))
        assert "/ui/oauth2/consent" in location(await world.authorize(await world.sign_in(bob), **public_request()))
        other = await world.authorize(await world.sign_in(alice), **public_request(client_id="other"))
        assert "/ui/oauth2/consent" in location(other)


async def test_denied_consent_is_told_to_the_client_and_recorded():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        cookie = await world.sign_in(alice)
        answer = await world.authorize(cookie, **public_request())
        done = await world.server.authorization.deny(handle_in(answer), await world.signed_in(cookie))
        sent = answer_parameters(done.location)
        assert sent["error"] == "access_denied"
        assert (sent["state"], sent["iss"]) == (public_request()["state"], f"{ORIGIN}/oauth2/openid/step-ca")
        (event,) = await world.events("consent.denied")
        assert event[1] == "refused"
        again = await world.call("GET", f"/ui/oauth2/continue?request={handle_in(answer)}")
        assert again.status == 410
        assert "This request is no longer open" in page_text(again)


async def test_pending_request_is_answered_once_even_when_allowed_in_two_tabs_at_once():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        cookie = await world.sign_in(alice)
        handle = handle_in(await world.authorize(cookie, **public_request()))
        signed_in = await world.signed_in(cookie)
        answers = await asyncio.gather(
            *(world.server.authorization.allow(handle, signed_in) for _ in range(8)), return_exceptions=True
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["RedirectStep", *["RequestGone"] * 7]
        assert len(await world.events("code.issued")) == 1


async def test_pending_request_waits_ten_minutes():
    async with oauth_world() as world:
        await world.person("alice", groups=("users",))
        await world.public_client()
        handle = handle_in(await world.authorize(None, **public_request()))
        world.clock.advance(timedelta(minutes=10, milliseconds=-1))
        assert (await world.server.authorization.pending(handle)).client.name == "step-ca"
        world.clock.advance(timedelta(milliseconds=1))
        answer = await world.call("GET", f"/ui/oauth2/continue?request={handle}")
        assert (answer.status, "This request is no longer open" in page_text(answer)) == (410, True)


async def test_posted_request_is_continued_with_a_get_that_carries_the_cookie():
    async with oauth_world() as world:
        await world.public_client()
        answer = await world.post("/oauth2/authorise", public_request())
        assert location(answer).startswith("/ui/oauth2/continue?request=")
        next_one = await world.call("GET", location(answer))
        assert location(next_one).startswith("/ui/sign-in?request=")


async def test_old_address_of_the_sign_in_endpoint_works():
    async with oauth_world() as world:
        await world.public_client()
        answer = await world.call("GET", f"/ui/oauth2?{urlencode(public_request())}")
        assert location(answer).startswith("/ui/sign-in?request=")


async def test_fragment_mode_puts_code_and_error_into_the_fragment():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        cookie = await world.sign_in(alice)
        await world.tokens(cookie, redirect_uri=WEB)
        good = location(await world.authorize(cookie, **public_request(redirect_uri=WEB, response_mode="fragment")))
        assert good.startswith(WEB + "#code=")
        bad = location(
            await world.authorize(cookie, **public_request(redirect_uri=WEB, response_mode="fragment", prompt="unknown"))
        )
        assert bad.startswith(WEB + "#error=invalid_request&")


async def test_confidential_client_authenticates_by_header_or_body():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        name, secret = await world.confidential_client()
        cookie = await world.sign_in(alice)
        form: Any = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        code = await world.code(cookie, **confidential_request(scope="openid groups profile"))
        answer = await world.token(basic(name, secret), **form, code=code)
        assert answer.status == 200
        claims = (await world.verified(members(answer)["id_token"], name)).claims
        assert claims["groups"] == ["users"]
        assert claims["updated_at"] == START // 1000
        assert "email" not in claims
        code = await world.code(cookie, **confidential_request())
        answer = await world.token(**form, code=code, client_id=name, client_secret=secret)
        assert answer.status == 200


async def test_secret_of_a_public_client_is_tolerated_and_never_told_back():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        cookie = await world.sign_in(alice)
        for headers, form in (({}, {"client_secret": "dummy-secret-1"}), (basic("step-ca", "dummy-secret-1"), {})):
            code = await world.code(cookie, **public_request())
            answer = await world.token(headers, **public_redemption(code, **form))
            assert answer.status == 200
            assert b"dummy-secret-1" not in answer.body


async def test_only_openid_brings_an_id_token():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client(scopes=("openid", "read:all"))
        tokens = await world.tokens(await world.sign_in(alice), scope="read:all")
        assert "id_token" not in tokens
        answer = await world.call(
            "GET", "/oauth2/openid/step-ca/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"}
        )
        assert answer.status == 403
        assert 'error="insufficient_scope"' in dict(answer.headers)["www-authenticate"]


async def test_person_without_mail_gets_a_token_without_one():
    async with oauth_world() as world:
        carol = await world.person("carol", groups=("users",), mails=())
        await world.public_client()
        tokens = await world.tokens(await world.sign_in(carol))
        claims = (await world.verified(tokens["id_token"], "step-ca")).claims
        assert "email" not in claims
        assert "email_verified" not in claims


async def test_short_user_name_where_the_client_prefers_it():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        await world.server.clients.change("step-ca", {"short_username": True}, actor=SYSTEM)
        tokens = await world.tokens(await world.sign_in(alice))
        assert (await world.verified(tokens["id_token"], "step-ca")).claims["preferred_username"] == "alice"


async def test_request_without_a_nonce_gets_none():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        tokens = await world.tokens(await world.sign_in(alice), nonce="")
        assert "nonce" not in (await world.verified(tokens["id_token"], "step-ca")).claims


async def test_whole_flow_leaves_a_thread_of_audit_events():
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        tokens = await world.tokens(await world.sign_in(alice))
        ((_, _, consent),) = await world.events("consent.given")
        ((_, _, code),) = await world.events("code.issued")
        ((_, _, issued),) = await world.events("token.issued")
        assert consent["family"] == code["family"] == issued["family"]
        assert issued["account"] == alice.id
        assert issued["id_token"] == (await world.verified(tokens["id_token"], "step-ca")).claims["jti"]
        assert issued["access_token"] == (await world.verified(tokens["access_token"], "step-ca")).claims["jti"]
        written = str(await world.audit.newest(world.db, at_most=500))
        for secret in (tokens["access_token"], tokens["refresh_token"], tokens["id_token"], VERIFIER):
            assert secret not in written


@pytest.mark.parametrize("hosts", ["localhost", "127.0.0.1", "[::1]"])
async def test_loopback_redirect_on_any_port_with_and_without_a_path(hosts):
    async with oauth_world() as world:
        alice = await world.person("alice", groups=("users",))
        await world.public_client()
        cookie = await world.sign_in(alice)
        for rest in ("", ":1", ":65535/", ":10000/callback", "/a/b?c=d"):
            uri = f"http://{hosts}{rest}"
            code = await world.code(cookie, **public_request(redirect_uri=uri))
            answer = await world.token(**public_redemption(code, redirect_uri=uri))
            assert answer.status == 200
