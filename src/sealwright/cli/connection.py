"""Calls to the management API, and what becomes of its answers."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sealwright import __version__
from sealwright.cli.errors import (
    Clash,
    CommandFailed,
    Missing,
    RefusedByServer,
    SignInNeeded,
    Unreachable,
    ValueRefused,
)
from sealwright.cli.server_address import Server, tls_context
from sealwright.cli.surroundings import Surroundings

if TYPE_CHECKING:
    import httpx2

API = "/api/v1"
TIMEOUT = 15.0
LARGEST_ANSWER = 16_000_000

_FAILURES: Mapping[int, type[CommandFailed]] = {
    400: ValueRefused,
    401: SignInNeeded,
    404: Missing,
    409: Clash,
    413: ValueRefused,
    415: ValueRefused,
    422: ValueRefused,
}


class Connection:
    """Speaks to one server, as nobody or with the token of a session."""

    def __init__(self, server: Server, surroundings: Surroundings, token: str | None = None) -> None:
        self.server = server
        self._surroundings = surroundings
        self._token = token
        self._client: httpx2.Client | None = None

    def call(self, method: str, *path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """Call ``/api/v1/<path…>``; answers the JSON value of the answer, or None where there is none."""
        address = API + "".join(f"/{quote(segment, safe='')}" for segment in path)
        headers = {"accept": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(body).encode()
        if self._client is None:
            self._client = http_client(self._surroundings, tls_context(self.server.roots_pem))
        response = send(
            self._client,
            method,
            self.server.url + address,
            headers=headers,
            content=content,
            query=query,
            known_by=self.server.origin,
        )
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise failure_of(response.status_code, response.content, self.server)
        if not response.content:
            return None
        try:
            return json.loads(response.content)
        except ValueError as cause:
            raise not_ours(self.server.url) from cause

    def pages(self, *path: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page."""
        after: str | None = None
        while True:
            page = self.call("GET", *path, query={**(query or {}), **({"after": after} if after else {})})
            yield from page["items"]
            after = page.get("next")
            if not after:
                return


def http_client(surroundings: Surroundings, context: ssl.SSLContext) -> httpx2.Client:
    """An HTTP client with this context that follows no redirect and asks no proxy or netrc file."""
    import httpx2

    return httpx2.Client(
        transport=surroundings.transport(context),
        timeout=TIMEOUT,
        trust_env=False,
        follow_redirects=False,
        headers={"user-agent": f"sealwright/{__version__}"},
    )


def send(
    client: httpx2.Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    query: Mapping[str, str] | None = None,
    known_by: str = "",
) -> httpx2.Response:
    """One call; whatever keeps the answer from arriving raises Unreachable. `known_by`: where the address comes from."""
    import httpx2

    given = f" (from {known_by})" if known_by else ""
    try:
        with client.stream(
            method, url, headers=dict(headers or {}), content=content, params=dict(query) if query else None
        ) as answer:
            body = bytearray()
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise CommandFailed(f"the answer of {url} is longer than {LARGEST_ANSWER} bytes.")
            return httpx2.Response(answer.status_code, headers=_without_encoding(answer.headers), content=bytes(body))
    except httpx2.TimeoutException as cause:
        raise Unreachable(f"{_origin(url)}{given} did not answer within {TIMEOUT:.0f} seconds.") from cause
    except httpx2.ConnectError as cause:
        raise _cannot_connect(_origin(url), given, cause) from cause
    except (httpx2.HTTPError, httpx2.InvalidURL) as cause:
        raise Unreachable(f"the connection to {_origin(url)}{given} broke: {type(cause).__name__}.") from cause


def failure_of(status: int, body: bytes, server: Server) -> CommandFailed:
    """The failure that a problem document (RFC 9457) tells of."""
    try:
        problem = json.loads(body)
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return not_ours(server.url, status)
    kind = _FAILURES.get(status, RefusedByServer if status < HTTPStatus.INTERNAL_SERVER_ERROR else CommandFailed)
    hint = str(problem.get("hint") or "")
    if status == HTTPStatus.UNAUTHORIZED:
        hint = hint or f"Sign in with: sealwright login -D {server.name or 'NAME'}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and problem.get("request_id"):
        hint = hint or f"The server's log tells more about request {problem['request_id']}."
    reasons = problem.get("reasons")
    told = tuple(map(str, reasons)) if isinstance(reasons, list) else ()
    return kind(detail, reasons=told, hint=hint, kind=str(problem.get("code") or ""))


def not_ours(url: str, status: int | None = None) -> Unreachable:
    """Something answers there, but it is no Sealwright server."""
    told = f" with status {status}" if status else ""
    return Unreachable(
        f"{url} answers{told}, but not as a Sealwright server.", hint="Check --url: it is the address at which people sign in."
    )


def _without_encoding(headers: httpx2.Headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in ("content-encoding", "content-length")]


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def _cannot_connect(origin: str, given: str, cause: BaseException) -> Unreachable:
    chain: BaseException | None = cause
    while chain is not None:
        if isinstance(chain, ssl.SSLCertVerificationError):
            return Unreachable(
                f"the certificate of {origin}{given} is not trusted: {chain.verify_message}.",
                hint="Name the server's root with --ca FILE or SEALWRIGHT_CA.",
            )
        chain = chain.__cause__ or chain.__context__
    text = str(cause).lower()
    reason = "refused the connection" if "refused" in text else f"cannot be connected to: {cause}"
    return Unreachable(f"{origin}{given} {reason}.", hint="Check the address, and that the server runs: sealwright serve")
