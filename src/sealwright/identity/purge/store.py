"""The only SQL that deletes expired rows about people."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, or_, select

from sealwright.clock import Instant
from sealwright.db import Statement, Transaction, delete_before
from sealwright.db.schema import oauth_families, one_time_links, pending_sign_ins, sessions, throttles

_p = bindparam
_t = throttles.c
_DELETE_OLD_PENDING = delete_before(pending_sign_ins.c.digest, pending_sign_ins.c.expires_at)
_DELETE_OLD_LINKS = delete_before(one_time_links.c.digest, one_time_links.c.expires_at)
_old_attempts = (
    select(_t.key)
    .where(_t.counted_since < _p("before"), _t.blocked_until < _p("before"))
    .order_by(_t.counted_since)
    .limit(_p("at_most"))
)
_DELETE_OLD_ATTEMPTS = Statement(delete(throttles).where(_t.key.in_(_old_attempts)))
_s = sessions.c
_OLD_SESSIONS = Statement(
    select(_s.id, _s.expires_at)
    .where(
        _s.expires_at < _p("before"),
        _s.expires_at >= _p("from_at"),
        or_(_s.expires_at > _p("from_at"), _s.id > _p("from_id")),
    )
    .order_by(_s.expires_at, _s.id)
    .limit(_p("at_most"))
)
_DELETE_SESSION = Statement(
    delete(sessions)
    .where(
        _s.id == _p("which"),
        ~exists().where(oauth_families.c.session_id == _s.id),  # an application may outlive the sign-in
    )
    .returning(_s.id)
)


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete pending sign-ins, links and counts that expired before an instant, at most `at_most` of each; returns how many."""
    statements = (_DELETE_OLD_PENDING, _DELETE_OLD_LINKS, _DELETE_OLD_ATTEMPTS)
    return sum([await tx.run(statement, before=before, at_most=at_most) for statement in statements])


class PurgedSessions(NamedTuple):
    """How far a purge of sessions has come."""

    deleted: int
    last: tuple[Instant, str] | None
    """The end and the id of the last one that was looked at; None where none is left."""


async def purge_sessions(tx: Transaction, before: Instant, beyond: tuple[Instant, str], at_most: int) -> PurgedSessions:
    """Read at most `at_most` sessions that expired before an instant; delete those that no authorization outlives."""
    rows = await tx.all(_OLD_SESSIONS, before=before, from_at=beyond[0], from_id=beyond[1], at_most=at_most)
    deleted = await tx.all_many(_DELETE_SESSION, [{"which": row[0]} for row in rows])
    return PurgedSessions(len(deleted), (Instant(rows[-1][1]), rows[-1][0]) if rows else None)
