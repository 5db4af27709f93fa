"""Tokens with which OAuth clients may register themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, moment
from sealwright.api.operations import Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.oauth import RegistrationToken, RegistrationTokens

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ALL, _ONE = "/oauth2/registration-tokens", "/oauth2/registration-tokens/{id}"


class RegistrationTokenBody(RequestBody, frozen=True, kw_only=True):
    """A new token."""

    uses: int = 1
    """How many clients it lets in."""
    expires_in_seconds: int = 3600
    scopes: tuple[str, ...] = ()
    """What members of `group` may grant to each client that it lets in, and what such a client gets for itself."""
    group: str | None = None


class RegistrationTokenView(ResponseBody, frozen=True, kw_only=True):
    """What is known of a token."""

    id: str
    created_by: str
    created_at: Moment
    expires_at: Moment
    uses_left: int
    scopes: tuple[str, ...]
    group: str | None


class NewRegistrationTokenView(RegistrationTokenView, frozen=True, kw_only=True):
    """A token, which is shown only now."""

    token: Secret


class RegistrationTokensView(ResponseBody, frozen=True, kw_only=True):
    """Tokens that still let a client in, oldest first."""

    items: list[RegistrationTokenView]
    next: str | None = None


class RegistrationTokenOperations:
    """Operations about them."""

    def __init__(self, tokens: RegistrationTokens) -> None:
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "create_registration_token",
                "POST",
                _ALL,
                "Make a token with which clients may register themselves.",
                _WRITE,
                self._create,
                returns=NewRegistrationTokenView,
                accepts=RegistrationTokenBody,
                status=201,
            ),
            Operation(
                "list_registration_tokens",
                "GET",
                _ALL,
                "List the registration tokens that still let a client in.",
                _READ,
                self._list,
                returns=RegistrationTokensView,
                query=PAGED,
            ),
            Operation(
                "delete_registration_token",
                "DELETE",
                _ONE,
                "Delete a registration token; the clients that it let in stay.",
                _WRITE,
                self._delete,
                status=204,
            ),
        ]

    async def _create(self, call: Call) -> NewRegistrationTokenView:
        body = call.body
        made = await self._tokens.create(
            uses=body.uses,
            lasts=timedelta(seconds=max(0, min(body.expires_in_seconds, 10**9))),
            scopes=body.scopes,
            group=body.group,
            actor=call.actor,
        )
        return NewRegistrationTokenView(token=made.token, **_members(made.record))

    async def _list(self, call: Call) -> RegistrationTokensView:
        found = await self._tokens.list(actor=call.actor)
        whole = RegistrationTokensView(items=[RegistrationTokenView(**_members(each)) for each in found])
        return page_of(call, whole, "created_at", "id")

    async def _delete(self, call: Call) -> None:
        await self._tokens.delete(call.path("id"), actor=call.actor)


def _members(record: RegistrationToken) -> dict[str, Any]:
    return {
        "id": record.id,
        "created_by": record.created_by,
        "created_at": moment(record.created_at),
        "expires_at": moment(record.expires_at),
        "uses_left": record.uses_left,
        "scopes": record.scopes,
        "group": record.group,
    }
