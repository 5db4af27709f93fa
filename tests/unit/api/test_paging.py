"""Lists come a page at a time, and every one of them in the same shape."""

from typing import Any

import pytest

from sealwright.api import operations
from tests.unit.api.world import server_world

FIXED = {"list_permissions", "list_issuer_keys", "list_client_keys"}
"""Lists that do not grow: of permissions, and of the few keys of one issuer or client."""


async def test_every_list_that_can_grow_is_paged_in_the_same_shape():
    async with server_world() as world:
        lists = [
            each
            for each in operations(world.api_dependencies)
            if each.method == "GET" and "items" in getattr(each.returns, "__struct_fields__", ()) and each.name not in FIXED
        ]
        unlike = [
            each.name
            for each in lists
            if not {"after", "limit"} <= set(each.query) or "next" not in each.returns.__struct_fields__
        ]
        assert (unlike, len(lists) > 15) == ([], True)


@pytest.mark.parametrize(
    ("path", "bodies"),
    [
        ("/auth/keys", [{"name": each, "scopes": ["person:read"]} for each in "abc"]),
        ("/oauth2/issuers", [{"name": each} for each in ("team", "shop", "lab")]),
        ("/oauth2/trusted-issuers", [{"name": each, "issuer_url": f"https://{each}.example.org"} for each in ("ci", "ca", "cb")]),
        ("/auth/roles", [{"id": f"r-x{each}", "permissions": ["person:read"]} for each in "abc"]),
        ("/oauth2/registration-tokens", [{}, {}, {}]),
        ("/audit/sinks", [{"name": each, "url": f"https://{each}.example.org/"} for each in "abc"]),
    ],
)
async def test_pages_of_one_are_together_the_whole_list(path, bodies):
    async with server_world() as world:
        token = await world.token("root", "system_admins", "idm_admins")
        for body in bodies:
            status, made = await world.call("POST", path, body, token=token)
            assert status == 201, made
        _, whole = await world.call("GET", path, token=token)
        assert (len(whole["items"]) >= 3, whole["next"]) == (True, None)
        found: list[Any] = []
        after: str | None = ""
        while after is not None:
            query = "limit=1" + (f"&after={after.replace(' ', '+')}" if after else "")
            _, page = await world.call("GET", path, token=token, query=query)
            assert len(page["items"]) == 1
            found += page["items"]
            after = page["next"]
        assert found == whole["items"]


async def test_own_sessions_are_paged_newest_first():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        for _ in range(3):
            await world.signed_in("root")
        _, whole = await world.call("GET", "/auth/sessions", token=token)
        _, first = await world.call("GET", "/auth/sessions", token=token, query="limit=3")
        _, rest = await world.call("GET", "/auth/sessions", token=token, query=f"after={first['next'].replace(' ', '+')}")
        assert first["items"] + rest["items"] == whole["items"]
        assert (len(whole["items"]), rest["next"]) == (4, None)
