"""A problem points to the value that is wrong, where the caller gave it."""

from typing import Any

import pytest

from tests.unit.api.world import server_world

SINK = {"name": "siem", "url": "https://siem.example.org/hooks/1"}
ISSUER = {"name": "ci", "issuer_url": "https://ci.example.org"}
PROFILE = {"name": "web"}


CASES: tuple[tuple[str, str, Any, str], ...] = (
    ("POST", "/audit/sinks", SINK | {"name": "S i"}, "/name"),
    ("POST", "/audit/sinks", SINK | {"url": "http://siem.example.org"}, "/url"),
    ("POST", "/audit/sinks", SINK | {"categories": ["auth", "cats"]}, "/categories/1"),
    ("POST", "/audit/sinks", SINK, "/name"),
    ("POST", "/audit/sinks", SINK | {"categories": ["auth", 7]}, "/categories/1"),
    ("POST", "/audit/sinks", SINK | {"colour": "red"}, "/colour"),
    ("POST", "/audit/sinks", {"name": "siem"}, "/url"),
    ("POST", "/oauth2/trusted-issuers", ISSUER | {"name": "b", "issuer_url": "ci"}, "/issuer_url"),
    ("POST", "/oauth2/trusted-issuers", ISSUER | {"name": "b"}, "/issuer_url"),
    ("POST", "/oauth2/trusted-issuers", ISSUER | {"issuer_url": "https://b.example.org"}, "/name"),
    ("POST", "/oauth2/trusted-issuers", ISSUER | {"name": "C I"}, "/name"),
    ("POST", "/oauth2/trusted-issuers", ISSUER | {"audience": ""}, "/audience"),
    ("POST", "/oauth2/trusted-issuers", ISSUER | {"jwks_uri": "keys"}, "/jwks_uri"),
    ("POST", "/oauth2/trusted-issuers", ISSUER | {"jwks": {"keys": []}}, "/jwks"),
    ("POST", "/persons", {"name": "Bob", "display_name": "Bob"}, "/name"),
    ("POST", "/persons", {"name": "root", "display_name": "Bob"}, "/name"),
    ("POST", "/persons", {"name": "bob", "display_name": ""}, "/display_name"),
    ("POST", "/persons", {"name": "bob", "display_name": "Bob", "mails": ["bob@example.org", "b"]}, "/mails/1"),
    ("POST", "/groups", {"name": "ops"}, "/name"),
    ("POST", "/groups", {"name": "web", "managed_by": "nobody"}, "/managed_by"),
    ("PATCH", "/groups/ops", {"description": "a\nb"}, "/description"),
    ("PATCH", "/groups/ops/account-policy", {"auth_expiry": 1}, "/auth_expiry"),
    ("PATCH", "/persons/root/profile", {"attributes": {"given_name": "R", "locale": "?"}}, "/attributes/locale"),
    ("POST", "/persons/root/ssh-public-keys/laptop", {"public_key": "x"}, "/public_key"),
    ("POST", "/persons/root/ssh-public-keys/-", {"public_key": "x"}, "/tag"),
    ("POST", "/auth/roles", {"id": "admin", "permissions": ["person:read"]}, "/id"),
    ("POST", "/auth/roles", {"id": "r-x", "permissions": ["everything"]}, "/permissions"),
    ("POST", "/profiles", PROFILE | {"longest": "long"}, "/longest"),
    ("POST", "/profiles", PROFILE | {"most_names": 0}, "/most_names"),
    ("POST", "/profiles", PROFILE | {"ocsp_url": "https://ocsp.example.org"}, "/ocsp_url"),
    ("POST", "/profiles", PROFILE | {"name": "server"}, "/name"),
)


@pytest.fixture
async def calls():
    async with server_world() as world:
        token = await world.token("root", "system_admins")

        async def call(method, path, body):
            return await world.call(method, path, body, token=token)

        assert (await call("POST", "/audit/sinks", SINK))[0] == 201
        assert (await call("POST", "/groups", {"name": "ops"}))[0] == 201
        assert (await call("POST", "/oauth2/trusted-issuers", ISSUER))[0] == 201
        yield call


async def test_problem_points_to_the_value_that_is_wrong(calls):
    for method, path, body, pointer in CASES:
        status, problem = await calls(method, path, body)
        assert (status // 100, problem.get("pointer")) == (4, pointer), (path, body, problem)


async def test_what_is_about_no_one_value_points_nowhere(calls):
    status, problem = await calls("DELETE", "/persons/nobody", None)
    assert (status, problem.get("pointer", "")) == (404, "")


async def test_rule_of_a_trusted_issuer_points_to_what_it_may_not_say(calls):
    rules = "/oauth2/trusted-issuers/ci/rules"
    whole = {"client": "nobody", "conditions": {"sub": "a"}}
    assert (await calls("POST", rules, whole))[1]["pointer"] == "/client"
    client = {"name": "job", "display_name": "Job", "landing_url": "https://job.example.org", "kind": "confidential"}
    status, made = await calls("POST", "/oauth2/clients", client)
    assert status == 201, made
    for wrong, pointer in (
        ({"conditions": {"sub": "**"}}, "/conditions"),
        ({"conditions": {"a/b": ""}}, "/conditions/a~1b"),
        ({"service_account": "nobody"}, "/service_account"),
        ({"lifetime_seconds": 7200}, "/lifetime_seconds"),
        ({"scopes": ['"']}, "/scopes"),
    ):
        problem = (await calls("POST", rules, whole | {"client": "job"} | wrong))[1]
        assert problem["pointer"] == pointer, problem
