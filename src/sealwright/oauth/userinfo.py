"""Userinfo: the claims about a person, as they are now (OpenID Connect Core, section 5.3)."""

from __future__ import annotations

from typing import Any

from sealwright.oauth import claims
from sealwright.oauth.access_tokens import AccessTokens
from sealwright.oauth.confirmation import PresentedToken
from sealwright.oauth.confirmations import Confirmations
from sealwright.oauth.discovery import Discovery, OAuthIssuer
from sealwright.oauth.errors import AccessTokenMissing, AccessTokenRefused, ScopeMissing
from sealwright.oauth.models import Client
from sealwright.oauth.subjects import SubjectLookup


class UserinfoEndpoint:
    """Returns claims to anyone with a valid access token of the client."""

    def __init__(
        self, *, discovery: Discovery, access_tokens: AccessTokens, confirmations: Confirmations, subjects: SubjectLookup
    ) -> None:
        self._confirmations = confirmations
        self._discovery = discovery
        self._access_tokens = access_tokens
        self._subjects = subjects

    async def respond(self, issuer: OAuthIssuer, presented: PresentedToken) -> dict[str, Any]:
        """The claims that the token's scopes reach; raises AccessTokenRefused."""
        access_token = presented.text
        if not access_token:
            raise AccessTokenMissing("Send the access token in the Authorization header, or in the form of a POST.")
        client = await self._client_of(issuer, access_token)
        token = await self._access_tokens.verify(access_token, client)
        if not token.is_for(client.name):
            raise AccessTokenRefused("The access token is for the resources that it was asked for, and not for userinfo.")
        await self._confirmations.require_possession(token.claims, presented, client)
        if token.holder is None:
            raise _needs_openid()
        account = token.holder.account
        scopes, groups = await self._subjects.scopes_still_granted(account, client, token.scopes)
        if "openid" not in scopes:
            raise _needs_openid()
        asked = token.family.claims.userinfo
        subject = await self._subjects.subject_of(account, client, scopes, groups=groups, asked=asked)
        return claims.identity_claims(subject, client, scopes)

    async def _client_of(self, issuer: OAuthIssuer, access_token: str) -> Client:
        """The client that the token says it was made for; whether that is true is decided with the client's keys."""
        if issuer.client is not None:
            return issuer.client
        client = await self._discovery.client_on(issuer, self._access_tokens.client_name_in(access_token))
        if client is None:
            raise AccessTokenRefused("The access token is of no client of this issuer.")
        return client


def _needs_openid() -> ScopeMissing:
    return ScopeMissing("The access token was not granted the scope openid, or its person lost it.", scope="openid")
