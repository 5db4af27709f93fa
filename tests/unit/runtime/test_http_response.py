from datetime import timedelta

import pytest

from sealwright.errors import (
    Conflict,
    ContentTooLarge,
    MethodNotAllowed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    RateLimited,
    Refused,
    Unavailable,
)
from sealwright.http import Request, Response
from sealwright.runtime.http_response import encode, header_lines, plain_answer, site_of


def headers_of(response, host="id.example.org", scheme="https"):
    return dict(line.split(": ", 1) for line in header_lines(response, site_of(scheme, host), "id-1").splitlines())


def test_every_answer_has_the_guards():
    assert headers_of(Response(200, b"abc", (("content-type", "text/plain"),))) == {
        "content-type": "text/plain",
        "content-length": "3",
        "x-request-id": "id-1",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
    }


def test_handler_may_replace_a_guard():
    given = (
        ("Cache-Control", "max-age=60"),
        ("referrer-policy", "same-origin"),
        ("content-security-policy", "default-src 'none'"),
    )
    headers = headers_of(Response(200, b"", given))
    assert (headers["Cache-Control"], headers["referrer-policy"]) == ("max-age=60", "same-origin")
    assert "cache-control" not in headers


def test_repeated_headers_stay_apart():
    lines = header_lines(Response(303, b"", (("set-cookie", "a=1"), ("set-cookie", "b=2"))), site_of("https", "a"), "id-1")
    assert lines.count("set-cookie: ") == 2


@pytest.mark.parametrize(
    ("scheme", "host", "strict"),
    [
        ("https", "id.example.org", True),
        ("https", "id.example.org:8443", True),
        ("http", "id.example.org", False),
        ("https", "localhost:8443", False),
        ("https", "app.localhost", False),
        ("https", "127.0.0.1:8443", False),
        ("https", "[::1]:8443", False),
        ("https", "notlocalhost.example", True),
    ],
)
def test_strict_transport_is_for_names_of_our_own(scheme, host, strict):
    assert ("strict-transport-security" in headers_of(Response(200), host, scheme)) is strict


@pytest.mark.parametrize(("age", "value"), [(timedelta(days=1), "max-age=86400"), (timedelta(), "max-age=0")])
def test_strict_transport_lasts_as_long_as_was_set(age, value):
    lines = header_lines(Response(200), site_of("https", "id.example.org", age), "id-1")
    assert f"strict-transport-security: {value}\r\n" in lines


def test_lines_once_made_are_made_for_one_site_and_one_answer_only():
    ours, shared = site_of("https", "id.example.org"), site_of("https", "localhost")
    response = Response(200, b"abc", (("content-type", "text/plain"),))
    first = header_lines(response, ours, "id-1")
    assert header_lines(Response(200, b"abcd", response.headers), ours, "id-2") == first.replace("id-1", "id-2").replace(
        ": 3", ": 4"
    )
    assert "strict-transport" not in header_lines(response, shared, "id-1")


def test_lines_with_secrets_are_not_kept():
    site = site_of("https", "id.example.org")
    header_lines(Response(303, b"", (("location", "https://a/?code=x"), ("set-cookie", "s=1"))), site, "id-1")
    assert site.lines_of == {}


def test_number_of_lines_kept_is_bounded():
    site = site_of("https", "id.example.org")
    for number in range(1000):
        header_lines(Response(200, b"", (("content-type", f"text/x{number}"),)), site, "id-1")
    assert len(site.lines_of) <= 64


@pytest.mark.parametrize(
    "headers",
    [
        (("location", "/\r\nset-cookie: a=1"),),
        (("location", "/\nx"),),
        (("location", "/\rx"),),
        (("x\r\ny", "1"),),
        (("location", "/\0"),),
        (("location", "/€"),),
        (("content-length", "3"),),
        (("Transfer-Encoding", "chunked"),),
        (("date", "today"),),
    ],
)
def test_header_that_http_does_not_allow_is_refused(headers):
    with pytest.raises(ValueError, match=r"line break|latin-1|the server itself"):
        header_lines(Response(200, b"", headers), site_of("https", "a"), "id-1")


@pytest.mark.parametrize("status", [0, 100, 101, 199, 600, 999])
def test_status_that_is_no_answer_is_refused(status):
    with pytest.raises(ValueError, match="not a status"):
        header_lines(Response(status), site_of("https", "a"), "id-1")


def test_answers_without_content_have_no_length_and_no_body():
    response = Response(204, b"ignored")
    lines = header_lines(response, site_of("https", "a"), "id-1")
    assert "content-length" not in lines
    assert encode(response, lines).endswith(b"\r\n\r\n")


def test_answer_is_encoded_whole():
    response = Response(200, b"abc", (("content-type", "text/plain"),))
    encoded = encode(response, header_lines(response, site_of("http", "a"), "id-1") + "connection: close\r\n")
    head, _, body = encoded.partition(b"\r\n\r\n")
    assert (head.split(b"\r\n")[0], head.split(b"\r\n")[-1], body) == (b"HTTP/1.1 200 OK", b"connection: close", b"abc")


def test_response_in_pieces_has_no_length():
    async def pieces():
        yield b"abc"

    lines = header_lines(Response(200, chunks=pieces()), site_of("http", "a"), "id-1")
    assert "content-length" not in lines
    assert "x-request-id: id-1\r\n" in lines


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a b",
        "a/b",
        "a@b",
        "a?b",
        "a#b",
        "a:b",
        "a:123456",
        ":80",
        "[::1",
        "[gg]",
        "a\r\nb",
        "-a",
        "a-",
        "é",
        "x" * 300,
        "a..b:80\n",
        '"a"',
        "[::1]x",
    ],
)
def test_what_is_no_host_is_refused(host):
    with pytest.raises(ValueError, match="not a host"):
        site_of("https", host)


def test_origin_is_the_host_in_lower_case():
    assert site_of("https", "ID.Example.org:8443").origin == "https://id.example.org:8443"
    assert site_of("http", "[::1]:80").origin == "http://[::1]:80"


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (NotFound("no"), 404),
        (MethodNotAllowed("no", allowed=("GET",)), 405),
        (ContentTooLarge("no"), 413),
        (NotSignedIn("no"), 401),
        (NotPermitted("no"), 403),
        (RateLimited("no", retry_after=7), 429),
        (Conflict("no"), 409),
        (Unavailable("no", retry_after=7), 503),
        (Refused("no"), 400),
    ],
)
def test_plain_answer_tells_the_detail(failure, status):
    answer = plain_answer(Request("GET", "/"), failure)
    assert (answer.status, answer.body) == (status, b'{"status":%d,"message":"no"}\n' % status)
    assert ("retry-after" in dict(answer.headers)) is (status in (429, 503))


def test_plain_answer_to_a_bug_tells_the_request_id_alone():
    answer = plain_answer(Request("GET", "/", request_id="id-1"), RuntimeError("secret"))
    assert answer.status == 500
    assert b"id-1" in answer.body
    assert b"secret" not in answer.body
