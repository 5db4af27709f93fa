"""A call with an Idempotency-Key is done once, on every node, and answered as often as it is sent."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from sealwright.api import purge
from sealwright.api.idempotency import IdempotentCalls
from sealwright.api.idempotency.errors import AnswerNotKept, CallStillRunning
from sealwright.clock import FixedClock
from sealwright.db import Transaction
from sealwright.errors import Unavailable
from sealwright.http import Peer, Request, Response
from tests.unit.api.world import server_world

KEY = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
ALICE = {"name": "alice", "display_name": "Alice"}


async def test_repeated_call_is_answered_as_the_first_and_not_done_again():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        first = await world.send("POST", "/persons", ALICE, token=token, headers=KEY)
        again = await world.send("POST", "/persons", ALICE, token=token, headers=KEY)
        assert (first.status, again.status, again.body) == (201, 201, first.body)
        assert dict(again.headers)["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in dict(first.headers)
        assert (await world.call("POST", "/persons", ALICE, token=token))[0] == 409  # without the key it is another call


async def test_repeated_call_on_another_node_is_answered_from_the_database():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        first = await world.send("POST", "/persons", ALICE, token=token, headers=KEY)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json", **KEY}
        body = msgspec.json.encode(ALICE)
        again = await world.app.other_node().call(
            Request("POST", "/api/v1/persons", headers=headers, body=body, peer=Peer("192.0.2.1"))
        )
        assert (again.status, again.body) == (201, first.body)


@pytest.mark.parametrize(
    ("path", "body", "query"),
    [("/persons", {**ALICE, "display_name": "Al"}, ""), ("/groups", {"name": "alice"}, "")],
)
async def test_key_that_came_with_another_request_is_refused(path, body, query):
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        await world.call("POST", "/persons", ALICE, token=token, headers=KEY)
        status, problem = await world.call("POST", path, body, token=token, query=query, headers=KEY)
        assert (status, problem["code"]) == (422, "idempotency_key_reused")


async def test_key_of_one_person_says_nothing_to_another():
    async with server_world() as world:
        root, pam = await world.token("root", "system_admins"), await world.token("pam", "idm_people_admins")
        assert (await world.call("POST", "/persons", ALICE, token=root, headers=KEY))[0] == 201
        bob = {"name": "bob", "display_name": "Bob"}
        assert (await world.call("POST", "/persons", bob, token=pam, headers=KEY))[0] == 201


async def test_refused_call_is_done_anew_when_it_is_repeated():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        await world.call("POST", "/groups", {"name": "alice"}, token=token)
        assert (await world.call("POST", "/persons", ALICE, token=token, headers=KEY))[0] == 409
        await world.call("POST", "/persons", {"name": "x", "display_name": "X"}, token=token)
        assert (await world.call("PATCH", "/groups/alice", {"name": "others"}, token=token))[0] == 200
        assert (await world.call("POST", "/persons", ALICE, token=token, headers=KEY))[0] == 201


async def test_repetition_needs_what_the_call_needs():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        assert (await world.call("POST", "/persons", ALICE, token=token, headers=KEY))[0] == 201
        world.clock.advance(timedelta(minutes=11))
        status, problem = await world.call("POST", "/persons", ALICE, token=token, headers=KEY)
        assert (status, problem["code"]) == (403, "recent_sign_in_needed")


async def test_answer_with_a_secret_is_not_kept_and_the_repetition_makes_no_other():
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        body = {"name": "backup", "scopes": ["person:read"]}
        status, made = await world.call("POST", "/auth/keys", body, token=token, headers=KEY)
        assert status == 201
        assert made["key"] not in str(await world.stored("idempotent_calls"))
        status, problem = await world.call("POST", "/auth/keys", body, token=token, headers=KEY)
        assert (status, problem["code"]) == (409, "answer_not_kept")
        assert len((await world.call("GET", "/auth/keys", token=token))[1]["items"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ä"])
async def test_key_that_is_none_is_refused(key):
    async with server_world() as world:
        token = await world.token("root", "system_admins")
        status, problem = await world.call("POST", "/persons", ALICE, token=token, headers={"idempotency-key": key})
        assert (status, problem["code"]) == (400, "idempotency_key_refused")
        assert await world.directory.find("alice") is None


async def test_two_at_once_are_done_once():
    async with server_world() as world:
        calls, done = IdempotentCalls(world.db, world.clock), []
        began, running = asyncio.Event(), asyncio.Event()

        async def work() -> Response:
            done.append(1)
            began.set()
            await running.wait()
            return Response(201, b"made")

        request = Request("POST", "/api/v1/persons", headers=KEY)
        first = asyncio.create_task(calls.run(request, "a", work, holds_secret=False))
        await began.wait()
        with pytest.raises(CallStillRunning, match="has not come to its end"):
            await calls.run(request, "a", work, holds_secret=False)
        running.set()
        assert (await first).body == b"made"
        assert (await calls.run(request, "a", work, holds_secret=False)).body == b"made"
        assert len(done) == 1


@pytest.mark.parametrize("end", [asyncio.CancelledError, RuntimeError])
async def test_call_that_did_not_come_to_its_end_is_not_done_again(end):
    async with server_world() as world:
        calls, request, done = IdempotentCalls(world.db, world.clock), Request("POST", "/x", headers=KEY), []

        async def work() -> Response:
            done.append(1)  # committed, and the response is lost: the worker ends, or what words it has a bug
            raise end

        with pytest.raises(end):
            await calls.run(request, "a", work, holds_secret=False)
        with pytest.raises(CallStillRunning):
            await calls.run(request, "a", work, holds_secret=False)
        assert len(done) == 1


@pytest.mark.parametrize("committed", [True, False])
async def test_call_that_lost_the_database_is_done_again_only_where_its_change_was_not_made(committed):
    async with server_world() as world:
        calls, request, done = IdempotentCalls(world.db, world.clock), Request("POST", "/x", headers=KEY), []

        async def change(tx: Transaction) -> None:
            if not committed:
                raise Unavailable("The connection was lost before the commit.")

        async def work() -> Response:
            done.append(1)
            await world.db.write(change)
            raise Unavailable("The connection was lost at the commit.")

        with pytest.raises(Unavailable):
            await calls.run(request, "a", work, holds_secret=False)
        with pytest.raises(AnswerNotKept if committed else Unavailable):
            await calls.run(request, "a", work, holds_secret=False)
        assert len(done) == (1 if committed else 2)


async def test_call_is_kept_for_a_day():
    async with server_world() as world:
        clock = FixedClock(world.clock.now())
        calls, request, done = IdempotentCalls(world.db, clock), Request("POST", "/x", headers=KEY), []

        async def work() -> Response:
            done.append(1)
            return Response(201, b"made")

        await calls.run(request, "a", work, holds_secret=False)
        clock.advance(timedelta(hours=24))
        await calls.run(request, "a", work, holds_secret=False)
        assert len(done) == 2
        clock.advance(timedelta(hours=25))
        assert await purge(world.db, clock.now()) == 1
        assert await world.stored("idempotent_calls") == []
