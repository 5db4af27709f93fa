"""Why a token of another issuer would be taken or refused, told without using it up."""

from typing import Any

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.errors import NotPermitted
from sealwright.oauth.trusted_issuers.issuer_assertions import Check
from sealwright.outbound import OutboundFailed
from tests.oauth_world import members
from tests.signing import signing_key
from tests.unit.oauth.trusted_issuers.test_jwt_bearer import GITHUB, GITHUB_CLAIMS, jobs


async def explained(made: Any, assertion: str, actor: Actor = SYSTEM) -> Any:
    return await made.world.server.assertion_explanations.explain(assertion, actor=actor)


async def test_explanation_names_the_rule_that_counts_and_uses_nothing_up():
    async with jobs() as made:
        wide = await made.trust.add_rule("github", client="jobs", conditions={"repository": "example/*"}, actor=SYSTEM)
        other = await made.trust.add_rule("github", client="jobs", conditions={"ref": "refs/tags/*"}, actor=SYSTEM)
        assertion = made.assertion(GITHUB_CLAIMS)
        for _ in range(2):
            found = await explained(made, f"\n{assertion}\n")
            assert found.failed is None
            assert (found.issuer, found.issuer_url, found.subject) == ("github", GITHUB, GITHUB_CLAIMS["sub"])
            assert [(each.rule.id, each.counts, [str(one) for one in each.lacking]) for each in found.rules] == [
                (made.rule.id, True, []),
                (wide.id, False, []),
                (other.id, False, ["ref is refs/heads/main, not refs/tags/*"]),
            ]
        assert members(await made.present(assertion))["scope"] == "deploy read"
        [issued] = await made.issued()
        assert issued["rule"] == found.rules[0].rule.id
        assert (await explained(made, assertion)).failed is Check.USE


async def test_rule_of_each_client_is_judged_by_itself():
    async with jobs() as made:
        await made.world.public_client("more", scopes=("deploy",))
        second = await made.trust.add_rule("github", client="more", conditions={"repository": "example/*"}, actor=SYSTEM)
        found = await explained(made, made.assertion(GITHUB_CLAIMS))
        assert [(each.rule.id, each.counts) for each in found.rules] == [(made.rule.id, True), (second.id, True)]


@pytest.mark.parametrize(
    ("changes", "failed", "words"),
    [
        ({"iss": "https://evil.example.org"}, Check.ISSUER, "not trusted here"),
        ({"iss": None}, Check.ISSUER, "iss"),
        ({"aud": "https://other.example.org"}, Check.AUDIENCE, "meant for"),
        ({"exp": 1}, Check.TIMES, "expired"),
        ({"exp": None}, Check.TIMES, "when it expires"),
        ({"exp": 4_000_000_000}, Check.TIMES, "longer than 24 hours"),
        ({"nbf": 3_000_000_000}, Check.TIMES, "not valid before"),
        ({"sub": None}, Check.SUBJECT, "sub"),
        ({"jti": 7}, Check.USE, "jti"),
        ({"ref": "refs/heads/evil"}, Check.RULE, "No rule of the trusted issuer github fits"),
    ],
)
async def test_check_that_fails_is_the_one_that_the_token_endpoint_refuses_for(changes, failed, words):
    async with jobs() as made:
        assertion = made.assertion(GITHUB_CLAIMS, **changes)
        found = await explained(made, assertion)
        assert (found.failed, words in found.detail) == (failed, True)
        assert (await made.present(assertion)).status == 400


async def test_text_that_is_no_token_and_one_by_another_key_fail_before_anything_that_they_say_is_believed():
    async with jobs() as made:
        for text in ("", "nothing", "a.b.c", "x" * 40_000):
            assert (await explained(made, text)).failed is Check.FORMAT
        forged = await explained(made, made.assertion(GITHUB_CLAIMS, key=signing_key("ES256")))
        assert forged.failed in (Check.KEYS, Check.SIGNATURE)
        assert (forged.subject, forged.rules) == ("", ())


async def test_keys_that_cannot_be_fetched_are_told_as_such():
    async with jobs() as made:
        await made.trust.create("gitlab", "https://gitlab.example.org", jwks_uri="https://gitlab.example.org/keys", actor=SYSTEM)
        made.world.outbound.answers["https://gitlab.example.org/keys"] = OutboundFailed("It cannot be reached.")
        found = await explained(made, made.assertion({**GITHUB_CLAIMS, "iss": "https://gitlab.example.org"}))
        assert (found.failed, found.issuer) == (Check.KEYS, "gitlab")
        assert "cannot be fetched" in found.detail


async def test_explanation_is_for_those_who_may_read_clients():
    async with jobs() as made:
        stranger = Actor("person", "p", "p", Permissions())
        with pytest.raises(NotPermitted):
            await explained(made, made.assertion(GITHUB_CLAIMS), stranger)
        reader = Actor("person", "p", "p", Permissions(frozenset({Permission.CLIENT_READ})))
        assert (await explained(made, made.assertion(GITHUB_CLAIMS), reader)).failed is None
