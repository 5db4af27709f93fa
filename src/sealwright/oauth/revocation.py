"""Token revocation: a client gives back what it holds (RFC 7009)."""

from __future__ import annotations

from sealwright.access import Actor
from sealwright.db import Transaction
from sealwright.oauth.access_tokens import AccessTokens
from sealwright.oauth.client_authentication import ClientAuthentication
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import AccessTokenEnded, AccessTokenRefused, TokenTypeRefused
from sealwright.oauth.grants import store as token_store
from sealwright.oauth.models import Client, TokenFamily
from sealwright.oauth.refused_requests import record_refused_request, recorded_requests
from sealwright.oauth.token_families import TokenFamilies
from sealwright.oauth.token_request import TokenRequest


class RevocationEndpoint:
    """Ends the whole authorization that a token comes from: its refresh token, and every access token and ID token."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        clients: ClientAuthentication,
        access_tokens: AccessTokens,
        families: TokenFamilies,
    ) -> None:
        self._dependencies = dependencies
        self._db = dependencies.db
        self._clients = clients
        self._access_tokens = access_tokens
        self._families = families

    async def respond(self, request: TokenRequest) -> None:
        """Revoke the token. For one that is unknown, expired or another client's this does nothing (section 2.2)."""
        client = await self._clients.authenticate(request)
        async with recorded_requests(self._dependencies, client, request):
            family = await self._family_of(request, client)
        if family is None:
            return
        actor = Actor("client", client.id, client.name, address=request.peer.address)

        async def body(tx: Transaction) -> None:
            await self._families.revoke(tx, family, client, "the client revoked it", actor)

        await self._db.write(body)

    async def _family_of(self, request: TokenRequest, client: Client) -> TokenFamily | None:
        token = request.required("token")
        if "." in token:  # no refresh token has one
            try:
                return (await self._access_tokens.verify(token, client)).family
            except AccessTokenEnded:
                return None
            except AccessTokenRefused as refusal:
                if await self._access_tokens.is_id_token(token, client):
                    raise TokenTypeRefused(
                        "An ID token cannot be revoked: send the access token or the refresh token that came with it."
                    ) from refusal
                await record_refused_request(self._dependencies, client, request, "no token of this client", refusal.detail)
                return None
        stored = await token_store.refresh_token(self._db, digest_of(token))
        return None if stored is None or stored.family.client_id != client.id else stored.family
