"""Calls of this server to addresses of its own, which are made in this process.

So they need no route, no DNS, no trust in our own root and no private address in the settings, and they work while the
listener's certificate is being replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from sealwright.http import CURRENT_ADDRESS, CURRENT_REQUEST_ID, FailureAnswer, Peer, Request, Route
from sealwright.openid_providers import origin_of
from sealwright.outbound import Outbound, OutboundFailed, OutboundResponse
from sealwright.runtime.routing import RouteTable


class CallsToSelf:
    """Calls to other servers, but for those that this server itself would answer."""

    def __init__(self, others: Outbound, origin: str, routes: Iterable[Route], explain: FailureAnswer) -> None:
        """`origin`: of the listener for people; `routes`: what is called there; `explain`: answers where one of them fails."""
        self._others = others
        self._origin = origin
        self._table = RouteTable(routes)
        self._explain = explain

    def allows_scheme_of(self, url: str) -> bool:
        return self._others.allows_scheme_of(url)

    async def get(self, url: str, *, bearer: str = "", **limits: Any) -> OutboundResponse:
        if not self._is_own(url):
            return await self._others.get(url, bearer=bearer, **limits)
        return await self._call("GET", url, {"authorization": f"Bearer {bearer}"} if bearer else {}, b"", **limits)

    async def post_form(self, url: str, form: Mapping[str, str], **limits: Any) -> OutboundResponse:
        if not self._is_own(url):
            return await self._others.post_form(url, form, **limits)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self._call("POST", url, headers, urlencode(form).encode(), **limits)

    async def post_body(self, url: str, body: bytes, headers: Mapping[str, str], **limits: Any) -> OutboundResponse:
        return await self._others.post_body(url, body, headers, **limits)

    async def send_over_tls(self, host: str, port: int, content: bytes, **limits: Any) -> None:
        await self._others.send_over_tls(host, port, content, **limits)

    def _is_own(self, url: str) -> bool:
        return origin_of(url) == origin_of(self._origin)

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        max_bytes: int = 1_000_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - the caller states the deadline, as for other servers
        **_: Any,
    ) -> OutboundResponse:
        parts = urlsplit(url)
        request = Request(
            method,
            parts.path,
            query_text=parts.query,
            headers=headers,
            body=body,
            peer=Peer(CURRENT_ADDRESS.get()),  # who fails on and on uses up what their own network has, and no one else's
            origin=self._origin,
            request_id=CURRENT_REQUEST_ID.get(),
        )
        try:
            async with asyncio.timeout(timeout):
                match = self._table.find(method, parts.path)
                request.path, request.path_parameters = match.path, match.parameters
                answer = await match.route.handler(request)
        except TimeoutError as cause:
            raise OutboundFailed(f"{parts.path} of this server did not answer within {timeout:g} seconds.") from cause
        except Exception as failure:  # noqa: BLE001 - as at the listener, every failure becomes an answer
            answer = self._explain(request, failure)
        if len(answer.body) > max_bytes:
            raise OutboundFailed(f"{parts.path} of this server answered with more than {max_bytes} bytes.")
        return OutboundResponse(answer.status, {name.lower(): value for name, value in answer.headers}, answer.body)
