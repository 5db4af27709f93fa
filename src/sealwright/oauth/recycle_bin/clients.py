"""Deleted clients: listed, and brought back with maps, image, secret and keys, and without what people allowed them."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import Actor, Permission, require
from sealwright.audit import Event
from sealwright.db import DuplicateRow, Transaction
from sealwright.errors import Action, Conflict, NotFound, Remedy
from sealwright.oauth.clients.guarded_changes import ClientChanges
from sealwright.oauth.clients.keys import ClientKeys
from sealwright.oauth.clients.recorded_refusals import recorded_refusals
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import ClientExists
from sealwright.oauth.recycle_bin import store as bin_store
from sealwright.oauth.recycle_bin.store import DeletedClient

_SEARCHED = 80


class RevivedClient(Struct, frozen=True):
    """A client that is back."""

    id: str
    name: str
    lost_maps: int
    """Maps of groups that are gone by now."""


class DeletedClients:
    """The recycle bin of clients."""

    def __init__(self, dependencies: OAuthDependencies, keys: ClientKeys, changes: ClientChanges) -> None:
        self._dependencies = dependencies
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._keys = keys
        self._changes = changes

    async def list(self, *, beyond: str = "", at_most: int, actor: Actor) -> list[DeletedClient]:
        """Deleted clients by name."""
        require(actor, Permission.CLIENT_READ)
        return await bin_store.page(self._db, beyond=_searchable(beyond), at_most=at_most)

    async def show(self, who: str, *, actor: Actor) -> DeletedClient:
        """A deleted client, by name or id."""
        require(actor, Permission.CLIENT_READ)
        return await self._found(who)

    async def revive(self, who: str, *, actor: Actor) -> RevivedClient:
        """Bring a client back under its name, with everything that was set on it.

        Its tokens stay ended and what people allowed it is forgotten; one that had registered itself is an administrator's now.
        """
        async with recorded_refusals(self._dependencies, Event.CLIENT_REVIVED, who, actor):
            require(actor, Permission.CLIENT_WRITE)
            deleted = await self._found(who)

            async def body(tx: Transaction) -> int:
                await self._changes.require_over(tx, deleted.name, actor, f"revive the client {deleted.name}")
                found = await bin_store.take(tx, deleted.id)
                if found is None:
                    raise _not_there(who)
                if not await bin_store.has_issuer(tx, found.kept):
                    raise Conflict(
                        f"The issuer that the client {deleted.name} shared was deleted, so it cannot come back.",
                        hint="Create the client anew, with an issuer that is there.",
                    )
                lost = await bin_store.restore(tx, found, self._clock.now())
                await self._keys.reinstate(tx, found.kept.keys)
                details = {"name": deleted.name, "lost_maps": lost, "keys": found.kept.keys}
                await self._audit.record(tx, Event.CLIENT_REVIVED, actor=actor, target=f"client:{deleted.id}", details=details)
                return lost

            try:
                lost_maps = await self._db.write(body)
            except DuplicateRow as cause:
                raise ClientExists(
                    f"There is a client named {deleted.name!r} already.", remedy=Remedy(Action.SHOW_CLIENT, deleted.name)
                ) from cause
            finally:
                self._keys.forget()
        return RevivedClient(deleted.id, deleted.name, lost_maps)

    async def _found(self, who: str) -> DeletedClient:
        found = await bin_store.find(self._db, _searchable(who))
        if found is None:
            raise _not_there(who)
        return found


async def require_not_in_bin(tx: Transaction, name: str) -> None:
    """Raise ClientExists for the name of a client that was deleted and can be brought back."""
    if await bin_store.is_reserved(tx, name):
        raise ClientExists(
            f"A client named {name!r} was deleted and can be brought back.",
            reasons=("its name is reserved for seven days",),
            remedy=Remedy(Action.REVIVE, name),
        )


def _searchable(text: str) -> str:
    return text if text.isprintable() else ""


def _not_there(who: str) -> NotFound:
    return NotFound(f"There is no client {who[:_SEARCHED]!r} in the recycle bin.", reasons=("it is emptied after seven days",))
