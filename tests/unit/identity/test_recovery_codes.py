"""Recovery codes: each stands in for one code of the second factor, once."""

from __future__ import annotations

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import Conflict
from sealwright.identity import CodeRefused, SecondFactorRequired
from sealwright.identity.store import credentials_of
from tests.unit.identity.world import sqlite_world


async def with_codes(world, name="alice"):
    await world.person(name)
    actor = (await world.signed_in(name)).signed_in.actor
    await world.with_totp(name)
    return actor, await world.credentials.create_recovery_codes(actor=actor)


async def sign_in(world, code):
    asked = await world.try_password("alice")
    assert isinstance(asked, SecondFactorRequired)
    return await world.sign_in.with_totp(asked.pending_token, code, address="192.0.2.1", user_agent="test")


@pytest.mark.parametrize("typed", [str, str.upper, lambda code: code.replace("-", " "), lambda code: code.replace("-", "")])
async def test_recovery_code_stands_in_for_a_code_of_the_app_and_works_once(typed):
    async with sqlite_world() as world:
        _, codes = await with_codes(world)
        done = await sign_in(world, typed(codes[3]))
        assert done.signed_in.session.methods == ("pwd", "otp")
        with pytest.raises(CodeRefused):
            await sign_in(world, codes[3])
        assert await sign_in(world, codes[4])


async def test_eight_codes_that_differ_are_made_and_only_digests_are_stored():
    async with sqlite_world() as world:
        actor, codes = await with_codes(world)
        assert len(set(codes)) == 8
        stored = [each for each in await credentials_of(world.db, actor.id) if each.kind == "recovery_code"]
        assert len(stored) == 8
        plain = {code.replace("-", "").encode() for code in codes} | {code.encode() for code in codes}
        assert not plain & {each.secret for each in stored}


async def test_new_codes_replace_the_old_ones():
    async with sqlite_world() as world:
        actor, old = await with_codes(world)
        new = await world.credentials.create_recovery_codes(actor=actor)
        with pytest.raises(CodeRefused):
            await sign_in(world, old[0])
        assert await sign_in(world, new[0])


async def test_codes_need_a_second_factor_and_go_with_it():
    async with sqlite_world() as world:
        actor = await world.actor("bob")
        with pytest.raises(Conflict, match="you have none"):
            await world.credentials.create_recovery_codes(actor=actor)
        person, _ = await with_codes(world)
        await world.credentials.remove_second_factors("alice", actor=SYSTEM)
        kinds = {each.kind for each in await credentials_of(world.db, person.id)}
        assert kinds == {"password"}


async def test_code_of_another_person_is_refused():
    async with sqlite_world() as world:
        await with_codes(world)
        _, codes = await with_codes(world, "bob")
        with pytest.raises(CodeRefused):
            await sign_in(world, codes[0])
