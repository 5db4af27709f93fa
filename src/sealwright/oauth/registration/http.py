"""The wire of registration: JSON in, JSON out, and a token of its own for each client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealwright.errors import InvalidInput
from sealwright.http import Listener, Request, Response, Route, Wire, json_response
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import MetadataRefused
from sealwright.oauth.issuers.addresses import REGISTRATION_PATH
from sealwright.oauth.registration.endpoint import RegistrationEndpoint

_NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))
_ANY_ORIGIN = ("access-control-allow-origin", "*")
_BOTH = frozenset({Listener.PEOPLE, Listener.MACHINES})


class RegistrationHandlers:
    """The handlers."""

    def __init__(self, endpoint: RegistrationEndpoint, dependencies: OAuthDependencies) -> None:
        self._endpoint = endpoint
        self._origin = dependencies.origin
        self._machines_origin = dependencies.machines_origin

    async def register(self, request: Request) -> Response:
        """The client registration endpoint (RFC 7591)."""
        registered = await self._endpoint.register(
            _document(request), request.bearer(), self._base(request), request.peer.address
        )
        return json_response(201, registered, headers=(*_NO_STORE, _ANY_ORIGIN))

    async def read(self, request: Request) -> Response:
        """What a client registered (RFC 7592, section 2.1)."""
        registered = await self._endpoint.read(_name(request), request.bearer(), self._base(request), request.peer.address)
        return json_response(200, registered, headers=(*_NO_STORE, _ANY_ORIGIN))

    async def update(self, request: Request) -> Response:
        """Replace what a client registered (RFC 7592, section 2.2)."""
        registered = await self._endpoint.update(
            _name(request), _document(request), request.bearer(), self._base(request), request.peer.address
        )
        return json_response(200, registered, headers=(*_NO_STORE, _ANY_ORIGIN))

    async def delete(self, request: Request) -> Response:
        """A client deletes itself (RFC 7592, section 2.3)."""
        await self._endpoint.delete(_name(request), request.bearer(), request.peer.address)
        return Response(204, b"", (*_NO_STORE, _ANY_ORIGIN))

    async def preflight(self, _request: Request) -> Response:
        """What a browser asks before a call from another origin (Fetch standard)."""
        headers = (
            ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
            ("access-control-allow-headers", "Authorization, Content-Type"),
            ("access-control-max-age", "86400"),
        )
        return Response(204, b"", (_ANY_ORIGIN, *headers))

    def _base(self, request: Request) -> str:
        """The origin that the client used, if it is one of ours; a Host header alone can be forged."""
        return self._machines_origin if request.origin == self._machines_origin else self._origin


def registration_routes(handlers: RegistrationHandlers) -> list[Route]:
    """The addresses of registration, with and without a client certificate."""
    oauth, one = Wire.OAUTH, REGISTRATION_PATH + "/{client}"
    may_register = "public: the registration token is the permission, or the server's settings let anyone register"
    own = "public: the registration access token is the permission"
    open_to_all = "public: it says only what every client must know"
    return [
        Route("POST", REGISTRATION_PATH, handlers.register, _BOTH, may_register, oauth),
        Route("GET", one, handlers.read, _BOTH, own, oauth),
        Route("PUT", one, handlers.update, _BOTH, own, oauth),
        Route("DELETE", one, handlers.delete, _BOTH, own, oauth),
        *(Route("OPTIONS", path, handlers.preflight, _BOTH, open_to_all, oauth) for path in (REGISTRATION_PATH, one)),
    ]


def _name(request: Request) -> str:
    return request.path_parameters["client"]


def _document(request: Request) -> Mapping[str, Any]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise MetadataRefused(f"The body must be application/json, not {content_type[:100] or 'without a type'}.")
    try:
        return request.json(dict[str, Any])
    except InvalidInput as refused:
        raise MetadataRefused(refused.detail) from refused
