"""The first administrator by a token, and by a group of one provider: once, whoever comes at the same time."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from sealwright.access import SYSTEM, Permission, Role, permissions_of, permissions_of_account
from sealwright.identity import FirstAdministratorRules, SignOnRefused
from sealwright.identity.directory.authorized_changes import has_administrator
from sealwright.identity.errors import LastAdministrator
from sealwright.identity.upstream.providers import ProviderInput
from tests.foreign_provider import described
from tests.unit.api.world import server_world
from tests.unit.identity.upstream.world import upstream_world

TOKEN = "a-token-of-the-operator-that-is-long-enough"


def with_rules(world, **rules):
    """Rules as the settings would give them; the provider's id is known only once it is stored."""
    world.app.parts.identity.first_administrator._rules = FirstAdministratorRules(**rules)


@asynccontextmanager
async def server_with_token():
    async with server_world() as world:
        with_rules(world, token=TOKEN)
        yield world


async def test_bootstrap_token_makes_an_administrator_whose_key_is_shown_once():
    async with server_with_token() as world:
        assert (await world.call("GET", "/auth/bootstrap"))[1] == {"available": True}
        status, made = await world.call("POST", "/auth/bootstrap", {"token": TOKEN, "actor_name": "chief"})
        assert status == 201
        assert (await world.call("GET", "/persons", token=made["key"]))[0] == 200
        for _ in range(2):
            status, problem = await world.call("POST", "/auth/bootstrap", {"token": TOKEN})
            assert (status, problem["code"]) == (410, "bootstrap_closed")
        assert (await world.call("GET", "/auth/bootstrap"))[1] == {"available": False}
        events = [row.event for row in await world.audit.newest(world.db)]
        assert events.count("bootstrap.token_used") == 1


async def test_bootstrap_token_is_used_up_even_when_its_account_is_gone():
    async with server_with_token() as world:
        _, made = await world.call("POST", "/auth/bootstrap", {"token": TOKEN})
        await world.app.parts.identity.api_tokens.revoke("bootstrap", made["token_id"], actor=SYSTEM)
        assert not await has_administrator(world.db, world.clock.now())
        assert (await world.call("POST", "/auth/bootstrap", {"token": TOKEN}))[0] == 410


async def test_wrong_bootstrap_token_makes_no_one_and_is_on_record_without_the_token():
    async with server_with_token() as world:
        status, problem = await world.call("POST", "/auth/bootstrap", {"token": TOKEN + "x"})
        assert (status, problem["code"]) == (403, "bootstrap_token_refused")
        row = (await world.audit.newest(world.db))[0]
        assert (row.event, row.outcome) == ("bootstrap.token_used", "refused")
        assert TOKEN not in row.details
        assert (await world.call("GET", "/auth/bootstrap"))[1] == {"available": True}


async def test_bootstrap_token_is_closed_without_one_and_while_someone_administers_the_server():
    async with server_world() as world:
        assert (await world.call("POST", "/auth/bootstrap", {"token": ""}))[0] == 410
        with_rules(world, token=TOKEN)
        await world.token("chief", "system_admins")
        assert (await world.call("POST", "/auth/bootstrap", {"token": TOKEN}))[0] == 410


async def test_bootstrap_tokens_are_tried_five_times_a_minute_from_one_address():
    async with server_with_token() as world:
        statuses = [(await world.call("POST", "/auth/bootstrap", {"token": "wrong"}))[0] for _ in range(7)]
        assert statuses == [403] * 5 + [429] * 2


async def test_two_who_use_the_bootstrap_token_at_once_make_one_administrator():
    async with server_with_token() as world:
        calls = (world.call("POST", "/auth/bootstrap", {"token": TOKEN, "actor_name": name}) for name in ("first", "second"))
        assert sorted(status for status, _ in await asyncio.gather(*calls)) == [201, 410]


async def provider_with_rules(world, groups=("admins",), *, mapped=None):
    made = await world.providers.create(described(), actor=SYSTEM)
    if mapped:
        await world.providers.map_group(made.id, mapped, "r-viewer", actor=SYSTEM)
    with_rules(world, groups=frozenset(groups), provider_id=made.id)
    return made


async def test_first_person_of_the_group_administers_the_server_and_no_second_one_does():
    async with upstream_world() as world:
        made = await provider_with_rules(world)
        done = await world.signed_on(made, groups=["admins"])
        account = done.completed.signed_in.account
        assert done.completed.signed_in.actor.permissions == permissions_of([Role.ADMINISTRATOR])
        assert await has_administrator(world.db, world.clock.now())
        with pytest.raises(SignOnRefused) as caught:
            await world.signed_on(made, groups=["admins"], sub="other", preferred_username="mallory")
        assert caught.value.reason == "unmapped_groups"
        rows = [each for each in await world.events() if each[0] == "bootstrap.oidc_first_admin"]
        assert len(rows) == 1
        assert json.loads(rows[0][2])["provider_id"] == made.id
        lasting = await permissions_of_account(world.db, account.id, world.clock.now(), session_id="")
        assert lasting.holds(Permission.ROLE_WRITE)


async def test_first_administrator_by_a_group_signs_in_again_only_with_a_mapping_and_keeps_the_role():
    async with upstream_world() as world:
        made = await provider_with_rules(world, mapped="staff")
        await world.signed_on(made, groups=["admins", "staff"])
        again = await world.signed_on(made, groups=["staff"])
        assert again.completed.signed_in.actor.permissions == permissions_of([Role.ADMINISTRATOR])


async def test_provider_by_which_alone_the_last_administrator_signs_in_is_neither_switched_off_nor_deleted():
    """Else the ways in for a server without an administrator would be open again."""
    async with upstream_world() as world:
        made = await provider_with_rules(world)
        await world.signed_on(made, groups=["admins"])
        with pytest.raises(LastAdministrator):
            await world.providers.update(made.id, ProviderInput(enabled=False), actor=SYSTEM)
        with pytest.raises(LastAdministrator):
            await world.providers.delete(made.id, end_sessions=True, actor=SYSTEM)
        assert await has_administrator(world.db, world.clock.now())
        await world.person("root", "system_admins")
        await world.providers.delete(made.id, end_sessions=True, actor=SYSTEM)
        assert await world.providers.list_providers(actor=SYSTEM) == []


async def test_same_group_of_another_provider_makes_no_administrator():
    async with upstream_world() as world:
        made = await provider_with_rules(world, mapped="admins")
        with_rules(world, groups=frozenset({"admins"}), provider_id="another")
        done = await world.signed_on(made, groups=["admins"])
        assert done.completed.signed_in.actor.permissions == permissions_of([Role.VIEWER])


async def test_group_makes_no_administrator_while_someone_administers_the_server():
    async with upstream_world() as world:
        await world.person("chief", "system_admins")
        made = await provider_with_rules(world, mapped="admins")
        done = await world.signed_on(made, groups=["admins"])
        assert done.completed.signed_in.actor.permissions == permissions_of([Role.VIEWER])


async def test_two_of_the_group_who_sign_in_at_once_make_one_administrator():
    async with upstream_world() as world:
        made = await provider_with_rules(world, mapped="admins")
        begun = [await world.sign_on.begin(made.id, return_to="/") for _ in range(2)]

        async def finish(one, subject):
            query = world.provider.answer(one.location, groups=["admins"], sub=subject, preferred_username=subject)
            return await world.complete(query, one.cookie)

        done = [await finish(begun[0], "one"), await finish(begun[1], "two")]
        held = [each.completed.signed_in.actor.permissions for each in done]
        assert sorted(each == permissions_of([Role.ADMINISTRATOR]) for each in held) == [False, True]
