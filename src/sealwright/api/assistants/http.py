"""The Model Context Protocol over HTTP (its transport "Streamable HTTP", without streams), protected by access tokens.

Assistants find out by RFC 9728 which authorization server gives them a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from sealwright import __version__
from sealwright.api.assistants.confirm_tokens import StoredConfirmTokens
from sealwright.api.assistants.in_process import ApiInProcess, FindRoute
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.entropy import Entropy
from sealwright.errors import InvalidInput, NotFound, NotPermitted, NotSignedIn
from sealwright.http import (
    Handler,
    Listener,
    Request,
    Response,
    Route,
    Wire,
    json_response,
)
from sealwright.identity import ApiAuthenticator, SessionKind, SignedIn
from sealwright.mcp import LONGEST_MESSAGE, ToolServer
from sealwright.oauth import CHANGE_SCOPE, READ_SCOPE, ApiAccessRefused, Discovery, IssuerUnknown

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"
_VERSION_HEADER = "mcp-protocol-version"
_METHOD_HEADER = "mcp-method"
_DESCRIBED = "public: it says only where an access token is to be had"


class AssistantDependencies(Struct, frozen=True):
    """What the endpoint needs."""

    db: Database
    clock: Clock
    entropy: Entropy
    authenticator: ApiAuthenticator
    discovery: Discovery
    find: FindRoute
    origin: str
    """Of this server: what the access tokens are for."""
    enabled: bool
    """Whether assistants are let in over the network at all."""
    allow_changes: bool
    """Whether they are offered tools that change something."""


class AssistantEndpoint:
    """Responds to each message by itself: nothing is kept between them, so that any process can respond to the next."""

    def __init__(self, given: AssistantDependencies) -> None:
        self._given = given

    def routes(self) -> list[Route]:
        """The address of the protocol, and what says who gives access to it."""
        access = "public: the credential is asked for here, and each tool asks for permissions of its own"
        return [
            _route("POST", PATH, self.message, access),
            _route("GET", METADATA, self.metadata, _DESCRIBED),
            _route("GET", METADATA + PATH, self.metadata, _DESCRIBED),
        ]

    async def metadata(self, _: Request) -> Response:
        """Who gives access tokens for the API and its tools (RFC 9728)."""
        self._require_enabled()
        try:
            issuer = await self._given.discovery.issuer_at({})
            servers = [issuer.url]
        except IssuerUnknown:
            servers = []
        document: Mapping[str, Any] = {
            "resource": self._given.origin,
            **({"authorization_servers": servers} if servers else {}),
            "scopes_supported": [READ_SCOPE, CHANGE_SCOPE] if self._given.allow_changes else [READ_SCOPE],
            "bearer_methods_supported": ["header"],
            "resource_name": "Sealwright",
        }
        return json_response(200, document, headers=(("access-control-allow-origin", "*"),))

    async def message(self, request: Request) -> Response:
        """Respond to one message of an assistant."""
        given = self._given
        self._require_enabled()
        origin = request.headers.get("origin")
        if origin is not None and origin != given.origin:  # a page of another site, in a browser that can reach this server
            raise NotPermitted(f"A page of {origin[:80]} may not call this.")
        # A cookie is sent by a browser whatever page is open; only a header shows that the sender knows the credential.
        if "authorization" not in request.headers:
            return self._challenge("Send an access token, an API token or an API key.")
        try:
            signed_in = await given.authenticator.authenticate(request)
        except NotSignedIn as refusal:
            proof, headers = _proof_wanted(refusal)
            return self._challenge(refusal.detail, proof, headers)
        if signed_in is None or (signed_in.session.kind is SessionKind.BROWSER and not signed_in.by_application):
            return self._challenge("The credential that was shown is not valid, or not any more.")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise InvalidInput(f"The body must be application/json, not {content_type or 'without a type'}.")
        response = await self._tools(request, signed_in).respond(request.body, said_by_transport=_said_in(request))
        if response is None:
            return Response(202)
        return Response(200, response, (("content-type", "application/json"), ("cache-control", "no-store")))

    def _tools(self, request: Request, signed_in: SignedIn) -> ToolServer:
        given = self._given
        confirm_tokens = None
        if given.allow_changes and not signed_in.read_only:
            confirm_tokens = StoredConfirmTokens(given.db, given.clock, given.entropy, signed_in.account.id)
        return ToolServer(ApiInProcess(given.find, request, signed_in), version=__version__, confirm_tokens=confirm_tokens)

    def _require_enabled(self) -> None:
        if not self._given.enabled:
            raise NotFound(
                "Assistants are not let in here.", hint="An administrator can let them in by the setting assistants.enabled."
            )

    def _challenge(self, detail: str, proof: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """Where to get what is missing (RFC 9728, section 5.1), and why what was shown is not enough."""
        where = f'resource_metadata="{self._given.origin}{METADATA}{PATH}", scope="{READ_SCOPE}"'
        challenge = f"{proof}, {where}" if proof else f'Bearer realm="sealwright", {where}'
        body = {"error": "invalid_token", "error_description": detail}
        return json_response(401, body, headers=(("www-authenticate", challenge), *headers))


def _proof_wanted(refusal: NotSignedIn) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The challenge and the headers that tell how to prove possession of a key; empty where that is not what was missing."""
    if not isinstance(refusal, ApiAccessRefused):
        return "", ()
    return refusal.challenge, (("dpop-nonce", refusal.nonce),) if refusal.nonce else ()


def _route(method: str, path: str, handler: Handler, access: str) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        listeners=frozenset({Listener.PEOPLE}),
        access=access,
        wire=Wire.API,
        max_body=LONGEST_MESSAGE,
    )


def _said_in(request: Request) -> Mapping[str, str]:
    """What the headers say of the message, which the message has to say as well."""
    headers = {"version": _VERSION_HEADER, "method": _METHOD_HEADER}
    return {member: request.headers[name] for member, name in headers.items() if name in request.headers}
