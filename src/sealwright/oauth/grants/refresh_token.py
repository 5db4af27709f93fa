"""Refresh tokens: each is used once and followed by another (RFC 6749, section 6; RFC 9700, section 4.14)."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.access import Actor
from sealwright.db import Transaction
from sealwright.oauth import policy, store
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import FamilyOver, GrantRefused, ScopeRefused
from sealwright.oauth.families import Families, Holder
from sealwright.oauth.foundation import Foundation
from sealwright.oauth.grants.granted import Granted, draw, record, require_parameter
from sealwright.oauth.models import Client, Family
from sealwright.oauth.people import People

GRANT_TYPE = "refresh_token"
_AGAIN = "a refresh token was used again"
_UNKNOWN = "The refresh token is unknown, expired, used, revoked, or was made for another client."


class RefreshTokenGrant:
    """Authority is asked anew at every refresh: the session, the person's standing, and their groups as they are now."""

    def __init__(self, foundation: Foundation, families: Families, people: People) -> None:
        self._foundation = foundation
        self._db = foundation.db
        self._families = families
        self._people = people

    async def redeem(self, client: Client, form: Mapping[str, str], actor: Actor) -> Granted:
        """Use the refresh token up. One that was used before revokes its family: somebody holds a copy."""
        digest = digest_of(require_parameter(form, "refresh_token"))
        stored = await store.refresh_token(self._db, digest)
        if stored is None or stored.family.client_id != client.id:
            raise GrantRefused(_UNKNOWN)
        family = stored.family
        if stored.consumed_at is not None:
            await self._families.refuse(family, client, _AGAIN, actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        now = self._foundation.clock.now()
        if stored.expires_at <= now:
            raise GrantRefused(_UNKNOWN)
        holder = await self._holder(family, client, actor)
        scopes = await self._scopes(family, client, form.get("scope") or None, actor)
        granted = draw(self._foundation.entropy, family, holder, scopes)

        async def body(tx: Transaction) -> bool:
            if not await store.consume_refresh_token(tx, digest, now):
                await self._families.revoke(tx, family, client, _AGAIN, actor)
                return False
            await record(tx, granted, client, GRANT_TYPE, actor=actor, audit=self._foundation.audit, clock=self._foundation.clock)
            return True

        if not await self._db.write(body):
            raise GrantRefused(_UNKNOWN)
        return granted

    async def _holder(self, family: Family, client: Client, actor: Actor) -> Holder:
        try:
            return await self._families.holder_of(family)
        except FamilyOver as over:
            await self._families.refuse(family, client, over.detail, actor)
            raise GrantRefused(over.detail) from over

    async def _scopes(self, family: Family, client: Client, asked: str | None, actor: Actor) -> tuple[str, ...]:
        """The scopes of this refresh: those asked for, else all of the family, and never one that is no longer granted."""
        groups = await self._people.groups_of(family.account_id)
        maps = await store.scope_maps(self._db, client.id)
        still = policy.decide_scopes(family.scope, maps, {group.id for group in groups})
        if not still.granted:
            await self._families.refuse(family, client, "; ".join(still.reasons), actor)
            raise GrantRefused("The person may not grant any of the scopes any more.", reasons=still.reasons)
        if asked is None:
            return still.granted
        scopes = policy.scopes_of(asked)
        if not scopes:
            raise ScopeRefused("The scope is malformed.")
        beyond = [scope for scope in scopes if scope not in still.granted]
        if beyond:
            raise ScopeRefused(f"The scope {' '.join(beyond)[:200]} was not granted, or is not any more.")
        return scopes
