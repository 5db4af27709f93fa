"""Provisioners of the certificate authority."""

from __future__ import annotations

from typing import Any

from sealwright.access import Permission, require
from sealwright.api.json_types import ResponseBody
from sealwright.api.operations import Call, Operation
from sealwright.ca import ProvisionerRegistry, shown_definition

_READ, _WRITE = str(Permission.PROVISIONER_READ), str(Permission.PROVISIONER_WRITE)


class ProvisionerPage(ResponseBody, frozen=True, kw_only=True):
    """Definitions of provisioners in the form that `step` reads, without secrets."""

    items: list[dict[str, Any]]
    next: str | None = None


class ProvisionerOperations:
    """Operations about provisioners. Definitions have the form that `step` reads and writes."""

    def __init__(self, provisioners: ProvisionerRegistry) -> None:
        self._provisioners = provisioners

    def operations(self) -> list[Operation]:
        """All of them."""
        definition = dict[str, Any]
        page = {"after": "Where the page before ended.", "limit": "At most this many."}
        return [
            Operation(
                "list_provisioners",
                "GET",
                "/provisioners",
                "List provisioners.",
                _READ,
                self._list,
                returns=ProvisionerPage,
                query=page,
            ),
            Operation(
                "add_provisioner",
                "POST",
                "/provisioners",
                "Add a provisioner. Needs certificate:issue-any-name as well.",
                _WRITE,
                self._add,
                returns=definition,
                accepts=definition,
                status=201,
            ),
            Operation(
                "get_provisioner",
                "GET",
                "/provisioners/{name}",
                "Show a provisioner, by name or id.",
                _READ,
                self._get,
                returns=definition,
            ),
            Operation(
                "remove_provisioner", "DELETE", "/provisioners/{name}", "Remove a provisioner.", _WRITE, self._remove, status=204
            ),
        ]

    async def _list(self, call: Call) -> ProvisionerPage:
        require(call.actor, Permission.PROVISIONER_READ)
        page = await self._provisioners.page(call.query.get("after", ""), call.limit())
        return ProvisionerPage(items=[shown_definition(each) for each in page.provisioners], next=page.next_cursor or None)

    async def _add(self, call: Call) -> dict[str, Any]:
        return shown_definition(await self._provisioners.add(call.body, call.actor))

    async def _get(self, call: Call) -> dict[str, Any]:
        require(call.actor, Permission.PROVISIONER_READ)
        return shown_definition(await self._provisioners.named(call.path("name")))

    async def _remove(self, call: Call) -> None:
        await self._provisioners.remove(call.path("name"), call.actor)
