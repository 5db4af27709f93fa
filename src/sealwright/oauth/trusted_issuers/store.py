"""The only SQL about trusted issuers and their rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once
from sealwright.db.schema import (
    accounts,
    oauth_clients,
    oauth_trusted_issuer_editors,
    oauth_trusted_issuer_rules,
    oauth_trusted_issuers,
    oauth_used_jwts,
)
from sealwright.oauth.trusted_issuers.models import IssuerRule, TrustedIssuer

i = oauth_trusted_issuers.c
r = oauth_trusted_issuer_rules.c
_read_object = msgspec.json.Decoder(dict[str, Any]).decode
_COLUMNS = (i.id, i.name, i.issuer_url, i.audience, i.jwks_uri, i.jwks, i.reusable, i.created_at, i.created_by)
_ALL = Statement(select(*_COLUMNS).order_by(i.name))
_BY_NAME = Statement(select(*_COLUMNS).where(i.name == bindparam("name")))
_TO_CHANGE = Statement(
    update(oauth_trusted_issuers).where(i.name == bindparam("of_name")).values({i.name: i.name}).returning(*_COLUMNS)
)
_BY_URL = Statement(select(*_COLUMNS).where(i.issuer_url == bindparam("issuer_url")))
_INSERT = Statement(insert(oauth_trusted_issuers))
_UPDATE = Statement(
    update(oauth_trusted_issuers)
    .where(i.id == bindparam("which"))
    .values({each: bindparam(f"new_{each.name}") for each in (i.audience, i.jwks_uri, i.jwks, i.reusable)})
)
_DELETE = Statement(delete(oauth_trusted_issuers).where(i.id == bindparam("which")))

_RULE = (
    select(
        r.id,
        r.issuer_id,
        r.client_id,
        oauth_clients.c.name,
        r.account_id,
        accounts.c.name,
        r.conditions,
        r.scopes,
        r.lifetime_seconds,
        r.revision,
        r.created_at,
        r.created_by,
    )
    .join_from(oauth_trusted_issuer_rules, oauth_clients, oauth_clients.c.id == r.client_id)
    .join(accounts, accounts.c.id == r.account_id, isouter=True)
)
_RULES = Statement(_RULE.where(r.issuer_id == bindparam("issuer_id")).order_by(r.created_at, r.id))
_RULES_FOR = Statement(
    _RULE.where(r.issuer_id == bindparam("issuer_id"), r.client_id == bindparam("client_id")).order_by(r.created_at, r.id)
)
_RULE_BY_ID = Statement(_RULE.where(r.id == bindparam("id")))
_USED = Statement(select(oauth_used_jwts.c.digest).where(oauth_used_jwts.c.digest == bindparam("digest")))
_INSERT_RULE = Statement(insert(oauth_trusted_issuer_rules))
_UPDATE_RULE = Statement(
    update(oauth_trusted_issuer_rules)
    .where(r.id == bindparam("which"))
    .values({each: bindparam(f"new_{each.name}") for each in (r.conditions, r.scopes, r.lifetime_seconds, r.revision)})
)
_NEXT_REVISION = Statement(
    update(oauth_trusted_issuer_rules).where(r.issuer_id == bindparam("of_issuer")).values(revision=r.revision + 1)
)
_INSERT_EDITOR = insert_once(oauth_trusted_issuer_editors, returning=oauth_trusted_issuer_editors.c.account_id)
_DELETE_RULE = Statement(
    delete(oauth_trusted_issuer_rules).where(r.id == bindparam("which"), r.issuer_id == bindparam("of_issuer"))
)


async def issuers(reader: Database | Transaction) -> list[TrustedIssuer]:
    """All of them, by name."""
    return [_issuer(row) for row in await reader.all(_ALL)]


async def issuer_named(reader: Database | Transaction, name: str) -> TrustedIssuer | None:
    """The one with this name."""
    row = await reader.one(_BY_NAME, name=name)
    return None if row is None else _issuer(row)


async def issuer_to_change(tx: Transaction, name: str) -> TrustedIssuer | None:
    """The one with this name, which no one else changes until the transaction ends, nor any of its rules.

    It is written and not only locked: a transaction that judged it as it was before, with all its rules, then begins anew.
    """
    row = await tx.one(_TO_CHANGE, of_name=name)
    return None if row is None else _issuer(row)


async def issuer_at(reader: Database | Transaction, issuer_url: str) -> TrustedIssuer | None:
    """The one whose tokens have this `iss`."""
    row = await reader.one(_BY_URL, issuer_url=issuer_url)
    return None if row is None else _issuer(row)


async def insert_issuer(tx: Transaction, issuer: TrustedIssuer) -> None:
    """Add one; DuplicateRow where its name or URL is taken."""
    values = {name: getattr(issuer, name) for name in TrustedIssuer.__struct_fields__}
    jwks = None if issuer.jwks is None else msgspec.json.encode(issuer.jwks).decode()
    await tx.run(_INSERT, **(values | {"reusable": int(issuer.reusable), "jwks": jwks}))


async def update_issuer(tx: Transaction, issuer: TrustedIssuer) -> None:
    """Store what can be changed of one."""
    jwks = None if issuer.jwks is None else msgspec.json.encode(issuer.jwks).decode()
    await tx.run(
        _UPDATE,
        which=issuer.id,
        new_audience=issuer.audience,
        new_jwks_uri=issuer.jwks_uri,
        new_jwks=jwks,
        new_reusable=int(issuer.reusable),
    )


async def end_tokens(tx: Transaction, issuer_id: str) -> None:
    """End what the rules of an issuer gave so far."""
    await tx.run(_NEXT_REVISION, of_issuer=issuer_id)


async def note_editor(tx: Transaction, issuer_id: str, account_id: str) -> None:
    """Remember who changed an issuer or one of its rules."""
    await tx.one(_INSERT_EDITOR, issuer_id=issuer_id, account_id=account_id)


async def delete_issuer(tx: Transaction, issuer_id: str) -> bool:
    """Delete one with its rules."""
    return await tx.run(_DELETE, which=issuer_id) == 1


async def rules(reader: Database | Transaction, issuer_id: str) -> list[IssuerRule]:
    """The rules of an issuer, oldest first."""
    return [_rule(row) for row in await reader.all(_RULES, issuer_id=issuer_id)]


async def rules_for(reader: Database | Transaction, issuer_id: str, client_id: str) -> list[IssuerRule]:
    """Those of them that make tokens for one client."""
    return [_rule(row) for row in await reader.all(_RULES_FOR, issuer_id=issuer_id, client_id=client_id)]


async def rule(reader: Database | Transaction, rule_id: str) -> IssuerRule | None:
    """The rule with this id."""
    row = await reader.one(_RULE_BY_ID, id=rule_id)
    return None if row is None else _rule(row)


async def was_used(reader: Database | Transaction, digest: bytes) -> bool:
    """Whether a token was used; nothing is noted."""
    return await reader.one(_USED, digest=digest) is not None


async def insert_rule(tx: Transaction, new: IssuerRule) -> None:
    """Add a rule."""
    await tx.run(
        _INSERT_RULE,
        id=new.id,
        issuer_id=new.issuer_id,
        client_id=new.client_id,
        account_id=new.account_id,
        conditions=msgspec.json.encode(new.conditions).decode(),
        scopes=" ".join(new.scopes),
        lifetime_seconds=new.lifetime // timedelta(seconds=1),
        revision=new.revision,
        created_at=new.created_at,
        created_by=new.created_by,
    )


async def update_rule(tx: Transaction, changed: IssuerRule) -> None:
    """Store what can be changed of a rule."""
    await tx.run(
        _UPDATE_RULE,
        which=changed.id,
        new_conditions=msgspec.json.encode(changed.conditions).decode(),
        new_scopes=" ".join(changed.scopes),
        new_lifetime_seconds=changed.lifetime // timedelta(seconds=1),
        new_revision=changed.revision,
    )


async def delete_rule(tx: Transaction, rule_id: str, issuer_id: str) -> bool:
    """Remove a rule of this issuer."""
    return await tx.run(_DELETE_RULE, which=rule_id, of_issuer=issuer_id) == 1


def _issuer(row: Row) -> TrustedIssuer:
    return TrustedIssuer(
        id=row[0],
        name=row[1],
        issuer_url=row[2],
        audience=row[3],
        jwks_uri=row[4],
        jwks=None if row[5] is None else _read_object(row[5]),
        reusable=bool(row[6]),
        created_at=Instant(row[7]),
        created_by=row[8],
    )


def _rule(row: Row) -> IssuerRule:
    return IssuerRule(
        id=row[0],
        issuer_id=row[1],
        client_id=row[2],
        client_name=row[3],
        account_id=row[4],
        account_name=row[5],
        conditions=_read_object(row[6]),
        scopes=tuple(row[7].split()),
        lifetime=timedelta(seconds=row[8]),
        revision=row[9],
        created_at=Instant(row[10]),
        created_by=row[11],
    )
