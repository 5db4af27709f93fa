"""The CA and the providers it trusts: who may have which names, and what becomes of a provider that is down, slow or wrong."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509

from tests.interop import people
from tests.interop.foreign import WELL_KNOWN, Say, drip, foreign_provider, request_for, say, say_json, stay_silent
from tests.interop.wire import Requester, line, new_key, signing_request, write_key
from tests.live import ADMIN_PASSWORD, PATIENCE, free_ports, live_server


@pytest.fixture(scope="module")
def provider(server):
    with foreign_provider(server) as running:
        yield running


@pytest.fixture(scope="module")
def alice(server):
    """A browser in which alice is signed in."""
    return people.sign_in(server)


def add_provisioner(server, name, endpoint, **more):
    definition = {"type": "OIDC", "name": name, "clientID": name, "configurationEndpoint": endpoint, **more}
    server.sealwright("provisioner", "add", "--from-file", server.file(f"{name}.json", json.dumps(definition)))


def names_in(answer):
    certificate = x509.load_pem_x509_certificate(answer.json()["crt"].encode())
    return [str(name.value) for name in certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


# --- names of a person who is not an administrator ---


@pytest.mark.parametrize("name", ["", "alice@example.org", "alice@localhost", "alice", "sub"])
def test_person_gets_their_own_names_however_they_ask(server, alice, name):
    token = people.id_token(server, alice)
    claims = jwt.decode(token, options={"verify_signature": False})
    asked = claims["sub"] if name == "sub" else name
    answer = people.with_token(server, signing_request(new_key(), asked), token)
    assert answer.status == 201, answer.body
    assert names_in(answer) == ["alice@example.org", f"{claims['iss']}#{claims['sub']}"]


@pytest.mark.parametrize(
    "names",
    [
        ("bob@example.org",),
        ("web.example.org",),
        ("10.0.0.1",),
        ("https://example.org/",),
        ("alice@example.org", "alice@example.org", "bob@example.org"),
        ("alice", "admin"),
        ("ALICE@example.org",),
    ],
)
def test_other_name_is_refused_by_name_and_nothing_is_signed(server, alice, names):
    token = people.id_token(server, alice)
    answer = people.with_token(server, signing_request(new_key(), names[0], *names), token)
    assert answer.status == 403, answer.body
    assert answer.json()["status"] == 403
    assert f"You may not have the name {names[-1]}" in answer.json()["message"]
    assert "alice@example.org" in answer.json()["message"]
    again = people.with_token(server, signing_request(new_key(), ""), token)
    assert again.status == 201  # a refusal does not use the token up


def test_administrator_of_a_provisioner_may_ask_for_any_name(server, provider):
    add_provisioner(server, "boss", provider.add("boss"), admins=["dora@example.net"])
    answer = people.with_token(server, request_for("web.example.org", "10.0.0.1"), provider.token("boss"))
    assert answer.status == 201, answer.body
    assert names_in(answer) == ["web.example.org", "10.0.0.1"]


def test_domains_and_groups_decide_who_may_come(server, provider):
    add_provisioner(server, "strict", provider.add("strict"), domains=["example.net"], groups=["staff"])
    for claims, words in (
        ({}, "carries no groups"),
        ({"groups": ["guests"]}, "is in none of the groups"),
        ({"groups": ["staff"], "email": "dora@example.com"}, "dora@example.com is in none of the domains"),
        ({"groups": ["staff"], "email": None}, "carries no mail address"),
    ):
        answer = people.with_token(server, request_for(), provider.token("strict", **claims))
        assert (answer.status, words in answer.json()["message"]) == (403, True), answer.body
    assert people.with_token(server, request_for(), provider.token("strict", groups=["staff"])).status == 201


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_mail_address_that_is_not_verified_is_never_signed(server, provider, verified):
    name = f"unverified-{verified}".lower()
    add_provisioner(server, name, provider.add(name), admins=["dora@example.net"])
    token = provider.token(name, email_verified=verified)
    answer = people.with_token(server, request_for(), token)
    assert answer.status == 403
    why = (
        "gives email_verified as a text"
        if isinstance(verified, str)
        else "The mail address dora@example.net has not been verified"
    )
    assert why in answer.json()["message"]
    add_provisioner(server, f"{name}-lifted", provider.add(f"{name}-lifted"), allowUnverifiedEmail=True)
    lifted = people.with_token(server, request_for(), provider.token(f"{name}-lifted", email_verified=verified))
    assert lifted.status == 201
    assert "dora@example.net" in names_in(lifted)


# --- claims of a provisioner ---


@pytest.fixture
def lenient(server):
    """A JWK provisioner that renews what has expired."""
    password = server.file("lenient-password", "let-me-renew-for-ever-3")
    options = ("--allow-renewal-after-expiry", "--x509-default-dur", "2h", "--x509-max-dur", "3h")
    server.sealwright("provisioner", "add", "lenient", "--type", "jwk", "--password-file", password, *options)
    yield Requester(server, provisioner="lenient", password="let-me-renew-for-ever-3")
    server.sealwright("provisioner", "remove", "lenient")


def in_a_moment():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5))


def test_certificate_that_has_expired_is_renewed_only_where_that_is_allowed(server, lenient, tmp_path):
    pairs: list[tuple[Path, Path]] = []
    for requester in (lenient, Requester(server)):
        body = requester.sign_body("late.example.org") | {"notBefore": "-30m", "notAfter": in_a_moment()}
        with line(server.machines, server.root) as opened:
            answer = opened.send("POST", "/sign", body)
        assert answer.status == 201, answer.body
        crt = tmp_path / f"late-{len(pairs)}.crt"
        crt.write_text("".join(answer.json()["certChain"]))
        pairs.append((crt, write_key(crt.with_suffix(".key"), requester.key)))
    for crt, _ in pairs:
        end = x509.load_pem_x509_certificates(crt.read_bytes())[0].not_valid_after_utc.timestamp()
        time.sleep(max(0.0, end + 1.1 - time.time()))
    server.sealwright("certificate", "renew", *pairs[0])
    renewed = x509.load_pem_x509_certificates(pairs[0][0].read_bytes())[0]
    assert renewed.not_valid_after_utc.timestamp() > time.time()
    refused = server.sealwright("certificate", "renew", *pairs[1], expect=1)
    assert "does not allow renewal after that" in refused
    with line(server.machines, server.root, certificate=pairs[1]) as opened:
        answer = opened.send("POST", "/renew")
    assert answer.status == 401
    assert "does not allow renewal after that" in answer.json()["message"]


def test_lifetimes_of_a_provisioner_are_kept(server, lenient):
    with line(server.machines, server.root) as opened:
        answer = opened.send("POST", "/sign", lenient.sign_body("two.example.org"))
        made = x509.load_pem_x509_certificate(answer.json()["crt"].encode())
        assert 7200 <= (made.not_valid_after_utc - made.not_valid_before_utc).total_seconds() <= 7260
        too_long = opened.send("POST", "/sign", lenient.sign_body("four.example.org") | {"notAfter": "4h"})
        assert too_long.status == 403
        assert "3 hours" in too_long.json()["message"]
        too_short = opened.send("POST", "/sign", lenient.sign_body("short.example.org") | {"notAfter": "1m"})
        assert too_short.status == 403
        assert "5 minutes" in too_short.json()["message"]


# --- tokens that are wrong ---


TOKENS: dict[str, tuple[dict[str, Any] | None, dict[str, str], str]] = {
    "expired": ({"exp": int(time.time()) - 3600}, {}, "expired"),
    "not yet valid": ({"nbf": int(time.time()) + 7200}, {}, ""),
    "issued in the future": ({"iat": int(time.time()) + 7200}, {}, ""),
    "without an end": ({"exp": None}, {}, "exp"),
    "of another issuer": ({"iss": "https://accounts.example.com"}, {}, "iss"),
    "of the issuer with a slash": (None, {}, ""),
    "for another client": ({"aud": ["tokens", "somebody-else"], "azp": "somebody-else"}, {}, ""),
    "without a subject": ({"sub": None}, {}, "sub"),
    "end is a text": ({"exp": "tomorrow"}, {}, "exp"),
    "unknown key": ({}, {"kid": "nobody-has-this"}, "key"),
}


@pytest.fixture(scope="module")
def tokens(server, provider):
    add_provisioner(server, "tokens", provider.add("tokens"))
    return provider


@pytest.mark.parametrize("kind", TOKENS)
def test_wrong_token_is_refused(server, tokens, kind):
    changed, header, words = TOKENS[kind]
    claims = {"iss": tokens.issuer("tokens") + "/"} if changed is None else changed
    answer = people.with_token(server, request_for(), tokens.token("tokens", header=header, **claims))
    assert answer.status == 401, answer.body
    assert set(answer.json()) == {"status", "message"}
    assert words in answer.json()["message"]


def test_clocks_may_differ_a_little(server, tokens):
    now = int(time.time())
    for claims in ({"iat": now + 40, "nbf": now + 40}, {"exp": now - 40}):
        assert people.with_token(server, request_for(), tokens.token("tokens", **claims)).status == 201, claims


def test_token_with_a_signature_that_proves_nothing_is_refused(server, tokens):
    good = tokens.token("tokens")
    head, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    kid, _ = tokens.keys["tokens"]
    forged = {
        "other key": jwt.encode(claims, new_key(), algorithm="ES256", headers={"kid": kid}),
        "none": jwt.encode(claims, "", algorithm="none", headers={"kid": kid}),
        "HMAC": jwt.encode(claims, "the-public-key-as-a-secret-of-32-bytes", algorithm="HS256", headers={"kid": kid}),
        "no signature": f"{head}.{body}.",
        "cut": f"{head}.{body}.{signature[:-4]}",
        "two parts": f"{head}.{body}",
        "rubbish": "x",
        "long": "A" * 100_000,
        "dots": "." * 1000,
    }
    for kind, token in forged.items():
        answer = people.with_token(server, request_for(), token)
        assert answer.status in (400, 401), (kind, answer.body)
        assert token[:40] not in answer.json()["message"] or len(token) < 40
    assert people.with_token(server, request_for(), good).status == 201


def test_token_of_one_client_does_not_open_the_provisioner_of_another(server, provider, alice):
    for name in ("one-client", "other-client"):
        add_provisioner(server, name, provider.add(name))
    kid, key = provider.keys["one-client"]
    claims = jwt.decode(provider.token("one-client"), options={"verify_signature": False})
    crossed = jwt.encode(claims | {"aud": "other-client"}, key, algorithm="ES256", headers={"kid": kid})
    assert people.with_token(server, request_for(), crossed).status == 401
    ours = jwt.decode(people.id_token(server, alice), options={"verify_signature": False})
    forged = jwt.encode(ours, key, algorithm="ES256", headers={"kid": kid})
    assert people.with_token(server, request_for(), forged).status == 401
    relabelled = jwt.encode(ours | {"aud": "one-client", "azp": "one-client"}, key, algorithm="ES256", headers={"kid": kid})
    assert people.with_token(server, request_for(), relabelled).status == 401


def test_new_key_of_a_provider_is_found(server, provider):
    add_provisioner(server, "rotating", provider.add("rotating"))
    assert people.with_token(server, request_for(), provider.token("rotating")).status == 201
    asked = len(provider.asked)
    for _ in range(5):
        assert people.with_token(server, request_for(), provider.token("rotating")).status == 201
    assert len(provider.asked) - asked <= 2  # what was fetched is kept, in each worker
    provider.rotate("rotating")
    answers = {people.with_token(server, request_for(), provider.token("rotating")).status for _ in range(4)}
    assert answers <= {201, 401}  # asked again at once, but not more often than every half minute


# --- a provider that does not do what it should ---


def discovery(**changed):
    def answer(asked):
        origin = f"https://localhost:{asked.server.server_address[1]}"
        issuer = origin + asked.path.removesuffix(WELL_KNOWN)
        metadata = {"issuer": issuer, "jwks_uri": f"{issuer}/keys", "id_token_signing_alg_values_supported": ["ES256"]}
        say_json({name: value for name, value in (metadata | changed).items() if value is not None})(asked)

    return answer


WRONG: dict[str, dict[str, Say]] = {
    "silent": {"discovery": stay_silent},
    "dripping": {"discovery": drip},
    "absent": {"discovery": say(404, b"not here")},
    "broken": {"discovery": say(500)},
    "page": {"discovery": say(200, b"<html>Sign in</html>", content_type="text/html")},
    "list": {"discovery": say_json([1, 2])},
    "huge": {"discovery": say(200, b" " * 5_000_000 + b"{}")},
    "nested": {"discovery": say(200, b"[" * 200_000)},
    "compressed": {"discovery": say(200, b"\x1f\x8b" + bytes(100), content_encoding="gzip")},
    "elsewhere": {"discovery": say(302, location="https://localhost:1/")},
    "other-issuer": {"discovery": discovery(issuer="https://accounts.example.com")},
    "no-keys-named": {"discovery": discovery(jwks_uri=None)},
    "keys-in-the-clear": {"discovery": discovery(jwks_uri="http://localhost:1/keys")},
    "keys-in-a-file": {"discovery": discovery(jwks_uri="file:///etc/passwd")},
    "no-algorithm": {"discovery": discovery(id_token_signing_alg_values_supported=["none", "HS256"])},
    "keys-silent": {"keys": stay_silent},
    "keys-page": {"keys": say(200, b"<html>")},
    "keys-none": {"keys": say_json({"keys": []})},
    "keys-weak": {"keys": say_json({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "x"}]})},
    "keys-symmetric": {"keys": say_json({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "x"}]})},
}


def test_provider_that_is_down_slow_or_wrong_is_told_and_takes_no_one_else_with_it(server, provider):
    for name, changed in WRONG.items():
        add_provisioner(server, name, provider.add(name, **changed))
    (closed,) = free_ports(1)
    provider.add("down")
    add_provisioner(server, "down", f"https://localhost:{closed}/down{WELL_KNOWN}")
    answers = {}

    def ask(name):
        token = provider.token(name, iss=f"https://localhost:{closed}/down" if name == "down" else provider.issuer(name))
        began = time.monotonic()
        answer = people.with_token(server, request_for(), token)
        answers[name] = (answer, time.monotonic() - began, token)

    threads = [threading.Thread(target=ask, args=(name,)) for name in (*WRONG, "down")]
    for each in threads:
        each.start()
    taken = []
    for _ in range(5):  # meanwhile everybody else is served
        began = time.monotonic()
        with line(server.machines, server.root) as opened:
            assert opened.send("GET", "/health").status == 200
        taken.append(time.monotonic() - began)
        time.sleep(0.3)
    for each in threads:
        each.join(PATIENCE)
    assert sorted(taken)[2] < 3  # a provider has five seconds
    assert len(answers) == len(WRONG) + 1
    log = server.log.read_text()
    for name, (answer, seconds, token) in answers.items():
        assert answer.status == 503, (name, answer.body)
        assert set(answer.json()) == {"status", "message"}
        assert "provider" in answer.json()["message"] or "discovery document" in answer.json()["message"], (name, answer.body)
        assert int(answer.headers["retry-after"]) >= 1
        assert seconds < 30, name
        assert token.rpartition(".")[2] not in log


def test_provider_that_comes_back_is_asked_again(server, provider):
    endpoint = provider.add("returning", discovery=say(503))
    add_provisioner(server, "returning", endpoint)
    assert people.with_token(server, request_for(), provider.token("returning")).status == 503
    provider.add("returning")
    end = time.monotonic() + PATIENCE
    while (answer := people.with_token(server, request_for(), provider.token("returning"))).status == 503:
        assert int(answer.headers["retry-after"]) <= 10
        assert time.monotonic() < end
        time.sleep(1)
    assert answer.status == 201


def test_private_addresses_are_not_called_unless_the_settings_allow_it(tmp_path, provider):
    with live_server(tmp_path, set_up=False) as guarded:
        admin = guarded.file("admin-password", ADMIN_PASSWORD)
        guarded.sealwright("recover-account", "admin", "--dir", guarded.home, "--password-file", admin)
        guarded.sealwright("login", "-D", "admin", "--password-file", admin)
        add_provisioner(guarded, "inside", provider.add("inside"))
        asked = len(provider.asked)
        answer = people.with_token(guarded, request_for(), provider.token("inside"))
        assert answer.status == 503
        assert "private address" in answer.json()["message"]
        assert len(provider.asked) == asked
