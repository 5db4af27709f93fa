"""Whatever fails below /api/v1 is told as a problem document (RFC 9457)."""

import msgspec
import pytest

from tests.unit.api.world import server_world


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/no-such-thing", None, {}, 404),
        ("DELETE", "/version", None, {}, 405),
        ("POST", "/persons", b"x" * 70_000, {"content-type": "application/json"}, 413),
        ("POST", "/persons", b"name=alice", {"content-type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/persons", b"{", {"content-type": "application/json"}, 400),
        ("GET", "/persons/no-one", None, {}, 404),
        ("GET", "/persons", None, {"authorization": "Bearer made-up"}, 401),
    ],
)
async def test_every_failure_below_the_api_is_a_problem_document(method, path, body, headers, status):
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        response = await world.send(method, path, body, token=token, headers=headers)
        problem = msgspec.json.decode(response.body)
        assert (response.status, problem["status"]) == (status, status)
        assert dict(response.headers)["content-type"] == "application/problem+json"
        assert problem["detail"]
        assert problem["type"].startswith("/api/v1/openapi.json#/components/x-problems/")
        if status == 405:
            assert dict(response.headers)["allow"] == "GET, HEAD"
