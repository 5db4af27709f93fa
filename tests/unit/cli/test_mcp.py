"""`sealwright mcp` as an assistant runs it: lines of JSON in, lines of JSON out."""

import json

import pytest


def exchange(shell, *messages, options=(), **more):
    lines = "".join(json.dumps({"jsonrpc": "2.0", **each}) + "\n" for each in messages)
    done = shell.run("mcp", *options, stdin=lines, **more)
    assert done.code == 0, done
    return done.lines


def use(number, tool, **arguments):
    return {"id": number, "method": "tools/call", "params": {"name": f"sealwright_{tool}", "arguments": arguments}}


def test_assistant_reads_what_the_person_may_read(shell):
    shell.sign_in("root", "system_admins")
    shell.person("alice")
    hello = {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}}
    ready = {"method": "notifications/initialized"}
    first, found, missing = exchange(shell, hello, ready, use(2, "find_people", search="ali"), use(3, "show_person", name="eve"))
    assert first["result"]["protocolVersion"] == "2025-06-18"
    assert [each["name"] for each in found["result"]["structuredContent"]["items"]] == ["alice"]
    assert missing["result"]["isError"]
    assert (
        "There is no person 'eve'" in missing["result"]["content"][0]["text"] or "eve" in missing["result"]["content"][0]["text"]
    )


def test_assistant_may_do_no_more_than_the_person(shell):
    shell.sign_in("alice")
    [answer] = exchange(shell, use(1, "find_people"))
    assert "does not have the permission person:read" in answer["result"]["content"][0]["text"]


def test_assistant_changes_something_only_where_that_was_allowed_and_confirmed(shell):
    shell.sign_in("root", "system_admins")
    shell.person("alice")
    [refused] = exchange(shell, use(1, "disable_person", name="alice"))
    assert "There is no tool" in refused["error"]["message"]
    [first] = exchange(shell, use(1, "disable_person", name="alice"), options=("--allow-changes",))
    assert first["result"]["structuredContent"]["will_happen"]["ends"]["sessions"] == 0
    [late] = exchange(
        shell,
        use(1, "disable_person", name="alice", confirm=first["result"]["structuredContent"]["confirm"]),
        options=("--allow-changes",),
    )
    assert late["result"]["isError"]  # tokens are those of one process
    assert json.loads(shell.ok("person", "get", "alice", "-o", "json").out)["state"] == "active"


def test_lines_that_are_too_long_or_not_json_do_not_end_the_conversation(shell):
    shell.sign_in("root", "system_admins")
    text = "x" * 600_000 + "\n\n{\n" + json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}) + "\n"
    done = shell.ok("mcp", stdin=text)
    assert [each.get("error", {}).get("code", 0) for each in done.lines] == [-32600, -32700, 0]


def test_token_of_a_service_account_is_read_from_a_file(shell):
    shell.sign_in("root", "system_admins")
    shell.ok("service-account", "create", "robot", "Robot")
    shell.ok("group", "add-members", "auditors", "robot")
    token = json.loads(shell.ok("service-account", "api-token", "generate", "robot", "assistant", "-o", "json").out)["token"]
    file = shell.file("token", token + "\n")
    [answer] = exchange(shell, use(1, "whoami"), options=("--token-file", file))
    assert answer["result"]["structuredContent"]["account"]["name"] == "robot"


@pytest.mark.parametrize("content", ["", "two words", "caf\u00e9", "a\nb"])
def test_file_without_a_token_is_refused(shell, content):
    done = shell.run("mcp", "--token-file", shell.file("token", content))
    assert (done.code, "does not hold a token" in done.err, content.strip() in done.err) == (2, True, not content.strip())


def test_no_one_signed_in_is_said_before_the_conversation(shell):
    done = shell.run("mcp", stdin="")
    assert (done.code, "no one is signed in" in done.err, done.out) == (3, True, "")
