"""What a request says of an OAuth client, and what a response shows of it; made from the table of client metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from sealwright.api.json_types import Moment, RequestBody, ResponseBody, moment
from sealwright.client_metadata import Row, rows
from sealwright.oauth import ClaimMap, ClientConfiguration, ScopeMap

_ISSUER = "The name of the issuer that it shares with other clients; null where it has one of its own."


def _described(row: Row, kind: Any) -> Any:
    return Annotated[kind, msgspec.Meta(description=row.declared.doc)]


def _given(row: Row) -> tuple[str, Any, Any]:
    """A member that may be left out; null brings the default back."""
    kind = row.type if row.required else row.type | None
    return row.name, _described(row, kind | msgspec.UnsetType), msgspec.UNSET


ClientBody: Any = msgspec.defstruct(
    "ClientBody",
    [
        *((row.name, _described(row, row.type)) if row.required else _given(row) for row in rows().values()),
        ("issuer", Annotated[str | None, msgspec.Meta(description=_ISSUER)], None),
    ],
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
        ("issuer", Annotated[str | None, msgspec.Meta(description=_ISSUER)]),
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


class RenameBody(RequestBody, frozen=True, kw_only=True):
    """The new name."""

    name: str


def client_view(found: ClientConfiguration) -> ResponseBody:
    """A client as the API shows it."""
    view: ResponseBody = ClientView(
        **{name: getattr(found, name) for name in rows()},
        scope_maps=_scope_maps(found.scope_maps),
        supplementary_scope_maps=_scope_maps(found.supplementary_scope_maps),
        claim_maps=[_claim_map(each) for each in found.claim_maps],
        issuer=found.issuer,
        issuer_url=found.issuer_url,
        discovery_url=found.configuration_url,
        created_at=moment(found.created_at),
        updated_at=moment(found.updated_at),
    )
    return view


def client_page(found: list[ClientConfiguration], following: str | None) -> ResponseBody:
    """A page of clients, and what `after` takes for those that follow."""
    page: ResponseBody = ClientPage(items=[client_view(each) for each in found], next=following)
    return page


def _scope_maps(maps: Iterable[ScopeMap]) -> list[ScopeMapView]:
    return [ScopeMapView(group=each.group_name, scopes=each.scopes) for each in maps]


def _claim_map(one: ClaimMap) -> ClaimMapView:
    groups = [ClaimValuesView(group=each.group_name, values=each.values) for each in one.groups]
    return ClaimMapView(claim=one.claim, join=str(one.join), groups=groups)
