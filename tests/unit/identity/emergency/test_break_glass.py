"""The break-glass password: off by default, its own, slow to guess, loud."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sealwright.errors import RateLimited
from sealwright.identity import BreakGlassOff, BreakGlassRefused
from sealwright.identity.emergency.break_glass import TARGET
from sealwright.identity.errors import SignInRefused
from sealwright.settings import BreakGlassSettings
from tests.pages_place import ORIGIN, Place, pages_place
from tests.unit.identity.world import sqlite_world

PASSWORD = "seven-lamps-in-a-dark-harbour"


def parts(world, *, enabled=True):
    found = world.app.parts.identity.break_glass
    found.enabled = enabled
    return found


async def opened(world, password=PASSWORD, address="192.0.2.9"):
    return await parts(world).sign_in(password, address=address, user_agent="test")


async def test_break_glass_is_off_unless_the_settings_switch_it_on():
    async with sqlite_world() as world:
        assert world.app.parts.identity.break_glass.enabled is False
        await parts(world, enabled=False).set_password(PASSWORD)
        with pytest.raises(BreakGlassOff):
            await parts(world, enabled=False).sign_in(PASSWORD, address="", user_agent="")


async def test_break_glass_password_opens_the_built_in_administrator_and_is_on_record():
    async with sqlite_world() as world:
        await parts(world).set_password(PASSWORD)
        done = await opened(world)
        assert (done.signed_in.account.name, done.signed_in.session.methods) == ("admin", ("break-glass",))
        assert done.signed_in.actor.permissions.everywhere
        event, outcome, details = (await world.events(TARGET))[0]
        assert (event, outcome, json.loads(details)["address"]) == ("break_glass.used", "done", "192.0.2.9")


async def test_break_glass_password_is_none_of_an_account():
    async with sqlite_world() as world:
        await parts(world).set_password(PASSWORD)
        with pytest.raises(SignInRefused):
            await world.try_password("admin", PASSWORD)
        recovered = await world.credentials.recover_account("admin", None, end_certificates=False)
        with pytest.raises(BreakGlassRefused):
            await opened(world, recovered.password)


async def test_without_a_password_break_glass_opens_nothing_and_takes_as_long():
    async with sqlite_world() as world:
        with pytest.raises(BreakGlassRefused):
            await opened(world)
        assert world.hashing.verified == [world.hashing.dummy]


async def test_fifth_failure_within_an_hour_locks_break_glass_for_thirty_seconds():
    async with sqlite_world() as world:
        await parts(world).set_password(PASSWORD)
        for _ in range(5):
            with pytest.raises(BreakGlassRefused):
                await opened(world, "wrong")
        with pytest.raises(RateLimited) as caught:
            await opened(world)
        assert caught.value.retry_after == 30
        world.clock.advance(timedelta(seconds=29))
        with pytest.raises(RateLimited):
            await opened(world)
        world.clock.advance(timedelta(seconds=2))
        assert (await opened(world)).signed_in.account.name == "admin"


async def test_failures_from_elsewhere_lock_no_one_out_of_break_glass():
    async with sqlite_world() as world:
        await parts(world).set_password(PASSWORD)
        for _ in range(5):
            with pytest.raises(BreakGlassRefused):
                await opened(world, "wrong", "203.0.113.66")
        with pytest.raises(RateLimited):
            await opened(world, address="203.0.113.66")
        assert (await opened(world)).signed_in.account.name == "admin"


async def test_failures_that_an_hour_has_passed_since_lock_nothing():
    async with sqlite_world() as world:
        await parts(world).set_password(PASSWORD)
        for _ in range(4):
            with pytest.raises(BreakGlassRefused):
                await opened(world, "wrong")
        world.clock.advance(timedelta(hours=1))
        for _ in range(4):
            with pytest.raises(BreakGlassRefused):
                await opened(world, "wrong")
        assert (await opened(world)).signed_in.account.name == "admin"


async def test_new_break_glass_password_ends_the_sessions_of_the_one_before():
    async with sqlite_world() as world:
        assert len(await parts(world).set_password(None)) >= 16
        await parts(world).set_password(PASSWORD)
        done = await opened(world)
        await parts(world).set_password("another-one-of-some-length")
        assert await world.refreshed(done) is None
        done = await opened(world, "another-one-of-some-length")
        assert await parts(world).remove() is True
        assert await world.refreshed(done) is None
        with pytest.raises(BreakGlassRefused):
            await parts(world).set_password("short")


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place(break_glass=BreakGlassSettings(enabled=True)) as made:
        made.run(made.identity.break_glass.set_password(PASSWORD))
        yield made


def test_every_page_of_a_break_glass_session_says_so(place: Place) -> None:
    browser = place.browser()
    page = browser.submit(browser.open(f"{ORIGIN}/break-glass"), "open", password=PASSWORD)
    assert page.url == f"{ORIGIN}/ui/account"
    for path in ("/ui/account", "/ui/clients", "/ui/identity-providers", "/ui/account/profile"):
        assert "This is a break-glass session" in browser.open(ORIGIN + path).text
    place.person("alice")
    assert "break-glass" not in place.signed_in("alice").open(f"{ORIGIN}/ui/account").text


def test_wrong_break_glass_password_is_told_and_one_address_tries_five_times_a_minute(place: Place) -> None:
    browser = place.browser()
    page = browser.open(f"{ORIGIN}/break-glass")
    for _ in range(5):
        page = browser.submit(page, "open", password="wrong")
        assert page.status in (403, 429)
        place.clock.advance(timedelta(seconds=1))
        page = browser.open(f"{ORIGIN}/break-glass")
    page = browser.submit(page, "open", password=PASSWORD)
    assert page.status == 429


def test_there_is_no_break_glass_page_while_it_is_off() -> None:
    with pages_place() as place:
        assert place.browser().open(f"{ORIGIN}/break-glass").status == 404
        assert "break-glass" not in place.browser().open(f"{ORIGIN}/ui/sign-in").text
