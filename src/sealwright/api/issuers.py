"""Issuers that OAuth clients share."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.api.client_secrets import ClientKeysView, RotationBody, key_views, rotation_time
from sealwright.api.client_shapes import ClientView, client_view
from sealwright.api.json_types import RequestBody, ResponseBody
from sealwright.api.operations import Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.oauth import ClientRegistry, IssuerConfiguration, IssuerRegistry

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ALL, _ONE = "/oauth2/issuers", "/oauth2/issuers/{name}"
_EVEN_IF_USED = {"even_if_used": "true: move it although provisioners use it. Without it, they are named and nothing is done."}


class IssuerBody(RequestBody, frozen=True, kw_only=True):
    """A new issuer."""

    name: str
    root: bool = False
    """Whether its URL is the server's own, without a path. There is one such issuer at most."""


class IssuerView(ResponseBody, frozen=True, kw_only=True):
    """An issuer that clients share."""

    name: str
    root: bool
    issuer_url: str
    discovery_url: str


class IssuersView(ResponseBody, frozen=True, kw_only=True):
    """Issuers by name."""

    items: list[IssuerView]
    next: str | None = None


class ClientIssuerBody(RequestBody, frozen=True, kw_only=True):
    """Where a client is to be."""

    issuer: str | None
    """The name of the issuer that it shares with other clients; null for one of its own."""


class IssuerOperations:
    """Operations about issuers."""

    def __init__(self, issuers: IssuerRegistry, clients: ClientRegistry) -> None:
        self._issuers = issuers
        self._clients = clients

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "list_issuers", "GET", _ALL, "List the issuers that clients share.", _READ, self._list, IssuersView, query=PAGED
            ),
            Operation(
                "create_issuer",
                "POST",
                _ALL,
                "Create an issuer for clients to share.",
                _WRITE,
                self._create,
                returns=IssuerView,
                accepts=IssuerBody,
                status=201,
            ),
            Operation("get_issuer", "GET", _ONE, "Show an issuer that clients share.", _READ, self._get, IssuerView),
            Operation(
                "delete_issuer", "DELETE", _ONE, "Delete an issuer that no client is on.", _WRITE, self._delete, status=204
            ),
            Operation(
                "set_client_issuer",
                "POST",
                "/oauth2/clients/{name}/issuer",
                "Put a client on an issuer that it shares with others, or give it one of its own. All of its tokens end.",
                _WRITE,
                self._set_client_issuer,
                returns=ClientView,
                accepts=ClientIssuerBody,
                query=_EVEN_IF_USED,
            ),
            *self._keys(),
        ]

    def _keys(self) -> list[Operation]:
        place, view = f"{_ONE}/keys", ClientKeysView
        rotation = f"{_ONE}/key-rotation"
        return [
            Operation("list_issuer_keys", "GET", place, "List an issuer's signing keys.", _READ, self._list_keys, view),
            Operation(
                "rotate_issuer_keys",
                "POST",
                rotation,
                "Give an issuer new signing keys.",
                _WRITE,
                self._rotate,
                view,
                RotationBody,
            ),
            Operation(
                "revoke_issuer_key",
                "DELETE",
                f"{place}/{{key}}",
                "Revoke a signing key that clients share: whatever it signed is worth nothing from now on.",
                _WRITE,
                self._revoke,
                view,
            ),
        ]

    async def _list(self, call: Call) -> IssuersView:
        found = [_view(each) for each in await self._issuers.list(actor=call.actor)]
        return page_of(call, IssuersView(items=found), "name")

    async def _create(self, call: Call) -> IssuerView:
        return _view(await self._issuers.create(call.body.name, root=call.body.root, actor=call.actor))

    async def _get(self, call: Call) -> IssuerView:
        return _view(await self._issuers.get(call.path("name"), actor=call.actor))

    async def _delete(self, call: Call) -> None:
        await self._issuers.delete(call.path("name"), actor=call.actor)

    async def _set_client_issuer(self, call: Call) -> ResponseBody:
        even_if_used = call.flag("even_if_used")
        changed = await self._clients.names.set_issuer(
            call.path("name"), call.body.issuer, even_if_used=even_if_used, actor=call.actor
        )
        return client_view(changed)

    async def _list_keys(self, call: Call) -> ClientKeysView:
        return key_views(await self._issuers.list_keys(call.path("name"), actor=call.actor))

    async def _rotate(self, call: Call) -> ClientKeysView:
        return key_views(await self._issuers.rotate(call.path("name"), rotation_time(call.body), actor=call.actor))

    async def _revoke(self, call: Call) -> ClientKeysView:
        return key_views(await self._issuers.revoke(call.path("name"), call.path("key"), actor=call.actor))


def _view(issuer: IssuerConfiguration) -> IssuerView:
    return IssuerView(name=issuer.name, root=issuer.is_root, issuer_url=issuer.url, discovery_url=issuer.configuration_url)
