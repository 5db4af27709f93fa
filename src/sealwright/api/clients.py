"""OAuth clients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, moment
from sealwright.api.operations import EVEN_IF_USED, Call, Operation
from sealwright.client_metadata import Row, rows
from sealwright.errors import InvalidInput, NotFound
from sealwright.oauth import ClaimMap, ClientConfiguration, ClientKind, ClientRegistry, ScopeMap

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ALL, _ONE = "/oauth2/clients", "/oauth2/clients/{name}"
_PAGE = {"after": "Begin after this name.", "limit": "At most so many."}


def _described(row: Row, kind: Any) -> Any:
    return Annotated[kind, msgspec.Meta(description=row.declared.doc)]


def _given(row: Row) -> tuple[str, Any, Any]:
    """A member that may be left out; null brings the default back."""
    kind = row.type if row.required else row.type | None
    return row.name, _described(row, kind | msgspec.UnsetType), msgspec.UNSET


ClientBody: Any = msgspec.defstruct(
    "ClientBody",
    [(row.name, _described(row, row.type)) if row.required else _given(row) for row in rows().values()],
    bases=(RequestBody,),
    namespace={"__doc__": "A new client. What is left out has its default."},
    module=__name__,
    frozen=True,
    kw_only=True,
)
ClientChange: Any = msgspec.defstruct(
    "ClientChange",
    [_given(row) for row in rows().values() if row.changeable],
    bases=(RequestBody,),
    namespace={"__doc__": "What is to be different: all of it is changed, or nothing. null brings a default back."},
    module=__name__,
    frozen=True,
    kw_only=True,
)


class ElementBody(RequestBody, frozen=True, kw_only=True):
    """One element of a list, such as an address that people may come back to."""

    value: str


class ScopesBody(RequestBody, frozen=True, kw_only=True):
    """The scopes of a group's members."""

    scopes: tuple[str, ...]


class ScopeMapView(ResponseBody, frozen=True, kw_only=True):
    """Which scopes the members of a group may grant."""

    group: str
    scopes: tuple[str, ...]


class ClaimValuesView(ResponseBody, frozen=True, kw_only=True):
    """Which values the members of a group have."""

    group: str
    values: tuple[str, ...]


class ClaimMapView(ResponseBody, frozen=True, kw_only=True):
    """A claim that groups bring to the tokens of a client."""

    claim: str
    join: str
    """array, csv or ssv."""
    groups: list[ClaimValuesView]


ClientView: Any = msgspec.defstruct(
    "ClientView",
    [
        *((row.name, _described(row, int if row.type == int | None else row.type)) for row in rows().values()),
        ("scope_maps", list[ScopeMapView]),
        ("supplementary_scope_maps", list[ScopeMapView]),
        ("claim_maps", list[ClaimMapView]),
        ("issuer_url", str),
        ("discovery_url", str),
        ("created_at", Moment),
        ("updated_at", Moment),
    ],
    bases=(ResponseBody,),
    namespace={"__doc__": "Everything that holds for a client, defaults included, without its secret and keys."},
    module=__name__,
    frozen=True,
    kw_only=True,
)


ClientPage: Any = msgspec.defstruct(
    "ClientPage",
    [("items", list[ClientView]), ("next", str | None, None)],
    bases=(ResponseBody,),
    namespace={"__doc__": "Clients by name. `next` is what `after` takes for those that follow."},
    module=__name__,
    frozen=True,
    kw_only=True,
)


class ClientSecret(ResponseBody, frozen=True, kw_only=True):
    """A confidential client's secret."""

    name: str
    secret: Secret


class NoSecret(NotFound):
    """A public client has no secret."""

    code = "no_secret"


class ClientOperations:
    """Operations about clients."""

    def __init__(self, clients: ClientRegistry) -> None:
        self._clients = clients

    def operations(self) -> list[Operation]:
        """All of them."""
        lists = [each for row in rows().values() if row.is_list for each in self._list_operations(row)]
        return [*self._registration(), *lists, *self._permissions(), *self._secrets()]

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
            Operation("delete_client", "DELETE", one, "Delete a client.", _WRITE, self._delete, query=EVEN_IF_USED, status=204),
        ]

    def _list_operations(self, row: Row) -> list[Operation]:
        path, label = f"{_ONE}/{row.name.replace('_', '-')}", row.declared.label

        async def add(call: Call) -> Any:
            return client_view(await self._clients.add(call.path("name"), row.name, call.body.value, actor=call.actor))

        async def remove(call: Call) -> Any:
            if "value" not in call.query:
                raise InvalidInput("The parameter 'value' is missing: which one is to be removed?")
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

    def _secrets(self) -> list[Operation]:
        place = f"{_ONE}/secret"
        return [
            Operation(
                "show_client_secret",
                "GET",
                place,
                "Tell a confidential client's secret; that it was told is recorded.",
                _WRITE,
                self._show_secret,
                returns=ClientSecret,
            ),
            Operation(
                "reset_client_secret",
                "POST",
                place,
                "Give a confidential client a new secret; the old one stops working at once.",
                _WRITE,
                self._reset_secret,
                returns=ClientSecret,
            ),
        ]

    async def _list(self, call: Call) -> Any:
        limit = call.limit()
        found = await self._clients.list(after=call.query.get("after", ""), at_most=limit + 1, actor=call.actor)
        shown = found[:limit]
        return ClientPage(items=[client_view(each) for each in shown], next=shown[-1].name if len(found) > limit else None)

    async def _create(self, call: Call) -> Any:
        members = _members(call.body)
        name, display_name, landing_url = (members.pop(each) for each in ("name", "display_name", "landing_url"))
        public = members.pop("kind") is ClientKind.PUBLIC
        create = self._clients.create_public if public else self._clients.create_confidential
        return client_view(await create(name, display_name, landing_url, members=members, actor=call.actor))

    async def _get(self, call: Call) -> Any:
        return client_view(await self._clients.get(call.path("name"), actor=call.actor))

    async def _update(self, call: Call) -> Any:
        members = _members(call.body)
        if not members:
            raise InvalidInput("Nothing is given to change.", hint=f"There are {', '.join(ClientChange.__struct_fields__)}.")
        return client_view(await self._clients.change(call.path("name"), members, actor=call.actor))

    async def _delete(self, call: Call) -> None:
        await self._clients.delete(call.path("name"), even_if_used=call.flag("even_if_used"), actor=call.actor)

    async def _set_scope_map(self, call: Call) -> Any:
        scopes = call.body.scopes
        return client_view(await self._clients.update_scope_map(call.path("name"), call.path("group"), scopes, actor=call.actor))

    async def _delete_scope_map(self, call: Call) -> Any:
        return client_view(await self._clients.delete_scope_map(call.path("name"), call.path("group"), actor=call.actor))

    async def _show_secret(self, call: Call) -> ClientSecret:
        name = call.path("name")
        secret = await self._clients.show_basic_secret(name, actor=call.actor)
        if secret is None:
            raise NoSecret(f"{name} is a public client and has no secret.")
        return ClientSecret(name=name, secret=secret)

    async def _reset_secret(self, call: Call) -> ClientSecret:
        name = call.path("name")
        return ClientSecret(name=name, secret=await self._clients.reset_basic_secret(name, actor=call.actor))


def _members(body: msgspec.Struct) -> dict[str, Any]:
    """What was sent; without what was left out."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}


def client_view(found: ClientConfiguration) -> Any:
    """A client as the API shows it."""
    return ClientView(
        **{name: getattr(found, name) for name in rows()},
        scope_maps=_scope_maps(found.scope_maps),
        supplementary_scope_maps=_scope_maps(found.supplementary_scope_maps),
        claim_maps=[_claim_map(each) for each in found.claim_maps],
        issuer_url=found.issuer_url,
        discovery_url=found.configuration_url,
        created_at=moment(found.created_at),
        updated_at=moment(found.updated_at),
    )


def _scope_maps(maps: Iterable[ScopeMap]) -> list[ScopeMapView]:
    return [ScopeMapView(group=each.group_name, scopes=each.scopes) for each in maps]


def _claim_map(one: ClaimMap) -> ClaimMapView:
    groups = [ClaimValuesView(group=each.group_name, values=each.values) for each in one.groups]
    return ClaimMapView(claim=one.claim, join=str(one.join), groups=groups)
