"""Sign-in: who gets in, who does not, and that no one can tell why."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM, Permission
from sealwright.clock import after
from sealwright.errors import RateLimited, Unavailable
from sealwright.identity import CodeRefused, CompletedSignIn, SecondFactorRequired, SessionKind, SignInExpired, SignInRefused
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD, sqlite_world


async def test_user_name_spn_and_mail_all_sign_in():
    async with sqlite_world() as world:
        alice = await world.person("alice", mails=("Alice.L@Mail.Example",))
        for typed in ("alice", " ALICE ", "alice@example.org", "alice.l@mail.example"):
            done = await world.signed_in(typed)
            assert done.signed_in.account.id == alice.id
            assert done.signed_in.session.methods == ("pwd",)


async def test_actor_has_the_permissions_of_nested_groups():
    async with sqlite_world() as world:
        await world.directory.create_group("help-desk", actor=SYSTEM)
        await world.directory.add_members("idm_people_admins", ["help-desk"], actor=SYSTEM)
        await world.person("alice", "help-desk")
        actor = (await world.signed_in("alice")).signed_in.actor
        assert Permission.PERSON_WRITE in actor.permissions.everywhere
        assert Permission.CLIENT_WRITE not in actor.permissions.everywhere
        assert (actor.kind, actor.name, actor.address) == ("person", "alice", "192.0.2.1")


async def refusal(world, name, password):
    """What an attempt answers, and how much work of each kind it was."""
    world.clock.advance(timedelta(minutes=2))  # within one, refusals share an audit row
    before = len(world.hashing.verified), len(await world.events())
    with pytest.raises(SignInRefused) as refused:
        await world.try_password(name, password)
    work = len(world.hashing.verified) - before[0], len(await world.events()) - before[1]
    return refused.value.detail, refused.value.reasons, refused.value.hint, work


async def test_every_reason_gives_the_same_answer_after_the_same_work():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.person("disabled")
        await world.directory.disable("disabled", actor=SYSTEM)
        await world.person("early")
        now = world.clock.now()
        await world.directory.set_validity("early", valid_from=after(now, timedelta(days=1)), valid_until=None, actor=SYSTEM)
        await world.person("late")
        await world.directory.set_validity("late", valid_from=None, valid_until=now, actor=SYSTEM)
        await world.person("nopassword", password=None)
        answers = {
            await refusal(world, name, password)
            for name, password in [
                ("alice", "wrong"),
                ("nobody", PASSWORD),
                ("nobody@example.org", PASSWORD),
                ("nobody@elsewhere.example", PASSWORD),
                ("disabled", PASSWORD),
                ("disabled", "wrong"),
                ("early", PASSWORD),
                ("late", PASSWORD),
                ("nopassword", PASSWORD),
                ("admin", PASSWORD),
                ("", ""),
                ("x" * 10_000, "y" * 10_000),
                ("' OR 1=1 --", "\ud800\x00"),
                ("a\x00\ud800@example.org", PASSWORD),
            ]
        }
        assert answers == {("The user name or password is not right.", (), "Check both and try again.", (1, 1))}


async def test_names_that_exist_and_names_that_do_not_share_the_audit_row_of_a_minute():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.person("bob")
        for name in ("nobody", "alice", "nobody-else", "bob", "alice"):
            with pytest.raises(SignInRefused):
                await world.try_password(name, "wrong")
        refused = [row for row in await world.audit.newest(world.db) if row.outcome == "refused"]
        assert len(refused) == 1


async def test_unknown_name_is_verified_against_the_dummy():
    async with sqlite_world() as world:
        await world.person("nopassword", password=None)
        for name in ("nobody", "nopassword"):
            with pytest.raises(SignInRefused):
                await world.try_password(name)
        assert world.hashing.verified == [b"dummy", b"dummy"]


async def test_refusals_are_recorded_with_their_reason_and_without_what_was_typed():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        with pytest.raises(SignInRefused):
            await world.try_password("alice", "wr0ng-secret")
        world.clock.advance(timedelta(minutes=2))  # within one, refusals share an audit row
        with pytest.raises(SignInRefused):
            await world.try_password("my-secret-typed-as-name", PASSWORD)
        unknown, wrong = (await world.audit.newest(world.db, at_most=2))[:2]
        assert (wrong.event, wrong.outcome, wrong.target) == ("session.sign_in", "refused", f"person:{alice.id}")
        assert json.loads(wrong.details) == {"reason": "the password is wrong", "address": "192.0.2.1"}
        assert (unknown.target, json.loads(unknown.details)["reason"]) == ("person:unknown", "no account has this name")
        everything = "".join(str(row) for row in await world.audit.newest(world.db))
        assert "secret" not in everything


async def test_token_is_not_in_the_database_and_the_session_is_new_each_time():
    async with sqlite_world() as world:
        await world.person("alice")
        first, second = await world.signed_in("alice"), await world.signed_in("alice")
        assert first.token != second.token
        assert first.signed_in.session.id != second.signed_in.session.id
        assert len(first.token) == 43
        assert first.token not in repr(first)
        record = "".join(str(row) for row in await world.audit.newest(world.db))
        assert first.token not in record
        assert await world.sessions.resolve(first.signed_in.session.id, "", kind=SessionKind.BROWSER) is None


async def test_guessing_is_slowed_down_without_looking_at_the_password():
    async with sqlite_world() as world:
        await world.person("alice")
        for _ in range(5):
            with pytest.raises(SignInRefused):
                await world.try_password("alice", "wrong")
        looked_at = len(world.hashing.verified)
        with pytest.raises(RateLimited) as too_many:
            await world.try_password("alice@example.org", PASSWORD)
        assert too_many.value.retry_after == 1
        assert len(world.hashing.verified) == looked_at
        world.clock.advance(timedelta(seconds=1))
        assert isinstance(await world.try_password("alice"), CompletedSignIn)
        for _ in range(4):
            with pytest.raises(SignInRefused):
                await world.try_password("alice", "wrong")
        assert isinstance(await world.try_password("alice"), CompletedSignIn)


async def test_unknown_names_are_slowed_down_alike():
    async with sqlite_world() as world:
        for _ in range(5):
            with pytest.raises(SignInRefused):
                await world.try_password("nobody", "wrong")
        with pytest.raises(RateLimited) as too_many:
            await world.try_password("nobody", "wrong")
        assert too_many.value.retry_after == 1


async def test_one_address_cannot_try_many_names():
    async with sqlite_world() as world:
        await world.person("alice")
        for n in range(31):
            with pytest.raises(SignInRefused):
                await world.try_password(f"name{n}", "wrong", address="2001:db8::1")
        with pytest.raises(RateLimited):
            await world.try_password("alice", address="2001:db8::2")
        assert isinstance(await world.try_password("alice", address="2001:db8:1::1"), CompletedSignIn)


async def test_success_does_not_wash_the_failures_of_an_address_away():
    async with sqlite_world() as world:
        await world.person("mallory")
        for n in range(31):
            with pytest.raises(SignInRefused):
                await world.try_password(f"name{n}", "wrong")
            if n % 10 == 5:
                await world.signed_in("mallory")
        with pytest.raises(RateLimited):
            await world.try_password("another", "wrong")


async def typos(world, count=31):
    """So many failures from one address, and then the first wait is over."""
    for n in range(count):
        with pytest.raises(SignInRefused):
            await world.try_password(f"typo{n}", "wrong")
    world.clock.advance(timedelta(seconds=2))


async def test_right_password_costs_others_behind_the_same_address_nothing():
    async with sqlite_world() as world:
        for name in ("alice", "bob"):
            await world.person(name)
        await typos(world)
        for _ in range(10):
            await world.signed_in("alice")
            await world.signed_in("bob")
        with pytest.raises(SignInRefused):
            await world.try_password("typo", "wrong")
        with pytest.raises(RateLimited) as too_many:
            await world.signed_in("alice")
        assert too_many.value.retry_after == 2  # the 32nd failure waits as long as without those that signed in


async def test_right_code_works_right_after_the_password_however_many_failed_behind_the_address():
    async with sqlite_world() as world:
        await world.person("alice")
        secret = await world.with_totp("alice")
        await typos(world)
        asked = await world.try_password("alice")
        assert isinstance(asked, SecondFactorRequired)
        await world.sign_in.with_totp(asked.pending_token, world.code(secret), address="192.0.2.1", user_agent="")


async def test_second_factor_is_set_up_right_after_signing_in_however_many_failed_behind_the_address():
    async with sqlite_world() as world:
        await world.person("alice")
        await typos(world)
        await world.with_totp("alice")
        assert isinstance(await world.try_password("alice"), SecondFactorRequired)


async def test_sign_ins_do_not_keep_the_failures_of_an_address_from_being_forgotten():
    async with sqlite_world() as world:
        await world.person("alice")
        await typos(world)
        for _ in range(62):
            await world.signed_in("alice")
            world.clock.advance(timedelta(minutes=1))
        await typos(world, 30)
        assert isinstance(await world.try_password("alice"), CompletedSignIn)


async def test_attempt_that_found_no_room_is_not_counted():
    async with sqlite_world() as world:
        await world.person("alice")
        world.hashing.full = True
        for _ in range(50):
            with pytest.raises(Unavailable):
                await world.try_password("alice")
        world.hashing.full = False
        assert isinstance(await world.try_password("alice"), CompletedSignIn)


async def test_password_is_hashed_anew_when_the_parameters_change():
    async with sqlite_world() as world:
        await world.person("alice")
        world.hashing.version = "2"
        hashed = world.hashing.hashed
        await world.signed_in("alice")
        assert world.hashing.hashed == hashed + 1
        await world.signed_in("alice")
        assert world.hashing.hashed == hashed + 1
        assert world.hashing.verified[-1].startswith(b"2:")


async def test_second_factor_is_asked_for_and_completes_the_sign_in():
    async with sqlite_world() as world:
        await world.person("alice")
        secret = await world.with_totp("alice")
        asked = await world.sign_in.with_password(
            "alice",
            PASSWORD,
            kind=SessionKind.TERMINAL,
            address="192.0.2.1",
            user_agent="",
            continue_to="/ui/oauth2?request=x",
        )
        assert isinstance(asked, SecondFactorRequired)
        assert asked.pending_token not in repr(asked)
        assert await world.sessions.resolve(asked.pending_token, "", kind=SessionKind.BROWSER) is None
        done = await world.sign_in.with_totp(asked.pending_token, world.code(secret), address="192.0.2.9", user_agent="agent")
        session = done.signed_in.session
        assert (session.methods, session.kind, session.address) == (("pwd", "otp"), SessionKind.TERMINAL, "192.0.2.9")
        assert done.continue_to == "/ui/oauth2?request=x"


async def test_code_and_pending_sign_in_work_once():
    async with sqlite_world() as world:
        await world.person("alice")
        secret = await world.with_totp("alice")
        first, second = await world.try_password("alice"), await world.try_password("alice")
        assert isinstance(first, SecondFactorRequired)
        assert isinstance(second, SecondFactorRequired)
        code = world.code(secret)
        await world.sign_in.with_totp(first.pending_token, code, address="", user_agent="")
        with pytest.raises(SignInExpired):
            await world.sign_in.with_totp(first.pending_token, world.code(secret, steps=1), address="", user_agent="")
        with pytest.raises(CodeRefused):
            await world.sign_in.with_totp(second.pending_token, code, address="", user_agent="")
        await world.sign_in.with_totp(second.pending_token, world.code(secret, steps=1), address="", user_agent="")
        assert ("session.sign_in", "refused") in [event[:2] for event in await world.events()]


async def test_wrong_code_may_be_corrected_but_not_guessed():
    async with sqlite_world() as world:
        await world.person("alice")
        secret = await world.with_totp("alice")
        asked = await world.try_password("alice")
        assert isinstance(asked, SecondFactorRequired)
        right = world.code(secret)
        wrong = f"{(int(right) + 1) % 1_000_000:06d}"
        for _ in range(5):
            with pytest.raises(CodeRefused):
                await world.sign_in.with_totp(asked.pending_token, wrong, address="", user_agent="")
        with pytest.raises(RateLimited):
            await world.sign_in.with_totp(asked.pending_token, right, address="", user_agent="")
        world.clock.advance(timedelta(seconds=2))
        again = await world.try_password("alice", address="198.51.100.1")
        assert isinstance(again, SecondFactorRequired)
        await world.sign_in.with_totp(again.pending_token, world.code(secret), address="", user_agent="")


async def test_waiting_sign_in_expires():
    async with sqlite_world() as world:
        await world.person("alice")
        secret = await world.with_totp("alice")
        asked = await world.try_password("alice")
        assert isinstance(asked, SecondFactorRequired)
        world.clock.advance(timedelta(minutes=5))
        with pytest.raises(SignInExpired):
            await world.sign_in.with_totp(asked.pending_token, world.code(secret), address="", user_agent="")
        with pytest.raises(SignInExpired):
            await world.sign_in.with_totp("never-was", world.code(secret), address="", user_agent="")


@pytest.mark.parametrize("change", ["disable", "new password", "new end", "deleted"])
async def test_waiting_sign_in_dies_with_what_it_rests_on(change):
    async with sqlite_world() as world:
        await world.person("alice")
        secret = await world.with_totp("alice")
        asked = await world.try_password("alice")
        assert isinstance(asked, SecondFactorRequired)
        if change == "disable":
            await world.directory.disable("alice", actor=SYSTEM)
            await world.directory.enable("alice", actor=SYSTEM)
        elif change == "new password":
            await world.credentials.set_password("alice", OTHER_PASSWORD, actor=SYSTEM)
        elif change == "new end":
            await world.directory.set_validity("alice", valid_from=None, valid_until=world.clock.now(), actor=SYSTEM)
        else:
            await world.directory.delete("alice", actor=SYSTEM)
        with pytest.raises(SignInExpired):
            await world.sign_in.with_totp(asked.pending_token, world.code(secret), address="", user_agent="")


async def test_password_replaced_while_it_was_checked_does_not_sign_in():
    async with sqlite_world() as world:
        await world.person("alice")
        world.hashing.meanwhile = lambda: world.credentials.set_password("alice", OTHER_PASSWORD, actor=SYSTEM)
        with pytest.raises(SignInRefused):
            await world.try_password("alice", PASSWORD)
        assert (await world.events())[0][2].find("replaced meanwhile") > 0


async def test_account_disabled_while_its_password_was_checked_does_not_sign_in():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        world.hashing.meanwhile = lambda: world.directory.disable("alice", actor=SYSTEM)
        with pytest.raises(SignInRefused):
            await world.try_password("alice", PASSWORD)
        assert await world.sessions.list_of(alice.id, actor=SYSTEM) == ()


async def test_what_the_browser_says_is_kept_without_control_characters():
    async with sqlite_world() as world:
        await world.person("alice")
        done = await world.sign_in.with_password(
            "alice", PASSWORD, kind=SessionKind.BROWSER, address="192.0.2.1", user_agent="Fire\x00fox\r\n" + "x" * 9_999
        )
        assert isinstance(done, CompletedSignIn)
        assert done.signed_in.session.user_agent == "Firefox" + "x" * 246
        assert replace(done, token="").token == ""


async def again(world, name, token, *, kind=SessionKind.BROWSER):
    """A sign-in by someone who came with a session token."""
    done = await world.sign_in.with_password(name, PASSWORD, kind=kind, address="192.0.2.2", user_agent="again", held_token=token)
    assert isinstance(done, CompletedSignIn)
    return done


async def test_sign_in_again_goes_on_with_the_session_under_a_new_token():
    async with sqlite_world() as world:
        alice = await world.person("alice")
        first = await world.signed_in("alice")
        world.clock.advance(timedelta(minutes=20))
        second = await again(world, "alice", first.token)
        before, after = first.signed_in.session, second.signed_in.session
        assert (after.id, after.created_at) == (before.id, before.created_at)
        assert after.authenticated_at == after.last_seen_at == world.clock.now()
        assert after.expires_at - before.expires_at == 20 * 60_000
        assert (after.address, after.user_agent) == ("192.0.2.2", "again")
        assert await world.sessions.session(after.id) == after
        assert second.token != first.token
        assert await world.refreshed(first) is None
        assert await world.refreshed(second) is not None
        event, outcome, details = (await world.events(f"person:{alice.id}"))[0]
        assert (event, outcome) == ("session.sign_in", "done")
        assert '"continued":true' in details
        assert first.token not in details
        assert second.token not in details


@pytest.mark.parametrize("kind", ["of someone else", "ended", "idle", "of a terminal", "used before", "unknown"])
async def test_sign_in_again_begins_a_new_session_where_the_token_opens_none_of_theirs(kind):
    async with sqlite_world() as world:
        await world.person("alice")
        await world.person("bob")
        kept = await world.signed_in(
            "bob" if kind == "of someone else" else "alice",
            kind=SessionKind.TERMINAL if kind == "of a terminal" else SessionKind.BROWSER,
        )
        session = kept.signed_in.session
        if kind == "ended":
            await world.sessions.end(session.id, "test", actor=kept.signed_in.actor)
        if kind == "idle":
            world.clock.advance(timedelta(hours=1))
        if kind == "used before":
            await again(world, "alice", kept.token)
        before = await world.sessions.session(session.id)
        done = await again(world, "alice", "x" * 43 if kind == "unknown" else kept.token)
        assert done.signed_in.session.id != session.id
        assert done.signed_in.account.name == "alice"
        assert await world.refreshed(done) is not None
        assert await world.sessions.session(session.id) == before  # nothing became of the other one
