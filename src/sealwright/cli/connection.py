"""Calls to the management API, and its responses as values or failures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.errors import (
    Clash,
    CommandFailed,
    Missing,
    RefusedByServer,
    SignInNeeded,
    Unreachable,
    ValueRefused,
    WrongUsage,
)
from sealwright.cli.https import Answer, Transport, send
from sealwright.cli.remedies import command_for, remedy_in
from sealwright.cli.server_address import Server, tls_context
from sealwright.errors import Action, Remedy

API = "/api/v1"
_NO_TEXT = re.compile("[\udc80-\udcff]")
"""A byte that is not text, as Python holds it."""

_RECENT_SIGN_IN_NEEDED = "recent_sign_in_needed"
"""What the server calls the refusal of a change because the sign-in is too long ago."""

_FAILURES: Mapping[int, type[CommandFailed]] = {
    400: ValueRefused,
    401: SignInNeeded,
    404: Missing,
    409: Clash,
    412: Clash,
    413: ValueRefused,
    415: ValueRefused,
    422: ValueRefused,
}


class Connection:
    """Speaks to one server, with the token of a session or without."""

    def __init__(
        self,
        server: Server,
        dependencies: CommandDependencies,
        token: str | None = None,
        sign_in_again: Callable[[Connection], object] | None = None,
    ) -> None:
        """`sign_in_again`: called where the sign-in is too long ago for a change; None where there is no one to be asked."""
        self.server = server
        self._dependencies = dependencies
        self._token = token
        self._transport: Transport | None = None
        self._sign_in_again = sign_in_again
        self._versions: dict[tuple[str, ...], str] = {}
        """Path of an object that was read → its entity tag."""

    def use_token(self, token: str) -> None:
        """Go on with another token of the session."""
        self._token = token

    def call(
        self,
        method: str,
        *path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        as_read: tuple[str, ...] = (),
    ) -> Any:
        """Call ``/api/v1/<path…>``; returns the JSON value of the answer, or None where there is none.

        `as_read`: path of an object; where this connection read it, the call is refused if it was changed since.

        Where the sign-in is too long ago and there is someone to be asked, they are, once, and the call is repeated.
        """
        try:
            return self._call(method, *path, body=body, query=query, as_read=as_read)
        except RefusedByServer as refusal:
            again, self._sign_in_again = self._sign_in_again, None
            if refusal.kind != _RECENT_SIGN_IN_NEEDED or again is None:
                raise
        again(self)
        return self._call(method, *path, body=body, query=query, as_read=as_read)

    def download(self, *path: str, query: Mapping[str, str], take: Callable[[bytes], None]) -> None:
        """GET what may be long or come slowly, piece by piece."""
        self._answer("GET", *path, body=None, query=query, take=take)

    def _call(self, method: str, *path: str, body: Any, query: Mapping[str, str] | None, as_read: tuple[str, ...]) -> Any:
        answer = self._answer(method, *path, body=body, query=query, version=self._versions.get(as_read, ""))
        if method == "GET" and answer.entity_tag:
            self._versions[path] = answer.entity_tag
        if not answer.body:
            return None
        try:
            return json.loads(answer.body)
        except ValueError as cause:
            raise not_ours(self.server.url) from cause

    def _answer(
        self,
        method: str,
        *path: str,
        body: Any,
        query: Mapping[str, str] | None,
        take: Callable[[bytes], None] | None = None,
        version: str = "",
    ) -> Answer:
        if "" in path:
            raise WrongUsage("an argument is empty where a name or a number is needed.")
        _require_text(path, query, body)
        address = API + "".join(f"/{quote(segment, safe='')}" for segment in path)
        headers = {"accept": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if version:
            headers["if-match"] = version
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(body).encode()
        if self._transport is None:
            self._transport = self._dependencies.transport(tls_context(self.server.roots_pem))
        url, known_by = self.server.url + address, self.server.origin
        answer = send(self._transport, method, url, headers=headers, content=content, query=query, known_by=known_by, take=take)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise failure_of(answer.status, answer.body, self.server)
        return answer

    def pages(self, *path: str, query: Mapping[str, str] | None = None, member: str = "items") -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page. `member`: what a page calls its entries."""
        after: str | None = None
        while True:
            page = self.call("GET", *path, query={**(query or {}), **({"after": after} if after else {})})
            yield from page[member]
            after = page.get("next")
            if not after:
                return


def _require_text(path: Sequence[str], query: Mapping[str, str] | None, body: Any) -> None:
    """Bytes of the command line that are not text come as half characters, which no request can hold."""
    for each in (*path, *(query or {}).values()):
        if not _is_text(each):
            given = each.encode(errors="surrogateescape").decode(errors="backslashreplace")
            raise WrongUsage(f"the argument '{given}' is not text in UTF-8.")
    if not _is_text(json.dumps(body, ensure_ascii=False)):  # not shown: it may be a secret
        raise WrongUsage("one of the arguments is not text in UTF-8.")


def _is_text(given: str) -> bool:
    return _NO_TEXT.search(given) is None


def failure_of(status: int, body: bytes, server: Server) -> CommandFailed:
    """The failure that a problem document (RFC 9457) tells of."""
    try:
        problem = json.loads(body)
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return not_ours(server.url, status)
    kind = _FAILURES.get(status, RefusedByServer if status < HTTPStatus.INTERNAL_SERVER_ERROR else CommandFailed)
    hint, remedy = str(problem.get("hint") or ""), remedy_in(problem)
    if (status == HTTPStatus.UNAUTHORIZED and not hint) or (remedy is not None and remedy.action is Action.SIGN_IN):
        remedy = Remedy(Action.SIGN_IN, server.name)
    if remedy is not None:
        hint = command_for(remedy)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and problem.get("request_id"):
        hint = hint or f"The server's log tells more about request {problem['request_id']}."
    reasons = problem.get("reasons")
    shown_reasons = tuple(map(str, reasons)) if isinstance(reasons, list) else ()
    failure = kind(detail, reasons=shown_reasons, hint=hint, kind=str(problem.get("code") or ""))
    failure.pointer = str(problem.get("pointer") or "")
    return failure


def not_ours(url: str, status: int | None = None) -> Unreachable:
    """Something answers there, but it is not a Sealwright server."""
    with_status = f" with status {status}" if status else ""
    return Unreachable(
        f"{url} answers{with_status}, but not as a Sealwright server.",
        hint="Check --url: it is the address at which people sign in.",
    )
