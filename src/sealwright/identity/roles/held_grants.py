"""Grants that need approval: held with exactly what is asked for, and made with the last approval."""

from __future__ import annotations

import hashlib

import msgspec

from sealwright.access import Actor, Permission, RoleGrant, permissions_in_any_session
from sealwright.access.approvals import ApprovalPending, ApprovalRequest, ApprovalRule, Approvals, HeldChange, RequestKind
from sealwright.clock import Instant
from sealwright.db import Database, Transaction
from sealwright.identity.roles.errors import RoleRefused

_HINT = "The role is granted with the last approval."


async def hold_grant(
    tx: Transaction,
    approvals: Approvals,
    rules: list[ApprovalRule],
    grant: RoleGrant,
    permissions: frozenset[Permission],
    *,
    holder: str,
    actor: Actor,
) -> ApprovalPending:
    """Hold a grant; returns what to raise once that is durable. Who would hold the role may not approve it."""
    content = {
        "role": grant.role,
        "holder": holder,
        "account_id": grant.account_id,
        "group_id": grant.group_id,
        "scope": None if grant.scope is None else str(grant.scope),
        "expires_at": grant.expires_at,
        "grant": msgspec.to_builtins(grant),
        "permissions": sorted(map(str, permissions)),
        "before": {},
        "after": dict.fromkeys(sorted(map(str, permissions)), "allowed"),
    }
    asked = [actor.kind, actor.id, grant.role, grant.account_id, grant.group_id, content["scope"], content["permissions"]]
    change = HeldChange(
        kind=RequestKind.ROLE_GRANT,
        objects=tuple(rule.object for rule in rules),
        title=f"The role {grant.role} for {holder}",
        content=content,
        reasons=(f"{actor.name} holds every permission of {grant.role}",),
        match_digest=hashlib.sha256(b"role_grant\0" + msgspec.json.encode(asked)).digest(),
        people=() if grant.account_id is None else (grant.account_id,),
    )
    request = await approvals.hold(tx, change, rules, actor)
    return approvals.pending(request, await approvals.missing(tx, request, rules), hint=_HINT)


def grant_in(request: ApprovalRequest, permissions: frozenset[Permission], now: Instant) -> RoleGrant:
    """The grant that was approved; RoleRefused where the role allows something else by now, or the grant has ended."""
    if sorted(map(str, permissions)) != request.content["permissions"]:
        raise RoleRefused(f"The role {request.content['role']} was changed since it was asked for.")
    grant = msgspec.convert(request.content["grant"], RoleGrant)
    if grant.expires_at is not None and grant.expires_at <= now:
        raise RoleRefused("The grant would have ended already.")
    return msgspec.structs.replace(grant, created_at=now)


async def requester_of(reader: Database | Transaction, request: ApprovalRequest, now: Instant) -> Actor:
    """Who asked, with what they may do now."""
    permissions = await permissions_in_any_session(reader, request.requester_id, now)
    return Actor(request.requester_kind, request.requester_id, request.requester_name, permissions)
