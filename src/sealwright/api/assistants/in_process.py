"""Calls of the API from within the server, as the one who sent a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from sealwright.api.inner_calls import calling_as
from sealwright.api.operations import PREFIX
from sealwright.api.remedies import hint_of
from sealwright.errors import Failure
from sealwright.http import Request, Route
from sealwright.identity import SignedIn
from sealwright.mcp import ApiCallFailed


class FoundRoute(Protocol):
    """A route for a path, and what the parameters of the path stand for."""

    @property
    def route(self) -> Route: ...
    @property
    def path(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, str]: ...


FindRoute = Callable[[str, str], FoundRoute]
"""Method and path → the route of the API; raises NotFound."""
_HEADERS = frozenset({"user-agent"})


class ApiInProcess:
    """Calls operations as the one whom `request` has shown to be there: each is judged as if it had come over the network."""

    def __init__(self, find: FindRoute, request: Request, caller: SignedIn) -> None:
        self._find = find
        self._request = request
        self._caller = caller

    async def __call__(self, method: str, *path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """The JSON value of the response, None where it has none; raises ApiCallFailed."""
        try:
            found = self._find(method, PREFIX + "".join(f"/{quote(each, safe='')}" for each in path))
            with calling_as(self._caller):
                response = await found.route.handler(self._inner(method, found, body, query or {}))
        except Failure as failure:
            raise ApiCallFailed(" ".join(filter(None, (failure.detail, *failure.reasons, hint_of(failure))))) from failure
        return msgspec.json.decode(response.body) if response.body else None

    def _inner(self, method: str, found: FoundRoute, body: Any, query: Mapping[str, str]) -> Request:
        outer = self._request
        headers = {name: value for name, value in outer.headers.items() if name in _HEADERS}
        content = b"" if body is None else msgspec.json.encode(body)
        return msgspec.structs.replace(
            outer,
            method=method,
            path=found.path,
            path_parameters=found.parameters,
            query_text=urlencode(query),
            headers=headers if body is None else {**headers, "content-type": "application/json"},
            body=content,
        )
