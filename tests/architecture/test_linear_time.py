"""Every parser of what comes from outside takes linear time: 64 kB of the worst kind stay below a few milliseconds."""

import base64
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest

from sealwright import pem, strict_json
from sealwright.ca import csr, der, names
from sealwright.ca.models import Name, NameType
from sealwright.ca.provisioners import audiences
from sealwright.ca.provisioners.files import parse_json
from sealwright.ca.step_api import messages
from sealwright.client_metadata import loopback_parts, require_redirect_uri
from sealwright.clock import FixedClock, Instant, parse_duration
from sealwright.entropy import SeededEntropy
from sealwright.errors import Failure
from sealwright.go_duration import parse_duration as parse_go_duration
from sealwright.http import Listener, Peer, Request, Response, Route, Wire
from sealwright.identity import policy as people
from sealwright.ip import network_of
from sealwright.jose import LONGEST_TOKEN, UnverifiedToken, decrypt_private_jwk, keys_of_jwks
from sealwright.jose.encoding import decode_object
from sealwright.oauth.parameters import Parameters
from sealwright.openid_providers import read_metadata
from sealwright.runtime.http_response import site_of
from sealwright.runtime.listener_state import RequestIds
from sealwright.runtime.proxies import ListedProxies, Proxies
from sealwright.runtime.routing import RouteTable, target_of
from sealwright.runtime.throttled_log import ThrottledLog
from sealwright.settings import forms

LENGTH = 65_536
ALLOWED = 0.005
_TRIES = 40
BEGIN, END = "-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"


class Shape(msgspec.Struct):
    csr: str | None = None


def filled(unit: str, before: str = "", after: str = "", length: int = LENGTH) -> str:
    """`unit` again and again between `before` and `after`, as long as a body may be."""
    return before + unit * ((length - len(before) - len(after)) // len(unit)) + after


def body_of(text: str) -> Any:
    return Request("POST", "/", body=text.encode()).json(Shape)


def form_of(text: str) -> Any:
    return Request("POST", "/", headers={"content-type": "application/x-www-form-urlencoded"}, body=text.encode()).form()


def bearer_of(text: str) -> Any:
    return Request("GET", "/", headers={"authorization": text}).bearer()


def client_behind(headers: dict[str, str]) -> Any:
    return PEERS.client(Peer("10.0.0.5"), headers, b"-")


async def nothing(request: Request) -> Response:
    return Response(204)


def segment(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


TEXTS = tuple(
    filled(unit, before, after)
    for before in ("", "a", "https://", "https://a/", "a@", "spiffe://a/", "1", "*.", "[", "com.a:/")
    for unit in (" ", "a", "1", "-", ".", "a.", "/a", "@", ":", "%41", "é", "日", "xn--a.", "a-", "\u202e", "_", "[", "0.", "1h")
    for after in ("", "!", "\0")
)
ARMOUR = (
    filled(" ", BEGIN),
    filled("\n", BEGIN, END),
    filled("A", BEGIN + "\n", "\n" + END),
    filled("A\n", BEGIN + "\n"),
    filled(BEGIN),
    filled(BEGIN + "\n"),
    filled("-----BEGIN "),
    filled("-"),
    filled(END),
    filled(BEGIN + END),
    filled(f"{BEGIN}\nAAAA\n"),
)


def json_texts(length: int) -> tuple[str, ...]:
    """JSON of the kinds that take a reader longest."""
    members = ",".join(f'"{n}":1' for n in range(length // 11))
    return (
        filled("[", length=length),
        filled("[", '{"unknown":', length=length),
        filled('{"a":', '{"unknown":', length=length),
        filled("9", '{"csr":"a","unknown":', "}", length=length),
        filled("9", '{"csr":"a","unknown":1e', "}", length=length),
        filled("\\u0041", '{"csr":"', '"}', length=length),
        filled("\\", '{"csr":"', '"}', length=length),
        filled('"a":1,', "{", '"b":1}', length=length),
        filled(" - at `$", '{"', '":1}', length=length),
        filled(" ", "{", length=length),
        filled("é", '{"csr":"', '"}', length=length),
        "{" + members + ',"0":1}',
    )


JSON = json_texts(LENGTH)
TOKEN_JSON = json_texts(LONGEST_TOKEN * 3 // 4)
FORMS = (filled("a=1&"), filled("&"), filled("="), filled("%41"), filled("+"), filled("%"), filled("%C3", "a="), filled(";"))
TOKENS = (
    filled("a"),
    filled("."),
    f"{segment('[' * 48_000)}.e30.AA",
    f"{segment('{' + chr(34) + 'a' + chr(34) + ':' + '9' * 48_000)}.e30.AA",
    f"e30.{segment('[' * 40_000)}.AA",
)
DER = (
    b"\x30\x80" + bytes(LENGTH - 2),
    b"\x30" * LENGTH,
    b"\x30\x82\xff\xfc" * (LENGTH // 4),
    b"\x30\x83\x00\xff\xfb" + b"\x05\x00" * ((LENGTH - 5) // 2),
    b"\x30\x83\x00\xff\xfb" + b"\x30\x00" * ((LENGTH - 5) // 2),
)

COOKIES = tuple(filled(unit) for unit in (";", "=", " ", "a=b;", "__Host-session=a;", "; ", '"', "__Host-session"))
FORWARDED = tuple(
    filled(unit, before, after)
    for before in ("", "[", '"')
    for unit in (",", " ", "10.0.0.1,", "1", ".", ":", "%", "[::1],", "::ffff:10.0.0.1, ", "unknown,", '"')
    for after in ("", ",10.0.0.1", ", 203.0.113.7:1")
)
CERTIFICATES = (filled(":"), filled("A", ":", ":"), filled(":AAAA:,"), filled("=", ":", ":"), filled(" "), f":{'M' * 16_000}:")
ADDRESSES = tuple(
    f"/{filled(unit)[:16_000]}" for unit in ("/", "a/", "%41", "%", "%2F/", "a", "..", "?", "#", "certificates/", "%C3%A9")
)
REQUEST_IDS = RequestIds(SeededEntropy(1))
TEN = (ip_network("10.0.0.0/8"),)
PEERS = Proxies(ListedProxies(TEN, TEN), FixedClock(Instant(0)), ThrottledLog(lambda *_, **__: None, "", float))
TABLE = RouteTable(
    Route(method, path, nothing, frozenset(Listener), "public: test", Wire.API)
    for method, path in (
        ("GET", "/"),
        ("GET", "/{a}/{b}/{c}"),
        ("GET", "/a/{b}/c/{d}"),
        ("POST", "/certificates/{serial}/revoke"),
        ("GET", "/files/{rest:path}"),
        ("GET", "/a/{rest:path}"),
    )
)

CASES: list[tuple[str, Callable[[Any], Any], tuple[Any, ...]]] = [
    ("a request for a certificate", csr.parse, ARMOUR),
    ("a request for a certificate in DER", csr.parse, DER),
    ("DER", lambda data: der.whole(data, der.SEQUENCE), DER),
    ("PEM", lambda text: pem.certificates(text.encode()), ARMOUR),
    ("a body", body_of, JSON),
    ("a file in JSON", parse_json, JSON),
    ("JSON", strict_json.loads, JSON),
    ("an object of a token", lambda text: decode_object(text.encode(), "payload"), TOKEN_JSON),
    ("a key set", lambda text: keys_of_jwks(text.encode()), JSON),
    ("a discovery document", lambda text: read_metadata(text.encode(), "https://a.example"), JSON),
    ("a token", lambda text: UnverifiedToken(text).claims(), TOKENS),
    ("an encrypted key", lambda text: decrypt_private_jwk(text, b"x"), (*TOKENS, filled("a.")[:8_000])),
    ("a form", form_of, FORMS),
    ("a query", lambda text: Request("GET", "/", text).query(), FORMS),
    ("an authorization request", Parameters.read, FORMS),
    (
        "a bearer token",
        lambda text: Request("GET", "/", headers={"authorization": text}).bearer(),
        (filled(" "), filled("Bearer ")),
    ),
    ("cookies", lambda text: Request("GET", "/", headers={"cookie": text}).cookie("__Host-session"), COOKIES),
    ("an address that a proxy tells", lambda text: client_behind({"x-forwarded-for": text}), FORWARDED),
    ("a certificate that a proxy tells of", lambda text: client_behind({"client-cert": text}), CERTIFICATES),
    ("an IP address of a peer", network_of, TEXTS),
    ("a Host header", lambda text: site_of("https", text), TEXTS),
    ("a request id", lambda text: REQUEST_IDS.of({"x-request-id": text}), TEXTS),
    ("the target of a request", lambda text: target_of(text.encode(), "a"), ADDRESSES),
    ("a path", lambda text: TABLE.find("DELETE", text), ADDRESSES),
    ("a path that leads nowhere", TABLE.nearest_wire, ADDRESSES),
    ("a bare name", names.parse, TEXTS),
    ("a DNS name", lambda text: names.canonical(Name(NameType.DNS, text)), TEXTS),
    ("a mail address in a certificate", lambda text: names.canonical(Name(NameType.EMAIL, text)), TEXTS),
    ("a URI in a certificate", lambda text: names.canonical(Name(NameType.URI, text)), TEXTS),
    ("an IP address", lambda text: names.canonical(Name(NameType.IP, text)), TEXTS),
    ("a common name", names.common_name, TEXTS),
    ("a redirect URI", require_redirect_uri, TEXTS),
    ("a loopback address", loopback_parts, TEXTS),
    ("an audience", audiences.is_address, TEXTS),
    ("a time or duration", lambda text: messages.time_or_duration(text, "notAfter"), TEXTS),
    ("a serial number", messages.serial_number, TEXTS),
    ("a duration of a provisioner", parse_go_duration, TEXTS),
    ("a duration of a setting", parse_duration, TEXTS),
    ("a person's name", people.check_name, TEXTS),
    ("a person's mail address", people.check_mail, TEXTS),
    ("a display name", people.check_display_name, TEXTS),
    ("a name at sign-in", lambda text: people.parse_sign_in_name(text, "example.org"), TEXTS),
    ("a listening address", forms.read_address, TEXTS),
    ("a host of a setting", forms.read_host, TEXTS),
    ("an origin", forms.read_origin, TEXTS),
    ("a database", forms.read_database, (*TEXTS, filled("/a:", "postgresql://"), filled("%40", "postgresql://"))),
    ("a network", forms.read_network, TEXTS),
]


def processor_time(read: Callable[[Any], Any], given: Any) -> float:
    """The best of several runs, without what measures coverage; what is refused has been read as well."""
    best = float("inf")
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        for _ in range(_TRIES):
            begun = time.process_time()
            with suppress(Failure, ValueError):
                read(given)
            best = min(best, time.process_time() - begun)
            if best < ALLOWED:
                break
    finally:
        sys.settrace(tracer)
    return best


@pytest.mark.parametrize(("what", "read", "inputs"), CASES, ids=[what for what, _, _ in CASES])
def test_longest_input_is_read_in_linear_time(what, read, inputs):
    for given in inputs:
        took = processor_time(read, given)
        assert took <= ALLOWED, f"{what} of {len(given)} took {took * 1000:.1f} ms: {given[:60]!r}…"


def test_a_slow_reader_is_seen():
    def quadratic(text: str) -> None:
        for at in range(len(text)):
            text.find("x", at)

    assert processor_time(quadratic, filled("a")) > ALLOWED
