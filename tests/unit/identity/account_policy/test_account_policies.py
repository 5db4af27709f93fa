"""What groups ask of sign-ins: the strictest counts, and no one is locked out by it."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.clock import between
from sealwright.errors import InvalidInput, NotFound, NotPermitted
from sealwright.identity import (
    BeyondOwnAuthority,
    CompletedSignIn,
    CredentialAsked,
    CredentialKind,
    CredentialMinimum,
    GroupPolicy,
    SecondFactorRequired,
    SessionKind,
    StrongerCredentialNeeded,
    WeakPassword,
)
from sealwright.identity.account_policy.models import strictest
from tests.unit.identity.world import PASSWORD, World, sqlite_world

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANY, MFA, PASSKEY = CredentialMinimum.ANY, CredentialMinimum.MFA, CredentialMinimum.PASSKEY


async def in_groups(world, name, *groups):
    for group in groups:
        await world.directory.create_group(group, actor=SYSTEM)
    return await world.person(name, *groups)


async def resolved(world, done, *, even_restricted=False):
    kind = done.signed_in.session.kind
    return await world.sessions.resolve(done.token, "192.0.2.1", kind=kind, even_restricted=even_restricted)


def test_of_several_policies_the_strictest_counts():
    policies = [GroupPolicy("a", HOUR, None, MFA), GroupPolicy("b", 2 * HOUR, MINUTE, PASSKEY), GroupPolicy("c", None, HOUR, ANY)]
    found = strictest(policies)
    assert (found.auth_expiry, found.privilege_expiry) == (HOUR, MINUTE)
    assert (found.minimum, found.asked_by) == (PASSKEY, "b")
    nothing = strictest([])
    assert (nothing.auth_expiry, nothing.privilege_expiry, nothing.minimum) == (None, None, ANY)


@pytest.mark.parametrize(
    ("methods", "met"),
    [
        (("pwd",), [ANY]),
        (("pwd", "otp"), [ANY, MFA]),
        (("hwk", "user", "mfa"), [ANY, MFA, PASSKEY]),
        (("swk", "user", "mfa"), [ANY, MFA, PASSKEY]),
        ((), [ANY]),
    ],
)
def test_sign_in_meets_the_minimum_that_it_proves(methods, met):
    assert [each for each in CredentialMinimum if each.is_met_by(methods)] == met


@pytest.mark.parametrize("kind", [SessionKind.BROWSER, SessionKind.TERMINAL])
async def test_sign_in_lasts_as_the_groups_say_also_through_others(kind):
    async with sqlite_world() as world:
        await in_groups(world, "alice", "short", "long")
        await world.directory.create_group("outer", actor=SYSTEM)
        await world.directory.add_members("outer", ["short"], actor=SYSTEM)
        await world.account_policies.change("outer", auth_expiry=10 * MINUTE, actor=SYSTEM)
        await world.account_policies.change("long", auth_expiry=2 * HOUR, actor=SYSTEM)
        session = (await world.signed_in("alice", kind=kind)).signed_in.session
        assert between(session.created_at, session.expires_at) == 10 * MINUTE
        await world.account_policies.remove("outer", actor=SYSTEM)
        session = (await world.signed_in("alice", kind=kind)).signed_in.session
        assert between(session.created_at, session.expires_at) == 2 * HOUR


@pytest.mark.parametrize("kind", [SessionKind.BROWSER, SessionKind.TERMINAL])
async def test_group_never_lengthens_a_sign_in_beyond_the_settings(kind):
    async with sqlite_world() as world:
        await in_groups(world, "alice", "long")
        await world.account_policies.change("long", auth_expiry=timedelta(days=30), actor=SYSTEM)
        session = (await world.signed_in("alice", kind=kind)).signed_in.session
        assert between(session.created_at, session.expires_at) == 8 * HOUR


async def test_group_never_lengthens_the_time_for_changes_beyond_the_settings():
    async with sqlite_world() as world:
        await in_groups(world, "alice", "staff")
        await world.account_policies.change("staff", privilege_expiry=HOUR, actor=SYSTEM)
        done = await world.signed_in("alice")
        world.clock.advance(9 * MINUTE)
        assert await world.sessions.is_privileged(done.signed_in)
        world.clock.advance(2 * MINUTE)
        assert not await world.sessions.is_privileged(done.signed_in)


async def test_time_for_changes_is_that_of_the_groups_at_once():
    async with sqlite_world() as world:
        await in_groups(world, "alice", "staff")
        done = await world.signed_in("alice")
        world.clock.advance(2 * MINUTE)
        assert await world.sessions.is_privileged(done.signed_in)
        await world.account_policies.change("staff", privilege_expiry=MINUTE, actor=SYSTEM)
        assert not await world.sessions.is_privileged(done.signed_in)
        await world.account_policies.change("staff", privilege_expiry=None, actor=SYSTEM)
        assert await world.sessions.is_privileged(done.signed_in)


@pytest.mark.parametrize("minimum", [MFA, PASSKEY])
async def test_terminal_is_refused_with_the_group_that_asks_for_more(minimum):
    async with sqlite_world() as world:
        alice = await in_groups(world, "alice", "staff")
        await world.account_policies.change("staff", credential_minimum=minimum, actor=SYSTEM)
        with pytest.raises(StrongerCredentialNeeded) as refusal:
            await world.try_password("alice", kind=SessionKind.TERMINAL)
        assert "the group staff" in refusal.value.reasons[0]
        assert await world.sessions.count_of(alice.id) == 0
        assert ("session.sign_in", "refused") in [row[:2] for row in await world.events(f"person:{alice.id}")]


async def test_browser_gets_a_session_that_only_serves_to_add_what_is_asked_for():
    async with sqlite_world() as world:
        await in_groups(world, "alice", "staff")
        await world.account_policies.change("staff", credential_minimum=MFA, actor=SYSTEM)
        done = await world.signed_in("alice")
        assert done.signed_in.session.restricted
        assert await resolved(world, done) is None
        assert await resolved(world, done, even_restricted=True) is not None


async def test_second_factor_lifts_the_restriction_at_the_next_sign_in():
    async with sqlite_world() as world:
        await in_groups(world, "alice", "staff")
        await world.account_policies.change("staff", credential_minimum=MFA, actor=SYSTEM)
        secret = await world.with_totp("alice")
        for kind in (SessionKind.BROWSER, SessionKind.TERMINAL):
            asked = await world.try_password("alice", kind=kind)
            assert isinstance(asked, SecondFactorRequired)
            done = await world.sign_in.with_totp(asked.pending_token, world.code(secret), address="192.0.2.1", user_agent="")
            assert not done.signed_in.session.restricted
            assert await resolved(world, done) is not None
            world.clock.advance(MINUTE)


async def test_code_is_not_enough_where_a_passkey_is_asked_for():
    async with sqlite_world() as world:
        await in_groups(world, "alice", "staff")
        secret = await world.with_totp("alice")
        await world.account_policies.change("staff", credential_minimum=PASSKEY, actor=SYSTEM)
        asked = await world.try_password("alice", kind=SessionKind.TERMINAL)
        assert isinstance(asked, SecondFactorRequired)
        with pytest.raises(StrongerCredentialNeeded):
            await world.sign_in.with_totp(asked.pending_token, world.code(secret), address="192.0.2.1", user_agent="")


async def test_invited_person_has_to_add_what_is_asked_for_too():
    async with sqlite_world() as world:
        await world.account_policies.change("idm_all_persons", credential_minimum=MFA, actor=SYSTEM)
        await world.person("bob")
        assert (await world.signed_in("bob")).signed_in.session.restricted


async def test_built_in_account_is_never_kept_out():
    async with sqlite_world() as world:
        await world.account_policies.change("idm_all_accounts", credential_minimum=PASSKEY, actor=SYSTEM)
        await world.credentials.recover_account("admin", PASSWORD)
        done = await world.try_password("admin", kind=SessionKind.TERMINAL)
        assert isinstance(done, CompletedSignIn)


async def test_last_credential_that_is_asked_for_is_not_removed_by_its_owner():
    async with sqlite_world() as world:
        alice = await in_groups(world, "alice", "staff")
        await world.with_totp("alice")
        await world.account_policies.change("staff", credential_minimum=MFA, actor=SYSTEM)
        actor = alice.as_actor()
        (factor,) = [each for each in await world.credentials.list_of(alice.id, actor=actor) if each.kind is CredentialKind.TOTP]
        with pytest.raises(CredentialAsked):
            await world.credentials.remove_totp(factor.id, PASSWORD, actor=actor)
        assert isinstance(await world.try_password("alice"), SecondFactorRequired)
        await world.account_policies.change("staff", credential_minimum=ANY, actor=SYSTEM)
        await world.credentials.remove_totp(factor.id, PASSWORD, actor=actor)


async def test_policy_is_changed_in_part_shown_and_removed():
    async with sqlite_world() as world:
        await world.directory.create_group("staff", actor=SYSTEM)
        assert await world.account_policies.show("staff", actor=SYSTEM) is None
        await world.account_policies.change("staff", actor=SYSTEM)
        await world.account_policies.change("staff", auth_expiry=HOUR, actor=SYSTEM)
        await world.account_policies.change("staff", credential_minimum=MFA, actor=SYSTEM)
        assert await world.account_policies.show("staff", actor=SYSTEM) == GroupPolicy("staff", HOUR, None, MFA)
        await world.account_policies.change("staff", auth_expiry=None, actor=SYSTEM)
        assert await world.account_policies.show("staff", actor=SYSTEM) == GroupPolicy("staff", None, None, MFA)
        await world.account_policies.remove("staff", actor=SYSTEM)
        with pytest.raises(NotFound):
            await world.account_policies.remove("staff", actor=SYSTEM)


async def test_new_password_is_as_long_as_the_groups_ask_for_and_the_refusal_names_the_group():
    async with sqlite_world() as world:
        alice = await in_groups(world, "alice", "staff", "ops")
        await world.account_policies.change("staff", password_minimum_length=12, actor=SYSTEM)
        await world.account_policies.change("ops", password_minimum_length=30, actor=SYSTEM)
        with pytest.raises(WeakPassword) as refusal:
            await world.credentials.change_password(PASSWORD, "garnet-otter-plum-29", actor=alice.as_actor())
        assert refusal.value.reasons == (
            "it has 20 characters; 30 to 128 are allowed",
            "the group ops asks its members for 30 characters or more",
        )
        await world.account_policies.change("ops", password_minimum_length=None, actor=SYSTEM)
        await world.credentials.change_password(PASSWORD, "garnet-otter-plum-29", actor=alice.as_actor())


@pytest.mark.parametrize("length", [-1, 0, 9, 65, 1_000])
async def test_password_length_has_bounds(length):
    async with sqlite_world() as world:
        await world.directory.create_group("staff", actor=SYSTEM)
        with pytest.raises(InvalidInput, match=f"have {length} characters"):
            await world.account_policies.change("staff", password_minimum_length=length, actor=SYSTEM)


async def test_group_decides_whether_its_members_change_their_mail_and_the_one_that_forbids_counts():
    async with sqlite_world() as world:
        alice = await in_groups(world, "alice", "staff", "contractors")
        addresses = world.app.parts.identity.mail_addresses
        assert not await addresses.may_edit_own(alice.id)
        await world.account_policies.change("staff", self_mail_write=True, actor=SYSTEM)
        assert await addresses.may_edit_own(alice.id)
        changed = await addresses.set_own(["new@example.org"], actor=alice.as_actor())
        assert [each.address for each in changed.mails] == ["new@example.org"]
        await world.account_policies.change("contractors", self_mail_write=False, actor=SYSTEM)
        with pytest.raises(NotPermitted):
            await addresses.set_own(["other@example.org"], actor=alice.as_actor())


async def set_duration(world: World, setting: str, duration: timedelta) -> None:
    if setting == "auth_expiry":
        await world.account_policies.change("staff", auth_expiry=duration, actor=SYSTEM)
    else:
        await world.account_policies.change("staff", privilege_expiry=duration, actor=SYSTEM)


@pytest.mark.parametrize(("setting", "longest"), [("auth_expiry", timedelta(days=30)), ("privilege_expiry", HOUR)])
async def test_durations_have_bounds(setting: str, longest: timedelta) -> None:
    async with sqlite_world() as world:
        await world.directory.create_group("staff", actor=SYSTEM)
        for duration in (timedelta(0), MINUTE - timedelta(seconds=1), longest + timedelta(seconds=1), timedelta(seconds=-1)):
            with pytest.raises(InvalidInput):
                await set_duration(world, setting, duration)
        for duration in (MINUTE, longest):
            await set_duration(world, setting, duration)


async def test_policy_is_changed_only_by_who_may_hand_out_roles():
    async with sqlite_world() as world:
        grouper = await world.actor("grouper", "idm_group_admins")
        await world.directory.create_group("staff", managed_by="grouper", actor=SYSTEM)
        for attempt in (
            world.account_policies.change("staff", credential_minimum=ANY, actor=grouper),
            world.account_policies.change("idm_all_persons", credential_minimum=ANY, actor=grouper),
            world.account_policies.remove("system_admins", actor=grouper),
        ):
            with pytest.raises(NotPermitted):
                await attempt
        assert issubclass(BeyondOwnAuthority, NotPermitted)


async def test_no_one_is_released_from_a_policy_by_someone_with_less_authority():
    async with sqlite_world() as world:
        await world.person("root", "system_admins")
        await world.person("bob")
        for name in ("outer", "inner"):
            await world.directory.create_group(name, actor=SYSTEM)
        await world.directory.add_members("outer", ["inner"], actor=SYSTEM)
        await world.directory.add_members("inner", ["root", "bob"], actor=SYSTEM)
        await world.account_policies.change("outer", credential_minimum=PASSKEY, actor=SYSTEM)
        groups = await world.actor("carol", "idm_group_admins")
        for attempt in (
            world.directory.remove_members("inner", ["root"], actor=groups),
            world.directory.set_members("inner", ["bob"], actor=groups),
            world.directory.remove_members("outer", ["inner"], actor=groups),
            world.directory.delete_group("inner", actor=groups),
            world.directory.delete_group("outer", actor=groups),
        ):
            with pytest.raises(BeyondOwnAuthority):
                await attempt
        assert await world.directory.remove_members("inner", ["bob"], actor=groups) == ("bob",)
        admin = await world.actor("dora", "system_admins")
        await world.directory.delete_group("outer", actor=admin)


async def test_manager_of_a_group_does_not_release_themselves_from_its_policy():
    async with sqlite_world() as world:
        alice = await in_groups(world, "alice", "staff")
        await world.directory.update_group("staff", managed_by="alice", actor=SYSTEM)
        await world.account_policies.change("staff", credential_minimum=MFA, actor=SYSTEM)
        with pytest.raises(NotPermitted):
            await world.directory.remove_members("staff", ["alice"], actor=alice.as_actor())
