"""Anyone who signed in from a device before keeps a way in from it while strangers guess."""

from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import NotPermitted, RateLimited
from sealwright.identity import CodeRefused, CompletedSignIn, PasswordRefused, SecondFactorRequired, SessionKind, SignInRefused
from sealwright.identity.devices.known_devices import MAX_DEVICES
from sealwright.identity.purge import purge
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD, sqlite_world

HOME_ADDRESS = "192.0.2.1"


@asynccontextmanager
async def world_with_alice():
    async with sqlite_world() as world:
        await world.person("alice", mails=("alice@example.org", "al@elsewhere.example"))
        yield world


async def sign_in(world, name="alice", password=PASSWORD, *, device="", address=HOME_ADDRESS):
    return await world.sign_in.with_password(
        name, password, kind=SessionKind.BROWSER, address=address, user_agent="a browser", device_token=device
    )


async def known_device(world, name="alice"):
    return (await sign_in(world, name)).device_token


async def guess(world, name="alice", *, number=0, times=1):
    """Wrong passwords from somewhere else each time; tells how many were looked at."""
    looked_at = 0
    for each in range(times):
        try:
            await sign_in(world, name, "wrong", address=f"198.51.{number % 250}.{each + 1}")
        except SignInRefused:
            looked_at += 1
        except RateLimited:
            pass
    return looked_at


async def test_owner_signs_in_from_a_known_device_all_day_while_strangers_keep_the_account_blocked():
    async with world_with_alice() as world:
        device = await known_device(world)
        world.clock.advance(timedelta(hours=1))
        looked_at = 0
        for minute in range(24 * 60):
            looked_at += await guess(world, number=minute, times=2)
            world.clock.advance(timedelta(minutes=1))
            if minute > 30 and minute % 20 == 0:
                with pytest.raises(RateLimited):
                    await sign_in(world)
                assert isinstance(await sign_in(world, device=device), CompletedSignIn)
        assert looked_at < 15 + 5 * 24


async def test_name_spn_and_every_address_of_a_person_share_one_count():
    async with world_with_alice() as world:
        for name in ("alice", "Alice@example.org", "al@elsewhere.example", "alice", "AL@elsewhere.example"):
            assert await guess(world, name) == 1
        for name in ("alice", "alice@example.org", "al@elsewhere.example"):
            with pytest.raises(RateLimited):
                await sign_in(world, name)


async def test_own_password_is_changed_in_a_live_session_while_strangers_guess():
    async with world_with_alice() as world:
        actor = (await sign_in(world)).signed_in.actor
        await guess(world, times=20)
        with pytest.raises(RateLimited):
            await sign_in(world)
        await world.credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=actor)
        await guess(world, number=1, times=20)
        await world.credentials.begin_totp(OTHER_PASSWORD, actor=actor)


async def test_wrong_own_passwords_of_a_session_do_not_block_the_sign_in():
    async with world_with_alice() as world:
        actor = (await sign_in(world)).signed_in.actor
        for _ in range(5):
            with pytest.raises(PasswordRefused):
                await world.credentials.change_password("wrong", OTHER_PASSWORD, actor=actor)
        assert isinstance(await sign_in(world), CompletedSignIn)


async def test_guessing_from_a_stolen_device_is_slowed_down_as_well():
    async with world_with_alice() as world:
        device = await known_device(world)
        for number in range(5):
            with pytest.raises(SignInRefused):
                await sign_in(world, password="wrong", device=device, address=f"203.0.113.{number}")
        with pytest.raises(RateLimited):
            await sign_in(world, device=device)
        assert isinstance(await sign_in(world), CompletedSignIn)


async def test_device_is_known_to_those_accounts_only_that_signed_in_from_it():
    async with world_with_alice() as world:
        await world.person("mallory")
        device = await known_device(world, "mallory")
        await guess(world, times=20)
        with pytest.raises(RateLimited):
            await sign_in(world, device=device)
        world.clock.advance(timedelta(hours=25))
        shared = (await sign_in(world, device=device)).device_token
        assert shared == device
        await guess(world, times=20)
        assert isinstance(await sign_in(world, device=device), CompletedSignIn)


@pytest.mark.parametrize("planted", ["A" * 43, "short", "x" * 10_000, "\x00" * 43])
async def test_token_that_was_not_made_here_is_replaced(planted):
    async with world_with_alice() as world:
        device = (await sign_in(world, device=planted)).device_token
        assert device != planted
        assert len(device) == 43
        assert device not in repr(await sign_in(world, device=device))


async def test_number_of_devices_of_an_account_is_bounded_and_they_can_be_listed_and_forgotten():
    async with world_with_alice() as world:
        devices = []
        for _ in range(MAX_DEVICES + 2):
            devices.append(await known_device(world))
            world.clock.advance(timedelta(minutes=1))
        await guess(world, times=20)
        for gone in devices[:2]:
            with pytest.raises(RateLimited):
                await sign_in(world, device=gone)
        done = await sign_in(world, device=devices[2])
        actor = done.signed_in.actor
        listed = await world.devices.list_of(actor.id, actor=actor)
        assert len(listed) == MAX_DEVICES
        assert listed[0].user_agent == "a browser"
        mallory = await world.actor("mallory")
        for verb in (world.devices.list_of, world.devices.forget_all):
            with pytest.raises(NotPermitted):
                await verb(actor.id, actor=mallory)
        assert await world.devices.forget_all(actor.id, actor=actor) == MAX_DEVICES
        with pytest.raises(RateLimited):
            await sign_in(world, device=devices[2])


async def test_password_that_someone_else_sets_makes_every_device_unknown_and_ones_own_change_does_not():
    async with world_with_alice() as world:
        done = await sign_in(world)
        await world.credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=done.signed_in.actor)
        await guess(world, times=20)
        assert isinstance(await sign_in(world, password=OTHER_PASSWORD, device=done.device_token), CompletedSignIn)
        await world.credentials.set_password("alice", PASSWORD, actor=SYSTEM)
        with pytest.raises(RateLimited):
            await sign_in(world, device=done.device_token)


async def test_device_on_which_a_reset_link_was_used_is_a_way_in():
    async with world_with_alice() as world:
        before = await known_device(world)
        await guess(world, times=20)
        link = await world.reset.create("alice", actor=SYSTEM)
        _, device = await world.reset.redeem(link.token, OTHER_PASSWORD, address=HOME_ADDRESS, device_token="")
        assert isinstance(await sign_in(world, password=OTHER_PASSWORD, device=device), CompletedSignIn)
        with pytest.raises(RateLimited):
            await sign_in(world, password=OTHER_PASSWORD, device=before)


async def test_device_that_is_not_used_for_half_a_year_is_forgotten():
    async with world_with_alice() as world:
        done = await sign_in(world)
        device, actor = done.device_token, done.signed_in.actor
        world.clock.advance(timedelta(days=179))
        assert (await sign_in(world, device=device)).device_token == device
        world.clock.advance(timedelta(days=181))
        await guess(world, times=20)
        with pytest.raises(RateLimited):
            await sign_in(world, device=device)
        await purge(world.db, world.clock)
        world.clock.advance(timedelta(days=-181))
        assert await world.devices.list_of(actor.id, actor=actor) == ()


async def test_someone_who_knows_the_password_cannot_use_up_the_codes_of_a_known_device():
    async with world_with_alice() as world:
        secret = await world.with_totp("alice")
        asked = await sign_in(world)
        assert isinstance(asked, SecondFactorRequired)
        done = await with_code(world, asked, world.code(secret), device="")
        device = done.device_token
        asked = await sign_in(world, address="198.51.100.1")
        for _ in range(5):
            with pytest.raises(CodeRefused):
                await with_code(world, asked, "000000")
        with pytest.raises(RateLimited):
            await with_code(world, asked, "000000")
        for _ in range(6):
            world.clock.advance(timedelta(seconds=10))
            with suppress(CodeRefused, RateLimited):
                await with_code(world, asked, "000000")
        with pytest.raises(RateLimited):
            await with_code(world, asked, world.code(secret))
        asked = await sign_in(world, device=device)
        assert isinstance(await with_code(world, asked, world.code(secret), device=device), CompletedSignIn)


async def with_code(world, asked, code, *, device=None):
    return await world.sign_in.with_totp(
        asked.pending_token, code, address=HOME_ADDRESS, user_agent="a browser", device_token=device
    )


async def test_terminal_that_keeps_no_token_is_not_remembered():
    async with world_with_alice() as world:
        done = await world.signed_in("alice", kind=SessionKind.TERMINAL)
        assert done.device_token == ""
        assert await world.devices.list_of(done.signed_in.account.id, actor=done.signed_in.actor) == ()
