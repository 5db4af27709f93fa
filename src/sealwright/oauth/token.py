"""The token endpoint: who asks, by which grant, and the tokens that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

from sealwright.access import Actor
from sealwright.ip import network_of
from sealwright.jose import ACCESS_TOKEN, TokenTooLong, require_room, sign
from sealwright.keys import Custody, Purpose, SigningKey
from sealwright.oauth import claims
from sealwright.oauth.client_auth import ClientAuthentication
from sealwright.oauth.discovery import issuer_url_of
from sealwright.oauth.errors import GrantTypeRefused, ScopeRefused, TokenRequestRefused
from sealwright.oauth.families import Families
from sealwright.oauth.foundation import Foundation
from sealwright.oauth.grants import AuthorizationCodeGrant, Granted, RefreshTokenGrant
from sealwright.oauth.grants.granted import Fit, require_parameter
from sealwright.oauth.models import Client
from sealwright.oauth.people import People


class Grant(Protocol):
    """One grant type."""

    async def redeem(self, client: Client, form: Mapping[str, str], actor: Actor, fit: Fit) -> Granted:
        """Use up what the client presents, once `fit` took what it is good for; raises TokenRequestRefused."""
        ...


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A successful answer (RFC 6749, section 5.1)."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str
    refresh_token: str = field(repr=False)
    id_token: str | None = field(repr=False)

    def members(self) -> dict[str, Any]:
        """The members of the JSON answer."""
        answer: dict[str, Any] = {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": self.scope,
            "refresh_token": self.refresh_token,
        }
        if self.id_token is not None:
            answer["id_token"] = self.id_token
        return answer


class Tokens:
    """Makes tokens for every grant type."""

    def __init__(self, foundation: Foundation, *, families: Families, people: People, custody: Custody) -> None:
        self._clock = foundation.clock
        self._origin = foundation.origin
        self._lifetimes = foundation.lifetimes
        self._people = people
        self._custody = custody
        self._clients = ClientAuthentication(foundation)
        self._failures = foundation.budgets.token_failures_by_client
        self._grants: Mapping[str, Grant] = {
            "authorization_code": AuthorizationCodeGrant(foundation, families),
            "refresh_token": RefreshTokenGrant(foundation, families, people),
        }

    async def answer(self, authorization: str | None, form: Mapping[str, str], address: str) -> TokenAnswer:
        """Answer one token request: its Authorization header, its form, and the address it came from."""
        client = await self._clients.authenticate(authorization, form, address)
        grant_type = require_parameter(form, "grant_type")
        grant = self._grants.get(grant_type)
        if grant is None:
            raise GrantTypeRefused(f"The grant_type {grant_type[:64]} is not supported.")
        key = await self._custody.published(Purpose.OAUTH_CLIENT, client.id)  # before anything is used up
        actor = Actor("client", client.id, client.name, address=address)

        async def fit(granted: Granted) -> Granted:
            return await self._fit(key, client, granted)

        try:
            granted = await grant.redeem(client, form, actor, fit)
        except TokenRequestRefused:
            self._failures.spend(client.name, network_of(address))
            raise
        return self._mint(key, client, granted)

    async def _fit(self, key: SigningKey, client: Client, granted: Granted) -> Granted:
        """With the groups that the ID token tells; raises ScopeRefused where it would be longer than is read."""
        if "openid" not in granted.scopes:
            return granted
        if granted.groups is None and "groups" in granted.scopes:
            granted = replace(granted, groups=await self._people.groups_of(granted.family.account_id))
        try:
            require_room(key, self._id_token_claims(self._occasion(client, granted), granted, access_token=""))
        except TokenTooLong as cause:
            raise ScopeRefused(
                f"The ID token would be too long: {cause.detail} The person is in too many groups for the scope groups."
            ) from cause
        return granted

    def _mint(self, key: SigningKey, client: Client, granted: Granted) -> TokenAnswer:
        occasion = self._occasion(client, granted)
        lifetime = self._lifetimes.access_token
        access_token = sign(
            key,
            claims.access_token_claims(occasion, granted.scopes, lifetime, granted.access_token_id),
            type=ACCESS_TOKEN,
        )
        id_token = None
        if "openid" in granted.scopes:
            id_token = sign(key, self._id_token_claims(occasion, granted, access_token=access_token))
        return TokenAnswer(
            access_token, lifetime // timedelta(seconds=1), " ".join(granted.scopes), granted.refresh_token, id_token
        )

    def _occasion(self, client: Client, granted: Granted) -> claims.Occasion:
        issuer_url = issuer_url_of(self._origin, client.name)
        methods = granted.holder.session.methods
        return claims.Occasion(issuer_url, client, granted.family, methods, self._clock.now(), granted.nonce)

    def _id_token_claims(self, occasion: claims.Occasion, granted: Granted, *, access_token: str) -> dict[str, Any]:
        account = granted.holder.account
        subject = claims.Subject(account, granted.groups or (), self._people.spn_of(account))
        lifetime = self._lifetimes.id_token
        return claims.id_token_claims(occasion, subject, granted.scopes, lifetime, granted.id_token_id, access_token)
