"""Held requests on both engines, and two nodes that decide about one at the same time."""

import asyncio

from sealwright.access import SYSTEM, Actor
from sealwright.access.approvals import ApprovalRule, RequestState
from tests.authorities import authority, build, csr

WEB = "web.example.org"


async def approvers(ca, *names):
    directory = ca.app.parts.identity.directory
    await directory.create_group("approvers", actor=SYSTEM)
    made = []
    for name in names:
        account = await directory.create_person(name, name.title(), actor=SYSTEM)
        await directory.add_members("approvers", [name], actor=SYSTEM)
        made.append(Actor("person", account.id, name))
    rule = ApprovalRule(object="profile:step_leaf", group_id="approvers", votes=len(names))
    await ca.app.parts.approval_rules.set(rule, actor=SYSTEM)
    return made


async def sign(ca, request):
    return (await ca.call("POST", "/sign", {"csr": request, "ott": ca.jwk_token(WEB)}))[0]


async def test_request_is_held_approved_used_listed_and_expires(open_scratch, tmp_path):
    async with open_scratch() as db, authority(tmp_path, db=db) as ca:
        await ca.app.seed()
        await ca.add_jwk()
        (alice,) = await approvers(ca, "alice")
        approvals, request = ca.app.parts.approvals, csr(WEB, (WEB,))
        assert await sign(ca, request) == 409
        (held,) = await approvals.waiting_for(alice)
        assert (await approvals.approve(held.id, "ours", actor=alice)).state is RequestState.APPROVED
        assert await sign(ca, request) == 201
        (done,) = (await approvals.all(SYSTEM)).requests
        assert done.state is RequestState.DONE
        assert await approvals.close_expired() == 0


async def test_votes_on_two_nodes_at_once_both_count_and_one_certificate_comes_of_them(open_two, tmp_path):
    async with open_two() as (first_db, second_db):
        first = await build(first_db, tmp_path)
        await first.app.seed()
        await first.add_jwk()
        second = await build(second_db, tmp_path, clock=first.clock)
        alice, bob = await approvers(first, "alice", "bob")
        request = csr(WEB, (WEB,))
        assert await sign(first, request) == 409
        (held,) = (await first.app.parts.approvals.all(SYSTEM)).requests
        await asyncio.gather(
            first.app.parts.approvals.approve(held.id, "", actor=alice),
            second.app.parts.approvals.approve(held.id, "", actor=bob),
        )
        (decided,) = (await second.app.parts.approvals.all(SYSTEM)).requests
        assert decided.state is RequestState.APPROVED
        answers = await asyncio.gather(sign(first, request), sign(first, request), return_exceptions=True)
        assert answers.count(201) == 1  # the other one found it used, and waits for an approval of its own if it came later
