"""Verify passwords and one-time codes. Each attempt is counted before it is verified."""

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
from sealwright.identity.account_policy import store as policies
from sealwright.identity.account_policy.models import AccountPolicy
from sealwright.identity.devices import KnownDevices
from sealwright.identity.models import Account, CredentialKind
from sealwright.identity.passwords import Hashing
from sealwright.identity.policy import (
    AttemptCounter,
    SignInName,
    account_counter,
    address_counter,
    check_password,
    code_counter,
    device_counter,
    normalize_recovery_code,
    secret_digest,
    signed_in_counter,
    unknown_name_counter,
)
from sealwright.identity.throttle import CountedAttempt, Throttle
from sealwright.keys import Sealer
from sealwright.password_strength import MIN_PASSWORD

REFUSED_AFTER = 1.0
"""Seconds until a wrong password is refused while accounts have hashes of other servers, each of which takes its own time."""
MAX_QUEUED_CHECKS = 16
"""New passwords that may wait to be scored; the next one is refused as unavailable."""


@dataclass(frozen=True, slots=True)
class VerifiedPassword:
    """A password that was right when it was verified."""

    account_id: str
    credential_id: str
    stored: bytes = field(repr=False)
    counted: tuple[CountedAttempt, ...]


class RejectedPassword(Struct, frozen=True):
    """A wrong name or password, with the reason: for the audit row, never for the response."""

    account_id: str | None
    reason: str


class VerifiedCode(Struct, frozen=True):
    """A code that matched; its time step is not used up yet."""

    credential_id: str
    kind: CredentialKind
    step: int
    counted: tuple[CountedAttempt, ...]


class Authenticators:
    """Used by sign-in and by changes of credentials."""

    def __init__(
        self, db: Database, clock: Clock, sealer: Sealer, hashing: Hashing, throttle: Throttle, devices: KnownDevices
    ) -> None:
        self._db = db
        self._clock = clock
        self._sealer = sealer
        self._hashing = hashing
        self._throttle = throttle
        self._devices = devices
        self._bucket_key = sealer.derive("names that no account has")
        self._one_at_a_time = asyncio.Lock()  # scoring a password is work for the interpreter, up to a second of it
        self._waiting = 0

    async def verify_password(
        self, typed: SignInName, password: str, *, address: str, device_token: str | None = None
    ) -> VerifiedPassword | RejectedPassword:
        """One look-up and one verification, whatever is found. Raises RateLimited, or Unavailable when the queue is full."""
        found = await store.password_by_name(self._db, name=typed.name, mail=typed.mail)
        account_id = None if found is None else found[0]
        if await self._devices.is_known(account_id or "", device_token):
            counters: tuple[AttemptCounter, ...] = (device_counter(account_id or "", device_token or ""),)
        elif account_id is None:
            counters = (unknown_name_counter(self._bucket(typed)), address_counter(address))
        else:
            counters = (account_counter(account_id), address_counter(address))
        return await self._verify(found, password, counters)

    async def verify_own_password(self, account: Account, password: str) -> VerifiedPassword | RejectedPassword:
        """The same for a signed-in person. Attempts by others do not count against them."""
        found = await store.password_by_name(self._db, name=account.name, mail="")
        return await self._verify(found, password, (signed_in_counter(account.id),))

    def _bucket(self, typed: SignInName) -> bytes:
        """One of 65,536, so that invented names cannot fill the table; keyed, so that it is unpredictable."""
        return hmac.digest(self._bucket_key, f"{typed.name} {typed.mail}".encode("utf-8", "surrogatepass"), "sha256")[:2]

    async def _verify(
        self, found: tuple[str, str | None, bytes | None] | None, password: str, counters: tuple[AttemptCounter, ...]
    ) -> VerifiedPassword | RejectedPassword:
        counted = await self._throttle.begin_attempt(*counters)
        account_id, credential_id, stored = found or (None, None, None)
        begun = asyncio.get_running_loop().time()
        try:
            right = await self._hashing.verify(stored or self._hashing.dummy, password)
        except Unavailable:
            await self._throttle.cancel_attempt(counted)
            raise
        if not right and await store.has_foreign_hashes(self._db):
            await asyncio.sleep(begun + REFUSED_AFTER - asyncio.get_running_loop().time())
        if account_id is None:
            return RejectedPassword(None, "no account has this name")
        if credential_id is None or stored is None:
            return RejectedPassword(account_id, "the account has no password")
        if not right:
            return RejectedPassword(account_id, "the password is wrong")
        return VerifiedPassword(account_id, credential_id, stored, counted)

    async def verify_totp(self, account_id: str, code: str, *, device_token: str | None = None) -> VerifiedCode | None:
        """Compare a code with the account's second factors, or with its recovery codes. Raises RateLimited.

        It is asked for after a right password, so it counts against the account alone: many people may share an address. An
        attacker who knows the password can use up these attempts, but not those from a device that the account knows.
        """
        known = await self._devices.is_known(account_id, device_token)
        counter = code_counter(account_id, (device_token or "") if known else "")
        if recovery := normalize_recovery_code(code):
            return await self._match_recovery_code(account_id, recovery, counter)
        return await self._match(account_id, code, CredentialKind.TOTP, counter)

    async def verify_unconfirmed_totp(self, account_id: str, code: str) -> VerifiedCode | None:
        """The same for the second factor that a signed-in person is adding."""
        return await self._match(account_id, code, CredentialKind.TOTP_UNCONFIRMED, signed_in_counter(account_id))

    async def _match(self, account_id: str, code: str, kind: CredentialKind, counter: AttemptCounter) -> VerifiedCode | None:
        counted = await self._throttle.begin_attempt(counter)
        now = self._clock.now()
        for held in await store.credentials_of(self._db, account_id):
            if held.kind is kind:
                step = totp.matching_step(self.open_totp(held), code, now, held.last_step)
                if step is not None:
                    return VerifiedCode(held.id, kind, step, counted)
        return None

    async def _match_recovery_code(self, account_id: str, code: str, counter: AttemptCounter) -> VerifiedCode | None:
        counted = await self._throttle.begin_attempt(counter)
        digest = secret_digest(code)
        held = await store.credentials_of(self._db, account_id)
        matching = [
            each for each in held if each.kind is CredentialKind.RECOVERY_CODE and hmac.compare_digest(each.secret, digest)
        ]
        return VerifiedCode(matching[0].id, CredentialKind.RECOVERY_CODE, 0, counted) if matching else None

    async def accept(self, tx: Transaction, proof: VerifiedPassword | VerifiedCode) -> bool:
        """In the transaction that the proof is for: it is still valid, a code is used up, and failures are forgotten."""
        if isinstance(proof, VerifiedPassword):
            good = await self.is_current(tx, proof)
        elif proof.kind is CredentialKind.RECOVERY_CODE:
            good = await store.delete_credential(tx, proof.credential_id)
        else:
            good = await store.use_totp_step(tx, proof.credential_id, proof.kind, proof.step)
        if good:
            await self._throttle.record_success(tx, proof.counted)
        return good

    @staticmethod
    async def is_current(tx: Transaction, proof: VerifiedPassword) -> bool:
        """Whether the password is the same as when it was looked at."""
        return await store.is_held(tx, proof.credential_id)

    async def record_success(self, proof: VerifiedPassword) -> None:
        """Forget failures at once: the password was right, whatever becomes of what it was asked for."""

        async def body(tx: Transaction) -> None:
            await self._throttle.record_success(tx, proof.counted)

        await self._db.write(body)

    async def forget_failures(self, tx: Transaction, account: Account) -> None:
        """Let the account be tried again at once."""
        await self._throttle.forget(tx, account_counter(account.id), code_counter(account.id), signed_in_counter(account.id))

    async def hash_new_password(self, account: Account, password: str) -> bytes:
        """The stored form of a new password; raises WeakPassword with every reason when it is not good enough."""
        mails = [mail.address for mail in account.mails]
        policy = await policies.of_account(self._db, account.id)
        await self.check_new_password(password, name=account.name, display_name=account.display_name, mails=mails, policy=policy)
        return await self._hashing.hash(password)

    async def check_new_password(
        self, password: str, *, name: str, display_name: str, mails: Sequence[str], policy: AccountPolicy | None = None
    ) -> None:
        """Raise WeakPassword with every reason when it is not good enough for a person of this name."""
        if self._waiting >= MAX_QUEUED_CHECKS:
            raise Unavailable("Too many new passwords are being checked at the moment.", retry_after=1)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                await asyncio.to_thread(
                    check_password,
                    password,
                    name=name,
                    display_name=display_name,
                    mails=mails,
                    shortest=MIN_PASSWORD if policy is None else policy.password_minimum_length or MIN_PASSWORD,
                    asked_by="" if policy is None else policy.length_asked_by,
                )
        finally:
            self._waiting -= 1

    async def rehash_if_outdated(self, proof: VerifiedPassword, password: str) -> None:
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
