"""Check what people show: passwords and codes. Each attempt is counted before it is looked at."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec import Struct

from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.errors import Unavailable
from sealwright.identity import store, totp
from sealwright.identity.devices import KnownDevices
from sealwright.identity.models import Account, CredentialKind
from sealwright.identity.passwords import Hashing
from sealwright.identity.policy import (
    Counter,
    SignInName,
    account_counter,
    address_counter,
    check_password,
    code_counter,
    device_counter,
    own_counter,
    unknown_name_counter,
)
from sealwright.identity.throttle import Charge, Throttle
from sealwright.keys import Sealer

MOST_WAITING = 16
"""New passwords that may wait to be scored; the next one is told to come back."""


@dataclass(frozen=True, slots=True)
class RightPassword:
    """A password that belonged to an account when it was looked at."""

    account_id: str
    credential_id: str
    stored: bytes = field(repr=False)
    charges: tuple[Charge, ...]


class WrongPassword(Struct, frozen=True):
    """A name and a password that do not go together, and why: for the audit row, never for whoever asked."""

    account_id: str | None
    reason: str


class RightCode(Struct, frozen=True):
    """A code that matched; its time step is not used up yet."""

    credential_id: str
    kind: CredentialKind
    step: int
    charges: tuple[Charge, ...]


class Proofs:
    """Hashes, seals, compares and counts, for sign-in and for changes of credentials alike."""

    def __init__(
        self, db: Database, clock: Clock, sealer: Sealer, hashing: Hashing, throttle: Throttle, devices: KnownDevices
    ) -> None:
        self._db = db
        self._clock = clock
        self._sealer = sealer
        self._hashing = hashing
        self._throttle = throttle
        self._devices = devices
        self._pigeonholes = sealer.derive("names that no account has")
        self._one_at_a_time = asyncio.Lock()  # scoring a password is work for the interpreter, up to a second of it
        self._waiting = 0

    async def password(
        self, typed: SignInName, password: str, *, address: str, device_token: str | None = None
    ) -> RightPassword | WrongPassword:
        """One look-up and one verification, whatever is found. Raises RateLimited, or Unavailable when the queue is full."""
        found = await store.password_by_name(self._db, name=typed.name, mail=typed.mail)
        account_id = None if found is None else found[0]
        if await self._devices.is_known(account_id or "", device_token):
            counters: tuple[Counter, ...] = (device_counter(account_id or "", device_token or ""),)
        elif account_id is None:
            counters = (unknown_name_counter(self._pigeonhole(typed)), address_counter(address))
        else:
            counters = (account_counter(account_id), address_counter(address))
        return await self._verify(found, password, counters)

    async def own_password(self, account: Account, password: str) -> RightPassword | WrongPassword:
        """The same for somebody who is signed in: what strangers try does not count against them."""
        found = await store.password_by_name(self._db, name=account.name, mail="")
        return await self._verify(found, password, (own_counter(account.id),))

    def _pigeonhole(self, typed: SignInName) -> bytes:
        """One of 65,536, so that made-up names cannot fill the table. Keyed, so that nobody knows which names share one."""
        return hmac.digest(self._pigeonholes, f"{typed.name} {typed.mail}".encode("utf-8", "surrogatepass"), "sha256")[:2]

    async def _verify(
        self, found: tuple[str, str | None, bytes | None] | None, password: str, counters: tuple[Counter, ...]
    ) -> RightPassword | WrongPassword:
        charges = await self._throttle.admit(*counters)
        account_id, credential_id, stored = found or (None, None, None)
        try:
            right = await self._hashing.verify(stored or self._hashing.dummy, password)
        except Unavailable:
            await self._throttle.take_back(charges)
            raise
        if account_id is None:
            return WrongPassword(None, "no account has this name")
        if credential_id is None or stored is None:
            return WrongPassword(account_id, "the account has no password")
        if not right:
            return WrongPassword(account_id, "the password is wrong")
        return RightPassword(account_id, credential_id, stored, charges)

    async def code(self, account_id: str, code: str, *, device_token: str | None = None) -> RightCode | None:
        """Compare a code with the account's second factors. Raises RateLimited.

        It is asked for after a right password, so it counts against the account alone: an address may be many people's. Somebody
        who knows the password can use these attempts up, but not those from a device that the account knows.
        """
        known = await self._devices.is_known(account_id, device_token)
        counter = code_counter(account_id, (device_token or "") if known else "")
        return await self._match(account_id, code, CredentialKind.TOTP, counter)

    async def own_code(self, account_id: str, code: str) -> RightCode | None:
        """The same for a second factor that somebody who is signed in has just made."""
        return await self._match(account_id, code, CredentialKind.TOTP_UNCONFIRMED, own_counter(account_id))

    async def _match(self, account_id: str, code: str, kind: CredentialKind, counter: Counter) -> RightCode | None:
        charges = await self._throttle.admit(counter)
        now = self._clock.now()
        for held in await store.credentials_of(self._db, account_id):
            if held.kind is kind:
                step = totp.matching_step(self.open_totp(held), code, now, held.last_step)
                if step is not None:
                    return RightCode(held.id, kind, step, charges)
        return None

    async def accept(self, tx: Transaction, proof: RightPassword | RightCode) -> bool:
        """In the transaction that the proof is for: it still holds, a code is used up, and failures are forgotten."""
        if isinstance(proof, RightPassword):
            good = await self.still_holds(tx, proof)
        else:
            good = await store.use_totp_step(tx, proof.credential_id, proof.kind, proof.step)
        if good:
            await self._throttle.forgive(tx, proof.charges)
        return good

    @staticmethod
    async def still_holds(tx: Transaction, proof: RightPassword) -> bool:
        """Whether the password is the same as when it was looked at."""
        return await store.is_held(tx, proof.credential_id)

    async def forgive(self, proof: RightPassword) -> None:
        """Forget failures at once: the password was right, whatever becomes of what it was asked for."""

        async def body(tx: Transaction) -> None:
            await self._throttle.forgive(tx, proof.charges)

        await self._db.write(body)

    async def forget_failures(self, tx: Transaction, account: Account) -> None:
        """Let the account be tried again at once."""
        await self._throttle.forget(tx, account_counter(account.id), code_counter(account.id), own_counter(account.id))

    async def hash_new_password(self, account: Account, password: str) -> bytes:
        """The stored form of a new password; raises WeakPassword with every reason when it is not good enough."""
        mails = [mail.address for mail in account.mails]
        await self.judge_new_password(password, name=account.name, display_name=account.display_name, mails=mails)
        return await self._hashing.hash(password)

    async def judge_new_password(self, password: str, *, name: str, display_name: str, mails: Sequence[str]) -> None:
        """Raise WeakPassword with every reason when it is not good enough for a person of this name."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many new passwords are being checked at the moment.", retry_after=1)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                await asyncio.to_thread(check_password, password, name=name, display_name=display_name, mails=mails)
        finally:
            self._waiting -= 1

    async def renew_hash(self, proof: RightPassword, password: str) -> None:
        """Hash a right password anew when the parameters have changed; next time will do when there is no time now."""
        if not self._hashing.is_outdated(proof.stored):
            return
        with suppress(Unavailable):
            new = await self._hashing.hash(password)

            async def body(tx: Transaction) -> None:
                await store.replace_secret(tx, proof.credential_id, known=proof.stored, new=new)

            await self._db.write(body)

    def seal_totp(self, credential_id: str, secret: bytes) -> bytes:
        """The stored form of a shared secret."""
        return self._sealer.seal(secret, _context(credential_id))

    def open_totp(self, held: store.StoredSecret) -> bytes:
        """The shared secret of a second factor."""
        return self._sealer.open(held.secret, _context(held.id))


def _context(credential_id: str) -> str:
    return f"credentials:{credential_id}"
