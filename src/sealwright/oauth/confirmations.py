"""Which key the tokens of a request are bound to, and whether a bound token is used with its key."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

from sealwright.ca import ClientCertificates, serial_of
from sealwright.client_metadata import FAPI_ALGORITHMS
from sealwright.jose import thumbprint_sha256
from sealwright.oauth.confirmation import (
    CERTIFICATE,
    PROOF_KEY,
    Confirmation,
    PresentedToken,
    confirmation_in,
    require_certificate,
)
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.dpop.proof import ALGORITHMS, ProofRefused
from sealwright.oauth.dpop.proofs import DpopProofs, NonceNeeded
from sealwright.oauth.error_text import error_text
from sealwright.oauth.errors import (
    AccessTokenEnded,
    DpopNonceNeeded,
    DpopProofRefused,
    MalformedTokenRequest,
    TokenProofRefused,
)
from sealwright.oauth.models import Client
from sealwright.oauth.token_request import TokenRequest


class Confirmations:
    """Which key a token is to be bound to, and whether the one who uses it holds that key."""

    def __init__(self, dependencies: OAuthDependencies, certificates: ClientCertificates, proofs: DpopProofs) -> None:
        self._proofs = proofs
        self._origins = (dependencies.origin, dependencies.machines_origin)
        self._certificates = certificates

    async def of_request(self, client: Client, request: TokenRequest) -> Confirmation | None:
        """What tokens for this request are bound to; None for nothing. Raises where a needed certificate or proof is missing."""
        proof = request.headers.get("dpop")
        if proof is not None and client.tls_client_certificate_bound_access_tokens:
            raise MalformedTokenRequest(f"Tokens of {client.name} are bound to its certificate; send no DPoP proof beside it.")
        if proof is not None:
            return Confirmation(PROOF_KEY, await self.key_of(client, proof, request.path))
        if client.dpop_bound_access_tokens:
            raise DpopProofRefused(
                f"Tokens of {client.name} are bound to a key: send a DPoP proof (RFC 9449).",
                reasons=("the client's tokens are bound to a key, and no DPoP proof was sent",),
            )
        if not client.tls_client_certificate_bound_access_tokens:
            return None
        der = request.peer.shown_certificate
        if der is None:
            raise MalformedTokenRequest(
                "Tokens of this client are bound to its certificate: ask with the certificate, at the machines listener.",
                reasons=("the client's tokens are bound to its certificate, and none was shown",),
            )
        confirmation = Confirmation(CERTIFICATE, thumbprint_sha256(der), serial_of(der))
        ended = await self._why_ended(confirmation)
        if ended:
            raise MalformedTokenRequest("The client certificate is no longer valid; renew it.", reasons=(ended,))
        return confirmation

    async def key_of(self, client: Client, proof: str, path: str) -> str:
        """The thumbprint of the key behind the DPoP proof of a POST; raises DpopProofRefused or DpopNonceNeeded."""
        try:
            return await self._proofs.verify(
                proof, method="POST", urls=self._urls(path), needs_nonce=client.require_dpop_nonce, algorithms=_algorithms(client)
            )
        except NonceNeeded as cause:
            raise DpopNonceNeeded(str(cause), nonce=self._proofs.nonces.current()) from cause
        except ProofRefused as cause:
            raise DpopProofRefused(str(cause)) from cause

    async def require_possession(self, claims: Mapping[str, Any], presented: PresentedToken, client: Client) -> None:
        """Raise AccessTokenRefused where a token is bound to a key, and is used without proof of possession of that key."""
        confirmation = confirmation_in(claims)
        if confirmation is not None and confirmation.member == CERTIFICATE:
            require_certificate(confirmation, presented.peer)
        if confirmation is None or confirmation.member != PROOF_KEY:
            if presented.scheme == "dpop":
                raise TokenProofRefused("The access token is bound to no key; send it as a bearer token.", error="invalid_token")
            return
        if presented.scheme != "dpop":
            detail = "The access token is bound to a key; send it by the scheme DPoP, with a proof."
            raise TokenProofRefused(detail, error="invalid_token")
        used_by = await self._key_of_use(presented, client)
        if not hmac.compare_digest(used_by, confirmation.thumbprint):
            raise TokenProofRefused("The DPoP proof is by another key than the access token is bound to.")

    async def _key_of_use(self, presented: PresentedToken, client: Client) -> str:
        try:
            return await self._proofs.verify(
                presented.proof or "",
                method=presented.method,
                urls=self._urls(presented.path),
                access_token=presented.text or "",
                needs_nonce=client.require_dpop_nonce,
                algorithms=_algorithms(client),
            )
        except NonceNeeded as cause:
            nonce = self._proofs.nonces.current()
            raise TokenProofRefused(str(cause), error="use_dpop_nonce", nonce=nonce) from cause
        except ProofRefused as cause:
            raise TokenProofRefused(str(cause)) from cause

    def _urls(self, path: str) -> tuple[str, ...]:
        return tuple(origin + path for origin in self._origins)

    async def require_valid_certificate(self, claims: Mapping[str, Any]) -> None:
        """Raise AccessTokenEnded where the certificate that a token is bound to was revoked, or has expired."""
        confirmation = confirmation_in(claims)
        ended = "" if confirmation is None else await self._why_ended(confirmation)
        if ended:
            raise AccessTokenEnded(f"The access token is bound to a certificate that is not valid: {ended}.")

    async def _why_ended(self, confirmation: Confirmation) -> str:
        if not confirmation.certificate_serial:
            return ""
        thumbprint = urlsafe_b64decode(confirmation.thumbprint + "=")
        return await self._certificates.why_ended(confirmation.certificate_serial, thumbprint)


def proof_challenge(refusal: TokenProofRefused) -> str:
    """The challenge of a response to a use of a bound token without a valid proof (RFC 9449, section 7.1)."""
    algorithms, described = " ".join(sorted(ALGORITHMS)), error_text(refusal.detail)
    return f'DPoP realm="Sealwright", error="{refusal.error}", error_description="{described}", algs="{algorithms}"'


def _algorithms(client: Client) -> frozenset[str]:
    """What the client's proofs may be signed with."""
    return FAPI_ALGORITHMS if client.is_fapi else ALGORITHMS
