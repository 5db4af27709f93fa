"""The only SQL about confirm tokens."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from sealwright.clock import Instant
from sealwright.db import Statement, Transaction
from sealwright.db.schema import assistant_confirm_tokens

t = assistant_confirm_tokens.c
_INSERT = Statement(insert(assistant_confirm_tokens))
_DELETE_OLD = Statement(delete(assistant_confirm_tokens).where(t.expires_at <= bindparam("now")))
_newest = (
    select(t.digest).where(t.account_id == bindparam("whose")).order_by(t.expires_at.desc(), t.digest).limit(bindparam("at_most"))
)
_DELETE_OTHERS = Statement(delete(assistant_confirm_tokens).where(t.account_id == bindparam("whose"), t.digest.not_in(_newest)))
_USE = Statement(
    delete(assistant_confirm_tokens)
    .where(t.digest == bindparam("of"), t.account_id == bindparam("whose"))
    .returning(t.call_digest, t.expires_at)
)


async def insert_token(tx: Transaction, *, digest: bytes, account_id: str, call_digest: str, expires_at: Instant) -> None:
    """Store a new token."""
    await tx.run(_INSERT, digest=digest, account_id=account_id, call_digest=call_digest, expires_at=expires_at)


async def delete_expired(tx: Transaction, now: Instant) -> None:
    """Delete what can be used no more."""
    await tx.run(_DELETE_OLD, now=now)


async def keep_newest(tx: Transaction, account_id: str, at_most: int) -> None:
    """Delete those of an account but the newest."""
    await tx.run(_DELETE_OTHERS, whose=account_id, at_most=at_most)


async def use_token(tx: Transaction, digest: bytes, account_id: str) -> tuple[str, Instant] | None:
    """Delete a token of an account; the call that it is for and its end, None where there is none."""
    row = await tx.one(_USE, of=digest, whose=account_id)
    return None if row is None else (row[0], row[1])
