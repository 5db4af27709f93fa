"""Which key the tokens of a request are bound to, and whether what a token is bound to still holds."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

from sealwright.access import anonymous
from sealwright.audit import Event
from sealwright.ca import ClientCertificates, serial_of
from sealwright.jose import thumbprint_sha256
from sealwright.oauth.confirmation import CERTIFICATE, Confirmation, confirmation_in
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AccessTokenEnded, MalformedTokenRequest
from sealwright.oauth.models import Client
from sealwright.oauth.token_request import TokenRequest


class Confirmations:
    """Which key a token is to be bound to, and whether the one who uses it holds that key."""

    def __init__(self, dependencies: OAuthDependencies, certificates: ClientCertificates) -> None:
        self._db = dependencies.db
        self._audit = dependencies.audit
        self._certificates = certificates

    async def of_request(self, client: Client, request: TokenRequest) -> Confirmation | None:
        """What tokens for this request are bound to; None where they are not. Refused where a certificate is missing or over."""
        if not client.tls_client_certificate_bound_access_tokens:
            return None
        der = request.peer.shown_certificate
        if der is None:
            await self._refuse(client, request, "the client's tokens are bound to its certificate, and none was shown")
            raise MalformedTokenRequest(
                "Tokens of this client are bound to its certificate: ask with the certificate, at the machines listener."
            )
        confirmation = Confirmation(CERTIFICATE, thumbprint_sha256(der), serial_of(der))
        ended = await self._why_ended(confirmation)
        if ended:
            await self._refuse(client, request, ended)
            raise MalformedTokenRequest("The client certificate does not hold any more; renew it.")
        return confirmation

    async def require_holds(self, claims: Mapping[str, Any]) -> None:
        """Raise AccessTokenEnded where the certificate that a token is bound to was revoked, or has expired."""
        confirmation = confirmation_in(claims)
        ended = "" if confirmation is None else await self._why_ended(confirmation)
        if ended:
            raise AccessTokenEnded(f"The access token is bound to a certificate that does not hold: {ended}.")

    async def _why_ended(self, confirmation: Confirmation) -> str:
        if not confirmation.certificate_serial:
            return ""
        thumbprint = urlsafe_b64decode(confirmation.thumbprint + "=")
        return await self._certificates.why_ended(confirmation.certificate_serial, thumbprint)

    async def _refuse(self, client: Client, request: TokenRequest, reason: str) -> None:
        await self._audit.refused(
            self._db,
            Event.TOKEN_REFUSED,
            actor=anonymous(request.peer.address),
            target=f"client:{client.id}",
            reason=reason,
            details={"client": client.name, "address": request.peer.address, "reason": reason},
        )
