"""OAuth clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from sealwright.access import Actor, Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Seconds, Secret, moment
from sealwright.api.operations import EVEN_IF_USED, Call, Operation
from sealwright.errors import InvalidInput, NotFound
from sealwright.oauth import ClientConfiguration, ClientRegistry

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ONE = "/oauth2/clients/{name}"
Change = Callable[[str, Any, Actor], Awaitable[ClientConfiguration]]


class ClientBody(RequestBody, frozen=True, kw_only=True):
    """A new client."""

    kind: Literal["public", "confidential"]
    name: str
    display_name: str
    landing_url: str


class ClientChange(RequestBody, frozen=True, kw_only=True):
    """One member to change; each call changes exactly one."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    landing_url: str | msgspec.UnsetType = msgspec.UNSET
    localhost_redirects: bool | msgspec.UnsetType = msgspec.UNSET
    http_redirects: bool | msgspec.UnsetType = msgspec.UNSET
    """Whether redirect URLs over plain http are allowed; others on the way can read a code there."""
    require_pkce: bool | msgspec.UnsetType = msgspec.UNSET
    signing_algorithm: Literal["ES256", "RS256"] | msgspec.UnsetType = msgspec.UNSET
    consent_prompt: bool | msgspec.UnsetType = msgspec.UNSET
    partial_scopes: bool | msgspec.UnsetType = msgspec.UNSET
    """Whether a person who may not grant all scopes that are asked for grants the rest."""
    short_username: bool | msgspec.UnsetType = msgspec.UNSET
    refresh_seconds: Seconds | msgspec.UnsetType | None = msgspec.UNSET
    """How long a refresh token waits for its use; null for what the settings say."""
    refresh_grace_seconds: Seconds | msgspec.UnsetType | None = msgspec.UNSET
    """How long a used refresh token is answered with the same successor again, 0 to 60; null for the usual: 10 for a
    confidential client, 0 for a public one.
    """


class RedirectBody(RequestBody, frozen=True, kw_only=True):
    """An address that people may come back to."""

    url: str


class ScopesBody(RequestBody, frozen=True, kw_only=True):
    """The scopes of a group's members."""

    scopes: tuple[str, ...]


class ScopeMapView(ResponseBody, frozen=True, kw_only=True):
    """Which scopes the members of a group may grant."""

    group: str
    scopes: tuple[str, ...]


class ClientView(ResponseBody, frozen=True, kw_only=True):
    """Everything that is set on a client, without its secret and keys."""

    name: str
    display_name: str
    kind: str
    landing_url: str
    redirect_urls: tuple[str, ...]
    localhost_redirects: bool
    http_redirects: bool
    scope_maps: list[ScopeMapView]
    require_pkce: bool
    signing_algorithm: str
    consent_prompt: bool
    partial_scopes: bool
    short_username: bool
    refresh_seconds: int
    refresh_grace_seconds: int
    issuer_url: str
    discovery_url: str
    created_at: Moment
    updated_at: Moment


class ClientPage(ResponseBody, frozen=True, kw_only=True):
    """Clients by name."""

    items: list[ClientView]
    next: str | None = None


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
        self._changes: Mapping[str, Change] = {
            "display_name": lambda name, text, actor: clients.set_display_name(name, text, actor=actor),
            "landing_url": lambda name, url, actor: clients.set_landing_url(name, url, actor=actor),
            "localhost_redirects": _switch(clients.enable_localhost_redirects, clients.disable_localhost_redirects),
            "http_redirects": _switch(clients.enable_http_redirects, clients.disable_http_redirects),
            "require_pkce": _switch(clients.enable_pkce, clients.disable_pkce),
            "consent_prompt": _switch(clients.enable_consent_prompt, clients.disable_consent_prompt),
            "partial_scopes": _switch(clients.enable_partial_scopes, clients.disable_partial_scopes),
            "short_username": _switch(clients.prefer_short_username, clients.prefer_spn_username),
            "signing_algorithm": self._sign_with,
            "refresh_seconds": self._refresh_for,
            "refresh_grace_seconds": self._grace_of,
        }

    def operations(self) -> list[Operation]:
        """All of them."""
        return [*self._registration(), *self._permissions(), *self._secrets()]

    def _registration(self) -> list[Operation]:
        answer, one = ClientView, _ONE
        return [
            Operation("list_clients", "GET", "/oauth2/clients", "List clients.", _READ, self._list, returns=ClientPage),
            Operation(
                "create_client",
                "POST",
                "/oauth2/clients",
                "Register a client.",
                _WRITE,
                self._create,
                returns=answer,
                accepts=ClientBody,
                status=201,
            ),
            Operation("get_client", "GET", one, "Show a client.", _READ, self._get, returns=answer),
            Operation(
                "update_client",
                "PATCH",
                one,
                "Change one thing about a client.",
                _WRITE,
                self._update,
                returns=answer,
                accepts=ClientChange,
            ),
            Operation("delete_client", "DELETE", one, "Delete a client.", _WRITE, self._delete, query=EVEN_IF_USED, status=204),
        ]

    def _permissions(self) -> list[Operation]:
        answer = ClientView
        urls, maps = f"{_ONE}/redirect-urls", f"{_ONE}/scope-maps/{{group}}"
        return [
            Operation(
                "add_redirect_url",
                "POST",
                urls,
                "Allow a redirect URL.",
                _WRITE,
                self._add_redirect_url,
                returns=answer,
                accepts=RedirectBody,
            ),
            Operation(
                "remove_redirect_url",
                "DELETE",
                urls,
                "No longer allow a redirect URL.",
                _WRITE,
                self._remove_redirect_url,
                returns=answer,
                query={"url": "The URL, exactly as it was added."},
            ),
            Operation(
                "set_scope_map",
                "PUT",
                maps,
                "Say which scopes the members of a group may grant.",
                _WRITE,
                self._set_scope_map,
                returns=answer,
                accepts=ScopesBody,
            ),
            Operation(
                "delete_scope_map", "DELETE", maps, "Take a group's scopes away.", _WRITE, self._delete_scope_map, returns=answer
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

    async def _list(self, call: Call) -> ClientPage:
        return ClientPage(items=[client_view(each) for each in await self._clients.list(actor=call.actor)])

    async def _create(self, call: Call) -> ClientView:
        body: ClientBody = call.body
        create = self._clients.create_public if body.kind == "public" else self._clients.create_confidential
        return client_view(await create(body.name, body.display_name, body.landing_url, actor=call.actor))

    async def _get(self, call: Call) -> ClientView:
        return client_view(await self._clients.get(call.path("name"), actor=call.actor))

    async def _update(self, call: Call) -> ClientView:
        given = {name: value for name, value in msgspec.structs.asdict(call.body).items() if value is not msgspec.UNSET}
        if len(given) != 1:
            raise InvalidInput(
                f"One thing is changed at a time, and {len(given)} are given.", hint=f"There are {', '.join(self._changes)}."
            )
        ((member, value),) = given.items()
        return client_view(await self._changes[member](call.path("name"), value, call.actor))

    async def _delete(self, call: Call) -> None:
        await self._clients.delete(call.path("name"), even_if_used=call.flag("even_if_used"), actor=call.actor)

    async def _add_redirect_url(self, call: Call) -> ClientView:
        return client_view(await self._clients.add_redirect_url(call.path("name"), call.body.url, actor=call.actor))

    async def _remove_redirect_url(self, call: Call) -> ClientView:
        if "url" not in call.query:
            raise InvalidInput("The parameter 'url' is missing: which one is to be removed?")
        return client_view(await self._clients.remove_redirect_url(call.path("name"), call.query["url"], actor=call.actor))

    async def _set_scope_map(self, call: Call) -> ClientView:
        scopes = call.body.scopes
        changed = await self._clients.update_scope_map(call.path("name"), call.path("group"), scopes, actor=call.actor)
        return client_view(changed)

    async def _delete_scope_map(self, call: Call) -> ClientView:
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

    async def _sign_with(self, name: str, algorithm: str, actor: Actor) -> ClientConfiguration:
        change = self._clients.enable_legacy_crypto if algorithm == "RS256" else self._clients.disable_legacy_crypto
        return await change(name, actor=actor)

    async def _refresh_for(self, name: str, seconds: int | None, actor: Actor) -> ClientConfiguration:
        lifetime = None if seconds is None else timedelta(seconds=seconds)
        return await self._clients.set_refresh_token_expiry(name, lifetime, actor=actor)

    async def _grace_of(self, name: str, seconds: int | None, actor: Actor) -> ClientConfiguration:
        grace = None if seconds is None else timedelta(seconds=seconds)
        return await self._clients.set_refresh_token_grace(name, grace, actor=actor)


def _switch(on: Callable[..., Awaitable[ClientConfiguration]], off: Callable[..., Awaitable[ClientConfiguration]]) -> Change:
    async def change(name: str, wanted: bool, actor: Actor) -> ClientConfiguration:
        return await (on if wanted else off)(name, actor=actor)

    return change


def client_view(found: ClientConfiguration) -> ClientView:
    """An OAuth client."""
    return ClientView(
        name=found.name,
        display_name=found.display_name,
        kind=str(found.kind),
        landing_url=found.landing_url,
        redirect_urls=found.redirect_uris,
        localhost_redirects=found.localhost_redirects,
        http_redirects=found.http_redirects,
        scope_maps=[ScopeMapView(group=each.group_name, scopes=each.scopes) for each in found.scope_maps],
        require_pkce=found.require_pkce,
        signing_algorithm=str(found.signing_algorithm),
        consent_prompt=found.consent_prompt,
        partial_scopes=found.partial_scopes,
        short_username=found.short_username,
        refresh_seconds=found.refresh_lifetime // timedelta(seconds=1),
        refresh_grace_seconds=found.refresh_grace // timedelta(seconds=1),
        issuer_url=found.issuer_url,
        discovery_url=found.configuration_url,
        created_at=moment(found.created_at),
        updated_at=moment(found.updated_at),
    )
