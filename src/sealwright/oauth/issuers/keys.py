"""The signing keys of issuers, one for each algorithm: published before they sign, kept until the last token ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from sealwright.clock import Clock, Instant, after
from sealwright.db import Database, Transaction
from sealwright.keys import PUBLISHED_BEFORE_USE, Custody, NewKey, PublicKeyRecord, signing_record
from sealwright.oauth.issuers.addresses import KeyOwner

Recorded = Callable[[Transaction, dict[str, object]], Awaitable[None]]
"""Writes the audit row of a change, with these details."""


class ClientKey(Struct, frozen=True):
    """One of the keys that tokens may be signed with."""

    id: str
    """The `kid` in tokens and in the key set."""
    algorithm: str
    created_at: Instant
    retires_at: Instant | None
    """From then on it signs no more; what it signed still verifies."""
    signs: bool
    """Whether tokens are signed with it at this moment."""


class IssuerKeys:
    """Changes of the keys of any issuer. The caller has checked the permission."""

    def __init__(self, db: Database, clock: Clock, custody: Custody) -> None:
        self._db = db
        self._clock = clock
        self._custody = custody

    async def stored(self, owner: KeyOwner) -> list[PublicKeyRecord]:
        """The keys read from the database, not from the cache of this process: another one may have changed them just now."""
        self._custody.forget()
        return await self._custody.public_keys(*owner)

    async def unrevoked(self, owner: KeyOwner, algorithms: Iterable[str]) -> tuple[ClientKey, ...]:
        """The keys that are not revoked, newest first. `algorithms`: those that tokens are asked to be signed with."""
        records = await self.stored(owner)
        current = [signing_record(records, self._clock.now(), algorithm) for algorithm in algorithms]
        return tuple(ClientKey(key.id, key.algorithm, key.created_at, key.retired_at, signs=key in current) for key in records)

    async def generate(self, owner: KeyOwner, algorithms: Iterable[str]) -> list[NewKey]:
        """A new key for each algorithm. Not stored yet."""

        def make() -> list[NewKey]:
            return [self._custody.generate(*owner, algorithm) for algorithm in algorithms]

        return await self._custody.beside_the_loop(make)

    async def missing(self, owner: KeyOwner, algorithms: Iterable[str], records: Iterable[PublicKeyRecord]) -> list[NewKey]:
        """A new key for each algorithm with which none of `records` goes on to sign. Not stored yet."""
        there = {key.algorithm for key in records if key.retired_at is None}
        wanted = [algorithm for algorithm in algorithms if algorithm not in there]
        return await self.generate(owner, wanted) if wanted else []

    async def rotate(self, owner: KeyOwner, algorithms: Iterable[str], at: Instant | None, recorded: Recorded) -> None:
        """Add keys that are published at once and sign from `at` on, or as soon as everyone can have seen them."""
        now, old = self._clock.now(), await self.stored(owner)
        wanted = {*algorithms, *(key.algorithm for key in old if key.retired_at is None)}
        new = await self.generate(owner, sorted(wanted))
        published = after(now, PUBLISHED_BEFORE_USE)
        signs_from = published if at is None else max(at, published)

        async def body(tx: Transaction) -> None:
            for key in old:
                await self._custody.retire(tx, key.id, signs_from)
            await self.insert(tx, new)
            await recorded(tx, {"keys": [key.id for key in new], "at": signs_from})

        await self._write(body)

    async def revoke(self, owner: KeyOwner, key_id: str, algorithms: Iterable[str], recorded: Recorded) -> bool:
        """Take a key out of the key set; another takes its place at once. False where there is no such key."""
        old = await self.stored(owner)
        left = [key for key in old if key.id != key_id]
        if len(left) == len(old):
            return False
        new = await self.missing(owner, algorithms, left)

        async def body(tx: Transaction) -> None:
            await self._custody.revoke(tx, key_id)
            await self.insert(tx, new)
            await recorded(tx, {"key": key_id, "new_keys": [key.id for key in new]})

        await self._write(body)
        return True

    async def insert(self, tx: Transaction, new: Iterable[NewKey]) -> None:
        """Store new keys. Call `forget` once `tx` is durable."""
        for key in new:
            await self._custody.insert(tx, key)

    async def revoke_all(self, tx: Transaction, old: Iterable[str]) -> list[str]:
        """Revoke keys by their ids; returns those that were not revoked before. Call `forget` once `tx` is durable."""
        return [key_id for key_id in old if await self._custody.revoke(tx, key_id)]

    async def reinstate(self, tx: Transaction, old: Iterable[str]) -> None:
        """Take back what `revoke_all` did. Call `forget` once `tx` is durable."""
        for key_id in old:
            await self._custody.reinstate(tx, key_id)

    def forget(self) -> None:
        """Read keys anew when they are next needed."""
        self._custody.forget()

    async def _write(self, body: Callable[[Transaction], Awaitable[None]]) -> None:
        try:
            await self._db.write(body)
        finally:
            self._custody.forget()
