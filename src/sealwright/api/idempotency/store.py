"""The only SQL about calls that may be repeated."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import bindparam, delete, or_, select, update

from sealwright.clock import Instant
from sealwright.db import AT_ONCE, Database, Statement, Transaction, delete_before, delete_in_batches, insert_once
from sealwright.db.schema import idempotent_calls

c = idempotent_calls.c
DONE = 0
"""Stands for the status of a call whose change is durable, while its answer is not kept yet, or was lost."""
_CLAIM = insert_once(idempotent_calls, returning=c.digest)
_FIND = Statement(select(c.request_digest, c.status, c.headers, c.body).where(c.digest == bindparam("digest")))
_FINISH = Statement(
    update(idempotent_calls)
    .where(c.digest == bindparam("of"))
    .values(status=bindparam("new_status"), headers=bindparam("new_headers"), body=bindparam("new_body"))
)
_MARK_DONE = Statement(update(idempotent_calls).where(c.digest == bindparam("of"), c.status.is_(None)).values(status=DONE))
_FORGET_UNFINISHED = Statement(delete(idempotent_calls).where(c.digest == bindparam("of"), c.status.is_(None)))
_FORGET = Statement(delete(idempotent_calls).where(c.digest == bindparam("of"), or_(c.status.is_(None), c.status == DONE)))
_EXPIRED = Statement(delete(idempotent_calls).where(c.digest == bindparam("of"), c.expires_at <= bindparam("now")))
_PURGE = delete_before(c.digest, c.expires_at)


class KeptCall(Struct, frozen=True):
    """A call that came with a key."""

    request_digest: bytes
    status: int | None
    """None while it runs, `DONE` from when its change is durable until its answer is kept."""
    headers: str
    body: bytes | None
    """None where the answer holds a secret."""


async def claim(tx: Transaction, digest: bytes, request_digest: bytes, *, now: Instant, until: Instant) -> bool:
    """Note that the call begins; False where one with this key did before."""
    await tx.run(_EXPIRED, of=digest, now=now)
    row = await tx.one(
        _CLAIM, digest=digest, request_digest=request_digest, status=None, headers="[]", body=None, expires_at=until
    )
    return row is not None


async def find(reader: Database | Transaction, digest: bytes) -> KeptCall | None:
    """The call with this key."""
    row = await reader.one(_FIND, digest=digest)
    return None if row is None else KeptCall(*row)


async def finish(tx: Transaction, digest: bytes, *, status: int, headers: str, body: bytes | None) -> None:
    """Keep the answer."""
    await tx.run(_FINISH, of=digest, new_status=status, new_headers=headers, new_body=body)


async def mark_done(tx: Transaction, digest: bytes) -> None:
    """Note in the transaction of a change that it is made."""
    await tx.run(_MARK_DONE, of=digest)


async def forget(tx: Transaction, digest: bytes) -> None:
    """Forget a call that was refused, marked as done or not, so that it can be sent again."""
    await tx.run(_FORGET, of=digest)


async def forget_unfinished(tx: Transaction, digest: bytes) -> None:
    """Forget a call that failed, unless its change is durable, so that it can be sent again."""
    await tx.run(_FORGET_UNFINISHED, of=digest)


async def purge(db: Database, now: Instant) -> int:
    """Forget calls whose day is over; returns how many."""
    return await delete_in_batches(db, _purge_some, now)


async def _purge_some(tx: Transaction, before: Instant, at_most: int = AT_ONCE) -> int:
    return await tx.run(_PURGE, before=before, at_most=at_most)
