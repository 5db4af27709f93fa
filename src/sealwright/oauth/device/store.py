"""The only SQL about requests of devices."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction
from sealwright.db.schema import oauth_device_requests

d = oauth_device_requests.c
_INSERT = Statement(insert(oauth_device_requests))
_COLUMNS = (d.digest, d.client_id, d.request, d.expires_at, d.family_id, d.denied_at, d.consumed_at)
_BY_DIGEST = Statement(select(*_COLUMNS).where(d.digest == bindparam("digest")))
_BY_USER_CODE = Statement(select(*_COLUMNS).where(d.user_code_digest == bindparam("digest")))
_undecided = (d.digest == bindparam("which"), d.family_id.is_(None), d.denied_at.is_(None), d.expires_at > bindparam("now"))
_ALLOW = Statement(update(oauth_device_requests).where(*_undecided).values(family_id=bindparam("family")))
_DENY = Statement(update(oauth_device_requests).where(*_undecided).values(denied_at=bindparam("denied")))
_POLL = Statement(
    update(oauth_device_requests)
    .where(d.digest == bindparam("which"), d.next_poll_at <= bindparam("now"))
    .values(next_poll_at=bindparam("now_and_more") + d.interval_ms)
)
_SLOW_DOWN = Statement(
    update(oauth_device_requests)
    .where(d.digest == bindparam("which"))
    .values(interval_ms=d.interval_ms + bindparam("more"), next_poll_at=bindparam("now_and_more") + d.interval_ms)
)
_over = select(d.digest).where(d.expires_at <= bindparam("before")).limit(bindparam("at_most"))
_PURGE = Statement(delete(oauth_device_requests).where(d.digest.in_(_over)))


class StoredRequest(NamedTuple):
    """A request of a device."""

    digest: bytes
    """Of the device code."""
    client_id: str
    request: str
    expires_at: Instant
    family_id: str | None
    """The authorization that the person gave it."""
    is_denied: bool
    is_consumed: bool

    @property
    def is_decided(self) -> bool:
        """Whether the person has allowed or denied it."""
        return self.family_id is not None or self.is_denied


class NewRequest(NamedTuple):
    """What is stored when a device asks."""

    digest: bytes
    user_code_digest: bytes
    client_id: str
    request: str
    created_at: Instant
    expires_at: Instant
    next_poll_at: Instant
    interval_ms: int


async def insert_request(tx: Transaction, new: NewRequest) -> None:
    """Keep a request; DuplicateRow where another one has this user code."""
    await tx.run(_INSERT, **new._asdict(), family_id=None, denied_at=None, consumed_at=None)


async def by_device_code(db: Database, digest: bytes) -> StoredRequest | None:
    """The request whose device code has this digest."""
    return _request(await db.one(_BY_DIGEST, digest=digest))


async def by_user_code(db: Database, digest: bytes) -> StoredRequest | None:
    """The request whose user code has this digest."""
    return _request(await db.one(_BY_USER_CODE, digest=digest))


async def allow(tx: Transaction, digest: bytes, family_id: str, now: Instant) -> bool:
    """Give a request its authorization; true only for the first to decide it, in time."""
    return await tx.run(_ALLOW, which=digest, family=family_id, now=now) == 1


async def deny(tx: Transaction, digest: bytes, now: Instant) -> bool:
    """Refuse a request; true only for the first to decide it, in time."""
    return await tx.run(_DENY, which=digest, denied=now, now=now) == 1


async def poll(tx: Transaction, digest: bytes, now: Instant) -> bool:
    """Note that the device polls; false where it asks earlier than it may."""
    return await tx.run(_POLL, which=digest, now=now, now_and_more=now) == 1


async def slow_down(tx: Transaction, digest: bytes, now: Instant, more: int) -> None:
    """Have the device wait longer from now on."""
    await tx.run(_SLOW_DOWN, which=digest, more=more, now_and_more=now + more)


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete requests that ended before an instant; returns how many."""
    return await tx.run(_PURGE, before=before, at_most=at_most)


def _request(row: Row | None) -> StoredRequest | None:
    if row is None:
        return None
    return StoredRequest(bytes(row[0]), row[1], row[2], Instant(row[3]), row[4], row[5] is not None, row[6] is not None)
