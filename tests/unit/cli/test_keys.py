"""`sealwright key`, against the whole server in this process."""

import re

import pytest

from sealwright.identity.api_keys.secret import API_KEY_PATTERN


@pytest.fixture
def admin(shell):
    shell.sign_in("root", "system_admins")
    return shell


def test_key_is_made_used_narrowed_rotated_and_revoked(admin):
    made = admin.ok("key", "create", "backup", "r-viewer", "--expires", "30d")
    (secret,) = re.findall(API_KEY_PATTERN, made.out)
    (found,) = admin.ok("key", "list", "-o", "json").lines
    admin.environ["SEALWRIGHT_API_KEY"] = secret
    assert admin.ok("whoami", "-o", "json").json["session"]["kind"] == "api key"
    assert "root" in admin.ok("person", "list").out
    refused = admin.run("person", "create", "alice", "Alice")
    assert refused.code != 0
    assert "root does not have the permission person:write" in refused.err
    del admin.environ["SEALWRIGHT_API_KEY"]
    assert any(line.startswith("used with: person:read (") for line in admin.ok("key", "show", found["id"]).members)
    assert admin.ok("key", "narrow", found["id"], "-o", "json").json["scopes"] == ["person:read"]
    rotated = admin.ok("key", "rotate", found["id"], "--overlap", "1h", "-o", "json").json
    assert {each["state"] for each in admin.ok("key", "list", "--all", "-o", "json").lines} == {"replaced", "active"}
    admin.ok("key", "revoke", rotated["id"])
    states = {each["id"]: each["state"] for each in admin.ok("key", "list", "-o", "json").lines}
    assert states == {found["id"]: "replaced", rotated["id"]: "revoked"}


@pytest.mark.parametrize("option", [("--expires", "soon"), ("--expires", "2y")])
def test_duration_that_is_none_is_refused_here(admin, option):
    refused = admin.run("key", "create", "x", "person:read", *option)
    assert refused.code == 2
    assert f"{option[0]} {option[1]!r} is not a duration" in refused.err


def test_grant_of_a_role_is_given_days(admin):
    admin.person("alice")
    granted = admin.ok("role", "grant", "r-viewer", "--person", "alice", "--expires", "30d", "-o", "json").json
    assert granted["expires_at"] > granted["created_at"]
