"""Sign in: a password, then a code where the account has one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Never

from sealwright.access import anonymous
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, after
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token
from sealwright.identity import store
from sealwright.identity.authenticators import Authenticators, RejectedPassword, VerifiedPassword
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.store import account as find_account
from sealwright.identity.directory.store import lock_account
from sealwright.identity.errors import CodeRefused, PasswordRefused, SignInExpired, SignInRefused, StrongerCredentialNeeded
from sealwright.identity.models import (
    Account,
    CompletedSignIn,
    CredentialKind,
    SecondFactorRequired,
    Session,
    SessionKind,
    SignedIn,
)
from sealwright.identity.policy import MAX_CONTINUE_TO, parse_sign_in_name, printable, secret_digest
from sealwright.identity.sessions import Sessions

PENDING_LIFETIME = timedelta(minutes=5)
NOT_RIGHT = "The user name or password is not right."
_NO_SIGN_IN = "the name and the password do not open an account"
"""One class of refusals, whatever the reason: were each counted apart, the time of an answer would tell which it is."""
_UNKNOWN = "unknown"  # what was typed is not kept: people type passwords into the wrong field


@dataclass(frozen=True, slots=True)
class _From:
    """Where a sign-in comes from and what for."""

    kind: SessionKind
    address: str
    user_agent: str
    continue_to: str
    held_token: str = field(repr=False)
    device_token: str | None = field(repr=False)


class SignIn:
    """The response and the work for it are the same for every reason why a name and a password are refused."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        authenticators: Authenticators,
        sessions: Sessions,
        devices: KnownDevices,
        *,
        domain: str,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._authenticators = authenticators
        self._sessions = sessions
        self._devices = devices
        self._domain = domain

    async def with_password(
        self,
        name: str,
        password: str,
        *,
        kind: SessionKind,
        address: str,
        user_agent: str,
        continue_to: str = "",
        held_token: str = "",
        device_token: str | None = None,
    ) -> CompletedSignIn | SecondFactorRequired:
        """Check a user name, SPN or e-mail address and a password.

        Raises SignInRefused, RateLimited, or Unavailable when too many passwords are being checked. `continue_to` comes back in
        CompletedSignIn, also when a code was asked for in between. A session of the same account that `held_token` opens goes on.
        `device_token` is the one that the device was given at an earlier sign-in, or empty; None where it can keep none.
        """
        typed = parse_sign_in_name(name, self._domain)
        proof = await self._authenticators.verify_password(typed, password, address=address, device_token=device_token)
        if isinstance(proof, RejectedPassword):
            await self._refuse(proof.account_id or _UNKNOWN, address, proof.reason)
        origin = _From(kind, address, user_agent, printable(continue_to, MAX_CONTINUE_TO), held_token, device_token)
        outcome = await self._accept(proof, origin)
        await self._authenticators.rehash_if_outdated(proof, password)
        return outcome

    async def again(
        self, signed_in: SignedIn, password: str, *, held_token: str, address: str, user_agent: str
    ) -> CompletedSignIn | SecondFactorRequired:
        """Sign in again at a terminal: the session that `held_token` opens goes on under a new token.

        What strangers try does not count against it. Raises PasswordRefused or RateLimited.
        """
        account = signed_in.account
        proof = await self._authenticators.verify_own_password(account, password)
        if isinstance(proof, RejectedPassword):
            await self._record_refusal(account.id, address, _NO_SIGN_IN, proof.reason)
            raise PasswordRefused("Your password is not right.", hint="Type the password that you sign in with.")
        return await self._accept(proof, _From(signed_in.session.kind, address, user_agent, "", held_token, None))

    async def with_totp(
        self,
        pending_token: str,
        code: str,
        *,
        address: str,
        user_agent: str,
        held_token: str = "",
        device_token: str | None = None,
    ) -> CompletedSignIn:
        """Finish a sign-in with a code. A wrong code may be corrected; raises CodeRefused, SignInExpired or RateLimited.

        A session of the same account that `held_token` opens goes on.
        """
        digest = secret_digest(pending_token)
        waiting = await store.pending(self._db, digest, self._clock.now())
        if waiting is None:
            raise _expired()
        proof = await self._authenticators.verify_totp(waiting.account_id, code, device_token=device_token)
        if proof is None:
            await self._refuse_code(waiting.account_id, address)

        async def body(tx: Transaction) -> tuple[Account, str, Session, str]:
            await lock_account(tx, waiting.account_id)
            account = await find_account(tx, waiting.account_id)
            if account is None or not account.status(self._clock.now()).active:
                raise _expired()
            if not await store.consume_pending(tx, digest, self._clock.now()):
                raise _expired()
            if not await self._authenticators.accept(tx, proof):
                raise _wrong_code()
            methods = (*waiting.methods, "otp")
            begun = await self._sessions.begin(
                tx, account, waiting.kind, methods, address=address, user_agent=user_agent, held_token=held_token
            )
            return account, *begun, await self._devices.remember(tx, account.id, device_token, user_agent)

        try:
            account, session_token, session, device = await self._db.write(body)
        except CodeRefused:
            await self._refuse_code(waiting.account_id, address)
        except StrongerCredentialNeeded as refusal:
            await self._record_refusal(waiting.account_id, address, refusal.code, refusal.reasons[0])
            raise
        signed_in = await self._sessions.signed_in(account, session, address)
        return CompletedSignIn(session_token, signed_in, waiting.continue_to, device)

    async def _accept(self, proof: VerifiedPassword, origin: _From) -> CompletedSignIn | SecondFactorRequired:
        """In one transaction: the account and its password are still valid, and what follows from that."""

        async def body(tx: Transaction) -> tuple[Account, str, Session, str] | SecondFactorRequired | str:
            await lock_account(tx, proof.account_id)
            account = await find_account(tx, proof.account_id)
            status = None if account is None else account.status(self._clock.now())
            if account is None or status is None or not status.active:
                return "the account was deleted" if status is None else status.reason
            if not await self._authenticators.accept(tx, proof):
                return "the password was replaced meanwhile"
            held = await store.credentials_of(tx, account.id)
            if any(credential.kind is CredentialKind.TOTP for credential in held):
                return await self._ask_for_code(tx, account, origin)
            begun = await self._sessions.begin(
                tx,
                account,
                origin.kind,
                ("pwd",),
                address=origin.address,
                user_agent=origin.user_agent,
                held_token=origin.held_token,
            )
            return account, *begun, await self._devices.remember(tx, account.id, origin.device_token, origin.user_agent)

        try:
            outcome = await self._db.write(body)
        except StrongerCredentialNeeded as refusal:
            await self._record_refusal(proof.account_id, origin.address, refusal.code, refusal.reasons[0])
            raise
        if isinstance(outcome, str):
            await self._refuse(proof.account_id, origin.address, outcome)
        if isinstance(outcome, SecondFactorRequired):
            return outcome
        account, session_token, session, device = outcome
        signed_in = await self._sessions.signed_in(account, session, origin.address)
        return CompletedSignIn(session_token, signed_in, origin.continue_to, device)

    async def _ask_for_code(self, tx: Transaction, account: Account, origin: _From) -> SecondFactorRequired:
        now = self._clock.now()
        pending_token = token(self._entropy)
        waiting = store.PendingSignIn(
            account.id, origin.kind, ("pwd",), origin.continue_to, created_at=now, expires_at=after(now, PENDING_LIFETIME)
        )
        await store.insert_pending(tx, waiting, secret_digest(pending_token))
        return SecondFactorRequired(pending_token, waiting.expires_at)

    async def _refuse(self, account_id: str, address: str, reason: str) -> Never:
        await self._record_refusal(account_id, address, _NO_SIGN_IN, reason)
        raise SignInRefused(NOT_RIGHT, hint="Check both and try again.")

    async def _refuse_code(self, account_id: str, address: str) -> Never:
        reason = "the code is wrong, or was used"
        await self._record_refusal(account_id, address, reason, reason)
        raise _wrong_code()

    async def _record_refusal(self, account_id: str, address: str, kind: str, reason: str) -> None:
        details = {"reason": reason, "address": address}
        target = f"person:{account_id}"
        await self._audit.refused(self._db, Event.SIGN_IN, actor=anonymous(address), target=target, reason=kind, details=details)


def _wrong_code() -> CodeRefused:
    return CodeRefused("The code is not right.", hint="Wait for the next code and type that one; each works once.")


def _expired() -> SignInExpired:
    return SignInExpired("This sign-in was finished already, or took too long.", hint="Begin again with your password.")
