"""Userinfo: the claims about a person, as they are now (OpenID Connect Core, section 5.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sealwright.jose import (
    ACCESS_TOKEN,
    SignedClaims,
    TokenExpired,
    TokenRefused,
    check_times,
    require_audience,
    require_issuer,
    require_text,
    verification_keys,
    verify,
)
from sealwright.keys import Custody, Purpose
from sealwright.oauth import claims
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.discovery import Discovery, issuer_url_of
from sealwright.oauth.errors import AccessTokenEnded, AccessTokenMissing, AccessTokenRefused, AuthorizationEnded, ScopeMissing
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.models import Client
from sealwright.oauth.token_families import TokenFamilies

CLOCK_DIFFERENCE = timedelta(seconds=5)
"""How far the clocks of two of our nodes may differ."""


class UserinfoEndpoint:
    """Returns claims to whoever holds a good access token of the client."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        discovery: Discovery,
        families: TokenFamilies,
        directory: PeopleLookup,
        custody: Custody,
    ) -> None:
        self._clock = dependencies.clock
        self._origin = dependencies.origin
        self._discovery = discovery
        self._families = families
        self._directory = directory
        self._custody = custody

    async def respond(self, client_name: str, access_token: str | None) -> dict[str, Any]:
        """The claims that the token's scopes reach; raises BearerRefused, or ClientUnknown."""
        client = await self._discovery.client(client_name)
        if not access_token:
            raise AccessTokenMissing("Send the access token in the Authorization header.")
        try:
            token = await self._verified(access_token, client)
            family = await self._families.find(require_text(token.claims, "family"))
            if family is None or family.client_id != client.id:
                raise AccessTokenEnded("The authorization that the token comes from is gone.")
            holder = await self._families.holder_of(family)
        except TokenExpired as cause:
            raise AccessTokenEnded("The access token has expired.") from cause
        except AuthorizationEnded as cause:
            raise AccessTokenEnded(cause.detail) from cause
        except TokenRefused as cause:
            raise AccessTokenRefused(cause.detail) from cause
        scopes = require_text(token.claims, "scope").split()
        if "openid" not in scopes:
            raise ScopeMissing("The access token was not granted the scope openid.", scope="openid")
        groups = await self._directory.groups_of(holder.account.id) if "groups" in scopes else ()
        subject = claims.Subject(holder.account, groups, self._directory.spn_of(holder.account))
        return claims.identity_claims(subject, client, scopes)

    async def _verified(self, access_token: str, client: Client) -> SignedClaims:
        records = await self._custody.public_keys(Purpose.OAUTH_CLIENT, client.id)
        algorithms = frozenset(record.algorithm for record in records)
        token = verify(access_token, verification_keys(*records), typ=ACCESS_TOKEN, algorithms=algorithms)
        require_issuer(token.claims, issuer_url_of(self._origin, client.name))
        require_audience(token.claims, client.name)
        check_times(token.claims, self._clock.now(), CLOCK_DIFFERENCE)
        return token
