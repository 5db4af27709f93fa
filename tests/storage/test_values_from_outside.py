"""What comes from outside is refused where it does not fit, on both engines: no number, depth or repetition is a server fault."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from sealwright.api import operations
from sealwright.http import Request
from tests.unit.api.test_phases import BODIES, QUERIES, serial
from tests.unit.api.world import MACHINES, ServerWorld

NUMBERS = ("", "0", "-1", "+1", "1e3", "1.5", "1_0", "000000999999999999", "9" * 19, "9" * 5_000, "%D9%A1", "%C2%B2", "NaN")
CURSORS = (
    "733939393939393939393978",  # a place in the table that 32 bits do not hold
    "73" + "39" * 400,
    "ff",
    "00",
    "zz",
    "9" * 5_000,
)
INTEGERS = ("-1", str(10**9), str(10**12), str(10**18), str(10**19), "9" * 4_000, "9" * 5_000, "1e400", "1.5", "true", '"1"')
DEEP = "[" * 30_000 + "]" * 30_000


@asynccontextmanager
async def administrator_on(open_scratch):
    async with open_scratch() as db:
        world = ServerWorld(db)
        await world.seed()
        yield world, await world.token("root", "system_admins")


def queries(operation: Any) -> Iterator[str]:
    """Every parameter of an operation with every number and cursor, beside what the operation needs."""
    for name in operation.query:
        for value in (*NUMBERS, *CURSORS):
            yield f"{name}={value}"


def bodies(operation: Any) -> Iterator[bytes]:
    """A body with numbers where its type has numbers, with something deep, and with a member that stands twice."""
    good = msgspec.json.encode(BODIES.get(operation.name, {})).decode()[:-1]
    comma = "," if len(good) > 1 else ""
    yield f'{good}{comma}"unknown":{DEEP}}}'.encode()
    fields = getattr(operation.accepts, "__struct_fields__", ())
    for name in fields:
        yield f'{{"{name}":{DEEP}}}'.encode()
        for number in INTEGERS:
            yield f'{{"{name}":{number}}}'.encode()


async def test_no_value_of_a_parameter_or_body_is_a_fault_of_the_server(open_scratch):
    async with administrator_on(open_scratch) as (world, token):
        asked = 0
        for operation in operations(world.api_dependencies):
            if operation.name in {"sign_out", "end_session"}:
                continue
            path = serial(operation.path)
            for query in queries(operation):
                answer = await world.send(operation.method, path, BODIES.get(operation.name), token=token, query=query)
                assert answer.status < 500, (operation.name, query[:80], answer.body)
                asked += 1
            for body in bodies(operation) if operation.accepts is not None else ():
                answer = await world.send(
                    operation.method,
                    path,
                    body,
                    token=token,
                    query=QUERIES.get(operation.name, ""),
                    headers={"content-type": "application/json"},
                )
                assert answer.status < 500, (operation.name, body[:80], answer.body)
                asked += 1
        assert asked > 300


async def test_page_has_no_more_than_its_greatest_length_however_the_limit_is_written(open_scratch):
    async with administrator_on(open_scratch) as (world, token):
        for limit in ("000000999999999999", "1001", "9" * 30):
            status, problem = await world.call("GET", "/persons", token=token, query=f"limit={limit}")
            assert (status, "a number from 1 to 1000" in problem["detail"]) == (400, True)


async def test_lifetime_beyond_every_calendar_is_refused(open_scratch):
    async with administrator_on(open_scratch) as (world, token):
        await world.call("POST", "/oauth2/clients", BODIES["create_client"], token=token)
        status, problem = await world.call("PATCH", "/oauth2/clients/x", {"refresh_seconds": 10**18}, token=token)
        assert (status, problem["code"]) == (400, "client_refused")
        assert str(10**18) in problem["detail"]


async def test_member_that_stands_twice_in_a_body_is_refused_by_name(open_scratch):
    async with administrator_on(open_scratch) as (world, token):
        body = b'{"name": "x", "display_name": "X", "name": "y"}'
        headers = {"content-type": "application/json"}
        status, problem = await world.call("POST", "/persons", body, token=token, headers=headers)
        assert (status, "gives the member 'name' twice" in problem["detail"]) == (400, True)


@pytest.mark.parametrize("path", ["/sign", "/rekey", "/revoke"])
async def test_depth_in_an_unknown_member_is_refused_on_the_wire_of_step(open_scratch, path):
    async with administrator_on(open_scratch) as (world, _token):
        body = f'{{"csr": "x", "ott": "x", "serial": "1", "unknown": {DEEP}}}'.encode()
        answer = await world.answer(MACHINES, Request("POST", path, body=body, request_id="request-1"))
        assert (answer.status, b"nested too deeply" in answer.body) == (400, True)


async def test_parameters_of_the_list_of_provisioners_are_refused_or_bounded(open_scratch):
    async with administrator_on(open_scratch) as (world, _token):
        for name, values in (("limit", NUMBERS), ("cursor", CURSORS)):
            for value in values:
                request = Request("GET", "/provisioners", f"{name}={value}", request_id="request-1")
                assert (await world.answer(MACHINES, request)).status < 500, (name, value[:40])
