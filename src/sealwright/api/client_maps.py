"""What groups bring at an OAuth client: implicit and supplementary scopes, and mapped claims."""

from __future__ import annotations

from typing import Literal

from sealwright.access import Permission
from sealwright.api.client_shapes import ClientView, ScopesBody, client_view
from sealwright.api.json_types import RequestBody, ResponseBody
from sealwright.api.operations import Call, Operation
from sealwright.oauth import ClaimJoin, ClientMaps

_WRITE = str(Permission.CLIENT_WRITE)
_ONE = "/oauth2/clients/{name}"
_SUPPLEMENTARY = f"{_ONE}/supplementary-scope-maps/{{group}}"
_CLAIM = f"{_ONE}/claim-maps/{{claim}}"
_VALUES = f"{_CLAIM}/groups/{{group}}"


class ClaimValuesBody(RequestBody, frozen=True, kw_only=True):
    """The values that a group's members have in a claim."""

    values: tuple[str, ...]


class ClaimJoinBody(RequestBody, frozen=True, kw_only=True):
    """How the values of a claim are written: as an array, or as one text with commas or spaces between them."""

    join: Literal["array", "csv", "ssv"]


class ClientMapOperations:
    """Operations about them. Each returns the client as it is then."""

    def __init__(self, maps: ClientMaps) -> None:
        self._maps = maps

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "set_implicit_scopes",
                "PUT",
                f"{_ONE}/implicit-scopes",
                "Say which scopes every account may grant; replaces those before.",
                _WRITE,
                self._set_implicit_scopes,
                returns=ClientView,
                accepts=ScopesBody,
            ),
            Operation(
                "set_supplementary_scope_map",
                "PUT",
                _SUPPLEMENTARY,
                "Say which scopes the members of a group get beside those that the client asks for.",
                _WRITE,
                self._set_supplementary,
                returns=ClientView,
                accepts=ScopesBody,
            ),
            Operation(
                "delete_supplementary_scope_map",
                "DELETE",
                _SUPPLEMENTARY,
                "Take a group's supplementary scopes away.",
                _WRITE,
                self._delete_supplementary,
                returns=ClientView,
            ),
            *self._claim_operations(),
        ]

    def _claim_operations(self) -> list[Operation]:
        return [
            Operation(
                "set_claim_map",
                "PUT",
                _VALUES,
                "Say which values the members of a group have in a claim of the client's tokens.",
                _WRITE,
                self._set_claim,
                returns=ClientView,
                accepts=ClaimValuesBody,
            ),
            Operation(
                "delete_claim_map",
                "DELETE",
                _VALUES,
                "Take a group's values of a claim away.",
                _WRITE,
                self._delete_claim,
                returns=ClientView,
            ),
            Operation(
                "set_claim_join",
                "PUT",
                f"{_CLAIM}/join",
                "Say how the values of a mapped claim are written.",
                _WRITE,
                self._set_join,
                returns=ClientView,
                accepts=ClaimJoinBody,
            ),
        ]

    async def _set_implicit_scopes(self, call: Call) -> ResponseBody:
        return client_view(await self._maps.set_implicit_scopes(call.path("name"), call.body.scopes, actor=call.actor))

    async def _set_supplementary(self, call: Call) -> ResponseBody:
        name, group, scopes = call.path("name"), call.path("group"), call.body.scopes
        return client_view(await self._maps.update_supplementary_scope_map(name, group, scopes, actor=call.actor))

    async def _delete_supplementary(self, call: Call) -> ResponseBody:
        name, group = call.path("name"), call.path("group")
        return client_view(await self._maps.delete_supplementary_scope_map(name, group, actor=call.actor))

    async def _set_claim(self, call: Call) -> ResponseBody:
        name, claim, group = call.path("name"), call.path("claim"), call.path("group")
        return client_view(await self._maps.update_claim_map(name, claim, group, call.body.values, actor=call.actor))

    async def _delete_claim(self, call: Call) -> ResponseBody:
        name, claim, group = call.path("name"), call.path("claim"), call.path("group")
        return client_view(await self._maps.delete_claim_map(name, claim, group, actor=call.actor))

    async def _set_join(self, call: Call) -> ResponseBody:
        join = ClaimJoin(call.body.join)
        return client_view(await self._maps.set_claim_join(call.path("name"), call.path("claim"), join, actor=call.actor))
