"""Nobody gains by a change what they did not hold, and somebody stays who can administer the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sealwright.access import (
    Actor,
    Permission,
    Role,
    accounts_with_role,
    permissions_of,
    require,
    roles_of_account,
    roles_of_group,
)
from sealwright.audit import Audit, Event
from sealwright.clock import Instant
from sealwright.db import Database, Transaction
from sealwright.errors import NotPermitted
from sealwright.identity.directory import store
from sealwright.identity.errors import LastAdministrator
from sealwright.identity.models import Account, Group
from sealwright.identity.policy import printable, require_at_least

T = TypeVar("T")


class PermittedChange:
    """Runs a change for an actor who may make it; what is not permitted leaves an audit row and nothing else."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db = db
        self._audit = audit

    async def __call__(
        self, event: Event, permission: Permission, actor: Actor, target: str, body: Callable[[Transaction], Awaitable[T]]
    ) -> T:
        """Run `body` in a transaction. `target`: what the audit row of a refusal is about, as it was named."""
        await self.require(event, permission, actor, target)
        try:
            return await self._db.write(body)
        except NotPermitted as refusal:
            await self._record(event, actor, target, refusal)
            raise

    async def require(self, event: Event, permission: Permission, actor: Actor, target: str) -> None:
        """Raise NotPermitted unless `actor` holds `permission`."""
        try:
            require(actor, permission)
        except NotPermitted as refusal:
            await self._record(event, actor, target, refusal)
            raise

    async def _record(self, event: Event, actor: Actor, target: str, refusal: NotPermitted) -> None:
        details = {"reason": refusal.detail, "reasons": list(refusal.reasons)}
        await self._audit.refused(self._db, event, actor=actor, target=printable(target), details=details)


async def require_over_account(tx: Transaction, actor: Actor, account: Account, verb: str) -> None:
    """Raise unless `actor` holds every permission that the account has."""
    held = permissions_of(await roles_of_account(tx, account.id))
    require_at_least(actor, held, f"{verb} {account.name}")


async def require_over_group(tx: Transaction, actor: Actor, group: Group, verb: str) -> None:
    """Raise unless `actor` holds every permission that a member has by this group or a group that it is nested in."""
    held = permissions_of(await roles_of_group(tx, group.id))
    require_at_least(actor, held, f"{verb} the group {group.name}")


async def has_administrator(reader: Database | Transaction, now: Instant) -> bool:
    """Whether somebody with the administrator's role can sign in now."""
    return await store.any_usable(reader, sorted(await accounts_with_role(reader, Role.ADMINISTRATOR)), now)


@asynccontextmanager
async def keeping_an_administrator(tx: Transaction, now: Instant) -> AsyncIterator[None]:
    """Raise when what happens inside takes away the last one. The caller holds the directory's lock."""
    there_was_one = await has_administrator(tx, now)
    yield
    if there_was_one and not await has_administrator(tx, now):
        raise LastAdministrator(
            "This would leave nobody who can administer this server.",
            reasons=("at least one account with the administrator's role must be able to sign in",),
            hint="First add another person to system_admins, with a password.",
        )
