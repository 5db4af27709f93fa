"""The only SQL about supplementary scope maps and claim maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, delete, exists, select

from sealwright.db import Database, Row, Statement, Transaction, upsert
from sealwright.db.schema import groups, oauth_claim_joins, oauth_claim_maps, oauth_clients, oauth_supplementary_scope_maps
from sealwright.oauth.maps.models import ClaimJoin, ClaimMap, ClaimValues
from sealwright.oauth.models import ScopeMap

Reader = Database | Transaction

s = oauth_supplementary_scope_maps.c
m = oauth_claim_maps.c
j = oauth_claim_joins.c

_scopes = (
    select(s.client_id, s.group_id, groups.c.name, s.scopes)
    .join(groups, groups.c.id == s.group_id)
    .join(oauth_clients, oauth_clients.c.id == s.client_id)
    .order_by(groups.c.name)
)
_claims = (
    select(m.client_id, m.claim, j.joined, m.group_id, groups.c.name, m.claim_values)
    .join_from(oauth_claim_maps, groups, groups.c.id == m.group_id)
    .join(oauth_clients, oauth_clients.c.id == m.client_id)
    .outerjoin(oauth_claim_joins, and_(j.client_id == m.client_id, j.claim == m.claim))
    .order_by(m.claim, groups.c.name)
)


def _of_client(chosen: Select[Any]) -> Statement:
    return Statement(chosen.where(oauth_clients.c.id == bindparam("client_id")))


def _of_clients(chosen: Select[Any]) -> Statement:
    return Statement(chosen.where(oauth_clients.c.name > bindparam("after"), oauth_clients.c.name <= bindparam("until")))


_SCOPES_OF_CLIENT, _SCOPES_OF_CLIENTS = _of_client(_scopes), _of_clients(_scopes)
_CLAIMS_OF_CLIENT, _CLAIMS_OF_CLIENTS = _of_client(_claims), _of_clients(_claims)

_PUT_SCOPES = upsert(oauth_supplementary_scope_maps, key=("client_id", "group_id"), update=("scopes",))
_DELETE_SCOPES = Statement(
    delete(oauth_supplementary_scope_maps)
    .where(s.client_id == bindparam("client"), s.group_id == bindparam("which"))
    .returning(s.group_id)
)
_PUT_CLAIM = upsert(oauth_claim_maps, key=("client_id", "claim", "group_id"), update=("claim_values",))
_DELETE_CLAIM = Statement(
    delete(oauth_claim_maps)
    .where(m.client_id == bindparam("client"), m.claim == bindparam("which"), m.group_id == bindparam("of"))
    .returning(m.group_id)
)
_IS_MAPPED = Statement(select(m.claim).where(m.client_id == bindparam("client_id"), m.claim == bindparam("claim")).limit(1))
_PUT_JOIN = upsert(oauth_claim_joins, key=("client_id", "claim"), update=("joined",))
_DELETE_UNUSED_JOINS = Statement(
    delete(oauth_claim_joins).where(
        j.client_id == bindparam("client"), ~exists().where(m.client_id == j.client_id, m.claim == j.claim)
    )
)


class Maps(NamedTuple):
    """What one client has of both kinds."""

    scopes: tuple[ScopeMap, ...] = ()
    """Supplementary ones, by group name."""
    claims: tuple[ClaimMap, ...] = ()


async def maps_of(reader: Reader, client_id: str) -> Maps:
    """The maps of one client."""
    return Maps(await supplementary_scope_maps(reader, client_id), await claim_maps(reader, client_id))


async def maps_of_clients(reader: Reader, after: str, until: str) -> dict[str, Maps]:
    """The maps of those clients whose names lie between the two, the second included, by the clients' ids."""
    scopes = await reader.all(_SCOPES_OF_CLIENTS, after=after, until=until)
    claims = await reader.all(_CLAIMS_OF_CLIENTS, after=after, until=until)
    return {
        client_id: Maps(
            tuple(_scope_map(row) for row in scopes if row[0] == client_id),
            _claim_maps([row for row in claims if row[0] == client_id]),
        )
        for client_id in {row[0] for row in (*scopes, *claims)}
    }


async def supplementary_scope_maps(reader: Reader, client_id: str) -> tuple[ScopeMap, ...]:
    """The supplementary scope maps of a client, by group name."""
    return tuple(_scope_map(row) for row in await reader.all(_SCOPES_OF_CLIENT, client_id=client_id))


async def claim_maps(reader: Reader, client_id: str) -> tuple[ClaimMap, ...]:
    """The claim maps of a client, by claim."""
    return _claim_maps(await reader.all(_CLAIMS_OF_CLIENT, client_id=client_id))


async def put_supplementary_scopes(tx: Transaction, client_id: str, group_id: str, scopes: tuple[str, ...]) -> None:
    """Set the scopes that one group's members get beside those that are asked for."""
    await tx.run(_PUT_SCOPES, client_id=client_id, group_id=group_id, scopes=" ".join(scopes))


async def delete_supplementary_scopes(tx: Transaction, client_id: str, group_id: str) -> bool:
    """Take them away; False where there were none."""
    return await tx.one(_DELETE_SCOPES, client=client_id, which=group_id) is not None


async def put_claim_values(tx: Transaction, client_id: str, claim: str, group_id: str, values: tuple[str, ...]) -> None:
    """Set the values that one group's members have in a claim."""
    await tx.run(_PUT_CLAIM, client_id=client_id, claim=claim, group_id=group_id, claim_values=" ".join(values))


async def delete_claim_values(tx: Transaction, client_id: str, claim: str, group_id: str) -> bool:
    """Take them away, and with the last of a claim how it is joined; False where there were none."""
    gone = await tx.one(_DELETE_CLAIM, client=client_id, which=claim, of=group_id) is not None
    await tx.run(_DELETE_UNUSED_JOINS, client=client_id)
    return gone


async def put_claim_join(tx: Transaction, client_id: str, claim: str, join: ClaimJoin) -> bool:
    """Set how the values of a claim are written; False where the claim is not mapped."""
    if await tx.one(_IS_MAPPED, client_id=client_id, claim=claim) is None:
        return False
    await tx.run(_PUT_JOIN, client_id=client_id, claim=claim, joined=str(join))
    return True


def _scope_map(row: Row) -> ScopeMap:
    return ScopeMap(row[1], row[2], tuple(row[3].split()))


def _claim_maps(rows: Sequence[Row]) -> tuple[ClaimMap, ...]:
    found: dict[str, tuple[str | None, list[ClaimValues]]] = {}
    for _, claim, joined, group_id, group_name, values in rows:
        found.setdefault(claim, (joined, []))[1].append(ClaimValues(group_id, group_name, tuple(values.split())))
    return tuple(ClaimMap(claim, ClaimJoin(joined or "array"), tuple(each)) for claim, (joined, each) in found.items())
