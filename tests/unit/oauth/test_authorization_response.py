"""Where authorization responses go: query, fragment, a posted form, and each of them signed (JARM)."""

from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from sealwright.access import SYSTEM
from tests.oauth_world import CALLBACK, ORIGIN, confidential_request, location, members, oauth_world
from tests.unit.web.reading import Reading

ISSUER = f"{ORIGIN}/oauth2/openid/wiki"
STATE = confidential_request()["state"]


@asynccontextmanager
async def signed_in_alice():
    async with oauth_world() as world:
        await world.confidential_client()
        await world.server.clients.change("wiki", {"consent_prompt": False}, actor=SYSTEM)
        alice = await world.person("alice", groups=("users",))
        yield world, await world.sign_in(alice)


def sent_by(response, mode):
    """The parameters of a response, from where its mode puts them."""
    if mode.startswith("form_post"):
        assert response.status == 200
        reading = Reading(response.body.decode())
        (form,) = reading.all("form")
        assert (form.attributes["method"], form.attributes["action"]) == ("post", CALLBACK)
        return {one.attributes["name"]: one.attributes["value"] for one in reading.all("input")}
    parts = urlsplit(location(response))
    in_fragment = mode.startswith("fragment")
    assert (parts.query if in_fragment else parts.fragment) == ""
    return {name: values[0] for name, values in parse_qs(parts.fragment if in_fragment else parts.query).items()}


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_response_goes_where_its_mode_says(mode):
    async with signed_in_alice() as (world, cookie):
        sent = sent_by(await world.authorize(cookie, **confidential_request(response_mode=mode)), mode)
        assert set(sent) == {"code", "state", "iss"}
        assert (sent["state"], sent["iss"]) == (STATE, ISSUER)


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_error_goes_where_the_mode_says(mode):
    async with signed_in_alice() as (world, _cookie):
        sent = sent_by(await world.authorize(None, **confidential_request(response_mode=mode, prompt="none")), mode)
        assert (sent["error"], sent["state"], sent["iss"]) == ("login_required", STATE, ISSUER)


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"])
@pytest.mark.parametrize("change", [{}, {"prompt": "none consent"}])
async def test_signed_response_holds_everything_in_one_token_for_this_client(mode, change):
    async with signed_in_alice() as (world, cookie):
        sent = sent_by(await world.authorize(cookie, **confidential_request(response_mode=mode, **change)), mode)
        assert set(sent) == {"response"}
        claims = (await world.verified(sent["response"], "wiki")).claims
        assert (claims["iss"], claims["aud"], claims["state"]) == (ISSUER, "wiki", STATE)
        assert claims["exp"] > world.clock.now() // 1000
        assert ("error" in claims, "code" in claims) == (bool(change), not change)


async def test_posted_code_is_redeemed_like_any_other():
    async with signed_in_alice() as (world, cookie):
        sent = sent_by(await world.authorize(cookie, **confidential_request(response_mode="form_post")), "form_post")
        secret = await world.server.clients.secrets.show_basic_secret("wiki", actor=SYSTEM)
        answer = await world.token(
            grant_type="authorization_code",
            code=sent["code"],
            redirect_uri=CALLBACK,
            code_verifier="n8yG3vK2h0QfUOZ1cXbLs7TjWmRpDqEaHiY5x6NkV4t",
            client_id="wiki",
            client_secret=secret,
        )
        assert (answer.status, members(answer)["token_type"]) == (200, "Bearer")


async def test_form_needs_no_script_and_tells_the_application_where_it_comes_from():
    async with signed_in_alice() as (world, cookie):
        response = await world.authorize(cookie, **confidential_request(response_mode="form_post", state='"><script>'))
        headers = dict(response.headers)
        assert len(headers) == len(response.headers)
        assert (headers["referrer-policy"], headers["cache-control"]) == ("strict-origin", "no-store")
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "form-action" not in headers["content-security-policy"]
        assert b'id="continue"' in response.body
        assert sent_by(response, "form_post")["state"] == '"><script>'


async def test_mode_in_a_posted_request_counts_too():
    async with signed_in_alice() as (world, _cookie):
        body = confidential_request(response_mode="form_post", prompt="nonsense")
        response = await world.post("/oauth2/authorise", body)
        assert sent_by(response, "form_post")["error"] == "invalid_request"


@pytest.mark.parametrize(
    "tolerated",
    [
        {"display": "page"},
        {"display": "popup"},
        {"ui_locales": "de fr-CA"},
        {"claims_locales": "se"},
        {"login_hint": "alice@example.org"},
        {"acr_values": "urn:mace:incommon:iap:silver"},
        {"extra": "foobar"},
    ],
)
async def test_parameter_that_changes_nothing_is_tolerated(tolerated):
    async with signed_in_alice() as (world, cookie):
        assert "code" in sent_by(await world.authorize(cookie, **confidential_request(**tolerated)), "query")


async def test_metadata_lists_every_mode():
    async with signed_in_alice() as (world, _cookie):
        document = members(await world.call("GET", "/oauth2/openid/wiki/.well-known/openid-configuration"))
        modes = ["query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"]
        assert document["response_modes_supported"] == modes
        assert document["authorization_signing_alg_values_supported"] == ["ES256"]


async def test_unknown_mode_is_an_error_in_the_query():
    async with signed_in_alice() as (world, cookie):
        query = urlencode(confidential_request(response_mode="web_message"))
        sent = sent_by(await world.call("GET", f"/oauth2/authorise?{query}", headers={"cookie": cookie}), "query")
        assert sent["error"] == "invalid_request"
