"""The token endpoint: client, grant type, and the tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sealwright.access import Actor
from sealwright.clock import between
from sealwright.ip import network_of
from sealwright.jose import ACCESS_TOKEN, TokenTooLong, require_room, sign
from sealwright.keys import Custody, SigningKey
from sealwright.oauth import claims, policy
from sealwright.oauth.authorization_details import DetailsMalformed, allowed_details, read_details, within
from sealwright.oauth.client_authentication import ClientAuthentication
from sealwright.oauth.confirmations import Confirmations
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import (
    AuthorizationPending,
    ClientNotAuthorized,
    DetailsRefused,
    GrantTypeRefused,
    ScopeRefused,
    TargetRefused,
    TokenRequestRefused,
)
from sealwright.oauth.grants import GRANTS, Grant, GrantDependencies, GrantResult, why_not_open
from sealwright.oauth.issuers.addresses import issuer_url_of, key_owner_of
from sealwright.oauth.models import Client
from sealwright.oauth.opaque_tokens import OpaqueTokens
from sealwright.oauth.refused_requests import recorded_requests
from sealwright.oauth.subjects import SubjectLookup
from sealwright.oauth.token_request import TokenRequest


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A successful response (RFC 6749, section 5.1)."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)
    details: tuple[Mapping[str, Any], ...] = ()
    token_type: str = "Bearer"  # noqa: S105 - a type, not a token
    issued_token_type: str = ""

    def members(self) -> dict[str, Any]:
        """The members of the JSON response; what there is none of is left out."""
        response: dict[str, Any] = {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_in": self.expires_in,
        }
        if self.issued_token_type:
            response["issued_token_type"] = self.issued_token_type
        if self.scope:
            response["scope"] = self.scope
        if self.details:
            response["authorization_details"] = list(self.details)
        if self.refresh_token is not None:
            response["refresh_token"] = self.refresh_token
        if self.id_token is not None:
            response["id_token"] = self.id_token
        return response


class TokenEndpoint:
    """Makes tokens for every grant type."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        clients: ClientAuthentication,
        confirmations: Confirmations,
        parts: GrantDependencies,
        subjects: SubjectLookup,
        custody: Custody,
        opaque: OpaqueTokens,
    ) -> None:
        self._dependencies = dependencies
        self._opaque = opaque
        self._clock = dependencies.clock
        self._origin = dependencies.origin
        self._lifetimes = dependencies.lifetimes
        self._subjects = subjects
        self._custody = custody
        self._clients = clients
        self._confirmations = confirmations
        self._failures = dependencies.budgets.token_failures_by_client
        self._grants: Mapping[str, Grant] = {grant.grant_type: grant(parts) for grant in GRANTS}

    async def respond(self, request: TokenRequest) -> TokenResponse:
        """The tokens for one request; raises TokenRequestRefused."""
        client = await self._clients.authenticate(request)
        async with recorded_requests(self._dependencies, client, request):
            return await self._tokens(client, request)

    async def _tokens(self, client: Client, request: TokenRequest) -> TokenResponse:
        address = request.peer.address
        grant_type = request.required("grant_type")
        grant = self._grants.get(grant_type)
        if grant is None:
            raise GrantTypeRefused(f"The grant_type {grant_type[:64]} is not supported.")
        refusal = why_not_open(type(grant), client)
        if refusal:
            raise ClientNotAuthorized(refusal)
        confirmation = await self._confirmations.of_request(client, request)
        if confirmation is not None:
            request = replace(request, confirmation=confirmation)
        algorithm = client.id_token_signed_response_alg
        key = await self._custody.published(*key_owner_of(client), algorithm)  # before anything is used up
        actor = Actor("client", client.id, client.name, address=address)

        async def complete(result: GrantResult) -> GrantResult:
            return await self._complete(key, client, self._narrowed(result, client, request))

        try:
            result = await grant.redeem(client, request, actor, complete)
        except AuthorizationPending:
            raise
        except TokenRequestRefused:
            self._failures.spend(client.name, network_of(address))
            raise
        return self._mint(key, client, result)

    @staticmethod
    def _narrowed(result: GrantResult, client: Client, request: TokenRequest) -> GrantResult:
        """With those of the granted resources and details that this request asks for, else all (RFC 8707; RFC 9396).

        What the client may not ask for any more is left out, as scopes are that are granted no more.
        """
        family = result.family
        beyond = [each for each in request.resources if each not in family.resources]
        if beyond:
            raise TargetRefused(f"The resource {beyond[0][:200]} was not granted.")
        try:
            details = read_details(request.optional("authorization_details"), client)
        except DetailsMalformed as cause:
            raise DetailsRefused(str(cause)) from cause
        if not within(details, family.authorization_details):
            raise DetailsRefused("These authorization_details were not granted.")
        asked = request.resources or family.resources
        if not asked and not details and not family.authorization_details:
            return result
        resources = tuple(each for each in asked if each in client.resources)
        if asked and not resources:
            raise TargetRefused(policy.refused_resource(client, asked))
        granted = details or family.authorization_details
        return replace(result, resources=resources, details=allowed_details(granted, client))

    async def _complete(self, key: SigningKey, client: Client, result: GrantResult) -> GrantResult:
        """With what the ID token tells of the person; raises ScopeRefused where it would be longer than is read."""
        holder = result.holder
        if holder is None or "openid" not in result.scopes:
            return result
        asked = result.family.claims.id_token
        subject = await self._subjects.subject_of(holder.account, client, result.scopes, groups=result.groups, asked=asked)
        context, lifetime = self._context(client, result), self._lifetimes.id_token
        id_token_claims = claims.id_token_claims(context, subject, result.scopes, lifetime, result.id_token_id)
        try:
            require_room(key, id_token_claims)
        except TokenTooLong as cause:
            longest = max(id_token_claims, key=lambda name: len(str(id_token_claims[name])))
            raise ScopeRefused(
                f"The ID token would be too long: {cause.detail} Most of it is the claim {longest}; "
                "ask without the scope that tells it."
            ) from cause
        return replace(result, id_token_claims=id_token_claims)

    def _mint(self, key: SigningKey, client: Client, result: GrantResult) -> TokenResponse:
        context = self._context(client, result)
        lifetime = self._lifetime(result)
        said = claims.access_token_claims(
            context, result.scopes, lifetime, result.access_token_id, result.resources, result.confirmation
        )
        access_token = self._opaque.seal(said) if client.has_opaque_tokens else sign(key, said, type=ACCESS_TOKEN)
        id_token = None
        if result.id_token_claims is not None:
            id_token = sign(key, {**result.id_token_claims, "at_hash": claims.left_half_digest(access_token)})
        return TokenResponse(
            access_token,
            lifetime // timedelta(seconds=1),
            " ".join(result.scopes),
            result.refresh_token,
            id_token,
            result.details,
            "Bearer" if result.confirmation is None else result.confirmation.token_type,
            result.issued_token_type,
        )

    def _lifetime(self, result: GrantResult) -> timedelta:
        usual = result.lasts
        if usual is None:
            usual = self._lifetimes.access_token if result.holder is not None else self._lifetimes.client_credentials
        return usual if result.ends_at is None else min(usual, between(self._clock.now(), result.ends_at))

    def _context(self, client: Client, result: GrantResult) -> claims.TokenContext:
        issuer_url = issuer_url_of(self._origin, client)
        session = None if result.holder is None else result.holder.session
        methods = result.family.methods or (() if session is None else session.methods)
        return claims.TokenContext(issuer_url, client, result.family, methods, self._clock.now(), result.nonce, result.details)
