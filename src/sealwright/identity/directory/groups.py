"""Create groups and change who is in them."""

from __future__ import annotations

from collections.abc import Sequence

from sealwright.access import ALL_ACCOUNTS, DYNAMIC_GROUPS, Actor, Permission, require
from sealwright.audit import Event
from sealwright.db import Database, Transaction
from sealwright.entropy import uuid4
from sealwright.errors import Action, InvalidInput, Remedy
from sealwright.identity.directory import store
from sealwright.identity.directory.authorized_changes import require_remaining_administrator
from sealwright.identity.directory.lookup import DirectoryLookup
from sealwright.identity.directory.people import require_free_name
from sealwright.identity.errors import BuiltIn, GroupCycle, GroupInUse, MemberNotFound
from sealwright.identity.models import Account, Group
from sealwright.identity.policy import check_description, check_name, local_name, printable

MOST_AT_ONCE = 1_000


class Groups(DirectoryLookup):
    """Operations on groups. Each checks that `actor` is permitted, and leaves an audit row."""

    async def create_group(self, name: str, *, description: str = "", actor: Actor) -> Group:
        """Create a group without members."""
        group = Group(
            uuid4(self._entropy), check_name(name), check_description(description), builtin=False, created_at=self._clock.now()
        )

        async def body(tx: Transaction) -> Group:
            await store.lock_directory(tx)
            await require_free_name(tx, group.name)
            await self._changes.require_may_create(tx, actor, group)
            await store.insert_group(tx, group)
            await self._audit.record(
                tx, Event.GROUP_CREATED, actor=actor, target=f"group:{group.id}", details={"name": group.name}
            )
            return group

        return await self._changes.run(Event.GROUP_CREATED, Permission.GROUP_WRITE, actor, f"group:{name}", body)

    async def impact_of_deletion_of_group(self, who: str, *, actor: Actor) -> tuple[int, list[str]]:
        """Number of direct members, and what uses the group: shown before deletion."""
        require(actor, Permission.GROUP_WRITE)
        group = self._known_group(await self.find_group(who), who)
        members = len(await store.accounts_in(self._db, group.id)) + len(await store.groups_in(self._db, group.id))
        return members, await self._users_of(self._db, group)

    async def delete_group(self, who: str, *, even_if_used: bool = False, actor: Actor) -> None:
        """Remove a group, its memberships, and what was granted to it. Its members stay.

        A group that a client or a provisioner names is deleted only with `even_if_used`.
        """

        async def body(tx: Transaction) -> None:
            await store.lock_directory(tx)
            group = await self._group_in(tx, who)
            if group.builtin:
                raise BuiltIn(f"The group {group.name} is built in: you cannot delete it.")
            await self._changes.require_over_group(tx, actor, group, "delete")
            users = await self._users_of(tx, group)
            if users and not even_if_used:
                raise _in_use(group, users)
            async with require_remaining_administrator(tx, self._clock.now()):
                await store.delete_group(tx, group.id)
            details = {"name": group.name, **({"used_by": users} if users else {})}
            await self._audit.record(tx, Event.GROUP_DELETED, actor=actor, target=f"group:{group.id}", details=details)

        await self._changes.run(Event.GROUP_DELETED, Permission.GROUP_WRITE, actor, f"group:{who}", body)

    async def add_members(self, who: str, members: Sequence[str], *, actor: Actor) -> tuple[str, ...]:
        """Add accounts (name, SPN or id) and groups; all of them or, when one is unknown, none. Returns those who were new."""
        _check_number(members)

        async def body(tx: Transaction) -> tuple[str, ...]:
            group = await self._changeable_group(tx, actor, who)
            found = await self._members_in(tx, members)
            above = await store.groups_above(tx, group.id) | {group.id}
            for member in found:
                if member.id in DYNAMIC_GROUPS:
                    raise BuiltIn(
                        f"{member.name} cannot become a member of {group.name}.",
                        reasons=(f"everyone who is ever created would then be in {group.name}",),
                        hint="Name the people, or a group that you made for them.",
                    )
                if member.id in above and isinstance(member, Group):
                    raise GroupCycle(
                        f"{member.name} cannot become a member of {group.name}.",
                        reasons=(f"{group.name} is {member.name} itself or a member of it already",),
                    )
            added = tuple([member.name for member in found if await store.add_member(tx, group.id, member)])
            if added:
                await self._record_members(tx, actor, group, {"added": list(added)})
            return added

        return await self._changes.run(Event.GROUP_MEMBERS_CHANGED, Permission.GROUP_WRITE, actor, f"group:{who}", body)

    async def remove_members(self, who: str, members: Sequence[str], *, actor: Actor) -> tuple[str, ...]:
        """Remove accounts and groups; when one is unknown, nothing happens. Returns those who were members."""
        _check_number(members)

        async def body(tx: Transaction) -> tuple[str, ...]:
            group = await self._changeable_group(tx, actor, who)
            found = await self._members_in(tx, members)
            async with require_remaining_administrator(tx, self._clock.now()):
                removed = tuple([member.name for member in found if await store.remove_member(tx, group.id, member)])
            if removed:
                await self._record_members(tx, actor, group, {"removed": list(removed)})
            return removed

        return await self._changes.run(Event.GROUP_MEMBERS_CHANGED, Permission.GROUP_WRITE, actor, f"group:{who}", body)

    async def _changeable_group(self, tx: Transaction, actor: Actor, who: str) -> Group:
        await store.lock_directory(tx)
        group = await self._group_in(tx, who)
        if group.id in DYNAMIC_GROUPS:
            raise BuiltIn(
                f"The members of {group.name} cannot be changed.",
                reasons=(f"its members are always exactly all {'accounts' if group.id == ALL_ACCOUNTS else 'persons'}",),
                remedy=Remedy(Action.CREATE_GROUP),
            )
        await self._changes.require_over_group(tx, actor, group, "change the members of")
        return group

    async def _users_of(self, tx: Database | Transaction, group: Group) -> list[str]:
        """Descriptions of what refers to the group."""
        clients = [f"the client {name} (map)" for name in await self._clients_of_group(tx, group.id)]
        named = [f"{each.named_by} ({each.place})" for each in await self._changes.named_in(tx, group)]
        return list(dict.fromkeys(clients + named))

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

    async def _record_members(self, tx: Transaction, actor: Actor, group: Group, change: dict[str, object]) -> None:
        details = {"name": group.name, **change}
        await self._audit.record(tx, Event.GROUP_MEMBERS_CHANGED, actor=actor, target=f"group:{group.id}", details=details)


def _in_use(group: Group, users: Sequence[str]) -> GroupInUse:
    return GroupInUse(
        f"The group {group.name} is used by {' and '.join(users)}.",
        reasons=("its members would lose what these grant to the group",),
        remedy=Remedy(Action.DELETE_GROUP_IN_USE, group.name),
    )


def _check_number(members: Sequence[str]) -> None:
    if not 1 <= len(members) <= MOST_AT_ONCE:
        raise InvalidInput(f"{len(members)} members are given; name 1 to {MOST_AT_ONCE} at once.")
