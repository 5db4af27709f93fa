"""Create, change and delete groups."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from sealwright.access import Actor, NameKind, Permission, require
from sealwright.audit import Event
from sealwright.db import Database, Transaction
from sealwright.entropy import uuid4
from sealwright.errors import Action, Remedy
from sealwright.identity.directory import store
from sealwright.identity.directory.authorized_changes import require_remaining_administrator
from sealwright.identity.directory.memberships import Memberships
from sealwright.identity.directory.people import require_free_name
from sealwright.identity.errors import BuiltIn, GroupInUse
from sealwright.identity.models import Account, Group
from sealwright.identity.policy import check_description, check_name
from sealwright.identity.recycle_bin.content import keep_group


class Groups(Memberships):
    """Operations on groups. Each checks that `actor` is permitted, and leaves an audit row."""

    async def create_group(self, name: str, *, description: str = "", managed_by: str | None = None, actor: Actor) -> Group:
        """Create a group without members. `managed_by`: account or group that may change its members."""
        draft = Group(
            uuid4(self._entropy), check_name(name), check_description(description), builtin=False, created_at=self._clock.now()
        )

        async def body(tx: Transaction) -> Group:
            await store.lock_directory(tx)
            await require_free_name(tx, draft.name)
            await self._changes.require_may_name(tx, actor, draft, f"create the group {draft.name}")
            group = replace(draft, managed_by=await self._manager_in(tx, managed_by))
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
            members: list[Account | Group] = [*await store.accounts_in(tx, group.id), *await store.groups_in(tx, group.id)]
            await self._require_may_release(tx, actor, group, members)
            async with require_remaining_administrator(tx, self._clock.now()):
                await keep_group(tx, group, actor, self._clock.now())
                await store.delete_group(tx, group.id)
            details = {"name": group.name, **({"used_by": users} if users else {})}
            await self._audit.record(tx, Event.GROUP_DELETED, actor=actor, target=f"group:{group.id}", details=details)

        await self._changes.run(Event.GROUP_DELETED, Permission.GROUP_WRITE, actor, f"group:{who}", body)

    async def update_group(
        self,
        who: str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        managed_by: str | UnsetType | None = UNSET,
        even_if_used: bool = False,
        actor: Actor,
    ) -> Group:
        """Change what is given; `managed_by` None takes the group from its manager, who may change only the description.

        What knows a group by its id, such as scope maps, stays as it is. A provisioner that names the group by its name
        loses it by another name, so that this needs `even_if_used`.
        """
        new_name = None if isinstance(name, UnsetType) else check_name(name)
        text = None if isinstance(description, UnsetType) else check_description(description)

        async def body(tx: Transaction) -> Group:
            group = changed = await self._managed_group(tx, actor, who, "change")
            if group.builtin:
                raise BuiltIn(f"The group {group.name} is built in: you cannot change it.")
            details: dict[str, object] = {"name": group.name}
            if text is not None:
                changed = replace(changed, description=text)
                details |= {"description": text, "description_before": group.description}
            if not isinstance(managed_by, UnsetType):
                require(actor, Permission.GROUP_WRITE)
                changed = replace(changed, managed_by=await self._manager_in(tx, managed_by))
                details |= {"managed_by": changed.managed_by, "managed_by_before": group.managed_by}
            if new_name is not None and new_name != group.name:
                require(actor, Permission.GROUP_WRITE)
                changed = replace(changed, name=new_name)
                users = await self._rename(tx, actor, group, changed, even_if_used=even_if_used)
                details |= {"name": new_name, "name_before": group.name, **({"used_by": users} if users else {})}
            await store.set_group(tx, changed)
            await self._audit.record(tx, Event.GROUP_UPDATED, actor=actor, target=f"group:{group.id}", details=details)
            return changed

        return await self._run_for_managers(Event.GROUP_UPDATED, actor, who, body)

    async def _rename(self, tx: Transaction, actor: Actor, group: Group, changed: Group, *, even_if_used: bool) -> list[str]:
        """Raise unless the group may have its new name; returns what knew it by the old one."""
        await require_free_name(tx, changed.name)
        await self._changes.require_may_name(tx, actor, changed, f"rename {group.name} to {changed.name}")
        named = await self._changes.named_in(tx, group)
        users = [f"{each.named_by} ({each.place})" for each in named if each.kind is NameKind.GROUP_NAME]
        if users and not even_if_used:
            raise _in_use(group, list(dict.fromkeys(users)), Action.RENAME_GROUP_IN_USE)
        return users

    async def _users_of(self, tx: Database | Transaction, group: Group) -> list[str]:
        """Descriptions of what refers to the group."""
        clients = [f"the client {name} (map)" for name in await self._clients_of_group(tx, group.id)]
        named = [f"{each.named_by} ({each.place})" for each in await self._changes.named_in(tx, group)]
        return list(dict.fromkeys(clients + named))


def _in_use(group: Group, users: Sequence[str], remedy: Action = Action.DELETE_GROUP_IN_USE) -> GroupInUse:
    return GroupInUse(
        f"The group {group.name} is used by {' and '.join(users)}.",
        reasons=("its members would lose what these grant to the group",),
        remedy=Remedy(remedy, group.name),
    )
