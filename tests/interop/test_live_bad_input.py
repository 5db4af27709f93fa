"""Requests that no one should send, on each wire of a real server: an error in the words of that wire, and never a fault."""

import contextlib
import json
import os
import re
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.interop import people
from tests.interop.wire import Requester, exchange, line, new_key, signing_request
from tests.live import PATIENCE, PERSON_PASSWORD

FORM = "application/x-www-form-urlencoded"
HUGE = b"x" * 3_000_000
NESTED = b"[" * 60_000
LATIN = b'{"name": "M\xfcller"}'


@pytest.fixture(autouse=True)
def no_fault(server):
    """No test here makes the server log an error, or lose a worker."""
    before, workers = len(server.log.read_text()), server.workers()
    yield
    written = server.log.read_text()[before:]
    assert '"level":"error"' not in written
    assert "Traceback" not in written
    assert server.workers() == workers


def send(where, root, method, path, body=None, **headers):
    with line(where, root) as opened:
        return opened.send(method, path, body, **headers)


# --- the wire that step speaks ---


def in_words_of_step(answer):
    told = answer.json()
    assert set(told) == {"status", "message"}
    assert told["status"] == answer.status
    assert len(told["message"]) < 1000
    return told["message"]


STEP = [
    ("POST", "/sign", b"", 400),
    ("POST", "/sign", b"not JSON", 400),
    ("POST", "/sign", b"[]", 400),
    ("POST", "/sign", b"null", 400),
    ("POST", "/sign", b'"text"', 400),
    ("POST", "/sign", NESTED, 400),
    ("POST", "/sign", LATIN, 400),
    ("POST", "/sign", b'{"csr": 1, "ott": 2}', 400),
    ("POST", "/sign", b'{"csr": {}, "ott": []}', 400),
    ("POST", "/sign", b'{"csr": "x"}', 400),
    ("POST", "/sign", b'{"ott": "x"}', 400),
    ("POST", "/sign", b'{"csr": "\\u0000", "ott": "\\u0000"}', 401),
    ("POST", "/sign", b'{"csr": "\\ud800", "ott": "x"}', 400),
    ("POST", "/sign", b'{"csr": "x", "ott": "x", "notAfter": "next week"}', 400),
    ("POST", "/sign", b'{"csr": "x", "ott": "x", "notAfter": "9999999999999999h"}', 400),
    ("POST", "/sign", b'{"csr": "x", "ott": "x", "notBefore": "2026-13-45T99:99:99Z"}', 400),
    ("POST", "/sign", HUGE, 413),
    ("POST", "/renew", b"", 400),
    ("POST", "/rekey", b'{"csr": "x"}', 400),
    ("POST", "/revoke", b"{}", 400),
    ("POST", "/revoke", b'{"serial": "not a number", "ott": "x"}', 400),
    ("POST", "/revoke", b'{"serial": "-1", "ott": "x"}', 400),
    ("POST", "/revoke", b'{"serial": "' + b"9" * 5000 + b'", "ott": "x"}', 400),
    ("POST", "/revoke", b'{"serial": "1", "reasonCode": 7, "ott": "x"}', 400),
    ("POST", "/revoke", b'{"serial": "1", "reasonCode": 99999999999999999999, "ott": "x"}', 400),
    ("POST", "/revoke", b'{"serial": "1"}', 400),
    ("POST", "/revoke", b'{"serial": "1", "passive": false, "ott": "x"}', 501),
    ("GET", "/root/", None, 404),
    ("GET", "/root/xyz", None, 404),
    ("GET", "/root/%00", None, 400),
    ("GET", "/root/%ff", None, 400),
    ("GET", "/root/" + "a" * 5000, None, 404),
    ("GET", "/root/..%2f..%2fetc%2fpasswd", None, 404),
    ("GET", "/provisioners?limit=many", None, 400),
    ("GET", "/provisioners?cursor=rubbish", None, 400),
    ("GET", "/provisioners?limit=1&limit=2", None, 400),
    ("GET", "/provisioners/unknown/encrypted-key", None, 404),
    ("GET", "/sign", None, 405),
    ("PUT", "/sign", b"{}", 405),
    ("DELETE", "/health", None, 405),
    ("POST", "/health", b"", 405),
    ("GET", "/no/such/path", None, 404),
    ("GET", "/1.0/no-such-path", None, 404),
    ("GET", "/SIGN", None, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), STEP)
def test_step_wire(server, method, path, body, status):
    answer = send(server.machines, server.root, method, path, body)
    assert answer.status == status, answer.body[:300]
    in_words_of_step(answer)
    if status == 405:
        assert answer.headers["allow"]


def test_content_type_does_not_matter_on_the_step_wire(server):
    requester = Requester(server)
    for content_type in ("text/plain", "application/octet-stream", FORM):
        body = json.dumps(requester.sign_body("typed.example.org")).encode()
        assert send(server.machines, server.root, "POST", "/sign", body, content_type=content_type).status == 201


def requests_for(name, names, *, key=None, subject=None):
    attributes = [x509.NameAttribute(x509.OID_COMMON_NAME, name)] if subject is None else subject
    san = x509.SubjectAlternativeName(names)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes)).add_extension(san, critical=False)
    return builder.sign(key or new_key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def broken_signature():
    der = bytearray(x509.load_pem_x509_csr(signing_request(new_key(), "a.example.org").encode()).public_bytes(Encoding.DER))
    der[-5] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()


def dns(*names):
    return [x509.DNSName(each) for each in names]


REQUESTS = {
    "no PEM": lambda: "rubbish",
    "PEM of rubbish": lambda: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    "a private key": lambda: (
        "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n"
    ),
    "wrong signature": broken_signature,
    "weak RSA key": lambda: requests_for("a.example.org", dns("a.example.org"), key=rsa.generate_private_key(65537, 1024)),
    "curve not allowed": lambda: requests_for("a.example.org", dns("a.example.org"), key=ec.generate_private_key(ec.SECP256K1())),
    "too many names": lambda: requests_for("a.example.org", dns(*(f"h{number}.example.org" for number in range(1500)))),
    "empty label": lambda: requests_for("a..example.org", dns("a..example.org")),
    "label too long": lambda: requests_for("a", dns("a" * 64 + ".example.org")),
    "name too long": lambda: requests_for("a", dns(".".join(["a" * 60] * 5))),
    "null in a name": lambda: requests_for("a", dns("good.example.org\0.evil.example")),
    "line break in a name": lambda: requests_for("a", dns("a.example.org\r\nSet-Cookie: x")),
    "space in a name": lambda: requests_for("a", dns("a example.org")),
    "wildcard in the middle": lambda: requests_for("a", dns("a.*.example.org")),
    "only a wildcard": lambda: requests_for("*", dns("*")),
    "address as a name": lambda: requests_for("10.0.0.1", dns("10.0.0.1")),
    "dot at the end": lambda: requests_for("a.example.org.", dns("a.example.org.")),
    "markup": lambda: requests_for("<script>alert(1)</script>", dns("<script>.example.org")),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_hostile_signing_request(server, kind):
    """The token allows what the request asks for, so that the request alone decides."""
    csr = REQUESTS[kind]()
    try:
        parsed = x509.load_pem_x509_csr(csr.encode())
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    except ValueError:
        names = ["a.example.org"]
    token = Requester(server).token(names[0], sans=names[:1000])
    answer = people.with_token(server, csr, token)
    assert answer.status in (400, 401, 403, 413), answer.body
    message = in_words_of_step(answer)
    assert "\r" not in message
    assert "\0" not in message


# --- the OAuth wire ---


def in_words_of_oauth(answer):
    told = answer.json()
    assert re.fullmatch(r"[a-z_]+", told["error"])
    assert set(told) <= {"error", "error_description", "error_uri"}
    assert answer.headers["cache-control"] == "no-store"
    return told["error"]


TOKEN = [
    (b"", {"content_type": FORM}, 400, "invalid_request"),
    (b"{}", {"content_type": "application/json"}, 400, "invalid_request"),
    (b"grant_type=authorization_code", {}, 400, "invalid_request"),
    (b"grant_type=authorization_code&grant_type=refresh_token", {"content_type": FORM}, 400, "invalid_request"),
    (b"grant_type=password&username=a&password=b&client_id=step-ca", {"content_type": FORM}, 400, "unsupported_grant_type"),
    (b"grant_type=authorization_code&client_id=nobody&code=x", {"content_type": FORM}, 401, "invalid_client"),
    (b"grant_type=authorization_code&client_id=step-ca", {"content_type": FORM}, 400, "invalid_request"),
    (b"grant_type=authorization_code&client_id=step-ca&code=x&code_verifier=y&redirect_uri=z", {"content_type": FORM}, 400,
     "invalid_(grant|request)"),
    (b"grant_type=refresh_token&client_id=step-ca&refresh_token=" + b"x" * 9000, {"content_type": FORM}, 400, "invalid_grant"),
    (b"grant_type=%00&client_id=%00", {"content_type": FORM}, 401, "invalid_client"),
    (b"grant_type=authorization_code&client_id=%ff", {"content_type": FORM}, 400, "invalid_request"),
    (b"grant_type=\xff\xfe", {"content_type": FORM}, 400, "invalid_request"),
    (b"&" * 5000, {"content_type": FORM}, 400, "invalid_request"),
    (b"a=1&" * 5000, {"content_type": FORM}, 400, "invalid_request"),
    (b"grant_type=refresh_token", {"content_type": FORM, "authorization": "Basic !!!"}, 401, "invalid_client"),
    (b"grant_type=refresh_token", {"content_type": FORM, "authorization": "Basic bm9ib2R5OnNlY3JldA=="}, 401, "invalid_client"),
    (b"grant_type=refresh_token", {"content_type": FORM, "authorization": "Negotiate x"}, 401, "invalid_client"),
    (HUGE, {"content_type": FORM}, 413, "invalid_request"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "headers", "status", "error"), TOKEN)
def test_token_endpoint(server, body, headers, status, error):
    answer = send(server.people, server.root, "POST", "/oauth2/token", body, **headers)
    assert answer.status == status, answer.body[:300]
    assert re.fullmatch(f".*{error}.*", in_words_of_oauth(answer)), answer.body
    if status == 401 and "authorization" in headers:
        assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/oauth2/token", 405),
    ("GET", "/oauth2/openid/no-such-client/.well-known/openid-configuration", 404),
    ("GET", "/oauth2/openid/no-such-client/public_key.jwk", 404),
    ("GET", "/oauth2/no-such-endpoint", 404),
    ("DELETE", "/oauth2/openid/step-ca/public_key.jwk", 405),
])  # fmt: skip
def test_other_oauth_addresses(server, method, path, status):
    answer = send(server.people, server.root, method, path)
    assert answer.status == status, answer.body[:300]
    assert answer.json()["error"]


@pytest.mark.parametrize("token", [None, "", "x", "Bearer", "a.b.c", "x" * 8000, "\xff"])
def test_userinfo_with_a_token_that_proves_nothing(server, token):
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = send(server.people, server.root, "GET", "/oauth2/openid/step-ca/userinfo", **headers)
    assert answer.status == 401, answer.body
    assert answer.headers["www-authenticate"].startswith("Bearer ")


AUTHORIZE = [
    "",
    "client_id=nobody&redirect_uri=http://127.0.0.1:9",
    "client_id=step-ca&redirect_uri=https://evil.example/",
    "client_id=step-ca&redirect_uri=http://127.0.0.1.evil.example:9",
    "client_id=step-ca&redirect_uri=http://localhost:9@evil.example/",
    "client_id=step-ca&redirect_uri=javascript:alert(1)",
    "client_id=step-ca&client_id=other&redirect_uri=http://127.0.0.1:9",
    "client_id=%00&redirect_uri=%00",
    "client_id=%ff",
    "client_id=" + "x" * 9000,
    "client_id=<script>alert(1)</script>",
]


@pytest.mark.parametrize("query", AUTHORIZE)
def test_authorization_request_that_proves_no_application_stays_on_a_page(server, query):
    answer = send(server.people, server.root, "GET", f"/oauth2/authorise?{query}")
    assert answer.status == 400
    assert "location" not in answer.headers
    in_words_of_pages(answer)
    assert b"<script>alert" not in answer.body


# --- the management API ---


def in_words_of_the_api(answer):
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(told)
    assert told["status"] == answer.status
    return told["detail"]


API = [
    ("POST", "/login", b"", {}, 415),
    ("POST", "/login", b"name=a", {"content_type": FORM}, 415),
    ("POST", "/login", b"", {"content_type": "application/json"}, 400),
    ("POST", "/login", b"rubbish", {"content_type": "application/json"}, 400),
    ("POST", "/login", b"[]", {"content_type": "application/json"}, 400),
    ("POST", "/login", NESTED, {"content_type": "application/json"}, 400),
    ("POST", "/login", LATIN, {"content_type": "application/json"}, 400),
    ("POST", "/login", b'{"name": "a"}', {"content_type": "application/json"}, 400),
    ("POST", "/login", b'{"name": "a", "password": 1}', {"content_type": "application/json"}, 400),
    ("POST", "/login", b'{"name": "a", "password": "b", "otp": 1}', {"content_type": "application/json"}, 400),
    ("POST", "/login", HUGE, {"content_type": "application/json"}, 413),
    ("GET", "/login", None, {}, 405),
    ("GET", "/whoami", None, {}, 401),
    ("GET", "/whoami", None, {"authorization": "Bearer rubbish"}, 401),
    ("GET", "/whoami", None, {"authorization": "Bearer " + "x" * 8000}, 401),
    ("GET", "/whoami", None, {"authorization": "Basic YWxpY2U6cGFzc3dvcmQ="}, 401),
    ("GET", "/persons/..%2f..%2fetc", None, {}, 401),
    ("GET", "/version?x=1", None, {}, 400),
    ("GET", "/version?x=%ff", None, {}, 400),
    ("GET", "/no-such-thing", None, {}, 404),
    ("GET", "/%00", None, {}, 400),
    ("PATCH", "/version", b"{}", {"content_type": "application/json"}, 405),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), API)
def test_api(server, method, path, body, headers, status):
    answer = send(server.people, server.root, method, f"/api/v1{path}", body, **headers)
    assert answer.status == status, answer.body[:300]
    in_words_of_the_api(answer)


@pytest.fixture(scope="module")
def bearer(server):
    body = {"name": "admin", "password": Path(server.place / "admin-password").read_text()}
    return "Bearer " + send(server.people, server.root, "POST", "/api/v1/login", body).json()["token"]


SIGNED_IN = [
    ("POST", "/persons", {"name": "mallory", "display_name": "M", "admin": True}, 400, "admin"),
    ("POST", "/persons", {"name": "mal\0lory", "display_name": "M"}, 400, ""),
    ("POST", "/persons", {"name": "x" * 1000, "display_name": "M"}, 400, ""),
    ("POST", "/persons", {"name": "mallory", "display_name": "\u202egnihton"}, 400, ""),
    ("POST", "/persons", {"name": "mallory", "display_name": "M", "mails": ["a@b@c"]}, 400, "a@b@c"),
    ("POST", "/persons", {"name": "mallory", "display_name": "M", "mails": ["a@example.org\r\nBcc: x"]}, 400, ""),
    ("GET", "/persons/no%20such%20person", None, 404, "no such person"),
    ("GET", "/persons/" + "x" * 3000, None, 404, ""),
    ("GET", "/persons?limit=0", None, 400, "limit"),
    ("GET", "/persons?limit=1&limit=2", None, 400, "limit"),
    ("GET", "/certificates/xyz", None, 400, "xyz"),
    ("GET", "/certificates?after=zz", None, 400, "zz"),
    (
        "POST",
        "/oauth2/clients",
        {"kind": "public", "name": "x y", "display_name": "x", "landing_url": "https://x.example"},
        400,
        "x y",
    ),
    (
        "POST",
        "/oauth2/clients",
        {"kind": "public", "name": "xss", "display_name": "x", "landing_url": "javascript:alert(1)"},
        400,
        "javascript",
    ),
    ("POST", "/provisioners", {"type": "OIDC", "name": "x", "clientId": "x"}, 400, "clientId"),
    ("POST", "/provisioners", {"type": "JWK", "name": "x", "key": {"kty": "oct", "k": "eA"}}, 400, "key"),
    ("POST", "/provisioners", [1], 400, ""),
    ("DELETE", "/auth/sessions/not-an-id", None, 404, "not-an-id"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "words"), SIGNED_IN)
def test_api_for_someone_who_may(server, bearer, method, path, body, status, words):
    answer = send(server.people, server.root, method, f"/api/v1{path}", body, authorization=bearer)
    assert answer.status == status, answer.body[:300]
    assert words in in_words_of_the_api(answer)


# --- pages ---


def in_words_of_pages(answer):
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert b"<title>" in answer.body
    assert b"request-id" in answer.body.lower() or b"request" in answer.body.lower()


PAGES = [
    ("GET", "/no-such-page", None, {}, 404),
    ("GET", "/ui/no-such-page", None, {}, 404),
    ("GET", "/%00", None, {}, 400),
    ("GET", "/%ff", None, {}, 400),
    ("GET", "/static/../../../etc/passwd", None, {}, 404),
    ("GET", "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd", None, {}, 404),
    ("GET", "/welcome/rubbish", None, {}, 410),
    ("GET", "/welcome/" + "x" * 5000, None, {}, 410),
    ("GET", "/reset/rubbish", None, {}, 410),
    ("POST", "/ui/sign-in", b"", {"content_type": FORM}, 400),
    ("POST", "/ui/sign-in", b"{}", {"content_type": "application/json"}, 400),
    ("POST", "/ui/sign-in", b"username=a&username=b", {"content_type": FORM}, 400),
    ("POST", "/ui/sign-in", b"username=\xff", {"content_type": FORM}, 400),
    ("POST", "/ui/sign-in", HUGE, {"content_type": FORM}, 413),
    ("POST", "/ui/sign-in", b"username=a", {"content_type": FORM, "origin": "https://evil.example"}, 403),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), PAGES)
def test_pages(server, method, path, body, headers, status):
    answer = send(server.people, server.root, method, path, body, accept="text/html,*/*;q=0.8", **headers)
    assert answer.status == status, answer.body[:300]
    in_words_of_pages(answer)


def test_form_without_its_token_changes_nothing(server):
    browser = people.sign_in(server)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies[server.people].items())
    body = b"current=x&password=y"
    for path in ("/ui/account/password", "/ui/account/sessions/end-others", "/ui/sign-out"):
        answer = send(server.people, server.root, "POST", path, body, content_type=FORM, cookie=cookies)
        assert answer.status in (400, 403), path
    assert browser.open(f"{server.people}/ui/account").status == 200


ADDRESSES = [
    ("people", "/"),
    ("people", "/ui/sign-in"),
    ("people", "/oauth2/authorise?client_id=step-ca&redirect_uri=http://127.0.0.1:9&response_type=code&scope=openid"),
    ("people", "/oauth2/openid/step-ca/.well-known/openid-configuration"),
    ("people", "/api/v1/version"),
    ("machines", "/provisioners"),
]


def test_host_header_of_someone_else_ends_up_nowhere(server):
    """Redirects, links, issuers and addresses come from the settings, whatever a peer calls the server."""

    def ask(what):
        given, (listener, path) = what
        request = f"GET {path} HTTP/1.1\r\nHost: {given}\r\nConnection: close\r\n\r\n".encode()
        return exchange(getattr(server, listener), server.root, request)

    names = ("evil.example", "evil.example:443", "localhost@evil.example", "localhost/evil.example", "")
    questions = list(product(names, ADDRESSES))
    with ThreadPoolExecutor(len(questions)) as pool:
        answers = list(pool.map(ask, questions))
    for question, answer in zip(questions, answers, strict=True):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert re.match(rb"HTTP/1\.1 [234]", head), (question, head)
        assert b"evil.example" not in body, question
        assert b"evil.example" not in b"".join(re.findall(rb"(?i)\r\nlocation: [^\r]*", head)), question


# --- below HTTP ---


RAW = [
    b"rubbish\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: 1\r\n" % number for number in range(500)) + b"\r\n",
    b"POST /sign HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /sign HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /sign HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST /sign HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /sign HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /sign HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX\0: 1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: 1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("listener", ["people", "machines", "status"])
def test_what_is_not_http_is_refused_or_cut_off(server, listener):
    def ask(content):
        return exchange(
            getattr(server, listener), server.root, content if content.endswith(b"\r\n\r\n") else content + b"\r\n\r\n"
        )

    with ThreadPoolExecutor(len(RAW)) as pool:  # a refused peer may go on sending for a while before it is cut off
        answers = dict(zip(RAW, pool.map(ask, RAW), strict=True))
    for content, answer in answers.items():
        assert re.match(rb"HTTP/1\.1 (4\d\d|501) |$", answer), (content[:60], answer[:200])
        assert answer.count(b"HTTP/1.") <= 1
        assert (answer[9:12] == b"501") == (b"gzip" in content)  # a coding that is not known here (RFC 9112, section 6.1)


def test_what_is_not_tls_is_cut_off(server):
    for content in (b"\x16\x03\x01\xff\xff" + bytes(1000), bytes(5000), b"SSH-2.0-x\r\n"):
        with socket.create_connection(("127.0.0.1", server.people_port), timeout=PATIENCE) as opened:
            answered = b""
            with contextlib.suppress(OSError):  # cut off before everything was sent or read
                opened.sendall(content)
                opened.shutdown(socket.SHUT_WR)
                while part := opened.recv(4096):
                    answered += part
            assert not answered.startswith(b"HTTP/"), "nothing is served without TLS"


def test_old_versions_of_tls_are_refused(server):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", server.people_port), timeout=PATIENCE) as opened, pytest.raises(ssl.SSLError):
        old.wrap_socket(opened, server_hostname="localhost")


def memory(pid):
    """What a process holds for itself, in bytes."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(amount) for amount in re.findall(r"Private_\w+:\s+(\d+) kB", text)) * 1024


def test_many_large_bodies_at_once_are_held_by_no_one(server):
    for _ in range(3):
        send(server.machines, server.root, "POST", "/sign", HUGE)  # what the first time costs is not counted
    before = {pid: memory(pid) for pid in server.workers()}
    most = dict(before)
    done = threading.Event()

    def watch():
        while not done.wait(0.05):
            most.update({pid: max(amount, memory(pid)) for pid, amount in most.items()})

    def pour():
        head = b"POST /sign HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = exchange(server.machines, server.root, head + b"10000\r\n" + b"x" * 65_536 + b"\r\n" + b"fffff\r\n" + HUGE)
        statuses.append(answer[:12])

    statuses: list[bytes] = []
    watcher = threading.Thread(target=watch)
    watcher.start()
    pourers = [threading.Thread(target=pour) for _ in range(40)]
    try:
        for each in pourers:
            each.start()
        for each in pourers:
            each.join(2 * PATIENCE)
    finally:
        done.set()
        watcher.join()
    assert len(statuses) == 40
    assert set(statuses) <= {b"HTTP/1.1 413", b"HTTP/1.1 400", b""}
    assert max(most[pid] - before[pid] for pid in most) < 40_000_000
    assert send(server.machines, server.root, "GET", "/health").status == 200


def test_slow_peers_do_not_keep_others_waiting(server):
    waiting = []
    try:
        for _ in range(150):
            opened = socket.create_connection(("127.0.0.1", server.machines_port), timeout=PATIENCE)
            opened.sendall(b"\x16\x03\x01")  # the beginning of a handshake, and no more
            waiting.append(opened)
        longest = 0.0
        for _ in range(10):
            began = time.monotonic()
            assert send(server.machines, server.root, "GET", "/health").status == 200
            longest = max(longest, time.monotonic() - began)
        assert longest < 8  # a handshake has ten seconds
    finally:
        for opened in waiting:
            opened.close()


def test_password_and_tokens_of_bad_requests_are_in_no_log(server):
    secret = f"very-secret-{os.urandom(8).hex()}"
    send(server.people, server.root, "POST", "/api/v1/login", {"name": "alice", "password": secret})
    send(server.people, server.root, "POST", "/api/v1/login", {"name": secret, "password": PERSON_PASSWORD, "wrong": secret})
    send(server.people, server.root, "GET", f"/welcome/{secret}")
    send(server.people, server.root, "GET", f"/oauth2/authorise?client_id=step-ca&state={secret}")
    send(server.people, server.root, "GET", "/api/v1/whoami", authorization=f"Bearer {secret}")
    send(server.machines, server.root, "POST", "/sign", {"csr": "x", "ott": secret})
    send(server.machines, server.root, "POST", "/renew", authorization=f"Bearer {secret}")
    assert secret not in server.log.read_text()
