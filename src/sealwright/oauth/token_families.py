"""Families of tokens: who holds one, whether it is still valid, and its end."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor
from sealwright.audit import Event
from sealwright.ca import ClientCertificates
from sealwright.clock import after
from sealwright.db import Transaction
from sealwright.identity import Account, Session
from sealwright.oauth import store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AuthorizationEnded
from sealwright.oauth.lookups import IdentityLookups
from sealwright.oauth.models import Client, TokenFamily, TokenSource
from sealwright.oauth.trusted_issuers import store as trust_store

CLOCK_DIFFERENCE = timedelta(seconds=5)
"""How far the clocks of two of our nodes may differ."""


class FamilyHolder(Struct, frozen=True):
    """The person for whom a family was made, as they are now."""

    account: Account
    session: Session | None
    """None for a service account, which does not sign in."""


class TokenFamilies:
    """Asks anew at every use: a revoked family, an ended session or a disabled person counts at once, on every node."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        people: IdentityLookups,
        certificates: ClientCertificates,
    ) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._sessions = people.sessions
        self._api_tokens = people.api_tokens
        self._directory = people.directory
        self._certificates = certificates

    async def find(self, family_id: str) -> TokenFamily | None:
        """The family with this identifier."""
        return await store.family(self._db, family_id)

    async def holder_of(self, family: TokenFamily, *, signed_in: bool = False) -> FamilyHolder | None:
        """The person of the family, None where it is the client's own; raises AuthorizationEnded where it is no longer valid.

        A session that only idles is still valid for its applications: they are what the person uses meanwhile. Its end and its
        longest duration bind them. A family with `offline_access` outlives both, unless the session was ended by other means than
        signing out of it; `signed_in`: it must not. One that was exchanged holds as long as all that it was made from.
        """
        if family.revoked_at is not None:
            raise AuthorizationEnded("The authorization was revoked.")
        if family.origin is not None:
            holders = [await self._holder_of_source(source) for source in family.origin.sources]
            return holders[0]
        if family.session_id is None:
            return None
        now = self._clock.now()
        found = await self._sessions.with_account(family.session_id)
        if found is None:
            raise AuthorizationEnded("The sign-in that the authorization rests on has ended.")
        session, account = found
        if family.is_offline and not signed_in:
            # A session may live on after what was made in it so far was revoked: what was made later is valid.
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

    async def _holder_of_source(self, source: TokenSource) -> FamilyHolder | None:
        if source.certificate:
            thumbprint = urlsafe_b64decode(source.certificate + "=")
            ended = await self._certificates.why_ended(source.certificate_serial, thumbprint)
            if ended:
                raise AuthorizationEnded(f"The token that it was made from does not hold: {ended}.")
        if source.api_token:
            return await self._holder_of_api_token(source.api_token)
        if source.rule:
            return await self._holder_by_rule(source)
        family = await self.find(source.family)
        if family is None:
            raise AuthorizationEnded("The token that it was made from is gone.")
        return await self.holder_of(family)

    async def _holder_of_api_token(self, token_id: str) -> FamilyHolder:
        found, now = await self._api_tokens.with_account(token_id), self._clock.now()
        if found is None or (found[0].expires_at is not None and found[0].expires_at <= now):
            raise AuthorizationEnded("The API token that it was made from was revoked or has expired.")
        return self._service(found[1])

    async def _holder_by_rule(self, source: TokenSource) -> FamilyHolder | None:
        rule = await trust_store.rule(self._db, source.rule)
        if rule is None:
            raise AuthorizationEnded("The rule of the trusted issuer by which it was made is gone.")
        if rule.revision != source.rule_revision:
            raise AuthorizationEnded("The trusted issuer or its rule was changed since, and might not give it now.")
        account = None if rule.account_id is None else await self._directory.account(rule.account_id)
        return None if account is None else self._service(account)

    def _service(self, account: Account) -> FamilyHolder:
        status = account.status(self._clock.now())
        if not status.active:
            raise AuthorizationEnded(f"The service account may not act now: {status.reason}.")
        return FamilyHolder(account, None)

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

    async def refuse(
        self, family: TokenFamily, client: Client, reason: str, actor: Actor, *, revoke: bool = False, detail: str = ""
    ) -> None:
        """Record that a token request about a known family was refused, and where `revoke` is set, end the family.

        `reason` holds nothing that the client can choose, since refusals are counted by it; `detail` stands in the row for it.
        """
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
            details=_details(family, client, detail or reason),
        )


def _details(family: TokenFamily, client: Client, reason: str) -> dict[str, str]:
    account = {} if family.account_id is None else {"account": family.account_id}
    return {"client": client.name, "family": family.id, **account, "reason": reason}
