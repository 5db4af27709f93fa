"""The only SQL about logout."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, insert_once
from sealwright.db.schema import oauth_clients, oauth_families, oauth_logout_deliveries
from sealwright.oauth.clients.store import CLIENT_COLUMNS, client_from
from sealwright.oauth.logout.models import LogoutDelivery
from sealwright.oauth.models import Client

d = oauth_logout_deliveries.c
_of_session = select(oauth_families.c.client_id).where(oauth_families.c.session_id == bindparam("session_id"))
_CLIENTS_OF_SESSION = Statement(select(*CLIENT_COLUMNS).where(oauth_clients.c.id.in_(_of_session)).order_by(oauth_clients.c.name))
_INSERT = insert_once(oauth_logout_deliveries, returning=d.client_id)
_waiting = (
    select(
        d.client_id,
        d.session_id,
        d.next_try_at,
        func.row_number().over(partition_by=d.client_id, order_by=(d.next_try_at, d.session_id)).label("place"),
    )
    .where(d.next_try_at <= bindparam("now"))
    .subquery("waiting")
)
_DUE = Statement(
    select(_waiting.c.client_id, _waiting.c.session_id)
    .where(_waiting.c.place <= bindparam("of_client"))
    .order_by(_waiting.c.next_try_at, _waiting.c.client_id)
    .limit(bindparam("at_most"))
)
_OF_SESSION = Statement(select(d.client_id).where(d.session_id == bindparam("session_id"), d.tries == 0).order_by(d.client_id))
_one = (d.client_id == bindparam("which_client"), d.session_id == bindparam("which_session"))
_CLAIM = Statement(
    update(oauth_logout_deliveries)
    .where(*_one, d.next_try_at <= bindparam("now"))
    .values(tries=d.tries + 1, next_try_at=bindparam("until"))
    .returning(d.account_id, d.tries, d.last_failure, d.expires_at)
)
_CLIENT = Statement(select(*CLIENT_COLUMNS).where(oauth_clients.c.id == bindparam("id")))
_POSTPONE = Statement(
    update(oauth_logout_deliveries)
    .where(*_one, d.tries == bindparam("known"))
    .values(next_try_at=bindparam("until"), last_failure=bindparam("why"))
)
_DELETE = Statement(delete(oauth_logout_deliveries).where(*_one))


async def clients_of_session(reader: Database | Transaction, session_id: str) -> list[Client]:
    """The clients that were given something under a session, by name."""
    return [client_from(row) for row in await reader.all(_CLIENTS_OF_SESSION, session_id=session_id)]


async def insert(tx: Transaction, client_id: str, *, session_id: str, account_id: str, now: Instant, expires_at: Instant) -> None:
    """Queue a logout token, due at once; no change where it is queued."""
    await tx.one(
        _INSERT,
        client_id=client_id,
        session_id=session_id,
        account_id=account_id,
        created_at=now,
        next_try_at=now,
        tries=0,
        last_failure=None,
        expires_at=expires_at,
    )


async def due(db: Database, *, now: Instant, at_most: int, of_client: int) -> list[tuple[str, str]]:
    """Client and session of deliveries that may be tried, those that waited longest first, and of no client more than a few."""
    return [(row[0], row[1]) for row in await db.all(_DUE, now=now, at_most=at_most, of_client=of_client)]


async def untried_of_session(db: Database, session_id: str) -> list[tuple[str, str]]:
    """The same of one session, where none was tried yet."""
    return [(row[0], session_id) for row in await db.all(_OF_SESSION, session_id=session_id)]


async def claim(tx: Transaction, client_id: str, session_id: str, *, now: Instant, until: Instant) -> LogoutDelivery | None:
    """Take a delivery: until then no other process does. None where another has it, or it is gone."""
    row = await tx.one(_CLAIM, which_client=client_id, which_session=session_id, now=now, until=until)
    client = None if row is None else await tx.one(_CLIENT, id=client_id)
    if row is None or client is None:
        return None
    return LogoutDelivery(client_from(client), row[0], session_id, row[1], row[2], Instant(row[3]))


async def postpone(tx: Transaction, delivery: LogoutDelivery, *, until: Instant, why: str) -> None:
    """Give a delivery back that failed, unless another process has it by now."""
    await tx.run(
        _POSTPONE,
        which_client=delivery.client.id,
        which_session=delivery.session_id,
        known=delivery.tries,
        until=until,
        why=why,
    )


async def remove(tx: Transaction, delivery: LogoutDelivery) -> None:
    """Forget a delivery."""
    await tx.run(_DELETE, which_client=delivery.client.id, which_session=delivery.session_id)
