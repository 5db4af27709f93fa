"""Providers that lie, fail or change while someone signs in: each gives nothing, and the record says which check decided."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.access import SYSTEM
from sealwright.errors import Unavailable
from sealwright.identity import ProviderInput, SignOnRefused
from sealwright.identity.upstream.models import DowngradeRule
from sealwright.jose import base64url
from sealwright.outbound import OutboundFailed, OutboundResponse
from tests.foreign_provider import ISSUER
from tests.scripted_outbound import json_answer
from tests.signing import signing_key
from tests.unit.identity.upstream.world import upstream_world


async def decided(world):
    """What the newest row of the record says: event, outcome, check and reason."""
    event, outcome, details = (await world.events())[0]
    details = json.loads(details)
    return event, outcome, details["failure_category"], details["reason"]


def secret_of_the_client(_):
    return b"s3cret"


def public_key_as_pem(world):
    return world.provider.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


FORGED = {
    "none": ("none", None, "alg_rejected"),
    "no signature": ("ES256", None, "signature_invalid"),
    "HS256 with the client's secret": ("HS256", secret_of_the_client, "alg_rejected"),
    "HS512 with the client's secret": ("HS512", secret_of_the_client, "alg_rejected"),
    "HS256 with the public key": ("HS256", public_key_as_pem, "alg_rejected"),
}


@pytest.mark.parametrize(("algorithm", "key", "reason"), FORGED.values(), ids=FORGED)
async def test_token_that_anyone_could_make_is_refused_though_the_provider_offers_its_algorithm(algorithm, key, reason):
    async with upstream_world() as world:
        world.provider.discovery["id_token_signing_alg_values_supported"] = ["ES256", "HS256", "HS512", "none"]
        world.provider.publish()
        made = await world.with_mapping("engineers", "r-operator", downgrade_rule=DowngradeRule.INTERSECTION)
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        query = world.provider.answer(begun.location)
        header = {"alg": algorithm, "kid": world.provider.key.id}
        parts = [base64url(json.dumps(each).encode()) for each in (header, world.provider.claims(begun.location))]
        digest = hashlib.sha512 if algorithm == "HS512" else hashlib.sha256
        signature = b"" if key is None else hmac.new(key(world), ".".join(parts).encode(), digest).digest()
        forged = ".".join([*parts, base64url(signature)])
        world.provider.outbound.answers[f"{ISSUER}/token"] = json_answer({"access_token": "at", "id_token": forged})
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(query, begun.cookie)
        assert caught.value.reason == reason
        assert (await decided(world))[:3] == ("oidc_login.failed", "refused", reason)
        assert await world.directory.find("alice") is None


TOKEN_ENDPOINTS = {
    "down": (OutboundFailed(f"{ISSUER}/token cannot be reached: the connection was refused or lost."), "cannot be reached"),
    "slow": (OutboundFailed(f"{ISSUER}/token did not answer within 10 seconds."), "did not answer within"),
    "redirect": (OutboundResponse(302, {"location": "https://evil.example/token"}, b""), "status 302"),
    "rubbish": (OutboundResponse(200, {}, b"\xff<html>"), "gave no tokens"),
    "deep": (OutboundResponse(200, {}, b'{"a":' + b"[" * 100_000), "gave no tokens"),
    "no object": (json_answer(["id_token"]), "gave no tokens"),
    "refusal": (json_answer({"error": "invalid_grant"}, status=400), "status 400 with invalid_grant"),
    "fault": (json_answer({}, status=500), "status 500"),
    "no ID token": (json_answer({"access_token": "at"}), "gave no ID token"),
    "ID token of another type": (json_answer({"id_token": 7}), "gave no ID token"),
}


@pytest.mark.parametrize(("answer", "told"), TOKEN_ENDPOINTS.values(), ids=TOKEN_ENDPOINTS)
async def test_token_endpoint_that_is_down_slow_redirects_or_answers_rubbish_is_told_and_on_record(answer, told):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        query = world.provider.answer(begun.location)
        world.provider.outbound.answers[f"{ISSUER}/token"] = answer
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(query, begun.cookie)
        assert told in caught.value.detail
        assert "evil.example" not in "".join(world.provider.outbound.calls), "a redirect is followed nowhere"
        assert await decided(world) == ("oidc_login.failed", "refused", "token_endpoint_refused", caught.value.detail)


DISCOVERIES = {
    "down": OutboundFailed("it cannot be reached: the connection was refused or lost."),
    "redirect": OutboundResponse(302, {"location": "https://evil.example/"}, b""),
    "rubbish": OutboundResponse(200, {}, b"\xff<html>"),
}


@pytest.mark.parametrize("answer", DISCOVERIES.values(), ids=DISCOVERIES)
async def test_provider_that_fails_before_the_sign_in_begins_is_told_and_on_record(answer):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        world.clock.advance(timedelta(hours=13))  # beyond what is kept of it
        world.provider.outbound.answers[f"{ISSUER}/.well-known/openid-configuration"] = answer
        with pytest.raises(Unavailable) as caught:
            await world.sign_on.begin(made.id, return_to="/", address="192.0.2.9")
        assert await decided(world) == ("oidc_login.failed", "refused", "jwks_unreachable", caught.value.detail)
        (record,) = await world.app.parts.sign_in_records.newest(at_most=5, actor=SYSTEM)
        assert (record.reason, record.detail) == ("jwks_unreachable", caught.value.detail)


CHANGES = {
    "issuer with a slash more": ({"issuer": ISSUER + "/"}, "issuer_mismatch", "every character counts"),
    "no place to sign in": ({"authorization_endpoint": ""}, "endpoints_not_usable", "no authorization_endpoint with https"),
    "tokens without TLS": (
        {"token_endpoint": "http://sso.example.com/t"},
        "endpoints_not_usable",
        "no token_endpoint with https",
    ),
}


@pytest.mark.parametrize(("change", "reason", "told"), CHANGES.values(), ids=CHANGES)
async def test_provider_that_says_something_else_of_itself_than_when_it_was_stored_signs_no_one_in(change, reason, told):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/")
        query = world.provider.answer(begun.location)
        world.provider.discovery |= change
        world.provider.publish()
        await world.providers.refresh(made.id, actor=SYSTEM)
        for step in (world.sign_on.begin(made.id, return_to="/"), world.complete(query, begun.cookie)):
            with pytest.raises(SignOnRefused, match=told) as caught:
                await step
            assert caught.value.reason == reason
            assert (await decided(world))[:3] == ("oidc_login.failed", "refused", reason)
        assert world.provider.outbound.forms == []


async def test_sign_in_with_a_provider_that_is_switched_off_is_on_record():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        await world.providers.update(made.id, ProviderInput(enabled=False), actor=SYSTEM)
        with pytest.raises(SignOnRefused):
            await world.sign_on.begin(made.id, return_to="/", address="192.0.2.9")
        assert (await decided(world))[2] == "provider_disabled"


async def test_provider_may_change_its_keys_while_a_person_is_there():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        world.provider.key = signing_key()
        query = world.provider.answer(begun.location)
        with pytest.raises(SignOnRefused) as caught:  # it signs with the new key before it publishes it
            await world.complete(query, begun.cookie)
        assert caught.value.reason == "signature_invalid"
        assert (await decided(world))[2] == "signature_invalid"
        world.clock.advance(timedelta(seconds=31))
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        world.provider.publish()
        done = await world.complete(world.provider.answer(begun.location), begun.cookie)
        assert done.completed.signed_in.account.name == "alice"


async def test_callback_that_is_replayed_crossed_between_browsers_or_late_is_on_record():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        rows = []

        async def refused(query, cookie):
            with pytest.raises(SignOnRefused) as caught:
                await world.complete(query, cookie)
            rows.append((await decided(world))[2])
            assert "Begin again" in caught.value.hint

        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        query = world.provider.answer(begun.location)
        await world.complete(query, begun.cookie)
        await refused(query, begun.cookie)
        begun, other = [await world.sign_on.begin(made.id, return_to="/ui/account") for _ in range(2)]
        await refused(world.provider.answer(begun.location), other.cookie)
        world.clock.advance(timedelta(minutes=10, seconds=1))
        await refused(world.provider.answer(other.location), other.cookie)
        assert rows == ["pre_login_consume_failed", "state_mismatch", "pre_login_consume_failed"]
        assert len(await world.app.parts.sign_in_records.newest(at_most=9, actor=SYSTEM)) == 1
