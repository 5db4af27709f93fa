"""Refresh tokens: each is used once and followed by another (RFC 6749, section 6; RFC 9700, section 4.14)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sealwright.access import Actor
from sealwright.client_metadata import ClientKind
from sealwright.clock import after, before
from sealwright.db import Transaction
from sealwright.entropy import token
from sealwright.identity import Group
from sealwright.oauth import policy, store
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import AuthorizationEnded, GrantRefused, ScopeRefused
from sealwright.oauth.grants import store as token_store
from sealwright.oauth.grants.grant import GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult, new_grant
from sealwright.oauth.grants.redemptions import Redemption, Redemptions, audit_entry
from sealwright.oauth.grants.successors import open_successor, seal_successor
from sealwright.oauth.models import Client, RefreshToken, TokenFamily
from sealwright.oauth.token_families import FamilyHolder
from sealwright.oauth.token_request import TokenRequest

_AGAIN = "a refresh token was used again"
_UNKNOWN = "The refresh token is unknown, expired, used, revoked, or was made for another client."


class RefreshTokenGrant:
    """Authority is asked anew at every refresh: the session, the person's status, and their groups as they are now."""

    grant_type: ClassVar[str] = "refresh_token"
    standard: ClassVar[str] = "RFC 6749, section 6"
    open_to: ClassVar[frozenset[ClientKind]] = frozenset(ClientKind)

    def __init__(self, dependencies: GrantDependencies) -> None:
        self._db = dependencies.oauth.db
        self._clock = dependencies.oauth.clock
        self._entropy = dependencies.oauth.entropy
        self._audit = dependencies.oauth.audit
        self._families = dependencies.families
        self._directory = dependencies.directory
        self._redemptions = Redemptions(
            dependencies, token_store.consume_refresh_tokens, grant_type=self.grant_type, used_again=_AGAIN
        )

    async def redeem(self, client: Client, request: TokenRequest, actor: Actor, complete: CompleteGrant) -> GrantResult:
        """Use the refresh token up. One that was used before revokes its family: someone holds a copy.

        Within the client's grace it gets the same successor once more, as long as that is unused: parallel requests and lost
        responses are more likely then than a thief.
        """
        used = request.required("refresh_token")
        stored = await self._stored(used, client)
        if stored.consumed_at is None and stored.expires_at <= self._clock.now():
            raise GrantRefused(_UNKNOWN)
        if stored.consumed_at is not None and not self._is_soon_after(stored, client):
            await self._families.refuse(stored.family, client, _AGAIN, actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        await self._require_same_key(stored, client, request, actor)
        holder = await self._holder(stored.family, client, actor)
        groups = await self._directory.groups_of(holder.account.id)
        scopes = await self._scopes(stored.family, client, groups, request.optional("scope"), actor)
        following = token(self._entropy)
        result = await complete(
            new_grant(self._entropy, stored.family, holder, scopes, following, groups=groups, confirmation=request.confirmation)
        )
        if stored.consumed_at is None:
            sealed = seal_successor(used, following, self._entropy) if client.refresh_grace else None
            if await self._redemptions.redeem(Redemption(digest_of(used), result, following, client, actor, sealed)):
                return result
            if sealed is None:
                raise GrantRefused(_UNKNOWN)
            stored = await self._stored(used, client)  # someone else was faster
        return await self._again(used, stored, Redemption(digest_of(used), result, following, client, actor))

    async def _stored(self, used: str, client: Client) -> RefreshToken:
        stored = await token_store.refresh_token(self._db, digest_of(used))
        if stored is None or stored.family.client_id != client.id:
            raise GrantRefused(_UNKNOWN)
        return stored

    async def _require_same_key(self, stored: RefreshToken, client: Client, request: TokenRequest, actor: Actor) -> None:
        """A public client proves itself by the key that its refresh token is bound to (RFC 8705, section 4)."""
        shown = None if request.confirmation is None else request.confirmation.text
        if stored.bound_to is None or stored.bound_to == shown:
            return
        await self._families.refuse(stored.family, client, "the refresh token is bound to another key or certificate", actor)
        raise GrantRefused(_UNKNOWN)

    def _is_soon_after(self, stored: RefreshToken, client: Client) -> bool:
        used_at = stored.consumed_at
        return used_at is not None and after(used_at, client.refresh_grace) > self._clock.now()

    async def _again(self, used: str, stored: RefreshToken, redemption: Redemption) -> GrantResult:
        """Send the same successor once more, with new tokens; where that is not allowed, revoke the family."""
        client, now = redemption.client, self._clock.now()
        if stored.sealed_successor is None or not self._is_soon_after(stored, client):
            await self._families.refuse(stored.family, client, _AGAIN, redemption.actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        successor = open_successor(used, stored.sealed_successor, self._entropy)
        same = redemption._replace(result=replace(redemption.result, refresh_token=successor))

        async def body(tx: Transaction) -> bool:
            since = before(now, client.refresh_grace)
            if not await token_store.may_repeat(tx, same.digest, digest_of(successor), after=since, now=now):
                return False
            await self._audit.record_all(tx, [audit_entry(same.result, client, same.actor, self.grant_type, repeated=True)])
            return True

        if not await self._db.write(body):
            await self._families.refuse(stored.family, client, _AGAIN, redemption.actor, revoke=True)
            raise GrantRefused(_UNKNOWN)
        return same.result

    async def _holder(self, family: TokenFamily, client: Client, actor: Actor) -> FamilyHolder:
        try:
            holder = await self._families.holder_of(family)
        except AuthorizationEnded as over:
            await self._families.refuse(family, client, over.detail, actor)
            raise GrantRefused(over.detail) from over
        if holder is None:  # an authorization without a person has no refresh token
            raise GrantRefused(_UNKNOWN)
        return holder

    async def _scopes(
        self, family: TokenFamily, client: Client, groups: tuple[Group, ...], asked: str | None, actor: Actor
    ) -> tuple[str, ...]:
        """The scopes of this refresh: those asked for, else all of the family, and never one that is no longer granted."""
        group_ids = {group.id for group in groups}
        reached = policy.available_scopes(await store.held_scopes_by_group(self._db, client.id), group_ids)
        still = policy.still_granted(family.scope, reached)
        if not still:
            reasons = policy.decide_scopes(family.scope, await store.scope_maps(self._db, client.id), group_ids).reasons
            await self._families.refuse(
                family, client, "the person may not grant any of the scopes any more", actor, detail="; ".join(reasons)
            )
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
