"""Whatever is in a body or query, no route of any wire takes it for a fault of the server."""

import re

import pytest

from sealwright.http import Listener, Peer, Request, Wire
from sealwright.identity import SessionKind
from tests.unit.api.world import MACHINES, PEOPLE, server_world

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
DEEP = 30_000
BODIES = {
    "an array in an unknown member": (JSON, b'{"unknown":' + b"[" * DEEP),
    "whole arrays in an unknown member": (JSON, b'{"unknown":' + b"[" * DEEP + b"]" * DEEP + b"}"),
    "objects in an unknown member": (JSON, b'{"unknown":' * 5_000 + b"1" + b"}" * 5_000),
    "arrays": (JSON, b"[" * DEEP),
    "a long number": (JSON, b'{"unknown":' + b"9" * DEEP + b"}"),
    "a large exponent": (JSON, b'{"unknown":1e999999}'),
    "half a surrogate": (JSON, b'{"csr":"\\ud800","name":"\\ud800","ott":"\\ud800"}'),
    "bytes that are not text": (JSON, b'{"csr":"\xff"}'),
    "a form that is not text": (FORM, b"grant_type=%FF&client_id=%00&code=\xff"),
    "many fields": (FORM, b"a=1&" * 10_000),
    "nothing": (JSON, b""),
}
QUERIES = (
    "",
    "cursor=733939393939393939393978&limit=000000999999999999",
    f"limit={'9' * 5_000}",
    "cursor=%00&q=%FF",
    "limit=-1&limit=2",
)


def requests_to(path, method):
    filled = re.sub(r"\{[^}]*\}", "x", path)
    if method == "GET":
        return [Request(method, filled, query, {}, peer=Peer("192.0.2.1"), request_id="r") for query in QUERIES]
    return [
        Request(method, filled, "", {"content-type": kind}, body, peer=Peer("192.0.2.1"), request_id=name)
        for name, (kind, body) in BODIES.items()
    ]


@pytest.mark.parametrize("signed_in", [False, True])
async def test_no_route_takes_a_hostile_body_or_query_for_a_fault_of_the_server(signed_in):
    async with server_world() as world:
        token = await world.token("root", "system_admins", "idm_admins", kind=SessionKind.TERMINAL) if signed_in else ""
        asked = 0
        routes = [*world.api_routes, *world.oauth.routes, *world.ca.routes]
        for route in (each for each in routes if each.wire is not Wire.PAGE):
            origin = PEOPLE if Listener.PEOPLE in route.listeners else MACHINES
            for request in requests_to(route.path, route.method):
                request.headers |= {"authorization": f"Bearer {token}"} if token else {}
                answer = await world.answer(origin, request)
                assert answer.status != 500, (route.method, route.path, request.request_id, request.query_text[:60])
                asked += 1
        assert asked > 500


@pytest.mark.parametrize("seconds", [-(2**63), -(10**13), -1, 0, 10**13, 2**63 - 1])
async def test_registration_token_cannot_last_for_no_time_or_for_ever(seconds):
    async with server_world() as world:
        token = await world.token("root", "system_admins", "idm_admins", kind=SessionKind.TERMINAL)
        body = b'{"expires_in_seconds":%d}' % seconds
        headers = {"content-type": JSON, "authorization": f"Bearer {token}"}
        path = "/api/v1/oauth2/registration-tokens"
        answer = await world.answer(PEOPLE, Request("POST", path, "", headers, body, peer=Peer("192.0.2.1"), request_id="r"))
        assert answer.status == 400, answer.body
