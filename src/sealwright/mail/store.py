"""The only SQL about messages."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy import insert as insert_into

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import mail_outbox, one_time_links
from sealwright.mail.models import Draft, MailKind, OutboxStatus, Queued

_p = bindparam
_c = mail_outbox.c
_COLUMNS = tuple(_c[name] for name in Queued.__dataclass_fields__)
_may_try = or_(_c.next_try_at <= _p("now"), _c.next_try_at > _p("latest"))

_INSERT = Statement(insert_into(mail_outbox))
_DUE = Statement(select(_c.id).where(_may_try).order_by(_c.next_try_at, _c.id).limit(_p("at_most")))
_CLAIM = Statement(
    update(mail_outbox)
    .where(_c.id == _p("of"), _may_try)
    .values(tries=_c.tries + 1, next_try_at=_p("until"))
    .returning(*_COLUMNS)
)
_POSTPONE = Statement(
    update(mail_outbox).where(_c.id == _p("of"), _c.tries == _p("known")).values(next_try_at=_p("until"), last_failure=_p("why"))
)
_DELETE = Statement(delete(mail_outbox).where(_c.id == _p("of")).returning(_c.id))
_DELETE_USED = Statement(
    delete(mail_outbox).where(
        _c.link_digest.in_(select(one_time_links.c.digest).where(one_time_links.c.consumed_at.is_not(None)))
    )
)
_COUNT = Statement(select(func.count(), func.min(_c.created_at)).select_from(mail_outbox))
_LAST_FAILURE = Statement(select(_c.last_failure).where(_c.last_failure.is_not(None)).order_by(_c.tries.desc(), _c.id).limit(1))


async def insert(tx: Transaction, message_id: str, draft: Draft, sealed_content: bytes, now: Instant) -> None:
    """Queue a message, due at once."""
    await tx.run(
        _INSERT,
        id=message_id,
        kind=str(draft.kind),
        account_id=draft.account_id,
        link_digest=draft.link_digest,
        recipient=draft.recipient,
        sealed_content=sealed_content,
        created_at=now,
        next_try_at=now,
        tries=0,
        last_failure=None,
        expires_at=draft.expires_at,
    )


async def due(db: Database, *, now: Instant, latest: Instant, at_most: int) -> list[str]:
    """Ids of messages that may be tried, those that waited longest first."""
    return [row[0] for row in await db.all(_DUE, now=now, latest=latest, at_most=at_most)]


async def claim(tx: Transaction, message_id: str, *, now: Instant, latest: Instant, until: Instant) -> Queued | None:
    """Take a message to send it: until then no one else does. None where someone has it, or it is gone."""
    row = await tx.one(_CLAIM, of=message_id, now=now, latest=latest, until=until)
    return None if row is None else Queued(row[0], MailKind(row[1]), *row[2:])


async def postpone(tx: Transaction, message: Queued, *, until: Instant, why: str) -> None:
    """Give a message back that could not be sent, unless someone else has it by now."""
    await tx.run(_POSTPONE, of=message.id, known=message.tries, until=until, why=why)


async def remove(tx: Transaction, message_id: str) -> bool:
    """Forget a message; False where it was gone."""
    return await tx.one(_DELETE, of=message_id) is not None


async def remove_used(tx: Transaction) -> int:
    """Forget the messages whose links were used: someone passed them on by other means."""
    return await tx.run(_DELETE_USED)


async def status(db: Database) -> OutboxStatus:
    """What is in the outbox."""
    counted = await db.one(_COUNT)
    failed = await db.one(_LAST_FAILURE)
    count, oldest = (0, None) if counted is None else (counted[0], counted[1])
    return OutboxStatus(count, oldest, "" if failed is None else failed[0])
