"""What is kept about people beside names and mail addresses: attributes and SSH public keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from sealwright.access import Actor, Permission, require
from sealwright.audit import Event
from sealwright.db import DuplicateRow, Transaction
from sealwright.errors import Conflict, InvalidInput, NotFound
from sealwright.identity.directory import store
from sealwright.identity.directory.people import People
from sealwright.identity.models import Account
from sealwright.identity.policy import check_display_name, local_name, printable, searchable
from sealwright.identity.profiles import store as profile_store
from sealwright.identity.profiles.attributes import PersonAttribute, check_attributes
from sealwright.identity.profiles.ssh_keys import MAX_KEYS, SshKey, check_public_key, check_tag


class Profiles(People):
    """Verbs about them. People may change their own without a permission."""

    async def attributes_of(self, account_id: str) -> dict[str, PersonAttribute]:
        """The attributes of an account by name. For other packages, which decide who may see them."""
        return await profile_store.attributes(self._db, searchable(account_id))

    async def ssh_keys_of(self, account_id: str) -> tuple[SshKey, ...]:
        """The SSH public keys of an account by tag. For other packages, which decide who may see them."""
        return tuple(await profile_store.ssh_keys(self._db, searchable(account_id)))

    async def set_attributes(self, who: str, changes: Mapping[str, str | None], *, actor: Actor) -> Account:
        """Set attributes of a person; None takes one away, and what is not named stays.

        What someone with the permission to change people asserts counts as verified; what people say of themselves does not.
        """
        checked = check_attributes(changes)
        if not checked:
            raise InvalidInput("No attribute is given to change.")

        async def body(tx: Transaction) -> Account:
            account = await self._own_or_changeable(tx, actor, who)
            now = self._clock.now()
            verified_at = now if actor.holds(Permission.PERSON_WRITE) else None
            held = await profile_store.attributes(tx, account.id)
            for name, value in checked.items():
                if value is None:
                    await profile_store.delete_attribute(tx, account.id, name)
                elif name not in held or held[name].value != value or verified_at is not None:
                    await profile_store.put_attribute(tx, account.id, name, value, verified_at)
            await store.set_display_name(tx, account.id, account.display_name, now)
            details = {"attributes": sorted(checked)}  # their names only: values are private, and the record is kept
            await self._audit.record(tx, Event.PERSON_UPDATED, actor=actor, target=account.reference, details=details)
            return await self._account_in(tx, account.id)

        return await self._write(who, actor, body)

    async def edit_own(self, display_name: str, changes: Mapping[str, str | None], *, actor: Actor) -> Account:
        """Change one's own display name and attributes; those that are not named stay."""
        text, checked = check_display_name(display_name), check_attributes(changes)

        async def body(tx: Transaction) -> Account:
            account = await self._own_or_changeable(tx, actor, actor.id)
            now = self._clock.now()
            for name, value in checked.items():
                if value is None:
                    await profile_store.delete_attribute(tx, account.id, name)
                else:
                    await profile_store.put_attribute(tx, account.id, name, value, None)
            await store.set_display_name(tx, account.id, text, now)
            details: dict[str, object] = {"attributes": sorted(checked)}
            if text != account.display_name:
                details |= {"display_name": text, "display_name_before": account.display_name}
            await self._audit.record(tx, Event.PERSON_UPDATED, actor=actor, target=account.reference, details=details)
            return await self._account_in(tx, account.id)

        return await self._changes.write(body)

    async def add_ssh_key(self, who: str, tag: str, public_key: str, *, actor: Actor) -> Account:
        """Add an SSH public key; a tag is used once."""
        await self._changes.require_in_person(Event.PERSON_UPDATED, actor, f"person:{who}", "add SSH keys")
        key = SshKey(check_tag(tag), check_public_key(public_key), self._clock.now())

        async def body(tx: Transaction) -> Account:
            account = await self._own_or_changeable(tx, actor, who)
            held = await profile_store.ssh_keys(tx, account.id)
            if len(held) >= MAX_KEYS:
                raise Conflict(f"{account.name} has {len(held)} SSH keys, which is as many as there can be.")
            if any(each.tag == key.tag for each in held):
                raise Conflict(
                    f"{account.name} has an SSH key {key.tag!r} already.",
                    hint="Delete it first, or take another tag.",
                    pointer="/tag",
                )
            await profile_store.insert_ssh_key(tx, account.id, key)
            details = {"ssh_key_added": key.tag, "public_key": key.public_key}
            await self._audit.record(tx, Event.PERSON_UPDATED, actor=actor, target=account.reference, details=details)
            return account

        try:
            return await self._write(who, actor, body)
        except DuplicateRow as cause:
            raise Conflict(f"There is an SSH key {key.tag!r} already.", pointer="/tag") from cause

    async def delete_ssh_key(self, who: str, tag: str, *, actor: Actor) -> Account:
        """Take an SSH public key away."""

        async def body(tx: Transaction) -> Account:
            account = await self._own_or_changeable(tx, actor, who)
            if not await profile_store.delete_ssh_key(tx, account.id, tag):
                raise NotFound(f"{account.name} has no SSH key {printable(tag, 80)!r}.")
            details = {"ssh_key_deleted": tag}
            await self._audit.record(tx, Event.PERSON_UPDATED, actor=actor, target=account.reference, details=details)
            return account

        return await self._write(who, actor, body)

    async def _write(self, who: str, actor: Actor, body: Callable[[Transaction], Awaitable[Account]]) -> Account:
        """Run `body`; for others than oneself only with the permission, and a refusal leaves an audit row."""
        found = await self.find(who)
        if found is not None and found.id == actor.id:
            return await self._changes.write(body)
        return await self._changes.run(Event.PERSON_UPDATED, Permission.PERSON_WRITE, actor, f"person:{who}", body)

    async def _own_or_changeable(self, tx: Transaction, actor: Actor, who: str) -> Account:
        """The account, locked, where it is the actor's own or one that they may change; no one else learns whether it exists."""
        found = await store.find_account(tx, local_name(who, self._domain))
        if found is None or found.id != actor.id:
            require(actor, Permission.PERSON_WRITE)
            return await self._changeable(tx, actor, who, "change")
        await store.lock_account(tx, found.id)
        return await self._account_in(tx, found.id)  # as it is now that no one else changes it
