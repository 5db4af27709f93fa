"""The only SQL about API tokens."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, or_, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, delete_before
from sealwright.db.schema import api_tokens
from sealwright.identity.models import ApiToken

Reader = Database | Transaction

t = api_tokens.c
_columns = [t[name] for name in ApiToken.__struct_fields__]
_BY_DIGEST = Statement(select(*_columns).where(t.digest == bindparam("digest")))
_BY_ID = Statement(select(*_columns).where(t.id == bindparam("of")))
_OF_ACCOUNT = Statement(select(*_columns).where(t.account_id == bindparam("account_id")).order_by(t.created_at, t.id))
_INSERT = Statement(insert(api_tokens))
_USED = Statement(
    update(api_tokens)
    .where(t.id == bindparam("of"), or_(t.last_used_at.is_(None), t.last_used_at < bindparam("now")))
    .values(last_used_at=bindparam("now"))
)
_DELETE = Statement(delete(api_tokens).where(t.id == bindparam("of"), t.account_id == bindparam("whose")).returning(t.label))
_DELETE_OF_ACCOUNT = Statement(delete(api_tokens).where(t.account_id == bindparam("of")))
_DELETE_OLD = delete_before(t.id, t.expires_at)


def _token(row: Row) -> ApiToken:
    return ApiToken(row[0], row[1], row[2], bool(row[3]), *row[4:])


async def by_digest(reader: Reader, digest: bytes) -> ApiToken | None:
    """The token, whatever its state."""
    row = await reader.one(_BY_DIGEST, digest=digest)
    return None if row is None else _token(row)


async def by_id(reader: Reader, token_id: str) -> ApiToken | None:
    """The token with this id, whatever its state."""
    row = await reader.one(_BY_ID, of=token_id)
    return None if row is None else _token(row)


async def of_account(reader: Reader, account_id: str) -> list[ApiToken]:
    """Tokens of an account, the oldest first."""
    return [_token(row) for row in await reader.all(_OF_ACCOUNT, account_id=account_id)]


async def insert_token(tx: Transaction, new: ApiToken, digest: bytes) -> None:
    """Store a new token."""
    values = {name: getattr(new, name) for name in ApiToken.__struct_fields__}
    await tx.run(_INSERT, **(values | {"read_only": int(new.read_only), "digest": digest}))


async def note_use(tx: Transaction, token_id: str, now: Instant) -> None:
    """Note that the token was used."""
    await tx.run(_USED, of=token_id, now=now)


async def delete_token(tx: Transaction, token_id: str, account_id: str) -> str | None:
    """Remove a token of this account; returns its label, or None where there was none."""
    row = await tx.one(_DELETE, of=token_id, whose=account_id)
    return None if row is None else str(row[0])


async def delete_of_account(tx: Transaction, account_id: str) -> int:
    """Remove every token of an account; returns how many."""
    return await tx.run(_DELETE_OF_ACCOUNT, of=account_id)


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Remove so many tokens that expired before; returns how many."""
    return await tx.run(_DELETE_OLD, before=before, at_most=at_most)
