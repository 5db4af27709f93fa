"""Sessions of the control plane: their limits, who sees and ends them, and the cookie of a browser on the API."""

from datetime import timedelta

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.http import Peer, Request
from sealwright.identity import CSRF_COOKIE, SESSION_COOKIE, CredentialMinimum, SessionKind
from tests.unit.api.world import PEOPLE, server_world

SECRET = "s" * 43
BODY = {"name": "alice", "display_name": "Alice"}


async def call_with_cookie(world, method, path, token, body=None, **headers):
    """What a script in a page of ours would send; headers are named with underscores."""
    raw = b"" if body is None else msgspec.json.encode(body)
    given = {"cookie": f"{SESSION_COOKIE}={token}; {CSRF_COOKIE}={SECRET}", "origin": PEOPLE, "sec-fetch-site": "same-origin"}
    given |= {"content-type": "application/json"} if raw else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    response = await world.answer(PEOPLE, Request(method, path, headers=given, body=raw, peer=Peer("192.0.2.1")))
    return response, msgspec.json.decode(response.body) if response.body else None


async def test_cookie_of_a_browser_reads_the_api_and_changes_with_the_header_that_repeats_the_csrf_cookie():
    async with server_world() as world:
        token = await world.token("root", "system_admins", kind=SessionKind.BROWSER)
        response, who = await call_with_cookie(world, "GET", "/api/v1/whoami", token)
        assert (response.status, who["session"]["kind"]) == (200, "browser")
        response, _ = await call_with_cookie(world, "POST", "/api/v1/persons", token, BODY, x_csrf_token=SECRET)
        assert response.status == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_csrf_token": ""},
        {"x_csrf_token": "t" * 43},
        {"x_csrf_token": SECRET, "origin": "https://evil.example"},
        {"x_csrf_token": SECRET, "sec_fetch_site": "cross-site"},
        {"x_csrf_token": "", "cookie_without_secret": "yes"},
    ],
)
async def test_change_with_a_cookie_that_no_page_of_ours_sent_is_refused(headers):
    async with server_world() as world:
        token = await world.token("root", "system_admins", kind=SessionKind.BROWSER)
        if headers.pop("cookie_without_secret", None):
            headers["cookie"] = f"{SESSION_COOKIE}={token}"
        response, problem = await call_with_cookie(world, "POST", "/api/v1/persons", token, BODY, **headers)
        assert (response.status, problem["code"]) == (403, "csrf_token_needed")
        assert (await world.directory.find("alice")) is None


async def test_bearer_token_needs_no_csrf_header_and_a_bad_one_is_final_beside_a_good_cookie():
    async with server_world() as world:
        terminal = await world.token("root", "system_admins")
        browser = (await world.signed_in("root")).token
        assert (await world.call("POST", "/persons", BODY, token=terminal))[0] == 201
        response, problem = await call_with_cookie(world, "GET", "/api/v1/whoami", browser, authorization="Bearer made-up")
        assert (response.status, problem["ended"]) == (401, "invalid")


@pytest.mark.parametrize("minutes", [59, 61])
async def test_browser_session_ends_an_hour_after_its_last_use(minutes):
    async with server_world() as world:
        token = await world.token("root", "system_admins", kind=SessionKind.BROWSER)
        world.clock.advance(timedelta(minutes=minutes))
        response, answer = await call_with_cookie(world, "GET", "/api/v1/whoami", token)
        expected = (200, None) if minutes < 60 else (401, "idle_timeout")
        assert (response.status, answer.get("ended")) == expected


async def test_browser_session_ends_eight_hours_after_its_sign_in_however_much_it_is_used():
    async with server_world() as world:
        token = await world.token("root", "system_admins", kind=SessionKind.BROWSER)
        for _ in range(15):
            world.clock.advance(timedelta(minutes=30))
            response, _ = await call_with_cookie(world, "GET", "/api/v1/whoami", token)
            assert response.status == 200
        world.clock.advance(timedelta(minutes=30))
        response, problem = await call_with_cookie(world, "GET", "/api/v1/whoami", token)
        assert (response.status, problem["ended"]) == (401, "absolute_timeout")


async def test_terminal_session_ends_eight_hours_after_its_sign_in():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        world.clock.advance(timedelta(hours=7, minutes=59))
        assert (await world.call("GET", "/whoami", token=token))[0] == 200
        world.clock.advance(timedelta(minutes=1))
        status, problem = await world.call("GET", "/whoami", token=token)
        assert (status, problem["ended"]) == (401, "absolute_timeout")


async def test_next_request_of_a_revoked_session_is_401_with_its_reason_on_every_node():
    async with server_world() as world:
        root = await world.token("root", "system_admins")
        other = world.app.other_node()
        held = (await world.signed_in("root", kind=SessionKind.TERMINAL)).token
        request = Request("GET", "/api/v1/whoami", headers={"authorization": f"Bearer {held}"}, peer=Peer("192.0.2.1"))
        answer = await other.call(request)
        assert answer.status == 200
        session_id = msgspec.json.decode(answer.body)["session"]["id"]
        assert (await world.call("DELETE", f"/auth/sessions/{session_id}", token=root))[0] == 204
        for node in (world.app, other):
            again = Request("GET", "/api/v1/whoami", headers={"authorization": f"Bearer {held}"}, peer=Peer("192.0.2.1"))
            answer = await node.call(again)
            problem = msgspec.json.decode(answer.body)
            assert (answer.status, problem["ended"], problem["reasons"]) == (401, "revoked", ["it was revoked"])


async def test_reason_is_told_for_each_way_in_which_a_session_ends():
    async with server_world() as world:
        first, second = await world.token("root", "system_admins"), await world.token("pam")
        assert (await world.call("POST", "/logout", token=first))[0] == 204
        assert (await world.call("GET", "/whoami", token=first))[1]["ended"] == "signed_out"
        await world.directory.disable("pam", actor=SYSTEM)
        assert (await world.call("GET", "/whoami", token=second))[1]["ended"] == "account_not_active"
        assert (await world.call("GET", "/whoami", token="made-up"))[1]["ended"] == "invalid"
        assert (await world.call("GET", "/whoami"))[1]["ended"] is None  # nothing was shown


async def test_all_sessions_but_the_one_that_asks_end():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        others = [(await world.signed_in("root", kind=SessionKind.TERMINAL)).token for _ in range(3)]
        assert len((await world.call("GET", "/auth/sessions", token=token))[1]["items"]) == 4
        assert await world.call("DELETE", "/auth/sessions", token=token, query="except=current") == (200, {"ended": 3})
        assert (await world.call("GET", "/whoami", token=token))[0] == 200
        assert {(await world.call("GET", "/whoami", token=each))[0] for each in others} == {401}
        assert await world.call("DELETE", "/auth/sessions", token=token) == (200, {"ended": 1})
        assert (await world.call("GET", "/whoami", token=token))[0] == 401


async def test_sessions_of_others_are_listed_and_ended_by_a_permission():
    async with server_world() as world:
        pam, bob = await world.token("pam", "idm_people_admins"), await world.token("bob")
        for query in ("person=pam", "person=no-one", "all=true"):
            assert (await world.call("GET", "/auth/sessions", token=bob, query=query))[0] == 403
        for query in ("person=pam", "person=no-one"):
            assert (await world.call("DELETE", "/auth/sessions", token=bob, query=query))[0] == 403
        _, page = await world.call("GET", "/auth/sessions", token=pam, query="all=true")
        assert sorted(each["owner"] for each in page["items"]) == ["bob", "pam"]
        assert await world.call("DELETE", "/auth/sessions", token=pam, query="person=bob") == (200, {"ended": 1})
        assert (await world.call("GET", "/whoami", token=bob))[1]["ended"] == "revoked"


async def test_sessions_of_everyone_come_page_by_page_without_those_that_were_not_used():
    async with server_world() as world:
        await world.token("idle", kind=SessionKind.BROWSER)
        world.clock.advance(timedelta(hours=1))
        root = await world.token("root", "system_admins")
        for name in ("ann", "ben", "cat"):
            await world.token(name)
        seen, query = [], "all=true&limit=2"
        while True:
            _, page = await world.call("GET", "/auth/sessions", token=root, query=query)
            seen += [each["owner"] for each in page["items"]]
            if page["next"] is None:
                break
            query = f"all=true&limit=2&after={page['next']}"
        assert sorted(seen) == ["ann", "ben", "cat", "root"]


async def test_sign_out_of_a_script_ends_the_session_clears_the_cookie_and_may_be_repeated():
    async with server_world() as world:
        token = await world.token("root", "system_admins", kind=SessionKind.BROWSER)
        response, problem = await call_with_cookie(world, "POST", "/auth/logout", token)
        assert (response.status, problem["code"]) == (403, "csrf_token_needed")
        for _ in range(2):
            response, _ = await call_with_cookie(world, "POST", "/auth/logout", token, x_csrf_token=SECRET)
            assert response.status == 204
            assert "Max-Age=0" in dict(response.headers)["set-cookie"]
        response, problem = await call_with_cookie(world, "GET", "/api/v1/whoami", token)
        assert (response.status, problem["ended"]) == (401, "signed_out")


async def test_flipped_character_of_a_session_cookie_opens_nothing():
    async with server_world() as world:
        token = await world.token("root", "system_admins", kind=SessionKind.BROWSER)
        for place in range(0, len(token), 7):
            flipped = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            response, _ = await call_with_cookie(world, "GET", "/api/v1/whoami", flipped)
            assert response.status == 401


async def test_session_that_only_adds_a_credential_does_not_open_the_api():
    async with server_world() as world:
        await world.person("alice", "idm_people_admins")
        await world.account_policies.change("idm_people_admins", credential_minimum=CredentialMinimum.MFA, actor=SYSTEM)
        token = (await world.signed_in("alice")).token
        response, problem = await call_with_cookie(world, "GET", "/api/v1/whoami", token)
        assert (response.status, problem["ended"]) == (401, "restricted")
