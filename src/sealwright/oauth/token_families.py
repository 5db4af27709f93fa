"""Families of tokens: who holds one, whether it still holds, and its end."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor
from sealwright.audit import Event
from sealwright.clock import after
from sealwright.db import Transaction
from sealwright.identity import Account, Session
from sealwright.oauth import store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AuthorizationEnded
from sealwright.oauth.lookups import SessionLookup
from sealwright.oauth.models import Client, TokenFamily

CLOCK_DIFFERENCE = timedelta(seconds=5)
"""How far the clocks of two of our nodes may differ."""


class FamilyHolder(Struct, frozen=True):
    """The person for whom a family was made, as they are now."""

    account: Account
    session: Session


class TokenFamilies:
    """Asks anew at every use: a revoked family, an ended session or a disabled person counts at once, on every node."""

    def __init__(self, dependencies: OAuthDependencies, *, sessions: SessionLookup) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._sessions = sessions

    async def find(self, family_id: str) -> TokenFamily | None:
        """The family with this identifier."""
        return await store.family(self._db, family_id)

    async def holder_of(self, family: TokenFamily, *, signed_in: bool = False) -> FamilyHolder | None:
        """The person of the family, None where it is the client's own; raises AuthorizationEnded where it no longer holds.

        A session that only idles still holds for its applications: they are what the person uses meanwhile. Its end and its
        longest duration bind them. A family with `offline_access` outlives both, unless the session was ended by other means than
        signing out of it; `signed_in`: it must not.
        """
        if family.revoked_at is not None:
            raise AuthorizationEnded("The authorization was revoked.")
        if family.session_id is None:
            return None
        now = self._clock.now()
        found = await self._sessions.with_account(family.session_id)
        if found is None:
            raise AuthorizationEnded("The sign-in that the authorization rests on has ended.")
        session, account = found
        if family.is_offline and not signed_in:
            # A session may live on after what was made in it so far was revoked: what was made later holds.
            is_over = session.revoked_at is not None and family.created_at <= after(session.revoked_at, CLOCK_DIFFERENCE)
        else:
            is_over = session.ended_at is not None or session.expires_at <= now
        if is_over:
            raise AuthorizationEnded("The sign-in that the authorization rests on has ended.")
        if account.id != family.account_id:
            raise AuthorizationEnded("The sign-in that the authorization rests on is someone else's.")
        status = account.status(now)
        if not status.active:
            raise AuthorizationEnded(f"The person may not act now: {status.reason}.")
        return FamilyHolder(account, session)

    async def revoke(self, tx: Transaction, family: TokenFamily, client: Client, reason: str, actor: Actor) -> None:
        """End every token of the family, and record it once."""
        if await store.revoke_family(tx, family.id, reason, self._clock.now()):
            await self._audit.record(
                tx,
                Event.TOKEN_FAMILY_REVOKED,
                actor=actor,
                target=f"client:{client.id}",
                details=_details(family, client, reason),
            )

    async def refuse(self, family: TokenFamily, client: Client, reason: str, actor: Actor, *, revoke: bool = False) -> None:
        """Record that a token request about a known family was refused, and where `revoke` is set, end the family."""
        if revoke:

            async def body(tx: Transaction) -> None:
                await self.revoke(tx, family, client, reason, actor)

            await self._db.write(body)
        await self._audit.refused(
            self._db,
            Event.TOKEN_REFUSED,
            actor=actor,
            target=f"client:{client.id}",
            reason=reason,
            details=_details(family, client, reason),
        )


def _details(family: TokenFamily, client: Client, reason: str) -> dict[str, str]:
    account = {} if family.account_id is None else {"account": family.account_id}
    return {"client": client.name, "family": family.id, **account, "reason": reason}
