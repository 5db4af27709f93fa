"""Create and change people."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from sealwright.access import Actor, Permission, require
from sealwright.audit import Event, changes_between
from sealwright.clock import Instant, to_rfc3339
from sealwright.db import Transaction
from sealwright.entropy import uuid4
from sealwright.errors import Action, InvalidInput, Remedy, in_member
from sealwright.identity import store as credential_store
from sealwright.identity.api_keys import store as api_key_store
from sealwright.identity.api_tokens import store as api_token_store
from sealwright.identity.directory import store
from sealwright.identity.directory.authorized_changes import require_remaining_administrator
from sealwright.identity.directory.lookup import DirectoryLookup
from sealwright.identity.errors import BuiltIn, MailTaken, NameTaken, OwnAccount
from sealwright.identity.models import Account, AccountKind, LinkPurpose, MailAddress
from sealwright.identity.policy import MAX_MAILS, check_display_name, check_mail, check_name, fold_mail
from sealwright.identity.recycle_bin import store as recycle_bin
from sealwright.identity.recycle_bin.content import keep_account


def parse_mails(addresses: Sequence[str | MailAddress]) -> tuple[MailAddress, ...]:
    """Addresses, checked for their form. A text is an address as an administrator asserts it, and taken as verified."""
    given = [MailAddress(each, verified=True) if isinstance(each, str) else each for each in addresses]
    checked = []
    for number, each in enumerate(given):
        with in_member("mails", str(number)):
            checked.append(check_mail(each.address))
    folded = [fold_mail(address) for address in checked]
    twice = sorted({address for address in folded if folded.count(address) > 1})
    if twice:
        raise InvalidInput(f"The e-mail address {twice[0]} is given more than once.", pointer="/mails")
    if len(checked) > MAX_MAILS:
        raise InvalidInput(f"{len(checked)} e-mail addresses are too many; an account has at most {MAX_MAILS}.", pointer="/mails")
    return tuple(MailAddress(address, verified=each.verified) for address, each in zip(checked, given, strict=True))


async def insert_person(tx: Transaction, new: Account) -> None:
    """Store a new account; its name and addresses must be free. The caller holds the directory's lock."""
    await require_free_name(tx, new.name)
    await require_free_mails(tx, new.mails, but=new.id)
    await store.insert_account(tx, new)


async def require_free_name(tx: Transaction, name: str) -> None:
    """Accounts and groups share one set of names, so that a member is never in doubt."""
    if await store.find_account(tx, name) is not None:
        raise _name_taken(f"There is an account {name!r} already.")
    if await store.find_group(tx, name) is not None:
        raise _name_taken(f"There is a group {name!r} already.")
    if await recycle_bin.is_reserved(tx, name):
        raise NameTaken(
            f"The name {name!r} belongs to what is in the recycle bin.",
            reasons=("a deleted account or group can be revived for some days, and keeps its name until then",),
            remedy=Remedy(Action.REVIVE, name),
            pointer="/name",
        )


def _name_taken(detail: str) -> NameTaken:
    reasons = ("accounts and groups share one set of names",)
    return NameTaken(detail, reasons=reasons, hint="Choose another name.", pointer="/name")


async def require_free_mails(tx: Transaction, mails: Sequence[MailAddress], *, but: str) -> None:
    """Raise MailTaken when another account than `but` has one of the addresses."""
    for number, mail in enumerate(mails):
        if await store.owner_of_mail(tx, mail.address) not in {None, but}:
            raise MailTaken(
                f"Another account has the e-mail address {mail.address}.",
                reasons=("an address belongs to one account only",),
                pointer=f"/mails/{number}",
            )


def new_person(account_id: str, name: str, display_name: str, mails: Sequence[str | MailAddress], now: Instant) -> Account:
    """A person who is not stored yet, from what was typed; raises InvalidInput."""
    return new_account(account_id, name, display_name, mails, now, AccountKind.PERSON)


def new_account(
    account_id: str, name: str, display_name: str, mails: Sequence[str | MailAddress], now: Instant, kind: AccountKind
) -> Account:
    """An account that is not stored yet, from what was typed; raises InvalidInput."""
    return Account(
        id=account_id,
        kind=kind,
        name=check_name(name),
        display_name=check_display_name(display_name),
        mails=parse_mails(mails),
        valid_from=None,
        valid_until=None,
        disabled_at=None,
        created_at=now,
        updated_at=now,
    )


class People(DirectoryLookup):
    """Operations on people. Each checks that `actor` is permitted, and leaves an audit row."""

    async def create_person(
        self,
        name: str,
        display_name: str,
        *,
        mails: Sequence[str | MailAddress] = (),
        valid_from: Instant | None = None,
        valid_until: Instant | None = None,
        actor: Actor,
    ) -> Account:
        """Create a person, without a way to sign in yet."""
        draft = new_person(uuid4(self._entropy), name, display_name, mails, self._clock.now())
        _check_window(valid_from, valid_until)
        person = replace(draft, valid_from=valid_from, valid_until=valid_until)

        async def body(tx: Transaction) -> Account:
            await store.lock_directory(tx)
            await self._changes.require_may_give(tx, actor, [mail.address for mail in person.mails], person.name)
            await insert_person(tx, person)
            details = {"name": person.name, "mails": [mail.address for mail in person.mails]}
            await self._audit.record(tx, Event.PERSON_CREATED, actor=actor, target=person.reference, details=details)
            return person

        return await self._changes.run(Event.PERSON_CREATED, Permission.PERSON_WRITE, actor, f"person:{name}", body)

    async def update_person(
        self,
        who: str,
        *,
        name: str | None = None,
        display_name: str | None = None,
        mails: Sequence[str | MailAddress] | None = None,
        actor: Actor,
    ) -> Account:
        """Change the name or the display name, or replace all e-mail addresses: the first becomes the primary one.

        Sessions, memberships and certificates are of the id, which stays. The name that is given up is free at once.
        """
        new_name = None if name is None else check_name(name)
        text = None if display_name is None else check_display_name(display_name)
        addresses = None if mails is None else parse_mails(mails)

        async def body(tx: Transaction) -> Account:
            before = await self._changeable(tx, actor, who, "change")
            now = self._clock.now()
            changed: dict[str, object] = {}
            if new_name is not None and new_name != before.name:
                await require_free_name(tx, new_name)
                await store.set_name(tx, before.id, new_name, now)
                changed |= {"name": new_name, "name_before": before.name}
            if text is not None and text != before.display_name:
                changed |= {"display_name": text, "display_name_before": before.display_name}
            await store.set_display_name(tx, before.id, before.display_name if text is None else text, now)
            if addresses is not None:
                await self._changes.require_may_give(tx, actor, [mail.address for mail in addresses], before.name)
                await require_free_mails(tx, addresses, but=before.id)
                await store.replace_mails(tx, before.id, addresses, now)
                changed["mails"] = [mail.address for mail in addresses]
                changed["mails_before"] = [mail.address for mail in before.mails]
            await self._audit.record(tx, Event.PERSON_UPDATED, actor=actor, target=before.reference, details=changed)
            return await self._account_in(tx, before.id)

        return await self._changes.run(Event.PERSON_UPDATED, Permission.PERSON_WRITE, actor, f"person:{who}", body)

    async def set_validity(
        self,
        who: str,
        *,
        valid_from: Instant | UnsetType | None = UNSET,
        valid_until: Instant | UnsetType | None = UNSET,
        actor: Actor,
    ) -> Account:
        """Set the window in which the account may be used; None leaves a side open, and what is not given stays.

        An account that is outside of it from now on loses its sessions and links, as if it had been disabled.
        """

        async def body(tx: Transaction) -> Account:
            before = await self._changeable(tx, actor, who, "change")
            now = self._clock.now()
            begins = before.valid_from if isinstance(valid_from, UnsetType) else valid_from
            ends = before.valid_until if isinstance(valid_until, UnsetType) else valid_until
            _check_window(begins, ends)
            async with require_remaining_administrator(tx, now):
                await store.set_validity(tx, before.id, begins, ends, now)
            after = await self._account_in(tx, before.id)
            was, window = _window(before.valid_from, before.valid_until), _window(begins, ends)
            details: dict[str, object] = {**window, "changes": changes_between(was, window)}
            if not after.status(now).active:
                details |= await self._end_access(tx, after, after.status(now).reason, actor)
            await self._audit.record(tx, Event.PERSON_UPDATED, actor=actor, target=before.reference, details=details)
            return after

        return await self._changes.run(Event.PERSON_UPDATED, Permission.PERSON_WRITE, actor, f"person:{who}", body)

    async def disable(self, who: str, *, actor: Actor) -> Account:
        """Let the account act no more: every session ends, every link and waiting sign-in of it is void, at once."""

        async def body(tx: Transaction) -> Account:
            before = await self._changeable(tx, actor, who, "disable")
            if before.disabled_at is not None:
                return before
            now = self._clock.now()
            async with require_remaining_administrator(tx, now):
                await store.set_disabled(tx, before.id, now, now)
            _require_other(before, actor, "disable")  # after the last administrator, whose refusal says what to do first
            ended = await self._end_access(tx, before, "the account was disabled", actor)
            await self._audit.record(tx, Event.PERSON_DISABLED, actor=actor, target=before.reference, details=ended)
            return replace(before, disabled_at=now, updated_at=now)

        return await self._changes.run(Event.PERSON_DISABLED, Permission.PERSON_WRITE, actor, f"person:{who}", body)

    async def enable(self, who: str, *, actor: Actor) -> Account:
        """Let a disabled account act again. What ended when it was disabled stays ended."""

        async def body(tx: Transaction) -> Account:
            before = await self._changeable(tx, actor, who, "enable")
            if before.disabled_at is None:
                return before
            now = self._clock.now()
            await store.set_disabled(tx, before.id, None, now)
            await self._audit.record(tx, Event.PERSON_ENABLED, actor=actor, target=before.reference)
            return replace(before, disabled_at=None, updated_at=now)

        return await self._changes.run(Event.PERSON_ENABLED, Permission.PERSON_WRITE, actor, f"person:{who}", body)

    async def impact_of_deletion_of_person(self, who: str, *, actor: Actor) -> tuple[Account, int]:
        """An account and its number of sessions: shown before deletion."""
        require(actor, Permission.PERSON_WRITE)
        found = self._known_account(await self.find(who), who)
        return found, await self._sessions.count_of(found.id)

    async def delete(self, who: str, *, actor: Actor) -> None:
        """Remove a person with sessions, credentials and memberships. Audit rows and certificates keep the id."""

        async def body(tx: Transaction) -> None:
            before = await self._changeable(tx, actor, who, "delete")
            async with require_remaining_administrator(tx, self._clock.now()):
                ended = await self._end_access(tx, before, "the account was deleted", actor)
                await keep_account(tx, before, actor, self._clock.now())
                await store.delete_account(tx, before.id)
            _require_other(before, actor, "delete")  # as above
            details = {"name": before.name, **ended}
            await self._audit.record(tx, Event.PERSON_DELETED, actor=actor, target=before.reference, details=details)

        await self._changes.run(Event.PERSON_DELETED, Permission.PERSON_WRITE, actor, f"person:{who}", body)

    async def _changeable(self, tx: Transaction, actor: Actor, who: str, verb: str) -> Account:
        """The account, locked, if it is one that `actor` may change."""
        await store.lock_directory(tx)
        found = await self._account_in(tx, who)
        if found.kind is AccountKind.SYSTEM:
            raise BuiltIn(f"{found.name} is built in: you cannot {verb} it.")
        await self._changes.require_over_account(tx, actor, found, verb)
        await store.lock_account(tx, found.id)
        return found

    async def _end_access(self, tx: Transaction, account: Account, reason: str, actor: Actor) -> dict[str, int]:
        """End the account's sessions, links, waiting sign-ins, API tokens and keys; returns how many, for the record."""
        await api_token_store.delete_of_account(tx, account.id)
        keys = await api_key_store.revoke_of_account(tx, account.id, self._clock.now())
        await credential_store.delete_pending_of(tx, account.id)
        for purpose in (LinkPurpose.RESET, LinkPurpose.INVITE):
            await credential_store.delete_links(tx, purpose, account.id)
        sessions = await self._sessions.end_all_in(tx, account.id, reason, actor=actor)
        return {"sessions_ended": sessions, "api_keys_ended": len(keys)}


def _require_other(account: Account, actor: Actor, verb: str) -> None:
    if account.id == actor.id:
        raise OwnAccount(
            f"{account.name} is your own account: you cannot {verb} it.",
            reasons=("you would be signed out, and could not undo it",),
            hint="Ask someone else who may.",
        )


def _check_window(valid_from: Instant | None, valid_until: Instant | None) -> None:
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        detail = f"The end {to_rfc3339(valid_until)} does not come after the beginning {to_rfc3339(valid_from)}."
        raise InvalidInput(detail, pointer="/valid_until")


def _window(begins: Instant | None, ends: Instant | None) -> dict[str, str | None]:
    return {
        "valid_from": None if begins is None else to_rfc3339(begins),
        "valid_until": None if ends is None else to_rfc3339(ends),
    }
