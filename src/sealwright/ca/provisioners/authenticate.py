"""From a token that proves nothing yet to one that a provisioner vouches for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sealwright.access import Actor
from sealwright.ca.models import PersonOf
from sealwright.ca.provisioners.audiences import Audiences, TokenPurpose, addressed_elsewhere, is_address
from sealwright.ca.provisioners.errors import CredentialRefused, IdentityRefused
from sealwright.ca.provisioners.jwk import JwkToken, check_jwk, signed_claims
from sealwright.ca.provisioners.models import JwkProvisioner, Provisioner
from sealwright.ca.provisioners.oidc import IdToken, check_id_token, signed_id_claims
from sealwright.ca.provisioners.registry import ProvisionerRegistry
from sealwright.clock import Clock
from sealwright.errors import Failure
from sealwright.jose import TokenRefused, UnverifiedToken, audiences
from sealwright.openid_providers import TrustedProviders

OnRefusal = Callable[[Actor, str, Failure], Awaitable[None]]
"""Is given who was refused, the id of the provisioner that vouched for them, and why."""


class ProvisionerTokens:
    """Finds the provisioner that a token names, and has it checked by the rules of its type."""

    def __init__(
        self,
        provisioners: ProvisionerRegistry,
        providers: TrustedProviders,
        accepted: Audiences,
        clock: Clock,
        *,
        person_of: PersonOf,
    ) -> None:
        self._provisioners = provisioners
        self._providers = providers
        self._accepted = accepted
        self._clock = clock
        self._person_of = person_of

    async def for_sign(self, token: str, on_refusal: OnRefusal) -> JwkToken | IdToken:
        """A token that asks for a certificate. What is wrong with it raises TokenRefused or CredentialRefused.

        `on_refusal` is told of what is wrong behind a valid signature, with the provisioner and the actor that it stands for.
        """
        read = UnverifiedToken(token)
        provisioner = await self._find(read, TokenPurpose.SIGN)
        if isinstance(provisioner, JwkProvisioner):
            claims = signed_claims(provisioner, read)
            try:
                return self._checked_jwk(provisioner, read, claims, TokenPurpose.SIGN)
            except (TokenRefused, CredentialRefused) as failure:
                await on_refusal(provisioner.actor, provisioner.id, failure)
                raise
        signed = await signed_id_claims(provisioner, read, self._providers)
        try:
            return await check_id_token(provisioner, read, signed, self._clock.now(), self._person_of)
        except (TokenRefused, CredentialRefused) as failure:
            await on_refusal(signed.actor, provisioner.id, failure)
            raise

    def _checked_jwk(
        self, provisioner: JwkProvisioner, token: UnverifiedToken, claims: Mapping[str, Any], operation: TokenPurpose
    ) -> JwkToken:
        return check_jwk(provisioner, token, claims, accepted=self._accepted, operation=operation, now=self._clock.now())

    async def for_revoke(self, token: str) -> JwkToken:
        """A token that asks for a revocation: of JWK provisioners only."""
        read = UnverifiedToken(token)
        provisioner = await self._find(read, TokenPurpose.REVOKE)
        if isinstance(provisioner, JwkProvisioner):
            return self._checked_jwk(provisioner, read, signed_claims(provisioner, read), TokenPurpose.REVOKE)
        signed = await signed_id_claims(provisioner, read, self._providers)
        person = await check_id_token(provisioner, read, signed, self._clock.now(), self._person_of)
        raise IdentityRefused(
            f"{person.actor.name} cannot revoke with an ID token.",
            reasons=(f"the provisioner {provisioner.name} is of type OIDC",),
            hint="Revoke with the certificate and its key, or sign in to this server and revoke there.",
        )

    async def _find(self, token: UnverifiedToken, operation: TokenPurpose) -> Provisioner:
        provisioner_id = id_in_token(token.header, token.claims(), self._accepted)
        provisioner = await self._provisioners.find(provisioner_id)
        if provisioner is None:
            if is_address(provisioner_id):
                key_id = f"{token.claims().get('iss')}:{token.header.get('kid')}"
                by_key = await self._provisioners.find(key_id)
                if isinstance(by_key, JwkProvisioner):  # its signature is verified before the audience is refused and recorded
                    return by_key
                raise addressed_elsewhere((provisioner_id,), operation)
            raise CredentialRefused(
                f"The token names the provisioner {provisioner_id[:200]!r}, which does not exist here.",
                hint="See the provisioners there are with: step ca provisioner list",
            )
        return provisioner


def id_in_token(header: Mapping[str, Any], claims: Mapping[str, Any], accepted: Audiences) -> str:
    """Which provisioner a token names, in the order of `step-ca`.

    The fragment of the first audience; for a token addressed to this server ``iss:kid``; `azp`; else the first audience.
    """
    meant_for = audiences(claims)
    if not meant_for:
        raise CredentialRefused("The token has no audience (aud).")
    fragment = meant_for[0].partition("#")[2]
    if fragment:
        return fragment
    if accepted.match_any(meant_for):
        for member, value in (("iss", claims.get("iss")), ("kid", header.get("kid"))):
            if not isinstance(value, str) or not value:
                raise CredentialRefused(f"The token does not say which provisioner it is from: it has no {member}.")
        return f"{claims['iss']}:{header['kid']}"
    authorized = claims.get("azp")
    return authorized if isinstance(authorized, str) and authorized else meant_for[0]
