"""The management API of a whole server in this process as an ASGI application, for tools that test an API by its description."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from sealwright.http import Peer, Request, Response
from sealwright.identity import SessionKind
from tests.unit.api.world import PEOPLE, ServerWorld, server_world

T = TypeVar("T")
TOKEN = "the-token-of-an-administrator"
"""Stands for a session of an administrator. One that a call has ended is begun anew, so that the calls after it are not vain."""
_MADE: Mapping[str, Mapping[str, Any]] = {
    "/persons": {"name": "alice", "display_name": "Alice"},
    "/service-accounts": {"name": "robot", "display_name": "Robot"},
    "/groups": {"name": "ops"},
    "/auth/roles": {"id": "r-ops", "permissions": ["person:read"]},
    "/oauth2/clients": {
        "kind": "confidential",
        "name": "wiki",
        "display_name": "Wiki",
        "landing_url": "https://wiki.example.org",
    },
    "/oauth2/issuers": {"name": "team"},
    "/oauth2/trusted-issuers": {"name": "ci", "issuer_url": "https://ci.example.org"},
    "/auth/keys": {"name": "script", "scopes": ["person:read"]},
}
_GROUPS = ("system_admins", "idm_admins")


class ApiOverAsgi:
    """Called by one thread at a time, in whatever event loop; the server lives in an event loop of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, world: ServerWorld) -> None:
        self._loop = loop
        self._world = world
        self._people = 0
        self._token = ""

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answered = asyncio.run_coroutine_threadsafe(self._answer(scope, body), self._loop)
        response = await asyncio.get_running_loop().run_in_executor(None, answered.result)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _answer(self, scope: Mapping[str, Any], body: bytes) -> Response:
        request = self._request(scope, body)
        response = await self._world.answer(PEOPLE, request)
        if response.status == 401 and request.bearer() == self._token:
            await self.sign_in()
            response = await self._world.answer(PEOPLE, self._request(scope, body))
        if response.chunks is not None:
            response.body = b"".join([chunk async for chunk in response.chunks])
        return response

    def _request(self, scope: Mapping[str, Any], body: bytes) -> Request:
        headers: dict[str, str] = {}
        for name, value in ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        del headers["host"]
        if headers.get("authorization") == f"Bearer {TOKEN}":
            headers["authorization"] = f"Bearer {self._token}"
        return Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query_text=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            peer=Peer("192.0.2.1"),
            request_id="request-1",
        )

    async def begin(self) -> None:
        """Sign in, and make one object of each kind, so that not everything that is asked for is missing."""
        await self.sign_in()
        for path, body in _MADE.items():
            status, made = await self._world.call("POST", path, body, token=self._token)
            assert status == 201, made

    async def sign_in(self) -> None:
        """Begin a session of a new administrator."""
        self._people += 1
        self._token = await self._world.token(f"described_{self._people}", *_GROUPS, kind=SessionKind.TERMINAL)


@contextmanager
def api_over_asgi() -> Iterator[ApiOverAsgi]:
    """The API of a fresh server, called as an administrator by `TOKEN`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    thread.start()
    try:
        around = server_world()
        world = run(around.__aenter__())
        try:
            api = ApiOverAsgi(loop, world)
            run(api.begin())
            yield api
        finally:
            run(around.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
