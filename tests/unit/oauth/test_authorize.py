"""Authorization requests that are refused: what the person sees, what the client is told."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest

from sealwright.access import SYSTEM
from sealwright.oauth import ChooseAccountStep, ConsentStep, RequestGone
from tests.oauth_world import (
    CALLBACK,
    CHALLENGE,
    LOOPBACK,
    ORIGIN,
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

ISSUER = f"{ORIGIN}/oauth2/openid/step-ca"


@asynccontextmanager
async def world_with_client(**options):
    async with oauth_world(**options) as world:
        await world.public_client()
        yield world


def without(name):
    request = public_request()
    del request[name]
    return urlencode(request)


NOT_RIGHT = "This application's request is not right"
UNPROVEN = {
    "no client": (without("client_id"), "client_id must be given once"),
    "empty client": (urlencode(public_request(client_id="")), "client_id must be given once"),
    "unknown client": (urlencode(public_request(client_id="nobody")), "'nobody'"),
    "client in capitals": (urlencode(public_request(client_id="Step-CA")), "'Step-CA'"),
    "client twice": (urlencode(public_request()) + "&client_id=step-ca", "more than once which application"),
    "client with NUL": (urlencode(public_request(client_id="step-ca\0")), "step-ca\\x00"),
    "no redirect URI": (without("redirect_uri"), "redirect_uri must be given once"),
    "redirect URI twice": (
        urlencode(public_request()) + "&redirect_uri=" + quote(LOOPBACK, safe=""),
        "more than once where its answer goes",
    ),
    "foreign redirect URI": (urlencode(public_request(redirect_uri="https://evil.example")), "tell the people who run Step-CA"),
    "redirect URI over http": (urlencode(public_request(redirect_uri="http://ca.example.org")), "not registered"),
    "redirect URI with more path": (urlencode(public_request(redirect_uri="https://ca.example.org/x")), "not registered"),
    "redirect URI with a script": (urlencode(public_request(redirect_uri="javascript:alert(1)")), "not registered"),
    "not UTF-8": (urlencode(public_request()) + "&state2=%ff%fe", "'state2' is not UTF-8 text"),
    "too many parameters": (
        urlencode(public_request()) + "&" + "&".join(f"p{n}=1" for n in range(300)),
        "more than 200 parameters",
    ),
}


@pytest.mark.parametrize(("query", "told"), UNPROVEN.values(), ids=UNPROVEN.keys())
async def test_unproven_request_is_shown_and_never_redirected(query, told):
    async with world_with_client() as world:
        answer = await world.call("GET", f"/oauth2/authorise?{query}")
        assert answer.status == 400
        assert "location" not in dict(answer.headers)
        assert NOT_RIGHT in page_text(answer)
        assert told.casefold() in page_text(answer).casefold()


ERRORS = {
    "response type missing": ({"response_type": ""}, "invalid_request"),
    "response type unknown": ({"response_type": "token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "response mode unknown": ({"response_mode": "web_message"}, "invalid_request"),
    "request object": ({"request": "eyJ"}, "invalid_request_object"),
    "request object by reference": ({"request_uri": "https://x.example/r"}, "request_uri_not_supported"),
    "registration": ({"registration": "{}"}, "registration_not_supported"),
    "no challenge": ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
    "plain challenge": ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request"),
    "challenge without method is plain": ({"code_challenge_method": ""}, "invalid_request"),
    "challenge too short": ({"code_challenge": "abc"}, "invalid_request"),
    "challenge with other characters": ({"code_challenge": "=" * 43}, "invalid_request"),
    "prompt unknown": ({"prompt": "create"}, "invalid_request"),
    "prompt none and another": ({"prompt": "none login"}, "invalid_request"),
    "max_age negative": ({"max_age": "-1"}, "invalid_request"),
    "max_age not a number": ({"max_age": "soon"}, "invalid_request"),
    "no scope": ({"scope": ""}, "invalid_scope"),
    "scope with a quote": ({"scope": 'openid "x"'}, "invalid_scope"),
    "scope beyond ASCII": ({"scope": "openid ä"}, "invalid_scope"),
    "too many scopes": ({"scope": " ".join(f"s{n}" for n in range(101))}, "invalid_scope"),
    "nonce too long": ({"nonce": "n" * 1025}, "invalid_request"),
    "nonce with NUL": ({"nonce": "a\0b"}, "invalid_request"),
    "hint is not a token": ({"id_token_hint": "abc"}, "invalid_request"),
    "no one is signed in": ({"prompt": "none"}, "login_required"),
}


@pytest.mark.parametrize(("change", "error"), ERRORS.values(), ids=ERRORS.keys())
async def test_proven_request_is_answered_with_error_state_and_issuer(change, error):
    async with world_with_client() as world:
        answer = await world.authorize(None, **public_request(**change))
        assert location(answer).startswith(LOOPBACK + "?")
        sent = answer_parameters(location(answer))
        assert (sent["error"], sent["state"], sent["iss"]) == (error, public_request()["state"], ISSUER)
        assert set(sent["error_description"]) <= set(map(chr, range(0x20, 0x7F))) - set('"\\')
        assert set(sent) == {"error", "error_description", "state", "iss"}


async def test_want_of_pkce_is_told_with_the_switch_in_the_application_and_the_one_here():
    async with world_with_client() as world:
        await world.confidential_client()
        told = []
        for request in (confidential_request(), public_request()):
            del request["code_challenge"], request["code_challenge_method"]
            told.append(answer_parameters(location(await world.authorize(None, **request)))["error_description"])
        missing = "The parameter 'code_challenge' is missing. Switch on PKCE with S256 in the application"
        here = "sealwright system oauth2 warning-insecure-client-disable-pkce wiki"
        assert told == [
            f"{missing}, or let it do without here: {here}",
            f"{missing}; a client without a secret cannot do without it.",
        ]


async def test_repeated_parameter_is_answered_to_the_client():
    async with world_with_client() as world:
        answer = await world.call("GET", f"/oauth2/authorise?{urlencode(public_request())}&scope=openid")
        sent = answer_parameters(location(answer))
        assert (sent["error"], sent["state"]) == ("invalid_request", public_request()["state"])
        answer = await world.call("GET", f"/oauth2/authorise?{urlencode(public_request())}&state=other")
        sent = answer_parameters(location(answer))
        assert sent["error"] == "invalid_request"
        assert "state" not in sent


@pytest.mark.parametrize(
    "state", ["s", "a b+c%&=?#/", "ä€😀", '"<script>\\', "x" * 4096], ids=["short", "signs", "unicode", "markup", "longest"]
)
async def test_state_comes_back_exactly(state):
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        await world.tokens(cookie, redirect_uri=WEB)
        sent = answer_parameters(location(await world.authorize(cookie, **public_request(redirect_uri=WEB, state=state))))
        assert sent["state"] == state
        assert "code" in sent


@pytest.mark.parametrize(
    "state",
    ["x" * 4801, "x" * 16_384, "ä" * 8_192, "a\0b", "a\r\nSet-Cookie: x=1"],
    ids=["long", "longest", "longest in bytes", "NUL", "line"],
)
async def test_state_that_is_refused_comes_back_with_the_error(state):
    async with world_with_client() as world:
        answer = await world.authorize(None, **public_request(state=state))
        sent = answer_parameters(location(answer))
        assert (sent["error"], sent["state"]) == ("invalid_request", state)
        assert not set(location(answer)) & set("\r\n\0")


@pytest.mark.parametrize("state", ["x" * 16_385, "ä" * 8_193])
async def test_state_too_long_for_any_answer_is_shown_to_the_person(state):
    async with world_with_client() as world:
        answer = await world.authorize(None, **public_request(state=state))
        assert answer.status == 400
        assert "at most 16384 bytes" in answer.body.decode()


async def test_deep_link_in_a_state_goes_through():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        code = await world.code(await world.sign_in(alice), **public_request(state="x" * 4_300))
        assert (await world.token(**public_redemption(code))).status == 200


async def test_foreign_redirect_uri_is_recorded_for_administrators_and_no_command_is_shown_to_visitors():
    async with world_with_client() as world:
        for _ in range(3):
            answer = await world.authorize(None, **public_request(redirect_uri="https://evil.example"))
        assert "sealwright" not in answer.body.decode()
        ((_, outcome, details),) = await world.events("authorization.requested")
        assert (outcome, details["redirect_uri"]) == ("refused", "https://evil.example")


async def test_empty_state_and_unknown_parameters_are_ignored():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        await world.tokens(cookie, redirect_uri=WEB)
        more = {"display": "popup", "ui_locales": "de fr", "acr_values": "1", "claims": "{}", "foo": "bar"}
        sent = answer_parameters(location(await world.authorize(cookie, **public_request(redirect_uri=WEB, state="", **more))))
        assert set(sent) == {"code", "iss"}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
async def test_posted_request_of_another_content_type_is_shown(content_type):
    async with world_with_client() as world:
        answer = await world.call(
            "POST", "/oauth2/authorise", body=urlencode(public_request()).encode(), headers={"content-type": content_type}
        )
        assert answer.status == 400
        assert NOT_RIGHT in page_text(answer)


async def test_posted_request_that_is_not_utf8_is_shown():
    async with world_with_client() as world:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await world.call("POST", "/oauth2/authorise", body=b"client_id=\xff", headers=headers)
        assert NOT_RIGHT in page_text(answer)


# --- scopes -----------------------------------------------------------------------------------------------------------


async def test_nested_groups_count_and_strangers_do_not():
    async with world_with_client() as world:
        await world.directory.create_group("inner", actor=SYSTEM)
        await world.directory.create_group("innermost", actor=SYSTEM)
        await world.directory.add_members("users", ["inner"], actor=SYSTEM)
        await world.directory.add_members("inner", ["innermost"], actor=SYSTEM)
        dora = await world.person("dora", groups=("innermost",))
        stranger = await world.person("stranger")
        assert (await world.tokens(await world.sign_in(dora)))["scope"] == "openid email"
        assert "/ui/oauth2/not-allowed" in location(await world.authorize(await world.sign_in(stranger), **public_request()))


async def test_scopes_of_one_client_do_not_reach_another():
    async with world_with_client() as world:
        await world.confidential_client(scopes=("openid", "admin"))
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        assert "/ui/oauth2/not-allowed" in location(await world.authorize(cookie, **public_request(scope="openid admin")))
        assert "/ui/oauth2/consent" in location(await world.authorize(cookie, **confidential_request(scope="openid admin")))


# --- proof keys -------------------------------------------------------------------------------------------------------


async def test_confidential_client_needs_pkce_until_it_is_switched_off():
    async with world_with_client() as world:
        name, secret = await world.confidential_client()
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        bare = confidential_request(code_challenge="", code_challenge_method="")
        sent = answer_parameters(location(await world.authorize(cookie, **bare)))
        assert sent["error"] == "invalid_request"
        await world.server.clients.change(name, {"require_pkce": False}, actor=SYSTEM)
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
        code = await world.code(cookie, **bare)
        answer = await world.token(basic(name, secret), **form, code=code)
        assert answer.status == 200
        code = await world.code(cookie, **bare)
        downgraded = await world.token(basic(name, secret), **form, code=code, code_verifier=VERIFIER)
        assert members(downgraded)["error"] == "invalid_grant"
        code = await world.code(cookie, **confidential_request())
        unproven = await world.token(basic(name, secret), **form, code=code)
        assert members(unproven)["error"] == "invalid_grant"
        await world.server.clients.change(name, {"require_pkce": True}, actor=SYSTEM)
        sent = answer_parameters(location(await world.authorize(cookie, **bare)))
        assert sent["error"] == "invalid_request"


async def test_method_without_challenge_is_refused_even_where_pkce_is_off():
    async with world_with_client() as world:
        name, _ = await world.confidential_client()
        await world.server.clients.change(name, {"require_pkce": False}, actor=SYSTEM)
        sent = answer_parameters(location(await world.authorize(None, **confidential_request(code_challenge=""))))
        assert sent["error"] == "invalid_request"
        assert CHALLENGE not in sent["error_description"]


# --- prompt and max_age -----------------------------------------------------------------------------------------------


async def test_prompt_none_succeeds_without_pages_where_all_is_decided():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        sent = answer_parameters(location(await world.authorize(cookie, **public_request(redirect_uri=WEB, prompt="none"))))
        assert (sent["error"], sent["iss"]) == ("consent_required", ISSUER)
        await world.tokens(cookie, redirect_uri=WEB)
        sent = answer_parameters(location(await world.authorize(cookie, **public_request(redirect_uri=WEB, prompt="none"))))
        assert "code" in sent


@pytest.mark.parametrize("change", [{"prompt": "login"}, {"max_age": "60"}, {"max_age": "0"}])
async def test_sign_in_is_asked_anew_where_the_client_wants_it(change):
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        await world.tokens(cookie, redirect_uri=WEB)
        world.clock.advance(timedelta(seconds=61))
        answer = await world.authorize(cookie, **public_request(redirect_uri=WEB, **change))
        assert location(answer).startswith("/ui/sign-in?request=")
        step = await world.server.authorization.next_step(handle_in(answer), await world.signed_in(cookie))
        assert step.again
        world.clock.advance(timedelta(seconds=5))
        newer = await world.sign_in(alice)
        world.clock.advance(timedelta(seconds=90))
        done = await world.server.authorization.next_step(handle_in(answer), await world.signed_in(newer))
        code = answer_parameters(done.location)["code"]
        tokens = members(await world.token(**public_redemption(code, redirect_uri=WEB)))
        claims = (await world.verified(tokens["id_token"], "step-ca")).claims
        assert claims["auth_time"] == (await world.signed_in(newer)).session.authenticated_at // 1000


async def test_account_is_chosen_once_for_a_request_and_by_one_choice():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        await world.tokens(cookie, redirect_uri=WEB)
        world.clock.advance(timedelta(seconds=61))
        answer = await world.authorize(cookie, **public_request(redirect_uri=WEB, prompt="select_account"))
        assert location(answer).startswith("/ui/oauth2/choose-account?request=")
        handle, signed_in = handle_in(answer), await world.signed_in(cookie)
        choices = [world.server.authorization.choose(handle, signed_in) for _ in range(5)]
        outcomes = await asyncio.gather(*choices, return_exceptions=True)
        (done,) = [each for each in outcomes if not isinstance(each, Exception)]
        assert {type(each) for each in outcomes if each is not done} == {RequestGone}
        assert "code" in answer_parameters(done.location)
        with pytest.raises(RequestGone):
            await world.server.authorization.next_step(handle, signed_in)


async def test_choice_of_an_account_is_not_one_of_another():
    async with world_with_client() as world:
        alice, bob = [await world.person(name, groups=("users",)) for name in ("alice", "bob")]
        cookie = await world.sign_in(alice)
        others = await world.sign_in(bob)
        world.clock.advance(timedelta(seconds=61))
        answer = await world.authorize(cookie, **public_request(redirect_uri=WEB, prompt="select_account"))
        step = await world.server.authorization.choose(handle_in(answer), await world.signed_in(cookie))
        assert isinstance(step, ConsentStep)
        assert isinstance(await world.server.authorization.next_step(step.handle, await world.signed_in(cookie)), ConsentStep)
        asked = await world.server.authorization.next_step(step.handle, await world.signed_in(others))
        assert isinstance(asked, ChooseAccountStep)


async def test_prompt_none_beside_select_account_is_refused():
    async with world_with_client() as world:
        sent = answer_parameters(location(await world.authorize(None, **public_request(prompt="none select_account"))))
        assert sent["error"] == "invalid_request"


async def test_young_enough_sign_in_is_not_asked_anew():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        await world.tokens(cookie, redirect_uri=WEB)
        world.clock.advance(timedelta(seconds=61))
        asked = public_request(redirect_uri=WEB, prompt="none")
        sent = answer_parameters(location(await world.authorize(cookie, **asked, max_age="10000")))
        assert "code" in sent
        sent = answer_parameters(location(await world.authorize(cookie, **asked, max_age="60")))
        assert sent["error"] == "login_required"


async def test_hinted_person_must_be_the_one_who_is_signed_in():
    async with world_with_client() as world:
        alice = await world.person("alice", groups=("users",))
        bob = await world.person("bob", groups=("users",))
        alices, bobs = await world.sign_in(alice), await world.sign_in(bob)
        hint = (await world.tokens(alices, redirect_uri=WEB))["id_token"]
        await world.tokens(bobs, redirect_uri=WEB)
        world.clock.advance(timedelta(minutes=30))
        asked = public_request(redirect_uri=WEB, prompt="none", id_token_hint=hint)
        assert "code" in answer_parameters(location(await world.authorize(alices, **asked)))
        assert answer_parameters(location(await world.authorize(bobs, **asked)))["error"] == "login_required"
        answer = await world.authorize(bobs, **public_request(redirect_uri=WEB, id_token_hint=hint))
        assert location(answer).startswith("/ui/sign-in?request=")
        world.clock.advance(timedelta(seconds=1))
        done = await world.server.authorization.next_step(handle_in(answer), await world.signed_in(await world.sign_in(bob)))
        assert answer_parameters(done.location)["error"] == "login_required"


async def test_hint_of_another_issuer_is_refused():
    async with world_with_client() as world:
        await world.public_client("other")
        alice = await world.person("alice", groups=("users",))
        cookie = await world.sign_in(alice)
        code = await world.code(cookie, **public_request(client_id="other"))
        foreign = members(await world.token(**public_redemption(code, client_id="other")))["id_token"]
        sent = answer_parameters(location(await world.authorize(cookie, **public_request(id_token_hint=foreign))))
        assert sent["error"] == "invalid_request"


async def test_person_gives_up_before_signing_in():
    async with world_with_client() as world:
        answer = await world.authorize(None, **public_request())
        done = await world.server.authorization.deny(handle_in(answer), None)
        assert answer_parameters(done.location)["error"] == "access_denied"
        assert await world.events("consent.denied") == []
