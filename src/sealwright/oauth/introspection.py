"""Token introspection: whether a token of the client that asks is valid now, and what it stands for (RFC 7662)."""

from __future__ import annotations

from typing import Any

from sealwright.clock import to_seconds
from sealwright.jose import sign
from sealwright.keys import Custody
from sealwright.oauth.access_tokens import AccessTokens
from sealwright.oauth.client_authentication import ClientAuthentication
from sealwright.oauth.confirmation import confirmation_in
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import AccessTokenRefused, AuthorizationEnded, ClientNotAuthenticated
from sealwright.oauth.grants import store as token_store
from sealwright.oauth.issuers.addresses import issuer_url_of, key_owner_of
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.models import Client
from sealwright.oauth.refused_requests import recorded_requests
from sealwright.oauth.subjects import SubjectLookup
from sealwright.oauth.token_families import FamilyHolder, TokenFamilies
from sealwright.oauth.token_request import TokenRequest

SIGNED_INTROSPECTION = "application/token-introspection+jwt"
_COPIED_CLAIMS = (
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "auth_time",
    "sid",
    "authorization_details",
    "act",
    "may_act",
    "cnf",
)
_INACTIVE: dict[str, Any] = {"active": False}


class IntrospectionEndpoint:
    """Looks up the authorization, the session, the person and their scopes each time: nothing is remembered."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        clients: ClientAuthentication,
        access_tokens: AccessTokens,
        families: TokenFamilies,
        directory: PeopleLookup,
        subjects: SubjectLookup,
        custody: Custody,
    ) -> None:
        self._dependencies = dependencies
        self._custody = custody
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._origin = dependencies.origin
        self._clients = clients
        self._access_tokens = access_tokens
        self._families = families
        self._directory = directory
        self._subjects = subjects

    async def respond(self, request: TokenRequest) -> dict[str, Any]:
        """The members of the response. A token of another client is inactive, like one that never was."""
        client = await self._clients.authenticate(request)
        async with recorded_requests(self._dependencies, client, request):
            return await self._members(client, request)

    async def respond_signed(self, request: TokenRequest) -> str:
        """The same as a JWT, signed as the client's ID tokens are (RFC 9701, section 5)."""
        client = await self._clients.authenticate(request)
        async with recorded_requests(self._dependencies, client, request):
            members = await self._members(client, request)
        key = await self._custody.published(*key_owner_of(client), client.id_token_signed_response_alg)
        claims = {
            "iss": issuer_url_of(self._origin, client),
            "aud": client.name,
            "iat": to_seconds(self._clock.now()),
            "token_introspection": members,
        }
        return sign(key, claims, type=SIGNED_INTROSPECTION.removeprefix("application/"))

    async def _members(self, client: Client, request: TokenRequest) -> dict[str, Any]:
        if client.is_public:  # RFC 7662, section 2.1: else anyone could try tokens out
            raise ClientNotAuthenticated(f"{client.name} is a public client; only a client with a secret may introspect tokens.")
        token = request.required("token")
        if "." in token:  # no refresh token has one
            return await self._access_token(token, client)
        return await self._refresh_token(token, client)

    async def _access_token(self, text: str, client: Client) -> dict[str, Any]:
        try:
            token = await self._access_tokens.verify(text, client)
        except AccessTokenRefused:
            return _INACTIVE
        response = await self._response(client, token.scopes, token.holder)
        if response["active"]:
            response |= {name: token.claims[name] for name in _COPIED_CLAIMS if name in token.claims}
            confirmation = confirmation_in(token.claims)
            response["token_type"] = "Bearer" if confirmation is None else confirmation.token_type
        return response

    async def _refresh_token(self, text: str, client: Client) -> dict[str, Any]:
        stored = await token_store.refresh_token(self._db, digest_of(text))
        if stored is None or stored.family.client_id != client.id or stored.consumed_at is not None:
            return _INACTIVE
        if stored.expires_at <= self._clock.now():
            return _INACTIVE
        try:
            holder = await self._families.holder_of(stored.family)
        except AuthorizationEnded:
            return _INACTIVE
        response = await self._response(client, stored.family.scope, holder)
        if response["active"]:
            response |= {
                "iss": issuer_url_of(self._origin, client),
                "sub": stored.family.subject,
                "client_id": client.name,
                "exp": to_seconds(stored.expires_at),
            }
        return response

    async def _response(self, client: Client, scopes: tuple[str, ...], holder: FamilyHolder | None) -> dict[str, Any]:
        """With the scopes that still count: those that the person may grant now, or that the client's maps name."""
        response: dict[str, Any] = {"active": True}
        held = scopes
        scopes = await self._subjects.scopes_that_count(client, None if holder is None else holder.account, held)
        if not scopes and (held or holder is not None):
            return _INACTIVE
        if holder is not None:
            response["username"] = self._directory.spn_of(holder.account)
        if scopes:
            response["scope"] = " ".join(scopes)
        return response
