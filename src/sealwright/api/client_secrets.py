"""The secrets and signing keys of OAuth clients."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, instant_of, moment
from sealwright.api.operations import Call, Operation
from sealwright.clock import Instant
from sealwright.errors import NotFound
from sealwright.oauth import ClientKey, ClientRegistry

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ONE = "/oauth2/clients/{name}"


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


class RotationBody(RequestBody, frozen=True, kw_only=True):
    """When the new keys begin to sign."""

    at: str = "now"
    """``now``, which is as soon as everyone can have seen them, or a time (RFC 3339)."""


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


class ClientSecretOperations:
    """Operations about them."""

    def __init__(self, clients: ClientRegistry) -> None:
        self._clients = clients

    def operations(self) -> list[Operation]:
        """All of them."""
        return [*self._secrets(), *self._keys()]

    def _secrets(self) -> list[Operation]:
        place = f"{_ONE}/secret"
        return [
            Operation(
                "show_client_secret",
                "GET",
                place,
                "Show a confidential client's secret; that it was shown is recorded.",
                _WRITE,
                self._show_secret,
                returns=ClientSecret,
                recent_sign_in=True,
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

    async def _show_secret(self, call: Call) -> ClientSecret:
        name = call.path("name")
        secret = await self._clients.secrets.show_basic_secret(name, actor=call.actor)
        if secret is None:
            raise NoSecret(f"{name} has no secret: it is public, or authenticates by a key or certificate.")
        return ClientSecret(name=name, secret=secret)

    async def _reset_secret(self, call: Call) -> NewSecretView:
        name = call.path("name")
        seconds = int(call.query.get("overlap_seconds", 0))
        new = await self._clients.secrets.reset_basic_secret(name, overlap=timedelta(seconds=seconds), actor=call.actor)
        return NewSecretView(name=name, secret=new.secret, old_until=moment(new.old_until))

    async def _reset_secrets(self, call: Call) -> NewSecretsView:
        name = call.path("name")
        return NewSecretsView(name=name, secret=await self._clients.secrets.reset_secrets(name, actor=call.actor))

    async def _list_keys(self, call: Call) -> ClientKeysView:
        return key_views(await self._clients.keys.list_keys(call.path("name"), actor=call.actor))

    async def _rotate(self, call: Call) -> ClientKeysView:
        at = rotation_time(call.body)
        return key_views(await self._clients.keys.rotate(call.path("name"), at, actor=call.actor))

    async def _revoke_key(self, call: Call) -> ClientKeysView:
        return key_views(await self._clients.keys.revoke(call.path("name"), call.path("key"), actor=call.actor))


def rotation_time(body: RotationBody) -> Instant | None:
    """The time that new keys are to sign from; None where they are to sign at once."""
    return None if body.at == "now" else instant_of("at", body.at, hint="To let them sign at once, give now.")


def key_views(found: Iterable[ClientKey]) -> ClientKeysView:
    """Keys as the API shows them."""
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
