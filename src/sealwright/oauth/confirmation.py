"""The key that an access token is bound to, and that its user has to hold (RFC 7800, section 3; RFC 8705, section 3)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from sealwright.errors import InvalidInput
from sealwright.http import Peer, Request
from sealwright.jose import thumbprint_sha256
from sealwright.oauth.errors import AccessTokenRefused

CERTIFICATE: Literal["x5t#S256"] = "x5t#S256"
PROOF_KEY: Literal["jkt"] = "jkt"
_SERIAL = "certificate_serial"
"""Claim beside `cnf`: the serial number of the certificate, by which its status is looked up."""


class Confirmation(Struct, frozen=True):
    """The key that an access token is bound to."""

    member: Literal["x5t#S256", "jkt"]
    """Of the claim `cnf`: a certificate (RFC 8705, section 3.1), or the key of DPoP proofs (RFC 9449, section 6)."""
    thumbprint: str
    """Unpadded base64url of a SHA-256."""
    certificate_serial: str = ""
    """Of the certificate; empty for another key."""

    def claims(self) -> dict[str, Any]:
        """The claims of an access token that is bound to it."""
        serial = {_SERIAL: self.certificate_serial} if self.certificate_serial else {}
        return {"cnf": {self.member: self.thumbprint}, **serial}

    @property
    def token_type(self) -> str:
        """How the token is sent: the `token_type` of the response."""
        return "DPoP" if self.member == PROOF_KEY else "Bearer"

    @property
    def text(self) -> str:
        """As it is stored beside a refresh token that is bound to the same key."""
        return f"{self.member}:{self.thumbprint}"


class PresentedToken(Struct, frozen=True):
    """An access token as a request presents it."""

    text: str | None
    """None where there is none."""
    scheme: str
    """In small letters; `bearer` where the token came in a form."""
    proof: str | None
    """Of the header DPoP."""
    method: str
    path: str
    peer: Peer


def presented_token(request: Request) -> PresentedToken:
    """The access token of a request, with what proves that anyone who sends it may."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    scheme = scheme.lower() if scheme.lower() == "dpop" else "bearer"
    text = value.strip() if scheme == "dpop" else access_token_of(request)
    return PresentedToken(text, scheme, request.headers.get("dpop"), request.method, request.path, request.peer)


def access_token_of(request: Request) -> str | None:
    """The access token of a request, from the one place that gives it (RFC 6750, section 2); a query is no such place."""
    in_header = request.bearer()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or content_type != "application/x-www-form-urlencoded":
        return in_header
    in_form = request.form().get("access_token") or None
    if in_header is not None and in_form is not None:
        raise InvalidInput("The access token is in the Authorization header and in the body; use one of them.")
    return in_header or in_form


def require_certificate(confirmation: Confirmation, peer: Peer) -> None:
    """Raise AccessTokenRefused where a token that is bound to a certificate is used without that certificate."""
    der = peer.shown_certificate
    if der is None or not hmac.compare_digest(thumbprint_sha256(der), confirmation.thumbprint):
        raise AccessTokenRefused("The access token is bound to a client certificate, and was used without it.")


def confirmation_in(claims: Mapping[str, Any]) -> Confirmation | None:
    """What one of our access tokens, whose signature was verified, is bound to."""
    found = claims.get("cnf")
    if not isinstance(found, Mapping):
        return None
    for member in (CERTIFICATE, PROOF_KEY):
        if member in found:
            return Confirmation(member, str(found[member]), str(claims.get(_SERIAL, "")))
    raise AccessTokenRefused("The access token is bound to a key of a kind that is not known here.")
