"""The break-glass password: a way in while everything else is broken. Off by default, slow to guess, and loud."""

from __future__ import annotations

from datetime import timedelta

from sealwright.access import SYSTEM, anonymous
from sealwright.audit import Audit, Event
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy
from sealwright.identity.directory.store import account as find_account
from sealwright.identity.directory.store import lock_account
from sealwright.identity.emergency import store
from sealwright.identity.emergency.errors import BreakGlassOff, BreakGlassRefused
from sealwright.identity.models import SYSTEM_ACCOUNTS, CompletedSignIn, Session, SessionKind
from sealwright.identity.passwords import Hashing, generate_password
from sealwright.identity.policy import AttemptCounter, BackoffSchedule, secret_digest
from sealwright.identity.sessions import Sessions
from sealwright.identity.store import live_sessions
from sealwright.identity.throttle import Throttle
from sealwright.ip import network_of

METHOD = "break-glass"
"""In the methods of a session, by which every page shows that it is one."""
SCHEDULE = BackoffSchedule(
    free=4, shortest=timedelta(seconds=30), longest=timedelta(seconds=30), one_forgotten_every=timedelta(minutes=12)
)
"""The fifth failure within an hour, and each one after it, locks for 30 seconds."""
ACCOUNT = SYSTEM_ACCOUNTS["admin"]
TARGET = f"person:{ACCOUNT.id}"
SHORTEST = 16


def counter_of(address: str) -> AttemptCounter:
    """Failures count for the network that they come from, so that no stranger locks out who needs to get in."""
    return AttemptCounter(secret_digest(f"break-glass {network_of(address)}"), SCHEDULE, shared=False)


class BreakGlass:
    """Opens the built-in account `admin`, whatever its own password is."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        hashing: Hashing,
        sessions: Sessions,
        *,
        enabled: bool,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._hashing = hashing
        self._sessions = sessions
        self._throttle = Throttle(db, clock)
        self.enabled = enabled

    def require_enabled(self) -> None:
        """Raise BreakGlassOff where the settings do not switch it on."""
        if not self.enabled:
            raise BreakGlassOff("There is no such page.")

    async def sign_in(self, password: str, *, address: str, user_agent: str) -> CompletedSignIn:
        """A session of `admin`. Raises BreakGlassOff, BreakGlassRefused or RateLimited."""
        self.require_enabled()
        counted = await self._throttle.begin_attempt(counter_of(address))
        stored = await store.break_glass_secret(self._db)
        right = await self._hashing.verify(self._hashing.dummy if stored is None else stored, password)
        if stored is None or not right:
            await self._audit.refused(
                self._db,
                Event.BREAK_GLASS_USED,
                actor=anonymous(address),
                target=TARGET,
                reason="no password is set" if stored is None else "wrong password",
                details={"address": address},
            )
            raise BreakGlassRefused("This is not the break-glass password.", hint="It is set on the server's machine.")

        async def body(tx: Transaction) -> tuple[str, Session]:
            await lock_account(tx, ACCOUNT.id)
            account = await find_account(tx, ACCOUNT.id)
            if account is None or await store.break_glass_secret(tx) != stored:
                raise BreakGlassRefused("The break-glass password was changed meanwhile.")
            await self._throttle.record_success(tx, counted)
            begun = await self._sessions.begin(
                tx, account, SessionKind.BROWSER, (METHOD,), address=address, user_agent=user_agent
            )
            actor = account.as_actor(session_id=begun[1].id, address=address)
            details = {"session": begun[1].id, "address": address}
            await self._audit.record(tx, Event.BREAK_GLASS_USED, actor=actor, target=account.reference, details=details)
            return begun

        session_token, session = await self._db.write(body)
        found = await find_account(self._db, ACCOUNT.id)
        assert found is not None  # noqa: S101 - a built-in account is never deleted
        return CompletedSignIn(session_token, await self._sessions.signed_in(found, session, address))

    async def set_password(self, password: str | None) -> str:
        """From the server's shell: set the password, made up where none is given; returns it. Sessions by the old one end."""
        chosen = generate_password(self._entropy) if password is None else password
        if len(chosen) < SHORTEST:
            raise BreakGlassRefused(
                f"The break-glass password has {len(chosen)} characters.", hint=f"It needs at least {SHORTEST}."
            )
        secret = await self._hashing.hash(chosen)

        async def body(tx: Transaction) -> None:
            await self._end_sessions(tx)
            await store.set_break_glass_secret(tx, secret, self._clock.now())
            await self._audit.record(tx, Event.BREAK_GLASS_SET, actor=SYSTEM, target=TARGET, details={})

        await self._db.write(body)
        return chosen

    async def remove(self) -> bool:
        """From the server's shell: remove the password, and end what it opened; false where there was none."""

        async def body(tx: Transaction) -> bool:
            await self._end_sessions(tx)
            removed = await store.remove_break_glass_secret(tx)
            details = {"removed": removed}
            await self._audit.record(tx, Event.BREAK_GLASS_SET, actor=SYSTEM, target=TARGET, details=details)
            return removed

        return await self._db.write(body)

    async def _end_sessions(self, tx: Transaction) -> None:
        await lock_account(tx, ACCOUNT.id)
        for session in await live_sessions(tx, ACCOUNT.id, self._clock.now()):
            if METHOD in session.methods:
                await self._sessions.end_in(tx, session.id, ACCOUNT.id, "the break-glass password was changed", SYSTEM)
