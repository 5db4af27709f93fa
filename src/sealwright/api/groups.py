"""Groups."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET, UnsetType

from sealwright.access import Actor, Permission
from sealwright.api.json_types import Description, Moment, Name, RequestBody, ResponseBody, moment
from sealwright.api.operations import EVEN_IF_USED, OWN, Call, Operation
from sealwright.errors import InvalidInput
from sealwright.identity import Directory, Group

_READ, _WRITE = str(Permission.GROUP_READ), str(Permission.GROUP_WRITE)
_READ_MANAGED, _WRITE_MANAGED = f"{OWN}; for others {_READ}", f"{OWN}; for others {_WRITE}"
"""One's own is here a group that one manages."""


class GroupBody(RequestBody, frozen=True, kw_only=True):
    """A new group."""

    name: Name
    description: Description = ""
    managed_by: str | None = None
    """Account or group that may change its members."""


class GroupChange(RequestBody, frozen=True, kw_only=True):
    """The members to change; `managed_by` null takes the group from its manager."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    managed_by: str | UnsetType | None = UNSET


class MembersBody(RequestBody, frozen=True, kw_only=True):
    """All members, by name, SPN or id; none empties the group."""

    members: tuple[str, ...]


class MembersChange(RequestBody, frozen=True, kw_only=True):
    """Members to add or to remove, by name, SPN or id: one of the two."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class GroupView(ResponseBody, frozen=True, kw_only=True):
    """A group."""

    id: str
    name: str
    description: str
    builtin: bool
    created_at: Moment


class GroupDetails(GroupView, frozen=True, kw_only=True):
    """A group and its direct members: SPNs of accounts, then names of groups."""

    members: list[str]
    managed_by: str | None
    """SPN of the account or name of the group that may change the members."""


class GroupPage(ResponseBody, frozen=True, kw_only=True):
    """Groups by name."""

    items: list[GroupView]
    next: str | None = None


class GroupOperations:
    """Operations about groups."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def operations(self) -> list[Operation]:
        """All of them."""
        details = GroupDetails
        one = "/groups/{name}"
        page = {
            "after": "Begin after this name.",
            "limit": "At most this many.",
            "search": "Beginnings of words of it.",
        }
        rename = {"even_if_used": "true: rename it although provisioners know it by its name, and lose it."}
        return [
            Operation("list_groups", "GET", "/groups", "List groups.", _READ, self._list, returns=GroupPage, query=page),
            Operation(
                "create_group",
                "POST",
                "/groups",
                "Create a group.",
                _WRITE,
                self._create,
                returns=details,
                accepts=GroupBody,
                status=201,
            ),
            Operation("get_group", "GET", one, "Show a group and its members.", _READ_MANAGED, self._get, returns=details),
            Operation(
                "update_group",
                "PATCH",
                one,
                "Change name, description or manager of a group.",
                _WRITE_MANAGED,
                self._update,
                returns=details,
                accepts=GroupChange,
                owns=self._manages,
                query=rename,
            ),
            Operation("delete_group", "DELETE", one, "Delete a group.", _WRITE, self._delete, query=EVEN_IF_USED, status=204),
            Operation(
                "change_members",
                "PATCH",
                f"{one}/members",
                "Add members or remove them; when one is unknown, nothing happens.",
                _WRITE_MANAGED,
                self._change_members,
                returns=details,
                accepts=MembersChange,
                owns=self._manages,
            ),
            Operation(
                "set_members",
                "PUT",
                f"{one}/members",
                "Make these the only members; when one is unknown, nothing happens.",
                _WRITE_MANAGED,
                self._set_members,
                returns=details,
                accepts=MembersBody,
                owns=self._manages,
            ),
        ]

    async def _manages(self, actor: Actor, path: Mapping[str, str]) -> bool:
        group = await self._directory.find_group(path["name"])
        return group is not None and await self._directory.is_managed_by(group, actor)

    async def _list(self, call: Call) -> GroupPage:
        limit = call.limit()
        search, after = call.query.get("search", ""), call.query.get("after", "")
        found = await self._directory.list_groups(actor=call.actor, search=search, beyond=after, at_most=limit + 1)
        shown = [group_view(each) for each in found[:limit]]
        return GroupPage(items=shown, next=shown[-1].name if len(found) > limit else None)

    async def _create(self, call: Call) -> GroupDetails:
        body: GroupBody = call.body
        made = await self._directory.create_group(
            body.name, description=body.description, managed_by=body.managed_by, actor=call.actor
        )
        return await self._details(made, [])

    async def _get(self, call: Call) -> GroupDetails:
        return await self._shown(call.path("name"), call.actor)

    async def _update(self, call: Call) -> GroupDetails:
        body: GroupChange = call.body
        if body == GroupChange():
            raise InvalidInput("Nothing is to be changed.", hint="Give name, description, managed_by, or several of them.")
        changed = await self._directory.update_group(
            call.path("name"),
            name=body.name,
            description=body.description,
            managed_by=body.managed_by,
            even_if_used=call.flag("even_if_used"),
            actor=call.actor,
        )
        return await self._shown(changed.id, call.actor)

    async def _set_members(self, call: Call) -> GroupDetails:
        await self._directory.set_members(call.path("name"), call.body.members, actor=call.actor)
        return await self._shown(call.path("name"), call.actor)

    async def _delete(self, call: Call) -> None:
        await self._directory.delete_group(call.path("name"), even_if_used=call.flag("even_if_used"), actor=call.actor)

    async def _change_members(self, call: Call) -> GroupDetails:
        body: MembersChange = call.body
        if bool(body.add) == bool(body.remove):
            raise InvalidInput("Give members to add or members to remove: one of the two.")
        if body.add:
            await self._directory.add_members(call.path("name"), body.add, actor=call.actor)
        else:
            await self._directory.remove_members(call.path("name"), body.remove, actor=call.actor)
        return await self._shown(call.path("name"), call.actor)

    async def _shown(self, name: str, actor: Actor) -> GroupDetails:
        group = await self._directory.show_group(name, actor=actor)
        members = await self._directory.members_of(group.id, actor=actor)
        accounts = [self._directory.spn_of(account) for account in members.accounts]
        return await self._details(group, accounts + [each.name for each in members.groups])

    async def _details(self, group: Group, members: list[str]) -> GroupDetails:
        return GroupDetails(
            id=group.id,
            name=group.name,
            description=group.description,
            builtin=group.builtin,
            created_at=moment(group.created_at),
            members=members,
            managed_by=await self._directory.manager_of(group),
        )


def group_view(found: Group) -> GroupView:
    """A group in a list."""
    return GroupView(
        id=found.id,
        name=found.name,
        description=found.description,
        builtin=found.builtin,
        created_at=moment(found.created_at),
    )
