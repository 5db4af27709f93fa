"""Who is told by mail that something waits for approval, and what became of it."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.access.approvals import ApprovalPending, ApprovalRule
from sealwright.access.approvals.requests import MAILED_WITHIN, MOST_MAILED_REQUESTS
from sealwright.clock import after
from tests.smtp_sink import smtp_sink
from tests.unit.mail.world import mail_settings, mail_world

EDITOR = Permissions(frozenset({Permission.PROFILE_WRITE}))


async def office(world, **rule):
    """A profile that asks two people, of whom one has no verified address; and someone who changes profiles."""
    await world.directory.create_group("approvers", actor=SYSTEM)
    await world.directory.create_group("inner", actor=SYSTEM)
    await world.directory.add_members("approvers", ["inner"], actor=SYSTEM)
    actors = {}
    for name, group, mails in (
        ("anna", "approvers", ("anna@example.org",)),
        ("ben", "inner", ("ben@example.org",)),
        ("mute", "approvers", ()),
        ("edith", "ca_admins", ("edith@example.org",)),
    ):
        account = await world.person(name, group, mails=mails)
        actors[name] = Actor("person", account.id, name, EDITOR if name == "edith" else Permissions())
    await world.ca.profiles.create({"name": "sites"}, actor=SYSTEM)
    wanted = ApprovalRule(object="profile:sites", **({"group_id": "approvers"} | rule))
    await world.app.parts.approval_rules.set(wanted, actor=SYSTEM)
    return actors


async def ask(world, actor, longest="100h"):
    with pytest.raises(ApprovalPending) as caught:
        await world.ca.profiles.change("sites", {"longest": longest}, actor=actor)
    return caught.value.request_id


async def test_approvers_are_told_of_a_request_and_its_requester_of_the_decision(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            people = await office(world)
            request_id = await ask(world, people["edith"])
            await world.outbox.send_due()
            assert sorted(each.recipient for each in sink.taken) == ["anna@example.org", "ben@example.org"]
            told = sink.taken[0]
            assert told.message["Subject"] == "Waits for approval: Changing the profile sites"
            assert f"/ui/approvals/{request_id}" in told.text
            assert "edith asks Example" in told.text
            await world.app.parts.approvals.approve(request_id, "ticket 4711", actor=people["anna"])
            await world.outbox.send_due()
            last = sink.taken[-1]
            assert (len(sink.taken), last.recipient) == (3, "edith@example.org")
            assert last.message["Subject"] == "Changing the profile sites: was approved and is done"
            assert "ticket 4711" not in last.text


async def test_the_same_request_once_more_is_no_further_message(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            people = await office(world)
            for _ in range(3):
                await ask(world, people["edith"])
            assert len(await world.rows()) == 2


async def test_who_asks_and_withdraws_again_and_again_sends_no_flood_of_mail(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            people = await office(world)
            for turn in range(MOST_MAILED_REQUESTS + 2):
                request_id = await ask(world, people["edith"], f"{turn // 2 + 90}h")
                await world.app.parts.approvals.withdraw(request_id, actor=people["edith"])
            assert len(await world.rows()) == 2 * MOST_MAILED_REQUESTS
            world.clock.advance(MAILED_WITHIN + timedelta(minutes=1))
            await ask(world, people["edith"])
            assert len(await world.rows()) == 2 * MOST_MAILED_REQUESTS + 2


async def test_holders_of_the_role_that_a_rule_asks_are_told_and_never_the_requester(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            people = await office(world, group_id=None, role="r-ca-admin")
            other = await world.person("other", "ca_admins", mails=("other@example.org",))
            await ask(world, people["edith"])
            assert [each["account_id"] for each in await world.rows()] == [other.id]


async def test_approver_whose_time_is_over_is_told_nothing(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            people = await office(world)
            over = after(world.clock.now(), timedelta(hours=1))
            await world.directory.set_validity("ben", valid_from=None, valid_until=over, actor=SYSTEM)
            world.clock.advance(timedelta(hours=2))
            await ask(world, people["edith"])
            assert [each["account_id"] for each in await world.rows()] == [people["anna"].id]


async def test_rejection_and_expiry_are_told_too(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            people = await office(world, expires_after=3600)
            await world.app.parts.approvals.reject(await ask(world, people["edith"]), "no", actor=people["anna"])
            await ask(world, people["edith"], "90h")
            world.clock.advance(timedelta(hours=2))
            assert await world.app.parts.approvals.close_expired() == 1
            await world.outbox.send_due()
            said = [each.message["Subject"] for each in sink.taken if each.recipient == "edith@example.org"]
            assert sorted(each.partition(": ")[2] for each in said) == ["expired before it was decided or used", "was rejected"]


async def test_without_a_mail_server_nothing_is_queued(tmp_path):
    async with mail_world(mail_settings(0, host="")) as world:
        people = await office(world)
        await ask(world, people["edith"])
        assert await world.rows() == []
