import asyncio
from datetime import timedelta

import pytest

from sealwright.clock import FixedClock, Instant
from sealwright.jose import JWT, KeyUnknown, jwk_of, sign, verify
from sealwright.openid_providers import (
    FAILURE_PAUSE,
    LONGEST_LIFE,
    SHORTEST_LIFE,
    UNKNOWN_KEY_PAUSE,
    USUAL_LIFE,
    LocalProvider,
    ProviderMetadata,
    ProviderUnavailable,
    TrustedProviders,
)
from sealwright.outbound import OutboundResponse
from tests.scripted_outbound import ScriptedOutbound, json_answer
from tests.signing import signing_key, verification_key

ISSUER = "https://id.example.org/oauth2/openid/step"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
KEYS_AT = "https://keys.example.net/jwks"
FIRST, SECOND = signing_key(), signing_key()
TICK = timedelta(milliseconds=1)


def key_set(*keys):
    return {"keys": [jwk_of(key.public_key, key.id, key.algorithm) for key in keys]}


def document(**members):
    usual = {"issuer": ISSUER, "jwks_uri": KEYS_AT, "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256"]}
    return {name: value for name, value in {**usual, **members}.items() if value is not None}


async def nothing_local(endpoint):
    return None


class Scene:
    def __init__(self):
        self.clock = FixedClock(Instant(1_800_000_000_000))
        self.outbound = ScriptedOutbound({DISCOVERY: json_answer(document()), KEYS_AT: json_answer(key_set(FIRST))})
        self.providers = TrustedProviders(self.outbound, self.clock, nothing_local)

    def ask(self, kid=FIRST.id, endpoint=ISSUER, **more):
        return asyncio.run(self.providers.keys_for(endpoint, kid, **more))

    def expect_refused(self, words, kid=FIRST.id, **more):
        with pytest.raises(ProviderUnavailable, match=words):
            self.ask(kid, **more)

    def calls(self):
        made, self.outbound.calls = self.outbound.calls, []
        return made


def test_metadata_and_keys_are_fetched_once_and_kept():
    scene = Scene()
    metadata, keys = scene.ask()
    offered = frozenset({"ES256", "RS256", "HS256"})
    assert metadata == ProviderMetadata(ISSUER, KEYS_AT, frozenset({"ES256", "RS256"}), offered=offered)
    assert keys == (verification_key(FIRST),)
    assert scene.calls() == [DISCOVERY, KEYS_AT]
    assert scene.ask() == (metadata, keys)
    assert scene.ask(None) == (metadata, keys)
    assert scene.calls() == []
    token = sign(FIRST, {"sub": "x"})
    assert verify(token, keys, typ=JWT, algorithms=metadata.algorithms).claims == {"sub": "x"}


@pytest.mark.parametrize("endpoint", [ISSUER, ISSUER + "/", DISCOVERY])
def test_endpoint_is_the_issuer_or_the_full_address(endpoint):
    scene = Scene()
    assert scene.ask(endpoint=endpoint)[0].issuer == ISSUER
    assert scene.calls() == [DISCOVERY, KEYS_AT]


def test_issuer_with_a_slash_at_its_end_is_kept_as_it_is():
    scene = Scene()
    scene.outbound.answers[DISCOVERY] = json_answer(document(issuer=ISSUER + "/"))
    assert scene.ask()[0].issuer == ISSUER + "/"


@pytest.mark.parametrize(
    ("cache_control", "life"),
    [
        ("", USUAL_LIFE),
        ("public, max-age=7200", timedelta(hours=2)),
        ("max-age=1", SHORTEST_LIFE),
        ("max-age=999999999", LONGEST_LIFE),
        ("no-store", SHORTEST_LIFE),
        ("s-maxage=5, max-age = 600", timedelta(minutes=10)),
        ("max-age=nonsense", USUAL_LIFE),
        ('max-age="300"', timedelta(minutes=5)),
    ],
)
def test_keys_are_kept_as_long_as_the_answer_says_within_bounds(cache_control, life):
    scene = Scene()
    scene.outbound.answers[DISCOVERY] = json_answer(document(), cache_control="max-age=999999999")
    scene.outbound.answers[KEYS_AT] = json_answer(key_set(FIRST), cache_control=cache_control)
    scene.ask()
    scene.calls()
    scene.clock.advance(life - TICK)
    scene.ask()
    assert scene.calls() == []
    scene.clock.advance(TICK)
    scene.ask()
    assert KEYS_AT in scene.calls()


def test_key_that_the_provider_no_longer_publishes_stops_to_verify():
    scene = Scene()
    scene.ask()
    scene.outbound.answers[KEYS_AT] = json_answer(key_set(SECOND))
    scene.clock.advance(USUAL_LIFE)
    assert scene.ask(SECOND.id)[1] == (verification_key(SECOND),)


def test_new_key_is_fetched_at_once_however_lately_the_ones_before_were():
    scene = Scene()
    scene.ask()
    scene.calls()
    scene.outbound.answers[KEYS_AT] = json_answer(key_set(SECOND))
    assert scene.ask(SECOND.id)[1] == (verification_key(SECOND),)
    assert scene.calls() == [KEYS_AT]
    scene.outbound.answers[KEYS_AT] = json_answer(key_set(FIRST))
    assert scene.ask(FIRST.id)[1] == (verification_key(FIRST),)


def test_unknown_key_makes_us_ask_again_once_and_then_rest():
    scene = Scene()
    scene.ask()
    scene.calls()
    scene.outbound.answers[KEYS_AT] = json_answer(key_set(FIRST, SECOND))
    assert len(scene.ask(SECOND.id)[1]) == 2
    assert scene.calls() == [KEYS_AT]
    for number in range(20):
        _, keys = scene.ask(f"made-up-{number}")
        with pytest.raises(KeyUnknown):
            verify(sign(signing_key(), {}), keys, typ=JWT, algorithms=frozenset({"ES256"}))
    assert scene.calls() == [KEYS_AT]
    scene.clock.advance(UNKNOWN_KEY_PAUSE)
    scene.ask("made-up")
    scene.ask("made-up")
    assert scene.calls() == [KEYS_AT]


def test_known_keys_stay_good_when_asking_for_an_unknown_one_fails():
    scene = Scene()
    scene.ask()
    scene.clock.advance(UNKNOWN_KEY_PAUSE)
    scene.outbound.answers.clear()
    scene.expect_refused("key set cannot be fetched", kid="made-up")
    assert scene.ask()[1] == (verification_key(FIRST),)


def test_provider_that_is_down_is_said_so_and_asked_again_later():
    scene = Scene()
    answers = dict(scene.outbound.answers)
    scene.outbound.answers.clear()
    scene.expect_refused(f"discovery document cannot be fetched: {DISCOVERY} cannot be reached")
    assert scene.calls() == [DISCOVERY]
    scene.expect_refused("cannot be reached")
    assert scene.calls() == []
    scene.outbound.answers.update(answers)
    scene.clock.advance(FAILURE_PAUSE)
    assert scene.ask()[0].issuer == ISSUER


def test_provider_that_goes_down_is_not_trusted_beyond_the_life_of_its_keys():
    scene = Scene()
    scene.ask()
    scene.outbound.answers.clear()
    scene.clock.advance(USUAL_LIFE - TICK)
    scene.ask()
    scene.clock.advance(TICK)
    scene.expect_refused("cannot be fetched")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (OutboundResponse(503, {}, b"{}"), "was answered with status 503"),
        (OutboundResponse(302, {"location": "https://elsewhere.example/"}, b""), "was answered with status 302"),
        (OutboundResponse(200, {}, b"<html>"), "is not a JSON object"),
        (OutboundResponse(200, {}, b"[]"), "is not a JSON object"),
        (OutboundResponse(200, {}, b"[" * 9_000), "is not a JSON object"),
        (OutboundResponse(200, {}, b"\xff\xfe"), "is not a JSON object"),
        (OutboundResponse(200, {}, b" " * 600_000), "more than 524288 bytes"),
        (json_answer(document(issuer=None)), "has no issuer"),
        (json_answer(document(issuer=7)), "has no issuer"),
        (json_answer(document(jwks_uri=None)), "has no jwks_uri"),
        (json_answer(document(jwks_uri="")), "has no jwks_uri"),
        (json_answer(document(issuer="https://evil.example.org")), "its issuer is https://evil.example.org, which is another"),
        (json_answer(document(issuer="http://id.example.org/oauth2/openid/step")), "which is another"),
        (json_answer(document(issuer=ISSUER + "2")), "which is another"),
        (json_answer(document(id_token_signing_alg_values_supported="ES256")), "does not list signature algorithms"),
        (json_answer(document(id_token_signing_alg_values_supported=["none", "HS256", 5])), "signs with no algorithm"),
    ],
)
def test_rubbish_in_place_of_a_discovery_document_is_said_in_words(answer, words):
    scene = Scene()
    scene.outbound.answers[DISCOVERY] = answer
    scene.expect_refused(words)
    scene.outbound.answers[DISCOVERY] = json_answer(document())
    scene.clock.advance(FAILURE_PAUSE)
    assert scene.ask()[0].issuer == ISSUER


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (OutboundResponse(404, {}, b""), "was answered with status 404"),
        (OutboundResponse(200, {}, b"rubbish"), "cannot be used: The key set is not a JSON object"),
        (json_answer({"keys": 5}), "cannot be used"),
        (json_answer({"keys": []}), "holds no key that can verify"),
        (json_answer({"keys": [{"kty": "oct", "k": "AAAA"}]}), "holds no key that can verify"),
    ],
)
def test_rubbish_in_place_of_a_key_set_is_said_in_words(answer, words):
    scene = Scene()
    scene.outbound.answers[KEYS_AT] = answer
    scene.expect_refused(words)


def test_algorithms_default_to_the_one_that_every_provider_has():
    scene = Scene()
    scene.outbound.answers[DISCOVERY] = json_answer(document(id_token_signing_alg_values_supported=None))
    assert scene.ask()[0].algorithms == {"RS256"}


def test_tenant_takes_its_place_in_the_issuer():
    scene = Scene()
    common = "https://login.example.com/common/v2.0"
    template = "https://login.example.com/{tenantid}/v2.0"
    scene.outbound.answers[f"{common}/.well-known/openid-configuration"] = json_answer(document(issuer=template))
    metadata, _ = scene.ask(endpoint=common, tenant_id="9122040d")
    assert metadata.issuer == "https://login.example.com/9122040d/v2.0"
    scene.expect_refused("which is another", endpoint=common, tenant_id="")
    scene.outbound.answers[f"{common}/.well-known/openid-configuration"] = json_answer(
        document(issuer="https://evil.example.org/{tenantid}")
    )
    scene.expect_refused("which is another", endpoint=common, tenant_id="other")


async def test_many_requests_at_once_share_one_fetch():
    scene = Scene()
    scene.outbound.delay = 0.01
    found = await asyncio.gather(*(scene.providers.keys_for(ISSUER, FIRST.id) for _ in range(50)))
    assert found == [await scene.providers.keys_for(ISSUER, FIRST.id)] * 50
    assert scene.calls() == [DISCOVERY, KEYS_AT]


async def test_many_requests_at_once_share_one_failure():
    scene = Scene()
    scene.outbound.answers.clear()
    scene.outbound.delay = 0.01
    asked = (scene.providers.keys_for(ISSUER, FIRST.id) for _ in range(50))
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(result) for result in results} == {ProviderUnavailable}
    assert scene.calls() == [DISCOVERY]


async def test_whoever_gives_up_waiting_does_not_spoil_it_for_the_others():
    scene = Scene()
    scene.outbound.delay = 0.02

    first = asyncio.create_task(scene.providers.keys_for(ISSUER, FIRST.id))
    second = asyncio.create_task(scene.providers.keys_for(ISSUER, FIRST.id))
    await asyncio.sleep(0.005)
    first.cancel()
    assert (await second)[1] == (verification_key(FIRST),)


def test_own_provider_is_asked_without_any_call():
    metadata = ProviderMetadata(ISSUER, KEYS_AT, frozenset({"ES256"}))

    async def local(endpoint):
        return LocalProvider(metadata, (verification_key(SECOND),)) if endpoint == DISCOVERY else None

    scene = Scene()
    scene.providers = TrustedProviders(scene.outbound, scene.clock, local)
    found, keys = scene.ask(endpoint=DISCOVERY)
    assert (found.issuer, found.local, keys) == (ISSUER, True, (verification_key(SECOND),))
    assert scene.calls() == []
    assert scene.ask()[0].local is False


def test_forgetting_makes_us_ask_anew():
    scene = Scene()
    scene.ask()
    scene.calls()
    scene.providers.forget()
    scene.ask()
    assert scene.calls() == [DISCOVERY, KEYS_AT]
