"""Which failure becomes which response on the step wire: ``{"status", "message"}``, whose message `step` prints."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.ca.errors import AlreadyRevoked
from sealwright.ca.provisioners import CredentialRefused
from sealwright.ca.step_api.messages import NotOffered
from sealwright.errors import (
    Conflict,
    ContentTooLarge,
    Failure,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    RateLimited,
    Refused,
    Unavailable,
)
from sealwright.http import Request, Response, json_response
from sealwright.jose import KeyRefused, TokenRefused

STATUSES: Mapping[type[Failure], int] = {
    NotOffered: 501,
    InvalidInput: 400,
    KeyRefused: 400,
    AlreadyRevoked: 400,
    NotSignedIn: 401,
    TokenRefused: 401,
    NotPermitted: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    ContentTooLarge: 413,
    RateLimited: 429,
    Refused: 400,
    Conflict: 409,
    Unavailable: 503,
}
"""The nearest class in a failure's ancestry decides."""


def status_of(failure: Exception) -> int:
    """The status for a failure; 500 for what is not foreseen."""
    return next((STATUSES[kind] for kind in type(failure).__mro__ if kind in STATUSES), 500)


def answer_failure(request: Request, failure: Exception) -> Response:
    """The response to a request that failed. An unexpected exception is shown by its request id alone."""
    status = status_of(failure)
    if isinstance(failure, Failure):
        message = f"{failure.detail} {failure.hint}".strip()
    else:
        message = f"The server made a mistake. Its log has more under the request id {request.request_id}."
    waits = getattr(failure, "retry_after", None) if status in (429, 503) else None
    headers = [("retry-after", str(waits))] if waits else []
    if isinstance(failure, CredentialRefused) and failure.nonce:
        headers.append(("dpop-nonce", failure.nonce))
    return json_response(status, {"status": status, "message": message}, headers=tuple(headers))
