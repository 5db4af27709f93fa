"""Assistants over HTTP: who is let in, by which tokens, and what they may do there."""

import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from sealwright.access import SYSTEM
from sealwright.clock import FixedClock
from sealwright.db import Statement
from sealwright.db.schema import assistant_confirm_tokens
from sealwright.mcp import CONFIRMED_WITHIN, MOST_AT_ONCE, TOOLS
from sealwright.settings import AssistantSettings
from tests.app import make_app, settings
from tests.databases import sqlite_database
from tests.oauth_world import (
    ORIGIN,
    START,
    World,
    answer_parameters,
    confidential_request,
    location,
    members,
    public_redemption,
    public_request,
)
from tests.unit.oauth.dpop.test_bound_tokens import proof

READ, CHANGE = "sealwright_read", "sealwright_change"
META = "/.well-known/oauth-protected-resource"


class Assistants(World):
    """A server that lets assistants in, and an application for which people may grant access to it."""

    async def prepare(self):
        await self.app.seed()
        await self.directory.create_group("users", actor=SYSTEM)
        self.alice = await self.person("alice", groups=("users", "system_admins"))
        self.bob = await self.person("bob", groups=("users",))
        await self.public_client("desk", scopes=("openid", READ, CHANGE))
        await self.server.clients.add("desk", "resources", ORIGIN, actor=SYSTEM)
        await self.server.clients.add("desk", "resources", "https://other.example/", actor=SYSTEM)
        self.cookie = await self.sign_in(self.alice)
        return self

    async def access_token(self, scope=f"{READ} {CHANGE}", *, cookie=None, resource=ORIGIN):
        asked = {"client_id": "desk", "scope": f"openid {scope}"} | ({"resource": resource} if resource else {})
        return (await self.tokens(cookie or self.cookie, **asked))["access_token"]

    async def send(self, token, method="ping", params=None, *, number=1, headers=None):
        message = {"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})}
        message |= {} if number is None else {"id": number}
        given = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {}) | (headers or {})
        return await self.call("POST", "/mcp", body=json.dumps(message).encode(), headers=given)

    async def use(self, token, tool, **arguments):
        """The result of a tool."""
        answer = members(await self.send(token, "tools/call", {"name": f"sealwright_{tool}", "arguments": arguments}))
        return answer.get("result") or answer


@asynccontextmanager
async def assistants(*, enabled=True, allow_changes=True):
    async with sqlite_database() as db:
        chosen = settings(people=ORIGIN, assistants=AssistantSettings(enabled=enabled, allow_changes=allow_changes))
        yield await Assistants(make_app(db, chosen, clock=FixedClock(START))).prepare()


async def test_nothing_is_there_unless_it_was_switched_on():
    async with assistants(enabled=False) as world:
        token = await world.access_token()
        assert (await world.send(token)).status == 404
        assert (await world.call("GET", META)).status == 404


async def test_assistant_without_a_token_learns_where_to_get_one():
    async with assistants() as world:
        answer = await world.send(None)
        assert answer.status == 401
        assert f'resource_metadata="{ORIGIN}{META}/mcp"' in dict(answer.headers)["www-authenticate"]
        described = members(await world.call("GET", f"{META}/mcp"))
        assert (described["resource"], described["scopes_supported"]) == (ORIGIN, [READ, CHANGE])
        assert "authorization_servers" not in described  # each client has an issuer of its own
        await world.server.issuers.create("main", root=True, actor=SYSTEM)
        assert members(await world.call("GET", META))["authorization_servers"] == [ORIGIN]


async def test_access_token_of_a_person_opens_the_tools_and_the_api():
    async with assistants() as world:
        token = await world.access_token()
        assert (await world.use(token, "whoami"))["structuredContent"]["account"]["name"] == "alice"
        found = await world.call("GET", "/api/v1/persons/bob", headers={"authorization": f"Bearer {token}"})
        assert (found.status, json.loads(found.body)["name"]) == (200, "bob")


async def test_token_may_do_no_more_than_its_person():
    async with assistants() as world:
        token = await world.access_token(cookie=await world.sign_in(world.bob))
        result = await world.use(token, "find_people")
        assert result["isError"]
        assert "person:read" in result["content"][0]["text"]


async def test_token_to_read_changes_nothing_and_is_offered_no_tool_for_it():
    async with assistants() as world:
        token = await world.access_token(READ)
        tools = members(await world.send(token, "tools/list"))["result"]["tools"]
        assert all(each["annotations"]["readOnlyHint"] for each in tools)
        assert (await world.use(token, "disable_person", name="bob"))["error"]["code"] == -32602
        refused = await world.call("POST", "/api/v1/persons/bob/disable", headers={"authorization": f"Bearer {token}"})
        assert refused.status == 403
        assert (await world.account("bob")).disabled_at is None


async def test_application_cannot_do_what_a_person_has_to_do_themselves():
    async with assistants() as world:
        token = await world.access_token()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        for method, path, body in (("POST", "/logout", b""), ("POST", "/auth/keys", b'{"name":"k","scopes":["person:read"]}')):
            given = headers if body else {"authorization": headers["authorization"]}
            answer = await world.call(method, f"/api/v1{path}", body=body, headers=given)
            assert (answer.status, "which acts for alice, may not" in json.loads(answer.body)["detail"]) == (403, True), (
                answer.body
            )
        assert (await world.send(token)).status == 200


async def test_token_that_is_bound_to_a_key_makes_changes_with_a_proof():
    async with assistants() as world:
        headers = proof(world, "/oauth2/token")
        asked = public_request(client_id="desk", scope=f"openid {CHANGE}", resource=ORIGIN)
        code = await world.code(world.cookie, **asked)
        redeemed = await world.post("/oauth2/token", public_redemption(code, client_id="desk"), headers)
        token, path = members(redeemed)["access_token"], "/api/v1/persons/bob/disable"
        shown = {"authorization": f"DPoP {token}"}
        assert (await world.call("POST", path, headers=shown)).status == 401
        changed = await world.call("POST", path, headers=shown | proof(world, path, access_token=token))
        assert changed.status == 200, changed.body
        assert (await world.account("bob")).disabled_at is not None


async def test_assistant_uses_a_token_that_is_bound_to_a_key_with_one_proof_for_each_message():
    async with assistants() as world:
        headers = proof(world, "/oauth2/token")
        code = await world.code(world.cookie, **public_request(client_id="desk", scope=f"openid {READ}", resource=ORIGIN))
        redeemed = await world.post("/oauth2/token", public_redemption(code, client_id="desk"), headers)
        token = members(redeemed)["access_token"]
        params = {"name": "sealwright_find_people", "arguments": {}}
        shown = {"authorization": f"DPoP {token}"} | proof(world, "/mcp", access_token=token)
        used = await world.send(None, "tools/call", params, headers=shown)
        found = members(used)["result"]["structuredContent"]["items"]
        assert "bob" in [each["name"] for each in found]
        again = await world.send(None, "tools/call", params, headers=shown)
        challenge = dict(again.headers)["www-authenticate"]
        assert (again.status, challenge.startswith("DPoP "), 'error="invalid_dpop_proof"' in challenge) == (401, True, True)
        assert "resource_metadata=" in challenge
        assert (await world.send(token)).status == 401  # as a bearer token


async def test_cookie_beside_another_header_is_no_credential_of_an_assistant():
    async with assistants() as world:
        answer = await world.send(
            None, headers={"authorization": "Basic YTpi", "cookie": f"__Host-sealwright_session={world.cookie}"}
        )
        assert answer.status == 401


@pytest.mark.parametrize("scope", [READ, CHANGE])
async def test_person_is_asked_before_an_application_acts_for_them_here_whatever_is_set_for_it(scope):
    async with assistants() as world:
        name, _ = await world.confidential_client(scopes=("openid", READ, CHANGE))
        await world.server.clients.change(name, {"consent_prompt": False}, actor=SYSTEM)
        await world.server.clients.add(name, "resources", ORIGIN, actor=SYSTEM)
        unasked = await world.authorize(world.cookie, **confidential_request(scope="openid"))
        assert "code" in answer_parameters(location(unasked))
        asked = await world.authorize(world.cookie, **confidential_request(scope=f"openid {scope}", resource=ORIGIN))
        assert location(asked).startswith("/ui/oauth2/consent?")


async def test_application_does_not_sign_its_person_out():
    async with assistants() as world:
        token = await world.access_token(READ)
        answer = await world.call("POST", "/auth/logout", headers={"authorization": f"Bearer {token}"})
        assert answer.status == 204
        assert (await world.send(token)).status == 200, "the session that the token comes from goes on"


@pytest.mark.parametrize(
    ("scope", "resource", "words"),
    [
        ("", ORIGIN, "has not the scope"),
        (READ, None, "was not asked for with the resource"),
        (READ, "https://other.example/", "was not asked for with the resource"),
    ],
    ids=["scope", "no resource", "another resource"],
)
async def test_token_that_is_not_for_this_api_opens_nothing_and_the_reason_is_said(scope, resource, words):
    async with assistants() as world:
        token = await world.access_token(scope, resource=resource)
        answer = await world.call("GET", "/api/v1/whoami", headers={"authorization": f"Bearer {token}"})
        assert (answer.status, words in json.loads(answer.body)["detail"]) == (401, True), answer.body
        assert (await world.send(token)).status == 401


async def test_token_ends_with_its_person_its_session_and_the_scope():
    async with assistants() as world:
        token = await world.access_token()
        assert (await world.send(token)).status == 200
        await world.directory.remove_members("users", ["alice"], actor=SYSTEM)
        assert (await world.send(token)).status == 401
        await world.directory.add_members("users", ["alice"], actor=SYSTEM)
        assert (await world.send(token)).status == 200
        await world.directory.disable("alice", actor=SYSTEM)
        assert (await world.send(token)).status == 401


async def test_token_that_expired_or_was_changed_opens_nothing():
    async with assistants() as world:
        token = await world.access_token()
        assert (await world.send(token[:-4] + "AAAA")).status == 401
        world.clock.advance(timedelta(minutes=16))
        assert (await world.send(token)).status == 401


async def test_page_of_another_site_and_a_cookie_are_not_let_in():
    async with assistants() as world:
        token = await world.access_token()
        assert (await world.send(token, headers={"origin": "https://evil.example"})).status == 403
        assert (await world.send(token, headers={"origin": ORIGIN})).status == 200
        assert (await world.send(None, headers={"cookie": f"__Host-sealwright_session={world.cookie}"})).status == 401


async def test_notification_is_accepted_and_what_is_no_message_gets_an_error():
    async with assistants() as world:
        token = await world.access_token()
        done = await world.send(token, "notifications/initialized", number=None)
        assert (done.status, done.body) == (202, b"")
        assert (await world.send(token, headers={"content-type": "text/plain"})).status == 400
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        broken = await world.call("POST", "/mcp", body=b"{", headers=headers)
        assert members(broken)["error"]["code"] == -32700


async def test_headers_that_say_something_else_than_the_message_are_refused():
    async with assistants() as world:
        token = await world.access_token()
        meta = {
            "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
        }
        right = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"}
        assert "result" in members(await world.send(token, "tools/list", meta, headers=right))
        for wrong in ({"mcp-protocol-version": "2025-06-18"}, {"mcp-method": "tools/call"}):
            answer = members(await world.send(token, "tools/list", meta, headers=right | wrong))
            assert answer["error"]["code"] == -32020


async def test_change_is_confirmed_once_by_whom_it_was_proposed_to_on_any_node():
    async with assistants() as world:
        token, other = await world.access_token(), Assistants(world.app.other_node())
        first = await world.use(token, "disable_person", name="bob")
        confirm = first["structuredContent"]["confirm"]
        assert (await world.account("bob")).disabled_at is None
        carol = await world.person("carol", groups=("users", "system_admins"))
        someone_else = await world.access_token(cookie=await world.sign_in(carol))
        assert (await world.use(someone_else, "disable_person", name="bob", confirm=confirm))["isError"]
        done = await other.use(token, "disable_person", name="bob", confirm=confirm)
        assert "isError" not in done, done
        assert (await world.account("bob")).disabled_at is not None
        assert (await world.use(token, "disable_person", name="bob", confirm=confirm))["isError"]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda each: each.name)
async def test_every_tool_calls_what_the_api_has(tool):
    given = {"group": "users", "members": ["bob"], "issuer_url": "https://x.example", "group_name": "g", "role_id": "r-viewer"}
    members_of_it = tool.description_for_clients()["inputSchema"].get("required", [])
    arguments = {each: given.get(each, "bob") for each in members_of_it}
    async with assistants() as world:
        token, name = await world.access_token(), tool.name.removeprefix("sealwright_")
        result = await world.use(token, name, **arguments)
        if "confirm" in result.get("structuredContent", {}):
            result = await world.use(token, name, **arguments, confirm=result["structuredContent"]["confirm"])
        assert "There is nothing at" not in result["content"][0]["text"]


async def test_open_confirm_tokens_of_an_account_are_bounded_and_the_oldest_is_forgotten():
    async with assistants() as world:
        token = await world.access_token()
        first = (await world.use(token, "end_session", id="s"))["structuredContent"]["confirm"]
        world.clock.advance(timedelta(seconds=1))
        for _ in range(MOST_AT_ONCE):
            last = (await world.use(token, "end_session", id="s"))["structuredContent"]["confirm"]
        rows = await world.db.all(Statement(select(assistant_confirm_tokens.c.digest)))
        assert len(rows) == MOST_AT_ONCE
        assert "Nothing was changed" in (await world.use(token, "end_session", id="s", confirm=first))["content"][0]["text"]
        assert "no session" in (await world.use(token, "end_session", id="s", confirm=last))["content"][0]["text"]


async def test_confirm_token_is_void_after_five_minutes():
    async with assistants() as world:
        token = await world.access_token()
        confirm = (await world.use(token, "disable_person", name="bob"))["structuredContent"]["confirm"]
        world.clock.advance(CONFIRMED_WITHIN)
        assert (await world.use(token, "disable_person", name="bob", confirm=confirm))["isError"]
        assert (await world.account("bob")).disabled_at is None


async def test_change_by_an_assistant_is_on_record_under_its_person():
    async with assistants() as world:
        token = await world.access_token()
        confirm = (await world.use(token, "disable_person", name="bob"))["structuredContent"]["confirm"]
        await world.use(token, "disable_person", name="bob", confirm=confirm)
        rows = await world.audit.newest(world.db, at_most=50)
        [row] = [each for each in rows if each.event == "person.disabled"]
        assert row.actor_id == world.alice.id


async def test_tools_that_change_something_need_the_setting():
    async with assistants(allow_changes=False) as world:
        token = await world.access_token()
        assert (await world.use(token, "disable_person", name="bob"))["error"]["code"] == -32602
        assert members(await world.call("GET", META))["scopes_supported"] == [READ]
