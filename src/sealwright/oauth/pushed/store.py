"""The only SQL about pushed authorization requests."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import oauth_pushed_requests

p = oauth_pushed_requests.c
_INSERT = Statement(insert(oauth_pushed_requests))
_FIND = Statement(
    select(p.request).where(
        p.digest == bindparam("digest"),
        p.client_id == bindparam("client_id"),
        p.expires_at > bindparam("now"),
        p.consumed_at.is_(None),
    )
)
_CONSUME = Statement(
    update(oauth_pushed_requests)
    .where(p.digest == bindparam("which"), p.consumed_at.is_(None))
    .values(consumed_at=bindparam("consumed"))
)
_over = select(p.digest).where(p.expires_at <= bindparam("before")).limit(bindparam("at_most"))
_PURGE = Statement(delete(oauth_pushed_requests).where(p.digest.in_(_over)))


async def insert_request(tx: Transaction, digest: bytes, client_id: str, request: str, expires_at: Instant) -> None:
    """Keep a request."""
    await tx.run(_INSERT, digest=digest, client_id=client_id, request=request, expires_at=expires_at, consumed_at=None)


async def find(db: Database, digest: bytes, client_id: str, now: Instant) -> str | None:
    """The request that a client pushed, where it waits."""
    row = await db.one(_FIND, digest=digest, client_id=client_id, now=now)
    return None if row is None else str(row[0])


async def consume(tx: Transaction, digest: bytes, now: Instant) -> bool:
    """Use a request up, in one statement; true only for the first to do so."""
    return await tx.run(_CONSUME, which=digest, consumed=now) == 1


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete requests that ended before an instant; returns how many."""
    return await tx.run(_PURGE, before=before, at_most=at_most)
