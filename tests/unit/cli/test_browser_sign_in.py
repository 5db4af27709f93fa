"""Sign-in through a browser, step by step, with a provider that may lie."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from sealwright.cli import browser_sign_in as oidc
from sealwright.cli.errors import CommandFailed, RefusedByServer, Unreachable
from sealwright.cli.https import Answer
from sealwright.cli.vouch import names_for
from sealwright.entropy import SeededEntropy
from sealwright.jose import base64url

ISSUER = "https://idp.example.org/oauth2/openid/step-ca"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
RANDOM = SeededEntropy(5).bytes
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://idp.example.org/authorise",
    "token_endpoint": "https://idp.example.org/token",
    "authorization_response_iss_parameter_supported": True,
}
DEFINITION = {"type": "OIDC", "name": "kanidm", "clientID": "step-ca", "clientSecret": "", "configurationEndpoint": ISSUER}


def relying(**more):
    return oidc.OidcClient.from_provisioner({**DEFINITION, **more})


class Scripted:
    """Answers every call alike, and remembers what was asked."""

    def __init__(self, answer, status=200):
        self.answer = Answer(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())
        self.asked: list[tuple[str, bytes | None]] = []

    def exchange(self, method, url, headers, body):
        self.asked.append((url, body))
        return self.answer

    def download(self, url, headers, take):
        return self.exchange("GET", url, headers, None)


def attempt(**more):
    provider = oidc.discover(Scripted(METADATA), relying())
    return oidc.begin(provider, relying(**more), 43_210, RANDOM)


def id_token(made, **more):
    claims = {"iss": ISSUER, "aud": "step-ca", "sub": "s-1", "nonce": made.nonce, "exp": NOW.timestamp() + 60, **more}
    return f"e30.{base64url(json.dumps(claims).encode())}.x"


def test_metadata_are_read_at_the_well_known_address():
    provider = Scripted(METADATA)
    oidc.discover(provider, relying())
    oidc.discover(provider, relying(configurationEndpoint=f"{ISSUER}/.well-known/openid-configuration"))
    assert {url for url, _ in provider.asked} == {f"{ISSUER}/.well-known/openid-configuration"}


@pytest.mark.parametrize(
    ("change", "failure", "words"),
    [
        ({"issuer": "https://evil.example.org"}, RefusedByServer, "speaks for https://evil.example.org"),
        ({"token_endpoint": "http://idp.example.org/token"}, RefusedByServer, "not an https:// address"),
        ({"authorization_endpoint": None}, RefusedByServer, "not an https:// address"),
    ],
)
def test_provider_that_does_not_speak_for_itself_is_refused(change, failure, words):
    with pytest.raises(failure, match=words):
        oidc.discover(Scripted({**METADATA, **change}), relying())


@pytest.mark.parametrize(("answer", "status"), [(b"<html>", 200), (b"[]", 200), (METADATA, 404), ({"issuer": ISSUER}, 200)])
def test_rubbish_in_place_of_metadata_is_told(answer, status):
    with pytest.raises(Unreachable, match=r"idp\.example\.org"):
        oidc.discover(Scripted(answer, status), relying())


def test_plain_http_is_never_used():
    with pytest.raises(CommandFailed, match="not an https:// address"):
        oidc.discover(Scripted(METADATA), relying(configurationEndpoint="http://idp.example.org"))


def test_tenant_stands_in_for_its_pattern():
    metadata = {**METADATA, "issuer": "https://login.example.org/{tenantid}/v2.0"}
    where = {"configurationEndpoint": "https://login.example.org/t-1/v2.0", "tenantID": "t-1"}
    assert oidc.discover(Scripted(metadata), relying(**where)).issuer == "https://login.example.org/t-1/v2.0"


def test_request_asks_for_what_the_provisioner_says():
    made = attempt(scopes=["openid", "groups"], authParams=["prompt=login", "state=stolen"])
    query = dict(parse_qsl(urlsplit(made.address).query))
    assert query["scope"] == "openid groups"
    assert query["prompt"] == "login"
    assert query["state"] == made.state
    assert query["redirect_uri"] == "http://127.0.0.1:43210"
    assert len(made.verifier) == 64


@pytest.mark.parametrize(
    ("listen", "host", "port", "redirect"),
    [
        ("", "127.0.0.1", 0, "http://127.0.0.1:43210"),
        (":10000", "127.0.0.1", 10_000, "http://127.0.0.1:43210"),
        ("localhost:10000", "localhost", 10_000, "http://localhost:43210"),
        ("[::1]:10000", "::1", 10_000, "http://[::1]:43210"),
    ],
)
def test_listen_address_is_kept(listen, host, port, redirect):
    made = relying(listenAddress=listen)
    assert (made.listen_host, made.listen_port) == (host, port)
    assert attempt(listenAddress=listen).redirect_uri == redirect


@pytest.mark.parametrize("listen", ["0.0.0.0:10000", "example.org:80", "localhost:port", "localhost:70000"])
def test_listen_address_elsewhere_is_refused(listen):
    with pytest.raises(CommandFailed, match="listen address"):
        relying(listenAddress=listen)


def test_answers_that_do_not_belong_here_are_passed_over():
    made = attempt()
    assert not made.is_answer({})
    assert not made.is_answer({"code": "c"})
    assert not made.is_answer({"code": "c", "state": "other"})
    assert not made.is_answer({"error": "access_denied"})
    assert not made.is_answer({"state": made.state})
    assert made.is_answer({"code": "c", "state": made.state})
    assert made.is_answer({"error": "access_denied", "state": made.state})


@pytest.mark.parametrize(
    ("issuer", "words"), [(None, r"does not name its sender \(iss\)"), ("https://evil.example.org", "names https://evil")]
)
def test_answer_of_another_provider_is_refused(issuer, words):
    made = attempt()
    answer = {"code": "c", "state": made.state, **({"iss": issuer} if issuer else {})}
    with pytest.raises(RefusedByServer, match=rf"{words}.*; it must be https://idp\.example\.org"):
        made.code(answer)
    assert made.code({**answer, "iss": ISSUER}) == "c"


def test_refusal_of_the_provider_is_told_in_its_words():
    made = attempt()
    answer = {"error": "access_denied", "error_description": "You said no.", "state": made.state, "iss": ISSUER}
    with pytest.raises(RefusedByServer, match=r"did not sign you in: you said no\.$"):
        made.code(answer)


@pytest.mark.parametrize(("secret", "sent"), [("", False), ("hush", True)])
def test_code_is_redeemed_with_the_verifier_and_no_empty_secret(secret, sent):
    made, provider = attempt(clientSecret=secret), Scripted({"id_token": "t"})
    assert oidc.redeem(provider, made, "c") == "t"
    form = dict(parse_qsl((provider.asked[0][1] or b"").decode()))
    assert (form["code"], form["code_verifier"], form["redirect_uri"]) == ("c", made.verifier, made.redirect_uri)
    assert ("client_secret" in form) is sent


def test_refused_code_is_told():
    with pytest.raises(RefusedByServer, match="did not accept the sign-in: code was used"):
        oidc.redeem(Scripted({"error": "invalid_grant", "error_description": "code was used"}, 400), attempt(), "c")
    with pytest.raises(RefusedByServer, match="gave no ID token"):
        oidc.redeem(Scripted({"access_token": "t"}), attempt(), "c")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iss": "https://evil.example.org"}, "made by another issuer"),
        ({"aud": ["other"]}, "for another client"),
        ({"nonce": "other"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"exp": NOW.timestamp() - 3600}, "has expired"),
    ],
)
def test_id_token_that_is_not_the_answer_is_refused(change, words):
    made = attempt()
    assert made.check(id_token(made), NOW)["sub"] == "s-1"
    with pytest.raises(RefusedByServer, match=words):
        made.check(id_token(made, **change), NOW)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.x", "e30.W10.x"])
def test_id_token_that_cannot_be_read_is_told(token):
    with pytest.raises(Unreachable, match="cannot be read"):
        attempt().check(token, NOW)


CLAIMS = {"iss": ISSUER, "sub": "s-1", "email": "alice@example.org"}


@pytest.mark.parametrize(
    ("claims", "subject", "names", "asked"),
    [
        (CLAIMS, None, (), ("s-1", ("alice@example.org", f"{ISSUER}#s-1"))),
        (CLAIMS, "Alice@Example.org", (), ("s-1", ("alice@example.org", f"{ISSUER}#s-1"))),
        (CLAIMS, "web.example.org", (), ("web.example.org", ("web.example.org",))),
        (CLAIMS, "web.example.org", ("a", "b"), ("web.example.org", ("a", "b"))),
        (CLAIMS, None, ("a",), ("s-1", ("a",))),
        ({"iss": ISSUER, "sub": "s-1"}, None, (), ("s-1", (f"{ISSUER}#s-1",))),
    ],
)
def test_names_are_asked_for_as_step_asks(claims, subject, names, asked):
    assert names_for(claims, subject, names) == asked
