"""The Python SDK of the Model Context Protocol, unmodified, as an assistant uses it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.interop.client_programs import OAUTH2, python_client, sign_in
from tests.live import ADMIN_PASSWORD, SEALWRIGHT, live_server

CALLBACK = "https://assistant.example/callback"


class Assistant:
    """A running client, and the tools that it sees."""

    def __init__(self, program):
        self._program = program
        self.began = program.receive()

    def use(self, tool, **arguments):
        self._program.send({"tool": f"sealwright_{tool}", "arguments": arguments})
        return self._program.receive()


@pytest.fixture(scope="module")
def administrator(server):
    """Signed in at the terminal, as a person who starts an assistant is."""
    password = server.file("mcp-password", ADMIN_PASSWORD)
    server.sealwright("login", "-D", "admin", "--password-file", password)
    return server


@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
def test_assistant_reads_over_standard_input_and_output(administrator, tmp_path, mode, version):
    server = administrator
    settings = {"mode": mode, "command": [str(SEALWRIGHT), "mcp", "-D", "admin"], "environment": server.environment()}
    with python_client("mcp_client.py", server, tmp_path, **settings) as program:
        assistant = Assistant(program)
        assert (assistant.began["version"], assistant.began["server"]) == (version, "sealwright")
        assert "sealwright_show_person" in assistant.began["tools"]
        assert "sealwright_disable_person" not in assistant.began["tools"]
        alice = assistant.use("show_person", name="alice")
        assert (alice["failed"], alice["value"]["name"]) == (False, "alice")
        assert assistant.use("show_person", name="nosuch")["failed"]
        assert assistant.use("whoami")["value"]["account"]["name"] == "admin"
        assert assistant.use("search_audit", limit=1)["value"]["events"]
        program.send(None)


def test_assistant_changes_something_after_it_was_confirmed(administrator, tmp_path):
    server = administrator
    server.sealwright("group", "create", "assisted")
    command = [str(SEALWRIGHT), "mcp", "-D", "admin", "--allow-changes"]
    with python_client(
        "mcp_client.py", server, tmp_path, mode="auto", command=command, environment=server.environment()
    ) as program:
        assistant = Assistant(program)
        first = assistant.use("add_members", group="assisted", members=["alice"])["value"]
        assert "will be members of assisted" in first["will_happen"]["summary"]
        assert server.sealwright_json("group", "get", "assisted")["members"] == []
        done = assistant.use("add_members", group="assisted", members=["alice"], confirm=first["confirm"])
        assert not done["failed"]
        again = assistant.use("add_members", group="assisted", members=["alice"], confirm=first["confirm"])
        assert "Nothing was changed" in again["text"]
        program.send(None)
    members = server.sealwright_json("group", "get", "assisted")["members"]
    assert [each.partition("@")[0] for each in members] == ["alice"]


@pytest.fixture(scope="module")
def open_server(tmp_path_factory):
    """A server that lets assistants in, with a root issuer and an application that may ask for access to its API."""
    settings = {"assistants.enabled": "true", "assistants.allow_changes": "true"}
    with live_server(tmp_path_factory.mktemp("assistants"), settings=settings) as server:
        server.sealwright("group", "create", "readers")
        server.sealwright("group", "add-members", "readers", "alice")
        server.sealwright(*OAUTH2, "issuer", "create", "main", "--root")
        server.sealwright(*OAUTH2, "create-public", "assistant", "Assistant", "https://assistant.example")
        server.sealwright(*OAUTH2, "set-issuer", "assistant", "main")
        server.sealwright(*OAUTH2, "add-redirect-url", "assistant", CALLBACK)
        server.sealwright(*OAUTH2, "add-resource", "assistant", server.people)
        server.sealwright(*OAUTH2, "update-scope-map", "assistant", "readers", "openid", "sealwright_read", "sealwright_change")
        yield server


@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
def test_assistant_over_the_network_finds_out_where_its_person_signs_in_and_acts_as_they(open_server, tmp_path, mode, version):
    server = open_server
    registered = {
        "client_id": "assistant",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid sealwright_read",
    }
    settings = {"mode": mode, "url": f"{server.people}/mcp", "ca": str(server.root), "registered": registered}
    with python_client("mcp_client.py", server, tmp_path, **settings) as program:
        asked = program.receive()["open"]
        assert parse_qs(urlsplit(asked).query)["resource"] == [server.people]
        came_back = parse_qs(urlsplit(sign_in(server, asked, CALLBACK)).query)
        program.send({name: came_back[name][0] for name in ("code", "state", "iss") if name in came_back})
        assistant = Assistant(program)
        assert (assistant.began["version"], assistant.began["server"]) == (version, "sealwright")
        assert assistant.use("whoami")["value"]["account"]["name"] == "alice"
        refused = assistant.use("search_audit", limit=1)
        assert (refused["failed"], "audit:read" in refused["text"]) == (True, True)
        program.send(None)
