"""Roles whose grants need approval: who would get what one carries in another way is refused it.

Anyone who may grant could else give the same authority by a group, by another role, or by what a group of an identity provider
gives. What counts is what is carried, and not what it is called.
"""

from __future__ import annotations

from sealwright.access import ROLES, SYSTEM, Actor, Permission, Role
from sealwright.access import store as access_store
from sealwright.access.approvals import ApprovalRule, GuardedKind, all_rules
from sealwright.db import Database, Transaction
from sealwright.errors import Action, NotPermitted, Remedy


class ApprovalNeeded(NotPermitted):
    """A role would be given without the approval that its grants need."""

    code = "approval_needed"


async def rules_over(reader: Database | Transaction, carried: frozenset[Permission]) -> list[ApprovalRule]:
    """The rules of the roles that carry no more than `carried`: who gets that, gets these roles."""
    found = []
    for rule in await all_rules(reader):
        kind, _, role_id = rule.object.partition(":")
        if kind == GuardedKind.ROLE and await _permissions_of(reader, role_id) <= carried:
            found.append(rule)
    return found


async def require_no_approval(
    reader: Database | Transaction, actor: Actor, carried: frozenset[Permission], what: str, *, before: frozenset[Permission]
) -> None:
    """Raise ApprovalNeeded where `carried` holds a role whose grants need approval, and `before` did not. `what`: not done."""
    if actor is SYSTEM or not carried:
        return
    held = {rule.object for rule in await rules_over(reader, before)} if before else set()
    needed = [rule.object for rule in await rules_over(reader, carried) if rule.object not in held]
    if needed:
        role = needed[0].replace(":", " ")
        raise ApprovalNeeded(
            f"{actor.name or 'An unknown caller'} may not {what}: that would give the {role} without approval.",
            reasons=tuple(f"grants of the {each.replace(':', ' ')} need approval" for each in needed),
            remedy=Remedy(Action.GRANT_ROLE, needed[0].partition(":")[2]),
        )


async def _permissions_of(reader: Database | Transaction, role_id: str) -> frozenset[Permission]:
    if role_id in list(Role):
        return ROLES[Role(role_id)].permissions
    found = [each.permissions for each in await access_store.custom_roles(reader) if each.id == role_id]
    return found[0] if found else frozenset(Permission)
