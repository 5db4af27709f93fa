"""Service accounts and their API tokens."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from sealwright.access import Actor, Permission
from sealwright.api.json_types import DisplayName, Moment, Name, RequestBody, ResponseBody, Secret, instant_of, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.api.persons import PersonDetails, ValidityBody, instants_of, person_details
from sealwright.audit import Event
from sealwright.clock import Clock
from sealwright.errors import InvalidInput
from sealwright.identity import Account, ApiToken, ApiTokens, Directory

_READ, _WRITE = str(Permission.PERSON_READ), str(Permission.PERSON_WRITE)
_READ_MANAGED, _WRITE_MANAGED = f"{OWN}; for others {_READ}", f"{OWN}; for others {_WRITE}"
"""One's own is here a service account that one manages, or that one is."""
_ALL = "/service-accounts"
_ONE = f"{_ALL}/{{name}}"
_TOKENS = f"{_ONE}/api-tokens"


class ServiceAccountBody(RequestBody, frozen=True, kw_only=True):
    """A new service account."""

    name: Name
    display_name: DisplayName
    managed_by: str | None = None
    """Account or group that may make and revoke its tokens."""


class ServiceAccountChange(RequestBody, frozen=True, kw_only=True):
    """The members to change; `managed_by` null takes the account from its manager."""

    name: Name | UnsetType = UNSET
    display_name: DisplayName | UnsetType = UNSET
    managed_by: str | UnsetType | None = UNSET


class ServiceAccountView(PersonDetails, frozen=True, kw_only=True):
    """A service account and the groups that it is in."""

    managed_by: str | None


class ServiceAccountPage(ResponseBody, frozen=True, kw_only=True):
    """Service accounts by name."""

    items: list[ServiceAccountView]
    next: str | None = None


class ApiTokenBody(RequestBody, frozen=True, kw_only=True):
    """A new token; `expires_at` null for one that holds until it is revoked."""

    label: str
    expires_at: Moment | None = None
    read_only: bool = True


class ApiTokenView(ResponseBody, frozen=True, kw_only=True):
    """A token without its secret."""

    id: str
    label: str
    read_only: bool
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class NewApiTokenView(ApiTokenView, frozen=True, kw_only=True):
    """A token with its secret, which is in no other response."""

    token: Secret


class ApiTokenPage(ResponseBody, frozen=True, kw_only=True):
    """Tokens, the oldest first."""

    items: list[ApiTokenView]
    next: str | None = None


class ServiceAccountOperations:
    """Operations about service accounts."""

    def __init__(self, directory: Directory, api_tokens: ApiTokens, clock: Clock) -> None:
        self._directory = directory
        self._api_tokens = api_tokens
        self._clock = clock

    def operations(self) -> list[Operation]:
        """All of them."""
        view, page = (
            ServiceAccountView,
            {"after": "Begin after this name.", "limit": "At most this many.", "search": "Beginnings of words of a name."},
        )
        return [
            Operation(
                "list_service_accounts", "GET", _ALL, "List service accounts.", _READ, self._list, ServiceAccountPage, query=page
            ),
            Operation(
                "create_service_account",
                "POST",
                _ALL,
                "Create a service account.",
                _WRITE,
                self._create,
                view,
                ServiceAccountBody,
                status=201,
            ),
            Operation("get_service_account", "GET", _ONE, "Show a service account.", _READ_MANAGED, self._get, view),
            Operation(
                "update_service_account",
                "PATCH",
                _ONE,
                "Change a service account.",
                _WRITE,
                self._update,
                view,
                ServiceAccountChange,
            ),
            Operation("delete_service_account", "DELETE", _ONE, "Delete a service account.", _WRITE, self._delete, status=204),
            Operation(
                "set_service_account_validity",
                "PATCH",
                f"{_ONE}/validity",
                "Set from when and until when a service account may act.",
                _WRITE,
                self._set_validity,
                view,
                ValidityBody,
            ),
            *self._about_state(),
            *self._about_tokens(),
        ]

    def _about_state(self) -> list[Operation]:
        return [
            Operation(
                "disable_service_account",
                "POST",
                f"{_ONE}/disable",
                "Disable a service account: its tokens end at once.",
                _WRITE,
                self._disable,
                ServiceAccountView,
            ),
            Operation(
                "enable_service_account",
                "POST",
                f"{_ONE}/enable",
                "Let a disabled service account have tokens again.",
                _WRITE,
                self._enable,
                ServiceAccountView,
            ),
        ]

    def _about_tokens(self) -> list[Operation]:
        return [
            Operation(
                "list_api_tokens",
                "GET",
                _TOKENS,
                "List the tokens of a service account.",
                _READ_MANAGED,
                self._list_tokens,
                ApiTokenPage,
                query=PAGED,
            ),
            Operation(
                "create_api_token",
                "POST",
                _TOKENS,
                "Make a token of a service account; it is shown only now.",
                _WRITE_MANAGED,
                self._create_token,
                NewApiTokenView,
                ApiTokenBody,
                owns=self._manages,
                status=201,
            ),
            Operation(
                "revoke_api_token",
                "DELETE",
                f"{_TOKENS}/{{id}}",
                "End a token at once.",
                _WRITE_MANAGED,
                self._revoke_token,
                status=204,
            ),
        ]

    async def _manages(self, actor: Actor, path: Mapping[str, str]) -> bool:
        account = await self._directory.find(path["name"])
        return account is not None and await self._directory.is_managed_by(account, actor)

    async def _list(self, call: Call) -> ServiceAccountPage:
        limit = call.limit()
        search, after = call.query.get("search", ""), call.query.get("after", "")
        found = await self._directory.list_service_accounts(actor=call.actor, search=search, beyond=after, at_most=limit + 1)
        shown = [await self._view(each) for each in found[:limit]]
        return ServiceAccountPage(items=shown, next=shown[-1].name if len(found) > limit else None)

    async def _create(self, call: Call) -> ServiceAccountView:
        body: ServiceAccountBody = call.body
        made = await self._directory.create_service_account(
            body.name, body.display_name, managed_by=body.managed_by, actor=call.actor
        )
        return await self._view(made)

    async def _get(self, call: Call) -> ServiceAccountView:
        return await self._view(await self._directory.show_service_account(call.path("name"), actor=call.actor))

    async def _update(self, call: Call) -> ServiceAccountView:
        body: ServiceAccountChange = call.body
        if body == ServiceAccountChange():
            raise InvalidInput("Nothing is to be changed.", hint="Give name, display_name, managed_by, or several of them.")
        which = await self._changeable(call, Event.PERSON_UPDATED)
        if not isinstance(body.managed_by, UnsetType):
            await self._directory.set_service_account_manager(which, body.managed_by, actor=call.actor)
        names = {"name": body.name, "display_name": body.display_name}
        given = {member: text for member, text in names.items() if isinstance(text, str)}
        if given:
            await self._directory.update_person(which, **given, actor=call.actor)
        return await self._shown(call, which)

    async def _set_validity(self, call: Call) -> ServiceAccountView:
        begins, ends = instants_of(call.body)
        which = await self._changeable(call, Event.PERSON_UPDATED)
        return await self._view(await self._directory.set_validity(which, valid_from=begins, valid_until=ends, actor=call.actor))

    async def _delete(self, call: Call) -> None:
        await self._directory.delete(await self._changeable(call, Event.PERSON_DELETED), actor=call.actor)

    async def _disable(self, call: Call) -> ServiceAccountView:
        return await self._view(
            await self._directory.disable(await self._changeable(call, Event.PERSON_DISABLED), actor=call.actor)
        )

    async def _enable(self, call: Call) -> ServiceAccountView:
        return await self._view(
            await self._directory.enable(await self._changeable(call, Event.PERSON_ENABLED), actor=call.actor)
        )

    async def _list_tokens(self, call: Call) -> ApiTokenPage:
        found = await self._api_tokens.list_of(call.path("name"), actor=call.actor)
        return page_of(call, ApiTokenPage(items=[_token_view(each) for each in found]), "created_at", "id")

    async def _create_token(self, call: Call) -> NewApiTokenView:
        body: ApiTokenBody = call.body
        expires_at = None if body.expires_at is None else instant_of("expires_at", body.expires_at)
        made = await self._api_tokens.generate(
            call.path("name"), body.label, expires_at=expires_at, read_only=body.read_only, actor=call.actor
        )
        return NewApiTokenView(**asdict(_token_view(made.described)), token=made.token)

    async def _revoke_token(self, call: Call) -> None:
        await self._api_tokens.revoke(call.path("name"), call.path("id"), actor=call.actor)

    async def _changeable(self, call: Call, event: Event) -> str:
        return await self._directory.changeable_service_account(call.path("name"), event, actor=call.actor)

    async def _shown(self, call: Call, which: str) -> ServiceAccountView:
        return await self._view(await self._directory.show_service_account(which, actor=call.actor))

    async def _view(self, account: Account) -> ServiceAccountView:
        groups = await self._directory.groups_of(account.id)
        shown = person_details(self._directory, account, groups, self._clock.now())
        return ServiceAccountView(**asdict(shown), managed_by=await self._directory.manager_of(account))


def _token_view(held: ApiToken) -> ApiTokenView:
    return ApiTokenView(
        id=held.id,
        label=held.label,
        read_only=held.read_only,
        created_at=moment(held.created_at),
        expires_at=moment(held.expires_at),
        last_used_at=moment(held.last_used_at),
    )
