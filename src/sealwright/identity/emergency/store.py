"""The only SQL about used bootstrap tokens and the break-glass password."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, insert_once, upsert
from sealwright.db.schema import bootstrap_tokens, break_glass

BREAK_GLASS = "break-glass"
"""Id of the one row."""
_USE_TOKEN = insert_once(bootstrap_tokens, returning=bootstrap_tokens.c.digest)
_IS_USED = Statement(select(bootstrap_tokens.c.digest).where(bootstrap_tokens.c.digest == bindparam("digest")))
_SET = upsert(break_glass, key=("id",), update=("secret", "set_at"))
_SECRET = Statement(select(break_glass.c.secret).where(break_glass.c.id == BREAK_GLASS))
_REMOVE = Statement(delete(break_glass).where(break_glass.c.id == BREAK_GLASS).returning(break_glass.c.id))


async def use_token(tx: Transaction, digest: bytes, now: Instant) -> bool:
    """Use up a bootstrap token; false where it was used before."""
    return await tx.one(_USE_TOKEN, digest=digest, used_at=now) is not None


async def is_used(reader: Database | Transaction, digest: bytes) -> bool:
    """Whether a bootstrap token was used."""
    return await reader.one(_IS_USED, digest=digest) is not None


async def break_glass_secret(reader: Database | Transaction) -> bytes | None:
    """The hash of the break-glass password; None where none is set."""
    row = await reader.one(_SECRET)
    return None if row is None else row[0]


async def set_break_glass_secret(tx: Transaction, secret: bytes, now: Instant) -> None:
    """Store the hash of the break-glass password."""
    await tx.run(_SET, id=BREAK_GLASS, secret=secret, set_at=now)


async def remove_break_glass_secret(tx: Transaction) -> bool:
    """Remove it; false where there was none."""
    return await tx.one(_REMOVE) is not None
