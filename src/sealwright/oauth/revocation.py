"""Token revocation: a client gives back what it holds (RFC 7009)."""

from __future__ import annotations

from sealwright.access import Actor
from sealwright.db import Transaction
from sealwright.oauth.access_tokens import AccessTokens
from sealwright.oauth.client_authentication import ClientAuthentication
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import AccessTokenRefused
from sealwright.oauth.grants import store as token_store
from sealwright.oauth.models import Client, TokenFamily
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
        self._db = dependencies.db
        self._clients = clients
        self._access_tokens = access_tokens
        self._families = families

    async def respond(self, request: TokenRequest) -> None:
        """Revoke the token. For one that is unknown, expired or another client's this does nothing (section 2.2)."""
        client = await self._clients.authenticate(request)
        family = await self._family_of(request.required("token"), client)
        if family is None:
            return
        actor = Actor("client", client.id, client.name, address=request.peer.address)

        async def body(tx: Transaction) -> None:
            await self._families.revoke(tx, family, client, "the client revoked it", actor)

        await self._db.write(body)

    async def _family_of(self, token: str, client: Client) -> TokenFamily | None:
        if "." in token:  # no refresh token has one
            try:
                return (await self._access_tokens.verify(token, client)).family
            except AccessTokenRefused:
                return None
        stored = await token_store.refresh_token(self._db, digest_of(token))
        return None if stored is None or stored.family.client_id != client.id else stored.family
