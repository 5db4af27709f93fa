"""The signing keys of a client, one for each algorithm: published before they sign, kept until the last token ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor, Permission, require
from sealwright.audit import Event
from sealwright.client_metadata import ClientRefused
from sealwright.clock import Instant, after
from sealwright.db import Transaction
from sealwright.errors import Action, Remedy
from sealwright.keys import PUBLISHED_BEFORE_USE, Custody, NewKey, PublicKeyRecord, Purpose, signing_record
from sealwright.oauth.clients.store import touch_client
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import NotRegistered
from sealwright.oauth.models import Client

LATEST_ROTATION = timedelta(days=366)

Find = Callable[[str], Awaitable[Client]]
FindToChange = Callable[[str, Actor], Awaitable[Client]]


class ClientKey(Struct, frozen=True):
    """One of the keys that a client's tokens may be signed with."""

    id: str
    """The `kid` in tokens and in the key set."""
    algorithm: str
    created_at: Instant
    retires_at: Instant | None
    """From then on it signs no more; what it signed still verifies."""
    signs: bool
    """Whether tokens are signed with it at this moment."""


class ClientKeys:
    """The keys of every client."""

    def __init__(self, dependencies: OAuthDependencies, custody: Custody, *, found: Find, to_change: FindToChange) -> None:
        """`found` and `to_change`: the client with a name, for anyone who may read or change it."""
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._custody = custody
        self._found = found
        self._to_change = to_change

    async def list_keys(self, name: str, *, actor: Actor) -> tuple[ClientKey, ...]:
        """The keys that are not revoked, newest first."""
        require(actor, Permission.CLIENT_READ)
        client = await self._found(name)
        return self._told(client, await self._stored(client))

    async def rotate(self, name: str, at: Instant | None = None, *, actor: Actor) -> tuple[ClientKey, ...]:
        """Give a client new keys that are published at once and sign from `at` on, or as soon as everyone can have seen them."""
        client = await self._to_change(name, actor)
        now = self._clock.now()
        if at is not None and not now <= at <= after(now, LATEST_ROTATION):
            raise ClientRefused(
                "The keys cannot change at a time that is past or more than a year ahead.", hint="Give now, or a later time."
            )
        old = await self._stored(client)
        wanted = {client.id_token_signed_response_alg, *(key.algorithm for key in old if key.retired_at is None)}
        new = await self._custody.beside_the_loop(self._generate, client, sorted(wanted))
        published = after(now, PUBLISHED_BEFORE_USE)
        turn = published if at is None else max(at, published)

        async def body(tx: Transaction) -> None:
            for key in old:
                await self._custody.retire(tx, key.id, turn)
            await self.insert(tx, new)
            await touch_client(tx, client.id, now)
            details = {"name": client.name, "keys": [key.id for key in new], "at": turn}
            await self._audit.record(tx, Event.CLIENT_KEYS_ROTATED, actor=actor, target=f"client:{client.id}", details=details)

        await self._write(body)
        return self._told(client, await self._records(client))

    async def revoke(self, name: str, key_id: str, *, actor: Actor) -> tuple[ClientKey, ...]:
        """Take a key out of the key set: whatever it signed is worth nothing from now on. Another takes its place at once."""
        client = await self._to_change(name, actor)
        old = await self._stored(client)
        left = [key for key in old if key.id != key_id]
        if len(left) == len(old):
            raise NotRegistered(f"{client.name} has no key {key_id[:80]!r}.", remedy=Remedy(Action.SHOW_CLIENT, client.name))
        new = await self.missing(client, client.id_token_signed_response_alg, left)

        async def body(tx: Transaction) -> None:
            await self._custody.revoke(tx, key_id)
            await self.insert(tx, new)
            await touch_client(tx, client.id, self._clock.now())
            details = {"name": client.name, "key": key_id, "new_keys": [key.id for key in new]}
            await self._audit.record(tx, Event.CLIENT_KEY_REVOKED, actor=actor, target=f"client:{client.id}", details=details)

        await self._write(body)
        return self._told(client, await self._records(client))

    async def missing(self, client: Client, algorithm: str, records: list[PublicKeyRecord] | None = None) -> list[NewKey]:
        """A new key where none of `records`, or of the stored ones, goes on to sign with an algorithm. Not stored yet."""
        if records is None:
            records = await self._stored(client)
        if any(key.algorithm == algorithm and key.retired_at is None for key in records):
            return []
        return await self._custody.beside_the_loop(self._generate, client, [algorithm])

    async def replacements(self, client: Client) -> tuple[list[str], list[NewKey]]:
        """The ids of all keys that a client has, and a new one in their place. Nothing is changed yet."""
        old = await self._stored(client)
        return [key.id for key in old], await self.missing(client, client.id_token_signed_response_alg, [])

    async def replace(self, tx: Transaction, old: list[str], new: list[NewKey]) -> None:
        """Revoke keys and store those that come after them. Call `forget` once `tx` is durable."""
        for key_id in old:
            await self._custody.revoke(tx, key_id)
        await self.insert(tx, new)

    async def insert(self, tx: Transaction, new: list[NewKey]) -> None:
        """Store new keys. Call `forget` once `tx` is durable."""
        for key in new:
            await self._custody.insert(tx, key)

    def forget(self) -> None:
        """Read keys anew when they are next needed."""
        self._custody.forget()

    async def _write(self, body: Callable[[Transaction], Awaitable[None]]) -> None:
        try:
            await self._db.write(body)
        finally:
            self._custody.forget()

    async def _stored(self, client: Client) -> list[PublicKeyRecord]:
        """As they are stored, not as this process remembers them: another may have changed them just now."""
        self._custody.forget()
        return await self._records(client)

    async def _records(self, client: Client) -> list[PublicKeyRecord]:
        return await self._custody.public_keys(Purpose.OAUTH_CLIENT, client.id)

    def _generate(self, client: Client, algorithms: list[str]) -> list[NewKey]:
        return [self._custody.generate(Purpose.OAUTH_CLIENT, client.id, algorithm) for algorithm in algorithms]

    def _told(self, client: Client, records: list[PublicKeyRecord]) -> tuple[ClientKey, ...]:
        current = signing_record(records, self._clock.now(), client.id_token_signed_response_alg)
        return tuple(ClientKey(key.id, key.algorithm, key.created_at, key.retired_at, signs=key == current) for key in records)
