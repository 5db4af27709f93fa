"""The only SQL about issuers that clients share."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction
from sealwright.db.schema import oauth_clients, oauth_issuers
from sealwright.oauth.issuers.models import ROOT_ID, SharedIssuer

i = oauth_issuers.c
_BY_NAME = Statement(select(i.id, i.name).where(i.name == bindparam("name")))
_BY_ID = Statement(select(i.id, i.name).where(i.id == bindparam("id")))
_TO_USE = Statement(select(i.id, i.name).where(i.name == bindparam("name")).with_for_update())
_ALL = Statement(select(i.id, i.name).order_by(i.name))
_INSERT = Statement(insert(oauth_issuers))
_DELETE = Statement(delete(oauth_issuers).where(i.id == bindparam("id")))
_CLIENT_NAMES = Statement(
    select(oauth_clients.c.name)
    .where(oauth_clients.c.issuer_id == bindparam("id"))
    .order_by(oauth_clients.c.name)
    .limit(bindparam("at_most"))
)


async def issuer_named(reader: Database | Transaction, name: str) -> SharedIssuer | None:
    """The issuer with this name."""
    return _issuer(await reader.one(_BY_NAME, name=name))


async def issuer_to_use(tx: Transaction, name: str) -> SharedIssuer | None:
    """The issuer with this name, locked, so that it is not deleted before this transaction ends."""
    return _issuer(await tx.one(_TO_USE, name=name))


async def root_issuer(reader: Database | Transaction) -> SharedIssuer | None:
    """The issuer whose URL is the server's own, where there is one."""
    return _issuer(await reader.one(_BY_ID, id=ROOT_ID))


async def issuers(reader: Database | Transaction) -> list[SharedIssuer]:
    """All of them, by name."""
    return [SharedIssuer(row[0], row[1]) for row in await reader.all(_ALL)]


async def clients_of(reader: Database | Transaction, issuer: SharedIssuer, at_most: int) -> list[str]:
    """Names of clients that share an issuer."""
    return [row[0] for row in await reader.all(_CLIENT_NAMES, id=issuer.id, at_most=at_most)]


async def insert_issuer(tx: Transaction, issuer: SharedIssuer, now: Instant) -> None:
    """Add an issuer; DuplicateRow where its name is taken, or there is a root issuer already."""
    await tx.run(_INSERT, id=issuer.id, name=issuer.name, created_at=now)


async def delete_issuer(tx: Transaction, issuer_id: str) -> bool:
    """Delete an issuer that no client is on."""
    return await tx.run(_DELETE, id=issuer_id) == 1


def _issuer(row: Row | None) -> SharedIssuer | None:
    return None if row is None else SharedIssuer(row[0], row[1])
