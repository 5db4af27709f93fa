from tests.unit.api.world import server_world
from tests.unit.identity.world import PASSWORD

PLACE = "/groups/staff/account-policy"

UNSAID = {"password_minimum_length": None, "self_mail_write": None}


async def test_policy_is_set_shown_and_deleted():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        await world.call("POST", "/groups", {"name": "staff"}, token=token)
        assert (await world.call("GET", PLACE, token=token))[0] == 404
        status, _ = await world.call("PATCH", PLACE, {"auth_expiry": 3600, "credential_minimum": "mfa", **UNSAID}, token=token)
        assert status == 200
        shown = {"group": "staff", "auth_expiry": 3600, "privilege_expiry": None, "credential_minimum": "mfa", **UNSAID}
        assert await world.call("GET", PLACE, token=token) == (200, shown)
        status, problem = await world.call("PATCH", PLACE, {"privilege_expiry": 10**30}, token=token)
        assert (status, problem["code"]) == (400, "invalid_input")
        assert (await world.call("PATCH", PLACE, {"credential_minimum": "none"}, token=token))[0] == 400
        assert (await world.call("DELETE", PLACE, token=token))[0] == 204


async def test_sign_in_with_too_little_is_refused_with_the_group_and_what_to_do():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        await world.person("alice")
        await world.call("POST", "/groups", {"name": "staff"}, token=token)
        await world.call("PATCH", "/groups/staff/members", {"add": ["alice"]}, token=token)
        await world.call("PATCH", PLACE, {"credential_minimum": "mfa", **UNSAID}, token=token)
        status, problem = await world.call("POST", "/login", {"name": "alice", "password": PASSWORD})
        assert (status, problem["code"]) == (403, "stronger_credential_needed")
        assert problem["reasons"] == ["the group staff asks its members for a second factor or a passkey"]
        assert problem["remedy"] == {"action": "set_up_second_factor", "name": "alice"}
        assert "POST /api/v1/login" in problem["hint"]
