"""One-time links to accounts. Invitations and reset links are created, checked and used by the same rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor
from sealwright.clock import Clock, Instant, after, to_rfc3339
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token
from sealwright.identity import store
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.store import account as account_by_id
from sealwright.identity.directory.store import lock_account, lock_directory
from sealwright.identity.errors import LinkRefused
from sealwright.identity.models import Account, LinkPurpose, OneTimeLink
from sealwright.identity.policy import secret_digest

WithLink = Callable[[Transaction, Account, OneTimeLink], Awaitable[None]]
"""Stores something with a new link, in the same transaction."""

_NOUNS = {LinkPurpose.INVITE: "invitation", LinkPurpose.RESET: "link"}


class AccountLink(Struct, frozen=True):
    """A link that works now, and the account that it is for."""

    account: Account
    end_certificates: bool
    """Whether using it ends the account's certificates."""


class OneTimeLinks:
    """One link per account and purpose.

    It stops working when it is used, replaced or expired, when the account may not act, and when its creator no longer holds
    every permission of the account.
    """

    def __init__(self, db: Database, clock: Clock, entropy: Entropy, changes: AuthorizedChanges) -> None:
        self._db = db
        self._clock = clock
        self._entropy = entropy
        self._changes = changes

    def generate(self, lifetime: timedelta) -> OneTimeLink:
        """A new random link that is not stored yet."""
        return OneTimeLink(token(self._entropy), after(self._clock.now(), lifetime))

    async def insert(
        self,
        tx: Transaction,
        purpose: LinkPurpose,
        account: Account,
        link: OneTimeLink,
        *,
        actor: Actor,
        end_certificates: bool = False,
        with_link: WithLink | None = None,
    ) -> None:
        """Store a link and delete the account's earlier one. The caller has checked that `actor` may create it."""
        await store.delete_links(tx, purpose, account.id)
        await store.insert_link(
            tx,
            secret_digest(link.token),
            purpose,
            account.id,
            self._clock.now(),
            link.expires_at,
            created_by=actor.id,
            end_certificates=end_certificates,
        )
        if with_link is not None:
            await with_link(tx, account, link)

    async def require(self, purpose: LinkPurpose, link_token: str) -> AccountLink:
        """The link, if it works now; raises LinkRefused with the reason."""
        return await self._require(self._db, purpose, link_token)

    async def consume(self, tx: Transaction, purpose: LinkPurpose, link_token: str) -> AccountLink:
        """Use the link, once. Locks the directory and the account; raises LinkRefused with the reason."""
        await lock_directory(tx)
        link = await self._require(tx, purpose, link_token)
        await lock_account(tx, link.account.id)
        if not await store.consume_link(tx, secret_digest(link_token), purpose, self._clock.now()):
            raise await self._refusal(tx, purpose, link_token)
        return link

    async def _require(self, reader: Database | Transaction, purpose: LinkPurpose, link_token: str) -> AccountLink:
        now = self._clock.now()
        stored = await store.link(reader, secret_digest(link_token), purpose, now)
        account = None if stored is None or stored.account_id is None else await account_by_id(reader, stored.account_id)
        if stored is None or account is None or not account.status(now).active:
            raise await self._refusal(reader, purpose, link_token)
        if not await self._changes.creator_still_permitted(reader, stored.created_by, account, now):
            raise await self._refusal(reader, purpose, link_token)
        return AccountLink(account, stored.end_certificates)

    async def _refusal(self, reader: Database | Transaction, purpose: LinkPurpose, link_token: str) -> LinkRefused:
        dates = await store.used_or_expired(reader, secret_digest(link_token))
        return _refusal(dates, _NOUNS[purpose], self._clock.now())


def _refusal(dates: tuple[Instant | None, Instant] | None, noun: str, now: Instant) -> LinkRefused:
    """Why a link does not work. `dates`: when it was used and when it expires; None for an unknown link."""
    if dates is None:
        return LinkRefused(
            f"This {noun} is not known: a newer one replaced it, or a part of its address is missing.",
            hint="Open the whole address, from the newest message. If that does not help, ask an administrator for a new one.",
        )
    used_at, expires_at = dates
    if used_at is not None:
        return LinkRefused(
            f"This {noun} was used at {to_rfc3339(used_at)}, and works once.",
            hint="If it was you, sign in with the password that you chose. If not, tell an administrator now.",
        )
    if expires_at > now:
        return LinkRefused(
            f"This {noun} does not work any more: the account was disabled, or has authority that its creator lacks.",
            hint="Ask an administrator who holds every permission of the account for a new one.",
        )
    return LinkRefused(f"This {noun} was valid until {to_rfc3339(expires_at)}.", hint="Ask an administrator for a new one.")
