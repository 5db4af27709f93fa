"""Authorization responses: where their parameters go, and signed ones (JARM)."""

from __future__ import annotations

from typing import Any

from sealwright.clock import after, to_seconds
from sealwright.jose import sign
from sealwright.keys import Custody
from sealwright.oauth import redirects
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.issuers.addresses import issuer_url_of, key_owner_of
from sealwright.oauth.models import Client, FormPostStep, RedirectStep, ResponseMode

Response = RedirectStep | FormPostStep


class AuthorizationResponses:
    """Makes the response to a proven redirect URI."""

    def __init__(self, dependencies: OAuthDependencies, custody: Custody) -> None:
        self._clock = dependencies.clock
        self._origin = dependencies.origin
        self._lasts = dependencies.lifetimes.code
        self._custody = custody

    async def make(self, client: Client, redirect_uri: str, mode: ResponseMode, state: str | None, **parameters: str) -> Response:
        """The response with these parameters, then `state` and `iss` (RFC 9207)."""
        issuer_url = issuer_url_of(self._origin, client)
        sent = {**parameters, **({} if state is None else {"state": state}), "iss": issuer_url}
        if mode.is_signed:
            sent = {"response": await self._signed(client, sent)}
        if mode.is_form_post:
            return FormPostStep(redirect_uri, tuple(sent.items()), client.display_name)
        return RedirectStep(redirects.with_parameters(redirect_uri, sent.items(), fragment=mode.is_fragment))

    async def _signed(self, client: Client, parameters: dict[str, str]) -> str:
        """A response as a JWT (JARM, section 2.1), signed as the client's ID tokens are."""
        key = await self._custody.published(*key_owner_of(client))
        claims: dict[str, Any] = {**parameters, "aud": client.name, "exp": to_seconds(after(self._clock.now(), self._lasts))}
        return sign(key, claims)
