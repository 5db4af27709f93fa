"""OAuth clients: register, show and change them."""

from __future__ import annotations

from typing import Any

import msgspec

from sealwright.access import Permission
from sealwright.api.client_shapes import (
    ClientBody,
    ClientChange,
    ClientPage,
    ClientView,
    ElementBody,
    RenameBody,
    ScopesBody,
    client_page,
    client_view,
)
from sealwright.api.json_types import ResponseBody
from sealwright.api.operations import EVEN_IF_USED, Call, Operation
from sealwright.client_metadata import Row, rows
from sealwright.errors import InvalidInput
from sealwright.oauth import ClientKind, ClientRegistry

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ALL, _ONE = "/oauth2/clients", "/oauth2/clients/{name}"
_PAGE = {"after": "Begin after this name.", "limit": "At most this many."}
_EVEN_IF_USED = {"even_if_used": "true: rename it although provisioners use it. Without it, they are named and nothing is done."}


class ClientOperations:
    """Operations about clients."""

    def __init__(self, clients: ClientRegistry) -> None:
        self._clients = clients

    def operations(self) -> list[Operation]:
        """All of them."""
        lists = [each for row in rows().values() if row.is_list for each in self._list_operations(row)]
        return [*self._registration(), *lists, *self._permissions()]

    def _registration(self) -> list[Operation]:
        view, one = ClientView, _ONE
        return [
            Operation("list_clients", "GET", _ALL, "List clients.", _READ, self._list, returns=ClientPage, query=_PAGE),
            Operation(
                "create_client",
                "POST",
                _ALL,
                "Register a client.",
                _WRITE,
                self._create,
                returns=view,
                accepts=ClientBody,
                status=201,
            ),
            Operation("get_client", "GET", one, "Show a client.", _READ, self._get, returns=view),
            Operation(
                "update_client", "PATCH", one, "Change a client.", _WRITE, self._update, returns=view, accepts=ClientChange
            ),
            Operation(
                "rename_client",
                "POST",
                f"{one}/name",
                "Give a client another name, which is its client_id and a part of its issuer. All of its tokens end.",
                _WRITE,
                self._rename,
                returns=view,
                accepts=RenameBody,
                query=_EVEN_IF_USED,
            ),
            Operation("delete_client", "DELETE", one, "Delete a client.", _WRITE, self._delete, query=EVEN_IF_USED, status=204),
        ]

    def _list_operations(self, row: Row) -> list[Operation]:
        path, label = f"{_ONE}/{row.name.replace('_', '-')}", row.declared.label

        async def add(call: Call) -> ResponseBody:
            return client_view(await self._clients.add(call.path("name"), row.name, call.body.value, actor=call.actor))

        async def remove(call: Call) -> ResponseBody:
            return client_view(await self._clients.remove(call.path("name"), row.name, call.query["value"], actor=call.actor))

        which = {"value": "The element, exactly as it was added."}
        return [
            Operation(
                f"add_to_{row.name}", "POST", path, f"Add to the {label}.", _WRITE, add, returns=ClientView, accepts=ElementBody
            ),
            Operation(
                f"remove_from_{row.name}",
                "DELETE",
                path,
                f"Remove from the {label}.",
                _WRITE,
                remove,
                returns=ClientView,
                query=which,
                required_query=tuple(which),
            ),
        ]

    def _permissions(self) -> list[Operation]:
        maps = f"{_ONE}/scope-maps/{{group}}"
        return [
            Operation(
                "set_scope_map",
                "PUT",
                maps,
                "Say which scopes the members of a group may grant.",
                _WRITE,
                self._set_scope_map,
                returns=ClientView,
                accepts=ScopesBody,
            ),
            Operation(
                "delete_scope_map",
                "DELETE",
                maps,
                "Take a group's scopes away.",
                _WRITE,
                self._delete_scope_map,
                returns=ClientView,
            ),
        ]

    async def _list(self, call: Call) -> ResponseBody:
        limit = call.limit()
        found = await self._clients.list(after=call.query.get("after", ""), at_most=limit + 1, actor=call.actor)
        shown = found[:limit]
        return client_page(shown, shown[-1].name if len(found) > limit else None)

    async def _create(self, call: Call) -> ResponseBody:
        members = _members(call.body)
        name, display_name, landing_url = (members.pop(each) for each in ("name", "display_name", "landing_url"))
        issuer, public = members.pop("issuer"), members.pop("kind") is ClientKind.PUBLIC
        create = self._clients.create_public if public else self._clients.create_confidential
        return client_view(await create(name, display_name, landing_url, members=members, issuer=issuer, actor=call.actor))

    async def _get(self, call: Call) -> ResponseBody:
        return client_view(await self._clients.get(call.path("name"), actor=call.actor))

    async def _update(self, call: Call) -> ResponseBody:
        members = _members(call.body)
        if not members:
            raise InvalidInput("Nothing is given to change.", hint=f"There are {', '.join(ClientChange.__struct_fields__)}.")
        return client_view(await self._clients.change(call.path("name"), members, actor=call.actor))

    async def _delete(self, call: Call) -> None:
        await self._clients.delete(call.path("name"), even_if_used=call.flag("even_if_used"), actor=call.actor)

    async def _set_scope_map(self, call: Call) -> ResponseBody:
        scopes = call.body.scopes
        return client_view(await self._clients.update_scope_map(call.path("name"), call.path("group"), scopes, actor=call.actor))

    async def _delete_scope_map(self, call: Call) -> ResponseBody:
        return client_view(await self._clients.delete_scope_map(call.path("name"), call.path("group"), actor=call.actor))

    async def _rename(self, call: Call) -> ResponseBody:
        even_if_used = call.flag("even_if_used")
        return client_view(
            await self._clients.names.rename(call.path("name"), call.body.name, even_if_used=even_if_used, actor=call.actor)
        )


def _members(body: msgspec.Struct) -> dict[str, Any]:
    """What was sent; without what was left out."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
