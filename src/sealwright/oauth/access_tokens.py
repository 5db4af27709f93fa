"""Access tokens that come back to this server: their signature, and whether their authorization is still valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from sealwright.jose import (
    ACCESS_TOKEN,
    JWT,
    SignedClaims,
    TokenExpired,
    TokenRefused,
    UnverifiedToken,
    audiences,
    check_times,
    optional_text,
    require_issuer,
    require_text,
    verification_keys,
    verify,
)
from sealwright.keys import Custody
from sealwright.oauth.confirmations import Confirmations
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import AccessTokenEnded, AccessTokenRefused, AuthorizationEnded
from sealwright.oauth.issuers.addresses import issuer_url_of, key_owner_of
from sealwright.oauth.models import Client, TokenFamily
from sealwright.oauth.opaque_tokens import PREFIX, OpaqueTokens
from sealwright.oauth.token_families import CLOCK_DIFFERENCE, FamilyHolder, TokenFamilies

_REMEMBERED = 2_048


class AccessToken(Struct, frozen=True):
    """An access token that is valid at this moment."""

    claims: Mapping[str, Any]
    scopes: tuple[str, ...]
    family: TokenFamily
    holder: FamilyHolder | None
    """None where the token speaks of the client itself."""

    def is_for(self, audience: str) -> bool:
        """Whether it is to be taken by `audience`, and not only by the resources that it was asked for (RFC 8707)."""
        return audience in audiences(self.claims)


class AccessTokens:
    """Asks anew at every use, on every node, whether the key and the authorization of a token are valid.

    That a key signed a token never changes, so that it is verified once for a token that comes again and again.
    """

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        families: TokenFamilies,
        custody: Custody,
        opaque: OpaqueTokens,
        confirmations: Confirmations,
    ) -> None:
        self._opaque = opaque
        self._clock = dependencies.clock
        self._origin = dependencies.origin
        self._families = families
        self._custody = custody
        self._confirmations = confirmations
        self._verified_before: dict[bytes, SignedClaims] = {}  # digest of the token → what its key signed

    async def verify(self, text: str, client: Client) -> AccessToken:
        """The access token, where it is one of this client's; raises AccessTokenRefused."""
        try:
            claims = await self._verified(text, client)
            family = await self._families.find(require_text(claims, "family"))
            if family is None or family.client_id != client.id:
                raise AccessTokenEnded("The authorization that the token comes from is gone.")
            holder = await self._families.holder_of(family)
            await self._confirmations.require_valid_certificate(claims)
        except TokenExpired as cause:
            raise AccessTokenEnded("The access token has expired.") from cause
        except AuthorizationEnded as cause:
            raise AccessTokenEnded(cause.detail) from cause
        except TokenRefused as cause:
            raise AccessTokenRefused(cause.detail) from cause
        return AccessToken(claims, tuple(optional_text(claims, "scope").split()), family, holder)

    async def is_id_token(self, text: str, client: Client) -> bool:
        """Whether a text is an ID token of this client, expired or not."""
        records = await self._custody.public_keys(*key_owner_of(client))
        algorithms = frozenset(record.algorithm for record in records)
        try:
            found = verify(text, verification_keys(*records), typ=JWT, algorithms=algorithms).claims
        except TokenRefused:
            return False
        return client.name in audiences(found)

    def client_name_in(self, text: str) -> str:
        """The client that a token says it was made for, which is not verified; raises AccessTokenRefused where it says none."""
        try:
            claims = self._opaque.open(text) if text.startswith(PREFIX) else UnverifiedToken(text).claims()
            return require_text(claims, "client_id")
        except TokenRefused as cause:
            raise AccessTokenRefused(cause.detail) from cause

    async def _verified(self, text: str, client: Client) -> Mapping[str, Any]:
        if text.startswith(PREFIX):
            claims: Mapping[str, Any] = self._opaque.open(text)
        else:
            claims = await self._signed(text, client)
        require_issuer(claims, issuer_url_of(self._origin, client))
        check_times(claims, self._clock.now(), CLOCK_DIFFERENCE)
        return claims

    async def _signed(self, text: str, client: Client) -> Mapping[str, Any]:
        records = await self._custody.public_keys(*key_owner_of(client))
        digest = digest_of(text)
        known = self._verified_before.get(digest)
        if known is not None and any(record.id == known.header["kid"] for record in records):
            return known.claims
        algorithms = frozenset(record.algorithm for record in records)
        signed = verify(text, verification_keys(*records), typ=ACCESS_TOKEN, algorithms=algorithms)
        if "kid" in signed.header:
            if len(self._verified_before) >= _REMEMBERED:
                del self._verified_before[next(iter(self._verified_before))]
            self._verified_before[digest] = signed
        return signed.claims
