"""What the authorization server refuses, and the standard's word for it."""

from __future__ import annotations

from typing import ClassVar

from sealwright.errors import Conflict, NotFound, NotPermitted, NotSignedIn, RateLimited, Refused


class UnprovenRequest(Refused):
    """An authorization request whose client or redirect URI is not proven: shown to the person, never redirected."""

    code = "unproven_request"


class LogoutRefused(Refused):
    """A logout request that is not right: shown to the person, never redirected."""

    code = "logout_refused"


class RequestGone(Refused):
    """A pending authorization request that is unknown, expired or already decided."""

    code = "request_gone"


class ClientUnknown(NotFound):
    """No client has this name."""

    code = "client_unknown"


class IssuerUnknown(NotFound):
    """No issuer has this name, or there is no root issuer."""

    code = "oauth_issuer_unknown"


class GroupUnknown(NotFound):
    """No group has this name."""

    code = "group_unknown"


class NotRegistered(NotFound):
    """What is to be taken away from a client is not there."""

    code = "not_registered"


class ClientExists(Conflict):
    """A client with this name exists already."""

    code = "client_exists"


class ClientInUse(Conflict):
    """A provisioner trusts the tokens of this client."""

    code = "client_in_use"


class IssuerExists(Conflict):
    """An issuer with this name exists already, or a root issuer."""

    code = "oauth_issuer_exists"


class IssuerInUse(Conflict):
    """Clients are on this issuer."""

    code = "oauth_issuer_in_use"


class TrustedIssuerUnknown(NotFound):
    """No trusted issuer has this name, or it has no such rule."""

    code = "trusted_issuer_unknown"


class TrustedIssuerExists(Conflict):
    """A trusted issuer with this name or URL exists already."""

    code = "trusted_issuer_exists"


class AuthorizationRefused(Refused):
    """An authorization request whose error goes to its proven redirect URI (RFC 6749, section 4.1.2.1)."""

    code = "authorization_refused"

    def __init__(self, error: str, detail: str, *, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(detail, reasons=reasons)
        self.error = error


class TokenRequestRefused(Refused):
    """A request of a client that gets an error response (RFC 6749, section 5.2)."""

    code = "token_request_refused"
    error: ClassVar[str] = "invalid_request"


class MalformedTokenRequest(TokenRequestRefused):
    """A parameter is missing, repeated or not understood."""

    code = "invalid_request"
    error = "invalid_request"


class MetadataRefused(TokenRequestRefused):
    """What a client asks to register is not allowed or not understood (RFC 7591, section 3.2.2)."""

    code = "invalid_client_metadata"
    error = "invalid_client_metadata"


class RedirectUriRefused(MetadataRefused):
    """A redirect URI that a client asks to register is missing or not allowed."""

    code = "invalid_redirect_uri"
    error = "invalid_redirect_uri"


class ClientNotAuthenticated(TokenRequestRefused):
    """The client is unknown, or did not prove that it is this client."""

    code = "invalid_client"
    error = "invalid_client"


class GrantRefused(TokenRequestRefused):
    """The code or refresh token is unknown, expired, used, revoked or someone else's."""

    code = "invalid_grant"
    error = "invalid_grant"


class GrantTypeRefused(TokenRequestRefused):
    """A grant type that does not exist here."""

    code = "unsupported_grant_type"
    error = "unsupported_grant_type"


class ClientNotAuthorized(TokenRequestRefused):
    """A grant type that is not open to this kind of client."""

    code = "unauthorized_client"
    error = "unauthorized_client"


class TokenTypeRefused(TokenRequestRefused):
    """A token of a kind that the endpoint is not for (RFC 7009, section 2.2.1)."""

    code = "unsupported_token_type"
    error = "unsupported_token_type"


class ScopeRefused(TokenRequestRefused):
    """More is asked than was granted."""

    code = "invalid_scope"
    error = "invalid_scope"


class DpopProofRefused(TokenRequestRefused):
    """A DPoP proof that is missing, or does not fit the request (RFC 9449, section 5)."""

    code = "invalid_dpop_proof"
    error = "invalid_dpop_proof"


class DpopNonceNeeded(TokenRequestRefused):
    """A DPoP proof that needs a nonce of this server (RFC 9449, section 8)."""

    code = "use_dpop_nonce"
    error = "use_dpop_nonce"

    def __init__(self, detail: str, *, nonce: str = "") -> None:
        super().__init__(detail)
        self.nonce = nonce


class AuthorizationPending(TokenRequestRefused):
    """The person has not decided about a device yet (RFC 8628, section 3.5)."""

    code = "authorization_pending"
    error = "authorization_pending"


class PollingTooFast(TokenRequestRefused):
    """A device asks more often than it may (RFC 8628, section 3.5)."""

    code = "slow_down"
    error = "slow_down"


class DeviceCodeExpired(TokenRequestRefused):
    """A device code that has expired."""

    code = "expired_token"
    error = "expired_token"


class DeviceDenied(TokenRequestRefused):
    """The person refused what a device asked for."""

    code = "device_denied"
    error = "access_denied"


class UserCodeUnknown(Refused):
    """No device waits with the code that a person typed."""

    code = "user_code_unknown"


class TargetRefused(TokenRequestRefused):
    """A resource that the client may not ask tokens for, or that was not granted (RFC 8707)."""

    code = "invalid_target"
    error = "invalid_target"


class DetailsRefused(TokenRequestRefused):
    """Authorization details that the client may not ask for, or that were not granted (RFC 9396)."""

    code = "invalid_authorization_details"
    error = "invalid_authorization_details"


class AuthorizationEnded(Refused):
    """The authorization that a token comes from has ended: revoked, or its session or person is gone."""

    code = "family_over"


class AccessTokenRefused(Refused):
    """An access token that is missing or no longer valid (RFC 6750, section 3)."""

    code = "invalid_token"


class AccessTokenEnded(AccessTokenRefused):
    """An access token of this server that was valid once."""


class AccessTokenMissing(AccessTokenRefused):
    """No access token was sent."""

    code = "token_missing"


class ScopeMissing(AccessTokenRefused):
    """The access token is valid, but does not reach this far."""

    code = "insufficient_scope"

    def __init__(self, detail: str, *, scope: str) -> None:
        super().__init__(detail)
        self.scope = scope


class ApiAccessRefused(NotSignedIn):
    """An access token that opens nothing at this server's own API."""

    code = "access_token_refused"

    def __init__(self, detail: str, *, challenge: str = "", nonce: str = "") -> None:
        """`challenge`, `nonce`: how to prove possession of the key that the token is bound to, where that was missing."""
        super().__init__(detail)
        self.challenge = challenge
        self.nonce = nonce


class TokenProofRefused(AccessTokenRefused):
    """An access token that is bound to a key, and came without a DPoP proof that fits (RFC 9449, section 7.1)."""

    code = "token_proof_refused"

    def __init__(self, detail: str, *, error: str = "invalid_dpop_proof", nonce: str = "") -> None:
        super().__init__(detail)
        self.error = error
        self.nonce = nonce


class RegistrationTokenRefused(AccessTokenRefused):
    """A token with which a client registers, or manages what it registered, that is missing or not valid."""

    code = "registration_token_refused"


class RegistrationClosed(RegistrationTokenRefused):
    """A client asks to register without a token, and that is not open to everyone."""

    code = "registration_closed"


class RegistrationNotManaged(NotPermitted):
    """A client that an administrator created does not manage itself."""

    code = "registration_not_managed"


class TooManyRegistered(RateLimited):
    """Too many clients have registered without a token: no more are taken."""

    code = "too_many_registered"
