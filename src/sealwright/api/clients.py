"""OAuth clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from sealwright.access import Actor, Permission
from sealwright.api import answers, models
from sealwright.api.operations import EVEN_IF_USED, Call, Operation
from sealwright.errors import InvalidInput, NotFound
from sealwright.oauth import ClientConfiguration
from sealwright.oauth import Clients as Registry

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ONE = "/oauth2/clients/{name}"
Change = Callable[[str, Any, Actor], Awaitable[ClientConfiguration]]


class NoSecret(NotFound):
    """A public client has no secret."""

    code = "no_secret"


class Clients:
    """Operations about clients."""

    def __init__(self, clients: Registry) -> None:
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
        answer, one = models.ClientAnswer, _ONE
        return [
            Operation("list_clients", "GET", "/oauth2/clients", "List clients.", _READ, self._list, gives=models.ClientPage),
            Operation(
                "create_client",
                "POST",
                "/oauth2/clients",
                "Register a client.",
                _WRITE,
                self._create,
                gives=answer,
                takes=models.ClientBody,
                status=201,
            ),
            Operation("get_client", "GET", one, "Show a client.", _READ, self._get, gives=answer),
            Operation(
                "update_client",
                "PATCH",
                one,
                "Change one thing about a client.",
                _WRITE,
                self._update,
                gives=answer,
                takes=models.ClientChange,
            ),
            Operation("delete_client", "DELETE", one, "Delete a client.", _WRITE, self._delete, query=EVEN_IF_USED, status=204),
        ]

    def _permissions(self) -> list[Operation]:
        answer = models.ClientAnswer
        urls, maps = f"{_ONE}/redirect-urls", f"{_ONE}/scope-maps/{{group}}"
        return [
            Operation(
                "add_redirect_url",
                "POST",
                urls,
                "Allow a redirect URL.",
                _WRITE,
                self._add_redirect_url,
                gives=answer,
                takes=models.RedirectBody,
            ),
            Operation(
                "remove_redirect_url",
                "DELETE",
                urls,
                "No longer allow a redirect URL.",
                _WRITE,
                self._remove_redirect_url,
                gives=answer,
                query={"url": "The URL, exactly as it was added."},
            ),
            Operation(
                "set_scope_map",
                "PUT",
                maps,
                "Say which scopes the members of a group may grant.",
                _WRITE,
                self._set_scope_map,
                gives=answer,
                takes=models.ScopesBody,
            ),
            Operation(
                "delete_scope_map", "DELETE", maps, "Take a group's scopes away.", _WRITE, self._delete_scope_map, gives=answer
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
                gives=models.ClientSecret,
            ),
            Operation(
                "reset_client_secret",
                "POST",
                place,
                "Give a confidential client a new secret; the old one stops working at once.",
                _WRITE,
                self._reset_secret,
                gives=models.ClientSecret,
            ),
        ]

    async def _list(self, call: Call) -> models.ClientPage:
        return models.ClientPage(items=[answers.client(each) for each in await self._clients.list(actor=call.actor)])

    async def _create(self, call: Call) -> models.ClientAnswer:
        body: models.ClientBody = call.body
        create = self._clients.create_public if body.kind == "public" else self._clients.create_confidential
        return answers.client(await create(body.name, body.display_name, body.landing_url, actor=call.actor))

    async def _get(self, call: Call) -> models.ClientAnswer:
        return answers.client(await self._clients.get(call.path("name"), actor=call.actor))

    async def _update(self, call: Call) -> models.ClientAnswer:
        given = {name: value for name, value in msgspec.structs.asdict(call.body).items() if value is not msgspec.UNSET}
        if len(given) != 1:
            raise InvalidInput(
                f"One thing is changed at a time, and {len(given)} are given.", hint=f"There are {', '.join(self._changes)}."
            )
        ((member, value),) = given.items()
        return answers.client(await self._changes[member](call.path("name"), value, call.actor))

    async def _delete(self, call: Call) -> None:
        await self._clients.delete(call.path("name"), even_if_used=call.flag("even_if_used"), actor=call.actor)

    async def _add_redirect_url(self, call: Call) -> models.ClientAnswer:
        return answers.client(await self._clients.add_redirect_url(call.path("name"), call.body.url, actor=call.actor))

    async def _remove_redirect_url(self, call: Call) -> models.ClientAnswer:
        if "url" not in call.query:
            raise InvalidInput("The parameter 'url' is missing: which one is to be removed?")
        return answers.client(await self._clients.remove_redirect_url(call.path("name"), call.query["url"], actor=call.actor))

    async def _set_scope_map(self, call: Call) -> models.ClientAnswer:
        scopes = call.body.scopes
        changed = await self._clients.update_scope_map(call.path("name"), call.path("group"), scopes, actor=call.actor)
        return answers.client(changed)

    async def _delete_scope_map(self, call: Call) -> models.ClientAnswer:
        return answers.client(await self._clients.delete_scope_map(call.path("name"), call.path("group"), actor=call.actor))

    async def _show_secret(self, call: Call) -> models.ClientSecret:
        name = call.path("name")
        secret = await self._clients.show_basic_secret(name, actor=call.actor)
        if secret is None:
            raise NoSecret(f"{name} is a public client and has no secret.")
        return models.ClientSecret(name=name, secret=secret)

    async def _reset_secret(self, call: Call) -> models.ClientSecret:
        name = call.path("name")
        return models.ClientSecret(name=name, secret=await self._clients.reset_basic_secret(name, actor=call.actor))

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
