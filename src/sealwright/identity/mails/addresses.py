"""Confirm mail addresses by links, vouch for them, and let people change their own.

An address that no one has proven is never stated as verified, and never certified. A link is bound to one address of one account:
what is stored is the digest of both, and it works only for someone who is signed in to that account. Else a stranger could
enter an address and have its owner confirm it for them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor, Permission
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after, between
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token
from sealwright.errors import Conflict, NotFound, NotPermitted, RateLimited
from sealwright.identity import store as link_store
from sealwright.identity.account_policy import store as policies
from sealwright.identity.directory import store as directory_store
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.lookup import account_not_found
from sealwright.identity.directory.people import parse_mails, require_free_mails
from sealwright.identity.errors import LinkRefused
from sealwright.identity.mails import store
from sealwright.identity.models import Account, LinkPurpose, MailAddress
from sealwright.identity.policy import fold_mail, local_name, printable, secret_digest

MAIL_LINK_LIFETIME = timedelta(hours=24)
PAUSE = timedelta(minutes=1)
"""Between two links to one account."""


class MailLink(Struct, frozen=True):
    """A link that confirms one address, to be sent there and nowhere else."""

    address: str
    token: str
    digest: bytes
    expires_at: Instant


WithMailLink = Callable[[Transaction, Account, MailLink], Awaitable[None]]
"""Stores something with a new link, in the same transaction."""


class MailAddresses:
    """Operations on mail addresses."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        changes: AuthorizedChanges,
        *,
        domain: str,
        edit_own: bool,
    ) -> None:
        """`edit_own`: whether people may change their own addresses where none of their groups says so."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._changes = changes
        self._domain = domain
        self._edit_own = edit_own

    async def may_edit_own(self, account_id: str) -> bool:
        """Whether a person may change their own addresses: what their groups say, else what the settings do."""
        return await self._may_edit_own(self._db, account_id)

    async def _may_edit_own(self, reader: Database | Transaction, account_id: str) -> bool:
        said = (await policies.of_account(reader, account_id)).self_mail_write
        return self._edit_own if said is None else said

    async def create_link(self, address: str, with_link: WithMailLink, *, actor: Actor) -> MailLink:
        """Make a link for an address of one's own that is not confirmed yet; `with_link` queues the message.

        It takes the place of the one before. Raises RateLimited where that was made a moment ago.
        """
        secret, now = token(self._entropy), self._clock.now()

        async def body(tx: Transaction) -> MailLink:
            account = await self._own(tx, actor)
            mail = _of(account, address)
            if mail.verified:
                raise Conflict(f"{mail.address} is confirmed already.")
            newest = await store.newest_link(tx, account.id)
            if newest is not None and timedelta() <= between(newest, now) < PAUSE:
                raise RateLimited(
                    "A link was sent a moment ago. Wait a minute before you ask for another.",
                    retry_after=int(PAUSE.total_seconds()),
                )
            link = MailLink(mail.address, secret, _digest(secret, account.id, mail.address), after(now, MAIL_LINK_LIFETIME))
            await link_store.delete_links(tx, LinkPurpose.MAIL, account.id)
            await link_store.insert_link(tx, link.digest, LinkPurpose.MAIL, account.id, now, link.expires_at, created_by=actor.id)
            await with_link(tx, account, link)
            details = {"address": mail.address, "expires_at": link.expires_at}
            await self._audit.record(tx, Event.MAIL_LINK_CREATED, actor=actor, target=account.reference, details=details)
            return link

        return await self._db.write(body)

    async def address_of_link(self, link_token: str, *, actor: Actor) -> str:
        """The address of the signed-in person that a link confirms; raises LinkRefused with the reason."""
        account = await directory_store.account(self._db, actor.id)
        now = self._clock.now()
        for mail in () if account is None else account.mails:
            if await link_store.link(self._db, _digest(link_token, actor.id, mail.address), LinkPurpose.MAIL, now) is not None:
                return mail.address
        raise await self._refusal(account, link_token)

    async def confirm(self, link_token: str, *, actor: Actor) -> str:
        """Use a link, once: the address counts as the person's from now on. Returns it; raises LinkRefused."""

        async def body(tx: Transaction) -> str:
            account = await self._own(tx, actor)
            now = self._clock.now()
            for mail in account.mails:
                if await link_store.consume_link(tx, _digest(link_token, account.id, mail.address), LinkPurpose.MAIL, now):
                    await self._changes.require_may_give(tx, actor, [mail.address], account.name)
                    await self._set_verified(tx, account, mail, verified=True, by="link", actor=actor)
                    return mail.address
            raise await self._refusal(account, link_token)

        return await self._changes.run(Event.MAIL_VERIFICATION_SET, None, actor, f"person:{actor.id}", body)

    async def set_verified(self, who: str, address: str, *, verified: bool, actor: Actor) -> Account:
        """Vouch for an address of a person, or take that back."""

        async def body(tx: Transaction) -> Account:
            await directory_store.lock_directory(tx)
            account = await directory_store.find_account(tx, local_name(who, self._domain))
            if account is None:
                raise account_not_found(who)
            await self._changes.require_over_account(tx, actor, account, "vouch for an address of")
            mail = _of(account, address)
            if verified:
                await self._changes.require_may_give(tx, actor, [mail.address], account.name)
            if mail.verified != verified:
                await self._set_verified(tx, account, mail, verified=verified, by="administrator", actor=actor)
            return await directory_store.account(tx, account.id) or account

        return await self._changes.run(Event.MAIL_VERIFICATION_SET, Permission.PERSON_WRITE, actor, f"person:{who}", body)

    async def set_own(self, addresses: Sequence[str], *, actor: Actor) -> Account:
        """Replace one's own addresses. One that stays is proven as before; a new one is not.

        Raises NotPermitted where people may not change theirs, and where a new address carries authority that they lack.
        """

        async def body(tx: Transaction) -> Account:
            if not await self._may_edit_own(tx, actor.id):
                raise NotPermitted(
                    "People do not change their own e-mail addresses on this server.", hint="Ask an administrator to change it."
                )
            account = await self._own(tx, actor)
            held = {fold_mail(mail.address): mail.verified for mail in account.mails}
            mails = parse_mails([MailAddress(each, verified=held.get(fold_mail(each), False)) for each in addresses])
            new = [mail.address for mail in mails if fold_mail(mail.address) not in held]
            if new:
                await self._changes.require_may_give(tx, actor, new, account.name)
                await require_free_mails(tx, mails, but=account.id)
            now = self._clock.now()
            await directory_store.replace_mails(tx, account.id, mails, now)
            await directory_store.set_display_name(tx, account.id, account.display_name, now)
            details = {
                "mails": [mail.address for mail in mails],
                "mails_before": [mail.address for mail in account.mails],
                "verified": [mail.address for mail in mails if mail.verified],
            }
            await self._audit.record(tx, Event.PERSON_UPDATED, actor=actor, target=account.reference, details=details)
            return await directory_store.account(tx, account.id) or account

        return await self._changes.run(Event.PERSON_UPDATED, None, actor, f"person:{actor.id}", body)

    async def _own(self, tx: Transaction, actor: Actor) -> Account:
        await directory_store.lock_directory(tx)
        await directory_store.lock_account(tx, actor.id)
        account = await directory_store.account(tx, actor.id)
        if account is None:
            raise account_not_found(actor.name)
        return account

    async def _set_verified(
        self, tx: Transaction, account: Account, mail: MailAddress, *, verified: bool, by: str, actor: Actor
    ) -> None:
        now = self._clock.now()
        await store.set_verified(tx, account.id, mail.address, now if verified else None)
        await directory_store.set_display_name(tx, account.id, account.display_name, now)
        details = {"address": mail.address, "verified": verified, "by": by}
        await self._audit.record(tx, Event.MAIL_VERIFICATION_SET, actor=actor, target=account.reference, details=details)

    async def _refusal(self, account: Account | None, link_token: str) -> LinkRefused:
        for mail in () if account is None else account.mails:
            dates = await link_store.used_or_expired(self._db, _digest(link_token, account.id if account else "", mail.address))
            if dates is not None and dates[0] is not None:
                return LinkRefused(f"This link was used, and works once. {mail.address} is {_state(mail)}.")
            if dates is not None:
                return LinkRefused("This link has expired.", hint="Ask for another one on your account page.")
        return LinkRefused(
            "This link is not for an address of the account that you are signed in to.",
            reasons=("it was made for another account, the address was taken out since, or a newer link replaced it",),
            hint="Sign in to the account that asked for it, or ask for another link on your account page.",
        )


def _state(mail: MailAddress) -> str:
    return "confirmed" if mail.verified else "not confirmed"


def _of(account: Account, address: str) -> MailAddress:
    found = next((mail for mail in account.mails if fold_mail(mail.address) == fold_mail(address)), None)
    if found is None:
        raise NotFound(f"{account.name} has no e-mail address {printable(address, 80)!r}.")
    return found


def _digest(link_token: str, account_id: str, address: str) -> bytes:
    return secret_digest(f"mail:{link_token}:{account_id}:{fold_mail(address)}")
