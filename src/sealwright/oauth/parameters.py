"""Read an authorization request: its parameters, then what they mean once client and redirect URI are proven. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from sealwright.errors import InvalidInput
from sealwright.http import fields_of
from sealwright.oauth import policy
from sealwright.oauth.authorization_details import DetailsMalformed, read_details
from sealwright.oauth.claims_request import read_claims_request
from sealwright.oauth.errors import AuthorizationRefused, UnprovenRequest
from sealwright.oauth.models import AuthorizationRequest, Client, Prompt, ResponseMode

LONGEST_RETURNED_STATE = 16_384
"""Bytes. Longer ones would make an address that no browser is sure to follow."""
LONGEST_NONCE = 1_024
LONGEST_HINT = 256

REQUEST_PARAMETERS = frozenset(
    (
        *("response_type", "client_id", "redirect_uri", "scope", "state", "response_mode", "nonce", "prompt", "max_age"),
        *("login_hint", "id_token_hint", "acr_values", "claims", "code_challenge", "code_challenge_method"),
        *("authorization_details", "dpop_jkt", "registration"),
    )
)
"""Those that a request is read from, beside `resource`; others are ignored (RFC 6749, section 3.1)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SECONDS = re.compile(r"[0-9]{1,9}")
_NOT_SUPPORTED = {
    "request_uri": (
        "request_uri_not_supported",
        "Request objects by reference are not fetched; push the request (RFC 9126), or send it as the parameter request.",
    ),
    "registration": ("registration_not_supported", "Registration within a request is not supported."),
}


class Parameters(Struct, frozen=True):
    """The parameters of a request. An empty value counts as absent (RFC 6749, section 3.1)."""

    values: Mapping[str, str]
    repeated: frozenset[str]
    """Names that were given more than once; `values` holds the first."""
    resources: tuple[str, ...] = ()
    """Each `resource`, which may be given more than once (RFC 8707, section 2)."""

    @classmethod
    def read(cls, text: str) -> Parameters:
        """Parse a query or form; raises UnprovenRequest for what is not URL-encoded UTF-8."""
        try:
            pairs = fields_of(text)
        except InvalidInput as cause:
            raise UnprovenRequest("The application's request cannot be read.", reasons=(cause.detail,)) from cause
        values: dict[str, str] = {}
        repeated: set[str] = set()
        resources = tuple(dict.fromkeys(value for name, value in pairs if name == "resource" and value))
        for name, value in pairs:
            if name == "resource":
                continue
            if name in values:
                repeated.add(name)
            values.setdefault(name, value)
        return cls({name: value for name, value in values.items() if value}, frozenset(repeated), resources)

    def single(self, name: str) -> str | None:
        """The value, where the parameter is given exactly once."""
        return None if name in self.repeated else self.values.get(name)


def written(value: Any) -> str:
    """The value of a parameter that came in JSON, as a query has it: texts as they are, all others as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def response_mode_of(parameters: Parameters) -> ResponseMode:
    """Where the response goes; an error about the mode itself goes to the query."""
    asked = parameters.single("response_mode")
    return ResponseMode(asked) if asked in set(ResponseMode) else ResponseMode.QUERY


def state_of(parameters: Parameters) -> str | None:
    """The `state` to send back, also with an error (RFC 6749, section 4.1.2.1); raises UnprovenRequest where it is too long."""
    state = parameters.single("state")
    if state is not None and len(state.encode()) > LONGEST_RETURNED_STATE:
        raise UnprovenRequest(
            f"The application's request has a state of {len(state.encode())} bytes.",
            reasons=(f"a state goes back with every response, so it may have at most {LONGEST_RETURNED_STATE} bytes",),
            hint="Tell the people who run the application.",
        )
    return state


def read_request(
    parameters: Parameters,
    client: Client,
    redirect_uri: str,
    hinted_subject: str | None,
    *,
    pushed: bytes | None = None,
    leads_to_code: bool = True,
) -> AuthorizationRequest:
    """What a request with proven client and redirect URI asks for; raises AuthorizationRefused.

    `leads_to_code`: false for a device, which has no redirect URI and no code to prove.
    """
    _require_clean(parameters)
    _require_response_type(parameters)
    for name, (error, text) in _NOT_SUPPORTED.items():
        if name in parameters.values:
            raise AuthorizationRefused(error, text)
    claims = read_claims_request(parameters.values.get("claims"), parameters.values.get("acr_values"))
    if None not in (hinted_subject, claims.subject) and hinted_subject != claims.subject:
        raise _malformed("The id_token_hint and the parameter 'claims' name different people.")
    return AuthorizationRequest(
        client_id=client.id,
        redirect_uri=redirect_uri,
        scopes=_scopes(parameters),
        response_mode=response_mode_of(parameters),
        state=state_of(parameters),
        nonce=parameters.values.get("nonce"),
        code_challenge=_challenge(parameters, client) if leads_to_code else None,
        prompts=_prompts(parameters),
        max_age=_max_age(parameters),
        login_hint=parameters.values.get("login_hint", "")[:LONGEST_HINT],
        hinted_subject=hinted_subject or claims.subject,
        claims=claims,
        resources=_resources(parameters, client),
        authorization_details=_details(parameters, client),
        pushed=pushed,
        dpop_jkt=_dpop_jkt(parameters),
    )


def _require_clean(parameters: Parameters) -> None:
    if parameters.repeated:
        raise _malformed(f"The parameter {min(parameters.repeated)[:64]!r} is given more than once.")
    for name in ("state", "nonce", "scope", "login_hint", "prompt"):
        if _CONTROL.search(parameters.values.get(name, "")):
            raise _malformed(f"The parameter {name!r} holds a control character.")
    if len(parameters.values.get("nonce", "").encode()) > LONGEST_NONCE:
        raise _malformed(f"The nonce is longer than {LONGEST_NONCE} bytes.")


def _require_response_type(parameters: Parameters) -> None:
    response_type = parameters.values.get("response_type")
    if response_type is None:
        raise _malformed("The parameter 'response_type' is missing.")
    if response_type != "code":
        raise AuthorizationRefused(
            "unsupported_response_type", f"The response_type {response_type[:64]} is not supported; use code."
        )
    mode = parameters.values.get("response_mode")
    if mode is not None and mode not in set(ResponseMode):
        raise _malformed(f"The response_mode {mode[:64]} is not supported; use query, fragment or form_post.")


def _scopes(parameters: Parameters) -> tuple[str, ...]:
    scopes = policy.scopes_of(parameters.values.get("scope", ""))
    if scopes is None:
        raise AuthorizationRefused("invalid_scope", "The scope holds a character that no scope has, or too many words.")
    if not scopes:
        raise AuthorizationRefused("invalid_scope", "The request asks for no scope.")
    if policy.PROTOCOL_SCOPES.issuperset(scopes):
        raise AuthorizationRefused("invalid_scope", f"The scope {scopes[0]} tells nothing by itself; ask for openid as well.")
    return scopes


def _challenge(parameters: Parameters, client: Client) -> str | None:
    challenge = parameters.values.get("code_challenge")
    method = parameters.values.get("code_challenge_method")
    if challenge is None:
        if client.require_pkce or client.is_public:
            raise _malformed(f"The parameter 'code_challenge' is missing. {_how_to_use_pkce(client)}")
        if method is not None:
            raise _malformed("A code_challenge_method is given without a code_challenge.")
        return None
    if method != "S256":
        raise _malformed(f"The code_challenge_method {(method or 'plain')[:64]} is not supported; use S256.")
    if not policy.is_challenge(challenge):
        raise _malformed("The code_challenge is not the base64url text of a SHA-256 digest.")
    return challenge


def _dpop_jkt(parameters: Parameters) -> str | None:
    thumbprint = parameters.values.get("dpop_jkt")
    if thumbprint is not None and not policy.is_challenge(thumbprint):  # a digest of the same length, written in the same way
        raise _malformed("The dpop_jkt is not the base64url text of a SHA-256 thumbprint.")
    return thumbprint


def _how_to_use_pkce(client: Client) -> str:
    switch_on = "Switch on PKCE with S256 in the application"
    if client.is_public:
        return f"{switch_on}; a client without a secret cannot do without it."
    off = f"sealwright system oauth2 warning-insecure-client-disable-pkce {client.name}"
    return f"{switch_on}, or let it do without here: {off}"


def _prompts(parameters: Parameters) -> frozenset[Prompt]:
    words = parameters.values.get("prompt", "").split()
    unknown = [word for word in words if word not in set(Prompt)]
    if unknown:
        raise _malformed(f"The prompt {unknown[0][:64]} is not known.")
    prompts = frozenset(Prompt(word) for word in words)
    if Prompt.NONE in prompts and len(prompts) > 1:
        raise _malformed("The prompt none goes with no other.")
    return prompts


def _max_age(parameters: Parameters) -> int | None:
    text = parameters.values.get("max_age")
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise _malformed("The max_age is not a number of seconds.")
    return int(text)


def _resources(parameters: Parameters, client: Client) -> tuple[str, ...]:
    refused = policy.refused_resource(client, parameters.resources)
    if refused:
        raise AuthorizationRefused("invalid_target", refused)
    return parameters.resources


def _details(parameters: Parameters, client: Client) -> tuple[dict[str, Any], ...]:
    try:
        return read_details(parameters.values.get("authorization_details"), client)
    except DetailsMalformed as cause:
        raise AuthorizationRefused("invalid_authorization_details", str(cause)) from cause


def _malformed(detail: str) -> AuthorizationRefused:
    return AuthorizationRefused("invalid_request", detail)
