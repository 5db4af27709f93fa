"""Refresh tokens: each is used once and followed by another (RFC 6749, section 6; RFC 9700, section 4.14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sealwright.access import Actor
from sealwright.clock import after, before
from sealwright.db import Transaction
from sealwright.identity import Group
from sealwright.oauth import policy, store
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import FamilyOver, GrantRefused, ScopeRefused
from sealwright.oauth.families import Families, Holder
from sealwright.oauth.foundation import Foundation
from sealwright.oauth.grants import store as presented
from sealwright.oauth.grants.granted import Fit, Granted, draw, require_parameter
from sealwright.oauth.grants.redemptions import Redemption, Redemptions, entry_of
from sealwright.oauth.grants.successors import open_successor, seal_successor
from sealwright.oauth.models import Client, Family, RefreshToken
from sealwright.oauth.people import People

GRANT_TYPE = "refresh_token"
_AGAIN = "a refresh token was used again"
_UNKNOWN = "The refresh token is unknown, expired, used, revoked, or was made for another client."


class RefreshTokenGrant:
    """Authority is asked anew at every refresh: the session, the person's standing, and their groups as they are now."""

    def __init__(self, foundation: Foundation, families: Families, people: People) -> None:
        self._db = foundation.db
        self._clock = foundation.clock
        self._entropy = foundation.entropy
        self._audit = foundation.audit
        self._families = families
        self._people = people
        self._redemptions = Redemptions(
            foundation, families, presented.consume_refresh_tokens, grant_type=GRANT_TYPE, used_again=_AGAIN
        )

    async def redeem(self, client: Client, form: Mapping[str, str], actor: Actor, fit: Fit) -> Granted:
        """Use the refresh token up. One that was used before revokes its family: somebody holds a copy.

        Within the client's grace it is answered with the same successor instead, as long as that is unused: parallel requests
        and lost answers are more likely then than a thief.
        """
        used = require_parameter(form, "refresh_token")
        stored = await self._stored(used, client)
        if stored.consumed_at is None and stored.expires_at <= self._clock.now():
            raise GrantRefused(_UNKNOWN)
        if stored.consumed_at is not None and not self._is_soon_after(stored, client):
            await self._families.refuse(stored.family, client, _AGAIN, actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        holder = await self._holder(stored.family, client, actor)
        groups = await self._people.groups_of(stored.family.account_id)
        scopes = await self._scopes(stored.family, client, groups, form.get("scope") or None, actor)
        granted = await fit(draw(self._entropy, stored.family, holder, scopes, groups=groups))
        if stored.consumed_at is None:
            sealed = seal_successor(used, granted.refresh_token, self._entropy) if client.refresh_grace else None
            if await self._redemptions.redeem(Redemption(digest_of(used), granted, client, actor, sealed)):
                return granted
            if sealed is None:
                raise GrantRefused(_UNKNOWN)
            stored = await self._stored(used, client)  # somebody else was faster
        return await self._again(used, stored, Redemption(digest_of(used), granted, client, actor))

    async def _stored(self, used: str, client: Client) -> RefreshToken:
        stored = await presented.refresh_token(self._db, digest_of(used))
        if stored is None or stored.family.client_id != client.id:
            raise GrantRefused(_UNKNOWN)
        return stored

    def _is_soon_after(self, stored: RefreshToken, client: Client) -> bool:
        used_at = stored.consumed_at
        return used_at is not None and after(used_at, client.refresh_grace) > self._clock.now()

    async def _again(self, used: str, stored: RefreshToken, redemption: Redemption) -> Granted:
        """Tell the same successor once more, with fresh tokens beside it; where that may not be, the family ends."""
        client, now = redemption.client, self._clock.now()
        if stored.sealed_successor is None or not self._is_soon_after(stored, client):
            await self._families.refuse(stored.family, client, _AGAIN, redemption.actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        successor = open_successor(used, stored.sealed_successor, self._entropy)
        same = redemption._replace(granted=replace(redemption.granted, refresh_token=successor))

        async def body(tx: Transaction) -> bool:
            since = before(now, client.refresh_grace)
            if not await presented.may_repeat(tx, same.digest, digest_of(successor), after=since, now=now):
                return False
            await self._audit.record_all(tx, [entry_of(same, GRANT_TYPE, told_again=True)])
            return True

        if not await self._db.write(body):
            await self._families.refuse(stored.family, client, _AGAIN, redemption.actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        return same.granted

    async def _holder(self, family: Family, client: Client, actor: Actor) -> Holder:
        try:
            return await self._families.holder_of(family)
        except FamilyOver as over:
            await self._families.refuse(family, client, over.detail, actor)
            raise GrantRefused(over.detail) from over

    async def _scopes(
        self, family: Family, client: Client, groups: tuple[Group, ...], asked: str | None, actor: Actor
    ) -> tuple[str, ...]:
        """The scopes of this refresh: those asked for, else all of the family, and never one that is no longer granted."""
        group_ids = {group.id for group in groups}
        reached = policy.scopes_reached(await store.scopes_by_group(self._db, client.id), group_ids)
        still = policy.still_granted(family.scope, reached)
        if not still:
            reasons = policy.decide_scopes(family.scope, await store.scope_maps(self._db, client.id), group_ids).reasons
            await self._families.refuse(family, client, "; ".join(reasons), actor)
            raise GrantRefused("The person may not grant any of the scopes any more.", reasons=reasons)
        if asked is None:
            return still
        scopes = policy.scopes_of(asked)
        if not scopes:
            raise ScopeRefused("The scope is malformed.")
        beyond = [scope for scope in scopes if scope not in still]
        if beyond:
            raise ScopeRefused(f"The scope {' '.join(beyond)[:200]} was not granted, or is not any more.")
        return scopes
