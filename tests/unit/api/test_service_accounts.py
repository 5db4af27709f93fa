from datetime import timedelta

from sealwright.identity import SessionKind
from tests.unit.api.world import server_world


async def make(world, token, *groups, read_only=False):
    body = {"name": "ci", "display_name": "Builds"}
    assert (await world.call("POST", "/service-accounts", body, token=token))[0] == 201
    for group in groups:
        status, _ = await world.call("PATCH", f"/groups/{group}/members", {"add": ["ci"]}, token=token)
        assert status == 200
    body = {"label": "nightly", "read_only": read_only}
    status, made = await world.call("POST", "/service-accounts/ci/api-tokens", body, token=token)
    assert status == 201
    return made


async def test_token_is_a_bearer_token_of_the_api_until_it_is_revoked():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        made = await make(world, token, "idm_people_admins")
        api_token = made["token"]
        _, who = await world.call("GET", "/whoami", token=api_token)
        assert (who["account"]["name"], who["session"]["kind"]) == ("ci", "api token")
        body = {"name": "alice", "display_name": "Alice"}
        assert (await world.call("POST", "/persons", body, token=api_token))[0] == 201
        _, page = await world.call("GET", "/service-accounts/ci/api-tokens", token=token)
        (shown,) = page["items"]
        assert (shown["label"], shown["last_used_at"] is not None, "token" in shown) == ("nightly", True, False)
        path = f"/service-accounts/ci/api-tokens/{made['id']}"
        assert (await world.call("DELETE", path, token=token))[0] == 204
        assert (await world.call("GET", "/whoami", token=api_token))[0] == 401


async def test_token_needs_no_recent_sign_in_and_disabling_ends_it():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        made = await make(world, token, "idm_people_admins")
        world.clock.advance(timedelta(days=1))
        body = {"name": "alice", "display_name": "Alice"}
        assert (await world.call("POST", "/persons", body, token=made["token"]))[0] == 201
        again = (await world.signed_in("root", kind=SessionKind.TERMINAL)).token
        status, changed = await world.call("POST", "/service-accounts/ci/disable", token=again)
        assert (status, changed["state"]) == (200, "disabled")
        assert (await world.call("GET", "/whoami", token=made["token"]))[0] == 401


async def test_token_that_only_reads_changes_nothing_not_even_its_own():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        made = await make(world, token, "system_admins", read_only=True)
        assert (await world.call("GET", "/persons", token=made["token"]))[0] == 200
        for method, path, body in (
            ("POST", "/persons", {"name": "alice", "display_name": "Alice"}),
            ("PATCH", "/persons/ci/profile", {"attributes": {"nickname": "bot"}}),
            ("POST", "/service-accounts/ci/api-tokens", {"label": "more", "read_only": False}),
        ):
            status, problem = await world.call(method, path, body, token=made["token"])
            assert (status, problem["code"]) == (403, "read_only_token")


async def test_service_account_is_changed_and_deleted():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        await make(world, token)
        change = {"name": "builds", "display_name": "All builds", "managed_by": "root"}
        status, changed = await world.call("PATCH", "/service-accounts/ci", change, token=token)
        assert (status, changed["name"], changed["display_name"]) == (200, "builds", "All builds")
        assert (changed["managed_by"], changed["groups"]) == ("root@example.org", ["idm_all_accounts"])
        assert (await world.call("DELETE", "/service-accounts/root", token=token))[0] == 404  # a person is none
        status, problem = await world.call("PATCH", "/service-accounts/root", {"display_name": "X"}, token=token)
        assert (status, problem["detail"]) == (404, "There is no service account 'root'.")
        assert (await world.call("DELETE", "/service-accounts/builds", token=token))[0] == 204
        assert (await world.call("GET", "/service-accounts", token=token))[1]["items"] == []


async def test_password_of_a_service_account_is_refused_with_what_to_do():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        await make(world, token)
        body = {"password": "velvet-orbit-canyon-98"}
        status, problem = await world.call("PUT", "/persons/ci/password", body, token=token)
        assert (status, problem["code"], problem["remedy"]["action"]) == (409, "account_not_usable", "create_api_token")
