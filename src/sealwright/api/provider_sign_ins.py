"""Why sign-ins with identity providers came out as they did."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.api.json_types import Moment, ResponseBody, moment
from sealwright.api.operations import Call, Operation
from sealwright.api.paging import PAGED
from sealwright.identity import RoleByGroup, SignInExplanation, SignInRecord, SignInRecords

_READ = str(Permission.OIDC_PROVIDER_READ)
_ALL, _ONE = "/auth/oidc/sign-ins", "/auth/oidc/sign-ins/{id}"


class SignInView(ResponseBody, frozen=True, kw_only=True):
    """A sign-in with a provider."""

    id: str
    at: Moment
    provider_id: str
    provider_name: str
    outcome: str
    """done or refused"""
    reason: str
    """The check that failed; empty where the person was signed in."""
    detail: str
    subject: str


class SignInPage(ResponseBody, frozen=True, kw_only=True):
    """Sign-ins, the newest first."""

    items: list[SignInView]
    next: str | None


class NearGroup(ResponseBody, frozen=True, kw_only=True):
    """A group that gave nothing, and the mapped group that differs from it in case or slashes only."""

    group: str
    mapped_as: str


class RoleByGroupView(ResponseBody, frozen=True, kw_only=True):
    """A role that a group gives."""

    group: str
    role_id: str
    permissions: tuple[str, ...]
    """Empty where the role is gone."""


class SignInExplanationView(ResponseBody, frozen=True, kw_only=True):
    """Claim, groups, mappings, roles and permissions of a sign-in, or the check that failed."""

    id: str
    at: Moment
    provider_id: str
    provider_name: str
    outcome: str
    reason: str
    detail: str
    hint: str
    subject: str
    account: str
    claim: str
    claim_source: str
    """id_token or userinfo; empty where no groups were seen."""
    groups: tuple[str, ...]
    groups_in_all: int
    mappings: list[RoleByGroupView]
    mappings_now: list[RoleByGroupView]
    """What the same groups would give by the mappings of now."""
    unmapped_groups: tuple[str, ...]
    near: list[NearGroup]
    permissions: tuple[str, ...]


class ProviderSignInOperations:
    """Operations about sign-ins with providers."""

    def __init__(self, records: SignInRecords) -> None:
        self._records = records

    def operations(self) -> list[Operation]:
        """All of them."""
        query = {"provider_id": "Of which provider; of all by default.", **PAGED}
        return [
            Operation(
                "list_provider_sign_ins",
                "GET",
                _ALL,
                "List sign-ins with providers, the newest first.",
                _READ,
                self._list,
                returns=SignInPage,
                query=query,
            ),
            Operation(
                "explain_provider_sign_in",
                "GET",
                _ONE,
                "Explain a sign-in: claim, groups, mappings, roles and permissions, or the check that failed.",
                _READ,
                self._explain,
                returns=SignInExplanationView,
            ),
        ]

    async def _list(self, call: Call) -> SignInPage:
        after = call.query.get("after", "")
        found = await self._records.newest(
            provider_id=call.query.get("provider_id", ""),
            older_than=await self._records.find(after, actor=call.actor) if after else None,
            at_most=call.limit() + 1,
            actor=call.actor,
        )
        page = found[: call.limit()]
        return SignInPage(items=[_view(each) for each in page], next=page[-1].id if len(found) > len(page) else None)

    async def _explain(self, call: Call) -> SignInExplanationView:
        return _explanation(await self._records.explain(call.path("id"), actor=call.actor))


def _outcome(record: SignInRecord) -> str:
    return "done" if record.accepted else "refused"


def _view(record: SignInRecord) -> SignInView:
    return SignInView(
        id=record.id,
        at=moment(record.at),
        provider_id=record.provider_id,
        provider_name=record.provider_name,
        outcome=_outcome(record),
        reason=record.reason,
        detail=record.detail,
        subject=record.subject,
    )


def _roles(found: tuple[RoleByGroup, ...]) -> list[RoleByGroupView]:
    return [RoleByGroupView(group=each.group, role_id=each.role, permissions=each.permissions) for each in found]


def _explanation(found: SignInExplanation) -> SignInExplanationView:
    record, seen = found.record, found.record.seen
    return SignInExplanationView(
        id=record.id,
        at=moment(record.at),
        provider_id=record.provider_id,
        provider_name=record.provider_name,
        outcome=_outcome(record),
        reason=record.reason,
        detail=record.detail,
        hint=record.hint,
        subject=record.subject,
        account=found.account_name,
        claim=seen.claim,
        claim_source=seen.source,
        groups=seen.groups,
        groups_in_all=seen.in_all,
        mappings=_roles(found.given),
        mappings_now=_roles(found.given_now),
        unmapped_groups=found.unmapped,
        near=[NearGroup(group=group, mapped_as=mapped) for group, mapped in seen.near],
        permissions=found.permissions,
    )
