import msgspec
import pytest

from sealwright.errors import (
    Conflict,
    ContentTooLarge,
    Failure,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    NotPermitted,
    RateLimited,
    Refused,
    Unavailable,
)
from sealwright.http import Request
from sealwright.oauth import answer_failure, errors

REQUEST = Request("POST", "/oauth2/token", request_id="r-42")


def test_request_without_a_token_is_told_how_to_prove_it_and_no_error():
    answer = answer_failure(REQUEST, errors.AccessTokenMissing("why"))
    assert (answer.status, answer.body) == (401, b"")
    assert dict(answer.headers)["www-authenticate"] == 'Bearer realm="Sealwright"'


def response_to(failure):
    answer = answer_failure(REQUEST, failure)
    return answer.status, msgspec.json.decode(answer.body), dict(answer.headers)


def make(kind):
    if kind is errors.AuthorizationRefused:
        return kind("access_denied", "why")
    if kind is errors.ScopeMissing:
        return kind("why", scope="openid")
    if issubclass(kind, RateLimited):
        return kind("why", retry_after=7)
    if issubclass(kind, MethodNotAllowed):
        return kind("why", allowed=("POST", "OPTIONS"))
    return kind("why")


def all_below(kind):
    yield kind
    for one in kind.__subclasses__():
        yield from all_below(one)


NO_BODY = {Failure, errors.AccessTokenMissing}
OURS = sorted(
    {kind for kind in all_below(Failure) if kind.__module__ in {"sealwright.oauth.errors", "sealwright.errors"}} - NO_BODY,
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", OURS)
def test_every_failure_is_told_as_the_standard_says(kind):
    status, body, headers = response_to(make(kind))
    assert 400 <= status < 600
    assert set(body) == {"error", "error_description"}
    assert body["error_description"] == "why"
    assert headers["cache-control"] == "no-store"
    assert headers["access-control-allow-origin"] == "*"
    assert ("www-authenticate" in headers) == (status == 401 or kind is errors.ScopeMissing)


TABLE = [
    (errors.MalformedTokenRequest("x"), 400, "invalid_request"),
    (errors.ClientNotAuthenticated("x"), 401, "invalid_client"),
    (errors.GrantRefused("x"), 400, "invalid_grant"),
    (errors.GrantTypeRefused("x"), 400, "unsupported_grant_type"),
    (errors.ScopeRefused("x"), 400, "invalid_scope"),
    (errors.AccessTokenRefused("x"), 401, "invalid_token"),
    (errors.ScopeMissing("x", scope="openid"), 403, "insufficient_scope"),
    (errors.ClientUnknown("x"), 404, "not_found"),
    (InvalidInput("x"), 400, "invalid_request"),
    (NotFound("x"), 404, "not_found"),
    (NotPermitted("x"), 403, "access_denied"),
    (Refused("x"), 400, "invalid_request"),
    (Conflict("x"), 409, "invalid_request"),
    (MethodNotAllowed("x", allowed=("POST",)), 405, "invalid_request"),
    (ContentTooLarge("x"), 413, "invalid_request"),
    (RateLimited("x", retry_after=7), 429, "temporarily_unavailable"),
    (Unavailable("x", retry_after=7), 503, "temporarily_unavailable"),
]


@pytest.mark.parametrize(("failure", "status", "error"), TABLE)
def test_status_and_error(failure, status, error):
    answered, body, headers = response_to(failure)
    assert (answered, body["error"]) == (status, error)
    assert headers.get("retry-after") == ("7" if status in {429, 503} else None)


def test_bug_tells_its_request_id_and_nothing_else():
    status, body, _ = response_to(RuntimeError("secret"))
    assert (status, body["error"]) == (500, "server_error")
    assert "r-42" in body["error_description"]
    assert "secret" not in str(body)


def test_header_cannot_be_split_or_left_by_what_a_client_sent():
    _, body, headers = response_to(errors.AccessTokenRefused('a"b\\c\r\nSet-Cookie: x=ä'))
    assert headers["www-authenticate"].count('"') == 6
    assert not set(headers["www-authenticate"]) & set("\r\n\\")
    assert body["error_description"] == "a'b?c? Set-Cookie: x=?"
