"""Signing in with an identity provider: what gives a session and roles, and everything that gives neither."""

import asyncio
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from sealwright.access import SYSTEM, Permission, Role, permissions_of
from sealwright.identity.upstream.acceptance import name_from
from sealwright.identity.upstream.errors import ProviderNotFound, SignOnRefused
from sealwright.identity.upstream.providers import ProviderInput
from tests.foreign_provider import CLIENT, ISSUER
from tests.signing import signing_key
from tests.unit.identity.upstream.world import upstream_world


async def refused(world, provider, **claims):
    with pytest.raises(SignOnRefused) as caught:
        await world.signed_on(provider, **claims)
    return caught.value


async def test_mapped_group_gives_its_role_which_is_in_force_at_once():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made)
        assert done.return_to == "/ui/account"
        actor = done.completed.signed_in.actor
        assert (actor.name, actor.permissions) == ("alice", permissions_of([Role.OPERATOR]))
        (row, *_) = [each for each in await world.audit.newest(world.db) if each.event == "oidc_login.succeeded"]
        assert (row.actor_id, row.actor_name, json.loads(row.details)["provider_id"]) == (actor.id, "alice", made.id)
        assert (await world.refreshed(done.completed)).permissions == permissions_of([Role.OPERATOR])


async def test_request_asks_with_pkce_state_and_nonce_and_the_code_is_redeemed_with_them():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.location).query).items()}
        assert asked["redirect_uri"].endswith("/auth/oidc/callback")
        assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", CLIENT)
        assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
        await world.complete(world.provider.answer(begun.location), begun.cookie)
        ((address, form),) = world.provider.outbound.forms
        assert address == f"{ISSUER}/token"
        assert (form["code"], form["client_secret"]) == ("c0de", "s3cret")
        assert len(form["code_verifier"]) >= 43


async def test_person_is_linked_by_issuer_and_subject_and_stored_once():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        first = await world.signed_on(made)
        second = await world.signed_on(made, preferred_username="renamed", email="alice@other.example")
        assert first.completed.signed_in.account.id == second.completed.signed_in.account.id
        assert second.completed.signed_in.account.name == "alice"


async def test_someone_of_the_same_name_or_address_gets_an_account_of_their_own():
    async with upstream_world() as world:
        alice = await world.person("alice", mails=("alice@example.com",))
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made, email="alice@example.com", email_verified=True)
        account = done.completed.signed_in.account
        assert account.id != alice.id
        assert (account.name, account.mails) == ("alice-2", ())


async def test_no_mapping_means_that_no_one_signs_in_and_no_account_is_made():
    async with upstream_world() as world:
        from tests.foreign_provider import described

        made = await world.providers.create(described(), actor=SYSTEM)
        refusal = await refused(world, made)
        assert refusal.reason == "unmapped_groups"
        assert refusal.groups == ("engineers",)
        assert await world.directory.find("alice") is None


@pytest.mark.parametrize("near", ["Engineers", "/engineers"])
async def test_group_is_compared_to_the_letter_and_the_nearest_mapping_is_named(near):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        refusal = await refused(world, made, groups=[near])
        assert refusal.reason == "unmapped_groups"
        assert refusal.hint == f"The group {near} is mapped as engineers: every character counts."


async def test_group_that_is_gone_takes_its_role_and_what_was_granted_by_hand_stays():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        await world.providers.map_group(made.id, "admins", "r-admin", actor=SYSTEM)
        done = await world.signed_on(made, groups=["engineers", "admins"])
        assert done.completed.signed_in.actor.holds(Permission.ISSUER_WRITE)
        await world.roles.grant("r-auditor", person="alice", actor=SYSTEM)
        again = await world.signed_on(made, groups=["engineers"])
        assert again.completed.signed_in.actor.permissions == permissions_of([Role.OPERATOR, Role.AUDITOR])
        assert (await world.refreshed(done.completed)).permissions == permissions_of([Role.OPERATOR, Role.AUDITOR])


async def test_empty_groups_take_every_role_and_an_absent_claim_takes_none():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made)
        assert (await refused(world, made, groups=None)).reason == "groups_missing"
        assert (await world.refreshed(done.completed)).holds(Permission.CERTIFICATE_REVOKE)
        assert (await refused(world, made, groups=[])).reason == "unmapped_groups"
        assert not (await world.refreshed(done.completed)).holds(Permission.CERTIFICATE_REVOKE)


NOW = 1_795_000_000


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": ISSUER + "/"}, "issuer_mismatch"),
        ({"aud": "another"}, "audience_mismatch"),
        ({"aud": 7}, "audience_mismatch"),
        ({"aud": [CLIENT, "another"]}, "azp_mismatch"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "azp_mismatch"),
        ({"azp": "another"}, "azp_mismatch"),
        ({"exp": NOW - 61}, "token_expired"),
        ({"exp": None}, "token_expired"),
        ({"sub": None}, "unspecified"),
        ({"iat": NOW - 301}, "iat_window"),
        ({"iat": None}, "iat_window"),
        ({"iat": NOW + 61}, "iat_window"),
        ({"nonce": "another"}, "nonce_mismatch"),
        ({"nonce": "näch"}, "nonce_mismatch"),
        ({"nonce": None}, "nonce_mismatch"),
        ({"at_hash": "AAAA"}, "at_hash_mismatch"),
        ({"at_hash": ""}, "at_hash_mismatch"),
        ({"at_hash": 7}, "at_hash_mismatch"),
        ({"groups": {"a": 1}}, "groups_missing"),
    ],
)
async def test_id_token_that_fails_a_check_gives_nothing_and_the_record_names_the_check(claims, reason):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        assert (await refused(world, made, **claims)).reason == reason
        event, outcome, details = (await world.events())[0]
        assert (event, outcome) == ("oidc_login.failed", "refused")
        assert json.loads(details)["failure_category"] == reason
        assert json.loads(details)["provider_id"] == made.id
        assert await world.directory.find("alice") is None


async def test_several_audiences_are_good_with_our_name_as_authorized_party():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made, aud=[CLIENT, "another"], azp=CLIENT)
        assert done.completed.signed_in.account.name == "alice"


async def test_token_of_another_key_and_of_an_algorithm_that_is_not_offered_is_refused():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(world.provider.answer(begun.location, key=signing_key()), begun.cookie)
        assert caught.value.reason == "signature_invalid"
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(world.provider.answer(begun.location, key=signing_key("EdDSA")), begun.cookie)
        assert caught.value.reason == "alg_rejected"


async def test_new_key_of_the_provider_is_fetched_without_help():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        world.provider.key = signing_key()
        world.provider.publish()
        world.clock.advance(timedelta(minutes=1))
        done = await world.signed_on(made)
        assert done.completed.signed_in.account.name == "alice"


async def test_answer_is_taken_once():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        query = world.provider.answer(begun.location)
        await world.complete(query, begun.cookie)
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(query, begun.cookie)
        assert caught.value.reason == "pre_login_consume_failed"


async def test_answer_that_comes_after_ten_minutes_is_refused():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        world.clock.advance(timedelta(minutes=10, seconds=1))
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(world.provider.answer(begun.location), begun.cookie)
        assert caught.value.reason == "pre_login_consume_failed"


async def test_answer_in_another_browser_is_refused_and_used_up():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun, other = [await world.sign_on.begin(made.id, return_to="/ui/account") for _ in range(2)]
        query = world.provider.answer(begun.location)
        for cookie, reason in ((other.cookie, "state_mismatch"), (begun.cookie, "pre_login_consume_failed")):
            with pytest.raises(SignOnRefused) as caught:
                await world.complete(query, cookie)
            assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("query", "reason"),
    [({}, "state_mismatch"), ({"code": "c"}, "state_mismatch"), ({"state": "x", "code": "c"}, "missing_pre_login_cookie")],
)
async def test_answer_without_a_sign_in_of_this_browser_is_refused(query, reason):
    async with upstream_world() as world:
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(query, "")
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("says", "answer", "reason"),
    [
        (True, {}, "iss_param_missing"),
        (True, {"iss": "https://evil.example"}, "iss_param_mismatch"),
        (False, {"iss": "https://evil.example"}, "iss_param_mismatch"),
        (True, {"iss": ISSUER + "/"}, "iss_param_mismatch"),
        (False, {"error": "access_denied"}, "provider_refused"),
        (False, {"code": ""}, "unspecified"),
    ],
)
async def test_response_of_another_provider_or_without_a_code_is_refused(says, answer, reason):
    async with upstream_world() as world:
        world.provider.discovery["authorization_response_iss_parameter_supported"] = says
        world.provider.publish()
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        with pytest.raises(SignOnRefused) as caught:
            await world.complete({**world.provider.answer(begun.location), **answer}, begun.cookie)
        assert caught.value.reason == reason


async def test_disabled_person_does_not_sign_in():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        await world.signed_on(made)
        await world.directory.disable("alice", actor=SYSTEM)
        assert (await refused(world, made)).reason == "user_deactivated"


async def test_disabled_provider_signs_no_one_in():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        await world.providers.update(made.id, ProviderInput(enabled=False), actor=SYSTEM)
        with pytest.raises(SignOnRefused):
            await world.sign_on.begin(made.id, return_to="/ui/account")
        assert await world.providers.offered() == []
        with pytest.raises(ProviderNotFound):
            await world.sign_on.begin("nothing", return_to="/ui/account")


async def test_ten_thousand_groups_are_read_and_the_record_stays_short():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        claims = world.provider.claims(begun.location, groups=[f"g{number}" for number in range(2_000)])
        with pytest.raises(SignOnRefused):
            await world.complete(world.provider.answer(begun.location, claims=claims), begun.cookie)
        assert len((await world.events())[0][2]) < 20_000


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Alice@example.com", "alice"),
        ("DOMAIN\\bob", "domain-bob"),
        ("çelik", "elik"),
        ("42", "person"),
        ("", "person"),
        ("a" * 100, "a" * 60),
        ("../../etc", "etc"),
    ],
)
def test_name_of_an_account_is_made_of_what_the_provider_tells(told, name):
    assert name_from(told) == name


@pytest.mark.parametrize("subject", ["a\x00b", "a\nb", "a" * 256])
async def test_subject_that_cannot_be_kept_is_refused(subject):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        assert (await refused(world, made, sub=subject)).reason == "unspecified"


async def test_texts_of_a_provider_are_kept_without_what_cannot_be_stored():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        done = await world.signed_on(made, sid="s\x00id", name="A\x00", preferred_username="a\x00b", groups=["engineers", "\x00"])
        assert done.completed.signed_in.account.name == "a-b"
        refusal = await refused(world, made, groups=["eve\x00ryone" + "x" * 5_000])
        assert refusal.detail.isprintable()
        assert len(refusal.detail) < 300


async def test_session_at_the_provider_that_goes_on_by_itself_is_no_recent_sign_in():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        now = world.clock.now() // 1000
        fresh = await world.signed_on(made, auth_time=now - 30)
        assert await world.sessions.is_privileged(fresh.completed.signed_in)
        old = await world.signed_on(made, auth_time=now - 3_600)
        assert not await world.sessions.is_privileged(old.completed.signed_in)
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        answer = world.provider.answer(begun.location, auth_time=now - 7_200)
        continued = await world.complete(answer, begun.cookie, old.completed.token)
        assert continued.completed.signed_in.session.id == old.completed.signed_in.session.id
        assert await world.refreshed(continued.completed) is not None
        assert (await refused(world, made, auth_time="yesterday")).reason == "unspecified"


@pytest.mark.parametrize("again", [True, False])
async def test_provider_is_to_ask_anew_where_someone_signs_in_again(again):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account", again=again)
        asked = parse_qs(urlsplit(begun.location).query)
        assert (asked.get("prompt"), asked.get("max_age")) == ((["login"], ["0"]) if again else (None, None))


@pytest.mark.parametrize("change", [{"enabled": False}, {"client_id": "another"}])
async def test_provider_that_is_changed_while_it_is_asked_signs_no_one_in(change):
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        answer = world.provider.answer(begun.location)
        world.provider.outbound.delays[f"{ISSUER}/token"] = 0.4
        waiting = asyncio.create_task(world.complete(answer, begun.cookie))
        await asyncio.sleep(0.1)
        assert world.provider.outbound.forms
        world.clock.advance(timedelta(milliseconds=1))
        await world.providers.update(made.id, ProviderInput(**change), actor=SYSTEM)
        with pytest.raises(SignOnRefused) as caught:
            await waiting
        assert caught.value.reason == "provider_disabled"
        assert await world.directory.find("alice") is None


async def test_answer_to_a_provider_that_was_changed_since_is_refused_before_its_code_goes_anywhere():
    async with upstream_world() as world:
        made = await world.with_mapping("engineers", "r-operator")
        begun = await world.sign_on.begin(made.id, return_to="/ui/account")
        world.clock.advance(timedelta(seconds=1))
        await world.providers.update(made.id, ProviderInput(client_id="another"), actor=SYSTEM)
        with pytest.raises(SignOnRefused) as caught:
            await world.complete(world.provider.answer(begun.location, aud="another"), begun.cookie)
        assert caught.value.reason == "provider_disabled"
        assert world.provider.outbound.forms == []
