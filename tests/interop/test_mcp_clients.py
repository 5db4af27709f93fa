"""The Python SDK of the Model Context Protocol, unmodified, as an assistant uses it."""

import pytest

from tests.interop.client_programs import python_client
from tests.live import SEALWRIGHT


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
    password = server.file("mcp-password", "correct horse battery staple 9")
    server.sealwright("recover-account", "admin", "--dir", server.home, "--password-file", password)
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
