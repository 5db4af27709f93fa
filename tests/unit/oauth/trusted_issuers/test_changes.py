"""Changes of a trusted issuer and of its rules in place: what they end, who may make them, and what the record has of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.errors import InvalidInput, NotPermitted
from sealwright.jose import jwk_of, thumbprint
from sealwright.oauth.errors import TrustedIssuerUnknown
from tests.machines_world import refused
from tests.oauth_world import ORIGIN, basic, members
from tests.unit.oauth.trusted_issuers.test_jwt_bearer import GITHUB, GITHUB_CLAIMS, JWT_BEARER, KEY, OTHER_KEY, jobs

KEYS = {"keys": [jwk_of(KEY.public_key, KEY.id, "ES256")]}
BOTH_KEYS = {"keys": [*KEYS["keys"], jwk_of(OTHER_KEY.public_key, OTHER_KEY.id, "RS256")]}
OTHER_KEYS = {"keys": BOTH_KEYS["keys"][1:]}


@asynccontextmanager
async def agents() -> AsyncIterator[Any]:
    """The same rule for a confidential client, which may ask about its tokens."""
    async with jobs() as made:
        made.secret = basic("agents", await made.world.client("agents", scopes=("deploy", "read"), assertion_grant=True))
        made.rule = await made.trust.add_rule(
            "github",
            client="agents",
            conditions={"repository": "example/shop", "ref": "refs/heads/main"},
            service_account="robot",
            actor=SYSTEM,
        )
        yield made


async def answered(made: Any, token_id: str, **changes: Any) -> Any:
    """What is returned for a token of a job of the agents."""
    assertion = made.assertion(GITHUB_CLAIMS, jti=token_id, **changes)
    return members(await made.world.token(made.secret, grant_type=JWT_BEARER, assertion=assertion))


async def given(made: Any, token_id: str, **changes: Any) -> str:
    """The access token of that."""
    return str((await answered(made, token_id, **changes))["access_token"])


def administrator(*permissions: Permission) -> Actor:
    return Actor("person", "carol", "carol@example.org", Permissions(frozenset(permissions)))


async def test_one_more_key_of_an_issuer_counts_at_once_and_ends_nothing():
    async with agents() as made:
        await made.trust.update("github", jwks=KEYS, actor=SYSTEM)
        held = await given(made, "a1")
        assert (await answered(made, "a2", key=OTHER_KEY))["error"] == "invalid_grant"
        await made.trust.update("github", jwks=BOTH_KEYS, actor=SYSTEM)
        await given(made, "a2", key=OTHER_KEY)
        assert await made.is_active(held)
        assert "used before" in (await answered(made, "a1"))["error_description"]


@pytest.mark.parametrize(
    "change",
    [
        {"jwks": OTHER_KEYS},
        {"jwks": None, "jwks_uri": "https://token.actions.githubusercontent.com/keys"},
        {"jwks": None},
        {"audience": "https://other.example.org"},
    ],
)
async def test_what_was_given_ends_with_the_key_or_audience_that_it_may_have_come_by(change):
    async with agents() as made:
        await made.trust.update("github", jwks=BOTH_KEYS, actor=SYSTEM)
        held = await given(made, "a1")
        assert await made.is_active(held)
        after = await made.trust.update("github", **change, actor=SYSTEM)
        assert not await made.is_active(held)
        assert made.rule.id in {rule.id for rule in after.rules}


@pytest.mark.parametrize("change", [{"jwks": KEYS}, {"audience": "https://other.example.org"}])
async def test_nothing_is_given_for_what_was_verified_as_an_issuer_said_before_a_change(change):
    async with agents() as made:
        keys = f"{GITHUB}/keys"
        made.world.outbound.delays[keys] = 0.1
        asking = asyncio.create_task(answered(made, "a1"))
        while keys not in made.world.outbound.calls and not asking.done():  # noqa: ASYNC110 - a list of calls has no event
            await asyncio.sleep(0)
        await made.trust.update("github", **change, actor=SYSTEM)
        assert not asking.done()
        assert "was changed while" in (await asking)["error_description"]
        assert await made.issued() == []
        presented_again = await answered(made, "a1", aud=change.get("audience", ORIGIN))  # nothing was used up
        assert await made.is_active(presented_again["access_token"])


async def test_tokens_are_verified_as_the_change_says_from_then_on():
    async with jobs() as made:
        await made.trust.update("github", jwks=OTHER_KEYS, audience="https://other.example.org", reusable=True, actor=SYSTEM)
        assert refused(await made.present(made.assertion(GITHUB_CLAIMS, key=OTHER_KEY))) == (400, "invalid_grant")
        said = {"aud": "https://other.example.org"}
        assert refused(await made.present(made.assertion(GITHUB_CLAIMS, **said))) == (400, "invalid_grant")
        assertion = made.assertion(GITHUB_CLAIMS, key=OTHER_KEY, **said)
        for _ in range(2):
            assert "access_token" in members(await made.present(assertion))
        await made.trust.update("github", audience=None, reusable=False, actor=SYSTEM)
        assert (await made.trust.get("github", actor=SYSTEM)).issuer.audience == ORIGIN
        assert refused(await made.present(assertion)) == (400, "invalid_grant")


async def test_rule_with_other_conditions_or_scopes_ends_what_it_gave_and_with_another_lifetime_nothing():
    async with agents() as made:
        held = await given(made, "a1")
        changed = await made.trust.update_rule("github", made.rule.id, lifetime=timedelta(minutes=2), actor=SYSTEM)
        assert (changed.id, changed.lifetime) == (made.rule.id, timedelta(minutes=2))
        assert await made.is_active(held)
        for change in ({"scopes": ("read",)}, {"conditions": {"repository": "example/*"}}):
            held = await given(made, str(change))
            assert await made.is_active(held)
            await made.trust.update_rule("github", made.rule.id, **change, actor=SYSTEM)
            assert not await made.is_active(held)
        answer = await answered(made, "a9", repository="example/other")
        assert (answer["scope"], answer["expires_in"]) == ("read", 120)


async def test_rule_keeps_its_place_before_those_that_were_added_later():
    async with jobs() as made:
        later = await made.trust.add_rule("github", client="jobs", conditions={"repository": "other/*"}, actor=SYSTEM)
        await made.trust.update_rule("github", made.rule.id, conditions={"repository": "example/shop"}, actor=SYSTEM)
        found = (await made.trust.get("github", actor=SYSTEM)).rules
        assert [each.id for each in found] == [made.rule.id, later.id]


async def test_record_has_what_is_different_and_of_listed_keys_their_thumbprints():
    async with jobs() as made:
        await made.trust.update("github", jwks=KEYS, reusable=True, actor=SYSTEM)
        await made.trust.update_rule("github", made.rule.id, scopes=("read",), actor=SYSTEM)
        [(_, _, details)] = await made.world.events("trusted_issuer.updated")
        assert details["name"] == "github"
        assert details["tokens_ended"] is True
        assert details["changes"] == {
            "keys": {"old": "by discovery", "new": [thumbprint(KEY.public_key)]},
            "reusable": {"old": False, "new": True},
        }
        [(_, _, details)] = await made.world.events("trusted_issuer.rule_updated")
        assert (details["rule"], details["client"], details["service_account"]) == (made.rule.id, "jobs", "robot")
        assert details["changes"] == {"scope": {"old": "", "new": "read"}}


async def test_change_to_what_is_there_already_is_none():
    async with agents() as made:
        held = await given(made, "a1")
        await made.trust.update("github", audience=ORIGIN, jwks=None, reusable=False, actor=SYSTEM)
        await made.trust.update_rule("github", made.rule.id, conditions=made.rule.conditions, actor=SYSTEM)
        assert await made.is_active(held)
        assert await made.world.events("trusted_issuer.updated") == []
        assert await made.world.events("trusted_issuer.rule_updated") == []


async def test_who_may_not_make_tokens_of_a_service_account_changes_no_issuer_or_rule_that_lets_tokens_speak_of_it():
    async with jobs() as made:
        carol = administrator(Permission.CLIENT_WRITE)
        with pytest.raises(NotPermitted, match="person:write"):
            await made.trust.update("github", jwks=OTHER_KEYS, actor=carol)
        with pytest.raises(NotPermitted, match="person:write"):
            await made.trust.update_rule("github", made.rule.id, conditions={"sub": "mine"}, actor=carol)
        held = await made.trust.get("github", actor=SYSTEM)
        assert (held.issuer.jwks, held.rules) == (None, [made.rule])
        refusals = [*await made.world.events("trusted_issuer.updated"), *await made.world.events("trusted_issuer.rule_updated")]
        assert [outcome for _, outcome, _ in refusals] == ["refused", "refused"]
        await made.trust.delete_rule("github", made.rule.id, actor=SYSTEM)
        assert (await made.trust.update("github", jwks=OTHER_KEYS, actor=carol)).issuer.jwks == OTHER_KEYS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"audience": ""}, "not an audience"),
        ({"jwks": {"keys": []}}, "keys"),
        ({"jwks_uri": "keys"}, "not a URL"),
        ({"jwks": KEYS, "jwks_uri": "https://ci.example.org/keys"}, "Both jwks_uri and jwks"),
    ],
)
async def test_issuer_is_not_changed_to_what_could_not_be_listed(change, words):
    async with jobs() as made:
        with pytest.raises(InvalidInput, match=words):
            await made.trust.update("github", **change, actor=SYSTEM)
        assert await made.world.events("trusted_issuer.updated") == []
        assert "access_token" in members(await made.present(made.assertion(GITHUB_CLAIMS)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"conditions": {}}, "0 conditions"),
        ({"conditions": {"sub": "**"}}, "fit everyone"),
        ({"scopes": ("de\\ploy",)}, "scope"),
        ({"lifetime": timedelta(hours=2)}, "cannot last"),
    ],
)
async def test_rule_is_not_changed_to_what_could_not_be_added(change, words):
    async with jobs() as made:
        with pytest.raises(InvalidInput, match=words):
            await made.trust.update_rule("github", made.rule.id, **change, actor=SYSTEM)
        assert (await made.trust.get("github", actor=SYSTEM)).rules == [made.rule]


async def test_issuer_or_rule_that_is_not_there_is_not_changed():
    async with jobs() as made:
        for name in ("other", "Not A Name"):
            with pytest.raises(TrustedIssuerUnknown):
                await made.trust.update(name, reusable=True, actor=SYSTEM)
        with pytest.raises(TrustedIssuerUnknown, match="has no rule"):
            await made.trust.update_rule("github", "x", scopes=(), actor=SYSTEM)
