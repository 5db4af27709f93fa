"""Devices from which people signed in before: sign-in from them cannot be blocked by others who guess passwords.

A device holds an opaque token; its digest is stored. It gives no access: the password is still required. Attempts from a
known device are counted separately from all others, so a stolen token gains as many guesses as any stranger has, and no more.
"""

from __future__ import annotations

import re
from datetime import timedelta

from sealwright.access import Actor, Permission, require
from sealwright.clock import Clock, Instant, before
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token, uuid4
from sealwright.identity.devices import store
from sealwright.identity.models import KnownDevice
from sealwright.identity.policy import printable, secret_digest

DEVICE_LIFETIME = timedelta(days=180)
"""Since the last sign-in from it."""
MAX_DEVICES = 10
"""Of one account; the one that was not used for the longest time is forgotten when another one is added."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class KnownDevices:
    """Devices of all accounts. If several people share a device, each account remembers it separately."""

    def __init__(self, db: Database, clock: Clock, entropy: Entropy) -> None:
        self._db = db
        self._clock = clock
        self._entropy = entropy

    async def is_known(self, account_id: str, device_token: str | None) -> bool:
        """Whether the account was signed in to from the device with this token. One query, whatever is asked."""
        if not _TOKEN.fullmatch(device_token or ""):
            return False
        return await store.is_known(self._db, account_id, secret_digest(device_token or ""), self._oldest())

    async def remember(self, tx: Transaction, account_id: str, device_token: str | None, user_agent: str) -> str:
        """The account knows the device from now on; returns the token for it to hold. The caller holds the account's lock.

        A token that was not generated here is replaced: an attacker may have planted it. None is for peers that keep no token:
        nothing is remembered then.
        """
        if device_token is None:
            return ""
        held = device_token if _TOKEN.fullmatch(device_token) else ""
        if not held or not await store.is_held(tx, secret_digest(held)):
            held = token(self._entropy)
        now = self._clock.now()
        device = KnownDevice(uuid4(self._entropy), account_id, printable(user_agent), now, now)
        await store.put(tx, device, secret_digest(held))
        await store.keep_newest(tx, account_id, MAX_DEVICES)
        return held

    async def list_of(self, account_id: str, *, actor: Actor) -> tuple[KnownDevice, ...]:
        """Devices that an account knows, the latest first; one's own need no permission."""
        if account_id != actor.id:
            require(actor, Permission.SESSION_READ)
        return tuple(await store.of_account(self._db, account_id, self._oldest()))

    async def forget_all(self, account_id: str, *, actor: Actor) -> int:
        """Forget every device of an account; returns how many. One's own need no permission."""
        if account_id != actor.id:
            require(actor, Permission.SESSION_REVOKE)

        async def body(tx: Transaction) -> int:
            return await store.delete_of_account(tx, account_id)

        return await self._db.write(body)

    @staticmethod
    async def forget_all_in(tx: Transaction, account_id: str) -> None:
        """The same in the caller's transaction, which has decided that it may be done."""
        await store.delete_of_account(tx, account_id)

    def _oldest(self) -> Instant:
        return before(self._clock.now(), DEVICE_LIFETIME)
