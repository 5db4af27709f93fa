"""Passwords and second factors: who may set them, and what a change ends."""

import asyncio
import json
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.errors import NotPermitted, RateLimited, Unavailable
from sealwright.identity import (
    AccountNotFound,
    AccountNotUsable,
    BeyondOwnAuthority,
    BuiltIn,
    CodeRefused,
    CompletedSignIn,
    CredentialKind,
    CredentialNotFound,
    CredentialReset,
    PasswordRefused,
    SecondFactorRequired,
    SignInRefused,
    TooManyCredentials,
    WeakPassword,
)
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD, sqlite_world


async def test_set_password_replaces_the_old_one_and_ends_sessions():
    async with sqlite_world() as world:
        await world.person("alice")
        before = await world.signed_in("alice")
        desk = await world.actor("desk", "idm_people_admins")
        await world.credentials.set_password("alice@example.org", OTHER_PASSWORD, actor=desk)
        assert await world.refreshed(before) is None
        with pytest.raises(SignInRefused):
            await world.try_password("alice", PASSWORD)
        assert isinstance(await world.try_password("alice", OTHER_PASSWORD), CompletedSignIn)


async def test_own_password_is_changed_to_another_one_only():
    async with sqlite_world() as world:
        actor = await world.actor("alice")
        with pytest.raises(WeakPassword, match="already"):
            await world.credentials.change_password(PASSWORD, PASSWORD, actor=actor)
        with pytest.raises(PasswordRefused):
            await world.credentials.change_password(OTHER_PASSWORD, OTHER_PASSWORD, actor=actor)
        assert isinstance(await world.try_password("alice"), CompletedSignIn)


async def test_set_password_is_for_others_and_within_ones_authority():
    async with sqlite_world() as world:
        await world.person("boss", "system_admins")
        alice = await world.actor("alice")
        desk = await world.actor("desk", "idm_people_admins")
        set_password = world.credentials.set_password
        with pytest.raises(NotPermitted):
            await set_password("boss", OTHER_PASSWORD, actor=alice)
        with pytest.raises(BeyondOwnAuthority):
            await set_password("boss", OTHER_PASSWORD, actor=desk)
        with pytest.raises(NotPermitted, match="present one"):
            await set_password("desk", OTHER_PASSWORD, actor=desk)
        with pytest.raises(BuiltIn):
            await set_password("admin", OTHER_PASSWORD, actor=SYSTEM)
        with pytest.raises(AccountNotFound):
            await set_password("nobody", OTHER_PASSWORD, actor=desk)
        with pytest.raises(WeakPassword) as weak:
            await set_password("alice", "alice12345", actor=desk)
        assert weak.value.reasons
        assert isinstance(await world.try_password("boss"), CompletedSignIn)
        assert isinstance(await world.try_password("alice"), CompletedSignIn)
        refused = [json.loads(details)["reason"] for event, outcome, details in await world.events() if outcome == "refused"]
        assert any("set the password of boss" in reason for reason in refused)


async def test_own_password_is_changed_with_the_present_one_and_other_sessions_end():
    async with sqlite_world() as world:
        await world.person("alice")
        here, there = await world.signed_in("alice"), await world.signed_in("alice")
        actor = here.signed_in.actor
        with pytest.raises(PasswordRefused):
            await world.credentials.change_password("wrong", OTHER_PASSWORD, actor=actor)
        with pytest.raises(WeakPassword):
            await world.credentials.change_password(PASSWORD, "short", actor=actor)
        assert await world.refreshed(there) is not None
        await world.credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=actor)
        assert await world.refreshed(here) is not None
        assert await world.refreshed(there) is None
        assert isinstance(await world.try_password("alice", OTHER_PASSWORD), CompletedSignIn)


async def test_present_password_cannot_be_guessed_from_a_stolen_session():
    async with sqlite_world() as world:
        actor = await world.actor("alice")
        for _ in range(5):
            with pytest.raises(PasswordRefused):
                await world.credentials.change_password("wrong", OTHER_PASSWORD, actor=actor)
        with pytest.raises(RateLimited):
            await world.credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=actor)


async def test_weak_new_passwords_do_not_count_as_guesses():
    async with sqlite_world() as world:
        actor = await world.actor("alice")
        for _ in range(8):
            with pytest.raises(WeakPassword):
                await world.credentials.change_password(PASSWORD, "password1234", actor=actor)
        await world.credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=actor)
        assert isinstance(await world.try_password("alice", OTHER_PASSWORD), CompletedSignIn)


async def test_second_factor_counts_from_its_first_code_on():
    async with sqlite_world() as world:
        actor = await world.actor("alice")
        with pytest.raises(PasswordRefused):
            await world.credentials.begin_totp("wrong", actor=actor)
        made = await world.credentials.begin_totp(PASSWORD, label="phone", actor=actor)
        assert made.secret not in repr(made)
        assert made.uri.startswith("otpauth://totp/Example:alice@example.org?secret=")
        assert isinstance(await world.try_password("alice"), CompletedSignIn)
        with pytest.raises(CodeRefused):
            await world.credentials.confirm_totp("000000", actor=actor)
        import base64

        secret = base64.b32decode(made.secret)
        code = world.code(secret)
        await world.credentials.confirm_totp(code, actor=actor)
        asked = await world.try_password("alice")
        assert isinstance(asked, SecondFactorRequired)
        with pytest.raises(CodeRefused):
            await world.sign_in.with_totp(asked.pending_token, code, address="", user_agent="")
        listed = await world.credentials.list_of(actor.id, actor=actor)
        assert [(held.kind, held.label) for held in listed] == [(CredentialKind.PASSWORD, ""), (CredentialKind.TOTP, "phone")]


async def test_shared_secret_is_sealed_in_the_database():
    async with sqlite_world() as world:
        from sealwright.identity.store import credentials_of

        await world.person("alice")
        secret = await world.with_totp("alice")
        alice = await world.directory.find("alice")
        assert alice is not None
        stored = await credentials_of(world.db, alice.id)
        assert all(secret not in held.secret for held in stored)
        assert len(stored) == 2


async def test_new_enrolment_replaces_one_that_was_not_confirmed():
    async with sqlite_world() as world:
        actor = await world.actor("alice")
        import base64

        first = await world.credentials.begin_totp(PASSWORD, actor=actor)
        second = await world.credentials.begin_totp(PASSWORD, actor=actor)
        with pytest.raises(CodeRefused):
            await world.credentials.confirm_totp(world.code(base64.b32decode(first.secret)), actor=actor)
        await world.credentials.confirm_totp(world.code(base64.b32decode(second.secret)), actor=actor)
        third = await world.credentials.begin_totp(PASSWORD, actor=actor)
        assert (second.label, third.label) == ("authenticator", "authenticator 2")


async def test_either_of_two_second_factors_signs_in_and_there_is_a_limit():
    async with sqlite_world() as world:
        actor = await world.actor("alice")
        import base64

        secrets = []
        for _ in range(5):
            made = await world.credentials.begin_totp(PASSWORD, actor=actor)
            secrets.append(base64.b32decode(made.secret))
            await world.credentials.confirm_totp(world.code(secrets[-1]), actor=actor)
        with pytest.raises(TooManyCredentials):
            await world.credentials.begin_totp(PASSWORD, actor=actor)
        world.clock.advance(timedelta(minutes=1))
        for secret in secrets:
            asked = await world.try_password("alice")
            assert isinstance(asked, SecondFactorRequired)
            await world.sign_in.with_totp(asked.pending_token, world.code(secret), address="", user_agent="")


async def test_own_second_factor_is_removed_with_the_password():
    async with sqlite_world() as world:
        actor = await world.actor("alice")
        await world.with_totp("alice")
        factor = (await world.credentials.list_of(actor.id, actor=actor))[-1]
        with pytest.raises(PasswordRefused):
            await world.credentials.remove_totp(factor.id, "wrong", actor=actor)
        for wrong in ("nonsense", (await world.credentials.list_of(actor.id, actor=actor))[0].id):
            with pytest.raises(CredentialNotFound):
                await world.credentials.remove_totp(wrong, PASSWORD, actor=actor)
        await world.credentials.remove_totp(factor.id, PASSWORD, actor=actor)
        assert isinstance(await world.try_password("alice"), CompletedSignIn)


async def test_second_factor_of_others_is_reset_within_ones_authority():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.person("boss", "system_admins")
        await world.with_totp("alice")
        await world.with_totp("boss")
        desk = await world.actor("desk", "idm_people_admins")
        removed = await world.credentials.remove_second_factors("alice", actor=desk)
        assert (removed.second_factors_removed, removed.passkeys_removed) == (1, 0)
        assert isinstance(await world.try_password("alice"), CompletedSignIn)
        with pytest.raises(BeyondOwnAuthority):
            await world.credentials.remove_second_factors("boss", actor=desk)
        with pytest.raises(NotPermitted):
            await world.credentials.remove_second_factors("desk", actor=desk)
        with pytest.raises(NotPermitted):
            await world.credentials.remove_second_factors("desk", actor=(await world.signed_in("alice")).signed_in.actor)
        assert isinstance(await world.try_password("boss"), SecondFactorRequired)


async def test_credentials_of_others_are_listed_with_a_permission():
    async with sqlite_world() as world:
        alice = await world.actor("alice")
        mallory = await world.actor("mallory")
        with pytest.raises(NotPermitted):
            await world.credentials.list_of(alice.id, actor=mallory)
        desk = await world.actor("desk", "idm_people_admins")
        assert len(await world.credentials.list_of(alice.id, actor=desk)) == 1


async def test_recovered_account_has_a_new_strong_password_and_nothing_of_the_old():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.with_totp("alice")
        before = await world.try_password("alice")
        assert isinstance(before, SecondFactorRequired)
        for _ in range(6):
            with pytest.raises((SignInRefused, RateLimited)):
                await world.try_password("alice", "wrong")
        recovered = await world.credentials.recover_account("alice@example.org")
        assert recovered.password is not None
        assert recovered.password not in repr(recovered)
        done = await world.try_password("alice", recovered.password)
        assert isinstance(done, CompletedSignIn)
        assert recovered.password not in "".join(str(row) for row in await world.audit.newest(world.db))
        kinds = [event for event, _, _ in await world.events(f"person:{recovered.account.id}")]
        assert "account.recovered" in kinds


async def test_recovery_ends_sessions_and_takes_a_given_password_that_is_strong():
    async with sqlite_world() as world:
        await world.person("alice")
        before = await world.signed_in("alice")
        with pytest.raises(WeakPassword) as weak:
            await world.credentials.recover_account("alice", "password1234")
        assert weak.value.reasons
        assert await world.refreshed(before) is not None
        assert (await world.credentials.recover_account("alice", OTHER_PASSWORD)).password is None
        assert await world.refreshed(before) is None
        assert isinstance(await world.try_password("alice", OTHER_PASSWORD), CompletedSignIn)


async def test_recovery_says_what_it_cannot_do():
    async with sqlite_world() as world:
        await world.person("alice")
        await world.directory.disable("alice", actor=SYSTEM)
        with pytest.raises(AccountNotUsable, match="is disabled"):
            await world.credentials.recover_account("alice")
        with pytest.raises(AccountNotFound, match="'nobody'"):
            await world.credentials.recover_account("nobody")


async def test_crowd_of_new_passwords_is_turned_away_and_the_rest_are_set():
    async with sqlite_world() as world:
        await world.person("alice")
        outcomes = await asyncio.gather(
            *(world.credentials.set_password("alice", OTHER_PASSWORD, actor=SYSTEM) for _ in range(40)),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, Unavailable) for outcome in outcomes) == 40 - 16
        assert sum(isinstance(outcome, CredentialReset) for outcome in outcomes) == 16
        await world.credentials.set_password("alice", PASSWORD, actor=SYSTEM)
        assert isinstance(await world.try_password("alice"), CompletedSignIn)
