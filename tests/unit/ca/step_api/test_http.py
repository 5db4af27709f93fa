"""The wire that `step` speaks: shapes, statuses, failures, and which credential opens which door."""

import hashlib
import importlib
import json
import pkgutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import sealwright
from sealwright import errors
from sealwright.access import SYSTEM
from sealwright.ca.step_api.failures import answer_failure, status_of
from sealwright.ca.step_api.messages import serial_number, time_or_duration
from sealwright.errors import InvalidInput, Unavailable
from sealwright.http import Listener, Peer, Request, Wire
from tests.authorities import (
    ALICE,
    ISSUER_URL,
    csr,
    der_of,
    key,
    leaf_of,
    signing_key,
)
from tests.unit.ca.provisioners.test_definitions import jwk, oidc

WEB = "web.example.org"


def pem_of(der):
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()


async def chain(ca):
    (root,), (issuing,) = await ca.issuers.roots(), await ca.issuers.intermediates()
    return root.certificate_der, issuing.certificate_der


# --- trust -----------------------------------------------------------------------------------------------------------


async def test_root_is_found_by_its_fingerprint_however_it_is_written(ca):
    root, _ = await chain(ca)
    fingerprint = hashlib.sha256(root).hexdigest()
    dashed = "-".join(fingerprint[at : at + 8] for at in range(0, 64, 8))
    for spelling in (fingerprint, fingerprint.upper(), dashed):
        assert await ca.call("GET", f"/root/{spelling}") == (200, {"ca": pem_of(root)})
    status, answer = await ca.call("GET", f"/root/{'0' * 64}")
    assert (status, answer["status"]) == (404, 404)


async def test_trust_documents(ca):
    root, issuing = await chain(ca)
    assert await ca.call("GET", "/roots") == (201, {"crts": [pem_of(root)]})
    assert await ca.call("GET", "/federation") == (201, {"crts": [pem_of(root)]})
    assert await ca.call("GET", "/intermediates") == (201, {"crts": [pem_of(issuing)]})
    for path, certificate in (("/roots.pem", root), ("/intermediates.pem", issuing)):
        response = await ca.respond("GET", path)
        assert (response.status, response.body.decode()) == (200, pem_of(certificate))
        assert ("content-type", "application/x-pem-file") in response.headers


async def test_version_and_health(ca):
    assert await ca.call("GET", "/version") == (200, {"version": "0.30.2"})
    response = await ca.respond("GET", "/health")
    assert (response.status, response.body) == (200, b'{"status":"ok"}\n')
    assert ("content-type", "application/json") in response.headers


async def test_health_fails_when_the_database_cannot_be_used(ca):
    class Gone:
        async def check(self):
            raise Unavailable("The database cannot be reached at the moment.")

    next(route for route in ca.routes if route.path == "/health").handler.__self__._db = Gone()
    status, answer = await ca.call("GET", "/health")
    assert (status, answer["message"]) == (503, "The database cannot be reached at the moment.")


async def test_every_path_has_its_twin_and_speaks_the_same_wire(ca):
    paths = {(route.method, route.path) for route in ca.routes}
    assert paths >= {("POST", "/sign"), ("POST", "/1.0/sign"), ("GET", "/1.0/provisioners"), ("POST", "/re-sign")}
    own = {path for path in paths if not path[1].startswith("/1.0/") and not path[1].startswith("/admin")}
    assert {(method, f"/1.0{path}") for method, path in own} <= paths
    assert all(Listener.MACHINES in route.listeners for route in ca.routes)
    without_tls = {route.path for route in ca.routes if Listener.STATUS in route.listeners}
    assert without_tls == {"/health", "/roots.pem", "/intermediates.pem"}
    assert {route.wire for route in ca.routes} == {Wire.STEP}
    assert all(route.access.startswith("public: ") for route in ca.routes)


async def test_administration_is_told_to_be_elsewhere(ca):
    status, answer = await ca.call("GET", "/admin/admins")
    assert (status, answer["status"]) == (404, 404)


# --- provisioners ----------------------------------------------------------------------------------------------------


async def test_list_shows_definitions_in_the_shape_of_step(ca):
    await ca.provisioners.add(
        oidc(scopes=["openid"], claims={"maxTLSCertDuration": "8h", "defaultTLSCertDuration": "8h"}), SYSTEM
    )
    await ca.provisioners.add(jwk(encryptedKey="a.b.c.d.e"), SYSTEM)
    status, answer = await ca.call("GET", "/provisioners", query="limit=100")
    assert (status, answer["nextCursor"]) == (200, "")
    assert answer["provisioners"][0] == {
        "type": "OIDC",
        "name": "p",
        "claims": {"maxTLSCertDuration": "8h", "defaultTLSCertDuration": "8h"},
        "clientID": "c",
        "clientSecret": "",
        "configurationEndpoint": "https://id.example.org",
        "scopes": ["openid"],
    }
    assert answer["provisioners"][1] == jwk(encryptedKey="a.b.c.d.e")


@pytest.mark.parametrize(
    ("limit", "pages"), [("", 2), ("limit=20", 2), ("limit=7", 4), ("limit=500", 1), ("limit=0", 2), ("limit=-3", 2)]
)
async def test_pages_hold_what_was_asked_for_within_limits(ca, limit, pages):
    for number in range(25):
        await ca.provisioners.add(oidc(name=f"p{number}", clientID=f"c{number}"), SYSTEM)
    found, cursor, count = [], "", 0
    while count < 10:
        status, answer = await ca.call("GET", "/provisioners", query=f"{limit}&cursor={cursor}")
        assert status == 200
        found += [each["name"] for each in answer["provisioners"]]
        cursor, count = answer["nextCursor"], count + 1
        if not cursor:
            break
    assert found == [f"p{number}" for number in range(25)]
    assert count == pages


@pytest.mark.parametrize("query", ["limit=many", "limit=1.5", "cursor=zz", "limit=1&limit=2"])
async def test_wrong_page_is_400(ca, query):
    assert (await ca.call("GET", "/provisioners", query=query))[0] == 400


async def test_encrypted_key_by_the_id_of_the_key(ca):
    await ca.provisioners.add(jwk(encryptedKey="a.b.c.d.e"), SYSTEM)
    kid = signing_key("jwk admin").id
    assert await ca.call("GET", f"/provisioners/{kid}/encrypted-key") == (200, {"key": "a.b.c.d.e"})
    assert (await ca.call("GET", "/provisioners/other/encrypted-key"))[0] == 404


# --- sign ------------------------------------------------------------------------------------------------------------


async def test_answer_of_sign(ca):
    await ca.add_jwk()
    root, issuing = await chain(ca)
    response = await ca.respond("POST", "/sign", {"csr": csr(), "ott": ca.jwk_token(WEB)})
    answer = json.loads(response.body)
    assert (response.status, response.body[-1:]) == (201, b"\n")
    assert list(answer) == ["crt", "ca", "certChain", "tlsOptions"]
    assert answer["certChain"] == [answer["crt"], pem_of(issuing)]
    assert answer["ca"] == pem_of(issuing)
    assert pem_of(root) not in answer["certChain"]
    assert answer["crt"] == pem_of(der_of(answer))
    leaf_of(answer).verify_directly_issued_by(x509.load_der_x509_certificate(issuing))
    assert (answer["tlsOptions"]["minVersion"], answer["tlsOptions"]["maxVersion"]) == (1.2, 1.3)


async def test_unknown_members_are_ignored_and_empty_ones_are_none(ca):
    await ca.add_jwk()
    body = {"csr": csr(), "ott": ca.jwk_token(WEB), "notBefore": "", "notAfter": None, "templateData": {"a": 1}, "x": []}
    assert (await ca.call("POST", "/sign", body))[0] == 201


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'"x"',
        b"\xff",
        b'{"csr": 5}',
        b'{"csr": null, "ott": "a.b.c"}',
        b'{"csr": "", "ott": "a.b.c"}',
        b'{"csr": "x", "ott": ""}',
        b'{"csr": "x"}',
        b"[" * 100_000,
        b'{"csr": "x", "ott": "a.b.c", "notAfter": "x"}',
        b'{"csr": "x", "ott": "a.b.c", "notBefore": 5}',
    ],
)
async def test_body_that_does_not_fit_is_400(ca, raw):
    await ca.add_jwk()
    for path in ("/sign", "/1.0/sign"):
        status, answer = await ca.call("POST", path, raw=raw)
        assert (status, answer["status"]) == (400, 400)
        assert answer["message"]


async def test_body_is_limited(ca):
    assert {route.max_body for route in ca.routes if route.method == "POST"} == {128 * 1024}


def tampered():
    der = bytearray(x509.load_pem_x509_csr(csr(WEB).encode()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("rubbish", 400),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", 400),
        (csr(WEB).replace("CERTIFICATE REQUEST", "CERTIFICATE"), 400),
        (tampered(), 400),
        ("x" * 100_000, 400),
        (csr(WEB, tuple(f"{number}.example.org" for number in range(101))), 403),
        (csr("evil.example.org\u202e"), 403),
        (csr("", ("evil.example.org",)), 403),
    ],
)
async def test_request_that_is_not_sound_is_refused(ca, request_text, status):
    await ca.add_jwk()
    found, answer = await ca.call("POST", "/sign", {"csr": request_text, "ott": ca.jwk_token(WEB)})
    assert found == status, answer
    assert "\u202e" not in answer["message"]


@pytest.mark.parametrize(
    "name",
    ["a b.example.org", "*.org", "-a.example.org", "a..b", "x" * 64 + ".org", "127.0.0.1.", "xn--\u00fc.org", "a.example.org\n"],
)
async def test_hostile_names_in_a_token_are_not_signed(ca, name):
    await ca.add_jwk()
    status, _ = await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.jwk_token(WEB, sans=[name])})
    assert status == 400


async def test_weak_keys_are_refused(ca):
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    await ca.add_jwk()
    for weak in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP224R1())):
        status, answer = await ca.call("POST", "/sign", {"csr": csr(private=weak), "ott": ca.jwk_token(WEB)})
        assert status in (400, 403), answer


@pytest.mark.parametrize("kind", ["EC", "RSA", "Ed25519"])
async def test_every_accepted_kind_of_key_is_certified(ca, kind):
    await ca.add_jwk()
    status, answer = await ca.call("POST", "/sign", {"csr": csr(private=key("k", kind)), "ott": ca.jwk_token(WEB)})
    assert status == 201, answer


# --- which credential opens which door -------------------------------------------------------------------------------

CREDENTIALS = {
    "JWK token for sign": lambda ca, leaf: {"ott": ca.jwk_token(WEB)},
    "JWK token for renew": lambda ca, leaf: {"bearer": ca.jwk_token(WEB, path="/1.0/renew")},
    "JWK token for revoke": lambda ca, leaf: {"ott": ca.jwk_token(str(serial(leaf)), path="/1.0/revoke")},
    "ID token": lambda ca, leaf: {"ott": ca.id_token()},
    "ID token as bearer": lambda ca, leaf: {"bearer": ca.id_token()},
    "renewal token": lambda ca, leaf: {"bearer": ca.renew_token(leaf, key())},
    "renewal token in the body": lambda ca, leaf: {"ott": ca.renew_token(leaf, key())},
    "certificate": lambda ca, leaf: {"certificate": leaf},
    "nothing": lambda ca, leaf: {},
}
OPENS = {
    ("/sign", "JWK token for sign"): 201,
    ("/sign", "JWK token for revoke"): 401,
    ("/sign", "ID token"): 201,
    ("/sign", "renewal token in the body"): 401,
    ("/renew", "certificate"): 201,
    ("/renew", "renewal token"): 201,
    ("/renew", "JWK token for renew"): 401,
    ("/renew", "ID token as bearer"): 401,
    ("/rekey", "certificate"): 201,
    ("/revoke", "certificate"): 200,
    ("/revoke", "JWK token for revoke"): 200,
    ("/revoke", "JWK token for sign"): 401,
    ("/revoke", "ID token"): 403,
    ("/revoke", "renewal token in the body"): 401,
}
"""What is not listed is 400: the credential is not even looked at there."""


def serial(leaf):
    return x509.load_der_x509_certificate(leaf).serial_number


@pytest.mark.parametrize("path", ["/sign", "/renew", "/rekey", "/revoke"])
@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("prefix", ["", "/1.0"])
async def test_each_door_opens_for_its_credentials_only(ca, path, credential, prefix):
    ca.add_local_provider()
    await ca.add_oidc()
    await ca.add_jwk()
    _, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.jwk_token(WEB)})
    leaf = der_of(answer)
    shown = CREDENTIALS[credential](ca, leaf)
    body = {"csr": csr(), "serial": str(serial(leaf)), "passive": True, "ott": shown.pop("ott", None)}
    status, answer = await ca.call("POST", prefix + path, body, **shown)
    assert status == OPENS.get((path, credential), 400), answer


# --- failures --------------------------------------------------------------------------------------------------------


def test_every_refusal_of_the_program_has_an_answer_of_its_own():
    for module in pkgutil.walk_packages(sealwright.__path__, "sealwright."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting: list[type[errors.Failure]] = [errors.Refused, errors.Conflict, errors.Unavailable]
    seen = set()
    while waiting:
        kind = waiting.pop()
        seen.add(kind)
        waiting += kind.__subclasses__()
        assert 400 <= status_of(kind.__new__(kind)) <= 503, kind
    assert len(seen) > 30


def test_bug_is_told_by_its_request_id_alone():
    response = answer_failure(Request("GET", "/x", request_id="r-17"), ValueError("secret detail"))
    assert response.status == 500
    assert b"r-17" in response.body
    assert b"secret" not in response.body


def test_waiting_time_is_told():
    response = answer_failure(Request("GET", "/x"), Unavailable("Not now.", retry_after=7))
    assert (response.status, ("retry-after", "7") in response.headers) == (503, True)


# --- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, None),
        ("", None),
        ("5m", 300.0),
        ("-1m", -60.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        ("2026-11-22T10:20:00Z", 1_795_342_800_000),
        ("2026-11-22T11:20:00.5+01:00", 1_795_342_800_500),
    ],
)
def test_time_is_a_moment_or_a_duration(text, found):
    value = time_or_duration(text, "notAfter")
    assert (value.total_seconds() if hasattr(value, "total_seconds") else value) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("8 hours", "notAfter is '8 hours'; it must be a time such as"),
        ("2026-13-01T00:00:00Z", "which is not a date that exists"),
        ("999999999h", "notAfter: '999999999h' is longer than a duration can be"),
    ],
)
def test_what_is_wrong_with_a_time_is_told(text, words):
    with pytest.raises(InvalidInput, match=words):
        time_or_duration(text, "notAfter")


def test_serial_has_twenty_bytes():
    assert serial_number("1") == bytes(19) + b"\x01"
    assert serial_number("0x0a") == bytes(19) + b"\x0a"


async def test_no_token_is_ever_part_of_a_message(ca):
    ca.add_local_provider()
    await ca.add_oidc()
    await ca.add_jwk()
    for token in (
        ca.jwk_token(WEB, signer="another key"),
        ca.jwk_token(WEB, aud="https://evil.example.org/1.0/sign"),
        ca.jwk_token(WEB, exp=1),
        ca.id_token(exp=1),
        ca.id_token(iss="https://evil.example.org"),
        ca.id_token(email=None),
    ):
        status, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": token})
        assert status in (401, 403)
        assert not any(part in answer["message"] for part in token.split("."))


async def test_person_of_our_own_provider_needs_nothing_but_bootstrap(ca):
    """The list is all the configuration that a client has: it must name the provider, the client and the scopes."""
    ca.add_local_provider()
    await ca.add_oidc(scopes=["openid", "email"], listenAddress="localhost:10000")
    _, answer = await ca.call("GET", "/provisioners", query="limit=100")
    (provisioner,) = answer["provisioners"]
    assert provisioner["configurationEndpoint"].startswith(ISSUER_URL)
    request = csr(ALICE, ("alice@example.org", f"{ISSUER_URL}#{ALICE}"))
    status, _ = await ca.call("POST", "/sign", {"csr": request, "ott": ca.id_token(aud=provisioner["clientID"])})
    assert status == 201


# --- certificates that a proxy tells of ------------------------------------------------------------------------------


async def test_certificate_that_a_proxy_tells_of_renews_and_nothing_else(ca):
    await ca.add_jwk()
    _, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.jwk_token(WEB)})
    leaf = der_of(answer)
    told = Peer("203.0.113.7", forwarded_certificate=leaf)
    status, renewed = await ca.call("POST", "/renew", peer=told)
    assert status == 201
    renewed_key = x509.load_der_x509_certificate(der_of(renewed)).public_key()
    assert renewed_key == x509.load_der_x509_certificate(leaf).public_key()
    revocation = {"serial": str(serial(leaf)), "passive": True}
    for path, body in (("/rekey", {"csr": csr()}), ("/revoke", revocation)):
        status, answer = await ca.call("POST", path, body, peer=told)
        assert status == 400
        assert "past the proxy" in answer["message"]
    assert (await ca.call("POST", "/renew", certificate=leaf))[0] == 201  # it was not revoked


async def test_what_a_proxy_tells_wrongly_is_refused_only_where_it_would_be_used(ca):
    await ca.add_jwk()
    wrong = Peer("203.0.113.7", forwarding_fault="The Client-Cert header does not hold a certificate.")
    assert (await ca.call("GET", "/health", peer=wrong))[0] == 200
    assert (await ca.call("POST", "/sign", {"csr": csr(), "ott": ca.jwk_token(WEB)}, peer=wrong))[0] == 201
    status, answer = await ca.call("POST", "/renew", peer=wrong)
    assert (status, "Client-Cert" in answer["message"]) == (400, True)
