"""One handler shape for every wire: `Request` in, `Response` out, both plain values.

A route states who may call it. A hot route names the fast lane; the same handler then answers straight from the HTTP
parser (see `server/`), so the lane is a property of the route and never a second implementation.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from sealwright import strict_json
from sealwright.errors import InvalidInput
from sealwright.strict_json import JsonRefused

MAX_BODY = 65_536
MAX_FORM_FIELDS = 200
MAX_COOKIES = 500
"""Browsers send fewer than 200 to one host."""

T = TypeVar("T")

_HEX = "0123456789abcdefABCDEF"
_PERCENT = re.compile(rb"((?:%[0-9A-Fa-f]{2})++)")


class _Encoded(dict[bytes, bytes]):
    """The bytes that a run of percent-encoded ones stands for; single ones are looked up, which is faster."""

    def __missing__(self, run: bytes) -> bytes:
        return bytes.fromhex(run.decode().replace("%", ""))


_ENCODED = _Encoded({f"%{high}{low}".encode(): bytes.fromhex(high + low) for high in _HEX for low in _HEX})
_SHOWN = 64
_MOST_DIGITS = 18
"""So many fit into 64 bits; a longer text is refused before it is read as a number."""
_ABOUT_A_MEMBER = (
    ("Object contains unknown field `", "is not known here"),
    ("Object missing required field `", "is missing"),
)
_TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


class Peer(msgspec.Struct, frozen=True):
    """The other end of the connection."""

    address: str
    """IP address as text."""
    certificate: bytes | None = None
    """DER of the client certificate that this TLS connection proved possession of; chains to one of our roots."""
    told_certificate: bytes | None = None
    """DER of the client certificate that a listed proxy tells of: the proxy has seen the proof, this server has not."""
    told_wrongly: str = ""
    """Why what a proxy tells of is no certificate of ours."""

    @property
    def is_told_of(self) -> bool:
        """Whether a proxy tells of a certificate, so that there is none of this connection."""
        return bool(self.told_wrongly) or self.told_certificate is not None


class Request(msgspec.Struct):
    """One HTTP request, whole: the body has been read and is within the route's limit."""

    method: str
    path: str
    """Percent-decoded path, without the query."""
    query_text: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Names in lower case; of a repeated header the values joined by a comma (RFC 9110, section 5.3)."""
    body: bytes = b""
    path_parameters: Mapping[str, str] = msgspec.field(default_factory=dict)
    peer: Peer = msgspec.field(default_factory=lambda: Peer(address="127.0.0.1"))
    origin: str = ""
    """Scheme, host and port that the peer used, such as ``https://localhost:8443``; taken from the connection and Host."""
    request_id: str = ""

    def query(self) -> dict[str, str]:
        """Query parameters. A parameter given twice raises InvalidInput (RFC 6749, section 3.1)."""
        return _unique(self.query_text)

    def form(self) -> dict[str, str]:
        """Fields of an `application/x-www-form-urlencoded` body; another content type or a repeated field is InvalidInput."""
        content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            raise InvalidInput(f"The body must be application/x-www-form-urlencoded, not {content_type or 'without a type'}.")
        try:
            return _unique(self.body.decode("utf-8"))
        except UnicodeDecodeError as cause:
            raise InvalidInput("The form is not UTF-8 text.") from cause

    def json(self, shape: type[T]) -> T:
        """The body as JSON, checked against a msgspec type; what does not fit raises InvalidInput naming the member."""
        return decode_json(self.body, shape)

    def cookie(self, name: str) -> str | None:
        """The value of one cookie, or None.

        Read by hand, cookie by cookie: on a host name that several programs share (localhost), one program's odd cookie must
        not hide ours. Nothing but a semicolon parts two cookies (RFC 6265, section 4.2.1), so a foreign value cannot pose as
        a ``__Host-`` cookie; a name that comes twice is no proof of anything and counts as absent. More cookies than any
        browser sends raise InvalidInput.
        """
        text = self.headers.get("cookie", "")
        if text.count(";") >= MAX_COOKIES:
            raise InvalidInput(f"There are more than the {MAX_COOKIES} cookies that are read here; delete some for this host.")
        pairs = (pair.partition("=") for pair in text.split(";"))
        values = [value.strip() for key, _, value in pairs if key.strip() == name]
        return values[0] if len(values) == 1 else None

    def bearer(self) -> str | None:
        """The token of ``Authorization: Bearer …`` (RFC 6750, section 2.1), or None."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" and value else None


class Response(msgspec.Struct):
    """One HTTP answer. `headers` come out in order; Content-Length and Date are added by the server."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


FailureAnswer = Callable[[Request, Exception], Response]
"""Turns a failure into an answer on one wire. What is no `Failure` becomes a 500 that tells only the request id."""

Handler = Callable[[Request], Awaitable[Response]]


class Listener(StrEnum):
    """The addresses that a server listens on."""

    PEOPLE = "people"
    MACHINES = "machines"
    STATUS = "status"


class Wire(StrEnum):
    """Whose words a failure is told in; the server holds one table from error class to answer for each."""

    PAGE = "page"  # HTML for people
    OAUTH = "oauth"  # RFC 6749, section 5.2 and RFC 6750
    STEP = "step"  # {"status", "message"}
    API = "api"  # RFC 9457


class Route(msgspec.Struct, frozen=True):
    """One path on one or more listeners.

    `path` may hold ``{name}`` for one segment or ``{name:path}`` for the rest. `access` is the permission that the handler
    asks for (``certificate:revoke``) or, starting with "public:", the reason why none is needed. `fast` puts it on the
    fast lane. `max_body` is in bytes; a longer body is answered 413 before it is read whole. `same_for` says how long the
    answer to a GET may be given again to everybody who asks for the same address under the same host name: only where it
    depends on nothing else. It takes effect on the fast lane.
    """

    method: str
    path: str
    handler: Handler
    listeners: frozenset[Listener]
    access: str
    wire: Wire
    fast: bool = False
    max_body: int = MAX_BODY
    same_for: timedelta = timedelta()


def json_response(status: int, value: Any, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """`value` as JSON with a newline at the end."""
    body = msgspec.json.encode(value) + b"\n"
    return Response(status, body, (("content-type", "application/json"), *headers))


def redirect(location: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """303 See Other, so that a form is never posted again to the next place."""
    return Response(303, b"", (("location", location), ("cache-control", "no-store"), *headers))


def decode_json(text: bytes, shape: type[T], whole: str = "The JSON body") -> T:
    """JSON as a msgspec type. What does not fit, repeats a member or is nested too deeply raises InvalidInput."""
    try:
        value = msgspec.json.decode(text, type=shape)
        strict_json.require_unique_members(text)
    except msgspec.MsgspecError as cause:
        raise InvalidInput(misfit(cause, whole)) from cause
    except UnicodeDecodeError as cause:
        raise InvalidInput(f"{whole} is not UTF-8 text.") from cause
    except RecursionError as cause:
        raise InvalidInput(f"{whole} is nested too deeply.") from cause
    except JsonRefused as cause:
        raise InvalidInput(f"{whole} {cause}.") from cause
    return value


def whole_number(name: str, text: str, least: int, most: int) -> int:
    """A parameter that is a whole number between the two; another text raises InvalidInput."""
    plain = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not plain or not least <= int(text) <= most:
        raise InvalidInput(f"{name} is {text[:20]!r}; it must be a number from {least} to {most}.")
    return int(text)


def misfit(cause: msgspec.MsgspecError, whole: str = "The JSON body") -> str:
    """Why JSON does not fit its type, as a sentence that names the member; `whole` is what to call all of it."""
    told = str(cause)
    if not isinstance(cause, msgspec.ValidationError):
        words = told.removeprefix("JSON is malformed: ").replace("Input data was truncated", "it ends too early")
        return f"{whole} is not JSON: {words}."
    told, place = _told_and_place(told)
    for before, wrong in (
        ("Object contains unknown field `", "is not known here"),
        ("Object missing required field `", "is missing"),
    ):
        if told.startswith(before):
            name = told.removeprefix(before).removesuffix("`")
            return f"The member {place}{'.' if place else ''}{name[:_SHOWN]} {wrong}."
    subject = f"The member {place}" if place else whole
    found = _expected(told)
    if found is None:  # a value that is none of those there are
        return f"{subject} has the wrong value: {told[:1].lower()}{told[1:]}."
    wanted, bounds, given = found
    return f"{subject} must be {_type_in_words(wanted)}{bounds}{f', not {_type_in_words(given)}' if given else ''}."


def _told_and_place(told: str) -> tuple[str, str]:
    """What msgspec says without the place, and the place as members divided by dots. Cut by hand: a name in it may be long."""
    before, found, place = told.rpartition(" - at `")
    place = place.removeprefix("key in ")
    if not found or not place.startswith("$") or not place.endswith("`"):
        return told, ""
    return before, place[1:-1].removeprefix(".").replace("[...]", "")


def _expected(told: str) -> tuple[str, str, str] | None:
    """The type that is needed, its bounds, and the type that was given, of "Expected `str` of length >= 2, got `int`"."""
    if not told.startswith("Expected `"):
        return None
    wanted, _, rest = told.removeprefix("Expected `").partition("`")
    bounds, got, given = rest.partition(", got `")
    return (wanted, bounds, given.removesuffix("`")) if got else (wanted, rest, "")


def _type_in_words(kinds: str) -> str:
    return " or ".join(_TYPES.get(kind, kind) for kind in kinds.split(" | "))


def fields_of(text: str, *, errors: str = "replace") -> list[tuple[str, str]]:
    """Names and values of a form or query (WHATWG URL, section 5.1), in order; more than a request has raise InvalidInput.

    `errors` is what becomes of bytes that are not UTF-8; with "strict" they raise UnicodeDecodeError.
    """
    if text.count("&") >= MAX_FORM_FIELDS:
        raise InvalidInput("There are too many fields.")
    parted = (field_text.partition("=") for field_text in text.split("&") if field_text)
    return [(_decoded(name, errors), _decoded(value, errors)) for name, _, value in parted]


def _unique(text: str) -> dict[str, str]:
    """Fields of a form or query, each of which is there once."""
    fields: dict[str, str] = {}
    for name, value in fields_of(text):
        if name in fields:
            raise InvalidInput(f"The parameter {name[:64]!r} is given more than once.")
        fields[name] = value
    return fields


def _decoded(text: str, errors: str) -> str:
    """`text` without percent-encoding. The standard library takes 15 ms for 64 kB of percent signs."""
    if "%" not in text and "+" not in text:
        return text
    parts = _PERCENT.split(text.replace("+", " ").encode("utf-8", "surrogatepass"))
    parts[1::2] = map(_ENCODED.__getitem__, parts[1::2])
    return b"".join(parts).decode("utf-8", errors)
