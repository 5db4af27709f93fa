"""The only SQL about redeeming codes and refresh tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, exists, insert, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import oauth_codes, oauth_device_requests, oauth_families, oauth_refresh_tokens
from sealwright.oauth.models import Code, RefreshToken
from sealwright.oauth.store import FAMILY_COLUMNS, family_from, instant_or_none

f = oauth_families.c
d = oauth_codes.c
t = oauth_refresh_tokens.c

_CODE = Statement(
    select(d.redirect_uri, d.code_challenge, d.expires_at, d.consumed_at, d.dpop_jkt, *FAMILY_COLUMNS)
    .join(oauth_families, f.id == d.family_id)
    .where(d.digest == bindparam("digest"))
)
_INSERT_REFRESH_TOKEN = Statement(insert(oauth_refresh_tokens))
_REFRESH_TOKEN = Statement(
    select(t.expires_at, t.consumed_at, t.sealed_successor, t.bound_to, *FAMILY_COLUMNS)
    .join(oauth_families, f.id == t.family_id)
    .where(t.digest == bindparam("digest"))
)


def _consume(table: Table, **also: Any) -> Statement:
    """Use up a code or refresh token, in one statement, where it is unused, in time and of a family that is not revoked."""
    living = exists().where(f.id == table.c.family_id, f.revoked_at.is_(None))
    return Statement(
        update(table)
        .where(table.c.digest == bindparam("which"), table.c.consumed_at.is_(None), table.c.expires_at > bindparam("now"), living)
        .values(consumed_at=bindparam("consumed"), **also)
        .returning(table.c.digest)
    )


_CONSUME_CODE = _consume(oauth_codes)
_CONSUME_DEVICE_CODE = _consume(oauth_device_requests)
_CONSUME_REFRESH_TOKEN = _consume(oauth_refresh_tokens, sealed_successor=bindparam("sealed"))

_successor = oauth_refresh_tokens.alias("successor")
_REPEATABLE = Statement(
    select(t.digest)
    .join(oauth_families, f.id == t.family_id)
    .join(_successor, _successor.c.family_id == t.family_id)
    .where(
        t.digest == bindparam("digest"),
        t.consumed_at > bindparam("after"),
        f.revoked_at.is_(None),
        _successor.c.digest == bindparam("successor"),
        _successor.c.consumed_at.is_(None),
        _successor.c.expires_at > bindparam("now"),
    )
)


class NewRefreshToken(NamedTuple):
    """A refresh token as it is stored."""

    digest: bytes
    family_id: str
    created_at: Instant
    expires_at: Instant
    bound_to: str | None
    """The key that it is bound to; None where it is not."""


class Successor(NamedTuple):
    """What a refresh token is followed by, once it is used."""

    digest: bytes
    sealed: bytes | None
    """None where it is never sent again."""


async def code(db: Database, digest: bytes) -> Code | None:
    """The code with this digest, used or not."""
    row = await db.one(_CODE, digest=digest)
    return None if row is None else Code(family_from(row[5:]), row[0], row[1], Instant(row[2]), instant_or_none(row[3]), row[4])


async def consume_codes(tx: Transaction, used: Iterable[Successor], now: Instant) -> set[bytes]:
    """Use up codes; returns those that no one had used, in time and of a valid family."""
    return await _consume_all(tx, _CONSUME_CODE, [{"which": each.digest, "now": now, "consumed": now} for each in used])


async def consume_device_codes(tx: Transaction, used: Iterable[Successor], now: Instant) -> set[bytes]:
    """Use up device codes; returns those that no one had used, in time, allowed, and of a valid family."""
    return await _consume_all(tx, _CONSUME_DEVICE_CODE, [{"which": each.digest, "now": now, "consumed": now} for each in used])


async def insert_refresh_tokens(tx: Transaction, new: Iterable[NewRefreshToken]) -> None:
    """Store refresh tokens."""
    rows = [
        {
            "digest": each.digest,
            "family_id": each.family_id,
            "created_at": each.created_at,
            "expires_at": each.expires_at,
            "consumed_at": None,
            "sealed_successor": None,
            "bound_to": each.bound_to,
        }
        for each in new
    ]
    await tx.run_many(_INSERT_REFRESH_TOKEN, rows)


async def refresh_token(db: Database, digest: bytes) -> RefreshToken | None:
    """The refresh token with this digest, used or not."""
    row = await db.one(_REFRESH_TOKEN, digest=digest)
    if row is None:
        return None
    sealed = None if row[2] is None else bytes(row[2])
    return RefreshToken(family_from(row[4:]), Instant(row[0]), instant_or_none(row[1]), sealed, row[3])


async def consume_refresh_tokens(tx: Transaction, used: Iterable[Successor], now: Instant) -> set[bytes]:
    """Use up refresh tokens; returns those that no one had used, in time and of a valid family."""
    return await _consume_all(
        tx,
        _CONSUME_REFRESH_TOKEN,
        [{"which": each.digest, "now": now, "consumed": now, "sealed": each.sealed} for each in used],
    )


async def may_repeat(tx: Transaction, used: bytes, successor: bytes, *, after: Instant, now: Instant) -> bool:
    """True where a refresh token was used after an instant, and the one that followed it is still unused."""
    row = await tx.one(_REPEATABLE, digest=used, successor=successor, after=after, now=now)
    return row is not None


async def _consume_all(tx: Transaction, consume: Statement, rows: list[dict[str, Any]]) -> set[bytes]:
    ordered = sorted(rows, key=lambda row: bytes(row["which"]))  # anyone who locks rows, locks them in the same order
    return {bytes(row[0]) for row in await tx.all_many(consume, ordered)}
