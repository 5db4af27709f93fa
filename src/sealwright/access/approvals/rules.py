"""Say what asks for approval, and of whom. A rule that stands guards itself: another in its place is held by it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from sealwright.access.approvals import store
from sealwright.access.approvals.errors import RuleMissing, RuleRefused
from sealwright.access.approvals.models import ApprovalRequest, ApprovalRule, GuardedKind, HeldChange, RequestKind
from sealwright.access.approvals.policy import check_rule, rule_in_words
from sealwright.access.approvals.requests import Approvals
from sealwright.access.models import SYSTEM, Actor, Permission
from sealwright.access.policy import DYNAMIC_GROUPS, require
from sealwright.access.store import permissions_in_any_session
from sealwright.audit import Audit, Event
from sealwright.clock import Clock
from sealwright.confusables import shown
from sealwright.db import Database, Transaction
from sealwright.errors import Action, Conflict, Remedy

Guardable = Callable[[GuardedKind, str], Awaitable[str | None]]
"""The id of the profile, issuer or role of this name or id; None where there is none."""


class RuleChanged(Conflict):
    """The rule is not the one any more that the change was based on."""

    code = "approval_rule_changed"


class ApprovalRules:
    """Reads and changes rules. A change of a rule that stands waits for the approval that the rule asks for."""

    def __init__(self, db: Database, audit: Audit, clock: Clock, approvals: Approvals, guardable: Guardable) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._approvals = approvals
        self._guardable = guardable
        approvals.appliers[RequestKind.RULE] = self._apply

    async def all(self, *, actor: Actor) -> Sequence[tuple[ApprovalRule, str]]:
        """Every rule, and what it asks for in words."""
        require(actor, Permission.APPROVAL_READ)
        return [(each, await self._words(self._db, each)) for each in await store.all_rules(self._db)]

    async def set(self, rule: ApprovalRule, *, actor: Actor) -> tuple[ApprovalRule, str]:
        """Let something ask for approval. `group_id` may be a name. ApprovalPending where a rule stands there already."""
        require(actor, Permission.APPROVAL_WRITE)
        wanted = await self._resolved(rule)

        async def body(tx: Transaction) -> tuple[ApprovalRequest, list[str]] | None:
            before = await self._stored(tx, wanted.object)
            if before == wanted:
                return None
            if before is not None and actor is not SYSTEM:
                return await self._hold(tx, before, wanted, actor)
            await self._write(tx, before, wanted, actor)
            return None

        held = await self._db.write(body)
        if held is not None:
            raise self._approvals.pending(held[0], held[1], hint="The rule stays as it is until then.")
        return wanted, await self._words(self._db, wanted)

    async def remove(self, guarded: str, *, actor: Actor) -> None:
        """Let something ask for approval no more: held by the very rule, unless the server's own shell asks."""
        require(actor, Permission.APPROVAL_WRITE)
        name = await self._object(guarded)

        async def body(tx: Transaction) -> tuple[ApprovalRequest, list[str]] | None:
            before = await self._stored(tx, name)
            if before is None:
                raise RuleMissing(f"{shown(name)} asks for no approval.")
            if actor is not SYSTEM:
                return await self._hold(tx, before, None, actor)
            await self._write(tx, before, None, actor)
            return None

        held = await self._db.write(body)
        if held is not None:
            raise self._approvals.pending(held[0], held[1], hint="The rule stays as it is until then.")

    async def _hold(
        self, tx: Transaction, before: ApprovalRule, wanted: ApprovalRule | None, actor: Actor
    ) -> tuple[ApprovalRequest, list[str]]:
        content = {"before": msgspec.to_builtins(before), "after": None if wanted is None else msgspec.to_builtins(wanted)}
        verb = "Removing" if wanted is None else "Changing"
        key = msgspec.json.encode([actor.kind, actor.id, content], order="sorted")
        change = HeldChange(
            kind=RequestKind.RULE,
            objects=(before.object,),
            title=f"{verb} the approval rule of {before.object}",
            content=content,
            reasons=("a rule guards itself",),
            match_digest=hashlib.sha256(b"approval_rule\0" + key).digest(),
        )
        request = await self._approvals.hold(tx, change, [before], actor)
        return request, await self._approvals.missing(tx, request, [before])

    async def _apply(self, tx: Transaction, request: ApprovalRequest) -> str:
        """The approved change, if the rule is still the one that it was based on, and who asked may still change rules."""
        permissions = await permissions_in_any_session(tx, request.requester_id, self._clock.now())
        actor = Actor(request.requester_kind, request.requester_id, request.requester_name, permissions)
        require(actor, Permission.APPROVAL_WRITE)
        before, wanted = _rule_in(request.content["before"]), _rule_in(request.content["after"])
        assert before is not None  # noqa: S101 - only changes of a rule that stands are held
        if await self._stored(tx, before.object) != before:
            raise RuleChanged(f"The approval rule of {before.object} was changed meanwhile.")
        await self._write(tx, before, wanted, actor)
        return before.object

    async def _write(self, tx: Transaction, before: ApprovalRule | None, wanted: ApprovalRule | None, actor: Actor) -> None:
        name = wanted.object if wanted is not None else "" if before is None else before.object
        details = {
            "before": None if before is None else msgspec.to_builtins(before),
            "after": None if wanted is None else msgspec.to_builtins(wanted),
        }
        if wanted is None:
            await store.remove_rule(tx, name)
        else:
            await store.set_rule(tx, wanted, self._clock.now())
        event = Event.APPROVAL_RULE_REMOVED if wanted is None else Event.APPROVAL_RULE_SET
        await self._audit.record(tx, event, actor=actor, target=f"approval_rule:{name}", details=details)

    async def _stored(self, tx: Transaction, guarded: str) -> ApprovalRule | None:
        return next((each for each in await store.all_rules(tx) if each.object == guarded), None)

    async def _resolved(self, rule: ApprovalRule) -> ApprovalRule:
        check_rule(rule)
        name = await self._object(rule.object)
        if rule.role is not None and await self._guardable(GuardedKind.ROLE, rule.role) is None:
            raise RuleRefused(f"There is no role {shown(rule.role)}.", remedy=Remedy(Action.LIST_ROLES))
        if rule.group_id is None:
            return replace(rule, object=name)
        group_id = await store.group_called(self._db, rule.group_id)
        if group_id is None:
            raise RuleRefused(f"There is no group {shown(rule.group_id)}.", remedy=Remedy(Action.LIST_GROUPS))
        if group_id in DYNAMIC_GROUPS:
            raise RuleRefused(f"The group {group_id} cannot approve: everyone is in it.", hint="Choose a group with few members.")
        return replace(rule, object=name, group_id=group_id)

    async def _object(self, text: str) -> str:
        kind, _, name = text.partition(":")
        if kind not in list(GuardedKind):
            kinds = ", ".join(f"{each}:NAME" for each in GuardedKind)
            raise RuleRefused(f"{shown(text)} can ask for no approval.", reasons=(f"there are {kinds}",))
        found = await self._guardable(GuardedKind(kind), name)
        if found is None:
            raise RuleRefused(f"There is no {kind} {shown(name)}.")
        return f"{kind}:{found}"

    async def _words(self, reader: Database | Transaction, rule: ApprovalRule) -> str:
        group = "" if rule.group_id is None else await store.group_name(reader, rule.group_id)
        return rule_in_words(rule, f"{rule.group_id}, which does not exist any more" if group is None else group)


def _rule_in(content: Mapping[str, Any] | None) -> ApprovalRule | None:
    return None if content is None else msgspec.convert(content, ApprovalRule)
