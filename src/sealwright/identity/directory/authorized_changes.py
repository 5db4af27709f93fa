"""Prevents privilege escalation and removal of the last administrator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from sealwright.access import (
    NO_PERMISSIONS,
    Actor,
    NamedAuthorities,
    NamedAuthority,
    NameKind,
    Permission,
    Role,
    accounts_with_role,
    permissions_in_any_session,
    permissions_of_group,
    require,
    require_at_least,
    require_current,
    require_in_person,
    require_over_names,
)
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant
from sealwright.db import Database, Transaction
from sealwright.errors import NotPermitted
from sealwright.identity.directory import store
from sealwright.identity.errors import LastAdministrator
from sealwright.identity.models import Account, Group
from sealwright.identity.policy import fold_mail, printable

T = TypeVar("T")


class AuthorizedChanges:
    """Run changes for actors who are permitted to make them; a refusal leaves an audit row and nothing else.

    What an account or a group carries is more than its roles: a provisioner may trust its name, and that counts as well.
    """

    def __init__(self, db: Database, audit: Audit, clock: Clock, named: NamedAuthorities) -> None:
        """`named`: the names that carry authority elsewhere."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._named = named

    async def run(
        self, event: Event, permission: Permission | None, actor: Actor, target: str, body: Callable[[Transaction], Awaitable[T]]
    ) -> T:
        """Run `body` in a transaction. `target`: what the audit row of a refusal is about, as it was named.

        `permission`: None where `body` decides who may, because the permission is not the only way.
        """
        if permission is not None:
            await self.require(event, permission, actor, target)

        async def guarded(tx: Transaction) -> T:
            if permission is not None:
                await require_current(tx, actor, permission, self._clock.now())
            return await body(tx)

        try:
            return await self._db.write(guarded)
        except NotPermitted as refusal:
            await self._record(event, actor, target, refusal)
            raise

    async def write(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `body` in a transaction, for changes whose permission is something else, such as a link."""
        return await self._db.write(body)

    async def require(self, event: Event, permission: Permission, actor: Actor, target: str) -> None:
        """Raise NotPermitted unless `actor` holds `permission`."""
        try:
            require(actor, permission)
        except NotPermitted as refusal:
            await self._record(event, actor, target, refusal)
            raise

    async def require_in_person(self, event: Event, actor: Actor, target: str, what: str) -> None:
        """Raise PersonNeeded where a program acts for someone."""
        try:
            require_in_person(actor, what)
        except NotPermitted as refusal:
            await self._record(event, actor, target, refusal)
            raise

    async def require_over_account(self, reader: Database | Transaction, actor: Actor, account: Account, verb: str) -> None:
        """Raise unless `actor` holds every permission that the account has now, by its groups, by its names, or in a session."""
        what = f"{verb} {account.name}"
        require_at_least(actor, await permissions_in_any_session(reader, account.id, self._clock.now()), what)
        groups = await store.groups_of(reader, account.id)
        mails = [mail.address for mail in account.mails]
        require_over_names(
            actor, matching_authorities(await self._named(reader), account_id=account.id, mails=mails, groups=groups), what
        )

    async def creator_still_permitted(
        self, reader: Database | Transaction, creator_id: str | None, account: Account, now: Instant
    ) -> bool:
        """Whether the creator of a link to `account` still holds every permission that the account has now.

        Both may have changed since: the account may have gained authority, and the creator may have lost theirs. `creator_id`
        is empty for the server itself.
        """
        if creator_id == "":
            return True
        status = None if creator_id is None else await store.status_of(reader, creator_id, now)
        permissions = NO_PERMISSIONS
        if creator_id and status is not None and status.active:
            permissions = await permissions_in_any_session(reader, creator_id, now)
        try:
            await self.require_over_account(reader, Actor("person", creator_id or "", "", permissions), account, "open")
        except NotPermitted:
            return False
        return True

    async def require_over_group(self, tx: Transaction, actor: Actor, group: Group, verb: str) -> None:
        """Raise unless `actor` holds every permission that a member has by this group or a group that it is nested in."""
        what = f"{verb} the group {group.name}"
        require_at_least(actor, await permissions_of_group(tx, group.id, self._clock.now()), what)
        above = [await store.find_group(tx, each) for each in sorted(await store.groups_above(tx, group.id))]
        groups = [group, *(each for each in above if each is not None)]
        require_over_names(actor, matching_authorities(await self._named(tx), groups=groups), what)

    async def require_may_give(self, tx: Transaction, actor: Actor, mails: Sequence[str], to: str) -> None:
        """Raise unless `actor` holds what these addresses carry."""
        what = f"give {', '.join(mails)} to {to}"
        require_over_names(actor, matching_authorities(await self._named(tx), mails=mails), what)

    async def require_may_name(self, tx: Transaction, actor: Actor, group: Group, what: str) -> None:
        """Raise unless `actor` holds what members of a group of this name will have. `what` finishes the sentence."""
        require_over_names(actor, matching_authorities(await self._named(tx), groups=[group]), what)

    async def carries_authority(self, tx: Transaction, group: Group) -> bool:
        """Whether a member has a permission by this group, or by one that it is nested in."""
        above = [await store.find_group(tx, each) for each in sorted(await store.groups_above(tx, group.id))]
        groups = [group, *(each for each in above if each is not None)]
        named = matching_authorities(await self._named(tx), groups=groups)
        return await permissions_of_group(tx, group.id, self._clock.now()) != NO_PERMISSIONS or any(
            each.confers for each in named
        )

    async def named_in(self, tx: Database | Transaction, group: Group) -> list[NamedAuthority]:
        """Where this very group is named."""
        return matching_authorities(await self._named(tx), groups=[group])

    async def _record(self, event: Event, actor: Actor, target: str, refusal: NotPermitted) -> None:
        details = {"reason": refusal.detail, "reasons": list(refusal.reasons)}
        await self._audit.refused(self._db, event, actor=actor, target=printable(target), reason=refusal.code, details=details)


def matching_authorities(
    named: Iterable[NamedAuthority], *, account_id: str = "", mails: Iterable[str] = (), groups: Collection[Group] = ()
) -> list[NamedAuthority]:
    """Those of `named` that refer to this account, one of these addresses, or one of these groups."""
    names = {(NameKind.MAIL, fold_mail(mail)) for mail in mails}
    names |= {(NameKind.GROUP_ID, group.id) for group in groups}
    names |= {(NameKind.GROUP_NAME, group.name) for group in groups}
    names.add((NameKind.ACCOUNT_ID, account_id))
    return [each for each in named if (each.kind, fold_mail(each.name) if each.kind is NameKind.MAIL else each.name) in names]


async def has_administrator(reader: Database | Transaction, now: Instant) -> bool:
    """Whether an account with the administrator's role can sign in now."""
    return await store.any_can_sign_in(reader, sorted(await accounts_with_role(reader, Role.ADMINISTRATOR)), now)


@asynccontextmanager
async def require_remaining_administrator(tx: Transaction, now: Instant) -> AsyncIterator[None]:
    """Raise LastAdministrator if the block removes the last one. The caller holds the directory's lock."""
    there_was_one = await has_administrator(tx, now)
    yield
    if there_was_one and not await has_administrator(tx, now):
        raise LastAdministrator(
            "This would remove the last account that can administer this server.",
            reasons=("at least one account with the administrator's role must be able to sign in",),
            hint="First add another person to system_admins, with a password.",
        )
