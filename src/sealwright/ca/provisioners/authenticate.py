"""Find the provisioner that a token names, and let it verify the token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec.structs import replace

from sealwright.access import Actor
from sealwright.ca.models import PersonOf
from sealwright.ca.provisioners.audiences import Audiences, TokenPurpose, addressed_elsewhere, is_address
from sealwright.ca.provisioners.errors import CredentialRefused
from sealwright.ca.provisioners.provisioner import (
    NOTHING_SHOWN,
    CredentialChecks,
    Provisioner,
    ShownProof,
    VerifiedToken,
    VerifyAccessToken,
)
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
        access_tokens: VerifyAccessToken,
    ) -> None:
        self._provisioners = provisioners
        self._accepted = accepted
        self._checks = CredentialChecks(accepted, providers, clock, person_of, access_tokens)

    async def for_sign(self, token: str, on_refusal: OnRefusal, shown: ShownProof = NOTHING_SHOWN) -> VerifiedToken:
        """A token that asks for a certificate. What is wrong with it raises TokenRefused or CredentialRefused.

        `on_refusal` is called with what is wrong behind a valid signature, the provisioner, and the actor that it stands for.
        `shown`: what came beside it, where it may be bound to a key.
        """
        read = UnverifiedToken(token)
        provisioner = await self._find(read, TokenPurpose.SIGN)
        signed = await provisioner.authenticate(read, replace(self._checks, shown=shown))
        try:
            return await signed.checked(TokenPurpose.SIGN)
        except (TokenRefused, CredentialRefused) as failure:
            await on_refusal(signed.actor, provisioner.id, failure)
            raise

    async def for_revoke(self, token: str) -> VerifiedToken:
        """A token that asks for a revocation."""
        read = UnverifiedToken(token)
        provisioner = await self._find(read, TokenPurpose.REVOKE)
        return await (await provisioner.authenticate(read, self._checks)).checked(TokenPurpose.REVOKE)

    async def _find(self, token: UnverifiedToken, operation: TokenPurpose) -> Provisioner:
        provisioner_id = id_in_token(token.header, token.claims(), self._accepted)
        provisioner = await self._provisioners.find(provisioner_id)
        if provisioner is None:
            if is_address(provisioner_id):
                key_id = f"{token.claims().get('iss')}:{token.header.get('kid')}"
                by_key = await self._provisioners.find(key_id)
                if by_key is not None and by_key.verifies_with_own_key:
                    # its signature is verified before the audience is refused and recorded
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
