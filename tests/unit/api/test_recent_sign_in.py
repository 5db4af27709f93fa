"""Changes need a recent sign-in, and signing in again lets the session go on."""

from datetime import timedelta

import pytest

from sealwright.api import operations
from sealwright.identity import SessionKind
from tests.unit.api.test_phases import BODIES, QUERIES, serial
from tests.unit.api.world import server_world
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD

LONG_AGO = timedelta(minutes=10)
NEVER = {"logout", "reauth", "reauth_code", "end_session", "end_sessions", "revoke_api_key"}
"""What ends or proves one's own access, and so is always possible."""
READS = {"preview_certificate", "explain_assertion"}
"""What a body is sent to, and changes nothing."""


async def test_every_change_needs_a_recent_sign_in_and_reading_none():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        world.clock.advance(LONG_AGO)
        refused = set()
        for operation in operations(world.api_dependencies):
            if operation.public or operation.name in {"logout", "export_audit"}:
                continue
            status, problem = await world.call(
                operation.method,
                serial(operation.path),
                BODIES.get(operation.name),
                token=token,
                query=QUERIES.get(operation.name, ""),
            )
            if status == 403 and problem["code"] == "recent_sign_in_needed":
                refused.add(operation.name)
                assert problem["remedy"] == {"action": "sign_in_again", "name": "root"}
                assert "POST /api/v1/reauth" in problem["hint"]
        every = {each.name: each for each in operations(world.api_dependencies) if not each.public}
        not_asked = {name for name, each in every.items() if each.accepts is not None and name not in BODIES}
        changes = {name for name, each in every.items() if each.method != "GET"} - NEVER - READS
        assert refused - {"show_client_secret"} <= changes
        assert changes - not_asked <= refused
        assert "show_client_secret" in refused
        assert len(refused) > 30


async def test_session_goes_on_under_another_token_and_may_make_changes_again():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        before = (await world.call("GET", "/whoami", token=token))[1]["session"]
        world.clock.advance(LONG_AGO)
        body = {"name": "alice", "display_name": "Alice"}
        assert (await world.call("POST", "/persons", body, token=token))[0] == 403
        status, again = await world.call("POST", "/reauth", {"password": PASSWORD}, token=token)
        assert status == 200
        assert (await world.call("GET", "/whoami", token=token))[0] == 401  # anyone who had the old one gains nothing
        assert (await world.call("GET", "/whoami", token=again["token"]))[1]["session"]["id"] == before["id"]
        assert (await world.call("POST", "/persons", body, token=again["token"]))[0] == 201
        world.clock.advance(LONG_AGO - timedelta(seconds=1))
        assert (await world.call("DELETE", "/persons/alice", token=again["token"]))[0] == 204


async def test_wrong_password_leaves_the_session_as_it_was_and_is_recorded_and_slowed_down():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        world.clock.advance(LONG_AGO)
        for _ in range(5):
            status, problem = await world.call("POST", "/reauth", {"password": OTHER_PASSWORD}, token=token)
            assert (status, problem["code"]) == (403, "password_refused")
        assert ("session.sign_in", "refused") in [row[:2] for row in await world.events()]
        assert (await world.call("POST", "/reauth", {"password": PASSWORD}, token=token))[0] == 429
        assert (await world.call("GET", "/whoami", token=token))[0] == 200


async def test_strangers_do_not_keep_someone_from_signing_in_again():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins")
        for _ in range(8):
            await world.call("POST", "/login", {"name": "ruth", "password": OTHER_PASSWORD})
        assert (await world.call("POST", "/login", {"name": "ruth", "password": PASSWORD}))[0] == 429
        assert (await world.call("POST", "/reauth", {"password": PASSWORD}, token=token))[0] == 200


@pytest.mark.parametrize("at_once", [True, False])
async def test_second_factor_is_asked_for_as_at_the_sign_in(at_once):
    async with server_world() as world:
        await world.person("ruth", "idm_people_admins")
        secret = await world.with_totp("ruth")
        login = {"name": "ruth", "password": PASSWORD, "code": world.code(secret)}
        token = (await world.call("POST", "/login", login))[1]["token"]
        world.clock.advance(LONG_AGO)
        if at_once:
            body = {"password": PASSWORD, "code": world.code(secret)}
            status, again = await world.call("POST", "/reauth", body, token=token)
        else:
            status, waiting = await world.call("POST", "/reauth", {"password": PASSWORD}, token=token)
            assert (status, waiting["methods"]) == (202, ["totp"])
            assert (await world.call("DELETE", "/persons/nobody", token=token))[0] == 403  # half a proof is none
            body = {"pending": waiting["pending"], "code": world.code(secret)}
            status, again = await world.call("POST", "/reauth/code", body, token=token)
        assert status == 200
        assert (await world.call("DELETE", "/persons/nobody", token=again["token"]))[0] == 404
        assert (await world.call("GET", "/whoami", token=again["token"]))[1]["session"]["methods"] == ["pwd", "otp"]


async def test_browser_session_cannot_sign_in_again_here():
    async with server_world() as world:
        token = await world.token("ruth", kind=SessionKind.BROWSER)
        assert (await world.call("POST", "/reauth", {"password": PASSWORD}, token=token))[0] == 401
