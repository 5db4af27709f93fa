"""From `Response` to the bytes of an HTTP response, with the headers that every response carries."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import msgspec

from sealwright import errors
from sealwright.http import Request, Response

GUARDS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
"""Given on every answer, unless the handler gives its own value."""

STRICT_TRANSPORT = timedelta(days=365)
_STRICT_TRANSPORT_NAME = "strict-transport-security"
_OWN = frozenset({"connection", "content-length", "date", "transfer-encoding", "x-request-id"})
_CONSTANT = frozenset({"access-control-allow-origin", "cache-control", "content-type", "vary"})
_MOST_KNOWN = 64
_BODILESS = frozenset({204, 304})
_LOWEST_STATUS = 200
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?)(?::[0-9]{1,5})?")
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_PLAIN_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (errors.NotFound, 404),
    (errors.MethodNotAllowed, 405),
    (errors.ContentTooLarge, 413),
    (errors.NotSignedIn, 401),
    (errors.NotPermitted, 403),
    (errors.RateLimited, 429),
    (errors.Conflict, 409),
    (errors.Unavailable, 503),
    (errors.Refused, 400),
)


@dataclass(frozen=True, slots=True)
class ServedOrigin:
    """What a peer calls this server, and the guards that go with that name."""

    origin: str
    guards: tuple[tuple[str, str], ...]
    lines_of: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict, repr=False, compare=False)
    """Header lines already made, of answers whose headers do not change from one to the next."""


def site_of(scheme: str, host: str, strict_transport: timedelta = STRICT_TRANSPORT) -> ServedOrigin:
    """The site behind a Host header; a host that is none raises ValueError.

    `strict_transport` is how long browsers shall use nothing but TLS; zero makes them forget it. It is said of names of our
    own only: browsers apply it to every port of a host, and ``localhost`` belongs to everything else that runs on this machine.
    """
    if not _HOST.fullmatch(host):
        raise ValueError("not a host")
    host = host.lower()
    guards = dict(GUARDS)
    if scheme == "https" and not _is_shared(host):
        guards[_STRICT_TRANSPORT_NAME] = f"max-age={int(strict_transport.total_seconds())}"
    return ServedOrigin(f"{scheme}://{host}", tuple(guards.items()))


def _is_shared(host: str) -> bool:
    name = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.rstrip(".").rpartition(".")[2] == "localhost"
    return True


def header_lines(response: Response, site: ServedOrigin, request_id: str) -> str:
    """Header lines of the answer; a status or header that HTTP does not allow raises ValueError."""
    headers = response.headers
    known = site.lines_of.get(headers)
    if known is None:
        known = _checked_lines(headers, site)
        if len(site.lines_of) < _MOST_KNOWN and _CONSTANT.issuperset(name for name, _ in headers):
            site.lines_of[headers] = known
    if response.status in _BODILESS:
        return f"{known}x-request-id: {request_id}\r\n"
    if response.status < _LOWEST_STATUS or response.status not in _STATUS_LINES:
        raise ValueError(f"{response.status} is not a status to answer with")
    if response.chunks is not None:  # the connection says where it ends
        return f"{known}x-request-id: {request_id}\r\n"
    return f"content-length: {len(response.body)}\r\n{known}x-request-id: {request_id}\r\n"


def _checked_lines(headers: tuple[tuple[str, str], ...], site: ServedOrigin) -> str:
    """Lines of the handler's headers and of the guards."""
    lines = _lines(headers)
    count = len(headers)
    if lines.count("\n") != count or lines.count("\r") != count or "\0" in lines:
        raise ValueError("a header holds a line break or a null character")
    if not lines.isascii():
        lines.encode("latin-1")
    names = {name.lower() for name, _ in headers}
    if not _OWN.isdisjoint(names):
        raise ValueError(f"the server itself sets {', '.join(sorted(_OWN & names))}")
    stored = "" if "cache-control" in names else "cache-control: no-store\r\n"
    return lines + stored + _lines((name, value) for name, value in site.guards if name not in names)


def encode(response: Response, lines: str) -> bytes:
    """The whole answer; `lines` are those of `header_lines` and whatever the connection adds."""
    head = encode_head(response, f"{lines}\r\n")
    return head if response.status in _BODILESS else head + response.body


def encode_head(response: Response, lines: str) -> bytes:
    """The status line and `lines`, without the empty line that ends a head."""
    return f"{_STATUS_LINES[response.status]}{lines}".encode("latin-1")


def refused(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """The answer where no wire has words for it: what HTTP itself knows."""
    body = msgspec.json.encode({"status": status, "message": message}) + b"\n"
    return Response(status, body, (("content-type", "application/json"), *headers))


def plain_answer(request: Request, failure: Exception) -> Response:
    """The same for a failure; nothing about a bug but the request id."""
    status = next((status for kind, status in _PLAIN_STATUS if isinstance(failure, kind)), 500)
    if isinstance(failure, errors.Failure):
        message = failure.detail
    else:
        message = f"Something went wrong here. The log tells more under the request id {request.request_id}."
    if isinstance(failure, errors.RateLimited | errors.Unavailable):
        return refused(status, message, (("retry-after", str(failure.retry_after)),))
    return refused(status, message)


def _lines(pairs: Any) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in pairs])
