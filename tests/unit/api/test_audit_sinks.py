"""Places that events are forwarded to, over the API."""

import pytest

from sealwright.access import SYSTEM
from tests.unit.api.world import server_world

BODY = {"name": "siem", "url": "https://siem.example.org/in", "categories": ["auth"]}


async def test_sink_is_made_shown_with_its_state_and_deleted_and_its_secret_is_shown_once():
    async with server_world() as world:
        token = await world.token("chief", "system_admins")
        status, made = await world.call("POST", "/audit/sinks", BODY, token=token)
        assert (status, made["secret"][:6]) == (201, "whsec_")
        _, page = await world.call("GET", "/audit/sinks", token=token)
        (sink,) = page["items"]
        assert (sink["name"], sink["state"], sink["categories"], sink["waiting"]) == ("siem", "up", ["auth"], 1)
        assert "secret" not in sink
        assert (await world.call("POST", "/audit/sinks", BODY, token=token))[0] == 409
        assert (await world.call("DELETE", "/audit/sinks/siem", token=token))[0] == 204
        assert (await world.call("DELETE", "/audit/sinks/siem", token=token))[0] == 404
        _, found = await world.call("GET", "/audit", token=token, query="target=audit_sink:siem")
        assert [event["event"] for event in found["events"]] == ["audit.sink_deleted", "audit.sink_created"]
        assert made["secret"] not in str(found)


@pytest.mark.parametrize("change", [{"name": "A B"}, {"name": ""}, {"url": "http://x/"}, {"categories": ["x"]}, {"more": 1}])
async def test_sink_that_makes_no_sense_is_refused(change):
    async with server_world() as world:
        token = await world.token("chief", "system_admins")
        status, problem = await world.call("POST", "/audit/sinks", BODY | change, token=token)
        assert status == 400, problem


async def test_auditor_sees_sinks_and_makes_none():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        assert (await world.call("GET", "/audit/sinks", token=token))[0] == 200
        assert (await world.call("POST", "/audit/sinks", BODY, token=token))[0] == 403


async def test_path_by_which_a_receiver_knows_its_sender_is_shown_to_those_alone_who_may_change_sinks():
    async with server_world() as world:
        chief = await world.token("chief", "system_admins")
        secret = "T0/B0/hook-secret"
        url = f"https://127.0.0.1:1/{secret}?key=query-secret"
        assert (await world.call("POST", "/audit/sinks", BODY | {"url": url, "categories": []}, token=chief))[0] == 201
        await world.api_dependencies.forwarding.deliver_due()
        _, page = await world.call("GET", "/audit/sinks", token=await world.token("ruth", "auditors"))
        (shown,) = page["items"]
        assert (shown["url"], shown["state"]) == ("https://127.0.0.1:1", "failing")
        assert shown["last_error"]
        assert "secret" not in str(page)
        _, page = await world.call("GET", "/audit/sinks", token=chief)
        assert page["items"][0]["url"] == url


async def test_who_may_not_export_the_record_has_it_forwarded_nowhere():
    async with server_world() as world:
        await world.roles.create("r-sinks", description="", permissions=["audit:write", "audit:read"], actor=SYSTEM)
        token = await world.token("sam")
        await world.roles.grant("r-sinks", person="sam", actor=SYSTEM)
        status, problem = await world.call("POST", "/audit/sinks", BODY, token=token)
        assert (status, problem["code"]) == (403, "not_permitted")
        assert "audit:export" in str(problem)
        _, page = await world.call("GET", "/audit/sinks", token=token)
        assert page == {"items": [], "next": None}
