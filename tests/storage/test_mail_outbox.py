"""The outbox on both engines, and with two nodes on one database."""

import asyncio
from datetime import timedelta

from tests.smtp_sink import smtp_sink
from tests.unit.api.world import ServerWorld
from tests.unit.mail.world import mail_settings


async def world_on(db, settings, seed=7):
    return ServerWorld(db, mail_settings=settings, entropy_seed=seed)


async def invite(world, token, name):
    body = {"name": name, "mails": [f"{name}@example.org"]}
    status, answer = await world.call("POST", "/invitations", body, token=token)
    assert status == 201, answer
    return answer


async def test_two_nodes_that_send_at_once_send_each_message_once(open_two, tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with open_two() as (first_db, second_db):
            settings = mail_settings(sink)
            first, second = await world_on(first_db, settings), await world_on(second_db, settings, 8)
            await first.seed()
            token = await first.token("desk", "idm_people_admins")
            names = [f"person{number}" for number in range(6)]
            sink.replies["GREETING"] = ["421 not now"] * len(names)
            for name in names:
                assert (await invite(first, token, name))["mail"]["state"] == "queued"
            for world in (first, second):
                world.clock.advance(timedelta(minutes=1))
            await asyncio.gather(*(world.outbox.send_due() for world in (first, second, first, second)))
            assert sorted(each.recipient for each in sink.taken) == sorted(f"{name}@example.org" for name in names)
            assert (await second.outbox.status()).count == 0
            sent = [each for each in await second.events() if each[0] == "mail.sent"]
            assert len(sent) == len(names)


async def test_message_goes_with_its_link_and_its_person(open_scratch, tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with open_scratch() as db:
            world = await world_on(db, mail_settings(sink))
            await world.seed()
            token = await world.token("desk", "idm_people_admins")
            sink.replies["GREETING"] = ["421 not now"] * 3
            await invite(world, token, "alice")
            await invite(world, token, "alice")
            assert (await world.outbox.status()).count == 1
            assert (await world.call("DELETE", "/persons/alice", token=token))[0] == 204
            assert (await world.outbox.status()).count == 0
