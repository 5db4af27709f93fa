"""Clients that prove themselves by an assertion."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.oauth import purge
from sealwright.outbound import OutboundFailed
from tests.machines_world import ASSERTION_TYPE, ISSUER, MACHINES, client_key, key_set, machines_world, refused
from tests.oauth_world import ORIGIN, basic, members
from tests.scripted_outbound import json_answer

URI = "https://billing.example.org/jwks"
BY_KEY = {"token_endpoint_auth_method": "private_key_jwt"}
BY_SECRET = {"token_endpoint_auth_method": "client_secret_jwt"}


async def with_key(machines, **more):
    key = client_key()
    await machines.client(**BY_KEY, jwks=key_set(key), **more)
    return key


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "RS256", "PS256", "PS512", "Ed25519"])
async def test_assertion_that_the_registered_key_signed_proves_the_client(algorithm):
    async with machines_world() as machines:
        key = client_key(algorithm)
        await machines.client(**BY_KEY, jwks=key_set(key))
        answer = await machines.own_token(**machines.assertion(key))
        assert answer.status == 200, answer.body
        assert members(answer)["scope"] == "bills:read"


async def test_client_id_may_be_left_out_and_must_not_be_another():
    async with machines_world() as machines:
        key = await with_key(machines)
        assert (await machines.own_token(**machines.assertion(key), client_id="")).status == 200
        other = await machines.own_token(**machines.assertion(key), client_id="shipping")
        assert refused(other) == (400, "invalid_request")


@pytest.mark.parametrize("audience", [ISSUER, f"{ORIGIN}/oauth2/token", f"{MACHINES}/oauth2/token"])
async def test_assertion_is_addressed_to_the_issuer_or_the_token_endpoint(audience):
    async with machines_world() as machines:
        key = await with_key(machines)
        assert (await machines.own_token(**machines.assertion(key, aud=audience))).status == 200


WRONG = {
    "other audience": ({"aud": "https://other.example.org"}, "addressed to"),
    "issuer of another client": ({"aud": f"{ORIGIN}/oauth2/openid/wiki"}, "addressed to"),
    "several audiences": ({"aud": [ISSUER, "https://other.example.org"]}, "addressed to"),
    "list of one": ({"aud": [ISSUER]}, "addressed to"),
    "no audience": ({"aud": None}, "addressed to"),
    "other issuer": ({"iss": "wiki"}, "are not both the client_id"),
    "no issuer": ({"iss": None}, "has no iss"),
    "no jti": ({"jti": None}, "has no jti"),
    "long jti": ({"jti": "x" * 257}, "257 characters"),
    "no expiry": ({"exp": None}, "does not say when it expires"),
    "numeric text": ({"exp": "soon"}, "is not a time"),
}


@pytest.mark.parametrize(("change", "reason"), WRONG.values(), ids=WRONG.keys())
async def test_assertion_that_says_something_else_proves_nothing(change, reason):
    async with machines_world() as machines:
        key = await with_key(machines)
        assert refused(await machines.own_token(**machines.assertion(key, **change))) == (401, "invalid_client")
        assert reason in (await machines.reasons())[-1]


@pytest.mark.parametrize("typ", [None, "JWT", "oauth-authz-req+jwt"])
async def test_signed_authorization_request_proves_no_client(typ):
    async with machines_world() as machines:
        key = await with_key(machines)
        header = None if typ is None else {"typ": typ}
        request = {
            "response_type": "code",
            "client_id": "billing",
            "scope": "openid",
            "redirect_uri": "https://billing.example.org",
        }
        assert refused(await machines.own_token(**machines.assertion(key, header=header, **request))) == (401, "invalid_client")


CHOSEN = {
    "audience": lambda text: {"aud": text},
    "issuer": lambda text: {"iss": text},
    "length of jti": lambda text: {"jti": "x" * (257 + len(text))},
    "times": lambda text: {"exp": len(text)},
}


@pytest.mark.parametrize("change", CHOSEN.values(), ids=CHOSEN.keys())
async def test_refusals_are_counted_together_whatever_the_caller_writes_into_an_assertion(change):
    async with machines_world() as machines:
        key = await with_key(machines)
        for text in ("https://one.example", "https://another.example.org"):
            assert refused(await machines.own_token(**machines.assertion(key, **change(text)))) == (401, "invalid_client")
        assert len(await machines.reasons()) == 1


@pytest.mark.parametrize("part", ["alg", "kid", "typ"])
async def test_refusals_are_counted_together_whatever_the_caller_writes_into_the_header(part):
    async with machines_world() as machines:
        key = await with_key(machines)
        for text in ("one", "another"):
            header = {"alg": "ES256", "kid": key.id, part: text}
            token = compact(header, machines.assertion_claims(), b"x" * 64)
            form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}
            assert refused(await machines.own_token(**form)) == (401, "invalid_client")
        assert len(await machines.reasons()) == 1


TIMES = {
    "expired within the leeway": ({"exp": -50}, True),
    "expired": ({"exp": -70}, False),
    "an hour": ({"exp": 3600}, True),
    "far future": ({"exp": 3700}, False),
    "not yet, within the leeway": ({"nbf": 8}, True),
    "not yet": ({"nbf": 70}, False),
    "issued in the future": ({"iat": 70}, False),
}


@pytest.mark.parametrize(("times", "good"), TIMES.values(), ids=TIMES.keys())
async def test_times_count_with_a_minute_for_clocks_that_differ(times, good):
    async with machines_world() as machines:
        key = await with_key(machines)
        now = machines.clock.now() // 1000
        answer = await machines.own_token(**machines.assertion(key, **{name: now + seconds for name, seconds in times.items()}))
        assert (answer.status == 200) == good, answer.body


async def test_assertion_proves_the_client_once_whatever_else_it_says_the_second_time():
    async with machines_world() as machines:
        key = await with_key(machines)
        first = machines.assertion(key, jti="one")
        assert (await machines.own_token(**first)).status == 200
        assert refused(await machines.own_token(**first)) == (401, "invalid_client")
        later = machines.assertion(key, jti="one", exp=machines.clock.now() // 1000 + 600)
        assert refused(await machines.own_token(**later)) == (401, "invalid_client")
        assert "used before" in (await machines.reasons())[0]
        answers = await asyncio.gather(*(machines.own_token(**machines.assertion(key, jti="two")) for _ in range(8)))
        assert sorted(each.status for each in answers) == [200, *[401] * 7]
        other = machines.other_node()
        elsewhere = await other.token(grant_type="client_credentials", client_id="billing", **first)
        assert elsewhere.status == 401


async def test_used_assertions_are_forgotten_once_they_would_be_refused_for_their_age():
    async with machines_world() as machines:
        key = await with_key(machines)
        await machines.own_token(**machines.assertion(key))
        assert await purge(machines.dependencies) == 0
        machines.clock.advance(timedelta(minutes=64))
        assert await purge(machines.dependencies) == 1


async def test_other_key_and_unsigned_and_symmetric_assertions_prove_nothing():
    async with machines_world() as machines:
        key = await with_key(machines)
        other = client_key()
        assert refused(await machines.own_token(**machines.assertion(other))) == (401, "invalid_client")
        claims = machines.assertion_claims()
        unsigned = compact({"alg": "none"}, claims, b"")
        public = json.dumps(key_set(key)["keys"][0]).encode()
        confused = mac({"alg": "HS256", "kid": key.id}, claims, public)
        for each in (unsigned, confused):
            answer = await machines.own_token(client_assertion=each, client_assertion_type=ASSERTION_TYPE)
            assert refused(answer) == (401, "invalid_client")
            assert "which is not allowed here" in (await machines.reasons())[-1]


async def test_registered_algorithm_is_the_only_one():
    async with machines_world() as machines:
        key = client_key("PS256")
        jwk = {name: value for name, value in key_set(key)["keys"][0].items() if name != "alg"}
        await machines.client(**BY_KEY, jwks={"keys": [jwk]}, token_endpoint_auth_signing_alg="RS256")
        assert refused(await machines.own_token(**machines.assertion(key))) == (401, "invalid_client")


@pytest.mark.parametrize(
    "form",
    [
        {"client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE},
        {"client_assertion": "x", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion": "x"},
        {"client_assertion_type": ASSERTION_TYPE},
    ],
)
async def test_what_is_no_assertion_is_an_invalid_request(form):
    async with machines_world() as machines:
        await with_key(machines)
        assert refused(await machines.own_token(**form)) == (400, "invalid_request")


async def test_assertion_beside_a_secret_is_an_invalid_request():
    async with machines_world() as machines:
        key = await with_key(machines)
        assert refused(await machines.own_token(**machines.assertion(key), client_secret="x")) == (400, "invalid_request")
        in_header = await machines.own_token(None, basic("billing", "x"), **machines.assertion(key))
        assert refused(in_header) == (400, "invalid_request")


async def test_secret_does_not_prove_a_client_that_is_registered_for_assertions():
    async with machines_world() as machines:
        await with_key(machines)
        assert refused(await machines.own_token(client_secret="x")) == (401, "invalid_client")
        assert refused(await machines.own_token()) == (401, "invalid_client")


@pytest.mark.parametrize(("registered", "works"), [("client_secret_basic", "header"), ("client_secret_post", "form")])
async def test_secret_counts_only_where_it_is_registered_to_be_sent(registered, works):
    async with machines_world() as machines:
        secret = await machines.client(token_endpoint_auth_method=registered)
        in_header = await machines.own_token(None, basic("billing", secret))
        in_form = await machines.own_token(client_secret=secret)
        statuses = {"header": in_header.status, "form": in_form.status}
        assert statuses == {each: 200 if each == works else 401 for each in statuses}


# --- keys at an address -----------------------------------------------------------------------------------------------


async def test_keys_are_fetched_from_the_registered_address_and_kept_for_a_minute():
    async with machines_world() as machines:
        key, new = client_key(), client_key()
        await machines.client(**BY_KEY, jwks_uri=URI)
        machines.outbound.answers[URI] = json_answer(key_set(key))
        for _ in range(3):
            assert (await machines.own_token(**machines.assertion(key))).status == 200
        assert machines.outbound.calls == [URI]
        machines.outbound.answers[URI] = json_answer(key_set(new))
        machines.clock.advance(timedelta(seconds=61))
        assert refused(await machines.own_token(**machines.assertion(key))) == (401, "invalid_client")
        assert (await machines.own_token(**machines.assertion(new))).status == 200


async def test_unknown_key_fetches_the_set_once_more_and_not_at_every_request():
    async with machines_world() as machines:
        key, new, stranger = client_key(), client_key(), client_key()
        await machines.client(**BY_KEY, jwks_uri=URI)
        machines.outbound.answers[URI] = json_answer(key_set(key))
        assert (await machines.own_token(**machines.assertion(key))).status == 200
        machines.clock.advance(timedelta(seconds=11))
        machines.outbound.answers[URI] = json_answer(key_set(key, new))
        assert (await machines.own_token(**machines.assertion(new))).status == 200
        for _ in range(5):
            assert refused(await machines.own_token(**machines.assertion(stranger))) == (401, "invalid_client")
        assert machines.outbound.calls == [URI, URI]


ANSWERS = {
    "not found": json_answer({}, status=404),
    "redirect": json_answer({}, status=302),
    "too large": json_answer({"keys": [], "more": "x" * 70_000}),
    "no key set": json_answer({"keys": "none"}),
    "no JSON": json_answer("text"),
    "unreachable": OutboundFailed("billing.example.org leads to a private address, which outbound.allow_private does not list."),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_address_that_gives_no_keys_proves_nothing_and_is_left_alone_for_a_while(answer):
    async with machines_world() as machines:
        key = client_key()
        await machines.client(**BY_KEY, jwks_uri=URI)
        machines.outbound.answers[URI] = answer
        for _ in range(3):
            refusal = await machines.own_token(**machines.assertion(key))
            assert refused(refusal) == (401, "invalid_client")
            assert URI not in members(refusal)["error_description"]
        assert machines.outbound.calls == [URI]
        assert "key" in (await machines.reasons())[0]
        machines.outbound.answers[URI] = json_answer(key_set(key))
        machines.clock.advance(timedelta(seconds=6))
        assert (await machines.own_token(**machines.assertion(key))).status == 200


# --- assertions that are signed with the secret -----------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_assertion_that_is_signed_with_the_secret_proves_the_client(algorithm):
    async with machines_world() as machines:
        secret = await machines.client(**BY_SECRET)
        good = mac({"alg": algorithm}, machines.assertion_claims(), secret.encode())
        answer = await machines.own_token(client_assertion=good, client_assertion_type=ASSERTION_TYPE)
        assert answer.status == 200, answer.body
        wrong = mac({"alg": algorithm}, machines.assertion_claims(jti="2"), secret[1:].encode())
        answer = await machines.own_token(client_assertion=wrong, client_assertion_type=ASSERTION_TYPE)
        assert refused(answer) == (401, "invalid_client")
        assert refused(await machines.own_token(client_secret=secret)) == (401, "invalid_client")


async def test_new_secret_ends_assertions_of_the_old_one():
    async with machines_world() as machines:
        old = await machines.client(**BY_SECRET)
        new, _ = await machines.server.clients.secrets.reset_basic_secret("billing", overlap=timedelta(hours=1), actor=SYSTEM)
        for secret, status in ((old, 401), (new, 200)):
            made = mac({"alg": "HS256"}, machines.assertion_claims(jti=secret), secret.encode())
            answer = await machines.own_token(client_assertion=made, client_assertion_type=ASSERTION_TYPE)
            assert answer.status == status


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def compact(header, claims, signature):
    return b".".join((segment(header), segment(claims), base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


def mac(header, claims, secret):
    used = getattr(hashlib, header["alg"].replace("HS", "sha"))
    signed = segment(header) + b"." + segment(claims)
    return compact(header, claims, hmac.digest(secret, signed, used))
