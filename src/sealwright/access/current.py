"""What an actor may do at the moment of a change: a permission may have been taken away since the request began."""

from __future__ import annotations

from msgspec.structs import replace

from sealwright.access.models import Actor, Permission
from sealwright.access.policy import require
from sealwright.access.store import permissions_of_account
from sealwright.clock import Instant
from sealwright.db import Database, Transaction


async def require_current(reader: Database | Transaction, actor: Actor, permission: Permission, now: Instant) -> Actor:
    """The actor with the permissions that it had when the request began and has still; raises NotPermitted without this one.

    The server itself, and programs at its shell, have no session: what they may do is not stored.
    """
    if actor.session_id:
        held = await permissions_of_account(reader, actor.id, now, session_id=actor.session_id)
        actor = replace(actor, permissions=actor.permissions.also_in(held))
    require(actor, permission)
    return actor
