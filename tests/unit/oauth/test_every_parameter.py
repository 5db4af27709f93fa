"""Each parameter of each endpoint, one at a time: missing, given twice, too long, and not UTF-8.

Each is refused in the words of its wire, with the parameter's name where that is what is wrong, and nothing is used up by it:
the same request as it should be goes through afterwards.
"""

import html
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.identity import SessionKind
from sealwright.settings import BudgetSettings
from tests.oauth_world import (
    CALLBACK,
    VERIFIER,
    answer_parameters,
    confidential_request,
    handle_in,
    members,
    oauth_world,
)

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
LONG = "x" * 30_000
NOT_UTF8 = "%ff%fe"
TWICE, ENCODING = "more than once", "is not UTF-8 text"
UNLIMITED = dict.fromkeys(BudgetSettings.__dataclass_fields__)
DEVICE, EXCHANGE = "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@dataclass
class Asked:
    """One endpoint with a request that it accepts, and what becomes of the request when a parameter of it is wrong."""

    path: str
    right: dict[str, str]
    missing: dict[str, str]
    """Parameter → error where it is left out; all others may be left out."""
    too_long: dict[str, str]
    """Parameter → error where its value is too long; all others are not looked at, or found not to exist."""
    by: str = "form"
    headers: dict[str, str] = field(default_factory=dict)
    accepted: int = 200
    on_pages: bool = False
    """Whether people see what is refused, and not the client."""


async def send(world, asked, pairs):
    """`pairs`: names and values, encoded already."""
    text = "&".join(f"{name}={value}" for name, value in pairs)
    if asked.by == "query":
        return await world.call("GET", f"{asked.path}?{text}", headers=asked.headers)
    return await world.call("POST", asked.path, body=text.encode(), headers={"content-type": FORM} | asked.headers)


def told(answer):
    """The error and its text, wherever the response tells them; both empty where the request was accepted."""
    headers = dict(answer.headers)
    place = headers.get("location", "")
    if place.startswith(CALLBACK):
        sent = answer_parameters(place)
        return sent.get("error", ""), sent.get("error_description", "")
    if headers.get("content-type", "").startswith("text/html"):
        return "shown", html.unescape(re.sub(r"<[^>]*>", "", answer.body.decode()))
    if answer.status < 400:
        return "", ""
    body = members(answer)
    return body["error"], body["error_description"]


# --- the endpoints, each with a request that it accepts ---


@asynccontextmanager
async def world_with_alice():
    async with oauth_world(budgets=BudgetSettings(**UNLIMITED)) as world:
        name, secret = await world.confidential_client()
        changes = {"device_grant": True, "token_exchange": True, "authorization_details_types": ["payment"]}
        await world.server.clients.change(name, changes, actor=SYSTEM)
        await world.server.clients.add(name, "post_logout_redirect_uris", CALLBACK, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        yield world, alice, {"client_id": name, "client_secret": secret}


async def tokens(world, alice, client):
    code = await world.code(await world.sign_in(alice), **confidential_request())
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return members(await world.token(**form, **client))


REQUEST_MISSING = dict.fromkeys(("response_type", "code_challenge"), "invalid_request") | {"scope": "invalid_scope"}
REQUEST_TOO_LONG = dict.fromkeys(
    (
        *("response_mode", "nonce", "prompt", "max_age", "id_token_hint", "claims"),
        *("code_challenge", "code_challenge_method", "dpop_jkt"),
    ),
    "invalid_request",
) | {
    "response_type": "unsupported_response_type",
    "scope": "invalid_scope",
    "authorization_details": "invalid_authorization_details",
}
SHOWN = dict.fromkeys(("client_id", "redirect_uri", "state"), "shown")


async def authorization_request(world, alice, client):
    hint = (await tokens(world, alice, client))["id_token"]
    more = {
        "response_mode": "query", "max_age": "900", "login_hint": "alice", "id_token_hint": hint, "acr_values": "mfa",
        "claims": "{}", "display": "page", "ui_locales": "de", "claims_locales": "de",
        "dpop_jkt": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    }  # fmt: skip
    return confidential_request(**more)


async def authorize(world, alice, client, *, by):
    request = await authorization_request(world, alice, client)
    missing = REQUEST_MISSING | dict.fromkeys(("client_id", "redirect_uri"), "shown")
    return Asked(
        "/oauth2/authorise", request | {"prompt": "login"}, missing, REQUEST_TOO_LONG | SHOWN, by=by, accepted=303, on_pages=True
    )


async def authorize_by_query(world, alice, client):
    return await authorize(world, alice, client, by="query")


async def authorize_by_form(world, alice, client):
    return await authorize(world, alice, client, by="form")


async def push(world, alice, client):
    request = await authorization_request(world, alice, client) | client | {"authorization_details": '[{"type":"payment"}]'}
    refused = dict.fromkeys(("redirect_uri", "state", "login_hint", "acr_values"), "invalid_request") | WRONG_CLIENT
    return Asked(
        "/oauth2/par",
        request | {"prompt": "login"},
        REQUEST_MISSING | {"redirect_uri": "invalid_request"} | NO_CLIENT,
        REQUEST_TOO_LONG | refused,
        accepted=201,
    )


NO_CLIENT = {"client_id": "invalid_request", "client_secret": "invalid_client"}
WRONG_CLIENT = dict.fromkeys(("client_id", "client_secret"), "invalid_client")
WRONG_GRANT = {"grant_type": "unsupported_grant_type"} | WRONG_CLIENT


async def redeem_code(world, alice, client):
    code = await world.code(await world.sign_in(alice), **confidential_request())
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER} | client
    missing = dict.fromkeys(("grant_type", "code", "redirect_uri"), "invalid_request") | {"code_verifier": "invalid_grant"}
    too_long = dict.fromkeys(("code", "redirect_uri", "code_verifier"), "invalid_grant")
    return Asked("/oauth2/token", form, missing | NO_CLIENT, too_long | WRONG_GRANT)


async def refresh(world, alice, client):
    given = (await tokens(world, alice, client))["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": given, "scope": "openid"} | client
    missing = dict.fromkeys(("grant_type", "refresh_token"), "invalid_request")
    too_long = {"refresh_token": "invalid_grant", "scope": "invalid_scope"}
    return Asked("/oauth2/token", form, missing | NO_CLIENT, too_long | WRONG_GRANT)


async def own_token(world, alice, client):
    form = {"grant_type": "client_credentials", "authorization_details": '[{"type":"payment"}]'} | client
    too_long = {"authorization_details": "invalid_authorization_details"}
    return Asked("/oauth2/token", form, {"grant_type": "invalid_request"} | NO_CLIENT, too_long | WRONG_GRANT)


async def poll_for_device(world, alice, client):
    codes = members(await world.post("/oauth2/device", {"scope": "openid"} | client))
    handle = await world.server.authorization.handle_of_device(codes["user_code"], "192.0.2.7")
    await world.server.authorization.allow(handle, await world.signed_in(await world.sign_in(alice)))
    form = {"grant_type": DEVICE, "device_code": codes["device_code"]} | client
    missing = dict.fromkeys(("grant_type", "device_code"), "invalid_request")
    return Asked("/oauth2/token", form, missing | NO_CLIENT, {"device_code": "invalid_grant"} | WRONG_GRANT)


async def ask_for_device(world, alice, client):
    form = {"scope": "openid", "nonce": "n", "claims": "{}", "acr_values": "mfa", "max_age": "60"} | client
    too_long = dict.fromkeys(("nonce", "claims", "max_age"), "invalid_request") | {"scope": "invalid_scope"}
    return Asked("/oauth2/device", form, {"scope": "invalid_scope"} | NO_CLIENT, too_long | WRONG_CLIENT)


async def introspect(world, alice, client):
    form = {"token": (await tokens(world, alice, client))["access_token"], "token_type_hint": "access_token"} | client
    return Asked("/oauth2/token/introspect", form, {"token": "invalid_request"} | NO_CLIENT, WRONG_CLIENT)


async def inspect(world, alice, client):
    asked = await introspect(world, alice, client)
    asked.path = "/oauth2/inspect"
    return asked


async def revoke(world, alice, client):
    asked = await introspect(world, alice, client)
    asked.path = "/oauth2/token/revoke"
    return asked


async def userinfo(world, alice, client):
    given = (await tokens(world, alice, client))["access_token"]
    return Asked("/oauth2/openid/wiki/userinfo", {"access_token": given}, {}, {"access_token": "invalid_token"})


async def log_out(world, alice, client, *, by):
    form = {
        "id_token_hint": (await tokens(world, alice, client))["id_token"],
        "post_logout_redirect_uri": CALLBACK, "state": "s", "client_id": "wiki", "logout_hint": "alice", "ui_locales": "de",
    }  # fmt: skip
    too_long = dict.fromkeys(("id_token_hint", "post_logout_redirect_uri", "state", "client_id"), "shown")
    return Asked("/oauth2/logout", form, {}, too_long, by=by, accepted=303, on_pages=True)


async def log_out_by_query(world, alice, client):
    return await log_out(world, alice, client, by="query")


async def log_out_by_form(world, alice, client):
    return await log_out(world, alice, client, by="form")


async def terminal(world, alice):
    async def body(tx):
        begun = await world.sessions.begin(tx, alice, SessionKind.TERMINAL, ("pwd",), address="192.0.2.7", user_agent="a test")
        return begun[0]

    return {"authorization": f"Bearer {await world.db.write(body)}"}


async def decide(world, alice, *, path, by):
    waiting = await world.authorize(None, **confidential_request())
    right, error = {"token": handle_in(waiting)}, {"token": "invalid_request"}
    accepted = 302 if by == "query" else 200
    return Asked(f"/oauth2/authorise/{path}", right, error, error, by=by, headers=await terminal(world, alice), accepted=accepted)


async def permit_by_query(world, alice, client):
    return await decide(world, alice, path="permit", by="query")


async def permit_by_form(world, alice, client):
    return await decide(world, alice, path="permit", by="form")


async def reject_by_query(world, alice, client):
    return await decide(world, alice, path="reject", by="query")


async def reject_by_form(world, alice, client):
    return await decide(world, alice, path="reject", by="form")


ENDPOINTS: tuple[Any, ...] = (
    *(authorize_by_query, authorize_by_form, push, redeem_code, refresh, own_token, poll_for_device, ask_for_device),
    *(introspect, inspect, revoke, userinfo, log_out_by_query, log_out_by_form),
    *(permit_by_query, permit_by_form, reject_by_query, reject_by_form),
)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda made: made.__name__)
async def test_parameter_that_is_missing_repeated_too_long_or_not_utf8_is_refused_and_uses_nothing_up(endpoint):
    async with world_with_alice() as (world, alice, client):
        asked = await endpoint(world, alice, client)
        encoded = {name: quote(value, safe="") for name, value in asked.right.items()}
        for name, value in encoded.items():
            twice = told(await send(world, asked, [*encoded.items(), (name, value)]))
            assert TWICE in twice[1], (name, twice)
            assert twice[0] in ("invalid_request", "shown"), (name, twice)
            answer = await send(world, asked, (encoded | {name: NOT_UTF8}).items())
            error, text = told(answer)
            assert (error, f"'{name}' {ENCODING}" in text) == ("shown" if asked.on_pages else "invalid_request", True), (
                name,
                text,
            )
            answer = await send(world, asked, (encoded | {name: value + LONG}).items())
            if name in asked.too_long:
                error, text = told(answer)
                assert (error, bool(text)) == (asked.too_long[name], True), (name, text)
                assert LONG[:1_000] not in answer.body.decode(), f"{name} comes back whole"
            else:
                assert answer.status == asked.accepted, (name, answer.body)
            left_out = {other: value for other, value in encoded.items() if other != name}
            if name in asked.missing:
                error, text = told(await send(world, asked, left_out.items()))
                assert (error, bool(text)) == (asked.missing[name], True), (name, text)
        right = await send(world, asked, encoded.items())
        assert (right.status, told(right)[0] in ("", "access_denied")) == (asked.accepted, True), right.body


async def authorize_in_json(world, alice, client):
    request = await authorization_request(world, alice, client)
    refused = REQUEST_TOO_LONG | dict.fromkeys(("client_id", "redirect_uri", "state"), "invalid_request")
    missing = REQUEST_MISSING | dict.fromkeys(("client_id", "redirect_uri"), "invalid_request")
    return Asked("/oauth2/authorise", request, missing, refused, headers=await terminal(world, alice))


def json_of(pairs):
    """An object whose members may be there twice."""
    return b"{" + b",".join(msgspec.json.encode(name) + b":" + value for name, value in pairs) + b"}"


async def test_member_of_a_terminals_request_that_is_missing_repeated_too_long_or_not_utf8_is_refused():
    async with world_with_alice() as (world, alice, client):
        asked = await authorize_in_json(world, alice, client)

        async def error_of(pairs):
            headers = asked.headers | {"content-type": JSON}
            return told(await world.call("POST", asked.path, body=json_of(pairs), headers=headers))

        encoded = {name: msgspec.json.encode(value) for name, value in asked.right.items()}
        for name, value in encoded.items():
            error, text = await error_of([*encoded.items(), (name, value)])
            assert (error, name in text) == ("invalid_request", True), (name, text)
            assert (await error_of((encoded | {name: b'"\xff\xfe"'}).items()))[0] == "invalid_request", name
            for wrong in (b"[]", b"{}", b"-1"):
                assert not (await error_of((encoded | {name: wrong}).items()))[0].startswith("server"), name
            error, text = await error_of((encoded | {name: value[:-1] + LONG.encode() + b'"'}).items())
            assert (error, bool(text)) == (asked.too_long.get(name, ""), name in asked.too_long), (name, text)
            if name in asked.missing:
                error, text = await error_of([each for each in encoded.items() if each[0] != name])
                assert (error, bool(text)) == (asked.missing[name], True), (name, text)
        assert await error_of(encoded.items()) == ("", "")


@pytest.mark.parametrize("path", ["permit", "reject"])
async def test_consent_token_of_a_terminal_is_one_json_text(path):
    async with world_with_alice() as (world, alice, _client):
        asked = await decide(world, alice, path=path, by="form")
        headers, token = asked.headers | {"content-type": JSON}, msgspec.json.encode(asked.right["token"])
        for body in (
            b"",
            b"null",
            b"[" + token + b"]",
            b'{"token":' + token + b"}",
            b'"\xff"',
            token * 2,
            b'"' + LONG.encode() + b'"',
        ):
            answer = await world.call("POST", asked.path, body=body, headers=headers)
            assert (answer.status, members(answer)["error"]) == (400, "invalid_request"), body[:40]
        assert (await world.call("POST", asked.path, body=token, headers=headers)).status == 200
