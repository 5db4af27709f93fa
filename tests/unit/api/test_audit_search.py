"""The audit record is searched by what an event is, and each event tells itself in a sentence and field by field."""

import pytest

from sealwright.access import SYSTEM
from sealwright.audit import Event
from tests.unit.api.world import server_world


async def record(world, event, target, **details):
    async def body(tx):
        await world.audit.record(tx, event, actor=SYSTEM, target=target, details=details)

    await world.db.write(body)


async def events(world, token, query):
    status, page = await world.call("GET", "/audit", token=token, query=query)
    assert status == 200, page
    return page["events"]


async def test_sign_in_with_a_provider_is_found_by_category_and_by_the_name_of_the_guide():
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        await record(world, Event.OIDC_LOGIN_SUCCEEDED, "person:9", provider_id="op-1", roles=["r-operator"])
        await record(world, Event.CERTIFICATE_REVOKED, "certificate:01", reason="x")
        of_auth = await events(world, token, "category=auth")
        (login,) = [event for event in of_auth if event["action"] == "auth.oidc_login_succeeded"]
        assert login["details"]["provider_id"] == "op-1"
        assert login["sentence"] == "This server signed in with the identity provider op-1."
        assert {event["category"] for event in of_auth} == {"auth"}
        assert await events(world, token, "event=auth.oidc_login_succeeded") == [login]
        (revoked,) = await events(world, token, "category=cert_lifecycle")
        assert (revoked["event"], revoked["action"]) == ("certificate.revoked", "certificate.revoked")


@pytest.mark.parametrize(
    "query", ["category=AUTH", "category=", "category=auth&event=certificate.issued", "request_id=x&nonsense=1"]
)
async def test_search_that_cannot_find_anything_by_mistake_is_refused(query):
    async with server_world() as world:
        token = await world.token("ruth", "auditors")
        status, problem = await world.call("GET", "/audit", token=token, query=query)
        assert status == 400, problem


async def test_change_is_told_with_old_and_new_value():
    async with server_world() as world:
        token = await world.token("ruth", "idm_people_admins", "auditors")
        _, made = await world.call("POST", "/persons", {"name": "alice", "display_name": "Alice"}, token=token)
        await world.call("PATCH", f"/persons/{made['id']}", {"display_name": "Alice A."}, token=token)
        (event,) = await events(world, token, "event=person.updated")
        assert event["changes"] == {"display_name": {"old": "Alice", "new": "Alice A."}}
        assert event["sentence"] == "ruth changed the person alice."
