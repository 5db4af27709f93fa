"""The token endpoint: who may redeem what, and how it is refused."""

import base64
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from tests.oauth_world import (
    CALLBACK,
    LOOPBACK,
    VERIFIER,
    basic,
    confidential_request,
    location,
    members,
    oauth_world,
    public_redemption,
    public_request,
)

FORM = {"content-type": "application/x-www-form-urlencoded"}


async def alice_with_code(world, **changes):
    alice = await world.person("alice", groups=("users",))
    await world.public_client()
    cookie = await world.sign_in(alice)
    return cookie, await world.code(cookie, **public_request(**changes))


def refusal(answer):
    body = members(answer)
    assert set(body) == {"error", "error_description"}
    headers = dict(answer.headers)
    assert headers["cache-control"] == "no-store"
    assert headers["access-control-allow-origin"] == "*"
    return answer.status, body["error"]


async def test_parameter_that_is_missing_or_repeated_is_named_in_the_same_way():
    async with oauth_world() as world:
        cookie, code = await alice_with_code(world)
        at_the_token_endpoint = await world.token(**(public_redemption(code) | {"code": ""}))
        assert members(at_the_token_endpoint)["error_description"] == "The parameter 'code' is missing."
        at_the_authorization_endpoint = await world.authorize(cookie, **public_request(response_type=""))
        assert "The+parameter+%27response_type%27+is+missing." in location(at_the_authorization_endpoint)


WRONG_REDEMPTIONS = {
    "no code": ({"code": ""}, "invalid_request"),
    "unknown code": ({"code": "AAAA"}, "invalid_grant"),
    "huge code": ({"code": "A" * 50_000}, "invalid_grant"),
    "code with NUL": ({"code": "a\0b"}, "invalid_grant"),
    "no redirect URI": ({"redirect_uri": ""}, "invalid_request"),
    "other redirect URI": ({"redirect_uri": LOOPBACK + "/"}, "invalid_grant"),
    "other port": ({"redirect_uri": "http://127.0.0.1:1"}, "invalid_grant"),
    "no verifier": ({"code_verifier": ""}, "invalid_grant"),
    "wrong verifier": ({"code_verifier": "x" * 43}, "invalid_grant"),
    "short verifier": ({"code_verifier": "x"}, "invalid_grant"),
    "verifier with other characters": ({"code_verifier": "ä" * 43}, "invalid_grant"),
    "no grant type": ({"grant_type": ""}, "invalid_request"),
    "password grant": ({"grant_type": "password"}, "unsupported_grant_type"),
    "grant type in capitals": ({"grant_type": "Authorization_Code"}, "unsupported_grant_type"),
}


@pytest.mark.parametrize(("change", "error"), WRONG_REDEMPTIONS.values(), ids=WRONG_REDEMPTIONS.keys())
async def test_wrong_redemption_is_refused_and_the_code_still_works(change, error):
    async with oauth_world() as world:
        _, code = await alice_with_code(world)
        answer = await world.token(**(public_redemption(code) | change))
        assert refusal(answer) == (400, error)
        assert code.encode() not in answer.body
        assert (await world.token(**public_redemption(code))).status == 200


async def test_code_expires_after_a_minute():
    async with oauth_world() as world:
        cookie, code = await alice_with_code(world)
        world.clock.advance(timedelta(seconds=60, milliseconds=-1))
        assert (await world.token(**public_redemption(code))).status == 200
        code = await world.code(cookie, **public_request())
        world.clock.advance(timedelta(seconds=60))
        assert refusal(await world.token(**public_redemption(code))) == (400, "invalid_grant")


async def test_code_used_again_ends_every_token_of_the_first_use():
    async with oauth_world() as world:
        _, code = await alice_with_code(world)
        tokens = members(await world.token(**public_redemption(code)))
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 200
        world.clock.advance(timedelta(minutes=5))
        assert refusal(await world.token(**public_redemption(code))) == (400, "invalid_grant")
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 401
        refresh = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": tokens["refresh_token"]}
        assert refusal(await world.token(**refresh)) == (400, "invalid_grant")
        ((_, _, details),) = await world.events("token.family_revoked")
        assert details["reason"] == "an authorization code was used again"


async def test_stolen_code_without_its_verifier_cannot_end_the_tokens():
    async with oauth_world() as world:
        _, code = await alice_with_code(world)
        tokens = members(await world.token(**public_redemption(code)))
        assert refusal(await world.token(**public_redemption(code, code_verifier="x" * 43))) == (400, "invalid_grant")
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert (await world.call("GET", "/oauth2/openid/step-ca/userinfo", headers=bearer)).status == 200


async def test_code_of_one_client_is_nothing_to_another():
    async with oauth_world() as world:
        _, code = await alice_with_code(world)
        await world.public_client("other")
        name, secret = await world.confidential_client()
        assert refusal(await world.token(**public_redemption(code, client_id="other"))) == (400, "invalid_grant")
        form = public_redemption(code)
        del form["client_id"], form["client_secret"]
        assert refusal(await world.token(basic(name, secret), **form)) == (400, "invalid_grant")
        assert (await world.token(**public_redemption(code))).status == 200


@pytest.mark.parametrize("change", ["disabled", "expired", "signed out", "session over"])
async def test_code_of_someone_who_may_not_act_any_more_is_refused(change):
    async with oauth_world() as world:
        cookie, code = await alice_with_code(world)
        if change == "disabled":
            await world.directory.disable("alice", actor=SYSTEM)
        elif change == "expired":
            await world.directory.set_validity("alice", valid_from=None, valid_until=world.clock.now(), actor=SYSTEM)
        elif change == "signed out":
            signed_in = await world.signed_in(cookie)
            await world.sessions.end(signed_in.session.id, "signed out", actor=signed_in.actor)
        else:
            world.clock.advance(timedelta(hours=8) - timedelta(seconds=30))
            cookie = await world.sign_in(await world.account("alice"))
            code = await world.code(cookie, **public_request())
            await world.sessions.end_all((await world.directory.find("alice")).id, "administrator", actor=SYSTEM)
        assert refusal(await world.token(**public_redemption(code))) == (400, "invalid_grant")


# --- client authentication --------------------------------------------------------------------------------------------


async def wiki_with_code(world):
    alice = await world.person("alice", groups=("users",))
    name, secret = await world.confidential_client()
    code = await world.code(await world.sign_in(alice), **confidential_request())
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "code": code}
    return name, secret, form


async def test_unknown_client_and_wrong_secret_are_answered_alike():
    async with oauth_world() as world:
        name, _, form = await wiki_with_code(world)
        answers = [
            await world.token(basic(name, "wrong"), **form),
            await world.token(basic(name, ""), **form),
            await world.token(basic("nobody", "wrong"), **form),
            await world.token(basic("NOBODY \0", "wrong"), **form),
            await world.token(**form, client_id=name, client_secret="wrong"),
            await world.token(**form, client_id=name),
            await world.token(**form, client_id="nobody", client_secret="wrong"),
            await world.token(**form, client_id="nobody"),
        ]
        assert {(answer.status, answer.body, answer.headers) for answer in answers} == {
            (401, answers[0].body, answers[0].headers)
        }
        assert refusal(answers[0]) == (401, "invalid_client")
        assert dict(answers[0].headers)["www-authenticate"].startswith("Basic ")


UNREADABLE = {
    "other scheme": "Bearer abc",
    "no base64": "Basic !!!",
    "no colon": "Basic " + base64.b64encode(b"wiki").decode(),
    "not UTF-8": "Basic " + base64.b64encode(b"wiki:\xff").decode(),
    "empty": "Basic ",
    "nothing": "",
}


@pytest.mark.parametrize("header", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_authorization_header_that_cannot_be_read_is_no_client(header):
    async with oauth_world() as world:
        _, _, form = await wiki_with_code(world)
        assert refusal(await world.token({"authorization": header}, **form)) == (401, "invalid_client")


async def test_two_ways_to_authenticate_at_once_are_refused():
    async with oauth_world() as world:
        name, secret, form = await wiki_with_code(world)
        await world.public_client()
        both = await world.token(basic(name, secret), **form, client_secret=secret)
        assert refusal(both) == (400, "invalid_request")
        public = await world.token(basic("step-ca", "x"), **form, client_secret="x")
        assert refusal(public) == (400, "invalid_request")
        other = await world.token(basic(name, secret), **form, client_id="step-ca")
        assert refusal(other) == (400, "invalid_request")
        assertion = await world.token(**form, client_id=name, client_assertion="x", client_assertion_type="y")
        assert refusal(assertion) == (400, "invalid_request")
        nobody = await world.token(**form)
        assert refusal(nobody) == (400, "invalid_request")
        assert (await world.token(basic(name, secret), **form, client_id=name)).status == 200


async def test_name_and_secret_in_the_header_are_form_encoded():
    async with oauth_world() as world:
        name, secret, form = await wiki_with_code(world)
        encoded = "".join(f"%{byte:02x}" for byte in secret.encode())
        header = {"authorization": "bAsIc " + basic("%77iki", encoded)["authorization"].partition(" ")[2]}
        assert (await world.token(header, **form)).status == 200
        assert name == "wiki"


async def test_new_secret_ends_the_old_one_and_the_tokens_of_this_client_only():
    async with oauth_world() as world:
        name, secret, form = await wiki_with_code(world)
        tokens = members(await world.token(basic(name, secret), **form))
        await world.public_client()
        others = await world.tokens(await world.sign_in(await world.account("alice")))
        fresh = (await world.server.clients.secrets.reset_basic_secret(name, actor=SYSTEM)).secret
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert refusal(await world.token(basic(name, secret), **refresh)) == (401, "invalid_client")
        assert refusal(await world.token(basic(name, fresh), **refresh)) == (400, "invalid_grant")
        refresh = {"grant_type": "refresh_token", "refresh_token": others["refresh_token"], "client_id": "step-ca"}
        assert (await world.token(**refresh)).status == 200


async def test_wrong_secrets_cannot_fill_the_audit_record():
    async with oauth_world() as world:
        name, _, form = await wiki_with_code(world)
        for _ in range(5):
            await world.token(basic(name, "wrong"), **form)
            await world.token(basic("nobody", "wrong"), **form)
        assert len(await world.events("token.refused")) == 2
        world.clock.advance(timedelta(minutes=1))
        await world.audit.write_repeated(world.db)
        refused = [details for _, _, details in await world.events("token.refused")]
        for reason in ("the client's secret was missing or wrong", "there is no such client"):
            assert [details.get("repeated") for details in refused if details["reason"] == reason] == [None, 4]


# --- hostile input ----------------------------------------------------------------------------------------------------

HOSTILE = {
    "JSON": (b"{}", {"content-type": "application/json"}),
    "no content type": (b"grant_type=x", {}),
    "repeated parameter": (b"grant_type=a&grant_type=b&client_id=step-ca", FORM),
    "repeated empty parameter": (b"client_id=step-ca&scope=&scope=", FORM),
    "not UTF-8": (b"client_id=\xff\xfe", FORM),
    "too many parameters": (b"&".join(b"p%d=1" % number for number in range(300)), FORM),
    "empty": (b"", FORM),
}


@pytest.mark.parametrize(("body", "headers"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_malformed_token_request_is_an_invalid_request(body, headers):
    async with oauth_world() as world:
        await world.public_client()
        answer = await world.call("POST", "/oauth2/token", body=body, headers=headers)
        assert refusal(answer) == (400, "invalid_request")


async def test_client_with_an_impossible_name_is_an_unknown_one():
    async with oauth_world() as world:
        answer = await world.call("POST", "/oauth2/token", body=b"client_id=%00&client_secret=%c3%a4", headers=FORM)
        assert refusal(answer) == (401, "invalid_client")


async def test_answer_to_a_preflight_lets_any_origin_call():
    async with oauth_world() as world:
        await world.public_client()
        for path in (
            "/oauth2/token",
            "/oauth2/openid/step-ca/userinfo",
            "/oauth2/openid/step-ca/public_key.jwk",
            "/oauth2/openid/step-ca/.well-known/openid-configuration",
        ):
            answer = await world.call("OPTIONS", path)
            headers = dict(answer.headers)
            assert answer.status == 204
            assert headers["access-control-allow-origin"] == "*"
            assert "Authorization" in headers["access-control-allow-headers"]
            assert "access-control-allow-credentials" not in headers
        assert (await world.call("OPTIONS", "/oauth2/authorise")).status == 405
