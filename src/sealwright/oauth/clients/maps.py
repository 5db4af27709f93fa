"""What the groups of a person bring at one client: implicit scopes, supplementary scopes, and mapped claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sealwright.access import ALL_ACCOUNTS, Actor
from sealwright.db import Transaction
from sealwright.errors import Action, Remedy
from sealwright.identity import Group
from sealwright.oauth import policy
from sealwright.oauth import store as oauth_store
from sealwright.oauth.clients.registry import ClientRegistry, group_named
from sealwright.oauth.errors import NotRegistered
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.maps import rules, store
from sealwright.oauth.maps.models import ClaimJoin
from sealwright.oauth.models import Client, ClientConfiguration


class ClientMaps:
    """Changes them. Permissions, locks and audit rows are those of every change of a client."""

    def __init__(self, clients: ClientRegistry, directory: PeopleLookup) -> None:
        self._clients = clients
        self._directory = directory

    async def set_implicit_scopes(self, name: str, scopes: Iterable[str], *, actor: Actor) -> ClientConfiguration:
        """Set the scopes that every account may grant, in place of those before; none takes them away."""
        given = tuple(scopes)
        words = policy.require_scope_words(given) if given else ()

        async def work(tx: Transaction, client: Client) -> Mapping[str, Any]:
            if words:
                await oauth_store.put_scope_map(tx, client.id, ALL_ACCOUNTS, words, client.updated_at)
            else:
                await oauth_store.delete_scope_map(tx, client.id, ALL_ACCOUNTS, client.updated_at)
            return {"implicit_scopes": list(words)}

        return await self._clients.change_maps(name, work, actor=actor)

    async def update_supplementary_scope_map(
        self, name: str, group: str, scopes: Iterable[str], *, actor: Actor
    ) -> ClientConfiguration:
        """Set the scopes that members of a group get beside those that the client asks for; replaces the ones before."""
        words = policy.require_scope_words(scopes)
        rules.require_supplementary(words)
        found = await self._group(name, group, actor)

        async def work(tx: Transaction, client: Client) -> Mapping[str, Any]:
            await store.put_supplementary_scopes(tx, client.id, found.id, words)
            return {"supplementary_scope_map": {"group": found.name, "scopes": list(words)}}

        return await self._clients.change_maps(name, work, actor=actor)

    async def delete_supplementary_scope_map(self, name: str, group: str, *, actor: Actor) -> ClientConfiguration:
        """Take a group's supplementary scopes away."""
        found = await self._group(name, group, actor)

        async def work(tx: Transaction, client: Client) -> Mapping[str, Any]:
            if not await store.delete_supplementary_scopes(tx, client.id, found.id):
                raise _not_there(client, f"supplementary scope map for the group {found.name}")
            return {"delete_supplementary_scope_map": {"group": found.name}}

        return await self._clients.change_maps(name, work, actor=actor)

    async def update_claim_map(
        self, name: str, claim: str, group: str, values: Iterable[str], *, actor: Actor
    ) -> ClientConfiguration:
        """Set the values that members of a group have in a claim of this client's tokens; replaces the ones before."""
        rules.require_claim_name(claim)
        words = rules.require_claim_values(values)
        found = await self._group(name, group, actor)

        async def work(tx: Transaction, client: Client) -> Mapping[str, Any]:
            await store.put_claim_values(tx, client.id, claim, found.id, words)
            return {"claim_map": {"claim": claim, "group": found.name, "values": list(words)}}

        return await self._clients.change_maps(name, work, actor=actor)

    async def set_claim_join(self, name: str, claim: str, join: ClaimJoin, *, actor: Actor) -> ClientConfiguration:
        """Set how the values of a mapped claim are written: as an array, or as one text with commas or spaces between them."""

        async def work(tx: Transaction, client: Client) -> Mapping[str, Any]:
            if not await store.put_claim_join(tx, client.id, claim, join):
                raise _not_there(client, f"claim map for {claim[:80]!r}")
            return {"claim_join": {"claim": claim, "join": str(join)}}

        return await self._clients.change_maps(name, work, actor=actor)

    async def delete_claim_map(self, name: str, claim: str, group: str, *, actor: Actor) -> ClientConfiguration:
        """Take a group's values of a claim away."""
        found = await self._group(name, group, actor)

        async def work(tx: Transaction, client: Client) -> Mapping[str, Any]:
            if not await store.delete_claim_values(tx, client.id, claim, found.id):
                raise _not_there(client, f"claim map for {claim[:80]!r} and the group {found.name}")
            return {"delete_claim_map": {"claim": claim, "group": found.name}}

        return await self._clients.change_maps(name, work, actor=actor)

    async def _group(self, client: str, name: str, actor: Actor) -> Group:
        await self._clients.require_may_change(client, actor=actor)  # before a refusal can say anything of groups
        return await group_named(self._directory, name)


def _not_there(client: Client, what: str) -> NotRegistered:
    return NotRegistered(f"{client.name} has no {what}.", remedy=Remedy(Action.SHOW_CLIENT, client.name))
