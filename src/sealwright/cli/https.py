"""One HTTPS call, whole or not at all. The standard library's client, because a command should start fast."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

from sealwright import __version__
from sealwright.cli.errors import CommandFailed, RefusedByServer, Unreachable

SECONDS_WITHOUT_A_SIGN = 15.0
SECONDS_ALTOGETHER = 120.0
LARGEST_ANSWER = 16_000_000
_PIECE = 65_536
_CERTIFICATE_ALERTS = {
    "ALERT_UNKNOWN_CA": "it comes from another authority",
    "ALERT_DECRYPT_ERROR": "it comes from another authority of the same name",
    "ALERT_CERTIFICATE_EXPIRED": "it has expired",
    "ALERT_BAD_CERTIFICATE": "it is damaged, or not valid yet",
    "ALERT_UNSUPPORTED_CERTIFICATE": "it was made for another use",
    "ALERT_CERTIFICATE_REVOKED": "it was revoked",
    "ALERT_CERTIFICATE_UNKNOWN": "it cannot be checked",
}


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    entity_tag: str = ""
    """Of the version of the object that the body is."""


class Transport(Protocol):
    """Carries calls. Whatever keeps an answer from arriving is an OSError or an HTTPException."""

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Make one call."""
        ...

    def download(self, url: str, headers: Mapping[str, str], take: Callable[[bytes], None]) -> Answer:
        """GET what may be long or come slowly: hand over its pieces as they come. The body of a failure is in the answer."""
        ...


class Https:
    """A connection of its own for each call; no redirect is followed, no proxy or stored password is looked for."""

    def __init__(self, context: ssl.SSLContext, *, largest_answer: int = LARGEST_ANSWER) -> None:
        self._context = context
        self._largest_answer = largest_answer

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        end = time.monotonic() + SECONDS_ALTOGETHER
        connection = self._asked(method, url, headers, body)
        try:
            with connection.getresponse() as response:
                received = bytearray()
                while piece := response.read1(_PIECE):
                    received += piece
                    if len(received) > self._largest_answer:
                        raise CommandFailed(f"the answer of {origin_of(url)} is longer than {self._largest_answer} bytes.")
                    if time.monotonic() > end:
                        raise TimeoutError
                return Answer(response.status, bytes(received), response.getheader("etag", ""))
        finally:
            connection.close()

    def download(self, url: str, headers: Mapping[str, str], take: Callable[[bytes], None]) -> Answer:
        connection = self._asked("GET", url, headers, None)
        try:
            with connection.getresponse() as response:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    return Answer(response.status, response.read(self._largest_answer))
                while piece := response.read1(_PIECE):
                    take(piece)
                return Answer(response.status, b"")
        finally:
            connection.close()

    def _asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> http.client.HTTPSConnection:
        """A connection on which the request was sent."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection = http.client.HTTPSConnection(host, parts.port or 443, timeout=SECONDS_WITHOUT_A_SIGN, context=self._context)
        try:
            target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request(method, target, body, {**headers, "connection": "close"})
        except BaseException:
            connection.close()
            raise
        return connection


def send(
    transport: Transport,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    query: Mapping[str, str] | None = None,
    known_by: str = "",
    take: Callable[[bytes], None] | None = None,
) -> Answer:
    """One call; whatever keeps the answer from arriving raises Unreachable. `known_by`: where the address comes from.

    With `take` the body of a GET is handed over piece by piece, as it comes.
    """
    where = f"{origin_of(url)}{f' (from {known_by})' if known_by else ''}"
    full = f"{url}?{urlencode(query)}" if query else url
    try:
        sent = {"user-agent": f"sealwright/{__version__}", **(headers or {})}
        return transport.exchange(method, full, sent, content) if take is None else transport.download(full, sent, take)
    except ssl.SSLCertVerificationError as cause:
        raise Unreachable(
            f"the certificate of {where} is not trusted: {cause.verify_message}.",
            hint="Name the server's root with --ca FILE or SEALWRIGHT_CA, or sign in with: sealwright login --fingerprint SHA256",
        ) from cause
    except ssl.SSLError as cause:
        raise _alerted(cause, where) from cause
    except TimeoutError as cause:
        raise Unreachable(f"{where} did not answer in time.", hint="Try again later.") from cause
    except (ConnectionRefusedError, socket.gaierror) as cause:
        why = "refused the connection" if isinstance(cause, ConnectionRefusedError) else "has no address that is known"
        raise Unreachable(f"{where} {why}.", hint="Check the address, and that the server runs: sealwright serve") from cause
    except (OSError, http.client.HTTPException, ValueError) as cause:
        raise Unreachable(f"the connection to {where} broke: {_in_words(cause)}.") from cause


def _alerted(cause: ssl.SSLError, where: str) -> CommandFailed:
    """What the server said about the handshake, by the names that OpenSSL has for its alerts (RFC 8446, section 6.2)."""
    reason = getattr(cause, "reason", None) or ""  # only what OpenSSL raised has one
    for alert, why in _CERTIFICATE_ALERTS.items():
        if reason.endswith(alert):
            return RefusedByServer(f"{where} does not accept the certificate shown: {why}.", hint="Ask for a new certificate.")
    return Unreachable(f"TLS with {where} failed: {reason.lower().replace('_', ' ') or 'no reason is known'}.")


def _in_words(cause: Exception) -> str:
    if isinstance(cause, http.client.RemoteDisconnected | ConnectionError):
        return "it was closed before an answer came"
    return (
        "what came is not an HTTP response"
        if isinstance(cause, http.client.HTTPException)
        else str(cause) or "no reason is known"
    )


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    return "/".join(url.split("/", 3)[:3])
