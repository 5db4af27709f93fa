"""The only SQL about scope maps, authorization requests, consents, codes and refresh tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, tuple_, union_all, update

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once, upsert
from sealwright.db.schema import (
    groups,
    oauth_answered_requests,
    oauth_claim_maps,
    oauth_client_images,
    oauth_clients,
    oauth_codes,
    oauth_consent_history,
    oauth_consents,
    oauth_families,
    oauth_issuers,
    oauth_refresh_tokens,
    oauth_scope_maps,
    oauth_supplementary_scope_maps,
    oauth_used_jwts,
)
from sealwright.oauth.claims_request import ClaimsRequest
from sealwright.oauth.clients.store import CLIENT_COLUMNS, client_from, touch_client
from sealwright.oauth.issuers.models import SharedIssuer
from sealwright.oauth.models import (
    AccessCounts,
    AuthorizationRequest,
    AvailableClient,
    Client,
    Consent,
    ConsentEvent,
    ScopeMap,
    TokenFamily,
    TokenOrigin,
)

_NO_CLAIMS = ClaimsRequest()
_read_claims = msgspec.json.Decoder(ClaimsRequest).decode
_read_origin = msgspec.json.Decoder(TokenOrigin).decode
_read_details = msgspec.json.Decoder(tuple[dict[str, Any], ...]).decode

c = oauth_clients.c
m = oauth_scope_maps.c
_SCOPE_MAPS = Statement(
    select(m.group_id, groups.c.name, m.scopes)
    .join(groups, groups.c.id == m.group_id)
    .where(m.client_id == bindparam("client_id"))
    .order_by(groups.c.name)
)
GROUPS_AT_ONCE = 32
"""Groups that one statement asks about."""
_CLIENTS_BY_GROUP = Statement(
    select(c.name, c.display_name, c.landing_url, oauth_client_images.c.digest, c.settings, c.issuer_id, oauth_issuers.c.name)
    .join(oauth_clients, c.id == m.client_id)
    .outerjoin(oauth_client_images, oauth_client_images.c.client_id == c.id)
    .outerjoin(oauth_issuers, oauth_issuers.c.id == c.issuer_id)
    .where(m.group_id.in_([bindparam(f"group_{number}") for number in range(GROUPS_AT_ONCE)]))
)
_maps = (oauth_scope_maps, oauth_supplementary_scope_maps, oauth_claim_maps)
_CLIENTS_OF_GROUP = Statement(
    select(c.name).where(
        c.id.in_(union_all(*(select(each.c.client_id).where(each.c.group_id == bindparam("group_id")) for each in _maps)))
    )
)
_SCOPES_BY_GROUP = Statement(select(m.group_id, m.scopes).where(m.client_id == bindparam("client_id")))
_supplementary = oauth_supplementary_scope_maps.c
_HELD_SCOPES_BY_GROUP = Statement(
    select(m.group_id, m.scopes)
    .where(m.client_id == bindparam("client_id"))
    .union_all(select(_supplementary.group_id, _supplementary.scopes).where(_supplementary.client_id == bindparam("client_id")))
)
_PUT_SCOPE_MAP = upsert(oauth_scope_maps, key=("client_id", "group_id"), update=("scopes",))
_DELETE_SCOPE_MAP = Statement(
    delete(oauth_scope_maps).where(m.client_id == bindparam("client_id"), m.group_id == bindparam("group_id"))
)

r = oauth_answered_requests.c
_CLIENT_OF_REQUEST = Statement(
    select(*CLIENT_COLUMNS).where(c.id == bindparam("client_id"), ~exists().where(r.digest == bindparam("digest")))
)
_ANSWER_REQUEST = insert_once(oauth_answered_requests, returning=r.digest)

s = oauth_consents.c
_CONSENT = Statement(
    select(s.scope, s.claims).where(s.account_id == bindparam("account_id"), s.client_id == bindparam("client_id"))
)
_CONSENTS = Statement(
    select(c.id, c.name, c.display_name, s.scope, s.granted_at)
    .join(oauth_clients, c.id == s.client_id)
    .where(s.account_id == bindparam("account_id"))
    .order_by(c.name)
)
_PUT_CONSENT = upsert(oauth_consents, key=("account_id", "client_id"), update=("scope", "claims", "granted_at"))
_DELETE_CONSENT = Statement(
    delete(oauth_consents).where(s.account_id == bindparam("account_id"), s.client_id == bindparam("client_id"))
)

h = oauth_consent_history.c
_TOLD = insert_once(oauth_consent_history, returning=h.at)
_NAME_OF_CLIENT = Statement(select(c.display_name).where(c.id == bindparam("id")))
_CONSENT_HISTORY = Statement(
    select(h.display_name, h.given, h.scope, h.at)
    .where(h.account_id == bindparam("account_id"))
    .order_by(h.at.desc(), h.client_id, h.given)
    .limit(bindparam("at_most"))
)
_old_history = select(h.account_id, h.at).where(h.at <= bindparam("before")).order_by(h.at).limit(bindparam("at_most"))
_PURGE_CONSENT_HISTORY = Statement(delete(oauth_consent_history).where(tuple_(h.account_id, h.at).in_(_old_history)))

f = oauth_families.c
FAMILY_COLUMNS = (
    f.id,
    f.client_id,
    f.account_id,
    f.session_id,
    f.scope,
    f.nonce,
    f.authenticated_at,
    f.created_at,
    f.revoked_at,
    f.methods,
    f.claims,
    f.resources,
    f.authorization_details,
    f.origin,
)
_INSERT_FAMILY = Statement(insert(oauth_families))
_FAMILY_BY_ID = Statement(select(*FAMILY_COLUMNS).where(f.id == bindparam("id")))
_REVOKE_FAMILY = Statement(
    update(oauth_families)
    .where(f.id == bindparam("which"), f.revoked_at.is_(None))
    .values(revoked_at=bindparam("revoked"), revoke_reason=bindparam("reason"))
)
_REVOKE_FAMILIES_OF_CLIENT = Statement(
    update(oauth_families)
    .where(f.client_id == bindparam("which_client"), f.revoked_at.is_(None))
    .values(revoked_at=bindparam("revoked"), revoke_reason=bindparam("reason"))
)
_REVOKE_FAMILIES_OF_CONSENT = Statement(
    update(oauth_families)
    .where(f.client_id == bindparam("which_client"), f.account_id == bindparam("which_account"), f.revoked_at.is_(None))
    .values(revoked_at=bindparam("revoked"), revoke_reason=bindparam("reason"))
)

_GRANTS_OF_ACCOUNT = Statement(
    select(
        select(func.count()).select_from(oauth_consents).where(s.account_id == bindparam("whose")).scalar_subquery(),
        select(func.count()).where(f.account_id == bindparam("whose"), f.revoked_at.is_(None)).scalar_subquery(),
    )
)
_GRANTS_TO_CLIENT = Statement(
    select(
        select(func.count()).select_from(oauth_consents).where(s.client_id == bindparam("whose")).scalar_subquery(),
        select(func.count())
        .where(f.client_id == bindparam("whose"), f.account_id.is_not(None), f.revoked_at.is_(None))
        .scalar_subquery(),
    )
)

_INSERT_CODE = Statement(insert(oauth_codes))

t = oauth_refresh_tokens.c
_over_requests = select(r.digest).where(r.expires_at <= bindparam("before")).limit(bindparam("at_most"))
_USE_JWT = insert_once(oauth_used_jwts, returning=oauth_used_jwts.c.digest)
_over_jwts = (
    select(oauth_used_jwts.c.digest).where(oauth_used_jwts.c.kept_until < bindparam("before")).limit(bindparam("at_most"))
)
_PURGE_USED_JWTS = Statement(delete(oauth_used_jwts).where(oauth_used_jwts.c.digest.in_(_over_jwts)))
_PURGE_REQUESTS = Statement(delete(oauth_answered_requests).where(r.digest.in_(_over_requests)))
_over_tokens = select(t.digest).where(t.expires_at <= bindparam("before")).limit(bindparam("at_most"))
_PURGE_REFRESH_TOKENS = Statement(delete(oauth_refresh_tokens).where(t.digest.in_(_over_tokens)))
_its_tokens = select(t.digest).where(t.family_id == f.id).correlate(oauth_families).limit(bindparam("at_most"))
_OLD_FAMILIES = Statement(
    select(
        f.id,
        f.created_at,
        or_(
            func.coalesce(f.revoked_at, bindparam("never")) <= bindparam("before"),
            ~exists().where(t.family_id == f.id, t.expires_at > bindparam("before")),
        ),
        select(func.count()).select_from(_its_tokens.subquery("page_of_tokens")).correlate(oauth_families).scalar_subquery(),
    )
    .where(
        f.created_at <= bindparam("before"),
        f.created_at >= bindparam("from_at"),
        or_(f.created_at > bindparam("from_at"), f.id > bindparam("from_id")),
    )
    .order_by(f.created_at, f.id)
    .limit(bindparam("at_most"))
)
_DELETE_FAMILY = Statement(delete(oauth_families).where(f.id == bindparam("which")))
_some_tokens = select(t.digest).where(t.family_id == bindparam("which")).limit(bindparam("at_most"))
_DELETE_SOME_TOKENS = Statement(delete(oauth_refresh_tokens).where(t.digest.in_(_some_tokens)))


# --- clients ---------------------------------------------------------------------------------------------------------


async def clients_of_group(reader: Database | Transaction, group_id: str) -> list[str]:
    """The names of the clients that have a map for this group, of whichever kind."""
    return sorted(row[0] for row in await reader.all(_CLIENTS_OF_GROUP, group_id=group_id))


async def scope_maps(db: Database, client_id: str) -> tuple[ScopeMap, ...]:
    """The scope maps of a client, by group name."""
    return tuple(ScopeMap(row[0], row[1], tuple(row[2].split())) for row in await db.all(_SCOPE_MAPS, client_id=client_id))


class _Start(Struct, frozen=True):
    """Of the settings of a client, where it begins a sign-in."""

    initiate_login_uri: str | None = None


_start = msgspec.json.Decoder(_Start).decode


async def available_clients(db: Database, group_ids: frozenset[str]) -> list[AvailableClient]:
    """The clients with a scope map for one of these groups, by client name."""
    found, left = {}, sorted(group_ids)
    while left:
        asked, left = left[:GROUPS_AT_ONCE], left[GROUPS_AT_ONCE:]
        asked += asked[:1] * (GROUPS_AT_ONCE - len(asked))  # one statement, however many groups
        for name, display_name, url, digest, settings, issuer_id, issuer_name in await db.all(
            _CLIENTS_BY_GROUP, **{f"group_{number}": group for number, group in enumerate(asked)}
        ):
            image, start = None if digest is None else bytes(digest), _start(settings).initiate_login_uri
            issuer = None if issuer_id is None else SharedIssuer(issuer_id, issuer_name)
            found[name] = AvailableClient(display_name, url, image, name, issuer, start or "")
    return [found[name] for name in sorted(found)]


async def scopes_by_group(db: Database, client_id: str) -> dict[str, tuple[str, ...]]:
    """The scopes of each group that a client has a scope map for: what a decision needs, without the groups' names."""
    return {row[0]: tuple(row[1].split()) for row in await db.all(_SCOPES_BY_GROUP, client_id=client_id)}


async def held_scopes_by_group(db: Database, client_id: str) -> dict[str, tuple[str, ...]]:
    """The scopes that members of each group hold once they were granted: those that are asked for, and supplementary ones."""
    found: dict[str, tuple[str, ...]] = {}
    for group_id, scopes in await db.all(_HELD_SCOPES_BY_GROUP, client_id=client_id):
        found[group_id] = (*found.get(group_id, ()), *scopes.split())
    return found


async def put_scope_map(tx: Transaction, client_id: str, group_id: str, scopes: tuple[str, ...], now: Instant) -> None:
    """Set the scopes that one group's members may grant."""
    await tx.run(_PUT_SCOPE_MAP, client_id=client_id, group_id=group_id, scopes=" ".join(scopes))
    await touch_client(tx, client_id, now)


async def delete_scope_map(tx: Transaction, client_id: str, group_id: str, now: Instant) -> bool:
    """Take a group's scope map away."""
    gone = await tx.run(_DELETE_SCOPE_MAP, client_id=client_id, group_id=group_id) == 1
    await touch_client(tx, client_id, now)
    return gone


# --- authorization requests and consents -----------------------------------------------------------------------------


async def client_of_request(db: Database, digest: bytes, client_id: str) -> Client | None:
    """The client that sent a request, where it is still there and the request was not decided."""
    row = await db.one(_CLIENT_OF_REQUEST, digest=digest, client_id=client_id)
    return None if row is None else client_from(row)


async def answer_request(tx: Transaction, digest: bytes, expires_at: Instant) -> bool:
    """Use up a request; true only for the first to do so."""
    return await tx.one(_ANSWER_REQUEST, digest=digest, expires_at=expires_at) is not None


class Consented(NamedTuple):
    """What a person allowed a client."""

    scopes: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    """Those beside the claims of the scopes."""


async def consented(db: Database, account_id: str, client_id: str) -> Consented:
    """What a person allowed a client before."""
    return _consented(await db.one(_CONSENT, account_id=account_id, client_id=client_id))


def _consented(row: Row | None) -> Consented:
    return Consented() if row is None else Consented(frozenset(row[0].split()), frozenset(row[1].split()))


async def consents(db: Database, account_id: str) -> list[Consent]:
    """Every consent of a person, by client name."""
    return [
        Consent(row[0], row[1], row[2], tuple(row[3].split()), Instant(row[4]))
        for row in await db.all(_CONSENTS, account_id=account_id)
    ]


async def put_consent(tx: Transaction, account_id: str, client_id: str, given: Consented, now: Instant) -> None:
    """Remember what a person allowed a client, beside what they allowed before."""
    before = _consented(await tx.one(_CONSENT, account_id=account_id, client_id=client_id))
    await tx.run(
        _PUT_CONSENT,
        account_id=account_id,
        client_id=client_id,
        scope=" ".join(sorted(given.scopes | before.scopes)),
        claims=" ".join(sorted(given.claims | before.claims)),
        granted_at=now,
    )
    await _tell(tx, account_id, client_id, now, given.scopes)


async def delete_consent(tx: Transaction, account_id: str, client_id: str, now: Instant) -> bool:
    """Forget a consent."""
    was_there = await tx.run(_DELETE_CONSENT, account_id=account_id, client_id=client_id) == 1
    if was_there:
        await _tell(tx, account_id, client_id, now, None)
    return was_there


async def _tell(tx: Transaction, account_id: str, client_id: str, now: Instant, scopes: frozenset[str] | None) -> None:
    """Write into the person's history what was given, or with None that it was taken back."""
    client = await tx.one(_NAME_OF_CLIENT, id=client_id)
    await tx.one(
        _TOLD,
        account_id=account_id,
        at=now,
        client_id=client_id,
        given=int(scopes is not None),
        display_name="" if client is None else client[0],
        scope=" ".join(sorted(scopes or ())),
    )


async def consent_history(db: Database, account_id: str, at_most: int) -> list[ConsentEvent]:
    """What a person allowed and took back, newest first."""
    rows = await db.all(_CONSENT_HISTORY, account_id=account_id, at_most=at_most)
    return [ConsentEvent(row[0], bool(row[1]), tuple(row[2].split()), Instant(row[3])) for row in rows]


async def purge_consent_history(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete what is older than an instant; returns how many rows."""
    return await tx.run(_PURGE_CONSENT_HISTORY, before=before, at_most=at_most)


async def access_given_by(db: Database, account_id: str) -> AccessCounts:
    """How much a person allowed that is not revoked."""
    row = await db.one(_GRANTS_OF_ACCOUNT, whose=account_id)
    return AccessCounts(*row) if row else AccessCounts(0, 0)


async def access_given_to(db: Database, client_id: str) -> AccessCounts:
    """How much people allowed a client that is not revoked."""
    row = await db.one(_GRANTS_TO_CLIENT, whose=client_id)
    return AccessCounts(*row) if row else AccessCounts(0, 0)


# --- families, codes and refresh tokens ------------------------------------------------------------------------------


async def insert_families(tx: Transaction, families: Sequence[TokenFamily]) -> None:
    """Begin families of tokens."""
    await tx.run_many(_INSERT_FAMILY, [_family_values(each) for each in families])


async def family(db: Database, family_id: str) -> TokenFamily | None:
    """The family with this identifier."""
    row = await db.one(_FAMILY_BY_ID, id=family_id)
    return None if row is None else family_from(row)


async def revoke_family(tx: Transaction, family_id: str, reason: str, now: Instant) -> bool:
    """Revoke a family; false where it was revoked before."""
    return await tx.run(_REVOKE_FAMILY, which=family_id, revoked=now, reason=reason) == 1


async def revoke_families_of_client(tx: Transaction, client_id: str, reason: str, now: Instant) -> int:
    """Revoke everything that a client holds; returns how many families."""
    return await tx.run(_REVOKE_FAMILIES_OF_CLIENT, which_client=client_id, revoked=now, reason=reason)


async def revoke_families_of_consent(tx: Transaction, account_id: str, client_id: str, reason: str, now: Instant) -> int:
    """Revoke everything that a client holds for one person; returns how many families."""
    return await tx.run(_REVOKE_FAMILIES_OF_CONSENT, which_account=account_id, which_client=client_id, revoked=now, reason=reason)


async def insert_code(tx: Transaction, digest: bytes, family_id: str, request: AuthorizationRequest, expires_at: Instant) -> None:
    """Store an authorization code with what it is bound to."""
    await tx.run(
        _INSERT_CODE,
        digest=digest,
        family_id=family_id,
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        dpop_jkt=request.dpop_jkt,
        expires_at=expires_at,
        consumed_at=None,
    )


async def purge_requests(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete requests that ended before an instant; returns how many."""
    return await tx.run(_PURGE_REQUESTS, before=before, at_most=at_most)


async def use_jwt(tx: Transaction, digest: bytes, kept_until: Instant) -> bool:
    """Note that a JWT of a client was used; False where it had been used before."""
    return await tx.one(_USE_JWT, digest=digest, kept_until=kept_until) is not None


async def purge_used_jwts(tx: Transaction, before: Instant, at_most: int) -> int:
    """Forget used JWTs that were kept until an instant; returns how many."""
    return await tx.run(_PURGE_USED_JWTS, before=before, at_most=at_most)


async def purge_refresh_tokens(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete refresh tokens that ended before an instant; returns how many."""
    return await tx.run(_PURGE_REFRESH_TOKENS, before=before, at_most=at_most)


class PurgedFamilies(NamedTuple):
    """How far a purge of families has come."""

    deleted: int
    last: tuple[Instant, str] | None
    """When the last family that was looked at began, and its id; None at the end."""


async def purge_families(tx: Transaction, before: Instant, beyond: tuple[Instant, str], at_most: int) -> PurgedFamilies:
    """Look at so many families that began before an instant, and delete those that ended, with at most so many tokens in all."""
    rows = await tx.all(_OLD_FAMILIES, before=before, never=before + 1, from_at=beyond[0], from_id=beyond[1], at_most=at_most)
    over: list[dict[str, Any]] = []
    tokens = 0
    for family_id, began, is_over, its_tokens in rows:
        if is_over and tokens + its_tokens >= at_most:
            if over:
                break
            return PurgedFamilies(await tx.run(_DELETE_SOME_TOKENS, which=family_id, at_most=at_most), beyond)  # and here again
        if is_over:
            over.append({"which": family_id})
            tokens += its_tokens
        beyond = Instant(began), family_id
    await tx.run_many(_DELETE_FAMILY, over)
    return PurgedFamilies(len(over), beyond if rows else None)


# --- rows ------------------------------------------------------------------------------------------------------------


def _family_values(family: TokenFamily) -> dict[str, Any]:
    details = family.authorization_details
    return asdict(family) | {
        "scope": " ".join(family.scope),
        "revoke_reason": None,
        "methods": " ".join(family.methods),
        "claims": None if family.claims == _NO_CLAIMS else msgspec.json.encode(family.claims).decode(),
        "resources": " ".join(family.resources),
        "authorization_details": msgspec.json.encode(details).decode() if details else None,
        "origin": None if family.origin is None else msgspec.json.encode(family.origin).decode(),
    }


def family_from(row: Row) -> TokenFamily:
    """A family from a row of `FAMILY_COLUMNS`."""
    return TokenFamily(
        id=row[0],
        client_id=row[1],
        account_id=row[2],
        session_id=row[3],
        scope=tuple(row[4].split()),
        nonce=row[5],
        authenticated_at=instant_or_none(row[6]),
        created_at=Instant(row[7]),
        revoked_at=instant_or_none(row[8]),
        methods=tuple(row[9].split()),
        claims=_NO_CLAIMS if row[10] is None else _read_claims(row[10]),
        resources=tuple(row[11].split()),
        authorization_details=() if row[12] is None else _read_details(row[12]),
        origin=None if row[13] is None else _read_origin(row[13]),
    )


def instant_or_none(value: int | None) -> Instant | None:
    """A column that may be empty."""
    return None if value is None else Instant(value)
