"""API keys of people: one's own, and with a permission those of others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import asdict

from sealwright.access import Actor, Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Seconds, Secret, instant_of, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.clock import Clock
from sealwright.errors import InvalidInput
from sealwright.identity import ApiKey, ApiKeys, ApiKeyState, ApiKeyUsage, Directory, OwnedKey

_ALL = "/auth/keys"
_ONE = f"{_ALL}/{{id}}"
_READ, _CHANGE = f"{OWN}; for others {Permission.API_KEY_READ}", f"{OWN}; for others {Permission.API_KEY_WRITE}"


class ApiKeyBody(RequestBody, frozen=True, kw_only=True):
    """A new key."""

    name: str
    scopes: list[str]
    """Permissions, and ids of roles; nothing that one may not do oneself."""
    expires_at: Moment | None = None
    """At most a year from now; by default in 90 days."""


class ApiKeyRotation(RequestBody, frozen=True, kw_only=True):
    """How long both keys are valid."""

    overlap: Seconds = 86_400


class ApiKeyNarrowing(RequestBody, frozen=True, kw_only=True):
    """What is left to a key; null for what it was used with."""

    scopes: list[str] | None = None


class ApiKeyView(ResponseBody, frozen=True, kw_only=True):
    """A key without its secret."""

    id: str
    name: str
    owner: str
    beginning: str
    """Its first characters, by which a key that was found somewhere is told."""
    scopes: tuple[str, ...]
    state: ApiKeyState
    created_at: Moment
    expires_at: Moment
    last_used_at: Moment | None
    """To the minute."""
    last_address: str


class ApiKeyUseView(ResponseBody, frozen=True, kw_only=True):
    """When a key was last used with a permission, to the hour."""

    permission: str
    last_used_at: Moment


class ApiKeyDetails(ApiKeyView, frozen=True, kw_only=True):
    """A key, what it was used with, and what it can do without."""

    used: tuple[ApiKeyUseView, ...]
    unused: tuple[str, ...]
    """Permissions of its scope that it was never used with."""


class NewApiKeyView(ApiKeyView, frozen=True, kw_only=True):
    """A key with its secret, which is in no other response."""

    key: Secret


class ApiKeyPage(ResponseBody, frozen=True, kw_only=True):
    """Keys: of one person the oldest first, of everyone by id."""

    items: list[ApiKeyView]
    next: str | None = None


class ApiKeyOperations:
    """Operations about API keys."""

    def __init__(self, api_keys: ApiKeys, directory: Directory, clock: Clock) -> None:
        self._api_keys = api_keys
        self._directory = directory
        self._clock = clock

    def operations(self) -> list[Operation]:
        """All of them."""
        query = {
            "person": "Whose; by default one's own.",
            "all": "true: those of everyone.",
            **PAGED,
        }
        return [
            Operation("list_api_keys", "GET", _ALL, "List API keys.", _READ, self._list, ApiKeyPage, query=query),
            Operation(
                "create_api_key",
                "POST",
                _ALL,
                "Make an API key of one's own; it is shown only now.",
                OWN,
                self._create,
                NewApiKeyView,
                ApiKeyBody,
                status=201,
            ),
            Operation("get_api_key", "GET", _ONE, "Show an API key and what it was used with.", _READ, self._get, ApiKeyDetails),
            Operation(
                "rotate_api_key",
                "POST",
                f"{_ONE}/rotate",
                "Make the successor of an API key of one's own; both are valid for the overlap.",
                OWN,
                self._rotate,
                NewApiKeyView,
                ApiKeyRotation,
                status=201,
            ),
            Operation(
                "narrow_api_key",
                "POST",
                f"{_ONE}/narrow",
                "Take from an API key what it was never used with, or leave it what is named.",
                _CHANGE,
                self._narrow,
                ApiKeyDetails,
                ApiKeyNarrowing,
                owns=self._is_own,
            ),
            Operation(
                "revoke_api_key",
                "DELETE",
                _ONE,
                "End an API key at once.",
                _CHANGE,
                self._revoke,
                status=204,
                recent_sign_in=False,
            ),
        ]

    async def _is_own(self, actor: Actor, path: Mapping[str, str]) -> bool:
        return await self._api_keys.belongs_to(path["id"], actor)

    async def _list(self, call: Call) -> ApiKeyPage:
        if call.flag("all"):
            if "person" in call.query:
                raise InvalidInput("all and person exclude each other.", hint="Give one of the two.")
            limit = call.limit()
            found = await self._api_keys.list_all(beyond=call.query.get("after", ""), at_most=limit + 1, actor=call.actor)
            shown = [self._view(each) for each in found[:limit]]
            return ApiKeyPage(items=shown, next=shown[-1].id if len(found) > limit else None)
        person = call.query.get("person")
        account = call.caller.account if person is None else await self._directory.show_person(person, actor=call.actor)
        whole = ApiKeyPage(items=[self._view(each) for each in await self._api_keys.list_of(account, actor=call.actor)])
        return page_of(call, whole, "created_at", "id")

    async def _create(self, call: Call) -> NewApiKeyView:
        body: ApiKeyBody = call.body
        expires_at = None if body.expires_at is None else instant_of("expires_at", body.expires_at)
        made = await self._api_keys.create(body.name, body.scopes, expires_at=expires_at, owner=call.caller)
        return NewApiKeyView(**self._own(call, made.described), key=made.key)

    async def _get(self, call: Call) -> ApiKeyDetails:
        found, usage = await self._api_keys.show(call.path("id"), actor=call.actor)
        return ApiKeyDetails(**asdict(self._view(found)), **_used(usage))

    async def _rotate(self, call: Call) -> NewApiKeyView:
        body: ApiKeyRotation = call.body
        made = await self._api_keys.rotate(call.path("id"), overlap=timedelta(seconds=body.overlap), owner=call.caller)
        return NewApiKeyView(**self._own(call, made.described), key=made.key)

    async def _narrow(self, call: Call) -> ApiKeyDetails:
        body: ApiKeyNarrowing = call.body
        found = await self._api_keys.narrow(call.path("id"), body.scopes, actor=call.actor)
        owner = await self._directory.account(found.account_id)
        shown = self._view(OwnedKey(found, "" if owner is None else owner.name))
        return ApiKeyDetails(**asdict(shown), **_used(await self._api_keys.usage(found)))

    async def _revoke(self, call: Call) -> None:
        await self._api_keys.revoke(call.path("id"), actor=call.actor)

    def _own(self, call: Call, key: ApiKey) -> dict[str, Any]:
        return asdict(self._view(OwnedKey(key, call.caller.account.name)))

    def _view(self, owned: OwnedKey) -> ApiKeyView:
        key = owned.key
        return ApiKeyView(
            id=key.id,
            name=key.name,
            owner=owned.owner,
            beginning=key.beginning,
            scopes=key.scopes,
            state=key.state(self._clock.now()),
            created_at=moment(key.created_at),
            expires_at=moment(key.expires_at),
            last_used_at=moment(key.last_used_at),
            last_address=key.last_address,
        )


def _used(usage: ApiKeyUsage) -> dict[str, Any]:
    uses = tuple(ApiKeyUseView(permission=str(each.permission), last_used_at=moment(each.last_used_at)) for each in usage.uses)
    return {"used": uses, "unused": tuple(sorted(map(str, usage.unused)))}
