"""What groups ask of the sign-ins of their members."""

from __future__ import annotations

from datetime import timedelta

from msgspec import UNSET, UnsetType

from sealwright.access import Permission
from sealwright.api.json_types import RequestBody, ResponseBody
from sealwright.api.operations import OWN, Call, Operation
from sealwright.errors import NotFound
from sealwright.identity import AccountPolicies, CredentialMinimum, GroupPolicy

_READ, _WRITE = f"{OWN}; for others {Permission.GROUP_READ}", str(Permission.ROLE_WRITE)
_PLACE = "/groups/{name}/account-policy"


class PolicyBody(RequestBody, frozen=True, kw_only=True):
    """The members to change, in seconds; null takes one back, and what is not given stays."""

    auth_expiry: int | UnsetType | None = UNSET
    privilege_expiry: int | UnsetType | None = UNSET
    credential_minimum: CredentialMinimum | UnsetType | None = UNSET
    password_minimum_length: int | UnsetType | None = UNSET
    self_mail_write: bool | UnsetType | None = UNSET


class PolicyView(ResponseBody, frozen=True, kw_only=True):
    """The account policy of a group; durations in seconds, null where it says nothing."""

    group: str
    auth_expiry: int | None
    privilege_expiry: int | None
    credential_minimum: CredentialMinimum | None
    password_minimum_length: int | None
    self_mail_write: bool | None


class AccountPolicyOperations:
    """Operations about account policies."""

    def __init__(self, policies: AccountPolicies) -> None:
        self._policies = policies

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation("get_account_policy", "GET", _PLACE, "Show the account policy of a group.", _READ, self._get, PolicyView),
            Operation(
                "set_account_policy",
                "PATCH",
                _PLACE,
                "Set what a group asks of the sign-ins of its members.",
                _WRITE,
                self._set,
                PolicyView,
                PolicyBody,
            ),
            Operation(
                "delete_account_policy",
                "DELETE",
                _PLACE,
                "Let a group ask for nothing.",
                _WRITE,
                self._delete,
                status=204,
            ),
        ]

    async def _get(self, call: Call) -> PolicyView:
        found = await self._policies.show(call.path("name"), actor=call.actor)
        if found is None:
            raise NotFound(f"The group {call.path('name')[:80]} has no account policy.")
        return _view(found)

    async def _set(self, call: Call) -> PolicyView:
        body: PolicyBody = call.body
        changed = await self._policies.change(
            call.path("name"),
            auth_expiry=_duration(body.auth_expiry),
            privilege_expiry=_duration(body.privilege_expiry),
            credential_minimum=body.credential_minimum,
            password_minimum_length=body.password_minimum_length,
            self_mail_write=body.self_mail_write,
            actor=call.actor,
        )
        return _view(changed)

    async def _delete(self, call: Call) -> None:
        await self._policies.remove(call.path("name"), actor=call.actor)


def _duration(seconds: int | UnsetType | None) -> timedelta | UnsetType | None:
    return timedelta(seconds=max(-1, min(seconds, 10**9))) if isinstance(seconds, int) else seconds


def _view(policy: GroupPolicy) -> PolicyView:
    return PolicyView(
        group=policy.group,
        auth_expiry=_seconds(policy.auth_expiry),
        privilege_expiry=_seconds(policy.privilege_expiry),
        credential_minimum=policy.credential_minimum,
        password_minimum_length=policy.password_minimum_length,
        self_mail_write=policy.self_mail_write,
    )


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())
