"""A provider says that someone signed out there (OpenID Connect Back-Channel Logout 1.0): their sessions here end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sealwright.access import Actor
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, after, before
from sealwright.db import Database, Transaction
from sealwright.errors import InvalidInput
from sealwright.identity.directory.store import lock_account
from sealwright.identity.policy import printable
from sealwright.identity.sessions import Sessions
from sealwright.identity.upstream import store
from sealwright.identity.upstream.models import UpstreamProvider
from sealwright.jose import (
    JWT,
    LEEWAY,
    TokenRefused,
    UnverifiedToken,
    audiences,
    check_times,
    instant_claim,
    require_text,
    verify,
)
from sealwright.openid_providers import TrustedProviders

LOGOUT_TOKEN = "logout+jwt"  # noqa: S105 - a type; section 2.4, where older providers write JWT or leave it out
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
WINDOW = LEEWAY
"""How old a logout token may be, and how far ahead of our clock."""
USED_KEPT = timedelta(hours=1)
"""Longer than any logout token is accepted."""
ENDED_THERE = "its identity provider ended it"


class LogoutTokenRefused(InvalidInput):
    """A logout token of an identity provider is not accepted. The provider is told no more than that."""

    code = "logout_token_refused"


class BackChannelLogout:
    """Ends sessions by logout tokens. Each token counts once; one that comes again changes nothing."""

    def __init__(self, db: Database, audit: Audit, clock: Clock, sessions: Sessions, providers: TrustedProviders) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._sessions = sessions
        self._providers = providers

    async def receive(self, logout_token: str, address: str) -> None:
        """Check a logout token, and end the sessions that it names.

        Raises LogoutTokenRefused, or Unavailable where the keys or the database cannot be asked now.
        """
        provider_id = "unknown"
        try:
            token = UnverifiedToken(logout_token)
            providers = await self._providers_of(token.claims())
            provider = providers[0]
            provider_id = provider.id
            claims = await self._verified(provider, token)
            self._check(claims)
        except TokenRefused as cause:
            await self._audit.refused(
                self._db,
                Event.OIDC_BACK_CHANNEL_LOGOUT,
                actor=_provider_as_actor(provider_id, "", address),
                target=f"oidc_provider:{provider_id}",
                reason="logout token refused",
                details={"reason": cause.detail, "provider_id": provider_id},
            )
            raise LogoutTokenRefused("The logout token is not accepted.") from cause
        for each in providers:
            await self._end(each, claims, address)

    async def _providers_of(self, unverified: Mapping[str, Any]) -> list[UpstreamProvider]:
        """Those whose issuer has to have signed it and whose client it is for: one provider may be stored more than once."""
        recipients = audiences(unverified)
        of_issuer = [each for each in await store.all_providers(self._db) if each.issuer_url == unverified.get("iss")]
        found = [each for each in of_issuer if each.client_id in recipients]
        if not found:
            raise TokenRefused(
                "The logout token is meant for another client."
                if of_issuer
                else "The logout token is of no provider that is known."
            )
        return found

    async def _verified(self, provider: UpstreamProvider, token: UnverifiedToken) -> Mapping[str, Any]:
        key_id = token.header.get("kid")
        metadata, keys = await self._providers.keys_for(
            provider.issuer_url, key_id if isinstance(key_id, str) else None, kept_at_most=provider.keys_kept_at_most
        )
        stated = token.header.get("typ")
        is_typed = isinstance(stated, str) and stated.lower().removeprefix("application/") == LOGOUT_TOKEN
        return verify(token, keys, typ=LOGOUT_TOKEN if is_typed else JWT, algorithms=metadata.algorithms).claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        """Section 2.6, beside signature, issuer and audience."""
        now = self._clock.now()
        if claims.get("exp") is not None:
            check_times(claims, now, LEEWAY)
        issued = instant_claim(claims, "iat")
        if issued is None or not before(now, WINDOW) <= issued <= after(now, WINDOW):
            raise TokenRefused(f"The logout token was not issued within {int(WINDOW.total_seconds())} seconds (iat).")
        events = claims.get("events")
        if not isinstance(events, Mapping) or not isinstance(events.get(LOGOUT_EVENT), Mapping):
            raise TokenRefused("The token is not a logout token: its events do not name the logout.")
        if "nonce" in claims:
            raise TokenRefused("The logout token holds a nonce, as ID tokens do.")
        require_text(claims, "jti")
        for name in ("sub", "sid"):
            if name in claims:
                require_text(claims, name)
        if "sid" in claims and not printable(claims["sid"]):  # without it, the sessions of everyone would be meant
            raise TokenRefused("The sid of the logout token has no character that can be shown.")
        if "sub" not in claims and "sid" not in claims:
            raise TokenRefused("The logout token names neither a person (sub) nor a session (sid).")

    async def _end(self, provider: UpstreamProvider, claims: Mapping[str, Any], address: str) -> None:
        now = self._clock.now()
        digest = hashlib.sha256(f"{provider.id}\n{claims['jti']}".encode()).digest()
        actor = _provider_as_actor(provider.id, provider.name, address)
        sid, subject = printable(claims.get("sid", "")), claims.get("sub", "")

        async def body(tx: Transaction) -> None:
            details: dict[str, Any] = {"provider_id": provider.id, "named_by": "sid" if sid else "sub"}
            if await store.use_logout_token(tx, digest, after(now, USED_KEPT)):
                details["sessions"] = await self._end_sessions(tx, provider, sid, subject, actor)
            else:
                details["repeated"] = True
            await self._audit.record(
                tx, Event.OIDC_BACK_CHANNEL_LOGOUT, actor=actor, target=f"oidc_provider:{provider.id}", details=details
            )

        await self._db.write(body)

    async def _end_sessions(self, tx: Transaction, provider: UpstreamProvider, sid: str, subject: str, actor: Actor) -> int:
        """End those of the session there, those of the person, or where both are named those of both; returns how many."""
        of_account = await store.linked_account(tx, provider.issuer_url, subject) if subject else ""
        if of_account is None:
            return 0
        now, ended = self._clock.now(), 0
        for session_id, account_id in await store.live_sessions_named(tx, provider.id, sid=sid, account_id=of_account, now=now):
            await lock_account(tx, account_id)
            ended += await self._sessions.end_in(tx, session_id, account_id, ENDED_THERE, actor)
        return ended


def _provider_as_actor(provider_id: str, name: str, address: str) -> Actor:
    return Actor("provider", provider_id, name, address=address)
