from sealwright.identity import SessionKind
from tests.unit.api.world import MACHINES, PEOPLE, server_world
from tests.unit.identity.world import PASSWORD


async def test_right_password_gives_a_token_that_says_who_one_is():
    async with server_world() as world:
        await world.person("alice", "idm_people_admins", mails=("alice@example.org",))
        status, answer = await world.call("POST", "/login", {"name": "alice@example.org", "password": PASSWORD})
        assert status == 201
        assert answer["account"]["spn"] == "alice@example.org"
        status, who = await world.call("GET", "/whoami", token=answer["token"])
        assert status == 200
        assert who["account"]["name"] == "alice"
        assert who["groups"] == ["idm_all_accounts", "idm_all_persons", "idm_people_admins"]
        assert "person:write" in who["permissions"]
        assert (who["session"]["kind"], who["session"]["current"]) == ("terminal", True)


async def test_wrong_password_and_unknown_name_are_told_alike():
    async with server_world() as world:
        await world.person("alice")
        wrong = await world.call("POST", "/login", {"name": "alice", "password": "no"})
        unknown = await world.call("POST", "/login", {"name": "nobody", "password": "no"})
        assert wrong == unknown
        assert wrong[0] == 401
        assert wrong[1]["code"] == "sign_in_refused"


async def test_second_factor_is_asked_for_and_taken():
    async with server_world() as world:
        await world.person("alice")
        secret = await world.with_totp("alice")
        status, waiting = await world.call("POST", "/login", {"name": "alice", "password": PASSWORD})
        assert (status, waiting["methods"]) == (202, ["totp"])
        assert "token" not in waiting
        status, problem = await world.call("POST", "/login/code", {"pending": waiting["pending"], "code": "000000"})
        assert (status, problem["code"]) == (401, "code_refused")
        body = {"pending": waiting["pending"], "code": world.code(secret)}
        status, answer = await world.call("POST", "/login/code", body)
        assert status == 201
        status, who = await world.call("GET", "/whoami", token=answer["token"])
        assert who["session"]["methods"] == ["pwd", "otp"]
        status, problem = await world.call("POST", "/login/code", body)
        assert (status, problem["code"]) == (401, "sign_in_expired")


async def test_code_may_come_with_the_password():
    async with server_world() as world:
        await world.person("alice")
        secret = await world.with_totp("alice")
        status, answer = await world.call("POST", "/login", {"name": "alice", "password": PASSWORD, "code": world.code(secret)})
        assert status == 201
        assert answer["token"]


async def test_signed_out_token_is_worth_nothing():
    async with server_world() as world:
        token = await world.token("alice")
        assert await world.call("POST", "/logout", token=token) == (204, None)
        status, problem = await world.call("GET", "/whoami", token=token)
        assert (status, problem["ended"]) == (401, "signed_out")


async def test_sessions_of_oneself_can_be_listed_and_ended():
    async with server_world() as world:
        token = await world.token("alice")
        other = (await world.signed_in("alice")).token
        status, page = await world.call("GET", "/auth/sessions", token=token)
        assert (status, [each["kind"] for each in page["items"]].count("browser")) == (200, 1)
        (browser,) = [each["id"] for each in page["items"] if each["kind"] == "browser"]
        assert await world.call("DELETE", f"/auth/sessions/{browser}", token=token) == (204, None)
        assert await world.sessions.resolve(other, "192.0.2.1", kind=SessionKind.BROWSER) is None
        status, problem = await world.call("DELETE", f"/auth/sessions/{browser}", token=token)
        assert (status, problem["code"]) == (404, "session_not_found")


async def test_sessions_of_others_need_a_permission():
    async with server_world() as world:
        alice = await world.token("alice")
        people = await world.token("ruth", "idm_people_admins")
        _, page = await world.call("GET", "/auth/sessions", token=people, query="person=alice")
        (found,) = page["items"]
        assert found["current"] is False
        assert await world.call("DELETE", f"/auth/sessions/{found['id']}", token=people) == (204, None)
        status, _ = await world.call("GET", "/whoami", token=alice)
        assert status == 401


async def test_version_tells_addresses_and_roots_to_everyone():
    async with server_world() as world:
        status, answer = await world.call("GET", "/version")
        assert status == 200
        assert (answer["urls"]["people"], answer["urls"]["machines"]) == (PEOPLE, MACHINES)
        assert answer["roots"][0].startswith("-----BEGIN CERTIFICATE-----\n")
