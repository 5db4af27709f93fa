"""Assertions: JWTs that a client signs to prove itself (RFC 7523, section 3; OpenID Connect Core, section 9)."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sealwright.client_metadata import ASSERTION_ALGORITHMS, FAPI_ALGORITHMS, SECRET_ALGORITHMS
from sealwright.clock import after
from sealwright.db import Transaction
from sealwright.jose import (
    JWT,
    LEEWAY,
    SignedClaims,
    TokenRefused,
    UnverifiedToken,
    check_times,
    instant_claim,
    require_text,
    verify,
    verify_mac,
)
from sealwright.keys import Sealer
from sealwright.oauth import store
from sealwright.oauth.client_authentication.credentials import JWT_BEARER_ASSERTION
from sealwright.oauth.client_authentication.errors import NotProven
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.clients.secrets import secret_context
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.issuers.addresses import ROOT_TOKEN_PATH, TOKEN_PATH, issuer_url_of
from sealwright.oauth.models import Client

LONGEST_LIFE = timedelta(hours=1)
"""From now to `exp`: how long a used assertion has to be remembered."""
LONGEST_ID = 256
OWN_TYPE = "client-authentication+jwt"
"""`typ` of assertions that state their purpose; most have none."""

_OF_A_REQUEST = "response_type"
"""In every request object, and in no assertion: one is never taken for the other (RFC 9101, section 10.8)."""

__all__ = ["JWT_BEARER_ASSERTION", "ClientAssertions"]


class ClientAssertions:
    """Verifies assertions, each of which is accepted once."""

    def __init__(self, dependencies: OAuthDependencies, *, key_sets: ClientKeySets, sealer: Sealer) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._origins = (dependencies.origin, dependencies.machines_origin)
        self._key_sets = key_sets
        self._sealer = sealer

    async def use(self, client: Client, token: UnverifiedToken, method: str) -> None:
        """Use an assertion up; raises NotProven where it does not prove the client, or was used before."""
        try:
            claims = (await self._verified(client, token, method)).claims
            if require_text(claims, "iss") != client.name or require_text(claims, "sub") != client.name:
                raise NotProven("iss and sub of the assertion are not both the client_id")
            if _OF_A_REQUEST in claims:
                raise NotProven("the assertion is an authorization request that the client signed, and no assertion")
            audience = claims.get("aud")
            if audience not in self._audiences(client):
                raise NotProven(
                    "the assertion is not addressed to this server alone",
                    f"the assertion is addressed to {str(audience)[:200]!r}, which is not this server alone",
                )
            now = self._clock.now()
            check_times(claims, now, LEEWAY)
            expires_at = instant_claim(claims, "exp")
            if expires_at is None or expires_at > after(after(now, LONGEST_LIFE), LEEWAY):
                raise NotProven("the assertion is valid for longer than an hour")
            token_id = require_text(claims, "jti")
        except TokenRefused as cause:
            raise NotProven(f"the assertion is not valid ({cause.code})", cause.detail) from cause
        if len(token_id) > LONGEST_ID:
            raise NotProven(
                "the jti of the assertion is too long",
                f"the jti of the assertion has {len(token_id)} characters; {LONGEST_ID} are allowed",
            )
        digest = hashlib.sha256(f"assertion\0{client.id}\0{token_id}".encode()).digest()[:16]
        kept_until = after(after(now, LONGEST_LIFE), 3 * LEEWAY)  # so that the same id with a later expiry is the same assertion

        async def body(tx: Transaction) -> bool:
            return await store.use_jwt(tx, digest, kept_until)

        if not await self._db.write(body):
            raise NotProven("the assertion was used before (jti)")

    def _audiences(self, client: Client) -> tuple[str, ...]:
        """What an assertion may be addressed to, as one text: the issuer, or the token endpoint."""
        origin = self._origins[0]
        if client.is_fapi:  # FAPI 2.0 Security Profile, section 5.3.2.1: the issuer alone
            return (issuer_url_of(origin, client),)
        return (issuer_url_of(origin, client), *(each + path for each in self._origins for path in (TOKEN_PATH, ROOT_TOKEN_PATH)))

    async def _verified(self, client: Client, token: UnverifiedToken, method: str) -> SignedClaims:
        fitting = ASSERTION_ALGORITHMS if method == "private_key_jwt" else SECRET_ALGORITHMS
        registered = client.token_endpoint_auth_signing_alg
        algorithms = frozenset(fitting if registered is None else {registered}.intersection(fitting))
        if client.is_fapi:
            algorithms &= FAPI_ALGORITHMS
        if method == "client_secret_jwt":
            return verify_mac(token, await self._secret(client), algorithms=algorithms)
        keys = await self._key_sets.keys(client, token.header.get("kid"))
        typ = OWN_TYPE if str(token.header.get("typ", "")).lower() == OWN_TYPE else JWT
        return verify(token, keys, typ=typ, algorithms=algorithms)

    async def _secret(self, client: Client) -> bytes:
        """The secret itself: a digest cannot verify a MAC, and of the previous secret only the digest is kept."""
        sealed = await client_store.sealed_secret(self._db, client.id)
        if sealed is None:
            raise NotProven("the client has no secret")
        return self._sealer.open(sealed, secret_context(client.id))
