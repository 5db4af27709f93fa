"""Four eyes over what a client asks for: who could have asked as the client does not approve it."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.access.approvals import ApprovalRule, MayNotVote, RequestState
from tests.authorities import csr, key
from tests.oauth_world import basic
from tests.unit.oauth.test_certificate_access import BACKUP, SIGN, place

CHANGES = Permissions(frozenset({Permission.CLIENT_WRITE, Permission.CERTIFICATE_ISSUE_ANY_NAME}))
LONGEST_TOKEN = timedelta(minutes=21)
"""Longer than any access token counts that a client got by its secret."""
KEYS = {"keys": [{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"}]}
KEYS["keys"][0] |= {"y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "kid": "mine"}


class Office:
    """Two people who change clients and decide, and a client whose certificates need the approval of one of them."""

    def __init__(self, made, people):
        self.made, self.people = made, people
        self.clients, self.approvals = made.world.server.clients, made.world.app.parts.approvals
        self.secrets = self.clients.secrets

    async def ask(self, token=""):
        """What the client's certificate waits for."""
        request = csr(BACKUP, (BACKUP,), private=key("the client's"))
        body = {"csr": request, "ott": token or await self.made.own_token()}
        status, answer = await self.made.ca.call("POST", SIGN, body)
        assert (status, "waits for approval" in answer["message"]) == (409, True), answer
        (newest, *_) = (await self.approvals.all(SYSTEM)).requests
        return newest.id

    async def may_approve(self, who, request_id):
        try:
            decided = await self.approvals.approve(request_id, "", actor=self.people[who])
        except MayNotVote:
            return False
        return decided.state is RequestState.APPROVED


@asynccontextmanager
async def office():
    async with place() as made:
        world = made.world
        await world.directory.create_group("approvers", actor=SYSTEM)
        people = {}
        for name in ("anna", "ben"):
            account = await world.directory.create_person(name, name, actor=SYSTEM)
            people[name] = Actor("person", account.id, name, CHANGES)
        await world.directory.add_members("approvers", list(people), actor=SYSTEM)
        group = await world.directory.find_group("approvers")
        await world.app.parts.approval_rules.set(ApprovalRule(object="profile:step_leaf", group_id=group.id), actor=SYSTEM)
        yield Office(made, people)


async def shown(office):
    await office.secrets.show_basic_secret("backup", actor=office.people["anna"])


async def reset(office):
    await use(office, (await office.secrets.reset_basic_secret("backup", actor=office.people["anna"])).secret)


async def everything_reset(office):
    await use(office, await office.secrets.reset_secrets("backup", actor=office.people["anna"]))


async def set_to_one_made_elsewhere(office):
    secret = "a secret that someone made elsewhere, and typed"
    await office.secrets.put("backup", secret, actor=office.people["anna"])
    await use(office, secret)


async def known_to_be_what_it_is(office):
    assert not await office.secrets.put("backup", office.made.secret, actor=office.people["anna"])


async def given_a_key(office):
    await office.clients.change("backup", {"jwks": KEYS}, actor=office.people["anna"])


async def brought_back(office):
    await shown(office)
    await office.clients.delete("backup", even_if_used=True, actor=SYSTEM)
    await office.clients.deleted.revive("backup", actor=SYSTEM)


async def use(office, secret):
    office.made.client = basic("backup", secret)


WAYS = (shown, reset, everything_reset, set_to_one_made_elsewhere, known_to_be_what_it_is, given_a_key, brought_back)


@pytest.mark.parametrize("way", WAYS)
async def test_who_can_act_as_a_client_may_not_approve_what_it_asks_for(way):
    async with office() as made:
        await way(made)
        request_id = await made.ask()
        assert not await made.may_approve("anna", request_id)
        assert await made.may_approve("ben", request_id)


async def test_who_is_shown_the_secret_after_their_vote_does_not_count_any_more():
    async with office() as made:
        request_id = await made.ask()
        assert await made.may_approve("anna", request_id)
        await shown(made)
        assert await made.ask() == request_id


async def test_who_was_shown_a_secret_that_is_over_may_approve():
    async with office() as made:
        await shown(made)
        overlap = timedelta(hours=1)
        await use(made, (await made.secrets.reset_basic_secret("backup", overlap=overlap, actor=made.people["ben"])).secret)
        request_id = await made.ask()
        assert not await made.may_approve("anna", request_id)
        made.made.world.clock.advance(overlap + LONGEST_TOKEN)
        await made.approvals.withdraw(request_id, actor=SYSTEM)
        request_id = await made.ask()
        assert not await made.may_approve("ben", request_id)
        assert await made.may_approve("anna", request_id)


async def test_who_got_a_token_by_an_earlier_secret_may_not_approve_what_that_token_asks_for():
    async with office() as made:
        await shown(made)
        overlap, ben = timedelta(hours=1), made.people["ben"]
        await made.secrets.reset_basic_secret("backup", overlap=overlap, actor=ben)
        made.made.world.clock.advance(overlap - timedelta(seconds=1))
        token = await made.made.own_token()
        await made.secrets.reset_basic_secret("backup", overlap=overlap, actor=ben)
        made.made.world.clock.advance(timedelta(minutes=5))
        assert not await made.may_approve("anna", await made.ask(token))
