"""The only SQL about redeeming codes and refresh tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Table, bindparam, exists, insert, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import oauth_codes, oauth_families, oauth_refresh_tokens
from sealwright.oauth.models import Code, RefreshToken
from sealwright.oauth.store import FAMILY_COLUMNS, family_from, instant_or_none

f = oauth_families.c
d = oauth_codes.c
t = oauth_refresh_tokens.c

_CODE = Statement(
    select(d.redirect_uri, d.code_challenge, d.expires_at, d.consumed_at, *FAMILY_COLUMNS)
    .join(oauth_families, f.id == d.family_id)
    .where(d.digest == bindparam("digest"))
)
_INSERT_REFRESH_TOKEN = Statement(insert(oauth_refresh_tokens))
_REFRESH_TOKEN = Statement(
    select(t.expires_at, t.consumed_at, *FAMILY_COLUMNS)
    .join(oauth_families, f.id == t.family_id)
    .where(t.digest == bindparam("digest"))
)


def _consume(table: Table) -> Statement:
    """Use up a code or refresh token, in one statement, where it is unused, in time and of a family that is not revoked."""
    living = exists().where(f.id == table.c.family_id, f.revoked_at.is_(None))
    return Statement(
        update(table)
        .where(table.c.digest == bindparam("which"), table.c.consumed_at.is_(None), table.c.expires_at > bindparam("now"), living)
        .values(consumed_at=bindparam("consumed"))
        .returning(table.c.digest)
    )


_CONSUME_CODE = _consume(oauth_codes)
_CONSUME_REFRESH_TOKEN = _consume(oauth_refresh_tokens)


class NewRefreshToken(NamedTuple):
    """A refresh token as it is stored."""

    digest: bytes
    family_id: str
    created_at: Instant
    expires_at: Instant


async def code(db: Database, digest: bytes) -> Code | None:
    """The code with this digest, used or not."""
    row = await db.one(_CODE, digest=digest)
    return None if row is None else Code(family_from(row[4:]), row[0], row[1], Instant(row[2]), instant_or_none(row[3]))


async def consume_codes(tx: Transaction, digests: Iterable[bytes], now: Instant) -> set[bytes]:
    """Use up codes; answers those that nobody had used, in time and of a family that holds."""
    return await _consume_all(tx, _CONSUME_CODE, digests, now)


async def insert_refresh_tokens(tx: Transaction, new: Iterable[NewRefreshToken]) -> None:
    """Store refresh tokens."""
    rows = [
        {
            "digest": each.digest,
            "family_id": each.family_id,
            "created_at": each.created_at,
            "expires_at": each.expires_at,
            "consumed_at": None,
        }
        for each in new
    ]
    await tx.run_many(_INSERT_REFRESH_TOKEN, rows)


async def refresh_token(db: Database, digest: bytes) -> RefreshToken | None:
    """The refresh token with this digest, used or not."""
    row = await db.one(_REFRESH_TOKEN, digest=digest)
    return None if row is None else RefreshToken(family_from(row[2:]), Instant(row[0]), instant_or_none(row[1]))


async def consume_refresh_tokens(tx: Transaction, digests: Iterable[bytes], now: Instant) -> set[bytes]:
    """Use up refresh tokens; answers those that nobody had used, in time and of a family that holds."""
    return await _consume_all(tx, _CONSUME_REFRESH_TOKEN, digests, now)


async def _consume_all(tx: Transaction, consume: Statement, digests: Iterable[bytes], now: Instant) -> set[bytes]:
    ordered = sorted(digests)  # whoever locks rows, locks them in the same order
    rows = await tx.all_many(consume, [{"which": digest, "now": now, "consumed": now} for digest in ordered])
    return {bytes(row[0]) for row in rows}
