"""Who holds the keys: made, sealed and stored here, opened when needed, retired, revoked, taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from sealwright.clock import Clock, Instant, after, is_ahead
from sealwright.db import Database, Transaction
from sealwright.jose import KeyRefused, PrivateKey, algorithm_of, thumbprint
from sealwright.keys import software, store
from sealwright.keys.errors import KeyMissing
from sealwright.keys.models import NewKey, PublicKeyRecord, Purpose, SigningKey, signing_record
from sealwright.keys.sealing import Sealer

T = TypeVar("T")

NOTICED_WITHIN = timedelta(seconds=1)
"""How long another process's change of a key may go unnoticed."""
FRESH_FOR = timedelta(seconds=10)
"""How long what was read is kept where nothing was changed."""


class Custody:
    """Signing keys by purpose and owner, for one process."""

    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._open: dict[str, tuple[SigningKey, Instant]] = {}
        self._active: dict[tuple[Purpose, str], tuple[SigningKey, Instant]] = {}
        self._public: dict[tuple[Purpose, str], tuple[list[PublicKeyRecord], Instant]] = {}
        self._known_changes = -1
        self._looked_until = Instant(0)
        self._forgotten = 0
        """Counts, so that what was read before is not remembered after."""

    async def beside_the_loop(self, make: Callable[..., T], *given: Any) -> T:
        """Run work that generates keys where no one waits for it: on a thread."""
        return await asyncio.to_thread(make, *given)

    def generate(self, purpose: Purpose, owner: str, algorithm: str) -> NewKey:
        """Make a key. Nothing is stored until `insert`. An RSA key takes a tenth of a second of computing."""
        return self._adopt(purpose, owner, software.generate(algorithm), algorithm)

    def import_private(self, purpose: Purpose, owner: str, pem: bytes, password: bytes | None = None) -> NewKey:
        """Take in a private key that was made elsewhere. Nothing is stored until `insert`. Raises KeyRefused."""
        private_key = software.from_pem(pem, password)
        return self._adopt(purpose, owner, private_key, algorithm_of(private_key.public_key()))

    def _adopt(self, purpose: Purpose, owner: str, private_key: PrivateKey, algorithm: str) -> NewKey:
        public_key = private_key.public_key()
        key_id = thumbprint(public_key)
        sealed = self._sealer.seal(software.to_pkcs8_der(private_key), _context(key_id, purpose, owner, algorithm))
        return NewKey(key_id, purpose, owner, algorithm, public_key, private_key, sealed)

    async def insert(self, tx: Transaction, new_key: NewKey) -> None:
        """Store a new key in the caller's transaction. Call `forget` after it when the owner had a key before."""
        await store.insert_key(tx, new_key, self._clock.now())

    async def active(self, purpose: Purpose, owner: str) -> SigningKey:
        """The newest key that may sign; raises KeyMissing."""
        await self._notice_changes()
        forgotten, cached = self._forgotten, self._active.get((purpose, owner))
        if cached is not None and self._is_fresh(cached[1]):
            return cached[0]
        key_id = await store.active_id(self._db, purpose, owner)
        if key_id is None:
            raise KeyMissing(f"There is no {purpose} key that may sign{f' for {owner}' if owner else ''}.")
        key = await self.open(key_id)
        if forgotten == self._forgotten:
            self._active[purpose, owner] = (key, self._until())
        return key

    async def published(self, purpose: Purpose, owner: str, algorithm: str | None = None) -> SigningKey:
        """The key that signs at this moment what others verify with a key set that they may keep for a while.

        Every process picks the same one, because each has read a new key long before its time comes. With `algorithm`, one of it
        as soon as one was published for long enough. Raises KeyMissing.
        """
        record = signing_record(await self.public_keys(purpose, owner), self._clock.now(), algorithm)
        if record is None:
            raise KeyMissing(f"There is no {purpose} key that may sign{f' for {owner}' if owner else ''}.")
        return await self.open(record.id)

    async def open(self, key_id: str) -> SigningKey:
        """The key with this id, also a retired one (an old issuer still signs its revocation list); raises KeyMissing."""
        await self._notice_changes()
        forgotten, cached = self._forgotten, self._open.get(key_id)
        if cached is not None and self._is_fresh(cached[1]):
            return cached[0]
        stored = await store.find(self._db, key_id)
        if stored is None or stored.revoked_at is not None:
            self._open.pop(key_id, None)
            raise KeyMissing(f"There is no key {key_id}." if stored is None else f"The key {key_id} was revoked.")
        if stored.sealed_private is None:
            self._open.pop(key_id, None)
            raise KeyMissing(
                f"The private part of the {stored.public.purpose} key {key_id} was taken away from this server.",
                hint="Bring it back for the work that needs it.",
            )
        key = cached[0] if cached is not None else self._unseal(stored.public, stored.sealed_private)
        if forgotten == self._forgotten:
            self._open[key_id] = (key, self._until())
        return key

    def _unseal(self, public: PublicKeyRecord, sealed: bytes) -> SigningKey:
        context = _context(public.id, public.purpose, public.owner, public.algorithm)
        private_key = software.from_pkcs8_der(self._sealer.open(sealed, context))
        if thumbprint(private_key.public_key()) != public.id:
            raise KeyRefused(f"The stored private key of {public.id} belongs to another public key.")
        return SigningKey(public.id, public.purpose, public.owner, public.algorithm, public.public_key, private_key)

    async def holds_private(self, key_id: str) -> bool:
        """Whether the store holds the private part, so that the key could be opened here."""
        stored = await store.find(self._db, key_id)
        return stored is not None and stored.sealed_private is not None

    async def public_keys(self, purpose: Purpose, owner: str) -> list[PublicKeyRecord]:
        """Keys that verify: not revoked, newest first."""
        await self._notice_changes()
        forgotten, cached = self._forgotten, self._public.get((purpose, owner))
        if cached is None or not self._is_fresh(cached[1]):
            cached = (await store.public_keys(self._db, purpose, owner), self._until())
            if forgotten == self._forgotten:
                self._public[purpose, owner] = cached
        return list(cached[0])

    async def retire(self, tx: Transaction, key_id: str, at: Instant | None = None) -> None:
        """It signs no more from `at` on, or from now; what it signed still verifies. Call `forget` once `tx` is durable."""
        await store.retire(tx, key_id, self._clock.now() if at is None else at)

    async def revoke(self, tx: Transaction, key_id: str) -> bool:
        """It neither signs nor verifies any more; false where it did not before. Call `forget` once `tx` is durable."""
        return await store.revoke(tx, key_id, self._clock.now())

    async def reinstate(self, tx: Transaction, key_id: str) -> None:
        """Take back a revocation that was nothing but a deletion by mistake. Call `forget` once `tx` is durable."""
        await store.reinstate(tx, key_id)

    async def export(self, key_id: str, password: bytes | None = None) -> bytes:
        """The private key as PKCS #8 PEM, encrypted where a password is given. The caller audits it."""
        return software.to_pkcs8_pem((await self.open(key_id)).private_key, password)

    async def take_away(self, tx: Transaction, key_id: str) -> None:
        """Remove the private part from the store. Call `forget` once `tx` is durable. Raises KeyMissing when it is gone."""
        if not await store.remove_private(tx, key_id):
            raise KeyMissing(f"The store holds no private part of the key {key_id}.")

    def forget(self) -> None:
        """Read everything anew from the store when it is next needed."""
        self._open.clear()
        self._active.clear()
        self._public.clear()
        self._forgotten += 1

    async def count_change(self, tx: Transaction) -> None:
        """Have every process read anew what it remembers of keys, and of what is stored beside them."""
        await store.count_change(tx)

    async def changes(self) -> int:
        """A number that is another one after a key was changed, or `count_change` was called, by whichever process.

        For what is remembered beside keys: a change by another process is in it within `NOTICED_WITHIN`.
        """
        await self._notice_changes()
        return self._known_changes

    async def _notice_changes(self) -> None:
        """Forget everything where another process has changed a key."""
        if is_ahead(self._looked_until, self._clock.now(), at_most=NOTICED_WITHIN):
            return
        found = await store.changes(self._db)
        if found != self._known_changes:
            self._known_changes = found
            self.forget()
        self._looked_until = after(self._clock.now(), NOTICED_WITHIN)

    def _is_fresh(self, until: Instant) -> bool:
        return is_ahead(until, self._clock.now(), at_most=FRESH_FOR)

    def _until(self) -> Instant:
        return after(self._clock.now(), FRESH_FOR)


def _context(key_id: str, purpose: Purpose, owner: str, algorithm: str) -> str:
    """What a sealed key is bound to, so that a row that was changed to another purpose or owner does not open."""
    return f"signing_keys:{key_id}:{purpose}:{algorithm}:{owner}"
