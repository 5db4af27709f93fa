"""Failures as problem documents (RFC 9457). The one place that maps a failure to an HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from sealwright.api.errors import SessionNeeded, WrongContentType
from sealwright.api.remedies import hint_of
from sealwright.ca import CredentialRefused
from sealwright.errors import (
    Action,
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
from sealwright.http import ChangedMeanwhile, Request, Response
from sealwright.identity import BootstrapClosed, SessionEnd
from sealwright.oauth import ApiAccessRefused

STATUS: Mapping[type[Failure], HTTPStatus] = {
    WrongContentType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidInput: HTTPStatus.BAD_REQUEST,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    NotPermitted: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    ChangedMeanwhile: HTTPStatus.PRECONDITION_FAILED,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    ContentTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    BootstrapClosed: HTTPStatus.GONE,
    Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Class of failure → status; a subclass has the status of the nearest class above it."""

DESCRIBED_AT = "/api/v1/openapi.json#/components/x-problems/"
_CHALLENGE = 'Bearer realm="sealwright"'


class RemedyView(msgspec.Struct, frozen=True):
    """What the caller can do next, for programs."""

    action: Action
    name: str = ""
    """Of the object of the action; empty if there is none."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What was refused or failed, why, and what to do next."""

    type: str
    """Where this kind of problem is described."""
    title: str
    status: int
    detail: str
    """Safe to show; names the value that was wrong."""
    code: str
    """The kind of problem, for programs."""
    reasons: tuple[str, ...] = ()
    """The rules that decided, in words."""
    hint: str = ""
    """What to do next."""
    remedy: RemedyView | None = None
    pointer: str = ""
    """Which value is wrong, as a JSON Pointer (RFC 6901) into the body, or by the name of its parameter."""
    ended: SessionEnd | None = None
    """Of a credential that opens nothing any more: why."""
    changed: tuple[str, ...] = ()
    """Members of the object that were changed since the version that If-Match named, as far as its tag tells."""
    request_id: str = ""
    """The id of this request in the server's log."""


def status_of(kind: type[Failure]) -> HTTPStatus:
    """The status for a kind of failure; INTERNAL_SERVER_ERROR if the caller cannot act on it."""
    return next((STATUS[each] for each in kind.__mro__ if each in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)


def answer_failure(request: Request, failure: Exception) -> Response:
    """The response of the API to a failure. An exception that is not a `Failure` reveals only the request id."""
    status = status_of(type(failure)) if isinstance(failure, Failure) else HTTPStatus.INTERNAL_SERVER_ERROR
    if not isinstance(failure, Failure) or status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return _document(
            status,
            "internal_error",
            "Something went wrong in the server.",
            request_id=request.request_id,
            hint=f"The server's log tells more about request {request.request_id}.",
        )
    return _document(
        status,
        failure.code,
        failure.detail,
        reasons=failure.reasons,
        hint=hint_of(failure),
        remedy=None if failure.remedy is None else RemedyView(*failure.remedy),
        pointer=failure.pointer,
        ended=failure.ended if isinstance(failure, SessionNeeded) else None,
        changed=failure.changed if isinstance(failure, ChangedMeanwhile) else (),
        request_id=request.request_id,
        headers=_headers(request, failure),
    )


def _headers(request: Request, failure: Failure) -> tuple[tuple[str, str], ...]:
    if isinstance(failure, ApiAccessRefused) and failure.challenge:
        return (("www-authenticate", failure.challenge), *((("dpop-nonce", failure.nonce),) if failure.nonce else ()))
    if isinstance(failure, NotSignedIn):
        shown = ', error="invalid_token"' if request.bearer() else ""
        nonce = failure.nonce if isinstance(failure, CredentialRefused) else ""
        return (("www-authenticate", f"{_CHALLENGE}{shown}"), *((("dpop-nonce", nonce),) if nonce else ()))
    if isinstance(failure, ChangedMeanwhile) and failure.entity_tag:
        return (("etag", failure.entity_tag),)
    if isinstance(failure, RateLimited | Unavailable):
        return (("retry-after", str(failure.retry_after)),)
    return ()


def _document(status: HTTPStatus, code: str, detail: str, *, headers: tuple[tuple[str, str], ...] = (), **more: Any) -> Response:
    problem = Problem(type=f"{DESCRIBED_AT}{code}", title=status.phrase, status=status.value, detail=detail, code=code, **more)
    content_type = ("content-type", "application/problem+json")
    return Response(status.value, msgspec.json.encode(problem) + b"\n", (content_type, *headers))
