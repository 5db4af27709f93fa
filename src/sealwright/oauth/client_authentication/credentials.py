"""What a request says of its client and proves it by (RFC 6749, section 2.3; RFC 7521, section 4.2). Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from sealwright.jose import TokenRefused, UnverifiedToken
from sealwright.oauth.errors import ClientNotAuthenticated, MalformedTokenRequest

JWT_BEARER_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """What a request says of its client. An empty secret counts as none: `step` always sends one."""

    name: str
    secret: str | None = field(default=None, repr=False)
    secret_method: str = ""
    """How the secret was sent: client_secret_basic or client_secret_post."""
    assertion: UnverifiedToken | None = field(default=None, repr=False)
    in_header: bool = False
    """Whether there is an Authorization header, with a secret or without."""


def read_credentials(authorization: str | None, form: Mapping[str, str]) -> PresentedCredentials:
    """The client's name, and secret or assertion, from the one place that gives them; more than one mechanism is refused."""
    name, in_form = form.get("client_id", ""), form.get("client_secret") or None
    if form.get("client_assertion") or form.get("client_assertion_type"):
        if authorization is not None or in_form is not None:
            raise MalformedTokenRequest("The client authenticates by an assertion and by a secret; use one of them.")
        return _read_assertion(form, name)
    if authorization is None:
        if not name:
            raise MalformedTokenRequest("The parameter 'client_id' is missing.")
        return PresentedCredentials(name, in_form, "client_secret_post" if in_form else "")
    name_in_header, in_header = _read_basic(authorization)
    if in_header is not None and in_form is not None:
        raise MalformedTokenRequest("The client authenticates in the Authorization header and in the body; use one of them.")
    if name and name != name_in_header:
        raise MalformedTokenRequest("The Authorization header and the body name different clients.")
    method = "client_secret_basic" if in_header else "client_secret_post" if in_form else ""
    return PresentedCredentials(name_in_header, in_header or in_form, method, in_header=True)


def _read_assertion(form: Mapping[str, str], name: str) -> PresentedCredentials:
    assertion, kind = form.get("client_assertion"), form.get("client_assertion_type")
    if not assertion or not kind:
        missing = "client_assertion_type" if assertion else "client_assertion"
        raise MalformedTokenRequest(f"The parameter {missing!r} is missing.")
    if kind != JWT_BEARER_ASSERTION:
        raise MalformedTokenRequest(f"The client_assertion_type must be {JWT_BEARER_ASSERTION}.")
    try:
        token = UnverifiedToken(assertion)
        subject = token.claims().get("sub")
    except TokenRefused as cause:
        raise MalformedTokenRequest("The client_assertion is not a JWT.") from cause
    if not isinstance(subject, str) or not subject:
        raise ClientNotAuthenticated("The client_assertion has no sub, which is the client_id.")
    if name and name != subject:
        raise MalformedTokenRequest("The client_assertion and client_id name different clients.")
    return PresentedCredentials(subject, assertion=token)


def _read_basic(authorization: str) -> tuple[str, str | None]:
    """Name and secret of a Basic header; both are form-encoded within (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise ClientNotAuthenticated("The Authorization header does not use the Basic scheme.")
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError) as cause:
        raise ClientNotAuthenticated("The Authorization header cannot be read.") from cause
    if not colon:
        raise ClientNotAuthenticated("The Authorization header cannot be read.")
    return unquote_plus(name), unquote_plus(secret) or None
