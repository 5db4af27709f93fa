"""Passkeys: what is registered signs in, and every response with something wrong in it is refused, without a session."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sealwright.access import SYSTEM
from sealwright.identity import CredentialNotFound, LabelTaken, PasskeyRefused, RelyingParty, TooManyCredentials
from sealwright.identity.passkeys.passkeys import MAX_PASSKEYS
from tests.software_authenticator import BE, BS, UP, UV, SoftwareAuthenticator, encode
from tests.unit.identity.world import OTHER_PASSWORD, PASSWORD, World, sqlite_world

ORIGIN = "https://id.example.org"
RP_ID = "id.example.org"
BROWSER = "secret of the browser"


def authenticator(**values):
    return SoftwareAuthenticator(ORIGIN, RP_ID, **values)


async def signed_in_actor(world: World, name="alice"):
    if await world.directory.find(name) is None:
        await world.person(name)
    return (await world.signed_in(name)).signed_in.actor


async def register(world, actor, device, label="", **wrong):
    options = await world.passkeys.creation_options(actor=actor)
    return await world.passkeys.register(device.create(options, **wrong), label=label, actor=actor)


async def sign_in(world, response, **where):
    return await world.passkeys.sign_in(response, **({"binding": BROWSER, "address": "192.0.2.1", "user_agent": "test"} | where))


def respond(world, device, **wrong):
    return device.get(world.passkeys.request_options(BROWSER), **wrong)


@pytest.mark.parametrize(
    ("flags", "methods"),
    [(UP | UV, ("hwk", "user", "mfa")), (UP | UV | BE | BS, ("swk", "user", "mfa"))],
    ids=["bound", "synchronized"],
)
async def test_registered_passkey_signs_in_without_a_password(flags, methods):
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator(flags=flags)
        made = await register(world, actor, device, "Laptop")
        done = await sign_in(world, respond(world, device))
        assert done.signed_in.account.name == "alice"
        assert done.signed_in.session.methods == methods
        (listed,) = await world.passkeys.list_of(actor.id, actor=actor)
        assert (listed.id, listed.label, listed.last_used_at) == (made.id, "Laptop", world.clock.now())


async def test_options_ask_for_a_discoverable_passkey_with_user_verification_and_without_attestation():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator()
        await register(world, actor, device)
        options = await world.passkeys.creation_options(actor=actor)
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert options["attestation"] == "none"
        assert options["rp"]["id"] == RP_ID
        assert [each["id"] for each in options["excludeCredentials"]] == [encode(device.credential_id)]
        asked = world.passkeys.request_options(BROWSER)
        assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == (RP_ID, "required", [])


WRONG_REGISTRATIONS = {
    "another origin": ({"origin": "https://evil.example"}, "origin"),
    "another port": ({"origin": f"{ORIGIN}:8443"}, "origin"),
    "another rp id": ({"rp_id": "evil.example"}, "RP ID"),
    "no user verification": ({"flags": UP}, "user verification"),
    "no user presence": ({"flags": UV}, "presence"),
    "a sign-in response": ({"type": "webauthn.get"}, "type"),
    "a made-up challenge": ({"challenge": encode(bytes(56))}, "challenge"),
    "a short challenge": ({"challenge": encode(b"short")}, "challenge"),
    "an algorithm that was not offered": ({"cose": {3: -37}}, "alg"),
    "no key": ({"cose": {-2: b""}}, ""),
}


@pytest.mark.parametrize(("wrong", "reason"), WRONG_REGISTRATIONS.values(), ids=WRONG_REGISTRATIONS.keys())
async def test_registration_with_something_wrong_is_refused_and_stores_nothing(wrong, reason):
    async with sqlite_world() as world:
        actor = await signed_in_actor(world)
        with pytest.raises(PasskeyRefused) as refusal:
            await register(world, actor, authenticator(), **wrong)
        assert reason.lower() in refusal.value.reasons[0].lower()
        assert await world.passkeys.list_of(actor.id, actor=actor) == ()


WRONG_SIGN_INS = {
    "another origin": ({"origin": "https://evil.example"}, "origin"),
    "another rp id": ({"rp_id": "evil.example"}, "RP ID"),
    "no user verification": ({"flags": UP}, "user verification"),
    "no user presence": ({"flags": UV}, "present"),
    "a registration response": ({"type": "webauthn.create"}, "type"),
    "a made-up challenge": ({"challenge": encode(bytes(56))}, "challenge"),
    "a forged signature": ({"key": ec.generate_private_key(ec.SECP256R1())}, "signature"),
    "a counter that went back": ({"sign_count": 1}, "sign count"),
    "a counter that fell to zero": ({"sign_count": 0}, "sign count"),
    "the handle of another account": ({"user_handle": bytes(16)}, "another account"),
}


@pytest.mark.parametrize(("wrong", "reason"), WRONG_SIGN_INS.values(), ids=WRONG_SIGN_INS.keys())
async def test_sign_in_with_something_wrong_is_refused_and_audited(wrong, reason):
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator()
        await register(world, actor, device)
        before = await world.sessions.count_of(actor.id)
        with pytest.raises(PasskeyRefused) as refusal:
            await sign_in(world, respond(world, device, **wrong))
        assert reason.lower() in refusal.value.reasons[0].lower()
        assert await world.sessions.count_of(actor.id) == before
        assert await sign_in(world, respond(world, device))


BROKEN = {
    "nothing": "",
    "no object": "[]",
    "no JSON": "{",
    "empty": "{}",
    "no strings": json.dumps({"id": 1, "rawId": 2, "type": 3, "response": 4}),
    "no base64": json.dumps({"id": "%", "rawId": "%", "type": "public-key", "response": {"clientDataJSON": "%"}}),
    "too long": json.dumps({"id": "x" * 20_000}),
    "nested": "[" * 5_000 + "]" * 5_000,
    "surrogates": '{"id": "\\ud800"}',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
async def test_text_that_is_no_response_is_refused_on_both_ceremonies(text):
    async with sqlite_world() as world:
        actor = await signed_in_actor(world)
        with pytest.raises(PasskeyRefused):
            await world.passkeys.register(text, label="", actor=actor)
        with pytest.raises(PasskeyRefused):
            await sign_in(world, text)


async def test_broken_attestation_object_is_refused():
    async with sqlite_world() as world:
        actor = await signed_in_actor(world)
        device = authenticator()
        for attestation in ({"fmt": "tpm", "attStmt": {}}, {"fmt": "made-up", "attStmt": {}}, {"fmt": 7}, {}):
            device.attestation = attestation
            with pytest.raises(PasskeyRefused):
                await register(world, actor, device)


async def test_response_that_was_used_signs_no_one_in_again():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator(counts=False)
        await register(world, actor, device)
        response = respond(world, device)
        await sign_in(world, response)
        with pytest.raises(PasskeyRefused) as refusal:
            await sign_in(world, response)
        assert refusal.value.reasons == ("the challenge was used before",)


async def test_registration_response_works_once():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator()
        response = device.create(await world.passkeys.creation_options(actor=actor))
        made = await world.passkeys.register(response, label="first", actor=actor)
        await world.passkeys.remove(made.id, actor=actor)
        with pytest.raises(PasskeyRefused) as refusal:
            await world.passkeys.register(response, label="second", actor=actor)
        assert refusal.value.reasons == ("the challenge was used before",)


async def test_challenge_serves_only_the_browser_and_session_it_was_made_for_and_expires():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator()
        await register(world, actor, device)
        with pytest.raises(PasskeyRefused, match="not accepted"):
            await sign_in(world, respond(world, device), binding="another browser")
        options = await world.passkeys.creation_options(actor=actor)
        other = await signed_in_actor(world)
        with pytest.raises(PasskeyRefused):
            await world.passkeys.register(authenticator(credential_id=b"other").create(options), label="", actor=other)
        late = respond(world, device)
        world.clock.advance(timedelta(minutes=5))
        with pytest.raises(PasskeyRefused) as refusal:
            await sign_in(world, late)
        assert "expired" in refusal.value.reasons[0]


async def test_passkey_of_a_disabled_account_signs_no_one_in():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator()
        await register(world, actor, device)
        await world.directory.disable("alice", actor=SYSTEM)
        with pytest.raises(PasskeyRefused):
            await sign_in(world, respond(world, device))
        assert await world.sessions.count_of(actor.id) == 0


async def test_removed_passkey_signs_no_one_in():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator()
        made = await register(world, actor, device)
        await world.passkeys.remove(made.id, actor=actor)
        with pytest.raises(PasskeyRefused) as refusal:
            await sign_in(world, respond(world, device))
        assert refusal.value.reasons == ("the passkey is not registered here",)


async def test_reset_of_the_password_removes_passkeys_and_a_change_of_it_keeps_them():
    async with sqlite_world() as world:
        actor = await signed_in_actor(world)
        await register(world, actor, authenticator())
        await world.credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=actor)
        assert len(await world.passkeys.list_of(actor.id, actor=actor)) == 1
        await world.credentials.set_password("alice", PASSWORD, actor=SYSTEM)
        assert await world.passkeys.list_of(actor.id, actor=actor) == ()


async def test_passkeys_have_names_of_their_own_and_a_limit():
    async with sqlite_world() as world:
        actor = await signed_in_actor(world)
        made = [await register(world, actor, authenticator(credential_id=b"%d" % n), f"key {n}") for n in range(MAX_PASSKEYS)]
        with pytest.raises(TooManyCredentials):
            await register(world, actor, authenticator(credential_id=b"more"), "more")
        with pytest.raises(LabelTaken):
            await world.passkeys.rename(made[0].id, "key 1", actor=actor)
        await world.passkeys.rename(made[0].id, "Laptop", actor=actor)
        labels = [each.label for each in await world.passkeys.list_of(actor.id, actor=actor)]
        assert sorted(labels) == sorted(["Laptop", *(f"key {n}" for n in range(1, MAX_PASSKEYS))])


async def test_passkey_of_another_person_can_be_neither_renamed_nor_removed():
    async with sqlite_world() as world:
        alice, bob = await signed_in_actor(world), await signed_in_actor(world, "bob")
        made = await register(world, alice, authenticator())
        with pytest.raises(CredentialNotFound):
            await world.passkeys.rename(made.id, "mine", actor=bob)
        with pytest.raises(CredentialNotFound):
            await world.passkeys.remove(made.id, actor=bob)
        with pytest.raises(PasskeyRefused, match="not accepted"):
            await register(world, bob, authenticator())
        assert [each.label for each in await world.passkeys.list_of(alice.id, actor=alice)] == ["passkey"]


@pytest.mark.parametrize(
    ("origin", "usable"),
    [
        ("https://id.example.org:8443", True),
        ("https://localhost:8443", True),
        ("https://127.0.0.1", False),
        ("https://[::1]:8443", False),
    ],
)
def test_passkeys_are_offered_where_the_host_is_a_name(origin, usable):
    assert RelyingParty("Example", origin).usable == usable


async def test_removed_passkey_keeps_no_session_but_the_one_it_is_removed_in():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator(counts=False)
        made = await register(world, actor, device)
        by_passkey = await sign_in(world, respond(world, device))
        by_password = await world.signed_in("alice")
        await world.passkeys.remove(made.id, actor=actor)
        assert await world.refreshed(by_passkey) is None
        assert await world.refreshed(by_password) is not None
        ended = await world.sessions.session(by_passkey.signed_in.session.id)
        assert ended is not None
        assert ended.revoked_at is not None  # applications with offline_access do not outlive it


async def test_session_in_which_its_own_passkey_is_removed_goes_on_and_nothing_outlives_it():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator(counts=False)
        made = await register(world, actor, device)
        by_passkey = await sign_in(world, respond(world, device))
        await world.passkeys.remove(made.id, actor=by_passkey.signed_in.actor)
        assert await world.refreshed(by_passkey) is not None
        still = await world.sessions.session(by_passkey.signed_in.session.id)
        assert still is not None
        assert still.revoked_at is not None


async def test_reset_of_the_second_factor_by_others_removes_passkeys_and_ones_own_new_password_keeps_them():
    async with sqlite_world() as world:
        actor, device = await signed_in_actor(world), authenticator(counts=False)
        await register(world, actor, device)
        await world.credentials.change_password(PASSWORD, OTHER_PASSWORD, actor=actor)
        await sign_in(world, respond(world, device))
        await world.credentials.remove_second_factors("alice", actor=SYSTEM)
        with pytest.raises(PasskeyRefused):
            await sign_in(world, respond(world, device))
