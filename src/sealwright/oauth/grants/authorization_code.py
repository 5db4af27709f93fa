"""Redeem an authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.6)."""

from __future__ import annotations

from typing import ClassVar

from sealwright.access import Actor
from sealwright.client_metadata import ClientKind
from sealwright.oauth import policy
from sealwright.oauth.confirmation import PROOF_KEY, Confirmation
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import AuthorizationEnded, GrantRefused
from sealwright.oauth.grants import store
from sealwright.oauth.grants.grant import GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult, new_grant, new_refresh_token
from sealwright.oauth.grants.redemptions import Redemption, Redemptions
from sealwright.oauth.grants.registered import AUTHORIZATION_CODE
from sealwright.oauth.models import Client, Code
from sealwright.oauth.token_request import TokenRequest

_AGAIN = "an authorization code was used again"
_UNKNOWN = "The code is unknown, expired, used, or was made for another client, redirect URI or code_verifier."


class AuthorizationCodeGrant:
    """Codes can be used once, for a minute, for the client, redirect URI and proof key they were made for."""

    grant_type: ClassVar[str] = AUTHORIZATION_CODE
    standard: ClassVar[str] = "RFC 6749, section 4.1.3; RFC 7636"
    open_to: ClassVar[frozenset[ClientKind]] = frozenset(ClientKind)

    def __init__(self, dependencies: GrantDependencies) -> None:
        self._db = dependencies.oauth.db
        self._clock = dependencies.oauth.clock
        self._entropy = dependencies.oauth.entropy
        self._families = dependencies.families
        self._redemptions = Redemptions(dependencies, store.consume_codes, grant_type=self.grant_type, used_again=_AGAIN)

    async def redeem(self, client: Client, request: TokenRequest, actor: Actor, complete: CompleteGrant) -> GrantResult:
        """Use the code up. A second request that would be valid otherwise revokes every token of the first."""
        digest = digest_of(request.required("code"))
        redirect_uri = request.required("redirect_uri")
        code = await store.code(self._db, digest)
        if code is None or code.family.client_id != client.id:
            raise GrantRefused(_UNKNOWN)
        await self._require_bindings(client, code, redirect_uri, request, actor)
        if code.consumed_at is not None:
            await self._families.refuse(code.family, client, _AGAIN, actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        if code.expires_at <= self._clock.now():
            raise GrantRefused(_UNKNOWN)
        result = await complete(await self._grant(code, client, request, actor))
        if not await self._redemptions.redeem(Redemption(digest, result, result.refresh_token, client, actor)):
            raise GrantRefused(_UNKNOWN)
        return result

    async def _require_bindings(self, client: Client, code: Code, redirect_uri: str, request: TokenRequest, actor: Actor) -> None:
        shown = None if request.confirmation is None else request.confirmation.text
        if code.redirect_uri != redirect_uri:
            reason = "the redirect_uri is not the one of the authorization request"
        elif not policy.proves_key(code.code_challenge, request.optional("code_verifier")):
            reason = "the code_verifier does not fit the code_challenge"
        elif code.dpop_jkt is not None and shown != Confirmation(PROOF_KEY, code.dpop_jkt).text:
            reason = "the DPoP proof is missing, or by another key than the code is bound to"
        else:
            return
        await self._families.refuse(code.family, client, reason, actor)
        raise GrantRefused(_UNKNOWN)

    async def _grant(self, code: Code, client: Client, request: TokenRequest, actor: Actor) -> GrantResult:
        try:
            holder = await self._families.holder_of(code.family)
        except AuthorizationEnded as over:
            await self._families.refuse(code.family, client, over.detail, actor)
            raise GrantRefused(over.detail) from over
        family = code.family
        return new_grant(
            self._entropy,
            family,
            holder,
            family.scope,
            new_refresh_token(self._entropy, client),
            nonce=family.nonce,
            confirmation=request.confirmation,
        )
