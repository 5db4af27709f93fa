"""Tokens of trusted issuers for access tokens (RFC 7523, section 2.1), as Kubernetes, GitHub and GitLab make them."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.clock import to_seconds
from sealwright.errors import InvalidInput, NotPermitted
from sealwright.jose import jwk_of, sign
from sealwright.oauth.errors import TrustedIssuerExists, TrustedIssuerUnknown
from sealwright.outbound import OutboundFailed
from tests.machines_world import key_set, machines_world, refused
from tests.oauth_world import ORIGIN, basic, members
from tests.scripted_outbound import json_answer
from tests.signing import signing_key
from tests.unit.oauth.dpop.test_bound_tokens import JKT, proof

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GITHUB, GITLAB, CLUSTER = (
    "https://token.actions.githubusercontent.com",
    "https://gitlab.example.org",
    "https://kubernetes.default.svc",
)
KEY, OTHER_KEY = signing_key("ES256"), signing_key("RS256")
KUBERNETES_CLAIMS = {
    "iss": CLUSTER,
    "sub": "system:serviceaccount:shop:deployer",
    "aud": [ORIGIN],
    "kubernetes.io": {
        "namespace": "shop",
        "pod": {"name": "deployer-7c9", "uid": "0b9c8a52-3a55-4a36-9d35-6f0a2f0d1c11"},
        "serviceaccount": {"name": "deployer", "uid": "5d0d5d8d-5d0d-4d8d-9d0d-5d0d5d8d5d0d"},
    },
}
GITHUB_CLAIMS = {
    "iss": GITHUB,
    "sub": "repo:example/shop:ref:refs/heads/main",
    "aud": ORIGIN,
    "jti": "a1",
    "repository": "example/shop",
    "repository_owner": "example",
    "ref": "refs/heads/main",
    "ref_protected": "true",
    "workflow": "deploy",
    "actor": "octocat",
    "event_name": "push",
    "run_id": "1234567890",
    "runner_environment": "github-hosted",
}
GITLAB_CLAIMS = {
    "iss": GITLAB,
    "sub": "project_path:example/shop:ref_type:branch:ref:main",
    "aud": ORIGIN,
    "jti": "b1",
    "project_path": "example/shop",
    "namespace_path": "example",
    "ref": "main",
    "ref_type": "branch",
    "ref_protected": "true",
    "user_login": "alice",
}


class Jobs:
    """A public client for jobs, a service account, and issuers that are trusted."""

    def __init__(self, world: Any, robot: Any) -> None:
        self.world = world
        self.robot = robot
        self.trust = world.server.trusted_issuers
        self.rule: Any = None

    def assertion(self, claims: dict[str, Any], *, key: Any = KEY, header: Any = None, **changes: Any) -> str:
        now = to_seconds(self.world.clock.now())
        said = {"iat": now, "nbf": now, "exp": now + 600} | claims | changes
        return sign(key, {name: value for name, value in said.items() if value is not None}, header=header)

    async def present(self, assertion: str, headers: Any = None, **form: str) -> Any:
        asked = {"grant_type": JWT_BEARER, "client_id": "jobs", "assertion": assertion} | form
        return await self.world.token(headers, **asked)

    async def claims(self, token: str) -> Any:
        return (await self.world.verified(token, "jobs")).claims

    async def issued(self) -> list[Any]:
        return [each for _, _, each in await self.world.events("token.issued") if each["grant_type"] == JWT_BEARER]

    async def is_active(self, token: str) -> bool:
        """By the confidential client, which may ask."""
        return bool(members(await self.world.post("/oauth2/token/introspect", {"token": token}, self.secret))["active"])

    secret: Any = None


@asynccontextmanager
async def jobs(**options):
    async with machines_world(**options) as world:
        robot = await world.directory.create_service_account("robot", "Robot", managed_by=None, actor=SYSTEM)
        await world.directory.add_members("users", ["robot"], actor=SYSTEM)
        await world.public_client("jobs", scopes=("deploy", "read", "openid"))
        await world.server.clients.change("jobs", {"assertion_grant": True}, actor=SYSTEM)
        made = Jobs(world, robot)
        world.outbound.add_provider(GITHUB, KEY)
        await made.trust.create("github", GITHUB, actor=SYSTEM)
        made.rule = await made.trust.add_rule(
            "github",
            client="jobs",
            conditions={"repository": "example/shop", "ref": "refs/heads/main"},
            service_account="robot",
            actor=SYSTEM,
        )
        yield made


async def test_token_of_a_github_job_becomes_an_access_token_of_a_service_account():
    async with jobs() as made:
        answer = members(await made.present(made.assertion(GITHUB_CLAIMS)))
        assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 600, "deploy read")
        assert not {"refresh_token", "id_token", "issued_token_type"} & set(answer)
        claims = await made.claims(answer["access_token"])
        assert (claims["sub"], claims["client_id"]) == (made.robot.id, "jobs")
        [issued] = await made.issued()
        assert issued["rule"] == made.rule.id
        assert (issued["issuer"], issued["assertion_subject"]) == ("github", GITHUB_CLAIMS["sub"])


async def test_token_of_a_gitlab_job_speaks_of_the_client_where_the_rule_names_no_service_account():
    async with jobs() as made:
        made.world.outbound.answers[f"{GITLAB}/oauth/discovery/keys"] = json_answer(key_set(KEY))
        await made.trust.create("gitlab", GITLAB, jwks_uri=f"{GITLAB}/oauth/discovery/keys", actor=SYSTEM)
        conditions = {"project_path": "example/*", "ref_protected": "true"}
        rule = {"conditions": conditions, "scopes": ("deploy",), "lifetime": timedelta(minutes=30), "actor": SYSTEM}
        await made.trust.add_rule("gitlab", client="jobs", **rule)
        answer = members(await made.present(made.assertion(GITLAB_CLAIMS)))
        assert (answer["expires_in"], answer["scope"]) == (1800, "deploy")
        claims = await made.claims(answer["access_token"])
        assert claims["sub"] not in (made.robot.id, "jobs")
        assert claims["exp"] - claims["iat"] == 1800


async def test_token_of_a_kubernetes_service_account_is_verified_with_listed_keys_and_taken_until_it_ends():
    async with jobs() as made:
        keys = {"keys": [jwk_of(OTHER_KEY.public_key, OTHER_KEY.id, "RS256")]}
        await made.trust.create("cluster", CLUSTER, jwks=keys, reusable=True, actor=SYSTEM)
        conditions = {"sub": "system:serviceaccount:shop:*", "/kubernetes.io/serviceaccount/name": "deployer"}
        await made.trust.add_rule("cluster", client="jobs", conditions=conditions, service_account="robot", actor=SYSTEM)
        assertion = made.assertion(KUBERNETES_CLAIMS, key=OTHER_KEY)
        for _ in range(2):
            assert members(await made.present(assertion))["scope"] == "deploy read"
        made.world.clock.advance(timedelta(minutes=12))
        assert refused(await made.present(assertion)) == (400, "invalid_grant")
        assert not [each for each in made.world.outbound.calls if each.startswith(CLUSTER)]


async def test_access_token_is_bound_to_the_key_that_the_job_proves():
    async with jobs() as made:
        await made.world.server.clients.change("jobs", {"dpop_bound_access_tokens": True}, actor=SYSTEM)
        assertion = made.assertion(GITHUB_CLAIMS)
        assert refused(await made.present(assertion)) == (400, "invalid_dpop_proof")
        answer = members(await made.present(assertion, proof(made.world)))
        assert answer["token_type"] == "DPoP"
        assert (await made.claims(answer["access_token"]))["cnf"] == {"jkt": JKT}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iss": "https://evil.example.org"}, "not trusted here"),
        ({"iss": None}, "iss"),
        ({"aud": "https://other.example.org"}, "meant for"),
        ({"aud": None}, "meant for"),
        ({"exp": None}, "when it expires"),
        ({"exp": 1}, "expired"),
        ({"exp": 4_000_000_000}, "longer than 24 hours"),
        ({"nbf": 3_000_000_000}, "not valid before"),
        ({"sub": None}, "sub"),
        ({"jti": 7}, "jti"),
        ({"ref": "refs/heads/evil"}, "ref is refs/heads/evil"),
        ({"repository": "evil/shop", "ref": None}, "ref is missing"),
    ],
)
async def test_assertion_that_does_not_fit_is_refused_in_words_and_the_record_says_what_decided(changes, words):
    async with jobs() as made:
        answer = await made.present(made.assertion(GITHUB_CLAIMS, **changes))
        assert refused(answer) == (400, "invalid_grant")
        assert words in members(answer)["error_description"]
        [reason] = await made.world.reasons()
        assert words in reason
        assert not await made.issued()


async def test_what_a_rule_wants_is_told_to_the_record_and_not_to_whoever_has_a_token_of_the_issuer():
    async with jobs() as made:
        strange = made.assertion(GITHUB_CLAIMS, repository="evil/shop", ref="refs/heads/evil")
        text = members(await made.present(strange))["error_description"]
        assert "repository is evil/shop, that ref is refs/heads/evil" in text
        assert "example/shop" not in text
        assert "refs/heads/main" not in text
        [(_, _, details)] = await made.world.events("token.refused")
        assert details["lacking"] == [
            "repository is evil/shop, not example/shop",
            "ref is refs/heads/evil, not refs/heads/main",
        ]
        assert details["nearest_rule"] == made.rule.id


async def test_refusals_that_differ_in_what_the_assertion_says_alone_share_a_row():
    async with jobs() as made:
        for number in range(5):
            answer = await made.present(made.assertion(GITHUB_CLAIMS, iss=f"https://evil-{number}.example.org"))
            assert refused(answer) == (400, "invalid_grant")
        assert len(await made.world.events("token.refused")) == 1


async def test_assertion_by_another_key_or_without_a_signature_is_refused():
    async with jobs() as made:
        unsigned = made.assertion(GITHUB_CLAIMS).rpartition(".")[0] + "."
        for assertion in (made.assertion(GITHUB_CLAIMS, key=signing_key("ES256")), unsigned, "nothing", "a.b.c"):
            assert refused(await made.present(assertion)) == (400, "invalid_grant")
        assert refused(await made.present("")) == (400, "invalid_request")
        assert not await made.issued()


async def test_access_token_or_id_token_of_this_server_is_no_assertion():
    async with jobs() as made:
        token = members(await made.present(made.assertion(GITHUB_CLAIMS)))["access_token"]
        assert refused(await made.present(token)) == (400, "invalid_grant")
        for url in (ORIGIN, f"{ORIGIN}/oauth2/openid/jobs"):
            with pytest.raises(InvalidInput):
                await made.trust.create("own", url, actor=SYSTEM)


async def test_assertion_is_used_once_on_every_node_whatever_else_it_says():
    async with jobs() as made:
        first, second = made.assertion(GITHUB_CLAIMS), made.assertion(GITHUB_CLAIMS, run_id="2")
        other = Jobs(made.world.other_machines(), made.robot)
        answers = await asyncio.gather(*(each.present(first) for each in (made, other, made, other)))
        assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
        answer = await other.present(second)
        assert refused(answer) == (400, "invalid_grant")
        assert "used before" in members(answer)["error_description"]
        assert len(await made.issued()) == 1
        without = made.assertion(GITHUB_CLAIMS, jti=None)
        assert [(await made.present(without)).status for _ in range(2)] == [200, 400]


async def test_grant_has_to_be_allowed_to_the_client_and_rules_are_for_one_client():
    async with jobs() as made:
        secret = await made.world.client("other", scopes=("deploy",))
        asked = {"grant_type": JWT_BEARER, "assertion": made.assertion(GITHUB_CLAIMS)}
        answer = await made.world.token(basic("other", secret), **asked)
        assert refused(answer) == (400, "unauthorized_client")
        assert "enable-assertion-grant other" in members(answer)["error_description"]
        await made.world.server.clients.change("other", {"assertion_grant": True}, actor=SYSTEM)
        answer = await made.world.token(basic("other", secret), **asked)
        assert refused(answer) == (400, "invalid_grant")
        assert "--client other" in members(answer)["error_description"]
        assert (await made.present(asked["assertion"])).status == 200  # it was not used up


async def test_confidential_client_authenticates_as_it_is_registered_as_well():
    async with jobs() as made:
        await made.world.client("other", scopes=("deploy",), assertion_grant=True)
        form = {"grant_type": JWT_BEARER, "assertion": made.assertion(GITHUB_CLAIMS), "client_id": "other"}
        assert refused(await made.world.token(**form)) == (401, "invalid_client")


async def test_scopes_are_those_of_the_rule_and_of_the_maps_and_no_others():
    async with jobs() as made:
        asked = {"jti": "s"}
        answers = [
            await made.present(made.assertion(GITHUB_CLAIMS, **asked), scope=scope)
            for scope in ("write", "openid", 'bad"', "read")
        ]
        assert [refused(answer)[1] for answer in answers[:3]] == ["invalid_scope"] * 3
        assert members(answers[3])["scope"] == "read"
        target = await made.present(made.assertion(GITHUB_CLAIMS, jti="t"), resource="https://elsewhere.example.org/")
        assert refused(target) == (400, "invalid_target")


async def disable(made):
    await made.world.directory.disable("robot", actor=SYSTEM)


async def delete_account(made):
    await made.world.directory.delete("robot", actor=SYSTEM)


async def leave(made):
    await made.world.directory.remove_members("users", ["robot"], actor=SYSTEM)


async def delete_rule(made):
    await made.trust.delete_rule("github", made.rule.id, actor=SYSTEM)


async def delete_issuer(made):
    await made.trust.delete("github", actor=SYSTEM)


@pytest.mark.parametrize("end", [disable, delete_account, leave, delete_rule, delete_issuer], ids=lambda each: each.__name__)
async def test_what_was_made_ends_with_the_account_the_rule_and_the_trust(end):
    async with jobs() as made:
        secret = await made.world.client("agents", scopes=("deploy",), assertion_grant=True)
        made.secret = basic("agents", secret)
        made.rule = await made.trust.add_rule(
            "github", client="agents", conditions={"repository": "example/shop"}, service_account="robot", actor=SYSTEM
        )
        form = {"grant_type": JWT_BEARER, "assertion": made.assertion(GITHUB_CLAIMS)}
        token = members(await made.world.token(made.secret, **form))["access_token"]
        assert await made.is_active(token)
        await end(made)
        assert not await made.is_active(token)
        form["assertion"] = made.assertion(GITHUB_CLAIMS, jti="next")
        assert (await made.world.token(made.secret, **form)).status == 400


async def test_issuer_that_cannot_be_reached_is_told_as_such_and_uses_nothing_up():
    async with jobs() as made:
        keys = f"{GITLAB}/keys"
        await made.trust.create("gitlab", GITLAB, jwks_uri=keys, actor=SYSTEM)
        await made.trust.add_rule("gitlab", client="jobs", conditions={"ref": "main"}, actor=SYSTEM)
        made.world.outbound.answers[keys] = OutboundFailed(f"{keys} leads to a private address, which is not allowed.")
        answer = await made.present(made.assertion(GITLAB_CLAIMS))
        assert refused(answer) == (400, "invalid_grant")
        assert "cannot be fetched" in members(answer)["error_description"]
        made.world.outbound.answers[keys] = json_answer(key_set(KEY))
        made.world.clock.advance(timedelta(seconds=6))
        assert (await made.present(made.assertion(GITLAB_CLAIMS))).status == 200


def actor_with(*permissions):
    return Actor("person", "p", "p", Permissions(frozenset(permissions)))


async def test_only_those_who_may_change_clients_and_people_say_whose_tokens_speak_of_whom():
    async with jobs() as made:
        clients, reader = actor_with(Permission.CLIENT_WRITE), actor_with(Permission.CLIENT_READ)
        rule = {"client": "jobs", "conditions": {"ref": "x"}}
        with pytest.raises(NotPermitted):
            await made.trust.create("x", "https://x.example.org", actor=reader)
        with pytest.raises(NotPermitted):
            await made.trust.add_rule("github", **rule, service_account="robot", actor=clients)
        with pytest.raises(NotPermitted):
            await made.trust.delete("github", actor=reader)
        assert (await made.trust.add_rule("github", **rule, actor=clients)).account_id is None
        refusals = [each for each in await made.world.events("trusted_issuer.rule_added") if each[1] == "refused"]
        assert len(refusals) == 1


async def test_tokens_do_not_come_to_speak_of_a_service_account_that_may_do_more_than_who_adds_the_rule():
    async with jobs() as made:
        await made.world.app.parts.identity.roles.grant("r-viewer", person="robot", actor=SYSTEM)
        both = actor_with(Permission.CLIENT_WRITE, Permission.PERSON_WRITE)
        rule = {"client": "jobs", "conditions": {"ref": "x"}, "service_account": "robot"}
        with pytest.raises(NotPermitted) as caught:
            await made.trust.add_rule("github", **rule, actor=both)
        assert "robot" in caught.value.detail
        assert len((await made.trust.get("github", actor=SYSTEM)).rules) == 1
        assert (await made.trust.add_rule("github", **rule, actor=SYSTEM)).account_id == made.robot.id


async def test_what_cannot_be_trusted_is_refused_in_words():
    async with jobs() as made:
        with pytest.raises(TrustedIssuerExists):
            await made.trust.create("github", "https://x.example.org", actor=SYSTEM)
        with pytest.raises(TrustedIssuerExists):
            await made.trust.create("again", GITHUB, actor=SYSTEM)
        wrong: tuple[Any, ...] = ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, {"jwks": {}}, {"jwks_uri": "x", "jwks": {}})
        for keys in wrong:
            with pytest.raises(InvalidInput):
                await made.trust.create("x", "https://x.example.org", **keys, actor=SYSTEM)
        for rule in ({"service_account": "idm_admin"}, {"service_account": "no"}, {"lifetime": timedelta(hours=2)}):
            with pytest.raises(InvalidInput):
                await made.trust.add_rule("github", client="jobs", conditions={"ref": "x"}, **rule, actor=SYSTEM)
        with pytest.raises(TrustedIssuerUnknown):
            await made.trust.delete_rule("github", "no", actor=SYSTEM)
        found = await made.trust.get("github", actor=SYSTEM)
        assert [each.id for each in found.rules] == [made.rule.id]
