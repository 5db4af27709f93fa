"""Show what was deleted, and revive it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sealwright.access import DYNAMIC_GROUPS, Actor, Permission, require
from sealwright.audit import Audit, Event
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.errors import NotFound
from sealwright.identity.account_policy import store as policies
from sealwright.identity.directory import store as directory
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.people import require_free_name
from sealwright.identity.models import Account, Group
from sealwright.identity.policy import local_name, printable, searchable
from sealwright.identity.profiles import store as profiles
from sealwright.identity.recycle_bin import store
from sealwright.identity.recycle_bin.content import KeptAccount, KeptGroup, account_in, group_in


class RevivedAccount(Struct, frozen=True):
    """A revived account, and what of it could not be restored."""

    account: Account
    lost_mails: tuple[str, ...]
    """Addresses that another account has by now."""


class RecycleBin:
    """Operations on deleted accounts and groups. No one can revive one that would have a permission which they lack."""

    def __init__(self, db: Database, audit: Audit, clock: Clock, changes: AuthorizedChanges, *, domain: str) -> None:
        """`domain`: the part after the @ of an SPN."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._changes = changes
        self._domain = domain

    async def list_accounts(self, *, beyond: str, at_most: int, actor: Actor) -> list[store.BinEntry]:
        """Deleted people and service accounts by name."""
        require(actor, Permission.PERSON_READ)
        return await store.page(self._db, store.ACCOUNTS, beyond=searchable(beyond), at_most=at_most)

    async def list_groups(self, *, beyond: str, at_most: int, actor: Actor) -> list[store.BinEntry]:
        """Deleted groups by name."""
        require(actor, Permission.GROUP_READ)
        return await store.page(self._db, store.GROUPS, beyond=searchable(beyond), at_most=at_most)

    async def show_account(self, who: str, *, actor: Actor) -> store.BinEntry:
        """A deleted person or service account, by name, SPN or id."""
        require(actor, Permission.PERSON_READ)
        return await self._found(self._db, store.ACCOUNTS, who)

    async def show_group(self, who: str, *, actor: Actor) -> store.BinEntry:
        """A deleted group, by name, SPN or id."""
        require(actor, Permission.GROUP_READ)
        return await self._found(self._db, store.GROUPS, who)

    async def revive_account(self, who: str, *, actor: Actor) -> RevivedAccount:
        """Bring an account back with its id, names, profile and groups, and without a credential; certificates stay ended."""

        async def body(tx: Transaction) -> RevivedAccount:
            await directory.lock_directory(tx)
            entry = await self._found(tx, store.ACCOUNTS, who)
            await store.take(tx, entry.id)
            await require_free_name(tx, entry.name)
            revived, lost = await self._restore_account(tx, account_in(entry))
            await self._changes.require_over_account(tx, actor, revived, "revive")
            await self._changes.require_may_give(tx, actor, [mail.address for mail in revived.mails], revived.name)
            details = {"name": revived.name, "lost_mails": list(lost)}
            await self._audit.record(tx, Event.PERSON_REVIVED, actor=actor, target=revived.reference, details=details)
            return RevivedAccount(revived, lost)

        return await self._changes.run(Event.PERSON_REVIVED, Permission.PERSON_WRITE, actor, f"person:{who}", body)

    async def revive_group(self, who: str, *, actor: Actor) -> Group:
        """Bring a group back with its id, members, account policy and the groups that it was in; not with scope maps or roles."""

        async def body(tx: Transaction) -> Group:
            await directory.lock_directory(tx)
            entry = await self._found(tx, store.GROUPS, who)
            kept = group_in(entry)
            await store.take(tx, entry.id)
            await require_free_name(tx, entry.name)
            await self._changes.require_may_name(tx, actor, kept.group, f"revive the group {entry.name}")
            await self._restore_group(tx, kept)
            await self._changes.require_over_group(tx, actor, kept.group, "revive")
            details = {"name": kept.group.name}
            await self._audit.record(tx, Event.GROUP_REVIVED, actor=actor, target=f"group:{kept.group.id}", details=details)
            return kept.group

        return await self._changes.run(Event.GROUP_REVIVED, Permission.GROUP_WRITE, actor, f"group:{who}", body)

    async def _found(self, reader: Database | Transaction, kinds: store.Kinds, who: str) -> store.BinEntry:
        found = await store.find(reader, kinds, local_name(who, self._domain))
        if found is None:
            what = "group" if kinds == store.GROUPS else "account"
            raise NotFound(
                f"There is no {what} {printable(who, 80)!r} in the recycle bin.", reasons=("it is emptied after some days",)
            )
        return found

    async def _restore_account(self, tx: Transaction, kept: KeptAccount) -> tuple[Account, tuple[str, ...]]:
        now = self._clock.now()
        taken = [mail for mail in kept.account.mails if await directory.owner_of_mail(tx, mail.address) is not None]
        mails = tuple(mail for mail in kept.account.mails if mail not in taken)
        account = replace(kept.account, mails=mails, updated_at=now)
        await directory.insert_account(tx, account)
        await directory.set_credential_generation(tx, account.id, kept.credential_generation + 1)
        for name, attribute in kept.attributes.items():
            await profiles.put_attribute(tx, account.id, name, attribute.value, now if attribute.verified else None)
        for key in kept.ssh_keys:
            await profiles.insert_ssh_key(tx, account.id, key)
        for group_id in kept.groups:
            group = await directory.find_group(tx, group_id)
            if group is not None:
                await directory.add_member(tx, group.id, account)
        return account, tuple(mail.address for mail in taken)

    async def _restore_group(self, tx: Transaction, kept: KeptGroup) -> None:
        group = kept.group
        await directory.insert_group(tx, group)
        for group_id in kept.groups:
            outer = await directory.find_group(tx, group_id)
            if outer is not None:
                await directory.add_member(tx, outer.id, group)
        above = await directory.groups_above(tx, group.id) | {group.id}
        for group_id in kept.member_groups:
            inner = await directory.find_group(tx, group_id)
            if inner is None or inner.id in above:
                continue  # it was nested the other way round meanwhile
            everyone = (await directory.groups_below(tx, inner.id) | {inner.id}) & DYNAMIC_GROUPS
            if not everyone or not await self._changes.carries_authority(tx, group):
                await directory.add_member(tx, group.id, inner)
        for account_id in kept.accounts:
            account = await directory.account(tx, account_id)
            if account is not None:
                await directory.add_member(tx, group.id, account)
        if kept.policy is not None:
            await policies.put(tx, group.id, kept.policy)
