"""One handler shape for every wire: `Request` in, `Response` out, both plain values."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, TypeVar

import msgspec

from sealwright.errors import InvalidInput
from sealwright.http.json import decode_json

T = TypeVar("T")

MAX_FORM_FIELDS = 200

MAX_COOKIES = 500
"""Browsers send fewer than 200 to one host."""

_HEX = "0123456789abcdefABCDEF"

_PERCENT = re.compile(rb"((?:%[0-9A-Fa-f]{2})++)")


class _Encoded(dict[bytes, bytes]):
    """The bytes that a run of percent-encoded ones stands for; single ones are looked up, which is faster."""

    def __missing__(self, run: bytes) -> bytes:
        return bytes.fromhex(run.decode().replace("%", ""))


_ENCODED = _Encoded({f"%{high}{low}".encode(): bytes.fromhex(high + low) for high in _HEX for low in _HEX})

_MOST_DIGITS = 18
"""This many fit into 64 bits; a longer text is refused before it is read as a number."""


class Peer(msgspec.Struct, frozen=True):
    """The other end of the connection."""

    address: str
    """IP address as text."""
    certificate: bytes | None = None
    """DER of the client certificate whose key this TLS connection proved possession of, no matter who issued it."""
    forwarded_certificate: bytes | None = None
    """DER of the client certificate in the header of a listed proxy: the proxy has seen the proof, this server has not."""
    forwarding_fault: str = ""
    """Why the certificate in the header of a listed proxy is not accepted; empty where it is, or there is none."""

    @property
    def shown_certificate(self) -> bytes | None:
        """DER of the client certificate that was proven to this connection, or to the listed proxy before it."""
        return self.forwarded_certificate if self.certificate is None else self.certificate

    @property
    def is_forwarded(self) -> bool:
        """True where a listed proxy sent a certificate in a header, so that there is none of this connection."""
        return bool(self.forwarding_fault) or self.forwarded_certificate is not None


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
        return _unique(fields_of(self.query_text))

    def form(self) -> dict[str, str]:
        """Fields of an `application/x-www-form-urlencoded` body; another content type or a repeated field is InvalidInput."""
        return self.form_with("")[0]

    def form_with(self, repeatable: str) -> tuple[dict[str, str], tuple[str, ...]]:
        """The same of a form in which the field called `repeatable` may be given more than once, and its values beside them."""
        content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            raise InvalidInput(f"The body must be application/x-www-form-urlencoded, not {content_type or 'without a type'}.")
        try:
            fields = fields_of(self.body.decode("utf-8"))
        except UnicodeDecodeError as cause:
            raise InvalidInput("The form is not UTF-8 text.") from cause
        if not repeatable:
            return _unique(fields), ()
        once = _unique([field for field in fields if field[0] != repeatable])
        return once, tuple(value for name, value in fields if name == repeatable and value)

    def json(self, shape: type[T]) -> T:
        """The body as JSON, checked against a msgspec type; what does not fit raises InvalidInput naming the member."""
        return decode_json(self.body, shape)

    def cookie(self, name: str) -> str | None:
        """The value of one cookie, or None.

        Read by hand, cookie by cookie: on a host name that several programs share (localhost), one program's odd cookie must
        not hide ours. Nothing but a semicolon parts two cookies (RFC 6265, section 4.2.1), so a foreign value cannot pose as
        a ``__Host-`` cookie; a name that comes twice proves nothing and counts as absent. More cookies than any
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
    """One HTTP answer. `headers` come out in order; Content-Length, Transfer-Encoding and Date are added by the server."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    chunks: AsyncGenerator[bytes, None] | None = None
    """The body piece by piece, instead of `body`: sent as fast as the peer reads. Closed in any case, also unread."""


def json_response(status: int, value: Any, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """`value` as JSON with a newline at the end."""
    body = msgspec.json.encode(value) + b"\n"
    return Response(status, body, (("content-type", "application/json"), *headers))


def redirect(location: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """303 See Other, so that a form is never posted again to the next place."""
    return Response(303, b"", (("location", location), ("cache-control", "no-store"), *headers))


def whole_number(name: str, text: str, least: int, most: int) -> int:
    """A parameter that is a whole number between the two; another text raises InvalidInput."""
    plain = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not plain or not least <= int(text) <= most:
        raise InvalidInput(f"{name} is {text[:20]!r}; it must be a number from {least} to {most}.")
    return int(text)


def fields_of(text: str) -> list[tuple[str, str]]:
    """Names and values of a form or query (WHATWG URL, section 5.1), in order.

    More than a request has, and text that is not UTF-8, raise InvalidInput: a value that was mended would not be the one sent.
    """
    if text.count("&") >= MAX_FORM_FIELDS:
        raise InvalidInput(f"There are more than {MAX_FORM_FIELDS} parameters, which is as many as are read here.")
    fields: list[tuple[str, str]] = []
    for field_text in filter(None, text.split("&")):
        name, _, value = field_text.partition("=")
        try:
            fields.append((_decoded(name), _decoded(value)))
        except UnicodeDecodeError as cause:
            raise InvalidInput(f"The parameter {name[:64]!r} is not UTF-8 text; percent-encode it as such.") from cause
    return fields


def _unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Fields of a form or query, each of which is there once."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise InvalidInput(f"The parameter {name[:64]!r} is given more than once.")
        fields[name] = value
    return fields


def _decoded(text: str) -> str:
    return percent_decoded(text.replace("+", " "))


def percent_decoded(text: str) -> str:
    """`text` without percent-encoding (RFC 3986, section 2.1); what is not UTF-8 raises UnicodeDecodeError.

    The standard library takes 15 ms for 64 kB of percent signs.
    """
    if "%" not in text:
        return text
    parts = _PERCENT.split(text.encode("utf-8", "surrogatepass"))
    parts[1::2] = map(_ENCODED.__getitem__, parts[1::2])
    return b"".join(parts).decode("utf-8")
