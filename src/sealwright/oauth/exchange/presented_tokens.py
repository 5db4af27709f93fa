"""Verify the tokens that a client presents in an exchange."""

from __future__ import annotations

from sealwright.client_metadata import is_client_name
from sealwright.db import Database
from sealwright.identity import API_TOKEN_PREFIX
from sealwright.jose import audiences, instant_claim
from sealwright.oauth.access_tokens import AccessTokens
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.confirmation import confirmation_in
from sealwright.oauth.errors import AccessTokenRefused, MalformedTokenRequest
from sealwright.oauth.exchange.models import PresentedParty
from sealwright.oauth.lookups import ApiTokenLookup
from sealwright.oauth.models import TokenSource
from sealwright.oauth.token_families import FamilyHolder

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type, not a token


class PresentedTokens:
    """Reads API tokens of service accounts, and access tokens of any client here."""

    def __init__(self, db: Database, access_tokens: AccessTokens, api_tokens: ApiTokenLookup) -> None:
        self._db = db
        self._access_tokens = access_tokens
        self._api_tokens = api_tokens

    async def read(self, parameter: str, text: str, token_type: str, address: str) -> PresentedParty:
        """Who is behind the token of a parameter; raises MalformedTokenRequest (RFC 8693, section 2.2.2)."""
        if token_type != ACCESS_TOKEN_TYPE:
            raise MalformedTokenRequest(
                f"The {parameter}_type {token_type[:100]!r} is not supported; send an access token or an API token, "
                f"with the type {ACCESS_TOKEN_TYPE}."
            )
        if text.startswith(API_TOKEN_PREFIX):
            return await self._api_token(parameter, text, address)
        try:
            return await self._access_token(text)
        except AccessTokenRefused as cause:
            raise MalformedTokenRequest(f"The {parameter} is not valid: {cause.detail} Present one that is.") from cause

    async def _api_token(self, parameter: str, text: str, address: str) -> PresentedParty:
        found = await self._api_tokens.resolve(text, address)
        if found is None:
            raise MalformedTokenRequest(
                f"The {parameter} is not a valid API token: it is unknown, revoked or expired, or its service account "
                "may not act. Make another: sealwright service-account api-token generate."
            )
        account, session = found.account, found.session
        return PresentedParty(
            subject=account.id,
            name=account.name,
            source=TokenSource(api_token=session.id),
            holder=FamilyHolder(account, None),
            ends_at=session.expires_at,
            read_only=found.read_only,
        )

    async def _access_token(self, text: str) -> PresentedParty:
        name = self._access_tokens.client_name_in(text)
        client = await client_store.client_named(self._db, name) if is_client_name(name) else None
        if client is None:
            raise AccessTokenRefused("The access token is of no client of this server.")
        token = await self._access_tokens.verify(text, client)
        claims, bound = token.claims, confirmation_in(token.claims)
        certificate = bound if bound is not None and bound.certificate_serial else None
        ends_at = instant_claim(claims, "exp")
        if ends_at is None:
            raise AccessTokenRefused("The access token does not say when it ends.")
        return PresentedParty(
            subject=token.family.subject,
            name=client.name if token.holder is None else token.holder.account.name,
            source=TokenSource(
                family=token.family.id,
                certificate="" if certificate is None else certificate.thumbprint,
                certificate_serial="" if certificate is None else certificate.certificate_serial,
            ),
            holder=token.holder,
            ends_at=ends_at,
            client=client,
            family=token.family,
            scopes=token.scopes,
            audience=audiences(claims),
            confirmation=bound,
            details=tuple(claims.get("authorization_details", ())),
            act=claims.get("act"),
            may_act=claims.get("may_act"),
        )
