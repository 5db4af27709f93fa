"""The only SQL about leases."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, update

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, insert_once
from sealwright.db.schema import leases as t

_CLAIM = Statement(
    update(t)
    .where(t.c.name == bindparam("lease"), or_(t.c.until <= bindparam("now"), t.c.until > bindparam("latest")))
    .values(holder=bindparam("new_holder"), until=bindparam("new_until"))
    .returning(t.c.name)
)
_CREATE = insert_once(t, returning=t.c.name)
_SET_END = Statement(
    update(t).where(t.c.name == bindparam("lease"), t.c.holder == bindparam("claimant")).values(until=bindparam("new_until"))
)


async def claim(db: Database, lease: str, holder: str, *, now: Instant, until: Instant, latest: Instant) -> bool:
    """Take a lease that is new or has run out; also one beyond `latest`, set by a clock that was put back."""

    async def body(tx: Transaction) -> bool:
        taken = await tx.one(_CLAIM, lease=lease, now=now, latest=latest, new_holder=holder, new_until=until)
        return taken is not None or await tx.one(_CREATE, name=lease, holder=holder, until=until) is not None

    return await db.write(body)


async def end_at(db: Database, lease: str, holder: str, until: Instant) -> None:
    """Let a lease of ours run out at another time."""

    async def body(tx: Transaction) -> None:
        await tx.run(_SET_END, lease=lease, claimant=holder, new_until=until)

    await db.write(body)
