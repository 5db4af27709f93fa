"""Deleted accounts, groups and clients: list and revive them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sealwright.access import Permission
from sealwright.api.json_types import Moment, ResponseBody, moment
from sealwright.api.operations import Call, Operation
from sealwright.clock import after
from sealwright.identity import BinEntry, RecycleBin
from sealwright.oauth import DeletedClient, DeletedClients

_PAGE = {"after": "Begin after this name.", "limit": "At most this many."}
_PEOPLE, _GROUPS, _CLIENTS = "/recycle-bin/persons", "/recycle-bin/groups", "/recycle-bin/clients"


class BinEntryView(ResponseBody, frozen=True, kw_only=True):
    """A deleted account, group or client."""

    id: str
    kind: str
    name: str
    deleted_at: Moment
    deleted_by: str
    kept_until: Moment


class BinPage(ResponseBody, frozen=True, kw_only=True):
    """Deleted accounts, groups or clients by name."""

    items: list[BinEntryView]
    next: str | None = None


class RevivedView(ResponseBody, frozen=True, kw_only=True):
    """A revived account or group."""

    id: str
    name: str
    lost_mails: list[str]
    """Addresses that another account has by now."""


class RevivedClientView(ResponseBody, frozen=True, kw_only=True):
    """A revived client."""

    id: str
    name: str
    lost_maps: int
    """Maps of groups that are gone by now."""


class RecycleBinOperations:
    """Operations about the recycle bin."""

    def __init__(self, recycle_bin: RecycleBin, clients: DeletedClients, kept_for: timedelta) -> None:
        self._bin = recycle_bin
        self._clients = clients
        self._kept_for = kept_for

    def operations(self) -> list[Operation]:
        """All of them."""
        read, write = str(Permission.PERSON_READ), str(Permission.PERSON_WRITE)
        read_groups, write_groups = str(Permission.GROUP_READ), str(Permission.GROUP_WRITE)
        view, revived = BinEntryView, RevivedView
        return [
            Operation(
                "list_deleted_persons", "GET", _PEOPLE, "List deleted accounts.", read, self._persons, BinPage, query=_PAGE
            ),
            Operation(
                "list_deleted_groups", "GET", _GROUPS, "List deleted groups.", read_groups, self._groups, BinPage, query=_PAGE
            ),
            Operation("get_deleted_person", "GET", f"{_PEOPLE}/{{name}}", "Show a deleted account.", read, self._person, view),
            Operation("get_deleted_group", "GET", f"{_GROUPS}/{{name}}", "Show a deleted group.", read_groups, self._group, view),
            Operation(
                "revive_person",
                "POST",
                f"{_PEOPLE}/{{name}}/revive",
                "Bring a deleted account back, without credentials.",
                write,
                self._revive_person,
                revived,
            ),
            Operation(
                "revive_group",
                "POST",
                f"{_GROUPS}/{{name}}/revive",
                "Bring a deleted group back.",
                write_groups,
                self._revive_group,
                revived,
            ),
            *self._of_clients(),
        ]

    def _of_clients(self) -> list[Operation]:
        read, write = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
        one = f"{_CLIENTS}/{{name}}"
        return [
            Operation(
                "list_deleted_clients", "GET", _CLIENTS, "List deleted clients.", read, self._list_clients, BinPage, query=_PAGE
            ),
            Operation("get_deleted_client", "GET", one, "Show a deleted client.", read, self._client, BinEntryView),
            Operation(
                "revive_client",
                "POST",
                f"{one}/revive",
                "Bring a deleted client back, with its maps, image, secret and keys.",
                write,
                self._revive_client,
                RevivedClientView,
            ),
        ]

    async def _list_clients(self, call: Call) -> BinPage:
        limit, beyond = call.limit(), call.query.get("after", "")
        found = await self._clients.list(beyond=beyond, at_most=limit + 1, actor=call.actor)
        return self._page([_entry(each) for each in found], limit)

    async def _client(self, call: Call) -> BinEntryView:
        return self._view(_entry(await self._clients.show(call.path("name"), actor=call.actor)))

    async def _revive_client(self, call: Call) -> RevivedClientView:
        found = await self._clients.revive(call.path("name"), actor=call.actor)
        return RevivedClientView(id=found.id, name=found.name, lost_maps=found.lost_maps)

    async def _persons(self, call: Call) -> BinPage:
        limit, beyond = call.limit(), call.query.get("after", "")
        return self._page(await self._bin.list_accounts(beyond=beyond, at_most=limit + 1, actor=call.actor), limit)

    async def _groups(self, call: Call) -> BinPage:
        limit, beyond = call.limit(), call.query.get("after", "")
        return self._page(await self._bin.list_groups(beyond=beyond, at_most=limit + 1, actor=call.actor), limit)

    async def _person(self, call: Call) -> BinEntryView:
        return self._view(await self._bin.show_account(call.path("name"), actor=call.actor))

    async def _group(self, call: Call) -> BinEntryView:
        return self._view(await self._bin.show_group(call.path("name"), actor=call.actor))

    async def _revive_person(self, call: Call) -> RevivedView:
        found = await self._bin.revive_account(call.path("name"), actor=call.actor)
        return RevivedView(id=found.account.id, name=found.account.name, lost_mails=list(found.lost_mails))

    async def _revive_group(self, call: Call) -> RevivedView:
        found = await self._bin.revive_group(call.path("name"), actor=call.actor)
        return RevivedView(id=found.id, name=found.name, lost_mails=[])

    def _page(self, found: Sequence[BinEntry], limit: int) -> BinPage:
        shown = [self._view(each) for each in found[:limit]]
        return BinPage(items=shown, next=shown[-1].name if len(found) > limit else None)

    def _view(self, entry: BinEntry) -> BinEntryView:
        return BinEntryView(
            id=entry.id,
            kind=entry.kind,
            name=entry.name,
            deleted_at=moment(entry.deleted_at),
            deleted_by=entry.deleted_by,
            kept_until=moment(after(entry.deleted_at, self._kept_for)),
        )


def _entry(client: DeletedClient) -> BinEntry:
    return BinEntry(client.id, "client", client.name, "", client.deleted_at, client.deleted_by)
