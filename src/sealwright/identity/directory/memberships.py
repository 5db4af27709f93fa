"""Change who is in a group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sealwright.access import ALL_ACCOUNTS, DYNAMIC_GROUPS, Actor, Permission, permissions_of_group, require
from sealwright.audit import Event
from sealwright.db import Transaction
from sealwright.errors import Action, InvalidInput, Remedy
from sealwright.identity.account_policy import store as policies
from sealwright.identity.directory import store
from sealwright.identity.directory.authorized_changes import require_remaining_administrator
from sealwright.identity.directory.guarded_roles import require_no_approval
from sealwright.identity.directory.lookup import DirectoryLookup
from sealwright.identity.errors import BuiltIn, GroupCycle, MemberNotFound
from sealwright.identity.models import Account, Group
from sealwright.identity.policy import local_name, printable

MOST_AT_ONCE = 1_000
T = TypeVar("T")


class Memberships(DirectoryLookup):
    """Operations on members, for actors with the permission and for the manager of the group.

    Neither can give or take what they do not hold themselves: a member may get permissions by a group.
    """

    async def add_members(self, who: str, members: Sequence[str], *, actor: Actor) -> tuple[str, ...]:
        """Add accounts (name, SPN or id) and groups; all of them or, when one is unknown, none. Returns those who were new."""
        _check_number(members)

        async def body(tx: Transaction) -> tuple[str, ...]:
            group = await self._changeable_group(tx, actor, who)
            found = await self._members_in(tx, members)
            return await self._change(tx, actor, group, add=found, remove=())

        return await self._run_for_managers(Event.GROUP_MEMBERS_CHANGED, actor, who, body)

    async def remove_members(self, who: str, members: Sequence[str], *, actor: Actor) -> tuple[str, ...]:
        """Remove accounts and groups; when one is unknown, nothing happens. Returns those who were members."""
        _check_number(members)

        async def body(tx: Transaction) -> tuple[str, ...]:
            group = await self._changeable_group(tx, actor, who)
            found = await self._members_in(tx, members)
            return await self._change(tx, actor, group, add=(), remove=found)

        return await self._run_for_managers(Event.GROUP_MEMBERS_CHANGED, actor, who, body)

    async def set_members(self, who: str, members: Sequence[str], *, actor: Actor) -> tuple[str, ...]:
        """Make these the only members; none empties the group. When one is unknown, nothing happens. Returns who changed."""
        if members:
            _check_number(members)

        async def body(tx: Transaction) -> tuple[str, ...]:
            group = await self._changeable_group(tx, actor, who)
            wanted = {member.id: member for member in await self._members_in(tx, members)}
            present: list[Account | Group] = [*await store.accounts_in(tx, group.id), *await store.groups_in(tx, group.id)]
            gone = [member for member in present if member.id not in wanted]
            return await self._change(tx, actor, group, add=list(wanted.values()), remove=gone)

        return await self._run_for_managers(Event.GROUP_MEMBERS_CHANGED, actor, who, body)

    async def _run_for_managers(self, event: Event, actor: Actor, who: str, body: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `body`, which looks whether the actor manages the group, unless they have the permission for all groups."""
        permission = Permission.GROUP_WRITE if Permission.GROUP_WRITE in actor.permissions.everywhere else None
        return await self._changes.run(event, permission, actor, f"group:{who}", body)

    async def _managed_group(self, tx: Transaction, actor: Actor, who: str, verb: str) -> Group:
        """The group, if `actor` may change it. An actor who may not does not learn whether it exists."""
        await store.lock_directory(tx)
        found = await store.find_group(tx, local_name(who, self._domain))
        if not await self.manages(tx, actor, found):
            require(actor, Permission.GROUP_WRITE)
        group = self._known_group(found, who)
        await self._changes.require_over_group(tx, actor, group, verb)
        return group

    async def _changeable_group(self, tx: Transaction, actor: Actor, who: str) -> Group:
        group = await self._managed_group(tx, actor, who, "change the members of")
        if group.id in DYNAMIC_GROUPS:
            raise BuiltIn(
                f"The members of {group.name} cannot be changed.",
                reasons=(f"its members are always exactly all {'accounts' if group.id == ALL_ACCOUNTS else 'persons'}",),
                remedy=Remedy(Action.CREATE_GROUP),
            )
        return group

    async def _change(
        self, tx: Transaction, actor: Actor, group: Group, *, add: Sequence[Account | Group], remove: Sequence[Account | Group]
    ) -> tuple[str, ...]:
        for member in add:
            if isinstance(member, Group):
                await self._require_nestable(tx, group, member)
        if add:
            carried = (await permissions_of_group(tx, group.id, self._clock.now())).everywhere
            await require_no_approval(tx, actor, carried, f"add members to {group.name}", before=frozenset())
        async with require_remaining_administrator(tx, self._clock.now()):
            gone = [member for member in remove if await store.remove_member(tx, group.id, member)]
            removed = [member.name for member in gone]
            added = [member.name for member in add if await store.add_member(tx, group.id, member)]
        await self._require_may_release(tx, actor, group, gone)
        if added or removed:
            await store.write_group(tx, group.id)
            change = {**({"added": added} if added else {}), **({"removed": removed} if removed else {})}
            await self._audit.record(
                tx,
                Event.GROUP_MEMBERS_CHANGED,
                actor=actor,
                target=f"group:{group.id}",
                details={"name": group.name, **change},
            )
        return (*added, *removed)

    async def _require_may_release(self, tx: Transaction, actor: Actor, group: Group, members: Sequence[Account | Group]) -> None:
        """Raise where these are released from an account policy by someone who could not change it, and has less authority.

        No one releases themselves either. `group`: which they leave, and where it or one above it has a policy.
        """
        leaving = [*await store.groups_above(tx, group.id), group.id]
        if actor.holds(Permission.ROLE_WRITE) or not any([await policies.of_group(tx, each) for each in leaving]):
            return
        for account in await self._accounts_of(tx, members):
            if account.id == actor.id:
                require(actor, Permission.ROLE_WRITE)
            await self._changes.require_over_account(tx, actor, account, f"release from the account policy of {group.name}")

    @staticmethod
    async def _accounts_of(tx: Transaction, members: Sequence[Account | Group]) -> list[Account]:
        """The accounts among these, and in the groups among these, directly or through others."""
        found = {member.id: member for member in members if isinstance(member, Account)}
        for member in members:
            if isinstance(member, Group):
                for group_id in [*await store.groups_below(tx, member.id), member.id]:
                    found |= {account.id: account for account in await store.accounts_in(tx, group_id)}
        return list(found.values())

    async def _require_nestable(self, tx: Transaction, group: Group, member: Group) -> None:
        """Raise where the group would be in itself, or where everyone would get a permission by it."""
        if member.id in await store.groups_above(tx, group.id) | {group.id}:
            raise GroupCycle(
                f"{member.name} cannot become a member of {group.name}.",
                reasons=(f"{group.name} is {member.name} itself or a member of it already",),
            )
        everyone = (await store.groups_below(tx, member.id) | {member.id}) & DYNAMIC_GROUPS
        if everyone and await self._changes.carries_authority(tx, group):
            raise BuiltIn(
                f"{member.name} cannot become a member of {group.name}.",
                reasons=(f"everyone in {min(everyone)}, and anyone created later, would have the authority of {group.name}",),
                hint="Name the people, or a group that you made for them.",
            )

    async def _members_in(self, tx: Transaction, members: Sequence[str]) -> list[Account | Group]:
        found: dict[str, Account | Group] = {}
        unknown: list[str] = []
        for text in dict.fromkeys(members):
            name = local_name(text, self._domain)
            member = await store.find_account(tx, name) or await store.find_group(tx, name)
            if member is None:
                unknown.append(printable(text, 80))
            else:
                found[member.id] = member
        if unknown:
            raise MemberNotFound(
                f"There is no account or group {', '.join(map(repr, unknown))}.",
                reasons=("nothing was changed",),
                remedy=Remedy(Action.LIST_PEOPLE_AND_GROUPS),
            )
        return list(found.values())


def _check_number(members: Sequence[str]) -> None:
    if not 1 <= len(members) <= MOST_AT_ONCE:
        raise InvalidInput(f"{len(members)} members are given; name 1 to {MOST_AT_ONCE} at once.")
