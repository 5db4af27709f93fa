"""OAuth clients."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, moment
from sealwright.api.operations import EVEN_IF_USED, Call, Operation
from sealwright.client_metadata import LARGEST_IMAGE, Row, rows
from sealwright.clock import Instant, from_datetime
from sealwright.errors import InvalidInput, NotFound
from sealwright.http import whole_number
from sealwright.oauth import LONGEST_OVERLAP, ClaimMap, ClientConfiguration, ClientKey, ClientKind, ClientRegistry, ScopeMap

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ALL, _ONE = "/oauth2/clients", "/oauth2/clients/{name}"
_PAGE = {"after": "Begin after this name.", "limit": "At most so many."}
_EVEN_IF_USED = {"even_if_used": "true: rename it although provisioners use it. Without it, they are named and nothing is done."}


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


class NewSecretView(ClientSecret, frozen=True, kw_only=True):
    """A client's new secret."""

    old_until: Moment | None
    """Until when the secret before works on; null where it does not."""


class NewSecretsView(ResponseBody, frozen=True, kw_only=True):
    """What takes the place of all secrets of a client."""

    name: str
    secret: Secret | None
    """null for a public client."""


class RenameBody(RequestBody, frozen=True, kw_only=True):
    """The new name."""

    name: str


class RotationBody(RequestBody, frozen=True, kw_only=True):
    """When the new keys begin to sign."""

    at: str = "now"
    """``now``, which is as soon as everyone can have seen them, or a time (RFC 3339)."""


class ImageBody(RequestBody, frozen=True, kw_only=True):
    """An image: PNG, JPEG, GIF or WebP, at most 256 KiB and 1024 pixels on each side."""

    content: bytes
    """In base64."""


class ImageView(ResponseBody, frozen=True, kw_only=True):
    """What an image is."""

    name: str
    media_type: str
    width: int
    height: int


class ClientKeyView(ResponseBody, frozen=True, kw_only=True):
    """One of a client's signing keys."""

    id: str
    """The `kid`."""
    algorithm: str
    signs: bool
    """Whether tokens are signed with it at this moment."""
    created_at: Moment
    retires_at: Moment | None
    """From then on it signs no more; what it signed still verifies."""


class ClientKeysView(ResponseBody, frozen=True, kw_only=True):
    """Signing keys, newest first."""

    items: list[ClientKeyView]


class NoSecret(NotFound):
    """The client has no secret: it is public, or authenticates by a key or certificate."""

    code = "no_secret"


class ClientOperations:
    """Operations about clients."""

    def __init__(self, clients: ClientRegistry) -> None:
        self._clients = clients

    def operations(self) -> list[Operation]:
        """All of them."""
        lists = [each for row in rows().values() if row.is_list for each in self._list_operations(row)]
        return [*self._registration(), *lists, *self._permissions(), *self._secrets(), *self._keys(), *self._images()]

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
                "Give a confidential client a new secret.",
                _WRITE,
                self._reset_secret,
                returns=NewSecretView,
                query={
                    "overlap_seconds": "How long the old secret works on. Without it, it stops at once, and every token ends."
                },
            ),
            Operation(
                "reset_client_secrets",
                "POST",
                f"{_ONE}/reset-secrets",
                "Replace a client's secret and signing keys, and end all of its tokens.",
                _WRITE,
                self._reset_secrets,
                returns=NewSecretsView,
            ),
        ]

    def _keys(self) -> list[Operation]:
        place, view = f"{_ONE}/keys", ClientKeysView
        rotation = f"{_ONE}/key-rotation"
        return [
            Operation("list_client_keys", "GET", place, "List a client's signing keys.", _READ, self._list_keys, view),
            Operation(
                "rotate_client_keys",
                "POST",
                rotation,
                "Give a client new signing keys.",
                _WRITE,
                self._rotate,
                view,
                RotationBody,
            ),
            Operation(
                "revoke_client_key",
                "DELETE",
                f"{place}/{{key}}",
                "Revoke a signing key: whatever it signed is worth nothing from now on.",
                _WRITE,
                self._revoke_key,
                view,
            ),
        ]

    def _images(self) -> list[Operation]:
        place = f"{_ONE}/image"
        return [
            Operation(
                "set_client_image",
                "PUT",
                place,
                "Give a client an image.",
                _WRITE,
                self._set_image,
                returns=ImageView,
                accepts=ImageBody,
                max_body=2 * LARGEST_IMAGE,
            ),
            Operation(
                "remove_client_image", "DELETE", place, "Take a client's image away.", _WRITE, self._remove_image, status=204
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
            raise NoSecret(f"{name} has no secret: it is public, or authenticates by a key or certificate.")
        return ClientSecret(name=name, secret=secret)

    async def _reset_secret(self, call: Call) -> NewSecretView:
        name = call.path("name")
        longest = LONGEST_OVERLAP // timedelta(seconds=1)
        seconds = whole_number("overlap_seconds", call.query.get("overlap_seconds", "0"), 0, longest)
        new = await self._clients.reset_basic_secret(name, overlap=timedelta(seconds=seconds), actor=call.actor)
        return NewSecretView(name=name, secret=new.secret, old_until=moment(new.old_until))

    async def _reset_secrets(self, call: Call) -> NewSecretsView:
        name = call.path("name")
        return NewSecretsView(name=name, secret=await self._clients.reset_secrets(name, actor=call.actor))

    async def _rename(self, call: Call) -> Any:
        even_if_used = call.flag("even_if_used")
        return client_view(
            await self._clients.rename(call.path("name"), call.body.name, even_if_used=even_if_used, actor=call.actor)
        )

    async def _set_image(self, call: Call) -> ImageView:
        name = call.path("name")
        image = await self._clients.images.set_image(name, call.body.content, actor=call.actor)
        return ImageView(name=name, media_type=image.media_type, width=image.width, height=image.height)

    async def _remove_image(self, call: Call) -> None:
        await self._clients.images.remove_image(call.path("name"), actor=call.actor)

    async def _list_keys(self, call: Call) -> ClientKeysView:
        return _key_views(await self._clients.keys.list_keys(call.path("name"), actor=call.actor))

    async def _rotate(self, call: Call) -> ClientKeysView:
        at = None if call.body.at == "now" else _instant(call.body.at)
        return _key_views(await self._clients.keys.rotate(call.path("name"), at, actor=call.actor))

    async def _revoke_key(self, call: Call) -> ClientKeysView:
        return _key_views(await self._clients.keys.revoke(call.path("name"), call.path("key"), actor=call.actor))


def _instant(text: str) -> Instant:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return from_datetime(at)
    except ValueError:
        pass
    raise InvalidInput(f"{text[:40]!r} is no time.", hint="Give now, or a time with its zone such as 2026-12-24T18:00:00Z.")


def _key_views(found: Iterable[ClientKey]) -> ClientKeysView:
    return ClientKeysView(
        items=[
            ClientKeyView(
                id=each.id,
                algorithm=each.algorithm,
                signs=each.signs,
                created_at=moment(each.created_at),
                retires_at=moment(each.retires_at),
            )
            for each in found
        ]
    )


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
