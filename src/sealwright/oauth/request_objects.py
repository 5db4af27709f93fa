"""Request objects: authorization requests that the client has signed (RFC 9101; OpenID Connect Core, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sealwright.client_metadata import FAPI_ALGORITHMS
from sealwright.jose import (
    ALGORITHMS,
    JWT,
    LONGEST_TOKEN,
    TokenRefused,
    UnverifiedToken,
    VerificationKeys,
    audiences,
    check_times,
    verify,
)
from sealwright.oauth.client_authentication.errors import NotProven
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AuthorizationRefused
from sealwright.oauth.issuers.addresses import issuer_url_of
from sealwright.oauth.models import Client
from sealwright.oauth.parameters import Parameters, written

REQUEST_OBJECT = "oauth-authz-req+jwt"
_OF_THE_TOKEN = frozenset({"iss", "aud", "sub", "exp", "iat", "nbf", "jti"})

_LEEWAY = timedelta(seconds=30)
"""How far the clock of a client may differ (FAPI 2.0 Security Profile: 10 seconds at least, 60 at most)."""
_NEVER = 1 << 37
"""Seconds: the `exp` of one that gives none, which is optional (section 4)."""


class RequestObjects:
    """Opens request objects with the keys of the client."""

    def __init__(self, dependencies: OAuthDependencies, key_sets: ClientKeySets) -> None:
        self._key_sets = key_sets
        self._clock = dependencies.clock
        self._origin = dependencies.origin

    async def open(self, text: str, client: Client) -> Parameters:
        """The parameters in a request object, which alone count (RFC 9101, section 6.3); raises AuthorizationRefused."""
        if len(text) > LONGEST_TOKEN:
            raise _refused(f"it has {len(text)} characters, and at most {LONGEST_TOKEN} are read")
        try:
            read = UnverifiedToken(text)
            claims = self._verified(read, client, await self._key_sets.keys(client, read.header.get("kid")))
        except TokenRefused as cause:
            raise _refused(f"it is not valid: {cause.detail}") from cause
        except NotProven as cause:
            command = f"sealwright system oauth2 set-authentication {client.name} registers keys"
            raise _refused(f"{cause.detail}; {command}") from cause
        return _parameters(claims, client)

    def _verified(self, read: UnverifiedToken, client: Client, keys: VerificationKeys) -> Mapping[str, Any]:
        typ = REQUEST_OBJECT if str(read.header.get("typ", "")).lower().endswith(REQUEST_OBJECT) else JWT
        claims = verify(read, keys, typ=typ, algorithms=FAPI_ALGORITHMS if client.is_fapi else ALGORITHMS).claims
        if claims.get("iss", client.name) != client.name or claims.get("client_id", client.name) != client.name:
            raise _refused("its iss or client_id is another client")
        if "aud" in claims and issuer_url_of(self._origin, client) not in audiences(claims):
            raise _refused(f"its aud is not {issuer_url_of(self._origin, client)}")
        if "exp" in claims or "nbf" in claims:
            check_times({"exp": _NEVER, **claims}, self._clock.now(), _LEEWAY)
        return claims


def _parameters(claims: Mapping[str, Any], client: Client) -> Parameters:
    if "request" in claims or "request_uri" in claims:
        raise _refused("it holds another request object (RFC 9101, section 4)")
    resources = claims.get("resource", [])
    resources = [resources] if isinstance(resources, str) else resources
    if not isinstance(resources, list) or not all(isinstance(each, str) for each in resources):
        raise _refused("its resource is neither a text nor a list of texts")
    values = {
        name: written(value)
        for name, value in claims.items()
        if name not in _OF_THE_TOKEN and name != "resource" and value not in (None, "")
    }
    return Parameters(values | {"client_id": client.name}, frozenset(), tuple(resources))


def _refused(why: str) -> AuthorizationRefused:
    return AuthorizationRefused("invalid_request_object", f"The request object is refused: {why}.")
