"""Sessions: who is behind a token, and the end of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec.structs import replace

from sealwright.access import Actor, Permission, permissions_of_account, require
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token, uuid4
from sealwright.errors import Action, Remedy
from sealwright.identity import store
from sealwright.identity.account_policy import store as policies
from sealwright.identity.account_policy.models import PASSKEY_METHODS, AccountPolicy, CredentialMinimum
from sealwright.identity.directory.store import lock_account
from sealwright.identity.errors import SessionNotFound, StrongerCredentialNeeded
from sealwright.identity.models import (
    Account,
    AccountKind,
    OwnedSession,
    Session,
    SessionEnd,
    SessionKind,
    SessionLifetimes,
    SignedIn,
)
from sealwright.identity.policy import (
    printable,
    privileged_until,
    searchable,
    secret_digest,
    session_end_reason,
    session_expires_at,
)

TOUCHED_AFTER = timedelta(minutes=1)
MAX_SESSIONS = 50
"""Of one account; the oldest ends when another one begins."""


SessionEnded = Callable[[Transaction, str, str, Instant], Awaitable[None]]
"""What else is stored in the transaction that ends a session: called with the session's id, its account's id, and the time."""


async def nothing_else(_tx: Transaction, _session_id: str, _account_id: str, _now: Instant) -> None:
    """A `SessionEnded` that stores nothing."""


class Sessions:
    """Sessions are rows in the database, so that their end counts at once: the token itself holds nothing about them."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        rules: SessionLifetimes,
        *,
        session_ended: SessionEnded = nothing_else,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._rules = rules
        self._session_ended = session_ended

    async def resolve(
        self, session_token: str, address: str, *, kind: SessionKind, even_restricted: bool = False, touch: bool = True
    ) -> SignedIn | None:
        """Who holds the token, if the session and its account are valid now. `address`: of the peer, for the actor.

        A session counts only where it was begun: a terminal's has no idle limit, so its token is not a cookie. One in which the
        credential is still to be added that a policy asks for counts only with `even_restricted`. Without `touch` the session
        does not count as used.
        """
        found = await store.session_by_digest(self._db, secret_digest(session_token))
        if found is None:
            return None
        session, account = found
        now = self._clock.now()
        if (
            session.kind is not kind
            or (session.restricted and not even_restricted)
            or session_end_reason(session, self._rules, now) is not None
            or not account.status(now).active
        ):
            return None
        if touch and after(session.last_seen_at, TOUCHED_AFTER) <= now:

            async def body(tx: Transaction) -> None:
                await store.touch_session(tx, session.id, now)

            await self._db.write(body)
        return await self.signed_in(account, session, address)

    async def why_refused(self, session_token: str, *, kind: SessionKind) -> SessionEnd:
        """Why `resolve` did not take a token of this kind."""
        found = await store.session_by_digest(self._db, secret_digest(session_token))
        if found is None or found[0].kind is not kind:
            return SessionEnd.INVALID
        session, account = found
        now = self._clock.now()
        if not account.status(now).active:
            return SessionEnd.ACCOUNT_NOT_ACTIVE
        reason = session_end_reason(session, self._rules, now)
        return reason or (SessionEnd.RESTRICTED if session.restricted else SessionEnd.INVALID)

    async def signed_in(self, account: Account, session: Session, address: str) -> SignedIn:
        """The session with the permissions that its account has now."""
        permissions = await permissions_of_account(self._db, account.id, self._clock.now(), session_id=session.id)
        actor = account.as_actor(permissions=permissions, session_id=session.id, address=address)
        return SignedIn(account, session, actor)

    async def is_privileged(self, signed_in: SignedIn) -> bool:
        """Whether the last sign-in of the session is recent enough to change credentials and administration.

        An API token counts as recent: it is the credential of the service account itself. An API key counts as well, for what
        is open to keys at all: its scope and its end were decided in a recent sign-in.
        """
        now = self._clock.now()
        session = signed_in.session
        if session.kind in (SessionKind.API_TOKEN, SessionKind.API_KEY):  # there is no one who could sign in again
            return True
        policy = await policies.of_account(self._db, signed_in.account.id)
        return session.authenticated_at <= now < privileged_until(session, under(self._rules, policy))

    async def begin(
        self,
        tx: Transaction,
        account: Account,
        kind: SessionKind,
        methods: tuple[str, ...],
        *,
        address: str,
        user_agent: str,
        held_token: str = "",
        authenticated_at: Instant | None = None,
    ) -> tuple[str, Session]:
        """Make a session in the caller's transaction, which holds the account's lock; returns its token, shown only once.

        `held_token` is the one that the browser sent. If it belongs to a live session of the account, that session continues,
        and with it what applications were given under it. It gets the methods proven now and a new token, so that the old token
        is worth nothing afterwards.

        `authenticated_at`: when the person proved who they are, where that was earlier and not here.

        Where a policy asks for more than was proven, a browser's session only serves to add it, and a terminal gets none:
        StrongerCredentialNeeded. A built-in account is never kept out, as it opens a server that no one else can.
        """
        now = self._clock.now()
        policy = await policies.of_account(tx, account.id)
        restricted = account.kind is AccountKind.PERSON and not policy.minimum.is_met_by(methods)
        if restricted and kind is SessionKind.TERMINAL:
            raise _stronger_credential_needed(account, policy)
        session_token = token(self._entropy)
        digest = secret_digest(session_token)
        session = Session(
            id=uuid4(self._entropy),
            account_id=account.id,
            kind=kind,
            methods=methods,
            address=address,
            user_agent=printable(user_agent),
            created_at=now,
            authenticated_at=now if authenticated_at is None else authenticated_at,
            last_seen_at=now,
            expires_at=session_expires_at(kind, under(self._rules, policy), now),
            ended_at=None,
            restricted=restricted,
        )
        before = await self._held(tx, account, kind, held_token) if held_token else None
        continued = replace(session, id=before.id, created_at=before.created_at) if before else None
        if continued and await store.continue_session(tx, continued, digest, held=secret_digest(held_token)):
            session = continued
        else:
            await self._end_oldest_sessions(tx, account, session)
            await store.insert_session(tx, session, digest)
        details = {"session": session.id, "kind": str(kind), "methods": list(methods), "address": address}
        more = {"continued": True} if session is continued else {}
        actor = account.as_actor(session_id=session.id, address=address)
        await self._audit.record(tx, Event.SIGN_IN, actor=actor, target=account.reference, details={**details, **more})
        return session_token, session

    async def _held(self, tx: Transaction, account: Account, kind: SessionKind, held_token: str) -> Session | None:
        """The session that the token opens, where it is one of this account and kind, and valid."""
        found = await store.session_by_digest(tx, secret_digest(held_token))
        if found is None:
            return None
        session, _ = found
        same = (session.account_id, session.kind) == (account.id, kind)
        return session if same and session_end_reason(session, self._rules, self._clock.now()) is None else None

    async def _end_oldest_sessions(self, tx: Transaction, account: Account, coming: Session) -> None:
        """End the sessions of an account that are too many once another one has begun."""
        actor = account.as_actor(session_id=coming.id, address=coming.address)
        live = await store.live_sessions(tx, account.id, coming.created_at)
        for oldest in live[MAX_SESSIONS - 1 :]:
            await self._end(tx, oldest.id, account.id, "the account began too many others", actor)

    async def list_of(self, account_id: str, *, actor: Actor) -> tuple[Session, ...]:
        """Valid sessions of an account, the latest sign-in first. One's own need no permission."""
        if account_id != actor.id:
            require(actor, Permission.SESSION_READ)
        now = self._clock.now()
        live = await store.live_sessions(self._db, account_id, now)
        return tuple(session for session in live if session_end_reason(session, self._rules, now) is None)

    async def list_all(self, *, beyond: str = "", at_most: int, actor: Actor) -> tuple[OwnedSession, ...]:
        """Valid sessions of everyone, by id, after the id `beyond`."""
        require(actor, Permission.SESSION_READ)
        now, after_id = self._clock.now(), searchable(beyond)
        found: list[OwnedSession] = []
        while len(found) < at_most:
            page = await store.live_sessions_page(self._db, now, beyond=after_id, at_most=at_most)
            found += [each for each in page if session_end_reason(each.session, self._rules, now) is None]
            if len(page) < at_most:
                break
            after_id = page[-1].session.id
        return tuple(found[:at_most])

    async def count_of(self, account_id: str) -> int:
        """How many valid sessions an account has. For callers that may end them."""
        now = self._clock.now()
        live = await store.live_sessions(self._db, account_id, now)
        return sum(session_end_reason(session, self._rules, now) is None for session in live)

    async def session(self, session_id: str) -> Session | None:
        """One session, whether it is valid or not."""
        return await store.session(self._db, searchable(session_id))

    async def with_account(self, session_id: str) -> tuple[Session, Account] | None:
        """One session and its account, whether they are valid or not; for packages whose rows belong to a session."""
        return await store.session_with_account(self._db, searchable(session_id))

    async def end(self, session_id: str, reason: str, *, actor: Actor) -> None:
        """End one session at once. One's own needs no permission; one that is not valid raises SessionNotFound.

        To end the very session that one acts in is to sign out, which applications with `offline_access` outlive; to end another
        ends them as well: the device may be in other hands.
        """

        async def body(tx: Transaction) -> None:
            session = await store.session(tx, searchable(session_id))
            if session is None or session.account_id != actor.id:
                require(actor, Permission.SESSION_REVOKE)
            if session is None or not await self._end(tx, session.id, session.account_id, reason, actor):
                raise SessionNotFound(f"There is no session {printable(session_id, 80)!r} that could be ended.")
            if session.id != actor.session_id:
                await store.revoke_session(tx, session.id, self._clock.now())

        await self._db.write(body)

    async def end_all(self, account_id: str, reason: str, *, actor: Actor, but: str = "") -> int:
        """End every session of an account except `but`; returns how many."""
        if account_id != actor.id:
            require(actor, Permission.SESSION_REVOKE)

        async def body(tx: Transaction) -> int:
            await lock_account(tx, account_id)
            return await self.end_all_in(tx, account_id, reason, actor=actor, but=but)

        return await self._db.write(body)

    async def end_all_in(self, tx: Transaction, account_id: str, reason: str, *, actor: Actor, but: str = "") -> int:
        """The same in the caller's transaction, which has decided that it may be done."""
        ended = await store.end_sessions(tx, account_id, reason, self._clock.now(), but=but)
        for session_id in ended:
            await self._record_end(tx, session_id, account_id, reason, actor)
        return len(ended)

    async def end_begun_by_passkey_in(self, tx: Transaction, account_id: str, reason: str, *, actor: Actor) -> int:
        """End the sessions that a passkey began, except the actor's own; returns how many. Which passkey it was is not kept."""
        now, ended = self._clock.now(), 0
        for session in await store.live_sessions(tx, account_id, now):
            if not PASSKEY_METHODS & set(session.methods):
                continue
            await store.revoke_session(tx, session.id, now)
            if session.id != actor.session_id:
                ended += await self._end(tx, session.id, account_id, reason, actor)
        return ended

    async def end_in(self, tx: Transaction, session_id: str, account_id: str, reason: str, actor: Actor) -> bool:
        """End one session, and what was given under it, in the caller's transaction, which has decided that it may be done."""
        ended = await self._end(tx, session_id, account_id, reason, actor)
        await store.revoke_session(tx, session_id, self._clock.now())
        return ended

    async def _end(self, tx: Transaction, session_id: str, account_id: str, reason: str, actor: Actor) -> bool:
        if not await store.end_session(tx, session_id, reason, self._clock.now()):
            return False
        await self._record_end(tx, session_id, account_id, reason, actor)
        return True

    async def _record_end(self, tx: Transaction, session_id: str, account_id: str, reason: str, actor: Actor) -> None:
        details = {"reason": reason, "account": account_id}
        await self._audit.record(tx, Event.SESSION_ENDED, actor=actor, target=f"session:{session_id}", details=details)
        await self._session_ended(tx, session_id, account_id, self._clock.now())


def under(rules: SessionLifetimes, policy: AccountPolicy) -> SessionLifetimes:
    """The durations that hold for an account: those of the settings, which its groups may shorten and never lengthen."""
    auth, privileged = policy.auth_expiry, policy.privilege_expiry
    return SessionLifetimes(
        idle=rules.idle,
        absolute=rules.absolute if auth is None else min(auth, rules.absolute),
        terminal=rules.terminal if auth is None else min(auth, rules.terminal),
        privileged=rules.privileged if privileged is None else min(privileged, rules.privileged),
    )


def _stronger_credential_needed(account: Account, policy: AccountPolicy) -> StrongerCredentialNeeded:
    passkey = policy.minimum is CredentialMinimum.PASSKEY
    return StrongerCredentialNeeded(
        f"{account.name} cannot sign in at a terminal with what was proven.",
        reasons=(f"the group {policy.asked_by} asks its members for {policy.minimum.words}",),
        hint="Passkeys are used in a browser only." if passkey else "",
        remedy=None if passkey else Remedy(Action.SET_UP_SECOND_FACTOR, account.name),
    )
