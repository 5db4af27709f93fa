"""The wire of the authorization server: addresses, headers, and the response to each failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from sealwright.budgets import Budgets
from sealwright.db import MissingReference
from sealwright.errors import (
    Conflict,
    ContentTooLarge,
    Failure,
    MethodNotAllowed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    RateLimited,
    Refused,
    Unavailable,
)
from sealwright.http import Listener, Request, Response, Route, Wire, json_response
from sealwright.ip import network_of
from sealwright.oauth.confirmation import presented_token
from sealwright.oauth.confirmations import proof_challenge
from sealwright.oauth.device.endpoint import DeviceEndpoint
from sealwright.oauth.discovery import Discovery
from sealwright.oauth.error_text import error_text
from sealwright.oauth.errors import (
    AccessTokenEnded,
    AccessTokenMissing,
    AccessTokenRefused,
    AuthorizationPending,
    AuthorizationRefused,
    ClientNotAuthenticated,
    DpopNonceNeeded,
    ScopeMissing,
    TokenProofRefused,
    TokenRequestRefused,
)
from sealwright.oauth.introspection import SIGNED_INTROSPECTION, IntrospectionEndpoint
from sealwright.oauth.issuers.addresses import (
    DEVICE_PATH,
    INTROSPECTION_PATH,
    KEYS_PATH,
    OWN_ISSUER_PATH,
    PUSH_PATH,
    REVOCATION_PATH,
    ROOT_INTROSPECTION_PATH,
    ROOT_KEYS_PATH,
    ROOT_REVOCATION_PATH,
    ROOT_TOKEN_PATH,
    SHARED_ISSUER_PATH,
    TOKEN_PATH,
    USERINFO_PATH,
)
from sealwright.oauth.pushed.endpoint import PushEndpoint
from sealwright.oauth.revocation import RevocationEndpoint
from sealwright.oauth.token import TokenEndpoint
from sealwright.oauth.token_request import TokenRequest
from sealwright.oauth.userinfo import UserinfoEndpoint

T = TypeVar("T")

_ISSUER_PATHS = (OWN_ISSUER_PATH + "{client}", SHARED_ISSUER_PATH + "{issuer}", "")
"""Below what the addresses of issuers are: of a client's own, of one that clients share, of the root issuer."""
_ANY_ORIGIN = ("access-control-allow-origin", "*")
_EXPOSED = ("access-control-expose-headers", "WWW-Authenticate, Retry-After, DPoP-Nonce")
_NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))
_SHOWS_WITHIN = timedelta(seconds=1)
"""How long a response with the metadata or keys of a client may be kept and sent again."""
_KEEP_A_MINUTE = ("cache-control", "public, max-age=60")
_REALM = 'realm="Sealwright"'
_PEOPLE = frozenset({Listener.PEOPLE})
_BOTH = frozenset({Listener.PEOPLE, Listener.MACHINES})
_OPEN_TO_ALL = "public: it says only what every client must know"
_TOKEN_PATHS = (TOKEN_PATH, ROOT_TOKEN_PATH)
_INTROSPECTION_PATHS = (INTROSPECTION_PATH, "/oauth2/inspect", ROOT_INTROSPECTION_PATH)  # the second is Kanidm's until 1.2
_REVOCATION_PATHS = (REVOCATION_PATH, ROOT_REVOCATION_PATH)
_METADATA_NAMES = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
_WEBFINGER_NAMES = ("/.well-known/webfinger",)


class Endpoints:
    """The handlers."""

    def __init__(
        self,
        *,
        tokens: TokenEndpoint,
        pushes: PushEndpoint,
        devices: DeviceEndpoint,
        introspection: IntrospectionEndpoint,
        revocation: RevocationEndpoint,
        userinfo: UserinfoEndpoint,
        discovery: Discovery,
        budgets: Budgets,
    ) -> None:
        self.tokens = tokens
        self._pushes = pushes
        self._devices = devices
        self._introspection = introspection
        self._revocation = revocation
        self._userinfo = userinfo
        self._discovery = discovery
        self._budgets = budgets

    async def token(self, request: Request) -> Response:
        """The token endpoint."""
        tokens = await self._for_client(request, self.tokens.respond)
        return json_response(200, tokens.members(), headers=(*_NO_STORE, _ANY_ORIGIN))

    async def push(self, request: Request) -> Response:
        """The pushed authorization request endpoint (RFC 9126)."""
        return json_response(201, await self._for_client(request, self._pushes.respond), headers=(*_NO_STORE, _ANY_ORIGIN))

    async def ask_for_device(self, request: Request) -> Response:
        """The device authorization endpoint (RFC 8628)."""
        self._budgets.authorizations_by_network.take(network_of(request.peer.address))
        return json_response(200, await self._for_client(request, self._devices.respond), headers=(*_NO_STORE, _ANY_ORIGIN))

    async def introspect(self, request: Request) -> Response:
        """The introspection endpoint (RFC 7662), which signs its response where that is asked for (RFC 9701)."""
        if SIGNED_INTROSPECTION in request.headers.get("accept", "").lower():
            signed = await self._for_client(request, self._introspection.respond_signed)
            return Response(200, signed.encode(), (("content-type", SIGNED_INTROSPECTION), *_NO_STORE))
        return json_response(200, await self._for_client(request, self._introspection.respond), headers=_NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """The revocation endpoint (RFC 7009)."""
        await self._for_client(request, self._revocation.respond)
        return Response(200, b"", (*_NO_STORE, _ANY_ORIGIN))

    async def _for_client(self, request: Request, respond: Callable[[TokenRequest], Awaitable[T]]) -> T:
        """What `respond` returns; each refusal counts against the network that it came from."""
        failures, network = self._budgets.token_failures_by_network, network_of(request.peer.address)
        failures.require(network)
        try:
            form, resources = request.form_with("resource")
            return await respond(TokenRequest(form, request.headers, request.peer, tuple(dict.fromkeys(resources)), request.path))
        except (RateLimited, AuthorizationPending):
            raise
        except Refused:
            failures.spend(network)
            raise

    async def userinfo(self, request: Request) -> Response:
        """The userinfo endpoint; the token comes in the Authorization header, or in the form of a POST."""
        failures, network = self._budgets.userinfo_failures_by_network, network_of(request.peer.address)
        failures.require(network)
        try:
            issuer = await self._discovery.issuer_at(request.path_parameters)
            answer = await self._userinfo.respond(issuer, presented_token(request))
        except (AccessTokenMissing, AccessTokenEnded, ScopeMissing):
            raise  # applications find out in this way that a token has ended
        except AccessTokenRefused:
            failures.spend(network)
            raise
        return json_response(200, answer, headers=(*_NO_STORE, _ANY_ORIGIN))

    async def metadata(self, request: Request) -> Response:
        """OpenID Connect Discovery and RFC 8414."""
        document = await self._discovery.metadata(await self._discovery.issuer_at(request.path_parameters))
        return json_response(200, document, headers=(_KEEP_A_MINUTE, _ANY_ORIGIN))

    async def webfinger(self, request: Request) -> Response:
        """WebFinger (RFC 7033): which issuer signs people in."""
        issuer = await self._discovery.issuer_at(request.path_parameters)
        document = self._discovery.webfinger(issuer, request.query().get("resource"))
        headers = (("content-type", "application/jrd+json"), _KEEP_A_MINUTE, _ANY_ORIGIN)
        return Response(200, msgspec.json.encode(document), headers)

    async def key_set(self, request: Request) -> Response:
        """The key set of one issuer."""
        document = await self._discovery.key_set(await self._discovery.issuer_at(request.path_parameters))
        return Response(200, document, (("content-type", "application/json"), _KEEP_A_MINUTE, _ANY_ORIGIN))

    async def preflight(self, request: Request) -> Response:
        """What a browser asks before a call from another origin (Fetch standard)."""
        methods = "POST" if request.path in (*_TOKEN_PATHS, PUSH_PATH, *_REVOCATION_PATHS) else "GET, POST"
        return Response(
            204,
            b"",
            (
                _ANY_ORIGIN,
                ("access-control-allow-methods", methods),
                ("access-control-allow-headers", "Authorization, Content-Type, DPoP"),
                ("access-control-max-age", "86400"),
            ),
        )


def routes(endpoints: Endpoints) -> list[Route]:
    """Every address that applications call."""
    oauth = Wire.OAUTH
    own = "public: the client authenticates itself"
    return [
        *(Route("POST", path, endpoints.token, _BOTH, own, oauth) for path in _TOKEN_PATHS),
        Route("POST", PUSH_PATH, endpoints.push, _BOTH, own, oauth),
        Route("POST", DEVICE_PATH, endpoints.ask_for_device, _BOTH, own, oauth),
        *(Route("POST", path, endpoints.introspect, _BOTH, own, oauth) for path in _INTROSPECTION_PATHS),
        *(Route("POST", path, endpoints.revoke, _BOTH, own, oauth) for path in _REVOCATION_PATHS),
        *(
            Route("OPTIONS", path, endpoints.preflight, _BOTH, _OPEN_TO_ALL, oauth)
            for path in (*_TOKEN_PATHS, PUSH_PATH, *_REVOCATION_PATHS)
        ),
        *(route for path in _ISSUER_PATHS for route in _routes_of_issuers(endpoints, path)),
    ]


def _routes_of_issuers(endpoints: Endpoints, issuer: str) -> list[Route]:
    """The addresses of issuers below one path. Those of the root issuer are on the machines' listener, too."""
    oauth, listeners = Wire.OAUTH, _PEOPLE if issuer else _BOTH
    bearer = "public: the access token is the permission"
    metadata, webfinger = _well_known(issuer, _METADATA_NAMES), _well_known(issuer, _WEBFINGER_NAMES)
    userinfo, keys = issuer + USERINFO_PATH, issuer + (KEYS_PATH if issuer else ROOT_KEYS_PATH)
    return [
        Route("GET", userinfo, endpoints.userinfo, _BOTH, bearer, oauth),
        Route("POST", userinfo, endpoints.userinfo, _BOTH, bearer, oauth),
        *(Route("GET", path, endpoints.metadata, listeners, _OPEN_TO_ALL, oauth, same_for=_SHOWS_WITHIN) for path in metadata),
        *(Route("GET", path, endpoints.webfinger, _PEOPLE, _OPEN_TO_ALL, oauth) for path in webfinger),
        Route("GET", keys, endpoints.key_set, listeners, _OPEN_TO_ALL, oauth, same_for=_SHOWS_WITHIN),
        *(
            Route("OPTIONS", path, endpoints.preflight, _PEOPLE, _OPEN_TO_ALL, oauth)
            for path in (*metadata, *webfinger, userinfo, keys)
        ),
    ]


def _well_known(issuer: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Behind the path of an issuer, as OpenID Connect Discovery has it, and before it, as RFC 8414 does (section 3.1)."""
    return tuple(dict.fromkeys(path for name in names for path in (issuer + name, name + issuer)))


# --- failures --------------------------------------------------------------------------------------------------------

_STATUS_AND_ERROR: tuple[tuple[type[Failure], int, str], ...] = (
    (ClientNotAuthenticated, 401, "invalid_client"),
    (ScopeMissing, 403, "insufficient_scope"),
    (AccessTokenRefused, 401, "invalid_token"),
    (NotFound, 404, "not_found"),
    (NotSignedIn, 401, "access_denied"),
    (NotPermitted, 403, "access_denied"),
    (MethodNotAllowed, 405, "invalid_request"),
    (ContentTooLarge, 413, "invalid_request"),
    (RateLimited, 429, "temporarily_unavailable"),
    (Refused, 400, "invalid_request"),
    (Unavailable, 503, "temporarily_unavailable"),
    (MissingReference, 400, "invalid_grant"),
    (Conflict, 409, "invalid_request"),
)
"""The first that fits counts."""


def answer_failure(request: Request, failure: Exception) -> Response:
    """Tell a failure as RFC 6749, section 5.2 and RFC 6750, section 3 do."""
    if not isinstance(failure, Failure):
        return _error(500, "server_error", f"Something went wrong here. Request {request.request_id}.")
    if isinstance(failure, TokenRequestRefused) and not isinstance(failure, ClientNotAuthenticated):
        return _error(400, failure.error, failure.detail, _headers_with(failure))
    if isinstance(failure, TokenProofRefused):
        return _error(401, failure.error, failure.detail, _headers_with(failure))
    if isinstance(failure, AuthorizationRefused):  # of a pushed request: there is no redirect to tell it by
        return _error(400, failure.error, failure.detail)
    if isinstance(failure, AccessTokenMissing):  # RFC 6750, section 3.1: nothing was wrong yet
        return Response(401, b"", (*_headers_with(failure), *_NO_STORE, _ANY_ORIGIN, _EXPOSED))
    status, error = next((status, error) for kind, status, error in _STATUS_AND_ERROR if isinstance(failure, kind))
    return _error(status, error, failure.detail, _headers_with(failure))


def _headers_with(failure: Failure) -> tuple[tuple[str, str], ...]:
    """Headers that go with an error response."""
    if isinstance(failure, RateLimited | Unavailable):
        return (("retry-after", str(failure.retry_after)),)
    challenge = _challenge(failure)
    headers = (("www-authenticate", challenge),) if challenge else ()
    nonce = failure.nonce if isinstance(failure, DpopNonceNeeded | TokenProofRefused) else ""
    return (*headers, ("dpop-nonce", nonce)) if nonce else headers


def _challenge(failure: Failure) -> str:
    """How to prove what was not proven (RFC 6750, section 3); empty where that is not the question."""
    if isinstance(failure, ClientNotAuthenticated):
        return f"Basic {_REALM}"
    if isinstance(failure, AccessTokenMissing | NotSignedIn):
        return f"Bearer {_REALM}"
    if isinstance(failure, ScopeMissing):
        return f'Bearer {_REALM}, error="insufficient_scope", scope="{failure.scope}"'
    if isinstance(failure, TokenProofRefused):
        return proof_challenge(failure)
    if isinstance(failure, AccessTokenRefused):
        return f'Bearer {_REALM}, error="invalid_token", error_description="{error_text(failure.detail)}"'
    return ""


def _error(status: int, error: str, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    answer: Mapping[str, Any] = {"error": error, "error_description": error_text(detail)}
    return json_response(status, answer, headers=(*headers, *_NO_STORE, _ANY_ORIGIN, _EXPOSED))
