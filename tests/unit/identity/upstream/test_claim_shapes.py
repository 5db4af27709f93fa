"""Where providers name groups: the shapes that their documentation shows, and the userinfo endpoint."""

from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.identity import ProviderInput, ProviderRefused, SignOnRefused
from sealwright.jose import jwk_of
from tests.foreign_provider import CLIENT, ISSUER, described
from tests.scripted_outbound import json_answer
from tests.signing import signing_key
from tests.unit.identity.upstream.world import upstream_world

GUID = "8f9a2b34-2f1c-4a0e-9d4c-6f6f2d1c1a11"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
ENTRA = f"https://login.microsoftonline.example/{TENANT}/v2.0"
# Of the token endpoint, these two give ID tokens without at_hash.
IN_ENTRA = {"at_hash": None, "sid": None, "oid": GUID, "tid": TENANT, "uti": "x", "rh": "0.A", "ver": "2.0", "nbf": 1}
IN_AUTH0 = {
    "at_hash": None,
    "preferred_username": None,
    "nickname": "alice",
    "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
    "sid": "q1",
}
SHAPES = {
    "Keycloak, names": (ISSUER, "groups", {"groups": ["engineers", "offline"], "azp": CLIENT, "acr": "1"}, "engineers"),
    "Keycloak, full paths": (ISSUER, "groups", {"groups": ["/company/engineers"], "azp": CLIENT}, "/company/engineers"),
    "Keycloak, realm roles": (
        ISSUER,
        "realm_access.roles",
        {"realm_access": {"roles": ["engineers", "uma_authorization"]}, "azp": CLIENT},
        "engineers",
    ),
    "Authentik": (
        "https://sso.example.com/application/o/sealwright/",
        "groups",
        {"groups": ["authentik Admins", "engineers"], "nickname": "alice", "acr": "goauthentik.io/providers/oauth2/default"},
        "authentik Admins",
    ),
    "Okta": (
        "https://staff.okta.example",
        "groups",
        {"groups": ["Everyone", "engineers"], "ver": 1, "jti": "ID.x", "amr": ["pwd"], "idp": "00oixa26ycdNcX0VT0h7"},
        "engineers",
    ),
    "Auth0": (
        "https://staff.eu.auth0.example/",
        "https://sealwright.example.org/groups",
        {"https://sealwright.example.org/groups": ["engineers"], **IN_AUTH0},
        "engineers",
    ),
    "Entra ID": (ENTRA, "groups", {"groups": [GUID], **IN_ENTRA}, GUID),
    "Entra ID, app roles": (ENTRA, "roles", {"roles": ["Operator"], **IN_ENTRA}, "Operator"),
    "Google Workspace": (
        "https://accounts.google.example",
        "hd",
        {"hd": "example.org", "email": "alice@example.org", "email_verified": True, "azp": CLIENT, "preferred_username": None},
        "example.org",
    ),
    "a group that looks like a mail address": (
        ISSUER,
        "groups",
        {"groups": ["engineering@example.com"]},
        "engineering@example.com",
    ),
}


async def refused(world, provider, **claims):
    with pytest.raises(SignOnRefused) as caught:
        await world.signed_on(provider, **claims)
    return caught.value


@pytest.mark.parametrize(("issuer", "path", "claims", "group"), SHAPES.values(), ids=SHAPES)
async def test_groups_are_read_in_the_shape_of_each_provider(issuer, path, claims, group):
    async with upstream_world(issuer) as world:
        made = await world.with_mapping(group, "r-operator", groups_claim_path=path)
        done = await world.signed_on(made, **{"groups": None, **claims})
        assert done.completed.signed_in.actor.permissions.everywhere
        (record,) = await world.app.parts.sign_in_records.newest(at_most=5, actor=SYSTEM)
        assert record.seen.mapped == ((group, "r-operator"),)


async def test_key_set_that_names_no_algorithm_verifies_as_that_of_entra_id():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        key = world.provider.key = signing_key("RS256")
        published = {name: value for name, value in jwk_of(key.public_key, key.id, "RS256").items() if name != "alg"}
        world.provider.outbound.answers[f"{ISSUER}/keys"] = json_answer({"keys": [{**published, "x5t": key.id}]})
        assert (await world.signed_on(made)).completed.signed_in.account.name == "alice"


@pytest.mark.parametrize(
    "overage",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example.com"}}},
        {"hasgroups": True},
    ],
)
async def test_group_overage_of_entra_id_is_named_and_changes_nothing(overage):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made)
        refusal = await refused(world, made, groups=None, **overage)
        assert refusal.reason == "groups_missing"
        assert "group overage" in refusal.detail
        assert "app roles" in refusal.hint
        assert (await world.refreshed(done.completed)).permissions.everywhere


async def with_userinfo(world, claims, **changes):
    world.provider.discovery["userinfo_endpoint"] = f"{ISSUER}/userinfo"
    world.provider.publish()
    world.provider.outbound.answers[f"{ISSUER}/userinfo"] = json_answer(claims)
    return await world.with_mapping("engineers", "r-operator", **{"userinfo_groups": True, **changes})


async def test_groups_of_userinfo_count_where_the_provider_is_set_so():
    async with upstream_world() as world:
        made = await with_userinfo(world, {"sub": "f4a1", "groups": ["engineers"]})
        done = await world.signed_on(made, groups=None)
        assert done.completed.signed_in.actor.permissions.everywhere
        assert world.provider.outbound.bearers == [(f"{ISSUER}/userinfo", "at")]
        (record,) = await world.app.parts.sign_in_records.newest(at_most=5, actor=SYSTEM)
        assert record.seen.source == "userinfo"


async def test_userinfo_is_not_asked_where_the_id_token_names_groups_or_it_was_not_chosen():
    async with upstream_world() as world:
        made = await with_userinfo(world, {"sub": "f4a1", "groups": ["engineers"]})
        assert (await refused(world, made, groups=[])).reason == "unmapped_groups"
        world.clock.advance(timedelta(seconds=1))
        made = await world.providers.update(made.id, ProviderInput(userinfo_groups=False), actor=SYSTEM)
        assert (await refused(world, made, groups=None)).reason == "groups_missing"
        assert world.provider.outbound.bearers == []


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"sub": "mallory", "groups": ["engineers"]}),
        json_answer({"groups": ["engineers"]}),
        json_answer({"sub": "f4a1", "groups": {"a": 1}}),
        json_answer({"sub": "f4a1", "groups": ["engineers"]}, status=401),
        json_answer(["engineers"]),
        None,
    ],
)
async def test_userinfo_of_someone_else_or_without_groups_gives_nothing(answer):
    async with upstream_world() as world:
        made = await with_userinfo(world, {})
        if answer is None:
            del world.provider.outbound.answers[f"{ISSUER}/userinfo"]
        else:
            world.provider.outbound.answers[f"{ISSUER}/userinfo"] = answer
        assert (await refused(world, made, groups=None)).reason == "groups_missing"
        assert await world.directory.find("alice") is None


async def test_provider_without_userinfo_endpoint_is_not_stored_with_groups_of_userinfo():
    async with upstream_world() as world:
        with pytest.raises(ProviderRefused) as caught:
            await world.providers.create(described(userinfo_groups=True), actor=SYSTEM)
        assert "userinfo_endpoint" in caught.value.detail


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email": "alice@Example.ORG"}, None),
        ({"email": "alice@example.org", "email_verified": True}, None),
        ({"email": "alice@sub.example.org"}, "email_domain_not_allowed"),
        ({"email": "alice@evil-example.org"}, "email_domain_not_allowed"),
        ({"email": "alice@example.org@evil.example"}, "email_domain_not_allowed"),
        ({"email": "alice@example.org", "email_verified": False}, "email_domain_not_allowed"),
        ({"email": None}, "email_missing_but_required"),
        ({"email": 7}, "email_missing_but_required"),
        ({"email": "example.org"}, "email_missing_but_required"),
    ],
)
async def test_mail_address_has_to_be_of_an_allowed_domain(claims, reason):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator", allowed_email_domains=("EXAMPLE.org",))
        assert made.allowed_email_domains == ("example.org",)
        if reason is None:
            assert (await world.signed_on(made, **claims)).completed.signed_in.account.name == "alice"
        else:
            assert (await refused(world, made, **claims)).reason == reason
            assert await world.directory.find("alice") is None


@pytest.mark.parametrize("domain", ["*.example.org", "@example.org", "example", "exa mple.org", "bücher.example", ""])
async def test_allowed_domain_that_is_none_is_refused(domain):
    async with upstream_world() as world:
        with pytest.raises(ProviderRefused):
            await world.providers.create(described(allowed_email_domains=(domain,)), actor=SYSTEM)


async def test_keys_are_kept_no_longer_than_the_provider_is_set_to():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator", jwks_cache_ttl_seconds=60)
        fetches = lambda: world.provider.outbound.calls.count(f"{ISSUER}/keys")  # noqa: E731
        before = fetches()
        world.clock.advance(timedelta(seconds=59))
        await world.sign_on.begin(made.id, return_to="/")
        assert fetches() == before
        world.clock.advance(timedelta(seconds=2))
        await world.sign_on.begin(made.id, return_to="/")
        assert fetches() == before + 1
        for wrong in (59, 43_201):
            with pytest.raises(ProviderRefused):
                await world.providers.update(made.id, ProviderInput(jwks_cache_ttl_seconds=wrong), actor=SYSTEM)


async def test_status_of_the_keys_tells_what_is_cached_and_why_it_could_not_be_fetched():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        status = await world.providers.key_status(made.id, actor=SYSTEM)
        assert [(each.id, each.algorithm) for each in status.keys] == [(world.provider.key.id, "ES256")]
        assert (status.fetched_at, status.failure) == (world.clock.now(), "")
        world.provider.outbound.answers.clear()
        world.clock.advance(timedelta(hours=2))
        status = await world.providers.key_status(made.id, actor=SYSTEM)
        assert "cannot be reached" in status.failure
        assert status.keys
