"""What the tokens of a client name: its `client_id` and its issuer. Where one of them changes, all of its tokens end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from sealwright.access import Actor, NamedAuthority
from sealwright.audit import Event
from sealwright.client_metadata import is_client_name, require_client_name
from sealwright.db import Database, DuplicateRow, Transaction
from sealwright.errors import Action, Remedy
from sealwright.keys import NewKey
from sealwright.oauth import store as oauth_store
from sealwright.oauth.clients import lookup, store
from sealwright.oauth.clients.guarded_changes import ClientChanges
from sealwright.oauth.clients.keys import ClientKeys
from sealwright.oauth.clients.recorded_refusals import recorded_refusals
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import ClientExists, ClientInUse, IssuerUnknown
from sealwright.oauth.issuers import store as issuer_store
from sealwright.oauth.issuers.models import SharedIssuer
from sealwright.oauth.models import Client, ClientConfiguration
from sealwright.oauth.recycle_bin.clients import require_not_in_bin

Trusting = Callable[[str, Database | Transaction], Awaitable[Sequence[NamedAuthority]]]
Configuration = Callable[[str], Awaitable[ClientConfiguration]]


class NamesAndIssuers:
    """Renames clients, and puts them on issuers."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        keys: ClientKeys,
        *,
        changes: ClientChanges,
        trusting: Trusting,
        configuration: Configuration,
    ) -> None:
        """`trusting`: what trusts a name."""
        self._dependencies = dependencies
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._keys = keys
        self._changes = changes
        self._trusting = trusting
        self._configuration = configuration

    async def rename(self, name: str, new_name: str, *, even_if_used: bool = False, actor: Actor) -> ClientConfiguration:
        """Give a client another `client_id`. All of its tokens end, because they name the one that is no more.

        A client that a provisioner trusts is renamed only with `even_if_used`.
        """
        client = await self._changes.to_change(name, actor)
        require_client_name(new_name)
        await self._require_unused(client, Action.RENAME_CLIENT_IN_USE, even_if_used=even_if_used)

        async def body(tx: Transaction) -> None:
            now = self._clock.now()
            found = await lookup.locked(tx, client)
            for each in (found.name, new_name):
                await self._changes.require_over(tx, each, actor, f"rename the client {found.name} to {new_name}")
            await require_not_in_bin(tx, new_name)
            await store.update_client(tx, replace(found, name=new_name), now)
            ended = await oauth_store.revoke_families_of_client(tx, client.id, "the client was renamed", now)
            details = {"name": client.name, "new_name": new_name, "families_revoked": ended}
            await self._record(tx, Event.CLIENT_RENAMED, client, details, actor)

        try:
            async with recorded_refusals(self._dependencies, Event.CLIENT_RENAMED, client.name, actor):
                await self._db.write(body)
        except DuplicateRow as cause:
            raise ClientExists(
                f"There is a client named {new_name!r} already.", remedy=Remedy(Action.SHOW_CLIENT, new_name)
            ) from cause
        return await self._configuration(new_name)

    async def set_issuer(self, name: str, issuer: str | None, *, even_if_used: bool = False, actor: Actor) -> ClientConfiguration:
        """Put a client on an issuer that it shares with others, or give it one of its own (None). All of its tokens end.

        No change where it is there already. A client that a provisioner trusts is moved only with `even_if_used`.
        """
        client = await self._changes.to_change(name, actor)
        wanted = None if issuer is None else await shared_issuer(self._dependencies, issuer)
        if wanted == client.issuer:
            return await self._configuration(client.name)
        await self._require_unused(client, Action.MOVE_CLIENT_IN_USE, even_if_used=even_if_used)
        moved = replace(client, issuer=wanted)
        old = await self._keys.own_ids(client)
        new = await self._keys.missing(moved, client.id_token_signed_response_alg)

        async def body(tx: Transaction) -> None:
            now = self._clock.now()
            found = await lookup.locked(tx, client)
            await self._changes.require_over(tx, found.name, actor, f"give the client {found.name} another issuer")
            if wanted is not None:
                await require_issuer_there(tx, wanted)
            await store.set_issuer(tx, client.id, wanted, now)
            await self._keys.replace(tx, old, new)
            ended = await oauth_store.revoke_families_of_client(tx, client.id, "the client got another issuer", now)
            await self._record(tx, Event.CLIENT_ISSUER_SET, client, _details(client, wanted, ended, new), actor)

        try:
            async with recorded_refusals(self._dependencies, Event.CLIENT_ISSUER_SET, client.name, actor):
                await self._db.write(body)
        finally:
            self._keys.forget()
        return await self._configuration(client.name)

    async def _require_unused(self, client: Client, action: Action, *, even_if_used: bool) -> None:
        users = dict.fromkeys(each.named_by for each in await self._trusting(client.name, self._db))
        if users and not even_if_used:
            raise ClientInUse(
                f"The client {client.name} is used by {' and '.join(users)}.",
                reasons=("these name it and its issuer, and would find neither",),
                remedy=Remedy(action, client.name),
            )

    async def _record(self, tx: Transaction, event: Event, client: Client, details: dict[str, Any], actor: Actor) -> None:
        await self._audit.record(tx, event, actor=actor, target=f"client:{client.id}", details=details)


async def shared_issuer(dependencies: OAuthDependencies, name: str) -> SharedIssuer:
    """The issuer with this name; raises IssuerUnknown."""
    found = await issuer_store.issuer_named(dependencies.db, name) if is_client_name(name) else None
    if found is None:
        raise _no_issuer(name)
    return found


async def require_issuer_there(tx: Transaction, issuer: SharedIssuer) -> None:
    """Keep an issuer from being deleted until this transaction ends; raises IssuerUnknown where it is gone."""
    if await issuer_store.issuer_to_use(tx, issuer.name) != issuer:
        raise _no_issuer(issuer.name)


def _no_issuer(name: str) -> IssuerUnknown:
    return IssuerUnknown(f"There is no issuer named {name[:80]!r}.", remedy=Remedy(Action.LIST_ISSUERS))


def _details(client: Client, wanted: SharedIssuer | None, ended: int, new: list[NewKey]) -> dict[str, Any]:
    return {
        "name": client.name,
        "issuer": None if wanted is None else wanted.name,
        "issuer_before": None if client.issuer is None else client.issuer.name,
        "families_revoked": ended,
        "keys": [key.id for key in new],
    }
