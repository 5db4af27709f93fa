"""Refresh tokens: each is used once and followed by another (RFC 6749, section 6; RFC 9700, section 4.14)."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.access import Actor
from sealwright.identity import Group
from sealwright.oauth import policy, store
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import FamilyOver, GrantRefused, ScopeRefused
from sealwright.oauth.families import Families, Holder
from sealwright.oauth.foundation import Foundation
from sealwright.oauth.grants import store as presented
from sealwright.oauth.grants.granted import Granted, draw, require_parameter
from sealwright.oauth.grants.redemptions import Redemption, Redemptions
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
        self._redemptions = Redemptions(
            foundation, families, presented.consume_refresh_tokens, grant_type=GRANT_TYPE, used_again=_AGAIN
        )

    async def redeem(self, client: Client, form: Mapping[str, str], actor: Actor) -> Granted:
        """Use the refresh token up. One that was used before revokes its family: somebody holds a copy."""
        digest = digest_of(require_parameter(form, "refresh_token"))
        stored = await presented.refresh_token(self._db, digest)
        if stored is None or stored.family.client_id != client.id:
            raise GrantRefused(_UNKNOWN)
        family = stored.family
        if stored.consumed_at is not None:
            await self._families.refuse(family, client, _AGAIN, actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        if stored.expires_at <= self._foundation.clock.now():
            raise GrantRefused(_UNKNOWN)
        holder = await self._holder(family, client, actor)
        groups = await self._people.groups_of(family.account_id)
        scopes = await self._scopes(family, client, groups, form.get("scope") or None, actor)
        granted = draw(self._foundation.entropy, family, holder, scopes, groups=groups)
        if not await self._redemptions.redeem(Redemption(digest, granted, client, actor)):
            raise GrantRefused(_UNKNOWN)
        return granted

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
        still = tuple(scope for scope in family.scope if scope in reached)
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
