"""The signing keys of a client, where it has an issuer of its own; those of an issuer that clients share belong to the issuer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sealwright.access import Actor, Permission, require
from sealwright.audit import Event
from sealwright.client_metadata import ClientRefused
from sealwright.clock import Clock, Instant, after
from sealwright.db import Transaction
from sealwright.errors import Action, Remedy
from sealwright.keys import Custody, NewKey
from sealwright.oauth.clients import lookup
from sealwright.oauth.clients.guarded_changes import ClientChanges
from sealwright.oauth.clients.recorded_refusals import recorded_refusals
from sealwright.oauth.clients.store import touch_client
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import NotRegistered
from sealwright.oauth.issuers.addresses import key_owner_of
from sealwright.oauth.issuers.keys import ClientKey, IssuerKeys, Recorded
from sealwright.oauth.models import Client

LATEST_ROTATION = timedelta(days=366)

Find = Callable[[str], Awaitable[Client]]


class ClientKeys:
    """The keys of every client."""

    def __init__(self, dependencies: OAuthDependencies, custody: Custody, *, found: Find, changes: ClientChanges) -> None:
        """`found`: the client with a name, for anyone who may read it."""
        self._dependencies = dependencies
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._keys = IssuerKeys(dependencies.db, dependencies.clock, custody)
        self._found = found
        self._changes = changes

    async def list_keys(self, name: str, *, actor: Actor) -> tuple[ClientKey, ...]:
        """The keys that are not revoked, newest first."""
        require(actor, Permission.CLIENT_READ)
        return await self._unrevoked(await self._found(name))

    async def rotate(self, name: str, at: Instant | None = None, *, actor: Actor) -> tuple[ClientKey, ...]:
        """Give a client new keys that are published at once and sign from `at` on, or as soon as everyone can have seen them."""
        client = await self._changes.to_change(name, actor)
        require_rotation_time(at, self._clock)
        _require_own_keys(client)
        recorded = self._recorded(Event.CLIENT_KEYS_ROTATED, client, actor)
        async with recorded_refusals(self._dependencies, Event.CLIENT_KEYS_ROTATED, client.name, actor):
            await self._keys.rotate(key_owner_of(client), (client.id_token_signed_response_alg,), at, recorded)
        return await self._unrevoked(client)

    async def revoke(self, name: str, key_id: str, *, actor: Actor) -> tuple[ClientKey, ...]:
        """Take a key out of the key set: whatever it signed is worth nothing from now on. Another takes its place at once."""
        client = await self._changes.to_change(name, actor)
        _require_own_keys(client)
        recorded = self._recorded(Event.CLIENT_KEY_REVOKED, client, actor)
        algorithms = (client.id_token_signed_response_alg,)
        async with recorded_refusals(self._dependencies, Event.CLIENT_KEY_REVOKED, client.name, actor):
            found = await self._keys.revoke(key_owner_of(client), key_id, algorithms, recorded)
        if not found:
            raise NotRegistered(f"{client.name} has no key {key_id[:80]!r}.", remedy=Remedy(Action.SHOW_CLIENT, client.name))
        return await self._unrevoked(client)

    async def missing(self, client: Client, algorithm: str) -> list[NewKey]:
        """A new key where none of those behind a client's issuer goes on to sign with an algorithm. Not stored yet."""
        owner = key_owner_of(client)
        return await self._keys.missing(owner, (algorithm,), await self._keys.stored(owner))

    async def own_ids(self, client: Client) -> list[str]:
        """The ids of all keys that are a client's own."""
        return [] if client.issuer is not None else [key.id for key in await self._keys.stored(key_owner_of(client))]

    async def replacements(self, client: Client) -> tuple[list[str], list[NewKey]]:
        """The ids of all keys that are a client's own, and a new one in their place. Nothing is changed yet."""
        if client.issuer is not None:
            return [], []
        new = await self._keys.generate(key_owner_of(client), (client.id_token_signed_response_alg,))
        return await self.own_ids(client), new

    async def replace(self, tx: Transaction, old: list[str], new: list[NewKey]) -> list[str]:
        """Revoke keys and store those that come after them; returns the ids of those that were not revoked before.

        Call `forget` once `tx` is durable.
        """
        ended = await self._keys.revoke_all(tx, old)
        await self.insert(tx, new)
        return ended

    async def reinstate(self, tx: Transaction, ended: list[str]) -> None:
        """Have keys sign and verify again that `replace` ended. Call `forget` once `tx` is durable."""
        await self._keys.reinstate(tx, ended)

    async def insert(self, tx: Transaction, new: list[NewKey]) -> None:
        """Store new keys. Call `forget` once `tx` is durable."""
        await self._keys.insert(tx, new)

    def forget(self) -> None:
        """Read keys anew when they are next needed."""
        self._keys.forget()

    async def _unrevoked(self, client: Client) -> tuple[ClientKey, ...]:
        return await self._keys.unrevoked(key_owner_of(client), (client.id_token_signed_response_alg,))

    def _recorded(self, event: Event, client: Client, actor: Actor) -> Recorded:
        async def record(tx: Transaction, details: dict[str, object]) -> None:
            found = await lookup.locked(tx, client)
            await self._changes.require_over(tx, found.name, actor, f"change the keys of the client {found.name}")
            await touch_client(tx, client.id, self._clock.now())
            all_details = {"name": client.name, **details}
            await self._audit.record(tx, event, actor=actor, target=f"client:{client.id}", details=all_details)

        return record


def require_rotation_time(at: Instant | None, clock: Clock) -> None:
    """Raise ClientRefused where keys cannot change at this time."""
    now = clock.now()
    if at is not None and not now <= at <= after(now, LATEST_ROTATION):
        raise ClientRefused(
            "The keys cannot change at a time that is past or more than a year ahead.", hint="Give now, or a later time."
        )


def _require_own_keys(client: Client) -> None:
    if client.issuer is not None:
        raise ClientRefused(
            f"{client.name} has no keys of its own: it shares the issuer {client.issuer.name}.",
            hint="Change the keys of the issuer; that concerns every client that shares it.",
            remedy=Remedy(Action.CHANGE_ISSUER_KEYS, client.issuer.name),
        )
