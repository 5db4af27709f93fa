"""The Model Context Protocol, message by message, over an API that writes down what it is called with."""

import json
from datetime import timedelta

import pytest

from sealwright.clock import FixedClock, Instant
from sealwright.entropy import SeededEntropy
from sealwright.mcp import (
    CONFIRMED_WITHIN,
    LONGEST_MESSAGE,
    PROTOCOL_VERSIONS,
    TOOLS,
    ApiCallFailed,
    ConfirmTokensInMemory,
    ToolServer,
)
from sealwright.mcp.tools import CHANGING, PREFIX

NOW = Instant(1_790_000_000_000)
REVOKE = {"name": "sealwright_revoke_certificate", "arguments": {"serial": "0xabc", "reason": "keyCompromise"}}


class Api:
    """Says what it was asked, and refuses what a test says."""

    def __init__(self):
        self.calls = []
        self.refusal = ""

    async def __call__(self, method, *path, body=None, query=None):
        if self.refusal:
            raise ApiCallFailed(self.refusal)
        self.calls.append((method, "/".join(path), body, query))
        return {"of": "/".join(path)} if method != "DELETE" else None

    @property
    def changes(self):
        return [each for each in self.calls if each[0] != "GET"]


class Scene:
    def __init__(self, *, changes=True):
        self.api = Api()
        self.clock = FixedClock(NOW)
        confirm_tokens = ConfirmTokensInMemory(self.clock, SeededEntropy(1)) if changes else None
        self.server = ToolServer(self.api, version="1.2.3", confirm_tokens=confirm_tokens)

    async def send(self, method, params=None, **more):
        message = {"jsonrpc": "2.0", "id": 7, "method": method, **({} if params is None else {"params": params}), **more}
        response = await self.server.respond(json.dumps(message).encode())
        return None if response is None else json.loads(response)

    async def use(self, tool, **arguments):
        """The result of a tool: what it returned, or why it failed."""
        answer = await self.send("tools/call", {"name": f"sealwright_{tool}", "arguments": arguments})
        result = answer["result"]
        [content] = result["content"]
        if result.get("isError"):
            return content["text"]
        assert json.loads(content["text"]) == result["structuredContent"]
        return result["structuredContent"]


async def test_client_gets_the_protocol_version_that_it_asks_for_and_the_newest_in_place_of_an_unknown_one():
    scene = Scene()
    for asked in PROTOCOL_VERSIONS:
        answer = await scene.send("initialize", {"protocolVersion": asked, "capabilities": {}, "clientInfo": {}})
        assert answer["result"]["protocolVersion"] == asked
    answer = await scene.send("initialize", {"protocolVersion": "1999-01-01"})
    assert answer["result"]["protocolVersion"] == PROTOCOL_VERSIONS[0]
    assert answer["result"]["serverInfo"]["version"] == "1.2.3"
    assert answer["result"]["capabilities"] == {"tools": {}}


async def test_client_that_says_its_version_in_each_request_needs_no_beginning():
    scene, meta = (
        Scene(),
        {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}},
    )
    found = (await scene.send("server/discover", {"_meta": meta}))["result"]
    assert (found["supportedVersions"], found["capabilities"]) == (["2026-07-28"], {"tools": {}})
    listed = (await scene.send("tools/list", {"_meta": meta}))["result"]
    assert (listed["resultType"], listed["ttlMs"], listed["cacheScope"]) == ("complete", 0, "private")
    unknown = await scene.send("tools/list", {"_meta": {**meta, "io.modelcontextprotocol/protocolVersion": "2031-01-01"}})
    assert (unknown["error"]["code"], unknown["error"]["data"]["supported"]) == (-32022, ["2026-07-28"])


async def test_notifications_and_responses_are_not_answered():
    scene = Scene()
    assert await scene.server.respond(b'{"jsonrpc":"2.0","method":"notifications/initialized"}') is None
    assert await scene.server.respond(b'{"jsonrpc":"2.0","id":3,"result":{}}') is None
    assert (await scene.send("ping"))["result"] == {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32700),
        (b"[]", -32600),
        (b"[1,2]", -32600),
        (b'{"id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"resources/list"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rm"}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["x"]}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sealwright_whoami","arguments":[1]}}', -32602),
        (b'"' + b"x" * LONGEST_MESSAGE + b'"', -32600),
    ],
)
async def test_message_that_cannot_be_processed_gets_an_error_and_calls_nothing(text, code):
    scene = Scene()
    answer = json.loads(await scene.server.respond(text) or b"")
    assert (answer["error"]["code"], "result" in answer, scene.api.calls) == (code, False, [])
    assert len(answer["error"]["message"]) < 200


async def test_every_tool_says_what_it_does_and_takes_an_object():
    answer = await Scene().send("tools/list")
    tools = answer["result"]["tools"]
    assert {each["name"] for each in tools} == {each.name for each in TOOLS}
    for each in tools:
        assert each["name"].startswith("sealwright_")
        assert each["title"]
        assert each["description"].endswith(".")
        assert each["inputSchema"]["type"] == "object"
        assert each["inputSchema"]["additionalProperties"] is False
        assert each["annotations"]["readOnlyHint"] is ("confirm" not in each["inputSchema"]["properties"])


async def test_tools_that_change_something_are_there_only_where_that_was_allowed():
    scene = Scene(changes=False)
    tools = (await scene.send("tools/list"))["result"]["tools"]
    assert all(each["annotations"]["readOnlyHint"] for each in tools)
    answer = await scene.send("tools/call", REVOKE)
    assert (answer["error"]["code"], scene.api.calls) == (-32602, [])


@pytest.mark.parametrize(
    ("tool", "arguments", "call"),
    [
        ("whoami", {}, ("whoami", {})),
        ("find_people", {"search": "ali", "limit": 5}, ("persons", {"search": "ali", "limit": "5"})),
        ("show_person", {"name": "alice"}, ("persons/alice", None)),
        ("find_certificates", {"name": ".example.org"}, ("certificates", {"name": ".example.org", "limit": "50"})),
        ("show_certificate", {"serial": "0xabc"}, ("certificates/0xabc", None)),
        ("search_audit", {"by": "root", "outcome": "refused"}, ("audit", {"by": "root", "outcome": "refused", "limit": "50"})),
        ("show_application", {"name": "wiki"}, ("oauth2/clients/wiki", None)),
    ],
)
async def test_reading_tool_asks_the_api_with_its_arguments(tool, arguments, call):
    scene = Scene()
    result = await scene.use(tool, **arguments)
    [(method, path, body, query)] = scene.api.calls
    assert (method, path, body, query) == ("GET", call[0], None, call[1])
    assert result == {"of": path}


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("show_person", {}, "name is missing"),
        ("show_person", {"name": 5}, "name must be a text"),
        ("show_person", {"name": ""}, "name must be"),
        ("show_person", {"name": "a", "drop": "b"}, "drop is not known here"),
        ("find_people", {"limit": 9_999}, "limit must be"),
        ("search_audit", {"outcome": "well"}, "outcome must be"),
        ("add_members", {"group": "g", "members": []}, "members must be"),
    ],
)
async def test_wrong_argument_is_named_and_nothing_is_called(tool, arguments, words):
    scene = Scene()
    assert words in await scene.use(tool, **arguments)
    assert scene.api.calls == []


async def test_refusal_of_the_api_is_what_the_tool_says():
    scene = Scene()
    scene.api.refusal = "There is no person 'eve'. List them."
    assert await scene.use("show_person", name="eve") == "There is no person 'eve'. List them."


async def test_change_happens_only_at_the_second_call_with_the_confirm_token():
    scene = Scene()
    first = await scene.use("revoke_certificate", serial="0xabc", reason="keyCompromise", note="lost")
    assert "0xabc will be revoked" in first["will_happen"]["summary"]
    assert first["will_happen"]["certificate"] == {"of": "certificates/0xabc"}
    assert scene.api.changes == []
    await scene.use("revoke_certificate", serial="0xabc", reason="keyCompromise", note="lost", confirm=first["confirm"])
    assert scene.api.changes == [("POST", "certificates/0xabc/revoke", {"reason": "keyCompromise", "note": "lost"}, None)]


async def test_confirm_token_is_for_one_call_with_the_same_arguments_within_five_minutes():
    scene = Scene()
    confirm = (await scene.use("disable_person", name="alice"))["confirm"]
    assert "Nothing was changed" in await scene.use("disable_person", name="bob", confirm=confirm)
    assert "Nothing was changed" in await scene.use("disable_person", name="alice", confirm=confirm)  # it was used up
    confirm = (await scene.use("disable_person", name="alice"))["confirm"]
    scene.clock.advance(CONFIRMED_WITHIN)
    assert "Nothing was changed" in await scene.use("disable_person", name="alice", confirm=confirm)
    confirm = (await scene.use("disable_person", name="alice"))["confirm"]
    assert "Nothing was changed" in await scene.use("enable_person", name="alice", confirm=confirm)
    assert "Nothing was changed" in await scene.use("disable_person", name="alice", confirm="guess")
    assert scene.api.changes == []
    confirm = (await scene.use("disable_person", name="alice"))["confirm"]
    scene.clock.advance(CONFIRMED_WITHIN - timedelta(seconds=1))
    assert await scene.use("disable_person", name="alice", confirm=confirm) == {"of": "persons/alice/disable"}


async def test_open_confirm_tokens_are_bounded():
    scene = Scene()
    first = (await scene.use("end_session", id="s-1"))["confirm"]
    for number in range(100):
        await scene.use("end_session", id=f"s-{number}")
    assert "Nothing was changed" in await scene.use("end_session", id="s-1", confirm=first)
    assert scene.api.changes == []


GIVEN: dict[str, dict[str, object]] = {
    "add_members": {"group": "team", "members": ["alice"]},
    "remove_members": {"group": "team", "members": ["alice"]},
    "auth_add_group_mapping": {"provider_id": "p", "group_name": "admins", "role_id": "r-admin"},
    "auth_create_oidc_provider": {"name": "sso", "issuer_url": "https://x", "client_id": "c", "client_secret": "hush"},
    "disable_person": {"name": "alice"},
    "enable_person": {"name": "alice"},
    "end_session": {"id": "s"},
    "revoke_certificate": {"serial": "0xabc"},
}


@pytest.mark.parametrize("tool", CHANGING, ids=lambda each: each.name)
async def test_every_change_says_first_what_will_happen_and_keeps_secrets_to_itself(tool):
    scene, name = Scene(), tool.name.removeprefix(PREFIX)
    first = await scene.use(name, **GIVEN[name])
    assert first["will_happen"]["summary"].endswith(".")
    assert "hush" not in json.dumps(first)
    tests = [("POST", "auth/oidc/test")] if name == "auth_create_oidc_provider" else []
    assert [each[:2] for each in scene.api.changes] == tests
    await scene.use(name, **GIVEN[name], confirm=first["confirm"])
    assert len(scene.api.changes) == len(tests) + 1
